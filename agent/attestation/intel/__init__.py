"""Quotes of Intel TDX guests and SGX enclaves: read, authenticated under Intel's root, their patch level evaluated."""
