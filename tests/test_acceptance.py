"""Acceptance: every reason hit once and missed by a hair, and what may not be said besides."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandera.errors
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.books import connect, open_month
from schemas.reasons import REASONS
from schemas.submission import FeeListD, SetlD
from settlement import reference as reference_data
from settlement import store
from settlement.audit import cases as rule_cases
from settlement.intake import staging, textfile
from settlement.intake.model import Submission
from tests.submissions import HEALTHY, MONTH, TABLES, Office, Sent, reference, valid, with_diagnoses

SETL, LINE, DIAG, OPRN = "setl_d", "fee_list_d", "setl_list_diag_d", "setl_list_oprn_d"
LAST = dt.date(2026, 4, 30)
Fault = tuple[str, str, int, str, str]


@dataclass(frozen=True)
class Case:
    """A change to a sound submission and the faults it gives: reason, table, row, column, value."""

    change: Callable[[Sent], object]
    faults: tuple[Fault, ...] = ()


def setl(**cells: str) -> Callable[[Sent], object]:
    return lambda sent: sent.change(SETL, 0, **cells).totals()


def line(**cells: str) -> Callable[[Sent], object]:
    return lambda sent: sent.change(LINE, 0, **cells)


def both(*changes: Callable[[Sent], object]) -> Callable[[Sent], object]:
    return lambda sent: [change(sent) for change in changes]


def second_line(**cells: str) -> Callable[[Sent], object]:
    return lambda sent: sent.change(LINE, 1, **cells)


def copy_row(tab: str, **cells: str) -> Callable[[Sent], object]:
    """Append the first row once more, with other cells."""

    def change(sent: Sent) -> None:
        sent.rows[tab].append({**sent.rows[tab][0], **cells})
        sent.totals()

    return change


def drop_lines(sent: Sent) -> None:
    sent.rows[LINE] = sent.rows[LINE][2:]


def one_line(sent: Sent) -> None:
    """Let the first settlement have one line that carries it all."""
    row = sent.rows[SETL][0]
    amounts = {n: row[n] for n in ("preselfpay_amt", "inscp_amt")}
    sent.change(LINE, 0, det_item_fee_sumamt=row["medfee_sumamt"], **amounts)
    del sent.rows[LINE][1]


def more_fields(row: str) -> Callable[[Sent], object]:
    def change(sent: Sent) -> None:
        sent.raw["fee_list_d.csv"] = sent.text(LINE).replace("\n", f"{row}\n", 2).replace(row, "", 1).encode()

    return change


def refund(back: str, original: str = "8", **more: str) -> Callable[[Sent], object]:
    """Add a line of two for 20.00 and lines that take it back; the money comes to nothing."""
    amounts = {"preselfpay_amt": "0.00", "fulamt_ownpay_amt": "0.00", "overlmt_selfpay": "0.00"}

    def change(sent: Sent) -> None:
        first = {**sent.rows[LINE][0], **amounts, "pric": "10.00"}
        taken = {"bkkp_sn": "8", "cnt": "2", "det_item_fee_sumamt": "20.00", "inscp_amt": "20.00"}
        given = {"bkkp_sn": "9", "cnt": back, "det_item_fee_sumamt": "-20.00", "inscp_amt": "-20.00"}
        sent.rows[LINE] += [{**first, **taken, **more}, {**first, **given, "init_feedetl_sn": original}]

    return change


def reversal(**cells: str) -> Callable[[Sent], object]:
    """Turn the first settlement into the reversal of another."""

    def change(sent: Sent) -> None:
        row = sent.rows[SETL][0]
        for name in (
            "medfee_sumamt",
            "preselfpay_amt",
            "inscp_amt",
            "hifp_pay",
            "fund_pay_sumamt",
            "psn_pay",
        ):
            row[name] = f"-{row[name]}"
        row["cash_payamt"] = row["psn_pay"]
        row.update({"refd_setl_flag": "1", "init_setl_id": "OLD", **cells})
        for one in sent.rows[LINE][:2]:
            names = ("cnt", "det_item_fee_sumamt", "preselfpay_amt", "inscp_amt")
            one.update({n: f"-{one[n]}" for n in names})
        sent.totals()

    return change


def add_diagnosis(number: int, **cells: str) -> Callable[[Sent], object]:
    return lambda sent: with_diagnoses(sent).change(DIAG, number, **cells)


SAME_ID = "{setl_id}"
LESS_FUND = {"hifp_pay": "29.99", "fund_pay_sumamt": "29.99", "psn_pay": "2.01", "cash_payamt": "2.01"}
MORE_FUND = {"hifp_pay": "30.01", "fund_pay_sumamt": "30.01", "psn_pay": "1.99", "cash_payamt": "1.99"}
HITS: dict[str, Case] = {
    "R01": Case(setl(psn_name=""), (("R01", SETL, 2, "psn_name", ""),)),
    "R02": Case(setl(psn_name="长" * 51), (("R02", SETL, 2, "psn_name", "长" * 51),)),
    "R03": Case(line(pric="1.1234567"), (("R03", LINE, 2, "pric", "1.1234567"),)),
    "R04": Case(setl(die_date="2026-02-29"), (("R04", SETL, 2, "die_date", "2026-02-29"),)),
    "R05": Case(line(lmt_used_flag="2"), (("R05", LINE, 2, "lmt_used_flag", "2"),)),
    "R06": Case(
        copy_row(SETL), (("R06", SETL, 2, "setl_id", SAME_ID), ("R06", SETL, 12, "setl_id", SAME_ID))
    ),
    "R06 明细": Case(
        second_line(bkkp_sn="0"), (("R06", LINE, 2, "bkkp_sn", "0"), ("R06", LINE, 3, "bkkp_sn", "0"))
    ),
    "R06 手术": Case(
        both(with_diagnoses, copy_row(OPRN)),
        tuple(("R06", OPRN, n, "oprn_oprt_date", "2026-04-10") for n in (2, 12)),
    ),
    "R07": Case(copy_row(LINE, setl_id="NONE"), (("R07", LINE, 22, "setl_id", "NONE"),)),
    "R08": Case(drop_lines, (("R08", SETL, 2, "setl_id", SAME_ID),)),
    "R09": Case(more_fields(",,x"), (("R09", LINE, 2, "", "x"),)),
    "R10": Case(setl(ownpay_hosp_part="0.01"), (("R10", SETL, 2, "medfee_sumamt", "32.00"),)),
    "R11": Case(setl(othfund_pay="0.01"), (("R11", SETL, 2, "fund_pay_sumamt", "30.00"),)),
    "R12": Case(setl(acct_pay="0.01"), (("R12", SETL, 2, "psn_pay", "2.00"),)),
    "R13": Case(setl(acct_mulaid_pay="0.01"), (("R13", SETL, 2, "acct_mulaid_pay", "0.01"),)),
    "R14": Case(
        both(setl(preselfpay_amt="2.01"), line(preselfpay_amt="1.01")),
        (("R14", SETL, 2, "medfee_sumamt", "32.00"),),
    ),
    "R15": Case(
        line(preselfpay_amt="1.01", inscp_amt="8.99"),
        (("R15", SETL, 2, "preselfpay_amt", "2.00"), ("R15", SETL, 2, "inscp_amt", "30.00")),
    ),
    "R16": Case(line(det_item_fee_sumamt="10.01"), (("R16", SETL, 2, "medfee_sumamt", "32.00"),)),
    "R17": Case(setl(**MORE_FUND), (("R17", SETL, 2, "fund_pay_sumamt", "30.01"),)),
    "R18": Case(reversal(init_setl_id=""), (("R18", SETL, 2, "medfee_sumamt", "-32.00"),)),
    "R18 标志": Case(
        reversal(refd_setl_flag="0"),
        (
            ("R18", SETL, 2, "medfee_sumamt", "-32.00"),
            ("R19", LINE, 2, "init_feedetl_sn", ""),
            ("R19", LINE, 3, "init_feedetl_sn", ""),
        ),
    ),
    "R18 一项": Case(setl(acct_pay="3.00", cash_payamt="-1.00"), (("R18", SETL, 2, "cash_payamt", "-1.00"),)),
    "R18 明细": Case(
        both(line(det_item_fee_sumamt="-10.00"), second_line(det_item_fee_sumamt="42.00")),
        (("R18", LINE, 2, "det_item_fee_sumamt", "-10.00"),),
    ),
    "R18 明细一项": Case(
        both(
            line(preselfpay_amt="-1.00", inscp_amt="11.00"),
            second_line(preselfpay_amt="3.00", inscp_amt="19.00"),
        ),
        (("R18", LINE, 2, "preselfpay_amt", "-1.00"),),
    ),
    "R19": Case(refund("-2", original="7"), (("R19", LINE, 23, "init_feedetl_sn", "7"),)),
    "R19 空": Case(refund("-2", original=""), (("R19", LINE, 23, "init_feedetl_sn", ""),)),
    "R20": Case(refund("-2.0001"), (("R20", LINE, 23, "cnt", "-2.0001"),)),
    "R21": Case(line(cnt="0"), (("R21", LINE, 2, "cnt", "0.0000"),)),
    "R21 负数": Case(
        both(line(cnt="0", det_item_fee_sumamt="-10.00"), second_line(det_item_fee_sumamt="42.00")),
        (("R21", LINE, 2, "cnt", "0.0000"),),
    ),
    "R22": Case(add_diagnosis(3, setl_id="NONE"), (("R22", DIAG, 5, "setl_id", "NONE"),)),
    "R22 手术": Case(
        both(with_diagnoses, copy_row(OPRN, setl_id="NONE")), (("R22", OPRN, 12, "setl_id", "NONE"),)
    ),
}
MISSES: dict[str, Case] = {
    "R01": Case(setl(brdy="", dise_no="")),
    "R02": Case(setl(psn_name="长" * 50)),
    "R03": Case(line(pric="1.123456")),
    "R04": Case(setl(die_date="2024-02-29")),
    "R05": Case(line(lmt_used_flag="1")),
    "R06": Case(both(with_diagnoses, copy_row(OPRN, oprn_oprt_date="2026-04-11"))),
    "R08": Case(one_line),
    "R09": Case(more_fields(",,")),
    "R10": Case(setl(ownpay_hosp_part="0.01", psn_pay="1.99", cash_payamt="1.99")),
    "R11": Case(setl(othfund_pay="0.01", hifp_pay="29.99")),
    "R12": Case(setl(acct_pay="0.01", cash_payamt="1.99")),
    "R13": Case(setl(acct_pay="0.01", cash_payamt="1.99", acct_mulaid_pay="0.01")),
    "R14": Case(
        both(
            setl(preselfpay_amt="2.01", inscp_amt="29.99", **LESS_FUND),
            line(preselfpay_amt="1.01", inscp_amt="8.99"),
        )
    ),
    "R15": Case(
        both(
            line(preselfpay_amt="1.01", inscp_amt="8.99"),
            second_line(preselfpay_amt="0.99", inscp_amt="21.01"),
        )
    ),
    "R16": Case(both(line(det_item_fee_sumamt="10.01"), second_line(det_item_fee_sumamt="21.99"))),
    "R17": Case(setl(**LESS_FUND)),
    "R18": Case(reversal()),
    "R20": Case(refund("-2")),
    "R21": Case(
        copy_row(LINE, bkkp_sn="7", cnt="0", det_item_fee_sumamt="0", preselfpay_amt="0", inscp_amt="0")
    ),
    "R22": Case(with_diagnoses),
}
# What could only be said because something else cannot be known.
QUIET: dict[str, Case] = {
    "明细金额无法读取": Case(
        line(det_item_fee_sumamt="十元", inscp_amt="9,00"),
        (("R03", LINE, 2, "det_item_fee_sumamt", "十元"), ("R03", LINE, 2, "inscp_amt", "9,00")),
    ),
    "原明细数量无法读取": Case(refund("-2", cnt="两"), (("R03", LINE, 22, "cnt", "两"),)),
    "退费标志无法读取": Case(
        both(refund("-2", original="7"), setl(refd_setl_flag="否")),
        (("R05", SETL, 2, "refd_setl_flag", "否"),),
    ),
    "主键重复的结算只各报一次": Case(
        both(refund("-2", original="7"), copy_row(SETL)),
        (
            ("R06", SETL, 2, "setl_id", SAME_ID),
            ("R06", SETL, 12, "setl_id", SAME_ID),
            ("R19", LINE, 23, "init_feedetl_sn", "7"),
        ),
    ),
    "原明细重复时退费不重复报": Case(
        both(refund("-2"), lambda s: s.rows[LINE].append({**s.rows[LINE][20], "cnt": "0", **NOTHING})),
        (("R06", LINE, 22, "bkkp_sn", "8"), ("R06", LINE, 24, "bkkp_sn", "8")),
    ),
    "无主的明细没有结算ID": Case(
        both(line(setl_id="")),
        (
            ("R01", LINE, 2, "setl_id", ""),
            ("R15", SETL, 2, "preselfpay_amt", "2.00"),
            ("R15", SETL, 2, "inscp_amt", "30.00"),
            ("R16", SETL, 2, "medfee_sumamt", "32.00"),
        ),
    ),
    "无法读取的手术日期不算重复": Case(
        both(with_diagnoses, lambda s: s.change(OPRN, 0, oprn_oprt_date="昨天"), copy_row(OPRN)),
        (("R04", OPRN, 2, "oprn_oprt_date", "昨天"), ("R04", OPRN, 12, "oprn_oprt_date", "昨天")),
    ),
}
NOTHING = {"det_item_fee_sumamt": "0", "inscp_amt": "0"}
GROUPS = {"hit": HITS, "miss": MISSES, "quiet": QUIET}
CASES = {(group, name): case for group, cases in GROUPS.items() for name, case in cases.items()}
CODES = {key: f"H131{number:08d}" for number, key in enumerate(CASES, start=100)}


def sent_of(key: tuple[str, str]) -> Sent:
    """Return a case's submission; a few of many settlements are at fault, so none is refused for it."""
    sent = valid(CODES[key])
    CASES[key].change(sent)
    return sent


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    base = tmp_path_factory.mktemp("acceptance")
    for key in CASES:
        sent_of(key).folder(base / "in")
    office = Office(base / "home", list(CODES.values()))
    office.take(base / "in")
    return office


