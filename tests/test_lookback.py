"""Rules over two stored months: look-back, regions' switches, what-if, statistics over months."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal
from pathlib import Path
from unittest import mock

import duckdb
import polars as pl
import pytest

from jobs import auditing, books, monthly, rule_months, standing, whatif
from settlement import policy, store
from settlement.audit import cases, engine, rules_file
from settlement.errors import InvariantBroken, PolicyError
from settlement.policy import Switch
from settlement.review import booking
from tests import submissions
from tests.submissions import HEALTHY, Office, Sent

MARCH, APRIL = dt.date(2026, 3, 1), dt.date(2026, 4, 1)
TEST, CODE = "B07", "002503020030000"
CYCLE = {"hilist_code": CODE, "hilist_name": "糖化血红蛋白", "max_cnt": 1, "cycle_days": 15}


def month(first: dt.date, day: int, settlements: int = 1) -> Sent:
    """A month of settlements on one day, each with one line of the limited test."""
    sent = submissions.valid(settlements=settlements, lines=1)
    sent = dataclasses.replace(sent, clr_ym=f"{first:%Y%m}")
    at = first.replace(day=day)
    for number, row in enumerate(sent.rows["setl_d"]):
        ident = f"{first:%m}{row['setl_id']}"
        sent.change("setl_d", number, setl_id=ident, mdtrt_id=f"M{ident}", begndate=str(at), enddate=str(at),
                    setl_time=f"{at} 10:00:00")  # fmt: skip
        sent.change("fee_list_d", number, setl_id=ident, mdtrt_id=f"M{ident}", hilist_code=CODE,
                    fee_ocur_time=f"{at} 09:00:00")  # fmt: skip
    return sent.totals()


def reverse(sent: Sent, ident: str) -> Sent:
    """Add the reversal of a settlement that an earlier month claimed."""
    setl, line = dict(sent.rows["setl_d"][0]), dict(sent.rows["fee_list_d"][0])
    for name in (*(c.name for c in submissions.TABLES["setl_d"].columns if c.is_decimal),):
        if setl.get(name):
            setl[name] = str(-Decimal(setl[name]))
    setl |= {"setl_id": f"R{ident}", "init_setl_id": ident, "refd_setl_flag": "1"}
    line |= {"setl_id": f"R{ident}", "init_feedetl_sn": line["bkkp_sn"]}
    for name in ("cnt", "det_item_fee_sumamt", "preselfpay_amt", "inscp_amt"):
        line[name] = str(-Decimal(line[name]))
    sent.rows["setl_d"].append(setl)
    sent.rows["fee_list_d"].append(line)
    return sent.totals()


@pytest.fixture
def office(tmp_path: Path) -> Office:
    made = Office(tmp_path / "home", [HEALTHY])
    made.load("kb_cycle", cases.reference("kb_cycle", [CYCLE]))
    return made


def audited(office: Office, first: dt.date, sent: Sent, folder: Path) -> pl.DataFrame:
    """Take a month in, audit it and return its findings."""
    taken = office.take(sent.folder(folder / f"{first:%m}"), month=first)
    assert [t.outcome for t in taken.values()] == ["已受理"]
    auditing.run_audit(office.desk(first))
    return store.read_table(office.home, office.region, first, "findings")


@pytest.mark.parametrize(("day", "hits"), [(11, 1), (12, 0)])  # 15 days from 28 March is 12 April
def test_a_line_of_the_month_before_counts_within_its_window(office, tmp_path, day, hits) -> None:
    assert audited(office, MARCH, month(MARCH, 28), tmp_path).is_empty()

    found = audited(office, APRIL, month(APRIL, day), tmp_path)

    assert found["rule_id"].to_list() == [TEST] * hits
    assert found["related"].str.contains("03").all()


def test_what_this_month_reverses_of_an_earlier_one_no_longer_counts(office, tmp_path) -> None:
    audited(office, MARCH, month(MARCH, 28), tmp_path)
    ident = month(MARCH, 28).rows["setl_d"][0]["setl_id"]

    assert audited(office, APRIL, reverse(month(APRIL, 5), ident), tmp_path).is_empty()


def test_the_fingerprint_covers_the_months_looked_back_to(office, tmp_path) -> None:
    audited(office, APRIL, month(APRIL, 5), tmp_path)
    before = store.read_run(office.home, office.region, APRIL)
    audited(office, MARCH, month(MARCH, 28), tmp_path)

    auditing.run_audit(office.desk(APRIL))
    after = store.read_run(office.home, office.region, APRIL)

    assert before["past"] == {}
    assert list(after["past"]) == ["2026-03"]
    assert before["fingerprint"] != after["fingerprint"]


# --- how a region runs a rule ----------------------------------------------------------------


def switched(*switches: tuple[dt.date, str, str]):
    """Load profiles in which the region runs the rule another way."""
    loaded = policy.load

    def load(region: str) -> policy.Profile:
        dated = tuple(Switch(start, status, grade, "list", "试行") for start, status, grade in switches)
        return dataclasses.replace(loaded(region), rules={TEST: dated})

    return mock.patch.object(policy, "load", load)


LONG_AGO = dt.date(2020, 1, 1)


def test_a_trial_rule_reports_and_can_never_cost_anything(office, tmp_path) -> None:
    with switched((LONG_AGO, "trial", "可疑")):
        audited(office, MARCH, month(MARCH, 28), tmp_path)
        found = audited(office, APRIL, month(APRIL, 5), tmp_path)
    [row] = found.to_dicts()

    assert (row["rule_status"], row["grade"]) == ("trial", "可疑")
    assert row["risk_amt"] > 0
    assert row["det_sumamt"] == 0
    assert row["vola_cont"].startswith("【试行")
    assert row["vola_cont_en"].startswith("[trial")
    [limit] = standing.sent(office.desk(APRIL))["limit_amt"].to_list()
    assert limit == 0
    upheld = pl.DataFrame(
        [{"finding_id": row["finding_id"], "decision": "维持", "final_amt": row["risk_amt"]}],
        schema={"finding_id": pl.String, "decision": pl.String, "final_amt": pl.Decimal(16, 2)},
    )
    now = standing.standing(office.desk(APRIL))
    with pytest.raises(InvariantBroken, match="上限"):
        booking.book(now.findings, now.finding_funds, upheld, now.risk_funds)


def test_a_retired_rule_does_not_run_and_the_run_says_so(office, tmp_path) -> None:
    with switched((LONG_AGO, "retired", "")):
        audited(office, MARCH, month(MARCH, 28), tmp_path)
        found = audited(office, APRIL, month(APRIL, 5), tmp_path)

    assert found.is_empty()
    assert store.read_run(office.home, office.region, APRIL)["rules_not_run"][TEST] == []


@pytest.mark.parametrize(("since", "grade"), [(APRIL, "可疑"), (dt.date(2026, 4, 6), "违规")])
def test_a_grade_counts_from_its_day(office, tmp_path, since, grade) -> None:
    with switched((since, "", "可疑")):
        audited(office, MARCH, month(MARCH, 28), tmp_path)
        found = audited(office, APRIL, month(APRIL, 5), tmp_path)

    assert found["grade"].to_list() == [grade]
    assert (found["det_sumamt"].item() > 0) == (grade == "违规")


# --- what if ---------------------------------------------------------------------------------


def digests(home: Path) -> dict[str, str]:
    return {
        str(path.relative_to(home)): store.file_digest(path)
        for path in sorted(home.rglob("*"))
        if path.is_file()
        and "work" not in path.relative_to(home).parts
        and path.suffix not in (".db-wal", ".db-shm")
    }


def test_what_if_shows_the_difference_and_touches_nothing(office, tmp_path) -> None:
    for first, day in ((MARCH, 28), (APRIL, 5)):
        sent = month(first, day)
        sent.change("fee_list_d", 0, list_type="101", prd_days="9", hilist_code="XD001")
        audited(office, first, sent, tmp_path)
    months = whatif.stored_months(office.desk(), MARCH, APRIL)
    before = digests(office.home.home)

    told = whatif.whatif(office.desk(), months, (), {"rx_days_plain": "9"})

    assert digests(office.home.home) == before
    assert told.months == ["202603", "202604"]
    d06 = told.by("rule_id").filter(pl.col("rule_id") == "D06").to_dicts()[0]
    assert (d06["hits"], d06["hits_then"], d06["det_sumamt_then"]) == (2, 0, Decimal("0.00"))
    assert d06["det_sumamt"] > 0
    gone = told.findings.filter(pl.col("rule_id") == "D06")
    assert gone["change"].to_list() == ["消失", "消失"]
    same = whatif.whatif(office.desk(), months, (), {"rx_days_plain": "7"})
    assert same.totals.is_empty()
    assert same.findings.is_empty()


def test_what_if_with_other_rules(office, tmp_path) -> None:
    audited(office, MARCH, month(MARCH, 28), tmp_path)
    audited(office, APRIL, month(APRIL, 5), tmp_path)
    rule = next(rule for rule in rules_file.load_all() if rule.rule_id == TEST)
    path = next(rules_file.RULES.glob(f"{TEST}_*.sql"))
    folder = tmp_path / "rules"
    folder.mkdir()
    text = path.read_text(encoding="utf-8").replace('= "违规"', '= "可疑"', 1)
    (folder / path.name).write_text(text, encoding="utf-8")

    told = whatif.whatif(office.desk(), [APRIL], rules_file.load_all(folder), {})

    [row] = told.totals.to_dicts()
    assert (row["rule_id"], row["hits"], row["hits_then"]) == (TEST, 1, 1)
    assert row["det_sumamt"] > row["det_sumamt_then"] == 0
    assert told.findings["change"].to_list() == ["变化"]
    assert rule.grade == "违规"


@pytest.mark.parametrize(
    ("name", "value", "match"), [("rx_days_plane", "9", "rx_days_plain"), ("rx_days_plain", "九", "不是数值")]
)
def test_what_if_refuses_what_it_does_not_know(name, value, match) -> None:
    with pytest.raises(PolicyError, match=match):
        whatif.with_values(policy.load("langfang"), {name: value})


# --- statistics over months ------------------------------------------------------------------


def test_statistics_run_over_the_stored_months(office, tmp_path) -> None:
    audited(office, MARCH, month(MARCH, 28, settlements=1), tmp_path)
    first = audited(office, APRIL, month(APRIL, 5), tmp_path)
    monthly.unattended(office.desk(APRIL))

    rows = rule_months.rule_months(office.desk(APRIL)).to_dicts()

    assert [(r["clr_ym"], r["rule_id"], r["hits"], r["institutions"]) for r in rows] == [
        ("202604", TEST, 1, 1)
    ]
    assert rows[0]["prelim"] == rows[0]["upheld"] == first["det_sumamt"].sum()
    assert (rows[0]["dropped"], rows[0]["rate"]) == (Decimal("0.00"), 1.0)


def test_books_name_the_rows_of_earlier_months(office, tmp_path) -> None:
    audited(office, MARCH, month(MARCH, 28), tmp_path)
    audited(office, APRIL, month(APRIL, 5), tmp_path)

    now = books.open_month(office.desk(APRIL))
    con = books.connect(now)
    rows = books.month_rows(con, now)

    assert [past.first for past in rows.earlier] == [MARCH]
    assert con.sql(f"SELECT count(*) FROM {rows.earlier[0].lines}").fetchall() == [(1,)]
    assert con.sql(f"SELECT count(*) FROM {rows.declared}").fetchall() == [(1,)]
    con.close()


def looking_back(ident: str) -> tuple[rules_file.Rule, cases.Case]:
    """A rule and a case of it in which something is found, with lines of the month before."""
    rule = next(r for r in rules_file.load_all() if r.rule_id == ident)
    told = cases.read(cases.CASES / f"{ident}.toml")
    return rule, next(c for c in told if c.tables.get("past_line") and c.expect)


def found(con: duckdb.DuckDBPyConnection, rule: rules_file.Rule, case: cases.Case, rows: engine.MonthRows):
    """The hits of a case over other rows."""
    engine.open_month(con, rows, cases.references(rule, case), [rule])
    return engine.hits(con, rule, cases.profile(case.parameters))


def test_months_out_of_reach_change_nothing_however_many_are_stored() -> None:
    rule, case = looking_back(TEST)
    con = duckdb.connect()
    rows = cases.month_rows(con, rule, case)
    [near] = rows.earlier
    years = [dataclasses.replace(near, first=dt.date(year, 1, 1)) for year in range(1980, 2020)]

    everything = found(con, rule, case, dataclasses.replace(rows, earlier=(*years, near)))

    assert everything.equals(found(con, rule, case, rows))


@pytest.mark.parametrize("ident", ["D07", "E05"])
def test_a_month_without_a_line_that_is_asked_for_changes_nothing(ident: str) -> None:
    rule, case = looking_back(ident)
    con = duckdb.connect()
    rows = cases.month_rows(con, rule, case)
    [near] = rows.earlier
    other = dataclasses.replace(
        near,
        first=near.first - dt.timedelta(days=28),
        lines=f"(SELECT * REPLACE ('201' AS list_type) FROM {near.lines})",
    )

    both = found(con, rule, case, dataclasses.replace(rows, earlier=(other, near)))
    alone = found(con, rule, case, dataclasses.replace(rows, earlier=(other,)))

    assert both.equals(found(con, rule, case, rows))
    assert alone.equals(found(con, rule, case, dataclasses.replace(rows, earlier=())))
    assert not both.equals(alone)


def test_a_rule_sees_of_earlier_months_the_columns_it_names() -> None:
    rule, case = looking_back(TEST)
    con = duckdb.connect()
    found(con, rule, case, cases.month_rows(con, rule, case))

    shown = {column[0] for column in con.execute("DESCRIBE past_line").fetchall()}

    assert {"setl_id", "psn_no", "hilist_code", "cnt"} <= shown
    assert shown <= rule.words | {"psn_key", "visit_key"}
