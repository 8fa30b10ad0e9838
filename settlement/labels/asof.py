"""Words of the record as it stood at a moment."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "asof.head": (
        "第 {no} 次提交之后({at},日志至第 {seq} 条)",
        "after commit {no} ({at}, log up to entry {seq})",
    ),
    "asof.region": ("统筹区", "region"),
    "asof.month": ("结算年月", "month"),
    "asof.findings": ("疑点", "findings"),
    "asof.decisions": ("复审意见", "decisions"),
    "asof.payable": ("应拨(元)", "payable (yuan)"),
    "asof.paid": ("已拨(元)", "paid (yuan)"),
    "asof.run": ("运行号", "run"),
    "asof.written": ("已写出 {count} 个文件,在 {folder}", "{count} files written to {folder}"),
    "asof.commits": ("提交", "commits"),
    "asof.no": ("提交号", "commit"),
    "asof.at": ("时刻", "at"),
    "asof.log": ("日志", "log"),
    "asof.actor": ("经办人", "by"),
    "asof.action": ("事项", "deed"),
    "asof.subject": ("对象", "subject"),
}
