"""Re-review: what is asked, what is taken, what is booked, what is looked at again."""

import datetime as dt
import hashlib
import math
import random
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction

import openpyxl
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.layout import table
from schemas.results import Finding, FindingFund
from settlement import policy
from settlement.errors import InvariantBroken, PolicyError, ProcedureError
from settlement.labels import label
from settlement.reports.review_sheet import Heading, review_rows, write_reviews
from settlement.review import booking, checking, deciding, returning, sampling, worklist, worklist_book
from tests import hostile, oracle
from tests.report_facts import month_facts

MONEY = pl.Decimal(16, 2)
DECIDED = {"finding_id": pl.String, "decision": pl.String, "final_amt": MONEY, "reason": pl.String}
ANSWERED = {"finding_id": pl.String, "answer": pl.String, "agreed_amt": MONEY, "reason": pl.String,
            "attachments": pl.String}  # fmt: skip
FUNDS = ("310100", "320100", "330100")
HEADING = Heading("廊坊市", dt.date(2026, 4, 1), {"H370700000000": "第0人民医院"})


def yuan(fen: int) -> Decimal:
    return Decimal(fen).scaleb(-2).quantize(Decimal("0.01"))


# --- booking ---------------------------------------------------------------------------------


def cases(*rows: dict) -> list[dict]:
    """Findings with risk by fund in 分; the first audit's amounts by the oracle."""
    base = {"grade": "违规", "status": "active", "deduction": "DL", "setl_id": "S1", "bkkp_sn": None}
    found = [{**base, **row} for row in rows]
    books = oracle.booked(found, [row["risk"] for row in found])
    return [
        {"finding_id": f"f{i:03d}", **row, "det": sum(book.values())}
        for i, (row, book) in enumerate(zip(found, books, strict=True))
    ]


def frames(found: list[dict]) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return findings, finding_funds and risk_funds of some cases."""
    rows = [
        {
            **dict.fromkeys(table(Finding).schema, ""),
            **{k: row[k] for k in ("finding_id", "rule_id", "grade", "setl_id", "bkkp_sn")},
            "risk_amt": yuan(sum(row["risk"].values())),
            "det_sumamt": yuan(row["det"]),
            "final_det_sumamt": yuan(row["det"]),
        }
        for row in found
    ]
    risks = [
        (row["finding_id"], fund, yuan(fen)) for row in found for fund, fen in row["risk"].items() if fen
    ]
    det = {row["finding_id"]: row["det"] for row in found}
    funds = [(i, fund, amt if det[i] else yuan(0), amt if det[i] else yuan(0)) for i, fund, amt in risks]
    return (
        pl.DataFrame(rows, schema=table(Finding).schema),
        pl.DataFrame(funds, schema=table(FindingFund).schema, orient="row"),
        pl.DataFrame(
            risks,
            schema={"finding_id": pl.String, "fund_pay_type": pl.String, "risk_amt": MONEY},
            orient="row",
        ),
    )


def decided(*rows: tuple[str, str, int]) -> pl.DataFrame:
    return pl.DataFrame([(i, d, yuan(f), "理由") for i, d, f in rows], schema=DECIDED, orient="row")


def booked(found: list[dict], *decisions: tuple[str, str, int]) -> dict[str, tuple[int, dict[str, int]]]:
    """Book and return per finding its amount and its funds above zero, in 分."""
    findings, funds, risks = frames(found)
    done, split = booking.book(findings, funds, decided(*decisions), risks)
    by_fund: dict[str, dict[str, int]] = defaultdict(dict)
    for ident, fund, _, final in split.rows():
        if final:
            by_fund[ident][fund] = int(final * 100)
    amounts = dict(done.select("finding_id", "final_det_sumamt").rows())
    return {ident: (int(amount * 100), by_fund[ident]) for ident, amount in amounts.items()}


def slow_booking(found: list[dict], decisions: dict[str, int]) -> dict[str, tuple[int, dict[str, int]]]:
    """Second opinion from the words alone: dicts, loops and fractions."""
    upheld = {}
    for row in found:
        stands = row["det"] if row["grade"] == "违规" else 0
        upheld[row["finding_id"]] = decisions.get(row["finding_id"], stands)
    best: dict[tuple, dict] = {}
    for row in found:
        amount = upheld[row["finding_id"]]
        if amount <= 0:
            continue
        place = (row["setl_id"], row["bkkp_sn"])
        rank = (-amount, row["grade"] != "违规", row["rule_id"], row["finding_id"])
        if place not in best or rank < best[place]["rank"]:
            best[place] = {"rank": rank, **row}
    whole = {setl_id for setl_id, line in best if line is None}
    result = {row["finding_id"]: (0, {}) for row in found}
    for (setl_id, line), row in best.items():
        if line is not None and setl_id in whole:
            continue
        amount, risk = upheld[row["finding_id"]], row["risk"]
        total = sum(risk.values())
        exact = {fund: Fraction(amount * fen, total) for fund, fen in risk.items()}
        parts = {fund: math.floor(value) for fund, value in exact.items()}
        order = sorted(risk, key=lambda fund, e=exact, p=parts: (p[fund] - e[fund], fund))
        for fund in order[: amount - sum(parts.values())]:
            parts[fund] += 1
        result[row["finding_id"]] = (amount, {fund: fen for fund, fen in parts.items() if fen})
    return result


@st.composite
def reviewed(draw) -> tuple[list[dict], list[tuple[str, str, int]]]:
    """Findings on a few settlements, each within its line's money, and decisions on some of them."""
    rng = random.Random(draw(st.integers(0, 2**32)))
    rows, used = [], set()
    for setl in range(rng.randint(1, 3)):
        lines = {
            str(n): {fund: rng.choice((0, 1, 2, 3, 100, rng.randrange(10**6))) for fund in FUNDS}
            for n in range(rng.randint(1, 4))
        }
        every = {fund: sum(line[fund] for line in lines.values()) for fund in FUNDS}
        for _ in range(rng.randint(0, 8)):
            sn = rng.choice([None, *lines])
            rule = rng.choice(("A02", "A07", "B01", "B03", "C05"))
            if (setl, sn, rule) in used:
                continue
            used.add((setl, sn, rule))
            part = rng.choice((Fraction(1), Fraction(1, 2), Fraction(rng.randrange(1, 100), 100)))
            money = every if sn is None else lines[sn]
            risk = {fund: oracle.round_half_up(fen * part) for fund, fen in money.items()}
            row = {"setl_id": f"S{setl}", "bkkp_sn": sn, "rule_id": rule, "risk": risk}
            grade, status = rng.choice(("违规", "可疑")), rng.choice(("active",) * 4 + ("trial",))
            rows.append({**row, "grade": grade, "status": status})
    found = cases(*rows)
    decisions = []
    for row in found:
        if rng.random() < 0.2:
            continue
        limit = row["det"] if row["grade"] == "违规" else sum(row["risk"].values())
        outcome = rng.choice(("维持", "部分维持", "撤销"))
        if outcome == "部分维持" and limit < 2:
            outcome = "维持"
        final = {"维持": limit, "撤销": 0}.get(outcome)
        decisions.append(
            (row["finding_id"], outcome, final if final is not None else rng.randrange(1, limit))
        )
    return found, decisions


