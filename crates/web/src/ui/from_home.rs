//! For people at home elsewhere who look at our pages: from what they found here to the page of their own server where
//! they can follow, answer, like or share it. They type their handle, and their server says where that page is.
//!
//! Changes nothing, keeps nothing, and never sends anybody on without having shown where to.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use domain::Viewer;
use domain::account::Handle;
use federation::client::Asker;
use http::StatusCode;
use serde::Deserialize;
use storage::hydrate;

use super::frame::Frame;
use super::leaving::leaving;
use super::message::Problem;
use super::profile;
use super::visitor::{Visitor, see_other};
use super::{interact, post, text};
use crate::resolve;
use crate::state::Web;

/// The form, on the page of a person or a post and on its own.
#[derive(Debug, Clone)]
pub struct FromHome {
    /// The path of what it is about.
    pub of: String,
    pub handle: String,
    /// What is wrong with it.
    pub amiss: Option<String>,
    pub is_post: bool,
}

impl FromHome {
    #[must_use]
    pub fn new(of: impl Into<String>, is_post: bool) -> Self {
        Self { of: of.into(), handle: String::new(), amiss: None, is_post }
    }
}

#[derive(Template)]
#[template(path = "from_home.html")]
pub struct FromHomePage {
    pub frame: Frame,
    pub name: String,
    /// Plain text: the beginning of a post.
    pub excerpt: String,
    pub from_home: FromHome,
    /// What can be searched for at home instead.
    pub search: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// `/@name` or `/@name/KEY`.
    of: String,
    /// `@you@your.server`; empty = not typed yet.
    handle: String,
}

/// What she found.
struct Subject {
    path: String,
    /// Plain text.
    name: String,
    excerpt: String,
    /// The ActivityPub id.
    uri: String,
    search: String,
    is_post: bool,
}

/// `GET /from-home?of=/@dana&handle=@you@your.server`: a form that only asks, so it needs no cookie to be ours.
pub async fn show(State(web): State<Web>, visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let subject = subject(&web, &visitor, &asked.of).await?;
    let typed = asked.handle.trim();
    if typed.is_empty() {
        return visitor.page(&page(&visitor, subject, "", None));
    }
    visitor.check_origin()?;
    let known = Handle::parse(typed).and_then(|handle| Some((handle.domain.clone()?, handle)));
    let Some((domain, handle)) = known else {
        let why = "Please write both parts of it, such as @you@your.server.".to_owned();
        return again(&visitor, subject, typed, why);
    };
    if domain == *web.app.urls.own_host() {
        return Ok(see_other(&interact::way(&subject.uri)));
    }
    web.limits.look_up(visitor.origin)?;
    web.limits.look_up_at(&domain)?;
    let asker = Asker::Address(visitor.origin.0);
    match resolve::in_time(Box::pin(web.federation.interaction_page(&handle, &subject.uri, asker))).await {
        Ok(url) => leaving(&visitor, &url, Some(&domain), subject.path),
        Err(federation::ResolveError::App(error)) => Err(error.into()),
        Err(error) if error.is_busy() => Err(Problem::Unavailable),
        Err(error) => {
            tracing::debug!(%error, "nobody is taken home");
            let why = format!(
                "{} did not tell us where to take you. Is your address written as it should be?",
                domain.display()
            );
            again(&visitor, subject, typed, why)
        }
    }
}

/// What the form is about: a person, or a post that anybody may see (no other server could show another).
async fn subject(web: &Web, visitor: &Visitor, of: &str) -> Result<Subject, Problem> {
    let path = of.strip_prefix("/@").ok_or(Problem::NotFound)?;
    let mut conn = web.app.db.read().await?;
    let (name, id) = path.split_once('/').map_or((path, None), |(name, id)| (name, Some(id)));
    let account = profile::find(&mut conn, name).await?;
    let Some(id) = id else {
        let look = visitor.look();
        return Ok(Subject {
            path: format!("/@{}", account.username),
            name: account.name().to_owned(),
            excerpt: String::new(),
            search: look.handle(&account),
            uri: account.uri,
            is_post: false,
        });
    };
    let key = id.parse().map_err(|_| Problem::NotFound)?;
    let id = post::asked(web, &mut conn, &account.username, key).await?;
    let view = hydrate::post(&mut conn, Viewer::Anonymous, id).await?;
    if view.account.account.id != account.id || view.boost_of.is_some() {
        return Err(Problem::NotFound);
    }
    let shown = view.post();
    let excerpt = match shown.spoiler_text.trim() {
        "" => text::excerpt(&shown.content, 120),
        warning => domain::text::shorten(warning, 120),
    };
    Ok(Subject {
        path: text::path_of(&shown.url).to_owned(),
        name: account.name().to_owned(),
        excerpt,
        uri: shown.uri.clone(),
        search: shown.url.clone(),
        is_post: true,
    })
}

fn page(visitor: &Visitor, subject: Subject, typed: &str, amiss: Option<String>) -> FromHomePage {
    FromHomePage {
        frame: visitor.frame("From your own server").narrow(),
        name: subject.name,
        excerpt: subject.excerpt,
        from_home: FromHome { of: subject.path, handle: typed.to_owned(), amiss, is_post: subject.is_post },
        search: subject.search,
    }
}

fn again(visitor: &Visitor, subject: Subject, typed: &str, why: String) -> Result<Response, Problem> {
    let mut response = visitor.page(&page(visitor, subject, typed, Some(why)))?;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}
