"""Amounts in words, as they stand on Chinese vouchers (大写)."""

from __future__ import annotations

from decimal import Decimal

from settlement.money import to_fen

DIGITS = "零壹贰叁肆伍陆柒捌玖"
PLACES = ("", "拾", "佰", "仟")
GROUPS = ("", "万", "亿", "万亿")


def capitals(amount: Decimal) -> str:
    """Return an amount in words: 1005.60 -> 壹仟零伍元陆角整."""
    fen = to_fen(amount)
    sign, fen = ("负", -fen) if fen < 0 else ("", fen)
    yuan, jiao, cent = fen // 100, fen // 10 % 10, fen % 10
    whole = _integer(yuan) + "元" if yuan else ""
    if not jiao and not cent:
        return f"{sign}{whole or '零元'}整"
    tenths = f"{DIGITS[jiao]}角" if jiao else ("零" if yuan else "")
    return f"{sign}{whole}{tenths}{f'{DIGITS[cent]}分' if cent else '整'}"


def _integer(number: int) -> str:
    """Spell a positive integer, four digits at a time; a gap of zeros is said once."""
    words, gap = "", False
    for group in reversed(range(len(GROUPS))):
        part = number // 10_000**group % 10_000
        if not part:
            gap = bool(words)
            continue
        if words and (gap or part < 1000):
            words += DIGITS[0]
        words += _four(part) + GROUPS[group]
        gap = False
    return words


def _four(part: int) -> str:
    words, gap = "", False
    for place in reversed(range(4)):
        digit = part // 10**place % 10
        if digit:
            words += (DIGITS[0] if gap and words else "") + DIGITS[digit] + PLACES[place]
        gap = not digit
    return words
