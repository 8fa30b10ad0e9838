"""The demonstration: the five sample months from submitted files to closed, with people, replies and a bank.

Institutions answer by filling in the CSV form they were sent, as `sample_data/replies.csv` says rule by
rule; whoever is not in it stays silent. The reviewer decides what is contested as
`sample_data/decisions.csv` says. The bank refuses each region's first transfer once.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from jobs import auditing, documents, paying, replying, reviewing, settling, status, taking_in, text
from jobs.office import Office
from jobs.progress import Progress
from settlement import policy, procedure, store
from settlement.disbursement import bank_file
from settlement.errors import SettlementError
from settlement.feedback import columns
from settlement.money import round_half_up
from settlement.store import users

SAMPLES = Path(__file__).parent.parent / "sample_data"
MONTH = dt.date(2026, 4, 1)
RECEIVED = dt.date(2026, 5, 8)
SUMS = ("fund_appy_sum", "det_sumamt", "dpst_sumamt", "clawback_amt", "act_dfr_amt", "carry_amt")
# Made-up people, one per post; two leaders because large amounts need two signatures.
PEOPLE = {
    "demo_reception": ("受理员", procedure.RECEPTION),
    "demo_first": ("初审员", procedure.FIRST_REVIEW),
    "demo_second": ("复审员", procedure.SECOND_REVIEW),
    "demo_settle": ("结算员", procedure.SETTLEMENT),
    "demo_leader": ("主任", procedure.LEADER),
    "demo_deputy": ("副主任", procedure.LEADER),
    "demo_finance": ("出纳员", procedure.FINANCE),
}
STAGES = (
    ("declared_on", "申报"), ("prelim_on", "初审"), ("feedback_on", "发送"), ("answer_by", "反馈至"),
    ("review_on", "复审"), ("settled_on", "结算"), ("approved_on", "核准"), ("paid_on", "拨付"),
    ("closed_on", "办结"), ("limit_on", "时限"), ("days_left", "余工作日"),
)  # fmt: skip


@dataclass(frozen=True)
class Demonstration:
    """What the demonstration gave: per region the payments, the run, and the way its batches took."""

    home: Path
    payments: dict[str, pl.DataFrame]
    runs: dict[str, dict[str, Any]]
    ways: pl.DataFrame

    def as_json(self) -> dict[str, Any]:
        """Return the payments, checks and time line by region."""
        return {
            region: {
                "payment": [{k: str(v) for k, v in row.items()} for row in frame.iter_rows(named=True)],
                "run": self.runs[region],
                "timeline": self.ways.filter(pl.col("region") == region).to_dicts(),
            }
            for region, frame in self.payments.items()
        }

    def as_text(self) -> str:
        """Return tables of payments, the time line, and the way to the documents."""
        parts = [self._region(region) for region in self.payments]
        where = f"文书与数据在 {self.home}/<统筹区>/{MONTH:%Y-%m}/"
        return "\n\n".join([*parts, self._totals(), self._timeline(), where])

    def _region(self, region: str) -> str:
        folder = self.home / region / f"{MONTH:%Y-%m}"
        return status.month_text(self.runs[region], folder)

    def _totals(self) -> str:
        shapes = [("统筹区", False), ("机构", False), ("申报基金", True), ("扣款", True), ("保证金", True),
                  ("追回", True), ("本期实拨", True), ("结转下期", True)]  # fmt: skip
        rows = []
        for region, frame in self.payments.items():
            per = frame.group_by("fixmedins_code").agg(pl.col(SUMS).sum()).sort("fixmedins_code")
            for row in per.iter_rows(named=True):
                rows.append([region, row["fixmedins_code"], *(text.money(row[n]) for n in SUMS)])
            total = frame.select(pl.col(SUMS).sum()).row(0)
            rows.append([region, "合计", *(text.money(v or Decimal(0)) for v in total)])
        return text.table("本期拨付(元)", shapes, rows)

    def _timeline(self) -> str:
        """One line per region: the last day any batch reached each stage, against the limit."""
        last = self.ways.group_by("region").agg(
            pl.len().alias("batches"),
            (pl.col("state") == procedure.CLOSED).sum().alias("closed"),
            *(pl.col(name).max() for name, _ in STAGES if name != "days_left"),
            pl.col("days_left").min(),
        )
        shapes = [
            ("统筹区", False),
            ("办结", False),
            *((zh, name == "days_left") for name, zh in STAGES[:-1]),
        ]
        shapes.append((STAGES[-1][1], True))
        rows = [
            [row["region"], f"{row['closed']}/{row['batches']}", *(_short(row[name]) for name, _ in STAGES)]
            for row in last.sort("region").iter_rows(named=True)
        ]
        return text.table("时间线(每步最晚一家)", shapes, rows)


def _short(value: Any) -> str:  # noqa: ANN401 - a day or a number
    return f"{value:%m-%d}" if isinstance(value, dt.date) else str(value if value is not None else "")


def run(home: store.Store, progress: Progress, lang: str = "zh") -> Demonstration:
    """Walk the five sample months through the whole procedure.

    Raises:
        SettlementError: the sample data is not beside the program.
    """
    _people(home)
    payments, runs, ways = {}, {}, []
    for region in policy.regions():
        if not (SAMPLES / region).is_dir():
            raise SettlementError(
                f"没有样例数据 {SAMPLES / region}。请在源码目录中运行,或运行 sample_data/generate.py。"
            )

        def step(name: str, done: int, total: int, region: str = region) -> None:
            progress(f"{region} {name}", done, total)

        office = Office(home, region, MONTH, RECEIVED, "demo_reception", lang)
        last = walk(office, step)
        payments[region] = store.read_table(home, region, MONTH, "payment")
        runs[region] = store.read_run(home, region, MONTH)
        ways.append(status.clock(home, region, last.today, office.calendar()))
    return Demonstration(home.home, payments, runs, pl.concat(ways))


def _people(home: store.Store) -> None:
    known = {user.name for user in users.users(home)}
    for name, (full_name, role) in PEOPLE.items():
        if name not in known:
            act = store.Act(procedure.MACHINE, "user", RECEIVED)
            users.add(home, act, users.User(name, full_name, (role,)))


def walk(office: Office, progress: Progress) -> Office:
    """Take one region's month from its files to closed; returns the office on the last day."""
    days, source = office.calendar(), SAMPLES / office.region

    def on(day: dt.date, who: str) -> Office:
        return Office(office.home, office.region, office.first, day, who, office.lang)

    taking_in.load_reference(office, source / "reference")
    taking_in.take_in(office, [source / "submissions"], progress)
    profile = policy.load(office.region)
    cutoff = days.declare_cutoff(office.first, int(profile.ratio("declare_cutoff_day", RECEIVED)))
    audited = days.add(cutoff, 1)
    auditing.run_audit(on(audited, "demo_first"), progress)
    replying.notify(on(audited, "demo_first"), (), progress)
    answer_by = days.add(audited, int(profile.ratio("feedback_days", RECEIVED)))
    replying.reply(on(answer_by, "demo_reception"), _replies(office))
    reviewed = days.add(answer_by, 1)
    replying.close_feedback(on(reviewed, procedure.MACHINE))
    _review(on(reviewed, "demo_second"))
    settling.calculate(on(reviewed, "demo_settle"), (), progress)
    approved = days.add(reviewed, 1)
    settling.approve(on(approved, "demo_leader"))
    settling.approve(on(approved, "demo_deputy"))
    paying.disburse(on(approved, "demo_finance"))
    first_answer, second_answer = days.add(approved, 1), days.add(approved, 2)
    _bank(on(first_answer, "demo_finance"), refuse_first=True)
    paying.disburse(on(first_answer, "demo_finance"))
    _bank(on(second_answer, "demo_finance"), refuse_first=False)
    last = on(second_answer, procedure.MACHINE)
    paying.close(last)
    documents.write(last, progress)
    status.write_sheet(last)
    return last


