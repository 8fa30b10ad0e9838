"""The command line: `settle`, also `python -m settlement`."""

from __future__ import annotations

import datetime as dt
import json
import sys
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from jobs import (
    auditing,
    books,
    cli_history,
    cli_keeping,
    cli_office,
    cli_procedure,
    cli_rules,
    cli_schedule,
    demonstration,
    documents,
    explain,
    monthly,
    status,
    taking_in,
    trace_page,
    trace_sections,
)
from jobs.terminal import BROKEN, USAGE, WITH_RETURNS, Bar, Options, say
from settlement import knowledge, store, workdays
from settlement.errors import SettlementError

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="医保定点医药机构月度费用结算 / monthly settlement",
)
reference_app = typer.Typer(no_args_is_help=True, help="参考数据 / reference data")
app.add_typer(reference_app, name="reference")
app.add_typer(cli_procedure.app)
app.add_typer(cli_office.app)
app.add_typer(cli_schedule.app)
app.add_typer(cli_rules.app)
app.add_typer(cli_history.app)
app.add_typer(cli_keeping.app)


@app.callback()
def main_options(  # noqa: PLR0913 - one parameter per option
    ctx: typer.Context,
    home: Annotated[Path, typer.Option(help="结果目录 / home folder")] = Path("outputs"),
    region: Annotated[str | None, typer.Option(help="统筹区 / region")] = None,
    month: Annotated[str | None, typer.Option(help="结算年月 YYYY-MM / claim month")] = None,
    user: Annotated[str | None, typer.Option("--as", help="经办人 / acting user")] = None,
    today: Annotated[str | None, typer.Option(help="当日 YYYY-MM-DD / today")] = None,
    lang: Annotated[str, typer.Option(help="zh 或 en")] = "zh",
    as_json: Annotated[bool, typer.Option("--json", help="机器可读输出 / JSON output")] = False,
) -> None:
    """医保定点医药机构月度费用结算。"""
    if lang not in ("zh", "en"):
        raise typer.BadParameter("--lang 只能是 zh 或 en")
    try:
        day = dt.date.fromisoformat(today) if today else dt.datetime.now(tz=dt.UTC).astimezone().date()
    except ValueError:
        raise typer.BadParameter(f"--today 应为 YYYY-MM-DD,收到 {today}") from None
    ctx.obj = Options(home, region, month, user, day, lang, as_json)


@app.command()
def demo(ctx: typer.Context) -> None:
    """用随附的样例数据跑完五个统筹区的 2026 年 4 月 / run the five sample months."""
    options: Options = ctx.obj
    with Bar(options) as bar:
        result = demonstration.run(store.open_store(options.home), bar, options.lang)
    say(options, result.as_json(), result.as_text())


@reference_app.command("load")
def reference_load(ctx: typer.Context, folder: Annotated[Path, typer.Argument(exists=True)]) -> None:
    """载入一个目录中的参考数据 CSV / load reference tables."""
    options: Options = ctx.obj
    lines = taking_in.load_reference(options.region_office(), folder)
    text = "\n".join(
        f"{r['table']:<18} {r['rows']:>8} 行  {'新版本' if r['new_version'] else '与现有版本相同'}"
        for r in lines
    )
    say(options, lines, text)


@reference_app.command("import-nhsa")
def reference_import(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(exists=True)],
    out: Annotated[Path | None, typer.Option(help="写到哪里 / where to write kb_*.csv")] = None,
) -> None:
    """读取国家两库工作簿,写出 kb_*.csv 与未采用清单 / import the national lists."""
    options: Options = ctx.obj
    target = out or options.home / "knowledge"
    report = knowledge.import_nhsa(folder, target)
    table = "\n".join(
        f"{w.file}  行 {w.rows}  采用 {w.used}  存疑 {w.doubtful}  未采用 {w.unusable}"
        for w in report.workbooks
    )
    total = (
        f"合计 {report.rows} 行,采用 {report.used},未采用 {report.unusable};清单 {target / 'unusable.csv'}"
    )
    say(options, asdict(report), f"{table}\n{total}")
    if report.unusable:
        raise typer.Exit(WITH_RETURNS)


