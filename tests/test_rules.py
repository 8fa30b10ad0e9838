"""Every rule on its own cases: the findings are the expected ones, no more and no fewer."""

from __future__ import annotations

from functools import cache
from typing import Any

import polars as pl
import pytest

from settlement.audit import cases as rule_cases
from settlement.audit import rules_file
from settlement.audit.cases import Case
from settlement.audit.rules_file import Rule

CASES = [case for path in sorted(rule_cases.CASES.glob("*.toml")) for case in rule_cases.read(path)]


@cache
def rules() -> dict[str, Rule]:
    return {rule.rule_id: rule for rule in rules_file.load_all()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule_id} {case.name}")
def test_rule_finds_what_the_case_expects(case: Case) -> None:
    rule = rules()[case.rule_id]

    found = rule_cases.run(rule, case)

    assert _shown(found, case) == _expected(case)
    for evidence in found["evidence"]:
        _check_message(rule, evidence)


def _shown(found: pl.DataFrame, case: Case) -> list[dict[str, Any]]:
    """Return the hits with the columns the case compares."""
    return [{key: row[key] for key in _compared(case)} for row in found.iter_rows(named=True)]


def _expected(case: Case) -> list[dict[str, Any]]:
    rows = [{"bkkp_sn": None, "part": 1, "whole": 1} | row for row in case.expect]
    shown = [{key: None if row[key] == "" else row[key] for key in _compared(case)} for row in rows]
    return sorted(shown, key=lambda row: (row["setl_id"], row["bkkp_sn"] or ""))


def _compared(case: Case) -> list[str]:
    """A case that states grade or related in one expected row states it in all."""
    stated = {key for row in case.expect for key in row}
    known = ["setl_id", "bkkp_sn", "part", "whole", "grade", "related", "funds"]
    assert stated <= set(known), f"用例「{case.name}」的 expect 有未知的键 {stated - set(known)}"
    return known[:4] + [key for key in known[4:] if key in stated]


def _check_message(rule: Rule, evidence: str) -> None:
    """The evidence is key=value pairs and fills both messages."""
    values = dict(pair.split("=", 1) for pair in evidence.split(" "))
    assert "{" not in rule.message.format(**values)
    assert "{" not in rule.message_en.format(**values)
