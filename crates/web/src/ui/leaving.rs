//! The page between one of ours and another server's: nobody is sent away by a link of ours without having been shown
//! where to, and having said yes. It changes nothing, so nothing is won by leading somebody to it.

use askama::Template;
use axum::response::Response;
use domain::Host;
use domain::urls::web_url;
use http::{HeaderValue, header};
use url::Url;

use super::frame::Frame;
use super::message::Problem;
use super::visitor::Visitor;

#[derive(Template)]
#[template(path = "leaving.html")]
pub struct LeavingPage {
    pub frame: Frame,
    /// Where it leads.
    pub host: String,
    /// The host that said so, where it is another one.
    pub told_by: Option<String>,
    pub url: String,
    /// A path of ours.
    pub back: String,
}

/// Asks whether to go on to an address that another server told us.
///
/// # Errors
/// [`Problem::NotFound`] for what is no address on the web, or carries a name and password.
pub fn leaving(visitor: &Visitor, url: &Url, told_by: Option<&Host>, back: String) -> Result<Response, Problem> {
    let url = web_url(url.as_str()).ok_or(Problem::NotFound)?;
    let host = Host::of(&url).ok_or(Problem::NotFound)?;
    let told_by = told_by.filter(|told_by| **told_by != host).map(|told_by| told_by.display().into_owned());
    let page = LeavingPage {
        frame: visitor.frame("You are about to leave").narrow(),
        host: host.display().into_owned(),
        told_by,
        url: url.into(),
        back,
    };
    let mut response = visitor.page(&page)?;
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}
