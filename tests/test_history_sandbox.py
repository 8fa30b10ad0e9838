"""A question can harm nothing: what it may not do, however it is written, and what it may not cost."""

from __future__ import annotations

import hashlib
import shutil
import time
from pathlib import Path

import duckdb
import pytest

from settlement import store
from settlement.errors import QueryError
from settlement.history import Limits, open_views, sandbox
from settlement.history.asked import Views
from tests import history_world
from tests.history_world import APRIL
from tests.submissions import REGION, Office


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    made = history_world.office(tmp_path_factory.mktemp("sandbox") / "home")
    history_world.take(made, APRIL, made.home.home.parent / "in")
    history_world.run(made, APRIL)
    return made


@pytest.fixture
def views(office: Office) -> Views:
    return open_views(office.home.home)


def places(office: Office) -> dict[str, str]:
    """What an attack would reach for: the database, a kept file no view shows, one that a view shows."""
    run = store.runs(office.home, REGION, APRIL)[-1]
    home = office.home.home
    return {
        "HOME": str(home),
        "DATABASE": str(home / "settlement.db"),
        "SETTLEMENTS": str(home / run["paths"]["settlements"][0]),
        "FINDINGS": str(home / run["paths"]["findings"][0]),
        "OUT": str(home / "out"),
    }


