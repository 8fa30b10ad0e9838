"""Commands for auditors: months as they were, queries, traces, samples and ready-made reports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jobs import asof, cli_query, cli_records, text
from jobs.terminal import Options, say
from settlement.labels import label
from settlement.store import commits

app = typer.Typer()
history_app = typer.Typer(help="历史与审计 / history for auditors")
app.add_typer(history_app, name="history")
history_app.add_typer(cli_query.app)
history_app.add_typer(cli_records.app)


@history_app.callback(invoke_without_command=True)
def history(
    ctx: typer.Context,
    as_of: Annotated[
        str | None,
        typer.Option(
            "--as-of", help="时刻 YYYY-MM-DD [HH:MM[:SS]],或提交号 #N;缺省为现在 / moment or commit"
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="写出当时的全部表 / write every table there")] = None,
) -> None:
    """某一时刻的登记:各月到了哪一步,--out 写出当时的全部表 / the record as it stood."""
    ctx.meta[asof.MOMENT] = as_of
    if ctx.invoked_subcommand:
        return
    options: Options = ctx.obj
    home, month = options.open(), options.need_month() if options.month else None
    with home.engine.connect() as db:
        commit = commits.at(db, as_of) if as_of else commits.newest(db)
    rows = asof.months(home, commit, options.region, month)
    written = asof.write(home, commit, out, options.region, month) if out else []
    said = asof.as_text(commit, rows, options.lang)
    more = [label("asof.written", options.lang).format(count=len(written), folder=out)] if out else []
    facts = {"commit": commit.no, "at": commit.at, "log_seq": commit.log_seq, "hash": commit.hash}
    say(options, {**facts, "months": rows.to_dicts(), "files": written}, "\n".join([said, *more]))


@history_app.command("commits")
def commits_command(
    ctx: typer.Context, count: Annotated[int, typer.Option(help="最近几次 / how many")] = 50
) -> None:
    """列出登记的提交,--as-of #N 可按号查看 / the commits of the record."""
    options: Options = ctx.obj
    month = options.need_month() if options.month else None
    rows = asof.list_commits(options.open(), count, options.region, month)
    names = ("no", "at", "log", "actor", "action", "region", "month", "subject")
    columns = [(label(f"asof.{name}", options.lang), name == "no") for name in names]
    body = [
        [
            f"#{r['no']}", r["at"], "–".join(map(str, r["log"])), r["actor"], r["action"], r["region"],
            r["clr_ym"], r["subject"],
        ]
        for r in rows
    ]  # fmt: skip
    say(options, rows, text.table(label("asof.commits", options.lang), columns, body))
