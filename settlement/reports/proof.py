"""14_运行证明: what the month was computed from and with, and which checks it passed."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import polars as pl

from settlement.labels import LABELS, label
from settlement.reports.dossier import Context, Row
from settlement.reports.facts import MonthFacts
from settlement.reports.fields import field_label
from settlement.reports.frames import cells
from settlement.reports.tables import Book, Column, Grid, excel_day
from settlement.reports.vocabulary import code_label

FILE = "14_运行证明.xlsx"
# How the head of the log's chain is written: number and hash of an entry. A copy kept elsewhere proves it.
HEAD = "{}:{}"
# Shown on sheets of their own.
_APART = ("stages", "checks", "parameters", "institutions")
# Many digests, each listed on a sheet of its own: one digest over all of them in front.
_SUMMED = ("rules", "inputs")
_FIRST = {key: at for at, key in enumerate(("fingerprint", "region", "month", "stage", "decided"))}


def write_proof(facts: MonthFacts, month: Context) -> Path:
    """Write the proof of a month's run."""
    book = Book(month.folder / FILE, month.say("doc.proof"), month.month)
    _overview(book, facts, month)
    _stages(book, facts.run.get("stages"), month)
    _checks(book, facts.run.get("checks"), month)
    _parameters(book, facts.run.get("parameters"), month)
    _submissions(book, facts, month)
    _rule_versions(book, facts, month)
    return book.close()


def named(entries: Any) -> list[tuple[str, Any]]:  # noqa: ANN401 - a part of run.json
    """Return a part of the run record as names with contents, given as an object or as a list."""
    if isinstance(entries, Mapping):
        return [(str(name), content) for name, content in entries.items()]
    found: list[tuple[str, Any]] = []
    for entry in entries or ():
        if isinstance(entry, Mapping):
            keys = ("name", "stage", "check", "parameter", "id")
            found.append((str(next((entry[k] for k in keys if k in entry), "")), entry))
        else:
            found.append((str(entry), True))
    return found


def digest(entries: Mapping[str, Any]) -> str:
    """Return the sha256 of lines `name digest`, sorted by name: one version for many parts."""
    lines = "".join(f"{name} {entries[name]}\n" for name in sorted(entries))
    return hashlib.sha256(lines.encode()).hexdigest()


def _word(key: str, lang: str) -> str:
    return label(f"run.{key}", lang) if f"run.{key}" in LABELS else field_label(key, lang)


def _text(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, (list, tuple)):
        return "\n".join(_text(one) for one in value)
    if isinstance(value, Mapping):
        return "\n".join(f"{key}: {_text(one)}" for key, one in value.items())
    return "" if value is None else str(value)


def _sheet(
    book: Book, key: str, columns: Sequence[tuple[str, str, str, float]], rows: Iterable[Row], month: Context
) -> Grid:
    """Write one sheet; a column is its key, header, kind and width."""
    sheet = book.sheet(month.say(key), lang=month.lang)
    grid = Grid(book, sheet, [Column(*column) for column in columns])
    title = f"{month.say('doc.proof')} · {month.say(key)}"
    grid.heading(title, f"{month.region} · {month.month_text}")
    grid.header()
    grid.body(rows)
    grid.finish()
    return grid


def _overview(book: Book, facts: MonthFacts, month: Context) -> None:
    rows: list[Row] = []
    order = sorted(facts.run, key=lambda key: (key not in _FIRST, _FIRST.get(key, 0)))
    for key in order:
        value, word = facts.run[key], _word(key, month.lang)
        if key in _SUMMED and isinstance(value, Mapping):
            value = f"{digest(value)} ({len(value)})"
        elif key in _APART and not isinstance(value, str):
            continue
        elif key == "stage":
            value = _word(_text(value), month.lang)
        if isinstance(value, Mapping):
            inner = ((f"{word} · {_word(str(k), month.lang)}", v) for k, v in value.items())
            rows.extend((name, _said(one, month)) for name, one in inner)
        else:
            rows.append((word, _said(value, month)))
        if key == "fingerprint" and facts.log_head[0]:
            rows.append((_word("log_head", month.lang), HEAD.format(*facts.log_head)))
    columns = (
        ("item", month.say("col.item"), "wrap", 40.0),
        ("content", month.say("col.content"), "wrap", 90.0),
    )
    _sheet(book, "sheet.proof", columns, rows, month)


def _said(value: Any, month: Context) -> str:  # noqa: ANN401
    if isinstance(value, bool):
        return month.say("msg.yes" if value else "msg.no")
    return _text(value)


