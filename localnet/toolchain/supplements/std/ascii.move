/// Method alias: the compiler resolves it, so bytecode has none.
module std::ascii;

public use fun std::string::from_ascii as String.to_string;
