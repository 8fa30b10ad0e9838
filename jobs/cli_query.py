"""Commands that ask: `history sql`, `history prompt`, `history views`."""

from __future__ import annotations

import typer

app = typer.Typer()
