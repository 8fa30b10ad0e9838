"""Commands for auditors: months as they were, queries, traces, samples and ready-made reports."""

from __future__ import annotations

import typer

from jobs import cli_query, cli_records

app = typer.Typer()
history_app = typer.Typer(no_args_is_help=True, help="历史与审计 / history for auditors")
app.add_typer(history_app, name="history")
history_app.add_typer(cli_query.app)
history_app.add_typer(cli_records.app)
