"""The store: the only package that puts tables on disk and takes them off.

Workflow facts are rows of a transactional database through SQLAlchemy; tables are immutable Parquet
files named by the hash of their content. A file becomes part of the record by the row that names it,
written in one transaction with the change of state, so a crash in between leaves at most a file
nobody refers to.
"""

from sqlalchemy import Connection

from settlement.store import batches, books, findings, jobs, log, mail, payments, users
from settlement.store.database import Store, open_store, writing
from settlement.store.files import file_digest, keep_copy, keep_file, read_bytes, work_folder, write_bytes
from settlement.store.log import Act, Change
from settlement.store.months import (
    earlier_months,
    keep_bytes,
    keep_tables,
    keep_text,
    kept_path,
    last_run_id,
    newest,
    publish,
    read_kept,
    read_run,
    read_table,
    record_run,
    runs,
    table_path,
    write_table,
)
from settlement.store.references import add_reference, read_reference, reference_versions
from settlement.store.submissions import ACCEPTED, RETURNED, record_intake, stored_files, submissions

__all__ = [
    "ACCEPTED",
    "RETURNED",
    "Act",
    "Change",
    "Connection",
    "Store",
    "add_reference",
    "batches",
    "books",
    "earlier_months",
    "file_digest",
    "findings",
    "jobs",
    "keep_bytes",
    "keep_copy",
    "keep_file",
    "keep_tables",
    "keep_text",
    "kept_path",
    "last_run_id",
    "log",
    "mail",
    "newest",
    "open_store",
    "payments",
    "publish",
    "read_bytes",
    "read_kept",
    "read_reference",
    "read_run",
    "read_table",
    "record_intake",
    "record_run",
    "reference_versions",
    "runs",
    "stored_files",
    "submissions",
    "table_path",
    "users",
    "work_folder",
    "write_bytes",
    "write_table",
    "writing",
]
