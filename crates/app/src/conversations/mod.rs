//! What a member does with her private discussions. They are written by `fanout` alone.

pub mod read;
pub mod remove;
