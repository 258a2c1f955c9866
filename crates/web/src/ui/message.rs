//! Pages that only say something: what is missing, gone, refused or broken, in plain words.
//!
//! No page tells more about an error than its reader can use; the rest is in the log.

use std::fmt;

use askama::Template;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use domain::instance::SignUp;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};

use super::frame::Frame;
use crate::limits::TooOften;
use crate::state::Web;

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

/// Why a page cannot be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    NotFound,
    /// Neither here nor where it should be, as far as can be told.
    NotFoundElsewhere,
    /// It was here and was taken away.
    Gone,
    /// This invite link was used up, has expired or was taken back.
    InviteOver,
    Forbidden(&'static str),
    /// The page is shown under our own name only; where that is.
    WrongName(String),
    /// Her account was closed.
    AccountClosed,
    /// The form came from another site.
    ForeignForm,
    /// The form belongs to another session, or is too old.
    StaleForm,
    /// An app asked for something that cannot be. In words for its maker.
    AppMistaken(String),
    Unreadable,
    TooOften(TooOften),
    Unavailable,
    Internal,
}

impl Problem {
    /// Logs what nobody foresaw and hides it from the reader.
    pub fn internal(what: impl fmt::Display) -> Self {
        tracing::error!(error = %what, "a page failed");
        Self::Internal
    }

    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotFound | Self::NotFoundElsewhere => StatusCode::NOT_FOUND,
            Self::Gone | Self::InviteOver => StatusCode::GONE,
            Self::Forbidden(_) | Self::WrongName(_) | Self::AccountClosed | Self::ForeignForm | Self::StaleForm => {
                StatusCode::FORBIDDEN
            }
            Self::AppMistaken(_) | Self::Unreadable => StatusCode::BAD_REQUEST,
            Self::TooOften(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn words(&self) -> (&'static str, Vec<String>) {
        let one = |text: &str| vec![text.to_owned()];
        match self {
            Self::NotFound => (
                "Nobody home here",
                one("There is nothing at this address, or it is not for everyone. If somebody sent you the link, ask her to look at it again."),
            ),
            Self::NotFoundElsewhere => (
                "We could not find that",
                one("Nobody and nothing that we may show you has this address, or its home does not answer just now. Look at the address again, or try it later."),
            ),
            Self::Gone => ("This is no longer here", one("Whoever put it here took it back, and we let it go.")),
            Self::InviteOver => (
                "This invitation is over",
                one("It was used already, or its time has passed. Ask whoever sent it to you for a new one."),
            ),
            Self::Forbidden(why) => ("Not this way", vec![format!("{}.", capitalised(why))]),
            Self::WrongName(address) => (
                "Not by this name",
                vec![format!("On the machine that this place runs on, open {address}.")],
            ),
            Self::AccountClosed => (
                "This account is closed",
                one("The people who look after this place closed it. Write to them if you think that is a mistake."),
            ),
            Self::ForeignForm => (
                "That came from somewhere else",
                one("The form was not sent from one of our pages, so nothing was done with it."),
            ),
            Self::StaleForm => (
                "That page was out of date",
                one("Nothing was done. Go back, load the page again, and send it once more. If it keeps happening, your browser may be refusing our cookie."),
            ),
            Self::AppMistaken(what) => (
                "The app got something wrong",
                vec![
                    "It asked to be let in, in a way we cannot follow. There is nothing you need to do; its makers may want to know:".to_owned(),
                    format!("{what}."),
                ],
            ),
            Self::Unreadable => ("We could not read that", one("Something was missing from what your browser sent. Go back and try again.")),
            Self::TooOften(TooOften(wait)) => {
                let wait = match wait.as_secs() {
                    0..=90 => "a minute".to_owned(),
                    seconds => format!("{} minutes", seconds.div_ceil(60)),
                };
                ("One moment, please", vec![format!("That was a lot of tries in a short time. Wait {wait}, then try again.")])
            }
            Self::Unavailable => ("Back in a moment", one("We cannot look it up right now. Try again in a little while.")),
            Self::Internal => (
                "Something went wrong on our side",
                one("It is not your doing. We wrote it down; try again in a little while."),
            ),
        }
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

impl From<app::Error> for Problem {
    fn from(e: app::Error) -> Self {
        match e {
            app::Error::NotFound => Self::NotFound,
            app::Error::Forbidden(why) | app::Error::Conflict(why) => Self::Forbidden(why),
            app::Error::Invalid { .. } | app::Error::UnexpectedMentions(_) => Self::Unreadable,
            app::Error::Limited { .. } => Self::TooOften(TooOften(std::time::Duration::from_secs(60))),
            app::Error::Unavailable(why) => {
                tracing::warn!(%why, "a page cannot be shown now");
                Self::Unavailable
            }
            app::Error::Internal(what) => Self::internal(what),
        }
    }
}

impl From<storage::Error> for Problem {
    fn from(e: storage::Error) -> Self {
        app::Error::from(e).into()
    }
}

impl From<TooOften> for Problem {
    fn from(e: TooOften) -> Self {
        Self::TooOften(e)
    }
}

impl IntoResponse for Problem {
    /// The page itself is made by [`dress`], which knows the community's name.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        let wait = match &self {
            Self::TooOften(TooOften(wait)) => Some(wait.as_secs().max(1)),
            Self::Unavailable => Some(5),
            _ => None,
        };
        if let Some(seconds) = wait {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Turns a [`Problem`] into a page, and gives every page the headers that protect its reader.
pub async fn dress(State(web): State<Web>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let problem = response.extensions_mut().remove::<Problem>();
    if let Some(problem) = problem.or_else(|| of_bare_refusal(&response)) {
        response = told(&web, &problem, response.into_parts().0).await;
    }
    protect(response.headers_mut());
    response
}

/// Was the request refused before it came to a handler, as with an address that is not UTF-8, another method, or a form
/// that is too large? The words are the framework's then, where there are any.
fn of_bare_refusal(response: &Response) -> Option<Problem> {
    let kind = response.headers().get(header::CONTENT_TYPE);
    if kind.is_some_and(|kind| !kind.as_bytes().starts_with(b"text/plain")) {
        return None;
    }
    match response.status() {
        status if status.is_server_error() => Some(Problem::Internal),
        status if status.is_client_error() => Some(Problem::Unreadable),
        _ => None,
    }
}

async fn told(web: &Web, problem: &Problem, mut parts: http::response::Parts) -> Response {
    let (heading, lines) = problem.words();
    let mut frame =
        Frame::new(web.community.title(&web.app).await, web.app.config.source_url.clone()).titled(heading).narrow();
    frame.may_join = matches!(web.app.config.sign_up, SignUp::Open | SignUp::Approval);
    let way = ("To the front page", "/".to_owned());
    let dim = !matches!(problem, Problem::TooOften(_));
    let body = MessagePage { frame, heading, lines, way, dim }.render().unwrap_or_default();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    Response::from_parts(parts, body.into())
}

/// What answers where nothing is: a page for people, JSON for apps and servers.
pub async fn nothing_here(State(web): State<Web>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path();
    // Whoever asks with a signature made it over the address: it is told the right one, and asks again.
    if let Some(exact) = path.strip_suffix('/').filter(|exact| exact.starts_with("/users/") && !exact.ends_with('/'))
        && matches!(method, Method::GET | Method::HEAD)
    {
        return Redirect::permanent(&web.app.urls.path(exact)).into_response();
    }
    let by_server = federation::routes::is_for_servers(path) && federation::routes::wants_activity(&headers);
    let accept = headers.get(header::ACCEPT).map(HeaderValue::as_bytes).unwrap_or_default();
    let accepts = |kind: &[u8]| accept.windows(kind.len()).any(|part| part == kind);
    if path == "/api" || path.starts_with("/api/") || by_server || (accepts(b"json") && !accepts(b"html")) {
        return crate::api::error::Error::NotFound.into_response();
    }
    let mut response = told(&web, &Problem::NotFound, Problem::NotFound.into_response().into_parts().0).await;
    protect(response.headers_mut());
    response
}

/// What every page has unless its handler said otherwise: no script, nothing from elsewhere, no frame around it, no
/// word to others about where its reader came from, no copy kept for somebody else.
fn protect(headers: &mut http::HeaderMap) {
    const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; media-src 'self'; \
        form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    let defaults = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CACHE_CONTROL, "private, no-cache"),
    ];
    for (name, value) in defaults {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}
