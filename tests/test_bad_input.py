"""Whatever one institution sends, it gets the right reason and the others get their money.

All submissions of the catalogue go into one intake together with two healthy ones; what each gets is
then looked at alone. So every case is also a test that it harms no other.
"""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from jobs.recording import Taken
from settlement import store
from settlement.intake import package
from tests.bad_submissions import CASES, CODES, RARE, READ, SETL, SUM, bad_rows
from tests.submissions import HEALTHY, MONTH, Office, valid, with_diagnoses

OTHER = "H13100000002"


@dataclass(frozen=True)
class Intake:
    """One intake of all cases: the office, what became of each, every fault."""

    office: Office
    taken: dict[str, Taken]
    faults: pl.DataFrame


@pytest.fixture(scope="module")
def intake(tmp_path_factory: pytest.TempPathFactory) -> Intake:
    base = tmp_path_factory.mktemp("bad")
    folder = base / "[收件]*"
    folder.mkdir()
    for name, case in CASES.items():
        case.send(valid(CODES[name]), folder)
    valid(HEALTHY).folder(folder)
    with_diagnoses(valid(OTHER)).zip(folder)
    office = Office(base / "home", [HEALTHY, OTHER, *CODES.values()])
    return Intake(office, office.take(folder), office.faults())


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """What the healthy institutions are paid when nobody else sends anything."""
    base = tmp_path_factory.mktemp("alone")
    office = Office(base / "home", [HEALTHY, OTHER])
    office.take(valid(HEALTHY).folder(base / "in"), with_diagnoses(valid(OTHER)).zip(base))
    return office.paid()


def test_healthy_institutions_are_paid_the_same_to_the_cent(intake: Intake, alone: pl.DataFrame) -> None:
    paid = intake.office.paid().filter(pl.col("fixmedins_code").is_in([HEALTHY, OTHER]))

    assert alone["act_dfr_amt"].sum() > 0
    assert paid.equals(alone)
    for code in (HEALTHY, OTHER):
        assert intake.taken[f"{code}_202604"].reasons == ()


@pytest.mark.parametrize("name", CASES)
def test_case_ends_in_its_reason(intake: Intake, name: str) -> None:
    case, code = CASES[name], CODES[name]
    [got] = [t for t in intake.taken.values() if t.fixmedins_code == code]
    found = sorted(r for r in got.reasons if r.startswith("S"))
    wanted = [w.format(name=got.name, code=code) for w in case.refused]

    assert [r[:3] for r in found] == [w[:3] for w in wanted], found
    for text, piece in zip(found, wanted, strict=True):
        assert piece[4:] in text
    assert got.outcome == ("不予受理" if case.refused else "已受理")


@pytest.mark.parametrize("name", CASES)
def test_case_returns_exactly_its_rows(intake: Intake, name: str) -> None:
    case, code = CASES[name], CODES[name]
    mine = intake.faults.filter(pl.col("fixmedins_code") == code, pl.col("level") == "settlement")
    rows = mine.select("reason", "table", "row_no", "column", "value").fill_null("").rows()
    [got] = [t for t in intake.taken.values() if t.fixmedins_code == code]

    assert sorted(rows) == sorted(case.returned)
    assert mine["file"].null_count() == 0
    if not case.refused:
        assert (got.setl_in, got.setl_accepted) == (10, case.accepted)
        assert intake.office.accepted(code).height == case.accepted


@pytest.mark.parametrize("name", READ)
def test_every_way_of_writing_the_same_month_reads_the_same(intake: Intake, name: str) -> None:
    changed = {"GB18030含四字节": "psn_name", "中文长名": "psn_name", "早于两年的日期": "setl_time"}.get(name)
    own = ["sub", "setl_id", "mdtrt_id", "fixmedins_code", "psn_no", *([changed] if changed else [])]
    rows = intake.office.accepted(CODES[name]).drop(own)

    assert rows.equals(intake.office.accepted(HEALTHY).drop(own))


def test_four_byte_names_arrive_whole(intake: Intake) -> None:
    names = intake.office.accepted(CODES["GB18030含四字节"])["psn_name"].to_list()

    assert names[:4] == ["臧红海", "滕" + RARE, "锟斤拷", "测试乙"]


def test_unknown_columns_are_listed(intake: Intake) -> None:
    rows = store.submissions(intake.office.home, intake.office.region, MONTH)
    [facts] = [r["facts"] for r in rows if r["fixmedins_code"] == CODES["未知列"]]

    assert facts["unknown"] == ["setl_d.csv:src", "setl_d.csv:备注"]


def test_every_fault_of_a_file_names_the_file(intake: Intake) -> None:
    whole = intake.faults.filter(pl.col("level") == "submission", pl.col("table").is_not_null())
    named = whole.filter(~pl.col("reason").is_in(["S04", "S05", "S09", "S14", "S15", "S16"]))

    assert named["file"].null_count() == 0
    assert intake.faults["message"].str.contains(r"[{}]").sum() == 0


def test_every_row_is_accepted_or_returned(intake: Intake) -> None:
    for submission in store.submissions(intake.office.home, intake.office.region, MONTH):
        counts = submission["facts"]["counts"]
        for rows in ("setl", "line"):
            came, accepted, returned = (counts.get(f"{rows}_{k}", 0) for k in ("in", "accepted", "returned"))
            assert came == accepted + returned


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path / "home", [HEALTHY, OTHER])


