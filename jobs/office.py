"""Who works on which month: the context of every step, and the question whether they may."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from settlement import procedure, store, workdays
from settlement.errors import ProcedureError
from settlement.store import batches, users
from settlement.store.batches import Batch


@dataclass(frozen=True)
class Office:
    """One region's month as somebody works on it.

    Attributes:
        home: the store.
        region: profile name.
        first: first day of the claim month.
        today: the only clock.
        actor: user name; the machine where nobody is named.
        lang: `zh` or `en`, for documents.
    """

    home: store.Store
    region: str
    first: dt.date
    today: dt.date
    actor: str = procedure.MACHINE
    lang: str = "zh"

    @property
    def clr_ym(self) -> str:
        """The claim month as yyyyMM."""
        return f"{self.first:%Y%m}"

    def act(self, deed: str, reason: str = "") -> store.Act:
        """What is about to be done, for the log."""
        return store.Act(self.actor, deed, self.today, reason, self.region, self.clr_ym)

    def calendar(self) -> workdays.Calendar:
        """The working days shipped with the program, and the years loaded into this home."""
        return workdays.load(self.home.home / "calendars")

    def by(self, actor: str) -> Office:
        """The same month in somebody else's hands."""
        return replace(self, actor=actor)


def permit(office: Office, deed: str, reason: str = "") -> store.Act:
    """Return the act when the office's actor may do it.

    Raises:
        ProcedureError: the act is not open to the actor's roles; the refusal is logged.
    """
    act = office.act(deed, reason)
    if office.actor == procedure.MACHINE and procedure.SYSTEM not in procedure.DEEDS[deed].roles:
        needed = "、".join(procedure.ROLES[r][0] for r in procedure.DEEDS[deed].roles)
        raise ProcedureError(f"{procedure.DEEDS[deed].zh}须由{needed}办理,请在命令前加 --as <用户名>。")
    users.permit(office.home, act)
    return act


def chosen(
    office: Office, states: Sequence[str], codes: Sequence[str] = (), held: bool = False
) -> list[Batch]:
    """Return the month's batches in some states, of some institutions or all.

    Raises:
        ProcedureError: an institution is named that has no batch in the month.
    """
    with office.home.engine.connect() as db:
        every = batches.find(db, office.region, office.clr_ym, (), codes)
    missing = sorted(set(codes) - {b.fixmedins_code for b in every})
    if missing:
        raise ProcedureError(
            f"{office.region} {office.first:%Y-%m} 没有 {'、'.join(missing)} 的批次。请核对机构编码。"
        )
    return [b for b in every if b.state in states or (held and b.held in states)]
