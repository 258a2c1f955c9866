//! The Mastodon client API. One resource a folder, one verb a file; shapes of JSON only in `dto`.

pub mod dto;
pub mod error;
pub mod pagination;
pub mod params;
pub mod render;
