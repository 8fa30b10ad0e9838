"""The calculation against the slow second opinion, to the 分, over random months."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal
from unittest import mock

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from settlement import payment, policy
from settlement.audit import engine, shares
from tests import oracle
from tests.random_months import (
    FINDING_SCHEMA,
    SETL_MONEY,
    Month,
    fee_line,
    months,
    openings,
    settlement,
    yuan,
)

MONTH = dt.date(2026, 4, 1)
FEN = pl.Decimal(16, 2)
RANDOM = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(scope="module")
def con():
    with duckdb.connect() as connection:
        connection.execute("SET threads = 1")
        yield connection


def hold(con, name, frame):
    """Hold a frame as a table of the database, as files are: older engines filter Arrow badly."""
    con.register("incoming", frame.to_arrow())
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM incoming")
    con.unregister("incoming")


def open_month(con, month: Month):
    hold(con, "setl_rows", month.setl_d)
    hold(con, "line_rows", month.fee_list_d)
    engine.open_month(con, engine.MonthRows(MONTH, "setl_rows", "line_rows"), {})


def price(con, findings):
    """Return (by fund, in all) as dicts in the shape of the oracle's results."""
    hold(con, "hit_rows", pl.DataFrame(findings, schema=FINDING_SCHEMA, orient="row"))
    shares.price(con, "hit_rows")
    by_fund = con.execute(
        "SELECT rule_id, setl_id, bkkp_sn, fund_pay_type, risk_fen, det_fen FROM hit_fund"
    ).fetchall()
    in_all = con.execute("SELECT rule_id, setl_id, bkkp_sn, risk_fen, det_fen FROM hit_money").fetchall()
    assert len({row[:4] for row in by_fund}) == len(by_fund)
    assert len({row[:3] for row in in_all}) == len(in_all)
    return {row[:4]: row[4:] for row in by_fund}, {row[:3]: row[3:] for row in in_all}


def priceable(month: Month):
    """Rules see the lines of valid settlements only, but any settlement as a whole."""
    valid = oracle.valid_ids(month.settlements)
    return [f for f in month.findings if f["bkkp_sn"] is None or f["setl_id"] in valid]


def place(finding):
    return finding["rule_id"], finding["setl_id"], finding["bkkp_sn"]


def check_valid_settlements_and_net_lines(con, month: Month):
    valid = oracle.valid_ids(month.settlements)
    rows = con.execute("SELECT setl_id FROM any_settlement ORDER BY setl_id").fetchall()
    assert [setl_id for (setl_id,) in rows] == sorted(valid)
    columns = ("setl_id", "bkkp_sn", "cnt", *oracle.LINE_AMOUNTS)
    rows = con.execute(f"SELECT {', '.join(columns)} FROM any_line").fetchall()
    expected = [
        tuple(line[c] for c in columns)
        for setl_id, own in oracle.net_lines(month.lines).items()
        for line in own
        if setl_id in valid and line["cnt"] > 0
    ]
    assert sorted(rows) == sorted(expected)


def whole_lines(month: Month):
    """Return one suspicion on the whole of each net line: it books nothing and costs the share."""
    whole = dict.fromkeys(FINDING_SCHEMA, Decimal(1))
    whole |= {"rule_id": "Z99", "grade": "可疑", "deduction": "DL", "status": "active", "funds": None}
    valid = oracle.valid_ids(month.settlements)
    return [
        whole | {"setl_id": setl_id, "bkkp_sn": line["bkkp_sn"]}
        for setl_id, own in oracle.net_lines(month.lines).items()
        for line in own
        if setl_id in valid
    ]


@RANDOM
@given(month=months())
def test_shares_risks_and_booking(con, month: Month):
    open_month(con, month)
    check_valid_settlements_and_net_lines(con, month)
    findings = priceable(month)
    by_fund, in_all = price(con, findings + whole_lines(month))

    valid = oracle.valid_ids(month.settlements)
    assert {key[1:]: risk for key, (risk, _) in by_fund.items() if key[0] == "Z99"} == {
        (setl_id, sn, code): amount
        for (setl_id, sn), money in oracle.shares(month.settlements, month.lines).items()
        for code, amount in money.items()
        if setl_id in valid and amount != 0
    }
    amounts = oracle.risks(month.settlements, month.lines, findings)
    books = oracle.booked(findings, amounts)
    assert {key: money for key, money in by_fund.items() if key[0] != "Z99"} == {
        (*place(f), code): (amount, booked.get(code, 0))
        for f, money, booked in zip(findings, amounts, books, strict=True)
        for code, amount in money.items()
        if amount != 0
    }
    assert {key: money for key, money in in_all.items() if key[0] != "Z99"} == {
        place(f): (sum(money.values()), sum(booked.values()))
        for f, money, booked in zip(findings, amounts, books, strict=True)
    }


