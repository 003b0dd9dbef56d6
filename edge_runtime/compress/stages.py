"""What every stage of a recipe does: a Work and its options in, a Work out."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from edge_runtime.compress import stage_options as options
from edge_runtime.compress.checkpoint import Work
from edge_runtime.compress.converter import float_tflite
from edge_runtime.compress.distill import Hints, Teacher, soft_loss, torch_teacher
from edge_runtime.compress.examination import net_answers
from edge_runtime.compress.lean_refusal import lean_refusal
from edge_runtime.compress.lean_writer import lean_tflite
from edge_runtime.compress.low_bits import (
    BinaryWeight,
    TernaryWeight,
    settle_low_bits,
    with_low_bits,
)
from edge_runtime.compress.low_rank import by_energy, by_vbmf, low_rank, low_rank_to_bytes
from edge_runtime.compress.onnx_teacher import OnnxTeacher
from edge_runtime.compress.origin import load_weights, named_object
from edge_runtime.compress.pack import pack
from edge_runtime.compress.prune import GradualPruner, KeptZeros, prune, prune_pattern
from edge_runtime.compress.prune_channels import prune_channels
from edge_runtime.compress.qat import quantization_aware, settle_rounding
from edge_runtime.compress.quantize import QuantizedNet
from edge_runtime.compress.samples import Samples
from edge_runtime.compress.share import settle, share
from edge_runtime.compress.slim import slim
from edge_runtime.compress.tflite_quantize import BITS, Inputs, quantize_tflite
from edge_runtime.compress.training import Hook, Keeper, Loss, Schedule, Training, plain_loss
from edge_runtime.compress.weight_scales import ScaleChooser
from edge_runtime.errors import ConfigError, DataMissing, LayerUnsuited
from edge_runtime.types import JsonObject

_CALIBRATION_BATCH = 32


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What stages work with."""

    samples: Samples | None
    example: Tensor
    seed: int
    data: Path | None
    folder: Path
    """The stage's own, kept until it is done."""
    keeper: Keeper
    on_progress: Callable[[float], None]


def run_stage(stage: options.StageOptions, work: Work, desk: Desk) -> Work:
    """Do one stage. The given work is not changed."""
    return _RUN[type(stage)](stage, work, desk)


def _train(stage: options.Train, work: Work, desk: Desk) -> Work:
    return Work(net=_fitted(_net(work), stage, desk))


def _call(stage: options.Call, work: Work, desk: Desk) -> Work:
    """The function may keep what it likes in ``work``, and is called again after a kill."""
    if desk.data is None:
        raise DataMissing(f"stage call of {stage.function} needs data: name its folder with --data")
    made = named_object(stage.function)(
        _net(work),
        data=desk.data,
        work=desk.folder,
        seed=desk.seed,
        on_progress=desk.on_progress,
        **stage.options,
    )
    if not isinstance(made, nn.Module):
        raise ConfigError(f"{stage.function} returned {type(made).__name__}, expected a torch net")
    return Work(net=made)


def _distill(stage: options.Distill, work: Work, desk: Desk) -> Work:
    net, teacher = _net(work), _teacher(stage, desk)
    if not stage.hints:
        return Work(net=_fitted(net, stage, desk, loss=_soft(stage, teacher)))
    if not isinstance(teacher, nn.Module):
        raise LayerUnsuited("hints need a torch teacher: an ONNX file shows only its outputs")
    hints = Hints(net, teacher, stage.hints, desk.example)
    answers = _soft(stage, teacher)  # called first, so that the teacher has seen the batch

    def loss(inputs: Tensor, outputs: Tensor, labels: Tensor) -> Tensor:
        return answers(inputs, outputs, labels) + stage.hint_weight * hints.loss()

    fitted = _fitted(net, stage, desk, loss=loss, also=hints.regressors)
    hints.close()
    return Work(net=fitted)


