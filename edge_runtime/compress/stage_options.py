"""The keys of every stage of a recipe, with their ranges and defaults."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from edge_runtime.compress.tables import ranged

MOST_EPOCHS = 100_000
ALMOST_ALL = 0.9999


@dataclass(frozen=True, kw_only=True)
class StageOptions:
    """What all stages have."""

    key: ClassVar[str]
    """What ``do`` says."""
    takes_file: ClassVar[bool] = False
    """True for stages that change a .tflite, False for those that change a net."""
    leaves_levels: ClassVar[bool] = False
    """True when later training would spoil what the stage did."""
    spoils_levels: ClassVar[bool] = True
    """True when the stage changes weights."""


@dataclass(frozen=True, kw_only=True)
class TrainingOptions(StageOptions):
    """What all stages have that may train; most do not unless ``epochs`` is given."""

    epochs: int = ranged(0, MOST_EPOCHS, 0)
    rate: float = ranged(0.0, 1e3, 1e-3)
    batch: int = ranged(1, 65536, 128)
    weight_decay: float = ranged(0.0, 10.0, 0.0)
    loss: str | None = None
    """``module:function`` of (inputs, outputs, labels); cross entropy without it."""


@dataclass(frozen=True, kw_only=True)
class Train(TrainingOptions):
    """Learn from the labels. Weights that are zero stay zero."""

    key = "train"
    epochs: int = ranged(1, MOST_EPOCHS)


@dataclass(frozen=True, kw_only=True)
class Call(StageOptions):
    """A training of its own kind, such as a detector's: a function that returns the net."""

    key = "call"
    function: str
    """``module:function`` of (net, data, work, seed, on_progress, **options); see stages.py."""
    options: dict[str, Any] = field(default_factory=dict)
    epochs: int = ranged(1, MOST_EPOCHS, 50)
    """How long it takes beside stages that count epochs; only for the time left."""


@dataclass(frozen=True, kw_only=True)
class Distill(TrainingOptions):
    """Learn from the labels and a teacher's answers."""

    key = "distill"
    epochs: int = ranged(1, MOST_EPOCHS)
    teacher: str
    """``module:factory``, or an ONNX file in the data folder."""
    weights: str | None = None
    """The torch teacher's state_dict, a file in the data folder."""
    temperature: float = ranged(0.1, 100.0, 4.0)
    share: float = ranged(0.0, 1.0, 0.9)
    """The teacher's part of the loss."""
    hints: dict[str, str] = field(default_factory=dict)
    """Own layer to the (torch) teacher's layer it is to resemble."""
    hint_weight: float = ranged(0.0, 1e6, 1.0)


@dataclass(frozen=True, kw_only=True)
class Prune(TrainingOptions):
    """Small weights become zero, gradually when there are epochs."""

    key = "prune"
    sparsity: float = ranged(0.0, ALMOST_ALL)
    scope: Literal["global", "layer", "lamp"] = "global"
    layers: tuple[str, ...] = ("*",)
    ramp: float = ranged(0.01, 1.0, 0.7)
    """Share of the epochs after which the sparsity is reached."""


@dataclass(frozen=True, kw_only=True)
class PrunePattern(TrainingOptions):
    """Of every ``of`` neighbours the ``keep`` largest stay."""

    key = "prune_pattern"
    keep: int = ranged(1, 255, 2)
    of: int = ranged(2, 256, 4)
    layers: tuple[str, ...] = ("*",)


@dataclass(frozen=True, kw_only=True)
class PruneChannels(TrainingOptions):
    """Whole filters go; tensors shrink."""

    key = "prune_channels"
    share: float = ranged(0.001, 0.99)
    keep: tuple[str, ...] = ()
    together: bool = False
    multiple: int = ranged(1, 1024, 1)


@dataclass(frozen=True, kw_only=True)
class LowRank(TrainingOptions):
    """Layers become thin ones: ``energy`` or ``bytes``, else by VBMF."""

    key = "low_rank"
    energy: float | None = ranged(1e-9, 1.0, None)
    bytes: int | None = ranged(1, 1 << 40, None)
    """Of all parameters as float32."""
    layers: tuple[str, ...] = ("*",)


@dataclass(frozen=True, kw_only=True)
class Binarize(TrainingOptions):
    """1-bit weights; the first and last layer keep theirs unless ``layers`` says otherwise."""

    key = "binarize"
    leaves_levels = True
    layers: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Ternarize(TrainingOptions):
    """Weights of three values; layers as in binarize."""

    key = "ternarize"
    leaves_levels = True
    layers: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Share(TrainingOptions):
    """Weights of a layer drawn from 2**bits values; the epochs tune those."""

    key = "share"
    leaves_levels = True
    conv: int = ranged(1, 8, 8)
    linear: int = ranged(1, 8, 5)
    bias: int = ranged(1, 8, 5)


@dataclass(frozen=True, kw_only=True)
class Export(StageOptions):
    """A float32 .tflite."""

    key = "export"
    spoils_levels = False


@dataclass(frozen=True, kw_only=True)
class Quantize(TrainingOptions):
    """A .tflite of lower precision; int8 with epochs is quantization-aware."""

    key = "quantize"
    spoils_levels = False
    to: Literal["float16", "dynamic-int8", "int8", "int4"] = "int8"
    calibration: int = ranged(1, 100_000, 256)
    """Training inputs that are watched for ranges."""
    writer: Literal["auto", "lean", "general"] = "auto"
    """int8: our own writer (fewest bytes, few operators) or the general converter."""
    scales: Literal["channel", "tensor", "measured"] = "channel"
    """Lean writer: a scale for every channel of a weight, one for all, or one where it is harmless;
    chosen before the epochs."""
    tolerance: float = ranged(0.0, 10.0, 0.1)
    """measured: how much larger the answers' error may become, as a share of it."""

    def scales_fit(self, has_file: bool) -> bool:
        """Only the lean writer chooses scales: for int8, and from a net."""
        lean = self.to == "int8" and self.writer != "general" and not has_file
        return lean or self.scales == "channel"


@dataclass(frozen=True, kw_only=True)
class Slim(StageOptions):
    """Names, metadata and repeated buffers leave the file."""

    key = "slim"
    takes_file = True
    spoils_levels = False


@dataclass(frozen=True, kw_only=True)
class Pack(StageOptions):
    """A ``.tflite.edge`` beside the .tflite."""

    key = "pack"
    takes_file = True
    spoils_levels = False


STAGES: dict[str, type[StageOptions]] = {
    each.key: each
    for each in (
        Train,
        Call,
        Distill,
        Prune,
        PrunePattern,
        PruneChannels,
        LowRank,
        Binarize,
        Ternarize,
        Share,
        Export,
        Quantize,
        Slim,
        Pack,
    )
}
WRITERS = (Export, Quantize)
"""The stages that turn a net into a file."""


def epochs_of(stage: StageOptions) -> int:
    """How long a stage learns from the recipe's data."""
    return stage.epochs if isinstance(stage, TrainingOptions) else 0


def work_of(stage: StageOptions) -> int:
    """What a stage costs, in epochs."""
    return stage.epochs if isinstance(stage, Call) else epochs_of(stage)
