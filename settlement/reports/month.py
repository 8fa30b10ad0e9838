"""Write all documents of a month."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from settlement.reports import findings, ledgers, pooled, prepare, statement, voucher
from settlement.reports.dossier import FINDINGS, NOTICES, PAPERS, STATEMENTS, Context
from settlement.reports.facts import MonthFacts
from settlement.reports.institution import write_institutions
from settlement.reports.proof import write_proof
from settlement.reports.rule_stats import write_rule_stats
from settlement.reports.summary import write_summary

# What this module writes only when it is due, so that it may have to go again.
OWN = {
    "": (voucher.FILE, *(file for file, *_ in ledgers.FILES)),
    STATEMENTS: (f"institutions/*/{statement.FILE}",),
    FINDINGS: (f"institutions/*/{findings.FILE}", f"institutions/*/{prepare.FINDING_CSV}"),
    NOTICES: (f"institutions/*/{prepare.FAULT_CSV}", "institutions/*/*受理通知书*.xlsx"),
}


def write_month(
    facts: MonthFacts,
    folder: Path,
    papers: frozenset[str] = PAPERS,
    processes: int = 2,
    progress: pooled.Progress | None = None,
) -> list[Path]:
    """Write the documents of a month for people.

    Args:
        facts: what the documents show; `facts.lang` is the language of every label.
        folder: where they go; the institutions' own in `institutions/<fixmedins_code>/`.
        papers: which of the institutions' own are written; the fund's always are.
        processes: worker processes for a month with many institutions.
        progress: called with institutions done and institutions in all.

    Returns:
        The files written, in order. The same facts give the same bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    month = prepare.context(facts, folder, papers)
    written = _institutions(facts, month, processes, progress) if papers else []
    written += [write_summary(facts, month), write_rule_stats(facts, month)]
    written.append(write_proof(facts, month))
    if _settled(facts):
        written += [*voucher.write_voucher(facts, month), *ledgers.write_ledgers(facts, month)]
    _clear(folder, set(written), papers)
    return sorted(written)


def write_notices(facts: MonthFacts, folder: Path, processes: int = 2) -> list[Path]:
    """Write what institutions are told of their submissions; this needs no audit yet."""
    folder.mkdir(parents=True, exist_ok=True)
    month = prepare.context(facts, folder, frozenset({NOTICES}))
    return sorted(_institutions(facts, month, processes, None))


def _settled(facts: MonthFacts) -> bool:
    return not (facts.payment.is_empty() and facts.clearing.is_empty())


def _institutions(
    facts: MonthFacts, month: Context, processes: int, progress: pooled.Progress | None
) -> list[Path]:
    """Write the institutions' own documents, the largest institution first."""
    codes = facts.submissions["fixmedins_code"].n_unique()
    write = partial(write_institutions, month=month)
    with pooled.workers(write, codes, processes) as pool:
        parts = prepare.split(facts, month)
        dossiers = [prepare.dossier(code, parts, month, settled=_settled(facts)) for code in parts.codes]
        dossiers.sort(key=lambda dossier: (-dossier.size, dossier.code))
        results = pooled.begin(pool, write, dossiers)
        written = [path for code in parts.codes for path in prepare.write_lists(code, parts, month)]
        return written + pooled.collect(results, len(dossiers), progress)


def _clear(folder: Path, written: set[Path], papers: frozenset[str]) -> None:
    """Remove what an earlier run left and this one no longer says, such as a withdrawn refusal.

    Only documents of this module go; what other steps put beside them stays.
    """
    patterns = [pattern for paper in ("", *papers) for pattern in OWN[paper]]
    for path in sorted({path for pattern in patterns for path in folder.glob(pattern)} - written):
        path.unlink()
