"""Trends over the stored months of a region: the workbook, and the same as data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from jobs.books import MEMORY
from jobs.office import Office
from jobs.scope import Scope
from settlement import store, trends
from settlement.audit import rules_file
from settlement.labels import EN, label
from settlement.query import open_engine
from settlement.reports.frames import csv_frame, translated, write_csv
from settlement.reports.pages import header
from settlement.reports.trend_book import Trends, words_of, write_trends


@dataclass(frozen=True)
class Told:
    """Trends as written: rows by dimension, the alerts, and the files."""

    found: dict[str, pl.DataFrame]
    alerts: pl.DataFrame
    files: tuple[Path, ...]


def tell(scope: Scope, alert: trends.Alert, folder: Path) -> Told:
    """Write the trends of a region's stored months: xlsx, and each dimension as Parquet and CSV.

    Args:
        scope: one region and its months.
        alert: when a change is an alert.
        folder: where the files go.
    """
    home = scope.home
    con = open_engine(MEMORY, home.home / "work" / "spill")
    try:
        found = trends.trends(con, [_stored(office) for office in scope.offices], alert)
    finally:
        con.close()
    rules = {
        r.rule_id: f"{r.rule_id} {r.name_en if scope.lang == EN else r.name}" for r in rules_file.load_all()
    }
    institutions = dict(scope.names().select("fixmedins_code", "fixmedins_name").iter_rows())
    names = words_of(found, institutions, rules, scope.lang)
    shown = Trends(scope.places, scope.span, scope.last, found, alert, names)
    title = label("audit.doc_trends", scope.lang)
    files = [write_trends(folder / f"{title}_{scope.mark}.xlsx", shown, scope.lang)]
    for name, rows in found.items():
        full = rows.with_columns(translated("key", names[name]).alias("name"))
        full = full.select("key", "name", pl.exclude("key", "name"))
        stem = folder / f"trend_{name}_{scope.mark}"
        full.write_parquet(stem.with_name(f"{stem.name}.parquet"), compression="zstd", statistics=True)
        headers = {n: _header(n, scope.lang) for n in full.columns}
        files += [
            stem.with_name(f"{stem.name}.parquet"),
            write_csv(csv_frame(full, headers), stem.with_name(f"{stem.name}.csv")),
        ]
    return Told(found, trends.alerts_of(found), tuple(files))


def _stored(office: Office) -> trends.Stored:
    """The tables of a month's newest run, checked against their recorded digests."""
    run = store.newest(office.home, office.region, office.first, "settlements")
    paid = store.kept_path(office.home, run, "payment") if "payment" in run["paths"] else None
    names = ("settlements", "findings", "finding_funds")
    settlements, findings, funds = (store.kept_path(office.home, run, name) for name in names)
    return trends.Stored(office.clr_ym, settlements, findings, funds, paid)


def _header(name: str, lang: str) -> str:
    """Header of a column in a CSV: a measure, the same a month before, or its change."""
    for suffix in ("_before", "_change"):
        if name.endswith(suffix):
            return f"{label('audit.m_' + name.removesuffix(suffix), lang)} {label('audit.m' + suffix, lang)}"
    every = {measure for measures in trends.MEASURES.values() for measure, _ in measures}
    return label(f"audit.m_{name}", lang) if name in every else header(name, lang)
