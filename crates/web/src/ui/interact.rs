//! The page on which a member does something with a person or a post that she found elsewhere: follow, like, share again.
//! WebFinger tells other servers of it, and they send her here.
//!
//! Everything is looked up with her rights and done by `app`'s verbs. Whoever is not signed in is asked to be, and comes
//! back; nobody else's link does anything before she has pressed a button here.

use app::follows::request;
use app::posts::{boost, favourite};
use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::response::Response;
use domain::account::{Account, Handle};
use domain::follow::{FollowOptions, Relationship};
use domain::{AccountId, PostId};
use federation::Resolved;
use federation::client::Asker;
use serde::Deserialize;
use storage::{follows, hydrate, relationships};
use url::form_urlencoded::byte_serialize;

use super::card::{Person, PostCard};
use super::frame::Frame;
use super::message::Problem;
use super::text;
use super::visitor::{Visitor, see_other};
use crate::auth::SignedIn;
use crate::resolve;
use crate::state::Web;

/// How she stands to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bond {
    Herself,
    Following,
    /// She asked; the other has not answered.
    Asked,
    /// One keeps the other away.
    Apart,
    /// The other lives elsewhere now.
    Moved,
    None,
}

#[derive(Template)]
#[template(path = "interact_person.html")]
pub struct PersonPage {
    pub frame: Frame,
    pub id: AccountId,
    pub person: Person,
    /// HTML.
    pub intro: String,
    pub bond: Bond,
    /// Says yes or no to each person who asks.
    pub locked: bool,
    /// Handle and address, on this page, of the account that this one moved to.
    pub moved_to: Option<(String, String)>,
}

/// What she may do with a post, and did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    Open,
    Done,
    /// Not with this one.
    Closed,
}

#[derive(Template)]
#[template(path = "interact_post.html")]
pub struct PostPage {
    pub frame: Frame,
    pub id: PostId,
    pub post: PostCard,
    pub like: Deed,
    pub share: Deed,
    /// What she searches for in her app, to answer.
    pub address: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// A handle, with or without `acct:`, or the address of a person or post.
    uri: String,
}

/// Longer ones are no addresses.
const LONGEST: usize = 2_000;

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

/// The way here for one person or post.
#[must_use]
pub fn way(uri: &str) -> String {
    format!("/authorize_interaction?uri={}", encoded(uri))
}

/// `GET /authorize_interaction?uri=…`
pub async fn show(State(web): State<Web>, visitor: Visitor, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let uri = asked.uri.trim();
    if uri.is_empty() || uri.len() > LONGEST {
        return Err(Problem::NotFoundElsewhere);
    }
    let Some(me) = &visitor.me else {
        return Ok(see_other(&format!("/login?next={}", encoded(&way(uri)))));
    };
    web.limits.look_up(visitor.origin)?;
    match find(&web, uri, Asker::Member(me.account.id)).await? {
        Resolved::Account(id) => show_person(&web, &visitor, me, id).await,
        Resolved::Post(id) => show_post(&web, &visitor, me, id).await,
    }
}

async fn find(web: &Web, uri: &str, asker: Asker) -> Result<Resolved, Problem> {
    let found = if uri.starts_with("https://") || uri.starts_with("http://") {
        resolve::address(web, uri, Some(asker)).await?
    } else {
        let handle = Handle::parse(uri).ok_or(Problem::NotFoundElsewhere)?;
        resolve::account(web, &handle, Some(asker)).await?.map(Resolved::Account)
    };
    found.ok_or(Problem::NotFoundElsewhere)
}

/// What she may not see is not there.
fn unseen(e: storage::Error) -> Problem {
    match e {
        storage::Error::NotFound => Problem::NotFoundElsewhere,
        e => e.into(),
    }
}

