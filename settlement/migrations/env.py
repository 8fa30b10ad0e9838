"""Runs the steps on the connection that `settlement.store.migrating` opened, inside its transaction.

A developer who writes a new step runs
`alembic -x url=sqlite:///<a home at the newest step>/settlement.db revision --autogenerate -m <words>`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

from settlement.store.schema import META


def _run(connection: sa.Connection) -> None:
    context.configure(connection=connection, target_metadata=META)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    with sa.create_engine(context.get_x_argument(as_dictionary=True)["url"]).begin() as opened:
        _run(opened)
