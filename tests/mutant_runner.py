"""Runs the mutants of a rule on its cases, as the engine would, as cheaply as it can be done."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import duckdb

from settlement.audit import cases as rule_cases
from settlement.audit import engine, opening, past
from settlement.audit.cases import Case
from settlement.audit.rules_file import Rule
from tests.mutants import WHOLE, Parts, Verdict, mutants, parts

LONGEST_SECONDS = 5.0
WORTH_FREEZING = 6
VIEWS = (engine.BUILT_IN | {opening.OPERATIONS}) - {"generic", "claim_month", "prior_reversal"}
NOT_BOUND = (duckdb.BinderException, duckdb.ParserException, duckdb.CatalogException)
COLUMNS = ("setl_id", "bkkp_sn", "part", "whole", "grade", "related", "funds")
KILLED, STILLBORN = "killed", "stillborn"
Hit = tuple[Any, ...]


@dataclass(frozen=True)
class Span:
    """Days with their parameter values, and the SQL that keeps the hits of those days."""

    values: dict[str, Any]
    within: str


class Watchdog:
    """Interrupts a query that runs too long."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        self._until = float("inf")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    @contextmanager
    def watching(self) -> Iterator[None]:
        self._until = time.monotonic() + LONGEST_SECONDS
        yield
        self._until = float("inf")

    def close(self) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.2):
            if time.monotonic() > self._until:
                self._con.interrupt()


def judge(rule: Rule, cases: list[Case]) -> Verdict:
    """Run every mutant of a rule on its cases until one of them notices.

    Raises:
        AssertionError: the rule itself does not find what a case expects.
    """
    everyone, apart = mutants(rule), parts(rule)
    # A mutant may name columns that the rule does not, and only what is named is there to be read.
    wide = replace(rule, sql="\n".join([rule.sql, *(mutant.sql for mutant in everyone)]))
    fate: dict[str, str] = {}
    with duckdb.connect(config={"threads": 1}) as con, _watched(con) as dog:
        con.execute("PRAGMA disable_optimizer")
        con.execute("CREATE SCHEMA held")
        # Cases with many hits first: they notice most.
        for case in sorted(cases, key=lambda case: -len(case.expect)):
            alive = [m for m in everyone if m.key not in fate]
            if not alive:
                break
            spans = _opened(con, wide, case, len(alive))
            wanted = _wanted(con, rule, apart.sql, case, spans)
            at_hand = len(alive) >= WORTH_FREEZING and _hold_parts(con, apart, spans)
            for mutant in alive:
                with dog.watching():
                    sql = mutant.rest if at_hand else mutant.sql
                    seen = _fate(con, rule, sql, spans, case, wanted)
                if seen:
                    fate[mutant.key] = seen
            con.execute("SET search_path = ''")
    killed = frozenset(key for key, seen in fate.items() if seen == KILLED)
    survivors = tuple(m for m in everyone if m.key not in fate)
    return Verdict(len(everyone), len(fate) - len(killed), killed, survivors)


def _fate(
    con: duckdb.DuckDBPyConnection, rule: Rule, sql: str, spans: list[Span], case: Case, wanted: list[Hit]
) -> str:
    """Return what a case does to a mutant; empty when it does not notice."""
    try:
        return "" if _found(con, rule, sql, spans, _compared(case)) == wanted else KILLED
    except NOT_BOUND:
        return STILLBORN
    except duckdb.Error:
        return KILLED


@contextmanager
def _watched(con: duckdb.DuckDBPyConnection) -> Iterator[Watchdog]:
    dog = Watchdog(con)
    try:
        yield dog
    finally:
        dog.close()


def _opened(con: duckdb.DuckDBPyConnection, rule: Rule, case: Case, alive: int) -> list[Span]:
    """Put a case in place of the one before; returns the spans its facts fall in."""
    rows = rule_cases.month_rows(con, rule, case)
    # What the case before froze must not stand before what is opened now.
    con.execute("".join(f"DROP VIEW IF EXISTS temp.{name};" for name in sorted(VIEWS)))
    engine.open_month(con, rows, rule_cases.references(rule, case), [rule])
    opening.scope(con, rule)
    past.open_rule(con, rule)
    profile = rule_cases.profile(case.parameters)
    spans = [
        Span({name: profile.value(name, span.first) for name in rule.parameters}, engine._within(rule, span))
        for span in engine._spans(con, rule, profile)
    ]
    if alive >= WORTH_FREEZING:
        _freeze(con, sorted(VIEWS & rule.named))
    return spans


