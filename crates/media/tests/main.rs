//! A program of its own: it counts every byte that is allocated.

#[cfg(test)]
mod memory;