def _replies(office: Office) -> list[Path]:
    """Fill in the CSV forms institutions were sent, and hand them in."""
    words = {column.key: column.header for column in columns.sheet_columns(office.lang)}
    said = pl.read_csv(SAMPLES / "replies.csv", infer_schema=False)
    folder = office.home.month_folder(office.region, office.first)
    sent = office.home.home / "inbox" / office.region / f"{office.first:%Y-%m}" / "replies"
    handed_in = []
    for form in sorted(folder.glob("institutions/*/05_申诉表.csv")):
        rows = pl.read_csv(form, infer_schema=False)
        filled = _filled(rows, said, words)
        target = sent / f"{form.parent.name}_05_申诉表.csv"
        target.parent.mkdir(parents=True, exist_ok=True)
        filled.write_csv(target, include_bom=True)
        handed_in.append(target)
    return handed_in


def _filled(rows: pl.DataFrame, said: pl.DataFrame, words: dict[str, str]) -> pl.DataFrame:
    """Write the answers of a form as the sample says; an answer in part takes its share of the amount."""
    joined = rows.select(pl.col(words["rule_id"]).alias("rule_id"), pl.col(words["limit_amt"]).alias("limit"))
    answers = joined.join(said, on="rule_id", how="left", maintain_order="left")
    parts = [_part(row) for row in answers.iter_rows(named=True)]
    return rows.with_columns(
        pl.Series(words[key], [part[i] for part in parts], dtype=pl.String)
        for i, key in enumerate(("answer", "agreed_amt", "reason"))
    )


