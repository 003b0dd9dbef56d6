"""Faces with labels as a recipe sees them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from edge_runtime.compress import mask_portraits, smile_portraits  # noqa: E402
from edge_runtime.compress.crop_samples import (  # noqa: E402
    UNKNOWN,
    CropSamples,
    Group,
    Portrait,
    draw,
)
from edge_runtime.compress.photos import Photo, photo_of  # noqa: E402
from edge_runtime.compress.teacher import CACHE  # noqa: E402


def photo(seed: int) -> Photo:
    picture = np.random.default_rng(seed).integers(0, 256, (112, 112), dtype=np.uint8)
    return photo_of(picture, np.array([[56.0, 56.0, 50.0, 60.0]], np.float32))


MIDDLE_FACE = np.array([[56.0, 56.0, 50.0, 60.0]], np.float32)


def blotted(seed: int) -> Photo:
    """A picture that is still itself when made small."""
    blots = np.random.default_rng(seed).integers(0, 256, (7, 7), dtype=np.uint8)
    image = cv2.resize(blots, (112, 112), interpolation=cv2.INTER_CUBIC)
    return photo_of(np.asarray(image, np.uint8), MIDDLE_FACE)


def portrait(label: int) -> Portrait:
    return Portrait(photo(label + 1), label)


@pytest.fixture
def samples() -> CropSamples:
    groups = [
        Group([portrait(0), portrait(0), portrait(0)], 0.45),
        Group([portrait(1)], 0.45),
        Group([portrait(UNKNOWN)], 0.1),
    ]
    return CropSamples(groups, [portrait(1)])


def test_both_classes_come_equally_often_and_only_with_labels(samples: CropSamples) -> None:
    (inputs, labels), *_ = samples.batches(8, seed=3)
    assert inputs.shape == (8, 1, 48, 48)
    assert labels.tolist() == [0] * 4 + [1] * 4
    assert 0 <= float(inputs.min()) <= float(inputs.max()) <= 1


def test_every_group_has_its_share(samples: CropSamples) -> None:
    labels = draw(samples.groups, 20, np.random.default_rng(1)).labels
    assert [int((labels == label).sum()) for label in (0, 1, UNKNOWN)] == [9, 9, 2]


def test_a_group_is_dressed_before_it_is_cut(samples: CropSamples) -> None:
    def whiten(face: Photo, rng: np.random.Generator) -> Photo:
        return photo_of(np.full_like(face.image, 255), face.faces)

    plain, white = (
        draw([Group([portrait(0)], 1.0, *dress)], 16, np.random.default_rng(1)).inputs.mean()
        for dress in ((), (whiten,))
    )
    assert white > plain + 0.2


def test_an_epoch_is_drawn_from_its_seed(samples: CropSamples) -> None:
    first, again, other = (next(samples.batches(4, seed))[0] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_held_crops_are_exact(samples: CropSamples) -> None:
    assert torch.equal(samples.held()[0], samples.held()[0])
    assert samples.held()[1].tolist() == [1]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of grey pictures, and what the teacher said of them."""
    monkeypatch.chdir(tmp_path)
    CACHE.mkdir(parents=True)
    faces = tmp_path / "faces"
    for folder in ("lfw", "mask"):
        (faces / folder).mkdir(parents=True)
    return tmp_path


def say(home: Path, cache: str, boxes: dict[str, list[list[float]]]) -> None:
    """Write pictures and the teacher's boxes for them."""
    for name in boxes:
        cv2.imwrite(str(home / name), np.full((112, 112), 90, np.uint8))
    rows = {name: np.array(each, np.float32).reshape(-1, 5) for name, each in boxes.items()}
    with (home / CACHE / cache).open("wb") as out:
        np.savez_compressed(out, allow_pickle=False, **rows)


def table(home: Path, name: str, lines: list[str]) -> None:
    (home / "faces" / name).write_text("\n".join(lines) + "\n", "utf-8")


MIDDLE, CORNER = [56, 56, 50, 60, 0.9], [20, 20, 70, 80, 0.9]


def test_smiles_are_those_of_the_middle_face(home: Path) -> None:
    expressions = {"a": "neutral", "b": "happiness", "c": "", "d": "anger", "e": "neutral"}
    lines = [f"lfw/{key}.jpg,{key},{word}" for key, word in expressions.items()]
    table(home, "lfw_train.csv", ["file,person,expression", *lines])
    table(home, "lfw_val.csv", ["file,person,expression", *lines[:3]])
    boxes = {f"faces/lfw/{key}.jpg": [CORNER, MIDDLE] for key in expressions}
    boxes["faces/lfw/e.jpg"] = [[*MIDDLE[:4], 0.4]]
    for split in ("train", "val"):
        say(home, f"lfw-{split}.npz", boxes)
    samples = smile_portraits.smile_samples(home)
    assert [[p.label for p in group.portraits] for group in samples.groups] == [[0], [1], [-1]]
    assert [p.label for p in samples.held_back] == [0, 1]
    assert samples.held_back[0].photo.faces.tolist() == [MIDDLE[:4]]


def test_a_masked_face_is_the_largest_the_teacher_is_sure_of(home: Path) -> None:
    found = {
        "large": [[*MIDDLE[:4], 0.6], [30, 30, 22, 22, 0.95], [56, 56, 99, 99, 0.4]],
        "unsure": [[*MIDDLE[:4], 0.31], [30, 30, 22, 22, 0.45]],
        "tiny": [[30, 30, 12, 19, 0.9]],
        "none": [],
    }
    table(home, "mask.csv", ["file,label", *(f"mask/{key}.jpg,with_mask" for key in found)])
    for split in ("train", "val"):
        say(home, f"mask-{split}.npz", {f"faces/mask/{key}.jpg": found[key] for key in found})
    both = [p for split in ("train", "val") for p in mask_portraits.read_masks(home, split)]
    assert sorted(p.photo.faces[0].tolist() for p in both) == [[30, 30, 22, 22], MIDDLE[:4]]
    assert {p.label for p in both} == {mask_portraits.MASKED}


def test_copies_of_examined_faces_are_not_learnt_from() -> None:
    examined = [Portrait(blotted(1), 0), Portrait(blotted(2), 0)]
    image = blotted(2).image
    mirrored = photo_of(np.ascontiguousarray(image[:, ::-1]), MIDDLE_FACE)
    matrix = cv2.getRotationMatrix2D((55.5, 55.5), 10, 1)
    turned = photo_of(np.asarray(cv2.warpAffine(image, matrix, (112, 112)), np.uint8), MIDDLE_FACE)
    learnt = [Portrait(each, 0) for each in (blotted(3), mirrored, turned, blotted(4))]
    left = mask_portraits.without_copies(learnt, examined)
    assert left == [learnt[0], learnt[3]]
