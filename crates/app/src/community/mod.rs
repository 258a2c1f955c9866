//! What the community says about itself.

pub mod change;
