//! Signing in and out.

use askama::Template;

use super::frame::Frame;

#[derive(Template)]
#[template(path = "login.html")]
pub struct LoginPage {
    pub frame: Frame,
    /// The app that sent her here.
    pub app: Option<String>,
    pub wrong: Option<String>,
    /// A path of ours to go on to.
    pub next: String,
    pub email: String,
    /// Joining needs approval.
    pub ask: bool,
}
