//! The client API over real sockets, on both databases. Mirrors `src/api`.

mod accounts;
mod bad_input;
mod browsers;
mod conversations;
mod domain_blocks;
mod follow_requests;
mod instance;
mod lists;
mod markers;
mod media;
mod notifications;
mod pages;
mod private_media;
mod reports;
mod search;
mod statuses;
mod streamed_deletions;
mod streaming;
mod tags;
mod timelines;
mod tokens;

use serde_json::Value;

/// A picture of 2 × 2 pixels.
pub const PNG: &[u8] = include_bytes!("two-by-two.png");

/// The texts under `name` of a list of objects.
pub fn each(list: &Value, name: &str) -> Vec<String> {
    let text = |v: &Value| v[name].as_str().unwrap_or_else(|| panic!("no {name} in {v}")).to_owned();
    list.as_array().unwrap_or_else(|| panic!("no list: {list}")).iter().map(text).collect()
}

pub fn id(value: &Value) -> String {
    value["id"].as_str().unwrap_or_else(|| panic!("no id: {value}")).to_owned()
}
