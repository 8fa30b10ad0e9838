"""One published workbook, read as it is: coded rows with their limit, and what could not be read.

Everything is read as text. A list stands on one sheet, or on two: names with their limit on one and
names with their codes on the other, which are then joined by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import fastexcel
import polars as pl

from settlement.knowledge.layouts import Layout, Layouts, plain

HEADER_ROWS = 20
UNUSED = "未采用"
DOUBTED = "存疑采用"
ISSUE = {
    "file": pl.String,
    "sheet": pl.String,
    "row_no": pl.Int64,
    "column": pl.String,
    "value": pl.String,
    "outcome": pl.String,
    "reason": pl.String,
}
NOTE = r"^(备注|注[:：]|合计|总计|说明[:：])"


@dataclass(frozen=True)
class Check:
    """One thing that can be wrong with a row.

    Attributes:
        role: role of the column it is about.
        fails: true where it is wrong; null counts as not wrong.
        reason: text or expression saying why, in Chinese.
    """

    role: str
    fails: pl.Expr
    reason: str | pl.Expr


@dataclass(frozen=True)
class Sheet:
    """One sheet below its header row.

    Attributes:
        name: sheet name.
        headers: header as written, by role.
        rows: file, sheet, row_no (as shown in Excel) and one text column per role.
        blank: rows without any text.
    """

    name: str
    headers: dict[str, str]
    rows: pl.DataFrame
    blank: int


@dataclass(frozen=True)
class Workbook:
    """What one workbook holds.

    Attributes:
        rows: rows of the sheet with codes, each with its limit and the place that says it.
        issues: rows and sheets that could not be read, with the columns of `ISSUE`.
        headers: header as written, by sheet and role.
        blank: rows without any text.
    """

    rows: pl.DataFrame
    issues: pl.DataFrame
    headers: dict[tuple[str, str], str]
    blank: int


def read(path: Path, layout: Layout, layouts: Layouts) -> Workbook:
    """Read one workbook; what it lacks becomes issues, never an exception."""
    try:
        book = fastexcel.read_excel(path)
        frames = [
            book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string").to_polars()
            for name in book.sheet_names
        ]
    except fastexcel.FastExcelError:
        return Workbook(_no_rows(layouts), issue(path.name, "无法打开,不是有效的 xlsx 工作簿"), {}, 0)
    issues, sheets = [], []
    for name, frame in zip(book.sheet_names, frames, strict=True):
        sheet = _sheet(path.name, name, frame, layouts)
        if isinstance(sheet, Sheet):
            sheets.append(sheet)
        elif sheet:
            issues.append(issue(path.name, sheet, sheet=name))
    coded = [sheet for sheet in sheets if "code" in sheet.headers]
    limits = [sheet for sheet in sheets if "code" not in sheet.headers]
    if not coded:
        issues.append(issue(path.name, "没有编码列,整个工作簿未采用"))
    rows, found = _with_limits(coded, limits, layout, layouts)
    return Workbook(
        rows=rows.with_columns(
            part=pl.lit(layout.part), source=pl.lit(layout.source), begndate=pl.lit(layout.published)
        ),
        issues=pl.concat([*issues, *found]) if issues or found else pl.DataFrame(schema=ISSUE),
        headers={(s.name, role): text for s in sheets for role, text in s.headers.items()},
        blank=sum(sheet.blank for sheet in sheets),
    )


def issue(file: str, reason: str, sheet: str = "") -> pl.DataFrame:
    """Return one issue about a whole file or sheet."""
    row = {"file": file, "sheet": sheet, "outcome": UNUSED, "reason": reason}
    return pl.DataFrame([row], schema=ISSUE)


def failures(rows: pl.DataFrame, checks: tuple[Check, ...], outcome: str) -> pl.DataFrame:
    """Return one issue per row and failed check, in the columns of `ISSUE`."""
    found = [
        rows.filter(check.fails).select(
            "file",
            "sheet",
            "row_no",
            column=pl.lit(check.role),
            value=pl.col(check.role),
            outcome=pl.lit(outcome),
            reason=pl.lit(check.reason) if isinstance(check.reason, str) else check.reason,
        )
        for check in checks
    ]
    return pl.concat([pl.DataFrame(schema=ISSUE), *found])


def is_note() -> pl.Expr:
    """True on a row that holds a remark or a total and no code."""
    first = pl.coalesce("serial", "name")
    return pl.col("code").is_null() & first.str.contains(NOTE).fill_null(value=False)


def note_checks() -> tuple[Check, ...]:
    """Return the checks that list remarks and totals, under the column they stand in."""
    reason, serial = "备注或合计行,不是知识点", pl.col("serial")
    return (
        Check("serial", is_note() & serial.is_not_null(), reason),
        Check("name", is_note() & serial.is_null(), reason),
    )


def wrong_limit(limit: str) -> Check:
    """Return the check that a row is of its workbook's kind; an empty kind checks nothing."""
    return Check("limit", (pl.col("limit") != limit) & bool(limit), f"限定类型与本工作簿的“{limit}”不符")


