"""Duties: small state machines over rows of the journal."""