def _part(row: dict[str, Any]) -> tuple[str | None, str | None, str | None]:
    if row["answer"] != procedure.PARTLY_AGREED:
        return row["answer"], None, row["reason"]
    amount = round_half_up(Decimal(row["limit"]) * Decimal(row["share"]))
    if not 0 < amount < Decimal(row["limit"]):
        return procedure.DISPUTED, None, row["reason"]
    return row["answer"], str(amount), row["reason"]


def _review(office: Office) -> None:
    """Decide what is contested, rule by rule; suspicions nobody wrote about are withdrawn."""
    said = {
        row["rule_id"]: row for row in pl.read_csv(SAMPLES / "decisions.csv", infer_schema=False).to_dicts()
    }
    rows = reviewing.worklist_of(office)
    open_ones = rows.filter(pl.col("required") & (pl.col("state") == procedure.REVIEW))
    for row in open_ones.iter_rows(named=True):
        wish = said.get(row["rule_id"], {"outcome": procedure.WITHDRAWN, "share": None, "reason": "证据不足"})
        limit, outcome, amount = row["limit_amt"], wish["outcome"], None
        if outcome == procedure.PARTLY_UPHELD:
            amount = round_half_up(limit * Decimal(wish["share"]))
            if not 0 < amount < limit:
                outcome, amount = procedure.UPHELD, None
        reviewing.decide(office, row["finding_id"], outcome, amount, wish["reason"])
    reviewing.finish(office)


def _bank(office: Office, *, refuse_first: bool) -> None:
    """Answer the orders that have no answer yet, as a bank does: one line each, by business number."""
    with office.home.engine.connect() as db:
        every = store.payments.orders(db, office.region, office.clr_ym)
    asked = every.filter(pl.col("result").is_null())
    if asked.is_empty():
        return
    refused = asked["business_no"][0] if refuse_first else ""
    header = [bank_file.HEADERS["business_no"], "结果", "失败原因", "交易时间"]
    lines = [
        [
            no,
            "失败" if no == refused else "成功",
            "户名不符" if no == refused else "",
            f"{office.today} 10:30:00",
        ]
        for no in asked["business_no"]
    ]
    folder = office.home.home / "inbox" / office.region / f"{office.first:%Y-%m}" / "bank"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"银行回单_{office.today:%Y%m%d}.csv"
    frame = pl.DataFrame([dict(zip(header, line, strict=True)) for line in lines])
    frame.write_csv(path, include_bom=True)
    paying.take_receipt(office, path)
