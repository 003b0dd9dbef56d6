"""The room and what it uses as one file that any Python runs: a zip with a ``__main__``.

Whatever an update does to the installed files, the program that does it comes from elsewhere.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Final

import edge_runtime

PARTS: Final = (
    "__init__.py",
    "errors.py",
    "identity.py",
    "service/__init__.py",
    "service/standing.py",
    "service/systemctl.py",
    "service/unit.py",
    "store/__init__.py",
    "store/shelf/__init__.py",
    "store/shelf/disk.py",
    "types.py",
)
"""Of the package, besides all of ``update``. All of it needs the standard library only."""

MAIN: Final = """\
import sys

from edge_runtime.update.program import main

sys.exit(main(sys.argv))
"""

_TIME: Final = (1980, 1, 1, 0, 0, 0)


def archive() -> bytes:
    """The zip; the same bytes for the same version."""
    package = Path(edge_runtime.__file__).parent
    own = sorted(f"update/{path.name}" for path in (package / "update").glob("*.py"))
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr(zipfile.ZipInfo("__main__.py", _TIME), MAIN)
        for part in (*PARTS, *own):
            name = zipfile.ZipInfo(f"{package.name}/{part}", _TIME)
            zipped.writestr(name, (package / part).read_bytes())
    return written.getvalue()
