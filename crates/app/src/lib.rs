//! What a person or a server can do: check the rule, write, enqueue. One verb a file.
pub mod keys;
