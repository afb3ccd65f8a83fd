"""A bar on standard error: pages done, pages a second, time to go."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, Task
    from typing_extensions import Self


class PageProgress:
    """Counts pages; the total grows as documents turn out to have more than one."""

    def __init__(self, documents: int, *, shown: bool) -> None:
        """Args:
        documents: how many will be read.
        shown: draw the bar, if standard error is a terminal.
        """
        self._total = documents
        self._bar = _bar() if shown and sys.stderr.isatty() else None
        self._task = None if self._bar is None else self._bar.add_task("", total=None)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def waiting(self, what: str) -> None:
        """Says what is being done before the first page."""
        self._update(description=what)

    def opened(self, name: str, pages: int) -> None:
        """A document was opened that gives `pages` results."""
        self._total += pages - 1
        self._update(description=name, total=self._total)

    def page_done(self) -> None:
        """One result more."""
        self._update(advance=1)

    def _update(self, **changes: object) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, **changes)  # type: ignore[arg-type]


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TimeRemainingColumn
    from rich.table import Column
    from rich.text import Text

    class Name(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(task.description, no_wrap=True, overflow="ellipsis")

    class Speed(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:.2f} pages/s")

    return Progress(
        Name(table_column=Column(ratio=1)),
        BarColumn(),
        MofNCompleteColumn(),
        Speed(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        redirect_stdout=False,  # rich would send it to standard error
        transient=True,
    )