def _prune(stage: options.Prune, work: Work, desk: Desk) -> Work:
    net = _net(work)
    if not stage.epochs:
        return Work(net=prune(net, stage.sparsity, scope=stage.scope, layers=stage.layers))
    pruner = GradualPruner(
        net, stage.sparsity, scope=stage.scope, layers=stage.layers, ramp=stage.ramp
    )
    return Work(net=_fitted(net, stage, desk, hooks=(KeptZeros(net), pruner)))


def _prune_pattern(stage: options.PrunePattern, work: Work, desk: Desk) -> Work:
    net = prune_pattern(_net(work), keep=stage.keep, of=stage.of, layers=stage.layers)
    return Work(net=_fitted(net, stage, desk))


def _prune_channels(stage: options.PruneChannels, work: Work, desk: Desk) -> Work:
    net = prune_channels(
        _net(work),
        desk.example,
        stage.share,
        keep=stage.keep,
        together=stage.together,
        multiple=stage.multiple,
    )
    return Work(net=_fitted(net, stage, desk))


def _low_rank(stage: options.LowRank, work: Work, desk: Desk) -> Work:
    if stage.bytes is not None:
        thin = low_rank_to_bytes(_net(work), stage.bytes, layers=stage.layers)
    else:
        rule = by_vbmf if stage.energy is None else by_energy(stage.energy)
        thin = low_rank(_net(work), rule, layers=stage.layers)
    return Work(net=_fitted(thin, stage, desk))


def _low_bits(kind: type[nn.Module]) -> Any:
    def run(stage: options.Binarize | options.Ternarize, work: Work, desk: Desk) -> Work:
        rounded = with_low_bits(_net(work), kind, layers=stage.layers)
        # Zeros stay by the rounding's own rule, not by their place.
        return Work(net=settle_low_bits(_fitted(rounded, stage, desk, keep_zeros=False)))

    return run


def _share(stage: options.Share, work: Work, desk: Desk) -> Work:
    shared = share(_net(work), conv=stage.conv, linear=stage.linear, bias=stage.bias)
    return Work(net=settle(_fitted(shared, stage, desk, keep_zeros=False)))


def _export(stage: options.Export, work: Work, desk: Desk) -> Work:
    del stage
    model = work.model or float_tflite(_net(work), desk.example)
    return Work(net=work.net, model=slim(model))


def _quantize(stage: options.Quantize, work: Work, desk: Desk) -> Work:
    if work.model is not None:
        model = quantize_tflite(work.model, stage.to, _calibration(stage, desk))
        return Work(model=model, weight_bits=BITS[stage.to])
    if stage.to != "int8":
        model = quantize_tflite(float_tflite(_net(work), desk.example), stage.to)
        return Work(net=work.net, model=model, weight_bits=BITS[stage.to])
    return _to_int8(stage, work, desk)


def _to_int8(stage: options.Quantize, work: Work, desk: Desk) -> Work:
    watched = _calibration_batches(stage, desk)
    made = quantization_aware(_net(work), watched)
    if _lean(stage, made):
        findings = _choose_scales(stage, made, _net(work), torch.cat(watched))
        _fitted(made, stage, desk)
        model = lean_tflite(made, torch.zeros_like(desk.example))
        return Work(net=work.net, model=model, takes_bytes=True, weight_bits=8, findings=findings)
    _fitted(made, stage, desk)
    net = settle_rounding(made)
    whole = quantize_tflite(float_tflite(net, desk.example), "int8", _calibration(stage, desk))
    return Work(net=work.net, model=whole, weight_bits=8)


def _lean(stage: options.Quantize, made: QuantizedNet) -> bool:
    refusal = lean_refusal(made)
    if refusal and (stage.writer == "lean" or stage.scales != "channel"):
        raise LayerUnsuited(
            f"the lean writer cannot write this net ({refusal}): "
            'use writer = "general" and scales = "channel"'
        )
    return refusal is None and stage.writer != "general"


def _choose_scales(
    stage: options.Quantize, made: QuantizedNet, net: nn.Module, inputs: Tensor
) -> JsonObject:
    """Which layers have one scale for all channels; says what was measured."""
    if stage.scales == "tensor":
        made.use_one_scale()
    if stage.scales != "measured":
        return {}
    chooser = ScaleChooser(made, inputs, net_answers(net.eval(), inputs))
    return {"scales": [each.as_json() for each in chooser.choose(stage.tolerance)]}


