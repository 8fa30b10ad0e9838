"""Measure the procedure: 1,000 institutions with 300 findings each, from notices to closed.

    python -m tests.bench.procedure [--institutions 1000] [--home DIR]

Notices written, replies read, decisions taken, statements and bank files made, the bank's return matched;
then the views people open all day. Each step in seconds; intake and audit are measured elsewhere.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import resource
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl

from jobs import auditing, documents, monthly, paying, replying, reviewing, settling, status, taking_in
from jobs.office import Office
from settlement import procedure, store
from settlement.audit import cases as rule_cases
from settlement.forecast import forecast
from settlement.store import users
from tests import submissions

ROOT = Path(__file__).parent.parent.parent
REGION, MONTH, RECEIVED = "guide5", dt.date(2026, 4, 1), dt.date(2026, 5, 8)
SETTLEMENTS, LINES, CAP = 30, 11, 10
FIRST = "H13100000001"
PEOPLE = {
    "first": procedure.FIRST_REVIEW, "second": procedure.SECOND_REVIEW, "settle": procedure.SETTLEMENT,
    "leader": procedure.LEADER, "finance": procedure.FINANCE,
}  # fmt: skip
AIM = 180.0


def code_of(number: int) -> str:
    """The code of the n-th institution."""
    return f"H131{number:08d}"


def submit(folder: Path, institutions: int) -> None:
    """Write submissions in which every line but one of each settlement is over its price limit."""
    model = submissions.valid(FIRST, SETTLEMENTS, LINES).files()
    texts = {name: content.decode() for name, content in model.items()}
    for number in range(1, institutions + 1):
        own = folder / f"{code_of(number)}_202604"
        own.mkdir(parents=True)
        for name, text in texts.items():
            changed = text.replace(FIRST, code_of(number)).replace("0001S", f"{number:04d}S")
            (own / name).write_text(changed, encoding="utf-8")


def refer(folder: Path, institutions: int) -> None:
    """Write the reference tables: institutions with accounts, agreements, one price limit."""
    codes = [code_of(number) for number in range(1, institutions + 1)]
    made = submissions.reference(codes)
    numbers = range(1, institutions + 1)
    made["institution"] = made["institution"].with_columns(
        pl.Series("acctname", [f"测试医院{n}" for n in numbers]),
        pl.Series("bankacct", [f"9900{n:012d}" for n in numbers]),
        pl.lit("测试银行").alias("bank_name"),
        pl.lit("990000000001").alias("bankcode"),
    )
    limit = {"hilist_code": "001", "hilist_lmtpric_type": "3", "hilist_pric_uplmt_amt": CAP}
    made["price_limit"] = rule_cases.reference("price_limit", [limit])
    folder.mkdir(parents=True)
    for name, frame in made.items():
        frame.write_csv(folder / f"{name}.csv")


def answer(folder: Path) -> list[Path]:
    """Fill in every institution's workbook form: every third finding is disputed."""
    from settlement.feedback import columns

    words = {column.key: column.header for column in columns.sheet_columns("zh")}
    found = sorted(folder.glob("institutions/*/05_申诉表.csv"))
    for path in found:
        rows = pl.read_csv(path, infer_schema=False).with_row_index("n")
        third = pl.col("n") % 3 == 0
        rows = rows.with_columns(
            pl.when(third).then(pl.lit("不认可")).otherwise(pl.lit("认可")).alias(words["answer"]),
            pl.when(third).then(pl.lit("价格已报备")).alias(words["reason"]),
        )
        rows.drop("n").write_csv(path, include_bom=True)
    return found


def bank(home: store.Store, folder: Path) -> Path:
    """The bank's return: everything succeeded."""
    with home.engine.connect() as db:
        numbers = store.payments.orders(db, REGION, "202604")["business_no"]
    path = folder / "bank.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["业务号", "结果", "失败原因", "交易时间"])
        writer.writerows([n, "成功", "", "2026-05-22 10:00:00"] for n in numbers)
    return path


def main() -> None:
    """Run every step and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--institutions", type=int, default=1000)
    parser.add_argument("--home", type=Path, default=ROOT / "outputs" / "bench-procedure")
    chosen = parser.parse_args()
    shutil.rmtree(chosen.home, ignore_errors=True)
    submit(chosen.home / "in", chosen.institutions)
    refer(chosen.home / "reference", chosen.institutions)
    home = store.open_store(chosen.home / "home")
    for name, role in PEOPLE.items():
        act = store.Act(procedure.MACHINE, "user", RECEIVED)
        users.add(home, act, users.User(name, name, (role,)))

    def on(day: dt.date, who: str = procedure.MACHINE) -> Office:
        return Office(home, REGION, MONTH, day, who)

    told, closing, signed, paid = (dt.date(2026, 5, d) for d in (12, 20, 21, 22))
    folder = home.month_folder(REGION, MONTH)
    times: dict[str, float] = {}

    def timed(name: str, step: Callable[[], object]) -> None:
        begin = time.perf_counter()
        step()
        times[name] = time.perf_counter() - begin
        print(f"{name:34} {times[name]:7.2f} s", flush=True)

    timed("(reference)", lambda: taking_in.load_reference(on(RECEIVED), chosen.home / "reference"))
    timed("(intake)", lambda: taking_in.take_in(on(RECEIVED), [chosen.home / "in"], monthly.quiet))
    timed("(audit)", lambda: auditing.run_audit(on(told, "first")))
    timed("notify", lambda: replying.notify(on(told, "first")))
    answer(folder)
    forms = [
        path.with_name("04_初审反馈单.xlsx") for path in sorted(folder.glob("institutions/*/05_申诉表.csv"))
    ]
    timed("reply, workbooks (all silent)", lambda: replying.reply(on(told), forms))
    timed("reply, CSV", lambda: replying.reply(on(told), sorted(folder.glob("institutions/*/05_申诉表.csv"))))
    timed("close feedback", lambda: replying.close_feedback(on(closing)))
    timed(
        "review in bulk", lambda: reviewing.bulk(on(closing, "second"), "维持", "未报备", {"rule_id": "B01"})
    )
    timed("review finish and 06", lambda: reviewing.finish(on(closing, "second")))
    timed("calculate", lambda: settling.calculate(on(closing, "settle")))
    timed("approve", lambda: settling.approve(on(signed, "leader")))
    timed("disburse", lambda: paying.disburse(on(signed, "finance")))
    timed("documents 01 02 03 08-14", lambda: documents.write(on(signed)))
    back = bank(home, chosen.home)
    timed("receipt", lambda: paying.take_receipt(on(paid, "finance"), back))
    timed("close", lambda: paying.close(on(paid)))
    total = sum(seconds for name, seconds in times.items() if not name.startswith("("))
    print(f"{'together':34} {total:7.2f} s  aim {AIM:.0f}")
    days = on(paid).calendar()
    timed("(status view)", lambda: status.overview(home, None, paid, days))
    timed("(deadline view)", lambda: _deadlines(home, paid))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak {peak:.2f} GiB")


def _deadlines(home: store.Store, today: dt.date) -> None:
    days = Office(home, REGION, MONTH, today).calendar()
    watched = status.clock(home, None, today, days)
    forecast(watched, status.profiles(), days, today)


if __name__ == "__main__":
    main()
