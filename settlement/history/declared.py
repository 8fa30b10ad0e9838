"""The views that history is asked through, declared once: SQL, the page and the masking start from here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from schemas.layout import Column, table
from schemas.results import Finding, Payment
from schemas.submission import FeeListD, SetlD
from settlement.labels import label
from settlement.query import sql_type

MONEY = pl.Decimal(16, 2)
YUAN = "元"


@dataclass(frozen=True)
class Field:
    """A column of a view.

    Attributes:
        name: column name; that of the national field where there is one.
        zh: Chinese label.
        en: English label.
        dtype: polars type.
        unit: unit of a number, form of a month; may be empty.
        personal: the value names or identifies a person.
    """

    name: str
    zh: str
    en: str
    dtype: Any
    unit: str = ""
    personal: bool = False

    @property
    def sql_type(self) -> str:
        """DuckDB's name of the type."""
        return sql_type(self.dtype)


@dataclass(frozen=True)
class View:
    """A view: its name and columns; what it holds stands in the catalogue under `view.<name>`."""

    name: str
    fields: tuple[Field, ...]

    @property
    def schema(self) -> dict[str, Any]:
        """Column names with their polars types, in order."""
        return {field.name: field.dtype for field in self.fields}


def _of_schema(model: type, *names: str) -> tuple[Field, ...]:
    """Fields of a declared table, all or some."""
    every = table(model).columns
    return tuple(_field(column) for column in every if not names or column.name in names)


def _field(column: Column) -> Field:
    unit = YUAN if column.dtype == MONEY else ""
    return Field(column.name, column.zh, column.en, column.dtype, unit, column.personal)


def _own(name: str, dtype: Any = pl.String, key: str = "", unit: str = "") -> Field:  # noqa: ANN401
    """A field that stands in no schema; its label is in the catalogue."""
    key = key or f"ask.{name}"
    return Field(name, label(key, "zh"), label(key, "en"), dtype, unit or (YUAN if dtype == MONEY else ""))


OF_MONTH = (_own("region", key="col.region"), _own("clr_ym", key="col.clr_ym", unit="yyyyMM"))
WHOSE = (*OF_MONTH, _own("fixmedins_code"))
DONE = (_own("day", pl.Date), _own("actor"))

SETTLEMENT = View("v_settlement", (*OF_MONTH, *_of_schema(SetlD)))
FEE = View(
    "v_fee",
    (*OF_MONTH, *_of_schema(FeeListD), *_of_schema(SetlD, "fixmedins_code"), *_of_schema(SetlD, "psn_no")),
)
FINDING = View("v_finding", (*OF_MONTH, *_of_schema(Finding), _own("rule_name", key="col.rule_name")))
DECISION = View(
    "v_decision",
    (
        *WHOSE, _own("finding_id"), _own("kind"), _own("turn", pl.Int64), _own("outcome"),
        _own("amount", MONEY), _own("reason"), _own("attachments"), *DONE,
    ),
)  # fmt: skip
PAYMENT = View("v_payment", (*OF_MONTH, *_of_schema(Payment)))
LEDGER = View(
    "v_ledger",
    (
        *WHOSE, _own("fund_pay_type"), _own("book", key="col.book"), _own("seq", pl.Int64),
        _own("kind", key="col.kind"), _own("source"),
        *(_own(f"{n}_amt", MONEY, f"col.{n}") for n in ("opening", "plus", "minus", "closing")),
        _own("note", key="col.note"), *DONE,
    ),
)  # fmt: skip
LOG = View(
    "v_log",
    (
        *OF_MONTH, _own("seq", pl.Int64), _own("day", pl.Date), _own("at"), _own("actor"), _own("action"),
        _own("subject"), _own("before"), _own("after"), _own("reason"), _own("hash"),
    ),
)  # fmt: skip

VIEWS = {view.name: view for view in (SETTLEMENT, FEE, FINDING, DECISION, PAYMENT, LEDGER, LOG)}
PERSONAL = tuple(sorted({f.name for view in VIEWS.values() for f in view.fields if f.personal}))
