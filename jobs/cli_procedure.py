"""Commands of the procedure: notify, reply, review, calculate, approve, disburse, receipt, close, hold."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from jobs import documents, holding, monthly, paying, replying, reviewing, settling, text
from jobs.office import Office, permit
from jobs.terminal import WITH_RETURNS, Bar, Codes, Options, Reason, say, say_moved
from settlement import procedure

KINDS = {
    "paid": "成功", "failed": "失败", "unknown": "无此业务号", "repeated": "重复", "conflicting": "矛盾",
    "unreadable": "无法读取",
}  # fmt: skip
app = typer.Typer()
review_app = typer.Typer(help="复审 / re-review", invoke_without_command=True)
app.add_typer(review_app, name="review")
accounts_app = typer.Typer(help="收款账户 / payees' accounts", no_args_is_help=True)
app.add_typer(accounts_app, name="accounts")


@app.command()
def notify(ctx: typer.Context, institution: Codes = None) -> None:
    """发送初审结果,反馈期开始 / send what was found; the feedback window opens."""
    options: Options = ctx.obj
    office = options.office()
    with Bar(options) as bar:
        moved = replying.notify(office, institution or (), bar)
        documents.write(office, bar, documents.ON_NOTICE)
    folder = office.home.month_folder(office.region, office.first) / "institutions"
    where = f"反馈单在 {folder}/<机构编码>/04_初审反馈单.xlsx"
    say_moved(options, moved, "已发送初审结果", institution, [where])


@app.command()
def reply(ctx: typer.Context, paths: Annotated[list[Path], typer.Argument(exists=True)]) -> None:
    """登记机构反馈(04_初审反馈单.xlsx 或 05_申诉表.csv)/ take in replies."""
    options: Options = ctx.obj
    answered = replying.reply(options.office(), paths)
    rows = answered.refused.to_dicts()
    lines = [f"采纳 {answered.taken} 条(新登记 {answered.recorded} 条),未采纳 {len(rows)} 条"]
    lines += [f"  {r['file']} {r['place']}  {r['code']} {r['message_zh']} {r['action']}" for r in rows[:30]]
    if answered.report:
        lines.append(f"全部未采纳的行见 {answered.report}")
    facts = {"taken": answered.taken, "recorded": answered.recorded, "refused": rows}
    say(options, facts, "\n".join(lines))
    if rows:
        raise typer.Exit(WITH_RETURNS)


@app.command("close-feedback")
def close_feedback(ctx: typer.Context, institution: Codes = None) -> None:
    """关闭到期或已全部答复的反馈 / close windows that are over."""
    options: Options = ctx.obj
    say_moved(options, replying.close_feedback(options.office(), institution or ()), "转入复审", institution)


def _deciding(options: Options) -> Office:
    """Open the month for somebody who may review; windows that are over are closed on the way."""
    office = options.office()
    permit(office, "review")
    replying.close_feedback(office.by(procedure.MACHINE))
    return office


@review_app.callback()
def review_list(ctx: typer.Context) -> None:
    """不带子命令:列出待决定的疑点 / list what is to be decided."""
    if ctx.invoked_subcommand:
        return
    options: Options = ctx.obj
    rows = reviewing.worklist_of(options.office())
    rows = rows.filter((pl.col("state") == "REVIEW") & pl.col("required") & pl.col("decision").is_null())
    names = [
        "finding_id",
        "fixmedins_code",
        "rule_id",
        "grade",
        "limit_amt",
        "answer",
        "agreed_amt",
        "appeal",
    ]
    shown = rows.select(names).to_dicts()
    columns = [("疑点号", False), ("机构", False), ("规则", False), ("等级", False), ("涉及金额", True),
               ("机构意见", False), ("认可金额", True), ("申诉理由", False)]  # fmt: skip
    body = [["" if r[n] is None else str(r[n]) for n in names] for r in shown[:100]]
    title = f"待复审 {len(shown)} 条" + ("(列出前 100 条,全部请 review export)" if len(shown) > 100 else "")
    say(options, shown, text.table(title, columns, body))


@review_app.command("export")
def review_export(
    ctx: typer.Context, path: Annotated[Path | None, typer.Argument(help="写到哪里 / where to")] = None
) -> None:
    """写出复审工作表 / write the reviewers' workbook."""
    options: Options = ctx.obj
    made = reviewing.export(options.office(), path)
    say(options, {"file": str(made)}, f"复审工作表 {made}")


