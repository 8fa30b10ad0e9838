"""Three months of one region as people lived through them: who sent what, who did what on which day."""
