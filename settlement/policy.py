"""Policy profiles: the region's numbers, each with its first day, unit and source.

`national.toml` holds what is the same everywhere; a region's file lies on top of it, parameter by
parameter. A value runs until the next `from`; asking before the first one is an error, not a guess.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import tomllib
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from settlement.errors import PolicyError

FOLDER = Path(__file__).parent / "policies"
UNITS = {
    "day_of_month", "days", "workdays", "ratio", "years", "months", "hours", "minutes", "yuan", "code",
    "count",
}  # fmt: skip
SWITCH = {"status": ("trial", "active", "retired"), "grade": ("违规", "可疑")}


@dataclass(frozen=True)
class Value:
    """One dated value of a parameter and where it comes from."""

    start: dt.date
    value: Decimal | int | str
    source: str
    article: str
    assumed: bool


@dataclass(frozen=True)
class Parameter:
    """A parameter: label, unit, and its values by first day."""

    name: str
    label: str
    unit: str
    values: tuple[Value, ...]

    def on(self, day: dt.date) -> Value:
        """Return the value in force on `day`; PolicyError before the first one."""
        held = [value for value in self.values if value.start <= day]
        if not held:
            raise PolicyError(
                f"参数 {self.name} 在 {day} 没有可用的值。请在政策档案的 [parameters.{self.name}] "
                f"补一行 from <= {day} 的值,并写明 source。"
            )
        return held[-1]

    def cited(self, day: dt.date, sources: dict[str, dict[str, Any]]) -> str:
        """Return name, value, unit and source of the value in force on a day, in one text."""
        value = self.on(day)
        assumed = ",推定" if value.assumed else ""
        title = sources[value.source]["title"]
        return f"{self.name}={value.value}({self.label},{title} {value.article}{assumed})"


@dataclass(frozen=True)
class Switch:
    """How a region runs a rule from a day on; an empty status or grade is the rule file's own."""

    start: dt.date
    status: str
    grade: str
    source: str
    article: str


@dataclass(frozen=True)
class Deadline:
    """How the payment deadline of a region is reckoned."""

    kind: str
    days: int
    start: str
    roll: str
    source: str
    article: str


@dataclass(frozen=True)
class Profile:
    """A region's policy: items, deadline, parameters, sources."""

    region: str
    label: str
    item_hospital: str
    item_pharmacy: str
    pharmacy_settled: bool
    deadline: Deadline
    parameters: dict[str, Parameter]
    sources: dict[str, dict[str, Any]]
    digest: str
    rules: dict[str, tuple[Switch, ...]] = field(default_factory=dict)

    def switches(self, rule_id: str) -> tuple[Switch, ...]:
        """Return how the region runs a rule, by first day; nothing when it runs it as its file says."""
        return self.rules.get(rule_id, ())

    def switch(self, rule_id: str, day: dt.date) -> Switch | None:
        """Return the switch of a rule in force on a day."""
        held = [switch for switch in self.switches(rule_id) if switch.start <= day]
        return held[-1] if held else None

    def cited(self, names: tuple[str, ...], day: dt.date) -> str:
        """Return parameters as they stand on a day, each with its value and source."""
        return ";".join(self.parameter(name).cited(day, self.sources) for name in sorted(names))

    def value(self, name: str, day: dt.date) -> Decimal | int | str:
        """Return a parameter's value on a day."""
        return self.parameter(name).on(day).value

    def ratio(self, name: str, day: dt.date) -> Decimal:
        """Return a numeric parameter's value on a day as Decimal."""
        return Decimal(self.value(name, day))

    def parameter(self, name: str) -> Parameter:
        """Return a parameter; PolicyError when the profile has none of that name."""
        if name not in self.parameters:
            raise PolicyError(
                f"统筹区 {self.region} 的政策档案没有参数 {name}。请在 "
                f"settlement/policies/{self.region}.toml 或 national.toml 中补上 [parameters.{name}]。"
            )
        return self.parameters[name]


def regions() -> list[str]:
    """Return the regions that have a profile, in order of name."""
    return sorted(path.stem for path in FOLDER.glob("*.toml") if path.stem != "national")


@cache
def load(region: str, folder: Path = FOLDER) -> Profile:
    """Read a region's profile on top of the national one.

    Raises:
        PolicyError: no such region, or a value without unit, date or known source.
    """
    path = folder / f"{region}.toml"
    if region == "national" or not path.is_file():
        known = "、".join(sorted(p.stem for p in folder.glob("*.toml") if p.stem != "national"))
        raise PolicyError(f"没有统筹区 {region} 的政策档案。可用:{known}")
    national, own = _read(folder / "national.toml"), _read(path)
    sources = {**national["sources"], **own["sources"]}
    raw = {**national.get("parameters", {}), **own.get("parameters", {})}
    switched = {**national.get("rules", {}), **own.get("rules", {})}
    text = json.dumps([own, raw, sources, switched], sort_keys=True, default=str, ensure_ascii=False)
    return Profile(
        region=region,
        label=own["profile"]["label"],
        item_hospital=own["items"]["hospital"],
        item_pharmacy=own["items"]["pharmacy"],
        pharmacy_settled=own["items"]["pharmacy_settled"],
        deadline=Deadline(**own["deadline"]),
        parameters={name: _parameter(name, body, sources) for name, body in raw.items()},
        sources=sources,
        digest=hashlib.sha256(text.encode()).hexdigest(),
        rules={ident: _switches(ident, body, sources) for ident, body in switched.items()},
    )


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)


def _switches(ident: str, body: dict[str, Any], sources: dict[str, Any]) -> tuple[Switch, ...]:
    """Read `[rules.<ID>]`: values with from, source, article and a status, a grade or both."""
    found = []
    for v in body["values"]:
        given = {key: v[key] for key in SWITCH if key in v}
        strange = {key: value for key, value in given.items() if value not in SWITCH[key]}
        if strange or not given:
            raise PolicyError(f"规则 {ident} 的开关 {v} 有误:status、grade 至少一项,取值见 {SWITCH}")
        if v["source"] not in sources:
            raise PolicyError(f"规则 {ident} 的出处 {v['source']} 不在 [sources] 中")
        found.append(
            Switch(v["from"], given.get("status", ""), given.get("grade", ""), v["source"], v["article"])
        )
    starts = [switch.start for switch in found]
    if starts != sorted(set(starts)):
        raise PolicyError(f"规则 {ident} 的起始日须逐条递增:{starts}")
    return tuple(found)


def _parameter(name: str, body: dict[str, Any], sources: dict[str, Any]) -> Parameter:
    if body["unit"] not in UNITS:
        raise PolicyError(f"参数 {name} 的单位 {body['unit']} 不在单位表中:{sorted(UNITS)}")
    values = tuple(
        Value(v["from"], v["value"], v["source"], v["article"], v.get("assumed", False))
        for v in body["values"]
    )
    starts = [value.start for value in values]
    if starts != sorted(set(starts)):
        raise PolicyError(f"参数 {name} 的起始日须逐条递增:{starts}")
    for value in values:
        if value.source not in sources:
            raise PolicyError(f"参数 {name} 的出处 {value.source} 不在 [sources] 中")
    return Parameter(name, body["label"], body["unit"], values)
