"""Knowledge tables 知识库: published rule lists by code and date, as `reference import-nhsa` writes them.

`source` names the published batch; `begndate` is the day it was published.
"""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from schemas.layout import Quantity, field


class KbSex(pa.DataFrameModel):
    """知识库 限性别."""

    hilist_code: str = field("医保目录编码", "catalogue code", length=50)
    hilist_name: str = field("医保目录名称", "catalogue name", length=200)
    part: str = field("药品或项目", "drug or item", length=10, codes="kb_part")
    gend: str = field("限定性别", "sex allowed", length=6, codes="gend")
    source: str = field("出处", "source", length=200)
    begndate: pl.Date = field("开始日期", "in force from")
    enddate: pl.Date = field("结束日期", "in force until", required=False)

    class Config:
        """Table facts."""

        name = "kb_sex"
        strict = True
        metadata = {
            "zh": "知识库 限性别",
            "en": "limited to one sex",
            "key": ("hilist_code",),
            "dated": True,
        }


class KbAge(pa.DataFrameModel):
    """知识库 限年龄."""

    hilist_code: str = field("医保目录编码", "catalogue code", length=50)
    hilist_name: str = field("医保目录名称", "catalogue name", length=200)
    part: str = field("药品或项目", "drug or item", length=10, codes="kb_part")
    age_group: str = field("限定对象", "age group allowed", length=20, codes="kb_age_group")
    source: str = field("出处", "source", length=200)
    begndate: pl.Date = field("开始日期", "in force from")
    enddate: pl.Date = field("结束日期", "in force until", required=False)

    class Config:
        """Table facts."""

        name = "kb_age"
        strict = True
        metadata = {
            "zh": "知识库 限年龄",
            "en": "limited to an age",
            "key": ("hilist_code",),
            "dated": True,
        }


class KbInsu(pa.DataFrameModel):
    """知识库 限保险类型."""

    hilist_code: str = field("医保目录编码", "catalogue code", length=50)
    hilist_name: str = field("医保目录名称", "catalogue name", length=200)
    insurance: str = field("限定保险", "insurance allowed", length=20, codes="kb_insurance")
    source: str = field("出处", "source", length=200)
    begndate: pl.Date = field("开始日期", "in force from")
    enddate: pl.Date = field("结束日期", "in force until", required=False)

    class Config:
        """Table facts."""

        name = "kb_insu"
        strict = True
        metadata = {
            "zh": "知识库 限保险类型",
            "en": "limited to another insurance",
            "key": ("hilist_code",),
            "dated": True,
        }


class KbMode(pa.DataFrameModel):
    """知识库 限就医方式."""

    hilist_code: str = field("医保目录编码", "catalogue code", length=50)
    hilist_name: str = field("医保目录名称", "catalogue name", length=200)
    mode: str = field("限定就医方式", "visits allowed", length=20, codes="kb_mode")
    source: str = field("出处", "source", length=200)
    begndate: pl.Date = field("开始日期", "in force from")
    enddate: pl.Date = field("结束日期", "in force until", required=False)

    class Config:
        """Table facts."""

        name = "kb_mode"
        strict = True
        metadata = {
            "zh": "知识库 限就医方式",
            "en": "limited to a kind of visit",
            "key": ("hilist_code",),
            "dated": True,
        }


class KbLevel(pa.DataFrameModel):
    """知识库 限医疗机构级别."""

    hilist_code: str = field("医保目录编码", "catalogue code", length=50)
    hilist_name: str = field("医保目录名称", "catalogue name", length=200)
    min_level: str = field("最低级别", "lowest level allowed", length=6, codes="kb_level")
    source: str = field("出处", "source", length=200)
    begndate: pl.Date = field("开始日期", "in force from")
    enddate: pl.Date = field("结束日期", "in force until", required=False)

    class Config:
        """Table facts."""

        name = "kb_level"
        strict = True
        metadata = {
            "zh": "知识库 限医疗机构级别",
            "en": "limited to a hospital level",
            "key": ("hilist_code",),
            "dated": True,
        }


class KbCourse(pa.DataFrameModel):
    """知识库 药品限支付疗程."""

    hilist_code: str = field("医保目录编码", "catalogue code", length=50)
    hilist_name: str = field("医保目录名称", "catalogue name", length=200)
    max_days: int = field("支付天数上限", "days paid at most")
    source: str = field("出处", "source", length=200)
    begndate: pl.Date = field("开始日期", "in force from")
    enddate: pl.Date = field("结束日期", "in force until", required=False)

    class Config:
        """Table facts."""

        name = "kb_course"
        strict = True
        metadata = {
            "zh": "知识库 药品限支付疗程",
            "en": "drug course limits",
            "key": ("hilist_code",),
            "dated": True,
        }


