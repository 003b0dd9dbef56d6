from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge_runtime.classify import Activation, Classifier, sigmoid, softmax
from edge_runtime.engine.engine import Engine, open_engine
from edge_runtime.engine.fake import FakeEngine
from edge_runtime.engine.litert import available_backends
from edge_runtime.engine.tensor import Tensor, quantize
from edge_runtime.errors import ModelRejected
from edge_runtime.types import Box, Crop, CropSpec
from tests.engine.tiny_tflite import MODELS

GREY = CropSpec(8, 8, 1, 0.25, True)


@dataclass(frozen=True)
class Scaling:
    scale: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True)
class Description:
    """What a Classifier needs of a manifest."""

    labels: tuple[str, ...]
    activation: Activation = "logits"
    crop_spec: CropSpec = GREY
    input: Scaling = field(default_factory=Scaling)
    name: str = "mood"


LUMA = Tensor("image", (1, 8, 8, 1), np.dtype(np.int8), 1.0, -128)


def floats(count: int) -> Tensor:
    return Tensor("scores", (1, count), np.dtype(np.float32))


def answering(
    values: Sequence[float], output: Tensor | None = None, picture: Tensor = LUMA
) -> Engine:
    output = output or floats(len(values))
    stored = quantize(np.reshape(values, output.shape), output)
    return FakeEngine.constant([picture], [output], [stored])


def crop(track: int = 1, seed: int = 0, shape: tuple[int, ...] = (8, 8)) -> Crop:
    pixels = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    return Crop(track, Box(0, 0, 8, 8), pixels)


def scores(engine: Engine, description: Description) -> dict[str, float]:
    (result,) = Classifier(engine, description).classify([crop()])
    return dict(result.scores)


def test_softmax_output_is_taken_as_it_is() -> None:
    said = scores(answering([0.2, 0.8]), Description(("neutral", "smile"), "softmax"))
    assert said == {"neutral": pytest.approx(0.2), "smile": pytest.approx(0.8)}


def test_logits_become_probabilities_that_sum_to_one() -> None:
    said = scores(answering([1.0, 2.0, 3.0]), Description(("a", "b", "c")))
    powers = np.exp([1.0, 2.0, 3.0])
    assert list(said.values()) == pytest.approx(list(powers / powers.sum()))


def test_sigmoid_labels_stand_for_themselves() -> None:
    said = scores(answering([0.9, 0.8, 0.1]), Description(("glasses", "beard", "hat"), "sigmoid"))
    assert said == pytest.approx({"glasses": 0.9, "beard": 0.8, "hat": 0.1})


@pytest.mark.parametrize(
    ("value", "activation", "expected"), [(0.3, "sigmoid", 0.3), (0.0, "logits", 0.5)]
)
def test_one_number_speaks_for_the_second_of_two_labels(
    value: float, activation: Activation, expected: float
) -> None:
    said = scores(answering([value]), Description(("neutral", "smile"), activation))
    assert said == {"neutral": pytest.approx(1 - expected), "smile": pytest.approx(expected)}


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16"])
def test_quantized_outputs_are_scaled(dtype: str) -> None:
    zero_point = int(np.iinfo(dtype).min) if dtype == "int8" else 0
    scale = 1 / 32768 if dtype == "int16" else 1 / 256
    output = Tensor("scores", (1, 2), np.dtype(dtype), scale, zero_point)
    said = scores(answering([0.25, 0.75], output), Description(("a", "b"), "softmax"))
    assert said == pytest.approx({"a": 0.25, "b": 0.75}, abs=0.004)


def test_outputs_may_keep_their_picture_dimensions() -> None:
    output = Tensor("scores", (1, 1, 1, 2), np.dtype(np.float32))
    said = scores(answering([0.4, 0.6], output), Description(("a", "b"), "softmax"))
    assert said == pytest.approx({"a": 0.4, "b": 0.6})


