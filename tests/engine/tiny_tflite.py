"""Write the few tiny .tflite files the tests run on, without TensorFlow.

Remake them with ``python -m tests.engine.tiny_tflite`` where ai-edge-litert is installed; the
results lie in ``tests/engine/models`` so that the tests also run where it is not. Weights come from
a seeded generator, so a remade file is the same file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

MODELS = Path(__file__).parent / "models"

Array = npt.NDArray[Any]


@dataclass
class Writer:
    """Collects tensors and operators of one subgraph, then packs them into a flatbuffer."""

    schema: Any
    tensors: list[Any] = field(default_factory=list)
    buffers: list[Any] = field(default_factory=list)
    operators: list[Any] = field(default_factory=list)
    codes: list[tuple[int, str]] = field(default_factory=list)
    """Builtin code and, for operators from elsewhere, their name."""

    def __post_init__(self) -> None:
        self.buffers.append(self.schema.BufferT())  # the schema keeps buffer 0 empty

    def tensor(
        self,
        name: str,
        shape: Sequence[int],
        kind: str,
        data: Array | None = None,
        scale: float | Sequence[float] | Array | None = None,
        zero_point: int = 0,
    ) -> int:
        """Add a tensor (a constant when it has ``data``); several scales go along axis 0."""
        made = self.schema.TensorT()
        made.name, made.shape = name.encode(), list(shape)
        made.type = getattr(self.schema.TensorType, kind)
        made.buffer = 0 if data is None else self._buffer(data)
        if scale is not None:
            scales = np.atleast_1d(np.asarray(scale, np.float32))
            made.quantization = self.schema.QuantizationParametersT()
            made.quantization.scale = scales
            made.quantization.zeroPoint = np.full(scales.size, zero_point, np.int64)
        self.tensors.append(made)
        return len(self.tensors) - 1

    def _buffer(self, data: Array) -> int:
        made = self.schema.BufferT()
        made.data = np.ascontiguousarray(data).tobytes()
        made.Pack = lambda builder: packed_buffer(self.schema, builder, made.data)
        self.buffers.append(made)
        return len(self.buffers) - 1

    def operator(
        self, name: str, inputs: Sequence[int], output: int, options: Any | None = None
    ) -> int:
        """Add an operator; returns its output tensor."""
        made = self._add((getattr(self.schema.BuiltinOperator, name), ""), inputs, [output])
        if options is not None:
            kind = type(options).__name__.removesuffix("T")
            made.builtinOptionsType = getattr(self.schema.BuiltinOptions, kind)
            made.builtinOptions = options
        return output

    def custom(
        self, name: str, inputs: Sequence[int], outputs: Sequence[int], options: bytes
    ) -> None:
        """Add an operator from elsewhere with its options as a flexbuffer."""
        made = self._add((self.schema.BuiltinOperator.CUSTOM, name), inputs, outputs)
        made.customOptions = list(options)

    def _add(self, code: tuple[int, str], inputs: Sequence[int], outputs: Sequence[int]) -> Any:
        if code not in self.codes:
            self.codes.append(code)
        made = self.schema.OperatorT()
        made.opcodeIndex = self.codes.index(code)
        made.inputs, made.outputs = list(inputs), list(outputs)
        self.operators.append(made)
        return made

    def pack(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """The file's bytes."""
        import flatbuffers  # type: ignore[import-untyped]

        graph = self.schema.SubGraphT()
        graph.tensors, graph.operators = self.tensors, self.operators
        graph.inputs, graph.outputs = list(inputs), list(outputs)
        model = self.schema.ModelT()
        model.version, model.subgraphs, model.buffers = 3, [graph], self.buffers
        model.operatorCodes = [self._code(*code) for code in self.codes]
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def _code(self, code: int, name: str) -> Any:
        made = self.schema.OperatorCodeT()
        made.customCode = name.encode() or None
        made.builtinCode, made.deprecatedBuiltinCode = code, min(code, 127)
        first = name or code == self.schema.BuiltinOperator.RESHAPE
        made.version = 1 if first else 3
        return made


