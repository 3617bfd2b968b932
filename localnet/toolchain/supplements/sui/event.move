/// What this transaction has emitted so far, as tests see it.
module sui::event;

#[test_only]
public native fun num_events(): u32;

#[test_only]
public native fun events_by_type<T: copy + drop>(): vector<T>;
