"""Money: exact decimals in 元 with two places, and the only place that rounds.

`round_half_up` is the definition; `ROUND_SQL` is the same in SQL. DuckDB's `round` on a DECIMAL rounds
half away from zero, which for the amounts here is HALF_UP; on a DOUBLE it is not exact, so a share is
always taken in integer 分 by `share_fen` and never by a division of decimals.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def round_half_up(amount: Decimal) -> Decimal:
    """Round an amount in 元 to 分, half away from zero (9393.945 -> 9393.95)."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def to_fen(amount: Decimal) -> int:
    """Return an amount in 元 with at most two places as integer 分; ValueError if it has more."""
    fen = amount.scaleb(2)
    if fen != fen.to_integral_value():
        raise ValueError(f"金额 {amount} 超过两位小数")
    return int(fen)


def to_yuan(fen: int) -> Decimal:
    """Return integer 分 as 元 with two places."""
    return Decimal(fen).scaleb(-2).quantize(CENT)


def share_fen(amount: int, part: int, whole: int) -> int:
    """Return amount x part / whole in 分, half up, for amount, part >= 0 and whole > 0."""
    if part >= whole:
        return amount
    return (2 * amount * part + whole) // (2 * whole)


def share_sql(amount: str, part: str, whole: str) -> str:
    """Return SQL for `share_fen`: `amount` integer 分, `part` and `whole` integers of one unit."""
    wide = f"(2 * {amount}::HUGEINT * {part}::HUGEINT + {whole}::HUGEINT)"
    return f"CASE WHEN {part} >= {whole} THEN {amount} ELSE ({wide} // (2 * {whole}::HUGEINT))::BIGINT END"


def round_sql(amount: str) -> str:
    """Return SQL for `round_half_up`; `amount` must be a DECIMAL expression, never a DOUBLE."""
    return f"round({amount}, 2)"


def fen_sql(amount: str) -> str:
    """Return SQL for `to_fen` of a DECIMAL(16,2) expression."""
    return f"({amount} * 100)::BIGINT"