@settings(max_examples=300, deadline=None)
@given(reviewed())
def test_booking_agrees_with_a_second_opinion_and_keeps_its_limits(case):
    found, decisions = case
    if not found:
        return
    got = booked(found, *decisions)

    assert got == slow_booking(found, {ident: fen for ident, _, fen in decisions})
    for row in found:
        amount, funds = got[row["finding_id"]]
        assert amount == sum(funds.values())
        assert amount <= (row["det"] if row["grade"] == "违规" else sum(row["risk"].values()))
        assert all(fen <= row["risk"][fund] for fund, fen in funds.items())


@settings(max_examples=200, deadline=None)
@given(reviewed())
def test_upholding_violations_and_withdrawing_suspicions_gives_the_preliminary_amounts(case):
    found, _ = case
    if not found:
        return
    findings, funds, risks = frames(found)
    sent = findings.with_columns(
        limit_amt=pl.when(pl.col("grade") == "违规").then("det_sumamt").otherwise("risk_amt")
    )

    for decisions in (deciding.robot(sent), decided()):
        done, split = booking.book(findings, funds, decisions, risks)
        assert done["final_det_sumamt"].equals(findings["det_sumamt"])
        assert split["final_det_sumamt"].equals(funds["det_sumamt"])
        assert done.schema == findings.schema
        assert split.schema == funds.schema


def test_r5_after_review_the_largest_upheld_finding_of_a_line_is_booked():
    found = cases(
        {"rule_id": "B03", "bkkp_sn": "1", "risk": {"310100": 120_00}},
        {"rule_id": "B01", "bkkp_sn": "1", "risk": {"310100": 30_00}},
        {"rule_id": "C05", "bkkp_sn": "1", "risk": {"310100": 110_00}, "grade": "可疑"},
    )

    assert [row["det"] for row in found] == [120_00, 0, 0]
    upheld = booked(found, ("f002", "维持", 110_00))
    assert [amount for amount, _ in upheld.values()] == [120_00, 0, 0]
    withdrawn = booked(found, ("f000", "撤销", 0), ("f002", "维持", 110_00))
    assert [amount for amount, _ in withdrawn.values()] == [0, 0, 110_00]


def test_r5_after_review_an_upheld_whole_settlement_replaces_its_lines_and_a_withdrawn_one_does_not():
    found = cases(
        {"rule_id": "B03", "bkkp_sn": "1", "risk": {"310100": 120_00}},
        {"rule_id": "A07", "risk": {"310100": 8_500_00}, "grade": "可疑"},
    )

    upheld = booked(found, ("f001", "维持", 8_500_00))
    assert [amount for amount, _ in upheld.values()] == [0, 8_500_00]
    withdrawn = booked(found, ("f001", "撤销", 0))
    assert [amount for amount, _ in withdrawn.values()] == [120_00, 0]


