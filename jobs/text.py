"""Laying out text for a terminal."""

from __future__ import annotations

import io

from rich.console import Console
from rich.table import Table

WIDTH = 150


def table(title: str, columns: list[tuple[str, bool]], rows: list[list[str]]) -> str:
    """Lay out rows as a text table; True marks a column of figures."""
    grid = Table(title=title, title_justify="left", title_style="bold")
    for name, figures in columns:
        grid.add_column(name, justify="right" if figures else "left", no_wrap=figures)
    for row in rows:
        grid.add_row(*row)
    console = Console(width=WIDTH, file=io.StringIO(), record=True, color_system=None)
    console.print(grid)
    return console.export_text().rstrip()


def money(amount: object) -> str:
    """Write an amount in 元 with thousands separated."""
    return f"{amount:,.2f}" if not isinstance(amount, str) else amount
