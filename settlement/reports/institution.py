"""All workbooks of one institution; this is what a worker process runs."""

from __future__ import annotations

from pathlib import Path

from settlement.reports.dossier import FINDINGS, NOTICES, STATEMENTS, Context, Dossier
from settlement.reports.findings import write_findings
from settlement.reports.notice import write_notice
from settlement.reports.statement import write_statement


def write_institution(dossier: Dossier, month: Context) -> list[Path]:
    """Write an institution's notices, its statement and its deduction list, each if it is due and wanted."""
    folder = month.folder / "institutions" / dossier.folder
    written = []
    if NOTICES in month.papers:
        written += [write_notice(notice, dossier, month, folder) for notice in dossier.notices]
    if dossier.settled and STATEMENTS in month.papers:
        written.append(write_statement(dossier, month, folder))
    if dossier.rules and FINDINGS in month.papers:
        written.append(write_findings(dossier, month, folder))
    return written


def write_institutions(dossiers: list[Dossier], month: Context) -> list[Path]:
    """Write the workbooks of several institutions."""
    return [path for dossier in dossiers for path in write_institution(dossier, month)]
