"""Suspending 暂停 and resuming 恢复: on hold neither a batch's limit nor its feedback window runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from jobs import replying
from jobs.books import open_month
from jobs.office import Office, chosen, permit
from jobs.settling import Moved
from settlement import deadlines, procedure, store
from settlement.errors import ProcedureError
from settlement.store import batches, findings
from settlement.store.batches import Batch


def hold_back(office: Office, codes: Sequence[str], reason: str) -> Moved:
    """Suspend batches: nothing of them moves and the clock stands until they are resumed.

    Source: 国令735 art 30, 令7号 art 17.

    Raises:
        ProcedureError: no institution or no reason given, or a batch cannot be held where it is.
    """
    act = permit(office, "hold", reason)
    _need(codes, reason)
    live = _live(office, codes)
    with store.writing(office.home) as db:
        batches.unmoved(db, live)
        batches.move(db, act, live, procedure.HOLD)
    return Moved([b.fixmedins_code for b in live], {})


def resume(office: Office, codes: Sequence[str], reason: str) -> Moved:
    """Let held batches go on where they stood.

    A feedback window is longer by the working days on hold, because nobody could answer on them; the
    institution's workbook is written again with its last day, and the one sent before stays valid.

    Source: 国令735 art 13 (陈述、申辩).

    Raises:
        ProcedureError: no institution or no reason given, or a batch is not on hold.
        PolicyError: the window would end beyond the loaded calendar; the text names the file to add.
    """
    act = permit(office, "resume", reason)
    _need(codes, reason)
    live = _live(office, codes)
    free = [b for b in live if b.state != procedure.HOLD]
    if free:
        _write_again(office, [b.fixmedins_code for b in free if b.state == procedure.FEEDBACK])
        raise ProcedureError(f"{'、'.join(b.name for b in free)} 没有暂停,无须恢复。")
    with store.writing(office.home) as db:
        batches.unmoved(db, live)
        moved = _moved_windows(db, office, live)
        findings.extend_windows(db, act, live, moved)
        for batch in live:
            facts = {"answer_by": str(moved[batch.id])} if batch.id in moved else {}
            batches.move(db, act, [batch], batch.held, facts)
    _write_again(office, [b.fixmedins_code for b in live if b.id in moved])
    return Moved([b.fixmedins_code for b in live], {})


def _live(office: Office, codes: Sequence[str]) -> list[Batch]:
    return [b for b in chosen(office, tuple(procedure.STATES), codes) if b.state != procedure.RETURNED]


def _moved_windows(db: store.Connection, office: Office, held: list[Batch]) -> dict[int, dt.date]:
    """Return the new last day to answer of every window that a hold has stopped, by batch."""
    calendar, found = office.calendar(), {}
    for ident, (since, until) in findings.stopped_windows(db, held).items():
        later = deadlines.window_after(calendar, until, since, office.today)
        if later > until:
            found[ident] = later
    return found


def _write_again(office: Office, codes: list[str]) -> None:
    """Write the workbooks of institutions again; a second `resume` does it for one that was cut short."""
    if codes:
        replying.write_notices(office, open_month(office), codes=codes)


def _need(codes: Sequence[str], reason: str) -> None:
    if not codes or not reason.strip():
        raise ProcedureError("请给出机构编码和 --reason:暂停与恢复须逐家说明依据。")
