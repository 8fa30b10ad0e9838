"""The five regions: their institutions, how many settle, and in which form each one submits."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

from sample_data.generator.base import Inst, Volume

OPEN = date(2024, 1, 1)
AGREEMENT_END = 20  # April: the agreement of role `end` runs until this day
UPGRADE = date(2026, 4, 16)  # role `upg` becomes a level-2 hospital
SUSPENDED = {"end": (18, 19), "ph2": (29, 30)}  # April: agreement suspended from day to day
PANEL = {"ph2": 75}  # customers, where they are more than the half of the visits
LAST_DAY = {role: first - 1 for role, (first, _) in SUSPENDED.items()}


@dataclass(frozen=True)
class Form:
    """How a submission looks.

    Attributes:
        package: folder, zip or xlsx.
        encoding: utf-8, utf-8-sig or gb18030 (text files only).
        comma: False for TAB-separated text.
        headers: national, wire or zh.
        names: files or sheets are called by table name (False: by Chinese label).
        spare: one column more than asked for.
        diagnoses: diagnoses and operations are sent too.
    """

    package: str = "zip"
    encoding: str = "utf-8"
    comma: bool = True
    headers: str = "national"
    names: bool = True
    spare: bool = False
    diagnoses: bool = False


@dataclass(frozen=True)
class Member:
    """One institution of a region with its role in the planted stories."""

    role: str
    inst: Inst
    stays: int
    visits: int
    form: Form
    panel: int = 0
    scope: str = "*"

    @property
    def submission(self) -> str:
        """Name of its submission."""
        return f"{self.inst.code}_202604"

    def volume(self, first_psn: int) -> Volume:
        """Return how much it settles, its panel starting at `first_psn`."""
        return Volume(first_psn, self.stays, self.visits, self.panel or max(self.visits // 2, 1))


@dataclass(frozen=True)
class Region:
    """One region of the sample."""

    name: str
    area: str
    label: str
    members: tuple[Member, ...]
    shift: int = 0
    refusals: dict[str, str] = field(default_factory=dict)

    def role(self, role: str) -> Member | None:
        """Return the member with a role, if the region has one."""
        return next((m for m in self.members if m.role == role), None)


ZIP, GB_TAB = Form(), Form(encoding="gb18030", comma=False, headers="wire")
BOM_ZH = Form(encoding="utf-8-sig", headers="zh", names=False)
SHEETS, SHEETS_ZH = Form("xlsx"), Form("xlsx", headers="zh", names=False)
FOLDER, FOLDER_GB = Form("folder"), Form("folder", encoding="gb18030", headers="zh", names=False)
LIMITED = "11|12|13|21|22|51|52"
# role: (name, kind, level, stays, visits, scope)
KINDS: dict[str, tuple[str, int, int, int, int, str]] = {
    "h3": ("人民医院", 1, 3, 90, 400, "*"),
    "h2": ("中医医院", 1, 2, 75, 380, "*"),
    "h1": ("城关卫生院", 1, 1, 22, 240, LIMITED),
    "upg": ("康宁医院", 1, 1, 14, 130, "*"),
    "end": ("博爱门诊部", 1, 1, 0, 60, "*"),
    "ph1": ("同仁大药房", 2, 1, 0, 260, "41|14"),
    "ph2": ("百姓药店", 2, 1, 0, 36, "41|14"),
    "zero": ("安和诊所", 1, 1, 0, 0, "*"),
    "neg": ("仁心医院", 1, 2, 0, 4, "*"),
    "x1": ("东郊社区卫生服务中心", 1, 1, 0, 24, "*"),
    "x2": ("西郊社区卫生服务中心", 1, 1, 0, 24, "*"),
    "x3": ("南郊社区卫生服务中心", 1, 1, 0, 24, "*"),
    "px": ("利民大药房", 2, 1, 0, 20, "41"),
}


def _members(area: str, label: str, forms: dict[str, Form], more: float = 1.0) -> tuple[Member, ...]:
    members = []
    for number, (role, form) in enumerate(forms.items(), start=1):
        name, kind, level, stays, visits, scope = KINDS[role]
        code = f"{'H' if kind == 1 else 'P'}{area}{number:05d}"
        inst = Inst(code, label + name, kind, level, LAST_DAY.get(role, 30), role not in ("h1", "end"))
        many = int(visits * more) if visits > 50 else visits
        members.append(Member(role, inst, int(stays * more), many, form, PANEL.get(role, 0), scope))
    return tuple(members)


def _region(  # noqa: PLR0913 - one line of the table below
    name: str, area: str, label: str, forms: dict[str, Form], shift: int,
    refusals: dict[str, str], more: float = 1.0,
) -> Region:  # fmt: skip
    return Region(name, area, label, _members(area, label, forms, more), shift, refusals)


DIAG = Form(diagnoses=True)
REGIONS: tuple[Region, ...] = (
    _region("penglai", "370684", "蓬莱",
            {"h3": DIAG, "h2": GB_TAB, "h1": BOM_ZH, "upg": SHEETS, "end": Form(spare=True),
             "zero": FOLDER, "neg": FOLDER_GB, "px": ZIP, "x1": SHEETS_ZH},
            0, {"px": "S08", "x1": "S15"}, 1.38),
    _region("langfang", "131000", "廊坊",
            {"h3": Form(headers="wire", diagnoses=True), "h2": BOM_ZH, "h1": GB_TAB, "upg": ZIP,
             "end": SHEETS, "ph1": DIAG, "ph2": SHEETS_ZH, "zero": FOLDER_GB, "neg": FOLDER,
             "x1": ZIP, "x2": BOM_ZH},
            1, {"x1": "S16", "x2": "S10"}),
    _region("guide5", "990000", "示例",
            {"h3": Form(encoding="gb18030", diagnoses=True), "h2": Form(comma=False), "h1": ZIP,
             "upg": GB_TAB, "end": FOLDER, "ph1": replace(BOM_ZH, diagnoses=True), "ph2": SHEETS,
             "zero": FOLDER, "neg": ZIP, "x1": ZIP, "x2": FOLDER},
            2, {"x1": "S04", "x2": "S07"}),
    _region("qinghai", "630000", "青海",
            {"h3": Form(encoding="utf-8-sig", spare=True, diagnoses=True), "h2": ZIP,
             "h1": SHEETS_ZH, "upg": BOM_ZH, "end": GB_TAB,
             "ph1": replace(GB_TAB, diagnoses=True), "ph2": FOLDER_GB, "zero": SHEETS,
             "neg": FOLDER, "x1": FOLDER, "x2": ZIP},
            1, {"x1": "S06", "x2": "S05"}),
    _region("daye", "420281", "大冶",
            {"h3": Form(encoding="gb18030", headers="zh", names=False, diagnoses=True),
             "h2": Form(encoding="utf-8-sig", comma=False, headers="wire"), "h1": ZIP,
             "upg": FOLDER, "end": ZIP, "ph1": replace(SHEETS, diagnoses=True),
             "ph2": GB_TAB, "zero": BOM_ZH, "neg": SHEETS_ZH, "x1": FOLDER, "x2": ZIP, "x3": ZIP},
            0, {"x1": "S09", "x2": "S12", "x3": "S15"}),
)  # fmt: skip
