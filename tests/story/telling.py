"""Telling the story: every act in its order, and what was there before and after."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from settlement.store import commits
from settlement.store.schema import STAYING, TRACKED
from tests.story import running, world
from tests.story.acts import STORY, Act
from tests.story.papers import Place
from tests.story.running import Done, State

Told = tuple[Act, Done]
Rows = dict[str, list[tuple[object, ...]]]
EMPTY: State = ({}, {})


@dataclass
class Telling:
    """What happened.

    Attributes:
        place: the home at the end, and the papers from outside.
        told: every act with what came of it.
        homes: the home before each act and, last, at the end; only where they are kept.
        states: what was in each of them.
        closed: digests of a month's files as they were right after its last act.
        commits: every row as each commit left it, by its number; only where homes are kept.
    """

    place: Place
    told: list[Told] = field(default_factory=list)
    homes: list[Path] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    closed: dict[str, dict[str, str]] = field(default_factory=dict)
    commits: dict[int, Rows] = field(default_factory=dict)

    def at(self, words: str, month: str = "", turn: int = 0) -> int:
        """The number of the act whose command begins so; of several the `turn`-th."""
        found = [
            n
            for n, (act, _) in enumerate(self.told)
            if act.words.startswith(words) and month in ("", act.month)
        ]
        return found[turn]

    def before(self, number: int, folder: Path) -> Place:
        """A copy of the home as it was before an act, to do other things with."""
        home = folder / "home"
        shutil.copytree(self.homes[number], home)
        return Place(home, self.place.outside, self.told[number][0].month)

    def after(self, number: int, folder: Path) -> Place:
        """A copy of the home as an act left it."""
        home = folder / "home"
        shutil.copytree(self.homes[number + 1], home)
        return Place(home, self.place.outside, self.told[number][0].month)


def tell(folder: Path, keep: bool = False, outside: Path | None = None) -> Telling:
    """Run the story.

    Args:
        folder: where the home and the papers go.
        keep: whether to keep a copy of the home before every act.
        outside: papers of another telling, used again.
    """
    if outside is None:
        running.lay_out(folder / "outside")
    telling = Telling(Place(folder / "home", outside or folder / "outside"))
    for part, acts in STORY.items():
        for act in acts:
            if keep:
                _keep(telling, folder)
            here = Place(telling.place.home, telling.place.outside, act.month)
            if outside is None:
                running.prepare(act, here)
            with _each_commit(telling) if keep else nullcontext():
                done = running.settle(act.argv(here))
            # The rest of the story makes no sense after an act that went wrong.
            assert done.code == act.code, f"{act.day} {act.who} {act.words}\n{done.said}"
            telling.told.append((act, done))
        telling.closed[part] = running.files(telling.place.home, f"{world.REGION}/{part}")
    if keep:
        _keep(telling, folder)
    return telling


@contextmanager
def _each_commit(telling: Telling) -> Iterator[None]:
    """Keep a copy of all rows as every commit leaves them, seen from inside it."""
    real = commits.seal

    def seal(db: sa.Connection) -> int | None:
        number = real(db)
        if number is not None:
            telling.commits[number] = {
                t.name: [tuple(row) for row in db.execute(sa.select(t))] for t in (*TRACKED, *STAYING)
            }
        return number

    commits.seal = seal
    try:
        yield
    finally:
        commits.seal = real


def _keep(telling: Telling, folder: Path) -> None:
    copy = folder / "before" / f"{len(telling.homes):03d}"
    copy.parent.mkdir(exist_ok=True)
    telling.place.home.mkdir(exist_ok=True)
    shutil.copytree(telling.place.home, copy)
    telling.homes.append(copy)
    # Looked at in the home itself: what is kept is only ever copied.
    telling.states.append(running.state(telling.place.home) if telling.told else EMPTY)
