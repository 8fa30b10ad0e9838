"""Writing the files of many institutions, in several processes when there are enough of them."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

# Fewer institutions are written faster than a second process starts.
FEW, SLICE = 30, 6
Item = TypeVar("Item")
# Writes the files of some institutions; it goes to other processes, so it is a function of a module.
Write = Callable[[list[Item]], list[Path]]
Progress = Callable[[int, int], None]
Results = Iterator[tuple[int, list[Path]]]


@contextmanager
def workers(write: Write[Item], institutions: int, processes: int) -> Iterator[ProcessPoolExecutor | None]:
    """Open worker processes, None for few institutions, and let them start while the caller prepares.

    They are spawned, not forked: the frame library's threads do not survive a fork.
    """
    if processes < 2 or institutions < FEW:
        yield None
        return
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        for _ in range(processes):
            pool.submit(write, [])
        yield pool


def begin(pool: ProcessPoolExecutor | None, write: Write[Item], items: Sequence[Item]) -> Results:
    """Start writing; give how many items are done and their files, slice by slice as they finish.

    The largest items should come first, so that no process is left with one at the end.
    """
    slices = [list(items[i : i + SLICE]) for i in range(0, len(items), SLICE)]
    if pool is None:
        return ((len(part), write(part)) for part in slices)
    futures = {pool.submit(write, part): len(part) for part in slices}
    return ((futures[future], future.result()) for future in as_completed(futures))


def collect(results: Results, total: int, progress: Progress | None = None) -> list[Path]:
    """Wait for all files and return them; `progress` is called with items done and items in all."""
    written: list[Path] = []
    done = 0
    for count, paths in results:
        written += paths
        done += count
        if progress:
            progress(done, total)
    return written
