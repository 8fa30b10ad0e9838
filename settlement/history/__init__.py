"""History: questions in SQL over documented views, which can change and reach nothing.

from settlement.history import open_views
views = open_views("outputs", region="langfang", months="2026-01..2026-04")
views.sql("SELECT rule_id, count(*) FROM v_finding GROUP BY 1").rows
"""

from settlement.history.asked import Answer, Views, months_between, open_views
from settlement.history.sandbox import Limits

__all__ = ["Answer", "Limits", "Views", "months_between", "open_views"]
