"""Evidence that a node runs the code it says: what it looks like, how it is verified, who decides what counts."""