@pytest.fixture(scope="module")
def faults(office: Office) -> pl.DataFrame:
    return office.faults().filter(pl.col("level") == "settlement")


@pytest.mark.parametrize("key", CASES, ids="-".join)
def test_case_gives_exactly_its_faults(faults: pl.DataFrame, key: tuple[str, str]) -> None:
    mine = faults.filter(pl.col("fixmedins_code") == CODES[key])
    rows = mine.select("reason", "table", "row_no", "column", "value").fill_null("").rows()
    first = sent_of(key).rows[SETL][0]["setl_id"]
    wanted = [(r, t, n, c, v.format(setl_id=first)) for r, t, n, c, v in CASES[key].faults]

    assert sorted(rows) == sorted(wanted)


def test_every_reason_of_a_settlement_has_a_hit() -> None:
    assert {name[:3] for name in HITS} == {code for code in REASONS if code.startswith("R")}


def test_faults_come_with_words_and_no_empty_place(faults: pl.DataFrame) -> None:
    assert faults["message"].str.contains(r"[{}]").sum() == 0
    assert faults.filter(pl.col("reason") == "R10")["message"].unique().to_list() == [
        "医疗费总额 32.00 ≠ 基金支付 + 个人支付 + 医院负担 32.01"
    ]


def test_a_settlement_is_returned_with_its_lines(office: Office) -> None:
    rows = {s["fixmedins_code"]: s for s in store.submissions(office.home, office.region, MONTH)}
    counts = rows[CODES["hit", "R10"]]["facts"]["counts"]

    assert (counts["setl_accepted"], counts["setl_returned"]) == (9, 1)
    assert (counts["line_accepted"], counts["line_returned"]) == (18, 2)
    assert (counts["medfee_in"], counts["medfee_accepted"]) == ("320.00", "288.00")


