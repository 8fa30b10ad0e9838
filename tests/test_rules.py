"""Every rule on its own cases: the findings are the expected ones, no more and no fewer."""

from __future__ import annotations

from functools import cache

import pytest

from settlement.audit import cases, rules_file
from settlement.audit.cases import Case
from settlement.audit.rules_file import Rule

CASES = [case for path in sorted(cases.CASES.glob("*.toml")) for case in cases.read(path)]


@cache
def rules() -> dict[str, Rule]:
    return {rule.rule_id: rule for rule in rules_file.load_all()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule_id} {case.name}")
def test_rule_finds_what_the_case_expects(case: Case) -> None:
    verdict = cases.judge(rules()[case.rule_id], case)

    assert verdict.found == verdict.expected
    assert not verdict.unworded
