"""What the tables are: one pandera model per table, each field with its labels."""
