"""Ask a running edge-runtime from Python: ``Client("http://pi.local:8000", token=...).status()``.

Of the standard library and pydantic alone: it loads neither FastAPI nor numpy.
"""

from edge_runtime.client.client import Client
from edge_runtime.client.live import LiveStatus

__all__ = ["Client", "LiveStatus"]