@pytest.mark.parametrize(
    ("final", "expected"),
    [
        (425_00, {"310100": 325_00, "330100": 75_00, "320100": 25_00}),
        (100_01, {"310100": 76_48, "330100": 17_65, "320100": 5_88}),
    ],
)
def test_r3_an_upheld_part_is_spread_over_funds_by_largest_remainder(final, expected):
    found = cases(
        {
            "rule_id": "A07",
            "grade": "可疑",
            "risk": {"310100": 6_500_00, "330100": 1_500_00, "320100": 500_00},
        }
    )

    assert booked(found, ("f000", "部分维持", final))["f000"] == (final, expected)


def test_equal_amounts_are_booked_on_the_violation_then_on_the_smaller_rule():
    line = {"bkkp_sn": "1", "risk": {"310100": 50_00}}
    found = cases(
        {**line, "rule_id": "A19", "grade": "可疑"},
        {**line, "rule_id": "C06"},
        {**line, "rule_id": "A18", "grade": "可疑"},
    )

    every = [("f000", "维持", 50_00), ("f002", "维持", 50_00)]
    assert [amount for amount, _ in booked(found, *every).values()] == [0, 50_00, 0]
    assert [amount for amount, _ in booked(found, *every, ("f001", "撤销", 0)).values()] == [0, 0, 50_00]


def test_a_finding_booked_at_zero_keeps_its_decision():
    found = cases(
        {"rule_id": "B03", "bkkp_sn": "1", "risk": {"310100": 50_00}},
        {"rule_id": "C05", "bkkp_sn": "1", "risk": {"310100": 40_00}, "grade": "可疑"},
    )
    done, _ = booking.book(*frames(found)[:2], decided(("f001", "部分维持", 40_00 - 1)), frames(found)[2])

    assert done.select("decision", "final_det_sumamt").rows() == [("", yuan(50_00)), ("部分维持", yuan(0))]


def test_amounts_of_a_billion_yuan_are_split_exactly():
    risk = {"310100": 10**11 + 1, "330100": 10**11 - 1, "610100": 1}
    found = cases({"rule_id": "A07", "grade": "可疑", "risk": risk})

    amount, funds = booked(found, ("f000", "部分维持", 10**11))["f000"]
    assert (amount, sum(funds.values())) == (10**11, 10**11)
    assert (amount, funds) == slow_booking(found, {"f000": 10**11})["f000"]


@pytest.mark.parametrize(
    ("decisions", "words"),
    [
        ([("f000", "维持", 50_01)], "与上限"),
        ([("f000", "维持", 49_99)], "与上限"),
        ([("f000", "部分维持", 50_00)], "与上限"),
        ([("f000", "部分维持", 0)], "与上限"),
        ([("f000", "撤销", 1)], "与上限"),
        ([("f000", "同意", 0)], "与上限"),
        ([("f999", "撤销", 0)], "没有对应的疑点"),
        ([("f000", "撤销", 0), ("f000", "维持", 50_00)], "只能有一条"),
    ],
)
def test_a_decision_that_could_not_have_been_taken_stops_the_booking(decisions, words):
    found = cases({"rule_id": "B03", "bkkp_sn": "1", "risk": {"310100": 50_00}})

    with pytest.raises(InvariantBroken, match=words):
        booked(found, *decisions)


def test_funds_that_do_not_cover_the_booked_amount_stop_the_booking():
    findings, funds, risks = frames(cases({"rule_id": "B03", "bkkp_sn": "1", "risk": {"310100": 50_00}}))

    with pytest.raises(InvariantBroken, match="分基金合计 0 分"):
        booking.book(findings, funds, decided(), risks.head(0))


# --- deciding --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sent():
    details = month_facts(institutions=3, findings=24, refused=1).details
    return details.with_columns(
        limit_amt=pl.when(pl.col("grade") == "违规").then("det_sumamt").otherwise("risk_amt")
    )


def answers(*rows: tuple) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=ANSWERED, orient="row")


def some(sent: pl.DataFrame, grade: str, count: int) -> list[tuple[str, Decimal]]:
    return sent.filter(pl.col("grade") == grade).select("finding_id", "limit_amt").rows()[:count]


def test_agreed_and_unanswered_violations_are_upheld_and_nothing_else(sent):
    (agreed, limit), (partly, _), (disputed, _), *_ = some(sent, "违规", 3)
    (suspect, _), *_ = some(sent, "可疑", 1)
    replies = answers(
        (agreed, "认可", limit, "", ""),
        (partly, "部分认可", yuan(1), "x", ""),
        (disputed, "不认可", yuan(0), "x", ""),
        (suspect, "认可", yuan(0), "", ""),
    )

    taken = deciding.uncontested(sent, replies)

    ids = set(sent.filter(pl.col("grade") == "违规")["finding_id"]) - {partly, disputed}
    assert set(taken["finding_id"]) == ids
    assert set(taken["decision"]) == {"维持"}
    assert taken.join(sent, on="finding_id").filter(pl.col("final_amt") != pl.col("limit_amt")).is_empty()
    reasons = dict(taken.select("finding_id", "reason").rows())
    assert reasons.pop(agreed) == label("review.agreed", "zh")
    assert set(reasons.values()) == {label("review.silent", "zh")}


