"""Random small months: settlements, lines and findings that acceptance would let through.

Lines are drawn first and headers summed from them, so that the identities of acceptance hold by
construction: medfee = fund + person + hospital, fund = its eight funds, person = account + cash,
mutual aid ≤ account, the four buckets of the lines sum to the header's, fund ≤ in scope (for a
reversal the same with the signs turned). What is drawn on purpose: ties between weights, nothing in
scope, refund lines (whole, partial, twice, of a line that is not there), lines of quantity zero,
reversals in and out of the file, reversals that name another institution's settlement, amounts
between one 分 and ten million 元, more findings than one on the same line.
"""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import polars as pl
from hypothesis import strategies as st

from schemas.funds import POOLED_COLUMNS
from schemas.layout import table
from schemas.submission import FeeListD, SetlD

Row = dict[str, Any]
Draw = Any

BUCKETS = ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_amt")
LINE_MONEY = ("det_item_fee_sumamt", *BUCKETS)
SETL_MONEY = (
    "medfee_sumamt",
    *BUCKETS,
    *POOLED_COLUMNS,
    "fund_pay_sumamt",
    "psn_pay",
    "acct_pay",
    "acct_mulaid_pay",
    "cash_payamt",
    "ownpay_hosp_part",
)
INSTITUTIONS = ("H37068400001", "H37068400002", "P37068400003", "P37068400004")
# "10" sorts before "9" and a capital before a small letter: order of text, not of numbers.
LINE_NUMBERS = ("9", "10", "1", "2", "11", "a", "B", "02", "é")
RULES = ("A02", "A07", "B01", "B03", "B05", "C10", "C09", "D06", "E01")
DEDUCTIONS = ("DL", "DQ", "DP", "DS", "DG", "DD", "D0")
CENT = Decimal("0.01")


class Month:
    """One random month, as rows and as typed frames."""

    def __init__(self, settlements: list[Row], lines: list[Row], findings: list[Row]) -> None:
        self.settlements = settlements
        self.lines = lines
        self.findings = findings

    def __repr__(self) -> str:
        """Show what a failing example needs and nothing else."""
        rows = (*self.settlements, *self.lines, *self.findings)
        return "\n".join(str({k: str(v) for k, v in row.items() if v}) for row in rows)[:8_000]

    @property
    def setl_d(self) -> pl.DataFrame:
        return pl.DataFrame(self.settlements, schema=table(SetlD).schema, orient="row")

    @property
    def fee_list_d(self) -> pl.DataFrame:
        return pl.DataFrame(self.lines, schema=table(FeeListD).schema, orient="row")


FINDING_SCHEMA: dict[str, Any] = {
    "rule_id": pl.String,
    "grade": pl.String,
    "deduction": pl.String,
    "status": pl.String,
    "setl_id": pl.String,
    "bkkp_sn": pl.String,
    "part": pl.Decimal(18, 4),
    "whole": pl.Decimal(18, 4),
    "funds": pl.String,
}


def yuan(fen: int) -> Decimal:
    """Return 分 as 元 with two places."""
    return (fen * CENT).quantize(CENT)


_small = st.sampled_from((0, 1, 2, 100, 333, 3333, 100_00))
_usual = st.integers(0, 2_000_00)
_huge = st.integers(0, 10_000_000_00)
_rarely = st.integers(0, 11).map(lambda n: n == 11)
_seldom = st.integers(0, 5).map(lambda n: n == 5)


# --- lines -----------------------------------------------------------------------------------


@st.composite
def _own_lines(draw: Draw, setl_id: str) -> list[Row]:
    """Draw the 1 to 8 lines of one settlement, refund lines included."""
    scale = draw(st.sampled_from(("tie", "small", "usual", "usual", "huge", "none")))
    amount = {"tie": st.just(draw(_small)), "small": _small, "huge": _huge}.get(scale, _usual)
    numbers = draw(st.permutations(LINE_NUMBERS))
    lines: list[Row] = []
    for sn in numbers[: draw(st.integers(1, 8))]:
        if lines and draw(_seldom):
            lines.append(draw(_refund(sn, draw(st.sampled_from(lines)))))
            continue
        in_scope = 0 if scale == "none" else draw(amount)
        others = [0, 0, 0] if scale == "tie" else [draw(_small) for _ in range(3)]
        lines.append(fee_line(setl_id, sn, draw(_quantity), [*others, in_scope]))
        if draw(_rarely):  # names another line without giving anything back: is not netted
            lines[-1]["init_feedetl_sn"] = lines[0]["bkkp_sn"]
    if any(sum(line[bucket] for line in lines) < 0 for bucket in BUCKETS):
        return [line for line in lines if line["cnt"] >= 0]  # more given back than charged
    return lines


_quantity = st.sampled_from((1, 1, 2, 3, 8, 30, 0)).map(Decimal)


