"""Retention 保管: what is kept, and removing originals on command, with a reason, on record first."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

from jobs.office import Office, permit
from settlement import procedure, store
from settlement.errors import ProcedureError
from settlement.store import kept

FINISHED = (procedure.CLOSED, procedure.RETURNED, procedure.CARRIED)


def held(home: store.Store) -> list[dict[str, Any]]:
    """Return what is kept of each month's originals.

    Returns:
        region, clr_ym, submissions, bytes on the disk, removed (how many are gone by command), finished.
    """
    with home.engine.connect() as db:
        rows, gone = kept.originals(db), kept.removed(db)
        open_months = kept.unfinished(db, FINISHED)
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        key = (row["region"], row["clr_ym"])
        month = found.setdefault(
            key,
            {"region": key[0], "clr_ym": key[1], "submissions": 0, "bytes": 0, "removed": 0,
             "finished": key not in open_months},
        )  # fmt: skip
        month["submissions"] += 1
        month["removed"] += row["kept"] in gone
        month["bytes"] += _size(home.home / row["kept"])
    return [found[key] for key in sorted(found)]


def remove(office: Office, before: dt.date, reason: str) -> list[dict[str, Any]]:
    """Remove the originals of months before a month; the typed rows, findings and payments stay.

    The log has an entry for each before any is touched, so `verify` knows them and the record says who took
    them away and why. Done again after a crash it takes away what is still there.

    Args:
        office: who does it; its region, or all where it is empty.
        before: first day of the first month that stays whole.
        reason: why, for the log.

    Returns:
        The originals that are on record as removed by this: region, clr_ym, name, kept, bytes.

    Raises:
        ProcedureError: no reason, no right to, or a month that is not finished.
    """
    act = permit(office, "retention", reason)
    if not reason.strip():
        raise ProcedureError("删除原始申报须写明理由:--reason。")
    with store.writing(office.home) as db:
        gone = kept.removed(db)
        mine = [
            row for row in kept.originals(db)
            if row["clr_ym"] < f"{before:%Y%m}" and office.region in ("", row["region"])
        ]  # fmt: skip
        busy = kept.unfinished(db, FINISHED) & {(row["region"], row["clr_ym"]) for row in mine}
        if busy:
            region, month = min(busy)
            raise ProcedureError(
                f"{region} {month} 还有未办结的批次,其原始申报不能删除。请先办结,或改 --before。"
            )
        new = [
            {**row, "bytes": _size(office.home.home / row["kept"])} for row in mine if row["kept"] not in gone
        ]
        for row in new:
            facts = {"digest": row["digest"], "bytes": row["bytes"]}
            entry = store.Act(act.actor, act.action, act.day, reason, row["region"], row["clr_ym"])
            store.log.write(
                db, entry, store.Change(f"{kept.ORIGINAL}{row['kept']}", facts, {"removed": True})
            )
    for row in mine:
        shutil.rmtree(office.home.home / row["kept"], ignore_errors=True)
    return new


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