def _slim(stage: options.Slim, work: Work, desk: Desk) -> Work:
    del stage, desk
    return replace(work, model=slim(_model(work)), container=None)


def _pack(stage: options.Pack, work: Work, desk: Desk) -> Work:
    del stage, desk
    return replace(work, container=pack(_model(work)))


def _fitted(
    net: Any,
    stage: options.TrainingOptions,
    desk: Desk,
    *,
    loss: Loss | None = None,
    hooks: Sequence[Hook] = (),
    also: nn.Module | None = None,
    keep_zeros: bool = True,
) -> Any:
    """The net after the stage's epochs, if it has any."""
    if not stage.epochs:
        return net
    if desk.samples is None:
        raise DataMissing(f"stage {stage.key} trains, but the recipe has no [data]")
    training = Training(
        net,
        desk.samples,
        Schedule(stage.epochs, stage.rate, stage.batch, stage.weight_decay, desk.seed),
        loss=loss or (plain_loss if stage.loss is None else named_object(stage.loss)),
        hooks=hooks or ((KeptZeros(net),) if keep_zeros else ()),
        also=also,
    )
    training.run(desk.keeper, desk.on_progress)
    return net


def _soft(stage: options.Distill, teacher: Teacher) -> Loss:
    def loss(inputs: Tensor, outputs: Tensor, labels: Tensor) -> Tensor:
        with torch.no_grad():
            answers = teacher(inputs)
        return soft_loss(outputs, answers, labels, temperature=stage.temperature, share=stage.share)

    return loss


def _teacher(stage: options.Distill, desk: Desk) -> Teacher:
    folder = desk.data or Path()
    if stage.teacher.endswith(".onnx"):
        return OnnxTeacher(folder / stage.teacher)
    net = named_object(stage.teacher)()
    if stage.weights is None:
        raise DataMissing(f"teacher {stage.teacher} needs weights, a state_dict in the data folder")
    load_weights(net, folder / stage.weights)
    return torch_teacher(net)


def _calibration_batches(stage: options.Quantize, desk: Desk) -> list[Tensor]:
    if desk.samples is None:
        raise DataMissing("static int8 needs inputs to calibrate with: give the recipe [data]")
    size = min(_CALIBRATION_BATCH, stage.calibration)
    batches = desk.samples.batches(size, desk.seed)
    count = max(1, stage.calibration // size)
    return [inputs for (inputs, _), _ in zip(batches, range(count), strict=False)]


def _calibration(stage: options.Quantize, desk: Desk) -> list[Inputs]:
    """Single inputs as the file takes them: pictures with channels last."""
    if stage.to != "int8":
        return []
    singles = [x for batch in _calibration_batches(stage, desk) for x in batch.split(1)]
    return [(x.permute(0, 2, 3, 1) if x.dim() == 4 else x).numpy() for x in singles]


def _net(work: Work) -> nn.Module:
    """A copy, so that an error leaves the earlier stage's net alone."""
    if work.net is None:
        raise LayerUnsuited("there is no torch net at this stage, only a .tflite")
    return copy.deepcopy(work.net)


def _model(work: Work) -> bytes:
    if work.model is None:
        raise LayerUnsuited("there is no .tflite at this stage")
    return work.model


_RUN: dict[type[options.StageOptions], Callable[[Any, Work, Desk], Work]] = {
    options.Train: _train,
    options.Call: _call,
    options.Distill: _distill,
    options.Prune: _prune,
    options.PrunePattern: _prune_pattern,
    options.PruneChannels: _prune_channels,
    options.LowRank: _low_rank,
    options.Binarize: _low_bits(BinaryWeight),
    options.Ternarize: _low_bits(TernaryWeight),
    options.Share: _share,
    options.Export: _export,
    options.Quantize: _quantize,
    options.Slim: _slim,
    options.Pack: _pack,
}
