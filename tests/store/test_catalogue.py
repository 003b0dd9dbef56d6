from __future__ import annotations

import logging
from pathlib import Path

import pytest

from edge_runtime.errors import ManifestInvalid, ModelMissing, ModelRejected
from edge_runtime.store import catalogue as catalogue_module
from edge_runtime.store.catalogue import Catalogue, packaged_models
from tests.store.shelf import classifier, detector, put


@pytest.fixture
def packaged(tmp_path: Path) -> Path:
    root = tmp_path / "packaged"
    put(root / "mood", classifier())
    put(root / "glance", detector(), "two_outputs")
    return root


def test_all_lists_every_model(packaged: Path) -> None:
    models = Catalogue(packaged=packaged).all()
    assert [model.manifest.name for model in models] == ["glance", "mood"]


def test_users_folder_hides_the_packaged_name(packaged: Path, tmp_path: Path) -> None:
    put(tmp_path / "mine" / "mood", classifier(version="9.0.0"))
    catalogue = Catalogue([tmp_path / "mine"], packaged=packaged)
    assert catalogue.find("mood").manifest.version == "9.0.0"
    assert catalogue.find("glance").folder == packaged / "glance"


def test_manifest_name_counts_where_the_folder_is_called_otherwise(
    packaged: Path, tmp_path: Path
) -> None:
    put(tmp_path / "mine" / "downloaded-7", classifier(name="calm"))
    assert (
        Catalogue([tmp_path / "mine"], packaged=packaged).find("calm").folder.name == "downloaded-7"
    )


def test_unknown_name_lists_what_there_is_and_the_nearest(packaged: Path) -> None:
    with pytest.raises(ModelMissing) as error:
        Catalogue(packaged=packaged).find("moood")
    said = str(error.value)
    assert str(packaged) in said
    assert "there are glance, mood; did you mean mood?" in said


def test_empty_folder_says_that_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="there are none"):
        Catalogue(packaged=tmp_path).find("mood")


def test_wrong_kind_is_refused(packaged: Path) -> None:
    with pytest.raises(
        ModelRejected, match="mood is of kind crop-classifier, expected face-detector:"
    ):
        Catalogue(packaged=packaged).find("mood", kinds=("face-detector",))


def test_paths_to_a_folder_or_a_file_are_taken(packaged: Path) -> None:
    catalogue = Catalogue(packaged=packaged)
    for path in (packaged / "mood", packaged / "mood" / "model.tflite"):
        assert catalogue.find(str(path)).manifest.name == "mood"


def test_path_that_leads_nowhere_is_named(packaged: Path) -> None:
    with pytest.raises(ModelMissing, match="no model folder /nowhere"):
        Catalogue(packaged=packaged).find("/nowhere/model.tflite")


def test_file_that_the_manifest_does_not_describe_is_refused(packaged: Path) -> None:
    with pytest.raises(ModelRejected, match="describes another file"):
        Catalogue(packaged=packaged).find(str(packaged / "mood" / "other.tflite"))


def test_broken_folder_is_left_out_and_logged(
    packaged: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(packaged / "bad", classifier(name="bad", threshold=7))
    catalogue = Catalogue(packaged=packaged)
    with caplog.at_level(logging.WARNING):
        assert len(catalogue.all()) == 2
    assert "threshold is 7" in caplog.text
    (broken,) = [holding for holding in catalogue.holdings() if holding.problem]
    assert broken.folder == packaged / "bad"


def test_broken_folder_speaks_for_its_name(packaged: Path) -> None:
    put(packaged / "bad", classifier(name="bad", threshold=7))
    with pytest.raises(ManifestInvalid, match="threshold is 7"):
        Catalogue(packaged=packaged).find("bad")


def test_missing_users_folder_is_logged_and_the_rest_found(
    packaged: Path, caplog: pytest.LogCaptureFixture
) -> None:
    catalogue = Catalogue(["/nowhere"], packaged=packaged)
    assert catalogue.find("mood").manifest.name == "mood"
    assert "models folder /nowhere does not exist" in caplog.text


def test_packaged_models_lie_inside_an_installed_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site-packages" / "edge_runtime"
    (tmp_path / "site-packages" / "models").mkdir(parents=True)
    monkeypatch.setattr(catalogue_module, "PACKAGE", package)
    assert packaged_models() is None  # somebody else's models, no checkout of ours
    (package / "models").mkdir(parents=True)
    assert packaged_models() == package / "models"


def test_packaged_models_lie_beside_the_package_in_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setattr(catalogue_module, "PACKAGE", tmp_path / "edge_runtime")
    assert packaged_models() == tmp_path / "models"
