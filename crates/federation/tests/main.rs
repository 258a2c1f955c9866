//! What the federation crate promises to its users and to the network, tried from outside.

#[cfg(test)]
mod client;
#[cfg(test)]
mod wire;
