"""Opening, looking at and staging what institutions send, one module at a time."""

from __future__ import annotations

import codecs
import datetime as dt
import errno
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from settlement import reference
from settlement.intake import package, staging, textfile
from settlement.intake.model import Fault, Submission, TableFile
from settlement.untrusted import workbooks
from settlement.untrusted.archives import LIMITS, Limits
from tests.submissions import HEALTHY, TABLES, Sent, valid

NAME = f"{HEALTHY}_202604"
CODES = reference.code_lists({}, dt.date(2026, 4, 1), dt.date(2026, 4, 30))
RANDOM = settings(
    max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


def found_names(*paths: Path) -> list[str]:
    return [s.name for s in package.find(list(paths))]


def received(path: Path, tmp_path: Path) -> Submission:
    """Find and keep one submission."""
    [submission] = package.find([path])
    (tmp_path / "kept").mkdir(exist_ok=True)
    package.keep(submission, tmp_path / "kept")
    return submission


def unpacked(path: Path, tmp_path: Path, limits: Limits = LIMITS) -> tuple[list[str], list[Fault]]:
    """Return the names that come out of a submission and its faults."""
    submission = received(path, tmp_path)
    work = tmp_path / "work"
    work.mkdir(exist_ok=True)
    names = [name for name, _ in package.unpack(submission, work, limits)]
    return names, submission.faults


# --- finding ----------------------------------------------------------------------------------


def test_submissions_come_in_order_of_institution_month_and_turn(tmp_path: Path) -> None:
    for name in (
        "H13100000002_202604",
        "H13100000001_202604_10",
        "H13100000001_202604_2",
        "H13100000001_202604",
    ):
        (tmp_path / name).mkdir()

    assert found_names(tmp_path) == [
        "H13100000001_202604", "H13100000001_202604_2", "H13100000001_202604_10", "H13100000002_202604",
    ]  # fmt: skip


def test_a_path_may_be_given_twice(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()

    assert found_names(tmp_path, tmp_path / NAME) == [NAME]


def test_a_stray_table_beside_submissions_hides_none(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    (tmp_path / "清单.csv").write_text("x")

    assert found_names(tmp_path) == ["清单", NAME]


@pytest.mark.parametrize(
    "name",
    ["h13100000001_202604", "H1310000000_202604", "H13100000001-202604", f"{NAME}_", f"{NAME}_1234",
     f"{NAME}\n", "Ｈ13100000001_202604", f"{NAME} (1)"],
)  # fmt: skip
def test_other_names_are_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.zip").write_bytes(b"")
    [submission] = package.find([tmp_path])

    assert submission.code == ""
    assert [f.reason for f in submission.faults] == ["S03"]


def test_turn_of_a_name_is_read(tmp_path: Path) -> None:
    (tmp_path / f"{NAME}_12.ZIP").write_bytes(b"")
    [submission] = package.find([tmp_path])

    assert (submission.code, submission.clr_ym, submission.turn) == (HEALTHY, "202604", 12)


# --- keeping ----------------------------------------------------------------------------------


def test_digest_is_of_names_and_bytes_and_not_of_the_submissions_name(tmp_path: Path) -> None:
    sent = valid(settlements=1)
    digests = []
    for turn, change in (("", None), ("_2", None), ("_3", "x"), ("_4", "rename")):
        sent.turn = turn
        path = sent.folder(tmp_path)
        if change == "x":
            (path / "setl_d.csv").write_bytes(b"x")
        if change == "rename":
            (path / "setl_d.csv").rename(path / "setl_d_1.csv")
        digests.append(received(path, tmp_path).digest)

    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_the_original_is_kept_to_the_byte(tmp_path: Path) -> None:
    path = valid(settlements=1).folder(tmp_path)
    (path / "附件").mkdir()
    (path / "附件" / "说明.txt").write_bytes(b"\0\xff")
    kept = received(path, tmp_path).kept
    assert kept

    def content(folder: Path) -> dict[str, bytes]:
        return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    assert content(kept) == content(path)


def test_links_are_not_followed_when_kept(tmp_path: Path) -> None:
    path = valid(settlements=1).folder(tmp_path)
    (tmp_path / "秘密").mkdir()
    (tmp_path / "秘密" / "fee_list_d_9.csv").write_text("x")
    (path / "目录").symlink_to(tmp_path / "秘密")
    (path / "断链.csv").symlink_to(tmp_path / "没有")
    submission = received(path, tmp_path)
    assert submission.kept

    assert sorted(f.detail for f in submission.faults) == ["含符号链接 断链.csv", "含符号链接 目录"]
    assert sorted(p.name for p in submission.kept.rglob("*")) == [
        "clr_sum.csv",
        "fee_list_d.csv",
        "setl_d.csv",
    ]


def test_a_full_disk_is_no_fault_of_the_institution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = valid(settlements=1).folder(tmp_path)

    def full(*_: object) -> str:
        raise OSError(errno.ENOSPC, "disk full")

    monkeypatch.setattr(package, "_copy", full)
    with pytest.raises(OSError, match="disk full"):
        received(path, tmp_path)


# --- archives ---------------------------------------------------------------------------------

SMALL = Limits(members=3, member_bytes=1000, total_bytes=2000, ratio=5, ratio_from_bytes=100)


def pack(path: Path, *members: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


@pytest.mark.parametrize(
    ("members", "wrong"),
    [
        ([("setl_d.csv", noise(1000))], ""),
        ([("setl_d.csv", noise(1001))], "setl_d.csv 解压后 1001 字节"),
        ([(f"setl_d_{n}.csv", noise(10)) for n in range(3)], ""),
        ([(f"setl_d_{n}.csv", noise(10)) for n in range(4)], "共 4 个文件"),
        ([(f"setl_d_{n}.csv", noise(700)) for n in range(3)], "2100 字节"),
        ([("setl_d.csv", bytes(100))], ""),
        ([("setl_d.csv", noise(100) + bytes(900))], ""),
        ([("setl_d.csv", bytes(1000))], "压缩比"),
    ],
)  # fmt: skip
def test_limits_of_an_archive(tmp_path: Path, members: list[tuple[str, bytes]], wrong: str) -> None:
    names, faults = unpacked(pack(tmp_path / f"{NAME}.zip", *members), tmp_path, SMALL)

    assert [f.reason for f in faults] == (["S02"] if wrong else [])
    assert all(wrong in f.detail for f in faults)
    assert names == ([] if wrong else [name for name, _ in members])


def test_a_member_longer_than_it_says_is_not_believed(tmp_path: Path) -> None:
    path = pack(tmp_path / f"{NAME}.zip", ("setl_d.csv", noise(900)))
    content = path.read_bytes()
    path.write_bytes(content.replace((900).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    names, faults = unpacked(path, tmp_path, SMALL)

    assert names == []
    assert [f.reason for f in faults] == ["S01"]


def test_same_names_in_several_folders_are_told_apart(tmp_path: Path) -> None:
    path = pack(
        tmp_path / f"{NAME}.zip",
        ("a/setl_d.csv", b"1"),
        ("b/setl_d.csv", b"2"),
        ("b/clr_sum.csv", b"3"),
        ("x.pdf", b""),
    )
    submission = received(path, tmp_path)
    (tmp_path / "work").mkdir()
    found = {name: file.read_bytes() for name, file in package.unpack(submission, tmp_path / "work")}

    assert found == {"a/setl_d.csv": b"1", "b/setl_d.csv": b"2", "clr_sum.csv": b"3"}
    assert submission.ignored == ["x.pdf"]


def damaged(content: bytes, number: int) -> bytes:
    """Cut or spoil a file's bytes, in a way that depends on the number only."""
    dice = random.Random(number)
    if number % 2:
        return content[: dice.randrange(len(content))]
    spoilt = bytearray(content)
    for _ in range(dice.choice((1, 5, 50))):
        spoilt[dice.randrange(len(spoilt))] = dice.randrange(256)
    return bytes(spoilt)


@pytest.mark.parametrize("kind", ["zip", "xlsx", "parquet"])
def test_damaged_files_give_reasons_and_never_an_error(tmp_path: Path, kind: str) -> None:
    sent = valid(settlements=2)
    made = getattr(sent, kind)(tmp_path / "x" if kind == "parquet" else tmp_path)
    whole = {p: p.read_bytes() for p in (made.iterdir() if made.is_dir() else [made])}
    outcomes = set()
    for number in range(60):
        for path, content in whole.items():
            path.write_bytes(damaged(content, number))
        work = tmp_path / f"w{number}"
        work.mkdir()
        submission = received(made, work)
        for name, path in package.unpack(submission, work):
            file, faults = textfile.inspect(name, path, work)
            submission.faults += faults
            submission.files += [file] if file else []
        staging.stage([(submission, f) for f in submission.files], CODES, work)
        outcomes |= {f.reason for f in submission.faults} or {"read"}

    assert "S01" in outcomes


# --- workbooks --------------------------------------------------------------------------------


def test_sheet_above_and_beside_blank_cells(tmp_path: Path) -> None:
    path = tmp_path / f"{NAME}.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("费用 & 明细")
        sheet.write_row(2, 0, ["a", "b"])
        sheet.write_row(4, 0, ['x "y", z\n', 0.1 + 0.2])
        sheet.write_formula(5, 1, "=NA()", None, "#N/A")
        book.add_worksheet("空表")
    sheets = {name: file.read_text() for name, file in workbooks.sheets(path, tmp_path, "0")}

    assert sheets == {"费用 & 明细": 'a,b\n,\n"x ""y"", z\n",0.3\n,#N/A\n', "空表": ""}


@pytest.mark.parametrize(
    ("row", "column", "vast"),
    [
        (1_048_575, 103, False),
        (1_048_575, 104, True),
        (99_998, 701, False),
        (0, 702, True),
        (99_999, 103, False),
    ],
)
def test_sheets_that_would_take_all_memory_are_not_opened(
    tmp_path: Path, row: int, column: int, vast: bool
) -> None:
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        book.add_worksheet("setl_d").write(row, column, "x")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        assert workbooks.is_vast(archive) is vast


# --- text files -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("setl_d.csv", "setl_d"), ("SETL_D_2.TXT", "setl_d"), ("setl_d-03.tsv", "setl_d"),
        ("费用明细.csv", "fee_list_d"), ("费用明细表1", "fee_list_d"), ("药店费用明细.parquet", "fee_list_d"),
        ("城镇职工月结算汇总表.csv", "clr_sum"),
        ("刷卡结算、医保电子凭证记录.csv", "setl_d"), ("诊断信息_2.csv", "setl_list_diag_d"),
        ("setl_d_old.csv", None), ("我的setl_d.csv", None), ("Sheet1", None), ("setl.csv", None),
    ],
)  # fmt: skip
def test_table_of_a_file_name(name: str, table: str | None) -> None:
    assert textfile.table_of(name) == table


def test_every_header_of_every_table_is_known() -> None:
    for about in TABLES.values():
        for column in about.columns:
            for header in (column.name, column.zh, *column.aliases):
                assert textfile._headers(about.name)[header.lower()] == column.name, (about.name, header)


def looked_at(
    content: bytes, tmp_path: Path, name: str = "setl_list_diag_d.csv"
) -> tuple[TableFile | None, list[Fault]]:
    path = tmp_path / name
    path.write_bytes(content)
    return textfile.inspect(name, path, tmp_path)


HEADER = "setl_id,diag_code,maindiag_flag\n"


@pytest.mark.parametrize(
    ("content", "reason", "row"),
    [
        (HEADER.encode() + b"S1,J18,1\n\xff\xff,1\n", "S11", 3),
        (HEADER.encode() + "S1,肺炎,1\n".encode("gb18030") + "S2,肺炎,1\n".encode() * 2, "S11", 3),
        (HEADER.encode() + b"S1,J18,1\n" * 200_000 + b"\0", "S12", 200_002),
        (HEADER.encode() + b"S1,J18,1\n" * 200_000 + b"x" * (3 << 20), "S13", 200_002),
        (b"a,\"" + b"x" * 200_000 + b"\n1\n", "S18", 1),
        ("设".encode() * 500_000 + b"\n1\n", "S18", 1),
        (b"", "S14", None),
    ],
    ids=["字节", "混用", "空字节", "长行", "长表头格", "长表头", "空"],
)  # fmt: skip
def test_text_that_cannot_be_read_says_where(
    tmp_path: Path, content: bytes, reason: str, row: int | None
) -> None:
    file, [fault] = looked_at(content, tmp_path)

    assert file is None
    assert (fault.reason, fault.row_no) == (reason, row)


def test_long_lines_within_the_limit_are_read(tmp_path: Path) -> None:
    row = "S1," + "长" * 300_000 + ",1\n"
    file, faults = looked_at((HEADER + row * 5).encode(), tmp_path)

    assert file
    assert faults == []


# Names as they occur: the common characters, and those that make trouble in one encoding or another.
LETTERS = st.one_of(
    st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF),
    st.sampled_from("臧红海滕联通锟斤拷喆镕珺堃婷琪璐昊晟鑫㛃𠮷𬭚"),
    st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters='",'),
)


@RANDOM
@given(names=st.lists(st.text(LETTERS, min_size=1, max_size=12), min_size=1, max_size=30))
def test_chinese_text_reads_the_same_in_both_encodings(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    # A file of nothing but two or three odd characters may be good in both; no real one is so short.
    whole = HEADER + "S,测试医院住院结算,1\n" + "".join(f"S{n},{name},1\n" for n, name in enumerate(names))
    texts = []
    for encoding in ("utf-8", "utf-8-sig", "gb18030"):
        folder = tmp_path_factory.mktemp("text")
        file, faults = looked_at(whole.encode(encoding), folder)
        assert faults == []
        assert file
        texts.append(file.path.read_bytes().removeprefix(codecs.BOM_UTF8))

    assert texts == [whole.encode()] * 3


@RANDOM
@given(
    names=st.lists(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=3, max_size=9),
                   min_size=4, max_size=12),
    place=st.integers(0, 3),
)  # fmt: skip
def test_a_row_in_another_encoding_is_never_read_as_something_else(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], place: int
) -> None:
    rows = [f"S{n},{name}测试医院,1\n" for n, name in enumerate(names)]
    content = HEADER.encode() + b"".join(
        row.encode("utf-8" if n == place else "gb18030") for n, row in enumerate(rows)
    )
    file, faults = looked_at(content, tmp_path_factory.mktemp("mixed"))

    assert file is None
    assert [f.reason for f in faults] == ["S11"]


# --- staging ----------------------------------------------------------------------------------


def stage(
    sents: dict[str, bytes], tmp_path: Path
) -> tuple[dict[str, Submission], pl.DataFrame, pl.DataFrame]:
    """Stage files of one table, one per submission; return submissions, typed rows and faults."""
    given, submissions = [], {}
    for number, (name, content) in enumerate(sents.items()):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "setl_d.csv").write_bytes(content)
        submission = Submission(number, name, name, "202604", 1, folder)
        file, faults = textfile.inspect("setl_d.csv", folder / "setl_d.csv", folder)
        submission.faults += faults
        given += [(submission, file)] if file else []
        submissions[name] = submission
    parts, sources = staging.stage(given, CODES, tmp_path)
    owner = {s.src: s.sub for s in sources}
    typed = [pl.read_parquet(part.path).select("src", "rn", "setl_id", "medfee_sumamt") for part in parts]
    faults = [staging.cell_faults(part, CODES) for part in parts]
    named = pl.col("src").replace_strict(owner, return_dtype=pl.Int32).alias("sub")
    return submissions, pl.concat(typed).with_columns(named), pl.concat(faults).with_columns(named)


