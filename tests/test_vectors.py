"""Worked vectors of the reference, each by its name, through the program's own functions."""

import datetime as dt
from decimal import Decimal

import duckdb
import polars as pl
import pytest

from settlement import money, payment, policy
from settlement.audit import cases as rule_cases
from settlement.audit import engine, rules_file, shares

MONTH = dt.date(2026, 4, 1)
RULES = {rule.rule_id: rule for rule in rules_file.load_all()}
PROFILE = policy.load("langfang")
NOTHING = pl.DataFrame(schema={"fixmedins_code": pl.String, "fund_pay_type": pl.String})


def yuan(text: str) -> Decimal:
    return Decimal(text)


def priced(settlement: dict, lines: list[dict], hits: list[dict], clr_type: str = "21") -> dict:
    """Price hits on one settlement; return (risk, booked) in 元 by (rule, line) and by fund."""
    frames = rule_cases.submission(
        [{"setl_id": "S1", **settlement}], [{"setl_id": "S1", **n} for n in lines], clr_type
    )
    base = {
        "setl_id": "S1",
        "grade": "违规",
        "status": "active",
        "deduction": "DL",
        "part": 1,
        "whole": 1,
        "funds": None,
    }
    rows = [{**base, "bkkp_sn": None, **hit} for hit in hits]
    schema = {"rule_id": pl.String, "setl_id": pl.String, "bkkp_sn": pl.String, "grade": pl.String,
              "status": pl.String, "deduction": pl.String, "part": pl.Decimal(18, 4),
              "whole": pl.Decimal(18, 4), "funds": pl.String}  # fmt: skip
    with duckdb.connect() as con:
        for name, frame in (
            ("setl", frames[0]),
            ("line", frames[1]),
            ("hit", pl.DataFrame(rows, schema=schema)),
        ):
            con.register("incoming", frame.to_arrow())
            con.execute(f"CREATE TABLE raw_{name} AS SELECT * FROM incoming")
        engine.open_month(con, engine.MonthRows(MONTH, "raw_setl", "raw_line"), {})
        shares.price(con, "raw_hit")
        in_all = con.execute("SELECT rule_id, bkkp_sn, risk_fen, det_fen FROM hit_money").fetchall()
        funds = con.execute("SELECT rule_id, bkkp_sn, fund_pay_type, risk_fen FROM hit_fund").fetchall()
    return {
        "money": {(r, n): (money.to_yuan(a), money.to_yuan(b)) for r, n, a, b in in_all},
        "funds": {(r, n, f): money.to_yuan(a) for r, n, f, a in funds},
    }


def lines_of(*inscp: str) -> list[dict]:
    return [
        {"bkkp_sn": str(n), "cnt": 1, "pric": yuan(a), "inscp_amt": yuan(a)} for n, a in enumerate(inscp, 1)
    ]


def test_r1_pro_rata_share_of_three_lines() -> None:
    hits = [{"rule_id": "C01", "bkkp_sn": n} for n in "123"]
    got = priced({"hifp_pay": yuan("8500.00")}, lines_of("540.00", "3333.33", "6926.67"), hits)

    shared = [got["money"]["C01", n][1] for n in "123"]
    assert shared == [yuan("425.00"), yuan("2623.45"), yuan("5451.55")]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("425.00", {"310100": "325.00", "330100": "75.00", "320100": "25.00"}),
        ("100.01", {"310100": "76.48", "330100": "17.65", "320100": "5.88"}),
    ],
)
def test_r3_one_line_over_three_funds(line: str, expected: dict[str, str]) -> None:
    funds = {"hifp_pay": yuan("6500"), "hifob_pay": yuan("1500"), "cvlserv_pay": yuan("500")}
    rest = str(yuan("8500.00") - yuan(line))
    got = priced(funds, lines_of(line, rest), [{"rule_id": "C01", "bkkp_sn": "1"}])

    assert {f: a for (_, _, f), a in got["funds"].items()} == {k: yuan(v) for k, v in expected.items()}


def test_r4_price_above_the_cap_in_fund_money() -> None:
    over = {
        "bkkp_sn": "1",
        "cnt": 12,
        "pric": yuan("33.50"),
        "preselfpay_amt": yuan("40.20"),
        "inscp_amt": yuan("361.80"),
    }
    case = rule_cases.Case(
        "B01", "R-4", MONTH, {},
        {"settlement": [{"setl_id": "S1"}], "line": [{"setl_id": "S1", **over}],
         "institution": [{}],
         "price_limit": [{"hilist_lmtpric_type": "3", "hilist_pric_uplmt_amt": yuan("28")}]},
        [],
    )  # fmt: skip
    hit = rule_cases.run(RULES["B01"], case).row(0, named=True)
    assert hit["part"] == yuan("66.00")

    ratio = {"rule_id": "B01", "bkkp_sn": "1", "part": hit["part"], "whole": hit["whole"]}
    got = priced({"hifp_pay": yuan("307.53")}, [over], [ratio])
    assert got["money"]["B01", "1"] == (yuan("50.49"), yuan("50.49"))


