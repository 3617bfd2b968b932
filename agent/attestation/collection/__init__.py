"""Collecting what vendors publish about the platforms behind evidence, and keeping it for audits.

The only part of attestation that speaks to a network. No verifier imports it: they are given what was collected.
"""
