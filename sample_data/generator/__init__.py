"""Makes the sample months and the benchmark month: synthetic, seeded, the same bytes every time."""
