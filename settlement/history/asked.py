"""Asking: the views a question names are made of one moment of the record, asked, and gone again."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

import duckdb
import polars as pl

from settlement.audit import rules_file
from settlement.errors import QueryError, StoreError
from settlement.history import branches, declared, hiding, sandbox
from settlement.history.sandbox import Limits
from settlement.store import asking
from settlement.store.asking import MonthFiles, Span
from settlement.store.database import Store, open_store
from settlement.store.files import work_folder

NORMAL = Limits()
OF_FILES = {
    "v_settlement": branches.settlement_view,
    "v_fee": branches.fee_view,
    "v_finding": branches.finding_view,
    "v_payment": branches.payment_view,
}
OF_ROWS = {"v_decision": asking.decisions, "v_ledger": asking.ledger, "v_log": asking.log}


@dataclass(frozen=True)
class Answer:
    """What a question gave: the rows, and how many more there are that were not kept."""

    rows: pl.DataFrame
    more: int = 0


@dataclass(frozen=True)
class Views:
    """The views of a home, over a span of regions and months, now or as of a commit.

    Attributes:
        home: the store.
        span: regions and months.
        commit: number of the commit that is looked at; None for now, anew with every question.
        limits: what a question may cost.
        masked: personal columns are masked in what is returned.
    """

    home: Store
    span: Span
    commit: int | None = None
    limits: Limits = NORMAL
    masked: bool = False

    def sql(self, question: str, most: int | None = None) -> Answer:
        """Answer one SELECT over the views; all it names show the same moment.

        Args:
            question: SQL of DuckDB.
            most: how many rows to keep, None for all.

        Raises:
            QueryError: it is no SELECT, cannot be answered, or not within the limits.
            StoreError: a file that the record names is missing.
        """
        text, explains = sandbox.checked(question)
        names = sandbox.named_views(text)
        with work_folder(self.home) as spill:
            con = sandbox.connect(self.limits, spill)
            try:
                self._build(con, names)
                touched = hiding.touched(con, text) if self.masked and not explains else frozenset()
                rows, more = sandbox.fetch(con, text, self.limits, most)
            finally:
                con.close()
        return Answer(hiding.masked(rows, touched) if self.masked and not explains else rows, more)

    def _build(self, con: duckdb.DuckDBPyConnection, names: Sequence[str]) -> None:
        """Make some views, and shut the engine off from everything else."""
        months: list[MonthFiles] = []
        with asking.one_moment(self.home) as db:
            if set(names) & set(OF_FILES):
                submitted = bool({"v_settlement", "v_fee"} & set(names))
                months = asking.months(self.home, db, self.span, self.commit, submitted)
            frames = {name: OF_ROWS[name](db, self.span, self.commit) for name in names if name in OF_ROWS}
        for name, rows in frames.items():
            columns = [pl.col(n).cast(t) for n, t in declared.VIEWS[name].schema.items()]
            sandbox.hold(con, name, rows.select(columns))
        if "v_fee" in names:
            sandbox.hold(con, branches.OWNERS, branches.owners(months))
        if "v_finding" in names:
            sandbox.hold(con, branches.RULES, _rule_names())
        for name in names:
            if name in OF_FILES:
                con.execute(f"CREATE VIEW {name} AS {OF_FILES[name](months)}")
        files = {path for n in names for path in branches.files(months, declared.VIEWS[n])}
        sandbox.lock(con, sorted(files))

    def close(self) -> None:
        """Let go of the database."""
        self.home.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@cache
def _rule_names() -> pl.DataFrame:
    known = [(rule.rule_id, rule.name) for rule in rules_file.load_all()]
    return pl.DataFrame(known, schema=["rule_id", "rule_name"], orient="row")


def open_views(
    home: Path | str,
    region: str | None = None,
    months: str = "",
    commit: int | None = None,
    limits: Limits = NORMAL,
    masked: bool = False,
) -> Views:
    """Open the views of a home for reading, from a second process or a notebook.

    Args:
        home: the home folder.
        region: one region; None for all.
        months: `2026-01..2026-04`, `2026-04`, or empty for all.
        commit: number of the commit to look at; None for now.
        limits: what a question may cost.
        masked: mask personal columns in what is returned.

    Raises:
        StoreError: there is no such home.
        QueryError: the months are not written so.
    """
    folder = Path(home)
    if not folder.is_dir():
        raise StoreError(f"没有结果目录 {folder}。请核对 --home。")
    return Views(open_store(folder), Span(region, *months_between(months)), commit, limits, masked)


def months_between(text: str) -> tuple[str, str]:
    """Return first and last month (yyyyMM) of `2026-01..2026-04`, `2026-04` or `2026-01..`; empty for none.

    Raises:
        QueryError: it is not written so, or ends before it begins.
    """
    first, dots, last = text.strip().partition("..")
    found = [_month(part) if part else "" for part in (first, last if dots else first)]
    if all(found) and found[0] > found[1]:
        raise QueryError(f"年月范围 {text} 的起始晚于终止。")
    return found[0], found[1]


def _month(text: str) -> str:
    if not re.fullmatch(r"\d{4}-\d{2}", text):
        raise QueryError(f"年月应写成 2026-01..2026-04 或 2026-04,收到 {text!r}。")
    try:
        return f"{dt.date(int(text[:4]), int(text[5:]), 1):%Y%m}"
    except ValueError:
        raise QueryError(f"没有 {text} 这个月份。") from None
