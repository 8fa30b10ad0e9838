"""Every rule is pinned by its cases: broken in any small way it finds something else in one of them."""

from __future__ import annotations

import dataclasses
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


def test_every_kind_of_change_is_made_and_none_to_what_is_only_shown() -> None:
    sql = """
        WITH a AS (
            SELECT l.setl_id, l.d, l.pric AS shown, MIN(l.cnt) AS least, COALESCE(MAX(l.cnt), 0) AS most,
                ROW_NUMBER() OVER (PARTITION BY l.psn_no ORDER BY l.setl_time ROWS UNBOUNDED PRECEDING) AS n
            FROM line AS l
            INNER JOIN stock AS k USING (fixmedins_code, hilist_code)
            WHERE l.cnt > 2 AND (l.list_type <> '101' OR NOT EXISTS (SELECT 1 FROM trace))
            GROUP BY l.setl_id, l.d
        )
        SELECT setl_id, least + $days AS part, CASE WHEN n = 1 THEN 1 ELSE most END AS whole,
            'a=' || shown || 'b=' || (1 + 1) AS evidence
        FROM a WHERE d BETWEEN DATE '2025-01-01' AND d
    """
    frame = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
    rule = dataclasses.replace(RULES[0], sql=sql, parameters={"days": {"unit": "days", "meaning": ""}})

    found = mutants.mutants(rule)

    assert {
        "compare a: l.cnt > 2 → l.cnt >= 2", "number a: 2 → 3", "number a: 2 → 1", "drop a: l.cnt > 2 → –",
        "compare a: l.list_type <> '101' → l.list_type = '101'", "code a: '101' → '00'",
        "negate a: NOT EXISTS(SELECT 1 FROM trace) → (EXISTS(SELECT 1 FROM trace))",
        "join a: INNER stock AS k → LEFT", "key a: hilist_code → –", "group key a: l.d → –",
        "partition key a: l.psn_no → –", "order a: l.setl_time → l.setl_time DESC",
        "date column a: l.setl_time → l.sd", "date column a: l.d → l.begndate",
        "swap a: MIN(l.cnt) → MAX(l.cnt)",
        f"frame a: {frame} → ROWS BETWEEN CURRENT ROW AND CURRENT ROW",
        f"frame a: {frame} → ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
        "default a: COALESCE(MAX(l.cnt), 0) → (MAX(l.cnt))", "case select: 1 → most",
        "swap select: least + $days → least - $days", "parameter select: $days → ($days + 1)",
        "date select: CAST('2025-01-01' AS DATE) → CAST('2025-01-02' AS DATE)",
    } <= {mutant.key for mutant in found}  # fmt: skip
    assert all("'a=' || shown || 'b=' || (1 + 1)" in mutant.sql for mutant in found)
    assert all("l.pric AS shown" in mutant.sql for mutant in found)
