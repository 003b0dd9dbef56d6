"""The Engine contract and how to open one: a model, run again and again in its own memory."""

from __future__ import annotations

import time
from abc import abstractmethod
from pathlib import Path
from typing import Final, Literal, get_args

from edge_runtime.closeable import Closeable
from edge_runtime.engine.schema import read_graph
from edge_runtime.engine.tensor import Array, Tensor
from edge_runtime.errors import ConfigError, ModelMissing, ModelRejected
from edge_runtime.types import Clock

__all__ = ["Backend", "Engine", "Tensor", "open_content", "open_engine"]

Backend = Literal["auto", "litert", "tflite_runtime", "fake"]
BACKENDS: Final[tuple[str, ...]] = get_args(Backend)


class Engine(Closeable):
    """A model that is ready to run. Not for several threads at once; close it when done.

    ``input`` and ``output`` return views of the interpreter's own memory, fetched anew each time:
    the interpreter may move its buffers while it runs. So a view must not be kept over ``invoke``,
    which raises RuntimeError when one still is. After ``close`` every call raises RuntimeError.
    """

    backend: str
    """``litert``, ``tflite_runtime`` or ``fake``."""
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    invoke_s: float = 0.0
    """Seconds the last ``invoke`` took."""

    @abstractmethod
    def input(self, index: int = 0) -> Array:
        """Memory of an input, to be written into; shape and dtype as in ``inputs[index]``."""

    @abstractmethod
    def invoke(self) -> None:
        """Run the model once. ModelRejected when the interpreter fails."""

    @abstractmethod
    def output(self, index: int = 0) -> Array:
        """Memory of an output, to be read before the next ``invoke``."""

    @abstractmethod
    def close(self) -> None:
        """Free the interpreter; closing twice is harmless."""


def open_engine(
    path: str | Path,
    *,
    threads: int = 1,
    backend: str = "auto",
    xnnpack: bool = True,
    clock: Clock = time.perf_counter,
) -> Engine:
    """Read, check and load a .tflite file: ModelMissing, or as ``open_content``."""
    return open_content(
        read_model_file(Path(path)),
        name=str(path),
        threads=threads,
        backend=backend,
        xnnpack=xnnpack,
        clock=clock,
    )


def open_content(
    content: bytes,
    *,
    name: str,
    threads: int = 1,
    backend: str = "auto",
    xnnpack: bool = True,
    clock: Clock = time.perf_counter,
) -> Engine:
    """Check and load a .tflite that was read already; ``name`` is what errors call it.

    The bytes that were checked are the bytes that run: the file may be replaced meanwhile. ``fake``
    runs no arithmetic; it answers with numbers of the file's own shapes and dtypes. Without
    ``xnnpack`` the interpreter's own kernels do what XNNPACK's would.

    Raises ModelRejected, LibraryMissing, or ConfigError for an unknown backend.
    """
    if backend not in BACKENDS:
        raise ConfigError(f"backend {backend!r} is unknown; expected one of {', '.join(BACKENDS)}")
    if threads < 1:
        raise ConfigError(f"threads is {threads}, expected 1 or more")
    graph = read_graph(content, name)
    if backend == "fake":
        from edge_runtime.engine.fake import FakeEngine

        return FakeEngine(*graph.interface(), clock=clock)
    from edge_runtime.engine.litert import LitertEngine, load_library

    return LitertEngine(
        content,
        name=name,
        library=load_library(backend),
        threads=threads,
        xnnpack=xnnpack,
        clock=clock,
    )


def read_model_file(path: Path) -> bytes:
    """All bytes of a model file. Raises ModelMissing, or ModelRejected when it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ModelMissing(f"there is no model file {path}") from None
    except OSError as error:
        raise ModelRejected(f"{path} cannot be read: {error.strerror}") from None
