"""Commands about people, calendars, ledgers, deadlines and the log."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from jobs import ledgers, status, text
from jobs.office import Office, permit
from jobs.terminal import Options, Reason, say
from settlement import calendar_year, store, workdays
from settlement.forecast import forecast
from settlement.procedure import ROLES
from settlement.store import books
from settlement.store.users import User

app = typer.Typer()
user_app = typer.Typer(help="用户与岗位 / users and roles", no_args_is_help=True)
app.add_typer(user_app, name="user")
calendar_app = typer.Typer(help="工作日历 / working days", no_args_is_help=True)
app.add_typer(calendar_app, name="calendar")
ledger_app = typer.Typer(help="台账与调整 / ledgers", no_args_is_help=True)
app.add_typer(ledger_app, name="ledger")


def _nowhere(options: Options) -> Office:
    """An office for what concerns no region."""
    return Office(
        options.open(), "", options.today.replace(day=1), options.today, options.actor, options.lang
    )


def _act(options: Options, deed: str) -> tuple[store.Store, store.Act]:
    office = _nowhere(options)
    act = permit(office, deed)
    return office.home, store.Act(act.actor, act.action, act.day)


@user_app.command("add")
def user_add(
    ctx: typer.Context,
    name: str,
    role: Annotated[list[str], typer.Option("--role", help=f"岗位,可多次:{'、'.join(ROLES)}")],
    full_name: Annotated[str, typer.Option("--full-name", help="姓名 / full name")] = "",
    institution: Annotated[str, typer.Option(help="定点机构用户的机构编码 / institution code")] = "",
) -> None:
    """登记用户或增加岗位(首个管理员登记前任何人可用)/ register a user."""
    options: Options = ctx.obj
    home, act = _setting_up(options)
    store.users.add(home, act, User(name, full_name, tuple(role), institution))
    say(options, {"user": name, "roles": role}, f"用户 {name}:{'、'.join(ROLES[r][0] for r in role)}")


def _setting_up(options: Options) -> tuple[store.Store, store.Act]:
    """Who registers users: the administrator, or anybody while there is none."""
    home = options.open()
    act = store.Act(options.actor, "user", options.today)
    store.users.permit(home, act)
    return home, act


@user_app.command("revoke")
def user_revoke(ctx: typer.Context, name: str, role: Annotated[str, typer.Option("--role")]) -> None:
    """停用用户的一个岗位 / take a role away."""
    options: Options = ctx.obj
    home, act = _setting_up(options)
    store.users.revoke(home, act, name, role)
    say(options, {"user": name, "revoked": role}, f"用户 {name} 不再担任 {role}")


@user_app.command("list")
def user_list(ctx: typer.Context) -> None:
    """列出用户与岗位 / list users."""
    options: Options = ctx.obj
    rows = store.users.users(options.open())
    columns = [("用户", False), ("姓名", False), ("岗位", False), ("机构", False)]
    body = [[u.name, u.full_name, "、".join(ROLES[r][0] for r in u.roles), u.fixmedins_code] for u in rows]
    say(options, [asdict(u) for u in rows], text.table("用户", columns, body))


@calendar_app.command("add")
def calendar_add(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="cn_<年>.csv")],
    replace: Annotated[bool, typer.Option(help="替换已载入的同年日历 / replace")] = False,
) -> None:
    """载入一年的工作日历(国务院办公厅通知)/ load a year of working days."""
    options: Options = ctx.obj
    home, act = _act(options, "calendar")
    folder = home.home / "calendars"
    with store.writing(home) as db:
        # Nobody else writes meanwhile: of two who load the same year, one puts it on record.
        years = calendar_year.add_year(path, folder, replace=replace)
        # A process killed between the file and the log left a year that nobody put on record.
        if years or _unrecorded(db, folder / path.name, path):
            facts = {"years": years or [*workdays.years_of(path)], "digest": store.file_digest(path)}
            store.log.write(db, act, store.Change(f"calendar:{path.name}", {}, facts))
    words = f"已载入 {'、'.join(map(str, years))} 年" if years else "与已载入的日历相同,不产生影响"
    say(options, {"years": years}, words)


def _unrecorded(db: store.Connection, kept: Path, given: Path) -> bool:
    """Whether a calendar lies in the home and the log does not say so."""
    if not kept.is_file():
        return False
    last = [said.get("digest") for said in store.log.told_of(db, f"calendar:{kept.name}")][-1:]
    return not {*last} & {store.file_digest(kept), store.file_digest(given)}


@app.command("deadlines")
def deadlines_command(ctx: typer.Context) -> None:
    """时限监测:各批次的时限、剩余工作日、该谁办、预测 / clocks and forecast."""
    options: Options = ctx.obj
    home = options.open()
    office = Office(home, options.region or "", options.today.replace(day=1), options.today)
    days = office.calendar()
    watched = status.clock(home, options.region, options.today, days)
    if options.month:
        watched = watched.filter(pl.col("clr_ym") == f"{options.need_month():%Y%m}")
    expected = forecast(watched, status.profiles(), days, options.today)
    if options.region and options.month:
        status.write_sheet(options.office())
    rows = {"watch": watched.to_dicts(), "forecast": expected.to_dicts()}
    say(options, rows, "" if options.as_json else status.watch_text(watched, expected, options.lang))


@app.command("log")
def log_command(
    ctx: typer.Context, last: Annotated[int, typer.Option(help="最近几条 / how many")] = 50
) -> None:
    """列出日志的最近几条 / the last entries of the log."""
    options: Options = ctx.obj
    with options.open().engine.connect() as db:
        rows = store.log.last(db, last, options.region)
    columns = [
        ("号", True),
        ("时间", False),
        ("人", False),
        ("事", False),
        ("对象", False),
        ("变更后", False),
        ("理由", False),
    ]
    body = [
        [str(r["seq"]), r["at"], r["actor"], r["action"], r["subject"], r["after"][:60], r["reason"]]
        for r in rows
    ]
    say(options, rows, text.table("日志", columns, body))


@ledger_app.command("show")
def ledger_show(
    ctx: typer.Context, institution: Annotated[str | None, typer.Option(help="机构编码")] = None
) -> None:
    """列出台账余额 / balances of the ledgers."""
    options: Options = ctx.obj
    office = options.region_office()
    with office.home.engine.connect() as db:
        rows = books.balances(db, office.region)
    if institution:
        rows = rows.filter(pl.col("fixmedins_code") == institution)
    columns = [("机构", False), ("基金", False), ("台账", False), ("余额(元)", True)]
    body = [[str(v) for v in row] for row in rows.iter_rows()]
    say(options, rows.to_dicts(), text.table("台账余额", columns, body))


@ledger_app.command("adjust")
def ledger_adjust(  # noqa: PLR0913 - one parameter per option
    ctx: typer.Context,
    institution: Annotated[str, typer.Option(help="机构编码")],
    fund: Annotated[str, typer.Option(help="基金支付类型")],
    amount: Annotated[str, typer.Option(help="元;正数补付,负数扣回")],
    about: Annotated[str, typer.Option(help="所属结算年月 YYYY-MM")],
    finding: Annotated[str, typer.Option(help="疑点号")] = "",
    reason: Reason = "",
) -> None:
    """登记往期调整,须由另一人确认 / enter a prior-period adjustment."""
    options: Options = ctx.obj
    wish = ledgers.Adjustment(institution, fund, amount, about, finding, reason)
    ident = ledgers.adjust(options.region_office(), wish)
    say(options, {"id": ident}, f"往期调整 {ident} 已登记,待负责人确认:settle ledger confirm {ident}")


@ledger_app.command("confirm")
def ledger_confirm(ctx: typer.Context, ident: Annotated[int, typer.Argument(metavar="编号")]) -> None:
    """确认往期调整 / confirm an adjustment."""
    options: Options = ctx.obj
    ledgers.confirm_adjustment(options.region_office(), ident)
    say(options, {"id": ident}, f"往期调整 {ident} 已确认,进入下一张月结算单")


@ledger_app.command("advance")
def ledger_advance(
    ctx: typer.Context,
    institution: Annotated[str, typer.Option(help="机构编码")],
    fund: Annotated[str, typer.Option(help="基金支付类型")],
    amount: Annotated[str, typer.Option(help="元")],
    months: Annotated[int, typer.Option(help="分几个月抵扣,自 --month 起")],
    reason: Reason = "",
) -> None:
    """登记已拨的周转金与抵扣计划 / enter an advance."""
    options: Options = ctx.obj
    ident = ledgers.advance(options.office(), institution, fund, amount, months, reason)
    say(options, {"id": ident}, f"周转金 {ident} 已登记,自 {options.month} 起分 {months} 个月抵扣")


@ledger_app.command("return-deposit")
def ledger_return(ctx: typer.Context, year: int) -> None:
    """按年度考核得分清退质量保证金 / return a year's deposits by score."""
    options: Options = ctx.obj
    given = ledgers.return_deposits(options.office(), year)
    columns = [
        ("机构", False),
        ("基金", False),
        ("保证金", True),
        ("得分", True),
        ("比例", True),
        ("清退", True),
        ("留存", True),
    ]
    body = [[str(v) for v in row] for row in given.iter_rows()]
    say(options, given.to_dicts(), text.table(f"{year} 年度清退", columns, body))
