"""Run models with Google's interpreter: ``ai_edge_litert``, or its predecessor ``tflite_runtime``.

Both offer the same Python class, so one Engine serves both. XNNPACK, their fast CPU kernels, is on
by default in both. Which one and why: docs/decisions/0001-runtime.md.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any, Final, NamedTuple, NoReturn

import numpy as np

from edge_runtime.engine.chatter import without_greetings
from edge_runtime.engine.engine import Engine
from edge_runtime.engine.tensor import Array, Tensor
from edge_runtime.errors import LibraryMissing, ModelRejected
from edge_runtime.types import Clock

logger = logging.getLogger(__name__)

PACKAGES: Final = {"litert": "ai_edge_litert", "tflite_runtime": "tflite_runtime"}
"""Backend to the package that carries it, in order of preference."""

HOW_TO_INSTALL: Final = (
    "pip install edge-runtime brings ai-edge-litert; on Python 3.11 "
    "pip install 'edge-runtime[tflite-runtime]' brings tflite-runtime and numpy < 2"
)


class Library(NamedTuple):
    """An interpreter library that could be imported."""

    backend: str
    interpreter: Any
    """Its Interpreter class."""
    resolvers: Any = None
    """Its OpResolverType: which kernels an interpreter gets."""


def available_backends() -> tuple[str, ...]:
    """The backends whose package is installed, the preferred one first. Imports none of them."""
    return tuple(backend for backend, package in PACKAGES.items() if find_spec(package))


def load_library(backend: str) -> Library:
    """Import the library of ``backend``; ``auto`` takes the first that can be imported.

    Raises LibraryMissing with what is wrong with each and how to install one.
    """
    problems = []
    for each in PACKAGES if backend == "auto" else (backend,):
        try:
            return _load(each)
        except LibraryMissing as error:
            problems.append(str(error))
    raise LibraryMissing(f"no model can run: {'; '.join(problems)}; {HOW_TO_INSTALL}")


def library_version(backend: str) -> str:
    """The library that ``backend`` means here, such as ``litert 2.3.0``. As ``load_library``."""
    found = load_library(backend).backend
    try:
        return f"{found} {version(PACKAGES[found].replace('_', '-'))}"
    except PackageNotFoundError:
        return f"{found} of unknown version"


def _load(backend: str) -> Library:
    package = PACKAGES[backend]
    if find_spec(package) is None:
        raise LibraryMissing(f"{package} is not installed")
    try:
        _refuse_numpy_2(backend)
        module = importlib.import_module(f"{package}.interpreter")
    except ImportError as error:
        raise LibraryMissing(f"{package} is installed but cannot be imported ({error})") from error
    return Library(backend, module.Interpreter, module.OpResolverType)


def _refuse_numpy_2(backend: str) -> None:
    """tflite-runtime up to 2.14 imports under numpy 2, then dies of a SystemError when used."""
    if backend != "tflite_runtime" or int(np.__version__.partition(".")[0]) < 2:
        return
    version = str(importlib.import_module("tflite_runtime").__version__)
    if _major_minor(version) <= (2, 14):
        raise ImportError(f"tflite-runtime {version} needs numpy < 2, found {np.__version__}")


def _major_minor(version: str) -> tuple[int, int]:
    major, minor, *_ = version.split(".")
    return int(major), int(minor)


class LitertEngine(Engine):
    """One interpreter, built once; views are fetched from it at each call.

    Fetching a view costs about 0.5 µs, less than ``set_tensor`` for the smallest input. One view
    kept at its address would save that, but the interpreter moves its buffers when a graph has
    outputs of changing size, and the address would then be freed memory.
    """

    def __init__(
        self,
        content: bytes,
        *,
        name: str,
        library: Library,
        threads: int,
        xnnpack: bool = True,
        clock: Clock,
    ) -> None:
        self.backend = library.backend
        self._name = name
        self._clock = clock
        interpreter = _interpreter(content, name, library, threads, xnnpack)
        inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
        self.inputs = tuple(_described(each) for each in inputs)
        self.outputs = tuple(_described(each) for each in outputs)
        self._run: Callable[[], object] = interpreter.invoke
        self._inputs = tuple(interpreter.tensor(each["index"]) for each in inputs)
        self._outputs = tuple(interpreter.tensor(each["index"]) for each in outputs)
        kernels = "with XNNPACK" if xnnpack else "without XNNPACK"
        logger.debug("%s runs in %s on %d thread(s), %s", name, library.backend, threads, kernels)

    def input(self, index: int = 0) -> Array:
        view: Array = self._inputs[index]()
        return view

    def invoke(self) -> None:
        began = self._clock()
        try:
            self._run()
        except (RuntimeError, ValueError) as error:
            self._explain(error)
        self.invoke_s = self._clock() - began

    def output(self, index: int = 0) -> Array:
        view: Array = self._outputs[index]()
        return view

    def close(self) -> None:
        # Dropping the last reference frees the interpreter; a view that is still held keeps its
        # memory alive by itself.
        self._run = self._refuse
        self._inputs = (self._refuse,) * len(self.inputs)
        self._outputs = (self._refuse,) * len(self.outputs)

    def _refuse(self) -> NoReturn:
        raise RuntimeError(f"the engine of {self._name} is closed")

    def _explain(self, error: Exception) -> NoReturn:
        if self._run == self._refuse:
            raise error
        if "internal data" in str(error):
            raise RuntimeError(
                f"a view of the memory of {self._name} is still held: drop what input() and "
                "output() returned before calling invoke()"
            ) from None
        raise ModelRejected(f"{self._name} failed while running: {_first_line(error)}") from error


def _interpreter(content: bytes, name: str, library: Library, threads: int, xnnpack: bool) -> Any:
    kernels = {}
    if not xnnpack:  # XNNPACK is the delegate that comes by default
        plain = library.resolvers.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        kernels["experimental_op_resolver_type"] = plain
    try:
        made = library.interpreter(model_content=content, num_threads=threads, **kernels)
        with without_greetings():
            made.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        raise ModelRejected(
            f"{library.backend} cannot load {name}: {_first_line(error)}"
        ) from error
    return made


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _described(details: dict[str, Any]) -> Tensor:
    parameters = details["quantization_parameters"]
    scales = tuple(map(float, parameters["scales"]))
    zero_points = tuple(map(int, parameters["zero_points"]))
    per_channel = len(scales) > 1
    return Tensor(
        name=str(details["name"]),
        shape=tuple(map(int, details["shape"])),
        dtype=np.dtype(details["dtype"]),
        scale=None if per_channel or not scales else scales[0],
        zero_point=None if per_channel or not scales else zero_points[0],
        scales=scales if per_channel else (),
        zero_points=zero_points if per_channel else (),
        axis=int(parameters["quantized_dimension"]) if per_channel else 0,
    )
