"""Sending messages: the folder, e-mail to a real server, refusals, second tries."""

import datetime as dt
import email
import json
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from jobs import cli, postman, scheduler
from jobs.due import Scope
from settlement import store
from settlement.store import jobs, mail

NOW = dt.datetime.fromisoformat("2026-05-08T10:00")
REGION, YM = "langfang", "202604"
H1, H2, H3 = (f"H1310000000{n}" for n in (1, 2, 3))
SUBJECT = "2026年4月医保费用初审结果,请在期限内反馈"
BODY = "机构:\n初审已完成,结果见所附初审反馈单。\n"
PAPERS = {"04_初审反馈单.xlsx": b"PK-workbook", "05_申诉表.csv": "\ufeff疑点号,机构意见\r\n".encode()}
DELIVER = Scope(("deliver",))


@dataclass
class Server:
    """What a mail server got, and what it answers to a recipient or to a message."""

    got: list[Envelope] = field(default_factory=list)
    rcpt: dict[str, list[str]] = field(default_factory=dict)
    data: list[str] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802 - named by the library
        self, server: Any, session: Any, envelope: Envelope, address: str, options: Any
    ) -> str:
        answers = self.rcpt.get(address, [])
        if answers:
            return answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        if self.data:
            return self.data.pop(0)
        self.got.append(envelope)
        return "250 taken"

    def messages(self) -> list[EmailMessage]:
        return [email.message_from_bytes(bytes(e.content or b""), policy=default) for e in self.got]  # type: ignore[arg-type,misc]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[Server, int]]]:
    """Start mail servers, each in a thread of its own."""
    running: list[Controller] = []

    def start(**options: Any) -> tuple[Server, int]:
        server, port = Server(), free_port()
        running.append(Controller(server, hostname="127.0.0.1", port=port, **options))
        running[-1].start()
        return server, port

    yield start
    for controller in running:
        controller.stop()


def contacts(home: store.Store, addresses: dict[str, str | None], since: str = "2024-01-01") -> None:
    rows = [
        {"fixmedins_code": code, "contact_name": "王联络员", "phone": None, "email": address,
         "begndate": dt.date.fromisoformat(since), "enddate": None}
        for code, address in addresses.items()
    ]  # fmt: skip
    text = dict.fromkeys(("fixmedins_code", "contact_name", "phone", "email"), pl.String)
    frame = pl.DataFrame(rows, schema={**text, "begndate": pl.Date, "enddate": pl.Date})
    act = store.Act("system", "reference", NOW.date(), region=REGION)
    store.add_reference(home, act, "contact", frame)


def announce(home: store.Store, *codes: str, kind: str = "notice", papers: dict[str, bytes] = PAPERS) -> None:
    """Put messages on record, and the documents they are about on the disk."""
    rows = []
    for code in codes:
        folder = f"{REGION}/2026-04/institutions/{code}"
        for name, data in papers.items():
            store.write_bytes(home.home / folder / name, data)
        rows.append(
            {"region": REGION, "clr_ym": YM, "fixmedins_code": code, "kind": kind, "subject": SUBJECT,
             "body": BODY, "paths": [f"{folder}/{name}" for name in PAPERS], "digest": "", "day": NOW.date()}
        )  # fmt: skip
    with store.writing(home) as db:
        mail.put(db, rows)


def opened(folder: Path, port: int = 0, **more: Any) -> store.Store:
    """A home that sends to a local server; without a port it has none."""
    lines = {"host": "localhost", "port": port, "sender": "医保中心 <clearing@fund.example>", **more}
    text = "[mail]\n" + "".join(f"{k} = {json.dumps(v, ensure_ascii=False)}\n" for k, v in lines.items())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "settle.toml").write_text(text if port else "", encoding="utf-8")
    return store.open_store(folder)


def sweep(home: store.Store, now: dt.datetime = NOW) -> list[scheduler.Did]:
    return scheduler.sweep(home, now, DELIVER)


def states(home: store.Store) -> dict[str, tuple[str, int]]:
    with home.engine.connect() as db:
        return {r["fixmedins_code"]: (r["state"], r["attempts"]) for r in mail.waiting(db, mail.STATES)}


