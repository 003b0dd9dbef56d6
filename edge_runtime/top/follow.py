"""Show each status as it comes; when the line breaks say so, and come again."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.live import Live

from edge_runtime.client import Client
from edge_runtime.errors import ServiceRefused, ServiceUnreachable
from edge_runtime.top.screen import Screen
from edge_runtime.web.report import StatusReport

BUSY = 503


def show_once(client: Client, console: Console) -> None:
    """The status of now, printed."""
    console.print(Screen(client.status(), url=client.url))


def follow(client: Client, console: Console, wait: Callable[[float], object]) -> None:
    """Fill the terminal with the status until interrupted. ``wait`` takes seconds.

    Raises what the first question raises; later on whatever may pass is waited for, and
    ServiceRefused is raised for the rest, such as a token that was revoked.
    """
    status, problem = client.status(), None
    statuses = client.live()
    # No thread of rich's own: a screen is drawn when there is something new to show.
    with Live(console=console, screen=True, auto_refresh=False) as terminal:

        def show(latest: StatusReport) -> None:
            terminal.update(Screen(latest, url=client.url, problem=problem), refresh=True)

        show(status)
        while True:
            try:
                for status in statuses:
                    problem = None
                    show(status)
            except (ServiceUnreachable, ServiceRefused) as error:
                if isinstance(error, ServiceRefused) and error.status != BUSY:
                    raise
                problem = str(error)
            show(status)
            wait(statuses.retry_s)