def test_bulk_decides_one_rule_grade_or_institution(sent):
    code = sent["fixmedins_code"][0]
    taken = deciding.bulk(sent, "撤销", " 试运行规则 ", rule_id="B01", fixmedins_code=code)

    mine = sent.filter((pl.col("rule_id") == "B01") & (pl.col("fixmedins_code") == code))
    assert taken["finding_id"].to_list() == mine["finding_id"].to_list()
    assert set(taken.select("decision", "final_amt", "reason").rows()) == {("撤销", yuan(0), "试运行规则")}
    upheld = deciding.bulk(sent, "维持", "x", grade="可疑")
    assert upheld["final_amt"].sum() == sent.filter(pl.col("grade") == "可疑")["risk_amt"].sum()


@pytest.mark.parametrize(
    ("outcome", "reason", "wanted"),
    [("部分维持", "x", {"grade": "违规"}), ("维持", "  ", {"grade": "违规"}), ("维持", "x", {})],
)
def test_bulk_refuses_a_part_no_reason_and_everything(sent, outcome, reason, wanted):
    with pytest.raises(ProcedureError):
        deciding.bulk(sent, outcome, reason, **wanted)


# --- worklist --------------------------------------------------------------------------------


def none_decided() -> pl.DataFrame:
    return pl.DataFrame(schema=DECIDED)


def test_a_decision_is_required_of_suspicions_and_contested_violations(sent):
    (agreed, limit), (partly, _), (disputed, _), (silent, _), *_ = some(sent, "违规", 4)
    replies = answers(
        (agreed, "认可", limit, "", ""),
        (partly, "部分认可", yuan(1), "部分", ""),
        (disputed, "不认可", yuan(0), "不对", "病历.pdf"),
    )
    made = {row["finding_id"]: row for row in worklist.worklist(sent, replies, none_decided()).to_dicts()}

    assert len(made) == sent.height
    assert [made[i]["required"] for i in (agreed, partly, disputed, silent)] == [False, True, True, False]
    assert [made[i]["proposed"] for i in (agreed, partly, disputed, silent)] == ["维持", "", "", "维持"]
    assert made[silent]["answer"] == "逾期未反馈"
    assert (made[disputed]["appeal"], made[disputed]["attachments"]) == ("不对", "病历.pdf")
    assert all(row["required"] and not row["proposed"] for row in made.values() if row["grade"] == "可疑")


def test_other_findings_on_the_same_money_are_named(sent):
    same = sent.head(5).with_columns(
        setl_id=pl.lit("S1"),
        bkkp_sn=pl.Series(["1", "1", None, "2", None]),
        rule_id=pl.Series(["B", "C", "A", "D", "E"]),
    )
    made = worklist.worklist(same, answers(), none_decided())
    others = {rule: text.split("\n") for rule, text in made.select("rule_id", "others").rows()}
    named = {rule: "".join(text.split()[0] for text in texts) for rule, texts in others.items()}

    assert named == {"A": "BCDE", "B": "ACE", "C": "ABE", "D": "AE", "E": "ABCD"}


def test_a_stay_with_many_findings_names_ten_and_says_how_many(sent):
    same = sent.head(12).with_columns(setl_id=pl.lit("S1"), bkkp_sn=pl.lit("1"))
    texts = worklist.worklist(same, answers(), none_decided())["others"].to_list()

    assert all(len(text.split("\n")) == 10 and text.endswith(" … 11") for text in texts)


# --- the workbook ----------------------------------------------------------------------------


@pytest.fixture
def made(sent):
    (first, _), (second, _) = some(sent, "违规", 2)
    name = sent.filter(finding_id=second)["psn_name"][0]
    replies = answers(
        (first, "不认可", yuan(0), "=cmd()", "病历"), (second, "不认可", yuan(0), f"患者{name}病情需要", "")
    )
    return worklist.worklist(sent, replies, none_decided())


@pytest.fixture
def state(made):
    return made.with_columns(state=pl.lit("REVIEW"), first_reviewer=pl.lit("robot_first_review"))


@pytest.fixture
def picked(sent):
    rows = sent.unique("setl_id", maintain_order=True).select(
        "fixmedins_code", "setl_id", "psn_name", "med_type", "begndate", "enddate",
        medfee_sumamt="det_item_fee_sumamt", fund_pay_sumamt="inscp_amt",
    )  # fmt: skip
    nothing = pl.Series([], dtype=pl.String)
    return sampling.sample(rows, nothing, Decimal("0.2"), "langfang|202604").with_columns(
        state=pl.lit("REVIEW")
    )


@pytest.fixture
def book(tmp_path, made, picked):
    return worklist_book.write_worklist(tmp_path / "复审.xlsx", made, picked, HEADING)


