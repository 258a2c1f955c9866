//! Collections of a member: what she wrote, who follows her and whom she follows (numbers alone where she hides
//! them), what she pinned, and what answers a post. Only what anybody may see.

use axum::extract::{Path, Query, State};
use domain::account::Account;
use domain::page::Page;
use domain::{AccountId, PostId, Viewer};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use storage::timelines::AccountFilter;
use storage::{Conn, accounts, follows, hydrate, posts, threads, timelines};

use super::actor::member;
use super::answer::{Answer, Keep, Refusal, document};
use super::post::of_member;
use crate::Federation;
use crate::wire::activity::{self, Announce, Create};
use crate::wire::collection::{OrderedCollection, OrderedCollectionPage};
use crate::wire::context::Context;
use crate::wire::note::note;

const PAGE: i64 = 40;
/// Answers that are listed under a post.
const REPLIES: i64 = 40;

/// Which page of a collection: none = the collection itself.
#[derive(Deserialize)]
pub struct Asked {
    page: Option<String>,
    max_id: Option<i64>,
}

impl Asked {
    fn page(&self) -> Option<Page> {
        self.page.as_ref().map(|_| Page { max_id: self.max_id, since_id: None, min_id: None, limit: PAGE })
    }

    fn address(&self, id: &str) -> String {
        match self.max_id {
            Some(max) => format!("{id}?page=true&max_id={max}"),
            None => format!("{id}?page=true"),
        }
    }
}

fn plain<T: Serialize>(collection: T) -> Answer {
    document(StatusCode::OK, Context::Plain, Keep::Shared, collection)
}

/// A page and, where it is full, the address of the next.
fn page_of<T: Serialize>(context: Context, id: String, asked: &Asked, items: Vec<T>, last: Option<i64>) -> Answer {
    let next = last.map(|last| format!("{id}?page=true&max_id={last}"));
    let page = OrderedCollectionPage::new(asked.address(&id), id, items, next);
    document(StatusCode::OK, context, Keep::Shared, page)
}

pub async fn instance_outbox(State(federation): State<Federation>) -> Answer {
    plain(OrderedCollection::<String>::whole(federation.app.urls.path("/actor/outbox"), Vec::new()))
}

/// An activity of an outbox.
#[derive(Serialize)]
#[serde(untagged)]
enum Published {
    Create(Box<Create>),
    Announce(Box<Announce>),
}

pub async fn outbox(
    State(federation): State<Federation>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Answer {
    let mut conn = federation.app.db.read().await?;
    let account = member(&federation, &mut conn, &name).await?;
    let urls = &federation.app.urls;
    let id = urls.outbox(&account.username);
    let Some(page) = asked.page() else {
        return plain(OrderedCollection::<String>::paged(id, account.posts_count));
    };
    let everything = AccountFilter::default();
    let ids = timelines::account(&mut conn, Viewer::Anonymous, account.id, &everything, &page).await?;
    let views = hydrate::posts(&mut conn, Viewer::Anonymous, &ids).await?;
    drop(conn);
    let items = views.iter().map(|view| match activity::announce(view, urls) {
        Some(announce) => Published::Announce(Box::new(announce)),
        None => Published::Create(Box::new(activity::create(view, urls))),
    });
    let last = last_of(&ids, |id| id.0);
    page_of(Context::Note, id, &asked, items.collect(), last)
}

pub async fn followers(
    State(federation): State<Federation>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Answer {
    let mut conn = federation.app.db.read().await?;
    let account = member(&federation, &mut conn, &name).await?;
    let id = federation.app.urls.followers(&account.username);
    let Some(page) = asked.page() else { return people(id, &account, account.followers_count) };
    if account.hide_collections {
        return Err(Refusal::NotFound);
    }
    let entries = follows::followers(&mut conn, account.id, &page).await?;
    people_page(&mut conn, id, &asked, &entries).await
}

pub async fn following(
    State(federation): State<Federation>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Answer {
    let mut conn = federation.app.db.read().await?;
    let account = member(&federation, &mut conn, &name).await?;
    let id = federation.app.urls.following(&account.username);
    let Some(page) = asked.page() else { return people(id, &account, account.following_count) };
    if account.hide_collections {
        return Err(Refusal::NotFound);
    }
    let entries = follows::following(&mut conn, account.id, &page).await?;
    people_page(&mut conn, id, &asked, &entries).await
}

fn people(id: String, account: &Account, total: i64) -> Answer {
    plain(match account.hide_collections {
        true => OrderedCollection::<String>::hidden(id, total),
        false => OrderedCollection::<String>::paged(id, total),
    })
}

async fn people_page(conn: &mut Conn, id: String, asked: &Asked, entries: &[(i64, AccountId)]) -> Answer {
    let ids: Vec<AccountId> = entries.iter().map(|(_, account)| *account).collect();
    let found = accounts::many(conn, &ids).await?;
    let uris: Vec<String> =
        ids.iter().filter_map(|id| found.iter().find(|a| a.id == *id)).map(|a| a.uri.clone()).collect();
    page_of(Context::Plain, id, asked, uris, last_of(entries, |(row, _)| *row))
}

fn last_of<T>(items: &[T], id: impl Fn(&T) -> i64) -> Option<i64> {
    let full = i64::try_from(items.len()).is_ok_and(|n| n >= PAGE);
    items.last().filter(|_| full).map(id)
}

pub async fn featured(State(federation): State<Federation>, Path(name): Path<String>) -> Answer {
    let mut conn = federation.app.db.read().await?;
    let account = member(&federation, &mut conn, &name).await?;
    let urls = &federation.app.urls;
    let ids = timelines::pinned(&mut conn, Viewer::Anonymous, account.id).await?;
    let views = hydrate::posts(&mut conn, Viewer::Anonymous, &ids).await?;
    drop(conn);
    let notes = views.iter().map(|view| note(view, urls)).collect();
    let collection = OrderedCollection::whole(urls.featured(&account.username), notes);
    document(StatusCode::OK, Context::Note, Keep::Shared, collection)
}

pub async fn replies(State(federation): State<Federation>, Path((name, id)): Path<(String, String)>) -> Answer {
    let mut conn = federation.app.db.read().await?;
    let id = of_member(&federation, &mut conn, &name, &id).await?;
    let post = posts::get(&mut conn, Viewer::Anonymous, id).await?;
    let answers: Vec<PostId> = threads::descendants(&mut conn, id, REPLIES).await?;
    let views = hydrate::posts(&mut conn, Viewer::Anonymous, &answers).await?;
    drop(conn);
    let uris = views.iter().filter(|v| v.post().in_reply_to_id == Some(id)).map(|v| v.post().uri.clone());
    plain(OrderedCollection::whole(format!("{}/replies", post.uri), uris.collect::<Vec<_>>()))
}
