"""Measure questions to history: 24 months of 10 million lines, asked as an auditor would.

    python -m tests.bench.history [--months 24] [--lines 10000000] [--home DIR]

The files have the columns that are asked for and lie as intake and publishing leave them: by institution.
Answers are timed in a process of their own, first with the files thrown out of the system's cache.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from settlement import procedure, store
from settlement.history import Limits, open_views
from settlement.store import batches

ROOT = Path(__file__).parent.parent.parent
REGION, INSTITUTIONS, FINDING_EVERY, PERSONS = "langfang", 200, 20, 600_000
LINES_A_SETTLEMENT = 10
INSTITUTION, PERSON = "H13100000042", "P00000000000123456"
MONEY = "DECIMAL(16,2)"
CODE = f"'H131' || lpad((1 + i // ($settlements // {INSTITUTIONS}))::VARCHAR, 8, '0')"
IDENT = "'$ym' || lpad(i::VARCHAR, 10, '0')"
FEN = "(100 + hash(i, '$ym') % 500000)::BIGINT"
WHO = f"'P' || lpad((hash(i, '$ym', 'who') % {PERSONS})::VARCHAR, 17, '0')"
AT = "make_date($year, $month, (1 + i % 28)::INT)"
SETTLEMENTS = f"""
SELECT (i // ($settlements // {INSTITUTIONS}))::INT AS sub, {IDENT} AS setl_id, 'M' || {IDENT} AS mdtrt_id,
    {WHO} AS psn_no, '测' AS psn_name, {CODE} AS fixmedins_code, '310' AS insutype, '11' AS med_type,
    '11' AS clr_type, {AT} AS begndate, {AT} AS enddate, {AT} + INTERVAL 10 HOUR AS setl_time,
    ({FEN} / 100)::{MONEY} AS medfee_sumamt, ({FEN} * 7 // 10 / 100)::{MONEY} AS fund_pay_sumamt
FROM range($settlements) AS t(i)
"""
LINES = f"""
SELECT i::VARCHAR || '/fee_list_d.csv' AS src, {IDENT} AS setl_id, n::VARCHAR AS bkkp_sn,
    '0' || (hash(i, n) % 5000)::VARCHAR AS hilist_code, 1::DECIMAL(16,4) AS cnt,
    ({FEN} // {LINES_A_SETTLEMENT} / 100)::{MONEY} AS det_item_fee_sumamt
FROM range($settlements) AS t(i) CROSS JOIN range({LINES_A_SETTLEMENT}) AS u(n) ORDER BY i, n
""".replace("i::VARCHAR || '/fee", f"(i // ($settlements // {INSTITUTIONS}))::VARCHAR || '/fee")
FINDINGS = f"""
SELECT substr(md5({IDENT}), 1, 16) AS finding_id, 'B' || lpad((1 + hash(i) % 15)::VARCHAR, 2, '0') AS rule_id,
    repeat('0123456789abcdef', 4) AS rule_digest, '违规' AS grade, {CODE} AS fixmedins_code,
    {IDENT} AS setl_id, '1' AS bkkp_sn, '' AS related, 'limit=10 pric=' || ({FEN})::VARCHAR AS evidence,
    '超过限价 ' || ({FEN})::VARCHAR AS vola_cont, 'above its limit' AS vola_cont_en, '' AS parameters,
    'active' AS rule_status, 'DP' AS deduction, ({FEN} / 100)::{MONEY} AS risk_amt,
    ({FEN} / 100)::{MONEY} AS det_sumamt, '认可' AS reply, '维持' AS decision,
    ({FEN} / 100)::{MONEY} AS final_det_sumamt
FROM range(0, $settlements, {FINDING_EVERY}) AS t(i) ORDER BY finding_id
"""
STEPS = ("fund_appy_sum", "det_sumamt", "method_adjust_amt", "deferred_amt", "dpst_sumamt",
         "advance_offset_amt", "prior_adjust_amt", "clawback_amt", "act_dfr_amt", "carry_amt")  # fmt: skip
QUESTIONS = {
    "findings of an institution": f"SELECT * FROM v_finding WHERE fixmedins_code = '{INSTITUTION}'",
    "payments of an institution": f"SELECT * FROM v_payment WHERE fixmedins_code = '{INSTITUTION}'",
    "settlements of a person": "SELECT clr_ym, setl_id, fixmedins_code, setl_time, medfee_sumamt, "
    f"fund_pay_sumamt FROM v_settlement WHERE psn_no = '{PERSON}' ORDER BY setl_time",
    "lines of a person": f"SELECT * FROM v_fee WHERE psn_no = '{PERSON}'",
    "items of an institution, a month": "SELECT hilist_code, count(*), sum(det_item_fee_sumamt) FROM v_fee "
    f"WHERE fixmedins_code = '{INSTITUTION}' AND clr_ym = '202403' GROUP BY 1",
}
AIMS = {"findings of an institution": 2.0, "payments of an institution": 2.0, "settlements of a person": 10.0}


def filled(sql: str, first: dt.date, settlements: int) -> str:
    """Put a month's numbers into a query."""
    values = {"$settlements": settlements, "$ym": f"{first:%Y%m}", "$year": first.year, "$month": first.month}
    for name, value in values.items():
        sql = sql.replace(name, str(value))
    return sql


def make(work: Path, first: dt.date, settlements: int) -> dict[str, Path]:
    """Write a month's files."""
    con = duckdb.connect(config={"memory_limit": "3GB", "temp_directory": str(work), "threads": 2})
    paid = pl.DataFrame({"fixmedins_code": codes(), "fund_pay_type": "310100"}).with_columns(
        pl.lit(100).cast(pl.Decimal(16, 2)).alias(step) for step in STEPS
    )
    made = {
        name: work / f"{name}.parquet"
        for name in ("accepted", "fee_list_d", "settlements", "findings", "payment")
    }
    for name, sql, packed in (
        ("accepted", SETTLEMENTS, "snappy"),
        ("fee_list_d", LINES, "snappy"),
        ("settlements", f"SELECT * EXCLUDE (sub) FROM ({SETTLEMENTS}) ORDER BY setl_id", "snappy"),
        ("findings", FINDINGS, "zstd"),
    ):
        query = filled(sql, first, settlements)
        con.execute(f"COPY ({query}) TO '{made[name]}' (FORMAT parquet, COMPRESSION {packed})")
    paid.write_parquet(made["payment"])
    con.close()
    return made


def codes() -> list[str]:
    """Codes of the institutions."""
    return [f"H131{number:08d}" for number in range(1, INSTITUTIONS + 1)]


def submitted(first: dt.date, day: dt.date) -> list[dict[str, Any]]:
    """A month's submissions as intake records them."""
    return [
        {
            "region": REGION, "clr_ym": f"{first:%Y%m}", "fixmedins_code": code,
            "name": f"{code}_{first:%Y%m}",
            "digest": f"{first:%Y%m}{code}", "content": f"{first:%Y%m}{code}", "status": store.ACCEPTED,
            "current": True, "received_on": day, "kept": "", "sub": number, "attempt": 1,
            "facts": {"src": [f"{number}/fee_list_d.csv"], "counts": {}},
        }
        for number, code in enumerate(codes())
    ]  # fmt: skip


def put_on_record(home: store.Store, first: dt.date, made: dict[str, Path]) -> None:
    """Record a month: its intake, and a run that audited it and calculated its payment."""
    ym = f"{first:%Y%m}"
    day = (first + dt.timedelta(days=35)).replace(day=8)
    rows = submitted(first, day)
    taking = store.Act(procedure.MACHINE, "intake", day, "", REGION, ym)
    parts = [("fee_list_d", made["fee_list_d"]), ("accepted", made["accepted"])]
    store.record_intake(home, taking, f"bench{ym}", rows, parts)
    kept = store.keep_tables(home, {name: made[name] for name in ("settlements", "findings", "payment")})
    act = store.Act(procedure.MACHINE, "audit", day, "", REGION, ym)
    with store.writing(home) as db:
        basis = {"inputs": {row["fixmedins_code"]: row["content"] for row in rows}}
        run_id = store.record_run(db, act, "audit", ym, kept, basis)
        ready = batches.find(db, REGION, ym, (procedure.ACCEPTED,))
        batches.move(db, act, ready, procedure.PRELIM, {"run": run_id}, run_id)


def forget(home: Path) -> None:
    """Throw the files out of the system's cache."""
    for path in (home / "store").rglob("*.parquet"):
        file = os.open(path, os.O_RDONLY)
        os.fsync(file)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(file)


def ask(home: Path) -> None:
    """Ask every question twice and print the table."""
    views = open_views(home, limits=Limits(memory="4GiB", seconds=600))
    for name, question in QUESTIONS.items():
        forget(home)
        times = []
        for _ in range(3):
            begin = time.perf_counter()
            rows = views.sql(question).rows
            times.append(time.perf_counter() - begin)
        aim = f"aim {AIMS[name]:.0f}" if name in AIMS else ""
        print(
            f"{name:34} {rows.height:8} rows  cold {times[0]:7.2f} s  warm {min(times[1:]):7.2f} s  {aim}",
            flush=True,
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak {peak:.2f} GiB")


def main() -> None:
    """Make the months, ask, and delete them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--months", type=int, default=24)
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--home", type=Path, default=ROOT / "outputs" / "bench-history")
    parser.add_argument("--ask", action="store_true", help="only ask a home that was made before")
    parser.add_argument("--keep", action="store_true", help="do not delete the home")
    chosen = parser.parse_args()
    if chosen.ask:
        return ask(chosen.home)
    shutil.rmtree(chosen.home, ignore_errors=True)
    home = store.open_store(chosen.home)
    begin = time.perf_counter()
    for number in range(chosen.months):
        first = dt.date(2024 + number // 12, 1 + number % 12, 1)
        with store.work_folder(home) as work:
            put_on_record(home, first, make(work, first, chosen.lines // LINES_A_SETTLEMENT))
    size = sum(path.stat().st_size for path in chosen.home.rglob("*") if path.is_file()) / 2**30
    print(f"{'(made)':34} {time.perf_counter() - begin:7.2f} s, {size:.1f} GiB", flush=True)
    try:
        subprocess.run(
            [sys.executable, "-m", "tests.bench.history", "--ask", "--home", chosen.home], check=True
        )
    finally:
        if not chosen.keep:
            shutil.rmtree(chosen.home)
    return None


if __name__ == "__main__":
    main()
