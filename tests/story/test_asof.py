"""The record as it stood after every commit of the story, against copies kept at those moments."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from settlement import store
from settlement.errors import StoreError
from settlement.history import open_views
from settlement.history.declared import VIEWS
from settlement.store import asof, commits
from settlement.store.schema import COMMIT, LOG, STAYING, TRACKED, VERSION
from tests.story import running
from tests.story.telling import Telling


@pytest.fixture(scope="module")
def now(story: Telling) -> Iterator[sa.Connection]:
    """The record as it is at the end of the story."""
    opened = store.open_store(story.place.home)
    with opened.engine.connect() as db:
        yield db
    opened.engine.dispose()


@pytest.mark.parametrize("of", [*TRACKED, *STAYING], ids=lambda of: of.name)
def test_every_table_after_every_commit_is_as_it_was_kept(story: Telling, now: sa.Connection, of: sa.Table):
    own = [i for i, c in enumerate(of.columns) if c.name != "commit_no"]
    keys = [i for i, c in enumerate(c for c in of.columns if c.name != "commit_no") if c.primary_key]
    for number, kept in story.commits.items():
        rows = [tuple(_text(row[i]) for i in own) for row in kept[of.name]]
        rows.sort(key=lambda row: [row[i] for i in keys])
        assert asof.table(now, of, number).rows() == rows, number


def _text(value: object) -> object:
    """JSON as a frame has it."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True) if isinstance(value, dict) else value


def test_no_commit_is_left_out(story: Telling, now: sa.Connection):
    every = [commit.no for commit in commits.every(now)]
    assert every == list(range(1, len(every) + 1))
    # the first is that of the new home itself
    assert set(every) == {1, *story.commits}
    assert len(every) > len(story.told) / 2
    assert list(commits.breaks(now)) == []


def test_a_moment_is_the_last_commit_up_to_it(now: sa.Connection):
    every = commits.every(now)
    for commit in every[1:]:
        found = commits.at(now, commit.at.replace("T", " "))
        assert found.at == commit.at
        assert found.no >= commit.no
        assert commits.at(now, f"#{commit.no}") == commit
    same = [a for a, b in pairwise(every) if a.at == b.at]
    assert same, "two commits in one second are told apart by their numbers"
    day = every[-1].at[:10]
    assert commits.at(now, day) == every[-1]


def test_every_entry_of_the_log_belongs_to_a_commit(now: sa.Connection):
    rows = now.execute(
        sa.select(LOG.c.seq, LOG.c.commit_no, LOG.c.record_hash).order_by(LOG.c.seq)
    ).fetchall()
    ends = {row.no: row.log_seq for row in now.execute(sa.select(COMMIT.c.no, COMMIT.c.log_seq))}
    hashes = {row.no: row.hash for row in now.execute(sa.select(COMMIT.c.no, COMMIT.c.hash))}
    for row in rows:
        assert ends.get(row.commit_no - 1, 0) < row.seq <= ends[row.commit_no]
        assert row.record_hash == hashes[row.commit_no - 1]


@pytest.mark.parametrize("moment", ["1999-01-01", "yesterday", "#", "#x", ""])
def test_a_moment_that_is_none_is_refused(now: sa.Connection, moment: str):
    with pytest.raises(StoreError):
        commits.at(now, moment)


# ---- what was done to rows by hand is found ----

HAND = {
    "changed": "UPDATE {table} SET {column} = {other} WHERE rowid = (SELECT max(rowid) FROM {table})",
    "gone": "DELETE FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table})",
    "added": "INSERT INTO {table} SELECT {copied} FROM {table} ORDER BY rowid DESC LIMIT 1",
}
HANDS = [what if what == "changed" else pytest.param(what, marks=pytest.mark.heavy) for what in HAND]


@pytest.mark.parametrize("what", HANDS)
@pytest.mark.parametrize("of", [*TRACKED, *STAYING], ids=lambda of: of.name)
def test_a_row_touched_by_hand_is_named_with_its_table(
    story: Telling, tmp_path: Path, of: sa.Table, what: str
):
    with closing(sqlite3.connect(tmp_path / "settlement.db")) as copy:
        with closing(sqlite3.connect(story.place.home / "settlement.db")) as source:
            source.backup(copy)
        if not copy.execute(f"SELECT 1 FROM {of.name}").fetchone():
            pytest.skip("the story leaves no row in this table")
        for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            copy.execute(f"DROP TRIGGER {name}")
        copy.execute("PRAGMA ignore_check_constraints = ON")
        for (name,) in copy.execute(
            "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE UNIQUE INDEX%'"
        ).fetchall():
            copy.execute(f"DROP INDEX {name}")
        copy.execute(HAND[what].format(**_of(of)))
        copy.commit()
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'settlement.db'}")
    with engine.connect() as db:
        found = list(commits.breaks(db))
    engine.dispose()
    assert found
    assert any(f"表 {of.name} " in fault for fault in found), found
    if of is not VERSION:
        assert len(found) == 1, found


