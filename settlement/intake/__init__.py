"""Intake 申报接收: from whatever an institution sent to typed rows and a list of faults."""