def errors(home: store.Store) -> str:
    with home.engine.connect() as db:
        said = [j["error"] for j in jobs.open_jobs(db)]
        return " ".join([*said, *(r["error"] for r in mail.waiting(db, mail.STATES))])


def test_subject_text_and_file_names_arrive_as_they_were_written(
    tmp_path: Path, serve: Callable[..., tuple[Server, int]]
) -> None:
    server, port = serve()
    home = opened(tmp_path, port)
    contacts(home, {H1: "h1@hospital.example"})
    announce(home, H1)

    did = sweep(home)

    [got] = server.messages()
    assert [d.state for d in did] == [jobs.DONE]
    assert server.got[0].rcpt_tos == ["h1@hospital.example"]
    assert got["Subject"] == SUBJECT
    assert str(got["From"]) == "医保中心 <clearing@fund.example>"
    assert got["Date"].datetime.replace(tzinfo=None) == NOW
    body = got.get_body()
    assert body is not None
    assert body.get_content().replace("\r\n", "\n") == BODY
    files = {str(part.get_filename()): part.get_payload(decode=True) for part in got.iter_attachments()}
    assert files == PAPERS
    assert bytes(server.got[0].content or b"").isascii()
    assert states(home) == {H1: (mail.SENT, 1)}


def test_a_message_is_sent_once(tmp_path: Path, serve: Callable[..., tuple[Server, int]]) -> None:
    server, port = serve()
    home = opened(tmp_path, port)
    contacts(home, {H1: "h1@hospital.example", H2: "h2@hospital.example"})
    announce(home, H1)
    sweep(home)
    announce(home, H1, H2)

    assert [d.words for d in sweep(home)] == [f"{H2} notice 已发"]
    assert sweep(home) == []
    assert postman.deliver(home, 1, NOW)["state"] == mail.SENT
    with store.writing(home) as db:
        assert not mail.mark(db, 1, {"state": mail.READY})
    assert [e.rcpt_tos for e in server.got] == [["h1@hospital.example"], ["h2@hospital.example"]]


def test_the_log_says_what_was_sent(tmp_path: Path) -> None:
    home = opened(tmp_path)
    announce(home, H1)
    sweep(home)

    with home.engine.connect() as db:
        [entry] = [e for e in store.log.entries(db) if e["subject"].startswith("mail:")]
        assert store.log.breaks(db) == []
    facts = json.loads(entry["after"])
    assert (entry["subject"], facts["state"]) == (f"mail:{H1}/notice", mail.SENT)
    assert set(facts["papers"]) == set(PAPERS)


def test_without_a_server_the_folder_is_all(tmp_path: Path) -> None:
    home = opened(tmp_path)
    announce(home, H1)
    sweep(home)

    folder = tmp_path / "outbox" / REGION / H1 / "2026-04_notice"
    assert {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "message.txt"} == PAPERS
    assert (folder / "message.txt").read_text(encoding="utf-8") == f"{SUBJECT}\n\n{BODY}\n"
    assert states(home) == {H1: (mail.SENT, 1)}


def test_without_the_workbook_nothing_is_sent_and_the_words_name_it(tmp_path: Path) -> None:
    home = opened(tmp_path)
    announce(home, H1, papers={"05_申诉表.csv": b""})

    [did] = sweep(home)

    assert did.state == jobs.FAILED
    assert "04_初审反馈单.xlsx 尚未生成" in did.words
    assert f"--region {REGION} --month 2026-04 documents" in did.words
    assert states(home) == {H1: (mail.FAILED, 1)}
    announce(home, H1)
    assert [d.state for d in sweep(home, NOW + dt.timedelta(minutes=10))] == [jobs.DONE]
    assert states(home) == {H1: (mail.SENT, 2)}
    assert errors(home).strip() == "未设邮件服务器,只放入发件箱目录"


def test_a_document_beside_the_workbook_may_be_missing(tmp_path: Path) -> None:
    home = opened(tmp_path)
    announce(home, H1, papers={"04_初审反馈单.xlsx": b"PK"})
    sweep(home)

    assert states(home) == {H1: (mail.SENT, 1)}