def _say_decided(options: Options, decided: reviewing.Decided) -> None:
    rows = decided.refused.to_dicts()
    lines = [f"登记决定 {decided.recorded} 条,未采纳 {len(rows)} 条"]
    lines += [
        f"  {r.get('sheet', '')}!{r.get('cell', '')}  {r['code']} {r['message']} {r['action']}"
        for r in rows[:30]
    ]
    if decided.report:
        lines.append(f"全部未采纳的行见 {decided.report}")
    say(options, {"recorded": decided.recorded, "refused": rows}, "\n".join(lines))
    if rows:
        raise typer.Exit(WITH_RETURNS)


@review_app.command("import")
def review_import(ctx: typer.Context, path: Annotated[Path, typer.Argument(exists=True)]) -> None:
    """登记填好的复审工作表 / take in a filled-in workbook."""
    options: Options = ctx.obj
    _say_decided(options, reviewing.take_in(_deciding(options), path))


@review_app.command("decide")
def review_decide(
    ctx: typer.Context,
    finding_id: str,
    outcome: Annotated[str, typer.Argument(help="维持、部分维持 或 撤销")],
    amount: Annotated[str | None, typer.Option(help="部分维持的金额(元)/ amount")] = None,
    reason: Reason = "",
) -> None:
    """决定一条疑点 / decide one finding."""
    options: Options = ctx.obj
    try:
        value = None if amount is None else Decimal(amount)
    except InvalidOperation:
        raise typer.BadParameter(f"--amount 应为元,收到 {amount!r}") from None
    _say_decided(options, reviewing.decide(_deciding(options), finding_id, outcome, value, reason))


@review_app.command("bulk")
def review_bulk(
    ctx: typer.Context,
    outcome: Annotated[str, typer.Argument(help="维持 或 撤销")],
    rule: Annotated[str | None, typer.Option(help="规则编码 / rule")] = None,
    grade: Annotated[str | None, typer.Option(help="违规 或 可疑 / grade")] = None,
    institution: Annotated[str | None, typer.Option(help="机构编码 / institution")] = None,
    reason: Reason = "",
) -> None:
    """按规则、等级或机构批量决定 / decide many alike."""
    options: Options = ctx.obj
    filters = {"rule_id": rule, "grade": grade, "fixmedins_code": institution}
    _say_decided(options, reviewing.bulk(_deciding(options), outcome, reason, filters))


@review_app.command("sample")
def review_sample(ctx: typer.Context) -> None:
    """列出抽查的通过结算(按摘要抽取,可复算)/ the sample of passed settlements."""
    options: Options = ctx.obj
    office = options.office()
    rows = reviewing.picked(office).select(
        "fixmedins_code", "setl_id", "fund_pay_sumamt", "pick", "place", "passed"
    )
    columns = [
        ("机构", False),
        ("结算ID", False),
        ("基金支付", True),
        ("摘要", False),
        ("次序", True),
        ("通过笔数", True),
    ]
    body = [[str(v)[:20] for v in row] for row in rows.iter_rows()]
    title = f"抽查 {rows.height} 笔  种子 {reviewing.seed(office)}"
    say(
        options, {"seed": reviewing.seed(office), "picked": rows.to_dicts()}, text.table(title, columns, body)
    )


@review_app.command("finish")
def review_finish(ctx: typer.Context, institution: Codes = None) -> None:
    """复审办结:机构无异议的违规维持 / sign the review off."""
    options: Options = ctx.obj
    say_moved(options, reviewing.finish(_deciding(options), institution or ()), "复审办结", institution)


@app.command()
def calculate(ctx: typer.Context, institution: Codes = None) -> None:
    """结算:复审完成的批次生成月结算单 / freeze the statements."""
    options: Options = ctx.obj
    office = options.office()
    with Bar(options) as bar:
        moved = settling.calculate(office, institution or (), bar)
        documents.write(office, bar)
    say_moved(options, moved, "已结算", institution)


@app.command()
def approve(ctx: typer.Context, institution: Codes = None, reason: Reason = "") -> None:
    """负责人核准 / sign under the amounts."""
    options: Options = ctx.obj
    office = options.office()
    moved = settling.approve(office, institution or (), reason)
    documents.write(office, papers=documents.FUND_ONLY)
    say_moved(options, moved, "已核准", institution)


