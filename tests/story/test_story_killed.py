"""The story with the power cut: killed at any point and run again, an act leaves what it would have left.

A process is ended with SIGKILL at the n-th of what it does: statements, commits, files written halfway,
moved, flushed, removed. Then the same command is run again.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

import pytest

from tests.story.papers import Place
from tests.story.runner import Ended, Runner, runners
from tests.story.running import differing, state
from tests.story.telling import Telling

pytestmark = pytest.mark.heavy
KILLS, SEED = 200, 20260301
ROUNDS = 4
# Exit codes with which a command may say that what it was asked for is done already.
SOBER = (0, 1, 3)
Item = TypeVar("Item")


@pytest.fixture(scope="module")
def waiting() -> Iterator[list[Runner]]:
    """Two processes to run commands in, one per core."""
    with runners(2) as started:
        yield started


def side_by_side(items: list[Item], work: Callable[[Runner, Item], None], waiting: list[Runner]) -> None:
    """Do something with every item, as many at once as there are processes."""
    free: SimpleQueue[Runner] = SimpleQueue()
    for runner in waiting:
        free.put(runner)

    def one(item: Item) -> None:
        runner = free.get()
        try:
            work(runner, item)
        finally:
            free.put(runner)

    with ThreadPoolExecutor(len(waiting)) as pool:
        list(pool.map(one, items))


@dataclass(frozen=True)
class Kill:
    """Killed in which act, at which event."""

    number: int
    at: int


@pytest.fixture(scope="module")
def events(story: Telling, waiting: list[Runner], tmp_path_factory: pytest.TempPathFactory) -> list[int]:
    """How many events each act has; unkilled, a process of its own leaves the same as the story."""
    folder = tmp_path_factory.mktemp("counting")
    counts = [0] * len(story.told)
    wrong: list[str] = []

    def count(runner: Runner, number: int) -> None:
        act, done = story.told[number]
        place = story.before(number, folder / f"{number}")
        ended = runner.run(act.argv(place))
        counts[number] = ended.events
        left = differing(state(place.home), story.states[number + 1])
        if ended.code != done.code or left:
            wrong.append(f"{act.words}: {ended.code} {ended.said} {left}")
        shutil.rmtree(place.home.parent)

    side_by_side(list(range(len(story.told))), count, waiting)
    assert not wrong, "\n".join(wrong)
    return counts


def chosen(events: list[int]) -> list[Kill]:
    """One point in every act, the others where most happens."""
    order = random.Random(SEED)
    kills = {Kill(number, order.randint(1, count)) for number, count in enumerate(events)}
    while len(kills) < KILLS:
        number = order.choices(range(len(events)), weights=events)[0]
        kills.add(Kill(number, order.randint(1, events[number])))
    return sorted(kills, key=lambda kill: (kill.number, kill.at))


def test_killed_at_any_point_and_run_again_an_act_leaves_what_it_would_have_left(
    story: Telling, waiting: list[Runner], events: list[int], tmp_path: Path
) -> None:
    kills = chosen(events)
    wrong: list[str] = []
    codes: Counter[int] = Counter()

    def end(runner: Runner, kill: Kill) -> None:
        act, done = story.told[kill.number]
        place = story.before(kill.number, tmp_path / f"{kill.number}-{kill.at}")
        first = runner.run(act.argv(place), kill_at=kill.at)
        again = [runner.run(act.argv(place)) for _ in range(1 + kill.at % 2)]
        faults = _faults(first, again, done.code)
        faults += differing(state(place.home), story.states[kill.number + 1])
        codes[again[0].code] += 1
        if faults:
            wrong.append(f"{act.words} 第 {kill.at}/{events[kill.number]} 处:{faults}")
        shutil.rmtree(place.home.parent)

    side_by_side(kills, end, waiting)
    per_act = Counter(story.told[kill.number][0].words.split(" {")[0].split(" --")[0] for kill in kills)
    print(f"杀死 {len(kills)} 次,再运行的退出码 {dict(codes)};按命令:{dict(per_act)}")

    assert len(kills) == KILLS
    assert not wrong, "\n".join(wrong)


def _faults(first: Ended, again: list[Ended], code: int) -> list[str]:
    """What is wrong with how the processes ended."""
    found = [] if first.killed else [f"没有被杀死:{first.code} {first.said[-300:]}"]
    for ended in again:
        if ended.code not in {*SOBER, code} or "Traceback" in ended.said:
            found.append(f"再运行 {ended.code}:{ended.said[-600:]}")
    return found


def test_a_story_killed_again_and_again_comes_to_the_same_end(
    story: Telling, waiting: list[Runner], tmp_path: Path
) -> None:
    killed: dict[int, int] = {}
    wrong: list[str] = []

    def live(runner: Runner, seed: int) -> None:
        order, killed[seed] = random.Random(seed), 0
        place = Place(tmp_path / f"{seed}" / "home", story.place.outside)
        place.home.parent.mkdir()
        for act, done in story.told:
            argv = act.argv(Place(place.home, place.outside, act.month))
            killed[seed] += sum(_killed(runner, argv, order) for _ in range(order.choice((0, 1, 1, 2))))
            ended = runner.run(argv)
            if ended.code not in {*SOBER, done.code} or "Traceback" in ended.said:
                wrong.append(f"{seed} {act.words}:{ended.code} {ended.said[-600:]}")
        wrong.extend(differing(state(place.home), story.states[-1]))

    side_by_side(list(range(ROUNDS)), live, waiting)
    print(f"每遍被杀死 {killed} 次")

    assert not wrong, "\n".join(wrong)
    assert min(killed.values()) > len(story.told) // 3


def _killed(runner: Runner, argv: list[str], order: random.Random) -> bool:
    """Run a command that is killed some time; early ones more often, because most commands are short."""
    return runner.run(argv, kill_after=0.01 + order.random() ** 2).killed
