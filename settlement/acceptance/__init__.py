"""Acceptance 受理: which submissions and settlements are taken in, and why the others are not."""
