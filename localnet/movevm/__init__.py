"""A Move VM: runs Sui's bytecode by translating each function to Python when it is first called."""
