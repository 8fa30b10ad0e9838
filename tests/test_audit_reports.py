"""Ready-made reports for auditors, and months side by side."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from unittest import mock

import duckdb
import openpyxl
import polars as pl
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs import audit_reports, auditing, late_report, scope, trends, whatif
from jobs.scope import Scope
from schemas.funds import FUNDS
from settlement import policy, store
from settlement.errors import ProcedureError, SettlementError
from settlement.store import evidence, users
from settlement.trends import Alert, Stored, alerts_of
from settlement.trends import trends as told_by
from tests import submissions
from tests.audit_world import APRIL, FEBRUARY, H1, H2, H3, LATE, MARCH, person
from tests.submissions import HEALTHY, Office

MONEY = pl.Decimal(16, 2)
AFTER = dt.date(2026, 5, 22)


def covering(office: Office, today: dt.date = AFTER, months: tuple | None = None) -> Scope:
    return scope.of(dataclasses.replace(office.desk(APRIL), today=today), office.region, months)


def sheets(office: Office, name: str, folder: Path, **wish) -> dict[str, list[dict]]:
    """Write a report twice; return its rows by sheet."""
    first = audit_reports.report(covering(office, **wish), name, folder / "a")
    again = audit_reports.report(covering(office, **wish), name, folder / "b")
    assert first.path.read_bytes() == again.path.read_bytes()
    assert openpyxl.load_workbook(first.path).sheetnames == list(first.sheets)
    return first.sheets


# --- which months -----------------------------------------------------------------------------


def test_a_scope_is_the_months_on_record(three_months: Office) -> None:
    every = covering(three_months)

    assert every.months == ["202602", "202603", "202604"]
    assert covering(three_months, months=(MARCH, MARCH)).months == ["202603"]
    with pytest.raises(SettlementError, match="2027"):
        covering(three_months, months=(dt.date(2027, 1, 1), dt.date(2027, 1, 1)))


def test_an_unknown_report_is_told(three_months: Office, tmp_path: Path) -> None:
    with pytest.raises(SettlementError, match="overruled"):
        audit_reports.report(covering(three_months), "secrets", tmp_path)
    assert set(audit_reports.titles("en")) == set(audit_reports.REPORTS)


# --- overruled --------------------------------------------------------------------------------


def test_what_a_reviewer_gave_up_is_listed_and_summed(three_months: Office, tmp_path: Path) -> None:
    told = sheets(three_months, "overruled", tmp_path)
    withdrawn, halved = told["逐条"]
    [by_rule], [by_place], [by_person] = (told[n] for n in ("按规则", "按机构", "按复审人"))

    assert (withdrawn["decision"], halved["decision"]) == ("撤销", "部分维持")
    assert (withdrawn["limit_amt"], withdrawn["final_amt"], withdrawn["lost"]) == (2, 0, 2)
    assert (halved["limit_amt"], halved["final_amt"], halved["lost"]) == (2, 1, 1)
    assert (withdrawn["reviewer"], withdrawn["decided_on"]) == ("wang同志", dt.date(2026, 5, 20))
    # Of all decided findings of the three months, of H1 alone, and of the reviewer who decided by hand.
    sums = [(r["findings"], r["withdrawn"], r["partly"], r["lost"]) for r in (by_rule, by_place, by_person)]
    assert sums == [(49, 1, 1, 3), (32, 1, 1, 3), (20, 1, 1, 3)]
    assert by_rule["share"] == pytest.approx(2 / 49)
    said = json.dumps(told, ensure_ascii=False, default=str)
    assert "理由成立" in said
    assert [n for n in range(200) for v in person(n).values() if v in said] == []


# --- duties -----------------------------------------------------------------------------------


def test_who_did_what_is_read_from_the_work(three_months: Office, tmp_path: Path) -> None:
    told = sheets(three_months, "duties", tmp_path)
    rows = [r for r in told["批次"] if r["clr_ym"] == "202604"]

    assert len(told["批次"]) == 6
    assert [(r["first_by"], r["second_by"], r["leader_by"], r["finance_by"]) for r in rows] == [
        ("li同志", "wang同志", "chen同志", "sun同志")
    ] * 2
    days = ("first_on", "second_on", "leader_on", "finance_on")
    assert {r[day] for r in rows for day in days[1:]} == {dt.date(2026, 5, 20)}
    assert {r["first_on"] for r in rows} == {dt.date(2026, 5, 8)}
    assert told["冲突"] == []
    people = {r["actor"]: r for r in told["人员"]}
    assert (people["wang"]["second_cnt"], people["wang"]["duties"], people["wang"]["automatic"]) == (2, 1, "")
    assert (people["robot_leader"]["leader_cnt"], people["robot_leader"]["automatic"]) == (4, "是")


def test_a_conflict_would_be_shown_and_a_refusal_is(three_months: Office, tmp_path: Path) -> None:
    with pytest.raises(ProcedureError):
        users.permit(three_months.home, three_months.desk(APRIL).by("sun").act("approve"))
    real = evidence.duties_done

    def forged(*given) -> pl.DataFrame:
        rows = real(*given)
        return pl.concat([rows, rows.filter(pl.col("actor") == "wang").with_columns(duty=pl.lit("finance"))])

    with mock.patch.object(evidence, "duties_done", forged):
        told = sheets(three_months, "duties", tmp_path)

    assert [(r["fixmedins_code"], r["actor"], r["duties_held"]) for r in told["冲突"]] == [
        (H1, "wang", "财务岗、复审岗"), (H3, "wang", "财务岗、复审岗"),
    ]  # fmt: skip
    assert [r["conflict"] for r in told["批次"] if r["clr_ym"] == "202604"] == ["wang", "wang"]
    [refused] = [r for r in told["被拒绝的操作"] if r["action"] == "核准"]
    assert refused["actor"] == "sun"
    assert "不能办理核准" in refused["words"]


# --- parameters -------------------------------------------------------------------------------


def test_a_changed_parameter_table_and_rule_are_told_between_runs(tmp_path: Path) -> None:
    office = Office(tmp_path / "home", [HEALTHY])
    office.take(submissions.valid(settlements=1).folder(tmp_path))
    auditing.run_audit(office.desk())
    office.load("agreement", submissions.reference([HEALTHY, H3])["agreement"])
    loaded = policy.load
    with mock.patch.object(policy, "load", lambda r: whatif.with_values(loaded(r), {"rx_days_plain": "9"})):
        auditing.run_audit(office.desk())

    told = sheets(office, "parameters", tmp_path)

    assert [(r["what"], r["name"], r["before"], r["after"]) for r in told["变更"] if r["what"] == "参数"] == [
        ("参数", "rx_days_plain", "7", "9")
    ]
    [changed] = [r for r in told["变更"] if r["what"] == "参考表"]
    assert changed["name"] == "agreement"
    versions = [r for r in told["参考表版本"] if r["name"] == "agreement"]
    assert [(r["value"], r["months"]) for r in versions if r["months"]] == [(changed["after"], 1)]
    assert changed["before"] in {r["value"] for r in versions}
    [used] = [r for r in told["参数"] if r["name"] == "rx_days_plain"]
    assert (used["value"], used["used_from"], used["used_to"]) == ("9", "202604", "202604")
    assert len(told["规则版本"]) == 86


# --- late -------------------------------------------------------------------------------------


def test_nothing_is_late_while_the_clock_runs(three_months: Office, tmp_path: Path) -> None:
    told = sheets(three_months, "late", tmp_path)

    assert told["超期批次"] == told["停留时间"] == []
    # The bank has been silent for too long on the first two; the last was ordered two days ago.
    assert [(r["clr_ym"], r["batches"], r["late"], r["open"]) for r in told["按期情况"]] == [
        ("202602", 2, 0, 2), ("202603", 2, 0, 2), ("202604", 2, 0, 0),
    ]  # fmt: skip


def test_a_bank_that_stays_silent_is_with_whom_it_lay_longest(three_months: Office, tmp_path: Path) -> None:
    told = sheets(three_months, "late", tmp_path, today=LATE)
    late = next(r for r in told["超期批次"] if r["clr_ym"] == "202604" and r["fixmedins_code"] == H1)
    stays = [r for r in told["停留时间"] if r["clr_ym"] == "202604" and r["fixmedins_code"] == H1]
    days = three_months.desk().calendar()

    assert late["days_over"] == days.remaining(late["limit_on"], LATE) > 0
    assert (late["longest_role"], late["longest_days"]) == (
        "银行",
        days.remaining(dt.date(2026, 5, 20), LATE),
    )
    waits = {(r["state"], r["role"]): (r["workdays"], r["until"]) for r in stays}
    # Five working days to answer (one a make-up Saturday), and four more until the window was closed.
    assert waits["待反馈", "定点机构"] == (5, dt.date(2026, 5, 14))
    assert waits["待反馈", "复审岗"] == (4, dt.date(2026, 5, 20))
    assert sum(r["workdays"] for r in stays) == days.remaining(dt.date(2026, 5, 8), LATE)
    assert [(r["late_open"], r["worst"]) for r in told["按期情况"]] == [(2, late["days_over"])] * 3


def test_with_whom_a_batch_lies_is_known_for_every_state() -> None:
    over = {"RETURNED", "CLOSED"}
    assert set(late_report.WITH) | over == set(late_report.p.STATES)


# --- trends -----------------------------------------------------------------------------------

TABLES = {
    "settlements": {"setl_id": pl.String, "fixmedins_code": pl.String, "insutype": pl.String,
                    "med_type": pl.String, "clr_type": pl.String, "fund_pay_sumamt": MONEY,
                    "medfee_sumamt": MONEY, **{f.column: MONEY for f in FUNDS}},
    "findings": {"setl_id": pl.String, "rule_id": pl.String, "risk_amt": MONEY, "det_sumamt": MONEY,
                 "final_det_sumamt": MONEY},
    "finding_funds": {"finding_id": pl.String, "fund_pay_type": pl.String, "final_det_sumamt": MONEY},
}  # fmt: skip


def stored(folder: Path, clr_ym: str, amounts: dict[str, list[str]], lost: str = "0") -> Stored:
    """A month in which institutions claim amounts; `lost` is deducted from the first settlement."""
    zero = dict.fromkeys((f.column for f in FUNDS), Decimal(0))
    rows = [
        {**zero, "setl_id": f"{code}{clr_ym}{n}", "fixmedins_code": code, "insutype": "310", "med_type": "11",
         "clr_type": "11", "fund_pay_sumamt": Decimal(a), "medfee_sumamt": 2 * Decimal(a),
         "hifp_pay": Decimal(a)}
        for code, each in amounts.items() for n, a in enumerate(each)
    ]  # fmt: skip
    money = dict.fromkeys(("risk_amt", "det_sumamt", "final_det_sumamt"), Decimal(lost))
    found = [{"setl_id": rows[0]["setl_id"], "rule_id": "A01", **money}] if rows and Decimal(lost) else []
    funds = [{"finding_id": "f", "fund_pay_type": "310100", **money}] if found else []
    folder.mkdir(exist_ok=True)
    paths = {name: folder / f"{clr_ym}_{name}.parquet" for name in TABLES}
    for (name, schema), table in zip(TABLES.items(), (rows, found, funds), strict=True):
        pl.DataFrame([{k: r[k] for k in schema} for r in table], schema=schema).write_parquet(paths[name])
    return Stored(clr_ym, *paths.values(), payment=None)


def by_institution(*months: Stored, alert: Alert | None = None) -> dict[tuple[str, str], dict]:
    with duckdb.connect() as con:
        found = told_by(con, months, alert or Alert())
    return {(r["key"], r["clr_ym"]): r for r in found["institution"].to_dicts()}


@pytest.mark.parametrize(
    ("before", "now", "alerts"),
    [
        (["100"] * 10, ["130"] * 10, ""),  # exactly 30 %
        (["100"] * 10, ["130"] * 9 + ["130.11"], "claimed|medfee|average"),
        (["100"] * 10, ["70"] * 10, ""),
        (["100"] * 10, ["69.99"] * 10, "claimed|medfee|average"),
        (["99.99"] * 10, ["300"] * 10, ""),  # a base of 999.90
        (["1000"] * 9, ["3000"] * 9, ""),  # nine settlements
        (["100"] * 10, ["100"] * 14, "settlements|claimed|medfee"),
        (["-100"] * 10, ["100"] * 10, ""),  # no share of a negative base
    ],
)
def test_an_alert_needs_more_than_the_share_of_a_base_that_is_large_enough(
    tmp_path: Path, before, now, alerts
) -> None:
    rows = by_institution(stored(tmp_path, "202603", {"H": before}), stored(tmp_path, "202604", {"H": now}))

    assert rows["H", "202604"]["alerts"] == alerts
    assert rows["H", "202604"]["small"] == (before[0] in ("99.99", "1000", "-100"))
    assert rows["H", "202603"]["alerts"] == ""


def test_what_is_new_and_what_is_gone(tmp_path: Path) -> None:
    rows = by_institution(
        stored(tmp_path, "202612", {"A": ["100"] * 20, "B": ["100"] * 20}),
        stored(tmp_path, "202701", {"A": ["100"] * 20, "C": ["100"] * 20, "D": ["1"]}),
        stored(tmp_path, "202703", {"A": ["500"] * 20}),
    )

    assert rows["B", "202701"]["claimed"] == 0
    assert rows["B", "202701"]["claimed_change"] == -1
    assert rows["B", "202701"]["alerts"] == "settlements|claimed|medfee"
    assert rows["C", "202701"]["alerts"] == "new"
    assert rows["D", "202701"]["alerts"] == ""
    # February is not on record: March stands alone, and nobody is missed or new in it.
    assert rows["A", "202703"]["claimed_change"] is None
    assert {key for key in rows if key[1] == "202703"} == {("A", "202703")}
    assert rows["A", "202703"]["alerts"] == ""
    assert {month for _, month in rows} == {"202612", "202701", "202703"}


@settings(max_examples=30)
@given(st.integers(1, 10**9), st.integers(-(10**9), 10**9), st.integers(1, 50))
def test_ratios_are_exact_to_four_places_half_up(tmp_path_factory, before, now, count) -> None:
    folder = tmp_path_factory.mktemp("t")
    first = [str(Decimal(before).scaleb(-2)), *["0"] * (count - 1)]
    rows = by_institution(
        stored(folder, "202603", {"H": first}),
        stored(folder, "202604", {"H": [str(Decimal(now).scaleb(-2))]}, "0.05"),
    )
    four, two = Decimal("0.0001"), Decimal("0.01")

    change = (Decimal(now - before) / before).quantize(four, ROUND_HALF_UP)
    assert rows["H", "202604"]["claimed_change"] == change
    average = (Decimal(2 * before).scaleb(-2) / count).quantize(two, ROUND_HALF_UP)
    assert rows["H", "202603"]["average"] == average
    rate = (Decimal(5) / now).quantize(four, ROUND_HALF_UP) if now > 0 else None
    assert rows["H", "202604"]["refusal_rate"] == rate


def test_the_trends_are_what_the_published_tables_add_up_to(three_months: Office, tmp_path: Path) -> None:
    told = trends.tell(covering(three_months), Alert(), tmp_path)
    wanted: dict[tuple, Decimal] = defaultdict(Decimal)
    for first in (FEBRUARY, MARCH, APRIL):
        rows = {
            name: store.read_table(three_months.home, three_months.region, first, name).to_dicts()
            for name in ("settlements", "findings", "finding_funds", "payment")
        }
        ym = f"{first:%Y%m}"
        for s in rows["settlements"]:
            for name, key in (
                ("institution", s["fixmedins_code"]),
                ("med_type", s["med_type"]),
                ("total", ""),
            ):
                wanted[name, key, ym, "settlements"] += 1
                wanted[name, key, ym, "claimed"] += s["fund_pay_sumamt"] + s["acct_pay"]
        for f in rows["findings"]:
            wanted["rule", f["rule_id"], ym, "deducted"] += f["final_det_sumamt"]
            wanted["institution", f["fixmedins_code"], ym, "deducted"] += f["final_det_sumamt"]
        for p in rows["payment"]:
            wanted["fund", p["fund_pay_type"], ym, "paid"] += p["act_dfr_amt"]
            wanted["institution", p["fixmedins_code"], ym, "paid"] += p["act_dfr_amt"]
        for f in rows["finding_funds"]:
            wanted["fund", f["fund_pay_type"], ym, "deducted"] += f["final_det_sumamt"]

    for (name, key, ym, measure), value in wanted.items():
        at = (pl.col("key") == key) & (pl.col("clr_ym") == ym)
        assert told.found[name].filter(at)[measure].item() == value, (name, key, ym, measure)
    assert told.found["institution"].filter(pl.col("key") == H2)["settlements"].to_list() == [20, 21, 0]


def test_trends_are_written_as_a_workbook_with_charts_and_as_data(
    three_months: Office, tmp_path: Path
) -> None:
    told = trends.tell(covering(three_months), Alert(), tmp_path / "a")
    again = trends.tell(covering(three_months), Alert(), tmp_path / "b")

    assert [p.read_bytes() for p in told.files] == [p.read_bytes() for p in again.files]
    book = openpyxl.load_workbook(told.files[0])
    assert book.sheetnames == ["图表", "预警", "全部", "机构", "规则", "基金", "医疗类别", "清算类别"]
    assert len(book["图表"]._charts) == 5
    marked = [rule.formula[0] for found in book["机构"].conditional_formatting for rule in found.rules]
    assert any("申报金额" in formula for formula in marked)
    data = pl.read_parquet(
        next(p for p in told.files if p.name.startswith("trend_institution") and p.suffix == ".parquet")
    )
    assert data.drop("name").equals(told.found["institution"])
    listed = book["预警"].max_row - 4  # title, subtitle, header, note
    assert listed == told.alerts.height == alerts_of(told.found).height
    alerts = told.alerts.filter((pl.col("dimension") == "institution") & (pl.col("measure") == "claimed"))
    assert alerts.select("clr_ym", "key", "change").rows() == [("202603", H1, Decimal("0.5000"))]
    assert told.alerts.filter(pl.col("measure") == "new")["key"].to_list() == [H3]


def test_nothing_stored_is_told() -> None:
    with duckdb.connect() as con, pytest.raises(SettlementError, match="没有"):
        told_by(con, [], Alert())


def test_what_auditors_ask_can_be_asked_of_both_databases(engine: sa.Engine) -> None:
    with engine.connect() as db:
        assert evidence.head(db, "langfang", "202604") == (0, "")
        assert evidence.stored_months(db) == evidence.stored_months(db, "langfang") == []
        for rows in (
            evidence.log_of(db, "langfang", "202604"), evidence.refused(db, None),
            evidence.refused(db, "langfang"), evidence.every_reply(db, "langfang", "202604"),
            evidence.every_decision(db, "langfang", "202604"), evidence.references(db, "langfang"),
            evidence.batches_of(db, None), evidence.batches_of(db, "langfang"), evidence.duties_held(db),
            evidence.duties_done(db, ("PRELIM",), "review"), evidence.actors_of_steps(db),
        ):  # fmt: skip
            assert rows.is_empty()
            assert rows.width > 2
