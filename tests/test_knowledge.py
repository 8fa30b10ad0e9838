"""Import of the knowledge lists: dirty workbooks made here, and the published ones when present."""

from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from schemas.layout import table
from settlement.errors import ReferenceError
from settlement.knowledge import import_nhsa
from settlement.knowledge.tables import KNOWLEDGE

PUBLISHED = Path(__file__).parents[2] / "shared" / "data" / "nhsa_rules"

SEX = "【第一批】药品规则库(限定性别对象).xlsx"
AGE = "【第一批】药品规则库(限定年龄对象).xlsx"
ITEM_SEX = "【第一批】项目规则库(限定性别对象).xlsx"
ITEM_AGE = "【第一批】项目规则库(限定年龄对象).xlsx"
SURGERY = "【第二批】项目规则库（限定主次操作）.xlsx"
INSURANCE = "【第三批】药品规则库（限定保险类型）.xlsx"
MODE = "【第四批】药品规则库（限定就医方式）.xlsx"
LEVEL = "【第五批】药品规则库（限定机构等级）.xlsx"
COURSE = "【第六批】药品规则库（限定支付疗程）.xlsx"
PAIR = "【第七批】项目规则库（重复收费）.xlsx"
FREQUENCY = "【第八批-1】项目规则库（限定频次）.xlsx"
WORKING_AGE = "【第八批-2】项目规则库（限定年龄）.xlsx"
ITEM_COURSE = "【第八批-3】项目规则库（限定疗程）.xlsx"
CYCLE = "【第八批-4】项目规则库（限定周期）.xlsx"


def drug(n):
    return f"XA01AAA001A0010101{n:05d}"


def item(n):
    return f"0011{n:011d}"


def write(folder, name, *sheets):
    """Write a workbook; each sheet is a list of rows, an empty row stays blank."""
    book = xlsxwriter.Workbook(folder / name)
    for rows in sheets:
        sheet = book.add_worksheet()
        for r, row in enumerate(rows):
            sheet.write_row(r, 0, row)
    book.close()


def two_sheets(limit, named, codes):
    """Sheets of a drug list: (name, text, value) on one, (name, code) on the other."""
    first = [["药品通用名", "药品说明", "限定类型", "限定对象"]]
    first += [[name, text, limit, value] for name, text, value in named]
    second = [["药品通用名", "序号", "国标代码", "限定类型"]]
    return first, second + [[name, 1, code, limit] for name, code in codes]


@pytest.fixture
def run(tmp_path):
    """Import what lies in `in`, and give the report, a reader of tables, and the listed faults."""

    def once():
        report = import_nhsa(tmp_path / "in", tmp_path / "out")
        faults = pl.read_csv(tmp_path / "out" / "unusable.csv", infer_schema=False)
        return report, faults.filter(~pl.col("reason").str.contains("缺少该工作簿"))

    (tmp_path / "in").mkdir()
    return once


def rows(tmp_path, name, *columns):
    frame = pl.read_csv(tmp_path / "out" / f"{name}.csv", infer_schema=False)
    return frame.select(columns or frame.columns).rows()


def places(faults):
    listed = faults.select("sheet", pl.col("row_no").cast(int), "column", "reason")
    return sorted(listed.rows())


