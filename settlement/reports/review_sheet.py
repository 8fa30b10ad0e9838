"""06_复审意见表: what a reviewer decided on each finding of an institution, and what of it is booked."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import polars as pl

from settlement.labels import EN, label
from settlement.procedure import OUTCOMES, SILENT
from settlement.reports import pooled
from settlement.reports.dossier import Row
from settlement.reports.fields import Shape, columns
from settlement.reports.frames import by_code, cells, grouped, translated
from settlement.reports.persons import PERSON, without_persons
from settlement.reports.prepare import folder_name
from settlement.reports.tables import A3, Book, Grid
from settlement.reports.vocabulary import code_label

FILE = "06_复审意见表.xlsx"
OPEN = "待复审"
CODE = "fixmedins_code"
_OF_FINDING = (
    "finding_id", CODE, "setl_id", "bkkp_sn", "rule_id", "rule_name", "grade", "vola_cont", "limit_amt",
    *PERSON,
)  # fmt: skip
_TEXTS = ("vola_cont", "appeal", "reason")
_SUMMED = ("limit_amt", "agreed_amt", "final_amt", "booked_amt")
_ORDER = {word: place for place, word in enumerate((*OUTCOMES, OPEN))}
_COLUMNS: tuple[Shape, ...] = (
    ("finding_id", "text", 18, ""),
    ("setl_id", "text", 20, ""),
    ("bkkp_sn", "text", 8, ""),
    ("rule_id", "centre", 7, "col.rule"),
    ("rule_name", "wrap", 16, "col.rule_name"),
    ("grade", "centre", 7, "col.grade"),
    ("vola_cont", "wrap", 32, ""),
    ("limit_amt", "money", 15, "review.first_amt"),
    ("answer", "wrap", 12, "review.answer"),
    ("agreed_amt", "money", 12, "review.agreed_amt"),
    ("appeal", "wrap", 28, "review.appeal"),
    ("decision", "centre", 10, "review.decision"),
    ("final_amt", "money", 12, "review.final_amt"),
    ("booked_amt", "money", 12, "review.booked_amt"),
    ("reason", "wrap", 28, "review.reason"),
    ("actor", "wrap", 12, "review.actor"),
    ("day", "date", 12, "review.day"),
)


@dataclass(frozen=True)
class Heading:
    """What stands above the tables: region's Chinese name, month, institutions' names by code, language."""

    region: str
    month: dt.date
    names: dict[str, str] = field(default_factory=dict)
    lang: str = "zh"

    @property
    def month_text(self) -> str:
        """The claim month as people write it."""
        return label("msg.month", self.lang).format(year=self.month.year, month=self.month.month)


@dataclass(frozen=True)
class Opinion:
    """One institution's sheet: who decided, last on which day, totals by outcome, rows as shown."""

    code: str
    actors: str
    day: str
    totals: list[Row]
    rows: list[Row]


def review_rows(
    sent: pl.DataFrame, replies: pl.DataFrame, decisions: pl.DataFrame, booked: pl.DataFrame
) -> pl.DataFrame:
    """Put findings, answers, decisions and what was booked side by side.

    Args:
        sent: findings as sent, with limit_amt (元), rule_name, psn_name, psn_no.
        replies: finding_id, answer, agreed_amt (元), reason; one row per finding answered.
        decisions: finding_id, decision, final_amt (元), reason, actor, day (date); at most one per finding.
        booked: `findings` after review: finding_id, final_det_sumamt (元).

    Returns:
        One row per finding, the person's columns still unmasked; a finding without a decision is 待复审.
    """
    own = {*_OF_FINDING, "vola_cont_en"}
    answered = replies.select("finding_id", "answer", "agreed_amt", pl.col("reason").alias("appeal"))
    taken = decisions.select("finding_id", "decision", "final_amt", "reason", "actor", "day")
    return (
        sent.select(name for name in sent.columns if name in own)
        .join(answered, on="finding_id", how="left")
        .join(taken, on="finding_id", how="left")
        .join(booked.select("finding_id", booked_amt="final_det_sumamt"), on="finding_id", how="left")
        .with_columns(pl.col("answer").fill_null(SILENT), pl.col("decision").fill_null(OPEN))
    )


