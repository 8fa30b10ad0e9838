"""Samples that can be drawn again, and whole months as files with pseudonyms for persons."""

from __future__ import annotations

import csv
import hashlib
import hmac
import json
import shutil
import stat
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import duckdb
import openpyxl
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs import auditing, cli, exports, samples
from jobs.samples import Wish
from settlement import pseudonyms, store
from settlement.errors import InvariantBroken, ProcedureError, SettlementError, StoreError
from settlement.query import hold
from settlement.review.sampling import Size, draw
from settlement.store import evidence, keys, users
from settlement.store.users import User
from tests import submissions
from tests.audit_world import APRIL, H1, H3, MARCH, person
from tests.submissions import Office

FIVE = Size(count=5)
PERSONAL = ("psn_no", "psn_name", "certno")


def log(office: Office, action: str) -> list[dict]:
    with office.home.engine.connect() as db:
        rows = evidence.log_of(db, office.region, "202604").filter(pl.col("action") == action)
    return [{**row, "after": json.loads(row["after"])} for row in rows.to_dicts()]


# --- samples ----------------------------------------------------------------------------------


@given(
    st.sets(st.tuples(st.text("ab1", min_size=1, max_size=3), st.text("xy", max_size=2)), max_size=30),
    st.one_of(st.integers(1, 40).map(lambda n: Size(count=n)),
              st.decimals("0.01", "1", places=2).map(lambda s: Size(share=s))),
    st.text("seed|", max_size=4),
)  # fmt: skip
def test_a_draw_is_the_smallest_hashes_of_the_whole_population(rows, size, seed) -> None:
    with duckdb.connect() as con:
        hold(con, "given", pl.DataFrame(sorted(rows), schema={"a": pl.String, "b": pl.String}, orient="row"))
        population, drawn = draw(con, "given", ("a", "b"), size, seed)

    order = sorted(rows, key=lambda r: (hashlib.sha256(f"{seed}|{r[0]}|{r[1]}".encode()).hexdigest(), r))
    wanted = size.count or -(-len(rows) * int(size.share * 100) // 100)
    assert population == len(rows)
    assert drawn.select("a", "b").rows() == order[:wanted]
    assert drawn["place"].to_list() == list(range(1, len(order[:wanted]) + 1))


@pytest.mark.parametrize(
    "size", [Size(), Size(count=-1), Size(share=Decimal("1.01")), Size(count=3, share=Decimal("0.5"))]
)
def test_a_size_that_makes_no_sense_is_refused(size) -> None:
    with pytest.raises(SettlementError, match="抽样数量"):
        size.of(10)


@pytest.mark.parametrize(("what", "population"), [("settlements", 98), ("lines", 196), ("findings", 20)])
def test_the_same_seed_gives_the_same_files(three_months: Office, tmp_path: Path, what, population) -> None:
    desk, wish = three_months.desk(APRIL).by("ma"), Wish(what, Size(share=Decimal("0.05")))
    first = samples.sample(desk, wish, tmp_path / "a")
    again = samples.sample(replace(desk, actor="chen"), replace(wish, seed=first.seed), tmp_path / "b")
    other = samples.sample(desk, replace(wish, seed="other"), tmp_path / "c")

    assert first.population == population
    assert first.rows.height == -(-population // 20)
    assert [p.read_bytes() for p in first.files] == [p.read_bytes() for p in again.files]
    assert {p.suffix for p in first.files} == {".xlsx", ".csv", ".parquet"}
    assert other.digest != first.digest
    told = [entry["after"] for entry in log(three_months, "sample_draw")][-3:]
    assert [(t["seed"], t["seed_given"], t["digest"]) for t in told] == [
        (first.seed, False, first.digest), (first.seed, True, first.digest), ("other", True, other.digest),
    ]  # fmt: skip
    keys_drawn = "\n".join("|".join(row) for row in first.rows.select(samples.KEYS[what]).rows())
    assert first.digest == hashlib.sha256(keys_drawn.encode()).hexdigest()


def test_a_derived_seed_stays_until_the_month_goes_on(three_months: Office, tmp_path: Path) -> None:
    desk = three_months.desk(APRIL).by("ma")
    before = samples.derived_seed(desk)
    samples.sample(desk, Wish("settlements", FIVE), tmp_path)
    with pytest.raises(ProcedureError):
        users.permit(desk.home, desk.by("sun").act("approve"))
    # Neither looking nor being turned away gives another seed to choose from.
    assert samples.derived_seed(desk) == before

    home = store.open_store(Path(shutil.copytree(three_months.home.home, tmp_path / "home")))
    with store.writing(home) as db:
        store.log.write(db, replace(desk, home=home).act("review"), store.Change("something"))
    assert samples.derived_seed(replace(desk, home=home)) != before


def test_a_sample_is_of_one_institution_and_masked_unless_told(three_months: Office, tmp_path: Path) -> None:
    desk = three_months.desk(APRIL).by("ma")
    masked = samples.sample(desk, Wish("settlements", FIVE, "s", H3), tmp_path)
    shown = samples.sample(desk, Wish("settlements", FIVE, "s", H3, masked=False), tmp_path)

    assert set(masked.rows["fixmedins_code"]) == {H3}
    assert masked.population == 40
    assert masked.digest == shown.digest
    assert not {*masked.files} & {*shown.files}
    assert all(name.endswith("*") and len(name) == 2 for name in masked.rows["psn_name"])
    assert set(masked.rows["brdy"]) == {"1980"}
    assert all(name.startswith("测") and len(name) == 3 for name in shown.rows["psn_name"])
    book = openpyxl.load_workbook(masked.files[0])
    names = [cell.value for row in book.worksheets[0].iter_rows() for cell in row]
    assert book.sheetnames == ["样本", "抽样说明"]
    assert not {*shown.rows["psn_no"], *shown.rows["certno"], *shown.rows["psn_name"]} & {*names}


def test_a_sampled_finding_does_not_name_the_person_in_its_reasons(
    three_months: Office, tmp_path: Path
) -> None:
    drawn = samples.sample(
        three_months.desk(APRIL).by("ma"), Wish("findings", Size(share=Decimal(1)), "s"), tmp_path
    )
    told = drawn.rows.filter(pl.col("decision") == "撤销").to_dicts()[0]

    assert "理由成立" in told["decision_reason"]
    assert "病情稳定" in told["reply_reason"]
    assert [v for v in originals() if any(v in told[c] for c in samples.TEXTS)] == []


def test_an_unknown_kind_or_nothing_to_draw_from_is_told(three_months: Office, tmp_path: Path) -> None:
    desk = three_months.desk(APRIL).by("ma")
    with pytest.raises(SettlementError, match="patients"):
        samples.sample(desk, Wish("patients", FIVE), tmp_path)
    with pytest.raises(SettlementError, match="H999"):
        samples.sample(desk, Wish("lines", FIVE, institution="H999"), tmp_path)


# --- commands ---------------------------------------------------------------------------------


def settle(office: Office, monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    home = str(office.home.home)
    monkeypatch.setattr("sys.argv", ["settle", "--home", home, "--today", "2026-05-22", *words])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return int(stopped.value.code or 0)


def test_the_commands_write_what_they_name(
    three_months: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place, out = ("--region", "langfang", "--month", "2026-04"), ("--out", str(tmp_path))
    wanted = {
        ("history", "sample", "--count", "3", *out): "files",
        ("history", "export", "--mask", *out): "files",
        ("history", "report", "late", *out): "file",
        ("history", "trends", "--months", "2026-02..2026-04", *out): "files",
    }
    for words, named in wanted.items():
        assert settle(three_months, monkeypatch, "--json", "--as", "ma", *place, *words) == 0
        told = json.loads(capsys.readouterr().out)
        paths = [told[named]] if named == "file" else told[named]
        if words[1] == "export":
            paths = [tmp_path / "langfang" / "2026-04" / entry["file"] for entry in paths]
        assert paths
        assert [path for path in paths if not Path(path).is_file()] == []
    assert settle(three_months, monkeypatch, "history", "reports") == 0
    assert "overruled" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (2, ("history", "sample", "--share", "half")),
        (2, ("history", "trends", "--months", "April", "--out", "x")),
        (2, ("history", "sample")),
        (2, ("history", "report", "secrets", "--out", "x")),
        (3, ("--as", "sun", "history", "sample", "--count", "1")),
        (3, ("history", "export", "--out", "x")),
    ],
)
def test_what_is_wrong_ends_as_usage_or_as_refused(
    three_months: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code, words
) -> None:
    monkeypatch.chdir(tmp_path)
    who = () if "--as" in words or words[1] == "export" else ("--as", "ma")
    place = ("--region", "langfang", "--month", "2026-04")

    assert settle(three_months, monkeypatch, *place, *who, *words) == code
    assert list(tmp_path.iterdir()) == []


# --- exports ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def masked(three_months: Office, tmp_path_factory: pytest.TempPathFactory) -> exports.Exported:
    desk = three_months.desk(APRIL).by("ma")
    return exports.export(desk, tmp_path_factory.mktemp("masked"), masked=True, kind="csv")


@pytest.fixture(scope="module")
def plain(three_months: Office, tmp_path_factory: pytest.TempPathFactory) -> exports.Exported:
    return exports.export(three_months.desk(APRIL).by("ma"), tmp_path_factory.mktemp("plain"), masked=False)


def table(done: exports.Exported, name: str) -> pl.DataFrame:
    [path] = [p for p in done.folder.iterdir() if p.stem == name]
    return pl.read_csv(path, infer_schema=False) if path.suffix == ".csv" else pl.read_parquet(path)


def test_the_manifest_tells_rows_digests_and_sums(plain: exports.Exported) -> None:
    told = json.loads((plain.folder / "manifest.json").read_text(encoding="utf-8"))
    files = {entry["file"]: entry for entry in told["files"]}

    assert {p.name for p in plain.folder.iterdir()} == {*files, "manifest.json", "README.md"}
    for name, entry in files.items():
        rows = pl.read_parquet(plain.folder / name)
        assert entry["sha256"] == store.file_digest(plain.folder / name)
        assert entry["rows"] == rows.height
        assert {n: Decimal(v) for n, v in entry["sums"].items()} == {
            n: rows[n].sum() for n, t in rows.schema.items() if isinstance(t, pl.Decimal) and t.scale == 2
        }
    assert files["settlements.parquet"]["sums"]["medfee_sumamt"] == "3136.00"
    counts = {
        name: files[f"{name}.parquet"]["rows"] for name in ("lines", "diagnoses", "operations", "findings")
    }
    assert counts == {"lines": 196, "diagnoses": 98, "operations": 98, "findings": 20}
    assert table(plain, "payment")["act_dfr_amt"].sum() == Decimal("2757.85")
    assert set(table(plain, "references").filter("used")["name"]) == {
        "agreement",
        "fund_account",
        "institution",
    }
    readme = (plain.folder / "README.md").read_text(encoding="utf-8")
    columns = [c["name"] for entry in told["files"] for c in entry["columns"]]
    assert [c for c in columns if f"| {c} |" not in readme] == []


def originals() -> set[str]:
    return {value for number in range(200) for value in person(number).values()}


def test_no_personal_value_is_in_any_masked_file(masked: exports.Exported, plain: exports.Exported) -> None:
    there = {v for c in PERSONAL for v in table(plain, "settlements")[c]} | {"1980-01-01", "62220000000"}
    assert len(there & originals()) > 200  # what is looked for was really sent

    for path in masked.folder.iterdir():
        text = path.read_text(encoding="utf-8")
        assert [value for value in there if value in text] == [], path.name
    said = "".join(table(masked, "replies")["reason"]) + "".join(table(masked, "decisions")["reason"])
    assert "(证件号P" in said
    assert "人员编号 P" in said
    assert set(table(masked, "orders")["bankacct"]) == {"****"}
    assert set(table(masked, "settlements")["brdy"]) == {"1980"}


def test_pseudonyms_join_as_persons_do(masked: exports.Exported, plain: exports.Exported) -> None:
    def joined(done: exports.Exported, column: str) -> list[tuple]:
        rows = table(done, "settlements").select("setl_id", column, "fixmedins_code")
        both = rows.join(rows, on=column).filter(pl.col("setl_id") != pl.col("setl_id_right"))
        return both.select("setl_id", "setl_id_right").sort("setl_id", "setl_id_right").rows()

    for column in PERSONAL:
        assert len(joined(plain, column)) > 0
        assert joined(masked, column) == joined(plain, column)
    assert set(table(masked, "findings")["setl_id"]) <= set(table(masked, "settlements")["setl_id"])


def test_rows_of_returned_settlements_are_no_population_and_their_cells_are_masked(tmp_path: Path) -> None:
    office = Office(tmp_path / "home", [H1])
    users.add(office.home, store.Act("root", "user", submissions.TODAY), User("ma", "", ("auditor",)))
    sent = submissions.valid(H1, settlements=30)
    wrong = "9900001980010100" * 4  # too long for a certificate number
    sent.change("setl_d", 3, certno=wrong).change("setl_d", 7, psn_no="P00000000000000000000000000000000007")
    office.take(sent.totals().folder(tmp_path))
    desk = office.desk().by("ma")
    auditing.run_audit(office.desk())

    done = exports.export(desk, tmp_path / "out", masked=True, kind="csv")
    drawn = samples.sample(desk, Wish("lines", Size(share=Decimal(1))), tmp_path / "drawn")

    assert table(done, "settlements").height == 28
    assert table(done, "lines").height == drawn.population == 56
    assert not {"0001S0003", "0001S0007"} & {*table(done, "lines")["setl_id"], *drawn.rows["setl_id"]}
    returned = table(done, "returned").sort("column")
    assert returned["column"].to_list() == ["certno", "psn_no"]
    assert all(value.startswith("P") and len(value) == 25 for value in returned["value"])
    assert [p.name for p in done.folder.iterdir() if wrong[:16] in p.read_text(encoding="utf-8")] == []


def test_a_pseudonym_is_the_same_in_every_month_and_another_with_another_key(
    three_months: Office, masked: exports.Exported, tmp_path: Path
) -> None:
    march = exports.export(three_months.desk(MARCH).by("ma"), tmp_path, masked=True)
    in_march = set(table(march, "settlements")["psn_no"])
    in_april = set(table(masked, "settlements").filter(pl.col("fixmedins_code") == H1)["psn_no"])
    key = keys.pseudonym_key(three_months.home)
    wanted = hmac.new(key, b"psn_no|PSN000020", "sha256").hexdigest()[:24]

    assert in_april <= in_march
    assert f"P{wanted}" in in_april
    assert march.manifest["pseudonym_key"] == masked.manifest["pseudonym_key"] == keys.fingerprint(key)

    copy = store.open_store(Path(shutil.copytree(three_months.home.home, tmp_path / "home")))
    (copy.home / keys.PSEUDONYM).unlink()
    other = exports.export(
        replace(three_months.desk(MARCH).by("ma"), home=copy), tmp_path / "other", masked=True
    )
    assert (march.other_key, other.other_key) == ("", march.manifest["pseudonym_key"])
    assert other.manifest["pseudonym_key"] != march.manifest["pseudonym_key"]
    assert not in_march & set(table(other, "settlements")["psn_no"])


def test_the_key_is_nobodys_else_and_told_nowhere(
    three_months: Office, masked: exports.Exported, tmp_path: Path
) -> None:
    path = three_months.home.home / keys.PSEUDONYM
    key = path.read_text(encoding="ascii").strip()
    with three_months.home.engine.connect() as db:
        said = json.dumps(store.log.entries(db), default=str)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key not in said + "".join(p.read_text(encoding="utf-8") for p in masked.folder.iterdir())
    told = log(three_months, "export")
    assert {t["after"]["key"] for t in told if t["after"]["masked"]} == {masked.manifest["pseudonym_key"]}
    copy = store.Store(tmp_path, three_months.home.engine, three_months.home.settings)
    made = keys.pseudonym_key(copy)
    assert keys.pseudonym_key(copy) == made
    (tmp_path / keys.PSEUDONYM).chmod(0o640)
    with pytest.raises(StoreError, match="chmod 600"):
        keys.pseudonym_key(copy)
    (tmp_path / keys.PSEUDONYM).chmod(0o600)
    (tmp_path / keys.PSEUDONYM).write_text("short", encoding="ascii")
    with pytest.raises(StoreError, match="密钥"):
        keys.pseudonym_key(copy)


def test_an_export_that_lost_a_row_has_no_manifest(
    three_months: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = three_months.desk(APRIL).by("ma")
    whole = exports.SENT
    cut = [(f"(SELECT * FROM {r} LIMIT 97)" if n == "settlements" else r, n, *rest) for r, n, *rest in whole]
    exports.export(desk, tmp_path, masked=False)
    monkeypatch.setattr(exports, "SENT", cut)

    with pytest.raises(InvariantBroken, match="setl_accepted"):
        exports.export(desk, tmp_path, masked=False)
    assert not list(tmp_path.rglob("manifest.json"))


def test_only_auditors_and_leaders_export(three_months: Office, tmp_path: Path) -> None:
    for name in ("li", "wang", "sun", "system"):
        with pytest.raises(ProcedureError, match="审计"):
            exports.export(three_months.desk(APRIL).by(name), tmp_path, masked=True)
    assert not list(tmp_path.iterdir())
    with pytest.raises(SettlementError, match="xlsx"):
        exports.export(three_months.desk(APRIL).by("chen"), tmp_path, masked=True, kind="xlsx")


def test_a_text_that_would_be_a_formula_is_text_in_csv(tmp_path: Path) -> None:
    from jobs.export_files import Part, write

    rows = pl.DataFrame({"a": ["=1+1", "-5.20", "+x", "@y", "ok", None], "n": [1, 2, 3, 4, 5, 6]})
    with duckdb.connect() as con:
        hold(con, "given", rows)
        done = write(con, Part("given", "given", ("n",), ""), tmp_path, "csv")
    with done.path.open(encoding="utf-8", newline="") as reader:
        assert [row["a"] for row in csv.DictReader(reader)] == ["'=1+1", "-5.20", "'+x", "'@y", "ok", ""]


NAMES = st.text("甲乙丙丁", min_size=2, max_size=3)


@given(st.sets(NAMES, min_size=1, max_size=8), st.text("甲乙丙丁子丑,。", max_size=40))
def test_no_known_name_is_left_in_a_sentence(names, sentence) -> None:
    known = pseudonyms.pseudonyms(b"k", pl.DataFrame({"field": "psn_name", "value": sorted(names)}))
    told = pseudonyms.in_sentences(pl.DataFrame({"t": [sentence]}), ["t"], known)["t"][0]

    assert [name for name in names if name in told] == []
    if not any(name in sentence for name in names):
        assert told == sentence


def test_a_name_that_begins_with_another_one_is_replaced_whole() -> None:
    names = pl.DataFrame({"field": "psn_name", "value": ["甲乙", "甲乙丙", "乙丙"]})
    known = pseudonyms.pseudonyms(b"k", names)
    told = pseudonyms.in_sentences(pl.DataFrame({"t": ["问甲乙丙,甲乙。"]}), ["t"], known)["t"][0]

    long, short = (pseudonyms.pseudonym(b"k", "psn_name", name) for name in ("甲乙丙", "甲乙"))
    assert told == f"问{long},{short}。"