def test_two_sheets_are_joined_by_name_and_every_loss_is_listed(tmp_path, run):
    limit = "限定性别对象"
    first = [
        ["药品规则库第一批"],
        [],
        ["药品通用名", "药品说明", "限定类型", "限定对象"],
        ["甲（软）丸", "", limit, "女"],
        ["乙片", "", limit, " 男 "],
        [],
        ["丙片", "", limit, "女"],  # nobody has its code
        ["丁片", "", limit, "女"],
        ["丁片", "", limit, "男"],  # contradicts the line above
        ["戊片", "", limit, ""],
        ["备注:解释", "", "", ""],
        ["庚片", "", "限定年龄对象", "女"],  # of another list
    ]
    second = [
        ["药品通用名", "序号", "药品代码", "限定类型"],
        ["甲(软)丸", 1, drug(1), limit],
        ["甲(软)丸", 2, f" {drug(2)} ", limit],
        ["", "", "", ""],
        ["乙片", 1, drug(3), limit],
        ["乙片", 2, "", limit],  # name, no code
        ["己片", 1, drug(4), limit],  # not on the first sheet
        ["丁片", 1, drug(5), limit],
        ["戊片", 1, drug(6), limit],
        ["", 1, drug(7), limit],
        ["乙片", 3, "XA01", limit],
        ["乙片", 4, drug(8), "限定年龄对象"],
        ["甲(软)丸", 3, drug(1), limit],  # repeated
        ["合计", "", "", ""],
        ["庚片", 1, drug(9), limit],
    ]
    write(tmp_path / "in", SEX, first, second)
    report, faults = run()

    assert rows(tmp_path, "kb_sex", "hilist_code", "hilist_name", "part", "gend") == [
        (drug(1), "甲(软)丸", "drug", "2"),
        (drug(2), "甲(软)丸", "drug", "2"),
        (drug(3), "乙片", "drug", "1"),
    ]
    assert rows(tmp_path, "kb_sex", "source", "begndate", "enddate")[0] == (
        "国家两库第一批(2025-05-23)",
        "2025-05-23",
        None,
    )
    missing = "没有限定值(限定表中没有该名称可用的限定值)"
    assert places(faults.filter(pl.col("sheet") == "Sheet2")) == [
        ("Sheet2", 6, "药品代码", "有名称无编码"),
        ("Sheet2", 7, "限定对象", missing),
        ("Sheet2", 8, "限定对象", missing),
        ("Sheet2", 9, "限定对象", missing),
        ("Sheet2", 10, "药品通用名", "有编码无名称"),
        ("Sheet2", 10, "限定对象", missing),
        ("Sheet2", 11, "药品代码", "编码格式不符,可能缺位、丢失前导零或含空格"),
        ("Sheet2", 12, "限定类型", "限定类型与本工作簿的“限定性别对象”不符"),
        ("Sheet2", 13, "药品代码", f"重复:已采用 {SEX} 第 2 行"),
        ("Sheet2", 14, "药品通用名", "备注或合计行,不是知识点"),
        ("Sheet2", 15, "限定对象", missing),
    ]
    assert places(faults.filter(pl.col("sheet") == "Sheet1")) == [
        ("Sheet1", 7, "药品通用名", "有名称无编码"),
        ("Sheet1", 8, "限定对象", "同一名称的限定值矛盾,该名称的编码均未采用"),
        ("Sheet1", 9, "限定对象", "同一名称的限定值矛盾,该名称的编码均未采用"),
        ("Sheet1", 10, "限定对象", "限定值为空"),
        ("Sheet1", 11, "药品通用名", "备注或合计行,不是知识点"),
        ("Sheet1", 12, "限定类型", "限定类型与本工作簿的“限定性别对象”不符"),
    ]
    (book,) = report.workbooks
    assert (book.rows, book.used, book.unusable, book.doubtful, book.blank) == (13, 3, 10, 0, 2)


@pytest.mark.parametrize("code", ["国标代码", "药品代码", "项目代码", " 项目编码", "主项 编码"])
@pytest.mark.parametrize("value", ["限定对象", "限定性别", "限定值域"])
def test_headers_vary(tmp_path, run, code, value):
    write(tmp_path / "in", ITEM_SEX, [["项目名称", code, value], ["甲术", item(1), "男"]])
    run()
    assert rows(tmp_path, "kb_sex", "hilist_code", "part", "gend") == [(item(1), "item", "1")]


def test_brackets_of_a_file_name_may_be_either_width(tmp_path, run):
    name = SEX.replace("(", "（").replace(")", "）")
    write(tmp_path / "in", name, *two_sheets("限定性别对象", [("甲", "", "女")], [("甲", drug(1))]))
    report, _ = run()
    assert (report.used, report.unknown) == (1, ())
    assert SEX not in report.missing


