"""Numbers that look random and are the same on every machine and with every library version.

A draw is a pure function of a row number and a salt (multiply, fold, multiply), so no state is carried
and adding a column never changes another one.
"""

from __future__ import annotations

import zlib

import polars as pl

_STEP = 0x9E3779B97F4A7C15
_MIX = 0xD6E8FEB86659FD93
_HALF = 2**32


def salt(*parts: object) -> int:
    """Return a salt for a purpose, such as ("langfang", "price")."""
    text = "|".join(str(part) for part in parts).encode()
    return zlib.crc32(text) * _HALF + zlib.crc32(text[::-1])


def _unsigned(value: int) -> pl.Expr:
    return pl.lit(value, dtype=pl.UInt64)


def roll(row: pl.Expr, seed: int, sides: int) -> pl.Expr:
    """Return an Int64 in 0 .. sides-1 for each row number (arithmetic wraps at 64 bits)."""
    x = (row.cast(pl.UInt64) + _unsigned(seed)) * _unsigned(_STEP)
    for _ in range(2):
        x = (x ^ (x // _unsigned(_HALF))) * _unsigned(_MIX)
    return ((x // _unsigned(_HALF)) * _unsigned(sides) // _unsigned(_HALF)).cast(pl.Int64)


def pick(values: pl.Series, index: pl.Expr) -> pl.Expr:
    """Return values[index] for each row."""
    return pl.lit(values).gather(index)
