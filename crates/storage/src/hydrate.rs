//! Rows into views, in a fixed number of queries whatever the size of the page.
//!
//! Everything that shows posts comes through here, and here is where the viewer is checked: what she may not see
//! is left out, whatever list it was found in.

use std::sync::Arc;
use std::time::Instant;

use domain::account::{Account, Role, acct};
use domain::attachment::{Attachment, AttachmentKind, Focus};
use domain::post::Post;
use domain::view::{AccountView, Emoji, Mention, PostCore, PostFlags, PostView};
use domain::{AccountId, AttachmentId, EmojiId, Host, PostId, Timestamp, Viewer};
use foldhash::{HashMap, HashMapExt as _, HashSet, HashSetExt as _};

use crate::accounts;
use crate::db::Conn;
use crate::error::{Error, Result};
use crate::marks;
use crate::posts::{PostRow, post_columns, unchecked};
use crate::record::record;
use crate::sql;
use crate::visible::{shown, visible};

record! {
    /// A post that the viewer may see, in the version it has now: what lists that checked it give.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Found {
        id: i64,
        version: i64,
        account_id: i64,
        account_version: i64,
        boost_of_id: Option<i64>,
    }
}

/// The columns of [`Found`], of posts `p` and their authors `a`, for statements that hold `visible!`.
macro_rules! found_columns {
    () => {
        "p.id, p.version, p.account_id, a.version AS account_version, p.boost_of_id"
    };
}
pub(crate) use found_columns;

impl Found {
    #[must_use]
    pub fn id(&self) -> PostId {
        PostId(self.id)
    }
}

impl PartialEq<PostId> for Found {
    fn eq(&self, id: &PostId) -> bool {
        self.id() == *id
    }
}

/// The posts that the viewer may see, in the order of `ids`. A boost is left out with what it boosts.
///
/// # Errors
/// As [`Error`] says.
pub async fn posts(conn: &mut Conn, viewer: Viewer, ids: &[PostId]) -> Result<Vec<PostView>> {
    let seen = look(conn, viewer, ids).await?;
    let by_id: HashMap<i64, Found> = seen.into_iter().map(|p| (p.id, p)).collect();
    let in_order: Vec<Found> = ids.iter().filter_map(|id| by_id.get(&id.0).copied()).collect();
    found(conn, viewer, &in_order).await
}

/// The posts that a list found for this viewer, in its order. A boost is left out with what it boosts.
///
/// # Errors
/// As [`Error`] says.
pub async fn found(conn: &mut Conn, viewer: Viewer, found: &[Found]) -> Result<Vec<PostView>> {
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let mut seen = found.to_vec();
    let here: HashSet<i64> = seen.iter().map(|p| p.id).collect();
    let boosted: Vec<PostId> =
        seen.iter().filter_map(|p| p.boost_of_id).filter(|id| !here.contains(id)).map(PostId).collect();
    seen.extend(look(conn, viewer, &boosted).await?);
    let views = assemble(conn, viewer, &seen).await?;
    Ok(found
        .iter()
        .filter_map(|p| {
            let mut view = views.get(&p.id())?.clone();
            if let Some(original) = view.post().boost_of_id {
                view.show(views.get(&original)?.clone());
            }
            Some(view)
        })
        .collect())
}

/// One post that the viewer may see.
///
/// # Errors
/// [`Error::NotFound`] when there is none, or she may not see it.
pub async fn post(conn: &mut Conn, viewer: Viewer, id: PostId) -> Result<PostView> {
    posts(conn, viewer, &[id]).await?.pop().ok_or(Error::NotFound)
}

/// One post as each of these members sees it, who may.
///
/// # Errors
/// As [`Error`] says.
pub async fn post_for(conn: &mut Conn, id: PostId, members: &[AccountId]) -> Result<Vec<(AccountId, PostView)>> {
    let seen_by = crate::audience::seen_by(conn, id, members).await?;
    if seen_by.is_empty() {
        return Ok(Vec::new());
    }
    // Who may see them was asked; for whom they are written comes after.
    let rows: Vec<Found> = sql!(concat!(
        "SELECT ",
        found_columns!(),
        " FROM posts p JOIN accounts a ON a.id = p.account_id
         WHERE p.id IN (SELECT id FROM posts WHERE id = $1 UNION SELECT boost_of_id FROM posts WHERE id = $1)
           AND p.deleted_at IS NULL"
    ))
    .bind(id)
    .all(conn)
    .await?;
    let ids: Vec<PostId> = rows.iter().map(Found::id).collect();
    let views = assemble(conn, Viewer::Anonymous, &rows).await?;
    let marks = marks::of_each(conn, &seen_by, &ids).await?;
    let written = |member: AccountId, id: PostId| {
        let flags = marks.get(&(member, id)).copied().unwrap_or_default();
        Some(PostView { flags, ..views.get(&id)?.clone() })
    };
    let whole = |member: AccountId| {
        let mut view = written(member, id)?;
        if let Some(original) = view.post().boost_of_id {
            view.show(written(member, original)?);
        }
        Some((member, view))
    };
    Ok(seen_by.into_iter().filter_map(whole).collect())
}

