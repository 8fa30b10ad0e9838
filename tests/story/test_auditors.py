"""What auditors do with the story's home: ask, trace, draw, export, compare; and it stays as it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa

from jobs import nightly
from settlement import store
from settlement.history import open_views
from settlement.store.schema import DECISION, LOG, PAY_ORDER, PAY_RESULT
from tests.story import running
from tests.story.telling import Telling
from tests.story.world import APRIL, FEB, H1, MARCH, P2, REGION

Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def home(story: Telling, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home at the end, to do things with."""
    return story.after(len(story.told) - 1, tmp_path_factory.mktemp("auditors")).home


@pytest.fixture
def ask(home: Path) -> Ask:
    """Run a command for a program and return what it said."""

    def run(*words: str, month: str = "", who: str = "auditor") -> Any:
        options = ["--home", str(home), "--region", REGION, "--today", "2027-03-01", "--as", who, "--json"]
        done = running.settle([*options, *(["--month", month] if month else []), *words])
        assert done.code == 0, done.said
        return json.loads(done.out)

    return run


def rows(home: Path, query: sa.Select[Any]) -> list[Any]:
    opened = store.open_store(home)
    try:
        with opened.engine.connect() as db:
            return list(db.execute(query))
    finally:
        opened.engine.dispose()


def test_what_was_overruled_is_reported_with_who_and_why(ask: Ask, home: Path, tmp_path: Path):
    ask("history", "report", "overruled", "--out", str(tmp_path), "--months", f"{FEB}..{APRIL}")
    last = {
        (row.batch_id, row.finding_id): row
        for row in rows(home, sa.select(DECISION).order_by(DECISION.c.turn))
    }
    wanted = sorted(row.reason for row in last.values() if row.outcome != "维持")
    with open_views(home) as views:
        said = views.sql(
            "SELECT reason FROM v_decision WHERE kind = 'decision' AND outcome <> '维持' "
            "QUALIFY row_number() OVER (PARTITION BY clr_ym, finding_id ORDER BY turn DESC) = 1 ORDER BY ALL"
        )
    assert said.rows["reason"].to_list() == wanted
    assert len(list(tmp_path.glob("*.xlsx"))) == 1


@pytest.mark.parametrize("name", ["overruled", "duties", "parameters", "late"])
def test_every_report_can_be_written(ask: Ask, tmp_path: Path, name: str):
    ask("history", "report", name, "--out", str(tmp_path), "--months", f"{FEB}..{APRIL}")
    assert len(list(tmp_path.glob("*.xlsx"))) == 1


def test_months_are_compared(ask: Ask, tmp_path: Path):
    ask("history", "trends", "--out", str(tmp_path), "--months", f"{FEB}..{APRIL}")
    (book,) = tmp_path.rglob("*.xlsx")
    assert book.stat().st_size > 0
    tables = {path.stem for path in tmp_path.rglob("*.parquet")}
    assert tables


def test_a_sample_drawn_twice_is_the_same_and_on_record(ask: Ask, home: Path, tmp_path: Path):
    words = ("history", "sample", "--count", "3", "--seed", "飞检一组")
    for name in ("one", "two"):
        ask(*words, "--out", str(tmp_path / name), month=FEB)
    one, two = (sorted((tmp_path / name).rglob("*")) for name in ("one", "two"))
    assert [p.name for p in one] == [p.name for p in two]
    assert [p.read_bytes() for p in one if p.is_file()] == [p.read_bytes() for p in two if p.is_file()]
    drawn = rows(home, sa.select(LOG.c.actor, LOG.c.after).where(LOG.c.action == "sample_draw"))
    assert [row.actor for row in drawn] == ["auditor", "auditor"]
    assert len({row.after for row in drawn}) == 1
    assert "飞检一组" in drawn[0].after


def test_a_masked_export_joins_and_names_nobody(ask: Ask, home: Path, tmp_path: Path):
    for month in (FEB, MARCH):
        ask("history", "export", "--mask", "--format", "csv", "--out", str(tmp_path / month), month=month)
    people = [row for row in _persons(home) if len(row) > 3]
    text = "".join(p.read_text(encoding="utf-8-sig") for p in sorted(tmp_path.rglob("*.csv")))
    assert people
    assert [one for one in people if one in text] == []
    for month in (FEB, MARCH):
        masked = pl.read_csv(next((tmp_path / month).rglob("settlements.csv")), infer_schema=False)
        with open_views(home, months=month) as views:
            real = views.sql("SELECT setl_id, psn_no FROM v_settlement").rows
        both = masked.select("setl_id", pl.col("psn_no").alias("pseudonym")).join(real, on="setl_id")
        assert both.height == real.height > 0
        pairs = both.select("psn_no", "pseudonym").n_unique()
        assert pairs == both["psn_no"].n_unique() == both["pseudonym"].n_unique()


def _persons(home: Path) -> set[str]:
    with open_views(home) as views:
        found = views.sql("SELECT DISTINCT psn_no, certno FROM v_settlement").rows
    return {value for row in found.iter_rows() for value in row if value}


def test_every_payment_is_traced_to_sums_that_agree(ask: Ask, home: Path):
    query = sa.select(PAY_ORDER.c.business_no).join(
        PAY_RESULT, PAY_RESULT.c.business_no == PAY_ORDER.c.business_no
    )
    numbers = [row.business_no for row in rows(home, query.where(PAY_RESULT.c.result == "PAID"))]
    assert numbers
    with open_views(home) as views:
        paid = views.sql("SELECT clr_ym, fixmedins_code, fund_pay_type, act_dfr_amt FROM v_payment").rows
    for code, month in ((H1, FEB), (P2, MARCH)):
        mine = paid.filter((pl.col("fixmedins_code") == code) & (pl.col("clr_ym") == month.replace("-", "")))
        for row in mine.iter_rows(named=True):
            traced = ask("explain", f"{code}/{row['fund_pay_type']}", month=month)
            checks = traced["checks"]
            assert checks
            assert [c for c in checks if not c["ok"]] == []
            assert str(Decimal(row["act_dfr_amt"])) in json.dumps(traced)


def test_stored_months_come_out_the_same_again(ask: Ask):
    assert ask("verify", "--rebuild")["faults"] == []


def test_the_home_stands_the_check_after_all_this(home: Path):
    opened = store.open_store(home)
    assert nightly.verify(opened) == []
    opened.engine.dispose()
