"""Where each month stands, for a person or a program."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from jobs import text
from jobs.books import Month
from settlement import policy, store, workdays
from settlement.audit.rules_file import SUSPICION


def overview(home: store.Store, region: str | None, today: dt.date) -> list[dict[str, Any]]:
    """Return one row per region and month with submissions or results.

    Each row: region, month, accepted, returned (submissions), stage, fingerprint, deadline (the
    earliest of the accepted submissions), workdays_left.
    """
    query = (
        sa.select(store.SUBMISSION)
        .where(store.SUBMISSION.c.current)
        .order_by(store.SUBMISSION.c.region, store.SUBMISSION.c.clr_ym)
    )
    months: dict[tuple[str, str], list[Any]] = {}
    with home.engine.connect() as db:
        for row in db.execute(query):
            if region in (None, row.region):
                months.setdefault((row.region, row.clr_ym), []).append(row)
    calendar = workdays.load()
    return [_row(home, name, clr_ym, rows, calendar, today) for (name, clr_ym), rows in months.items()]


def _row(
    home: store.Store, region: str, clr_ym: str, rows: list[Any], calendar: workdays.Calendar, today: dt.date
) -> dict[str, Any]:
    first = dt.date(int(clr_ym[:4]), int(clr_ym[4:]), 1)
    accepted = [r for r in rows if r.status == store.ACCEPTED]
    rule = policy.load(region).deadline
    due = min((calendar.deadline(rule, r.received_on, first).on for r in accepted), default=None)
    query = (
        sa.select(store.RUN)
        .where(store.RUN.c.region == region, store.RUN.c.clr_ym == clr_ym)
        .order_by(store.RUN.c.id.desc())
    )
    with home.engine.connect() as db:
        last = db.execute(query).first()
    return {
        "region": region,
        "month": f"{first:%Y-%m}",
        "accepted": len(accepted),
        "returned": len(rows) - len(accepted),
        "stage": last.stage if last else "intake",
        "fingerprint": last.fingerprint if last else "",
        "deadline": due,
        "workdays_left": calendar.remaining(today, due) if due else None,
    }


def next_steps(month: Month) -> list[str]:
    """Say who must do what by when before a calculated month can be paid."""
    found = store.read_table(month.home, month.region, month.first, "findings")
    calendar = workdays.load()
    days = int(month.profile.value("feedback_days", month.last))
    answer = calendar.add(month.today, days)
    steps = [f"待办  定点机构:对 {found.height} 条疑点反馈,期限 {answer}({days} 个工作日)"]
    open_ones = found.filter((pl.col("grade") == SUSPICION) & (pl.col("decision") == "")).height
    if open_ones:
        steps.append(f"待办  复审岗:对 {open_ones} 条可疑疑点作出维持、部分维持或撤销的决定")
    due = min(
        (calendar.deadline(month.profile.deadline, s["received_on"], month.first).on for s in month.accepted),
        default=None,
    )
    if due:
        left = calendar.remaining(month.today, due)
        steps.append(f"待办  负责人核准、财务岗拨付:最迟 {due},尚余 {left} 个工作日")
    return steps


STAGES = {"intake": "已受理,待初审", "audit": "已初审,待结算", "calculate": "已结算"}


def overview_text(rows: list[dict[str, Any]]) -> str:
    """Lay out the overview for a terminal."""
    if not rows:
        return "还没有收到申报。先运行 settle intake。"
    columns = [("统筹区", False), ("结算年月", False), ("受理", True), ("不予受理", True), ("进度", False),
               ("拨付时限日", False), ("剩余工作日", True)]  # fmt: skip
    body = [
        [
            r["region"], r["month"], str(r["accepted"]), str(r["returned"]), STAGES[r["stage"]],
            str(r["deadline"] or ""), str(r["workdays_left"] if r["workdays_left"] is not None else ""),
        ]
        for r in rows
    ]  # fmt: skip
    return text.table("月度进度", columns, body)


def month_text(run: dict[str, Any], folder: Path) -> str:
    """Say what a run of a month did, in a few lines."""
    s = run["stages"]
    lines = [
        f"{run['region']} {run['month']}  指纹 {run['fingerprint'][:16]}",
        f"  申报  包 {s['intake']['submissions']}  结算 {s['intake']['setl_in']}"
        f"  明细 {s['intake']['line_in']}  医疗费 {s['intake']['medfee_in']} 元",
        f"  受理  包 {s['acceptance']['submissions_accepted']}  结算 {s['acceptance']['setl_accepted']}"
        f"(退回 {s['acceptance']['setl_returned']})  明细 {s['acceptance']['line_accepted']}"
        f"(退回 {s['acceptance']['line_returned']})",
        f"  初审  疑点 {s['audit']['findings']}  初审扣款 {s['audit']['det_sumamt']} 元"
        f"  复审扣款 {s['audit']['final_det_sumamt']} 元",
    ]
    if "payment" in s:
        p = s["payment"]
        lines.append(
            f"  结算  申报基金 {p['fund_appy_sum']}  扣款 {p['det_sumamt']}  保证金 {p['dpst_sumamt']}"
            f"  追回 {p['clawback_amt']}  实拨 {p['act_dfr_amt']}  结转 {p['carry_amt']} 元"
        )
    lines += [
        f"  未运行 {rule}:缺少 {'、'.join(miss) or '(已停用)'}" for rule, miss in run["rules_not_run"].items()
    ]
    lines.append(f"  检查 {sum(c['ok'] for c in run['checks'])}/{len(run['checks'])} 项通过:")
    lines += [f"    {'✓' if c['ok'] else '✗'} {c['name']}:{c['left']} = {c['right']}" for c in run["checks"]]
    lines.append(f"  结果  {folder}")
    return "\n".join(lines)
