"""Catalogue sentences for whole columns."""

from __future__ import annotations

import re

import polars as pl

from settlement.labels import label

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def sentence(key: str, lang: str, **parts: pl.Expr) -> pl.Expr:
    """Return a catalogue text with its placeholders filled from columns; a missing value reads as empty."""
    text = label(key, lang)
    filled = [parts[name].cast(pl.String).fill_null("") for name in _PLACEHOLDER.findall(text)]
    return pl.format(_PLACEHOLDER.sub("{}", text), *filled) if filled else pl.lit(text)
