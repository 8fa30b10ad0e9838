"""Where each month stands, for a person or a program."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl

from jobs import text
from jobs.office import Office
from settlement import deadlines, policy, procedure, store
from settlement.deadlines import Profiles
from settlement.forecast import forecast
from settlement.labels import EN, label
from settlement.procedure import DEEDS, ROLES, STATES
from settlement.reports.deadline_sheet import Deadlines, forecast_words, state_words, write_deadlines
from settlement.store import batches, findings, jobs, payments
from settlement.workdays import Calendar

SHEET = "12_时限监测表.xlsx"
COLOURS = {"green": "绿", "yellow": "黄", "red": "红", "done": "完", "unknown": "?", "held": "停"}


def clock(home: store.Store, region: str | None, today: dt.date, days: Calendar) -> pl.DataFrame:
    """Return the state of the clock of every batch, refused ones left out (`settlement.deadlines.WATCH`)."""
    found, stages = batches.watched(home, region)
    live = found.filter(pl.col("state") != procedure.RETURNED)
    with home.engine.connect() as db:
        undecided = findings.undecided(db)
        answers = payments.bank_answers(db, region)
    known = live.join(answers, on="batch_id", how="left")
    named = known.join(_names(home, live), on=["region", "fixmedins_code"], how="left").with_columns(
        pl.col("fixmedins_name").fill_null(""),
        undecided=pl.col("batch_id").replace_strict(undecided, default=0, return_dtype=pl.Int64),
    )
    return deadlines.watch(named, stages.join(live, on="batch_id", how="semi"), profiles(), days, today)


def profiles() -> Profiles:
    """The policy of every region."""
    return {region: policy.load(region) for region in policy.regions()}


def _names(home: store.Store, live: pl.DataFrame) -> pl.DataFrame:
    schema = {"region": pl.String, "fixmedins_code": pl.String, "fixmedins_name": pl.String}
    parts = [pl.DataFrame(schema=schema)]
    for region in live["region"].unique().sort():
        rows = store.read_reference(home, region, only=("institution",)).get("institution")
        if rows is not None:
            newest = rows.sort("begndate").unique("fixmedins_code", keep="last")
            parts.append(newest.select(pl.lit(region).alias("region"), "fixmedins_code", "fixmedins_name"))
    return pl.concat(parts)


def overview(home: store.Store, region: str | None, today: dt.date, days: Calendar) -> list[dict[str, Any]]:
    """Return one row per region and month: batches by state, the nearest limit, who is waited for."""
    watched = clock(home, region, today, days)
    refused = _refused(home, region)
    rows = []
    for row in deadlines.summary(watched).iter_rows(named=True):
        key = (row["region"], row["clr_ym"])
        run = store.runs(home, row["region"], _first(row["clr_ym"]))
        rows.append(
            {
                "region": row["region"],
                "month": f"{row['clr_ym'][:4]}-{row['clr_ym'][4:]}",
                "accepted": row["batches"],
                "returned": refused.pop(key, 0),
                "states": {s: row[s] for s in STATES if row[s]},
                "stage": run[-1]["stage"] if run else "intake",
                "fingerprint": run[-1]["fingerprint"] if run else "",
                "deadline": row["next_limit"],
                "workdays_left": row["least_left"],
                "waiting_for": row["oldest_role"],
                "deed": row["oldest_deed"],
            }
        )
    unknown = ("deadline", "workdays_left", "waiting_for", "deed")
    empty: dict[str, Any] = {"states": {}, "stage": "intake", "fingerprint": "", **dict.fromkeys(unknown)}
    rows += [
        {"region": r, "month": f"{ym[:4]}-{ym[4:]}", "accepted": 0, "returned": n, **empty}
        for (r, ym), n in refused.items()
    ]
    return sorted(rows, key=lambda r: (r["region"], r["month"]))


def _first(clr_ym: str) -> dt.date:
    return dt.date(int(clr_ym[:4]), int(clr_ym[4:]), 1)


def _refused(home: store.Store, region: str | None) -> dict[tuple[str, str], int]:
    """Refused submissions that nothing has replaced, by region and month."""
    with home.engine.connect() as db:
        return batches.refused_now(db, region)


def overview_text(rows: list[dict[str, Any]]) -> str:
    """Lay out the overview for a terminal."""
    if not rows:
        return "还没有收到申报。先运行 settle intake。"
    columns = [("统筹区", False), ("结算年月", False), ("受理", True), ("不予受理", True), ("进度", False),
               ("最近时限日", False), ("剩余工作日", True), ("待办", False)]  # fmt: skip
    body = [
        [
            r["region"], r["month"], str(r["accepted"]), str(r["returned"]),
            "  ".join(f"{STATES[s][0]} {n}" for s, n in r["states"].items()) or "—",
            str(r["deadline"] or ""), str(r["workdays_left"] if r["workdays_left"] is not None else ""),
            f"{ROLES[r['waiting_for']][0]} {DEEDS[r['deed']].zh}" if r["deed"] else "",
        ]
        for r in rows
    ]  # fmt: skip
    return text.table("月度进度", columns, body)


def work(home: store.Store) -> dict[str, Any]:
    """Return the jobs that failed or wait for another try, and messages not sent."""
    with home.engine.connect() as db:
        return {"jobs": jobs.open_jobs(db), "mail": store.mail.counts(db)}


def work_text(found: dict[str, Any], lang: str = "zh") -> str:
    """Lay out failed jobs and unsent messages for a terminal; nothing when all is well."""
    lines = [
        f"任务 {label('job.' + j['name'], lang)} {j['key']}  {label('job.' + j['state'], lang)}"
        f"  第 {j['attempts']} 次  下次 {j['next_try_at'] or '—'}  {j['error']}"
        for j in found["jobs"]
    ]
    unsent = {k: n for k, n in found["mail"].items() if k != store.mail.SENT}
    if unsent:
        lines.append("待发邮件 " + "  ".join(f"{k} {n}" for k, n in sorted(unsent.items())))
    return "\n".join(lines)


def next_steps(office: Office) -> list[str]:
    """Say who must do what by when before the month's batches are closed."""
    watched = clock(office.home, office.region, office.today, office.calendar())
    mine = watched.filter(
        (pl.col("clr_ym") == office.clr_ym) & deadlines.is_open() & pl.col("deed").is_not_null()
    )
    groups = mine.group_by("state", "role", "deed").agg(
        pl.len(), pl.col("act_by").min(), pl.col("limit_on").min(), pl.col("days_left").min()
    )
    order = {state: i for i, state in enumerate(STATES)}
    steps = []
    for row in sorted(groups.iter_rows(named=True), key=lambda r: order[r["state"]]):
        by = f",最迟 {row['act_by']}" if row["act_by"] else ""
        limit = f"(拨付时限 {row['limit_on']},尚余 {row['days_left']} 个工作日)" if row["limit_on"] else ""
        steps.append(f"待办  {ROLES[row['role']][0]}:{DEEDS[row['deed']].zh} {row['len']} 家{by}{limit}")
    return steps


