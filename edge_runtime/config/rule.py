"""One ``[[rule]]``: when what happens, then do what. docs/events.md describes every key."""

from __future__ import annotations

from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Strict,
    Tag,
    model_validator,
)

from edge_runtime.config.table import (
    FolderPath,
    Hours,
    NamedTable,
    Seconds,
    Share,
    Slug,
    Table,
    Text,
)
from edge_runtime.event import ENDED_BY, EventKind

MOST_RULES: Final = 32
"""Each has a thread of its own."""

SCORED: Final = ("face_came", "label_changed")
"""Events with a score."""

NAMED: Final = ("person_known", "person_turned", "person_left")
"""Events about somebody who is enrolled."""


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # such as a port that is no number
        fits = False
    if not fits or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("an address such as https://example.org/hook")
    return text


def _program(words: tuple[str, ...]) -> tuple[str, ...]:
    if not words or not words[0] or ("/" in words[0] and not words[0].startswith("/")):
        raise ValueError("a list that begins with a program's name or its whole path")
    if any("\0" in word for word in words):
        raise ValueError("words without NUL characters")
    return words


class WebhookTable(Table):
    """Send the event as JSON to a web address."""

    webhook: Annotated[str, AfterValidator(_address)]
    headers_file: FolderPath | None = None
    """Lines ``Name: value`` that are sent along, such as a secret."""
    ca_file: FolderPath | None = None
    """Certificates to trust instead of the system's."""
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 5.0
    """Of each try."""
    tries: Annotated[int, Field(ge=1, le=10)] = 3


class CommandTable(Table):
    """Start a program; no shell reads its words."""

    command: Annotated[tuple[str, ...], Strict(False), AfterValidator(_program)]
    timeout_s: Annotated[float, Field(gt=0, le=600)] = 10.0


class GpioTable(Table):
    """Switch a pin on for a while."""

    gpio: Annotated[int, Field(ge=0, le=53)]
    """The pin's GPIO number, which is not its place on the header."""
    pulse_s: Annotated[float, Field(gt=0, le=600)] = 1.0
    active_high: bool = True
    """False: on is 0 V."""


ACTIONS: Final[dict[str, type[Table]]] = {
    "webhook": WebhookTable,
    "command": CommandTable,
    "gpio": GpioTable,
}
"""Key that names it to its table."""


def _which(value: object) -> str | None:
    if isinstance(value, Table):
        return next(name for name, kind in ACTIONS.items() if isinstance(value, kind))
    named = [name for name in ACTIONS if isinstance(value, dict) and name in value]
    return named[0] if len(named) == 1 else None


Action = Annotated[
    Annotated[WebhookTable, Tag("webhook")]
    | Annotated[CommandTable, Tag("command")]
    | Annotated[GpioTable, Tag("gpio")],
    Discriminator(
        _which,
        custom_error_type="action",
        custom_error_message="a table with one of " + ", ".join(ACTIONS),
    ),
]


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class RuleTable(NamedTable):
    """One rule."""

    when: Annotated[
        tuple[EventKind, ...], Strict(False), Field(min_length=1), BeforeValidator(_listed)
    ]
    """One kind of event, or a list of them."""
    camera: Slug | None = None
    """None: any."""
    model: Text | None = None
    """The classifier; None: any."""
    label: Text | None = None
    person: Text | None = None
    """The name of who is enrolled; None: anybody."""
    min_score: Share | None = None
    for_s: Seconds | None = None
    """Only when it still lasts after so many seconds."""
    debounce_s: Annotated[float, Field(ge=0, le=86_400)] = 10.0
    """Not again for so long."""
    quiet_hours: Hours | None = None
    """Not at these times of day."""
    then: Action

    @model_validator(mode="after")
    def _filters_fit(self) -> Self:
        for key, kinds in (
            ("label", ("label_changed",)),
            ("model", ("label_changed",)),
            ("person", NAMED),
            ("min_score", SCORED),
            ("for_s", tuple(ENDED_BY)),
        ):
            if getattr(self, key) is not None and not set(self.when) <= set(kinds):
                raise ValueError(f"{key} only with when = {' or '.join(kinds)}")
        return self
