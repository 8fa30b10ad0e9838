"""The five sample months against the slow second opinion: shares, booking, payment to the 分."""

import csv
import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from jobs import auditing, books, monthly, taking_in
from jobs.office import Office
from settlement import policy, store
from settlement.audit import findings, opening
from tests import oracle

SAMPLES = Path(__file__).parent.parent / "sample_data"
MONTH, RECEIVED = dt.date(2026, 4, 1), dt.date(2026, 5, 8)
STEPS = ("fund_appy_sum", "det_sumamt", "dpst_sumamt", "act_dfr_amt", "carry_amt")


@pytest.mark.parametrize("region", policy.regions())
def test_a_sample_month_agrees_with_the_oracle(region: str, tmp_path: Path) -> None:
    office = Office(store.open_store(tmp_path), region, MONTH, RECEIVED)
    taking_in.load_reference(office, SAMPLES / region / "reference")
    taking_in.take_in(office, [SAMPLES / region / "submissions"], monthly.quiet)
    month = books.open_month(office)
    con, audited = auditing.audit(month)
    loaded = set(month.reference) | {opening.OPERATIONS}
    hits, not_run = findings.collect(con, month.rules, month.profile, loaded)
    settlements = con.sql("SELECT * FROM accepted_setl").pl().to_dicts()
    accepted = {s["setl_id"] for s in settlements}
    lines = [
        row for row in con.sql("SELECT * FROM accepted_line").pl().to_dicts() if row["setl_id"] in accepted
    ]
    con.close()
    # The robots uphold every 违规 and withdraw every 可疑: what is paid is what the first audit booked.
    monthly.unattended(office)
    payment = store.read_table(office.home, region, MONTH, "payment")

    assert not_run == {}
    found = hits.to_dicts()
    shares = {(f["rule_id"], f["setl_id"], f["bkkp_sn"] or ""): (f["part"], f["whole"]) for f in found}
    with (SAMPLES / region / "planted.csv").open(encoding="utf-8") as reader:
        planted = [row for row in csv.DictReader(reader) if row["kind"] == "finding"]
    assert shares == {
        (r["rule_or_reason"], r["setl_id"], r["bkkp_sn"]): (Decimal(r["part"]), Decimal(r["whole"]))
        for r in planted
    }
    amounts = oracle.risks(settlements, lines, found)
    booked = oracle.booked(found, amounts)
    ours = {
        (f["rule_id"], f["setl_id"], f["bkkp_sn"]): (f["risk_amt"], f["det_sumamt"])
        for f in audited.findings.iter_rows(named=True)
    }
    assert ours == {
        (f["rule_id"], f["setl_id"], f["bkkp_sn"]): tuple(Decimal(sum(m.values())) / 100 for m in (risk, det))
        for f, risk, det in zip(found, amounts, booked, strict=True)
    }
    assert any(det > 0 for _, det in ours.values())

    paid = {
        (row["fixmedins_code"], row["fund_pay_type"]): {n: oracle.fen(row[n]) for n in STEPS}
        for row in payment.iter_rows(named=True)
    }
    expected = oracle.payment(settlements, found, booked, Decimal("0.05"))
    assert paid == {key: {n: row[n] for n in STEPS} for key, row in expected.items()}