def _stages(book: Book, stages: Any, month: Context) -> None:  # noqa: ANN401
    """Write the flow stage by stage; each stage counts what it has, so a figure is a row."""
    rows: list[Row] = []
    for stage, content in named(stages):
        for key, value in content.items() if isinstance(content, Mapping) else ():
            if key in ("name", "stage"):
                continue
            money = _money(value)
            count = value if isinstance(value, int) and not isinstance(value, bool) else None
            word = _word(key, month.lang)
            rows.append((_word(stage, month.lang), word, count, money))
    columns = (
        ("stage", month.say("col.stage"), "text", 20.0),
        ("item", month.say("col.item"), "wrap", 40.0),
        ("rows", month.say("run.rows"), "count", 18.0),
        ("money", month.say("run.money"), "money", 24.0),
    )
    _sheet(book, "sheet.stages", columns, rows, month)


def _money(value: Any) -> Decimal | None:  # noqa: ANN401
    """An amount of the run record: text there, so that it stays exact."""
    if not isinstance(value, str):
        return None
    try:
        return Decimal(value)
    except InvalidOperation:
        return None


def _checks(book: Book, checks: Any, month: Context) -> None:  # noqa: ANN401
    passed, failed = month.say("msg.passed"), month.say("msg.failed")
    rows: list[Row] = []
    for name, content in named(checks):
        about = content if isinstance(content, Mapping) else {"ok": content}
        good = bool(about.get("ok", about.get("passed", True)))
        sides = (_text(about.get("left")), _text(about.get("right")))
        rows.append((name, passed if good else failed, *sides))
    columns = (
        ("check", month.say("col.check"), "wrap", 62.0),
        ("result", month.say("col.result"), "centre", 12.0),
        ("left", month.say("col.left"), "right", 22.0),
        ("right", month.say("col.right"), "right", 22.0),
    )
    grid = _sheet(book, "sheet.checks", columns, rows, month)
    for at, row in enumerate(rows, start=grid.row - len(rows)):
        if row[1] == failed:
            grid.sheet.write_string(at, 1, failed, book.format("alarm"))


def _parameters(book: Book, parameters: Any, month: Context) -> None:  # noqa: ANN401
    keys = ("label", "unit", "value", "from", "source", "article", "assumed")
    rows: list[Row] = []
    for name, content in [] if isinstance(parameters, str) else named(parameters):
        about = content if isinstance(content, Mapping) else {"value": content}
        values = [about.get(key) for key in keys]
        values[1] = code_label("unit", _text(values[1]), month.lang)
        values[3] = _day(about.get("from", about.get("start")))
        values[-1] = month.say("msg.assumed") if about.get("assumed") else ""
        rows.append((name, *(v if i == 3 else _text(v) for i, v in enumerate(values))))
    columns = [("parameter", month.say("col.parameter"), "text", 24.0)]
    shapes = {"label": 34.0, "value": 14.0, "from": 13.0, "source": 18.0, "article": 36.0}
    kinds = {"from": "date", "assumed": "alarm"}
    columns += [(key, month.say(f"col.{key}"), kinds.get(key, "wrap"), shapes.get(key, 12.0)) for key in keys]
    _sheet(book, "sheet.parameters", columns, rows, month)


def _day(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, dt.date):
        return excel_day(value)
    return _text(value) or None


def _submissions(book: Book, facts: MonthFacts, month: Context) -> None:
    lang = month.lang
    shown = facts.submissions.sort("fixmedins_code", "submission").select(
        "fixmedins_code",
        "fixmedins_name",
        "submission",
        pl.col("status").replace(
            {v: code_label("submission_status", v, lang) for v in ("ACCEPTED", "RETURNED")}
        ),
        "received_on",
        "digest",
    )
    columns = (
        ("code", month.say("col.code"), "text", 16.0),
        ("name", month.say("col.name"), "wrap", 30.0),
        ("submission", month.say("col.submission"), "text", 26.0),
        ("status", month.say("col.status"), "centre", 12.0),
        ("received", month.say("col.received"), "date", 13.0),
        ("digest", month.say("col.digest"), "text", 68.0),
    )
    _sheet(book, "sheet.inputs", columns, cells(shown).rows(), month)


def _rule_versions(book: Book, facts: MonthFacts, month: Context) -> None:
    name = "name_en" if month.lang == "en" else "name"
    yes, no = month.say("msg.yes"), month.say("msg.no")
    shown = facts.rules.sort("rule_id").select(
        "rule_id", name, pl.when("ran").then(pl.lit(yes)).otherwise(pl.lit(no)).alias("ran"), "digest"
    )
    columns = (
        ("rule", month.say("col.rule"), "centre", 10.0),
        ("rule_name", month.say("col.rule_name"), "wrap", 36.0),
        ("ran", month.say("col.ran"), "centre", 10.0),
        ("digest", month.say("col.digest"), "text", 68.0),
    )
    _sheet(book, "sheet.digests", columns, shown.rows(), month)
