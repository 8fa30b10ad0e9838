"""Import of the national knowledge lists: a folder of workbooks in, `kb_*.csv` and a list of faults out.

Every row of a code sheet is either used or listed in `unusable.csv` with its place and the reason; rows
used with a doubt are listed too. Nothing is guessed and bad data never stops the import.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from settlement.errors import InvariantBroken, ReferenceError
from settlement.knowledge import layouts as known
from settlement.knowledge.layouts import Layout, Layouts
from settlement.knowledge.tables import KNOWLEDGE, Knowledge, common_checks
from settlement.knowledge.workbooks import DOUBTED, ISSUE, UNUSED, Check, Workbook, failures, issue, read

FAULTS = "unusable.csv"


@dataclass(frozen=True)
class WorkbookCount:
    """What became of one workbook.

    Attributes:
        file: file name.
        source: batch and publication date.
        table: knowledge table it feeds.
        rows: rows of its code sheet that hold text; always used + unusable.
        used: rows written to the table.
        doubtful: used rows that are also listed with a doubt.
        unusable: rows not written, each listed with a reason.
        blank: rows without any text, on all its sheets.
    """

    file: str
    source: str
    table: str
    rows: int
    used: int
    doubtful: int
    unusable: int
    blank: int


@dataclass(frozen=True)
class ImportReport:
    """What one import did.

    Attributes:
        workbooks: one count per workbook read, in order of publication.
        tables: rows written per table; a table without rows is not written.
        missing: published lists that are not in the folder.
        unknown: workbooks in the folder that are no known list.
        listed: rows of `unusable.csv`.
    """

    workbooks: tuple[WorkbookCount, ...]
    tables: dict[str, int]
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    listed: int

    @property
    def rows(self) -> int:
        """Rows of all code sheets."""
        return sum(book.rows for book in self.workbooks)

    @property
    def used(self) -> int:
        """Rows written to the tables."""
        return sum(book.used for book in self.workbooks)

    @property
    def unusable(self) -> int:
        """Rows of code sheets not written."""
        return sum(book.unusable for book in self.workbooks)


def import_nhsa(folder: Path, out: Path) -> ImportReport:
    """Read the published workbooks of `folder` and write the knowledge tables to `out`.

    Args:
        folder: holds the workbooks under the names they were published with.
        out: gets `kb_*.csv` in the columns of `schemas.reference`, and `unusable.csv`.

    Raises:
        ReferenceError: the folder does not exist.
    """
    if not folder.is_dir():
        raise ReferenceError(f"知识库文件夹不存在:{folder}")
    layouts = known.load()
    paths = sorted(p for p in folder.glob("*.xlsx") if not p.name.startswith("~$"))
    found = [(layout, p) for layout in layouts.lists for p in paths if layouts.find(p) == layout]
    unknown = tuple(p.name for p in paths if layouts.find(p) is None)
    missing = tuple(la.file_name for la in layouts.lists if la not in [each for each, _ in found])
    books = [(layout, path.name, read(path, layout, layouts)) for layout, path in found]

    tables: dict[str, pl.DataFrame] = {}
    issues = [pl.DataFrame(schema=ISSUE)]
    issues += [issue(name, "不是已知的知识库工作簿,未读取") for name in unknown]
    issues += [issue(name, "缺少该工作簿") for name in missing]
    for name, knowledge in KNOWLEDGE.items():
        own = [(layout, book) for layout, _, book in books if layout.table == name]
        tables[name], listed = _table(knowledge, own)
        issues.append(listed)
    faults = _with_headers(pl.concat(issues), {name: book for _, name, book in books}, layouts)
    counts = tuple(_count(la, name, book, tables[la.table], faults) for la, name, book in books)
    _check(counts)

    out.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        if rows.height:
            _written(KNOWLEDGE[name], rows).write_csv(out / f"{name}.csv")
    faults.write_csv(out / FAULTS)
    heights = {name: rows.height for name, rows in tables.items() if rows.height}
    return ImportReport(counts, heights, missing, unknown, faults.height)


def _table(knowledge: Knowledge, books: list[tuple[Layout, Workbook]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the usable rows of one table, still with their place, and the issues of its workbooks."""
    good, issues = [pl.DataFrame()], [pl.DataFrame(schema=ISSUE)]
    for layout, book in books:
        rows = book.rows.with_columns(**knowledge.columns)
        checks = (*common_checks(layout.part, layout.limit), *knowledge.checks)
        bad = pl.any_horizontal(check.fails.fill_null(value=False) for check in checks)
        good.append(rows.filter(~bad))
        issues += [book.issues, failures(rows, checks, UNUSED)]
    rows = pl.concat(good, how="diagonal")
    if rows.is_empty():
        return rows, pl.concat(issues)
    rows, repeats = _without_repeats(knowledge, rows)
    return rows, pl.concat([*issues, repeats, failures(rows, knowledge.doubts, DOUBTED)])


