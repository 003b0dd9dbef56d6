"""What every table of the settings is made of: strict types with limits, and a strict table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict

# TOML and flags say text and lists where Python wants paths and tuples; all else must fit exactly.
FolderPath = Annotated[Path, Strict(False)]
Names = Annotated[tuple[str, ...], Strict(False)]
Folders = Annotated[tuple[FolderPath, ...], Strict(False)]

Text = Annotated[str, Field(min_length=1)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,23}$")]
Share = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(gt=0, le=3600)]


def _two_times(text: str) -> str:
    clock = r"([01][0-9]|2[0-3]):[0-5][0-9]"
    begins, _, ends = text.partition("-")
    if not (re.fullmatch(clock, begins) and re.fullmatch(clock, ends)) or begins == ends:
        raise ValueError("two different times of day such as '22:00-07:00'")
    return text


Hours = Annotated[str, AfterValidator(_two_times)]


class Table(BaseModel):
    """Frozen; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class NamedTable(Table):
    """One of an array of tables; no two have the same name."""

    name: Slug