/// A post without anything that it says: for the answer to somebody who took back what they did with it, and may not see
/// it any more.
///
/// # Errors
/// [`Error::NotFound`] when there is none, or its author is not shown.
pub async fn shell(conn: &mut Conn, id: PostId) -> Result<PostView> {
    let post = unchecked(conn, id).await?;
    let account = account(conn, post.account_id).await?;
    let post = Post {
        boost_of_id: None,
        in_reply_to_id: None,
        in_reply_to_account_id: None,
        in_reply_to_uri: None,
        content: String::new(),
        source: None,
        spoiler_text: String::new(),
        language: None,
        app_id: None,
        edited_at: None,
        replies_count: 0,
        boosts_count: 0,
        favourites_count: 0,
        ..post
    };
    let core = PostCore {
        post,
        mentions: Vec::new(),
        tags: Vec::new(),
        attachments: Vec::new(),
        emojis: Vec::new(),
        app: None,
    };
    Ok(PostView { core: Arc::new(core), account, flags: PostFlags::default(), boost_of: None })
}

async fn look(conn: &mut Conn, viewer: Viewer, ids: &[PostId]) -> Result<Vec<Found>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    sql!(concat!(
        "SELECT ",
        found_columns!(),
        " FROM posts p JOIN accounts a ON a.id = p.account_id WHERE p.id = ANY($2) AND ",
        visible!("p" by "a")
    ))
    .bind(viewer.raw())
    .bind(ids)
    .all(conn)
    .await
}

async fn assemble(conn: &mut Conn, viewer: Viewer, seen: &[Found]) -> Result<HashMap<PostId, PostView>> {
    let authors: Vec<(AccountId, i64)> = seen.iter().map(|p| (AccountId(p.account_id), p.account_version)).collect();
    let accounts = kept_accounts(conn, authors).await?;
    let cores = kept_cores(conn, seen, &accounts).await?;
    let ids: Vec<PostId> = seen.iter().map(|p| PostId(p.id)).collect();
    let flags = match viewer.account() {
        Some(me) => marks::of(conn, me, &ids).await?,
        None => HashMap::new(),
    };
    Ok(cores
        .into_iter()
        .filter_map(|(id, core)| {
            // An author without a row was deleted meanwhile.
            let account = Arc::clone(accounts.get(&core.post.account_id)?);
            let flags = flags.get(&id).copied().unwrap_or_default();
            Some((id, PostView { core, account, flags, boost_of: None }))
        })
        .collect())
}

/// The viewer-independent parts, as far as possible from what was read before.
async fn kept_cores(
    conn: &mut Conn,
    seen: &[Found],
    accounts: &HashMap<AccountId, Arc<AccountView>>,
) -> Result<HashMap<PostId, Arc<PostCore>>> {
    let mut cores = HashMap::with_capacity(seen.len());
    let mut missing = HashMap::new();
    let now = Instant::now();
    for p in seen {
        let id = PostId(p.id);
        match conn.kept.post(now, id, p.version) {
            Some(core) => drop(cores.insert(id, core)),
            None => drop(missing.insert(id, p.version)),
        }
    }
    if missing.is_empty() {
        return Ok(cores);
    }
    let ids: Vec<PostId> = missing.keys().copied().collect();
    for core in read_cores(conn, &ids, accounts).await? {
        let core = Arc::new(core);
        if let Some(version) = missing.get(&core.post.id)
            && conn.is_settled()
        {
            conn.kept.keep_post(*version, Arc::clone(&core));
        }
        cores.insert(core.post.id, core);
    }
    Ok(cores)
}

