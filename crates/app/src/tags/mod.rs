//! Following hashtags.

pub mod follow;
