//! Joining: open, by asking, or by an invite link; and the page that says her request is waiting.

use askama::Template;

use super::frame::Frame;
use super::new_account::NewAccount;

#[derive(Template)]
#[template(path = "sign_up.html")]
pub struct SignUpPage {
    pub frame: Frame,
    /// Somebody has to let her in, so she says why.
    pub ask: bool,
    pub invited_by: Option<String>,
    /// Where the form goes.
    pub action: String,
    pub wrong: Option<String>,
    pub form: NewAccount,
    pub domain: String,
    pub rules: Vec<String>,
}

#[derive(Template)]
#[template(path = "waiting.html")]
pub struct WaitingPage {
    pub frame: Frame,
}
