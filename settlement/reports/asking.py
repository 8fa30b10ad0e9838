"""Sheets in which people fill in some cells: the rest is locked, and the open cells say what they accept.

The lock has no password: it keeps honest people from slips, and what comes back is compared anyway.
"""

from __future__ import annotations

from typing import Any

from xlsxwriter.utility import xl_col_to_name

# The colour of a cell that waits for somebody to write in it.
INPUT = "#FFF8DC"
# First row, first column, last row, last column.
Area = tuple[int, int, int, int]


def lock(sheet: Any) -> None:  # noqa: ANN401 - xlsxwriter has no types
    """Lock a list but for its open cells; it can still be filtered and fitted to the screen."""
    sheet.protect("", {"autofilter": True, "format_columns": True, "format_rows": True})


def choice(sheet: Any, area: Area, words: list[str], **said: str) -> None:  # noqa: ANN401
    """Let one of some words be chosen; `said` are the messages shown beside the cell."""
    sheet.data_validation(*area, {"validate": "list", "source": words, **said})


def amount(sheet: Any, area: Area, most: int, **said: str) -> None:  # noqa: ANN401
    """Let an amount be written, from 0 to what stands in column `most` of the same row."""
    limit = f"=${xl_col_to_name(most)}{area[0] + 1}"
    between = {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": limit}
    sheet.data_validation(*area, {**between, **said})


def remark(sheet: Any, area: Area, text: str) -> None:  # noqa: ANN401
    """Show a message beside cells that take any text."""
    sheet.data_validation(*area, {"validate": "any", "input_message": text})
