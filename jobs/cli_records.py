"""Commands that give out records: `history sample`, `history export`, `history report`, `history trends`."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from jobs import audit_reports, exports, samples, scope, trends
from jobs.office import Office
from jobs.terminal import Bar, Options, say
from settlement.review.sampling import Size
from settlement.trends import Alert

app = typer.Typer()


@app.command("sample")
def sample_command(  # noqa: PLR0913 - one parameter per option
    ctx: typer.Context,
    count: Annotated[int, typer.Option(help="抽几条 / how many")] = 0,
    share: Annotated[str, typer.Option(help="抽取比例,0.05 为百分之五 / share of the population")] = "0",
    seed: Annotated[
        str, typer.Option(help="种子;缺省由记录得出 / seed; made from the record by default")
    ] = "",
    what: Annotated[
        str, typer.Option("--from", help=f"从何抽取:{'、'.join(samples.KEYS)} / drawn from")
    ] = samples.SETTLEMENTS,
    institution: Annotated[str, typer.Option(help="机构编码 / institution")] = "",
    unmasked: Annotated[bool, typer.Option("--unmasked", help="不遮盖个人信息 / show persons")] = False,
    out: Annotated[Path | None, typer.Option(help="写到哪里;缺省为该月目录 / folder")] = None,
) -> None:
    """抽取可复算的样本:工作簿、CSV、Parquet / a repeatable sample of a month."""
    options: Options = ctx.obj
    wish = samples.Wish(what, Size(count, _share(share)), seed, institution, not unmasked)
    drawn = samples.sample(options.office(), wish, out)
    value = {
        "from": what, "population": drawn.population, "drawn": drawn.rows.height, "seed": drawn.seed,
        "digest": drawn.digest, "files": [str(path) for path in drawn.files],
    }  # fmt: skip
    lines = [
        f"抽样 {what}:总体 {drawn.population},抽取 {drawn.rows.height}",
        f"  种子 {drawn.seed}",
        f"  摘要 {drawn.digest}(已记入日志)",
        *(f"  {path}" for path in drawn.files),
    ]
    say(options, value, "\n".join(lines))


def _share(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise typer.BadParameter(f"应为 0.30 这样的比例,收到 {text!r}") from None


@app.command("export")
def export_command(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="写到哪里 / folder")],
    mask: Annotated[bool, typer.Option("--mask", help="以化名代替个人信息 / pseudonyms for persons")] = False,
    kind: Annotated[str, typer.Option("--format", help="、".join(exports.FORMATS))] = "parquet",
) -> None:
    """导出一个月的全部记录,附清单与说明 / everything of a month, with a manifest."""
    options: Options = ctx.obj
    with Bar(options) as bar:
        done = exports.export(options.office(), out, masked=mask, kind=kind, progress=bar)
    files = done.manifest["files"]
    lines = [f"导出 {done.folder}:{len(files)} 个文件,{sum(f['rows'] for f in files)} 行"]
    lines += [f"  {f['file']:<24} {f['rows']:>10}  {f['sha256'][:16]}" for f in files]
    if mask:
        lines.append(f"已遮盖,密钥指纹 {done.manifest['pseudonym_key']}(密钥只在本目录的 keys/ 中)")
    if done.other_key:
        lines.append(f"注意:上一次导出用的是另一密钥 {done.other_key},两次的化名不能对照")
    say(options, done.manifest, "\n".join(lines))


@app.command("reports")
def reports_command(ctx: typer.Context) -> None:
    """列出现成的审计报告 / the ready-made reports."""
    options: Options = ctx.obj
    known = audit_reports.titles(options.lang)
    say(options, known, "\n".join(f"{name:<12} {about}" for name, about in known.items()))


@app.command("report")
def report_command(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="、".join(audit_reports.REPORTS))],
    out: Annotated[Path, typer.Option(help="写到哪里 / folder")],
    months: Annotated[str, typer.Option(help="年月范围 2026-01..2026-04;缺省为全部 / range")] = "",
) -> None:
    """写出一份现成的审计报告(各统筹区,或 --region 一个)/ write a ready-made report."""
    options: Options = ctx.obj
    done = audit_reports.report(_scope(options, months), name, out)
    lines = [str(done.path), *(f"  {sheet} {len(rows)}" for sheet, rows in done.sheets.items())]
    say(options, {"file": str(done.path), "sheets": done.sheets}, "\n".join(lines))


@app.command("trends")
def trends_command(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option(help="写到哪里 / folder")],
    months: Annotated[str, typer.Option(help="年月范围 2026-01..2026-04;缺省为全部 / range")] = "",
    alert: Annotated[str, typer.Option(help="环比超过多少为预警 / alert above")] = "0.30",
) -> None:
    """各机构、规则、基金、医疗类别逐月比较,超出幅度的标出 / month on month, with alerts."""
    options: Options = ctx.obj
    options.need_region()
    told = trends.tell(_scope(options, months), Alert(_share(alert)), out)
    value = {
        "files": [str(path) for path in told.files],
        "alerts": told.alerts.to_dicts(),
        **{name: rows.to_dicts() for name, rows in told.found.items()},
    }
    lines = [f"预警 {told.alerts.height} 条", *(f"  {path}" for path in told.files)]
    say(options, value, "\n".join(lines))


def _scope(options: Options, months: str) -> scope.Scope:
    region = options.need_region() if options.region else None
    first = options.today.replace(day=1)
    office = Office(options.open(), region or "", first, options.today, options.actor, options.lang)
    return scope.of(office, region, _range(months or options.month or ""))


def _range(given: str) -> tuple[dt.date, dt.date] | None:
    """Read a range of months; nothing given is no limit."""
    first, _, last = given.partition("..")
    if not given:
        return None
    try:
        ends = [dt.datetime.strptime(part, "%Y-%m").date() for part in (first, last or first)]  # noqa: DTZ007
    except ValueError:
        raise typer.BadParameter(f"--months 应写成 2026-01..2026-04,收到 {given!r}") from None
    return ends[0], ends[1]