ITEM_LISTS = [
    (
        ITEM_AGE,
        "kb_age",
        [["项目名称", "国标代码", "限定对象"], ["甲", item(1), "新生儿"], ["乙", item(2), "青年"]],
        [(item(1), "甲", "item", "新生儿")],
        [(3, "限定对象", "限定值无法识别")],
    ),
    (
        WORKING_AGE,
        "kb_age",
        [
            ["序号", "项目名称", "备注", "项目代码"],
            [1, "甲", "超出法定就业年龄限制", item(1)],
            [2, "乙", "超龄", item(2)],
        ],
        [(item(1), "甲", "item", "就业年龄")],
        [(3, "限定对象", "没有限定值")],
    ),
    (
        SURGERY,
        "kb_surgery_group",
        [
            ["项目名称", "国标代码", "限定类型", "限定值域"],
            ["甲", item(1), "限定主次操作", "胃肠手术组"],
            ["甲", item(1), "限定主次操作", "肝胆手术组"],  # one code in two groups is right
            ["甲", item(1), "限定主次操作", "肝胆手术组"],
        ],
        [(item(1), "甲", "肝胆手术组"), (item(1), "甲", "胃肠手术组")],
        [(4, "国标代码", f"重复:已采用 {SURGERY} 第 3 行")],
    ),
    (
        PAIR,
        "kb_pair",
        [
            ["序号", "频度", "主项名称", "主项编码", "从项名称", "从项编码", "备注"],
            [1, "单日", "甲", item(1), "乙", item(2), "含"],
            [2, "6小时", "甲", item(1), "乙", item(2), "含"],
            [3, "每周", "甲", item(1), "丙", item(3), "含"],
            [4, "单日", "甲", item(1), "甲", item(1), "含"],
            [5, "单日", "甲", item(1), "丁", 1102, "含"],  # a number has lost its zeros
            [6, "单日", "甲", item(1), "", item(4), "含"],
            [7, "单日", "甲", item(1), "戊", "", "含"],
        ],
        [(item(1), "甲", item(2), "乙", "6小时"), (item(1), "甲", item(2), "乙", "单日")],
        [
            (4, "频度", "限定值无法识别"),
            (5, "从项编码", "主项与从项相同"),
            (6, "从项编码", "从项编码格式不符"),
            (7, "从项名称", "从项有编码无名称"),
            (8, "从项编码", "从项有名称无编码"),
        ],
    ),
    (
        FREQUENCY,
        "kb_freq",
        [
            ["序号", "项目名称", "限制数量", "数量单位", "项目编码"],
            [1, "甲", 1, "日", item(1)],
            [2, "乙", "2", "天", item(2)],
            [3, "丙", 24, "小时", item(3)],
            [4, "丁", 1, "次", item(4)],
            [5, "戊", "一", "日", item(5)],
            [6, "己", 0, "日", item(6)],
            [7, "庚", "", "", item(7)],
            ["合计"],
            ["备注：各省细化"],
        ],
        [
            (item(1), "甲", "1.0000", "日"),
            (item(2), "乙", "2.0000", "日"),
            (item(3), "丙", "24.0000", "小时"),
        ],
        [
            (5, "数量单位", "限定值无法识别"),
            (6, "限制数量", "限定值无法识别"),
            (7, "限制数量", "限定值无法识别"),
            (8, "数量单位", "没有限定值"),
            (8, "限制数量", "没有限定值"),
            (9, "序号", "备注或合计行,不是知识点"),
            (10, "序号", "备注或合计行,不是知识点"),
        ],
    ),
    (
        CYCLE,
        "kb_cycle",
        [
            ["序号", "项目名称", "频次上限", "疗程周期", "备注", "项目代码"],
            [1, "甲", 1, 14, "评定间隔时间不短于14天。", item(1)],
            [2, "乙", 1, "7天", "评定间隔时间不短于14天。", item(2)],
            [3, "丙", 1, "两周", "", item(3)],
        ],
        [(item(1), "甲", "1.0000", "14"), (item(2), "乙", "1.0000", "7")],
        [
            (3, "疗程周期", "备注间隔为14天,疗程周期为7天;按疗程周期采用"),
            (4, "疗程周期", "限定值无法识别"),
        ],
    ),
    (
        ITEM_COURSE,
        "kb_item_course",
        [
            ["序号", "项目名称", "备注", "项目代码"],
            [1, "甲", "总时间不超过90天，评定间隔时间不短于14天。", item(1)],
            [2, "乙", "支付不超过30天。", item(2)],
            [3, "丙", "支付不超过一年，每周最多支付一次。", item(3)],
            [4, "丁", "一个疾病过程支付不超过60天。", item(4)],
            [5, "戊", "支付不超过两年，间隔不短于7天。", item(5)],
            [6, "己", "支付不超过30天，每月一次。", item(6)],
            [7, "庚", "按病情。", item(7)],
        ],
        [
            (item(1), "甲", "90", "14"),
            (item(2), "乙", "30", None),
            (item(3), "丙", "365", "7"),
            (item(4), "丁", "60", None),
        ],
        [
            (4, "备注", "备注“一年”按 365 天采用"),
            (4, "备注", "备注“每周一次”按间隔 7 天采用"),
            (5, "备注", "备注限于一个疾病过程,表中只记天数"),
            (6, "备注", "备注的疗程无法识别"),
            (7, "备注", "备注的间隔无法识别"),
            (8, "备注", "备注没有疗程或间隔"),
        ],
    ),
]


