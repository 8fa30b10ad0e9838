"""The slow rules C01 to C20: what is paid only within limits. C09 to C11 and C18 are in `c_more`."""

from __future__ import annotations

import calendar
import datetime as dt
from collections import defaultdict
from collections.abc import Callable

from tests.rule_oracle import c_more
from tests.rule_oracle.c_more import ALL, TREATED, hit, paid, rows_of, starts
from tests.rule_oracle.world import (
    PURCHASE,
    STAY,
    VISIT,
    Hit,
    Row,
    World,
    age,
    charged,
    diagnoses,
    effective,
    judged_day,
    known,
    settlements,
)

VIOLATION, SUSPECT = "违规", "可疑"


# --- sex and age -----------------------------------------------------------------------------


def c01(world: World) -> list[Hit]:
    """药品限性别."""
    return [hit(line) for line in effective(paid(world, *ALL), "d") if _other_sex(world, line, "drug")]


def c02(world: World) -> list[Hit]:
    """项目限性别."""
    return [hit(line) for line in effective(paid(world, *TREATED), "d") if _other_sex(world, line, "item")]


def _other_sex(world: World, line: Row, part: str) -> bool:
    allowed = {row["gend"] for row in rows_of(world, "kb_sex", line, part=part)} & {"1", "2"}
    return bool(allowed) and line["gend"] in ("1", "2") and line["gend"] not in allowed


def c03(world: World) -> list[Hit]:
    """药品限儿童."""
    found = []
    for line in effective(paid(world, *ALL), "d"):
        if line["brdy"] and rows_of(world, "kb_age", line, part="drug", age_group="儿童"):
            grade = _beyond_childhood(world, line)
            if grade:
                found.append(hit(line, grade=grade))
    return found


def c04(world: World) -> list[Hit]:
    """项目限儿童/新生儿/婴幼儿: who keeps one of the groups of an item keeps the item."""
    beyond: dict[str, Callable[[World, Row], str]] = {
        "新生儿": _beyond_newborn,
        "婴幼儿": _beyond_infancy,
        "儿童": _beyond_childhood,
    }
    found = []
    for line in effective(paid(world, *TREATED), "d"):
        groups = {row["age_group"] for row in rows_of(world, "kb_age", line, part="item")}
        if not line["brdy"]:
            continue
        grades = [beyond[group](world, line) for group in groups if group in beyond]
        if grades and all(grades):
            found.append(hit(line, grade=SUSPECT if SUSPECT in grades else VIOLATION))
    return found


def _beyond_newborn(world: World, line: Row) -> str:
    days = (judged_day(line) - line["brdy"]).days
    return VIOLATION if days > world.number("newborn_max_days", line["d"]) else ""


def _beyond_infancy(world: World, line: Row) -> str:
    months = int(world.number("infant_max_months", line["d"]))
    return VIOLATION if judged_day(line) > _months_after(line["brdy"], months) else ""


def _beyond_childhood(world: World, line: Row) -> str:
    years = age(line["brdy"], judged_day(line))
    if years >= world.number("adult_age", line["d"]):
        return VIOLATION
    return SUSPECT if years > world.number("child_max_age", line["d"]) else ""


def _months_after(day: dt.date, months: int) -> dt.date:
    """The same day of a later month, or that month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return dt.date(year, month + 1, min(day.day, last))


def c17(world: World) -> list[Hit]:
    """项目限年龄."""
    found = []
    for line in effective(paid(world, *TREATED), "d"):
        if line["brdy"] and rows_of(world, "kb_age", line, part="item", age_group="就业年龄"):
            years = age(line["brdy"], judged_day(line))
            if years < world.number("working_age_min", line["d"]) or years > _working_age_max(world, line):
                found.append(hit(line))
    return found


def _working_age_max(world: World, line: Row) -> int:
    male = int(world.number("working_age_max_male", line["d"]))
    female = int(world.number("working_age_max_female", line["d"]))
    return {"1": male, "2": female}.get(line["gend"], max(male, female))


# --- where and how treated -------------------------------------------------------------------


def c05(world: World) -> list[Hit]:
    """限医疗机构级别: the institution's highest level against the lowest that any row asks for."""
    found = []
    for line in effective(paid(world, *TREATED), "d"):
        asked = [row["min_level"] for row in rows_of(world, "kb_level", line)]
        listed = known(world, "institution", line["d"], fixmedins_code=line["fixmedins_code"])
        levels = [row["lmtpric_hosp_lv"] for row in listed if row["lmtpric_hosp_lv"]]
        if asked and levels and max(levels) < min(asked):
            found.append(hit(line))
    return found


def c06(world: World) -> list[Hit]:
    """限就医方式: every row in force must forbid the visit."""
    found = []
    for line in effective(paid(world, *ALL), "d"):
        modes = [row["mode"] for row in rows_of(world, "kb_mode", line)]
        if modes and all(_forbidden(world, line, mode) for mode in modes):
            found.append(hit(line))
    return found


