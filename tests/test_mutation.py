"""Every rule is pinned by its cases: broken in any small way it finds something else in one of them."""

from __future__ import annotations

import tomllib

import pytest

from settlement.audit import cases as rule_cases
from settlement.audit import rules_file
from settlement.audit.rules_file import Rule
from tests import mutant_runner, mutants

RULES = rules_file.load_all()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.rule_id)
def test_every_mutant_fails_a_case_or_is_explained(rule: Rule) -> None:
    cases = rule_cases.read(rule_cases.CASES / f"{rule.rule_id}.toml")

    verdict = mutant_runner.judge(rule, cases)

    assert verdict.killed
    survived = [f"{mutant.key}\n{mutant.rest}" for mutant in mutants.unexplained(rule.rule_id, verdict)]
    assert not survived, "no case notices:\n" + "\n".join(survived)
    assert not mutants.gone(rule.rule_id, verdict), "listed, but killed or no mutant"


def test_list_of_equivalent_mutants_names_rules_and_reasons() -> None:
    listed = tomllib.loads(mutants.ALLOWED.read_text(encoding="utf-8"))

    assert set(listed) <= {rule.rule_id for rule in RULES}
    for entries in listed.values():
        for entry in entries:
            assert set(entry) == {"why", "keys"}
            assert entry["why"].endswith(".")
            assert entry["keys"]


def test_same_change_in_two_places_has_two_names() -> None:
    for rule in RULES:
        keys = [mutant.key for mutant in mutants.mutants(rule)]

        assert len(keys) == len(set(keys))
