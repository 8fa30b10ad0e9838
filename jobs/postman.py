"""Sending what is in the outbox: a folder per message, and e-mail where a server is set.

A message is sent by whoever has claimed its job, and marked right afterwards. Between the server's
acceptance and the mark lies a moment in which a crash lets it be sent once more; its Message-ID is made
from what it says and to whom, so the receiving side can drop the second one.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from jobs import due
from settlement import procedure, settings, store
from settlement.errors import SettlementError, StoreError
from settlement.labels import label
from settlement.reports.prepare import folder_name
from settlement.store import mail

FOLDER = "outbox"
TYPES = {
    ".xlsx": ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ".csv": ("text", "csv"),
}
TEMPORARY = range(400, 500)
TEXT = ("subject", "body", "paths")


class NotSent(SettlementError):
    """A message could not be sent now; the words name no address."""


@dataclass(frozen=True)
class Letter:
    """A message and its attachments as they are at the moment of sending."""

    row: dict[str, Any]
    papers: dict[str, bytes]

    @property
    def ident(self) -> str:
        """What a second copy of the same message has in common with the first."""
        return hashlib.sha256("|".join(str(self.row[n]) for n in mail.KEY).encode()).hexdigest()[:32]


def deliver(home: store.Store, ident: int, now: dt.datetime) -> dict[str, Any]:
    """Send a message of the outbox, unless it was sent before; returns its row with the state it is in now.

    Raises:
        StoreError: the document it is about has not been written.
        NotSent: the server could not be reached, or refused; the message is marked FAILED.
    """
    with home.engine.connect() as db:
        row = mail.find(db, ident)
    if row["state"] == mail.SENT:
        return row
    try:
        letter = _letter(home, row)
        _put_into_folder(home, letter)
        address = due.addresses(home, row["region"], now.date()).get(row["fixmedins_code"], "")
        state, note = _send(home.settings.mail, letter, address, now)
    except SettlementError as fault:
        _mark(home, row, now, {"state": mail.FAILED, "error": str(fault)})
        raise
    sent_at = now.isoformat(timespec="seconds") if state == mail.SENT else ""
    told = {"message": letter.ident, "papers": {n: _digest(data) for n, data in letter.papers.items()}}
    _mark(home, row, now, {"state": state, "error": note, "sent_at": sent_at}, told)
    return {**row, "state": state}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _letter(home: store.Store, row: dict[str, Any]) -> Letter:
    """Read the documents that are there; the first one is what the message is about."""
    paths = [home.home / path for path in row["paths"]]
    if paths and not paths[0].is_file():
        month = f"{row['clr_ym'][:4]}-{row['clr_ym'][4:]}"
        raise StoreError(
            f"{row['paths'][0]} 尚未生成,消息未发出。"
            f"请运行 settle --region {row['region']} --month {month} documents 后再发。"
        )
    return Letter(row, {path.name: path.read_bytes() for path in paths if path.is_file()})


def _put_into_folder(home: store.Store, letter: Letter) -> Path:
    """Write the message and its documents where a clerk can hand them over by other means."""
    row = letter.row
    name = "_".join(filter(None, (f"{row['clr_ym'][:4]}-{row['clr_ym'][4:]}", row["kind"], row["digest"])))
    folder: Path = home.home / FOLDER / row["region"] / folder_name(row["fixmedins_code"]) / name
    for paper, data in letter.papers.items():
        store.write_bytes(folder / paper, data)
    store.write_bytes(folder / "message.txt", f"{row['subject']}\n\n{row['body']}\n".encode())
    return folder


def _send(server: settings.Mail, letter: Letter, address: str, now: dt.datetime) -> tuple[str, str]:
    """Send by e-mail where there is a server and an address; returns state and note."""
    if not server.host:
        return mail.SENT, label("mail.note.folder", "zh")
    if not address:
        return mail.NO_ADDRESS, label("mail.note.no_address", "zh")
    try:
        _by_smtp(server, message(server.sender, address, letter, now))
    except smtplib.SMTPException as fault:
        raise NotSent(_refusal(fault)) from None
    except (OSError, ValueError) as fault:
        words = f"邮件服务器 {server.host}:{server.port} 连接失败({type(fault).__name__}),稍后重试。"
        raise NotSent(words) from None
    return mail.SENT, ""


def message(sender: str, address: str, letter: Letter, now: dt.datetime) -> EmailMessage:
    """Return the e-mail; the same message at the same moment has the same headers."""
    made = EmailMessage(policy=SMTP)
    made["From"], made["To"], made["Subject"] = sender, address, letter.row["subject"]
    made["Date"] = format_datetime(now.astimezone())
    made["Message-ID"] = f"<{letter.ident}@{sender.rpartition('@')[2].strip('<> ')}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(letter.row["body"], cte="base64")
    for name, data in letter.papers.items():
        kind, sub = TYPES.get(Path(name).suffix, ("application", "octet-stream"))
        made.add_attachment(data, maintype=kind, subtype=sub, filename=name)
    if made.is_multipart():
        made.set_boundary(letter.ident)  # else a number drawn at random
    return made


def _by_smtp(server: settings.Mail, made: EmailMessage) -> None:
    context = ssl.create_default_context()
    wait = server.timeout_seconds
    if server.security == "tls":
        line: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=wait, context=context)
    else:
        line = smtplib.SMTP(server.host, server.port, timeout=wait)
    try:
        if server.security == "starttls":
            line.starttls(context=context)
        if server.user:
            line.login(server.user, server.password.get_secret_value())
        line.send_message(made)
    finally:
        # The server has taken it or not; how it says goodbye changes nothing.
        with suppress(smtplib.SMTPException, OSError):
            line.quit()


def _refusal(fault: smtplib.SMTPException) -> str:
    """Say what the server answered without its text, which may repeat the address."""
    code = getattr(fault, "smtp_code", 0)
    if isinstance(fault, smtplib.SMTPRecipientsRefused):
        code = next(iter(fault.recipients.values()))[0]
    if isinstance(fault, smtplib.SMTPAuthenticationError):
        return f"邮件服务器不接受登录({code})。请核对 settle.toml 的 [mail] user 与 password。"
    if code in TEMPORARY:
        return f"邮件服务器暂时不收({code}),稍后重试。"
    if code:
        return f"邮件服务器拒收({code})。请核对该机构的邮箱(contact.csv)与发件地址。"
    return f"与邮件服务器的会话中断({type(fault).__name__}),稍后重试。"


def _mark(
    home: store.Store,
    row: dict[str, Any],
    now: dt.datetime,
    values: dict[str, Any],
    told: dict[str, Any] | None = None,
) -> None:
    """Set what became of a message; what was sent, or could not for want of an address, is logged too."""
    act = store.Act(procedure.MACHINE, "schedule", now.date(), "", row["region"], row["clr_ym"])
    what = f"mail:{row['fixmedins_code']}/{row['kind']}{row['digest'] and '/' + row['digest']}"
    with store.writing(home) as db:
        if not mail.mark(db, row["id"], {**values, "attempts": row["attempts"] + 1}):
            return
        if told is not None and values["state"] != row["state"]:
            after = {"state": values["state"], **told}
            store.log.write(db, act, store.Change(what, {"state": row["state"]}, after))


def listed(home: store.Store, region: str | None, month: str | None) -> list[dict[str, Any]]:
    """Return the messages of the outbox without their text, oldest first."""
    with home.engine.connect() as db:
        rows = mail.waiting(db, mail.STATES, region, month)
    return [{name: value for name, value in row.items() if name not in TEXT} for row in rows]
