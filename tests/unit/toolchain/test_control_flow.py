from localnet.toolchain.control_flow import Flow, Jump, flow


def shape(of: Flow) -> list[tuple[int, int, tuple[int, ...]]]:
    return [(block.start, block.end, block.successors) for block in of.blocks]


def test_a_straight_line_is_one_block() -> None:
    straight = flow(3, [Jump(2, None, conditional=False)])
    assert shape(straight) == [(0, 3, ())]
    assert not straight.loops
    assert not straight.joins


def test_two_arms_meet_in_a_join_that_the_condition_dominates() -> None:
    diamond = flow(7, [Jump(1, 4, conditional=True), Jump(3, 6, conditional=False), Jump(6, None, conditional=False)])
    assert shape(diamond) == [(0, 2, (2, 1)), (2, 4, (3,)), (4, 6, (3,)), (6, 7, ())]
    assert diamond.joins == {3}
    assert set(diamond.dominated[0]) == {1, 2, 3}


def test_an_edge_back_makes_a_loop_and_no_join() -> None:
    loop = flow(5, [Jump(1, 4, conditional=True), Jump(3, 0, conditional=False), Jump(4, None, conditional=False)])
    assert loop.loops == {0}
    assert not loop.joins


def test_a_loop_within_a_loop() -> None:
    jumps = [Jump(1, 6, conditional=True), Jump(3, 5, conditional=True), Jump(4, 2, conditional=False)]
    nested = flow(7, [*jumps, Jump(5, 0, conditional=False), Jump(6, None, conditional=False)])
    assert nested.loops == {0, 1}
    assert set(nested.dominated[1]) == {2, 3}


def test_code_that_nothing_reaches_has_no_place_in_the_order() -> None:
    dead = flow(4, [Jump(0, 2, conditional=False), Jump(1, None, conditional=False), Jump(3, None, conditional=False)])
    assert len(dead.blocks) == 3
    assert dead.order.keys() == {0, 2}


def test_a_function_of_many_blocks_needs_no_deep_recursion() -> None:
    count = 5_000
    jumps = [Jump(at, count - 1, conditional=True) for at in range(0, count - 1, 2)]
    chain = flow(count, [*jumps, Jump(count - 1, None, conditional=False)])
    assert len(chain.joins) == 1
