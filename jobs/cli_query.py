"""Commands that ask: `history sql`, `history prompt`, `history views`."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.cells import cell_len

from jobs import asof, text
from jobs.terminal import Options, say
from settlement.errors import SettlementError
from settlement.history import Limits, Views, open_views, output
from settlement.history.asked import Answer
from settlement.history.declared import VIEWS, View
from settlement.labels import EN, label

app = typer.Typer()
# What does not fit beside each other on a terminal is shown one below the other.
FRAME, WIDEST = 3, 40

Months = Annotated[str, typer.Option(help="年月范围 2026-01..2026-04 / range of months")]
Format = Annotated[str, typer.Option("--format", help="table csv json parquet xlsx")]
Out = Annotated[Path | None, typer.Option(help="写成文件 / write to a file")]
Rows = Annotated[int, typer.Option(min=1, help="屏幕上最多几行 / rows shown on the terminal")]
Memory = Annotated[str, typer.Option(help="内存上限 / memory limit")]
Seconds = Annotated[float, typer.Option(min=0.001, help="时间上限(秒) / time limit in seconds")]
Mask = Annotated[bool, typer.Option("--mask", help="遮盖个人信息列 / mask personal columns")]


@dataclass(frozen=True)
class Shown:
    """How answers are given: format, file, rows on the terminal."""

    kind: str
    out: Path | None
    rows: int


@app.command("sql")
def history_sql(  # noqa: PLR0913 - one parameter per option
    ctx: typer.Context,
    question: Annotated[str, typer.Argument(metavar="SELECT", help="SQL,- 为标准输入 / - reads stdin")],
    months: Months = "",
    kind: Format = "",
    out: Out = None,
    rows: Rows = 50,
    memory: Memory = "2GB",
    seconds: Seconds = 60,
    mask: Mask = False,
) -> None:
    """用一条 SELECT 查询历史视图 / ask the views of history."""
    options: Options = ctx.obj
    shown = Shown(_kind(options, kind, out), out, rows)
    asked = sys.stdin.read() if question == "-" else question
    with _views(ctx, months, Limits(memory, seconds), mask) as views:
        _give(options, views, asked, shown)


@app.command("views")
def history_views(
    ctx: typer.Context, name: Annotated[str | None, typer.Argument(help="视图 / view")] = None
) -> None:
    """列出视图,或一个视图的列 / the views, or the columns of one."""
    options: Options = ctx.obj
    if name is not None and name.lower() not in VIEWS:
        raise typer.BadParameter(f"没有视图 {name},可用:{'、'.join(VIEWS)}")
    chosen = [VIEWS[name.lower()]] if name else list(VIEWS.values())
    value = [
        {
            "view": view.name,
            "about": label(f"view.{view.name}", options.lang),
            "columns": [
                {
                    **{key: getattr(f, key) for key in ("name", "zh", "en", "unit", "personal")},
                    "type": f.sql_type,
                }
                for f in view.fields
            ],
        }
        for view in chosen
    ]  # fmt: skip
    say(options, value, _columns(chosen[0], options.lang) if name else _list(options.lang))


@app.command("prompt")
def history_prompt(
    ctx: typer.Context,
    months: Months = "",
    rows: Rows = 50,
    memory: Memory = "2GB",
    seconds: Seconds = 60,
    mask: Mask = False,
) -> None:
    """逐条查询,直到 .quit / ask question after question."""
    options: Options = ctx.obj
    shown = Shown("table", None, rows)
    with _views(ctx, months, Limits(memory, seconds), mask) as views:
        if sys.stdin.isatty():
            _edit_lines()
            print(f"{_list(options.lang)}\n.views  .columns v_x  .format table|csv|json  .quit;SQL 以 ; 结束")
        while (said := _read()) is not None:
            if said in (".quit", ".exit"):
                break
            try:
                shown = _command(options, said, shown) if said.startswith(".") else shown
                if said and not said.startswith("."):
                    _give(options, views, said, shown)
            except SettlementError as fault:
                print(fault)


def _command(options: Options, said: str, shown: Shown) -> Shown:
    """Do what a line that begins with a dot says; returns how answers are given from then on."""
    word, _, rest = said.partition(" ")
    named = rest.strip().lower()
    if word == ".views":
        print(_list(options.lang))
    elif word == ".columns" and named in VIEWS:
        print(_columns(VIEWS[named], options.lang))
    elif word == ".format" and named in ("table", "csv", "json"):
        return replace(shown, kind=named)
    else:
        print(f"可用:.views  .columns {'|'.join(VIEWS)}  .format table|csv|json  .quit")
    return shown


def _read() -> str | None:
    """One line that begins with a dot, or SQL up to a line that ends with a semicolon; None at the end."""
    lines: list[str] = []
    while True:
        try:
            line = input(("settle> " if not lines else "   ...> ") if sys.stdin.isatty() else "")
        except EOFError:
            return "\n".join(lines) if "".join(lines).strip() else None
        except KeyboardInterrupt:
            print()
            lines = []
            continue
        lines.append(line)
        if len(lines) == 1 and (not line.strip() or line.strip().startswith(".")):
            return line.strip()
        if line.rstrip().endswith(";"):
            return "\n".join(lines)


def _edit_lines() -> None:
    try:
        import readline  # noqa: F401 - its import is what gives input() a history
    except ImportError:
        return


def _views(ctx: typer.Context, months: str, limits: Limits, mask: bool) -> Views:
    options: Options = ctx.obj
    if options.region:
        options.need_region()
    if options.month:
        options.need_month()
    commit = asof.chosen(options.open(), ctx.meta.get(asof.MOMENT))
    return open_views(options.home, options.region, months or options.month or "", commit, limits, mask)


def _kind(options: Options, kind: str, out: Path | None) -> str:
    if kind and kind not in output.FORMATS:
        raise typer.BadParameter(f"--format 只能是 {' '.join(output.FORMATS)}")
    if out and kind == "table":
        raise typer.BadParameter("table 只在屏幕上显示;--out 请用 csv、json、parquet 或 xlsx")
    if not out and kind in ("parquet", "xlsx"):
        raise typer.BadParameter(f"{kind} 须用 --out 写成文件")
    return kind or ("json" if options.as_json and not out else output.default_kind(out))


def _give(options: Options, views: Views, question: str, shown: Shown) -> None:
    """Ask, and print or write what comes."""
    on_terminal = shown.kind == "table"
    answer = views.sql(question, shown.rows if on_terminal else None)
    if on_terminal:
        print(_table(answer, options.lang))
    elif shown.out:
        path = output.write(answer.rows, shown.kind, shown.out, question, options.today, options.lang)
        height = answer.rows.height
        told = label("ask.written", options.lang).format(path=path, rows=height)
        say(options, {"path": str(path), "rows": height}, told)
    else:
        print(output.printed(answer.rows, shown.kind))


def _table(answer: Answer, lang: str) -> str:
    rows = answer.rows
    if "explain_value" in rows.columns:
        return "\n".join(rows["explain_value"])
    cells = output.texts(rows)
    columns = zip(rows.columns, *cells, strict=True)
    if sum(FRAME + min(max(map(cell_len, column)), WIDEST) for column in columns) > text.WIDTH:
        wide = max(map(len, rows.columns))
        records = [
            "\n".join(f"{n:<{wide}}  {v}" for n, v in zip(rows.columns, row, strict=True)) for row in cells
        ]
        shown = "\n\n".join(records) or "  ".join(rows.columns)
    else:
        shown = text.table("", [(n, t.is_numeric()) for n, t in rows.schema.items()], cells)
    last = label("ask.more" if answer.more else "ask.rows", lang).format(more=answer.more, rows=rows.height)
    return f"{shown}\n{last}"


def _list(lang: str) -> str:
    return "\n".join(f"{name:<13} {label(f'view.{name}', lang)}" for name in VIEWS)


def _columns(view: View, lang: str) -> str:
    heads = [(label(f"ask.{key}", lang), False) for key in ("column", "label", "type", "unit")]
    rows = [[f.name, f.en if lang == EN else f.zh, f.sql_type, f.unit] for f in view.fields]
    return text.table(view.name, heads, rows)