@pytest.mark.parametrize("address", [None, "", "not an address", "a@b, c@d", "x\r\nBcc: y@z", "王@医院"])
def test_no_usable_address_is_shown_and_made_good_by_a_new_one(
    tmp_path: Path, serve: Callable[..., tuple[Server, int]], address: str | None
) -> None:
    server, port = serve()
    home = opened(tmp_path, port)
    contacts(home, {H1: address})
    announce(home, H1)

    assert [d.state for d in sweep(home)] == [jobs.DONE]
    assert states(home) == {H1: (mail.NO_ADDRESS, 1)}
    assert sweep(home, NOW + dt.timedelta(hours=1)) == []
    contacts(home, {H1: "h1@hospital.example"})
    assert [d.state for d in sweep(home, NOW + dt.timedelta(hours=2))] == [jobs.DONE]
    assert states(home) == {H1: (mail.SENT, 2)}
    assert len(server.got) == 1


def test_the_address_in_force_on_the_day_counts(
    tmp_path: Path, serve: Callable[..., tuple[Server, int]]
) -> None:
    server, port = serve()
    home = opened(tmp_path, port)
    contacts(home, {H1: "later@hospital.example"}, since="2026-05-09")
    announce(home, H1)

    sweep(home)
    assert states(home) == {H1: (mail.NO_ADDRESS, 1)}
    sweep(home, NOW + dt.timedelta(days=1))
    assert [e.rcpt_tos for e in server.got] == [["later@hospital.example"]]


@pytest.mark.parametrize(
    ("where", "answer", "words"),
    [
        ("rcpt", "550 5.1.1 <h1@hospital.example> unknown", "拒收(550)"),
        ("rcpt", "450 4.2.1 <h1@hospital.example> later", "暂时不收(450)"),
        ("data", "554 5.7.1 refused for h1@hospital.example", "拒收(554)"),
        ("data", "451 4.3.0 try again", "暂时不收(451)"),
    ],
)
def test_what_a_server_does_not_take_now_it_gets_later(
    tmp_path: Path, serve: Callable[..., tuple[Server, int]], where: str, answer: str, words: str
) -> None:
    server, port = serve()
    home = opened(tmp_path, port)
    contacts(home, {H1: "h1@hospital.example", H2: "h2@hospital.example"})
    announce(home, H1, H2)
    if where == "rcpt":
        server.rcpt["h1@hospital.example"] = [answer]
    else:
        server.data = [answer]

    did = sweep(home)

    assert [d.state for d in did] == [jobs.FAILED, jobs.DONE]
    assert words in errors(home)
    assert "hospital.example" not in errors(home)
    assert states(home) == {H1: (mail.FAILED, 1), H2: (mail.SENT, 1)}
    assert sweep(home, NOW + dt.timedelta(minutes=9)) == []
    assert [d.state for d in sweep(home, NOW + dt.timedelta(minutes=11))] == [jobs.DONE]
    assert states(home)[H1] == (mail.SENT, 2)
    assert len(server.got) == 2


def test_a_server_nobody_reaches_is_tried_again_with_longer_and_longer_pauses(tmp_path: Path) -> None:
    home = opened(tmp_path, free_port())
    contacts(home, {H1: "h1@hospital.example"})
    announce(home, H1)

    tries, now = [], NOW
    for minute in range(0, 400):
        now = NOW + dt.timedelta(minutes=minute)
        if sweep(home, now):
            tries.append(minute)

    assert tries[0] == 0
    assert [b - a for a, b in pairwise(tries)] == pytest.approx([10, 20, 40, 80], abs=1)
    assert "连接失败" in errors(home)
    assert scheduler.retry(home, DELIVER) == 1
    assert len(sweep(home, now)) == 1


def test_the_message_id_is_the_same_for_a_second_copy_and_another_for_another_message(tmp_path: Path) -> None:
    row = {"region": REGION, "clr_ym": YM, "fixmedins_code": H1, "kind": "notice", "digest": "",
           "subject": SUBJECT, "body": BODY, "paths": []}  # fmt: skip

    def ident(now: dt.datetime = NOW, **change: str) -> str:
        letter = postman.Letter({**row, **change}, {})
        return str(postman.message("a@fund.example", "h1@x.example", letter, now)["Message-ID"])

    assert ident() == ident(NOW + dt.timedelta(hours=1))
    assert ident().endswith("@fund.example>")
    assert len({ident(), ident(kind="reminder"), ident(digest="2026-05-14"), ident(fixmedins_code=H2)}) == 4


