"""The numbers of a running edge-runtime in a terminal, live over its API."""
