//! The first visit: while there is no owner, whoever opens the page makes the owner's account.

use askama::Template;

use super::frame::Frame;
use super::new_account::NewAccount;

#[derive(Template)]
#[template(path = "set_up.html")]
pub struct SetUpPage {
    pub frame: Frame,
    pub domain: String,
    pub wrong: Option<String>,
    pub form: NewAccount,
}
