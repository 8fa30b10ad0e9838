"""The scheduler: records what is due, takes one job at a time, and leaves word of what became of it.

Any number of schedulers may work on one store. A job belongs to whoever changed its row first; one whose
process died, or whose lease ran out without a sign of life, is taken over. Every step has no effect the
second time, so taking over means doing it again.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from jobs import due, holder, work
from jobs.due import DAILY, EVERYTHING, STEPS, Scope, Task
from settlement import store
from settlement.errors import PolicyError, ProcedureError, SettlementError
from settlement.labels import label
from settlement.store import jobs

# What follows from the steps waits until no step is left; the night's work waits for both.
PHASES = (STEPS, due.AFTERWARDS, due.NIGHTLY)
BEATS_PER_LEASE = 3
LONGEST_PAUSE = dt.timedelta(days=1)
LONGEST_WORDS = 1000
Job = dict[str, Any]


@dataclass(frozen=True)
class Did:
    """What became of a job in a sweep."""

    name: str
    key: str
    region: str
    month: str
    state: str
    words: str


@dataclass(frozen=True)
class Shift:
    """One sweep's frame: the store, what it looks at, the clock, when to stop, whom to tell."""

    home: store.Store
    clock: Callable[[], dt.datetime]
    lang: str
    stop: Callable[[], bool]
    tell: Callable[[Did], None]

    @property
    def stamp(self) -> str:
        """The moment as it is written down."""
        return self.clock().isoformat(timespec="seconds")


def sweep(
    home: store.Store,
    now: dt.datetime,
    scope: Scope = EVERYTHING,
    lang: str = "zh",
    stop: Callable[[], bool] = lambda: False,
    tell: Callable[[Did], None] = lambda did: None,
) -> list[Did]:
    """Do everything that is due, and what becomes due by that, each job once.

    Args:
        home: the store.
        now: the moment, local time; it runs on while the sweep lasts.
        scope: names, region and month to restrict it to.
        lang: language of documents and words.
        stop: asked before each job; True ends the sweep.
        tell: called with every job when it has ended.

    Returns:
        The jobs that were done or failed.
    """
    shift = Shift(home, _running_on(now), lang, stop, tell)
    did: list[Did] = []
    seen: set[int] = set()
    for phase in PHASES:
        mine = scope.only(phase)
        while mine.names and (fresh := _round(shift, mine, seen)):
            did += fresh
    return did


def _running_on(now: dt.datetime) -> Callable[[], dt.datetime]:
    begun = time.monotonic()
    return lambda: now + dt.timedelta(seconds=time.monotonic() - begun)


def _round(shift: Shift, scope: Scope, seen: set[int]) -> list[Did]:
    """Look once, and go through what may be taken; returns what was done."""
    if shift.stop():
        return []
    looked_at = shift.stamp
    tasks = due.tasks(shift.home, shift.clock(), scope)
    _record(shift, tasks, looked_at)
    by_key = {(task.name, task.key): task for task in tasks}
    done = []
    for job in _open(shift, scope):
        if shift.stop():
            break
        if job["id"] in seen or not _free(shift, job):
            continue
        did = _do(shift, job, by_key.get((job["name"], job["key"])))
        if did:
            seen.add(job["id"])
            done.append(did)
            shift.tell(did)
    return done


def retry(home: store.Store, scope: Scope = EVERYTHING) -> int:
    """Let failed jobs wait anew with all their tries; returns how many."""
    with store.writing(home) as db:
        return jobs.try_again(db, scope.names, scope.region, scope.month)


def _record(shift: Shift, tasks: Sequence[Task], looked_at: str) -> None:
    """Put tasks that are not there yet on record, and those that are due again after they were done."""
    keys = [(task.name, task.key) for task in tasks]
    with shift.home.engine.connect() as db:
        if not _news(tasks, jobs.known(db, keys), looked_at):
            return
    with store.writing(shift.home) as db:
        known = jobs.known(db, keys)
        for task in _news(tasks, known, looked_at):
            row = {"name": task.name, "key": task.key, "region": task.region, "clr_ym": task.month}
            if task.name != "deliver":
                jobs.replace(db, row, looked_at)
            old = known.get((task.name, task.key))
            if old:
                again = {"state": jobs.WAITING, "attempts": 0, "holder": "", "done_at": "", "next_try_at": ""}
                jobs.change(db, old, again)
            else:
                jobs.add(db, [{**row, "due_on": task.due_on}])


def _news(tasks: Sequence[Task], known: dict[tuple[str, str], Job], looked_at: str) -> list[Task]:
    """Tasks without a job, or with one that was done before we looked and yet the work is there again."""

    def is_news(task: Task) -> bool:
        job = known.get((task.name, task.key))
        if job is None:
            return True
        return task.name not in DAILY and job["state"] == jobs.DONE and job["done_at"] < looked_at

    return [task for task in tasks if is_news(task)]