def fill(path, sheet: str, cells: dict[str, object]):
    opened = openpyxl.load_workbook(path)
    for cell, value in cells.items():
        opened[sheet][cell] = value
    opened.save(path)
    return path


def row_of(path, sheet: str, ident: str) -> int:
    column = openpyxl.load_workbook(path)[sheet]["A"]
    return next(cell.row for cell in column if cell.value == ident)


def checked(path, state, actor="王复审", heading=HEADING):
    taken, refused = checking.check_decisions(returning.read_worklist(path), state, actor, heading)
    return taken, refused


def test_the_workbook_shows_what_is_contested_apart_and_masks_persons(book, made):
    opened = openpyxl.load_workbook(book)

    assert opened.sheetnames == ["待定", "无异议", "抽查"]
    counts = {name: sum(1 for c in opened[name]["A"][4:] if c.value) for name in ("待定", "无异议")}
    assert counts == {"待定": made["required"].sum(), "无异议": (~made["required"]).sum()}
    names = {cell.value for name in ("待定", "无异议") for cell in opened[name]["F"][4:]}
    assert {name[1:] for name in names} == {"*"}
    sheet = opened["待定"]
    assert sheet.protection.sheet
    assert [sheet[f"{c}5"].protection.locked for c in "ARXYZ"] == [True, True, True, False, False]
    assert not sheet["AA5"].protection.locked
    rules = {
        str(r.sqref)[0:2].strip("5:"): (r.type, r.formula1, r.formula2)
        for r in sheet.data_validations.dataValidation
    }
    assert rules["Y"][:2] == ("list", '"维持,部分维持,撤销"')
    assert rules["Z"] == ("decimal", "0", "$R5")
    appeals = {cell.value: cell.data_type for cell in sheet["U"][4:] if cell.value}
    assert appeals.pop("=cmd()") == "s"
    assert [text[3:] for text in appeals] == ["*病情需要"]


def test_same_worklist_same_bytes(tmp_path, made, picked):
    paths = [
        worklist_book.write_worklist(tmp_path / f"{n}.xlsx", rows, picked, HEADING)
        for n, rows in enumerate((made, made.reverse()))
    ]
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_an_empty_worklist_reads_back_as_nothing(book, state):
    filled = returning.read_worklist(book)

    assert (filled.decisions.height, filled.checks.height, filled.problems.height) == (0, 0, 0)
    taken, refused = checking.check_decisions(filled, state, "王复审", HEADING)
    assert taken.is_empty()
    assert refused.is_empty()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_fact_survives_the_round_trip(tmp_path, made, state, picked, lang):
    heading = Heading("廊坊市", HEADING.month, HEADING.names, lang)
    path = worklist_book.write_worklist(tmp_path / "r.xlsx", made, picked, heading)
    opened = openpyxl.load_workbook(path)
    for name in opened.sheetnames[:2]:
        for row in range(5, opened[name].max_row + 1):
            opened[name][f"Y{row}"] = {"zh": "撤销", "en": "withdrawn"}[lang]
            opened[name][f"AA{row}"] = "理由充分"
    sheet = opened[opened.sheetnames[2]]
    for row in range(5, sheet.max_row + 1):
        sheet[f"J{row}"] = {"zh": "有问题", "en": "faulty"}[lang]
        sheet[f"K{row}"] = "缺病历"
    opened.save(path)

    filled = returning.read_worklist(path)
    taken, refused = checking.check_decisions(filled, state, "王复审", heading)
    assert refused.is_empty(), refused
    assert set(taken["finding_id"]) == set(made["finding_id"])
    assert set(taken.select("decision", "final_amt", "reason", "actor").rows()) == {
        ("撤销", yuan(0), "理由充分", "王复审")
    }
    outcomes, refused = checking.check_sample(filled, picked, "王复审", heading)
    assert refused.is_empty(), refused
    assert outcomes.select("setl_id", "outcome", "note").rows() == [
        (ident, "有问题", "缺病历") for ident in picked["setl_id"]
    ]


def test_an_amount_left_empty_is_what_the_outcome_says(book, made, state):
    rows = made.filter(required=True, grade="可疑").select("finding_id", "limit_amt").rows()[:3]
    cells = {}
    for (ident, _), (outcome, amount) in zip(
        rows, (("维持", None), ("撤销", None), ("部分维持", float(rows[2][1]) / 2)), strict=True
    ):
        at = row_of(book, "待定", ident)
        cells |= {f"Y{at}": outcome, f"Z{at}": round(amount, 2) if amount else None, f"AA{at}": "理由"}

    taken, refused = checked(fill(book, "待定", cells), state)

    assert refused.is_empty(), refused
    amounts = {ident: (decision, final) for ident, decision, final, *_ in taken.rows()}
    assert amounts[rows[0][0]] == ("维持", rows[0][1])
    assert amounts[rows[1][0]] == ("撤销", yuan(0))
    assert amounts[rows[2][0]][0] == "部分维持"
    assert set(taken["place"].str.slice(0, 4)) == {"待定!Y"}


