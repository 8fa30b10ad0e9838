"""A home's database comes up to this program's version: new, from release 0.1.0, or not at all."""

from __future__ import annotations

import datetime as dt
import logging
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from settlement import procedure, store
from settlement.errors import StoreError
from settlement.store import guards, migrating, schema

ROOT = Path(__file__).parents[1]
RELEASED = Path(__file__).with_name("released_0_1_0.sql").read_text(encoding="utf-8")
KINDS = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])


def old_home(folder: Path) -> Path:
    """A home as release 0.1.0 left it, with two submissions and a run."""
    folder.mkdir()
    with sqlite3.connect(folder / "settlement.db") as db:
        db.executescript(RELEASED)
    db.close()
    return folder


def rows(engine: sa.Engine, query: str) -> list[tuple[Any, ...]]:
    with engine.connect() as db:
        return [tuple(row) for row in db.exec_driver_sql(query)]


def described(engine: sa.Engine) -> dict[str, Any]:
    """Everything a database says of its tables, apart from the order it says it in."""
    found = sa.inspect(engine)
    described = {}
    for table in sorted(set(found.get_table_names()) - {"alembic_version"}):
        described[table] = {
            "columns": [
                (c["name"], str(c["type"]), c["nullable"], c["default"]) for c in found.get_columns(table)
            ],
            "key": found.get_pk_constraint(table)["constrained_columns"],
            "unique": _plain(found.get_unique_constraints(table)),
            "foreign": _plain(found.get_foreign_keys(table)),
            "check": _plain(found.get_check_constraints(table)),
            "index": _plain(found.get_indexes(table)),
        }
    return described


def _plain(facts: list[Any]) -> list[str]:
    kept = (
        "name",
        "column_names",
        "unique",
        "sqltext",
        "constrained_columns",
        "referred_table",
        "referred_columns",
    )
    plain = []
    for fact in facts:
        where = fact.get("dialect_options", {})
        condition = [str(v) for k, v in sorted(where.items()) if k.endswith("_where")]
        plain.append(str([(k, fact[k]) for k in kept if k in fact] + condition))
    return sorted(plain)


def test_a_home_of_the_first_release_keeps_its_rows(tmp_path: Path):
    home = old_home(tmp_path / "home")
    before = store.open_store(home).engine
    where = ("langfang", "202604", "H1")
    assert rows(before, "SELECT * FROM submission ORDER BY id") == [
        (1, *where, "H1_202604", "a", "c", "RETURNED", 0, "2026-05-08", "k", "i1", 0, "{}", 1),
        (2, *where, "H1_202604_2", "b", "c", "ACCEPTED", 1, "2026-05-09", "k", "i2", 0, '{"rows": 3}', 1),
    ]
    assert rows(before, "SELECT * FROM month_run") == [
        (1, "langfang", "202604", "month", "f", "2026-05-10", '{"findings": "x"}', "{}", "{}", 1)
    ]
    assert rows(before, "SELECT count(*) FROM reference_version") == [(1,)]
    assert rows(before, "SELECT count(*) FROM stored_file") == [(1,)]
    before.dispose()


def test_submissions_of_the_first_release_go_on_as_batches(tmp_path: Path):
    opened = store.open_store(old_home(tmp_path / "home"))
    with opened.engine.connect() as db:
        found = store.batches.find(db, "langfang", "202604")
        assert store.log.breaks(db) == []
    assert [(b.fixmedins_code, b.state, b.submission_id) for b in found] == [("H1", "ACCEPTED", 2)]
    assert store.runs(opened, "langfang", dt.date(2026, 4, 1)) == []
    assert store.earlier_months(opened, "langfang", dt.date(2026, 5, 1)) == []
    opened.engine.dispose()


def test_a_home_of_the_first_release_becomes_what_a_new_one_is(tmp_path: Path):
    old = store.open_store(old_home(tmp_path / "old")).engine
    new = store.open_store(tmp_path / "new").engine
    assert described(old) == described(new)
    with old.connect() as db:
        assert guards.altered(db) == []
    old.dispose()
    new.dispose()


def test_the_first_step_makes_the_tables_of_the_first_release(tmp_path: Path):
    released = sa.create_engine(f"sqlite:///{old_home(tmp_path / 'old') / 'settlement.db'}")
    made = sa.create_engine(f"sqlite:///{tmp_path / 'made.db'}")
    with made.begin() as db:
        command.upgrade(_config(db), "0001")
    assert described(made) == described(released)
    released.dispose()
    made.dispose()


@KINDS
def test_the_steps_make_the_tables_the_program_knows(
    kind: str, empty_database: Callable[[str], str], opened: Callable[[str], sa.Engine]
):
    migrated, made = opened(empty_database(kind)), _plainly(empty_database(kind))
    schema.META.create_all(made)
    assert described(migrated) == described(made)
    with migrated.connect() as db:
        assert compare_metadata(MigrationContext.configure(db), schema.META) == []
        assert guards.altered(db) == []
    made.dispose()


def _plainly(address: str) -> sa.Engine:
    return sa.create_engine(address.replace("postgresql://", "postgresql+psycopg://"))


def _config(db: sa.Connection) -> Config:
    config = Config(attributes={"connection": db})
    config.set_main_option("script_location", str(migrating.FOLDER))
    return config


