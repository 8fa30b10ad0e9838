"""The demonstration: the five sample months, from submitted files to payments and documents."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from jobs import books, monthly, status, taking_in, text
from settlement import policy, reference, store
from settlement.errors import SettlementError

SAMPLES = Path(__file__).parent.parent / "sample_data"
MONTH = dt.date(2026, 4, 1)
RECEIVED = dt.date(2026, 5, 8)
SUMS = ("fund_appy_sum", "det_sumamt", "dpst_sumamt", "clawback_amt", "act_dfr_amt", "carry_amt")


@dataclass(frozen=True)
class Demonstration:
    """What the demonstration gave: one payment table and one run per region."""

    home: Path
    payments: dict[str, pl.DataFrame]
    runs: dict[str, dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """Return the payments and checks by region."""
        return {
            region: {
                "payment": [{k: str(v) for k, v in row.items()} for row in frame.iter_rows(named=True)],
                "run": self.runs[region],
            }
            for region, frame in self.payments.items()
        }

    def as_text(self) -> str:
        """Return tables of payments and the way to the documents."""
        parts = [self._region(region) for region in self.payments]
        return "\n\n".join([*parts, self._totals(), f"文书与数据在 {self.home}/<统筹区>/{MONTH:%Y-%m}/"])

    def _region(self, region: str) -> str:
        folder = self.home / region / f"{MONTH:%Y-%m}"
        return status.month_text(self.runs[region], folder)

    def _totals(self) -> str:
        columns = [("统筹区", False), ("机构", False), ("申报基金", True), ("扣款", True), ("保证金", True),
                   ("追回", True), ("本期实拨", True), ("结转下期", True)]  # fmt: skip
        rows = []
        for region, frame in self.payments.items():
            per = frame.group_by("fixmedins_code").agg(pl.col(SUMS).sum()).sort("fixmedins_code")
            for row in per.iter_rows(named=True):
                rows.append([region, row["fixmedins_code"], *(text.money(row[n]) for n in SUMS)])
            total = frame.select(pl.col(SUMS).sum()).row(0)
            rows.append([region, "合计", *(text.money(v or Decimal(0)) for v in total)])
        return text.table("本期拨付(元)", columns, rows)


def run(home: store.Store, progress: taking_in.Progress, lang: str = "zh") -> Demonstration:
    """Take in, audit, decide and calculate the five sample months.

    Raises:
        SettlementError: the sample data is not beside the program.
    """
    payments, runs = {}, {}
    for region in policy.regions():
        source = SAMPLES / region
        if not source.is_dir():
            raise SettlementError(
                f"没有样例数据 {source}。请在源码目录中运行,或运行 sample_data/generate.py。"
            )

        def step(name: str, done: int, total: int, region: str = region) -> None:
            progress(f"{region} {name}", done, total)

        for name, frame in reference.read_folder(source / "reference").items():
            store.add_reference(home, region, name, frame, RECEIVED)
        taking_in.take_in(home, region, MONTH, [source / "submissions"], RECEIVED, step)
        month = books.open_month(home, region, MONTH, RECEIVED)
        monthly.run_month(month, unattended=True, progress=step, lang=lang)
        payments[region] = store.read_table(home, region, MONTH, "payment")
        runs[region] = store.read_run(home, region, MONTH)
    return Demonstration(home.home, payments, runs)
