"""The command line: `settle`, also `python -m settlement`."""

from __future__ import annotations

import datetime as dt
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from jobs import books, demonstration, explain, monthly, status, taking_in
from settlement import knowledge, policy, reference, store
from settlement.errors import InvariantBroken, PolicyError, SettlementError

DONE, WITH_RETURNS, USAGE, BROKEN = 0, 1, 2, 3

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="医保定点医药机构月度费用结算 / monthly settlement",
)
reference_app = typer.Typer(no_args_is_help=True, help="参考数据 / reference data")
app.add_typer(reference_app, name="reference")


@dataclass
class Options:
    """The options that stand before the command."""

    home: Path
    region: str | None
    month: str | None
    user: str
    today: dt.date
    lang: str
    as_json: bool

    def need_region(self) -> str:
        """Return the region; exit with usage when it was not given or is unknown."""
        if not self.region:
            raise typer.BadParameter(f"请给出 --region,可用:{'、'.join(policy.regions())}")
        if self.region not in policy.regions():
            raise typer.BadParameter(f"没有统筹区 {self.region},可用:{'、'.join(policy.regions())}")
        return self.region

    def need_month(self) -> dt.date:
        """Return the first day of the month; exit with usage when it was not given."""
        try:
            return dt.datetime.strptime(self.month or "", "%Y-%m").date()  # noqa: DTZ007 - a month
        except ValueError:
            raise typer.BadParameter(f"请给出 --month YYYY-MM,收到 {self.month!r}") from None


@app.callback()
def main_options(  # noqa: PLR0913 - one parameter per option
    ctx: typer.Context,
    home: Annotated[Path, typer.Option(help="结果目录 / home folder")] = Path("outputs"),
    region: Annotated[str | None, typer.Option(help="统筹区 / region")] = None,
    month: Annotated[str | None, typer.Option(help="结算年月 YYYY-MM / claim month")] = None,
    user: Annotated[str, typer.Option("--as", help="经办人 / acting user")] = "robot",
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


def _say(options: Options, value: Any, text: str) -> None:  # noqa: ANN401 - anything JSON can hold
    """Print for a person, or for a program with --json."""
    print(json.dumps(value, ensure_ascii=False, indent=1, default=str) if options.as_json else text)


class Bar:
    """Progress on a terminal; nothing when the output is piped or JSON."""

    def __init__(self, options: Options) -> None:
        console = Console(stderr=True)
        shown = console.is_terminal and not options.as_json
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self.progress = Progress(*columns, console=console, disable=not shown)
        self.tasks: dict[str, Any] = {}

    def __enter__(self) -> Bar:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def __call__(self, step: str, done: int, total: int) -> None:
        """Show how far a step is."""
        if step not in self.tasks:
            self.tasks[step] = self.progress.add_task(step, total=max(total, 1))
        self.progress.update(self.tasks[step], completed=done, total=max(total, 1))


@app.command()
def demo(ctx: typer.Context) -> None:
    """用随附的样例数据跑完五个统筹区的 2026 年 4 月 / run the five sample months."""
    options: Options = ctx.obj
    with Bar(options) as bar:
        result = demonstration.run(store.open_store(options.home), bar, options.lang)
    _say(options, result.as_json(), result.as_text())


@reference_app.command("load")
def reference_load(ctx: typer.Context, folder: Annotated[Path, typer.Argument(exists=True)]) -> None:
    """载入一个目录中的参考数据 CSV / load reference tables."""
    options: Options = ctx.obj
    region = options.need_region()
    home = store.open_store(options.home)
    lines = []
    for name, frame in reference.read_folder(folder).items():
        new = store.add_reference(home, region, name, frame, options.today)
        lines.append({"table": name, "rows": frame.height, "new_version": new})
    text = "\n".join(
        f"{r['table']:<18} {r['rows']:>8} 行  {'新版本' if r['new_version'] else '与现有版本相同'}"
        for r in lines
    )
    _say(options, lines, text)


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
    _say(options, asdict(report), f"{table}\n{total}")
    if report.unusable:
        raise typer.Exit(WITH_RETURNS)


@app.command()
def intake(ctx: typer.Context, paths: Annotated[list[Path], typer.Argument(exists=True)]) -> None:
    """接收并受理申报包(目录、zip、xlsx,或存放它们的目录)/ take in submissions."""
    options: Options = ctx.obj
    home = store.open_store(options.home)
    with Bar(options) as bar:
        taken = taking_in.take_in(
            home, options.need_region(), options.need_month(), paths, options.today, bar
        )
    rows = [asdict(t) for t in taken]
    text = "\n".join(
        f"{t.name}  {t.outcome}  结算 {t.setl_accepted}/{t.setl_in}"
        + "".join(f"\n    {r}" for r in t.reasons)
        for t in taken
    )
    _say(options, rows, text)
    if any(t.outcome == "不予受理" or t.setl_accepted < t.setl_in for t in taken):
        raise typer.Exit(WITH_RETURNS)


def _open(options: Options) -> books.Month:
    home = store.open_store(options.home)
    return books.open_month(home, options.need_region(), options.need_month(), options.today)


@app.command()
def audit(ctx: typer.Context) -> None:
    """初审:运行审核规则 / run the audit rules."""
    options: Options = ctx.obj
    with Bar(options) as bar:
        folder = monthly.run_audit(_open(options), bar)
    _report(options, folder)


@app.command()
def calculate(ctx: typer.Context) -> None:
    """结算:按初审结果计算拨付 / work out payments."""
    options: Options = ctx.obj
    with Bar(options) as bar:
        folder = monthly.run_month(_open(options), unattended=False, progress=bar, lang=options.lang)
    _report(options, folder)


@app.command()
def month(
    ctx: typer.Context,
    unattended: Annotated[bool, typer.Option(help="由机器人代行人工步骤 / robots take human steps")] = False,
) -> None:
    """跑完一个月中不需要人的步骤 / everything that needs no person."""
    options: Options = ctx.obj
    opened = _open(options)
    with Bar(options) as bar:
        folder = monthly.run_month(opened, unattended=unattended, progress=bar, lang=options.lang)
    _report(options, folder, [] if unattended else status.next_steps(opened))


def _report(options: Options, folder: Path, steps: list[str] | None = None) -> None:
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    text = "\n".join([status.month_text(run, folder.parent), *(steps or [])])
    _say(options, {**run, "next": steps} if steps else run, text)
    stages = run["stages"]["acceptance"]
    if stages["setl_returned"] or stages["submissions_returned"]:
        raise typer.Exit(WITH_RETURNS)


@app.command("status")
def status_command(ctx: typer.Context) -> None:
    """各统筹区各月份到了哪一步 / where each month stands."""
    options: Options = ctx.obj
    rows = status.overview(store.open_store(options.home), options.region, options.today)
    _say(options, rows, status.overview_text(rows))


@app.command("explain")
def explain_command(ctx: typer.Context, ident: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """说明一条疑点、一笔结算或一家机构 / explain a finding, settlement or institution."""
    options: Options = ctx.obj
    facts = explain.find(_open(options), ident)
    _say(options, facts, explain.as_text(facts))


def main() -> None:
    """Run the command line; errors become messages and exit codes."""
    try:
        app(standalone_mode=True)
    except (InvariantBroken, PolicyError) as error:
        _fail(error, BROKEN)
    except SettlementError as error:
        _fail(error, USAGE if type(error) is SettlementError else BROKEN)


def _fail(error: Exception, code: int) -> None:
    print(f"错误:{error}", file=sys.stderr)
    sys.exit(code)
