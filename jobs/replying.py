"""Feedback 反馈: tell institutions what was found, take in what they answer, close windows that are over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from jobs import documents, outgoing, standing
from jobs.books import Month, open_month
from jobs.office import Office, chosen, permit
from jobs.progress import Progress, quiet
from jobs.settling import Moved
from settlement import procedure, store
from settlement.errors import ProcedureError
from settlement.feedback import checking, columns, reading
from settlement.feedback.model import Checked, Letter
from settlement.reports.feedback_sheet import write_letters
from settlement.store import batches, findings, users
from settlement.store.batches import Batch
from settlement.store.findings import Notice


def notify(office: Office, codes: Sequence[str] = (), progress: Progress = quiet) -> Moved:
    """Send every audited institution what was found; the feedback window opens.

    The workbooks of institutions told before are written again where they are missing.

    Raises:
        ProcedureError: the actor may not send, or another process has just done so.
    """
    act = permit(office, "notify")
    ready = chosen(office, (procedure.PRELIM,), codes)
    month = open_month(office)
    if ready:
        sent = standing.sent(office)
        calendar = office.calendar()
        days = int(month.profile.value("feedback_days", month.last))
        told = _notices(office, ready, sent, calendar.add(office.today, days))
        with store.writing(office.home) as db:
            batches.unmoved(db, ready)
            if office.actor != procedure.MACHINE:
                batches.take_duty(db, act, ready, procedure.FIRST_REVIEW)
            findings.record_notices(db, {b.id: (b.run_id or 0, told[b.fixmedins_code]) for b in ready})
            batches.move(
                db, act, ready, procedure.FEEDBACK, {"answer_by": str(calendar.add(office.today, days))}
            )
            outgoing.announce(db, office, [b.fixmedins_code for b in ready], "notice")
    write_notices(office, month, progress)
    return Moved([b.fixmedins_code for b in ready], {})


def _notices(office: Office, ready: list[Batch], sent: pl.DataFrame, answer_by: dt.date) -> dict[str, Notice]:
    mine = [b.fixmedins_code for b in ready]
    digests = columns.digest_of(sent.filter(pl.col("fixmedins_code").is_in(mine)))
    return {
        b.fixmedins_code: Notice(
            f"{office.region}-{office.clr_ym}-{b.fixmedins_code}-{b.run_id}",
            office.today,
            answer_by,
            digests.get(b.fixmedins_code, columns.NO_FINDINGS),
        )
        for b in ready
    }


def write_notices(
    office: Office, month: Month, progress: Progress = quiet, codes: Sequence[str] = ()
) -> list[Path]:
    """Write the feedback workbooks of everyone who was told, or of some; same facts, same bytes."""
    with office.home.engine.connect() as db:
        told = findings.notices(db, office.region, office.clr_ym, codes)
    sent = standing.audit_table(office, _told_batches(office, told), standing.DETAILS, standing.DETAIL_SCHEMA)
    calendar = office.calendar()
    names = month.names()
    letters = [
        Letter(
            region=office.region,
            label=month.profile.label,
            month=office.first,
            fixmedins_code=code,
            fixmedins_name=names.get(code, code),
            notice_no=notice.number,
            sent_on=notice.sent_on,
            answer_by=notice.answer_by,
            answer_days=calendar.remaining(notice.sent_on, notice.answer_by),
            contact=office.home.settings.contact,
            deadline_on=month.deadline(code, calendar),
            digest=notice.digest,
            lang=office.lang,
        )
        for code, notice in sorted(told.items())
    ]
    folder = office.home.month_folder(office.region, office.first)
    total = len(letters)
    return write_letters(letters, sent, folder, progress=lambda done, _: progress("反馈单", done, total))


def _told_batches(office: Office, told: dict[str, Notice]) -> list[Batch]:
    live = [s for s in procedure.STATES if s != procedure.RETURNED]
    return [b for b in chosen(office, live) if b.fixmedins_code in told]


@dataclass(frozen=True)
class Answered:
    """What came of replies: how many answers were recorded anew, and every row that was not taken."""

    recorded: int
    taken: int
    refused: pl.DataFrame
    report: Path | None


def reply(office: Office, paths: list[Path]) -> Answered:
    """Take in feedback workbooks or CSV files: what can be taken is taken, the rest is listed by cell.

    Raises:
        ProcedureError: the actor may not enter replies.
    """
    act = permit(office, "reply")
    own = users.find(office.home, office.actor).fixmedins_code or None
    files = _files(paths)
    kept = [store.keep_copy(office.home, path) for path in files]
    read = reading.read_replies(files)
    sent = standing.sent(office)
    with store.writing(office.home) as db:
        checked = checking.check(read, sent, _windows(db, office), office.today, own)
        known = findings.current(db, office.region, office.clr_ym)
        recorded = findings.record_replies(db, act, known, checked.taken)
        if recorded or checked.refused.height:
            store.log.write(db, act, *_told(files, kept, checked, recorded))
    return Answered(recorded, checked.taken.height, checked.refused, _report(office, checked))


def _files(paths: list[Path]) -> list[Path]:
    """The files named, and those in the folders named, in order."""
    found: list[Path] = []
    for path in paths:
        inside = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        found += [p for p in inside if not p.name.startswith((".", "~$"))]
    return found


def _windows(db: store.Connection, office: Office) -> pl.DataFrame:
    """How each institution's window stands: fixmedins_code, state, answer_by, digest, notice_no."""
    told = findings.notices(db, office.region, office.clr_ym)
    rows = [
        (b.fixmedins_code, b.state, n.answer_by, n.digest, n.number)
        for b in batches.find(db, office.region, office.clr_ym)
        if b.state != procedure.RETURNED and (n := told.get(b.fixmedins_code))
    ]
    schema = {"fixmedins_code": pl.String, "state": pl.String, "answer_by": pl.Date, "digest": pl.String,
              "notice_no": pl.String}  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row")


