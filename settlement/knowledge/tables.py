"""How the limit of a published row becomes the columns of its knowledge table, and what to doubt.

The coded value counts. Where the text beside it says otherwise the row is used and listed, except that
a text allowing emergency visits widens 住院: taking the narrow value would refuse lawful claims.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandera.polars as pa
import polars as pl

from schemas import knowledge as kb
from schemas.layout import table
from settlement.knowledge.workbooks import Check, is_note, note_checks, wrong_limit

CODE = {"drug": r"^[A-Z][A-Z0-9]{18,24}$", "item": r"^\d{15}$"}
NAME_LENGTH = 200
GROUP_LENGTH = 50
QUANTITY = table(kb.KbFreq).column("max_cnt").dtype
VALUE, TEXT = pl.col("value"), pl.col("text")
EMERGENCY = r"(急诊[或、和及]住院|住院[或、和及]急诊)"


@dataclass(frozen=True)
class Knowledge:
    """One knowledge table.

    Attributes:
        model: its pandera model.
        columns: how the columns that say the limit are read.
        checks: a row that fails one is not used.
        doubts: a row that fails one is used, and listed.
    """

    model: type[pa.DataFrameModel]
    columns: dict[str, pl.Expr]
    checks: tuple[Check, ...]
    doubts: tuple[Check, ...] = ()

    @property
    def key(self) -> tuple[str, ...]:
        """Columns that name one fact."""
        return table(self.model).key

    def output(self) -> list[pl.Expr]:
        """Return every column of the table from a row that has been read."""
        own = {
            "hilist_code": pl.col("code"),
            "hilist_name": pl.col("name"),
            "main_code": pl.col("code"),
            "main_name": pl.col("name"),
            "sub_code": pl.col("sub_code"),
            "sub_name": pl.col("sub_name"),
            "unit": pl.col("freq_unit"),
            "enddate": pl.lit(None, pl.Date),
        }
        return [
            own.get(column.name, pl.col(column.name)).alias(column.name)
            for column in table(self.model).columns
        ]


def common_checks(part: str, limit: str) -> tuple[Check, ...]:
    """Return the checks that hold for every list."""
    row = ~is_note()
    return (
        *note_checks(),
        Check("code", pl.col("code").is_null() & row, "有名称无编码"),
        Check("code", ~pl.col("code").str.contains(CODE[part]), "编码格式不符,可能缺位、丢失前导零或含空格"),
        Check("name", pl.col("name").is_null() & row, "有编码无名称"),
        Check("name", pl.col("name").str.len_chars() > NAME_LENGTH, f"名称超过 {NAME_LENGTH} 字"),
        wrong_limit(limit),
    )


def _mapped(names: dict[str, str]) -> pl.Expr:
    return VALUE.replace_strict(names, default=None, return_dtype=pl.String)


def _whole(column: pl.Expr) -> pl.Expr:
    """Days written as 14 or 14天; null when written otherwise or zero."""
    days = column.str.extract(r"^(\d{1,4})\s*天?$").cast(pl.Int64)
    return pl.when(days > 0).then(days)


def _days_in(pattern: str) -> pl.Expr:
    return TEXT.str.extract(pattern).cast(pl.Int64)


def _count() -> pl.Expr:
    number = pl.col("number").str.extract(r"^(\d{1,6}(?:\.\d{1,4})?)$").cast(QUANTITY)
    return pl.when(number > 0).then(number)


def _unread(column: str, role: str = "value") -> Check:
    """The column could not be read from `role`."""
    reason = (
        pl.when(pl.col(role).is_null())
        .then(pl.format("没有限定值{}", "place"))
        .otherwise(pl.format("限定值无法识别{}", "place"))
    )
    return Check(role, pl.col(column).is_null() & ~is_note(), reason)


def _doubt(role: str, fails: pl.Expr, reason: str, *values: pl.Expr | str) -> Check:
    """The reason names the place of the limit."""
    return Check(role, fails, pl.format(reason + "{}", *values, "place"))


TEXT_DAYS = pl.coalesce(
    _days_in(r"(?:不超过|最多支付)(\d{1,4})天"), _days_in(r"(?:不超过|最多支付)(\d{1,3})个月") * 365 // 12
)
TEXT_GAP = pl.coalesce(_days_in(r"不短于(\d{1,4})天"), pl.when(TEXT.str.contains("每周最多支付一次")).then(7))
TEXT_LIMIT = pl.coalesce(_days_in(r"不超过(\d{1,4})天"), pl.when(TEXT.str.contains("不超过一年")).then(365))
OTHER_LEVELS = TEXT.str.extract_all("[一二三]级").list.set_difference(pl.concat_list("value"))
BY_TEXT = pl.when(VALUE.is_null() & TEXT.str.contains("就业年龄")).then(pl.lit("就业年龄"))

KNOWLEDGE: dict[str, Knowledge] = {
    "kb_sex": Knowledge(kb.KbSex, {"gend": _mapped({"男": "1", "女": "2"})}, (_unread("gend"),)),
    "kb_age": Knowledge(
        kb.KbAge,
        {"age_group": pl.coalesce(_mapped({g: g for g in ("新生儿", "婴幼儿", "儿童")}), BY_TEXT)},
        (_unread("age_group"),),
        (
            _doubt(
                "text",
                TEXT.str.contains("成人|成年"),
                "限定对象为{},说明文字提到成人;按{}采用",
                "value",
                "value",
            ),
        ),
    ),
    "kb_insu": Knowledge(
        kb.KbInsu, {"insurance": _mapped({"工伤": "工伤", "生育": "生育"})}, (_unread("insurance"),)
    ),
    "kb_mode": Knowledge(
        kb.KbMode,
        {
            "mode": pl.when((VALUE == "住院") & TEXT.str.contains(EMERGENCY))
            .then(pl.lit("住院或急诊"))
            .otherwise(_mapped({"住院": "住院", "门诊": "门诊", "住院或急诊": "住院或急诊"}))
        },
        (_unread("mode"),),
        (
            _doubt(
                "value",
                TEXT.str.contains("急诊") & (VALUE == "住院"),
                "限定值为{},说明文字提到急诊;按{}采用",
                "value",
                "mode",
            ),
        ),
    ),
    "kb_level": Knowledge(
        kb.KbLevel,
        {"min_level": _mapped({"一级": "1", "二级": "2", "三级": "3"})},
        (_unread("min_level"),),
        (
            _doubt(
                "value",
                OTHER_LEVELS.list.len() > 0,
                "限定值为{},说明文字还提到其他级别;按{}采用",
                "value",
                "value",
            ),
        ),
    ),
    "kb_course": Knowledge(
        kb.KbCourse,
        {"max_days": _whole(VALUE)},
        (_unread("max_days"),),
        (
            _doubt(
                "value",
                _whole(VALUE) != TEXT_DAYS,
                "说明文字为{}天,限定值为{};按限定值采用",
                TEXT_DAYS,
                "value",
            ),
        ),
    ),
    "kb_pair": Knowledge(
        kb.KbPair,
        {"time_window": _mapped({w: w for w in ("单日", "单次就诊", "同一小时", "6小时")})},
        (
            _unread("time_window"),
            Check("sub_code", pl.col("sub_code").is_null() & ~is_note(), "从项有名称无编码"),
            Check("sub_code", ~pl.col("sub_code").str.contains(CODE["item"]), "从项编码格式不符"),
            Check("sub_code", pl.col("sub_code") == pl.col("code"), "主项与从项相同"),
            Check("sub_name", pl.col("sub_name").is_null() & ~is_note(), "从项有编码无名称"),
            Check("sub_name", pl.col("sub_name").str.len_chars() > NAME_LENGTH, f"名称超过 {NAME_LENGTH} 字"),
        ),
    ),
    "kb_freq": Knowledge(
        kb.KbFreq,
        {
            "max_cnt": _count(),
            "freq_unit": pl.col("unit").replace_strict(
                {"日": "日", "天": "日", "小时": "小时"}, default=None, return_dtype=pl.String
            ),
        },
        (_unread("max_cnt", "number"), _unread("freq_unit", "unit")),
    ),
    "kb_cycle": Knowledge(
        kb.KbCycle,
        {"max_cnt": _count(), "cycle_days": _whole(pl.col("cycle"))},
        (
            _unread("max_cnt", "number"),
            _unread("cycle_days", "cycle"),
        ),
        (
            _doubt(
                "cycle",
                _whole(pl.col("cycle")) != TEXT_GAP,
                "备注间隔为{}天,疗程周期为{};按疗程周期采用",
                TEXT_GAP,
                "cycle",
            ),
        ),
    ),
    "kb_surgery_group": Knowledge(
        kb.KbSurgeryGroup,
        {"surgery_group": pl.when(VALUE.str.len_chars() <= GROUP_LENGTH).then(VALUE)},
        (_unread("surgery_group"),),
    ),
    "kb_item_course": Knowledge(
        kb.KbItemCourse,
        {"max_days": TEXT_LIMIT, "min_gap_days": TEXT_GAP},
        (
            Check(
                "text",
                (TEXT.is_null() | ~TEXT.str.contains("不超过|不短于|每周")) & ~is_note(),
                "备注没有疗程或间隔",
            ),
            Check("text", TEXT.str.contains("不超过") & TEXT_LIMIT.is_null(), "备注的疗程无法识别"),
            Check("text", TEXT.str.contains("间隔|每周|每月") & TEXT_GAP.is_null(), "备注的间隔无法识别"),
        ),
        (
            _doubt("text", TEXT.str.contains("一年"), "备注“一年”按 365 天采用"),
            _doubt("text", TEXT.str.contains("每周"), "备注“每周一次”按间隔 7 天采用"),
            _doubt("text", TEXT.str.contains("疾病过程"), "备注限于一个疾病过程,表中只记天数"),
        ),
    ),
}