def watch_text(watched: pl.DataFrame, expected: pl.DataFrame, lang: str) -> str:
    """Lay out the clocks of unfinished batches and what cannot make it."""
    open_ones = watched.filter(deadlines.is_open())
    columns = [("统筹区", False), ("年月", False), ("机构", False), ("状态", False), ("时限日", False),
               ("剩余", True), ("色", False), ("谁", False), ("办什么", False), ("最迟", False)]  # fmt: skip
    at = 1 if lang == EN else 0
    shown = open_ones.head(200).with_columns(words=state_words(open_ones.columns, lang))
    body = [
        [
            r["region"], r["clr_ym"], r["fixmedins_code"], r["words"], str(r["limit_on"] or ""),
            "" if r["days_left"] is None else str(r["days_left"]), COLOURS.get(r["colour"], r["colour"]),
            ROLES[r["role"]][at] if r["role"] else "", (DEEDS[r["deed"]].zh if r["deed"] else "") or "",
            str(r["act_by"] or ""),
        ]
        for r in shown.iter_rows(named=True)
    ]  # fmt: skip
    words = forecast_words(expected.filter(pl.col("late").fill_null(True)), lang)
    lines = [text.table(f"时限 未办结 {open_ones.height} 家", columns, body)]
    lines += [f"预测  {r['fixmedins_code']}  {r['why']}" for r in words.head(50).iter_rows(named=True)]
    return "\n".join(lines)


def write_sheet(office: Office) -> Path:
    """Write 12_时限监测表 of the office's month as of today."""
    days = office.calendar()
    watched = clock(office.home, office.region, office.today, days)
    expected = forecast(watched, profiles(), days, office.today)
    mine = pl.col("clr_ym") == office.clr_ym
    sheet = Deadlines(
        policy.load(office.region).label, office.first, office.today, watched.filter(mine),
        expected.filter(mine), deadlines.summary(watched),
    )  # fmt: skip
    return write_deadlines(office.home.month_folder(office.region, office.first) / SHEET, sheet, office.lang)


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
