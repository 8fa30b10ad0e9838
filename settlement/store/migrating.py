"""Bringing a home's database to this program's version: tables, then triggers, edges and built-in users."""

from __future__ import annotations

import datetime as dt
import hashlib
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from settlement import procedure
from settlement.errors import StoreError
from settlement.store import commits, guards
from settlement.store.schema import EDGE, MARK, SUBMISSION, USER, USER_ROLE

FOLDER = Path(__file__).parents[1] / "migrations"
# The steps in `migrations/versions`, oldest first; the first one is the database of release 0.1.0.
STEPS = ("0001", "0002", "0003")
HEAD = STEPS[-1]
MARKED = "rules"
BUILT_IN_SINCE = dt.date(1970, 1, 1)
# Two programs that open the same new database stand in line for this.
LOCK = "SELECT pg_advisory_xact_lock(5243000701)"
COUNT = {
    "sqlite": "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'guard_%'",
    "postgresql": "SELECT count(*) FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid "
    "WHERE left(tgname, 6) = 'guard_' AND tgenabled <> 'D' AND relnamespace = current_schema()::regnamespace",
}


def up_to_date(engine: sa.Engine) -> None:
    """Make or migrate the tables, then the triggers, the allowed edges and the built-in users.

    Raises:
        StoreError: the database cannot be opened, or was made by a newer program.
    """
    try:
        if not _is_current(engine):
            _bring(engine)
    except BaseException:
        engine.dispose()
        raise


def _bring(engine: sa.Engine) -> None:
    """Do it all in one transaction, so that a fault leaves the database as it was."""
    with engine.connect().execution_options(writing=True) as db, db.begin():
        if engine.dialect.name == "postgresql":
            db.exec_driver_sql(LOCK)
        version = _version(db)
        if version is not None and version not in STEPS:
            raise StoreError(
                f"数据库 {engine.url.render_as_string()} 的版本 {version} 比本程序所知的 {HEAD} 新。"
                "请改用新版程序,或从备份恢复。"
            )
        if version != HEAD:
            guards.drop(db)  # a table cannot be remade while triggers name it
            _upgrade(db, version)
        guards.install(db)
        _fill(db)
        if version == STEPS[0]:
            _adopt(db)
        commits.seal(db)


def _adopt(db: sa.Connection) -> None:
    """Open the batches of submissions that 0.1.0 took in, so that their months can go on from 已受理."""
    from settlement.store import batches  # it rests on this module
    from settlement.store.log import Act

    current = sa.select(SUBMISSION).where(SUBMISSION.c.current).order_by(SUBMISSION.c.id)
    for found in db.execute(current).fetchall():
        row = dict(found._mapping)
        words = "0.1.0 版登记的申报"
        act = Act(procedure.MACHINE, "intake", row["received_on"], words, row["region"], row["clr_ym"])
        batches.declare(db, act, row["id"], row, row["status"])


def _is_current(engine: sa.Engine) -> bool:
    """Whether there is nothing to do, at the price of one SELECT."""
    query = (
        "SELECT (SELECT version_num FROM alembic_version), "
        f"(SELECT value FROM schema_mark WHERE name = '{MARKED}'), ({COUNT[engine.dialect.name]})"
    )
    digest, count = added_rules(engine.dialect.name)
    try:
        opened = engine.connect()
    except sa.exc.DBAPIError as fault:
        words = str(fault.orig).splitlines()[0]
        raise StoreError(
            f"数据库 {engine.url.render_as_string()} 无法打开:{words}。请检查地址与权限。"
        ) from fault
    with opened as db:
        try:
            return tuple(db.exec_driver_sql(query).one()) == (HEAD, digest, count)
        except (sa.exc.OperationalError, sa.exc.ProgrammingError):  # no such table yet
            return False


@cache
def added_rules(dialect: str) -> tuple[str, int]:
    """Digest of everything that is put into a database beside its tables, and how many triggers there are."""
    made = guards.all_guards(dialect)
    texts = [text for guard in made for text in guards.statements(guard, dialect)]
    facts = repr((texts, procedure.EDGES, _built_in()))
    return hashlib.sha256(facts.encode()).hexdigest(), len(made)


def _version(db: sa.Connection) -> str | None:
    """The step a database stands at; None for one without tables."""
    tables = sa.inspect(db)
    if tables.has_table("alembic_version"):
        return db.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return STEPS[0] if tables.has_table("submission") else None


def _upgrade(db: sa.Connection, version: str | None) -> None:
    from alembic import command  # slow to import, and only a new or old home needs it
    from alembic.config import Config

    config = Config(attributes={"connection": db})
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    if version == STEPS[0]:
        command.stamp(config, version)
    command.upgrade(config, HEAD)


def _built_in() -> list[tuple[str, str]]:
    return [(procedure.MACHINE, procedure.SYSTEM), *procedure.ROBOTS.items()]


def _fill(db: sa.Connection) -> None:
    """Add the edges and built-in users that are not there, and remember what was installed."""
    known = {tuple(row) for row in db.execute(sa.select(EDGE))}
    edges = [dict(zip(EDGE.c.keys(), e, strict=True)) for e in procedure.EDGES if e not in known]
    names = set(db.execute(sa.select(USER.c.name)).scalars())
    held = {tuple(row) for row in db.execute(sa.select(USER_ROLE.c.name, USER_ROLE.c.role))}
    since = {"added_on": BUILT_IN_SINCE, "added_by": procedure.MACHINE}
    people = [
        {"name": name, "full_name": procedure.ROLES[role][0], **since}
        for name, role in _built_in()
        if name not in names
    ]
    roles = [{"name": name, "role": role} for name, role in _built_in() if (name, role) not in held]
    for table, rows in ((EDGE, edges), (USER, people), (USER_ROLE, roles)):
        if rows:
            db.execute(table.insert(), rows)
    db.execute(MARK.delete().where(MARK.c.name == MARKED))
    db.execute(MARK.insert().values(name=MARKED, value=added_rules(db.dialect.name)[0]))
