"""The rules of docs/spec/protocol.md as pure functions over frozen data: no I/O, no asyncio, no clock, no chance."""
