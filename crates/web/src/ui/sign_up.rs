//! Joining: open, by asking, or by an invite link; and the page that says her request is waiting.

use app::accounts::sign_up::sign_up;
use askama::Template;
use axum::Form;
use axum::extract::Path;
use axum::response::Response;
use domain::account::Credentials;
use domain::instance::SignUp;
use http::StatusCode;
use storage::{accounts, invites};

use super::frame::Frame;
use super::message::Problem;
use super::new_account::NewAccount;
use super::visitor::{Visitor, see_other};

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

/// `GET /sign-up`. Nobody joins before the community is set up: the front page knows what to do first.
pub async fn show(visitor: Visitor) -> Result<Response, Problem> {
    if visitor.me.is_some() || visitor.web.community.is_new(&visitor.web.app).await? {
        return Ok(see_other("/"));
    }
    open_to_strangers(&visitor)?;
    visitor.form(&page(&visitor, None, NewAccount::default()))
}

fn open_to_strangers(visitor: &Visitor) -> Result<(), Problem> {
    match visitor.sign_up() {
        SignUp::Open | SignUp::Approval => Ok(()),
        SignUp::Invite => Err(Problem::Forbidden(
            "people join here by invitation: ask a friend who is already in to send you her link",
        )),
        SignUp::Closed => Err(Problem::Forbidden("this community is not taking in new people just now")),
    }
}

/// By whom she was invited, if anybody can be named, and the code.
struct Invited {
    by: Option<String>,
    code: String,
}

fn page(visitor: &Visitor, invited: Option<&Invited>, form: NewAccount) -> SignUpPage {
    let ask = invited.is_none() && visitor.sign_up() == SignUp::Approval;
    let title = if ask { "Ask to join" } else { "Join us" };
    SignUpPage {
        frame: visitor.frame(title).narrow(),
        ask,
        invited_by: invited.map(|i| i.by.clone().unwrap_or_else(|| "Somebody here".to_owned())),
        action: invited.map_or("/sign-up".to_owned(), |i| format!("/invite/{}", i.code)),
        wrong: form.any_amiss(),
        domain: visitor.web.app.urls.domain().to_owned(),
        rules: visitor.community.rules.clone(),
        form,
    }
}

/// `POST /sign-up`.
pub async fn submit(visitor: Visitor, Form(form): Form<NewAccount>) -> Result<Response, Problem> {
    visitor.check_form(&form.csrf).await?;
    open_to_strangers(&visitor)?;
    join(&visitor, None, form).await
}

/// `GET /invite/CODE`: used up, expired or taken back is 410.
pub async fn show_invite(visitor: Visitor, Path(code): Path<String>) -> Result<Response, Problem> {
    let invited = invited(&visitor, code).await?;
    visitor.form(&page(&visitor, Some(&invited), NewAccount::default()))
}

/// `POST /invite/CODE`.
pub async fn submit_invite(
    visitor: Visitor,
    Path(code): Path<String>,
    Form(form): Form<NewAccount>,
) -> Result<Response, Problem> {
    visitor.check_form(&form.csrf).await?;
    let invited = invited(&visitor, code).await?;
    join(&visitor, Some(&invited), form).await
}

async fn invited(visitor: &Visitor, code: String) -> Result<Invited, Problem> {
    let app = &visitor.web.app;
    let mut conn = app.db.read().await?;
    let invite = invites::by_code(&mut conn, &code).await?.ok_or(Problem::NotFound)?;
    if !invite.is_usable(app.now()) {
        return Err(Problem::InviteOver);
    }
    if visitor.sign_up() == SignUp::Closed {
        open_to_strangers(visitor)?;
    }
    let by = match invite.created_by {
        Some(id) => accounts::get(&mut conn, id).await.ok().map(|account| account.name().to_owned()),
        None => None,
    };
    Ok(Invited { by, code })
}

async fn join(visitor: &Visitor, invited: Option<&Invited>, mut form: NewAccount) -> Result<Response, Problem> {
    let web = &visitor.web;
    web.limits.sign_up(visitor.origin)?;
    let ask = invited.is_none() && visitor.sign_up() == SignUp::Approval;
    if ask && domain::text::is_blank(&form.reason) {
        form.object("reason", "A few words, please.");
    }
    if !visitor.community.rules.is_empty() && !form.agreement {
        form.object("agreement", "Please read these and tick the box.");
    }
    let mut joined = None;
    if !form.is_amiss() {
        match sign_up(&web.app, &form.member(), invited.map(|i| i.code.as_str())).await {
            Ok(new) => joined = Some(new),
            // Somebody else was quicker.
            Err(app::Error::Invalid { field: "invite", .. }) => return Err(Problem::InviteOver),
            Err(e) => form.take(e)?,
        }
    }
    match joined {
        Some(new) if new.approved => visitor.sign_in(Credentials::new_members(new.account.id), "/").await,
        Some(_) => visitor.page(&WaitingPage { frame: visitor.frame("Thank you").narrow() }),
        None => {
            let mut response = visitor.form(&page(visitor, invited, form))?;
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(response)
        }
    }
}
