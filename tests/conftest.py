"""Databases for tests: SQLite files and a PostgreSQL server of the tests' own."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
import sqlalchemy as sa

from settlement import store
from tests import audit_world, postgres
from tests.submissions import Office

# How long an example takes says more of the machine than of the code.
hypothesis.settings.register_profile("settlement", deadline=None)
hypothesis.settings.load_profile("settlement")

DATABASES = ("sqlite", "postgresql")
TEMPLATE = "as_new"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The folder of a running server's socket; skipped where PostgreSQL is missing, but never in CI."""
    try:
        postgres.programs()
    except postgres.NoServer as fault:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(str(fault))
    with postgres.server() as host:
        yield host


@pytest.fixture(scope="session")
def empty_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], str]:
    """Make a database without tables; returns its address."""

    def made(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path_factory.mktemp('database') / 'settlement.db'}"
        return postgres.make(request.getfixturevalue("postgres_server"), f"t{uuid.uuid4().hex}")

    return made


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], sa.Engine]]:
    """Open a database as the program does, in a home of its own."""
    engines: list[sa.Engine] = []

    def made(address: str) -> sa.Engine:
        home = tmp_path_factory.mktemp("home")
        write_settings(home, address)
        engines.append(store.open_store(home).engine)
        return engines[-1]

    yield made
    for engine in engines:
        engine.dispose()


@pytest.fixture(scope="session")
def new_database(
    request: pytest.FixtureRequest,
    empty_database: Callable[[str], str],
    opened: Callable[[str], sa.Engine],
) -> Callable[[str], str]:
    """Make a database with the tables of this program, as a copy of one made once; returns its address."""
    templates: dict[str, str] = {}

    def made(kind: str) -> str:
        host = request.getfixturevalue("postgres_server") if kind == "postgresql" else ""
        if kind not in templates:
            templates[kind] = postgres.make(host, TEMPLATE) if host else empty_database(kind)
            opened(templates[kind]).dispose()  # an open connection would keep it from being copied
        if host:
            return postgres.make(host, f"t{uuid.uuid4().hex}", TEMPLATE)
        address = empty_database(kind)
        shutil.copyfile(str(sa.make_url(templates[kind]).database), str(sa.make_url(address).database))
        return address

    return made


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, new_database: Callable[[str], str]) -> Iterator[str]:
    """The address of a fresh database, once on SQLite and once on PostgreSQL."""
    address = new_database(request.param)
    yield address
    if request.param == "postgresql":
        url = sa.make_url(address)
        postgres.remove(str(url.query["host"]), str(url.database))


@pytest.fixture
def home(tmp_path: Path, database: str) -> Path:
    """A home folder whose database is the fresh one."""
    folder = tmp_path / "home"
    write_settings(folder, database)
    return folder


@pytest.fixture
def engine(home: Path) -> Iterator[sa.Engine]:
    """The program's own way into the fresh database."""
    opened = store.open_store(home).engine
    yield opened
    opened.dispose()


@pytest.fixture(scope="session")
def three_months(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """Three settled months of three institutions; tests only add to its log."""
    return audit_world.built(tmp_path_factory.mktemp("three_months"))


def write_settings(home: Path, address: str) -> None:
    """Make a home that says where its database is."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "settle.toml").write_text(f'[database]\nurl = "{address}"\n', encoding="utf-8")
