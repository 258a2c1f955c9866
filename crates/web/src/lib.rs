//! Everything that a client app or a browser talks to. Never holds SQL, never speaks to other servers itself.

pub mod api;
pub mod auth;
pub mod csrf;
pub mod limits;
pub mod oauth;
pub mod state;
pub mod ui;

pub use state::{Config, Web};