async fn read_cores(
    conn: &mut Conn,
    ids: &[PostId],
    accounts: &HashMap<AccountId, Arc<AccountView>>,
) -> Result<Vec<PostCore>> {
    let posts: Vec<Post> =
        sql!(concat!("SELECT ", post_columns!(), " FROM posts p WHERE p.id = ANY($1) AND p.deleted_at IS NULL"))
            .bind(ids)
            .all::<PostRow>(conn)
            .await?
            .into_iter()
            .map(Post::try_from)
            .collect::<Result<_>>()?;
    let mut mentions = mentions(conn, ids).await?;
    let mut tags = tags(conn, ids).await?;
    let mut attachments = attachments(conn, ids).await?;
    let apps = apps(conn, &posts).await?;
    let domain = |post: &Post| accounts.get(&post.account_id).map_or("", |a| a.account.domain_or_empty());
    let emojis = emojis_for(conn, posts.iter().map(|p| (domain(p), [&p.content, &p.spoiler_text]))).await?;
    Ok(posts
        .into_iter()
        .map(|post| PostCore {
            mentions: mentions.remove(&post.id).unwrap_or_default(),
            tags: tags.remove(&post.id).unwrap_or_default(),
            attachments: attachments.remove(&post.id).unwrap_or_default(),
            emojis: pick_emojis(&emojis, domain(&post), &[&post.content, &post.spoiler_text]),
            app: post.app_id.and_then(|id| apps.get(&id.0).cloned()),
            post,
        })
        .collect())
}

/// The accounts with what is needed to show them; those that do not exist are missing.
///
/// # Errors
/// As [`Error`] says.
pub async fn account_views(conn: &mut Conn, ids: &[AccountId]) -> Result<HashMap<AccountId, Arc<AccountView>>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let versions = sql!(concat!("SELECT a.id, a.version FROM accounts a WHERE a.id = ANY($1) AND ", shown!("a")))
        .bind(ids)
        .all::<(i64, i64)>(conn)
        .await?;
    kept_accounts(conn, versions.into_iter().map(|(id, version)| (AccountId(id), version)).collect()).await
}

/// One account, of which somebody read which version it has now.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub(crate) async fn account_in_version(conn: &mut Conn, id: AccountId, version: i64) -> Result<Arc<AccountView>> {
    kept_accounts(conn, vec![(id, version)]).await?.remove(&id).ok_or(Error::NotFound)
}

/// The views of accounts in these versions, as far as possible from what was read before.
async fn kept_accounts(conn: &mut Conn, wanted: Vec<(AccountId, i64)>) -> Result<HashMap<AccountId, Arc<AccountView>>> {
    let mut views = HashMap::with_capacity(wanted.len());
    let mut missing = HashMap::new();
    let now = Instant::now();
    for (id, version) in wanted {
        match conn.kept.account(now, id, version) {
            Some(view) => drop(views.insert(id, view)),
            None => drop(missing.insert(id, version)),
        }
    }
    if missing.is_empty() {
        return Ok(views);
    }
    let found = accounts::many(conn, &missing.keys().copied().collect::<Vec<_>>()).await?;
    for (id, view) in views_of(conn, found).await? {
        // One who moved shows another account too, whose version is not hers.
        if let Some(version) = missing.get(&id)
            && view.account.moved_to_uri.is_none()
            && conn.is_settled()
        {
            conn.kept.keep_account(*version, Arc::clone(&view));
        }
        views.insert(id, view);
    }
    Ok(views)
}

/// Accounts that others may see or not: only for those who run the community.
pub(crate) async fn even_hidden(conn: &mut Conn, ids: &[AccountId]) -> Result<HashMap<AccountId, Arc<AccountView>>> {
    let mut found = Vec::new();
    for id in ids {
        match accounts::even_hidden(conn, *id).await {
            Ok(account) => found.push(account),
            Err(Error::NotFound) => {}
            Err(e) => return Err(e),
        }
    }
    views_of(conn, found).await
}

/// The views of accounts that were read already, in their order.
///
/// # Errors
/// As [`Error`] says.
pub async fn account_list(conn: &mut Conn, accounts: Vec<Account>) -> Result<Vec<Arc<AccountView>>> {
    let order: Vec<AccountId> = accounts.iter().map(|a| a.id).collect();
    let views = views_of(conn, accounts).await?;
    Ok(order.iter().filter_map(|id| views.get(id).cloned()).collect())
}

/// The accounts in the order of `ids`.
///
/// # Errors
/// As [`Error`] says.
pub async fn accounts_in_order(conn: &mut Conn, ids: &[AccountId]) -> Result<Vec<Arc<AccountView>>> {
    let views = account_views(conn, ids).await?;
    Ok(ids.iter().filter_map(|id| views.get(id).cloned()).collect())
}

/// One account.
///
/// # Errors
/// [`Error::NotFound`] when there is none.
pub async fn account(conn: &mut Conn, id: AccountId) -> Result<Arc<AccountView>> {
    account_views(conn, &[id]).await?.remove(&id).ok_or(Error::NotFound)
}

