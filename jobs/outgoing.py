"""What goes out to institutions: recorded with the step that causes it, sent later."""

from __future__ import annotations

from collections.abc import Sequence

from jobs.office import Office
from settlement import store
from settlement.labels import label
from settlement.reports.prepare import folder_name
from settlement.store import mail

PAPERS = {
    "notice": ("04_初审反馈单.xlsx", "05_申诉表.csv"),
    "reminder": ("04_初审反馈单.xlsx",),
    "statement": ("02_月结算单.xlsx", "03_审核扣款明细表.xlsx", "06_复审意见表.xlsx"),
}


def announce(db: store.Connection, office: Office, codes: Sequence[str], kind: str, mark: str = "") -> int:
    """Put a message to institutions on record; the same one a second time has no effect.

    Args:
        db: the writing transaction of the step.
        office: whose month.
        codes: institutions.
        kind: a key of `PAPERS`.
        mark: tells messages of one kind apart, such as the day of a reminder.
    """
    base = f"{office.region}/{office.first:%Y-%m}/institutions"
    month = label("msg.month", office.lang).format(year=office.first.year, month=office.first.month)
    rows = [
        {
            "region": office.region,
            "clr_ym": office.clr_ym,
            "fixmedins_code": code,
            "kind": kind,
            "subject": label(f"mail.{kind}.subject", office.lang).format(month=month),
            "body": label(f"mail.{kind}.body", office.lang).format(month=month, code=code),
            "paths": [f"{base}/{folder_name(code)}/{name}" for name in PAPERS[kind]],
            "digest": mark,
            "day": office.today,
        }
        for code in codes
    ]
    return mail.put(db, rows)