def test_the_steps_are_the_files(tmp_path: Path):
    config = Config()
    config.set_main_option("script_location", str(migrating.FOLDER))
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [migrating.HEAD]
    assert [s.revision for s in script.walk_revisions()] == list(reversed(migrating.STEPS))


def test_edges_and_built_in_users_are_there(engine: sa.Engine):
    assert set(rows(engine, "SELECT * FROM edge")) == set(procedure.EDGES)
    built_in = {procedure.MACHINE: procedure.SYSTEM, **procedure.ROBOTS}
    assert dict(rows(engine, "SELECT name, role FROM user_role WHERE active")) == built_in
    assert {name for (name,) in rows(engine, "SELECT name FROM app_user")} == set(built_in)


def test_a_database_of_a_newer_program_is_refused(home: Path, engine: sa.Engine):
    with engine.begin() as db:
        db.exec_driver_sql("UPDATE alembic_version SET version_num = '0099'")
    with pytest.raises(StoreError, match="0099"):
        store.open_store(home)
    assert rows(engine, "SELECT version_num FROM alembic_version") == [("0099",)]


@pytest.mark.parametrize("tampered", ["trigger", "mark"])
def test_missing_or_former_triggers_are_made_anew(home: Path, engine: sa.Engine, tampered: str):
    table = " ON log" if engine.dialect.name == "postgresql" else ""
    former = "UPDATE schema_mark SET value = 'former'"
    with engine.connect().execution_options(writing=True) as db, db.begin():
        db.exec_driver_sql(f"DROP TRIGGER guard_log_delete{table}" if tampered == "trigger" else former)
    store.open_store(home).engine.dispose()
    with engine.connect() as db:
        assert guards.altered(db) == []
    assert rows(engine, "SELECT value FROM schema_mark WHERE value = 'former'") == []


def test_a_role_that_was_taken_from_a_robot_stays_taken(home: Path, engine: sa.Engine):
    with engine.connect().execution_options(writing=True) as db, db.begin():
        db.exec_driver_sql("UPDATE user_role SET active = false WHERE name = 'robot_leader'")
        db.exec_driver_sql("UPDATE schema_mark SET value = 'former'")
    store.open_store(home).engine.dispose()
    assert rows(engine, "SELECT active FROM user_role WHERE name = 'robot_leader'") in ([(0,)], [(False,)])


def test_a_current_database_costs_one_select(engine: sa.Engine):
    asked: list[str] = []
    sa.event.listen(engine, "before_cursor_execute", lambda *a: asked.append(str(a[2])))
    times = []
    for _ in range(5):
        start = time.perf_counter()
        migrating.up_to_date(engine)
        times.append(time.perf_counter() - start)
    assert [q for q in asked if not q.startswith("BEGIN")] == [asked[-1]] * 5
    assert min(times) < 0.005


@KINDS
def test_a_step_that_fails_leaves_nothing(
    kind: str, empty_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    def broken(_: sa.Connection) -> None:
        raise RuntimeError("power cut")

    address = empty_database(kind)
    monkeypatch.setenv("SETTLE_DATABASE__URL", address)
    with monkeypatch.context() as patched:
        patched.setattr(guards, "install", broken)
        with pytest.raises(RuntimeError):
            store.open_store(tmp_path)
    left = _plainly(address)
    assert sa.inspect(left).get_table_names() == []
    left.dispose()
    store.open_store(tmp_path).engine.dispose()


OPENING = (
    "import sys; from pathlib import Path; from alembic import command; from settlement import store;"
    "print('ready', flush=True); sys.stdin.readline(); store.open_store(Path(sys.argv[1]))"
)


@KINDS
def test_programs_that_open_a_new_home_at_the_same_moment_all_succeed(
    kind: str, empty_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("SETTLE_DATABASE__URL", empty_database(kind))
    line = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    command_line = [sys.executable, "-c", OPENING, str(tmp_path)]
    started = [subprocess.Popen(command_line, cwd=ROOT, **line) for _ in range(3)]
    for process in started:
        process.stdout.readline()
    for process in started:
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.communicate()[1] for process in started] == [""] * 3
    found = store.open_store(tmp_path).engine
    assert len(rows(found, "SELECT * FROM edge")) == len(procedure.EDGES)
    found.dispose()


def test_a_database_that_cannot_be_reached_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("SETTLE_DATABASE__URL", f"postgresql://u:secret@/x?host={tmp_path}")
    with pytest.raises(StoreError, match="无法打开") as caught:
        store.open_store(tmp_path)
    assert "secret" not in str(caught.value)


def test_nothing_is_printed_and_logging_stays_as_it_was(tmp_path: Path):
    code = (
        "import logging, sys; from pathlib import Path; from settlement import store;"
        "level = logging.getLogger().level; store.open_store(Path(sys.argv[1]));"
        "assert logging.getLogger().handlers == [] and logging.getLogger().level == level;"
        "assert logging.getLogger('alembic').level == 0"
    )
    ran = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, cwd=ROOT)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert logging.getLogger("alembic").level == logging.NOTSET


def test_the_wheel_contains_the_steps(tmp_path: Path):
    build = pytest.importorskip("hatchling.builders.wheel")
    (made,) = build.WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(made) as wheel:
        names = set(wheel.namelist())
    folder = migrating.FOLDER
    steps = {p.relative_to(ROOT).as_posix() for p in folder.rglob("*") if p.suffix in (".py", ".mako")}
    assert steps <= names
