"""Commands of the machine: schedule, outbox, verify, backup."""

from __future__ import annotations

import datetime as dt
import logging
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from typing import Annotated, Any

import typer
from apscheduler.schedulers import SchedulerNotRunningError
from apscheduler.schedulers.blocking import BlockingScheduler

from jobs import anchors, nightly, postman, scheduler, text
from jobs import backup as backups
from jobs import rebuild as rebuilding
from jobs.due import EVERYTHING, Scope
from jobs.rebuild import Rebuilt
from jobs.scheduler import Did
from jobs.terminal import BROKEN, WITH_RETURNS, Bar, Options, say
from settlement import policy, store
from settlement.errors import SettlementError
from settlement.labels import label
from settlement.store import jobs, kept, mail

app = typer.Typer()
Retry = Annotated[bool, typer.Option(help="失败的任务重新开始计次 / try failed jobs again")]


def _moment(options: Options) -> dt.datetime:
    """The time of day on the day the command is given for: the one place that looks at the clock."""
    return dt.datetime.combine(options.today, _clock().time())


def _clock() -> dt.datetime:
    return dt.datetime.now(tz=dt.UTC).astimezone().replace(tzinfo=None)


def _scope(options: Options, names: tuple[str, ...] = EVERYTHING.names) -> Scope:
    if options.region and options.region not in policy.regions():
        raise typer.BadParameter(f"没有统筹区 {options.region},可用:{'、'.join(policy.regions())}")
    return Scope(names, options.region, f"{options.need_month():%Y%m}" if options.month else None)


@app.command()
def schedule(
    ctx: typer.Context,
    once: Annotated[bool, typer.Option(help="只办一遍到期的任务 / one sweep, then exit")] = False,
    retry: Retry = False,
) -> None:
    """运行定时任务:办理一切到期而不需要人的事项 / run what is due."""
    options: Options = ctx.obj
    scope, home = _scope(options), options.open()
    if not once and options.today != _clock().date():
        raise typer.BadParameter("--today 只能与 schedule --once 同用:常驻运行以系统时钟为准。")
    if retry:
        scheduler.retry(home, scope)
    if not once:
        _keep_on(home, scope, options.lang)
        return
    did = scheduler.sweep(home, _moment(options), scope, options.lang)
    lines = [_line(each, options.lang) for each in did] or ["没有到期的任务。"]
    say(options, [asdict(each) for each in did], "\n".join(lines))
    if any(each.state == jobs.FAILED for each in did):
        raise typer.Exit(WITH_RETURNS)


def _line(did: Did, lang: str) -> str:
    where = did.key if did.region and did.key.startswith(did.region) else f"{did.region} {did.key}".strip()
    return (
        f"{label(f'job.{did.state}', lang)}  {label(f'job.{did.name}', lang)}  {where}  {did.words}".rstrip()
    )


def _keep_on(home: store.Store, scope: Scope, lang: str) -> None:
    """Sweep at once and then at intervals, until told to stop; a job that runs is finished first."""
    stop = threading.Event()

    def sweep() -> None:
        def tell(did: Did) -> None:
            print(f"{_clock():%Y-%m-%d %H:%M:%S}  {_line(did, lang)}", flush=True)

        try:
            scheduler.sweep(home, _clock(), scope, lang, stop.is_set, tell)
        except Exception as fault:  # the next sweep may find the database or the disk well again
            print(f"{_clock():%Y-%m-%d %H:%M:%S}  {scheduler.words(fault, lang)}", flush=True)

    # Its own words would tell of every sweep that lasts longer than the interval, which is no fault.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    clock = BlockingScheduler(timezone=dt.UTC)
    clock.add_job(
        sweep, "interval", seconds=home.settings.schedule.sweep_seconds, misfire_grace_time=None,
        coalesce=True, max_instances=1, next_run_time=dt.datetime.now(tz=dt.UTC),
    )  # fmt: skip
    _on_stop(stop, clock.shutdown)
    if not stop.is_set():
        clock.start()