def _told(
    files: list[Path], kept: list[tuple[str, str]], checked: Checked, recorded: int
) -> list[store.Change]:
    facts: dict[str, Any] = {
        "recorded": recorded,
        "taken": checked.taken.height,
        "refused": checked.refused.height,
    }
    return [
        store.Change(f"reply:{path.name}", {}, {**facts, "digest": digest, "kept": place})
        for path, (place, digest) in zip(files, kept, strict=True)
    ]


def _report(office: Office, checked: Checked) -> Path | None:
    """Write what was not taken where the institution's clerk finds it."""
    if checked.refused.is_empty():
        return None
    path = office.home.month_folder(office.region, office.first) / "05_申诉表_未采纳.csv"
    return documents.write_list(checked.refused, path, office.lang)


def close_feedback(office: Office, codes: Sequence[str] = ()) -> Moved:
    """Close every feedback window that is over, or in which everything was answered.

    Silence at the end of the window counts as accepted.
    """
    act = permit(office, "close_feedback")
    waiting: dict[str, str] = {}
    with office.home.engine.connect() as db:
        told = findings.notices(db, office.region, office.clr_ym)
        at_feedback = batches.find(db, office.region, office.clr_ym, (procedure.FEEDBACK,), codes)
        unanswered = findings.unanswered(db, at_feedback)
    over = []
    for batch in at_feedback:
        until = told[batch.fixmedins_code].answer_by
        if office.today > until or batch.id not in unanswered:
            over.append(batch)
        else:
            waiting[batch.fixmedins_code] = f"反馈期至 {until},尚有未答复的疑点"
    if over:
        with store.writing(office.home) as db:
            batches.unmoved(db, over)
            batches.move(db, act, over, procedure.REVIEW)
    return Moved([b.fixmedins_code for b in over], waiting)


def robot_reply(office: Office) -> int:
    """Let the robot institution accept every finding that has no answer yet."""
    act = permit(office, "reply")
    with store.writing(office.home) as db:
        known = findings.current(db, office.region, office.clr_ym)
        open_now = [b.id for b in batches.find(db, office.region, office.clr_ym, (procedure.FEEDBACK,))]
        answered = findings.replies(db, office.region, office.clr_ym)
        rows = known.filter(pl.col("batch_id").is_in(open_now)).join(answered, on="finding_id", how="anti")
        taken = rows.select(
            "finding_id",
            pl.lit(procedure.AGREED).alias("answer"),
            pl.col("limit_amt").alias("agreed_amt"),
            *(pl.lit("").alias(n) for n in ("reason", "attachments", "filled_by", "filled_on", "place")),
        )
        count = findings.record_replies(db, act, known, taken)
        if count:
            store.log.write(db, act, store.Change("reply:robot", {}, {"recorded": count}))
    return count


def need_live(office: Office) -> None:
    """Raise ProcedureError when the month has no batch awaiting a reply."""
    if not chosen(office, (procedure.FEEDBACK,)):
        raise ProcedureError(f"{office.region} {office.first:%Y-%m} 没有待反馈的批次。")
