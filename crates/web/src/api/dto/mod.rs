//! Mastodon's JSON shapes, built from the domain's views. Nothing here reads a database or decides who may see.
//!
//! Fields that Mastodon documents are always present, with `null` where it allows that: old apps crash on
//! missing ones. Where this server has no such thing (polls, cards, quotes, filters) the field says so.

pub mod account;
pub mod application;
pub mod conversation;
pub mod emoji;
pub mod instance;
pub mod list;
pub mod marker;
pub mod media;
pub mod notification;
pub mod preferences;
pub mod relationship;
pub mod report;
pub mod search;
pub mod status;
pub mod tag;
pub mod value;
