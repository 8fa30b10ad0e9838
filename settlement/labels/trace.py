"""Words of a trace from a payment to its rows, and of what a check of the record found."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    # heads of the log kept outside
    "verify.proof_cut": (
        "证明 {proof}:日志第 {seq} 条不存在,现在只到第 {last} 条,日志尾部曾被截去",
        "proof {proof}: entry {seq} of the log is gone, the last one is {last}: the log's tail was cut off",
    ),
    "verify.proof_rewritten": (
        "证明 {proof}:日志第 {seq} 条的摘要应为 {wanted},现为 {found},日志在第 {seq} 条或之前曾被改写",
        "proof {proof}: entry {seq} of the log should have hash {wanted} and has {found}: "
        "the log was rewritten at or before it",
    ),
}
