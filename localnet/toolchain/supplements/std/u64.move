/// Macros: the compiler expands them, so bytecode has none of them.
module std::u64;

public macro fun max_value(): u64 {
    0xFFFF_FFFF_FFFF_FFFF
}

/// `$stop` is not reached.
public macro fun range_do<$R: drop>($start: u64, $stop: u64, $f: |u64| -> $R) {
    let mut i = $start;
    let stop = $stop;
    while (i < stop) {
        $f(i);
        i = i + 1;
    };
}

public macro fun do<$R: drop>($stop: u64, $f: |u64| -> $R) {
    range_do!(0, $stop, $f)
}
