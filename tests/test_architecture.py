"""The house as ``docs/architecture.md`` draws it, held against the import statements.

To change the house, change the tables below and the picture in the same commit. A new room goes
into ``ROWS`` right below the lowest room that uses it: a room imports what stands in lower rows,
and what shares its row is a stranger. A new heavy library gets one owner in ``OWNERS``.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pytest

from edge_runtime.config.config import KEYS

PACKAGE = Path(__file__).resolve().parent.parent / "edge_runtime"

ROWS = (
    ("cli",),
    ("bench", "compress", "analyze", "top", "update"),
    ("average_precision", "client", "setup"),
    ("qr",),
    ("app",),
    ("pipeline", "mailbox", "governor", "events", "web", "service", "doctor", "people"),
    ("capture", "attention", "classify", "store", "telemetry"),
    ("engine", "imaging", "jpeg", "drawing", "journal", "config"),
    ("event", "quiet_hours"),
    ("types", "errors", "masking", "closeable"),
    ("identity",),
)

# Rooms take keyword arguments; only what builds them reads the settings.
SEES_CONFIG = {"cli", "bench", "analyze", "setup", "app", "config"}

# Library to the only places that import it: a file, or a folder with a slash.
OWNERS: dict[str, tuple[str, ...]] = {
    "ai_edge_litert": ("engine/litert.py", "compress/"),
    "ai_edge_quantizer": ("compress/",),
    "click": ("cli/",),
    "cryptography": ("store/signature.py", "app/certificate.py", "people/seal.py"),
    "cv2": ("imaging.py", "drawing.py", "capture/", "compress/"),
    "fastapi": ("web/", "app/server.py"),
    "google": ("compress/",),
    "gpiozero": ("events/gpio.py",),
    "h11": ("app/connection.py",),
    "keras": ("compress/",),
    "libcamera": ("capture/libcamera.py",),
    "litert_torch": ("compress/",),
    "onnx": ("compress/",),
    "onnx2torch": ("compress/",),
    "onnxruntime": ("compress/",),
    "picamera2": ("capture/libcamera.py",),
    "prometheus_client": ("web/",),
    "pydantic": ("config/", "web/", "client/"),
    "rich": ("top/", "cli/top.py"),
    "segno": ("qr.py",),
    "simplejpeg": ("jpeg.py",),
    "skimage": ("capture/",),
    "starlette": ("web/",),
    "tensorly": ("compress/",),
    "tflite_runtime": ("engine/litert.py",),
    "tomllib": ("config/", "cli/options.py", "compress/recipe.py"),
    "torch": ("compress/",),
    "torch_pruning": ("compress/",),
    "torchvision": ("compress/onnx_net.py",),
    "uvicorn": ("app/",),
    "watchfiles": ("store/arrival/",),
}

# Absent on some machines, so imported when the backend is opened and never before.
OPTIONAL = {"ai_edge_litert", "gpiozero", "libcamera", "picamera2", "skimage", "tflite_runtime"}

# Where our own modules may be imported inside a function: what opens on demand.
OPENS_ON_DEMAND = ("cli/", "app/", "capture/", "engine/", "store/")

LONGEST_FILE = 300
"""Lines that are not blank."""

LONGEST_FUNCTION = 60


@dataclass(frozen=True)
class Import:
    """One imported module, and whether it loads with the importing file."""

    module: str
    at_top: bool
    line: int


@dataclass(frozen=True)
class Module:
    path: Path
    tree: ast.Module

    @property
    def file(self) -> str:
        return self.path.relative_to(PACKAGE).as_posix()

    @property
    def name(self) -> str:
        parts = self.path.relative_to(PACKAGE.parent).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def room(self) -> str:
        return room_of(self.name)

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        inside = {
            node
            for function in self.functions()
            for node in ast.walk(function)
            if isinstance(node, ast.Import | ast.ImportFrom)
        }
        return tuple(
            Import(module, node not in inside, node.lineno)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Import | ast.ImportFrom)
            for module in imported(node)
        )

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node


def imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    """Modules a statement names; ``from package import module`` names the module."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    assert node.level == 0, f"line {node.lineno}: imports are written in full"
    assert node.module is not None
    names = [f"{node.module}.{alias.name}" for alias in node.names]
    return [name if name in module_names() else node.module for name in names]


def room_of(module: str) -> str:
    """``edge_runtime.capture.uri`` lives in ``capture``; the package itself is no room."""
    return module.split(".")[1] if "." in module else ""


@cache
def module_names() -> frozenset[str]:
    names = (path.relative_to(PACKAGE.parent).with_suffix("") for path in sources())
    return frozenset(".".join(name.parts).removesuffix(".__init__") for name in names)


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


@cache
def modules() -> tuple[Module, ...]:
    return tuple(Module(path, ast.parse(path.read_text())) for path in sources())


def row(room: str) -> int:
    return next(number for number, rooms in enumerate(ROWS) if room in rooms)


def is_ours(module: str) -> bool:
    return module == "edge_runtime" or module.startswith("edge_runtime.")


def rooms_in_folder() -> set[str]:
    return {module.room for module in modules()} - {"", "__main__"}


def test_every_room_has_its_place_in_the_table() -> None:
    assert rooms_in_folder() == {room for rooms in ROWS for room in rooms}