def test_one_broken_file_of_many_is_set_aside_alone(tmp_path: Path) -> None:
    good = valid(settlements=3).text("setl_d")
    files = {f"f{n:02d}": good.encode() for n in range(9)}
    files["f04"] = good.replace("测试甲", '"测试甲', 1).encode()
    submissions, typed, faults = stage(files, tmp_path)

    assert {n for n, s in submissions.items() if s.faults} == {"f04"}
    assert submissions["f04"].faults[0].row_no == 2
    assert typed.group_by("sub").len().sort("sub")["len"].to_list() == [3] * 8
    assert faults.is_empty()


def test_line_breaks_in_quotes_across_a_large_file(tmp_path: Path) -> None:
    sent = valid(settlements=1)
    row = sent.rows["setl_d"][0]
    sent.rows["setl_d"] = [
        {**row, "setl_id": f"S{n}", "psn_name": "甲\n乙" if n % 7 == 0 else "甲"} for n in range(40_000)
    ]
    sent.change("setl_d", 30_000, medfee_sumamt="x")
    _, typed, faults = stage({"a": sent.text("setl_d").encode()}, tmp_path)

    assert typed.height == 40_000
    assert typed["setl_id"].n_unique() == 40_000
    assert faults.select("setl_id", "column", "value").rows() == [("S30000", "medfee_sumamt", "x")]