FAULTY_ROWS = [
    ("D01", {"A": "ffffffffffffffff", "Y": "撤销", "AA": "x"}, "A"),
    ("D02", {"Y": "同意", "AA": "x"}, "Y"),
    ("D02", {"Z": 0, "AA": "x"}, "Y"),
    ("D03", {"Y": "撤销"}, "AA"),
    ("D04", {"Y": "维持", "Z": 99_999_999, "AA": "x"}, "Z"),
    ("D05", {"Y": "维持", "Z": 0, "AA": "x"}, "Z"),
    ("D05", {"Y": "撤销", "Z": 0.01, "AA": "x"}, "Z"),
    ("D05", {"Y": "部分维持", "AA": "x"}, "Z"),
    ("D05", {"Y": "部分维持", "Z": 0, "AA": "x"}, "Z"),
    ("D05", {"Y": "部分维持", "Z": -1, "AA": "x"}, "Z"),
    ("D09", {"Y": "部分维持", "Z": 0.005, "AA": "x"}, "Z"),
    ("D09", {"Y": "部分维持", "Z": "一元", "AA": "x"}, "Z"),
    ("D07", {"Y": "撤销", "AA": "x", "R": 0.01}, "R"),
    ("D07", {"Y": "撤销", "AA": "x", "D": "别的结算"}, "D"),
    ("D07", {"Y": "撤销", "AA": "x", "U": "李大明改过的理由"}, "U"),
    ("D07", {"Y": "撤销", "AA": "x", "F": "李大明"}, "F"),
]


@pytest.mark.parametrize(("code", "cells", "at"), FAULTY_ROWS)
def test_a_faulty_row_is_refused_by_its_cell_and_the_others_are_taken(book, made, state, code, cells, at):
    bad, good = made.filter(required=True, grade="可疑")["finding_id"].to_list()[:2]
    row, sound = row_of(book, "待定", bad), row_of(book, "待定", good)
    fill(book, "待定", {f"{c}{row}": v for c, v in cells.items()})

    taken, refused = checked(fill(book, "待定", {f"Y{sound}": "撤销", f"AA{sound}": "x"}), state)

    assert refused.select("sheet", "cell", "code").rows() == [("待定", f"{at}{row}", code)]
    assert taken["finding_id"].to_list() == [good]
    assert "{" not in refused["message"][0]
    assert "李大明" not in str(refused.rows())


def test_every_fault_of_a_row_is_listed(book, made, state):
    row = row_of(book, "待定", made.filter(required=True)["finding_id"][0])
    _, refused = checked(
        fill(book, "待定", {f"Z{row}": 10**9, f"L{row}": "Z99"}), state, "robot_first_review"
    )

    assert refused["code"].to_list() == ["D02", "D03", "D04", "D07", "D11"]


def test_a_batch_not_under_review_and_ones_own_audit_are_refused(book, made, state):
    row = row_of(book, "待定", made.filter(required=True)["finding_id"][0])
    fill(book, "待定", {f"Y{row}": "撤销", f"AA{row}": "x"})

    _, refused = checked(book, state.with_columns(state=pl.lit("SETTLED")))
    assert refused.select("code", "message").rows() == [("D06", "该机构本月批次不在复审中(现为 已结算)")]
    two = state.with_columns(first_reviewer=pl.lit("李初审、robot_first_review"))
    for actor, codes in (("robot_first_review", ["D11"]), ("李初审", ["D11"]), ("李", []), ("王复审", [])):
        _, refused = checked(book, two, actor)
        assert refused["code"].to_list() == codes


def test_a_finding_filled_in_twice_is_refused_in_both_places(book, made, state):
    wanted, other = made.filter(required=True)["finding_id"].to_list()[:2]
    first, second = row_of(book, "待定", wanted), row_of(book, "待定", other)
    cells = {
        f"A{second}": wanted,
        f"Y{first}": "撤销",
        f"AA{first}": "x",
        f"Y{second}": "撤销",
        f"AA{second}": "x",
    }

    taken, refused = checked(fill(book, "待定", cells), state)

    assert taken.is_empty()
    twice = refused.filter(pl.col("code") == "D08")["cell"].to_list()
    assert sorted(twice) == sorted([f"A{first}", f"A{second}"])


def test_a_decision_that_stands_already_is_not_repeated(tmp_path, sent, picked):
    ident, limit = some(sent, "可疑", 1)[0]
    stands = pl.DataFrame([(ident, "维持", limit, "照旧")], schema=DECIDED, orient="row")
    made = worklist.worklist(sent, answers(), stands)
    path = worklist_book.write_worklist(tmp_path / "w.xlsx", made, picked, HEADING)
    state = made.with_columns(state=pl.lit("REVIEW"), first_reviewer=pl.lit(""))

    taken, refused = checked(path, state)
    assert (taken.height, refused.height) == (0, 0)
    row = row_of(path, "待定", ident)
    taken, refused = checked(fill(path, "待定", {f"AA{row}": "改了理由"}), state)
    assert refused.is_empty()
    assert taken.select("decision", "final_amt", "reason").rows() == [("维持", limit, "改了理由")]


