"""Does honesty pay? A calculator of the deterrence inequality, and a simulator that plays every cheat we know: docs/economics.md."""
