"""Measure a month of 1,000,000 settlements and 10,000,000 lines against DuckDB's own copy.

    python -m tests.bench [--data DIR] [--lines 10000000]

(a) DuckDB alone reads the same CSV files typed and writes Parquet, before and after the rest, since the
machine's speed drifts, and their mean counts; (b) intake and acceptance; (c) all rules with twelve months of
look-back, which are copies of the month moved back and are made before; (d) decisions, statements,
publication and documents. Every step runs in a process of its own, so that its peak memory is
its own. What robots do between (c) and (d), the audit recorded, notices and answers, is shown but not part
of the sum. Prints seconds, ratios to (a), peaks.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import polars as pl

from jobs import auditing, books, documents, monthly, replying, reviewing, settling, taking_in
from jobs.office import Office
from schemas.layout import table
from schemas.submission import FeeListD, SetlD
from settlement import procedure, store
from settlement.audit import engine, findings, past
from settlement.query import sql_type

ROOT = Path(__file__).parent.parent.parent
REGION, MONTH, RECEIVED = "guide5", dt.date(2026, 4, 1), dt.date(2026, 5, 8)
AIMS = {"b": 1.5, "c": 2.0, "d": 0.5}
PAST_MONTHS = 12


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


def office_of(home: Path, actor: str = procedure.MACHINE) -> Office:
    """Return the month in the hands of somebody."""
    return Office(store.open_store(home / "home"), REGION, MONTH, RECEIVED, actor)


def take_in(data: Path, home: Path) -> dict[str, float]:
    """(b) Intake and acceptance of every submission."""
    office = office_of(home)
    taking_in.load_reference(office, data / "reference")
    begin = time.perf_counter()
    taking_in.take_in(office, [data / "submissions"], monthly.quiet)
    return {"b": time.perf_counter() - begin}


def remember(data: Path, home: Path) -> dict[str, float]:
    """Write twelve earlier claim months: the month moved back, in the columns that rules look back to."""
    month = books.open_month(office_of(home))
    con = books.connect(month)
    own = [*past.SETTLEMENT, "init_setl_id", "vali_flag", "refd_setl_flag"]
    own.remove("sd")
    for back in range(1, PAST_MONTHS + 1):
        for name, columns in (("setl", own), ("line", list(past.OF_LINE))):
            moved = ", ".join(_moved(column, back) for column in columns)
            target = home / f"past_{name}_{back:02d}.parquet"
            con.execute(f"COPY (SELECT {moved} FROM accepted_{name}) TO '{target}' (FORMAT parquet)")
    con.close()
    return {}


def _moved(column: str, back: int) -> str:
    if column in ("begndate", "enddate"):
        return f"CAST({column} - INTERVAL {back} MONTH AS DATE) AS {column}"
    if column in ("setl_time", "fee_ocur_time"):
        return f"{column} - INTERVAL {back} MONTH AS {column}"
    return f"'{back:02d}' || {column} AS {column}" if column in ("setl_id", "init_setl_id") else column


def rules(data: Path, home: Path) -> dict[str, float]:
    """(c) All rules over everything that was accepted, with the months before, and what they cost."""
    month = books.open_month(office_of(home))
    begin = time.perf_counter()
    con = books.connect(month)
    rows = dataclasses.replace(books.month_rows(con, month), earlier=tuple(_earlier(home)))
    loaded = engine.open_month(con, rows, month.reference, month.rules)
    opened = time.perf_counter()
    parts = {"opening": opened - begin}
    hits, not_run = findings.collect(con, month.rules, month.profile, loaded, parts.__setitem__)
    assert not not_run, not_run
    collected = time.perf_counter()
    findings.build(con, hits, month.rules, month.region, month.first)
    end = time.perf_counter()
    con.close()
    parts |= {"rules": collected - opened, "findings": end - collected}
    return {"c": end - begin, "hits": float(hits.height), **{f"c {n}": s for n, s in parts.items()}}


def _earlier(home: Path) -> Iterator[engine.PastMonth]:
    for back in range(1, PAST_MONTHS + 1):
        first = MONTH.replace(
            year=MONTH.year - (back >= MONTH.month), month=(MONTH.month - back - 1) % 12 + 1
        )
        files = [f"read_parquet('{home}/past_{name}_{back:02d}.parquet')" for name in ("setl", "line")]
        yield engine.PastMonth(first, *files)


def settlement(data: Path, home: Path) -> dict[str, float]:
    """(d) Decisions, statements with their publication, documents, after what comes before them."""
    office = office_of(home)
    times: dict[str, float] = {}

    def timed(name: str, *acts: Callable[[], object]) -> None:
        begin = time.perf_counter()
        for act in acts:
            act()
        times[name] = time.perf_counter() - begin

    first, second = office.by("robot_first_review"), office.by("robot_second_review")
    timed("audit recorded", lambda: auditing.run_audit(first))
    timed("notices", lambda: replying.notify(first))
    timed(
        "answers",
        lambda: replying.robot_reply(office.by("robot_institution")),
        lambda: replying.close_feedback(office),
    )
    timed("d decisions", lambda: reviewing.robot(second), lambda: reviewing.finish(second))
    timed("d statements", lambda: settling.calculate(office.by("robot_settlement")))
    timed("d documents", lambda: documents.write(office))
    return {"d": sum(seconds for name, seconds in times.items() if name.startswith("d ")), **times}


def warm(data: Path, home: Path) -> dict[str, float]:
    """Read every byte once, so that (a) is not charged with the first touch of the disk."""
    for path in data.glob("submissions/*/*.csv"):
        with path.open("rb") as reader:
            while reader.read(1 << 24):
                pass
    return {}


STEPS = {
    "warm": warm, "a": plain_copy, "b": take_in, "past": remember, "c": rules, "d": settlement,
    "a again": plain_copy,
}  # fmt: skip


def child(step: str, data: Path, home: Path) -> None:
    """Run one step and print its figures as JSON."""
    figures = STEPS[step](data, home)
    os.sync()  # so that the next step is not charged with what this one wrote
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
    got = {step: figures[step][step] for step in ("b", "c", "d")}
    versions = f"Python {platform.python_version()}, polars {pl.__version__}, duckdb {duckdb.__version__}"
    print(f"{versions}, {os.cpu_count()} cores; a = {base:.1f} s")
    for name, seconds in got.items():
        print(f"{name:4} {seconds:7.1f} s  ratio {seconds / base:5.2f}  aim {AIMS[name]}")
    parts = {name[2:]: seconds for name, seconds in figures["c"].items() if name.startswith("c ")}
    around = ", ".join(f"{name} {parts.pop(name):.1f} s" for name in ("opening", "rules", "findings"))
    print(f"c: {around}, {figures['c']['hits']:.0f} hits")
    slowest = sorted(parts, key=lambda name: -parts[name])[:5]
    print("slowest rules: " + ", ".join(f"{name} {parts[name]:.1f} s" for name in slowest))
    between = sum(figures["d"][name] for name in ("audit recorded", "notices", "answers"))
    print(f"between c and d {between:.1f} s: the audit recorded, notices, answers")
    print(f"peak {max(f['peak_gib'] for f in figures.values()):.2f} GiB, aim 4")


if __name__ == "__main__":
    main()
