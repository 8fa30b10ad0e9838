"""Audit 初审: rules as SQL files, the engine that runs them, and what they deduct."""
