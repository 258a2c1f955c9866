//! A person's page: who she is, and what she said that the reader may see.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use domain::account::{Account, ActorKind, ProfileImage, Role};
use domain::view::AccountView;
use http::{HeaderMap, header};
use storage::hydrate::Found;
use storage::timelines::AccountFilter;
use storage::{Conn, accounts, hydrate, timelines};

use super::card::{Person, PostCard, profile_address};
use super::frame::Frame;
use super::from_home::FromHome;
use super::message::Problem;
use super::paging::{Cursor, Pages};
use super::visitor::{Visitor, see_id};
use super::{feed, interact, text};
use crate::state::Web;

/// A row of the table on a profile.
#[derive(Debug, Clone)]
pub struct Fact {
    /// HTML.
    pub name: String,
    /// HTML.
    pub value: String,
    pub proven: bool,
}

#[derive(Template)]
#[template(path = "profile.html")]
pub struct ProfilePage {
    pub frame: Frame,
    pub person: Person,
    pub header: String,
    pub header_alt: String,
    pub avatar_alt: String,
    pub marks: Vec<&'static str>,
    pub moved_to: Option<(String, String)>,
    /// HTML.
    pub intro: String,
    pub fields: Vec<Fact>,
    pub is_me: bool,
    /// For people at home elsewhere.
    pub from_home: Option<FromHome>,
    /// Where a member follows.
    pub follow: String,
    pub locked: bool,
    pub feed: Option<String>,
    pub heading: &'static str,
    /// What is said where there is nothing to show.
    pub empty: String,
    pub posts: Vec<PostCard>,
    pub pages: Pages,
}

/// Wants the ActivityPub document rather than the page: programs that were given the page's address.
#[must_use]
pub fn wants_activity(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    !accept.contains("text/html")
        && (accept.contains("application/activity+json") || accept.contains("application/ld+json"))
}

/// The local account of that name.
///
/// # Errors
/// [`Problem::Gone`] when it was deleted or is suspended, [`Problem::NotFound`] when there never was one, or it is
/// not to be seen.
pub async fn find(conn: &mut Conn, name: &str) -> Result<Account, Problem> {
    match accounts::by_handle(conn, name, None).await? {
        Some(account) if account.is_suspended() => Err(Problem::Gone),
        Some(account) => Ok(account),
        None if accounts::name_was_deleted(conn, name).await? => Err(Problem::Gone),
        None => Err(Problem::NotFound),
    }
}

/// `GET /@name`, and `/@name.rss`, which the router cannot tell from it.
pub async fn profile(
    State(web): State<Web>,
    visitor: Visitor,
    Path(name): Path<String>,
    Query(cursor): Query<Cursor>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(name) = name.strip_suffix(".rss") {
        return feed::of_person(&web, &visitor, name, &headers).await;
    }
    let mut conn = web.app.db.read().await?;
    let account = find(&mut conn, &name).await?;
    if wants_activity(&headers) {
        return Ok(see_id(&web.app.urls, &account.uri));
    }
    let viewer = visitor.viewer();
    let filter = AccountFilter { exclude_replies: true, ..AccountFilter::default() };
    let ids = timelines::account(&mut conn, viewer, account.id, &filter, &cursor.page()).await?;
    let path = format!("/@{}", account.username);
    let (ids, pages) = cursor.cut(&path, ids);
    let pinned = match cursor.is_first() {
        true => timelines::pinned(&mut conn, viewer, account.id).await?,
        false => Vec::new(),
    };
    let rest: Vec<Found> = ids.into_iter().filter(|found| !pinned.contains(&found.id())).collect();
    let kept = hydrate::posts(&mut conn, viewer, &pinned).await?;
    let views = hydrate::found(&mut conn, viewer, &rest).await?;
    let view = hydrate::account(&mut conn, account.id).await?;
    let moved_to = match &account.moved_to_uri {
        Some(uri) => accounts::by_uri(&mut conn, uri).await?,
        None => None,
    };
    drop(conn);
    let look = visitor.look();
    let mut posts: Vec<PostCard> = kept.iter().map(|view| PostCard { kept: true, ..look.post(view) }).collect();
    posts.extend(views.iter().map(|view| look.post(view)));
    let person = look.person(&view);
    let empty = match viewer.account() {
        Some(me) if me == account.id => "You have not posted anything yet.".to_owned(),
        _ => format!("{} has not posted anything that you can see here.", person.plain_name),
    };
    let urls = &web.app.urls;
    let image_text = |image: &Option<ProfileImage>| image.as_ref().map(|i| i.description.clone()).unwrap_or_default();
    visitor.page(&ProfilePage {
        frame: frame(&visitor, &account, &person, &pages),
        header: urls.header(&account),
        header_alt: image_text(&account.header),
        avatar_alt: image_text(&account.avatar),
        marks: marks(&view),
        moved_to: moved_to.map(|to| (look.handle(&to), profile_address(&to))),
        intro: text::with_emoji(&account.note, &view.emojis, urls),
        fields: account
            .fields
            .iter()
            .map(|field| Fact {
                name: text::plain_with_emoji(&field.name, &view.emojis, urls),
                value: text::with_emoji(&field.value, &view.emojis, urls),
                proven: field.verified_at.is_some(),
            })
            .collect(),
        is_me: viewer.account() == Some(account.id),
        from_home: viewer.account().is_none().then(|| FromHome::new(path.as_str(), false)),
        follow: interact::way(&account.uri),
        locked: account.locked,
        feed: Some(format!("{path}.rss")),
        heading: "Posts",
        empty,
        person,
        posts,
        pages,
    })
}

fn frame(visitor: &Visitor, account: &Account, person: &Person, pages: &Pages) -> Frame {
    let urls = &visitor.web.app.urls;
    let mut frame = visitor.frame(format!("{} ({})", person.plain_name, person.handle));
    frame.head.description = text::excerpt(&account.note, 200);
    frame.head.canonical = Some(account.url.clone());
    frame.head.kind = "profile";
    frame.head.image = Some((urls.avatar(account), String::new()));
    frame.head.activity = Some(account.uri.clone());
    frame.head.feed =
        Some((format!("Public posts of {}", person.plain_name), urls.path(&format!("/@{}.rss", account.username))));
    frame.head.indexed = account.indexable && account.silenced_at.is_none();
    frame.head.newer.clone_from(&pages.newer);
    frame.head.older.clone_from(&pages.older);
    frame
}

fn marks(view: &AccountView) -> Vec<&'static str> {
    let mut marks = Vec::new();
    if view.role.is_some_and(|role| role >= Role::Moderator) {
        marks.push("Looks after this place");
    }
    if view.account.kind == ActorKind::Group {
        marks.push("Group");
    }
    if view.account.is_bot() {
        marks.push("Posts by itself");
    }
    marks
}
