"""Labels of national fields, and which of them name a person, as the table models declare them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from schemas import reference, results, submission
from schemas.layout import Column as Field
from schemas.layout import Table, table
from settlement.labels import EN, label
from settlement.reports.tables import Column

# A column to print: name, kind of cell, width; a label's key where it is no national field.
Shape = tuple[str, str, float, str]


@cache
def _tables() -> dict[str, Table]:
    models = (*submission.SUBMISSION, *results.RESULTS, reference.Institution, reference.Person)
    return {found.name: found for found in map(table, models)}


@cache
def _fields() -> dict[str, Field]:
    found: dict[str, Field] = {}
    for one in _tables().values():
        for column in one.columns:
            found.setdefault(column.name, column)
    return found


def field_label(name: str, lang: str, owner: str = "") -> str:
    """Return a field's label, as the table `owner` calls it when given; the name when unknown."""
    tables = _tables()
    here = {c.name: c for c in tables[owner].columns} if owner in tables else {}
    column = here.get(name) or _fields().get(name)
    if column is None:
        return name
    return column.en if lang == EN else column.zh


def has_field(owner: str, name: str) -> bool:
    """Return whether a table declares a field of this name."""
    tables = _tables()
    return owner in tables and name in tables[owner].schema


def columns(shapes: Iterable[Shape], lang: str) -> tuple[Column, ...]:
    """Return the columns of a printed table with their headers."""
    return tuple(
        Column(name, label(own, lang) if own else field_label(name, lang), kind, width)
        for name, kind, width, own in shapes
    )


def table_label(name: str, lang: str) -> str:
    """Return a table's label, or its name when unknown."""
    found = _tables().get(name)
    if found is None:
        return name
    return found.en if lang == EN else found.zh


@cache
def personal_fields() -> frozenset[str]:
    """Return the names of the fields that name or identify a person."""
    return frozenset(column.name for one in _tables().values() for column in one.columns if column.personal)
