"""The slow second opinion against the worked vectors, and the random months against acceptance."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings

from schemas.funds import FUNDS, POOLED_COLUMNS
from tests import oracle
from tests.random_months import BUCKETS, SETL_MONEY, Month, months

RANDOM = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
FUND_COLUMNS = {fund.column for fund in FUNDS}


def settlement(setl_id="S1", **columns):
    row = {"setl_id": setl_id, "fixmedins_code": "H1", "insutype": "310", "clr_type": "21"}
    row |= {"refd_setl_flag": "0", "vali_flag": "1", "init_setl_id": None}
    row |= dict.fromkeys(FUND_COLUMNS, Decimal(0))
    return row | {k: Decimal(v) if k in FUND_COLUMNS else v for k, v in columns.items()}


def line(sn, inscp, setl_id="S1", cnt="1", init=None):
    row = {"setl_id": setl_id, "bkkp_sn": sn, "init_feedetl_sn": init, "cnt": Decimal(cnt)}
    row |= dict.fromkeys(oracle.LINE_AMOUNTS, Decimal(0))
    return row | {"inscp_amt": Decimal(inscp), "det_item_fee_sumamt": Decimal(inscp)}


def finding(rule_id, sn, part="1", whole="1", **columns):
    row = {"rule_id": rule_id, "grade": "违规", "deduction": "DL", "status": "active"}
    row |= {"setl_id": "S1", "bkkp_sn": sn, "part": Decimal(part), "whole": Decimal(whole)}
    return row | columns


R1_SETTLEMENT = settlement(hifp_pay="8500.00")
R1_LINES = [line("1", "540.00"), line("2", "3333.33"), line("3", "6926.67")]


def totals(settlements, lines, findings):
    amounts = oracle.risks(settlements, lines, findings)
    books = oracle.booked(findings, amounts)
    return [sum(m.values()) for m in amounts], [sum(m.values()) for m in books]


@pytest.mark.parametrize(
    ("value", "rounded"),
    [("939394.5", 939395), ("939394.4999", 939394), ("0.5", 1), ("1.5", 2), ("2.5", 3), ("-0.5", -1)],
)
def test_a_half_is_rounded_away_from_zero(value, rounded):
    assert oracle.round_half_up(Fraction(value)) == rounded


def test_an_amount_finer_than_a_fen_is_refused():
    with pytest.raises(AssertionError):
        oracle.fen(Decimal("9393.945"))


def test_r1_shares_pro_rata_of_the_amount_in_scope():
    share = oracle.shares([R1_SETTLEMENT], R1_LINES)
    assert [share["S1", sn]["310100"] for sn in "123"] == [42500, 262345, 545155]


@pytest.mark.parametrize(
    ("inscp", "rest", "parts"),
    [("540.00", "10260.00", (32500, 7500, 2500)), ("100.01", "8399.99", (7648, 1765, 588))],
)
def test_r3_each_fund_is_shared_by_itself(inscp, rest, parts):
    s = settlement(hifp_pay="6500.00", hifob_pay="1500.00", cvlserv_pay="500.00")
    share = oracle.shares([s], [line("1", inscp), line("2", rest)])
    assert tuple(share["S1", "1"][code] for code in ("310100", "330100", "320100")) == parts
    assert sum(sum(money.values()) for money in share.values()) == 850000


def test_the_odd_fen_of_a_tie_goes_to_the_smaller_line_number_as_text():
    s = settlement(hifp_pay="1.00")
    share = oracle.shares([s], [line("9", "7.00"), line("10", "7.00"), line("2", "7.00")])
    assert {sn: money["310100"] for (_, sn), money in share.items()} == {"10": 34, "2": 33, "9": 33}


def test_nothing_in_scope_and_negative_weights_share_nothing():
    s = settlement(hifp_pay="1.00")
    assert oracle.shares([s], [line("1", "0.00")]) == {("S1", "1"): {"310100": 0}}
    share = oracle.shares([s], [line("1", "-5.00"), line("2", "2.00")])
    assert [share["S1", sn]["310100"] for sn in "12"] == [0, 100]


def test_refund_lines_are_netted_first_and_lines_left_with_nothing_drop_out():
    s = settlement(hifp_pay="90.00")
    lines = [
        line("1", "60.00", cnt="2"),
        line("2", "50.00"),
        line("3", "-30.00", cnt="-1", init="1"),
        line("4", "-50.00", cnt="-1", init="2"),
        line("5", "60.00"),
    ]
    share = oracle.shares([s], lines)
    assert share == {("S1", "1"): {"310100": 3000}, ("S1", "5"): {"310100": 6000}}


def test_the_account_is_shared_for_pharmacies_only_and_by_the_line_amount():
    lines = [line("1", "0.00"), line("2", "10.00")]
    lines[0]["det_item_fee_sumamt"] = Decimal("30.00")
    pharmacy = settlement(clr_type="41", acct_pay="20.00", hifp_pay="8.00")
    assert oracle.shares([pharmacy], lines) == {
        ("S1", "1"): {"310200": 1500, "310100": 0},
        ("S1", "2"): {"310200": 500, "310100": 800},
    }
    clinic = pharmacy | {"clr_type": "11"}
    assert oracle.funds_in_scope(clinic) == {"310100": 800}


def test_valid_settlements():
    rows = [
        settlement("plain"),
        settlement("void", vali_flag="0"),
        settlement("marked", refd_setl_flag="1"),
        settlement("reversed"),
        settlement("reversal", refd_setl_flag="1", init_setl_id="reversed"),
        settlement("named by another institution"),
        settlement("x", refd_setl_flag="1", fixmedins_code="H2", init_setl_id="named by another institution"),
        settlement("replaces", init_setl_id="plain"),
    ]
    assert oracle.valid_ids(rows) == {"plain", "named by another institution", "replaces"}


# --- findings --------------------------------------------------------------------------------


def test_r5_a_finding_on_the_settlement_replaces_those_on_its_lines():
    s = settlement(hifp_pay="8500.00")
    lines = [line("1", "120.00"), line("2", "8380.00")]
    on_line = [finding("B03", "1"), finding("B01", "1", "1", "4")]
    assert totals([s], lines, on_line) == ([12000, 3000], [12000, 0])
    both = [*on_line, finding("A07", None, deduction="DS")]
    assert totals([s], lines, both) == ([12000, 3000, 850000], [0, 0, 850000])


def test_of_equal_findings_the_smaller_rule_books():
    s, lines = settlement(hifp_pay="10.00"), [line("1", "10.00")]
    assert totals([s], lines, [finding("C02", "1"), finding("B09", "1")])[1] == [0, 1000]
    assert totals([s], lines, [finding("D01", None), finding("A07", None)])[1] == [0, 1000]


@pytest.mark.parametrize("column", [{"grade": "可疑"}, {"status": "trial"}, {"deduction": "D0"}])
def test_what_does_not_count_neither_books_nor_hides_another(column):
    s, lines = settlement(hifp_pay="10.00"), [line("1", "10.00")]
    findings = [finding("A07", None, **column), finding("B01", "1", "1", "2")]
    assert totals([s], lines, findings) == ([1000, 500], [0, 500])


@pytest.mark.parametrize(
    ("fund", "part", "whole", "amount"),
    [
        ("150.00", "6", "30", 3000),  # 30 hours on one day, limit 24
        ("320.00", "1", "8", 4000),  # 8 beds charged for 7 days
        ("0.01", "1", "2", 1),
        ("0.01", "0.4999", "1", 0),
        ("10.00", "3", "2", 1000),
    ],
)
def test_r6_r7_a_part_of_a_line_and_never_more_than_the_line(fund, part, whole, amount):
    s, lines = settlement(hifp_pay=fund), [line("1", fund)]
    assert totals([s], lines, [finding("B05", "1", part, whole)]) == ([amount], [amount])
    assert totals([s], lines, [finding("B05", None, part, whole)]) == ([amount], [amount])


# --- payment ---------------------------------------------------------------------------------

FIVE = Decimal("0.05")


def test_n1_month_of_a_hospital():
    row = oracle.pay(100_000_000, 2_345_678, FIVE, advance_offset=10_000_000, clawback=3_000_000)
    assert (row["dpst_sumamt"], row["act_dfr_amt"], row["carry_amt"]) == (4_882_716, 79_771_606, 0)


def test_n2_month_of_a_pharmacy_below_zero():
    row = oracle.pay(820_000, 115_050, FIVE, clawback=900_000)
    assert (row["dpst_sumamt"], row["act_dfr_amt"], row["carry_amt"]) == (35_248, 0, 230_298)


def test_n3_funds_never_net_each_other():
    rows = oracle.payment(
        [settlement("1", hifp_pay="-5000.00"), settlement("2", insutype="390", hifp_pay="20000.00")],
        [],
        [],
        Decimal(0),
    )
    paid = {code: (row["act_dfr_amt"], row["carry_amt"]) for (_, code), row in rows.items()}
    assert paid == {"310100": (0, 500_000), "390100": (2_000_000, 0)}


def test_n4_the_deposit_is_rounded_fund_by_fund():
    s = settlement(hifp_pay="600000.00", hifob_pay="376543.22")
    rows = oracle.payment([s], [], [], FIVE)
    deposits = [row["dpst_sumamt"] for row in rows.values()]
    assert deposits == [3_000_000, 1_882_716]


def test_n9_a_month_of_refunds_pays_nothing_and_carries():
    row = oracle.pay(-300_000, 0, FIVE)
    assert (row["dpst_sumamt"], row["act_dfr_amt"], row["carry_amt"]) == (0, 0, 300_000)


def test_a_quota_defers_before_the_deposit():
    row = oracle.pay(113_000_000, 0, Decimal("0.1"), quota=100_000_000)
    assert (row["deferred_amt"], row["dpst_sumamt"]) == (13_000_000, 10_000_000)
    assert row["act_dfr_amt"] == 90_000_000


def test_rows_of_a_month():
    rows = oracle.payment(
        [settlement(acct_pay="10.00"), settlement("2", fixmedins_code="H2", insutype="390")],
        [],
        [],
        FIVE,
        {
            ("H2", "610100"): {"clawback": 5},
            ("H2", "330100"): {"quota": 5},
            ("H1", "330100"): {"method_adjust": 5},
        },
    )
    assert list(rows) == [("H1", "310100"), ("H1", "310200"), ("H2", "390100"), ("H2", "610100")]
    assert rows["H1", "310200"]["dpst_sumamt"] == 0
    assert rows["H2", "610100"]["carry_amt"] == 5


# --- properties over random months -----------------------------------------------------------


def check_identities(s, own):
    turn = -1 if s["refd_setl_flag"] == "1" and s["init_setl_id"] else 1
    assert s["medfee_sumamt"] == s["fund_pay_sumamt"] + s["psn_pay"] + s["ownpay_hosp_part"]
    assert s["fund_pay_sumamt"] == sum(s[column] for column in POOLED_COLUMNS)
    assert s["psn_pay"] == s["acct_pay"] + s["cash_payamt"]
    assert turn * s["acct_mulaid_pay"] <= turn * s["acct_pay"]
    assert s["medfee_sumamt"] == sum(s[bucket] for bucket in BUCKETS)
    assert turn * s["fund_pay_sumamt"] <= turn * s["inscp_amt"]
    assert own
    assert sum(row["det_item_fee_sumamt"] for row in own) == s["medfee_sumamt"]
    for bucket in BUCKETS:
        assert sum(row[bucket] for row in own) == s[bucket]


@RANDOM
@given(month=months())
def test_random_months_would_be_accepted(month: Month):
    assert len({s["setl_id"] for s in month.settlements}) == len(month.settlements)
    assert len({(r["setl_id"], r["bkkp_sn"]) for r in month.lines}) == len(month.lines)
    assert {r["setl_id"] for r in month.lines} == {s["setl_id"] for s in month.settlements}
    for s in month.settlements:
        check_identities(s, [r for r in month.lines if r["setl_id"] == s["setl_id"]])
    assert month.setl_d.height == len(month.settlements)
    assert month.fee_list_d.height == len(month.lines)
    assert month.setl_d.select(SETL_MONEY).null_count().sum_horizontal().sum() == 0


@RANDOM
@given(month=months())
def test_lines_sum_to_their_fund_and_no_settlement_loses_more_than_it_has(month: Month):
    share = oracle.shares(month.settlements, month.lines)
    amounts = oracle.risks(month.settlements, month.lines, month.findings)
    books = oracle.booked(month.findings, amounts)
    for s in month.settlements:
        for code, total in oracle.funds_in_scope(s).items():
            parts = [m[code] for (setl_id, _), m in share.items() if setl_id == s["setl_id"]]
            assert sum(parts) in (0, total)
            taken = [
                money.get(code, 0)
                for f, money in zip(month.findings, books, strict=True)
                if f["setl_id"] == s["setl_id"]
            ]
            assert 0 <= sum(taken) <= max(total, 0)


@RANDOM
@given(month=months())
def test_claimed_is_deducted_kept_and_paid(month: Month):
    amounts = oracle.risks(month.settlements, month.lines, month.findings)
    books = oracle.booked(month.findings, amounts)
    rows = oracle.payment(month.settlements, month.findings, books, FIVE)
    claimed = sum(sum(oracle.fund_money(s).values()) for s in month.settlements)
    deducted = sum(sum(money.values()) for money in books)
    assert sum(row["fund_appy_sum"] for row in rows.values()) == claimed
    assert sum(row["det_sumamt"] for row in rows.values()) == deducted
    for row in rows.values():
        kept = row["det_sumamt"] + row["dpst_sumamt"] + row["act_dfr_amt"] - row["carry_amt"]
        assert row["fund_appy_sum"] == kept