async fn views_of(conn: &mut Conn, found: Vec<Account>) -> Result<HashMap<AccountId, Arc<AccountView>>> {
    let uris: Vec<String> = found.iter().filter_map(|account| account.moved_to_uri.clone()).collect();
    let mut views = bare_views(conn, found).await?;
    let successors = accounts::by_uris(conn, &uris).await?;
    if !successors.is_empty() {
        let successors = bare_views(conn, successors).await?;
        let successors: HashMap<String, Arc<AccountView>> =
            successors.into_iter().map(|view| (view.account.uri.clone(), Arc::new(view))).collect();
        for view in &mut views {
            let successor = view.account.moved_to_uri.as_ref().and_then(|uri| successors.get(uri));
            // Believed when both say so, as the followers' move is.
            let agreed = successor.filter(|other| other.account.also_known_as.contains(&view.account.uri));
            view.moved = agreed.cloned();
        }
    }
    Ok(views.into_iter().map(|view| (view.account.id, Arc::new(view))).collect())
}

/// Without where they moved.
async fn bare_views(conn: &mut Conn, accounts: Vec<Account>) -> Result<Vec<AccountView>> {
    let local: Vec<AccountId> = accounts.iter().filter(|a| a.is_local()).map(|a| a.id).collect();
    let mut roles: HashMap<i64, Role> = HashMap::new();
    if !local.is_empty() {
        for (id, role) in sql!("SELECT account_id, role FROM members WHERE account_id = ANY($1)")
            .bind(&local)
            .all::<(i64, String)>(conn)
            .await?
        {
            roles.insert(id, Role::parse(&role).unwrap_or_default());
        }
    }
    let emojis = emojis_for(conn, accounts.iter().map(|a| (a.domain_or_empty(), [&a.display_name, &a.note]))).await?;
    Ok(accounts
        .into_iter()
        .map(|account| {
            let emojis = pick_emojis(&emojis, account.domain_or_empty(), &[&account.display_name, &account.note]);
            let role = roles.get(&account.id.0).copied();
            AccountView { account, emojis, role, moved: None }
        })
        .collect())
}

async fn mentions(conn: &mut Conn, ids: &[PostId]) -> Result<HashMap<PostId, Vec<Mention>>> {
    let rows = sql!(concat!(
        "SELECT m.post_id, a.id, a.username, a.domain, a.uri, a.url FROM mentions m JOIN accounts a ON a.id = m.account_id
         WHERE m.post_id = ANY($1) AND NOT m.silent AND ",
        shown!("a"),
        " ORDER BY a.id"
    ))
    .bind(ids)
    .all::<(i64, i64, String, String, String, String)>(conn)
    .await?;
    let mut by_post: HashMap<PostId, Vec<Mention>> = HashMap::new();
    for (post, id, username, domain, uri, url) in rows {
        let acct = acct(&username, Host::stored_unless_ours(domain).as_ref());
        by_post.entry(PostId(post)).or_default().push(Mention { account_id: AccountId(id), username, acct, uri, url });
    }
    Ok(by_post)
}

async fn tags(conn: &mut Conn, ids: &[PostId]) -> Result<HashMap<PostId, Vec<String>>> {
    let rows = sql!(
        "SELECT pt.post_id, t.display FROM post_tags pt JOIN tags t ON t.id = pt.tag_id
         WHERE pt.post_id = ANY($1) ORDER BY t.name"
    )
    .bind(ids)
    .all::<(i64, String)>(conn)
    .await?;
    let mut by_post: HashMap<PostId, Vec<String>> = HashMap::new();
    for (post, name) in rows {
        by_post.entry(PostId(post)).or_default().push(name);
    }
    Ok(by_post)
}

/// The columns of [`AttachmentRow`], for `concat!`.
macro_rules! attachment_columns {
    () => {
        "id, account_id, post_id, kind, mime, key, preview_key, remote_url, description, blurhash, focus_x, focus_y,
         width, height, preview_width, preview_height, size, created_at"
    };
}
pub(crate) use attachment_columns;

record! {
    pub(crate) struct AttachmentRow {
        id: i64,
        account_id: i64,
        post_id: Option<i64>,
        kind: String,
        mime: String,
        key: Option<String>,
        preview_key: Option<String>,
        remote_url: Option<String>,
        description: String,
        blurhash: Option<String>,
        focus_x: Option<f64>,
        focus_y: Option<f64>,
        width: Option<i64>,
        height: Option<i64>,
        preview_width: Option<i64>,
        preview_height: Option<i64>,
        size: Option<i64>,
        created_at: i64,
    }
}

