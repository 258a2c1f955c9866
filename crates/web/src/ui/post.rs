//! A post's page, within its conversation.

use std::collections::HashMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use domain::view::PostView;
use domain::{AddressKey, PostId, Visibility};
use http::HeaderMap;
use storage::{Conn, hydrate, posts, threads};
use url::Url;

use super::card::{PostCard, post_address};
use super::frame::Frame;
use super::from_home::FromHome;
use super::interact;
use super::leaving::leaving;
use super::message::Problem;
use super::profile::{find, wants_activity};
use super::text;
use super::visitor::{Visitor, see_id, see_other};
use crate::state::Web;

#[derive(Template)]
#[template(path = "post_page.html")]
pub struct PostPage {
    pub frame: Frame,
    pub above: Vec<PostCard>,
    pub post: PostCard,
    /// For people at home elsewhere.
    pub from_home: Option<FromHome>,
    /// Where a member likes or shares it.
    pub act: Option<String>,
    /// With the class of how deep each hangs.
    pub below: Vec<(&'static str, PostCard)>,
    /// There is more than fits on one page.
    pub cut: bool,
}

/// Posts above and below that are shown with it.
const ABOVE: i64 = 40;
const BELOW: i64 = 150;

/// What somebody here shared: on our own page where it was posted here, and else on its server's, once the reader has
/// seen which one that is.
fn shown_by_others(visitor: &Visitor, shared: &PostView, by: &str) -> Result<Response, Problem> {
    let address = post_address(shared);
    if shared.post().local {
        return Ok(see_other(&address));
    }
    let url = Url::parse(&address).map_err(|_| Problem::NotFound)?;
    leaving(visitor, &url, None, format!("/@{by}"))
}

/// `GET /@name/ID`.
pub async fn post(
    State(web): State<Web>,
    visitor: Visitor,
    Path((name, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let key: AddressKey = id.parse().map_err(|_| Problem::NotFound)?;
    let viewer = visitor.viewer();
    let mut conn = web.app.db.read().await?;
    let author = find(&mut conn, &name).await?;
    let id = asked(&web, &mut conn, &author.username, key).await?;
    let view = match hydrate::post(&mut conn, viewer, id).await {
        Ok(view) => view,
        Err(storage::Error::NotFound) => {
            let was_hers = posts::unchecked_or_tombstone(&mut conn, id).await.is_ok_and(|(post, deleted)| {
                deleted.is_some() && post.account_id == author.id && post.visibility.is_open()
            });
            return Err(if was_hers { Problem::Gone } else { Problem::NotFound });
        }
        Err(e) => return Err(e.into()),
    };
    if view.account.account.id != author.id {
        return Err(Problem::NotFound);
    }
    if wants_activity(&headers) {
        return Ok(see_id(&web.app.urls, &view.post().uri));
    }
    if let Some(shared) = &view.boost_of {
        return shown_by_others(&visitor, shared, &author.username);
    }
    let above = threads::ancestors(&mut conn, viewer, id, ABOVE).await?;
    let below = threads::descendants(&mut conn, viewer, id, BELOW + 1).await?;
    let cut = i64::try_from(below.len()).is_ok_and(|n| n > BELOW);
    let above = hydrate::posts(&mut conn, viewer, &above).await?;
    let below = hydrate::posts(&mut conn, viewer, &below).await?;
    drop(conn);
    let look = visitor.look();
    let all = above.iter().chain([&view]).chain(&below);
    let authors = all.map(|v| (v.id(), v.account.account.name().to_owned())).collect();
    let card = |view: &PostView| look.post_in_thread(view, &authors);
    let depths = depths(id, &below);
    let post = PostCard { here: true, ..card(&view) };
    visitor.page(&PostPage {
        frame: frame(&visitor, &view, &post),
        above: above.iter().map(card).collect(),
        from_home: viewer.account().is_none().then(|| FromHome::new(post.url.as_str(), true)),
        act: viewer.account().map(|_| interact::way(&view.post().uri)),
        post,
        below: below.iter().zip(depths).map(|(view, depth)| (depth, card(view))).collect(),
        cut,
    })
}

/// The post at `/@name/KEY`; `PostId(0)`, which is no post's, where there is none, so that a visitor who may not see a
/// post waits as long as one who asks for none.
///
/// The client API's id leads there too, for whoever may see the post: apps make links of it.
///
/// # Errors
/// When the database refuses.
pub async fn asked(web: &Web, conn: &mut Conn, username: &str, key: AddressKey) -> Result<PostId, Problem> {
    let found = posts::at_address(conn, &web.app.urls, username, key).await?;
    Ok(found.or(key.as_id()).unwrap_or(PostId(0)))
}

/// The class of each reply, by how far it is from the post: what hangs on something the reader may not see starts
/// anew.
fn depths(root: PostId, below: &[PostView]) -> Vec<&'static str> {
    const CLASSES: [&str; 4] = ["d1", "d2", "d3", "d4"];
    let mut depth: HashMap<PostId, usize> = HashMap::from([(root, 0)]);
    below
        .iter()
        .map(|view| {
            let parent = view.post().in_reply_to_id.and_then(|id| depth.get(&id)).copied().unwrap_or(0);
            depth.insert(view.id(), parent + 1);
            CLASSES[parent.min(CLASSES.len() - 1)]
        })
        .collect()
}

/// A post behind a warning is known to the outside by its warning alone.
fn frame(visitor: &Visitor, view: &PostView, card: &PostCard) -> Frame {
    let urls = &visitor.web.app.urls;
    let post = view.post();
    let words = match post.spoiler_text.trim() {
        "" => text::excerpt(&post.content, 200),
        warning => domain::text::shorten(warning, 200),
    };
    let title = match domain::text::shorten(&words, 60) {
        none if none.is_empty() => format!("A post by {}", card.by.plain_name),
        some => format!("{}: {some}", card.by.plain_name),
    };
    let mut frame = visitor.frame(title);
    if !post.visibility.is_open() {
        return frame;
    }
    let head = &mut frame.head;
    head.description = words;
    head.canonical = Some(post.url.clone());
    head.kind = "article";
    head.activity = Some(post.uri.clone());
    head.indexed = post.visibility == Visibility::Public && view.account.account.indexable;
    let picture = card.media.iter().find(|m| m.is_image()).filter(|_| !post.sensitive && card.warning.is_empty());
    head.large_image = picture.is_some();
    head.image = Some(match picture {
        Some(picture) => (picture.preview.clone(), picture.alt.clone()),
        None => (urls.avatar(&view.account.account), String::new()),
    });
    frame
}
