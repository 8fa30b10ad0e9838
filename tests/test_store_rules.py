"""The store keeps the rules of the procedure by itself: whoever writes SQL meets them too.

Every forbidden act of `tests.store_cases` is tried on PostgreSQL, on SQLite as the program opens it, and
on SQLite as somebody opens it by hand, where foreign keys are not checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from settlement.store import guards, schema
from settlement.store.conditions import RULES
from tests.store_cases import CASES, NO_EDGES, Case
from tests.store_world import WORLD, B, step

SESSIONS = ("sqlite", "sqlite by hand", "postgresql")
ON_SQLITE = pytest.mark.parametrize("world", SESSIONS[:2], indirect=True, scope="module")
BY_NAME = {case.name: case for case in CASES}
KEPT = [table.name for table in guards.KEPT]


@pytest.fixture(scope="module", params=SESSIONS)
def world(
    request: pytest.FixtureRequest, new_database: Callable[[str], str], opened: Callable[[str], sa.Engine]
) -> Iterator[sa.Engine]:
    """The small world, in a database that only this module reads."""
    kind, *bare = str(request.param).split(" ", 1)
    engine = (_bare if bare else opened)(new_database(kind))
    yield _peopled(engine)
    engine.dispose()


@pytest.fixture(scope="module")
def by_hand(new_database: Callable[[str], str]) -> Iterator[sa.Engine]:
    """The small world as a hand-opened SQLite session sees it."""
    engine = _bare(new_database("sqlite"))
    yield _peopled(engine)
    engine.dispose()


def _peopled(engine: sa.Engine) -> sa.Engine:
    with engine.connect().execution_options(writing=True) as db, db.begin():
        for statement in WORLD:
            db.exec_driver_sql(statement)
    return engine


def _bare(address: str) -> sa.Engine:
    engine = sa.create_engine(address)

    @sa.event.listens_for(engine, "connect")
    def _plain(connection: Any, _: Any) -> None:
        connection.isolation_level = None

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


@contextmanager
def trial(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction of which nothing stays."""
    with engine.connect() as db:
        begun = db.begin()
        try:
            yield db
        finally:
            begun.rollback()


def refused(db: sa.Connection, statement: str) -> str:
    """The words with which a statement fails."""
    with pytest.raises(sa.exc.IntegrityError) as caught:
        db.exec_driver_sql(statement)
    return str(caught.value.orig)


def run(db: sa.Connection, *statements: str) -> None:
    for statement in statements:
        assert db.exec_driver_sql(statement).rowcount != 0


def test_a_case_has_one_name():
    assert len(BY_NAME) == len(CASES)


@pytest.mark.parametrize("name", [case.name for case in CASES if not case.only])
def test_the_store_refuses(world: sa.Engine, name: str):
    tried(world, BY_NAME[name])


@ON_SQLITE
@pytest.mark.parametrize("name", [case.name for case in CASES if case.only])
def test_sqlite_refuses_what_only_it_could_do(world: sa.Engine, name: str):
    tried(world, BY_NAME[name])


def tried(world: sa.Engine, case: Case) -> None:
    """The lawful neighbour succeeds, the act does not."""
    with trial(world) as db:
        run(db, *case.before, *case.lawful)
    with trial(world) as db:
        run(db, *case.before)
        assert re.search(case.words, refused(db, case.act))


@pytest.mark.parametrize("name", [case.name for case in CASES if case.kept_by])
def test_without_its_rule_the_act_goes_through(by_hand: sa.Engine, name: str):
    """So the case is refused for its own reason, and the rule is not idle."""
    case = BY_NAME[name]
    with trial(by_hand) as db:
        run(db, *case.before)
        unguard(db, case)
        run(db, case.act)
    by_hand.dispose()  # the pragma is the connection's


def unguard(db: sa.Connection, case: Case) -> None:
    """Take away what keeps a case from happening."""
    for name in case.kept_by:
        if name == "check":
            db.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
        else:
            db.exec_driver_sql(f"DROP TRIGGER guard_{name}")