def test_amounts_too_long_for_a_float(con):
    """Products beyond 53 bits, where a float would floor or round to the neighbouring 分."""
    in_scope = (994_265_280, 625_921_639, 1_000_000_001)
    fund = {"medfee_sumamt": 2_620_186_920, "inscp_amt": 2_620_186_920, "hifp_pay": 2_567_077_305}
    half = {"part": Decimal("3333333.3333"), "whole": Decimal("6666666.6666")}
    finding = {"rule_id": "B01", "grade": "违规", "deduction": "DP", "status": "active", "funds": None}
    month = Month(
        [
            settlement("S1", dict.fromkeys(SETL_MONEY, 0) | fund),
            settlement("S2", dict.fromkeys(SETL_MONEY, 0) | {"hifp_pay": 9_055_358_269}),
        ],
        [fee_line("S1", sn, Decimal(1), [0, 0, 0, n]) for sn, n in zip("123", in_scope, strict=True)],
        [finding | half | {"setl_id": "S2", "bkkp_sn": None}],
    )
    open_month(con, month)
    by_fund, _ = price(con, month.findings + whole_lines(month))
    share = oracle.shares(month.settlements, month.lines)
    assert {key[2]: risk for key, (risk, _) in by_fund.items() if key[0] == "Z99"} == {
        sn: money["310100"] for (_, sn), money in share.items()
    }
    assert by_fund["B01", "S2", None, "310100"] == (4_527_679_135, 4_527_679_135)


# --- payment ---------------------------------------------------------------------------------


def profile_with(ratio: Decimal):
    profile = policy.load("guide5")
    deposit = profile.parameters["deposit_ratio"]
    changed = dataclasses.replace(
        deposit, values=tuple(dataclasses.replace(v, value=ratio) for v in deposit.values)
    )
    return dataclasses.replace(profile, parameters=profile.parameters | {"deposit_ratio": changed})


def upheld(month: Month):
    """Return (findings, what each books, the same as the frame that payment reads)."""
    findings = priceable(month)
    books = oracle.booked(findings, oracle.risks(month.settlements, month.lines, findings))
    rows = [
        (f["setl_id"], code, yuan(amount))
        for f, money in zip(findings, books, strict=True)
        for code, amount in money.items()
    ]
    schema = {"setl_id": pl.String, "fund_pay_type": pl.String, "det_sumamt": FEN}
    return findings, books, pl.DataFrame(rows, schema=schema, orient="row")


def balance_frame(opening, names):
    schema = dict.fromkeys(payment.KEY, pl.String) | {column: FEN for column in names.values()}
    rows = [
        (*key, *(yuan(steps[name]) if name in steps else None for name in names))
        for key, steps in opening.items()
        if set(steps) & set(names)
    ]
    return pl.DataFrame(rows, schema=schema, orient="row")


BALANCES = {
    "quota": "quota_amt",
    "advance_offset": "advance_offset_amt",
    "prior_adjust": "prior_adjust_amt",
    "clawback": "clawback_amt",
}


def check_clearing(month: Month, deductions, clearing, clearing_fund):
    institution_of = {s["setl_id"]: tuple(s[c] for c in payment.GROUP) for s in month.settlements}
    expected = {}
    for s in month.settlements:
        zero = dict.fromkeys(("setl_cnt", "det_sumamt", *payment.TOTALS), 0)
        row = expected.setdefault(institution_of[s["setl_id"]], zero)
        row["setl_cnt"] += 1
        for column in payment.TOTALS:
            row[column] += s[column]
    for d in deductions.to_dicts():
        expected[institution_of[d["setl_id"]]]["det_sumamt"] += d["det_sumamt"]
    rows = clearing.to_dicts()
    assert {tuple(row.pop(c) for c in payment.GROUP): row for row in rows} == expected
    for row in clearing_fund.to_dicts():
        assert row["dfr_amt"] == row["fund_appy_sum"] - row["det_sumamt"]
    claimed = sum(s["fund_pay_sumamt"] + s["acct_pay"] for s in month.settlements)
    assert sum(clearing_fund["fund_appy_sum"]) == claimed
    assert sum(clearing_fund["det_sumamt"]) == sum(deductions["det_sumamt"])


@RANDOM
@given(data=st.data(), month=months(), ratio=st.sampled_from(("0.05", "0.1", "0", "0.0333")))
def test_clearing_and_payment(con, data, month: Month, ratio):
    hold(con, "setl_rows", month.setl_d)
    findings, books, deductions = upheld(month)
    clearing, clearing_fund = payment.clear(con, "setl_rows", deductions)
    check_clearing(month, deductions, clearing, clearing_fund)

    opening = data.draw(openings())
    expected = oracle.payment(month.settlements, findings, books, Decimal(ratio), opening)
    applied = {key: steps for key, steps in opening.items() if key in expected}
    adjusted = balance_frame(applied, {"method_adjust": "method_adjust_amt"})
    with mock.patch.dict(payment.METHODS, {"by_item": lambda _claims: adjusted}):
        paid = payment.calculate(
            clearing_fund, balance_frame(applied, BALANCES), profile_with(Decimal(ratio)), MONTH
        )
    rows = paid.to_dicts()
    keys = [tuple(row.pop(c) for c in payment.KEY) for row in rows]
    assert keys == sorted(expected)
    for key, row in zip(keys, rows, strict=True):
        assert {column: oracle.fen(amount) for column, amount in row.items()} == expected[key], key
