"""The slow rules A and B against the worked deduction vectors R-4, R-6, R-7 and R-9."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import pytest

from schemas.funds import POOLED_COLUMNS
from tests.oracle import LINE_AMOUNTS
from tests.rule_oracle import a, b
from tests.rule_oracle.world import Hit, World

MONTH = dt.date(2026, 3, 1)
ALWAYS = {"begndate": dt.date(2021, 1, 1), "enddate": None}
VALUES = {"price_tolerance": "0.005", "day_hours": "24", "bed_day_tolerance": "0"}
TEXTS = ("init_setl_id", "gend", "brdy", "dise_no", "die_date", "dscg_maindiag_code", "insu_admdvs")


def stay(setl_id="S1", begndate=MONTH, enddate=dt.date(2026, 3, 8)):
    row = dict.fromkeys(TEXTS) | dict.fromkeys(POOLED_COLUMNS, Decimal(0))
    row |= {"setl_id": setl_id, "mdtrt_id": "M1", "psn_no": "T1", "fixmedins_code": "H1", "insutype": "310"}
    row |= {"med_type": "21", "clr_type": "21", "refd_setl_flag": "0", "vali_flag": "1"}
    row |= {"begndate": begndate, "enddate": enddate, "setl_time": dt.datetime.combine(enddate, dt.time(9))}
    return row | dict.fromkeys(("medfee_sumamt", "inscp_amt", "fund_pay_sumamt", "acct_pay"), Decimal(0))


def line(sn="1", day=MONTH, cnt="1", setl_id="S1", **columns):
    row = {"setl_id": setl_id, "bkkp_sn": sn, "mdtrt_id": "M1", "init_feedetl_sn": None, "rx_drord_no": None}
    row |= {"hilist_code": "C1", "list_type": "201", "med_chrgitm_type": "14", "pric": Decimal(1)}
    row |= dict.fromkeys(LINE_AMOUNTS, Decimal(0))
    row |= {"cnt": Decimal(cnt), "fee_ocur_time": dt.datetime.combine(day, dt.time(8))}
    return row | columns


def world(*lines, reference=None, settlements=(), **more):
    values = VALUES | more.pop("values", {})
    own = list(settlements) or [stay()]
    return World(MONTH, own, list(lines), lambda name, day: values[name], reference=reference or {}, **more)


@pytest.mark.parametrize(("overlmt", "money"), [("0.00", ["50.49"]), ("66.00", [])])
def test_r4_a_price_above_the_limit(overlmt, money):
    amounts = {"inscp_amt": "361.80", "preselfpay_amt": "40.20", "pric": "33.50", "overlmt_selfpay": overlmt}
    charged = line(cnt="12", **{column: Decimal(amount) for column, amount in amounts.items()})
    limit = {"hilist_code": "C1", "hilist_lmtpric_type": "3", "hilist_pric_uplmt_amt": Decimal(28)}
    reference = {
        "institution": [ALWAYS | {"fixmedins_code": "H1", "lmtpric_hosp_lv": "3"}],
        "price_limit": [ALWAYS | limit],
    }
    found = b.b01(world(charged, reference=reference))
    assert [Fraction("361.80") * Fraction("0.85") * hit.share for hit in found] == [
        Fraction(m) for m in money
    ]


def test_r6_thirty_hours_on_a_day():
    limit = ALWAYS | {"hilist_code": "C1", "max_cnt": Decimal(24), "unit": "小时"}
    found = b.b06(world(line(cnt="30"), reference={"kb_freq": [limit]}))
    assert found == [Hit("S1", "1", Fraction(6, 30))]


@pytest.mark.parametrize(("cnt", "shares"), [("8", [Fraction(1, 8)]), ("7", [])])
def test_r7_more_bed_days_than_stayed(cnt, shares):
    assert [hit.share for hit in b.b08(world(line(cnt=cnt, med_chrgitm_type="01")))] == shares


@pytest.mark.parametrize(("second", "lines"), [(15, ["2"]), (16, [])])
def test_r9_again_within_a_cycle(second, lines):
    cycle = ALWAYS | {"hilist_code": "C1", "max_cnt": Decimal(1), "cycle_days": 15}
    charged = (line("1"), line("2", dt.date(2026, 3, second)))
    found = b.b07(world(*charged, reference={"kb_cycle": [cycle]}))
    assert [hit.bkkp_sn for hit in found] == lines


def test_every_rule_runs_on_an_empty_month():
    assert len(a.RULES) == 19
    assert len(b.RULES) == 20
    empty = World(MONTH, [], [], lambda name, day: "0")
    assert [hit for rules in (a.RULES, b.RULES) for rule in rules.values() for hit in rule(empty)] == []
