"""Steps that bring a home's database from one release to the next.

A step is frozen once released: it says what the tables became then, and imports nothing of the store.
"""