@pytest.mark.parametrize(
    ("file", "name", "sheet", "expected", "faults"), ITEM_LISTS, ids=[case[0] for case in ITEM_LISTS]
)
def test_item_lists(tmp_path, run, file, name, sheet, expected, faults):
    write(tmp_path / "in", file, sheet)
    report, found = run()
    assert [row[: len(expected[0])] for row in rows(tmp_path, name)] == expected
    assert [place[1:] for place in places(found)] == sorted(faults)
    (book,) = report.workbooks
    assert book.rows == len(sheet) - 1
    assert (book.used, book.unusable) == (len(expected), book.rows - len(expected))


DRUG_LISTS = [
    (
        AGE,
        "限定年龄对象",
        "kb_age",
        3,
        [("", "儿童", "儿童", ""), ("(说明书包含成人用法)", "儿童", "儿童", "提到成人")],
    ),
    (INSURANCE, "限定保险类型", "kb_insu", 2, [("", "工伤", "工伤", ""), ("", "生育", "生育", "")]),
    (
        MODE,
        "限定就医方式",
        "kb_mode",
        2,
        [
            ("住院患者方予支付", "住院", "住院", ""),
            ("限急诊或住院患者。", "住院", "住院或急诊", "按住院或急诊采用"),
            ("限非急诊的住院患者", "住院", "住院", "按住院采用"),
        ],
    ),
    (
        LEVEL,
        "限定机构等级",
        "kb_level",
        2,
        [
            ("限二级及以上医疗机构。", "二级", "2", ""),
            ("限三级", "三级", "3", ""),
            ("三级综合医院或二级及以上眼科专科医院", "三级", "3", "还提到其他级别"),
        ],
    ),
    (
        COURSE,
        "限定支付疗程",
        "kb_course",
        2,
        [
            ("发作48小时内使用,支付不超过14天。", "14天", "14", ""),
            ("支付不超过10天", 10, "10", ""),
            ("支付不超过12个月", "365天", "365", ""),
            ("单次住院最多支付14天。", "15天", "15", "说明文字为14天,限定值为15天"),
        ],
    ),
]


@pytest.mark.parametrize(
    ("file", "limit", "name", "column", "lines"), DRUG_LISTS, ids=[case[0] for case in DRUG_LISTS]
)
def test_drug_lists(tmp_path, run, file, limit, name, column, lines):
    named = [(f"药{i}", text, value) for i, (text, value, *_) in enumerate(lines)]
    named.append(("药九", "", "其他"))
    codes = [(f"药{i}", drug(i)) for i in range(len(lines))] + [("药九", drug(9))]
    write(tmp_path / "in", file, *two_sheets(limit, named, codes))
    report, faults = run()
    assert [row[column] for row in rows(tmp_path, name)] == [line[2] for line in lines]
    doubts = [line[3] for line in lines if line[3]]
    found = faults.filter(pl.col("outcome") == "存疑采用")["reason"].to_list()
    assert len(found) == len(doubts)
    assert all(doubt in reason for doubt, reason in zip(doubts, found, strict=True))
    assert f"限定值无法识别(Sheet1 第 {len(named) + 1} 行)" in faults["reason"].to_list()
    assert (report.used, report.unusable) == (len(lines), 1)


