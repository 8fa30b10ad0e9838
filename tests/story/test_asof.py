"""The record as it stood after every commit of the story, against copies kept at those moments."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
import sqlalchemy as sa

from settlement import store
from settlement.errors import StoreError
from settlement.store import asof, commits
from settlement.store.schema import COMMIT, LOG, STAYING, TRACKED
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
        rows = [tuple(row[i] for i in own) for row in kept[of.name]]
        rows.sort(key=lambda row: [row[i] for i in keys])
        assert asof.table(now, of, number).rows() == rows, number


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
