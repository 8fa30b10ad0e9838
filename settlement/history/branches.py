"""SQL of the views over files: one branch per region and month, its region and month as constants.

DuckDB leaves out a branch whose constants cannot meet the question's condition, so a question about one
month opens that month's files only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from schemas.layout import table
from schemas.submission import SetlD
from settlement.history import declared
from settlement.history.declared import Field, View
from settlement.store.asking import Intake, MonthFiles

# Two small tables that the views over files look into.
OWNERS, RULES = "owner_of_source", "rule_name_of_rule"
OWNER_SCHEMA = {"intake": pl.String, "src": pl.String, "owner": pl.String}
IDS = ("setl_id", "init_setl_id")
# As intake told them apart (`X@H13100000001`), back to the id that stands in the fee lines.
SENT_ID = (
    "CASE WHEN ends_with(s.setl_id, '@' || s.fixmedins_code) "
    "THEN left(s.setl_id, length(s.setl_id) - length(s.fixmedins_code) - 1) ELSE s.setl_id END"
)


def settlement_view(months: Sequence[MonthFiles]) -> str:
    """Return the SELECT of `v_settlement`."""
    names = ", ".join(table(SetlD).schema)
    branches = [(m, f"SELECT {names} FROM ({rows})") for m in months if (rows := _settlements(m))]
    return _union(declared.SETTLEMENT, branches)


def fee_view(months: Sequence[MonthFiles]) -> str:
    """Return the SELECT of `v_fee`; it looks into `OWNERS`."""
    branches = [(m, rows) for m in months if (rows := _fees(m))]
    return _union(declared.FEE, branches)


def finding_view(months: Sequence[MonthFiles]) -> str:
    """Return the SELECT of `v_finding`; it looks into `RULES`."""
    fields = [f for f in declared.FINDING.fields[len(declared.OF_MONTH) :] if f.name != "rule_name"]
    named = f"LEFT JOIN {RULES} AS r USING (rule_id)"
    branches = [
        (m, f"SELECT f.*, r.rule_name FROM ({_read([m.findings], fields)}) AS f {named}")
        for m in months
        if m.findings
    ]
    return _union(declared.FINDING, branches)


def payment_view(months: Sequence[MonthFiles]) -> str:
    """Return the SELECT of `v_payment`."""
    fields = declared.PAYMENT.fields[len(declared.OF_MONTH) :]
    return _union(declared.PAYMENT, [(m, _read([m.payment], fields)) for m in months if m.payment])


def owners(months: Sequence[MonthFiles]) -> pl.DataFrame:
    """Return whose each source of fee lines is: intake, src, owner."""
    rows = [(i.name, src, code) for m in months for i in m.intakes for src, code in i.owners.items()]
    return pl.DataFrame(rows, schema=OWNER_SCHEMA, orient="row")


def files(months: Sequence[MonthFiles], view: View) -> list[Path]:
    """Return the files that a view may read."""
    found: list[Path | None] = []
    for month in months:
        if view in (declared.SETTLEMENT, declared.FEE):
            came = [path for intake in month.intakes for path in intake.accepted]
            found += [month.settlements] if month.settlements else came
        if view is declared.FEE:
            found += [path for intake in month.intakes for path in intake.lines]
        found += [month.findings] if view is declared.FINDING else []
        found += [month.payment] if view is declared.PAYMENT else []
    return [path for path in found if path]


def _settlements(month: MonthFiles) -> str:
    """Accepted settlements of a month; an id that two institutions use gets its owner added."""
    fields = declared.SETTLEMENT.fields[len(declared.OF_MONTH) :]
    if month.settlements:
        return _read([month.settlements], fields)
    parts = [
        f"{_read(i.accepted, fields)} WHERE sub IN ({', '.join(map(str, i.subs))})"
        for i in month.intakes
        if i.accepted
    ]
    if not parts:
        return ""
    raw = " UNION ALL ".join(parts)
    shared = f"SELECT setl_id FROM ({raw}) GROUP BY setl_id HAVING min(fixmedins_code) <> max(fixmedins_code)"
    apart = ", ".join(
        f"CASE WHEN {name} IN ({shared}) THEN {name} || '@' || fixmedins_code ELSE {name} END AS {name}"
        for name in IDS
    )
    return f"SELECT * REPLACE ({apart}) FROM ({raw})"


def _fees(month: MonthFiles) -> str:
    """Lines of a month's accepted settlements, each found through the source it came in."""
    settlements = _settlements(month)
    if not settlements or not any(i.lines for i in month.intakes):
        return ""
    fields = declared.FEE.fields[len(declared.OF_MONTH) : -2]
    lines = " UNION ALL ".join(_lines(i, fields) for i in month.intakes if i.lines)
    names = ", ".join("s.setl_id" if f.name == "setl_id" else f"l.{f.name}" for f in fields)
    return (
        f"SELECT {names}, s.fixmedins_code, s.psn_no FROM ({lines}) AS l "
        f"JOIN ({settlements}) AS s ON l.owner = s.fixmedins_code AND l.setl_id = {SENT_ID}"
    )


def _lines(intake: Intake, fields: Iterable[Field]) -> str:
    owned = f"(SELECT src, owner FROM {OWNERS} WHERE intake = {quoted(intake.name)})"
    lines = _read(intake.lines, (*fields, Field("src", "", "", pl.String)))
    return f"SELECT * EXCLUDE (src) FROM ({lines}) JOIN {owned} AS o USING (src)"


def _union(view: View, branches: Iterable[tuple[MonthFiles, str]]) -> str:
    """One branch a month, or no rows with the view's columns."""
    names = ", ".join(f.name for f in view.fields[len(declared.OF_MONTH) :])
    parts = [
        f"SELECT {quoted(m.region)} AS region, {quoted(m.clr_ym)} AS clr_ym, {names} FROM ({rows})"
        for m, rows in branches
    ]
    nothing = ", ".join(f"NULL::{f.sql_type} AS {f.name}" for f in view.fields)
    return "\nUNION ALL ".join(parts) or f"SELECT {nothing} WHERE false"


def _read(paths: Sequence[Path | None], fields: Iterable[Field]) -> str:
    """Read files with the columns of now; one that an earlier program did not write yet is empty."""
    there = [path for path in paths if path]
    held = set().union(*(pl.read_parquet_schema(path) for path in there))
    names = ", ".join(f.name if f.name in held else f"NULL::{f.sql_type} AS {f.name}" for f in fields)
    named = ", ".join(quoted(str(path)) for path in there)
    return f"SELECT {names} FROM read_parquet([{named}], union_by_name={str(len(there) > 1).lower()})"


def quoted(text: str) -> str:
    """Return a text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"
