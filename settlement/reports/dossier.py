"""What one institution's documents are made from: plain lists, cheap to hand to another process."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from settlement.labels import label
from settlement.reports.tables import Column

Row = tuple[Any, ...]
CAP = 1_000
# What institutions get; a step that changes only one of them writes only that one again.
NOTICES, STATEMENTS, FINDINGS = "notices", "statements", "findings"
PAPERS = frozenset({NOTICES, STATEMENTS, FINDINGS})


@dataclass(frozen=True)
class Context:
    """What all documents of one month share."""

    lang: str
    region: str
    month: dt.date
    folder: Path
    fault_columns: tuple[Column, ...]
    finding_columns: tuple[Column, ...]
    rule_columns: tuple[Column, ...]
    papers: frozenset[str] = PAPERS

    def say(self, key: str, **values: Any) -> str:  # noqa: ANN401 - whatever the message quotes
        """Return a catalogue text with its placeholders filled in."""
        text = label(key, self.lang)
        return text.format(**values) if values else text

    @property
    def month_text(self) -> str:
        """The claim month as people write it."""
        return self.say("msg.month", year=self.month.year, month=self.month.month)


@dataclass(frozen=True)
class Notice:
    """One submission's answer.

    Attributes:
        number: 1 for the institution's first answer of its kind, 2 for the next ...
        submission: the row of `MonthFacts.submissions`.
        reasons: code, text, number of faults, what to do; one row per reason.
        faults: at most `CAP` rows per reason, in the order of the fault columns.
        more: by reason, how many rows are not shown.
    """

    number: int
    submission: dict[str, Any]
    reasons: list[Row]
    faults: list[Row]
    more: dict[str, int]


@dataclass(frozen=True)
class Dossier:
    """Everything the documents of one institution show.

    Attributes:
        code: institution code as declared.
        folder: a safe folder name made from it.
        facts: name, type, grade, payee, masked account, bank, submission, dates.
        notices: answers to its submissions.
        payment: rows of `payment`, by fund.
        clearing: rows of `clearing` with the label of the pair and claimed less deducted.
        refused: rule id, name, findings with a deduction, amount; largest first.
        rules: totals of the findings by rule, in the order of the rule columns.
        findings: by grade, at most `CAP` rows per rule, in the order of the finding columns.
        more: by (grade, rule), how many rows are not shown.
        settled: the month was calculated, so the statement is due.
        batch: where the procedure stands: the columns of `facts.PROCEDURE`.
        appeal: 元 before, taken back, added and left after review: prelim, withdrawn, confirmed, final.
        reviewers: who reviewed the findings, joined by 、.
        books: ledger balances that moved or are not nil: book, fund, opening, plus, minus, closing (元).
    """

    code: str
    folder: str
    facts: dict[str, Any]
    notices: list[Notice] = field(default_factory=list)
    payment: list[dict[str, Any]] = field(default_factory=list)
    clearing: list[dict[str, Any]] = field(default_factory=list)
    refused: list[Row] = field(default_factory=list)
    rules: list[Row] = field(default_factory=list)
    findings: dict[str, list[Row]] = field(default_factory=dict)
    more: dict[tuple[str, str], int] = field(default_factory=dict)
    settled: bool = False
    batch: dict[str, Any] = field(default_factory=dict)
    appeal: dict[str, Any] = field(default_factory=dict)
    reviewers: str = ""
    books: list[dict[str, Any]] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Rows to write: the measure of how long its documents take."""
        return sum(map(len, self.findings.values())) + sum(len(n.faults) for n in self.notices)
