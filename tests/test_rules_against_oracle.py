"""Every rule's SQL against a slow plain-Python oracle, on random months made of the rule's cases."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter
from fractions import Fraction
from random import Random

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from settlement.audit import cases, engine, rules_file
from settlement.audit.cases import Case
from settlement.audit.rules_file import Rule
from settlement.query import hold
from tests import rule_worlds
from tests.rule_oracle import RULES as ORACLES
from tests.rule_oracle.world import Hit, World
from tests.rule_worlds import Tables

RULES = {rule.rule_id: rule for rule in rules_file.load_all()}
EXAMPLES = 20
ROUNDING = Fraction(1, 1000)
HITS_AT_LEAST = 10
MONTH, BEFORE = dt.date(2026, 4, 1), dt.date(2026, 3, 1)
RELATIONS = {
    "settlement": "setl_rows", "line": "line_rows", "past_settlement": "past_setl", "past_line": "past_lines",
    "diagnosis": "diag_rows", "operation": "oprn_rows", "declared": "sum_rows",
}  # fmt: skip
RANDOM = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def con():
    with duckdb.connect(config={"threads": 1}) as connection:
        yield connection


def test_every_rule_has_an_oracle() -> None:
    assert set(ORACLES) == set(RULES)


@pytest.mark.parametrize("rule_id", sorted(RULES))
def test_sql_and_oracle_find_the_same(con: duckdb.DuckDBPyConnection, rule_id: str) -> None:
    rule = RULES[rule_id]
    known = cases.read(cases.CASES / f"{rule_id}.toml")
    complete = [rule_worlds.complete(rule, case) for case in known]
    seen: Counter[str] = Counter()

    @RANDOM
    @given(seed=st.integers(0, 2**32), of=st.sampled_from(known))
    def same(seed, of) -> None:
        # A seed and not drawn choices: a month takes thousands of them.
        month = rule_worlds.random_month(rule, complete, Random(seed))
        found = by_sql(con, rule, month, of)
        assert_same(found, by_oracle(rule, month, of))
        seen["hits"] += len(found)
        seen["months"] += 1

    same()
    # An agreement about nothing would prove nothing.
    assert seen["hits"] >= HITS_AT_LEAST, seen


def assert_same(found: set[Hit], expected: set[Hit]) -> None:
    """The same hits; shares may differ by what four decimals of part and whole cannot say."""
    plain = [{dataclasses.replace(hit, share=Fraction(1)) for hit in hits} for hits in (found, expected)]
    assert plain[0] == plain[1]
    share = {(hit.setl_id, hit.bkkp_sn): hit.share for hit in expected}
    wrong = [hit for hit in found if abs(hit.share - share[hit.setl_id, hit.bkkp_sn]) > ROUNDING]
    assert not wrong, (wrong, share)


def by_sql(con: duckdb.DuckDBPyConnection, rule: Rule, month: Tables, of: Case) -> set[Hit]:
    for name, relation in RELATIONS.items():
        hold(con, relation, rule_worlds.as_frame(name, month.get(name, [])))
    sent = [RELATIONS[name] for name in ("settlement", "line", "diagnosis", "operation", "declared")]
    past = engine.PastMonth(BEFORE, RELATIONS["past_settlement"], RELATIONS["past_line"])
    reference = {n: rule_worlds.as_frame(n, rows) for n, rows in month.items() if n not in RELATIONS}
    engine.open_month(con, engine.MonthRows(of.month, *sent, (past,)), reference, [rule])
    found = engine.hits(con, rule, cases.profile(of.parameters))
    assert found is not None
    return {
        Hit(row["setl_id"], row["bkkp_sn"], min(Fraction(1), Fraction(row["part"]) / Fraction(row["whole"])),
            row["grade"], row["funds"] or "")
        for row in found.iter_rows(named=True)
    }  # fmt: skip


def by_oracle(rule: Rule, month: Tables, of: Case) -> set[Hit]:
    profile = cases.profile(of.parameters)
    world = World(
        month=of.month,
        settlements=month["settlement"],
        lines=month["line"],
        parameter=profile.value,
        past_settlements=month["past_settlement"],
        past_lines=month["past_line"],
        diagnoses=month["diagnosis"],
        operations=month["operation"],
        declared=month["declared"],
        reference={n: rows for n, rows in month.items() if n not in RELATIONS},
    )
    return {
        Hit(hit.setl_id, hit.bkkp_sn, hit.share, hit.grade or rule.grade, hit.funds)
        for hit in ORACLES[rule.rule_id](world)
    }