def packed_buffer(schema: Any, builder: Any, data: bytes) -> Any:
    """A Buffer table whose bytes lie 16-aligned, as the schema demands and the packer forgets."""
    builder.StartVector(1, len(data), 16)
    builder.head -= len(data)
    builder.Bytes[builder.head : builder.head + len(data)] = data
    vector = builder.EndVector()
    schema.BufferStart(builder)
    schema.BufferAddData(builder, vector)
    return schema.BufferEnd(builder)


def convolution(schema: Any) -> Any:
    """Options of a 3x3 convolution at stride 2, padded to SAME, with ReLU."""
    made = schema.Conv2DOptionsT()
    made.strideH = made.strideW = 2
    made.padding = schema.Padding.SAME
    made.fusedActivationFunction = schema.ActivationFunctionType.RELU
    made.dilationHFactor = made.dilationWFactor = 1
    return made


def depthwise(schema: Any) -> Any:
    made = schema.DepthwiseConv2DOptionsT()
    made.strideH = made.strideW = made.depthMultiplier = 1
    made.padding = schema.Padding.SAME
    made.dilationHFactor = made.dilationWFactor = 1
    return made


def softmax(schema: Any) -> Any:
    made = schema.SoftmaxOptionsT()
    made.beta = 1.0
    return made


def float_weights(channels: int, labels: int, seed: int = 1) -> dict[str, Array]:
    """Weights shared by the float and the int8 file: conv 3x3 to 4 maps, then dense."""
    random = np.random.default_rng(seed)
    return {
        "conv": random.normal(0, 0.4, (4, 3, 3, channels)).astype(np.float32),
        "conv_bias": random.normal(0, 0.1, 4).astype(np.float32),
        "dense": random.normal(0, 0.2, (labels, 64)).astype(np.float32),
        "dense_bias": random.normal(0, 0.1, labels).astype(np.float32),
    }


def float_head(w: Writer, channels: int, weights: dict[str, Array]) -> tuple[int, int]:
    """An 8x8 float32 input through conv and dense: the input's and the logits' tensor."""
    labels = weights["dense"].shape[0]
    x = w.tensor("image", (1, 8, 8, channels), "FLOAT32")
    kernel = w.tensor("kernel", weights["conv"].shape, "FLOAT32", weights["conv"])
    bias = w.tensor("kernel_bias", (4,), "FLOAT32", weights["conv_bias"])
    maps = w.tensor("maps", (1, 4, 4, 4), "FLOAT32")
    w.operator("CONV_2D", (x, kernel, bias), maps, convolution(w.schema))
    dense = w.tensor("dense", weights["dense"].shape, "FLOAT32", weights["dense"])
    dense_bias = w.tensor("dense_bias", (labels,), "FLOAT32", weights["dense_bias"])
    logits = w.tensor("logits", (1, labels), "FLOAT32")
    w.operator(
        "FULLY_CONNECTED", (maps, dense, dense_bias), logits, w.schema.FullyConnectedOptionsT()
    )
    return x, logits


def float_logits(schema: Any) -> bytes:
    """float32 in, three float32 logits out."""
    w = Writer(schema)
    x, logits = float_head(w, 1, float_weights(1, 3))
    return w.pack([x], [logits])


def float_rgb_softmax(schema: Any) -> bytes:
    """float32 colour in, two probabilities out."""
    w = Writer(schema)
    x, logits = float_head(w, 3, float_weights(3, 2))
    probabilities = w.tensor("probabilities", (1, 2), "FLOAT32")
    w.operator("SOFTMAX", (logits,), probabilities, softmax(schema))
    return w.pack([x], [probabilities])


def quantized(values: Array, axis: int | None) -> tuple[Array, Array]:
    """Symmetric int8 weights and their scales (one, or one for each slice of axis 0)."""
    others = tuple(range(1, values.ndim)) if axis == 0 else None
    scale = np.maximum(np.abs(values).max(axis=others), 1e-6) / 127
    spread = scale.reshape(-1, *[1] * (values.ndim - 1)) if axis == 0 else scale
    return np.round(values / spread).astype(np.int8), np.atleast_1d(scale)


