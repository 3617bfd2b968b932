/// Method aliases: the compiler resolves them, so bytecode has none of them.
module sui::object;

public use fun id_to_bytes as ID.to_bytes;
public use fun id_to_address as ID.to_address;
public use fun uid_as_inner as UID.as_inner;
public use fun uid_to_inner as UID.to_inner;
public use fun uid_to_bytes as UID.to_bytes;
public use fun uid_to_address as UID.to_address;
