"""Words of safe-keeping."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "retention.title": ("原始申报的保管", "originals kept"),
    "retention.region": ("统筹区", "region"),
    "retention.clr_ym": ("结算年月", "month"),
    "retention.submissions": ("申报包", "submissions"),
    "retention.bytes": ("字节", "bytes"),
    "retention.gone": (
        "已登记并删除 {count} 个申报包的原件,{bytes} 字节",
        "{count} originals removed, {bytes} bytes",
    ),
    "retention.removed": ("已删除", "removed"),
    "retention.finished": ("已办结", "finished"),
}
