//! The pages: joining, signing in, reading, feeds, files; and how they look in a real browser.

mod doors;
mod elsewhere;
mod feeds;
mod files;
mod joining;
mod look;
mod reading;
