"""Mutants of the audit rules: each rule's SELECT broken in small ways, and which of its cases notice.

A mutant that every case of its rule lets pass shows that something in the SELECT is not pinned. It is
either killed by a further case or listed in `mutants_allowed.toml` with the reason why it finds the same.

    python -m tests.mutants                 what is found, rule by rule
    python -m tests.mutants --rule B08      one rule, with the SQL of what is not explained
    python -m tests.mutants --report        writes docs/mutants.md
"""

from __future__ import annotations

import argparse
import sys
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

import sqlglot
from sqlglot import exp

from settlement.audit import cases as rule_cases
from settlement.audit import rules_file
from settlement.audit.rules_file import Rule
from tests import mutant_operators, mutant_reach

HERE = Path(__file__).parent
ALLOWED = HERE / "mutants_allowed.toml"
REPORT = HERE.parent / "docs" / "mutants.md"
LONGEST = 70
WHOLE = mutant_reach.LAST
REPORT_HEAD = """# 审核规则的变异测试 · Mutants of the audit rules

Made by `python -m tests.mutants --report`; do not edit by hand. The SELECT of each rule is broken in small
ways, one at a time, and run on the rule's cases; a mutant that gives other hits than the case expects, or
fails, is killed. Broken are: comparisons (`<` and `<=`, `=` and `<>`), bounds of BETWEEN, numbers and
parameters in comparisons and sums, codes, dates, conjuncts and disjuncts, keys of joins, groups, partitions
and tuples, kinds of join, order and frames of windows, date columns, `+` and `-`, MIN and MAX, SUM,
DISTINCT, results of CASE, negations and defaults. What only feeds the evidence is left alone, because cases
do not compare it. A stillborn mutant is no SQL. What every case lets pass is listed below with the reason
why it finds the same as the rule; `tests/test_mutation.py` fails on any other.

| catalogue (rules) | mutants | stillborn | killed | equivalent |
|-|-|-|-|-|"""
RULES_HEAD = """
## 各规则 · by rule

| rule | mutants | stillborn | killed | equivalent |
|-|-|-|-|-|"""
REASONS_HEAD = """
## 等价变异 · equivalent mutants"""


@dataclass(frozen=True)
class Mutant:
    """A broken SELECT.

    Attributes:
        key: a short name that stays the same while the mutant's place in the rule does.
        sql: all of it.
        rest: what is left to run where the named parts that the change does not reach are at hand as tables.
    """

    key: str
    sql: str
    rest: str


@dataclass(frozen=True)
class Verdict:
    """What became of a rule's mutants: stillborn ones do not bind, survivors are noticed by no case."""

    total: int
    stillborn: int
    killed: frozenset[str]
    survivors: tuple[Mutant, ...]


@dataclass(frozen=True)
class Parts:
    """A rule's SELECT taken apart: its named parts and the SELECT at the end, by name the SQL."""

    texts: dict[str, str]
    reached: dict[str, set[str]]
    recursive: bool

    @property
    def sql(self) -> str:
        """The SELECT as the mutants have it, nothing broken."""
        return self.joined(self.texts)

    def with_other(self, name: str, sql: str) -> tuple[str, str]:
        """Return the SELECT with one part replaced, and the same without the parts this does not reach."""
        texts = self.texts | {name: sql}
        return self.joined(texts), self.joined(
            {part: texts[part] for part in texts if part in self.reached[name]}
        )

    def joined(self, texts: dict[str, str]) -> str:
        """Return one SELECT of named parts."""
        named = ", ".join(f"{name} AS ({sql})" for name, sql in texts.items() if name != WHOLE)
        begin = "WITH RECURSIVE " if self.recursive else "WITH "
        return f"{begin if named else ''}{named} {texts[WHOLE]}"


def mutants(rule: Rule) -> list[Mutant]:
    """Return the mutants of a rule, in the order of its SQL."""
    tree = sqlglot.parse_one(rule.sql, dialect="duckdb")
    shown = mutant_reach.shown(tree)
    units = {name: about["unit"] for name, about in rule.parameters.items()}
    pieces, apart = _apart(tree)
    found: dict[str, Mutant] = {}
    for name, holder in pieces.items():
        for node in _broken_nodes(holder, shown):
            for change in mutant_operators.changes(node, units):
                node.replace(change.node)
                broken = mutant_operators.text(holder.this)
                change.node.replace(node)
                if broken != apart.texts[name]:
                    said = f"{change.operator} {name}: {_short(change.before)} → {_short(change.after)}"
                    key = _key(found, said)
                    found[key] = Mutant(key, *apart.with_other(name, broken))
    return list(found.values())


def parts(rule: Rule) -> Parts:
    """Take a rule's SELECT apart."""
    return _apart(sqlglot.parse_one(rule.sql, dialect="duckdb"))[1]


