"""Documents for people: every file a month leaves beside its data."""