@st.composite
def _refund(draw: Draw, sn: str, named: Row) -> Row:
    """Draw a line that gives back all or part of another one, or of one that is not there."""
    cnt = abs(named["cnt"]) or Decimal(1)
    back = draw(st.sampled_from((cnt, cnt, Decimal(1))))
    share = back / cnt
    amounts = [-int(abs(named[bucket]) * 100 * share) for bucket in BUCKETS]
    line = fee_line(named["setl_id"], sn, -back, amounts)
    line["init_feedetl_sn"] = "gone" if draw(_rarely) else named["bkkp_sn"]
    return line


def fee_line(setl_id: str, sn: str, cnt: Decimal, buckets: list[int]) -> Row:
    total = sum(buckets)
    """Return one complete line; the last of the four buckets, in 分, is what is in scope."""
    row: Row = dict.fromkeys(table(FeeListD).schema)
    row.update(
        bkkp_sn=sn,
        setl_id=setl_id,
        mdtrt_id=f"M{setl_id}",
        fee_ocur_time=datetime.combine(date(2026, 4, 10), time(9, 30)),
        hilist_code="XA01AAA001",
        hilist_name="测试项目",
        list_type="101",
        med_chrgitm_type="09",
        chrgitm_lv="01",
        cnt=cnt.quantize(Decimal("0.0001")),
        pric=(abs(yuan(total) / cnt) if cnt else Decimal(0)).quantize(Decimal("0.000001")),
        det_item_fee_sumamt=yuan(total),
        **{bucket: yuan(amount) for bucket, amount in zip(BUCKETS, buckets, strict=True)},
    )
    return row


# --- settlements -----------------------------------------------------------------------------


@st.composite
def _settlement(draw: Draw, setl_id: str, institutions: list[str], lines: list[Row]) -> Row:
    """Draw the header of one settlement over its lines."""
    sums = {column: sum(int(line[column] * 100) for line in lines) for column in LINE_MONEY}
    medfee = sums.pop("det_item_fee_sumamt")
    money = dict.fromkeys(SETL_MONEY, 0) | sums | {"medfee_sumamt": medfee}
    left = max(0, min(money["inscp_amt"], medfee))
    for column in draw(st.lists(st.sampled_from(POOLED_COLUMNS), min_size=1, max_size=4, unique=True)):
        money[column] = draw(st.one_of(st.just(left), st.integers(0, left)))
        left -= money[column]
    fund = sum(money[column] for column in POOLED_COLUMNS)
    rest = max(0, medfee - fund)
    hospital = draw(st.integers(0, rest)) if draw(_rarely) else 0
    account = draw(st.one_of(st.just(0), st.integers(0, rest - hospital)))
    person = medfee - fund - hospital
    money |= {
        "fund_pay_sumamt": fund,
        "psn_pay": person,
        "acct_pay": account,
        "acct_mulaid_pay": account if draw(_rarely) else 0,
        "cash_payamt": person - account,
        "ownpay_hosp_part": hospital,
    }
    return settlement(
        setl_id,
        money,
        insutype=draw(st.sampled_from(("310", "390", "340", "510"))),
        fixmedins_code=draw(st.sampled_from(institutions)),
        clr_type=draw(st.sampled_from(("11", "21", "41", "41"))),
        refd_setl_flag="1" if draw(_rarely) else "0",
        vali_flag="0" if draw(_rarely) else "1",
    )


def settlement(setl_id: str, money: dict[str, int], **columns: str) -> Row:
    """Return one complete settlement; `money` is in 分."""
    row: Row = dict.fromkeys(table(SetlD).schema)
    row.update(
        setl_id=setl_id,
        mdtrt_id=f"M{setl_id}",
        psn_no="T0001",
        psn_name="测试人员",
        certno="000000000000000000",
        gend="1",
        brdy=date(1960, 1, 1),
        insutype="310",
        psn_type="11",
        fixmedins_code=INSTITUTIONS[0],
        begndate=date(2026, 4, 8),
        enddate=date(2026, 4, 12),
        setl_time=datetime.combine(date(2026, 4, 12), time(10)),
        med_type="11",
        clr_type="11",
        refd_setl_flag="0",
        vali_flag="1",
        **{column: yuan(amount) for column, amount in money.items()},
    )
    return row | columns


@st.composite
def _reversal(
    draw: Draw, setl_id: str, named: Row, lines: list[Row], institutions: list[str]
) -> tuple[Row, list[Row]]:
    """Draw the settlement that takes another one back, and its lines."""
    odd = draw(st.integers(0, 6))
    renamed = {"setl_id": setl_id, "mdtrt_id": f"M{setl_id}"}
    row = named | renamed | {"init_setl_id": named["setl_id"], "vali_flag": "1"}
    if odd == 6:  # names another settlement without being a reversal: takes nothing back
        return row | {"refd_setl_flag": "0"}, [line | renamed for line in lines]
    row |= {column: -named[column] for column in SETL_MONEY} | {"refd_setl_flag": "1"}
    if odd == 4:
        row["init_setl_id"] = "of an earlier month"
    elif odd == 5:
        row["fixmedins_code"] = draw(st.sampled_from(institutions))
    back = [
        line
        | {column: -line[column] for column in ("cnt", *LINE_MONEY)}
        | renamed
        | {"bkkp_sn": f"r{line['bkkp_sn']}", "init_feedetl_sn": line["bkkp_sn"]}
        for line in lines
    ]
    return row, back


