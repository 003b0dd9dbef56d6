"""``edge-runtime analyze``: pictures and videos in, JSON lines and annotated pictures out."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_runtime.analyze.analysis import Analysis, Findings
from edge_runtime.analyze.inputs import files_of
from edge_runtime.analyze.results import Results
from edge_runtime.app.assembly import Assembly
from edge_runtime.attention.budget import Budget
from edge_runtime.cli.options import config_option, overrides, set_option
from edge_runtime.config import load_config
from edge_runtime.errors import SourceError
from edge_runtime.journal import set_up_logging

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@config_option
@click.option(
    "--out",
    "folder",
    metavar="DIR",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where results.jsonl and pictures/ go; made when missing.",
)
@click.option(
    "--min-score",
    type=click.FloatRange(0, 1),
    help="Report every face of at least this score; otherwise the model's own threshold.",
)
@click.option(
    "--budget",
    metavar="LOOKS",
    help="Looks at each frame: a number, milliseconds such as 8ms, or full. Otherwise full for "
    "pictures and detector.budget for videos.",
)
@click.option("--no-pictures", is_flag=True, help="No annotated pictures.")
@set_option
def analyze(
    *,
    paths: tuple[Path, ...],
    config_file: Path | None,
    folder: Path,
    min_score: float | None,
    budget: str | None,
    no_pictures: bool,
    settings: tuple[tuple[str, object], ...],
) -> int:
    """Find and classify the faces of pictures, folders and videos."""
    config = load_config(
        config_file, os.environ, overrides({"detector.threshold": min_score}, settings)
    )
    if budget is not None:
        Budget.parse(budget)
    set_up_logging(config.log.level, environ=os.environ)
    files = files_of(paths)
    with (
        Assembly(config) as assembly,
        Results(folder, pictures=not no_pictures) as results,
        _progress_bar(len(files)) as bar,
    ):
        analysis = Analysis(assembly, results, show_doubtful=min_score is not None, budget=budget)
        findings = analysis.run(files, bar.update)
    _say(findings, folder)
    return SourceError.exit_code if findings.problems else 0


def _progress_bar(files: int) -> ProgressBar[str]:
    # On stderr, so that stdout stays clean; click hides it where stderr is no terminal.
    return click.progressbar(
        length=files, label="analyzing", item_show_func=lambda item: item, file=sys.stderr
    )


def _say(findings: Findings, folder: Path) -> None:
    for problem in findings.problems:
        click.echo(f"edge-runtime: {problem}", err=True)
    click.echo(
        f"{findings.faces} faces in {findings.frames_with_face} of {findings.frames} frames "
        f"({findings.files} files): {folder / 'results.jsonl'}",
        err=True,
    )