def _of(of: sa.Table) -> dict[str, str]:
    """A column that is no key, another value for it, and a row like the last one under another key."""
    keys = [c.name for c in of.primary_key.columns]
    unique = {c.name for u in of.constraints if isinstance(u, sa.UniqueConstraint) for c in u.columns}
    free = [c for c in of.columns if c.name not in {*keys, *unique, "commit_no"}]
    column = next((c for c in free if isinstance(c.type, sa.String)), (free or [of.columns[keys[-1]]])[0])
    other = f"'x' || {column.name}" if isinstance(column.type, sa.String) else f"{column.name} + 7000"
    if isinstance(column.type, sa.Boolean):
        other = f"1 - {column.name}"
    if isinstance(column.type, sa.JSON):
        other = """'{"x": 1}'"""
    copied = ", ".join(_changed(c) if c.name in {*keys, *unique} else f'"{c.name}"' for c in of.columns)
    return {"table": of.name, "column": f'"{column.name}"', "other": other, "copied": copied}


def _changed(column: sa.Column[object]) -> str:
    text = isinstance(column.type, sa.String)
    return f"""'x' || "{column.name}\"""" if text else f'"{column.name}" + 70000'


def test_a_commit_altered_or_taken_away_is_named(story: Telling, tmp_path: Path):
    for number, change in enumerate((
        "UPDATE record_commit SET added = '{}' WHERE no = 40",
        "DELETE FROM record_commit WHERE no = 40",
        "UPDATE record_commit SET at = '2020-01-01T00:00:00' WHERE no = 40",
    )):  # fmt: skip
        place = tmp_path / f"{number}.db"
        with closing(sqlite3.connect(place)) as copy:
            with closing(sqlite3.connect(story.place.home / "settlement.db")) as source:
                source.backup(copy)
            for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                copy.execute(f"DROP TRIGGER {name}")
            copy.execute(change)
            copy.commit()
        engine = sa.create_engine(f"sqlite:///{place}")
        with engine.connect() as db:
            assert any("提交 4" in fault for fault in commits.breaks(db)), change
        engine.dispose()


# ---- on the other database ----


def test_on_postgresql_every_commit_shows_the_same(on_postgresql: Telling, now: sa.Connection):
    opened = store.open_store(on_postgresql.place.home)
    with opened.engine.connect() as db:
        assert list(commits.breaks(db)) == []
        every = [commit.no for commit in commits.every(db)]
        assert every == [commit.no for commit in commits.every(now)]
        for number in every[::15]:
            for of in (t for t in (*TRACKED, *STAYING) if t is not VERSION):
                passing = {
                    *running.PASSING.get(of.name, ()),
                    *(("facts",) if of.name == "submission" else ()),
                }
                theirs, ours = (
                    sorted(map(repr, asof.table(one, of, number).drop(passing, strict=False).rows()))
                    for one in (db, now)
                )
                assert theirs == ours, (of.name, number)
    opened.engine.dispose()


# ---- questions to history as of a moment ----


@pytest.mark.parametrize("turn", range(6, 90, 12))
def test_every_view_as_of_a_moment_is_that_of_the_home_kept_then(
    story: Telling, now: sa.Connection, turn: int, tmp_path: Path
):
    kept = tmp_path / "home"
    shutil.copytree(story.homes[turn], kept)
    opened = store.open_store(kept)
    with opened.engine.connect() as db:
        commit = commits.newest(db)
    opened.engine.dispose()
    assert commits.at(now, f"#{commit.no}") == commit
    for view in VIEWS:
        question = f"SELECT * FROM {view} ORDER BY ALL"
        with open_views(kept) as then, open_views(story.place.home, commit=commit.no) as again:
            assert again.sql(question).rows.equals(then.sql(question).rows), view


@pytest.mark.parametrize("turn", [20, 45, 70])
def test_the_command_shows_and_writes_what_the_home_kept_then_shows_and_writes(
    story: Telling, turn: int, tmp_path: Path
):
    kept = tmp_path / "home"
    shutil.copytree(story.homes[turn], kept)
    then = said(kept, "history", "--out", str(tmp_path / "then"))
    again = said(
        story.place.home, "history", "--as-of", f"#{then['commit']}", "--out", str(tmp_path / "again")
    )
    assert again == then
    assert any(row["findings"] for row in then["months"])
    files = [name for name in then["files"] if not name.startswith("record/")]
    assert files
    assert {(tmp_path / "then" / n).read_bytes() == (tmp_path / "again" / n).read_bytes() for n in files} == {
        True
    }
    manifests = [(tmp_path / name / "manifest.json").read_text("utf-8") for name in ("then", "again")]
    assert manifests[0] == manifests[1]
    listed = said(story.place.home, "history", "commits", "--count", "1000")
    assert [row["no"] for row in listed] == sorted({row["no"] for row in listed})
    assert then["commit"] in {row["no"] for row in listed}


def said(home: Path, *words: str) -> Any:
    done = running.settle(["--home", str(home), "--json", *words])
    assert done.code == 0, done.said
    return json.loads(done.out)