def test_codes_that_contradict_each_other_are_not_used_at_all(tmp_path, run):
    header = ["项目名称", "项目代码", "限定对象"]
    write(tmp_path / "in", ITEM_AGE, [header, ["甲", item(1), "儿童"], ["乙", item(2), "儿童"]])
    write(tmp_path / "in", WORKING_AGE, [["项目名称", "备注", "项目代码"], ["甲", "法定就业年龄", item(1)]])
    report, faults = run()
    assert rows(tmp_path, "kb_age", "hilist_code") == [(item(2),)]
    assert faults["reason"].to_list() == ["同一编码的限定值互相矛盾,均未采用"] * 2
    assert [(book.used, book.unusable) for book in report.workbooks] == [(1, 1), (0, 1)]


def test_workbooks_that_cannot_be_read_are_listed(tmp_path, run):
    folder = tmp_path / "in"
    (folder / SEX).write_bytes(b"not a workbook")
    write(folder, AGE, [["一封信"], ["没有表头"]], [])
    write(folder, ITEM_SEX, [["项目名称", "国标代码", "药品代码"], ["甲", item(1), item(2)]])
    write(folder, MODE, [["药品通用名", "药品说明", "限定值域"], ["甲", "", "住院"]])
    write(folder, "别的表.xlsx", [["a"]])
    write(folder, "~$锁.xlsx", [["a"]])
    write(folder, CYCLE, [["项目名称", "频次上限", "疗程周期", "项目代码"], ["甲", 1, 7, item(1)]])
    report, faults = run()
    reasons = dict(faults.select("file", pl.col("reason").str.join(";").over("file")).rows())
    assert reasons[SEX] == "无法打开,不是有效的 xlsx 工作簿"
    assert "找不到表头" in reasons[AGE]
    assert "两列用途相同" in reasons[ITEM_SEX]
    assert "没有编码列" in reasons[MODE]
    assert "有名称无编码" in reasons[MODE]
    assert reasons["别的表.xlsx"] == "不是已知的知识库工作簿,未读取"
    assert report.unknown == ("别的表.xlsx",)
    assert len(report.missing) == 14 - 5
    assert report.tables == {"kb_cycle": 1}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["kb_cycle.csv", "unusable.csv"]


def test_an_empty_folder_and_no_folder(tmp_path, run):
    report, _ = run()
    assert (report.rows, report.used, len(report.missing), report.listed) == (0, 0, 14, 14)
    with pytest.raises(ReferenceError, match="不存在"):
        import_nhsa(tmp_path / "nowhere", tmp_path / "out")


def test_the_order_of_rows_does_not_change_the_tables(tmp_path):
    lines = [["甲", item(i), "男" if i % 2 else "女"] for i in range(50)]
    for name, order in (("a", lines), ("b", lines[::-1])):
        (tmp_path / name).mkdir()
        write(tmp_path / name, ITEM_SEX, [["项目名称", "项目代码", "限定性别"], *order])
        import_nhsa(tmp_path / name, tmp_path / f"{name}-out")
    read = [(tmp_path / f"{name}-out" / "kb_sex.csv").read_bytes() for name in "ab"]
    assert read[0] == read[1]


