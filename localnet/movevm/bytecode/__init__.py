"""The Move binary format, versions 5 to 7: from bytes to a module whose types are resolved."""
