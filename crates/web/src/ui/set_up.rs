//! The first visit: while there are no members, whoever opens the page makes the owner's account; on a public address, whoever
//! has the code that the server printed.

use app::accounts::set_up::{needs_code, set_up};
use askama::Template;
use axum::Form;
use axum::extract::Query;
use axum::response::Response;
use domain::account::Credentials;
use http::StatusCode;
use serde::Deserialize;

use super::frame::Frame;
use super::message::Problem;
use super::new_account::NewAccount;
use super::visitor::Visitor;

#[derive(Template)]
#[template(path = "set_up.html")]
pub struct SetUpPage {
    pub frame: Frame,
    pub domain: String,
    pub wrong: Option<String>,
    /// The code must be shown.
    pub guarded: bool,
    pub form: NewAccount,
}

/// What the printed address brings along.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Shown {
    code: String,
}

/// `GET /set-up`: 404 once there was a member; on an address of this machine's own, 403 under any other name. The code is
/// only put into the form; whether it is right is said when the form is sent.
pub async fn show(visitor: Visitor, Query(Shown { code }): Query<Shown>) -> Result<Response, Problem> {
    only_at_first(&visitor).await?;
    let mut form = NewAccount::default();
    form.code = code;
    visitor.form(&page(&visitor, form))
}

/// Only while there are no members, and to nobody who comes under another name at home, where no code protects it.
async fn only_at_first(visitor: &Visitor) -> Result<(), Problem> {
    let web = &visitor.web;
    let app = &web.app;
    // A page from elsewhere, whose name leads to this machine (DNS rebinding), asks for that name.
    if app.urls.is_at_home() && !visitor.came_by_our_name() {
        return Err(Problem::WrongName(app.urls.path("/set-up")));
    }
    if web.community.is_new(app).await? { Ok(()) } else { Err(Problem::NotFound) }
}

fn page(visitor: &Visitor, form: NewAccount) -> SetUpPage {
    SetUpPage {
        frame: visitor.frame("Set up").narrow().bare(),
        domain: visitor.web.app.urls.domain().to_owned(),
        wrong: form.any_amiss(),
        guarded: needs_code(&visitor.web.app),
        form,
    }
}

/// `POST /set-up`.
pub async fn submit(visitor: Visitor, Form(mut form): Form<NewAccount>) -> Result<Response, Problem> {
    only_at_first(&visitor).await?;
    visitor.check_form(&form.csrf).await?;
    let web = &visitor.web;
    web.limits.sign_up(visitor.origin)?;
    if domain::text::is_blank(&form.title) {
        form.object("title", "Please give it a name.");
    }
    if !form.is_amiss() {
        match set_up(&web.app, &form.member(), &form.title, &form.code).await {
            Ok(owner) => {
                web.community.forget();
                return visitor.sign_in(Credentials::new_members(owner.id), "/").await;
            }
            // Somebody else was quicker.
            Err(app::Error::Conflict(_)) => return Err(Problem::NotFound),
            Err(e) => form.take(e)?,
        }
    }
    let mut response = visitor.form(&page(&visitor, form))?;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(response)
}