def test_shuffled_rows_give_the_same_faults(office: Office, faults: pl.DataFrame, tmp_path: Path) -> None:
    mixed = random.Random(7)
    for key in CASES:
        sent = sent_of(key)
        if not sent.raw:
            for rows in sent.rows.values():
                mixed.shuffle(rows)
            sent.folder(tmp_path / "in")
    other = Office(tmp_path / "home", list(CODES.values()))
    other.take(tmp_path / "in")
    told = faults.columns[:11]
    kept = faults.filter(pl.col("reason") != "R09").select(told)

    assert (
        other.faults().filter(pl.col("level") == "settlement").select(told).sort(told).equals(kept.sort(told))
    )


# --- standing of the institution --------------------------------------------------------------


def standing(tmp_path: Path, agreement: dict[str, object] | None, code: str = HEALTHY) -> list[str]:
    """Return the reasons a sound submission gets under an agreement."""
    office = Office(tmp_path / "home", [HEALTHY])
    rows = [] if agreement is None else [{"fixmedins_code": code, **agreement}]
    frame = rule_cases.reference("agreement", rows)
    office.load("agreement", frame)
    [taken] = office.take(valid(code).folder(tmp_path / "in")).values()
    return [r[:3] for r in taken.reasons]


def test_agreement_that_ended_within_the_month_accepts(tmp_path: Path) -> None:
    assert standing(tmp_path, {"enddate": dt.date(2026, 4, 1)}) == []