# --- findings --------------------------------------------------------------------------------

_quarter = Decimal("0.0001")
_fractions = st.one_of(
    st.sampled_from(
        (
            ("1", "1"),
            ("1", "1"),
            ("1", "2"),
            ("6", "30"),
            ("1", "8"),
            ("66", "100.5"),
            ("3", "2"),
        )
    ),
    st.tuples(st.integers(1, 10**11), st.integers(1, 10**11)).map(
        lambda pair: tuple(str(n * _quarter) for n in pair)
    ),
)


@st.composite
def _findings(draw: Draw, settlements: list[Row], lines: list[Row]) -> list[Row]:
    """Draw findings on settlements that are no reversals; a rule hits the same place once."""
    plain = {s["setl_id"] for s in settlements if s["medfee_sumamt"] >= 0}
    places = [(setl_id, None) for setl_id in sorted(plain)]
    places += [
        (line["setl_id"], line["bkkp_sn"]) for line in lines if line["setl_id"] in plain and line["cnt"] > 0
    ]
    if not places:
        return []
    rules = draw(st.lists(st.sampled_from(RULES), min_size=2, max_size=5, unique=True))
    headers = {
        rule: (
            draw(st.sampled_from(DEDUCTIONS)),
            draw(st.sampled_from(("active", "active", "active", "active", "trial"))),
        )
        for rule in rules
    }
    crowded = st.sampled_from(draw(st.lists(st.sampled_from(places), min_size=1, max_size=4)))
    place = st.one_of(crowded, crowded, st.sampled_from(places))
    hits = draw(
        st.lists(
            st.tuples(st.sampled_from(rules), place),
            min_size=min(3, len(places)),
            max_size=40,
            unique=True,
        )
    )
    found = []
    for rule, (setl_id, sn) in hits:
        part, whole = draw(_fractions)
        grade = draw(st.sampled_from(("违规", "违规", "违规", "可疑")))
        deduction, status = headers[rule]
        found.append(
            {
                "rule_id": rule,
                "grade": grade,
                "deduction": deduction,
                "status": status,
                "setl_id": setl_id,
                "bkkp_sn": sn,
                "part": Decimal(part).quantize(_quarter),
                "whole": Decimal(whole).quantize(_quarter),
                "funds": draw(st.sampled_from((None, None, None, "310100", "310200|330100"))),
            }
        )
    return found


# --- months ----------------------------------------------------------------------------------


@st.composite
def months(draw: Draw) -> Month:
    """Draw a month of 1 to 4 institutions and 0 to 12 settlements, in no particular order."""
    institutions = list(INSTITUTIONS[: draw(st.integers(1, 4))])
    settlements: list[Row] = []
    lines: list[Row] = []
    for n in range(draw(st.integers(0, 12))):
        setl_id = f"S{n:02d}"
        if settlements and draw(_seldom):
            named = draw(st.sampled_from(settlements))
            own = [line for line in lines if line["setl_id"] == named["setl_id"]]
            if named["init_setl_id"] is None:
                row, back = draw(_reversal(setl_id, named, own, institutions))
                settlements.append(row)
                lines += back
                continue
        own = draw(_own_lines(setl_id))
        settlements.append(draw(_settlement(setl_id, institutions, own)))
        lines += own
    findings = draw(_findings(settlements, lines))
    shuffle = draw(st.randoms(use_true_random=False)).shuffle
    for rows in (settlements, lines, findings):
        shuffle(rows)
    return Month(settlements, lines, findings)


@st.composite
def openings(draw: Draw) -> dict[tuple[str, str], dict[str, int]]:
    """Draw what earlier months and the payment method add, by institution and fund, in 分."""
    keys = st.tuples(
        st.sampled_from(INSTITUTIONS),  # one that claims nothing this month may still owe
        st.sampled_from(("310100", "390100", "310200", "330100", "610100", "999997")),
    )
    signed = st.one_of(st.integers(-5_000_00, 5_000_00), st.integers(-(10**10), 10**10))
    positive = st.one_of(st.integers(1, 5_000_00), st.integers(1, 10**10))
    steps = st.fixed_dictionaries(
        {},
        optional={
            "method_adjust": signed.filter(bool),
            "quota": st.integers(0, 2_000_00),
            "advance_offset": positive,
            "prior_adjust": signed.filter(bool),
            "clawback": positive,
        },
    )
    return draw(st.dictionaries(keys, steps, max_size=5))