def _open(shift: Shift, scope: Scope) -> list[Job]:
    """Jobs that are not done, in the order of the procedure, the older ones first."""
    order = {name: place for place, name in enumerate(due.NAMES)}
    with shift.home.engine.connect() as db:
        rows = jobs.open_jobs(db)
    mine = [j for j in rows if j["name"] in scope.names and scope.holds(j["region"], j["clr_ym"])]
    return sorted(mine, key=lambda j: (order[j["name"]], j["id"]))


def _free(shift: Shift, job: Job) -> bool:
    """Whether a job may be taken: it waits, its next try has come, or whoever had it is gone."""
    if job["state"] == jobs.RUNNING:
        lease = dt.timedelta(minutes=shift.home.settings.schedule.lease_minutes)
        run_out = dt.datetime.fromisoformat(job["claimed_at"]) + lease <= shift.clock()
        return run_out or holder.gone(job["holder"])
    return bool(job["state"] == jobs.WAITING or "" < job["next_try_at"] <= shift.stamp)


def _do(shift: Shift, job: Job, task: Task | None) -> Did | None:
    """Take a job and do it; None when somebody else was faster."""
    if job["state"] == jobs.RUNNING and job["attempts"] >= shift.home.settings.schedule.attempts:
        return _end(shift, job, jobs.FAILED, label("job.killed", shift.lang), also=("claimed_at",))
    taken = _claim(shift, job)
    if taken is None:
        return None
    with _alive(shift, taken):
        try:
            said = _run(shift, taken, task)
        except Exception as fault:
            return _end(shift, taken, jobs.FAILED, words(fault, shift.lang))
    return _end(shift, taken, jobs.DONE, said)


def _claim(shift: Shift, job: Job) -> Job | None:
    taken = {
        "state": jobs.RUNNING, "holder": holder.me(), "claimed_at": shift.stamp, "next_try_at": "",
        "attempts": job["attempts"] + 1,
    }  # fmt: skip
    with store.writing(shift.home) as db:
        # Two steps of a month would get into each other's way, and a message would leave too early.
        alone = () if job["name"] in due.NIGHTLY else STEPS
        mine = jobs.change(db, job, taken, also=("claimed_at",), alone_among=alone)
    return {**job, **taken} if mine else None


@contextmanager
def _alive(shift: Shift, job: Job) -> Iterator[None]:
    """Renew the lease while a job runs, however long it takes."""
    over = threading.Event()
    every = shift.home.settings.schedule.lease_minutes * 60 / BEATS_PER_LEASE

    def beat() -> None:
        while not over.wait(every):
            try:
                with store.writing(shift.home) as db:
                    jobs.change(db, job, {"claimed_at": shift.stamp})
            except (sa.exc.SQLAlchemyError, SettlementError):
                continue  # the database is busy; the next beat is early enough

    thread = threading.Thread(target=beat, name=f"lease {job['id']}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _run(shift: Shift, job: Job, task: Task | None) -> str:
    """Do a job; what it says, or an error when it could not be done or is still there to be done."""
    if task and task.fault:
        raise PolicyError(task.fault)
    if job["key"].endswith(due.FAULT):
        return ""  # what kept the work from being found is no longer so
    assignment = work.Assignment(shift.home, job, shift.clock(), shift.lang)
    said = work.ASSIGNMENTS[job["name"]](assignment)
    again = Scope((job["name"],), job["region"] or None, job["clr_ym"] or None)
    if job["name"] in STEPS and any(t.key == job["key"] for t in due.tasks(shift.home, shift.clock(), again)):
        raise ProcedureError(label("job.still_due", shift.lang))
    return said


def _end(shift: Shift, job: Job, state: str, said: str, also: Sequence[str] = ()) -> Did:
    """Write down what became of a job, unless somebody has taken it over meanwhile."""
    rules = shift.home.settings.schedule
    values = {"state": state, "next_try_at": "", "error": "" if state == jobs.DONE else said[:LONGEST_WORDS]}
    if state == jobs.DONE:
        values["done_at"] = shift.stamp
    elif job["attempts"] < rules.attempts:
        pause = dt.timedelta(minutes=rules.retry_minutes) * 2 ** (job["attempts"] - 1)
        values["next_try_at"] = (shift.clock() + min(pause, LONGEST_PAUSE)).isoformat(timespec="seconds")
    with store.writing(shift.home) as db:
        ours = jobs.change(db, job, values, also)
    told = said if ours else label("job.lost", shift.lang)
    return Did(job["name"], job["key"], job["region"], job["clr_ym"], state, told)


def words(fault: Exception, lang: str) -> str:
    """Say what went wrong without any value that was being worked on: it might be personal."""
    if isinstance(fault, SettlementError):
        return str(fault)
    if isinstance(fault, sa.exc.DBAPIError):
        return f"{type(fault).__name__}:{str(fault.orig).splitlines()[0]}"
    if isinstance(fault, OSError) and fault.strerror:
        return f"{fault.strerror}:{fault.filename or ''}"
    last = traceback.extract_tb(fault.__traceback__)[-1]
    place = f"{Path(last.filename).name}:{last.lineno}"
    return label("job.program", lang).format(kind=type(fault).__name__, place=place)
