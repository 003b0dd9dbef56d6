"""Prose that can be wrong is held against the code it speaks of."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from packaging.requirements import Requirement

import edge_runtime
from edge_runtime import errors
from edge_runtime.cli.main import cli
from edge_runtime.config import Config, to_toml
from edge_runtime.config.config import KEYS, CameraTable

REPOSITORY = Path(__file__).resolve().parent.parent
DOCS = REPOSITORY / "docs"
NOT_OURS = {".git", "node_modules", "out", "build", "dist"}


def markdown_files() -> list[Path]:
    return [
        path
        for path in sorted(REPOSITORY.rglob("*.md"))
        if not any(
            part in NOT_OURS or part.startswith(".venv") or part == ".pytest_cache"
            for part in path.relative_to(REPOSITORY).parts
        )
    ]


def table_rows(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        if line.startswith("|"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def commands(command: click.Command = cli, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by its full name such as ``config show``."""
    if not isinstance(command, click.Group):
        yield path.strip(), command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        assert found is not None
        yield from commands(found, f"{path} {name}")


def group_of(name: str) -> str:
    """``config`` for ``config show``."""
    return name.partition(" ")[0]


def section(text: str, title: str) -> str:
    """What stands below the heading that begins with ``title``, up to the next of its level."""
    found = re.search(rf"(?ms)^## {re.escape(title)}\b.*?(?=^## |\Z)", text)
    assert found, f"docs/cli.md has no section {title}"
    return found[0]


def test_every_setting_is_documented_with_its_default() -> None:
    documented = {
        row[0].strip("`"): row[1].strip("`")
        for row in table_rows((DOCS / "configuration.md").read_text())
        if row[0].startswith("`")
    }
    lines = [line for line in to_toml(Config()).splitlines() if line and line[0] != "["]
    defaults = [
        re.sub(r"^# .* is not set$", "not set", line.partition(" = ")[2] or line) for line in lines
    ]
    tables = {f"camera.{name}": "required" for name in CameraTable.model_fields}
    assert documented == tables | {
        key: default.strip('"') if key == "state_dir" else default
        for key, default in zip(KEYS, defaults, strict=True)
    }


@pytest.mark.parametrize(("name", "command"), [pytest.param(*c, id=c[0]) for c in commands()])
def test_every_command_and_option_is_documented(name: str, command: click.Command) -> None:
    text = (DOCS / "cli.md").read_text()
    assert f"`{name}" in text or re.search(rf"(?m)^## {name}\b", text)
    told = section(text, group_of(name))
    shared = text.partition("\n## ")[0]
    for parameter in command.params:
        if isinstance(parameter, click.Option) and not parameter.hidden:
            option = max(parameter.opts, key=len)
            assert f"`{option}" in told + shared, f"{name} {option}"


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_documented_options_exist(name: str) -> None:
    group = group_of(name)
    known = {
        option
        for other, command in commands()
        if group_of(other) == group
        for parameter in command.params
        for option in parameter.opts
    }
    told = section((DOCS / "cli.md").read_text(), group)
    listed = {row[0].strip("`").split()[0] for row in table_rows(told) if row[0].startswith("`--")}
    assert listed <= known


def test_exit_codes_are_those_of_the_error_tree() -> None:
    documented = {
        name: int(row[0])
        for row in table_rows((DOCS / "exit-codes.md").read_text())
        for name in re.findall(r"`(\w+)`", row[1])
    }
    # Only leaves reach people; the nodes above them exist to be caught.
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    raised = [kind for kind in kinds if not any(kind in other.__bases__ for other in kinds)]
    assert documented == {
        kind.__name__: kind.exit_code
        for kind in raised
        if issubclass(kind, errors.EdgeRuntimeError)
    }


def test_the_changelog_begins_with_this_version() -> None:
    entries = re.findall(r"(?m)^## \[([^\]]+)\]", (REPOSITORY / "CHANGELOG.md").read_text())
    assert entries[0] == edge_runtime.__version__


def test_every_decision_is_in_the_index() -> None:
    index = (DOCS / "decisions" / "README.md").read_text()
    files = [path.name for path in (DOCS / "decisions").glob("[0-9]*.md")]
    assert [name for name in files if f"({name})" not in index] == []


@pytest.mark.parametrize(
    "path", [pytest.param(p, id=p.relative_to(REPOSITORY).as_posix()) for p in markdown_files()]
)
def test_links_lead_somewhere(path: Path) -> None:
    prose = re.sub(r"(?s)```.*?```", "", path.read_text())
    targets = re.findall(r"\]\(([^)\s]+)\)", prose) + re.findall(r'(?:src|srcset)="([^"]+)"', prose)
    missing = [
        target
        for target in targets
        if not re.match(r"[a-z]+:|#", target)
        if not (path.parent / target.partition("#")[0]).exists()
    ]
    assert missing == []


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "deploy/README.md"])
def test_told_commands_exist(name: str) -> None:
    text = (REPOSITORY / name).read_text()
    scripts = set(re.findall(r"(?<![\w/])scripts/[a-z_]+", text))
    assert [script for script in scripts if not (REPOSITORY / script).is_file()] == []
    code = "\n".join(re.findall(r"(?s)```.*?```|`[^`]+`", text))
    told = set(re.findall(r"edge-runtime ([a-z]+)\b", code))
    assert told - {group_of(name) for name, _ in commands()} == set()


def test_the_locks_hold_what_pyproject_asks_for() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for lock, asked in {
        "dev.txt": [*project["dependencies"], *extras["demo"], *extras["dev"]],
        "compress.txt": [
            *project["dependencies"],
            *extras["compress"],
            *extras["formats"],
            *extras["dev"],
        ],
    }.items():
        lines = (REPOSITORY / "requirements" / lock).read_text().splitlines()
        pins = dict(line.split("==") for line in lines if not line.startswith("#"))
        for requirement in map(Requirement, asked):
            assert requirement.name in pins, f"{lock} lacks {requirement.name}: run scripts/lock"
            assert pins[requirement.name] in requirement.specifier


def test_the_service_restarts_where_the_table_says_so() -> None:
    unit = (REPOSITORY / "systemd" / "edge-runtime.service").read_text()
    final = re.search(r"(?m)^RestartPreventExitStatus=(.*)$", unit)
    assert final
    told = re.search(r"all of these but (.*), which", (DOCS / "exit-codes.md").read_text())
    assert told
    # 0 is a clean end, after which on-failure does nothing anyway.
    assert {"0", *final[1].split()} == set(re.findall(r"\d", told[1]))