class KbPair(pa.DataFrameModel):
    """知识库 重复收费."""

    main_code: str = field("主项编码", "main item code", length=50)
    main_name: str = field("主项名称", "main item", length=200)
    sub_code: str = field("从项编码", "contained item code", length=50)
    sub_name: str = field("从项名称", "contained item", length=200)
    time_window: str = field("频度", "window", length=20, codes="kb_window")
    source: str = field("出处", "source", length=200)
    begndate: pl.Date = field("开始日期", "in force from")
    enddate: pl.Date = field("结束日期", "in force until", required=False)

    class Config:
        """Table facts."""

        name = "kb_pair"
        strict = True
        metadata = {
            "zh": "知识库 重复收费",
            "en": "repeat-charge pairs",
            "key": ("main_code", "sub_code", "time_window"),
            "dated": True,
        }


class KbFreq(pa.DataFrameModel):
    """知识库 限定频次."""

    hilist_code: str = field("医保目录编码", "catalogue code", length=50)
    hilist_name: str = field("医保目录名称", "catalogue name", length=200)
    max_cnt: Quantity = field("限制数量", "quantity allowed")
    unit: str = field("数量单位", "unit", length=20, codes="kb_freq_unit")
    source: str = field("出处", "source", length=200)
    begndate: pl.Date = field("开始日期", "in force from")
    enddate: pl.Date = field("结束日期", "in force until", required=False)

    class Config:
        """Table facts."""

        name = "kb_freq"
        strict = True
        metadata = {
            "zh": "知识库 限定频次",
            "en": "frequency limits",
            "key": ("hilist_code",),
            "dated": True,
        }


class KbCycle(pa.DataFrameModel):
    """知识库 周期频次."""

    hilist_code: str = field("医保目录编码", "catalogue code", length=50)
    hilist_name: str = field("医保目录名称", "catalogue name", length=200)
    max_cnt: Quantity = field("频次上限", "times allowed")
    cycle_days: int = field("周期天数", "cycle in days")
    source: str = field("出处", "source", length=200)
    begndate: pl.Date = field("开始日期", "in force from")
    enddate: pl.Date = field("结束日期", "in force until", required=False)

    class Config:
        """Table facts."""

        name = "kb_cycle"
        strict = True
        metadata = {
            "zh": "知识库 周期频次",
            "en": "cycle limits",
            "key": ("hilist_code",),
            "dated": True,
        }


class KbSurgeryGroup(pa.DataFrameModel):
    """知识库 主次手术."""

    hilist_code: str = field("医保目录编码", "catalogue code", length=50)
    hilist_name: str = field("医保目录名称", "catalogue name", length=200)
    surgery_group: str = field("手术组", "operation group", length=50)
    source: str = field("出处", "source", length=200)
    begndate: pl.Date = field("开始日期", "in force from")
    enddate: pl.Date = field("结束日期", "in force until", required=False)

    class Config:
        """Table facts."""

        name = "kb_surgery_group"
        strict = True
        metadata = {
            "zh": "知识库 主次手术",
            "en": "operation groups",
            "key": ("hilist_code", "surgery_group"),
            "dated": True,
        }


class KbItemCourse(pa.DataFrameModel):
    """知识库 项目限支付疗程."""

    hilist_code: str = field("医保目录编码", "catalogue code", length=50)
    hilist_name: str = field("医保目录名称", "catalogue name", length=200)
    max_days: int = field("支付天数上限", "days paid at most", required=False)
    min_gap_days: int = field("最短间隔天数", "days between at least", required=False)
    source: str = field("出处", "source", length=200)
    begndate: pl.Date = field("开始日期", "in force from")
    enddate: pl.Date = field("结束日期", "in force until", required=False)

    class Config:
        """Table facts."""

        name = "kb_item_course"
        strict = True
        metadata = {
            "zh": "知识库 项目限支付疗程",
            "en": "item course limits",
            "key": ("hilist_code",),
            "dated": True,
        }


KNOWLEDGE: tuple[type[pa.DataFrameModel], ...] = (
    KbSex,
    KbAge,
    KbInsu,
    KbMode,
    KbLevel,
    KbCourse,
    KbPair,
    KbFreq,
    KbCycle,
    KbSurgeryGroup,
    KbItemCourse,
)
