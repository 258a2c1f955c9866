//! How far a member has read.

pub mod set;