def test_results_keep_order_track_and_model() -> None:
    classifier = Classifier(answering([0.1, 0.9]), Description(("a", "b"), "softmax"))
    results = classifier.classify([crop(7), crop(3), crop(5)])
    assert [(result.track, result.model) for result in results] == [
        (7, "mood"),
        (3, "mood"),
        (5, "mood"),
    ]
    assert results[0].label == "b"


def test_no_crops_no_runs() -> None:
    engine = answering([0.1, 0.9])
    assert Classifier(engine, Description(("a", "b"), "softmax")).classify([]) == ()
    assert engine.invoke_s == 0.0


def test_each_crop_gets_its_own_answer() -> None:
    def brightness(read: Sequence[npt.NDArray[np.int8]]) -> list[npt.NDArray[np.float64]]:
        share = (read[0].astype(float).mean() + 128) / 255
        return [np.array([[1 - share, share]])]

    engine = FakeEngine([LUMA], [floats(2)], answer=brightness)
    crops = [
        Crop(track, Box(0, 0, 8, 8), np.full((8, 8), level, np.uint8))
        for track, level in enumerate((0, 51, 255))
    ]
    results = Classifier(engine, Description(("dark", "bright"), "softmax")).classify(crops)
    assert [result.scores["bright"] for result in results] == pytest.approx([0, 0.2, 1])


def test_time_inside_and_around_the_interpreter_is_kept_apart() -> None:
    inside, around = itertools.count(step=2), itertools.count(step=50)
    engine = FakeEngine([LUMA], [floats(2)], clock=lambda: float(next(inside)))
    classifier = Classifier(engine, Description(("a", "b")), clock=lambda: float(next(around)))
    classifier.classify([crop(1), crop(2), crop(3)])
    assert (classifier.invoke_s, classifier.classify_s) == (6.0, 50.0)
    classifier.classify([])
    assert (classifier.invoke_s, classifier.classify_s) == (0.0, 50.0)


def test_colour_is_scaled_as_the_manifest_says() -> None:
    seen: list[npt.NDArray[np.float32]] = []

    def look(read: Sequence[npt.NDArray[np.float32]]) -> list[npt.NDArray[np.float64]]:
        seen.append(read[0].copy())
        return [np.array([[0.5, 0.5]])]

    picture = Tensor("image", (1, 8, 8, 3), np.dtype(np.float32))
    description = Description(
        ("a", "b"), "softmax", CropSpec(8, 8, 3, 0, True), Scaling(1 / 127.5, -1.0)
    )
    given_crop = crop(shape=(8, 8, 3))
    Classifier(FakeEngine([picture], [floats(2)], answer=look), description).classify([given_crop])
    np.testing.assert_allclose(seen[0][0], given_crop.pixels / 127.5 - 1, atol=1e-6)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (Tensor("x", (1, 9, 8, 1), np.dtype(np.int8), 1.0, -128), "int8 1x9x8x1"),
        (Tensor("x", (1, 8, 8, 3), np.dtype(np.int8), 1.0, -128), "int8 1x8x8x3"),
        (Tensor("x", (64,), np.dtype(np.float32)), "float32 64"),
    ],
)
def test_wrong_input_is_refused_with_got_and_expected(picture: Tensor, message: str) -> None:
    with pytest.raises(ModelRejected, match=rf"{message}.*expected one of shape 1x8x8x1"):
        Classifier(answering([1, 2], picture=picture), Description(("a", "b")))


def test_wrong_number_of_outputs_is_refused_with_the_labels() -> None:
    with pytest.raises(ModelRejected, match=r"float32 1x2; expected .* 1x3.* 3 labels \(a, b, c\)"):
        Classifier(answering([1, 2]), Description(("a", "b", "c")))


def test_several_inputs_are_refused() -> None:
    engine = FakeEngine([LUMA, LUMA], [floats(2)])
    with pytest.raises(ModelRejected, match="does not fit its manifest: its input is"):
        Classifier(engine, Description(("a", "b")))


def test_logits_declared_as_probabilities_are_refused_by_their_range() -> None:
    output = Tensor("scores", (1, 2), np.dtype(np.int8), 0.1, 0)
    with pytest.raises(ModelRejected, match=r"holds -12\.8 to 12\.7: set activation to 'logits'"):
        Classifier(answering([0, 0], output), Description(("a", "b"), "softmax"))


