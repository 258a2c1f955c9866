//! What clients and browsers get from a server that really listens.

mod chromium;
mod house;
mod oauth;
mod ui;
