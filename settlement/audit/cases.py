"""Rule cases: complete, typed months from the few values a case file states, and what a rule finds in them.

A case says only what matters; the rest is filled in so that a settlement and its lines are ones that
acceptance would let through: amounts add up, dates fit together, codes are in their lists. What a
case states always wins, also where it breaks an identity. An empty text is a null.

Defaults that depend on other values:

* `clr_type` is the first one the rule looks at; `med_type` is the plain kind of it.
* A stay lasts from 2026-04-01 to 2026-04-08 and is settled at 10:00 on its last day; anything else
  happens on the day of `setl_time`, 2026-04-10 unless stated.
* A line belongs to the case's first settlement, is numbered 1, 2, ... through the case and is
  charged at 09:00 on the first day of its settlement.
* A line costs 100.00 (`cnt` x `pric`); what is not stated otherwise is in scope, and the basic
  pooled fund pays what is in scope less what the account and the other funds pay.
* The amounts of a settlement are the sums of its lines, or 100.00 if the case gives it none.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandera.polars as pa
import polars as pl

from schemas.funds import POOLED_COLUMNS
from schemas.layout import table
from schemas.reference import REFERENCE
from schemas.submission import ClrSum, FeeListD, SetlD, SetlListDiagD, SetlListOprnD
from settlement import policy
from settlement.audit import engine
from settlement.audit.rules_file import Rule
from settlement.errors import RuleError
from settlement.query import hold

Row = dict[str, Any]

CASES = Path(__file__).parent.parent.parent / "tests" / "rules"
MODELS = {table(model).name: model for model in REFERENCE}
OWN_TABLES = {
    "settlement", "line", "past_settlement", "past_line", "diagnosis", "operation", "declared",
}  # fmt: skip
ALWAYS = ("setl_id", "bkkp_sn", "part", "whole")
COMPARED = (*ALWAYS, "grade", "related", "funds")
# Any region would do: no region replaces a parameter of a rule, and this one is not named.
NATIONAL = "guide5"

_CENT = Decimal("0.01")
_BUCKETS = ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_amt")
_PLAIN_MED_TYPE = {"11": "11", "21": "21", "41": "41"}
_SETTLEMENT: Row = {
    "psn_no": "P1",
    "psn_name": "测试甲",
    "certno": "000000000000000001",
    "gend": "1",
    "brdy": dt.date(1980, 1, 1),
    "insutype": "310",
    "psn_type": "11",
    "insu_admdvs": "370684",
    "fixmedins_code": "H37068400001",
    "mdtrt_cert_type": "01",
    "clr_way": "10",
    "refd_setl_flag": "0",
    "vali_flag": "1",
    "ownpay_hosp_part": 0,
    "acct_pay": 0,
    "acct_mulaid_pay": 0,
}
_LINE: Row = {
    "rx_drord_no": "R1",
    "hilist_code": "001",
    "hilist_name": "测试项目",
    "list_type": "201",
    "med_chrgitm_type": "05",
    "chrgitm_lv": "01",
    "cnt": 1,
    "bilg_dept_codg": "K1",
    "bilg_dr_code": "D1",
    "overlmt_selfpay": 0,
    "preselfpay_amt": 0,
}
DIAGNOSIS: Row = {"setl_id": "S1", "maindiag_flag": "0"}
DECLARED: Row = {
    "fixmedins_code": "H37068400001", "clr_ym": "202604", "insutype": "310", "fixmedins_setl_cnt": 1,
    "medfee_sumamt": 100, "fund_pay_sumamt": 100, "acct_pay": 0, "cash_payamt": 0,
}  # fmt: skip
# Shared by all reference tables; each table takes the columns it has.
_REFERENCE: Row = {
    "begndate": dt.date(2020, 1, 1),
    "source": "测试批次",
    "psn_no": "P1",
    "psn_name": "测试甲",
    "fixmedins_code": "H37068400001",
    "fixmedins_name": "测试医院",
    "fixmedins_type": "1",
    "hosp_lv": "3",
    "lmtpric_hosp_lv": "3",
    "cntr_stas": "1",
    "med_type_scope": "*",
    "insutype": "310",
    "status": "1",
    "hilist_code": "001",
    "hilist_name": "测试项目",
    "list_type": "201",
    "chrgitm_lv": "01",
    "part": "item",
    "bilg_dr_code": "D1",
    "pay_status": "1",
    "main_name": "主项",
    "sub_name": "从项",
    "clr_ym": "202604",
    "clr_type": "21",
    "split_flag": "0",
    "national": "1",
    "dual_channel": "0",
    "std_type": "1",
    "fixmedins_setl_cnt": 1,
    "medfee_sumamt": 100,
    "fund_pay_sumamt": 100,
    "acct_pay": 0,
    "cash_payamt": 0,
}


@dataclass(frozen=True)
class Case:
    """One case of a rule file: input rows by table and the findings it must give."""

    rule_id: str
    name: str
    month: dt.date
    parameters: Row
    tables: dict[str, list[Row]]
    expect: list[Row]


def read(path: Path) -> list[Case]:
    """Read the cases of one file."""
    content = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    defaults, shared = content.get("defaults", {}), content.get("parameters", {})
    cases = []
    for body in content["case"]:
        rest = dict(body)
        name, expect = rest.pop("name"), rest.pop("expect")
        month = rest.pop("month", dt.date(2026, 4, 1))
        parameters = shared | rest.pop("parameters", {})
        tables = {name: [defaults.get(name, {}) | row for row in rows] for name, rows in rest.items()}
        cases.append(Case(content["rule"], name, month, parameters, tables, expect))
    return cases


@contextmanager
def opened(rule: Rule, case: Case) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a month of its own that holds a case, ready for the rule."""
    unknown = set(case.tables) - set(MODELS) - OWN_TABLES
    if unknown:
        raise RuleError(f"用例「{case.name}」有未知的表 {sorted(unknown)}")
    with duckdb.connect(config={"threads": 1}) as con:
        rows = month_rows(con, rule, case)
        engine.open_month(con, rows, references(rule, case), [rule])
        yield con