def test_same_bytes_twice_have_no_effect(office: Office, tmp_path: Path) -> None:
    sent = valid().folder(tmp_path / "in")
    office.take(sent)
    before = store.submissions(office.home, office.region, MONTH)
    again = office.take(sent.rename(tmp_path / "in" / f"{HEALTHY}_202604_2"))

    assert [t.outcome for t in again.values()] == ["重复提交"]
    assert store.submissions(office.home, office.region, MONTH) == before


def test_two_institutions_may_send_the_same_bytes(office: Office, tmp_path: Path) -> None:
    for code in (HEALTHY, OTHER):
        (tmp_path / "in" / f"{code}_202604").mkdir(parents=True)
    taken = office.take(tmp_path / "in")

    assert [t.outcome for t in taken.values()] == ["不予受理", "不予受理"]


def test_changed_file_after_acceptance_is_refused(office: Office, tmp_path: Path) -> None:
    office.take(valid().folder(tmp_path / "a"))
    paid = office.paid()
    changed = valid().change(SETL, 0, psn_name="测试丁").folder(tmp_path / "b")
    [got] = office.take(changed).values()

    assert got.outcome == "不予受理"
    assert [r[:3] for r in got.reasons] == ["S17"]
    assert office.paid().equals(paid)
    assert office.faults().is_empty()


def test_changed_file_after_refusal_replaces_it_and_says_so(office: Office, tmp_path: Path) -> None:
    wrong = valid().change(SUM, 0, fixmedins_setl_cnt="9").folder(tmp_path / "a")
    [first] = office.take(wrong).values()
    [second] = office.take(valid().zip(tmp_path)).values()

    assert (first.outcome, second.outcome) == ("不予受理", "已受理")
    assert second.reasons == (f"替换先前未受理的 {HEALTHY}_202604",)
    assert office.faults().is_empty()
    assert office.paid()["fund_appy_sum"].sum() > 0


def test_later_turn_replaces_the_earlier_in_one_intake(office: Office, tmp_path: Path) -> None:
    for turn in ("_2", "_1"):
        sent = valid()
        sent.turn = turn
        sent.change(SETL, 0, psn_name=f"测试{turn}").folder(tmp_path / "in")
    taken = office.take(tmp_path / "in")
    again = office.take(tmp_path / "in")

    assert {n: t.outcome for n, t in taken.items()} == {
        f"{HEALTHY}_202604_1": "已被替换",
        f"{HEALTHY}_202604_2": "已受理",
    }
    assert {t.outcome for t in again.values()} == {"已被替换", "重复提交"}
    assert office.accepted(HEALTHY)["psn_name"][0] == "测试_2"


def test_another_month_in_the_folder_replaces_nothing(office: Office, tmp_path: Path) -> None:
    valid().folder(tmp_path / "in")
    later = valid()
    later.clr_ym = "202605"
    later.totals().folder(tmp_path / "in")
    office.take(tmp_path / "in")

    assert office.accepted(HEALTHY).height == 10


def test_same_bytes_may_be_sent_for_the_right_month_after_a_wrong_one(office: Office, tmp_path: Path) -> None:
    sent = valid().folder(tmp_path / "in")
    [wrong] = office.take(sent, month=dt.date(2026, 3, 1)).values()
    [right] = office.take(sent).values()

    assert (wrong.outcome, right.outcome) == ("不予受理", "已受理")
    assert office.faults().is_empty()


def test_vanished_path_is_told_and_harms_no_other(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, healthy = valid(OTHER).folder(tmp_path / "in"), valid().folder(tmp_path / "in")
    find = package.find

    def find_then_lose(paths: list[Path]) -> list[object]:
        found = find(paths)
        shutil.rmtree(gone)
        return list(found)

    monkeypatch.setattr(package, "find", find_then_lose)
    taken = office.take(healthy.parent)

    assert taken[gone.name].outcome == "不予受理"
    assert taken[gone.name].reasons[0].startswith("S01")
    assert taken[healthy.name].outcome == "已受理"
    assert {s["fixmedins_code"] for s in store.submissions(office.home, office.region, MONTH)} == {HEALTHY}


def test_bad_name_is_refused_and_harms_no_other(office: Office, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    valid().folder(folder)
    valid(OTHER).folder(tmp_path / "x").rename(folder / "四月申报")
    (folder / "说明.txt").write_text("请查收", encoding="utf-8")
    (folder / ".隐藏").write_text("x", encoding="utf-8")
    taken = office.take(folder)

    assert {n: t.outcome for n, t in taken.items()} == {
        "四月申报": "不予受理",
        "说明": "不予受理",
        f"{HEALTHY}_202604": "已受理",
    }
    assert taken["四月申报"].reasons[0].startswith("S03")


def test_one_faulty_settlement_of_nine_is_too_many(office: Office, tmp_path: Path) -> None:
    nine = valid(settlements=9)
    bad_rows(1)(nine, tmp_path / "in")
    [got] = office.take(tmp_path / "in").values()

    assert any(r.startswith("S16") and "1/9" in r for r in got.reasons)


@pytest.mark.heavy
def test_a_line_of_a_gigabyte_is_refused_without_being_held(office: Office, tmp_path: Path) -> None:
    healthy, wrong = valid().folder(tmp_path / "in"), valid(OTHER).folder(tmp_path / "in")
    with (wrong / "setl_d.csv").open("ab") as writer:
        for _ in range(1024):
            writer.write(b"x" * (1 << 20))
    taken = office.take(tmp_path / "in")

    assert [r[:3] for r in taken[wrong.name].reasons] == ["S13"]
    assert "第 12 行" in taken[wrong.name].reasons[0]
    assert taken[healthy.name].outcome == "已受理"