def test_agreement_that_ended_before_the_month_refuses(tmp_path: Path) -> None:
    assert standing(tmp_path, {"enddate": dt.date(2026, 3, 31)}) == ["S07"]


def test_agreement_that_begins_on_the_last_day_accepts(tmp_path: Path) -> None:
    assert standing(tmp_path, {"begndate": dt.date(2026, 4, 30)}) == []


def test_agreement_that_begins_after_the_month_refuses(tmp_path: Path) -> None:
    assert standing(tmp_path, {"begndate": dt.date(2026, 5, 1)}) == ["S07"]


def test_suspended_agreement_refuses(tmp_path: Path) -> None:
    assert standing(tmp_path, {"cntr_stas": "2"}) == ["S07"]


def test_unknown_institution_is_refused(tmp_path: Path) -> None:
    assert standing(tmp_path, None, "H13100000777") == ["S06"]


def test_pharmacy_is_refused_where_the_list_has_no_pharmacy_item(tmp_path: Path) -> None:
    code = "P37068400008"
    reasons = {}
    for region in ("penglai", "langfang"):
        office = Office(tmp_path / region, [code], region)
        [taken] = office.take(valid(code).folder(tmp_path / region / "in")).values()
        reasons[region] = [r[:3] for r in taken.reasons]

    assert reasons == {"penglai": ["S08"], "langfang": []}