def _forbidden(world: World, line: Row, mode: str) -> bool:
    inside = line["clr_type"] == STAY
    if mode == "住院或急诊":
        emergency = str(world.parameter("emergency_med_type", line["d"]))
        return not inside and line["med_type"] != emergency
    return inside if mode == "门诊" else mode == "住院" and not inside


def c07(world: World) -> list[Hit]:
    """限工伤."""
    return [
        hit(line)
        for line in effective(paid(world, *ALL), "d")
        if line["hifp_pay"] > 0 and rows_of(world, "kb_insu", line, insurance="工伤")
    ]


def c08(world: World) -> list[Hit]:
    """限生育."""
    return [
        hit(line)
        for line in effective(paid(world, *TREATED), "d")
        if line["insutype"] != "510"
        and line["med_type"] not in world.codes("maternity_med_types", line["d"])
        and rows_of(world, "kb_insu", line, insurance="生育")
    ]


def c15(world: World) -> list[Hit]:
    """互联网医院药品范围."""
    diagnosed = diagnoses(world)
    found = []
    for line in effective(paid(world, VISIT), "d"):
        online = line["med_type"] in world.codes("internet_med_types", line["d"])
        if not online or not line["list_type"].startswith("1"):
            continue
        common = known(world, "kb_net_diag", line["d"])
        uncommon = common and not starts(diagnosed[line["setl_id"]], common, "diag_prefix")
        if uncommon or not rows_of(world, "kb_net", line):
            found.append(hit(line))
    return found


def c16(world: World) -> list[Hit]:
    """限科室."""
    found = []
    for line in effective(paid(world, *TREATED), "d"):
        allowed = {row["bilg_dept_codg"] for row in rows_of(world, "kb_dept", line)}
        if allowed and line["bilg_dept_codg"] and line["bilg_dept_codg"] not in allowed:
            found.append(hit(line))
    return found


# --- diagnoses and herbs ---------------------------------------------------------------------


def c12(world: World) -> list[Hit]:
    """限适应症."""
    diagnosed = diagnoses(world)
    found = []
    for line in effective(paid(world, *ALL), "d"):
        rows = rows_of(world, "kb_ind", line)
        said = diagnosed[line["setl_id"]] + ([line["dise_no"]] if line["dise_no"] else [])
        if rows and said and not starts(said, rows, "diag_prefix"):
            found.append(hit(line))
    return found


def c13(world: World) -> list[Hit]:
    """饮片单复方均不付."""
    return [
        hit(line)
        for line in effective(paid(world, VISIT, PURCHASE), "d")
        if rows_of(world, "kb_tcm", line, kind="单复方")
    ]


def c14(world: World) -> list[Hit]:
    """饮片单方不付: a prescription of nothing but listed herbs."""
    prescriptions = defaultdict(list)
    for line in charged(world, VISIT, PURCHASE):
        if line["list_type"] == "102":
            prescriptions[line["setl_id"], line["rx_drord_no"]].append(line)
    found = []
    for herbs in prescriptions.values():
        kinds = [{row["kind"] for row in rows_of(world, "kb_tcm", herb)} for herb in herbs]
        if all(kinds) and any("单方" in kind for kind in kinds):
            found += [hit(herb) for herb in effective(herbs, "d") if herb["inscp_amt"] > 0]
    return found


def c19(world: World) -> list[Hit]:
    """诊断与性别/年龄不符."""
    diagnosed = diagnoses(world)
    found = []
    for s in effective(settlements(world, *TREATED), "sd"):
        rows = known(world, "kb_diag", s["sd"])
        if any(starts(diagnosed[s["setl_id"]], [row], "diag_prefix") and _unlike(s, row) for row in rows):
            found.append(Hit(s["setl_id"]))
    return found


def _unlike(s: Row, row: Row) -> bool:
    if row["gend"] and s["gend"] in ("1", "2") and s["gend"] != row["gend"]:
        return True
    if not s["brdy"]:
        return False
    years = age(s["brdy"], judged_day(s))
    too_young = row["min_age"] is not None and years < row["min_age"]
    return too_young or (row["max_age"] is not None and years > row["max_age"])


def c20(world: World) -> list[Hit]:
    """手术编码与性别不符."""
    found = []
    for s in effective(settlements(world, STAY), "sd"):
        done = [o["oprn_oprt_code"] for o in world.operations if o["setl_id"] == s["setl_id"]]
        other = [row for row in known(world, "kb_oprn", s["sd"]) if row["gend"] not in (None, s["gend"])]
        if s["gend"] in ("1", "2") and starts(done, other, "oprn_prefix"):
            found.append(Hit(s["setl_id"]))
    return found


RULES = {
    "C01": c01,
    "C02": c02,
    "C03": c03,
    "C04": c04,
    "C05": c05,
    "C06": c06,
    "C07": c07,
    "C08": c08,
    "C12": c12,
    "C13": c13,
    "C14": c14,
    "C15": c15,
    "C16": c16,
    "C17": c17,
    "C19": c19,
    "C20": c20,
} | c_more.RULES