def references(rule: Rule, case: Case) -> dict[str, pl.DataFrame]:
    """The reference tables that the rule reads and the case gives, by name."""
    wanted = (set(rule.reads) | set(case.tables)) & set(MODELS)
    return {name: reference(name, case.tables.get(name, [])) for name in sorted(wanted)}


def month_rows(con: duckdb.DuckDBPyConnection, rule: Rule, case: Case) -> engine.MonthRows:
    """Hold a case's submission tables in a connection and name them."""
    given = case.tables
    clr_type = rule.clr_types[0]
    setl, lines = submission(given.get("settlement", []), given.get("line", []), clr_type)
    past_setl, past_lines = submission(given.get("past_settlement", []), given.get("past_line", []), clr_type)
    frames = {
        "setl_rows": setl,
        "line_rows": lines,
        "past_setl_rows": past_setl,
        "past_line_rows": past_lines,
        "diag_rows": frame(SetlListDiagD, [DIAGNOSIS | row for row in given.get("diagnosis", [])]),
        "oprn_rows": frame(SetlListOprnD, given.get("operation", [])),
        "sum_rows": frame(ClrSum, [DECLARED | row for row in given.get("declared", [])]),
    }
    for name, rows in frames.items():
        hold(con, name, rows)
    before = case.month - dt.timedelta(days=1)
    return engine.MonthRows(
        case.month,
        "setl_rows",
        "line_rows",
        "diag_rows",
        "oprn_rows",
        "sum_rows",
        (engine.PastMonth(before.replace(day=1), "past_setl_rows", "past_line_rows"),),
    )


def run(rule: Rule, case: Case) -> pl.DataFrame:
    """Run a rule on a case through the engine and return its hits."""
    with opened(rule, case) as con:
        found = engine.hits(con, rule, profile(case.parameters))
    if found is None:
        raise RuleError(f"规则 {rule.rule_id} 已停用,用例不能运行")
    return found