def _without_repeats(knowledge: Knowledge, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Keep the first of equal facts; keep none of facts that contradict each other."""
    key = pl.struct(expr for expr in knowledge.output() if expr.meta.output_name() in knowledge.key)
    said = pl.struct(*knowledge.columns, "part").n_unique().over("fact")
    first = pl.format("{} 第 {} 行", pl.col("file").first(), pl.col("row_no").first()).over("fact")
    marked = rows.with_columns(fact=key).with_columns(
        contradicts=said > 1, repeats=~pl.col("fact").is_first_distinct(), first=first
    )
    checks = (
        Check("code", pl.col("contradicts"), "同一编码的限定值互相矛盾,均未采用"),
        Check(
            "code",
            pl.col("repeats") & ~pl.col("contradicts"),
            pl.format("重复:已采用 {}", "first"),
        ),
    )
    kept = marked.filter(~pl.col("contradicts"), ~pl.col("repeats")).select(rows.columns)
    return kept, failures(marked, checks, UNUSED)


def _with_headers(issues: pl.DataFrame, books: dict[str, Workbook], layouts: Layouts) -> pl.DataFrame:
    """Name each column as its sheet does, else as another sheet of the file does, and sort by place."""
    usual = {role: header for header, role in reversed(layouts.role_of.items())}
    in_file = {(file, role): text for file, b in books.items() for (_, role), text in b.headers.items()}
    in_sheet = {(file, *at): text for file, book in books.items() for at, text in book.headers.items()}
    places = issues.select("file", "sheet", "column").unique().drop_nulls()
    named = places.with_columns(
        header=pl.Series(
            [
                in_sheet.get(place) or in_file.get((place[0], place[2])) or usual[place[2]]
                for place in places.iter_rows()
            ],
            dtype=pl.String,
        )
    )
    return (
        issues.join(named, on=["file", "sheet", "column"], how="left")
        .with_columns(column=pl.col("header"))
        .select(list(ISSUE))
        .unique()
        .sort(list(ISSUE))
    )


def _count(
    layout: Layout, file: str, book: Workbook, rows: pl.DataFrame, faults: pl.DataFrame
) -> WorkbookCount:
    place = ["file", "sheet", "row_no"]
    own = book.rows.select(place).join(
        faults.filter(pl.col("file") == file).select(*place, "outcome").unique(), on=place
    )
    used = rows.filter(pl.col("file") == file).height if rows.height else 0
    outcomes = own["outcome"]
    return WorkbookCount(
        file=file,
        source=layout.source,
        table=layout.table,
        rows=book.rows.height,
        used=used,
        doubtful=int((outcomes == DOUBTED).sum()),
        unusable=int((outcomes == UNUSED).sum()),
        blank=book.blank,
    )


def _check(counts: tuple[WorkbookCount, ...]) -> None:
    for count in counts:
        if count.rows != count.used + count.unusable:
            raise InvariantBroken(
                f"{count.file} 共 {count.rows} 行,采用 {count.used} 行,"
                f"列明未采用 {count.unusable} 行,两者之和不等于总行数。"
            )


def _written(knowledge: Knowledge, rows: pl.DataFrame) -> pl.DataFrame:
    """Return a table in the columns and types of its model, sorted by its key."""
    frame = rows.select(knowledge.output()).sort(*knowledge.key, "begndate")
    return knowledge.model.validate(frame, lazy=True)
