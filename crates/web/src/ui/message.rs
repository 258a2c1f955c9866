//! Pages that only say something: what is missing, gone, refused or broken, in plain words.
//!
//! No page tells more about an error than its reader can use; the rest is in the log.

use askama::Template;

use super::frame::Frame;

#[derive(Template)]
#[template(path = "message.html")]
pub struct MessagePage {
    pub frame: Frame,
    pub heading: &'static str,
    pub lines: Vec<String>,
    /// Label and address of the way on.
    pub way: (&'static str, String),
    /// The light is off.
    pub dim: bool,
}
