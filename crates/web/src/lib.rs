//! Everything that a client app or a browser talks to. Never holds SQL, never speaks to other servers itself.

pub mod api;
pub mod oauth;
pub mod ui;
