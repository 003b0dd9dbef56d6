from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from edge_runtime.config import (
    Config,
    Loaded,
    load_config,
    problems_in_file,
    read_config,
    to_toml,
)
from edge_runtime.config.config import KEYS, TABLES
from edge_runtime.config.layer import flag_layer, nested
from edge_runtime.config.rule import CommandTable, WebhookTable
from edge_runtime.errors import ConfigError

Written = Callable[[str], Path]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    def write(text: str) -> Path:
        path = tmp_path / "config.toml"
        path.write_text(text)
        return path

    return write


def read(path: Path | None = None, environ: dict[str, str] | None = None, **flags: Any) -> Loaded:
    nowhere = Path("/nonexistent/config.toml")
    overrides = {key.replace("__", "."): value for key, value in flags.items()}
    return read_config(path, environ or {}, overrides, system_file=nowhere)


def refusal(path: Path | None = None, environ: dict[str, str] | None = None, **flags: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        read(path, environ, **flags)
    return str(caught.value)


class TestLayers:
    def test_without_anything_the_defaults_hold(self) -> None:
        loaded = read()
        assert loaded.config == Config()
        assert set(loaded.origins.values()) == {"default"}
        assert loaded.file is None

    def test_each_layer_wins_over_the_one_before(self, written: Written) -> None:
        path = written("[web]\nport = 1\nhost = 'file'\npreview_fps = 5\n")
        environ = {"EDGE_RUNTIME_WEB__PORT": "2", "EDGE_RUNTIME_WEB__HOST": "environment"}
        loaded = read(path, environ, web__port=3)
        web = loaded.config.web
        assert (web.port, web.host, web.preview_fps) == (3, "environment", 5.0)
        assert loaded.origins["web.port"] == "command line"
        assert loaded.origins["web.host"] == "environment EDGE_RUNTIME_WEB__HOST"
        assert loaded.origins["web.preview_fps"] == f"{path} line 4"
        assert loaded.origins["web.pixelate"] == "default"

    def test_config_cannot_be_changed(self) -> None:
        with pytest.raises(ValidationError):
            read().config.web.port = 1

    def test_flags_that_were_not_given_change_nothing(self) -> None:
        assert read(web__port=None, web__host=None).config == Config()

    def test_layers_that_contradict_each_other_are_refused(self, written: Written) -> None:
        path = written("[capture]\nlongest_retry_s = 2.0\n")
        said = refusal(path, capture__first_retry_s=3.0)
        assert "capture.first_retry_s of at most capture.longest_retry_s, but 3 > 2" in said


class TestWhichFile:
    def test_the_named_file_wins(self, written: Written, tmp_path: Path) -> None:
        other = tmp_path / "other.toml"
        other.write_text("[web]\nport = 7\n")
        path = written("[web]\nport = 8\n")
        environ = {"EDGE_RUNTIME_CONFIG": str(other)}
        assert read(path, environ).config.web.port == 8
        assert read(None, environ).config.web.port == 7

    def test_a_person_s_file_wins_over_the_system_s(self, tmp_path: Path) -> None:
        system = tmp_path / "system.toml"
        system.write_text("[web]\nport = 9\n")
        folder = tmp_path / ".config" / "edge-runtime"
        environ = {"HOME": str(tmp_path)}
        assert read_config(None, environ, {}, system_file=system).file == system
        folder.mkdir(parents=True)
        (folder / "config.toml").write_text("")
        assert read_config(None, environ, {}, system_file=system).file == folder / "config.toml"

    def test_a_named_file_that_is_missing_is_an_error(self, tmp_path: Path) -> None:
        path = tmp_path / "gone.toml"
        assert refusal(path) == f"{path}: cannot be read: No such file or directory"
        assert str(path) in refusal(None, {"EDGE_RUNTIME_CONFIG": str(path)})


class TestRefusals:
    """Each names the place, the key, the value, what was expected and the nearest key."""

    @pytest.mark.parametrize(
        ("text", "line", "said"),
        [
            ("[web]\nprot = 1\n", 2, "unknown key web.prot = 1; did you mean web.port?"),
            ("\n[wep]\nport = 1\n", 2, "unknown table [wep]; did you mean web?"),
            ("state_dri = 'x'\n", 1, "unknown key state_dri = 'x'; did you mean state_dir?"),
            ("[web]\nport = '1'\n", 2, "web.port = '1': expected a valid integer"),
            ("[web]\nport = true\n", 2, "web.port = True: expected a valid integer"),
            ("[web]\nport = 70000\n", 2, "web.port = 70000: expected less than or equal to 65535"),
            ("[log]\nlevel = 'x'\n", 2, "log.level = 'x': expected 'debug', 'info', 'warning' or"),
            ("web = 3\n", 1, "web = 3: expected a table, written [web]"),
            ("web.port = 'x'\n", 1, "web.port = 'x': expected a valid integer"),
            ("[classify]\nmodels = 'smile'\n", 2, "classify.models = 'smile': expected a valid"),
            ("[classify]\nmodels = ['a', 1]\n", 2, "classify.models = ['a', 1]: expected a valid"),
            (
                "[governor]\nmax_power_w = 0\n",
                2,
                "governor.max_power_w = 0: expected greater than 0",
            ),
            ("[detector]\nthreshold = nan\n", 2, "detector.threshold = nan: expected a finite"),
        ],
    )
    def test_in_a_file(self, written: Written, text: str, line: int, said: str) -> None:
        path = written(text)
        assert refusal(path).startswith(f"{path} line {line}: {said}")

    def test_a_key_like_no_other_lists_its_table(self, written: Written) -> None:
        said = refusal(written("[engine]\nzzz = 1\n"))
        assert said.endswith("known: engine.threads, engine.backend")

    def test_broken_toml_names_its_place(self, written: Written) -> None:
        assert "expected TOML" in (said := refusal(written("[web\n")))
        assert "line 1" in said

    def test_bytes_that_are_no_text(self, tmp_path: Path) -> None:
        path = tmp_path / "config.toml"
        path.write_bytes(b"# \xff")
        assert refusal(path) == f"{path}: expected UTF-8 text, got the byte 0xff"

    def test_absurd_nesting_is_refused(self, written: Written) -> None:
        assert "expected TOML" in refusal(written("a = " + "[" * 5000 + "]" * 5000))

    def test_unknown_variable(self) -> None:
        said = refusal(None, {"EDGE_RUNTIME_WEB_PORT": "1"})
        assert said == (
            "environment EDGE_RUNTIME_WEB_PORT: unknown variable; "
            "did you mean EDGE_RUNTIME_WEB__PORT?"
        )

    def test_wrong_value_in_a_variable(self) -> None:
        said = refusal(None, {"EDGE_RUNTIME_WEB__PORT": "many"})
        assert said == (
            "environment EDGE_RUNTIME_WEB__PORT: web.port = 'many': expected a valid integer"
        )

    def test_unknown_flag(self) -> None:
        assert "command line: unknown key web.prot; did you mean web.port?" in refusal(web__prot=1)

    def test_more_problems_are_counted(self, written: Written) -> None:
        assert refusal(written("[web]\nport = 'x'\nhost = 3\n")).endswith("(and 1 more)")

    def test_a_password_is_not_repeated(self, written: Written) -> None:
        said = refusal(written("[sorce]\n[source]\nurl = 'rtsp://me:secret@camera/1'\n"))
        assert "secret" not in said


class TestText:
    """The environment speaks text only."""

    @pytest.mark.parametrize(
        ("name", "text", "key", "value"),
        [
            ("WEB__ENABLED", "false", "web.enabled", False),
            ("WEB__PREVIEW_FPS", "2.5", "web.preview_fps", 2.5),
            ("WEB__ALLOWED_HOSTS", "pi.local, pi", "web.allowed_hosts", ("pi.local", "pi")),
            ("CLASSIFY__MODELS", "none", "classify.models", ()),
            ("CLASSIFY__MODELS", "smile, mask@5", "classify.models", ("smile", "mask@5")),
            ("DETECTOR__THRESHOLD", "none", "detector.threshold", None),
            ("DETECTOR__THRESHOLD", "0.25", "detector.threshold", 0.25),
            ("MODELS__DIRS", "~/models,/srv", "models.dirs", (Path("/h/models"), Path("/srv"))),
            ("STATE_DIR", "/var/tmp/x", "state_dir", Path("/var/tmp/x")),
            ("LOG__LEVEL", "", "log.level", "info"),
            ("GOVERNOR__QUIET_HOURS", "22:00-07:00", "governor.quiet_hours", "22:00-07:00"),
            ("GOVERNOR__QUIET_HOURS", "none", "governor.quiet_hours", None),
            ("GOVERNOR__MAX_POWER_W", "4.5", "governor.max_power_w", 4.5),
        ],
    )
    def test_becomes_what_the_key_wants(
        self, name: str, text: str, key: str, value: object
    ) -> None:
        environ = {"HOME": "/h", f"EDGE_RUNTIME_{name}": text}
        assert read(None, environ).config.value(key) == value

    def test_names_for_the_test_suite_are_left_alone(self) -> None:
        assert read(None, {"EDGE_RUNTIME_TEST_DATA": "/data", "PATH": "/bin"}).config == Config()


class TestFolders:
    def test_in_a_file_count_from_the_file(self, written: Written) -> None:
        path = written("state_dir = 'state'\n[models]\ndirs = ['mine', '/srv/models']\n")
        config = read(path).config
        assert config.state_dir == path.parent / "state"
        assert config.models.dirs == (path.parent / "mine", Path("/srv/models"))

    @pytest.mark.parametrize(
        ("environ", "folder"),
        [
            ({"STATE_DIRECTORY": "/var/lib/a:/var/lib/b", "HOME": "/h"}, "/var/lib/a"),
            ({"XDG_STATE_HOME": "/s", "HOME": "/h"}, "/s/edge-runtime"),
            ({"HOME": "/h"}, "/h/.local/state/edge-runtime"),
            ({}, "/var/lib/edge-runtime"),
        ],
    )
    def test_state_goes_where_the_system_keeps_it(
        self, environ: dict[str, str], folder: str
    ) -> None:
        assert load_config(None, environ, {}).state_dir == Path(folder)


FRONT = "[[camera]]\nname = 'front'\nuri = 'demo://'\n"
BACK = "[[camera]]\nname = 'back'\nuri = 'rtsp://me:secret@back/1'\n"


class TestCameras:
    """Several cameras are tables of a file, and of nothing else."""

    def test_come_in_the_files_order_with_their_lines(self, written: Written) -> None:
        path = written(f"[web]\nport = 1\n{FRONT}\n{BACK}")
        loaded = read(path)
        assert [camera.name for camera in loaded.config.cameras] == ["front", "back"]
        assert loaded.config.camera == loaded.config.cameras
        assert loaded.origins["camera.0.name"] == f"{path} line 4"
        assert loaded.origins["camera.1.uri"] == f"{path} line 9"

    def test_without_any_there_is_one_as_ever(self) -> None:
        config = read(source__uri="demo://").config
        assert config.camera == ()
        assert [camera.uri for camera in config.cameras] == ["demo://"]

    @pytest.mark.parametrize(
        ("text", "line", "said"),
        [
            (FRONT + "[[camera]]\nname = 'back'\n", 4, "camera 2 has no uri"),
            (FRONT + "fps = 3\n", 4, "unknown key camera.fps = 3; known: name, uri"),
            (
                "[[camera]]\nurl = 'x'\nname = 'a'\nuri = 'b'\n",
                2,
                "unknown key camera.url = 'x'; did you mean uri?",
            ),
            (
                FRONT.replace("front", "Front Door"),
                2,
                "camera.name = 'Front Door': expected a name",
            ),
            (FRONT.replace("front", "a" * 25), 2, f"camera.name = '{'a' * 25}': expected a name"),
            (FRONT.replace("'front'", "3"), 2, "camera.name = 3: expected a valid string"),
            (FRONT.replace("demo://", ""), 3, "camera.uri = '': expected at least 1 character"),
            (FRONT + BACK + FRONT, 8, "camera.name = 'front': camera 1 has that name"),
            (FRONT + "[source]\nuri = 'auto'\n", 5, "source.uri and [[camera]] are both given"),
            (FRONT.replace("[[camera]]", "[camera]"), 1, "camera = {'name': 'front'"),
            (
                "".join(FRONT.replace("front", f"c{i}") for i in range(9)),
                25,
                "9 cameras: at most 8",
            ),
        ],
    )
    def test_mistakes_have_a_place(self, written: Written, text: str, line: int, said: str) -> None:
        path = written(text)
        problems = [str(problem) for problem in problems_in_file(path)]
        assert len(problems) == 1
        assert problems[0].startswith(f"{path} line {line}: {said}")
        assert refusal(path) == problems[0]

    def test_a_scalar_is_no_camera(self, written: Written) -> None:
        assert "camera = 3: expected tables, each written [[camera]]" in refusal(
            written("camera = 3\n")
        )

    def test_a_later_source_is_one_camera_instead(self, written: Written) -> None:
        path = written(FRONT + BACK)
        for loaded in (
            read(path, source__uri="demo://"),
            read(path, {"EDGE_RUNTIME_SOURCE__URI": "demo://"}),
        ):
            assert [camera.uri for camera in loaded.config.cameras] == ["demo://"]
            assert not [key for key in loaded.origins if key.startswith("camera.")]

    def test_what_is_shown_reads_back_and_keeps_no_password(self, written: Written) -> None:
        loaded = read(written(FRONT + BACK))
        shown = to_toml(loaded.config, loaded.origins, mask=True)
        assert "secret" not in shown
        assert f'name = "back"  # {loaded.file} line 5' in shown
        assert read(written(to_toml(loaded.config))).config == loaded.config

    def test_no_variable_and_no_flag_can_give_them(self) -> None:
        assert "unknown key camera" in refusal(camera=[{"name": "a", "uri": "b"}])
        assert "unknown variable" in refusal(None, {"EDGE_RUNTIME_CAMERA": "front"})


class TestCheck:
    def test_a_right_file_has_no_problems(self, written: Written) -> None:
        assert problems_in_file(written(to_toml(Config()))) == ()

    def test_all_problems_are_told(self, written: Written) -> None:
        path = written("[web]\nport = 'x'\nprot = 1\n[engine]\nthreads = 0\n[nope]\n")
        told = [str(problem) for problem in problems_in_file(path)]
        assert len(told) == 4
        for mark in ("web.port = 'x'", "web.prot = 1", "engine.threads = 0", "[nope]"):
            assert sum(mark in line for line in told) == 1


class TestMasking:
    def test_shown_config_keeps_no_password(self) -> None:
        config = read(source__uri="rtsp://me:secret@camera").config
        assert "secret" not in to_toml(config, mask=True)


# What a TOML file can hold for a person who writes it: any scalar, lists and tables of them.
scalars = st.one_of(st.booleans(), st.integers(), st.floats(), st.text(max_size=20))
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
seconds = st.floats(min_value=0.001, max_value=3600)
texts = st.text(st.characters(codec="utf-8"), min_size=1)
cameras = st.dictionaries(
    st.from_regex(r"[a-z0-9][a-z0-9-]{0,23}", fullmatch=True), texts, max_size=3
).map(lambda uris: tuple({"name": name, "uri": uri} for name, uri in uris.items()))
turns = st.from_regex(r"[^@]+(@[1-9][0-9]{0,3})?", fullmatch=True)
folders = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1).map(
    lambda name: Path("/") / name
)
configs = st.fixed_dictionaries(
    {},
    optional={
        "state_dir": folders,
        "source.uri": texts,
        "camera": cameras,
        "detector.threshold": st.none() | st.floats(min_value=0, max_value=1),
        "detector.idle_interval_s": seconds,
        "classify.models": st.lists(turns, max_size=3).map(tuple),
        "models.dirs": st.lists(folders, max_size=3).map(tuple),
        "engine.backend": st.sampled_from(["auto", "litert", "tflite_runtime", "fake"]),
        "web.enabled": st.booleans(),
        "web.port": st.integers(min_value=0, max_value=65535),
        "capture.longest_retry_s": st.floats(min_value=0.5, max_value=3600),
    },
).map(lambda values: Config.model_validate(nested(one_way(values))))