impl From<AttachmentRow> for Attachment {
    fn from(r: AttachmentRow) -> Self {
        let pixels = |n: Option<i64>| n.and_then(|n| i32::try_from(n).ok());
        Self {
            id: AttachmentId(r.id),
            account_id: AccountId(r.account_id),
            post_id: r.post_id.map(PostId),
            kind: AttachmentKind::parse(&r.kind),
            mime: r.mime,
            key: r.key,
            preview_key: r.preview_key,
            remote_url: r.remote_url,
            description: r.description,
            blurhash: r.blurhash,
            focus: r.focus_x.zip(r.focus_y).map(|(x, y)| Focus { x, y }),
            width: pixels(r.width),
            height: pixels(r.height),
            preview_width: pixels(r.preview_width),
            preview_height: pixels(r.preview_height),
            size: r.size,
            created_at: Timestamp(r.created_at),
        }
    }
}

async fn attachments(conn: &mut Conn, ids: &[PostId]) -> Result<HashMap<PostId, Vec<Attachment>>> {
    let rows = sql!(concat!(
        "SELECT ",
        attachment_columns!(),
        " FROM attachments WHERE post_id = ANY($1) AND post_id IS NOT NULL ORDER BY post_id, position"
    ))
    .bind(ids)
    .all::<AttachmentRow>(conn)
    .await?;
    let mut by_post: HashMap<PostId, Vec<Attachment>> = HashMap::new();
    for row in rows {
        let attachment = Attachment::from(row);
        if let Some(post) = attachment.post_id {
            by_post.entry(post).or_default().push(attachment);
        }
    }
    Ok(by_post)
}

async fn apps(conn: &mut Conn, posts: &[Post]) -> Result<HashMap<i64, (String, Option<String>)>> {
    let ids: HashSet<i64> = posts.iter().filter_map(|p| p.app_id).map(|id| id.0).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sql!("SELECT id, name, website FROM oauth_apps WHERE id = ANY($1)")
        .bind(ids.into_iter().collect::<Vec<i64>>())
        .all::<(i64, String, Option<String>)>(conn)
        .await?;
    Ok(rows.into_iter().map(|(id, name, website)| (id, (name, website))).collect())
}

type EmojiMap = HashMap<(String, String), Emoji>;

/// Every custom emoji whose `:shortcode:` stands in one of the texts, by domain and shortcode. No query when no
/// text has a colon pair.
async fn emojis_for<'a, const N: usize>(
    conn: &mut Conn,
    texts: impl Iterator<Item = (&'a str, [&'a String; N])>,
) -> Result<EmojiMap> {
    let mut codes: HashSet<&str> = HashSet::new();
    let mut domains: HashSet<&str> = HashSet::new();
    for (domain, texts) in texts {
        for text in texts {
            for code in shortcodes(text) {
                codes.insert(code);
                domains.insert(domain);
            }
        }
    }
    if codes.is_empty() {
        return Ok(EmojiMap::new());
    }
    let rows = sql!(
        "SELECT id, shortcode, domain, key, remote_url, visible, category FROM custom_emojis
         WHERE shortcode = ANY($1) AND domain = ANY($2) AND NOT disabled"
    )
    .bind(codes.into_iter().map(str::to_owned).collect::<Vec<_>>())
    .bind(domains.into_iter().map(str::to_owned).collect::<Vec<_>>())
    .all::<(i64, String, String, Option<String>, Option<String>, bool, Option<String>)>(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(id, shortcode, domain, key, remote_url, visible, category)| {
            let of = (domain.clone(), shortcode.clone());
            let domain = Host::stored_unless_ours(domain);
            (of, Emoji { id: EmojiId(id), shortcode, domain, key, remote_url, visible, category })
        })
        .collect())
}

fn pick_emojis(all: &EmojiMap, domain: &str, texts: &[&String]) -> Vec<Emoji> {
    if all.is_empty() {
        return Vec::new();
    }
    let mut picked: Vec<Emoji> = Vec::new();
    for text in texts {
        for code in shortcodes(text) {
            if let Some(emoji) = all.get(&(domain.to_owned(), code.to_owned()))
                && !picked.iter().any(|e| e.id == emoji.id)
            {
                picked.push(emoji.clone());
            }
        }
    }
    picked
}

/// The words between colons: 2 or more letters, digits, underscores.
fn shortcodes(text: &str) -> impl Iterator<Item = &str> {
    text.split(':')
        .filter(|w| w.len() >= 2 && w.len() <= 100 && w.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
}
