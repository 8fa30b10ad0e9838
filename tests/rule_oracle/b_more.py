"""The slow rules B11 to B20: what may not, or must, be charged together; and what all B rules share."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

from tests.rule_oracle.world import (
    PURCHASE,
    STAY,
    VISIT,
    Hit,
    Row,
    World,
    charged,
    effective,
    four_places,
    in_force,
    in_line_order,
    share,
)

Groups = dict[Any, list[Row]]
SPACES = " \u3000"


def b11(world: World) -> list[Hit]:
    """Several levels of nursing on one day."""
    found = []
    concerned = []
    for line in charged(world, STAY):
        ranks = [row["care_rank"] for row in rows_of(world, "kb_nursing", line)]
        if ranks:
            concerned.append(line | {"rank": min(ranks)})
    for group in grouped(concerned, "psn_no", "fixmedins_code", "mdtrt_id", "d").values():
        price = _dearest(group)
        rank = {line["hilist_code"]: line["rank"] for line in group}
        kept = min(rank, key=lambda code: (rank[code], -price[code], code))
        found += [on(line) for line in effective(group, "d") if line["hilist_code"] != kept]
    return found


def b12(world: World) -> list[Hit]:
    """Charged on a day outside the stay."""
    judged = effective(charged(world, STAY), "d")
    return [on(line) for line in judged if not line["begndate"] <= line["d"] <= line["enddate"]]


def b13(world: World) -> list[Hit]:
    """The same line twice."""
    rows = [line | {"minute": _minute(line)} for line in charged(world, VISIT, STAY)]
    same = ("mdtrt_id", "psn_no", "hilist_code", "minute", "cnt", "pric", "rx_drord_no")
    again = [line for group in grouped(rows, *same).values() for line in sorted(group, key=in_line_order)[1:]]
    return [on(line) for line in effective(again, "d")]


def b14(world: World) -> list[Hit]:
    """The parts of a bundle for more than the bundle."""
    hits: dict[tuple[str, str], Hit] = {}
    for group in grouped(charged(world, VISIT, STAY), "psn_no", "fixmedins_code", "d").values():
        bundles: dict[str, set[str]] = defaultdict(set)
        for row in in_force(world.reference.get("kb_bundle", []), group[0]["d"]):
            bundles[row["bundle_code"]].add(row["part_code"])
        there = {line["hilist_code"] for line in group}
        for bundle in sorted(bundles):
            if bundle in there or not bundles[bundle] <= there:
                continue
            parts = [line for line in group if line["hilist_code"] in bundles[bundle]]
            for hit in _dearer_than_bundle(world, parts, bundle):
                hits.setdefault((hit.setl_id, hit.bkkp_sn or ""), hit)
    return list(hits.values())


def b15(world: World) -> list[Hit]:
    """A material without an item that needs it."""
    return _without(world, ("kb_req", "material_code", "item_code"), ("psn_no", "mdtrt_id"))


def b16(world: World) -> list[Hit]:
    """A surcharge without what it adds to."""
    return _without(world, ("kb_addon", "addon_code", "main_code"), ("psn_no", "fixmedins_code", "d"))


def b17(world: World) -> list[Hit]:
    """More of a material than the operations take."""
    found = []
    operations: dict[str, int] = defaultdict(int)
    for operation in world.operations:
        operations[operation["setl_id"]] += 1
    limited = [line for line in charged(world, STAY) if rows_of(world, "kb_max", line)]
    for (setl_id, _), group in grouped(limited, "setl_id", "hilist_code").items():
        limit = max(row["max_cnt"] for line in group for row in rows_of(world, "kb_max", line))
        total = sum(line["cnt"] for line in group)
        allowed = limit * max(1, operations[setl_id])
        grade = "违规" if operations[setl_id] else "可疑"
        if total > allowed:
            found += [on(line, share(total - allowed, total), grade) for line in effective(group, "d")]
    return found


def b18(world: World) -> list[Hit]:
    """A material that an item's price already contains."""
    found = []
    everything = charged(world, VISIT, STAY)
    for material in _in_scope(everything):
        items = {row["item_code"] for row in rows_of(world, "kb_pair_mat", material, "material_code")}
        beside = _charged_with(everything, material, ("psn_no", "fixmedins_code", "mdtrt_id"))
        if items & beside:
            found.append(on(material))
    return found


def b19(world: World) -> list[Hit]:
    """The institution's own item is registered as another one."""
    mapped = world.reference.get("catalogue_map", [])
    mapping = {row["fixmedins_code"] for row in mapped}
    found = []
    for line in _in_scope(charged(world, VISIT, STAY, PURCHASE)):
        if line["medins_list_codg"] is None or line["fixmedins_code"] not in mapping:
            continue
        registered = {
            row["hilist_code"]
            for row in in_force(mapped, line["d"])
            if all(row[column] == line[column] for column in ("fixmedins_code", "medins_list_codg"))
        }
        if line["hilist_code"] not in registered:
            found.append(on(line, _swapped(world, line, registered)))
        elif _unlike(line["medins_list_name"], line["hilist_name"]):
            found.append(on(line))
    return found