def test_float_logits_declared_as_probabilities_are_refused_when_seen() -> None:
    classifier = Classifier(answering([-3.0, 4.0]), Description(("a", "b"), "softmax"))
    with pytest.raises(ModelRejected, match="set activation to 'logits'"):
        classifier.classify([crop()])


def test_crop_of_another_size_is_refused() -> None:
    classifier = Classifier(answering([0, 1]), Description(("a", "b")))
    with pytest.raises(ValueError, match=r"mood takes crops of \(8, 8\) pixels, got \(8, 9\)"):
        classifier.classify([crop(shape=(8, 9))])


def test_bytes_that_a_range_cannot_hold_are_refused() -> None:
    picture = Tensor("image", (1, 8, 8, 1), np.dtype(np.int8), 1 / 255, -128)
    with pytest.raises(ModelRejected, match=r"set input\.scale"):
        Classifier(answering([0, 1], picture=picture), Description(("a", "b")))


@given(arrays(np.float32, (3, 4), elements=st.floats(-1e4, 1e4, width=32)))
def test_softmax_is_a_distribution_for_any_logits(values: npt.NDArray[np.float32]) -> None:
    said = softmax(values)
    assert np.isfinite(said).all()
    np.testing.assert_allclose(said.sum(axis=1), 1, rtol=1e-5)
    likeliest = values.argmax(axis=1)
    assert (said[np.arange(3), likeliest] == said.max(axis=1)).all()


@given(arrays(np.float32, 5, elements=st.floats(-1e4, 1e4, width=32)))
def test_sigmoid_stays_between_zero_and_one(values: npt.NDArray[np.float32]) -> None:
    said = sigmoid(values)
    assert ((said >= 0) & (said <= 1)).all()
    np.testing.assert_allclose(said + sigmoid(-values), 1, atol=1e-6)


REAL = [
    ("int8_softmax", Description(("a", "b"), "softmax")),
    ("int8_logits", Description(("a", "b", "c"))),
    ("int8_sigmoid", Description(("a", "b"), "sigmoid", input=Scaling(1 / 255))),
    ("uint8_to_float", Description(("a", "b", "c"))),
    (
        "float_rgb_softmax",
        Description(("a", "b"), "softmax", CropSpec(8, 8, 3, 0, True), Scaling(1 / 255)),
    ),
    ("float_logits", Description(("a", "b", "c"), input=Scaling(1 / 255))),
]


@pytest.mark.skipif(not available_backends(), reason="no interpreter is installed")
@pytest.mark.parametrize(("name", "description"), REAL, ids=[name for name, _ in REAL])
def test_real_models_of_every_type(name: str, description: Description) -> None:
    shape = (8, 8) if description.crop_spec.channels == 1 else (8, 8, 3)
    with open_engine(MODELS / f"{name}.tflite") as engine:
        classifier = Classifier(engine, description)
        results = classifier.classify([crop(seed=seed, shape=shape) for seed in range(4)])
    assert len({tuple(result.scores.values()) for result in results}) > 1
    for result in results:
        assert tuple(result.scores) == description.labels
        assert sum(result.scores.values()) == pytest.approx(1, abs=0.01)


@pytest.mark.skipif(not available_backends(), reason="no interpreter is installed")
def test_one_net_says_the_same_in_int8_and_in_float() -> None:
    crops = [crop(seed=seed) for seed in range(8)]
    said = []
    for name, scale in (("float_logits", 1 / 255), ("int8_logits", 1.0), ("uint8_to_float", 1.0)):
        with open_engine(MODELS / f"{name}.tflite") as engine:
            results = Classifier(
                engine, Description(("a", "b", "c"), input=Scaling(scale))
            ).classify(crops)
            said.append([list(result.scores.values()) for result in results])
    np.testing.assert_allclose(said[0], said[1], atol=0.03)
    np.testing.assert_allclose(said[1], said[2], atol=0.001)