def test_an_uncontested_violation_may_still_be_withdrawn(book, made, state):
    ident = made.filter(required=False)["finding_id"][0]
    row = row_of(book, "无异议", ident)
    taken, refused = checked(fill(book, "无异议", {f"Y{row}": "撤销", f"AA{row}": "查无实据"}), state)

    assert refused.is_empty()
    assert taken["finding_id"].to_list() == [ident]


def test_a_changed_header_or_another_file_is_a_problem_not_an_exception(tmp_path, book):
    filled = returning.read_worklist(fill(book, "待定", {"Y4": "结论", "Y5": "撤销"}))
    assert filled.problems.select("sheet", "cell", "code").rows() == [("待定", "Y4", "D07")]
    assert filled.decisions.is_empty()

    other = openpyxl.Workbook()
    other.save(tmp_path / "other.xlsx")
    (tmp_path / "text.xlsx").write_text("不是工作簿")
    for path in (tmp_path / "other.xlsx", tmp_path / "text.xlsx", tmp_path / "missing.xlsx"):
        filled = returning.read_worklist(path)
        assert filled.problems["code"].to_list() == ["D10"]
        assert filled.decisions.is_empty()


@pytest.mark.parametrize(
    ("code", "cells", "at"),
    [
        ("D12", {"A": "没有的结算", "J": "通过"}, "A"),
        ("D13", {"J": "还行"}, "J"),
        ("D14", {"J": "有问题"}, "K"),
        ("D07", {"J": "通过", "G": 1}, "G"),
    ],
)
def test_a_faulty_result_of_the_sample_is_refused_by_its_cell(book, picked, code, cells, at):
    fill(book, "抽查", {f"{column}5": value for column, value in cells.items()})
    taken, refused = checking.check_sample(returning.read_worklist(book), picked, "王复审", HEADING)

    assert taken.is_empty()
    assert refused.select("sheet", "cell", "code").rows() == [("抽查", f"{at}5", code)]


@pytest.mark.parametrize("spoil", [hostile.bomb, hostile.damage])
def test_a_hostile_worklist_is_no_worklist(book, spoil):
    spoil(book)
    filled = returning.read_worklist(book)

    assert filled.problems["code"].to_list() == ["D10"]
    assert (filled.decisions.height, filled.checks.height) == (0, 0)


def test_a_settlement_of_the_sample_filled_in_twice_is_refused_in_both_places(book, picked):
    fill(book, "抽查", {"A6": picked["setl_id"][0], "J5": "通过", "J6": "通过"})
    taken, refused = checking.check_sample(returning.read_worklist(book), picked, "王复审", HEADING)

    assert taken.is_empty()
    assert refused.filter(pl.col("code") == "D08")["cell"].to_list() == ["A5", "A6"]


def test_results_of_the_sample_wait_for_the_review(book, picked):
    fill(book, "抽查", {"J5": "通过"})
    closed = picked.with_columns(state=pl.lit("APPROVED"))
    taken, refused = checking.check_sample(returning.read_worklist(book), closed, "王复审", HEADING)

    assert taken.is_empty()
    assert refused["code"].to_list() == ["D06"]


def test_every_code_says_what_is_wrong_and_what_to_do():
    for n in range(1, 15):
        assert all(label(f"review.D{n:02d}{part}", lang) for part in ("", ".do") for lang in ("zh", "en"))


# --- the sample ------------------------------------------------------------------------------


def settled(count: int, institutions: int = 3) -> pl.DataFrame:
    rows = [(f"H{n % institutions}", f"S{n:05d}") for n in range(count)]
    return pl.DataFrame(rows, schema=["fixmedins_code", "setl_id"], orient="row")


def ids(
    rows: pl.DataFrame, share: str = "0.01", seed: str = "langfang|202604", flagged: tuple = ()
) -> list[str]:
    none = pl.Series(flagged, dtype=pl.String)
    return sampling.sample(rows, none, Decimal(share), seed)["setl_id"].to_list()


def test_anyone_can_recompute_the_sample():
    rows, flagged = settled(1000), tuple(f"S{n:05d}" for n in range(0, 1000, 7))

    expected = []
    for code in ("H0", "H1", "H2"):
        passed = [s for c, s in rows.rows() if c == code and s not in flagged]
        passed.sort(key=lambda s: hashlib.sha256(f"langfang|202604|{s}".encode()).hexdigest())
        expected += passed[: math.ceil(len(passed) * Fraction(1, 100))]

    assert ids(rows, flagged=flagged) == expected
    assert ids(rows.sample(fraction=1, shuffle=True, seed=3), flagged=flagged) == expected


def test_another_seed_is_another_sample_and_no_flagged_settlement_is_in_it():
    rows = settled(3000)

    assert set(ids(rows)) != set(ids(rows, seed="langfang|202605"))
    assert not set(ids(rows, share="1", flagged=("S00001", "S00002"))) & {"S00001", "S00002"}
    assert len(ids(rows, share="1")) == 3000


