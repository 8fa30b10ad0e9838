"""Commands that give out records: `history sample`, `history export`, `history report`, `history trends`."""

from __future__ import annotations

import typer

app = typer.Typer()
