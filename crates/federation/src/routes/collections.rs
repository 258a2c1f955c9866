//! Collections of an account: outbox, followers, following, featured. Only what anyone may see.

use axum::extract::{Path, Query, State};
use axum::response::Response;
use domain::account::Account;
use domain::page::Page;
use domain::{PostId, Viewer};
use http::request::Parts;
use serde::Deserialize;
use serde_json::Value;
use storage::{accounts, follows, hydrate, timelines};

use super::actors::local;
use super::fetcher::Fetcher;
use super::{Refused, document};
use crate::Federation;
use crate::wire::collection::{OrderedCollection, OrderedCollectionPage};
use crate::wire::note::note;
use crate::wire::{Context, activity};

/// Posts of a page of the outbox, and accounts of a page of followers.
const POSTS: i64 = 20;
const ACCOUNTS: i64 = 50;

#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    page: Option<String>,
    max_id: Option<i64>,
}

impl Asked {
    fn page(&self, limit: i64) -> Option<Page> {
        self.page.as_deref()?;
        Some(Page { max_id: self.max_id, ..Page::first(limit) })
    }
}

/// The address of a page.
fn page_url(collection: &str, max_id: Option<i64>) -> String {
    match max_id {
        Some(id) => format!("{collection}?page=true&max_id={id}"),
        None => format!("{collection}?page=true"),
    }
}

/// `GET /actor/outbox`: it says nothing.
pub(super) async fn instance_outbox(State(fed): State<Federation>) -> Result<Response, Refused> {
    document(Context::Plain, OrderedCollection::<Value>::whole(fed.app.urls.path("/actor/outbox"), Vec::new()))
}

/// `GET /users/{name}/outbox`
pub(super) async fn outbox(
    State(fed): State<Federation>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
    parts: Parts,
) -> Result<Response, Refused> {
    Fetcher::of(&fed, &parts).await?;
    let mut conn = fed.app.db.read().await?;
    let account = local(&mut conn, &fed, &name).await?;
    let id = fed.app.urls.outbox(&account.username);
    let Some(page) = asked.page(POSTS) else {
        return document(Context::Plain, OrderedCollection::<Value>::paged(id, account.posts_count));
    };
    let ids = timelines::account(&mut conn, Viewer::Anonymous, account.id, &timelines::AccountFilter::default(), &page)
        .await?;
    let more = i64::try_from(ids.len()).unwrap_or(0) == POSTS || ids.reached().is_some();
    let next = ids.ends().1.filter(|_| more);
    let views = hydrate::found(&mut conn, Viewer::Anonymous, &ids).await?;
    drop(conn);
    let mut items = Vec::with_capacity(views.len());
    for view in &views {
        let item = match activity::announce(view, &fed.app.urls) {
            Some(announce) => serde_json::to_value(announce),
            None => serde_json::to_value(activity::create(view, &fed.app.files)),
        };
        items.push(item.map_err(app::Error::internal)?);
    }
    let next = next.map(|last| page_url(&id, Some(last)));
    document(Context::Note, OrderedCollectionPage::new(page_url(&id, asked.max_id), id, items, next))
}

/// `GET /users/{name}/followers`
pub(super) async fn followers(
    State(fed): State<Federation>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
    parts: Parts,
) -> Result<Response, Refused> {
    Fetcher::of(&fed, &parts).await?;
    let mut conn = fed.app.db.read().await?;
    let account = local(&mut conn, &fed, &name).await?;
    let id = fed.app.urls.followers(&account.username);
    let Some(page) = shown(&account, &asked) else { return collection(&account, id, account.followers_count) };
    let entries = follows::followers(&mut conn, account.id, &page).await?;
    people(&mut conn, id, &asked, entries).await
}

/// `GET /users/{name}/following`
pub(super) async fn following(
    State(fed): State<Federation>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
    parts: Parts,
) -> Result<Response, Refused> {
    Fetcher::of(&fed, &parts).await?;
    let mut conn = fed.app.db.read().await?;
    let account = local(&mut conn, &fed, &name).await?;
    let id = fed.app.urls.following(&account.username);
    let Some(page) = shown(&account, &asked) else { return collection(&account, id, account.following_count) };
    let entries = follows::following(&mut conn, account.id, &page).await?;
    people(&mut conn, id, &asked, entries).await
}

/// The page that was asked for, unless she shows nobody whom she knows.
fn shown(account: &Account, asked: &Asked) -> Option<Page> {
    if account.hide_collections { None } else { asked.page(ACCOUNTS) }
}

fn collection(account: &Account, id: String, total: i64) -> Result<Response, Refused> {
    let collection = match account.hide_collections {
        true => OrderedCollection::<Value>::hidden(id),
        false => OrderedCollection::paged(id, total),
    };
    document(Context::Plain, collection)
}

async fn people(
    conn: &mut storage::Conn,
    id: String,
    asked: &Asked,
    entries: Vec<follows::AccountEntry>,
) -> Result<Response, Refused> {
    let full = i64::try_from(entries.len()).unwrap_or(0) == ACCOUNTS;
    let next = entries.last().filter(|_| full).map(|(last, _)| page_url(&id, Some(*last)));
    let ids: Vec<_> = entries.iter().map(|(_, account)| *account).collect();
    let found = accounts::many(conn, &ids).await?;
    let uris: Vec<String> =
        ids.iter().filter_map(|id| found.iter().find(|a| a.id == *id)).map(|a| a.uri.clone()).collect();
    document(Context::Plain, OrderedCollectionPage::new(page_url(&id, asked.max_id), id, uris, next))
}

/// `GET /users/{name}/collections/featured`
pub(super) async fn featured(
    State(fed): State<Federation>,
    Path(name): Path<String>,
    parts: Parts,
) -> Result<Response, Refused> {
    Fetcher::of(&fed, &parts).await?;
    let mut conn = fed.app.db.read().await?;
    let account = local(&mut conn, &fed, &name).await?;
    let ids: Vec<PostId> = timelines::pinned(&mut conn, Viewer::Anonymous, account.id).await?;
    let views = hydrate::posts(&mut conn, Viewer::Anonymous, &ids).await?;
    drop(conn);
    let items = views.iter().map(|view| note(view, &fed.app.files)).collect();
    document(Context::Note, OrderedCollection::whole(fed.app.urls.featured(&account.username), items))
}