def test_every_rule_has_a_case():
    shown = {name for case in CASES for name in case.kept_by}
    assert {guard.name for guard in RULES} <= shown


def test_every_named_constraint_has_a_case():
    words = " ".join(case.words for case in CASES)
    rules = {
        str(rule.name)
        for table in schema.META.sorted_tables
        for rule in {*table.constraints, *(r for c in table.columns for r in c.constraints)}
        if rule.name and isinstance(rule, sa.CheckConstraint | sa.ForeignKeyConstraint)
    }
    unnamed = {"submission_status", "job_state", "mail_state", "batch_where_its_way_ends"}
    assert {rule for rule in rules if rule not in words} <= unnamed


def test_no_way_but_along_the_edges(world: sa.Engine):
    for name, to, held in NO_EDGES:
        with trial(world) as db:
            refused(db, step(name, to, held, actor="many"))


def test_an_edge_is_there_for_every_step_of_the_procedure(world: sa.Engine):
    with trial(world) as db:
        for name in (n for n in B if n.startswith("HOLD")):
            run(db, step(name, name.removeprefix("HOLD ")))


@pytest.mark.parametrize("table", KEPT)
def test_rows_are_never_deleted(world: sa.Engine, table: str):
    with trial(world) as db:
        assert db.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()
    with trial(world) as db:
        assert "记录不得删除" in refused(db, f"DELETE FROM {table}")
    if world.dialect.name == "postgresql":
        with trial(world) as db:
            assert "记录不得删除" in refused(db, f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize("table", [table.name for table in schema.APPEND_ONLY])
def test_rows_of_what_people_did_are_never_changed(world: sa.Engine, table: str):
    for column in schema.META.tables[table].columns:
        with trial(world) as db:
            assert "记录不得修改" in refused(db, f'UPDATE {table} SET "{column.name}" = "{column.name}"')


@ON_SQLITE
@pytest.mark.parametrize("table", KEPT)
def test_rows_are_never_replaced(world: sa.Engine, table: str):
    with trial(world) as db:
        refused(db, f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1")


@pytest.mark.parametrize("table", KEPT)
def test_without_its_triggers_a_table_could_be_changed(by_hand: sa.Engine, table: str):
    with trial(by_hand) as db:
        db.exec_driver_sql(f"DROP TRIGGER guard_{table}_delete")
        run(db, f"DELETE FROM {table}")
    if table in {t.name for t in schema.APPEND_ONLY}:
        column = next(iter(schema.META.tables[table].columns)).name
        with trial(by_hand) as db:
            db.exec_driver_sql(f"DROP TRIGGER guard_{table}_update")
            run(db, f"UPDATE {table} SET {column} = {column}")


def test_triggers_that_were_changed_or_taken_away_are_named(engine: sa.Engine):
    with engine.connect().execution_options(writing=True) as db, db.begin():
        assert guards.altered(db) == []
        table = " ON log" if db.dialect.name == "postgresql" else ""
        db.exec_driver_sql(f"DROP TRIGGER guard_log_delete{table}")
        assert guards.altered(db) == ["guard_log_delete"]


def test_a_trigger_with_another_condition_is_named(engine: sa.Engine):
    first = guards.all_guards(engine.dialect.name)[0]
    idle = guards.statements(
        guards.Guard(first.name, first.table, first.event, "false", ""), engine.dialect.name
    )
    with engine.connect().execution_options(writing=True) as db, db.begin():
        table = (
            f"FUNCTION guard_{first.name}() CASCADE"
            if db.dialect.name == "postgresql"
            else f"TRIGGER guard_{first.name}"
        )
        db.exec_driver_sql(f"DROP {table}")
        for statement in idle:
            db.exec_driver_sql(statement)
        assert guards.altered(db) == [f"guard_{first.name}"]