def test_rooms_import_downwards_only() -> None:
    wrong = [
        f"{module.file}:{found.line} imports {found.module}"
        for module in modules()
        if module.room not in ("", "__main__")
        for found in module.imports
        if is_ours(found.module) and room_of(found.module) not in ("", module.room)
        if row(room_of(found.module)) <= row(module.room)
    ]
    assert wrong == []


def test_only_those_who_build_rooms_see_the_config() -> None:
    wrong = [
        f"{module.file}:{found.line}"
        for module in modules()
        if module.room not in SEES_CONFIG
        for found in module.imports
        if is_ours(found.module) and room_of(found.module) == "config"
    ]
    assert wrong == []


@pytest.mark.parametrize("library", sorted(OWNERS))
def test_a_library_is_imported_by_its_owner_only(library: str) -> None:
    wrong = [
        f"{module.file}:{found.line}"
        for module in modules()
        if not module.file.startswith(OWNERS[library])
        for found in module.imports
        if found.module.split(".")[0] == library
    ]
    assert wrong == []


def test_optional_libraries_load_when_a_backend_is_opened() -> None:
    wrong = [
        f"{module.file}:{found.line} imports {found.module}"
        for module in modules()
        if module.room != "compress"
        for found in module.imports
        if found.at_top and found.module.split(".")[0] in OPTIONAL
    ]
    assert wrong == []


def test_nothing_else_hides_its_imports_in_functions() -> None:
    wrong = [
        f"{module.file}:{found.line} imports {found.module}"
        for module in modules()
        if not module.file.startswith(OPENS_ON_DEMAND)
        for found in module.imports
        if not found.at_top and found.module.split(".")[0] not in OWNERS
    ]
    assert wrong == []


def test_no_module_waits_for_itself_to_load() -> None:
    loads = {
        module.name: {found.module for found in module.imports if found.at_top}
        & module_names() - {module.name}
        for module in modules()
    }
    # Peel off what depends on nothing that is left; a remainder that never shrinks is a cycle.
    while ready := {name for name, needed in loads.items() if not needed & loads.keys()}:
        loads = {name: needed for name, needed in loads.items() if name not in ready}
    assert loads == {}


def test_files_fit_on_a_few_screens() -> None:
    lengths = {
        module.file: sum(bool(line.strip()) for line in module.path.read_text().splitlines())
        for module in modules()
    }
    assert {file: length for file, length in lengths.items() if length > LONGEST_FILE} == {}


def test_functions_fit_on_a_screen() -> None:
    long = [
        f"{module.file}:{function.lineno} {function.name}"
        for module in modules()
        for function in module.functions()
        if (function.end_lineno or 0) - function.lineno + 1 > LONGEST_FUNCTION
    ]
    assert long == []


def called(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every call and attribute by its dotted name: ``os.environ``, ``print``, ``time.sleep``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield ast.unparse(node), node.lineno
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id, node.lineno


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        # The steps of training are programs of their own and report to whoever runs them.
        ("print", ("cli/", "compress/")),
        # Besides the command line: set before a library loads, to quieten it, never read.
        (
            "os.environ",
            (
                "cli/",
                "journal.py",
                "capture/libcamera.py",
                "capture/video.py",
                "compress/keras_file.py",
            ),
        ),
        ("os.getenv", ()),
        ("threading.Thread", ("service/worker.py",)),
        ("Thread", ("service/worker.py",)),
        ("sys.exit", ("cli/", "__main__.py")),
        ("os._exit", ("cli/leaving.py",)),
    ],
)
def test_what_only_some_places_may_do(name: str, allowed: tuple[str, ...]) -> None:
    wrong = [
        f"{module.file}:{line}"
        for module in modules()
        if not module.file.startswith(allowed)
        for found, line in called(module.tree)
        if found == name
    ]
    assert wrong == []


def test_no_error_is_swallowed() -> None:
    wrong = [
        f"{module.file}:{node.lineno}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler)
        if node.type is None or all(isinstance(line, ast.Pass) for line in node.body)
    ]
    assert wrong == []


@pytest.mark.parametrize("module", ["edge_runtime", "edge_runtime.cli.main"])
def test_importing_is_cheap(module: str) -> None:
    heavy = {"numpy", "pydantic", *OWNERS} - {"click", "tomllib"}
    script = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=PACKAGE.parent,
        timeout=30,
    )
    assert heavy & {name.split(".")[0] for name in done.stdout.split()} == set()


def test_the_rows_are_those_of_the_drawing() -> None:
    prose = (PACKAGE.parent / "docs" / "architecture.md").read_text()
    table = prose.partition("## Who may import whom")[2].split("```")[1]
    assert tuple(tuple(line.split()) for line in table.strip().splitlines()) == ROWS


def test_every_room_is_in_the_picture() -> None:
    picture = (PACKAGE.parent / "docs" / "images" / "architecture.svg").read_text()
    runtime = {room for rooms in ROWS[ROWS.index(("app",)) :] for room in rooms}
    assert {room for room in runtime if room not in picture} == set()


def test_no_setting_is_without_effect() -> None:
    # Besides those who see the config, the class itself: it makes cameras of ``source.uri``.
    readers = [m for m in modules() if m.room != "config" or m.file == "config/config.py"]
    text = "\n".join(m.path.read_text() for m in readers)
    assert [key for key in KEYS if not re.search(rf"\.{re.escape(key)}\b", text)] == []
