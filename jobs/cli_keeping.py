"""Commands of safe-keeping: restore, retention."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Annotated

import typer

from jobs import restoring, retention, text
from jobs.office import Office, permit
from jobs.terminal import Options, Reason, say
from settlement import store
from settlement.errors import ProcedureError
from settlement.labels import label

app = typer.Typer()
retention_app = typer.Typer(help="保管 / retention", no_args_is_help=True)
app.add_typer(retention_app, name="retention")


@app.command()
def restore(
    ctx: typer.Context,
    made: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="备份目录 / the backup")],
    reason: Reason = "",
) -> None:
    """从备份恢复到新的 --home 目录,校验后可用 / make a new home of a backup."""
    options: Options = ctx.obj
    actor = options.actor
    home = restoring.restore(made, options.home)
    try:
        act = permit(Office(home, "", options.today.replace(day=1), options.today, actor), "restore", reason)
    except ProcedureError:
        home.engine.dispose()
        if home.engine.url.get_backend_name() == "sqlite":
            shutil.rmtree(options.home)
        raise
    with store.writing(home) as db:
        facts = {"backup": made.name}
        entry = store.Act(act.actor, act.action, act.day, reason)
        store.log.write(db, entry, store.Change(f"backup:{made.name}", {}, facts))
    say(
        options,
        {"home": str(options.home), "backup": made.name},
        f"已从 {made} 恢复到 {options.home},校验通过",
    )


@retention_app.command("list")
def list_command(ctx: typer.Context) -> None:
    """列出各月保管的原始申报 / what is kept of each month."""
    options: Options = ctx.obj
    rows = retention.held(options.open())
    names = ("region", "clr_ym", "submissions", "bytes", "removed", "finished")
    columns = [(label(f"retention.{name}", options.lang), name in ("submissions", "bytes")) for name in names]
    body = [[str(row[name]) for name in names] for row in rows]
    say(options, rows, text.table(label("retention.title", options.lang), columns, body))


@retention_app.command("remove")
def remove_command(
    ctx: typer.Context,
    before: Annotated[str, typer.Option(help="YYYY-MM;此月以前的 / months before this one")],
    reason: Reason = "",
) -> None:
    """删除此前各月的原始申报,先登记后删除 / remove originals, on record first."""
    options: Options = ctx.obj
    try:
        month = dt.datetime.strptime(before, "%Y-%m").date()  # noqa: DTZ007 - a month
    except ValueError:
        raise typer.BadParameter(f"--before 应为 YYYY-MM,收到 {before}") from None
    region = options.need_region() if options.region else ""
    office = Office(options.open(), region, month, options.today, options.actor, options.lang)
    rows = retention.remove(office, month, reason)
    size = sum(row["bytes"] for row in rows)
    words = label("retention.gone", options.lang).format(count=len(rows), bytes=size)
    say(options, rows, words)
