"""Where pixels come from: a URI opens a Source, a Source is an iterator of Frames."""

from __future__ import annotations

from edge_runtime.capture.source import Source, open_source

__all__ = ["Source", "open_source"]