def _sheet(file: str, name: str, frame: pl.DataFrame, layouts: Layouts) -> Sheet | str:
    """Return the sheet, or why it is not one: empty text when it has no content at all."""
    frame = frame.select(pl.all().str.strip_chars().replace("", None))
    top = frame.head(HEADER_ROWS).rows()
    counts = [sum(plain(cell or "") in layouts.role_of for cell in row) for row in top]
    if not counts or max(counts) < 2:  # one known word may stand in a title above the table
        filled = frame.filter(~pl.all_horizontal(pl.all().is_null())).height if frame.width else 0
        return f"找不到表头,该工作表 {filled} 行未采用" if filled else ""
    at = counts.index(max(counts))
    headers: dict[str, str] = {}
    columns: dict[str, pl.Expr] = {}
    for column, cell in zip(frame.columns, top[at], strict=True):
        role = layouts.role_of.get(plain(cell or ""), "")
        if role in headers:
            return f"“{headers[role]}”与“{cell}”两列用途相同,无法判断以哪列为准,该工作表未采用"
        if role:
            headers[role], columns[role] = cell, pl.col(column)
    below = frame.with_row_index("row_no", offset=1).slice(at + 1)
    filled_rows = below.filter(~pl.all_horizontal(pl.exclude("row_no").is_null()))
    rows = filled_rows.select(
        file=pl.lit(file),
        sheet=pl.lit(name),
        row_no=pl.col("row_no").cast(pl.Int64),
        **{role: columns.get(role, pl.lit(None, pl.String)) for role in layouts.roles},
    )
    return Sheet(name, headers, rows, below.height - rows.height)


def _with_limits(
    coded: list[Sheet], limits: list[Sheet], layout: Layout, layouts: Layouts
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Return the coded rows with their limit, and the issues of the sheets that hold names only."""
    rows = pl.concat([_no_rows(layouts), *(_placed(sheet.rows) for sheet in coded)])
    if not limits or any("value" in sheet.headers for sheet in coded):
        return rows, []
    named = pl.concat(sheet.rows for sheet in limits).with_columns(key=_key())
    wrong = wrong_limit(layout.limit)
    named = named.with_columns(
        values=pl.col("value").n_unique().over("key"),
        coded=pl.col("key").is_in(rows.select(_key()).to_series().drop_nulls().implode()),
    )
    usable = named.filter(
        pl.col("key").is_not_null(),
        pl.col("value").is_not_null(),
        pl.col("values") == 1,
        ~wrong.fails.fill_null(value=False),
    )
    limit = usable.unique("key", keep="first", maintain_order=True).select(
        "key", "value", "text", place=pl.format("({} 第 {} 行)", "sheet", "row_no")
    )
    joined = (
        rows.drop("value", "text", "place")
        .with_columns(key=_key())
        .join(limit, on="key", how="left", maintain_order="left")
        .with_columns(pl.col("place").fill_null("(限定表中没有该名称可用的限定值)"))
        .select(rows.columns)
    )
    return joined, [failures(named, (*_name_checks(), wrong), UNUSED)]


def _name_checks() -> tuple[Check, ...]:
    """Return what can be wrong on a sheet that gives names their limit."""
    key, values, row = pl.col("key"), pl.col("values"), ~is_note()
    again = key.is_not_null() & ~key.is_first_distinct() & (values == 1)
    return (
        *note_checks(),
        Check("name", pl.col("name").is_null() & row, "限定表有限定值无名称"),
        Check("value", key.is_not_null() & pl.col("value").is_null() & row, "限定值为空"),
        Check("value", key.is_not_null() & (values > 1), "同一名称的限定值矛盾,该名称的编码均未采用"),
        Check("name", again, "名称重复,以首次出现的一行为准"),
        Check("name", ~pl.col("coded") & row, "有名称无编码"),
    )


def _placed(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(place=pl.lit(""))


def _no_rows(layouts: Layouts) -> pl.DataFrame:
    texts = {role: pl.String for role in (*layouts.roles, "place")}
    return pl.DataFrame(schema={"file": pl.String, "sheet": pl.String, "row_no": pl.Int64, **texts})


def _key() -> pl.Expr:
    """Name as used to match two sheets: brackets half-width, no white space."""
    name = pl.col("name").str.replace_all(r"\s", "")
    return name.str.replace_many(["（", "）"], ["(", ")"])
