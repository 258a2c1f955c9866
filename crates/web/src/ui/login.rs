//! Signing in and out.

use app::accounts::log_in::{Login, Outcome};
use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::response::Response;
use domain::instance::SignUp;
use http::{StatusCode, header};
use serde::Deserialize;

use super::frame::Frame;
use super::message::Problem;
use super::sign_up::WaitingPage;
use super::visitor::{Visitor, own_path, see_other};
use crate::auth::Cookies;
use crate::sign_in::sign_in;
use crate::state::Web;

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

/// Where she was going.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    next: String,
    /// She is signed in and wants to be somebody else, or an app insists.
    again: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct LoginForm {
    csrf: String,
    next: String,
    /// An e-mail address, a username or a whole handle.
    email: String,
    password: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct LogoutForm {
    csrf: String,
}

/// `GET /login`.
pub async fn show(State(web): State<Web>, visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let next = own_path(&asked.next);
    if visitor.me.is_some() && asked.again.is_empty() {
        return Ok(see_other(next));
    }
    let page = page(&web, &visitor, next, "").await?;
    visitor.form(&page)
}

async fn page(web: &Web, visitor: &Visitor, next: &str, email: &str) -> Result<LoginPage, Problem> {
    let app = app_behind(web, next).await?;
    let mut frame = visitor.frame("Sign in").narrow();
    frame.bare = app.is_some() || visitor.me.is_some();
    Ok(LoginPage {
        frame,
        app,
        wrong: None,
        next: next.to_owned(),
        email: email.to_owned(),
        ask: visitor.sign_up() == SignUp::Approval,
    })
}

/// The name of the app that sent her here to sign in.
async fn app_behind(web: &Web, next: &str) -> Result<Option<String>, Problem> {
    let Some(query) = next.strip_prefix("/oauth/authorize?") else { return Ok(None) };
    let id = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "client_id").map(|(_, id)| id);
    let Some(id) = id else { return Ok(None) };
    let mut conn = web.app.db.read().await?;
    Ok(storage::oauth::client_by_client_id(&mut conn, &id).await?.map(|client| client.name))
}

/// `POST /login`.
pub async fn submit(
    State(web): State<Web>,
    visitor: Visitor,
    Form(form): Form<LoginForm>,
) -> Result<Response, Problem> {
    visitor.check_form(&form.csrf).await?;
    let next = own_path(&form.next);
    match sign_in::<Problem>(&web, visitor.origin, &form.email, &form.password).await? {
        Outcome::Welcome(who) => visitor.sign_in(who.1.credentials(), next).await,
        Outcome::Waiting => {
            let mut response = visitor.page(&WaitingPage { frame: visitor.frame("Waiting").narrow() })?;
            *response.status_mut() = StatusCode::FORBIDDEN;
            Ok(response)
        }
        Outcome::Disabled => Err(Problem::AccountClosed),
        Outcome::Wrong => {
            // What can be nobody's name is not shown again: it may be as long as a form.
            let typed = Login::new(&form.email, &web.app.urls).map(|_| form.email.trim()).unwrap_or_default();
            let mut page = page(&web, &visitor, next, typed).await?;
            page.wrong = Some("That name and that password do not belong together. Try once more?".to_owned());
            let mut response = visitor.form(&page)?;
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(response)
        }
    }
}

/// `POST /logout`.
pub async fn leave(
    State(web): State<Web>,
    visitor: Visitor,
    Form(form): Form<LogoutForm>,
) -> Result<Response, Problem> {
    visitor.check_form(&form.csrf).await?;
    if let Some(me) = &visitor.me {
        app::sessions::end::end(&web.app, &me.token).await?;
    }
    let cookies = Cookies::new(&web.app.urls);
    let mut response = see_other("/");
    if let Some(cookie) = cookies.clear(cookies.session()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}