def one_way(values: dict[str, Any]) -> dict[str, Any]:
    """Cameras come either from ``source.uri`` or from tables."""
    return {
        key: value
        for key, value in values.items()
        if key != "source.uri" or not values.get("camera")
    }


class TestProperties:
    @given(config=configs)
    def test_toml_brings_every_config_back(self, config: Config) -> None:
        assert Config.model_validate(tomllib.loads(to_toml(config))) == config

    @example(key="capture.first_retry_s", value=11.0)
    @given(key=st.sampled_from(sorted(KEYS)), value=anything)
    def test_any_value_is_taken_or_refused_in_one_line(self, key: str, value: object) -> None:
        layer = flag_layer({key: value}, Path("/h"))
        for problem in layer.problems:
            assert key in str(problem)
            assert "\n" not in str(problem)
        if not layer.problems:
            assert isinstance(Config.model_validate(nested(layer.values)), Config)

    @given(text=st.text(st.characters(codec="utf-8")))
    def test_any_text_is_taken_or_refused_in_one_line(
        self, text: str, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        path = tmp_path_factory.getbasetemp() / "any.toml"
        path.write_text(text)
        for problem in problems_in_file(path):
            assert len(str(problem).splitlines()) == 1

    @given(name=st.text(st.characters(codec="ascii", categories=["Lu", "Nd"]), min_size=1))
    def test_unknown_variables_are_refused(self, name: str) -> None:
        variable = f"EDGE_RUNTIME_{name}"
        if not name.startswith("TEST_") and name not in {"CONFIG", "TOKEN", "URL"}:
            assert f"environment {variable}: unknown variable" in refusal(None, {variable: "1"})


def test_every_table_has_keys() -> None:
    for table in TABLES:
        assert [key for key in KEYS if key.startswith(f"{table}.")]


def test_a_model_may_have_a_pace_of_its_own() -> None:
    config = read(classify__models=["smile", "mask@5"], classify__every_n_frames=2).config
    assert config.classify.turns == {"smile": 2, "mask": 5}
    assert "classify.models" in refusal(classify__models=["mask@0"])


@pytest.mark.parametrize(
    "text",
    ["22:00", "22:00-24:00", "7:00-22:00", "22:00-22:00", "22:00-07:00 ", "22-7", "٢٢:00-07:00"],
)
def test_quiet_hours_are_two_different_times_of_day(text: str) -> None:
    assert refusal(governor__quiet_hours=text) == (
        f"command line: governor.quiet_hours = {text!r}: "
        "expected two different times of day such as '22:00-07:00'"
    )


RULE = "[[rule]]\nname = 'bell'\nwhen = 'face_came'\nthen = { command = ['true'] }\n"


class TestRules:
    """What to do when something happens, as tables of the file."""

    def test_they_are_read_with_their_lines(self, written: Written, tmp_path: Path) -> None:
        text = RULE + (
            "[[rule]]\nname = 'hook'\nwhen = ['face_came', 'face_left']\ndebounce_s = 0.0\n"
            "then = { webhook = 'https://example.org/x', headers_file = 'secret', tries = 1 }\n"
        )
        loaded = read_config(written(text), {}, {})
        bell, hook = loaded.config.rule
        assert bell.when == ("face_came",)
        assert isinstance(bell.then, CommandTable)
        assert bell.then.command == ("true",)
        assert hook.when == ("face_came", "face_left")
        assert isinstance(hook.then, WebhookTable)
        assert hook.then.headers_file == written(text).parent / "secret"
        assert loaded.origins["rule.1.debounce_s"].endswith("line 8")

    @pytest.mark.parametrize(
        ("text", "line", "said"),
        [
            (RULE.replace("name = 'bell'\n", ""), 1, "rule 1 has no name: every [[rule]] needs"),
            (RULE.replace("bell", "Bell!"), 2, "rule.name = 'Bell!': expected a name of at most"),
            (RULE.replace("face_came", "face_come"), 3, "did you mean face_came?"),
            (RULE.replace("'face_came'", "[]"), 3, "rule.when = []: expected events; known: face"),
            (RULE + "labl = 'x'\n", 5, "unknown key rule.labl = 'x'; did you mean label?"),
            (RULE + "label = 'x'\n", 3, "label only with when = label_changed"),
            (RULE.replace("came", "left") + "for_s = 2\n", 3, "for_s only with when = face_came"),
            (RULE + "min_score = 2\n", 5, "rule.min_score = 2: expected less than or equal to 1"),
            (RULE + "quiet_hours = 'night'\n", 5, "expected two different times of day"),
            (RULE + "camera = 'yard'\n", 5, "there is no such camera; known: camera"),
            (RULE + RULE, 6, "rule.name = 'bell': rule 1 has that name"),
            (RULE * 33, 129, "33 rules: at most 32"),
            (RULE.replace("command", "comand"), 4, "expected a table with one of webhook, command"),
            (RULE.replace("['true']", "['true'], gpio = 1"), 4, "expected a table with one of"),
            (RULE.replace("['true']", "'true'"), 4, "rule.then.command = 'true': expected"),
            (RULE.replace("['true']", "[]"), 4, "expected a list that begins with a program"),
            (RULE.replace("['true']", "['./x']"), 4, "expected a list that begins with a program"),
            (RULE.replace("['true']", "['true'], timeout = 1"), 4, "did you mean timeout_s?"),
            (RULE.replace("command = ['true']", "gpio = 99"), 4, "rule.then.gpio = 99: expected"),
        ],
    )
    def test_mistakes_have_their_place(
        self, written: Written, text: str, line: int, said: str
    ) -> None:
        sentence = refusal(written(text))
        assert said in sentence
        assert f"config.toml line {line}: " in sentence

    @pytest.mark.parametrize(
        "url", ["ftp://me:secret@x/", "https://", "https://a b/secret", "http://x:y/secret", ""]
    )
    def test_an_address_that_is_none_is_not_repeated(self, written: Written, url: str) -> None:
        sentence = refusal(written(RULE.replace("command = ['true']", f"webhook = '{url}'")))
        assert "rule.then.webhook: expected an address such as https://" in sentence
        assert "secret" not in sentence

    def test_a_scalar_is_no_rule(self, written: Written) -> None:
        assert "rule = 3: expected tables, each written [[rule]]" in refusal(written("rule = 3"))

    def test_a_cameras_name_is_one_of_the_file(self, written: Written) -> None:
        rule = RULE + "camera = 'front'\n"
        assert read_config(written(FRONT + rule), {}, {}).config.rule[0].camera == "front"
        assert "did you mean front?" in refusal(written(FRONT + rule.replace("front", "frnt")))

    def test_what_is_shown_reads_back_and_hides_addresses(self, written: Written) -> None:
        text = RULE + (
            "[[rule]]\nname = 'hook'\nwhen = 'label_changed'\nlabel = 'a\"b'\nfor_s = 2\n"
            "then = { webhook = 'https://example.org:8443/topic?token=x', tries = 2 }\n"
            "[[rule]]\nname = 'gate'\nwhen = 'face_came'\n"
            "then = { gpio = 17, active_high = false }\n"
        )
        loaded = read_config(written(text), {}, {})
        again = read_config(written(to_toml(loaded.config)), {}, {})
        assert again.config.rule == loaded.config.rule
        shown = to_toml(loaded.config, loaded.origins, mask=True)
        assert 'webhook = "https://example.org:8443/***"' in shown
        assert "topic" not in shown
        assert "token=" not in shown


@pytest.mark.parametrize("key", ["models.dir", "web.tls_cert"])
def test_a_path_that_may_be_unset_counts_from_its_file(tmp_path: Path, key: str) -> None:
    table, _, name = key.partition(".")
    file = tmp_path / "config.toml"
    beside = 'tls_key = "/k"\n' if table == "web" else ""
    file.write_text(f'[{table}]\n{beside}{name} = "here"\n')
    assert load_config(file, {}, {}).value(key) == tmp_path / "here"


def test_a_certificate_needs_its_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"web\.tls_cert and web\.tls_key together, or neither"):
        load_config(None, {}, {"web.tls_cert": str(tmp_path / "c.pem")})


@pytest.mark.parametrize("site", ["*", "dash.example", "https://dash.example/", "null"])
def test_an_invited_site_is_named_whole(site: str) -> None:
    with pytest.raises(ConfigError, match=r"web\.cors_origins"):
        load_config(None, {}, {"web.cors_origins": [site]})
