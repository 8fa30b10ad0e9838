"""What every command shares: the options before it, progress, printing, exit codes."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from jobs.office import Office
from jobs.settling import Moved, named
from settlement import policy, procedure, store
from settlement.errors import ProcedureError

DONE, WITH_RETURNS, USAGE, BROKEN = 0, 1, 2, 3
Codes = Annotated[
    list[str] | None, typer.Option("--institution", help="机构编码,可多次;缺省为全部 / institutions")
]
Reason = Annotated[str, typer.Option(help="理由 / reason")]


@dataclass
class Options:
    """The options that stand before the command."""

    home: Path
    region: str | None
    month: str | None
    user: str | None
    today: dt.date
    lang: str
    as_json: bool

    def need_region(self) -> str:
        """Return the region; exit with usage when it was not given or is unknown."""
        if not self.region:
            raise typer.BadParameter(f"请给出 --region,可用:{'、'.join(policy.regions())}")
        if self.region not in policy.regions():
            raise typer.BadParameter(f"没有统筹区 {self.region},可用:{'、'.join(policy.regions())}")
        return self.region

    def need_month(self) -> dt.date:
        """Return the first day of the month; exit with usage when it was not given."""
        try:
            return dt.datetime.strptime(self.month or "", "%Y-%m").date()  # noqa: DTZ007 - a month
        except ValueError:
            raise typer.BadParameter(f"请给出 --month YYYY-MM,收到 {self.month!r}") from None

    def open(self) -> store.Store:
        """Open the home folder."""
        return store.open_store(self.home)

    @property
    def actor(self) -> str:
        """Who acts; nobody acts in a robot's name."""
        if self.user in procedure.ROBOTS or self.user == procedure.MACHINE:
            raise ProcedureError(f"{self.user} 由系统保留,不能用 --as 冒用。")
        return self.user or procedure.MACHINE

    def office(self) -> Office:
        """Return whose month is worked on, by whom."""
        region, month = self.need_region(), self.need_month()
        return Office(self.open(), region, month, self.today, self.actor, self.lang)

    def region_office(self) -> Office:
        """Return a region's office for what concerns no month; the month of today stands in."""
        month = self.need_month() if self.month else self.today.replace(day=1)
        return Office(self.open(), self.need_region(), month, self.today, self.actor, self.lang)


def say(options: Options, value: Any, text: str) -> None:  # noqa: ANN401 - anything JSON can hold
    """Print for a person, or for a program with --json."""
    print(json.dumps(value, ensure_ascii=False, indent=1, default=str) if options.as_json else text)


def say_moved(
    options: Options, moved: Moved, words: str, asked: Sequence[str] | None = None, more: Sequence[str] = ()
) -> None:
    """Say which institutions a step moved and which wait for what; exit 1 when any waits."""
    if asked:
        moved = named(options.office(), asked, moved)
    lines = [f"{words} {len(moved.done)} 家", *(f"  {code}" for code in moved.done[:20])]
    if len(moved.done) > 20:
        lines.append(f"  … 共 {len(moved.done)} 家")
    lines += [f"待办 {code}:{why}" for code, why in sorted(moved.waiting.items())[:50]]
    if len(moved.waiting) > 50:
        lines.append(f"  … 共 {len(moved.waiting)} 家待办,全部见 --json")
    say(options, {"done": moved.done, "waiting": moved.waiting}, "\n".join([*lines, *more]))
    if moved.waiting:
        raise typer.Exit(WITH_RETURNS)


class Bar:
    """Progress on a terminal; nothing when the output is piped or JSON."""

    def __init__(self, options: Options) -> None:
        console = Console(stderr=True)
        shown = console.is_terminal and not options.as_json
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self.progress = Progress(*columns, console=console, disable=not shown)
        self.tasks: dict[str, Any] = {}

    def __enter__(self) -> Bar:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def __call__(self, step: str, done: int, total: int) -> None:
        """Show how far a step is."""
        if step not in self.tasks:
            self.tasks[step] = self.progress.add_task(step, total=max(total, 1))
        self.progress.update(self.tasks[step], completed=done, total=max(total, 1))