def contents(folder: Path) -> dict[str, str]:
    """Digests of all files of a home; the database's own side files come and go."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


ATTACKS = [
    "COPY (SELECT 1) TO 'OUT'",
    "COPY v_finding TO 'FINDINGS' (USE_TMP_FILE false)",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO 'FINDINGS' (USE_TMP_FILE false)",
    "EXPLAIN ANALYZE /* x */ COPY (SELECT 1) TO 'FINDINGS' (USE_TMP_FILE false)",
    "/* SELECT */ EXPLAIN ANALYZE COPY (SELECT 1 AS a FROM v_finding) TO 'FINDINGS' (USE_TMP_FILE false)",
    "EXPLAIN EXPLAIN SELECT 1",
    "EXPORT DATABASE 'OUT'",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/*')",
    "SELECT * FROM read_json('/etc/hosts')",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM glob('HOME/*')",
    "SELECT * FROM read_parquet('SETTLEMENTS'), v_finding",
    "SELECT * FROM parquet_metadata('SETTLEMENTS'), v_finding",
    "SELECT * FROM 'SETTLEMENTS'",
    "SELECT * FROM read_text('DATABASE'), v_finding",
    "SELECT * FROM read_blob('HOME/store/**')",
    "SELECT * FROM read_csv('http://127.0.0.1:9/a.csv')",
    "SELECT * FROM read_parquet('s3://bucket/a.parquet')",
    "SELECT * FROM sqlite_scan('DATABASE', 'log')",
    "SELECT * FROM postgres_scan('', 'public', 'log')",
    "SELECT * FROM query('COPY (SELECT 1) TO ''OUT''')",
    "SELECT * FROM query_table('SETTLEMENTS')",
    "SELECT * FROM duckdb_secrets()",
    "SELECT getenv('HOME')",
    "ATTACH 'DATABASE' AS d",
    "ATTACH 'OUT' AS d",
    "DETACH memory",
    "USE memory",
    "INSTALL httpfs",
    "LOAD httpfs",
    "SET memory_limit = '100GB'",
    "SET enable_external_access = true",
    "SET VARIABLE a = 1",
    "RESET lock_configuration",
    "PRAGMA memory_limit = '100GB'",
    "PRAGMA database_list",
    "CALL pragma_version()",
    "CHECKPOINT",
    "CREATE TABLE t (a INT)",
    "CREATE TEMP VIEW v AS SELECT 1",
    "CREATE SECRET s (TYPE http)",
    "CREATE MACRO f(a) AS a",
    "DROP VIEW v_finding",
    "INSERT INTO v_ledger SELECT * FROM v_ledger",
    "DELETE FROM v_log",
    "UPDATE v_decision SET amount = 0",
    "TRUNCATE v_log",
    "WITH gone AS (DELETE FROM v_log RETURNING *) SELECT * FROM gone",
    "WITH more AS (INSERT INTO v_ledger SELECT * FROM v_ledger RETURNING *) SELECT * FROM more",
    "BEGIN",
    "COMMIT",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "VACUUM",
    "ALTER TABLE v_log ADD COLUMN x INT",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP VIEW v_finding",
    "SELECT * FROM office",
    "SELECT * FROM views",
    "",
    "  ;  ",
    "-- only a remark",
    "SELEKT 1",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_and_changes_nothing(office, views, attack) -> None:
    before = contents(office.home.home)
    question = attack
    for word, place in places(office).items():
        question = question.replace(word, place) if "'" in question else question

    with pytest.raises(QueryError) as refused:
        views.sql(question)

    assert contents(office.home.home) == before
    assert not any(word in str(refused.value) for word in ("root:", "Traceback"))


ALLOWED = [
    ("SELECT 1 AS a", 1),
    ("  -- a remark\n SELECT 1 AS a;", 1),
    ("/* a remark */ (SELECT 1 AS a)", 1),
    ("SELECT 1 AS a; -- a remark", 1),
    ("WITH x AS (SELECT 1 AS a) SELECT * FROM x", 1),
    ("FROM (VALUES (1)) AS x(a)", 1),
    ("VALUES (1)", 1),
    ("SELECT 'COPY; DROP; ATTACH' IS NULL AS a", False),
    ("SELECT getvariable('a') AS a", None),
    ("SELECT * FROM query('SELECT 1 AS a')", 1),
]


@pytest.mark.parametrize(("question", "gives"), ALLOWED)
def test_what_only_reads_is_answered(views, question, gives) -> None:
    assert views.sql(question).rows.item() == gives


@pytest.mark.parametrize(
    "question",
    ["DESCRIBE v_finding", "SUMMARIZE v_payment", "EXPLAIN SELECT 1", "EXPLAIN ANALYZE SELECT * FROM v_log"],
)
def test_what_explains_is_answered(views, question) -> None:
    assert views.sql(question).rows.height > 0


def test_the_engine_itself_reaches_no_file_but_those_of_the_views(office, tmp_path) -> None:
    """Should a statement slip through the check, the engine refuses it."""
    con = sandbox.connect(Limits(), tmp_path)
    sandbox.lock(con, [Path(places(office)["FINDINGS"])])

    assert con.sql(f"SELECT count(*) FROM read_parquet('{places(office)['FINDINGS']}')").fetchall()[0][0] > 0
    for statement in (
        f"SELECT * FROM read_parquet('{places(office)['SETTLEMENTS']}')",
        f"COPY (SELECT 1) TO '{places(office)['OUT']}'",
        f"ATTACH '{places(office)['DATABASE']}' AS d",
        "SET enable_external_access = true",
        "SET allowed_paths = ['/etc/passwd']",
        "INSTALL httpfs",
    ):
        with pytest.raises(duckdb.Error):
            con.execute(statement)


ENDLESS = "WITH RECURSIVE t AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM t) SELECT count(*) AS n FROM t"
CROSS = "SELECT * FROM range(100000) AS a(x), range(100000) AS b(y), range(100000) AS c(z)"


@pytest.mark.parametrize("question", [ENDLESS, f"SELECT count(*) AS n FROM ({CROSS}) WHERE x + y + z < 0"])
def test_an_endless_question_is_stopped_in_time(office, question) -> None:
    views = open_views(office.home.home, limits=Limits(seconds=0.5))
    begin = time.monotonic()

    with pytest.raises(QueryError, match=r"超过 0\.5 秒"):
        views.sql(question)

    assert time.monotonic() - begin < 5


def test_an_answer_without_end_is_stopped_while_it_comes(office) -> None:
    views = open_views(office.home.home, limits=Limits(seconds=0.5))

    with pytest.raises(QueryError, match=r"超过 0\.5 秒"):
        views.sql(CROSS, most=5)


@pytest.mark.parametrize("question", [f"SELECT list(x) AS n FROM ({CROSS})", CROSS])
def test_a_question_that_takes_too_much_memory_is_stopped(office, question) -> None:
    views = open_views(office.home.home, limits=Limits(memory="60MB", seconds=60))

    with pytest.raises(QueryError, match="内存上限 60MB"):
        views.sql(question)


def test_a_large_answer_is_counted_without_being_held(office) -> None:
    views = open_views(office.home.home, limits=Limits(memory="60MB"))

    answer = views.sql("SELECT *, 'long enough to be noticed' AS t FROM range(3000000)", most=5)

    assert (answer.rows.height, answer.more) == (5, 2_999_995)


def test_what_is_spilled_lies_in_the_home_and_is_gone_afterwards(office, monkeypatch) -> None:
    seen: list[Path] = []
    fetch = sandbox.fetch

    def watched(con, *rest):
        (spill,) = con.sql("SELECT current_setting('temp_directory')").fetchall()[0]
        seen.append(Path(spill))
        assert seen[0].is_dir()
        return fetch(con, *rest)

    monkeypatch.setattr(sandbox, "fetch", watched)
    open_views(office.home.home, limits=Limits(memory="100MB")).sql(
        "SELECT count(*) AS n FROM (SELECT x, hash(x) AS h FROM range(6000000) AS t(x) ORDER BY h)"
    )

    assert seen[0].parent == office.home.home / "work"
    assert not seen[0].exists()


@pytest.mark.parametrize("memory", ["", "much", "0GB", "-1GB", "2"])
def test_a_memory_limit_that_is_no_size_is_refused(office, memory) -> None:
    with pytest.raises(QueryError, match="不是大小"):
        open_views(office.home.home, limits=Limits(memory=memory)).sql("SELECT 1")


def test_an_error_quotes_the_question_but_no_value(views) -> None:
    with pytest.raises(QueryError, match="nothing_so_named"):
        views.sql("SELECT nothing_so_named FROM v_log")
    with pytest.raises(QueryError) as refused:
        views.sql("SELECT CAST(psn_name AS INTEGER) FROM v_settlement")
    assert "张" not in str(refused.value)


def test_a_missing_home_folder_for_spilling_is_made(office, views) -> None:
    shutil.rmtree(office.home.home / "work", ignore_errors=True)

    assert views.sql("SELECT 1 AS a").rows.item() == 1
