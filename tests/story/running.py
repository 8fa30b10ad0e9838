"""Running the story's commands in this process, and looking at what they left behind."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from jobs import cli
from settlement import store
from settlement.reports import proof
from settlement.store.schema import COMMIT, META, VERSION
from tests.story import world
from tests.story.acts import Act
from tests.story.papers import Place

LOG_HEAD = re.compile(rb"(?<=[0-9]:)[0-9a-f]{64}")
# Columns that depend on the time of day, or on the folder a submission was unpacked in.
PASSING = {"log": ("at", "hash", "prev_hash", "record_hash"), "stored_file": ("path", "digest")}


@dataclass(frozen=True)
class Done:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


def settle(argv: Sequence[str]) -> Done:
    """Run the command line in this process."""
    out, err, before = io.StringIO(), io.StringIO(), sys.argv
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), _engines_closed():
        sys.argv = ["settle", *argv]
        try:
            cli.main()
            code: Any = 0
        except SystemExit as ended:
            code = ended.code
        finally:
            sys.argv = before
    return Done(int(code or 0), out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _engines_closed() -> Iterator[None]:
    """Close the databases a command opened, as the end of a process does."""
    opened, real = [], store.open_store

    def remembered(home: Path) -> store.Store:
        opened.append(real(home))
        return opened[-1]

    store.open_store = remembered
    try:
        yield
    finally:
        store.open_store = real
        for one in opened:
            one.engine.dispose()


def lay_out(outside: Path) -> None:
    """Write what institutions send and what is loaded."""
    world.send(outside / "sent")
    world.reference(outside / "reference")


def prepare(act: Act, place: Place) -> None:
    """Fill in the paper of an act, if it has one."""
    place.inbox.mkdir(parents=True, exist_ok=True)
    if act.paper:
        act.paper(place)


# ---- what is left behind ----


State = tuple[dict[str, list[tuple[str, ...]]], dict[str, str]]


def state(home: Path) -> State:
    """Everything a home holds: its rows and its files."""
    return rows(home), files(home)


def differing(got: State, wanted: State) -> list[str]:
    """Name what is not the same: tables with a row too many or too few, and files."""
    found = []
    for name, now in got[0].items():
        was = wanted[0].get(name, [])
        if now != was:
            more, less = sorted(set(now) - set(was)), sorted(set(was) - set(now))
            found.append(f"{name} {len(now)} 行(应 {len(was)}):多 {more[:2]} 少 {less[:2]}")
    return found + sorted(n for n in {*got[1], *wanted[1]} if got[1].get(n) != wanted[1].get(n))


def rows(home: Path) -> dict[str, list[tuple[str, ...]]]:
    """Every row of the workflow database, without what passes."""
    opened = store.open_store(home)
    try:
        with opened.engine.connect() as db:
            return {t.name: sorted(_rows(db, t)) for t in META.sorted_tables if t not in (COMMIT, VERSION)}
    finally:
        opened.engine.dispose()


def _rows(db: sa.Connection, table: sa.Table) -> Iterator[tuple[str, ...]]:
    kept = [c for c in table.columns if c.name not in (*PASSING.get(table.name, ()), "commit_no")]
    for row in db.execute(sa.select(*kept)):
        facts = dict(row._mapping)
        if table.name == "submission":
            facts["facts"] = {k: v for k, v in facts["facts"].items() if k != "src"}
        yield tuple(map(repr, facts.values()))


def _content(path: Path) -> bytes:
    """What a file holds; of the proof all but the hash of the log's head, which covers the time of day."""
    if path.name != proof.FILE:
        return path.read_bytes()
    with zipfile.ZipFile(path) as book:
        return b"".join(LOG_HEAD.sub(b"", book.read(name)) for name in sorted(book.namelist()))


def files(home: Path, *folders: str) -> dict[str, str]:
    """The SHA-256 of every file people read, by path in the home."""
    found = {}
    for name in folders or (world.REGION, "calendars", "received"):
        for folder, _, names in os.walk(home / name):
            # A file in the making has a hidden name; where the power went, half of it may stay.
            for each in (name for name in names if not name.startswith(".")):
                path = Path(folder) / each
                found[path.relative_to(home).as_posix()] = hashlib.sha256(_content(path)).hexdigest()
    return found
