"""A slow second opinion on every rule, in plain Python, written from the definitions and not from the SQL."""
