//! What clients and browsers get from a server that really listens.

mod house;
mod oauth;
mod ui;