@app.command()
def disburse(
    ctx: typer.Context,
    institution: Codes = None,
    encoding: Annotated[str, typer.Option(help="utf-8-sig 或 gb18030")] = "utf-8-sig",
) -> None:
    """财务拨付:写银行批量文件,失败的另写重付文件 / write the bank files."""
    options: Options = ctx.obj
    if encoding not in ("utf-8-sig", "gb18030"):
        raise typer.BadParameter("--encoding 只能是 utf-8-sig 或 gb18030")
    office = options.office()
    done = paying.disburse(office, institution or (), "gb18030" if encoding == "gb18030" else "utf-8-sig")
    documents.write(office, papers=documents.FUND_ONLY)
    lines = [f"{f['file']}  {f['count']} 笔  {f['sum']} 元" for f in done.files]
    if options.as_json:
        facts = {"done": done.moved.done, "waiting": done.moved.waiting, "files": done.files}
        say(options, facts, "")
        if done.moved.waiting:
            raise typer.Exit(WITH_RETURNS)
        return
    say_moved(options, done.moved, "已拨付", institution, lines)


@accounts_app.command("confirm")
def accounts_confirm(
    ctx: typer.Context, code: Annotated[str, typer.Argument(metavar="机构编码")], reason: Reason = ""
) -> None:
    """由另一人确认共用或变更的收款账户 / confirm an account as a second person."""
    options: Options = ctx.obj
    say_moved(options, paying.confirm_account(options.office(), code, reason), "已确认账户")


@accounts_app.command("list")
def accounts_list(ctx: typer.Context) -> None:
    """列出收款账户及其疑点 / list accounts and what is odd about them."""
    options: Options = ctx.obj
    rows = paying.listed(options.office())
    columns = [("机构", False), ("账号", False), ("疑点", False), ("确认人", False)]
    body = [[r["fixmedins_code"], r["bankacct"], r["warning"], r["confirmed_by"] or ""] for r in rows]
    say(options, rows, text.table("收款账户", columns, body))


@app.command()
def receipt(ctx: typer.Context, path: Annotated[Path, typer.Argument(exists=True, dir_okay=False)]) -> None:
    """登记银行回单 / take in a bank return."""
    options: Options = ctx.obj
    office = options.office()
    received = paying.take_receipt(office, path)
    documents.write(office, papers=documents.FUND_ONLY)
    lines = ["  ".join(f"{KINDS[k]} {n}" for k, n in received.counts.items())]
    lines += [
        f"  第 {r['row']} 行 {r['business_no']}:{r['words']}" for r in received.noted.iter_rows(named=True)
    ]
    if received.counts["failed"]:
        lines.append("失败的款项:核实账户后再次运行 disburse,只为失败的款项另写文件。")
    say(options, {**received.counts, "noted": received.noted.to_dicts()}, "\n".join(lines))
    if received.noted.height:
        raise typer.Exit(WITH_RETURNS)


@app.command()
def close(ctx: typer.Context, institution: Codes = None) -> None:
    """办结:银行全部确认的批次 / close what the bank has confirmed."""
    options: Options = ctx.obj
    office = options.office()
    moved = paying.close(office, institution or ())
    documents.write(office, papers=documents.ON_CLOSE)
    say_moved(options, moved, "已办结", institution)


@app.command()
def hold(ctx: typer.Context, institution: Codes = None, reason: Reason = "") -> None:
    """暂停结算与拨付,时限停算 / suspend batches; the clock stands."""
    options: Options = ctx.obj
    say_moved(options, holding.hold_back(options.office(), institution or (), reason), "已暂停")


@app.command()
def resume(ctx: typer.Context, institution: Codes = None, reason: Reason = "") -> None:
    """恢复暂停的批次 / let held batches go on."""
    options: Options = ctx.obj
    say_moved(options, holding.resume(options.office(), institution or (), reason), "已恢复")


@app.command("documents")
def rebuild(ctx: typer.Context) -> None:
    """重新生成该月全部文书 / write the month's documents again."""
    options: Options = ctx.obj
    office = options.office()
    with Bar(options) as bar:
        written = monthly.write_all(office, bar)
    say(options, {"files": [str(p) for p in written]}, f"文书 {len(written)} 份")
