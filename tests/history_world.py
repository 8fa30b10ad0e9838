"""Two small months of two hospitals: findings, a returned settlement, an id that both use."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path

from jobs import monthly
from settlement.audit import cases
from tests import submissions
from tests.submissions import HEALTHY, Office, Sent

MARCH, APRIL = dt.date(2026, 3, 1), dt.date(2026, 4, 1)
H1, H2, LATE = HEALTHY, "H13100000002", "H13100000003"
SHARED = "SAME"
CAP = {"hilist_code": "001", "hilist_lmtpric_type": "3", "hilist_pric_uplmt_amt": 10}
TODAY = {MARCH: dt.date(2026, 4, 8), APRIL: dt.date(2026, 5, 8)}


def month(code: str, first: dt.date, settlements: int = 12, shared: bool = False) -> Sent:
    """A hospital's month; the second line of each settlement is dearer than its limit, one row is faulty."""
    sent = dataclasses.replace(submissions.valid(code, settlements), clr_ym=f"{first:%Y%m}")
    for number, row in enumerate(sent.rows["setl_d"]):
        was, at = row["setl_id"], first.replace(day=2 + number)
        ident = SHARED if shared and number == 0 else f"{first:%m}{was}"
        sent.change("setl_d", number, setl_id=ident, mdtrt_id=f"M{was}", begndate=str(at), enddate=str(at),
                    setl_time=f"{at} 10:00:00", psn_name=f"=张{number}")  # fmt: skip
        for place, line in enumerate(sent.rows["fee_list_d"]):
            if line["setl_id"] == was:
                sent.change("fee_list_d", place, setl_id=ident, mdtrt_id=f"M{was}",
                            fee_ocur_time=f"{at} 09:00:00")  # fmt: skip
    return sent.totals().change("setl_d", settlements - 1, gend="?")


def office(folder: Path) -> Office:
    """A home with the reference data of three hospitals."""
    made = Office(folder, [H1, H2, LATE])
    made.load("price_limit", cases.reference("price_limit", [CAP]))
    return made


def take(made: Office, first: dt.date, folder: Path) -> None:
    """Take a month of both hospitals in."""
    shared = first == APRIL
    paths = [month(code, first, shared=shared).folder(folder / f"{first:%m}") for code in (H1, H2)]
    taken = made.take(*paths, month=first)
    assert [t.outcome for t in taken.values()] == ["已受理"] * 2


def run(made: Office, first: dt.date) -> None:
    """Let robots walk a month up to the bank files."""
    monthly.unattended(made.desk(first))


def build(folder: Path) -> Office:
    """Two finished months."""
    made = office(folder / "home")
    for first in (MARCH, APRIL):
        take(made, first, folder / "in")
        run(made, first)
    return made