def test_a_server_that_says_goodbye_badly_has_still_taken_it(
    tmp_path: Path, serve: Callable[..., tuple[Server, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def handle_QUIT(self: Server, server: Any, *_: Any) -> str:  # noqa: N802
        server.transport.abort()
        return "221 heard by nobody"

    monkeypatch.setattr(Server, "handle_QUIT", handle_QUIT, raising=False)
    server, port = serve()
    home = opened(tmp_path, port)
    contacts(home, {H1: "h1@hospital.example"})
    announce(home, H1)

    assert [d.state for d in sweep(home)] == [jobs.DONE]
    assert len(server.got) == 1


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of localhost and its key, made here."""
    if not shutil.which("openssl"):
        pytest.skip("openssl")
    folder = tmp_path_factory.mktemp("tls")
    made, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
               "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key,
               "-out", made]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return made, key


def context(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(*certificate)
    return made


def knows(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=data == LoginPassword(b"clearing", b"secret"), handled=False)


@pytest.mark.parametrize("password", ["secret", "wrong"])
def test_starttls_and_login(
    tmp_path: Path, serve: Callable[..., tuple[Server, int]], certificate: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch, password: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    monkeypatch.setenv("SETTLE_MAIL__PASSWORD", password)
    server, port = serve(
        tls_context=context(certificate), require_starttls=True, auth_required=True, authenticator=knows
    )
    home = opened(tmp_path, port, security="starttls", user="clearing")
    contacts(home, {H1: "h1@hospital.example"})
    announce(home, H1)

    sweep(home)

    assert len(server.got) == (password == "secret")
    assert ("不接受登录(535)" in errors(home)) == (password == "wrong")
    assert password not in errors(home)


@pytest.mark.parametrize("known", [True, False])
def test_a_server_whose_certificate_nobody_vouches_for_gets_nothing(
    tmp_path: Path, serve: Callable[..., tuple[Server, int]], certificate: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch, known: bool,
) -> None:  # fmt: skip
    if known:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    server, port = serve(ssl_context=context(certificate))
    home = opened(tmp_path, port, security="tls")
    contacts(home, {H1: "h1@hospital.example"})
    announce(home, H1)

    sweep(home)

    assert len(server.got) == known
    assert ("SSLCertVerificationError" in errors(home)) != known


def settle(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["settle", *words])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return int(stopped.value.code or 0)


def test_the_command_lists_and_sends(
    tmp_path: Path, serve: Callable[..., tuple[Server, int]], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    server, port = serve()
    home = opened(tmp_path, port)
    contacts(home, {H1: "h1@hospital.example", H3: None})
    announce(home, H1, H3)
    options = ["--home", str(tmp_path), "--today", "2026-05-08", "--json", "outbox"]

    assert settle(monkeypatch, *options) == 0
    assert [r["state"] for r in json.loads(capsys.readouterr().out)] == [mail.READY, mail.READY]
    assert settle(monkeypatch, *options, "--send") == 1
    shown = capsys.readouterr().out
    assert [r["state"] for r in json.loads(shown)] == [mail.SENT, mail.NO_ADDRESS]
    assert "hospital.example" not in shown
    assert len(server.got) == 1
    assert settle(monkeypatch, *options[:4], "outbox") == 0
    assert "无地址" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[mail]\nhost = "x"\n', "sender"),
        ('[mail]\nsecurity = "ssl"\n', "security"),
        ("[mail]\nport = 0\n", "port"),
        ("[schedule]\nnightly_hour = 24\n", "nightly_hour"),
        ("[schedule]\nkeep_backups = 0\n", "keep_backups"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    (tmp_path / "settle.toml").write_text(text, encoding="utf-8")

    assert settle(monkeypatch, "--home", str(tmp_path), "outbox") == 3
    assert words in capsys.readouterr().err
