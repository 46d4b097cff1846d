"""How far a run has come: a live bar on a terminal, a line every few seconds anywhere else; both on stderr."""

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from rich.progress import BarColumn, Progress, ProgressColumn, Task
from rich.text import Text

from cli.output import Screen, plural

SECONDS_BETWEEN_LINES = 3.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run has done so far. `share` is how much of its budget is used up, 0 to 1."""

    seconds: float
    ops_per_second: float
    traces: int
    ops: int
    rows_covered: int
    rows_total: int
    failures: int
    share: float

    @property
    def seconds_left(self) -> float | None:
        """How long it will go on at this rate; None before anything was done."""
        return self.seconds / self.share * (1 - self.share) if self.share > 0 else None

    def __str__(self) -> str:
        """All in one line."""
        left = "" if self.seconds_left is None else f", {format_seconds(self.seconds_left)} left"
        return (
            f"{short_number(self.ops)} ops, {short_number(self.ops_per_second)}/s, {self.rows_covered} of"
            f" {self.rows_total} rows, {plural(self.failures, 'failure')}{left}"
        )


class RunProgress(Protocol):
    """Shows figures while a run goes on."""

    def __enter__(self) -> Self:
        """Start to show."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the terminal as it was."""
        ...

    def update(self, figures: Figures) -> None:
        """Show these figures from now on."""
        ...


def choose_progress(screen: Screen) -> RunProgress:
    """Live where stderr is a terminal that can move its cursor, else lines."""
    live = screen.err.is_terminal and not screen.err.is_dumb_terminal
    return LiveProgress(screen) if live else LineProgress(screen)


class LineProgress:
    """A line of figures every few seconds."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._next = SECONDS_BETWEEN_LINES

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """There is nothing to clean up."""

    def update(self, figures: Figures) -> None:
        """Print a line if the last one is old enough."""
        if figures.seconds >= self._next:
            self._screen.note(f"{figures.seconds:.0f} s: {figures}")
            self._next = figures.seconds + SECONDS_BETWEEN_LINES


class LiveProgress:
    """rich's progress bar with the figures beside it, gone when the run ends."""

    def __init__(self, screen: Screen) -> None:
        self._progress = Progress(BarColumn(bar_width=24), _FiguresColumn(), console=screen.err, transient=True)
        self._task = self._progress.add_task("", total=1.0, figures="starting")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def update(self, figures: Figures) -> None:
        """Move the bar."""
        self._progress.update(self._task, completed=figures.share, figures=str(figures))


class _FiguresColumn(ProgressColumn):
    """The figures; cut, not wrapped, where the terminal is narrow."""

    def render(self, task: Task) -> Text:
        return Text(str(task.fields["figures"]), no_wrap=True, overflow="ellipsis")


def short_number(number: float) -> str:
    """A number in four digits or so: 950, 12.3 k, 4.56 M."""
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if number >= size:
            return f"{number / size:.3g}{unit}" if number < 999.5 * size else f"{number / size:.0f}{unit}"
    return f"{number:.0f}"


def format_seconds(seconds: float) -> str:
    """A time people can grasp: 8 s, 12 min 5 s, 3 h 20 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
