"""Every row of the national knowledge lists is proved: lines that break it hit, lines that keep it do not.

The proof runs on the lists shipped with the sample data and, where the published workbooks are at hand, on
every coded row of those.
"""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import fastexcel
import polars as pl
import pytest

from settlement.knowledge import import_nhsa
from settlement.knowledge.tables import CODE
from settlement.reference import read_folder
from tests import knowledge_points as points
from tests.knowledge_points import PROOFS

PUBLISHED = Path(__file__).parents[2] / "shared" / "data" / "nhsa_rules"
SHIPPED = Path(__file__).parents[1] / "sample_data" / "generator" / "knowledge"
CODED_ROWS = 15_620
FIRST_DAY, LATER, EVE = 0, 400, -1
here = pytest.mark.skipif(
    not PUBLISHED.is_dir(), reason="the published workbooks are not part of the project and are not here"
)


@pytest.fixture(scope="module")
def con():
    with duckdb.connect(config={"threads": 1}) as connection:
        yield connection


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    out = tmp_path_factory.mktemp("kb")
    return import_nhsa(PUBLISHED, out), out


@pytest.fixture(scope="module", params=["shipped", pytest.param("published", marks=here)])
def lists(request):
    """The knowledge tables, typed as the program loads them."""
    folder = SHIPPED if request.param == "shipped" else request.getfixturevalue("published")[1]
    loaded = read_folder(folder)
    return {name: loaded[name] for name in PROOFS}


def differing(facts, given, wanted):
    """Say which lines came out otherwise, the first of them with its code; empty when none did."""
    wrong = pl.concat(
        one.join(other, on=points.HIT, how="anti").with_columns(is_=pl.lit(what))
        for one, other, what in ((wanted, given, "missed"), (given, wanted, "not to be hit"))
    )
    if wrong.is_empty():
        return ""
    coded = wrong.join(facts.select("setl_id", "bkkp_sn", "hilist_code"), on=["setl_id", "bkkp_sn"])
    first = coded.sort(points.HIT).row(0, named=True)
    return f"{wrong.height} lines differ, first {first['hilist_code']}: {first}"


def wrong_hits(con, name, kb, facts):
    return differing(facts, points.found(con, name, kb, facts), points.expected(facts))


@pytest.mark.parametrize("name", PROOFS)
def test_every_row_has_a_breaking_and_a_lawful_line(lists, name):
    facts = points.lines(name, lists[name], FIRST_DAY)
    whole = set(range(lists[name].height))
    assert whole
    assert set(facts.filter("hit")["row"]) == whole
    assert set(facts.filter(pl.col("role").str.starts_with("l"))["row"]) == whole
    assert not facts.filter("hit", pl.col("role").str.starts_with("l")).height


@pytest.mark.parametrize("after", [FIRST_DAY, LATER])
@pytest.mark.parametrize("name", PROOFS)
def test_all_breaking_lines_are_hit_and_no_lawful_one_is(con, lists, name, after):
    facts = points.lines(name, lists[name], after)
    wrong = wrong_hits(con, name, lists[name], facts)
    assert not wrong, wrong


@pytest.mark.parametrize("name", PROOFS)
def test_nothing_is_hit_on_the_day_before_publication(con, lists, name):
    facts = points.lines(name, lists[name], EVE).with_columns(hit=pl.lit(False))
    wrong = wrong_hits(con, name, lists[name], facts)
    assert not wrong, wrong


@pytest.mark.parametrize("name", PROOFS)
def test_without_one_row_exactly_its_breaking_lines_are_missed(con, lists, name):
    kb = lists[name]
    row = kb.height // 2
    while "hilist_code" in kb.columns and kb["hilist_code"].is_in([kb["hilist_code"][row]]).sum() > 1:
        row += 1  # a code of two groups is still in the other one
    facts = points.lines(name, kb, FIRST_DAY)
    needed = pl.any_horizontal(pl.col(c) == row for c in ("row", "needs") if c in facts.columns)
    given = points.found(con, name, kb.filter(pl.int_range(pl.len()) != row), facts)
    missed = points.expected(facts).join(given, on=points.HIT, how="anti")
    assert missed.height
    assert missed.equals(points.expected(facts.filter(needed)))
    assert given.join(points.expected(facts), on=points.HIT, how="anti").is_empty()


def test_a_line_hit_wrongly_is_told_with_its_code(con, lists):
    kb = lists["kb_sex"]
    facts = points.lines("kb_sex", kb, FIRST_DAY)
    first = facts.filter("hit")["setl_id"][0]
    told = wrong_hits(con, "kb_sex", kb, facts.with_columns(hit=pl.col("hit") & (pl.col("setl_id") != first)))
    assert told.startswith("1 lines differ")
    assert f"first {kb['hilist_code'][0]}" in told
    assert "not to be hit" in told


@here
def test_every_coded_row_is_used_or_listed_with_its_reason(published):
    report, out = published
    assert report.rows == report.used + report.unusable == CODED_ROWS
    proved = read_folder(out)
    assert set(proved) == set(report.tables) == set(PROOFS)
    assert sum(proved[name].height for name in PROOFS) == report.used
    listed = pl.read_csv(out / "unusable.csv", infer_schema=False).filter(pl.col("outcome") == "未采用")
    assert listed["reason"].str.len_chars().fill_null(0).min() > 0
    lost = dict(listed.group_by("file").agg(pl.struct("sheet", "row_no").n_unique()).rows())
    assert lost == {book.file: book.unusable for book in report.workbooks if book.unusable}


@here
def test_every_code_in_a_cell_of_a_workbook_is_in_its_table(published):
    report, out = published
    seen = {}
    for book in report.workbooks:
        seen.setdefault((book.table, book.source), set()).update(codes_in(PUBLISHED / book.file))
    tables = read_folder(out)
    for (name, source), codes in seen.items():
        rows = tables[name].filter(pl.col("source") == source)
        held = {code for c in rows.columns if c.endswith("_code") for code in rows[c]}
        assert not codes ^ held, (name, source, min(codes ^ held))


def codes_in(path):
    """Every code in any cell of a workbook, read without the importer."""
    book = fastexcel.read_excel(path)
    seen = set()
    for name in book.sheet_names:
        sheet = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string").to_polars()
        seen |= {text.strip() for column in sheet for text in column.drop_nulls()}
    return {text for text in seen if any(re.fullmatch(form, text) for form in CODE.values())}
