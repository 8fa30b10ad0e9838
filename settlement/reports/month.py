"""Write all documents of a month."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import nullcontext
from pathlib import Path

from settlement.reports import prepare
from settlement.reports.dossier import Context, Dossier
from settlement.reports.facts import MonthFacts
from settlement.reports.institution import write_institutions
from settlement.reports.proof import write_proof
from settlement.reports.rule_stats import write_rule_stats
from settlement.reports.summary import write_summary

# Fewer institutions are written faster than a second process starts.
FEW = 30
SLICE = 6
Progress = Callable[[int, int], None]


def write_month(
    facts: MonthFacts, folder: Path, processes: int = 2, progress: Progress | None = None
) -> list[Path]:
    """Write the documents of a month for people.

    Args:
        facts: what the documents show; `facts.lang` is the language of every label.
        folder: where they go; the institutions' own in `institutions/<fixmedins_code>/`.
        processes: worker processes for a month with many institutions.
        progress: called with institutions done and institutions in all.

    Returns:
        The files written, in order. The same facts give the same bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    month = prepare.context(facts, folder)
    codes = facts.submissions["fixmedins_code"].n_unique()
    with _pool(processes if codes >= FEW else 1, month) as pool:
        parts = prepare.split(facts, month)
        settled = not (facts.payment.is_empty() and facts.clearing.is_empty())
        dossiers = [prepare.dossier(code, parts, month, settled=settled) for code in parts.codes]
        results = _rendered(pool, dossiers, month)
        written = [path for code in parts.codes for path in prepare.write_lists(code, parts, month)]
        written += [write_summary(facts, month), write_rule_stats(facts, month)]
        written.append(write_proof(facts, month))
        done = 0
        for count, paths in results:
            written += paths
            done += count
            if progress:
                progress(done, len(dossiers))
    _clear(folder / "institutions", set(written))
    return sorted(written)


def _clear(folder: Path, written: set[Path]) -> None:
    """Remove what an earlier run left and this one no longer says, such as a withdrawn refusal."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path not in written:
            path.unlink()


def _pool(processes: int, month: Context) -> ProcessPoolExecutor | nullcontext[None]:
    """Open worker processes and let them start while the frames are still being split.

    They are spawned, not forked: the frame library's threads do not survive a fork.
    """
    if processes < 2:
        return nullcontext()
    pool = ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn"))
    for _ in range(processes):
        pool.submit(write_institutions, [], month)
    return pool


def _rendered(
    pool: ProcessPoolExecutor | None, dossiers: list[Dossier], month: Context
) -> Iterator[tuple[int, list[Path]]]:
    """Render the institutions, the largest first; gives how many and their files, as they finish."""
    by_size = sorted(dossiers, key=lambda dossier: (-dossier.size, dossier.code))
    slices = [by_size[i : i + SLICE] for i in range(0, len(by_size), SLICE)]
    if pool is None:
        return ((len(part), write_institutions(part, month)) for part in slices)
    futures = {pool.submit(write_institutions, part, month): len(part) for part in slices}
    return ((futures[future], future.result()) for future in as_completed(futures))
