"""History: what the views hold, what a question reads, how answers are written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import openpyxl
import polars as pl
import pytest
import sqlalchemy as sa
import typer.main
from typer.testing import CliRunner

from jobs import cli
from settlement import store
from settlement.errors import QueryError, StoreError
from settlement.history import dictionary, months_between, open_views, output
from settlement.history.asked import Views
from settlement.history.declared import VIEWS
from settlement.store import asking
from settlement.store.schema import DECISION, LEDGER, LOG, REPLY, RUN
from tests import history_world
from tests.history_world import APRIL, H1, H2, LATE, MARCH, SHARED
from tests.submissions import REGION, Office

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return history_world.build(tmp_path_factory.mktemp("history"))


@pytest.fixture(scope="module")
def views(office: Office) -> Views:
    return open_views(office.home.home)


@pytest.fixture
def copied(office: Office, tmp_path: Path) -> Office:
    """The same home once more, for what changes it."""
    shutil.copytree(office.home.home, tmp_path / "home")
    made = object.__new__(Office)
    made.home, made.region = store.open_store(tmp_path / "home"), office.region
    return made


def published(office: Office, name: str, *months) -> pl.DataFrame:
    """A published table of some months, with region and month in front."""
    parts = [
        store.read_table(office.home, REGION, first, name).select(
            pl.lit(REGION).alias("region"), pl.lit(f"{first:%Y%m}").alias("clr_ym"), pl.all()
        )
        for first in months
    ]
    return pl.concat(parts)


def ordered(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.sort(pl.all())


def count(office: Office, table: sa.Table) -> int:
    with office.home.engine.connect() as db:
        return int(db.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


# --- what the views hold ----------------------------------------------------------------------


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_has_the_columns_and_types_that_are_declared(views, name) -> None:
    rows = views.sql(f"SELECT * FROM {name}").rows

    assert dict(rows.schema) == VIEWS[name].schema
    assert rows.height > 0
    assert VIEWS[name].fields[0].name == "region"


def test_settlements_are_those_that_were_accepted(office, views) -> None:
    rows = views.sql("SELECT * FROM v_settlement").rows

    assert rows.height == 2 * 2 * 11
    assert ordered(rows).equals(ordered(published(office, "settlements", MARCH, APRIL)))


def test_lines_are_those_of_accepted_settlements_and_know_whose_they_are(views) -> None:
    rows = views.sql("SELECT * FROM v_fee").rows
    settlements = views.sql("SELECT * FROM v_settlement").rows
    whose = ["region", "clr_ym", "setl_id", "fixmedins_code", "psn_no"]

    sums = rows.group_by(whose).agg(pl.col("det_item_fee_sumamt").sum().alias("medfee_sumamt"))
    assert ordered(sums.with_columns(pl.col("medfee_sumamt").cast(pl.Decimal(16, 2)))).equals(
        ordered(settlements.select(*whose, "medfee_sumamt"))
    )
    assert rows.height == 2 * settlements.height


def test_an_id_of_two_institutions_is_told_apart_in_lines_too(views) -> None:
    question = "SELECT DISTINCT setl_id, fixmedins_code FROM {} WHERE starts_with(setl_id, 'SAME') ORDER BY 1"
    for name in ("v_settlement", "v_fee"):
        found = views.sql(question.format(name)).rows.rows()
        assert found == [(f"{SHARED}@{code}", code) for code in (H1, H2)]


def test_findings_and_payments_are_those_of_the_newest_run(office, views) -> None:
    found = views.sql("SELECT * FROM v_finding").rows

    assert ordered(found.drop("rule_name")).equals(ordered(published(office, "findings", MARCH, APRIL)))
    assert found.filter(pl.col("rule_id") == "B01")["rule_name"].unique().len() == 1
    assert not found["rule_name"].has_nulls()
    paid = views.sql("SELECT * FROM v_payment").rows
    assert ordered(paid).equals(ordered(published(office, "payment", MARCH, APRIL)))


def test_every_reply_decision_movement_and_entry_is_there(office, views) -> None:
    kinds = dict(views.sql("SELECT kind, count(*) FROM v_decision GROUP BY 1").rows.rows())
    assert kinds == {"reply": count(office, REPLY), "decision": count(office, DECISION)}
    upheld = "SELECT sum(amount) FROM v_decision WHERE kind = 'decision'"
    booked = "SELECT sum(final_det_sumamt) FROM v_finding"
    assert views.sql(upheld).rows.item() >= views.sql(booked).rows.item() > 0
    assert views.sql("SELECT count(*) FROM v_ledger").rows.item() == count(office, LEDGER)
    assert views.sql("SELECT max(seq), count(*) FROM v_log").rows.row(0) == (count(office, LOG),) * 2


def test_institutions_that_came_in_since_the_last_run_are_there(copied, tmp_path) -> None:
    copied.take(history_world.month(LATE, APRIL).folder(tmp_path / "late"), month=APRIL)
    views = open_views(copied.home.home, months="2026-04")

    rows = views.sql("SELECT * FROM v_settlement").rows
    lines = views.sql("SELECT fixmedins_code, count(*) FROM v_fee GROUP BY 1 ORDER BY 1").rows.rows()

    former = published(copied, "settlements", APRIL)
    assert ordered(rows.filter(pl.col("fixmedins_code") != LATE)).equals(ordered(former))
    assert lines == [(H1, 22), (H2, 22), (LATE, 22)]


# --- what a question reads ---------------------------------------------------------------------


@pytest.mark.parametrize("name", [n for n in VIEWS if n != "v_log"])
def test_a_span_shows_its_regions_and_months_only(office, name) -> None:
    def months(**span) -> list[str]:
        question = f"SELECT DISTINCT clr_ym FROM {name} ORDER BY 1"
        return open_views(office.home.home, **span).sql(question).rows["clr_ym"].to_list()

    assert months(region=REGION, months="2026-03") == ["202603"]
    assert months(months="2026-04..2026-12") == ["202604"]
    assert months(months="..2026-04") == ["202603", "202604"]
    assert months(region="daye") == []


def test_a_question_about_a_month_reads_its_files_only(views) -> None:
    def readers(condition: str) -> int:
        (plan,) = views.sql(f"EXPLAIN SELECT * FROM v_finding {condition}").rows["explain_value"]
        return plan.upper().count("READ_PARQUET")

    both = readers("")  # some versions write each reader's name twice
    assert both > 0
    assert 2 * readers("WHERE clr_ym = '202604'") == both
    assert 2 * readers(f"WHERE clr_ym > '202603' AND region = '{REGION}'") == both
    assert readers("WHERE region = 'daye'") == 0


def test_only_the_views_that_are_named_are_opened(copied) -> None:
    for paths in store.stored_files(copied.home, _intakes(copied), "fee_list_d").values():
        for path in paths:
            path.unlink()
    views = open_views(copied.home.home)

    assert views.sql("SELECT count(*) FROM v_decision").rows.item() > 0
    assert views.sql("SELECT 1 AS one").rows.item() == 1
    with pytest.raises(StoreError, match="缺失"):
        views.sql("SELECT count(*) FROM v_fee")


def _intakes(office: Office) -> set[str]:
    return {s["intake"] for first in (MARCH, APRIL) for s in store.submissions(office.home, REGION, first)}


def test_all_that_counts_is_read_through_the_rows_of_a_commit(office, monkeypatch) -> None:
    with office.home.engine.connect() as db:
        first = db.execute(sa.select(sa.func.min(RUN.c.id)).where(RUN.c.clr_ym == "202604")).scalar_one()

    def then(db, rows_of, commit=None):
        rows = asking._now(db, rows_of, {})
        assert commit == 7
        gone = {RUN: pl.col("id") <= first, DECISION: pl.lit(False), LEDGER: pl.col("clr_ym") < "202604"}
        return rows.filter(gone.get(rows_of, pl.lit(True)))

    monkeypatch.setattr(asking, "table", then)
    views = open_views(office.home.home, commit=7)

    assert views.sql("SELECT DISTINCT clr_ym FROM v_payment").rows["clr_ym"].to_list() == ["202603"]
    assert views.sql("SELECT DISTINCT clr_ym FROM v_ledger").rows["clr_ym"].to_list() == ["202603"]
    decided = "SELECT count(*) FROM v_finding WHERE clr_ym = '202604' AND decision <> ''"
    assert views.sql(decided).rows.item() == 0
    assert views.sql("SELECT count(*) FROM v_decision WHERE kind = 'decision'").rows.item() == 0
    assert views.sql("SELECT count(*) FROM v_fee").rows.item() == 88


@pytest.mark.parametrize(
    ("text", "ends"),
    [("", ("", "")), ("2026-04", ("202604", "202604")), ("2026-01..2026-04", ("202601", "202604")),
     ("2026-01..", ("202601", "")), ("..2026-04", ("", "202604"))],
)  # fmt: skip
def test_months_are_written_so(text, ends) -> None:
    assert months_between(text) == ends


@pytest.mark.parametrize("text", ["2026", "2026-13", "202604", "2026-05..2026-04", "2026-04..x"])
def test_other_months_are_refused(text) -> None:
    with pytest.raises(QueryError):
        months_between(text)


def test_a_home_that_is_not_there_is_not_made(tmp_path) -> None:
    with pytest.raises(StoreError, match="没有结果目录"):
        open_views(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


# --- personal data -----------------------------------------------------------------------------


def test_masking_hides_persons_and_nothing_else(office) -> None:
    masked, plain = (open_views(office.home.home, masked=m) for m in (True, False))
    order = f"FROM v_settlement WHERE setl_id = '{SHARED}@{H1}'"

    (row,) = masked.sql(f"SELECT psn_no, psn_name, certno, brdy, setl_id, medfee_sumamt {order}").rows.rows()
    (real,) = plain.sql(f"SELECT psn_no, psn_name, certno, brdy, setl_id, medfee_sumamt {order}").rows.rows()

    assert row[:4] == ("****0000", "=*", f"{real[2][:3]}****{real[2][-4:]}", f"{real[3]:%Y}****")
    assert row[4:] == real[4:]


@pytest.mark.parametrize(
    "made",
    ["psn_name AS n", "'x' || psn_no AS n", "[certno] AS n", "min(psn_name) OVER () AS n", "brdy AS n",
     "{'a': psn_no} AS med_type", "psn_no AS \"PSN_NO\"", "s AS n"],
)  # fmt: skip
def test_what_is_made_of_a_persons_data_is_hidden(office, made) -> None:
    views = open_views(office.home.home, masked=True)

    rows = views.sql(f"SELECT {made} FROM v_settlement AS s").rows

    assert set(rows.to_series().to_list()) <= {"****", "****0000"} | {f"****{n:04d}" for n in range(12)}


def test_masking_leaves_what_touches_no_person(office) -> None:
    views = open_views(office.home.home, masked=True)
    question = "SELECT strftime(setl_time, '%Y') AS y, count(*) AS n FROM v_settlement GROUP BY 1"

    assert views.sql(question).rows.rows() == [("2026", 44)]
    assert views.sql("SELECT count(DISTINCT psn_no) AS n FROM v_settlement").rows.item() > 0


def test_a_summary_shows_no_person(office) -> None:
    rows = open_views(office.home.home, masked=True).sql("SUMMARIZE v_settlement").rows

    assert rows.height == len(VIEWS["v_settlement"].fields)
    assert "张" not in str(rows.rows())


# --- how answers are written -------------------------------------------------------------------


def ask(office: Office, *words: str) -> tuple[int, str]:
    """Run a command as on a terminal."""
    where = ["--home", str(office.home.home), "--region", REGION]
    done = CliRunner().invoke(cli.app, [*where, *words], catch_exceptions=True)
    return done.exit_code, done.output


def test_a_table_shows_some_rows_and_says_how_many_more(office) -> None:
    code, said = ask(office, "history", "sql", "SELECT finding_id FROM v_finding", "--rows", "3")

    total = published(office, "findings", MARCH, APRIL).height
    assert code == 0
    assert f"另有 {total - 3} 行" in said
    assert len([line for line in said.splitlines() if line.startswith("│")]) == 3


QUESTION = "SELECT psn_name, medfee_sumamt, setl_time, begndate FROM v_settlement ORDER BY setl_id LIMIT 2"


def test_csv_opens_as_text_in_a_spreadsheet(office, tmp_path) -> None:
    code, _ = ask(office, "history", "sql", QUESTION, "--out", str(tmp_path / "a.csv"))
    _, said = ask(office, "history", "sql", QUESTION, "--format", "csv")

    written = (tmp_path / "a.csv").read_bytes()
    assert code == 0
    assert written.startswith(b"\xef\xbb\xbfpsn_name,medfee_sumamt")
    assert b"\n'=" in written
    assert said.startswith("psn_name,")
    assert "\n'=" in said


def test_a_workbook_holds_texts_amounts_and_days(office, tmp_path) -> None:
    code, _ = ask(office, "history", "sql", QUESTION, "--out", str(tmp_path / "a.xlsx"))

    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    rows = list(sheet.iter_rows(min_row=3, values_only=True))
    assert code == 0
    assert rows[0] == ("psn_name", "medfee_sumamt", "setl_time", "begndate")
    assert rows[1][0].startswith("=张")
    assert sheet["A4"].data_type == "s"
    assert (type(rows[1][1]).__name__, rows[1][2].year, rows[1][3].year) == ("int", 2026, 2026)


def test_a_number_that_a_workbook_would_round_is_text(tmp_path) -> None:
    rows = pl.DataFrame({"n": [12345678901234567], "x": [float("nan")], "small": [7]})
    path = output.write(rows, "xlsx", tmp_path / "a.xlsx", "q", APRIL, "zh")

    assert list(openpyxl.load_workbook(path).active.iter_rows(min_row=4, values_only=True)) == [
        ("12345678901234567", None, 7)
    ]


def test_json_and_parquet_keep_amounts_exact(office, tmp_path) -> None:
    question = "SELECT sum(act_dfr_amt) AS paid FROM v_payment"
    paid = published(office, "payment", MARCH, APRIL)["act_dfr_amt"].sum()

    _, said = ask(office, "--json", "history", "sql", question)
    ask(
        office,
        "history",
        "sql",
        question,
        "--format",
        "parquet",
        "--out",
        str(tmp_path / "deep" / "a.parquet"),
    )

    assert json.loads(said) == [{"paid": str(paid)}]
    assert pl.read_parquet(tmp_path / "deep" / "a.parquet")["paid"].item() == paid


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["sql", "SELECT 1", "--format", "xlsx"], 2),
        (["sql", "SELECT 1", "--format", "html"], 2),
        (["sql", "SELECT 1", "--format", "table", "--out", "a.csv"], 2),
        (["views", "v_nothing"], 2),
    ],
)
def test_what_does_not_fit_together_is_usage(office, words, code) -> None:
    assert ask(office, "history", *words)[0] == code


def test_lists_columns_of_one_name_and_empty_answers_are_given(views) -> None:
    rows = views.sql("SELECT [1, 2] AS a, 1 AS b, 2 AS b, NULL AS c, {'k': 1} AS d").rows
    nothing = views.sql("SELECT * FROM v_payment WHERE false").rows

    assert rows.columns == ["a", "b", "b_1", "c", "d"]
    assert output.flat(rows).row(0) == ("[1, 2]", 1, 2, None, '{"k": 1}')
    assert (nothing.height, nothing.columns) == (0, list(VIEWS["v_payment"].schema))
    with pytest.raises(QueryError, match="列 a 的类型"):
        views.sql("SELECT INTERVAL 1 DAY AS a")


def test_the_prompt_answers_until_it_is_told_to_quit(office) -> None:
    where = ["--home", str(office.home.home), "history", "prompt"]
    lines = [".views", ".columns v_log", ".nonsense", "SELECT count(*) AS n", "FROM v_payment;",
             "DROP TABLE x;", ".format csv", "SELECT 41 + 1 AS answer;", ".quit",
             "SELECT 'never';"]  # fmt: skip
    said = CliRunner().invoke(cli.app, where, input="\n".join(lines)).output

    assert "v_ledger" in said
    assert "prev_hash" not in said
    assert f" {published(office, 'payment', MARCH, APRIL).height} " in said
    assert "只能查询" in said
    assert "answer\n42" in said
    assert "never" not in said


def test_the_page_about_the_views_is_current() -> None:
    assert (ROOT / "docs" / "history.md").read_text(encoding="utf-8") == dictionary.render()


def test_the_commands_are_where_the_page_says() -> None:
    history = typer.main.get_command(cli.app).commands["history"]
    assert {"sql", "prompt", "views"} <= set(history.commands)