def _on_stop(stop: threading.Event, shutdown: Callable[[], None]) -> None:
    """Let SIGTERM and SIGINT end the sweep after the job that runs."""

    def ask(*_: Any) -> None:  # noqa: ANN401 - what the system hands to a handler
        if not stop.is_set():
            stop.set()
            with suppress(SchedulerNotRunningError):
                shutdown()

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, ask)


@app.command()
def outbox(
    ctx: typer.Context,
    send: Annotated[bool, typer.Option("--send", help="立即发送 / send now")] = False,
) -> None:
    """列出发给机构的消息 / messages to institutions."""
    options: Options = ctx.obj
    scope, home = _scope(options, ("deliver",)), options.open()
    did: list[Did] = []
    if send:
        scheduler.retry(home, scope)
        did = scheduler.sweep(home, _moment(options), scope, options.lang)
    rows = postman.listed(home, scope.region, scope.month)
    columns = [("号", True), ("统筹区", False), ("年月", False), ("机构", False), ("消息", False),
               ("日期", False),
               ("状态", False), ("次数", True), ("发出时间", False), ("说明", False)]  # fmt: skip
    body = [
        [str(r["id"]), r["region"], r["clr_ym"], r["fixmedins_code"], r["kind"], str(r["day"]),
         label(f"mail.{r['state']}", options.lang), str(r["attempts"]), r["sent_at"], r["error"]]
        for r in rows
    ]  # fmt: skip
    title = "发件箱" + (f" 本次办理 {len(did)} 条" if send else "")
    say(options, rows, text.table(title, columns, body))
    if send and any(row["state"] in (mail.FAILED, mail.NO_ADDRESS) for row in rows):
        raise typer.Exit(WITH_RETURNS)


@app.command()
def verify(
    ctx: typer.Context,
    republish: Annotated[
        bool, typer.Option("--republish", help="先恢复公布的副本 / put copies back")
    ] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="按登记的输入重算各月并比较 / compute stored months again")
    ] = False,
    proof: Annotated[
        list[str] | None,
        typer.Option("--proof", help="存放在外的 14_运行证明.xlsx,或 条号:摘要 / a proof kept outside"),
    ] = None,
) -> None:
    """校验:日志、文件摘要、台账、结算单、银行文件与登记一致 / check the record."""
    options: Options = ctx.obj
    # Opening puts triggers back, so what was done to them must be seen before.
    altered = nightly.altered(kept.altered_guards(options.home), options.lang)
    home = options.open()
    if republish:
        nightly.republish(home)
    told = anchors.check(home, proof or (), options.lang)
    anew = _rebuilt(options, home) if rebuild else Rebuilt([], {})
    found = [*altered, *told, *nightly.verify(home, options.lang), *rebuilding.faults(anew, options.lang)]
    found = list(dict.fromkeys(found))
    head = label("verify.found" if found else "verify.fine", options.lang).format(count=len(found))
    tables = (
        {"rebuilt": [asdict(each) for each in anew.tables], "otherwise": anew.otherwise} if rebuild else {}
    )
    say(
        options,
        {"faults": found, **tables},
        "\n".join([*rebuilding.as_text(anew, options.lang), head, *found]),
    )
    if found:
        raise typer.Exit(BROKEN)


def _rebuilt(options: Options, home: store.Store) -> Rebuilt:
    region = options.need_region() if options.region else None
    month = options.need_month() if options.month else None
    with Bar(options) as bar:
        return rebuilding.rebuild(home, region, month, options.lang, bar)


@app.command()
def backup(ctx: typer.Context) -> None:
    """备份数据库与存档文件 / back up the database and the files it names."""
    options: Options = ctx.obj
    home = options.open()
    made = backups.make(home, _moment(options))
    wrong = backups.broken(made)
    if wrong:
        raise SettlementError(f"备份 {made} 中 {len(wrong)} 个文件与清单不符,如 {wrong[0]}。请检查磁盘。")
    say(options, {"backup": str(made)}, f"备份 {made}")
