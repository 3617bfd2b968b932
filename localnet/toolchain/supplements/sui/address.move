/// Method alias: the compiler resolves it, so bytecode has none.
module sui::address;

public use fun sui::object::id_from_address as address.to_id;
