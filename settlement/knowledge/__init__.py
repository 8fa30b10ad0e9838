"""National knowledge lists: from the workbooks as published to the `kb_*` tables the rules run on."""

from settlement.knowledge.importer import ImportReport, WorkbookCount, import_nhsa

__all__ = ["ImportReport", "WorkbookCount", "import_nhsa"]
