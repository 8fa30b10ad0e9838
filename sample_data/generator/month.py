"""Puts one region's month together: reference data, submissions, and what must be found in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
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
    stories_more_a,
    stories_more_b,
    stories_more_c,
    stories_more_d,
    stories_more_e,
    submission,
    tables,
    texts,
)
from sample_data.generator.book import Book, Row
from sample_data.generator.evidence import gather
from sample_data.generator.reference import People, write_reference
from sample_data.generator.regions import Member, Region

PLANTED = ["kind", "region", "fixmedins_code", "submission", "rule_or_reason", "grade", "table",
           "setl_id", "bkkp_sn", "column", "part", "whole"]  # fmt: skip
SETL_RAW = ["setl_id", "mdtrt_id", "seq", "inst", "kind", "level", "psn", "insutype", "med_type",
            "clr_type", "beg", "end", "at", "refd", "init_setl_id", "dise", "diag", "dscg_way",
            "die", "rate_set", "account_set"]  # fmt: skip
STORIES: tuple[Callable[[Book], None], ...] = (
    *stories_a.STORIES, *stories_b.STORIES, *stories_c.STORIES, *stories_more_a.STORIES,
    *stories_more_b.STORIES, *stories_more_c.STORIES, *stories_more_d.STORIES, *stories_more_e.STORIES,
    *faults.STORIES,
)  # fmt: skip


def write_region(region: Region, folder: Path) -> None:
    """Write `submissions/`, `reference/` and `planted.csv` of one region."""
    _write(region, folder, STORIES)


def write_clean(region: Region, folder: Path) -> None:
    """Write the region's month without stories: every submission is well-formed, nothing is to be found."""
    settles = [m for m in region.members if m.stays + m.visits and region.refusals.get(m.role) != "S08"]
    _write(replace(region, members=tuple(settles), refusals={}), folder, ())


def _write(region: Region, folder: Path, stories: tuple[Callable[[Book], None], ...]) -> None:
    items = catalogue.items()
    crowd, clean = _clean(region, items)
    book = Book(region, dict(zip(items["code"], items["item"], strict=True)), crowd.height)
    for story in stories:
        story(book)
    persons = pl.concat([crowd, _cast(book, region, crowd)], how="diagonal") if book.people else crowd
    setl, lines = _priced(book, clean, items)
    for part in ("submissions", "reference"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    setl_text = texts.as_text(tables.setl_table(setl, persons))
    line_text = texts.as_text(tables.line_table(lines))
    sums = []
    for member in region.members:
        total = _submit(folder / "submissions", region, member, book, (setl_text, line_text))
        sums += [total] if member.role not in region.refusals else []
    evidence = gather(book, items, setl_text, line_text, pl.concat(sums))
    write_reference(folder / "reference", region, items, People(persons, book.coverage), evidence)
    planted(book, setl_text, line_text).write_csv(folder / "planted.csv")


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
    setl = pl.concat(s.select(SETL_RAW) for s, _ in clean)
    raw = pl.concat(lines for _, lines in clean)
    if book.settlements:
        told = pl.DataFrame(book.settlements, infer_schema_length=None).select(SETL_RAW)
        said = pl.DataFrame(book.lines, infer_schema_length=None).select(base.LINE_COLUMNS)
        setl, raw = pl.concat([setl, _like(told, setl)]), pl.concat([raw, _like(said, raw)])
    lines = money.charge(raw, items, pl.col("level"))
    priced = money.settle(setl, lines)
    if book.reversals:
        back = pl.DataFrame(book.reversals)
        ghost = pl.col("setl_id").is_in(book.ghosts)
        priced = pl.concat([priced.filter(~ghost), _like(tables.reversed_of(priced, back), priced)])
        lines = pl.concat([lines.filter(~ghost), _like(tables.reversed_lines(lines, back), lines)])
    own = priced.select("setl_id", "mdtrt_id", "inst")
    lines = lines.join(own, on="setl_id", how="left", maintain_order="left")
    return priced.sort("setl_id"), lines.sort("setl_id", "sn")


def _like(frame: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    return frame.select(other.columns).cast(other.schema)


def _submit(folder: Path, region: Region, member: Member, book: Book, frames: base.Frames) -> pl.DataFrame:
    """Write one submission and return what it declares."""
    code = member.inst.code
    setl = frames[0].filter(pl.col("fixmedins_code") == code)
    lines = frames[1].filter(pl.col("setl_id").str.starts_with(code[1:]))
    parts: texts.Tables = {"setl_d": setl, "fee_list_d": lines}
    if member.form.diagnoses:
        parts["setl_list_diag_d"] = texts.diagnoses(setl, book.diagnoses)
        operations = texts.operations(setl, lines, book.operations)
        parts |= {"setl_list_oprn_d": operations} if operations.height else {}
    mine = [c for c in book.changes if c["setl_id"].startswith(code[1:])]
    long = texts.apply(parts, mine)
    if (parts["setl_d"][tables.INVOICE] == "").all():
        parts["setl_d"] = parts["setl_d"].drop(tables.INVOICE)
    _first_of_totals(book, code, parts["setl_d"])
    total = texts.totals(code, parts["setl_d"])
    reason = region.refusals.get(member.role, "")
    parts = submission.spoil(reason, {"clr_sum": total} | parts, region.members[0].inst.code)
    submission.write(folder, member.submission, member.form, parts, long, reason)
    return total


def _first_of_totals(book: Book, code: str, setl: pl.DataFrame) -> None:
    """Expect what the centre's other totals lead to: a finding on the first settlement behind each."""
    returned = [e["setl_id"] for e in book.expected if e["kind"] == "return"]
    for change in (c for c in book.centre if c["fixmedins_code"] == code):
        behind = setl.filter(
            ~pl.col("setl_id").is_in(returned), *(pl.col(n) == change[n] for n in ("insutype", "clr_type"))
        )
        book.finding("A15", behind.sort("setl_time", "setl_id")["setl_id"][0], share=("0", "1"))


def planted(book: Book, setl: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Return the exhaustive list of what must be found, sorted."""
    code = {m.inst.code[1:]: m.inst.code for m in book.region.members}
    told = pl.col("setl_id").is_in([e.get("setl_id") for e in book.expected])
    within = {(r["setl_id"], r["bkkp_sn"]): r for r in lines.filter(told).iter_rows(named=True)}
    within |= {(r["setl_id"], None): r for r in setl.filter(told).iter_rows(named=True)}
    rows = [_planted_row(book, row, code, within) for row in book.expected]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(PLANTED, pl.String))
    return frame.sort(PLANTED[:10], nulls_last=False)


# What a share is of where the story does not say: of all of these columns together.
WHOLE = {"B01": ("inscp_amt", "preselfpay_amt"), "B02": ("inscp_amt", "preselfpay_amt"),
         "D14": ("fund_pay_sumamt",), "E06": ("acct_pay",)}  # fmt: skip


def _planted_row(book: Book, row: Row, code: dict[str, str], within: dict[tuple[str, str], Row]) -> Row:
    inst = row.get("fixmedins_code") or code[row["setl_id"][:11]]
    whole = row.get("whole")
    if row["kind"] == "finding" and whole is None:
        hit = within[row["setl_id"], row["bkkp_sn"]]
        columns = WHOLE.get(row["rule_or_reason"], ("inscp_amt",))
        whole = str(sum(Decimal(hit[column]) for column in columns))
    filled = row | {"region": book.region.name, "fixmedins_code": inst,
                    "submission": f"{inst}_202604", "whole": whole}  # fmt: skip
    return {name: filled.get(name) for name in PLANTED}