def _freeze(con: duckdb.DuckDBPyConnection, views: list[str]) -> None:
    """Hold what views show in tables, so that not every mutant has to work it out again."""
    for name in views:
        con.execute(f"CREATE OR REPLACE TABLE held.{name} AS SELECT * FROM {name}")
    for name in views:
        con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM held.{name}")


def _hold_parts(con: duckdb.DuckDBPyConnection, apart: Parts, spans: list[Span]) -> bool:
    """Hold what a rule's named parts give in tables; only where parameters have one value in the case."""
    if len(spans) > 1 or _names(con) & set(apart.texts):
        return False
    con.execute("SET search_path = 'main,held'")
    for name, sql in apart.texts.items():
        if name != WHOLE:
            made = apart.joined({name: sql, WHOLE: f"SELECT * FROM {name}"})
            con.execute(f"CREATE OR REPLACE TABLE held.{name} AS {made}", _given(sql, spans[0].values))
    return True


@cache
def _names(con: duckdb.DuckDBPyConnection) -> set[str]:
    """Names that a rule's parts must not have to be held as tables; the same in every case."""
    tables = "SELECT table_name FROM duckdb_tables() WHERE schema_name <> 'held'"
    views = "SELECT view_name FROM duckdb_views() WHERE schema_name <> 'held'"
    return {row[0] for row in con.execute(f"{tables} UNION ALL {views}").fetchall()}


def _given(sql: str, values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if re.search(rf"\${name}\b", sql)} if values else {}


def _wanted(con: duckdb.DuckDBPyConnection, rule: Rule, sql: str, case: Case, spans: list[Span]) -> list[Hit]:
    """Return the rule's own hits, which are those the case expects."""
    compared = _compared(case)
    own = _found(con, rule, rule.sql, spans, compared)
    rows = [{"bkkp_sn": None, "part": 1, "whole": 1} | row for row in case.expect]
    stated = [name for name in compared if name != "grade" or any("grade" in row for row in rows)]
    expected = _sorted([tuple(None if row[name] == "" else row[name] for name in stated) for row in rows])
    places = [compared.index(name) for name in stated]
    assert [tuple(hit[place] for place in places) for hit in own] == expected, (
        f"{rule.rule_id}「{case.name}」"
    )
    again = _found(con, rule, sql, spans, compared)
    assert again == own, f"{rule.rule_id}「{case.name}」: the SQL written anew finds something else"
    return own


def _compared(case: Case) -> tuple[str, ...]:
    """What a case compares; the grade always, against what the rule itself says."""
    stated = {key for row in case.expect for key in row}
    return COLUMNS[:5] + tuple(name for name in COLUMNS[5:] if name in stated)


def _found(
    con: duckdb.DuckDBPyConnection, rule: Rule, sql: str, spans: list[Span], compared: tuple[str, ...]
) -> list[Hit]:
    """Return the hits a SELECT finds, as the engine would find them."""
    grade = f"coalesce(h.grade, '{rule.grade}')" if re.search(r"\bgrade\b", sql) else f"'{rule.grade}'"
    funds = "h.funds" if re.search(r"\bfunds\b", sql) else "NULL"
    value = {
        "part": "h.part::DECIMAL(18,4)", "whole": "h.whole::DECIMAL(18,4)", "grade": grade, "funds": funds,
    }  # fmt: skip
    columns = ", ".join(value.get(name, f"h.{name}") for name in compared)
    hits: list[Hit] = []
    for span in spans:
        query = f"WITH h AS ({sql}) SELECT {columns} FROM h {span.within}"
        hits += con.execute(query, _given(sql, span.values)).fetchall()
    return _sorted(hits)


def _sorted(hits: list[Hit]) -> list[Hit]:
    return sorted(hits, key=lambda hit: (hit[0] or "", hit[1] or ""))