@pytest.mark.parametrize(("share", "count"), [("0.01", 1), ("0.0101", 2), ("0.5", 50), ("1", 100), ("0", 1)])
def test_a_share_is_rounded_up_and_never_nobody(share, count):
    assert len(ids(settled(100, 1), share)) == count


def test_an_institution_where_nothing_passed_has_no_sample():
    assert ids(settled(1, 1), flagged=("S00000",)) == []


@given(st.integers(1, 300), st.integers(0, 10**6))
@settings(max_examples=25, deadline=None)
def test_one_more_settlement_changes_at_most_one_place(count, new):
    rows = settled(count, 1)
    more = rows.vstack(pl.DataFrame({"fixmedins_code": ["H0"], "setl_id": [f"N{new}"]}))

    assert len(set(ids(rows, "0.1")) - set(ids(more, "0.1"))) <= 1
    assert len(set(ids(more, "0.1")) - set(ids(rows, "0.1"))) <= 1


def test_the_share_is_a_parameter_with_its_source():
    value = policy.load("langfang").parameter("review_sample_share").on(dt.date(2026, 4, 1))
    assert (value.value, value.source, value.assumed) == (Decimal("0.01"), "drg-2025", True)
    with pytest.raises(PolicyError):
        ids(settled(1), "1.01")


# --- 06 复审意见表 ----------------------------------------------------------------------------


@pytest.fixture
def opinions(sent):
    robot = deciding.robot(sent).with_columns(actor=pl.lit("王复审"), day=pl.lit(dt.date(2026, 5, 20)))
    first = sent["finding_id"][0]
    replies = answers((first, "不认可", yuan(0), f"患者{sent['psn_name'][0]}病情需要", ""))
    return review_rows(sent, replies, robot.slice(1), sent)


def test_the_review_sheet_tells_each_institution_its_decisions(tmp_path, sent, opinions):
    paths = write_reviews(opinions, HEADING, tmp_path, processes=1)

    codes = sorted(set(sent["fixmedins_code"]))
    assert paths == [tmp_path / "institutions" / code / "06_复审意见表.xlsx" for code in codes]
    rows = [list(r) for r in openpyxl.load_workbook(paths[0])["复审意见"].iter_rows(values_only=True)]
    at = next(i for i, row in enumerate(rows) if row[0] == "疑点号")
    shown = [dict(zip(rows[at], row, strict=True)) for row in rows[at + 1 :] if row[1]]
    mine = opinions.filter(pl.col("fixmedins_code") == codes[0])
    assert len(shown) == mine.height
    assert {r["疑点号"]: r["入账金额"] for r in shown} == {
        i: float(a) for i, a in mine.select("finding_id", "booked_amt").rows()
    }
    heads = {row[0]: row for row in rows[:at]}
    count = mine.filter(decision="撤销").height
    booked_at = rows[at].index("入账金额")
    assert f"撤销 {count} 条" in heads
    assert heads[f"合计 {mine.height} 条"][booked_at] == float(mine["booked_amt"].sum())
    assert any("复审人:王复审" in str(head) and "2026-05-20" in str(head) for head in heads)


def test_a_person_named_in_an_appeal_is_masked_and_an_open_finding_says_so(tmp_path, sent, opinions):
    path = write_reviews(opinions, HEADING, tmp_path, processes=1)[0]
    text = [[str(c) for c in r] for r in openpyxl.load_workbook(path)["复审意见"].iter_rows(values_only=True)]
    row = next(row for row in text if row[0] == sent["finding_id"][0])

    assert f"患者{sent['psn_name'][0][0]}*病情需要" in row
    assert "待复审" in row
    assert not any(sent["psn_name"][0] in cell for cells in text for cell in cells)


def test_the_review_sheet_is_the_same_whatever_the_order_of_rows_and_the_processes(tmp_path, sent):
    many = pl.concat([sent.with_columns(fixmedins_code=pl.lit(f"H{n:03d}")) for n in range(31)])
    many = many.with_columns(finding_id=pl.format("{}{}", "fixmedins_code", "finding_id"))
    rows = review_rows(
        many, answers(), pl.DataFrame(schema={**DECIDED, "actor": pl.String, "day": pl.Date}), many
    )

    one = write_reviews(rows, HEADING, tmp_path / "1", processes=1)
    two = write_reviews(rows.reverse(), HEADING, tmp_path / "2", processes=2)

    assert len(one) == len(two) == 31
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(one, two, strict=True))


def test_the_review_sheet_in_english(tmp_path, opinions):
    heading = Heading("Langfang", HEADING.month, {}, "en")
    path = write_reviews(opinions, heading, tmp_path, processes=1)[0]
    words = {str(c) for r in openpyxl.load_workbook(path)["Decisions"].iter_rows(values_only=True) for c in r}

    assert {"upheld", "withdrawn", "decision", "booked", "no reply in time"} <= words
