"""From Move bytecode to Python functions.

A function becomes one Python function `f(ctx, ta, l0, l1, …)`: `ctx` is the Runtime, `ta` the tuple of type arguments. Its blocks
are cases of one loop, dispatched on `b`; the operand stack, empty between blocks, becomes temporaries `t0, t1, …`; each block first
pays one unit of gas per instruction. Bytecode arithmetic is untyped, so types are carried along while writing.
"""