def test_all_reasons_are_given_at_once(tmp_path: Path) -> None:
    office = Office(tmp_path / "home", [HEALTHY])
    (tmp_path / "H13100000777_202603.zip").write_bytes(b"PK\x03\x04")
    [taken] = office.take(tmp_path / "H13100000777_202603.zip").values()

    assert [r[:3] for r in taken.reasons] == ["S01", "S04", "S06"]


def test_unreadable_group_makes_totals_a_note(tmp_path: Path) -> None:
    office = Office(tmp_path / "home", [HEALTHY])
    sent = valid().change(SETL, 0, insutype="999")
    [taken] = office.take(sent.folder(tmp_path / "in")).values()
    [row] = store.submissions(office.home, office.region, MONTH)

    assert (taken.outcome, taken.reasons) == ("已受理", ("R05 ×1",))
    assert all(note.startswith("有无法读取的值,未能核对") for note in row["facts"]["notes"])


@pytest.mark.parametrize(("day", "good"), [(9, True), (10, True), (11, False)])
def test_code_is_judged_on_the_day_of_the_fact(tmp_path: Path, day: int, good: bool) -> None:
    office = Office(tmp_path / "home", [HEALTHY])
    given = [{"type": "med_type", "value": v, "label": v} for v in ("12", "13")]
    rows = [
        {"type": "med_type", "value": "11", "label": "普通门诊", "enddate": dt.date(2026, 4, 10)},
        *given,
    ]
    office.load("dict", rule_cases.reference("dict", rows))
    sent = valid()
    for row in sent.rows[SETL]:
        row["setl_time"] = f"2026-04-{day:02d} 23:59:59"
    [taken] = office.take(sent.folder(tmp_path / "in")).values()

    assert (taken.outcome == "已受理") is good


# --- the same bytes once the reference data is corrected ----------------------------------------

OTHER = "H13100000002"
AGAIN = ("替换先前未受理的 H13100000001_202604", "重新受理:参考数据已更新")
LISTED = {"fixmedins_code": HEALTHY, "fixmedins_type": "1"}
OUT_OF_TYPES = [{"type": "med_type", "value": "12", "label": "12"}]
IN_TYPES = [{"type": "med_type", "value": "11", "label": "11"}]


@dataclass(frozen=True)
class Corrected:
    """A reference table as it was at first and as it is put right, and what a sound submission got for it."""

    table: str
    wrong: list[rule_cases.Row]
    right: list[rule_cases.Row]
    reasons: tuple[str, ...]
    region: str = "langfang"