def test_what_an_unclosed_quote_swallowed_is_shown_shortened(tmp_path: Path) -> None:
    lines = valid(settlements=300).text("setl_d").split("\n")
    lines[10] = lines[10].replace("测试甲", '"测试甲')
    lines[200] = lines[200].replace("测试甲", '测试甲"')
    _, _, faults = stage({"a": "\n".join(lines).encode()}, tmp_path)
    [value] = faults.filter(pl.col("column") == "psn_name")["value"]

    assert 1000 < len(value) < 1100
    assert value.endswith("字)")


def test_many_faulty_rows_are_looked_at_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = valid(settlements=25)
    for row in sent.rows["setl_d"]:
        row.update({"gend": "7", "brdy": "无"})
    monkeypatch.setattr(staging, "ROWS_AT_ONCE", 10)
    _, _, faults = stage({"a": sent.text("setl_d").encode()}, tmp_path)

    assert faults.group_by("column").len().sort("column").rows() == [("brdy", 25), ("gend", 25)]
    assert faults["rn"].n_unique() == 25


STREAMED = """
import resource, sys
from pathlib import Path
from settlement.intake import staging, textfile
from settlement.intake.model import Submission
from tests.test_intake import CODES
path = Path(sys.argv[1])
submission = Submission(0, "x", "x", "202604", 1, path.parent)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
file, faults = textfile.inspect(path.name, path, path.parent)
parts, _ = staging.stage([(submission, file)], CODES, path.parent)
found = sum(staging.cell_faults(part, CODES).height for part in parts)
print(found, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.heavy
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_staging_streams(tmp_path: Path, encoding: str) -> None:
    header, *rows = valid(settlements=500).text("fee_list_d").rstrip().split("\n")
    bad = rows[-1].replace(",201,", ",999,")
    block = ("\n".join([*rows[:-1], bad]) + "\n").encode(encoding)
    path = tmp_path / "fee_list_d.csv"
    with path.open("wb") as writer:
        writer.write(f"{header}\n".encode())
        blocks = (300 << 20) // len(block)
        for _ in range(blocks):
            writer.write(block)
    command = [sys.executable, "-c", STREAMED, str(path)]
    root = Path(__file__).parent.parent
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=root)
    faults, megabytes = map(int, done.stdout.split())

    assert faults == blocks
    assert megabytes < 1200


def test_parquet_of_different_types_is_read_together(tmp_path: Path) -> None:
    given = []
    for number, typed in enumerate((False, True)):
        sent = Sent(f"H1310000000{number}", rows=valid(settlements=2).rows)
        path = sent.parquet(tmp_path, typed=typed) / "setl_d.parquet"
        submission = Submission(number, sent.code, sent.code, "202604", 1, path)
        file, faults = textfile.inspect(path.name, path, tmp_path)
        assert faults == []
        given += [(submission, file)] if file else []
    parts, _ = staging.stage(given, CODES, tmp_path)
    frames = [pl.read_parquet(p.path).sort("rn").select(list(TABLES["setl_d"].schema)) for p in parts]

    assert len(frames) == 2
    assert frames[0].equals(frames[1])
    assert all(staging.cell_faults(p, CODES).is_empty() for p in parts)
