"""What is due and not done, as the store's own state says; nothing here changes anything.

A task has a key that is the same as long as the work is the same, such as the batches concerned, so it is
done once; new batches make a new key. Nothing depends on when this was looked at last: after a standstill
the same question gives everything that was missed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import polars as pl

from jobs import inbox
from settlement import policy, procedure, store, workdays
from settlement.errors import SettlementError
from settlement.store import jobs, mail
from settlement.store.jobs import Waiting
from settlement.workdays import Calendar

PICK_UP = tuple(inbox.KINDS.values())
MOVES = ("audit", "notify", "close_feedback", "remind", "calculate", "close")
STEPS = (*PICK_UP, *MOVES)
AFTERWARDS = ("deadline_watch", "deliver")
NIGHTLY = ("verify", "backup")
NAMES = (*STEPS, *AFTERWARDS, *NIGHTLY)
# Due once a day whatever the state; the others are due until their work is done.
DAILY = ("deadline_watch", *NIGHTLY)
FAULT = "/fault"


@dataclass(frozen=True)
class Task:
    """Something to do.

    Attributes:
        name: one of `NAMES`.
        key: tells this work from other work of the name.
        region: profile name; empty for what concerns the whole home.
        month: claim month as yyyyMM; empty likewise.
        due_on: since when.
        fault: why it cannot be done, where that is known beforehand.
    """

    name: str
    key: str
    region: str
    month: str
    due_on: dt.date
    fault: str = ""


@dataclass(frozen=True)
class Scope:
    """What to look at: some names, a region, a month (yyyyMM); None is all."""

    names: tuple[str, ...] = NAMES
    region: str | None = None
    month: str | None = None

    def holds(self, region: str, month: str) -> bool:
        """Whether a region and month are among what is looked at."""
        return self.region in (None, region) and self.month in (None, month)

    def only(self, names: Iterable[str]) -> Scope:
        """The same region and month, fewer names."""
        return Scope(tuple(n for n in self.names if n in names), self.region, self.month)


EVERYTHING = Scope()


class _Look:
    """The home at one moment; what several kinds of tasks need is read once."""

    def __init__(self, home: store.Store, now: dt.datetime, scope: Scope) -> None:
        self.home, self.now, self.today, self.scope = home, now, now.date(), scope

    @cached_property
    def months(self) -> list[tuple[str, str, list[Waiting]]]:
        """Region, month and batches of every month that is not closed."""
        with self.home.engine.connect() as db:
            found = jobs.waiting(db, self.scope.region, self.scope.month)
        return [(*key, list(rows)) for key, rows in groupby(found, lambda b: (b.region, b.clr_ym))]

    @cached_property
    def calendar(self) -> Calendar:
        return workdays.load(self.home.home / "calendars")

    def batches(self, name: str, wanted: Callable[[Waiting], bool]) -> Iterator[Task]:
        """One task per month for the batches that are wanted."""
        for region, month, rows in self.months:
            mine = [b for b in rows if wanted(b)]
            if mine:
                yield Task(name, _key(region, month, mine), region, month, self.today)


def tasks(home: store.Store, now: dt.datetime, scope: Scope = EVERYTHING) -> list[Task]:
    """Return what is due, in the order of the procedure.

    Args:
        home: the store; it is only read.
        now: the moment, local time; its date is today.
        scope: what to look at.
    """
    look = _Look(home, now, scope)
    return [task for name in NAMES if name in scope.names for task in _found(name, look)]


def _found(name: str, look: _Look) -> list[Task]:
    """Tasks of a name; what keeps them from being found is a task that tells it, and hides no other."""
    try:
        return list(_FINDERS[name](look))
    except SettlementError as fault:
        key = hashlib.sha256(str(fault).encode()).hexdigest()[:16]
        return [Task(name, key + FAULT, "", "", look.today, str(fault))]


def _key(region: str, month: str, rows: Iterable[Waiting], more: str = "") -> str:
    """Region, month and the batches concerned."""
    ids = ",".join(str(b.id) for b in rows)
    return f"{region}/{month}/{more}{hashlib.sha256(ids.encode()).hexdigest()[:16]}"


def _in_tray(job: str) -> Callable[[_Look], Iterator[Task]]:
    def find(look: _Look) -> Iterator[Task]:
        for tray in inbox.trays(look.home.home):
            if inbox.KINDS[tray.kind] != job or not look.scope.holds(tray.region, tray.clr_ym):
                continue
            entries = tray.entries(look.now, look.home.settings.schedule.quiet_seconds)
            if entries:
                key = f"{tray.region}/{tray.clr_ym}/{inbox.digest(entries)}" + (FAULT if tray.fault else "")
                yield Task(job, key, tray.region, tray.clr_ym, look.today, tray.fault)

    return find


def _audit(look: _Look) -> Iterator[Task]:
    """Batches that were accepted, from the day after the last day to declare."""
    for region, month, rows in look.months:
        mine = [b for b in rows if b.state == procedure.ACCEPTED]
        if not mine:
            continue
        key = _key(region, month, mine)
        try:
            last = _cutoff(look, region, month)
        except SettlementError as fault:
            yield Task("audit", key + FAULT, region, month, look.today, str(fault))
            continue
        if look.today > last:
            yield Task("audit", key, region, month, last + dt.timedelta(days=1))


def _cutoff(look: _Look, region: str, month: str) -> dt.date:
    profile, first = policy.load(region), first_day(month)
    return look.calendar.declare_cutoff(first, int(profile.value("declare_cutoff_day", first)))


def first_day(month: str) -> dt.date:
    """Return the first day of a claim month given as yyyyMM."""
    return dt.date(int(month[:4]), int(month[4:]), 1)


def _notify(look: _Look) -> Iterator[Task]:
    return look.batches("notify", lambda b: b.state == procedure.PRELIM)


def _close_feedback(look: _Look) -> Iterator[Task]:
    def over(batch: Waiting) -> bool:
        past = batch.answer_by is not None and batch.answer_by < look.today
        return batch.state == procedure.FEEDBACK and (past or not batch.unanswered)

    return look.batches("close_feedback", over)


def _remind(look: _Look) -> Iterator[Task]:
    """Institutions that have not answered everything, one working day before the window closes."""
    with look.home.engine.connect() as db:
        told = mail.told(db, "reminder")
    for region, month, rows in look.months:
        for until, late in _late(look, region, month, rows, told):
            yield Task("remind", _key(region, month, late, f"{until}/"), region, month, look.today)


def _late(
    look: _Look, region: str, month: str, rows: list[Waiting], told: set[tuple[str, str, str, str]]
) -> Iterator[tuple[dt.date, list[Waiting]]]:
    """Who must be reminded now, by the last day to answer."""
    # On the day it was sent nobody needs to be reminded.
    mine = [b for b in rows if b.unanswered and b.answer_by and b.sent_on and b.sent_on < look.today]
    for until in sorted({b.answer_by for b in mine if b.answer_by}):
        late = [
            b
            for b in mine
            if b.answer_by == until and (region, month, b.fixmedins_code, str(until)) not in told
        ]
        if late and look.calendar.shift(until, -1) <= look.today <= until:
            yield until, late


def reminders(home: store.Store, now: dt.datetime, region: str, month: str) -> dict[dt.date, list[str]]:
    """Return the institutions of a month to be reminded now, by the last day to answer."""
    look = _Look(home, now, Scope(("remind",), region, month))
    with home.engine.connect() as db:
        told = mail.told(db, "reminder")
    return {
        until: [b.fixmedins_code for b in late]
        for region, month, rows in look.months
        for until, late in _late(look, region, month, rows, told)
    }


def _calculate(look: _Look) -> Iterator[Task]:
    return look.batches("calculate", lambda b: b.reviewed and not b.undecided)


def _close(look: _Look) -> Iterator[Task]:
    def ended(batch: Waiting) -> bool:
        return batch.state == procedure.CARRIED or (batch.state == procedure.PAID and not batch.unpaid)

    return look.batches("close", ended)


def _deadline_watch(look: _Look) -> Iterator[Task]:
    """Every open month, once a day."""
    with look.home.engine.connect() as db:
        done = jobs.done_keys(db, ("deadline_watch",))
    for region, month, _ in look.months:
        key = f"{region}/{month}/{look.today}"
        if ("deadline_watch", key) not in done:
            yield Task("deadline_watch", key, region, month, look.today)


def _deliver(look: _Look) -> Iterator[Task]:
    """Messages that are not sent; one that had no address once its institution has one."""
    with look.home.engine.connect() as db:
        states = (mail.READY, mail.FAILED, mail.NO_ADDRESS)
        rows = mail.waiting(db, states, look.scope.region, look.scope.month)
    homeless = {row["region"] for row in rows if row["state"] == mail.NO_ADDRESS}
    reachable = {region: addresses(look.home, region, look.today) for region in sorted(homeless)}
    for row in rows:
        if row["state"] != mail.NO_ADDRESS or row["fixmedins_code"] in reachable[row["region"]]:
            yield Task("deliver", str(row["id"]), row["region"], row["clr_ym"], row["day"])


def addresses(home: store.Store, region: str, today: dt.date) -> dict[str, str]:
    """Return the e-mail address in force of each institution that has one."""
    rows = store.read_reference(home, region, only=("contact",)).get("contact")
    if rows is None:
        return {}
    begun = (pl.col("begndate") <= today) & (pl.col("enddate").is_null() | (pl.col("enddate") >= today))
    named = rows.filter(begun & pl.col("email").str.contains(r"^[!-?A-~]+@[!-?A-~]+$"))
    return dict(named.sort("begndate").select("fixmedins_code", "email").iter_rows())


def _nightly(name: str) -> Callable[[_Look], Iterator[Task]]:
    def find(look: _Look) -> Iterator[Task]:
        """The last night that has begun, and no earlier one."""
        begun = look.now.hour >= look.home.settings.schedule.nightly_hour
        night = look.today if begun else look.today - dt.timedelta(days=1)
        with look.home.engine.connect() as db:
            done = jobs.done_keys(db, (name,))
        if look.scope.holds("", "") and (name, str(night)) not in done:
            yield Task(name, str(night), "", "", night)

    return find


_FINDERS: dict[str, Callable[[_Look], Iterable[Task]]] = {
    **{job: _in_tray(job) for job in PICK_UP},
    "audit": _audit,
    "notify": _notify,
    "close_feedback": _close_feedback,
    "remind": _remind,
    "calculate": _calculate,
    "close": _close,
    "deadline_watch": _deadline_watch,
    "deliver": _deliver,
    **{name: _nightly(name) for name in NIGHTLY},
}
