"""A QR code for terminals and text files."""

from __future__ import annotations

import io

import segno


def drawn(text: str) -> str:
    """``text`` as a QR code of half blocks, two rows of modules a line, the quiet zone with it.

    Plain characters without colour codes: it is light on dark, as terminals are; phones read both.
    """
    out = io.StringIO()
    segno.make_qr(text, error="l").terminal(out, border=2, compact=True)
    return out.getvalue().rstrip("\n")