def test_r5_overlap_counts_once() -> None:
    lines = lines_of("120.00", "8380.00")
    part = {"rule_id": "B01", "bkkp_sn": "1", "part": 30, "whole": 120}
    hits = [{"rule_id": "B03", "bkkp_sn": "1"}, part]
    got = priced({"hifp_pay": yuan("8500")}, lines, hits)["money"]
    assert got == {("B03", "1"): (yuan("120.00"),) * 2, ("B01", "1"): (yuan("30.00"), yuan("0.00"))}

    got = priced({"hifp_pay": yuan("8500")}, lines, [*hits, {"rule_id": "A07", "deduction": "DS"}])["money"]
    assert sum(booked for _, booked in got.values()) == yuan("8500.00")
    assert got["A07", None] == (yuan("8500.00"), yuan("8500.00"))


def test_equal_amounts_are_booked_on_the_earlier_rule_and_suspicions_on_none() -> None:
    hits = [{"rule_id": "C06", "bkkp_sn": "1"}, {"rule_id": "B03", "bkkp_sn": "1"},
            {"rule_id": "A19", "bkkp_sn": "1", "grade": "可疑"},
            {"rule_id": "A18", "bkkp_sn": "1", "status": "trial"}]  # fmt: skip
    got = priced({"hifp_pay": yuan("50")}, lines_of("100.00"), hits)["money"]

    assert {key[0]: booked for key, (_, booked) in got.items()} == {
        "B03": yuan("50.00"), "C06": yuan("0.00"), "A19": yuan("0.00"), "A18": yuan("0.00"),
    }  # fmt: skip


def test_r6_frequency_excess_of_thirty_hours() -> None:
    lines = [{"bkkp_sn": "1", "cnt": 30, "pric": yuan("5"), "inscp_amt": yuan("150")}]
    got = priced(
        {"hifp_pay": yuan("150")}, lines, [{"rule_id": "B06", "bkkp_sn": "1", "part": 6, "whole": 30}]
    )

    assert got["money"]["B06", "1"][1] == yuan("30.00")


def test_r7_one_bed_day_too_many() -> None:
    stay = {"setl_id": "S1", "begndate": dt.date(2026, 3, 1), "enddate": dt.date(2026, 3, 8)}
    bed = {"setl_id": "S1", "bkkp_sn": "1", "cnt": 8, "pric": yuan("40"), "med_chrgitm_type": "01"}
    case = rule_cases.Case("B08", "R-7", MONTH, {}, {"settlement": [stay], "line": [bed]}, [])
    hit = rule_cases.run(RULES["B08"], case).row(0, named=True)
    assert (hit["part"], hit["whole"]) == (1, 8)

    ratio = {"rule_id": "B08", "bkkp_sn": "1", "part": 1, "whole": 8}
    got = priced({"hifp_pay": yuan("320")}, [{"bkkp_sn": "1", "cnt": 8, "pric": yuan("40")}], [ratio])
    assert got["money"]["B08", "1"][1] == yuan("40.00")


def test_a_pharmacy_shares_its_account_money_by_amount() -> None:
    lines = [{"bkkp_sn": "1", "pric": yuan("30"), "inscp_amt": yuan("0"), "fulamt_ownpay_amt": yuan("30")},
             {"bkkp_sn": "2", "pric": yuan("70"), "inscp_amt": yuan("70")}]  # fmt: skip
    paid = {"hifp_pay": yuan("40"), "acct_pay": yuan("50")}
    hits = [{"rule_id": "C01", "bkkp_sn": n} for n in "12"]

    assert priced(paid, lines, hits, "41")["funds"] == {
        ("C01", "1", "310200"): yuan("15.00"),
        ("C01", "2", "310100"): yuan("40.00"),
        ("C01", "2", "310200"): yuan("35.00"),
    }