CORRECTED = {
    "not listed": Corrected("institution", [{"fixmedins_code": OTHER}], [LISTED], ("S06",)),
    "no agreement": Corrected("agreement", [], [{"fixmedins_code": HEALTHY}], ("S07",)),
    "listed as a pharmacy": Corrected(
        "institution", [{**LISTED, "fixmedins_type": "2"}], [LISTED], ("S08",), "penglai"
    ),
    "codes not in force": Corrected("dict", OUT_OF_TYPES, IN_TYPES, ("S16", "R05")),
}


def sent_twice(tmp_path: Path, case: Corrected) -> tuple[Office, Callable[[], tuple[str, tuple[str, ...]]]]:
    """An office with the wrong table, and what it makes of the same submission each time."""
    office = Office(tmp_path / "home", [HEALTHY], case.region)
    office.load(case.table, rule_cases.reference(case.table, case.wrong))
    path = valid().zip(tmp_path)

    def send() -> tuple[str, tuple[str, ...]]:
        [taken] = office.take(path).values()
        return taken.outcome, taken.reasons

    return office, send


def lines_of(office: Office) -> int:
    """How many lines the month's audit would read."""
    with connect(open_month(office.desk())) as con:
        return int(con.execute("SELECT count(*) FROM accepted_line").fetchall()[0][0])


@pytest.mark.parametrize("case", CORRECTED.values(), ids=CORRECTED)
def test_the_same_bytes_are_judged_again_once_the_table_they_failed_by_is_put_right(
    tmp_path: Path, case: Corrected
) -> None:
    office, send = sent_twice(tmp_path, case)
    outcome, reasons = send()
    assert (outcome, tuple(r[:3] for r in reasons)) == ("不予受理", case.reasons)
    assert send()[0] == "重复提交"
    office.load(case.table, rule_cases.reference(case.table, case.right))
    assert send() == ("已受理", AGAIN)
    assert (office.accepted(HEALTHY).height, lines_of(office)) == (10, 20)
    assert send()[0] == "重复提交"
    office.load(case.table, rule_cases.reference(case.table, case.wrong))
    assert send()[0] == "重复提交"
    rows = store.submissions(office.home, office.region, MONTH)
    assert [(r["status"], r["attempt"], r["current"]) for r in rows] == [
        ("RETURNED", 1, False),
        ("ACCEPTED", 2, True),
    ]


def test_a_table_that_changed_and_is_still_wrong_refuses_again(tmp_path: Path) -> None:
    office, send = sent_twice(tmp_path, CORRECTED["not listed"])
    send()
    for turn, code in enumerate(("H13100000003", "H13100000004"), start=2):
        office.load("institution", rule_cases.reference("institution", [{"fixmedins_code": code}]))
        outcome, reasons = send()
        assert (outcome, reasons[:2], reasons[2][:3]) == ("不予受理", AGAIN, "S06")
        assert send()[0] == "重复提交"
        assert [r["attempt"] for r in store.submissions(office.home, office.region, MONTH)][-1] == turn


def test_another_table_put_right_changes_nothing(tmp_path: Path) -> None:
    office, send = sent_twice(tmp_path, CORRECTED["not listed"])
    send()
    rows = [{"fixmedins_code": HEALTHY}, {"fixmedins_code": OTHER}]
    office.load("agreement", rule_cases.reference("agreement", rows))

    assert send()[0] == "重复提交"


def test_faults_of_its_own_do_not_go_away_with_new_tables(tmp_path: Path) -> None:
    office = Office(tmp_path / "home", [HEALTHY])
    path = valid().change("clr_sum", 0, medfee_sumamt="1.00").zip(tmp_path)
    office.take(path)
    for name, frame in reference([HEALTHY, OTHER]).items():
        office.load(name, frame)

    assert [t.outcome for t in office.take(path).values()] == ["重复提交"]


def test_a_month_accepted_meanwhile_stays_as_it_is(tmp_path: Path) -> None:
    office, send = sent_twice(tmp_path, CORRECTED["not listed"])
    send()
    office.load("institution", rule_cases.reference("institution", [LISTED]))
    better = valid(settlements=11)
    better.turn = "_2"
    assert office.take(better.zip(tmp_path))["H13100000001_202604_2"].outcome == "已受理"

    assert send()[0] == "重复提交"


