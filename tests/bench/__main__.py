"""Measure a month of 1,000,000 settlements and 10,000,000 lines against DuckDB's own copy.

    python -m tests.bench [--data DIR] [--lines 10000000]

(a) DuckDB alone reads the same CSV files typed and writes Parquet, before and after the rest, since the
machine's speed drifts, and their mean counts; (b) intake and acceptance; (c) the
rules; (d) payment and documents. Every step runs in a process of its own, so that its peak memory is
its own; c and d share one, because d goes on from what c holds. Prints seconds, ratios to (a), peaks.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import polars as pl

from jobs import books, documents, monthly, taking_in
from schemas.layout import table
from schemas.submission import FeeListD, SetlD
from settlement import reference, store

ROOT = Path(__file__).parent.parent.parent
REGION, MONTH, RECEIVED = "guide5", dt.date(2026, 4, 1), dt.date(2026, 5, 8)
AIMS = {"b": 1.5, "c": 0.7, "d": 0.5, "all": 2.5}


def sql_type(dtype: pl.DataType) -> str:
    """Return DuckDB's name of a polars type."""
    if isinstance(dtype, pl.Decimal):
        return f"DECIMAL({dtype.precision},{dtype.scale})"
    return {pl.Date: "DATE", pl.Datetime: "TIMESTAMP"}.get(dtype.base_type(), "VARCHAR")


def plain_copy(data: Path, home: Path) -> dict[str, float]:
    """(a) DuckDB reads the submissions' settlements and lines typed and writes Parquet."""
    con = duckdb.connect(config={"memory_limit": "3GB", "temp_directory": str(home / "spill")})
    begin = time.perf_counter()
    for model in (SetlD, FeeListD):
        about = table(model)
        files = sorted(str(p) for p in data.glob(f"submissions/*/{about.name}.csv"))
        with Path(files[0]).open(encoding="utf-8") as reader:
            header = reader.readline().strip().split(",")
        types = {name: sql_type(about.column(name).dtype) for name in header}
        columns = ", ".join(f"'{n}': '{t}'" for n, t in types.items())
        # ignore_errors, because the planted faults would stop it.
        rows = (
            f"read_csv({files}, columns={{{columns}}}, header=true, auto_detect=false, delim=',', "
            "quote='\"', ignore_errors=true)"
        )
        target = home / f"{about.name}.parquet"
        con.execute(f"COPY (SELECT * FROM {rows}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
    return {"a": time.perf_counter() - begin}


def take_in(data: Path, home: Path) -> dict[str, float]:
    """(b) Intake and acceptance of every submission."""
    opened = store.open_store(home / "home")
    for name, frame in reference.read_folder(data / "reference").items():
        store.add_reference(opened, REGION, name, frame, RECEIVED)
    begin = time.perf_counter()
    taking_in.take_in(opened, REGION, MONTH, [data / "submissions"], RECEIVED, monthly.quiet)
    return {"b": time.perf_counter() - begin}


def rules_and_payment(data: Path, home: Path) -> dict[str, float]:
    """(c) The rules, then (d) payment, publication and documents."""
    month = books.open_month(store.open_store(home / "home"), REGION, MONTH, RECEIVED)
    begin = time.perf_counter()
    con, audited = monthly.audit(month)
    audit_done = time.perf_counter()
    decided = monthly.findings.decide_all(audited.findings, audited.finding_funds)
    audited = books.Audited(*decided, audited.not_run)
    calculated = monthly.calculate(con, month, audited)
    paid = time.perf_counter()
    monthly.publish(con, month, audited, calculated, monthly.quiet)
    published = time.perf_counter()
    documents.write(con, month, audited, calculated, monthly.quiet)
    done = time.perf_counter()
    return {
        "c": audit_done - begin,
        "d": done - audit_done,
        "d payment": paid - audit_done,
        "d publication": published - paid,
        "d documents": done - published,
        "findings": float(audited.findings.height),
    }


def warm(data: Path, home: Path) -> dict[str, float]:
    """Read every byte once, so that (a) is not charged with the first touch of the disk."""
    for path in data.glob("submissions/*/*.csv"):
        with path.open("rb") as reader:
            while reader.read(1 << 24):
                pass
    return {}


STEPS = {"warm": warm, "a": plain_copy, "b": take_in, "cd": rules_and_payment, "a again": plain_copy}


def child(step: str, data: Path, home: Path) -> None:
    """Run one step and print its figures as JSON."""
    figures = STEPS[step](data, home)
    own, others = (resource.getrusage(w).ru_maxrss for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(json.dumps({**figures, "peak_gib": own / 2**20, "worker_gib": others / 2**20}))


def generate(data: Path, lines: int) -> None:
    """Make the month with the seeded generator."""
    command = [sys.executable, str(ROOT / "sample_data" / "generate.py"), "--bulk", "--out", str(data)]
    subprocess.run([*command, "--settlements", str(lines // 10), "--lines", str(lines)], check=True)


def main() -> None:
    """Run every step and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path)
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--step", choices=STEPS)
    parser.add_argument("--home", type=Path, default=ROOT / "outputs" / "bench")
    chosen = parser.parse_args()
    data = chosen.data or chosen.home / f"month_{chosen.lines}"
    if chosen.step:
        child(chosen.step, data, chosen.home / "run")
        return
    if not data.exists():
        generate(data, chosen.lines)
    run = chosen.home / "run"
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir(parents=True)
    figures: dict[str, dict[str, float]] = {}
    for step in STEPS:
        command = [sys.executable, "-m", "tests.bench", "--step", step, "--data", str(data)]
        told = subprocess.run(
            [*command, "--home", str(chosen.home)], check=True, capture_output=True, text=True
        )
        figures[step] = json.loads(told.stdout.splitlines()[-1])
        print(step, figures[step], flush=True)
    report(figures)


def report(figures: dict[str, dict[str, float]]) -> None:
    """Print ratios to (a) beside the aims, and the highest peak."""
    base = (figures["a"]["a"] + figures["a again"]["a"]) / 2
    got = {"b": figures["b"]["b"], "c": figures["cd"]["c"], "d": figures["cd"]["d"]}
    got["all"] = sum(got.values())
    versions = f"Python {platform.python_version()}, polars {pl.__version__}, duckdb {duckdb.__version__}"
    print(f"{versions}, {os.cpu_count()} cores; a = {base:.1f} s")
    for name, seconds in got.items():
        print(f"{name:4} {seconds:7.1f} s  ratio {seconds / base:5.2f}  aim {AIMS[name]}")
    print(f"peak {max(f['peak_gib'] for f in figures.values()):.2f} GiB, aim 4")


if __name__ == "__main__":
    main()
