"""What if 试算: stored months under other rules or parameters, side by side with the present ones.

Both sides are run now over the same accepted rows, with the reference tables the month's last run used, so
that a difference comes from the change alone. Nothing is recorded and nothing stored is touched.
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

import polars as pl

from jobs import auditing
from jobs.books import Month, open_month
from jobs.office import Office
from jobs.progress import Progress, quiet
from settlement import store
from settlement.audit.rules_file import Rule
from settlement.errors import PolicyError, SettlementError
from settlement.policy import Profile, Value

KEY = ("clr_ym", "rule_id", "fixmedins_code")
MONEY = pl.Decimal(16, 2)
SIDE: dict[str, Any] = {"hits": pl.Int64, "risk_amt": MONEY, "det_sumamt": MONEY}
SHOWN = ("finding_id", "rule_id", "grade", "fixmedins_code", "setl_id", "bkkp_sn", "risk_amt", "det_sumamt",
         "vola_cont")  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """What would be different.

    Attributes:
        months: months compared, as yyyyMM.
        changed: rules and parameters that differ, in words.
        totals: by clr_ym, rule_id, fixmedins_code: hits, risk_amt, det_sumamt (元) and the same with
            `_then`; only where anything differs.
        findings: findings that appear, vanish or cost something else: clr_ym, change
            (新增 | 消失 | 变化), SHOWN of the side that has it, det_then.
        not_run: rules that did not run under the change, with the tables they lack.
    """

    months: list[str]
    changed: list[str]
    totals: pl.DataFrame
    findings: pl.DataFrame
    not_run: dict[str, tuple[str, ...]]

    def by(self, *names: str) -> pl.DataFrame:
        """Sum the differences by some of clr_ym, rule_id, fixmedins_code."""
        sums = [pl.col(n).sum().cast(t).alias(n) for n, t in _both().items()]
        return self.totals.group_by(names).agg(sums).sort(names)


def whatif(
    office: Office,
    months: Sequence[dt.date],
    rules: tuple[Rule, ...],
    settings: dict[str, str],
    progress: Progress = quiet,
) -> Comparison:
    """Audit stored months as they are and as they would be.

    Args:
        office: the store and the region.
        months: first days of the claim months.
        rules: rules that replace those of the same id or are added.
        settings: parameter values by name, in force on every day.
        progress: called with step, done, total.

    Raises:
        SettlementError: no such month is stored.
        PolicyError: an unknown parameter, or a value that is none of its unit.
    """
    if not months:
        raise SettlementError(f"{office.region} 在所给的范围内没有已初审的月份。请先运行 audit 或 month。")
    totals, findings = [pl.DataFrame(schema=_total_schema())], [pl.DataFrame(schema=_finding_schema())]
    not_run: dict[str, tuple[str, ...]] = {}
    for done, first in enumerate(months):
        progress("试算", done, len(months))
        its = replace(office, first=first)
        now = open_month(its, pinned=store.newest(office.home, office.region, first))
        then = replace(now, rules=overlaid(now.rules, rules), profile=with_values(now.profile, settings))
        before, (after, lacking) = _found(now)[0], _found(then)
        not_run |= lacking
        totals.append(_totals(before, after).with_columns(clr_ym=pl.lit(its.clr_ym)))
        findings.append(_changed(before, after).with_columns(clr_ym=pl.lit(its.clr_ym)))
    progress("试算", len(months), len(months))
    named = [f"规则 {rule.rule_id} {rule.name}" for rule in rules]
    named += [f"参数 {name} = {value}" for name, value in settings.items()]
    return Comparison(
        [f"{first:%Y%m}" for first in months],
        named,
        pl.concat(t.select(list(_total_schema())) for t in totals).sort(KEY),
        pl.concat(f.select(list(_finding_schema())) for f in findings).sort(
            "clr_ym", "rule_id", "finding_id"
        ),
        not_run,
    )


def stored_months(office: Office, first: dt.date, last: dt.date) -> list[dt.date]:
    """Return the months from `first` to `last` that have results."""
    after = (last.replace(day=28) + dt.timedelta(days=4)).replace(day=1)
    return [m for m in store.earlier_months(office.home, office.region, after) if m >= first]


def overlaid(rules: tuple[Rule, ...], others: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Return the rules with some replaced by those of the same id, and new ones added."""
    by_id = {rule.rule_id: rule for rule in (*rules, *others)}
    return tuple(by_id[ident] for ident in sorted(by_id))


def with_values(profile: Profile, settings: dict[str, str]) -> Profile:
    """Return a profile in which some parameters have one value on every day."""
    parameters = dict(profile.parameters)
    for name, text in settings.items():
        if name not in parameters:
            near = difflib.get_close_matches(name, parameters, 3)
            raise PolicyError(f"没有参数 {name}。" + (f"是否为 {'、'.join(near)}?" if near else ""))
        held = parameters[name]
        value = Value(dt.date.min, _value(name, held.unit, text), held.values[-1].source, "试算", True)
        parameters[name] = replace(held, values=(value,))
    return replace(profile, parameters=parameters)


def _value(name: str, unit: str, text: str) -> Decimal | int | str:
    if unit == "code":
        return text
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise PolicyError(f"参数 {name} 的单位是 {unit},{text!r} 不是数值。") from None
    return int(number) if number == number.to_integral_value() else number


def _found(month: Month) -> tuple[pl.DataFrame, dict[str, tuple[str, ...]]]:
    con, audited = auditing.audit(month)
    con.close()
    return audited.findings, audited.not_run


def _totals(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    def summed(rows: pl.DataFrame) -> pl.DataFrame:
        sums = (pl.col(n).sum().cast(MONEY) for n in ("risk_amt", "det_sumamt"))
        return rows.group_by("rule_id", "fixmedins_code").agg(pl.len().cast(pl.Int64).alias("hits"), *sums)

    keys = ["rule_id", "fixmedins_code"]
    both = summed(before).join(summed(after), on=keys, how="full", coalesce=True, suffix="_then")
    both = both.with_columns(pl.col(n).fill_null(0).cast(t) for n, t in _both().items())
    return both.filter(pl.any_horizontal(pl.col(n) != pl.col(f"{n}_then") for n in SIDE))


def _changed(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    then = pl.col("det_sumamt").alias("det_then")
    gone = before.join(after, on="finding_id", how="anti")
    fresh = after.join(before, on="finding_id", how="anti")
    same = before.join(after.select("finding_id", then, "risk_amt"), on="finding_id", suffix="_then")
    moved = same.filter(
        (pl.col("det_sumamt") != pl.col("det_then")) | (pl.col("risk_amt") != pl.col("risk_amt_then"))
    )
    zero = pl.lit(Decimal(0)).cast(MONEY)
    parts = [
        gone.select(*SHOWN, zero.alias("det_then"), pl.lit("消失").alias("change")),
        fresh.select(*SHOWN, then, pl.lit("新增").alias("change")).with_columns(zero.alias("det_sumamt")),
        moved.select(*SHOWN, "det_then", pl.lit("变化").alias("change")),
    ]
    return pl.concat(parts)


def _both() -> dict[str, Any]:
    return {**SIDE, **{f"{n}_then": t for n, t in SIDE.items()}}


def _total_schema() -> dict[str, Any]:
    return {**dict.fromkeys(KEY, pl.String), **_both()}


def _finding_schema() -> dict[str, Any]:
    texts = dict.fromkeys(("clr_ym", "change", *SHOWN), pl.String)
    return {**texts, "risk_amt": MONEY, "det_sumamt": MONEY, "det_then": MONEY}
