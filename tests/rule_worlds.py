"""Random months made of a rule's own cases: crowded, mutated, mixed and moved into the past.

The cases of a rule hold every value its SQL is about. A random month takes several of them, lets persons,
days and codes of one meet those of another, nudges dates and numbers by one, empties cells, and copies
settlements into an earlier claim month. So months are about the rule without a generator per rule.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from random import Random
from typing import Any

import polars as pl

from schemas.codes import CODES
from schemas.layout import Table, table
from schemas.submission import ClrSum, FeeListD, SetlD, SetlListDiagD, SetlListOprnD
from settlement.audit import cases
from settlement.audit.cases import Case, Row
from settlement.audit.rules_file import Rule

SENT = {
    "settlement": table(SetlD), "line": table(FeeListD), "past_settlement": table(SetlD),
    "past_line": table(FeeListD), "diagnosis": table(SetlListDiagD), "operation": table(SetlListOprnD),
    "declared": table(ClrSum),
}  # fmt: skip
OF_SETTLEMENT = ("setl_id", "init_setl_id", "mdtrt_id")
IDS = {"setl_id", "bkkp_sn"}
NUDGES = (-31, -7, -1, 1, 1, 7, 31)
# A code list decides what is judged; a wild value there only makes months empty.
STEADY = {"vali_flag", "source", "clr_type", "part", "time_window", "unit"}
Tables = dict[str, list[Row]]


def about(name: str) -> Table:
    """Return the declaration of a table by the name it has in a case."""
    return SENT[name] if name in SENT else table(cases.MODELS[name])


def complete(rule: Rule, case: Case) -> Tables:
    """Return a case's tables with every column filled in as the rule runner does."""
    kind = rule.clr_types[0]
    given = case.tables
    now = cases.submission(given.get("settlement", []), given.get("line", []), kind)
    past = cases.submission(given.get("past_settlement", []), given.get("past_line", []), kind)
    frames = dict(zip(("settlement", "line", "past_settlement", "past_line"), (*now, *past), strict=True))
    frames["diagnosis"] = cases.frame(
        SetlListDiagD, [cases.DIAGNOSIS | r for r in given.get("diagnosis", [])]
    )
    frames["operation"] = cases.frame(SetlListOprnD, given.get("operation", []))
    frames["declared"] = cases.frame(ClrSum, [cases.DECLARED | r for r in given.get("declared", [])])
    wanted = (rule.named | set(given)) & set(cases.MODELS)
    frames |= {name: cases.reference(name, given.get(name, [])) for name in wanted}
    return {name: frame.to_dicts() for name, frame in frames.items()}


def random_month(rule: Rule, known: list[Tables], chance: Random) -> Tables:
    """Mix some cases into one month and disturb it.

    Args:
        rule: the rule the cases belong to.
        known: complete tables of the rule's cases.
        chance: source of choices.
    """
    month: Tables = {}
    for number in range(chance.randint(1, 6)):
        for name, rows in chance.choice(known).items():
            month.setdefault(name, []).extend(_renamed(row, number) for row in rows)
    pool = {name: _values(known, name) for name in month}
    month = {
        name: [_disturbed(row, name, pool[name], chance) for row in rows] for name, rows in month.items()
    }
    if rule.past and chance.random() < 0.8:
        _remember(month, chance)
    return {name: _allowed(name, rows) for name, rows in month.items()}


def _renamed(row: Row, number: int) -> Row:
    """Keep settlements of different cases apart; persons, institutions and codes meet."""
    return {
        k: f"{v}{'abcdef'[number]}" if k in OF_SETTLEMENT and v is not None else v for k, v in row.items()
    }


def _values(known: list[Tables], name: str) -> dict[str, list[Any]]:
    """Values the cases have in each column, those outside a code list left out."""
    rows = [row for tables in known for row in tables.get(name, [])]
    return {
        c.name: sorted(
            {
                row[c.name]
                for row in rows
                if row[c.name] is not None and row[c.name] in CODES.get(c.codes, {row[c.name]})
            },
            key=str,
        )
        for c in about(name).columns
    }


def _disturbed(row: Row, name: str, pool: dict[str, list[Any]], chance: Random) -> Row:
    if chance.random() < 0.55:
        return row
    changed = dict(row)
    for column in chance.sample(list(row), k=min(chance.randint(1, 3), len(row))):
        if column not in IDS | STEADY:
            changed[column] = _other(row[column], about(name).column(column), pool[column], chance)
    if "begndate" in changed and changed["enddate"] is not None and changed["enddate"] < changed["begndate"]:
        changed["enddate"] = changed["begndate"]
    return changed


def _other(value: Any, column: Any, seen: list[Any], chance: Random) -> Any:
    """Another value of a cell: one seen elsewhere, one a little off, or none where none is allowed."""
    if not column.required and chance.random() < 0.15:
        return None
    if seen and chance.random() < 0.6:
        return chance.choice(seen)
    step = chance.choice(NUDGES)
    if isinstance(value, dt.datetime):
        return value + chance.choice(
            (dt.timedelta(days=step), dt.timedelta(hours=step), dt.timedelta(minutes=step))
        )
    if isinstance(value, dt.date):
        return value + dt.timedelta(days=step)
    if isinstance(value, Decimal):
        smallest = Decimal(1).scaleb(-min(column.dtype.scale, 2))
        moved = value + step * chance.choice((smallest, Decimal(1)))
        if moved.adjusted() >= column.dtype.precision - column.dtype.scale:
            return value
        return moved if moved >= 0 or column.name in ("balc", "cnt", "medfee_sumamt") else value
    if isinstance(value, int):
        return max(value + (1 if step > 0 else -1), 0)
    return value


def _remember(month: Tables, chance: Random) -> None:
    """Copy some settlements with their lines into the past, some days earlier."""
    for settlement in list(month["settlement"]):
        if chance.random() < 0.5:
            continue
        back = dt.timedelta(days=chance.choice((1, 5, 7, 14, 15, 28, 30, 31, 60, 90)))
        ident = settlement["setl_id"] + "p"
        mine = [line for line in month["line"] if line["setl_id"] == settlement["setl_id"]]
        month["past_settlement"].append(_earlier(settlement, ident, back))
        month["past_line"] += [_earlier(line, ident, back) for line in mine]


def _earlier(row: Row, ident: str, back: dt.timedelta) -> Row:
    dates = ("begndate", "enddate", "setl_time", "fee_ocur_time")
    return {k: v - back if k in dates else v for k, v in row.items()} | {"setl_id": ident}


def _allowed(name: str, rows: list[Row]) -> list[Row]:
    """Leave out what intake would not let in.

    That is a value missing that must be there, a key twice, or validity spans of one key that overlap.
    """
    kept: list[Row] = []
    rows = [row for row in rows if all(row[c.name] is not None for c in about(name).columns if c.required)]
    facts = about(name)
    dated = facts.dated and name not in SENT
    far = dt.date(9999, 12, 31)
    for row in rows:
        same = [r for r in kept if all(r[c] == row[c] for c in facts.key)]
        if dated:
            last = row["enddate"] or far
            same = [r for r in same if r["begndate"] <= last and row["begndate"] <= (r["enddate"] or far)]
        if not same or name == "declared":
            kept.append(row)
    return kept


def as_frame(name: str, rows: list[Row]) -> pl.DataFrame:
    """Return rows as a typed frame of their table."""
    return pl.DataFrame(rows, schema=about(name).schema)
