"""``python -m edge_runtime`` is the ``edge-runtime`` command."""

from edge_runtime.cli.main import console

console()
