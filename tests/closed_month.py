"""One sample month closed by robots, with a failed transfer paid at the second try and a backup."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from jobs import backup, monthly, paying, taking_in
from jobs.office import Office
from jobs.progress import quiet
from settlement import store

REGION, YM, MONTH, TODAY = "daye", "202604", dt.date(2026, 4, 1), dt.date(2026, 5, 8)
SAMPLE = Path(__file__).parent.parent / "sample_data" / REGION
NOW = dt.datetime.fromisoformat("2026-05-09T02:00:00")


def office(folder: Path) -> Office:
    return Office(store.open_store(folder), REGION, MONTH, TODAY)


def make(folder: Path) -> None:
    """Take in, audit, review, settle, pay, close and back up the month."""
    desk = office(folder)
    taking_in.load_reference(desk, SAMPLE / "reference")
    taking_in.take_in(desk, [SAMPLE / "submissions"], quiet)
    monthly.unattended(desk)
    failed = _answer(desk, folder.parent / "first.csv", fail=1)
    paying.disburse(desk.by("robot_finance"))
    _answer(desk, folder.parent / "second.csv")
    assert failed
    paying.close(desk)
    monthly.write_all(desk)
    backup.make(desk.home, NOW)
    desk.home.engine.dispose()


def _answer(desk: Office, path: Path, fail: int = 0) -> list[str]:
    """Let the bank answer what it has not answered yet, the first `fail` orders with a failure."""
    with desk.home.engine.connect() as db:
        orders = store.payments.orders(db, REGION, YM)
    waiting = orders.filter(orders["result"].is_null())["business_no"].sort().to_list()
    rows = [
        f"{n},{'失败' if at < fail else '成功'},{'户名不符' if at < fail else ''}"
        for at, n in enumerate(waiting)
    ]
    path.write_text("\n".join(["业务号,结果,失败原因", *rows]), encoding="utf-8")
    paying.take_receipt(desk, path)
    return waiting[:fail]
