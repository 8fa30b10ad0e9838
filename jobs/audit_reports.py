"""Ready-made reports for auditors over months and regions: what there is, and how one is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs import duty_report, late_report, overruled_report, parameter_report
from jobs.scope import Scope
from settlement.errors import SettlementError
from settlement.labels import label
from settlement.reports.pages import Page, write_pages

REPORTS: dict[str, Callable[[Scope], list[Page]]] = {
    "overruled": overruled_report.pages,
    "duties": duty_report.pages,
    "parameters": parameter_report.pages,
    "late": late_report.pages,
}


@dataclass(frozen=True)
class Report:
    """A written report: its file, and its rows by sheet."""

    path: Path
    sheets: dict[str, list[dict[str, Any]]]


def titles(lang: str) -> dict[str, str]:
    """Return what each report is about."""
    return {name: label(f"audit.about_{name}", lang) for name in REPORTS}


def report(scope: Scope, name: str, folder: Path) -> Report:
    """Write a ready-made report into a folder.

    Args:
        scope: which regions and months, as of which day.
        name: one of `REPORTS`.
        folder: where the workbook goes.

    Raises:
        SettlementError: there is no such report.
    """
    if name not in REPORTS:
        raise SettlementError(f"没有报告 {name}。可用:{'、'.join(REPORTS)}(settle history reports)。")
    pages, title = REPORTS[name](scope), label(f"audit.doc_{name}", scope.lang)
    subtitle = " · ".join(
        (scope.places, scope.span, label("audit.as_of", scope.lang).format(day=scope.today))
    )
    path = folder / f"{title}_{scope.mark}.xlsx"
    write_pages(path, title, subtitle, pages, scope.last, scope.lang)
    return Report(path, {label(page.name, scope.lang): page.rows.to_dicts() for page in pages})