@app.command()
def intake(ctx: typer.Context, paths: Annotated[list[Path], typer.Argument(exists=True)]) -> None:
    """接收并受理申报包(目录、zip、xlsx,或存放它们的目录)/ take in submissions."""
    options: Options = ctx.obj
    with Bar(options) as bar:
        office = options.office()
        taken = taking_in.take_in(office, paths, bar)
        documents.write_notices(office)
    rows = [asdict(t) for t in taken]
    text = "\n".join(
        f"{t.name}  {t.outcome}  结算 {t.setl_accepted}/{t.setl_in}"
        + "".join(f"\n    {r}" for r in t.reasons)
        for t in taken
    )
    say(options, rows, text)
    if any(t.outcome == "不予受理" or t.setl_accepted < t.setl_in for t in taken):
        raise typer.Exit(WITH_RETURNS)


@app.command()
def audit(ctx: typer.Context) -> None:
    """初审:运行审核规则 / run the audit rules."""
    options: Options = ctx.obj
    office = options.office()
    with Bar(options) as bar:
        auditing.run_audit(office, bar)
    _report(options, store.publish(office.home, office.region, office.first))


@app.command()
def month(
    ctx: typer.Context,
    unattended: Annotated[bool, typer.Option(help="由机器人代行人工步骤 / robots take human steps")] = False,
) -> None:
    """办完一个月中不需要人的步骤,并说明待谁办什么 / everything that needs no person."""
    options: Options = ctx.obj
    office = options.office()
    with Bar(options) as bar:
        done = (monthly.unattended if unattended else monthly.advance)(office, bar)
    _report(options, done.folder, status.next_steps(office))


def _report(options: Options, folder: Path, steps: list[str] | None = None) -> None:
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    text = "\n".join([status.month_text(run, folder.parent), *(steps or [])])
    say(options, {**run, "next": steps} if steps else run, text)
    stages = run["stages"]["acceptance"]
    if stages["setl_returned"] or stages["submissions_returned"]:
        raise typer.Exit(WITH_RETURNS)


@app.command("status")
def status_command(ctx: typer.Context) -> None:
    """各统筹区各月份到了哪一步、失败的任务 / where each month stands, and jobs that failed."""
    options: Options = ctx.obj
    home = options.open()
    days = workdays.load(home.home / "calendars")
    rows = status.overview(home, options.region, options.today, days)
    found = status.work(home)
    text = "\n".join(filter(None, [status.overview_text(rows), status.work_text(found)]))
    say(options, rows, text)


@app.command("explain")
def explain_command(
    ctx: typer.Context,
    ident: Annotated[str, typer.Argument(metavar="ID")],
    page: Annotated[
        Path | None, typer.Option(help="写成可打印的网页 FILE.html / write a page to print")
    ] = None,
) -> None:
    """说明并追溯一笔拨付、一条疑点或费用明细、一笔结算、一家机构 / explain and trace an id."""
    options: Options = ctx.obj
    month = books.open_month(options.office())
    facts = explain.find(month, ident)
    if page:
        shown = trace_sections.sections(facts, options.lang)
        place = f"{month.profile.label} · {month.first:%Y-%m}"
        trace_page.write(page, trace_sections.title(facts, options.lang), place, shown, options.lang)
    say(options, facts, f"{page}" if page else explain.as_text(facts, options.lang))


def main() -> None:
    """Run the command line; errors become messages and exit codes."""
    try:
        app(standalone_mode=True)
    except SettlementError as error:
        _fail(error, USAGE if type(error) is SettlementError else BROKEN)
    except Exception as error:
        # Exit 1 means done with something returned; a fault of the program is not that.
        traceback.print_exc()
        _fail(error, BROKEN)


def _fail(error: Exception, code: int) -> None:
    print(f"错误:{error}", file=sys.stderr)
    sys.exit(code)
