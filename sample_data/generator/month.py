"""Puts one region's month together: reference data, submissions, and what must be found in them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import polars as pl

from sample_data.generator import (
    base,
    catalogue,
    faults,
    money,
    people,
    stories_a,
    stories_b,
    stories_c,
    submission,
    tables,
    texts,
)
from sample_data.generator.book import Book, Row
from sample_data.generator.reference import write_reference
from sample_data.generator.regions import Member, Region

PLANTED = ["kind", "region", "fixmedins_code", "submission", "rule_or_reason", "grade", "table",
           "setl_id", "bkkp_sn", "column", "part", "whole"]  # fmt: skip
SETL_RAW = ["setl_id", "mdtrt_id", "seq", "inst", "kind", "level", "psn", "insutype", "med_type",
            "clr_type", "beg", "end", "at", "refd", "init_setl_id", "dise", "diag", "dscg_way",
            "die", "rate_set", "account_set"]  # fmt: skip
STORIES: tuple[Callable[[Book], None], ...] = (
    *stories_a.STORIES, *stories_b.STORIES, *stories_c.STORIES, *faults.STORIES
)  # fmt: skip


def write_region(region: Region, folder: Path) -> None:
    """Write `submissions/`, `reference/` and `planted.csv` of one region."""
    items = catalogue.items()
    crowd, clean = _clean(region, items)
    book = Book(region, dict(zip(items["code"], items["item"], strict=True)), crowd.height)
    for story in STORIES:
        story(book)
    persons = pl.concat([crowd, _cast(book, region, crowd)], how="diagonal")
    setl, lines = _priced(book, clean, items)
    for part in ("submissions", "reference"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    write_reference(folder / "reference", region, items, persons, book.coverage)
    setl_text = texts.as_text(tables.setl_table(setl, persons))
    line_text = texts.as_text(tables.line_table(lines))
    for member in region.members:
        _submit(folder / "submissions", region, member, book, (setl_text, line_text))
    planted(book, line_text).write_csv(folder / "planted.csv")


def _clean(region: Region, items: pl.DataFrame) -> tuple[pl.DataFrame, list[base.Frames]]:
    """Return the base persons and every institution's clean month."""
    volumes, first = [], 0
    for member in region.members:
        volumes.append(member.volume(first))
        first += volumes[-1].people
    crowd = people.crowd(region.area, first)
    pairs = zip(region.members, volumes, strict=True)
    return crowd, [base.clean_month(m.inst, v, crowd, items) for m, v in pairs]


def _cast(book: Book, region: Region, crowd: pl.DataFrame) -> pl.DataFrame:
    """Return the persons of the stories, dressed like the others."""
    rows = pl.DataFrame(book.people, infer_schema_length=None).select(
        pl.col("psn").cast(pl.Int64), "gend", "brdy", "insutype", pl.col("die_date").cast(pl.Date)
    )
    return people.dress(rows, region.area).select(c for c in crowd.columns if c in PERSON)


PERSON = ("psn", "gend", "brdy", "insutype", "die_date", "psn_no", "psn_name", "psn_type", "certno")


def _priced(book: Book, clean: list[base.Frames], items: pl.DataFrame) -> base.Frames:
    """Price base and stories together; add reversals; leave out what was only there to reverse."""
    told = pl.DataFrame(book.settlements, infer_schema_length=None).select(SETL_RAW)
    said = pl.DataFrame(book.lines, infer_schema_length=None).select(base.LINE_COLUMNS)
    setl = pl.concat(s.select(SETL_RAW) for s, _ in clean)
    setl = pl.concat([setl, _like(told, setl)])
    raw = pl.concat(lines for _, lines in clean)
    raw = pl.concat([raw, _like(said, raw)])
    lines = money.charge(raw, items, pl.col("level"))
    priced = money.settle(setl, lines)
    back = pl.DataFrame(book.reversals)
    ghost = pl.col("setl_id").is_in(book.ghosts)
    priced = pl.concat([priced.filter(~ghost), _like(tables.reversed_of(priced, back), priced)])
    lines = pl.concat([lines.filter(~ghost), _like(tables.reversed_lines(lines, back), lines)])
    own = priced.select("setl_id", "mdtrt_id", "inst")
    lines = lines.join(own, on="setl_id", how="left", maintain_order="left")
    return priced.sort("setl_id"), lines.sort("setl_id", "sn")


def _like(frame: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    return frame.select(other.columns).cast(other.schema)


def _submit(folder: Path, region: Region, member: Member, book: Book, frames: base.Frames) -> None:
    code = member.inst.code
    setl = frames[0].filter(pl.col("fixmedins_code") == code)
    lines = frames[1].filter(pl.col("setl_id").str.starts_with(code[1:]))
    parts: texts.Tables = {"setl_d": setl, "fee_list_d": lines}
    if member.form.diagnoses:
        parts["setl_list_diag_d"] = texts.diagnoses(setl)
        parts["setl_list_oprn_d"] = texts.operations(setl, lines)
    mine = [c for c in book.changes if c["setl_id"].startswith(code[1:])]
    long = texts.apply(parts, mine)
    parts = {"clr_sum": texts.totals(code, parts["setl_d"])} | parts
    reason = region.refusals.get(member.role, "")
    parts = submission.spoil(reason, parts, region.members[0].inst.code)
    submission.write(folder, member.submission, member.form, parts, long, reason)


def planted(book: Book, lines: pl.DataFrame) -> pl.DataFrame:
    """Return the exhaustive list of what must be found, sorted."""
    code = {m.inst.code[1:]: m.inst.code for m in book.region.members}
    within = {(r["setl_id"], r["bkkp_sn"]): r
              for r in lines.filter(pl.col("setl_id").is_in([e.get("setl_id") for e in book.expected]))
              .select("setl_id", "bkkp_sn", "inscp_amt", "preselfpay_amt").iter_rows(named=True)}  # fmt: skip
    rows = [_planted_row(book, row, code, within) for row in book.expected]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(PLANTED, pl.String))
    return frame.sort(PLANTED[:10], nulls_last=False)


def _planted_row(book: Book, row: Row, code: dict[str, str], within: dict[tuple[str, str], Row]) -> Row:
    inst = row.get("fixmedins_code") or code[row["setl_id"][:11]]
    whole = row.get("whole")
    if row["kind"] == "finding" and whole is None:
        line = within[row["setl_id"], row["bkkp_sn"]]
        whole = line["inscp_amt"]
        if row["rule_or_reason"] == "B01":  # what is above the cap lies in what was self-paid first, too
            whole = str(Decimal(whole) + Decimal(line["preselfpay_amt"]))
    filled = row | {"region": book.region.name, "fixmedins_code": inst,
                    "submission": f"{inst}_202604", "whole": whole}  # fmt: skip
    return {name: filled.get(name) for name in PLANTED}