def pay(rows: list[tuple[str, str, str, str]], **balances: dict[tuple[str, str], str]) -> dict:
    """Calculate payments from (institution, fund, claimed, deducted) and balances by name."""
    amounts = {n: pl.Decimal(16, 2) for n in ("fund_appy_sum", "det_sumamt", "dfr_amt")}
    claims = pl.DataFrame(
        [(code, "310", "21", fund, Decimal(c), Decimal(d), Decimal(0)) for code, fund, c, d in rows],
        schema={
            **dict.fromkeys(("fixmedins_code", "insutype", "clr_type", "fund_pay_type"), pl.String),
            **amounts,
        },
        orient="row",
    )
    opening = NOTHING
    for name, given in balances.items():
        schema = {**NOTHING.schema, name: pl.Decimal(16, 2)}
        mine = pl.DataFrame([(*key, Decimal(v)) for key, v in given.items()], schema=schema, orient="row")
        opening = opening.join(mine, on=["fixmedins_code", "fund_pay_type"], how="full", coalesce=True)
    paid = payment.calculate(claims, opening, PROFILE, MONTH)
    return {(r["fixmedins_code"], r["fund_pay_type"]): r for r in paid.iter_rows(named=True)}


def test_m1_by_item_pays_what_the_funds_paid() -> None:
    row = pay([("H", "310100", "8500.00", "0")])["H", "310100"]

    assert row["fund_appy_sum"] - row["det_sumamt"] + row["method_adjust_amt"] == yuan("8500.00")
    assert row["act_dfr_amt"] + row["dpst_sumamt"] == yuan("8500.00")


def test_n1_deposit_advance_and_clawback() -> None:
    key = ("H", "310100")
    row = pay(
        [(*key, "1000000.00", "23456.78")], advance_offset_amt={key: "100000"}, clawback_amt={key: "30000"}
    )[key]

    assert (row["dpst_sumamt"], row["act_dfr_amt"]) == (yuan("48827.16"), yuan("797716.06"))


def test_n2_pharmacy_carries_what_it_cannot_pay_back() -> None:
    key = ("P", "310100")
    row = pay([(*key, "8200.00", "1150.50")], clawback_amt={key: "9000"})[key]

    assert (row["dpst_sumamt"], row["act_dfr_amt"], row["carry_amt"]) == (
        yuan("352.48"), yuan("0.00"), yuan("2302.98"),
    )  # fmt: skip


def test_n3_funds_never_net_each_other() -> None:
    got = pay(
        [("H", "310100", "0", "0"), ("H", "390100", "20000.00", "0")],
        clawback_amt={("H", "310100"): "5000"},
    )

    assert got["H", "310100"]["carry_amt"] == yuan("5000.00")
    assert got["H", "390100"]["act_dfr_amt"] + got["H", "390100"]["dpst_sumamt"] == yuan("20000.00")


def test_n4_deposit_of_two_funds_is_the_sum_of_rounded_parts() -> None:
    got = pay([("H", "310100", "600000.00", "0"), ("H", "390100", "376543.22", "0")])

    assert [r["dpst_sumamt"] for r in got.values()] == [yuan("30000.00"), yuan("18827.16")]


def test_rounded_parts_are_summed_and_never_rounded_from_the_top() -> None:
    got = pay([(h, "310100", a, "0") for h, a in (("H1", "333.33"), ("H2", "333.33"), ("H3", "333.34"))])

    assert sum(r["dpst_sumamt"] for r in got.values()) == yuan("50.01")


def test_n9_a_month_of_refunds_is_carried() -> None:
    row = pay([("H", "310100", "-3000.00", "0")])["H", "310100"]

    assert (row["dpst_sumamt"], row["act_dfr_amt"], row["carry_amt"]) == (
        yuan("0"),
        yuan("0"),
        yuan("3000.00"),
    )


def test_the_account_fund_pays_no_deposit_and_a_quota_defers() -> None:
    got = pay(
        [("H", "310200", "100.00", "0"), ("H", "310100", "1130000", "0")],
        quota_amt={("H", "310100"): "1000000"},
    )

    assert got["H", "310200"]["act_dfr_amt"] == yuan("100.00")
    assert got["H", "310100"]["deferred_amt"] == yuan("130000.00")
    assert got["H", "310100"]["dpst_sumamt"] == yuan("50000.00")


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [("9393.945", "9393.95"), ("0.125", "0.13"), ("1.005", "1.01"), ("-1.005", "-1.01")],
)
def test_python_and_sql_round_alike(amount: str, rounded: str) -> None:
    got = duckdb.sql(f"SELECT {money.round_sql(f'{amount}::DECIMAL(18,4)')}").fetchall()[0][0]

    assert money.round_half_up(Decimal(amount)) == Decimal(rounded)
    assert Decimal(got).quantize(money.CENT) == Decimal(rounded)


@pytest.mark.parametrize(("part", "whole"), [(1, 3), (1, 2), (2, 3), (3, 2), (10**14, 3 * 10**14)])
def test_python_and_sql_share_alike(part: int, whole: int) -> None:
    sql = money.share_sql("10000001::BIGINT", f"{part}::HUGEINT", f"{whole}::HUGEINT")

    assert duckdb.sql(f"SELECT {sql}").fetchall()[0][0] == money.share_fen(10000001, part, whole)
