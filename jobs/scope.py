"""Which regions and months a report for auditors covers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from jobs.office import Office
from settlement import policy, store
from settlement.errors import SettlementError
from settlement.store import evidence

NAMES = {"region": pl.String, "fixmedins_code": pl.String, "fixmedins_name": pl.String}


@dataclass(frozen=True)
class Scope:
    """Months on record that a report covers.

    Attributes:
        home: the store.
        region: profile name, None for all.
        offices: one per region and month on record, in order.
        today: as of which day.
        lang: `zh` or `en`.
    """

    home: store.Store
    region: str | None
    offices: tuple[Office, ...]
    today: dt.date
    lang: str

    @property
    def regions(self) -> list[str]:
        """The regions covered, in order."""
        return sorted({office.region for office in self.offices})

    @property
    def months(self) -> list[str]:
        """The months covered as yyyyMM, in order."""
        return sorted({office.clr_ym for office in self.offices})

    @property
    def last(self) -> dt.date:
        """First day of the last month covered."""
        return max(office.first for office in self.offices)

    @property
    def places(self) -> str:
        """The regions' names."""
        return "、".join(policy.load(region).label for region in self.regions)

    @property
    def span(self) -> str:
        """The months from first to last."""
        first = min(office.first for office in self.offices)
        return f"{first:%Y-%m} ~ {self.last:%Y-%m}" if first != self.last else f"{first:%Y-%m}"

    @property
    def mark(self) -> str:
        """What a file's name says of the scope."""
        return "_".join((self.region or "all", self.span.replace(" ~ ", "_")))

    def covers(self) -> pl.Expr:
        """Whether a row's region and clr_ym are covered."""
        return pl.concat_str("region", "clr_ym", separator="|").is_in(
            [f"{office.region}|{office.clr_ym}" for office in self.offices]
        )

    def names(self) -> pl.DataFrame:
        """Return what institutions are called now: region, fixmedins_code, fixmedins_name."""
        parts = [pl.DataFrame(schema=NAMES)]
        for region in self.regions:
            rows = store.read_reference(self.home, region, only=("institution",))["institution"]
            newest = rows.sort("fixmedins_code", "begndate").unique("fixmedins_code", keep="last")
            parts.append(newest.select(pl.lit(region).alias("region"), "fixmedins_code", "fixmedins_name"))
        return pl.concat(parts)


def of(office: Office, region: str | None, months: tuple[dt.date, dt.date] | None) -> Scope:
    """Return the scope of a report.

    Args:
        office: the store, the day and the language.
        region: profile name, None for all.
        months: first days of the first and the last month, None for all on record.

    Raises:
        SettlementError: nothing is on record there.
    """
    with office.home.engine.connect() as db:
        stored = evidence.stored_months(db, region)
    found = [(name, dt.date(int(ym[:4]), int(ym[4:]), 1)) for name, ym in stored]
    chosen = [(name, first) for name, first in found if not months or months[0] <= first <= months[1]]
    if not chosen:
        where = f"{region or ''} {' ~ '.join(f'{m:%Y-%m}' for m in months) if months else ''}".strip()
        raise SettlementError(f"{where or '本目录'} 没有已有结果的月份。请核对 --region 与 --months。")
    offices = (
        Office(office.home, name, first, office.today, office.actor, office.lang) for name, first in chosen
    )
    return Scope(office.home, region, tuple(offices), office.today, office.lang)
