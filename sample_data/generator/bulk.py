"""One large month to measure with: many institutions, the same shapes and the same kinds of trouble.

About 0.7 % of the lines are made to hit an audit rule, 0.2 % of the settlements to be returned; there
are reversals and refund lines, diagnoses and operations, and every reference table. Nothing here is counted
exactly: exact expectations are what the sample months are for.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from sample_data.generator import base, bulk_evidence, catalogue, money, people, tables, texts
from sample_data.generator.base import Inst, Volume
from sample_data.generator.reference import People, write_reference
from sample_data.generator.regions import Form, Member, Region
from sample_data.generator.trouble import spoil_lines, spoil_settlements, spoil_tables

AREA = "990000"
ITEMS = 2_000
STAY_SHARE = 0.133
PANEL_SHARE = 0.35
STAY_LINES = 29.0  # lines of a stay besides those a visit has too
PURCHASE_LESS = 2.5  # lines a purchase has fewer than a visit
REVERSED = 500  # one visit in so many is reversed
FOLDER = Form("folder")


def write_bulk(out: Path, settlements: int, lines: int, institutions: int) -> None:
    """Write `submissions/` and `reference/` of the large month.

    Args:
        out: folder to write to.
        settlements: how many, about.
        lines: how many fee lines, about.
        institutions: how many; every fourth is a pharmacy.
    """
    items = catalogue.items(ITEMS - catalogue.items().height)
    members = _members(institutions, settlements)
    volumes, first = [], 0
    spread = _spread(members, lines)
    for member in members:
        own = member.volume(first)
        volumes.append(Volume(first, own.stays, own.visits, own.panel, spread))
        first += own.people
    crowd = _mortal(people.crowd(AREA, first))
    (out / "reference").mkdir(parents=True, exist_ok=True)
    region = Region("bulk", AREA, "示例", members)
    known = [
        _write(out / "submissions" / member.submission, member.inst, volume, crowd, items)
        for member, volume in zip(members, volumes, strict=True)
    ]
    evidence = bulk_evidence.gather(region, items, known)
    write_reference(out / "reference", region, items, People(crowd, _lapsed(crowd)), evidence)


def _members(institutions: int, settlements: int) -> tuple[Member, ...]:
    each, members = settlements // institutions, []
    for number in range(1, institutions + 1):
        pharmacy = number % 4 == 0
        kind, level = (2, 1) if pharmacy else (1, number % 3 + 1)
        code = f"{'P' if pharmacy else 'H'}{AREA}{number:05d}"
        inst = Inst(code, f"示例{'药房' if pharmacy else '医院'}{number}", kind, level)
        stays = 0 if pharmacy else int(each * STAY_SHARE)
        visits = each - stays - stays // 5  # follow-up visits come on top
        panel = max(int(visits * PANEL_SHARE), 1)
        members.append(Member("bulk", inst, stays, visits, FOLDER, panel))
    return tuple(members)


def _spread(members: tuple[Member, ...], lines: int) -> int:
    """Return the spread of lines a visit that gives about `lines` lines in all."""
    count = sum(m.stays + m.visits + m.stays // 5 for m in members)
    stays = sum(m.stays for m in members)
    purchases = sum(m.visits for m in members if m.inst.kind == 2)
    usual = (lines - STAY_LINES * stays + PURCHASE_LESS * purchases) / count
    return max(round(2 * (usual - 2)) + 1, 2)


def _mortal(crowd: pl.DataFrame) -> pl.DataFrame:
    """Let one person in 3,001 die on 10 April."""
    died = pl.when(pl.col("psn") % 3_001 == 1).then(pl.date(2026, 4, 10))
    return crowd.with_columns(die_date=died)


def _lapsed(crowd: pl.DataFrame) -> list[dict[str, object]]:
    """Stop the coverage of one person in 2,003 on 10 April."""
    some = crowd.filter(pl.col("psn") % 2_003 == 0).select(
        "psn", "insutype", status=pl.lit("1"), begndate=pl.lit(people.COVERED_SINCE),
        enddate=pl.date(2026, 4, 10),
    )  # fmt: skip
    return some.to_dicts()


def _write(
    folder: Path, inst: Inst, volume: Volume, crowd: pl.DataFrame, items: pl.DataFrame
) -> bulk_evidence.Known:
    """Write one submission and return what other systems know of it."""
    mine = crowd.slice(volume.first_psn, volume.people)
    setl, lines = base.clean_month(inst, volume, mine, items)
    setl, lines = spoil_settlements(setl, lines, items)
    about = setl.select("setl_id", "clr_type", "beg", los=pl.col("end") - pl.col("beg"))
    lines = lines.join(about, on="setl_id", how="left", maintain_order="left")
    lines = spoil_lines(lines, items).drop("clr_type", "beg", "los")
    lines = money.charge(lines, items, pl.col("level"))
    priced = money.settle(setl, lines)
    own = priced.select("setl_id", "mdtrt_id", "inst")
    lines = lines.join(own, on="setl_id", how="left", maintain_order="left")
    pairs = _pairs(priced, inst)
    priced = pl.concat([priced, tables.reversed_of(priced, pairs).select(priced.columns)])
    lines = pl.concat([lines, tables.reversed_lines(lines, pairs).select(lines.columns)])
    found = tables.setl_table(priced, mine).drop(tables.INVOICE)
    setl_d, fee_list_d = spoil_tables(found, tables.line_table(lines))
    total = texts.totals(inst.code, setl_d)
    written = {
        "clr_sum": total, "setl_d": setl_d, "fee_list_d": fee_list_d,
        "setl_list_diag_d": texts.diagnoses(setl_d, []),
        "setl_list_oprn_d": bulk_evidence.odd_operations(texts.operations(setl_d, fee_list_d, [])),
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in written.items():
        if frame.height:
            frame.write_csv(folder / f"{name}.csv", datetime_format=texts.TIME)
    return bulk_evidence.known(inst, items, total, setl_d, fee_list_d)


def _pairs(priced: pl.DataFrame, inst: Inst) -> pl.DataFrame:
    """Choose the visits that are reversed, and number the reversals."""
    chosen = priced.filter(pl.col("seq") % REVERSED == 17, pl.col("clr_type") != "21")
    number = 800_001 + pl.int_range(pl.len(), dtype=pl.Int64)
    return chosen.select("setl_id", new_id=base.setl_id(inst.code, number), at=pl.col("at") + 60)
