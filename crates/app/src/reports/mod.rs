//! What those who run the community are asked to look at. Kept for them alone: whoever reported is told nothing more.

pub mod receive;