def _apart(tree: exp.Expression) -> tuple[dict[str, exp.Expression], Parts]:
    """Take a query apart into its named parts and the SELECT at its end, each in a holder of its own."""
    with_ = tree.args.get("with_")
    pieces: dict[str, exp.Expression] = {cte.alias: cte for cte in with_.expressions} if with_ else {}
    tree.set("with_", None)
    pieces[WHOLE] = exp.Subquery(this=tree)
    texts = {name: mutant_operators.text(holder.this) for name, holder in pieces.items()}
    reads = {name: {t.name for t in holder.find_all(exp.Table)} for name, holder in pieces.items()}
    reached = {name: {name, WHOLE} for name in pieces}
    for name in pieces:
        for later in pieces:
            if reads[later] & (reached[name] - {WHOLE}):
                reached[name].add(later)
    return pieces, Parts(texts, reached, bool(with_ and with_.recursive))


def allowed(rule_id: str) -> dict[str, str]:
    """Return the survivors that are accepted for a rule, by key the reason."""
    listed = tomllib.loads(ALLOWED.read_text(encoding="utf-8")).get(rule_id, [])
    return {key: entry["why"] for entry in listed for key in entry["keys"]}


def _key(taken: dict[str, Mutant], key: str) -> str:
    number = 2
    numbered = key
    while numbered in taken:
        numbered, number = f"{key} #{number}", number + 1
    return numbered


def _short(sql: str) -> str:
    half = LONGEST // 2
    return sql if len(sql) <= LONGEST else f"{sql[:half]}…{sql[-half:]}"


def _broken_nodes(holder: exp.Expression, shown: set[int]) -> list[exp.Expression]:
    """Return the nodes that may be broken: not types, nor what is only shown."""

    def closed(node: exp.Expression) -> bool:
        return id(node) in shown or isinstance(node, exp.DataType)

    return [node for node in holder.walk(bfs=False, prune=closed) if not closed(node) and node is not holder]


def main() -> None:
    """Run the mutants of all rules or some and tell what became of them."""
    from tests import mutant_runner  # which needs the classes above

    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    asked.add_argument("--rule", nargs="+", metavar="ID", help="only these rules")
    asked.add_argument("--report", action="store_true", help=f"write {REPORT.relative_to(HERE.parent)}")
    given = asked.parse_args()
    verdicts: dict[str, Verdict] = {}
    for rule in rules_file.load_all():
        if not given.rule or rule.rule_id in given.rule:
            begun = time.process_time()
            verdict = mutant_runner.judge(rule, rule_cases.read(rule_cases.CASES / f"{rule.rule_id}.toml"))
            verdicts[rule.rule_id] = verdict
            _tell(rule.rule_id, verdict, time.process_time() - begun)
    if given.report:
        REPORT.write_text(report(verdicts), encoding="utf-8")


def _tell(rule_id: str, verdict: Verdict, seconds: float) -> None:
    """Print what became of a rule's mutants."""
    why = allowed(rule_id)
    print(
        f"{rule_id}: {verdict.total} mutants, {verdict.stillborn} stillborn, {len(verdict.killed)} killed, "
        f"{len(verdict.survivors)} survivors ({seconds:.1f} s)",
        flush=True,
    )
    for mutant in verdict.survivors:
        print(f"  {mutant.key}\n      {why.get(mutant.key) or 'NOT EXPLAINED: ' + mutant.rest}")
    for key in gone(rule_id, verdict):
        print(f"  {key}\n      LISTED, BUT {'KILLED' if key in verdict.killed else 'NOT A MUTANT'}")


def unexplained(rule_id: str, verdict: Verdict) -> list[Mutant]:
    """Return the survivors that are not listed."""
    return [mutant for mutant in verdict.survivors if mutant.key not in allowed(rule_id)]


def gone(rule_id: str, verdict: Verdict) -> list[str]:
    """Return the listed names that are no survivors, in the order of the list."""
    survivors = {mutant.key for mutant in verdict.survivors}
    return [key for key in allowed(rule_id) if key not in survivors]


def report(verdicts: dict[str, Verdict]) -> str:
    """Return the report of a run as Markdown."""
    rows = [_row(rule_id, [verdict]) for rule_id, verdict in verdicts.items()]
    groups = {rule_id[0]: [v for r, v in verdicts.items() if r[0] == rule_id[0]] for rule_id in verdicts}
    totals = [_row(f"{letter} ({len(some)})", some) for letter, some in groups.items()]
    reasons: list[str] = []
    for rule_id, verdict in verdicts.items():
        why = allowed(rule_id)
        told: dict[str, list[str]] = {}
        for mutant in verdict.survivors:
            told.setdefault(why.get(mutant.key, "**Not explained.**"), []).append(mutant.key)
        for reason, keys in told.items():
            reasons += [f"\n**{rule_id}** {reason}\n", *(f"* `{key}`" for key in keys)]
    total = _row(f"**all ({len(verdicts)})**", list(verdicts.values()))
    return "\n".join([REPORT_HEAD, *totals, total, RULES_HEAD, *rows, REASONS_HEAD, *reasons, ""])


def _row(name: str, verdicts: list[Verdict]) -> str:
    numbers = [
        sum(v.total for v in verdicts),
        sum(v.stillborn for v in verdicts),
        sum(len(v.killed) for v in verdicts),
        sum(len(v.survivors) for v in verdicts),
    ]
    return f"| {name} | {' | '.join(map(str, numbers))} |"


if __name__ == "__main__":
    sys.exit(main())