@dataclass(frozen=True)
class Verdict:
    """What a case expects and what the rule found, both as sorted rows of what the case compares."""

    expected: list[Row]
    found: list[Row]
    unworded: list[str]

    @property
    def holds(self) -> bool:
        """The rule found what the case expects, and its evidence fills both messages."""
        return self.expected == self.found and not self.unworded


def judge(rule: Rule, case: Case) -> Verdict:
    """Run a rule on a case and compare.

    Raises:
        RuleError: the case states a column that no hit has.
    """
    hits = run(rule, case)
    stated = {key for row in case.expect for key in row}
    if stated - set(COMPARED):
        raise RuleError(f"用例「{case.name}」的 expect 有未知的键 {sorted(stated - set(COMPARED))}")
    keys = [key for key in COMPARED if key in ALWAYS or key in stated]
    usual: Row = {"bkkp_sn": None, "part": 1, "whole": 1}
    rows = [usual | row for row in case.expect]
    expected = [{key: None if row[key] == "" else row[key] for key in keys} for row in rows]
    found = [{key: row[key] for key in keys} for row in hits.iter_rows(named=True)]
    unworded = [e for e in hits["evidence"] if not _fills(rule, e)]
    return Verdict(sorted(expected, key=_place), sorted(found, key=_place), unworded)


def _place(row: Row) -> tuple[str, str]:
    return row["setl_id"], row["bkkp_sn"] or ""


def _fills(rule: Rule, evidence: str) -> bool:
    """The evidence is key=value pairs and fills both messages."""
    pairs = [pair.split("=", 1) for pair in evidence.split(" ")]
    wanted = set(re.findall(r"{(\w+)}", rule.message + rule.message_en))
    return all(len(pair) == 2 for pair in pairs) and wanted <= {pair[0] for pair in pairs}


def profile(overrides: Row) -> policy.Profile:
    """Return the national parameters with some values replaced.

    Args:
        overrides: by parameter name either a value or a list of {from, value}.
    """
    base = policy.load(NATIONAL)
    parameters = dict(base.parameters)
    for name, given in overrides.items():
        dated = given if isinstance(given, list) else [{"from": dt.date(2000, 1, 1), "value": given}]
        values = tuple(policy.Value(v["from"], v["value"], "cat-2026", "", True) for v in dated)
        parameters[name] = dataclasses.replace(base.parameter(name), values=values)
    return dataclasses.replace(base, parameters=parameters)


