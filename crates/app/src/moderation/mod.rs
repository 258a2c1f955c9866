//! What those who run the community decide about others.

pub mod domains;