async fn show_person(web: &Web, visitor: &Visitor, me: &SignedIn, id: AccountId) -> Result<Response, Problem> {
    let mut conn = web.app.db.read().await?;
    let view = hydrate::account(&mut conn, id).await.map_err(unseen)?;
    if view.account.is_suspended() {
        return Err(Problem::NotFoundElsewhere);
    }
    let between =
        relationships::many(&mut conn, me.account.id, &[id]).await?.pop().ok_or(Problem::NotFoundElsewhere)?;
    drop(conn);
    let look = visitor.look();
    let person = look.person(&view);
    let mut frame = visitor.frame(format!("Follow {}", person.plain_name)).narrow();
    frame.head.indexed = false;
    visitor.form(&PersonPage {
        frame,
        id,
        intro: text::with_emoji(&view.account.note, &view.emojis, &web.app.urls),
        bond: bond(&me.account, &view.account, &between),
        locked: view.account.locked,
        moved_to: view.moved.as_ref().map(|to| (look.handle(&to.account), way(&to.account.uri))),
        person,
    })
}

fn bond(me: &Account, other: &Account, between: &Relationship) -> Bond {
    match between {
        _ if me.id == other.id => Bond::Herself,
        b if b.blocking || b.blocked_by || b.domain_blocking => Bond::Apart,
        b if b.following => Bond::Following,
        b if b.requested => Bond::Asked,
        _ if other.moved_to_uri.is_some() => Bond::Moved,
        _ => Bond::None,
    }
}

async fn show_post(web: &Web, visitor: &Visitor, me: &SignedIn, id: PostId) -> Result<Response, Problem> {
    let mut conn = web.app.db.read().await?;
    let mut view = hydrate::post(&mut conn, me.viewer(), id).await.map_err(unseen)?;
    if let Some(shared) = view.boost_of.take() {
        view = *shared;
    }
    let author = view.account.account.id;
    let apart = follows::is_blocked_either_way(&mut conn, me.account.id, author).await?;
    drop(conn);
    let look = visitor.look();
    let card = look.post(&view);
    visitor.form(&PostPage {
        frame: visitor.frame(format!("A post by {}", card.by.plain_name)).narrow(),
        id: view.id(),
        like: deed(view.flags.favourited, !apart),
        share: deed(view.flags.boosted, !apart && view.post().may_be_boosted_by(me.account.id)),
        address: view.post().uri.clone(),
        post: card,
    })
}

fn deed(done: bool, may: bool) -> Deed {
    match (done, may) {
        (true, _) => Deed::Done,
        (false, true) => Deed::Open,
        (false, false) => Deed::Closed,
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Done {
    csrf: String,
    /// `follow`, `like` or `share`.
    deed: String,
    /// Of the person or the post.
    id: String,
}

/// `POST /authorize_interaction`: does it, and shows how things stand then. Twice is once.
pub async fn submit(State(web): State<Web>, visitor: Visitor, Form(done): Form<Done>) -> Result<Response, Problem> {
    visitor.check_form(&done.csrf).await?;
    let Some(me) = &visitor.me else { return Err(Problem::StaleForm) };
    web.limits.look_up(visitor.origin)?;
    let app = &web.app;
    let uri = match done.deed.as_str() {
        "follow" => {
            let id: AccountId = done.id.parse().map_err(|_| Problem::Unreadable)?;
            follow(&web, me, id).await?
        }
        deed @ ("like" | "share") => {
            let id: PostId = done.id.parse().map_err(|_| Problem::Unreadable)?;
            if deed == "like" {
                favourite::favourite(app, &me.account, id).await?;
            } else {
                boost::boost(app, &me.account, id, None).await?;
            }
            storage::posts::get(&mut app.db.read().await?, me.viewer(), id).await?.uri
        }
        _ => return Err(Problem::Unreadable),
    };
    Ok(see_other(&way(&uri)))
}

/// Follows, where she does not yet: what she chose about somebody she follows stays as it is. Gives the other's id.
async fn follow(web: &Web, me: &SignedIn, id: AccountId) -> Result<String, Problem> {
    let mut conn = web.app.db.read().await?;
    let other = storage::accounts::get(&mut conn, id).await?;
    let already = follows::is_following(&mut conn, me.viewer(), id).await?;
    drop(conn);
    if !already {
        request::request(&web.app, &me.account, id, FollowOptions::default()).await?;
    }
    Ok(other.uri)
}