def test_a_month_judged_again_is_paid_as_if_it_had_been_right_at_first(tmp_path: Path) -> None:
    sent = [valid(code).zip(tmp_path) for code in (HEALTHY, OTHER)]
    office = Office(tmp_path / "home", [OTHER])
    first = office.take(*sent)
    for name, frame in reference([HEALTHY, OTHER]).items():
        office.load(name, frame)
    second = office.take(*sent)
    straight = Office(tmp_path / "straight", [HEALTHY, OTHER])
    straight.take(*sent)

    assert [t.outcome for t in (*first.values(), *second.values())] == [
        "不予受理", "已受理", "已受理", "重复提交",
    ]  # fmt: skip
    assert lines_of(office) == lines_of(straight) == 40
    assert office.paid().equals(straight.paid())
    for name in ("settlements", "findings"):
        tables = [store.read_table(o.home, o.region, MONTH, name) for o in (office, straight)]
        assert tables[0].equals(tables[1]), name
    checks = [store.read_run(o.home, o.region, MONTH)["stages"] for o in (office, straight)]
    assert checks[0]["acceptance"] == checks[1]["acceptance"]


# --- the compiled checks say what the declared model says --------------------------------------

TEXTS = st.sampled_from(["", "x", "y" * 30, "y" * 31, "长" * 50, "长" * 51, "长" * 200, "长" * 201])
NUMBERS = st.sampled_from(["", "0", "-1.5", "12.34", "1.234", "1e3", "99999999999999", "100000000000000"])
DATES = st.sampled_from(["", "2026-04-10", "2026-04-31", "2026-04-10 10:00:00", "1899-12-31", "无"])


def cell_values(column: object) -> st.SearchStrategy[str]:
    if column.codes:
        return st.sampled_from(["", "1", "11", "310", "0" * 20])
    if column.is_text:
        return TEXTS
    return NUMBERS if column.is_decimal else DATES


@pytest.mark.parametrize("model", [SetlD, FeeListD])
@settings(max_examples=15, deadline=None, derandomize=True, database=None,
          suppress_health_check=list(HealthCheck))  # fmt: skip
@given(data=st.data())
def test_cell_faults_are_those_of_the_model(
    tmp_path_factory: pytest.TempPathFactory, model: type, data: st.DataObject
) -> None:
    about = TABLES[model.Config.name]
    bad = data.draw(
        st.lists(st.tuples(st.integers(0, 3), st.sampled_from(about.columns)).flatmap(
            lambda p: st.tuples(st.just(p[0]), st.just(p[1].name), cell_values(p[1]))), max_size=12)
    )  # fmt: skip
    rows = [dict(r) for r in valid(settlements=2).rows[about.name][:2] for _ in range(2)]
    rows = [{c.name: row.get(c.name, "") for c in about.columns} for row in rows]
    for number, name, value in bad:
        rows[number][name] = value
    work = tmp_path_factory.mktemp("cells")
    typed, found = staged(about.name, rows, work)

    ours = {
        (column, row)
        for column, row, reason in found
        if reason in ("R01", "R02")
        or (reason in ("R03", "R04") and about.column(column).required)
        or (reason == "R05" and len(rows[row][column]) > (about.column(column).length or 0))
    }
    assert ours == model_faults(model, typed)


def staged(
    tab: str, rows: list[dict[str, str]], work: Path
) -> tuple[pl.DataFrame, list[tuple[str, int, str]]]:
    """Put rows through intake; return the typed rows and (column, row, reason) of every fault."""
    path = work / f"{tab}.csv"
    path.write_text(Sent(HEALTHY, rows={tab: rows}).text(tab), encoding="utf-8")
    file, faults = textfile.inspect(path.name, path, work)
    assert file
    assert not faults
    codes = reference_data.code_lists({}, MONTH, LAST)
    submission = Submission(0, HEALTHY, HEALTHY, "202604", 1, path)
    [part], _ = staging.stage([(submission, file)], codes, work)
    found = staging.cell_faults(part, codes)
    typed = pl.read_parquet(part.path).sort("rn")
    return typed.select(list(TABLES[tab].schema)), found.select("column", "rn", "reason").rows()


def model_faults(model: type, typed: pl.DataFrame) -> set[tuple[str, int]]:
    try:
        model.validate(typed, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        return set(errors.failure_cases.select("column", "index").iter_rows())
    return set()