def write_reviews(rows: pl.DataFrame, heading: Heading, folder: Path, processes: int = 2) -> list[Path]:
    """Write the review of every institution that had findings.

    Args:
        rows: what `review_rows` returned.
        heading: region, month, names of institutions, language.
        folder: the month's; files go to `institutions/<fixmedins_code>/06_复审意见表.xlsx` in it.
        processes: worker processes, when there are many institutions.

    Returns:
        The files written, in order. Persons are masked, in sentences too; same rows, same bytes.
    """
    opinions = sorted(_opinions(rows, heading.lang), key=lambda one: (-len(one.rows), one.code))
    write = partial(write_opinions, heading=heading, folder=folder)
    with pooled.workers(write, len(opinions), processes) as pool:
        return sorted(pooled.collect(pooled.begin(pool, write, opinions), len(opinions)))


def write_opinions(opinions: list[Opinion], heading: Heading, folder: Path) -> list[Path]:
    """Write the sheets of several institutions; this is what a worker process runs."""
    return [_write(one, heading, folder / "institutions" / folder_name(one.code) / FILE) for one in opinions]


def _opinions(rows: pl.DataFrame, lang: str) -> list[Opinion]:
    shown = _shown(rows, lang)
    sums = rows.group_by(CODE, "decision").agg(pl.len().alias("count"), pl.col(_SUMMED).sum())
    by_outcome = grouped(cells(sums.sort(CODE, "decision")))
    people = rows.group_by(CODE).agg(
        pl.col("actor").unique().drop_nulls().sort().str.join("、"), pl.col("day").max()
    )
    heads = {code: (actor, day.isoformat() if day else "") for code, actor, day in people.rows()}
    return [
        Opinion(str(code), *heads[code], by_outcome[code], mine.drop(CODE).rows())
        for code, mine in by_code(shown[CODE], shown).items()
    ]


def _shown(rows: pl.DataFrame, lang: str) -> pl.DataFrame:
    """Return the rows masked, worded and in order."""
    if lang == EN and "vola_cont_en" in rows.columns:
        rows = rows.with_columns(vola_cont="vola_cont_en")
    words = [
        translated(name, {v: code_label(kind, v, lang) for v in rows[name].drop_nulls().unique()})
        for name, kind in (("grade", "grade"), ("answer", "reply"), ("decision", "decision"))
    ]
    order = [
        pl.col("decision").replace_strict(_ORDER, default=9, return_dtype=pl.Int8),
        pl.col("grade") != "违规",
    ]
    sorted_rows = rows.sort(CODE, *order, "rule_id", "setl_id", "bkkp_sn", "finding_id", nulls_last=True)
    return cells(
        without_persons(sorted_rows, _TEXTS).with_columns(words).select(CODE, *(key for key, *_ in _COLUMNS))
    )


def _write(one: Opinion, heading: Heading, path: Path) -> Path:
    lang = heading.lang
    title = label("review.doc_opinion", lang)
    book = Book(path, title, heading.month, len(one.rows))
    grid = Grid(book, book.sheet(label("review.opinion", lang), paper=A3, lang=lang), columns(_COLUMNS, lang))
    name = f"{heading.names.get(one.code, '')}({one.code})"
    grid.heading(title, f"{heading.region} · {name} · {heading.month_text} · {label('msg.unit', lang)}")
    for text in (_who(one, lang), label("review.booked_once", lang)):
        grid.sheet.write_string(grid.row, 0, text, book.format("subtitle"))
        grid.row += 1
    _totals(grid, one.totals, lang)
    grid.header(frozen_columns=1)
    grid.body(one.rows)
    grid.finish()
    sign = "        ".join(
        label(key, lang) for key in ("sign.review", "sign.date", "sign.institution", "sign.date")
    )
    grid.sheet.set_row(grid.row + 1, 36)
    grid.sheet.write_string(grid.row + 1, 0, sign, book.format("title", font_size=11, bold=False))
    return book.close()


def _who(one: Opinion, lang: str) -> str:
    return label("review.by", lang).format(actors=one.actors or "—", day=one.day or "—")


def _totals(grid: Grid, totals: list[Row], lang: str) -> None:
    """Write a row per outcome and their sum, in 分: a sum of doubles may miss a 分."""
    for decision, count, *amounts in sorted(totals, key=lambda row: _ORDER[row[0]]):
        word = code_label("decision", decision, lang)
        _total(grid, word, count, amounts, lang)
    sums = [sum(round(row[i] * 100) for row in totals) / 100 for i in range(2, 2 + len(_SUMMED))]
    _total(grid, label("msg.total", lang), sum(row[1] for row in totals), sums, lang)


def _total(grid: Grid, word: str, count: int, amounts: list[float], lang: str) -> None:
    text = label("review.count", lang).format(word=word, count=f"{count:,}")
    grid.totals(text, dict(zip(_SUMMED, amounts, strict=True)))
