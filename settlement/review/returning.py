"""Reading a filled-in worklist: every cell as text with its place, nothing judged yet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl
from xlsxwriter.utility import xl_rowcol_to_cell

from settlement.labels import label
from settlement.reports.fields import Shape, columns
from settlement.reports.tables import Column
from settlement.review.worklist_book import (
    ANSWERS,
    FACTS,
    HEADER_ROW,
    PLAIN,
    REQUIRED,
    SAMPLE,
    SAMPLE_ANSWERS,
    SAMPLE_FACTS,
)
from settlement.untrusted import workbooks
from settlement.untrusted.archives import DAMAGED

SHAPES: dict[str, tuple[Shape, ...]] = {
    REQUIRED: (*FACTS, *ANSWERS),
    PLAIN: (*FACTS, *ANSWERS),
    SAMPLE: (*SAMPLE_FACTS, *SAMPLE_ANSWERS),
}
PLACE = {"sheet": pl.String, "row": pl.Int64}
REFUSED = pl.Schema(
    dict.fromkeys(("sheet", "cell", "key", "code", "value", "message", "action"), pl.String())
)
_LANGUAGES = ("zh", "en")


class Filled(NamedTuple):
    """What a worklist says where its yellow cells are filled in; all cells as text.

    Attributes:
        decisions: sheet, row (1 = first row of the sheet), then the columns of the sheets 待定 and 无异议.
        checks: the same of the sheet 抽查.
        problems: faults of the file itself, in the shape of `checking.check_decisions`' refused rows.
        lang: language the workbook was written in.
    """

    decisions: pl.DataFrame
    checks: pl.DataFrame
    problems: pl.DataFrame
    lang: str


def read_worklist(path: Path) -> Filled:
    """Read the rows of a worklist in which something was filled in.

    A file that is no worklist, or whose header was changed, gives problems (D10, D07) and no rows of
    that sheet; it raises nothing.
    """
    decisions, checks = (_empty(SHAPES[key]) for key in (REQUIRED, SAMPLE))
    problems, langs = [REFUSED.to_frame()], set()
    for name, raw in _texts(path).items():
        known = [(key, lang) for key in SHAPES for lang in _LANGUAGES if label(key, lang) == name]
        if not known:
            continue
        key, lang = known[0]
        changed = _header_faults(name, raw, columns(SHAPES[key], lang), lang)
        langs.add(lang)
        if not changed.is_empty():
            problems.append(changed)
        elif key == SAMPLE:
            checks = _rows(name, raw, SHAPES[key], len(SAMPLE_FACTS))
        else:
            decisions = decisions.vstack(_rows(name, raw, SHAPES[key], len(FACTS)))
    if not langs:
        problems.append(_problem("", "", "D10", path.name, "zh"))
    return Filled(decisions, checks, pl.concat(problems), "en" if langs == {"en"} else "zh")


def _texts(path: Path) -> dict[str, pl.DataFrame]:
    """Return the cells of every sheet as text, or nothing when the file is no readable workbook."""
    try:
        if workbooks.refused(path):
            return {}
        return {name: cells for name, cells in workbooks.frames(path) if not cells.is_empty()}
    except (workbooks.Unreadable, OSError, *DAMAGED):
        return {}


def _header_faults(sheet: str, raw: pl.DataFrame, wanted: tuple[Column, ...], lang: str) -> pl.DataFrame:
    """Return one problem per header cell that is not as it was written."""
    row = raw.row(HEADER_ROW) if raw.height > HEADER_ROW else ()
    cells = [*row, *[None] * len(wanted)]
    wrong = [
        _problem(sheet, xl_rowcol_to_cell(HEADER_ROW, i), "D07", cells[i] or "", lang, column.header)
        for i, column in enumerate(wanted)
        if (cells[i] or "").strip() != column.header
    ]
    return pl.concat([REFUSED.to_frame(), *wrong])


def _rows(sheet: str, raw: pl.DataFrame, shapes: Sequence[Shape], inputs_from: int) -> pl.DataFrame:
    """Return the rows below the header in which something was filled in."""
    keys = [shape[0] for shape in shapes]
    short = [pl.lit(None, dtype=pl.String).alias(f"added_{i}") for i in range(len(keys) - raw.width)]
    below = raw.with_columns(short).slice(HEADER_ROW + 1)
    cells = [
        pl.col(name).fill_null("").str.replace_all("\r\n", "\n").str.strip_chars().alias(key)
        for name, key in zip(below.columns, keys, strict=False)
    ]
    return (
        below.select(
            pl.lit(sheet).alias("sheet"), pl.int_range(pl.len(), dtype=pl.Int64).alias("row"), *cells
        )
        .with_columns(pl.col("row") + HEADER_ROW + 2)
        .filter(pl.any_horizontal(pl.col(key) != "" for key in keys[inputs_from:]))
    )


def _empty(shapes: Sequence[Shape]) -> pl.DataFrame:
    return pl.DataFrame(schema={**PLACE, **dict.fromkeys((shape[0] for shape in shapes), pl.String)})


def _problem(sheet: str, cell: str, code: str, value: str, lang: str, expected: str = "") -> pl.DataFrame:
    message = label(f"review.{code}", lang).format(expected=expected)
    row = (sheet, cell, "", code, value, message, label(f"review.{code}.do", lang))
    return pl.DataFrame([row], schema=REFUSED, orient="row")
