"""反馈: what an institution is told of the audit, and what it answers."""
