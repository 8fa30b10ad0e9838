"""Measurements on a large month; not part of the tests."""