def int8_head(w: Writer, labels: int, scale: float = 1.0) -> tuple[int, int]:
    """An 8x8 int8 input (real = byte * ``scale``) through per-channel conv and dense to logits."""
    weights = float_weights(1, labels)
    weights["conv"] *= 1 / (255 * scale)
    x = w.tensor("image", (1, 8, 8, 1), "INT8", scale=scale, zero_point=-128)
    kernel, kernel_scale = quantized(weights["conv"], axis=0)
    k = w.tensor("kernel", kernel.shape, "INT8", kernel, kernel_scale)
    b = w.tensor(
        "kernel_bias",
        (4,),
        "INT32",
        np.round(weights["conv_bias"] / (scale * kernel_scale)).astype(np.int32),
        scale * kernel_scale,
    )
    maps_scale = 0.012
    maps = w.tensor("maps", (1, 4, 4, 4), "INT8", scale=maps_scale, zero_point=-128)
    w.operator("CONV_2D", (x, k, b), maps, convolution(w.schema))
    dense, dense_scale = quantized(weights["dense"], axis=None)
    d = w.tensor("dense", dense.shape, "INT8", dense, dense_scale)
    bias_scale = maps_scale * dense_scale
    db = w.tensor(
        "dense_bias",
        (labels,),
        "INT32",
        np.round(weights["dense_bias"] / bias_scale).astype(np.int32),
        bias_scale,
    )
    logits = w.tensor("logits", (1, labels), "INT8", scale=0.04, zero_point=3)
    w.operator("FULLY_CONNECTED", (maps, d, db), logits, w.schema.FullyConnectedOptionsT())
    return x, logits


def int8_logits(schema: Any) -> bytes:
    """int8 in (scale 1, zero point -128: a raw byte with its top bit flipped), int8 logits out."""
    w = Writer(schema)
    x, logits = int8_head(w, 3)
    return w.pack([x], [logits])


def int8_softmax(schema: Any) -> bytes:
    """int8 in, int8 probabilities out (scale 1/256, zero point -128)."""
    w = Writer(schema)
    x, logits = int8_head(w, 2)
    out = w.tensor("probabilities", (1, 2), "INT8", scale=1 / 256, zero_point=-128)
    w.operator("SOFTMAX", (logits,), out, softmax(schema))
    return w.pack([x], [out])


def int8_sigmoid(schema: Any) -> bytes:
    """int8 in with scale 1/255, one int8 probability out."""
    w = Writer(schema)
    x, logits = int8_head(w, 1, scale=1 / 255)
    out = w.tensor("probability", (1, 1), "INT8", scale=1 / 256, zero_point=-128)
    w.operator("LOGISTIC", (logits,), out)
    return w.pack([x], [out])


def uint8_to_float(schema: Any) -> bytes:
    """uint8 in, re-quantized to int8 inside, float32 logits out."""
    w = Writer(schema)
    outside = w.tensor("bytes", (1, 8, 8, 1), "UINT8", scale=1.0, zero_point=0)
    x, logits = int8_head(w, 3)
    out = w.tensor("scores", (1, 3), "FLOAT32")
    w.operator("DEQUANTIZE", (logits,), out)
    w.operator("QUANTIZE", (outside,), x, schema.QuantizeOptionsT())
    w.operators.insert(0, w.operators.pop())  # operators run in file order: QUANTIZE comes first
    return w.pack([outside], [out])


def two_outputs(schema: Any) -> bytes:
    """int8 in; a depthwise and a pointwise map out, as a detector's heads."""
    w = Writer(schema)
    random = np.random.default_rng(2)
    x = w.tensor("image", (1, 8, 8, 1), "INT8", scale=1.0, zero_point=-128)
    kernel = random.integers(-127, 128, (1, 3, 3, 1), np.int8)
    k = w.tensor("kernel", kernel.shape, "INT8", kernel, [0.001])
    b = w.tensor("bias", (1,), "INT32", np.zeros(1, np.int32), [0.001])
    scores = w.tensor("scores", (1, 8, 8, 1), "INT8", scale=1.5, zero_point=0)
    w.operator("DEPTHWISE_CONV_2D", (x, k, b), scores, depthwise(schema))
    spread = random.integers(-127, 128, (4, 3, 3, 1), np.int8)
    s = w.tensor("spread", spread.shape, "INT8", spread, [0.001, 0.002, 0.001, 0.002])
    sb = w.tensor("spread_bias", (4,), "INT32", np.zeros(4, np.int32), [0.001, 0.002, 0.001, 0.002])
    sizes = w.tensor("sizes", (1, 4, 4, 4), "INT8", scale=2.0, zero_point=-128)
    w.operator("CONV_2D", (scores, s, sb), sizes, convolution(schema))
    return w.pack([x], [scores, sizes])