COUNTS = {
    SEX: (6472, 6472, 0),
    ITEM_SEX: (390, 390, 0),
    AGE: (4398, 4398, 11),
    ITEM_AGE: (30, 30, 0),
    SURGERY: (378, 378, 0),
    INSURANCE: (112, 112, 0),
    MODE: (736, 736, 207),
    LEVEL: (962, 962, 10),
    COURSE: (1147, 1147, 2),
    PAIR: (900, 900, 0),
    FREQUENCY: (69, 67, 0),  # 67 points, one total and one remark
    WORKING_AGE: (1, 1, 0),
    ITEM_COURSE: (11, 11, 4),
    CYCLE: (14, 14, 0),
}


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    if not PUBLISHED.is_dir():
        pytest.skip("the published workbooks are not part of the project and are not present here")
    out = tmp_path_factory.mktemp("kb")
    return import_nhsa(PUBLISHED, out), out


def test_published_workbooks_row_by_row(published):
    report, _ = published
    assert {book.file: (book.rows, book.used, book.doubtful) for book in report.workbooks} == COUNTS
    assert (report.rows, report.used, report.unusable) == (15620, 15618, 2)
    assert (report.missing, report.unknown) == ((), ())
    assert report.tables == {
        "kb_sex": 6862,
        "kb_age": 4429,
        "kb_insu": 112,
        "kb_mode": 736,
        "kb_level": 962,
        "kb_course": 1147,
        "kb_pair": 900,
        "kb_freq": 67,
        "kb_cycle": 14,
        "kb_surgery_group": 378,
        "kb_item_course": 11,
    }


@pytest.mark.parametrize(
    ("name", "column", "counts"),
    [
        ("kb_age", "age_group", {"儿童": 4408, "新生儿": 18, "婴幼儿": 2, "就业年龄": 1}),
        ("kb_mode", "mode", {"住院": 529, "住院或急诊": 207}),
        ("kb_pair", "time_window", {"单日": 446, "单次就诊": 429, "6小时": 18, "同一小时": 7}),
        ("kb_freq", "unit", {"日": 34, "小时": 33}),
        (
            "kb_surgery_group",
            "surgery_group",
            {
                "肝胆手术组": 89,
                "胃肠手术组": 87,
                "膀胱尿道手术组": 65,
                "女性生殖系统手术组": 44,
                "直肠肛门手术组": 43,
                "经腹直肠手术组": 28,
                "男性生殖系统手术组": 22,
            },
        ),
    ],
)
def test_published_values(published, name, column, counts):
    frame = pl.read_csv(published[1] / f"{name}.csv", infer_schema=False)
    assert dict(frame[column].value_counts().rows()) == counts


def test_published_names_by_limit(published):
    out = published[1]

    def names(table_name, column):
        frame = pl.read_csv(out / f"{table_name}.csv", infer_schema=False)
        return dict(frame.group_by(column).agg(pl.col("hilist_name").n_unique()).rows())

    assert names("kb_level", "min_level") == {"2": 56, "3": 5}
    assert names("kb_insu", "insurance") == {"工伤": 9, "生育": 3}
    course = pl.read_csv(out / "kb_course.csv", infer_schema=False)
    assert set(course["max_days"]) == {"3", "10", "14", "15", "20", "21", "365"}


def test_published_tables_have_the_columns_and_order_of_their_models(published):
    for name, knowledge in KNOWLEDGE.items():
        frame = pl.read_csv(published[1] / f"{name}.csv", infer_schema=False)
        assert frame.columns == [column.name for column in table(knowledge.model).columns]
        assert frame.equals(frame.sort(*knowledge.key))


def test_published_faults_name_the_row_as_excel_shows_it(published):
    faults = pl.read_csv(published[1] / "unusable.csv", infer_schema=False)
    lost = faults.filter(pl.col("outcome") == "未采用")
    assert lost.select("file", "row_no").rows() == [(FREQUENCY, "69"), (FREQUENCY, "70")]
    (doubt, same) = faults.filter(pl.col("file") == COURSE).rows(named=True)
    assert (doubt["row_no"], doubt["value"]) == ("1142", "15天")
    assert doubt["reason"] == same["reason"] == "说明文字为14天,限定值为15天;按限定值采用(Sheet1 第 28 行)"


def test_a_second_import_writes_the_same_bytes(published, tmp_path):
    import_nhsa(PUBLISHED, tmp_path)
    for path in published[1].iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()
