"""The workflow database: opening it, reading, and writing in one transaction at a time.

Writers stand in line (BEGIN IMMEDIATE on SQLite, a lock on the log on PostgreSQL), so whoever comes
second reads what the first one left and is told so; readers never wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from settlement import settings
from settlement.errors import ProcedureError, StoreError
from settlement.store import commits, migrating

PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=60000")


@dataclass(frozen=True)
class Store:
    """A home folder with its database."""

    home: Path
    engine: sa.Engine
    settings: settings.Settings

    def month_folder(self, region: str, month: Any) -> Path:  # noqa: ANN401 - a date
        """Return the folder of a region's month, e.g. `outputs/langfang/2026-04`."""
        return self.home / region / f"{month:%Y-%m}"


def open_store(home: Path) -> Store:
    """Open a home folder, making it and its database, or bringing the database up to date."""
    home = home.absolute()
    home.mkdir(parents=True, exist_ok=True)
    chosen = settings.load(home)
    engine = engine_at(chosen.database.url or f"sqlite:///{home / 'settlement.db'}")
    migrating.up_to_date(engine)
    return Store(home, engine, chosen)


def engine_at(url: str) -> sa.Engine:
    """Open the database at an address; every connection begins its transactions itself.

    Raises:
        StoreError: a database of another kind than SQLite or PostgreSQL.
    """
    address = sa.make_url(url)
    if address.get_backend_name() == "postgresql":
        return sa.create_engine(address.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
    if address.get_backend_name() != "sqlite":
        raise StoreError(f"数据库 {address.get_backend_name()} 不受支持,可用:sqlite、postgresql。")
    engine = sa.create_engine(address)

    @sa.event.listens_for(engine, "connect")
    def _safe(connection: Any, _: Any) -> None:  # noqa: ANN401 - the driver's own classes
        connection.isolation_level = None  # the driver would begin too late; `_begin` does it
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        writing = connection.get_execution_options().get("writing", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


@contextmanager
def writing(store: Store) -> Iterator[sa.Connection]:
    """Open the one writing transaction; a broken rule of the procedure becomes a ProcedureError.

    Raises:
        ProcedureError: a constraint or trigger refused the change; nothing of it is kept.
    """
    try:
        with store.engine.connect().execution_options(writing=True) as db, db.begin():
            if db.dialect.name == "postgresql":
                db.exec_driver_sql("LOCK TABLE log IN EXCLUSIVE MODE")
            yield db
            commits.seal(db)
    except sa.exc.IntegrityError as fault:
        raise ProcedureError(f"数据库拒绝了这一步:{_words(fault)}") from fault


def _words(fault: sa.exc.IntegrityError) -> str:
    """The database's own words without the statement's values, which may be personal."""
    return str(fault.orig).splitlines()[0]
