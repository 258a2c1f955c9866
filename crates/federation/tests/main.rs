//! What the federation crate promises to its users and to the network, tried from outside.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod client;
#[cfg(test)]
mod deletions;
#[cfg(test)]
mod edits;
#[cfg(test)]
mod exchange;
#[cfg(test)]
mod home;
#[cfg(test)]
mod queue;
#[cfg(test)]
mod receiving;
#[cfg(test)]
mod successors;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod wire;
