"""Heads of the log kept outside the home: whether the chain still goes through them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from settlement import store
from settlement.errors import SettlementError
from settlement.labels import label
from settlement.store import kept
from settlement.untrusted import archives, workbooks

HEAD = re.compile(r"\b([1-9][0-9]*):([0-9a-f]{64})\b")
# A proof is one small workbook; nothing larger is looked at.
LARGEST = 20 << 20


def check(home: store.Store, proofs: Iterable[str], lang: str = "zh") -> list[str]:
    """Return, in words, the heads through which the log's chain no longer goes.

    Args:
        home: the store; it is only read.
        proofs: copies of 14_运行证明.xlsx, text files that hold `number:hash`, or such a text itself.
        lang: language of the words.

    Raises:
        SettlementError: a file is missing, unreadable, or holds no head.
    """
    with home.engine.connect() as db:
        last = kept.log_hash(db)[0]
        found = [
            _fault(
                Path(proof).name if not HEAD.fullmatch(proof) else proof[:12], seq, wanted, held, last, lang
            )
            for proof in proofs
            for seq, wanted in heads(proof)
            if (held := kept.log_hash(db, seq)[1]) != wanted
        ]
    return list(dict.fromkeys(found))


def heads(proof: str) -> list[tuple[int, str]]:
    """Return the heads (number, hash) that a proof holds; SettlementError when there is none."""
    whole = HEAD.fullmatch(proof.strip())
    texts = [proof] if whole else _texts(Path(proof))
    found = [(int(seq), digest) for text in texts for seq, digest in HEAD.findall(text)]
    if not found:
        raise SettlementError(
            f"{proof} 中没有日志链头(形如 条号:64 位摘要)。请给出 14_运行证明.xlsx 的副本,或直接给出该文字。"
        )
    return list(dict.fromkeys(found))


def _texts(path: Path) -> Iterator[str]:
    if not path.is_file():
        raise SettlementError(f"没有文件 {path}。请给出存放在外的 14_运行证明.xlsx,或形如 条号:摘要 的文字。")
    if path.stat().st_size > LARGEST:
        raise SettlementError(f"{path} 有 {path.stat().st_size} 字节,不是运行证明。")
    if path.suffix.lower() != ".xlsx":
        yield path.read_text(encoding="utf-8", errors="replace")
        return
    try:
        if workbooks.refused(path):
            raise SettlementError(f"{path} 不是运行证明:工作簿过大或含有不应有的内容。")
        for _, cells in workbooks.frames(path):
            yield from cells.select(pl.concat_str(pl.all(), separator="\n", ignore_nulls=True)).to_series()
    except (OSError, workbooks.Unreadable, *archives.DAMAGED) as fault:
        raise SettlementError(f"{path} 无法读取({type(fault).__name__})。请另取一份副本。") from fault


def _fault(proof: str, seq: int, wanted: str, held: str, last: int, lang: str) -> str:
    key = "verify.proof_rewritten" if held else "verify.proof_cut"
    facts = {"proof": proof, "seq": seq, "last": last, "wanted": wanted[:16], "found": held[:16]}
    return label(key, lang).format(**facts)