def submission(settlements: list[Row], lines: list[Row], clr_type: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return complete setl_d and fee_list_d frames from short rows."""
    dated = [_dated(row, n, clr_type) for n, row in enumerate(settlements, 1)]
    by_id = {row["setl_id"]: row for row in dated}
    charged = [_charged(row, n, by_id) for n, row in enumerate(lines, 1)]
    whole = [_paid(row, [c for c in charged if c["setl_id"] == row["setl_id"]]) for row in dated]
    return frame(SetlD, whole), frame(FeeListD, charged)


def reference(name: str, rows: list[Row]) -> pl.DataFrame:
    """Return a reference table from short rows."""
    model = MODELS[name]
    known = table(model).schema
    defaults = {key: value for key, value in _REFERENCE.items() if key in known}
    return frame(model, [defaults | row for row in rows])


def frame(model: type[pa.DataFrameModel], rows: list[Row]) -> pl.DataFrame:
    """Return rows as a frame of the model's types, columns not stated being null."""
    columns = table(model).columns
    for row in rows:
        unknown = set(row) - {c.name for c in columns}
        if unknown:
            raise RuleError(f"{table(model).name} 没有字段 {sorted(unknown)}")
    data = {c.name: [_typed(row.get(c.name), c.dtype) for row in rows] for c in columns}
    return pl.DataFrame(data, schema=table(model).schema)


def _dated(given: Row, number: int, clr_type: str) -> Row:
    """Fill in who, where and when."""
    row = _SETTLEMENT | {"setl_id": f"S{number}", "clr_type": clr_type} | given
    row.setdefault("mdtrt_id", f"M-{row['setl_id']}")
    row.setdefault("med_type", _PLAIN_MED_TYPE.get(row["clr_type"], "11"))
    if row["clr_type"] == "21":
        first = row.setdefault("begndate", dt.date(2026, 4, 1))
        row.setdefault("enddate", first + dt.timedelta(days=7))
        row.setdefault("setl_time", dt.datetime.combine(row["enddate"], dt.time(10)))
    else:
        first = row.get("begndate", dt.date(2026, 4, 10))
        row.setdefault("setl_time", dt.datetime.combine(first, dt.time(10)))
        row.setdefault("begndate", _day(row["setl_time"]))
        row.setdefault("enddate", row["begndate"])
    return row


def _charged(given: Row, number: int, settlements: dict[str, Row]) -> Row:
    """Fill in what a line is, when it was charged and how its amount divides."""
    row = _LINE | {"setl_id": next(iter(settlements)), "bkkp_sn": str(number)} | given
    owner = settlements.get(row["setl_id"], next(iter(settlements.values())))
    row.setdefault("mdtrt_id", owner["mdtrt_id"])
    row.setdefault("fee_ocur_time", dt.datetime.combine(owner["begndate"], dt.time(9)))
    cnt = Decimal(row["cnt"])
    if "pric" not in row:
        known = "det_item_fee_sumamt" in row and cnt != 0
        row["pric"] = Decimal(row["det_item_fee_sumamt"]) / cnt if known else 100
    row.setdefault("det_item_fee_sumamt", _cents(cnt * Decimal(row["pric"])))
    rest = _money(row, "det_item_fee_sumamt") - sum(_money(row, b) for b in _BUCKETS)
    row.setdefault("fulamt_ownpay_amt", rest if "inscp_amt" in row else 0)
    row.setdefault("inscp_amt", rest)
    return row


def _paid(given: Row, lines: list[Row]) -> Row:
    """Fill in a settlement's amounts from its lines, and who paid them."""
    row = dict(given)
    if lines:
        for name, column in (("medfee_sumamt", "det_item_fee_sumamt"), *((b, b) for b in _BUCKETS)):
            row.setdefault(name, sum(_money(line, column) for line in lines))
    medfee = Decimal(row.setdefault("medfee_sumamt", 100))
    for bucket in _BUCKETS[:-1]:
        row.setdefault(bucket, 0)
    row.setdefault("inscp_amt", medfee - sum(_money(row, b) for b in _BUCKETS[:-1]))
    supplements = [c for c in POOLED_COLUMNS if c != "hifp_pay"]
    row = dict.fromkeys(supplements, 0) | row
    others = sum(_money(row, c) for c in supplements)
    all_funds = row.get("fund_pay_sumamt", _money(row, "inscp_amt") - _money(row, "acct_pay"))
    row.setdefault("hifp_pay", Decimal(all_funds or 0) - others)
    row.setdefault("fund_pay_sumamt", _money(row, "hifp_pay") + others)
    borne = _money(row, "fund_pay_sumamt") + _money(row, "ownpay_hosp_part")
    row.setdefault("psn_pay", medfee - borne)
    row.setdefault("cash_payamt", _money(row, "psn_pay") - _money(row, "acct_pay"))
    return row


def _money(row: Row, column: str) -> Decimal:
    value = row.get(column)
    return Decimal(0) if value in (None, "") else Decimal(value)


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)


def _day(moment: dt.date) -> dt.date:
    return moment.date() if isinstance(moment, dt.datetime) else moment


def _typed(value: Any, dtype: Any) -> Any:  # noqa: ANN401 - a cell of any type
    """Turn a value of a case file into the column's Python type; an empty text is a null."""
    if value is None or value == "":
        return None
    if dtype == pl.String:
        return str(value)
    if isinstance(dtype, pl.Decimal):
        return Decimal(str(value)).quantize(Decimal(1).scaleb(-dtype.scale), ROUND_HALF_UP)
    if isinstance(dtype, pl.Datetime):
        moment = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
        return moment if isinstance(moment, dt.datetime) else dt.datetime.combine(moment, dt.time())
    if dtype == pl.Date:
        return dt.date.fromisoformat(value) if isinstance(value, str) else _day(value)
    return value
