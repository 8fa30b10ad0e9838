"""What each scheduled job does; all of it may be done twice, and is then without effect."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs import (
    auditing,
    backup,
    documents,
    due,
    inbox,
    nightly,
    outgoing,
    paying,
    postman,
    replying,
    settling,
    status,
    taking_in,
)
from jobs.inbox import Tray
from jobs.office import Office
from jobs.progress import quiet
from settlement import store
from settlement.errors import ProcedureError, SettlementError
from settlement.labels import label
from settlement.store import jobs


@dataclass(frozen=True)
class Assignment:
    """A job as it is done: the store, its row, the moment, the language of documents."""

    home: store.Store
    job: dict[str, Any]
    now: dt.datetime
    lang: str

    @property
    def office(self) -> Office:
        """The machine's office for the job's region and month."""
        first = due.first_day(self.job["clr_ym"])
        return Office(self.home, self.job["region"], first, self.now.date(), lang=self.lang)


def _intake(job: Assignment) -> str:
    words = _pick_up(job, lambda paths: taking_in.take_in(job.office, paths, quiet))
    documents.write_notices(job.office)
    return words


def _reply(job: Assignment) -> str:
    return _pick_up(job, lambda paths: replying.reply(job.office, paths))


def _receipt(job: Assignment) -> str:
    def take(paths: list[Path]) -> None:
        for path in paths:
            paying.take_receipt(job.office, path)

    words = _pick_up(job, take)
    documents.write(job.office, papers=documents.FUND_ONLY)
    return words


def _pick_up(job: Assignment, handle: Callable[[list[Path]], object]) -> str:
    """Handle what lies in the job's tray and put it away; what cannot be handled stays and is named."""
    wanted = (job.job["region"], job.job["clr_ym"], job.job["name"])
    found = [t for t in inbox.trays(job.home.home) if (t.region, t.clr_ym, inbox.KINDS[t.kind]) == wanted]
    faults: list[str] = []
    count = 0
    for tray in found:
        paths = tray.take(job.now, job.home.settings.schedule.quiet_seconds)
        left = _handle(tray, paths, handle)
        faults += left
        count += len(paths) - len(left)
    if faults:
        more = f" 等 {len(faults)} 个" if len(faults) > 1 else ""
        raise ProcedureError(f"{faults[0]}{more}。文件留在收件箱的 {inbox.TAKING} 目录,稍后重试。")
    return f"{count} 个文件" if count else ""


def _handle(tray: Tray, paths: list[Path], handle: Callable[[list[Path]], object]) -> list[str]:
    """Handle all together, or one by one where that fails, so that one bad file stops no other."""
    if not paths:
        return []
    try:
        handle(paths)
    except Exception as fault:
        if len(paths) > 1:
            return [words for path in paths for words in _handle(tray, [path], handle)]
        words = str(fault).rstrip("。") if isinstance(fault, SettlementError) else type(fault).__name__
        return [f"{paths[0].name}:{words}"]
    tray.put_away(paths)
    return []


def _audit(job: Assignment) -> str:
    return _count(len(auditing.run_audit(job.office)))


def _notify(job: Assignment) -> str:
    moved = replying.notify(job.office)
    documents.write(job.office, papers=documents.ON_NOTICE)
    return _count(len(moved.done))


def _close_feedback(job: Assignment) -> str:
    moved = replying.close_feedback(job.office)
    documents.write(job.office, papers=documents.FUND_ONLY)
    return _count(len(moved.done))


def _remind(job: Assignment) -> str:
    with store.writing(job.home) as db:
        late = due.reminders(job.home, job.now, job.job["region"], job.job["clr_ym"])
        told = [outgoing.announce(db, job.office, codes, "reminder", str(day)) for day, codes in late.items()]
    return _count(sum(told))


def _calculate(job: Assignment) -> str:
    moved = settling.calculate(job.office)
    documents.write(job.office)
    return _count(len(moved.done))


def _close(job: Assignment) -> str:
    moved = paying.close(job.office)
    documents.write(job.office, papers=documents.ON_CLOSE)
    return _count(len(moved.done))


def _deadline_watch(job: Assignment) -> str:
    return status.write_sheet(job.office).name


def _deliver(job: Assignment) -> str:
    row = postman.deliver(job.home, int(job.job["key"]), job.now)
    return f"{row['fixmedins_code']} {row['kind']} {label('mail.' + row['state'], job.lang)}"


def _verify(job: Assignment) -> str:
    nightly.check(job.home, job.lang)
    return ""


def _backup(job: Assignment) -> str:
    """Old backups go only while the nightly check finds nothing: they may be the last good ones."""
    with job.home.engine.connect() as db:
        doubtful = any(row["name"] == "verify" for row in jobs.open_jobs(db))
    return backup.make(job.home, job.now, prune=not doubtful).name


def _count(moved: int) -> str:
    return f"{moved} 家"


ASSIGNMENTS: dict[str, Callable[[Assignment], str]] = {
    "intake": _intake,
    "reply": _reply,
    "receipt": _receipt,
    "audit": _audit,
    "notify": _notify,
    "close_feedback": _close_feedback,
    "remind": _remind,
    "calculate": _calculate,
    "close": _close,
    "deadline_watch": _deadline_watch,
    "deliver": _deliver,
    "verify": _verify,
    "backup": _backup,
}
