"""TDX guests that dstack started: which application runs there, read from the event log that RTMR3 vouches for."""