def b20(world: World) -> list[Hit]:
    """Two items of which only one can be charged on a day."""
    found = []
    for group in grouped(charged(world, VISIT, STAY), "psn_no", "fixmedins_code", "d").values():
        price = _dearest(group)
        grades: dict[str, set[str]] = defaultdict(set)
        for pair in in_force(world.reference.get("kb_mutex", []), group[0]["d"]):
            codes = {pair["code_a"], pair["code_b"]}
            if len(codes) == 2 and codes <= price.keys():
                # The cheaper one; of two at one price the larger code, which a plain sort puts last.
                lowest = min(price[code] for code in codes)
                cheaper = max(code for code in codes if price[code] == lowest)
                grades[cheaper].add("违规" if pair["national"] == "1" else "可疑")
        for line in effective(group, "d"):
            if grades[line["hilist_code"]]:
                found.append(on(line, grade="违规" if "违规" in grades[line["hilist_code"]] else "可疑"))
    return found


# --- what all B rules share ------------------------------------------------------------------


def on(line: Row, of_it: Fraction = Fraction(1), grade: str = "") -> Hit:
    """Return a hit on a line."""
    return Hit(line["setl_id"], line["bkkp_sn"], of_it, grade)


def grouped(rows: list[Row], *columns: str) -> Groups:
    """Return the rows by the values of some columns; None is a value like another."""
    groups: Groups = defaultdict(list)
    for row in rows:
        key = tuple(row[column] for column in columns)
        groups[key if len(columns) > 1 else key[0]].append(row)
    return groups


def rows_of(world: World, table: str, line: Row, column: str = "hilist_code") -> list[Row]:
    """Return the rows of a table about the line's code that are in force on its day."""
    dated = in_force(world.reference.get(table, []), line["d"])
    return [row for row in dated if row[column] == line["hilist_code"]]


def price_cap(world: World, line: Row, code: str) -> Decimal | None:
    """Return the highest price limit of a code for the level of the line's institution on its day."""
    levels = {
        row["lmtpric_hosp_lv"]
        for row in in_force(world.reference.get("institution", []), line["d"])
        if row["fixmedins_code"] == line["fixmedins_code"]
    }
    caps = [
        row["hilist_pric_uplmt_amt"]
        for row in in_force(world.reference.get("price_limit", []), line["d"])
        if row["hilist_code"] == code and row["hilist_lmtpric_type"] in levels
    ]
    return max(caps, default=None)


# --- parts of single rules -------------------------------------------------------------------


def _in_scope(candidates: list[Row]) -> list[Row]:
    return [line for line in effective(candidates, "d") if line["inscp_amt"] > 0]


def _dearest(group: list[Row]) -> dict[str, Decimal]:
    own = grouped(group, "hilist_code")
    return {code: max(line["pric"] for line in same) for code, same in own.items()}


def _minute(line: Row) -> Any:
    return line["fee_ocur_time"].replace(second=0, microsecond=0)


def _charged_with(everything: list[Row], line: Row, same: tuple[str, ...]) -> set[str]:
    return {x["hilist_code"] for x in everything if all(x[column] == line[column] for column in same)}


def _without(world: World, knowledge: tuple[str, str, str], same: tuple[str, ...]) -> list[Hit]:
    """Return the lines in scope whose code needs another one that is not there."""
    table, code, needed = knowledge
    found = []
    everything = charged(world, VISIT, STAY)
    for line in _in_scope(everything):
        needs = {row[needed] for row in rows_of(world, table, line, code)}
        if needs and not needs & _charged_with(everything, line, same):
            found.append(on(line))
    return found


def _dearer_than_bundle(world: World, parts: list[Row], bundle: str) -> list[Hit]:
    price = price_cap(world, parts[0], bundle)
    amount = sum(line["det_item_fee_sumamt"] for line in parts)
    in_scope = sum(line["inscp_amt"] for line in parts)
    if price is None or amount <= price or in_scope <= 0:
        return []
    of_it = share(four_places(Fraction(amount) - Fraction(price)), in_scope)
    return [on(line, of_it) for line in effective(parts, "d")]


def _swapped(world: World, line: Row, registered: set[str]) -> Fraction:
    caps = [price_cap(world, line, code) for code in registered]
    cap = max((c for c in caps if c is not None), default=Decimal(0))
    if cap == 0:
        return Fraction(1)
    over = Fraction(line["pric"] - cap) * Fraction(line["cnt"])
    return share(four_places(max(Fraction(0), over)), line["inscp_amt"])


def _unlike(one: str | None, other: str | None) -> bool:
    """Tell whether two names, both known and of two characters at least, have no two in a row in common."""
    if one is None or other is None:
        return False
    first, second = (_runs(name) for name in (one, other))
    return bool(first and second and not first & second)


def _runs(name: str) -> set[tuple[str, str]]:
    return set(pairwise(char for char in name if char not in SPACES))


RULES = {
    "B11": b11,
    "B12": b12,
    "B13": b13,
    "B14": b14,
    "B15": b15,
    "B16": b16,
    "B17": b17,
    "B18": b18,
    "B19": b19,
    "B20": b20,
}