def ssd_postprocess(schema: Any) -> bytes:
    """float32 colour in; scores, boxes, count and classes of ten things out, TensorFlow 2's order.

    16 anchors, the cells of a 4x4 grid, and two classes.
    """
    w = Writer(schema)
    random = np.random.default_rng(3)
    x = w.tensor("image", (1, 8, 8, 3), "FLOAT32")
    coded = [ssd_branch(w, x, name, random) for name in ("boxes", "scores")]
    centres = (np.indices((4, 4)).reshape(2, 16).T + 0.5) / 4
    anchors = np.concatenate([centres, np.full((16, 2), 0.25)], axis=1).astype(np.float32)
    sure = w.operator("LOGISTIC", coded[1:], w.tensor("sure", (1, 16, 3), "FLOAT32"))
    shapes = {"boxes": (1, 10, 4), "classes": (1, 10), "scores": (1, 10), "count": (1,)}
    out = {name: w.tensor(f"found_{name}", shape, "FLOAT32") for name, shape in shapes.items()}
    a = w.tensor("anchors", anchors.shape, "FLOAT32", anchors)
    inputs = (coded[0], sure, a)
    w.custom("TFLite_Detection_PostProcess", inputs, list(out.values()), ssd_options())
    return w.pack([x], [out[name] for name in ("scores", "boxes", "count", "classes")])


def ssd_branch(w: Writer, x: int, name: str, random: np.random.Generator) -> int:
    """A 3x3 convolution at stride 2, its 4x4 cells in a row: (1, 16, 4) boxes or 3 scores."""
    numbers = 4 if name == "boxes" else 3
    weights = random.normal(0, 0.2, (numbers, 3, 3, 3)).astype(np.float32)
    kernel = w.tensor(f"{name}_kernel", weights.shape, "FLOAT32", weights)
    zeros = np.zeros(numbers, np.float32)
    bias = w.tensor(f"{name}_bias", (numbers,), "FLOAT32", zeros)
    maps = w.tensor(f"{name}_maps", (1, 4, 4, numbers), "FLOAT32")
    w.operator("CONV_2D", (x, kernel, bias), maps, convolution(w.schema))
    row = np.array([1, 16, numbers], np.int32)
    shape = w.tensor(f"{name}_shape", (3,), "INT32", row)
    return w.operator("RESHAPE", (maps, shape), w.tensor(name, (1, 16, numbers), "FLOAT32"))


def ssd_options() -> bytes:
    """As tensorflow/lite/kernels/detection_postprocess.cc reads them."""
    from flatbuffers import flexbuffers

    builder = flexbuffers.Builder()
    with builder.Map():
        for key, whole in {
            "max_detections": 10,
            "max_classes_per_detection": 1,
            "num_classes": 2,
        }.items():
            builder.Key(key)
            builder.Int(whole)
        for key, real in {
            "nms_score_threshold": 0.1,
            "nms_iou_threshold": 0.5,
            "y_scale": 10.0,
            "x_scale": 10.0,
            "h_scale": 5.0,
            "w_scale": 5.0,
        }.items():
            builder.Key(key)
            builder.Float(real)
    return bytes(builder.Finish())


MAKERS: dict[str, Callable[[Any], bytes]] = {
    "float_logits": float_logits,
    "float_rgb_softmax": float_rgb_softmax,
    "int8_logits": int8_logits,
    "int8_softmax": int8_softmax,
    "int8_sigmoid": int8_sigmoid,
    "uint8_to_float": uint8_to_float,
    "two_outputs": two_outputs,
    "ssd_postprocess": ssd_postprocess,
}


def made(name: str) -> bytes:
    """The bytes of one model, made now (needs ai-edge-litert)."""
    from ai_edge_litert import schema_py_generated

    return MAKERS[name](schema_py_generated)


if __name__ == "__main__":
    MODELS.mkdir(exist_ok=True)
    for name in MAKERS:
        (MODELS / f"{name}.tflite").write_bytes(made(name))
