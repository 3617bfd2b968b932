"""Logs, metrics and health, and the small HTTP server under them. Imports nothing of ours."""
