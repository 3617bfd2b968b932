"""Bytes in, bytes out: sockets, TLS, HTTP, gRPC framing. Knows no message but by its class."""
