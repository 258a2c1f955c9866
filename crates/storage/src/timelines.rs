//! Lists of posts. Every list takes a `Viewer` and gives what she may see, newest first; `hydrate` makes views of
//! it. Home timelines are written beforehand (`homes`). The others look at so many posts for a page and no more:
//! `walks` says why.

use domain::page::Page;
use domain::{AccountId, ListId, PostId, Viewer};

use crate::db::Conn;
use crate::error::Result;
use crate::hydrate::found_columns;
use crate::sql;
use crate::sql::Value;
use crate::visible::{addressed, answers_wanted, boosted, paged, visible, wanted};
use crate::walks::{Part, walk};

/// Posts that one statement looks at, and statements for a page.
const LOOKS: i64 = 750;
const TURNS: u32 = 2;
/// The same for lists, where each statement looks at every account on it, and at as many posts of each of so many
/// accounts: of the posts, as many as that leaves.
const LIST_ACCOUNTS: i64 = 80;
const LIST_TURNS: u32 = 4;

/// Everybody's to find: public, of an author who is not silenced, and neither hidden from this viewer nor unwanted.
macro_rules! open_to_all {
    () => {
        concat!(
            "p.visibility = 'public' AND p.boost_of_id IS NULL AND a.silenced_at IS NULL AND ",
            visible!("p" by "a"),
            " AND ",
            wanted!("a")
        )
    };
}

/// The post shows pictures, videos or sounds.
macro_rules! shows_media {
    () => {
        "EXISTS (SELECT 1 FROM attachments m WHERE m.post_id = p.id AND m.post_id IS NOT NULL)"
    };
}

/// The post belongs on a list of the viewer, whose it is, as one of its accounts wrote it; whether the viewer may see
/// it is asked besides.
macro_rules! of_list {
    ($list:literal) => {
        concat!(
            "p.visibility <> 'direct' AND EXISTS (SELECT 1 FROM lists l WHERE l.id = ",
            $list,
            " AND l.account_id = $1
               AND (p.in_reply_to_account_id IS NULL OR p.in_reply_to_account_id = p.account_id
                 OR (l.replies_policy = 'followed' AND EXISTS (SELECT 1 FROM follows rf
                     WHERE rf.account_id = $1 AND rf.target_id = p.in_reply_to_account_id))
                 OR (l.replies_policy = 'list' AND EXISTS (SELECT 1 FROM list_members rm
                     WHERE rm.list_id = l.id AND rm.account_id = p.in_reply_to_account_id))))
             AND ",
            wanted!("a"),
            " AND ",
            answers_wanted!("p")
        )
    };
}

/// The post is on list `$6` of the viewer.
macro_rules! on_list {
    () => {
        concat!(of_list!("$6"), " AND ", visible!("p" by "a"), " AND ", boosted!("p"))
    };
}

/// Her home timeline.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn home(conn: &mut Conn, me: AccountId, page: &Page) -> Result<Part> {
    let query = paged!(
        page,
        concat!(
            "SELECT ",
            found_columns!(),
            " FROM home_entries h JOIN posts p ON p.id = h.post_id JOIN accounts a ON a.id = p.account_id
             WHERE h.account_id = $1 AND ",
            visible!("p" by "a"),
            " AND ",
            boosted!("p"),
            " AND (p.account_id = $1 OR ",
            answers_wanted!("p"),
            ")"
        ),
        "h.post_id"
    );
    let found = query.bind(me).bind(page.below()).bind(page.above()).bind(page.limit).all(conn).await?;
    Ok(Part::whole(page.newest_first(found)))
}

/// Which public posts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PublicFilter {
    /// Only this community's.
    pub local: bool,
    /// Only other communities'.
    pub remote: bool,
    pub only_media: bool,
}

/// Public posts of everybody (whom the community has not silenced and the viewer has not muted).
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn public(conn: &mut Conn, viewer: Viewer, filter: PublicFilter, page: &Page) -> Result<Part> {
    macro_rules! on_public {
        () => {
            concat!(
                open_to_all!(),
                " AND (NOT $6 OR p.local) AND (NOT $7 OR NOT p.local) AND (NOT $8 OR ",
                shows_media!(),
                ") AND (p.in_reply_to_account_id IS NULL OR p.in_reply_to_account_id = p.account_id)"
            )
        };
    }
    // Both together are everybody's.
    let (local, remote) = (filter.local && !filter.remote, filter.remote && !filter.local);
    let walk = if local {
        walk!(
            LOOKS,
            TURNS,
            "SELECT" "x.id" from
            "posts x WHERE x.visibility = 'public' AND x.boost_of_id IS NULL AND x.deleted_at IS NULL AND x.local",
            on_public!()
        )
    } else if filter.only_media {
        walk!(
            LOOKS,
            TURNS,
            "SELECT DISTINCT" "x.post_id" from "attachments x WHERE x.post_id IS NOT NULL",
            seen "s.visibility = 'public' AND s.deleted_at IS NULL",
            on_public!()
        )
    } else {
        walk!(
            LOOKS,
            TURNS,
            "SELECT" "x.id" from
            "posts x WHERE x.visibility = 'public' AND x.boost_of_id IS NULL AND x.deleted_at IS NULL",
            on_public!()
        )
    };
    walk.part(conn, viewer.raw(), page, &[], &[local, remote, filter.only_media].map(Value::from)).await
}

/// Which posts of a hashtag: normalised names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TagFilter {
    /// At least one of these.
    pub any: Vec<String>,
    /// Every one of these too.
    pub all: Vec<String>,
    /// None of these.
    pub none: Vec<String>,
    pub local: bool,
    pub remote: bool,
    pub only_media: bool,
}

/// Public posts with a hashtag.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn tag(conn: &mut Conn, viewer: Viewer, filter: &TagFilter, page: &Page) -> Result<Part> {
    let mut page = *page;
    let mut walked: &[String] = &filter.any;
    let rarest;
    if !filter.all.is_empty() {
        // What has all of them is among the posts of the one that few have, and not newer than any of them was used.
        let Some((tag, newest)) = rarest_of(conn, filter, &page).await? else { return Ok(Part::default()) };
        rarest = [tag];
        walked = &rarest;
        page.max_id = Some(newest.0.saturating_add(1).min(page.below()));
    }
    let mut parts = Vec::new();
    for tag in walked {
        let looks = LOOKS / i64::try_from(walked.len()).unwrap_or(LOOKS);
        parts.push(tagged(conn, viewer, tag, filter, &page, looks).await?);
    }
    Ok(Part::together(parts, &page))
}

/// Posts with this hashtag that the filter leaves; each statement looks at so many.
async fn tagged(
    conn: &mut Conn,
    viewer: Viewer,
    tag: &str,
    filter: &TagFilter,
    page: &Page,
    looks: i64,
) -> Result<Part> {
    let walk = walk!(
        looks,
        TURNS,
        "SELECT" "x.post_id" from "post_tags x WHERE x.tag_id = (SELECT t.id FROM tags t WHERE t.name = $6)",
        seen "s.visibility = 'public' AND s.deleted_at IS NULL",
        concat!(
            open_to_all!(),
            " AND (NOT $7 OR EXISTS (SELECT 1 FROM post_tags pt JOIN tags t ON t.id = pt.tag_id
                    WHERE pt.post_id = p.id AND t.name = ANY($8)))
              AND (SELECT count(*) FROM post_tags pt JOIN tags t ON t.id = pt.tag_id
                    WHERE pt.post_id = p.id AND t.name = ANY($9)) = $10
              AND NOT EXISTS (SELECT 1 FROM post_tags pt JOIN tags t ON t.id = pt.tag_id
                    WHERE pt.post_id = p.id AND t.name = ANY($11))
              AND (NOT $12 OR ",
            shows_media!(),
            ") AND (NOT $13 OR p.local) AND (NOT $14 OR NOT p.local)"
        )
    );
    let mut all = filter.all.clone();
    all.sort();
    all.dedup();
    let wanted = i64::try_from(all.len()).unwrap_or(i64::MAX);
    let asked = [
        // The hashtag is one of these unless it was chosen as one of all.
        Value::from(!all.is_empty()),
        filter.any.as_slice().into(),
        all.into(),
        wanted.into(),
        filter.none.as_slice().into(),
        filter.only_media.into(),
        filter.local.into(),
        filter.remote.into(),
    ];
    walk.part(conn, viewer.raw(), page, &[tag.into()], &asked).await
}

/// Of the hashtags that every post must have, the one that fewest have (as far as that is worth counting), and the
/// newest post that may have all of them. `None` when there is none.
async fn rarest_of(conn: &mut Conn, filter: &TagFilter, page: &Page) -> Result<Option<(String, PostId)>> {
    let mut needed = filter.all.clone();
    // One of one is that one.
    needed.extend(filter.any.first().filter(|_| filter.any.len() == 1).cloned());
    needed.sort();
    needed.dedup();
    let rows = sql!(
        "SELECT t.name, (SELECT max(pt.post_id) FROM post_tags pt WHERE pt.tag_id = t.id AND pt.post_id < $2),
            (SELECT count(*) FROM (
                SELECT 1 FROM post_tags pt WHERE pt.tag_id = t.id AND pt.post_id < $2 LIMIT $3) AS few)
         FROM tags t WHERE t.name = ANY($1)"
    )
    .bind(needed.as_slice())
    .bind(page.below())
    .bind(LOOKS)
    .all::<(String, Option<i64>, i64)>(conn)
    .await?;
    if rows.len() < needed.len() {
        return Ok(None);
    }
    let Some(newest) = rows.iter().map(|(_, newest, _)| *newest).min().flatten() else { return Ok(None) };
    let rarest = rows.into_iter().min_by_key(|(_, newest, uses)| (*uses, *newest));
    Ok(rarest.map(|(name, ..)| (name, PostId(newest))))
}

/// Which of an account's posts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each leaves something out, whatever the others do")]
pub struct AccountFilter {
    /// What public timelines hold: not what is unlisted, either.
    pub only_public: bool,
    pub only_media: bool,
    /// Answers to others are left out; answers to herself stay.
    pub exclude_replies: bool,
    pub exclude_boosts: bool,
    /// A normalised hashtag.
    pub tagged: Option<String>,
}

/// An account's posts and boosts.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn account(
    conn: &mut Conn,
    viewer: Viewer,
    account: AccountId,
    filter: &AccountFilter,
    page: &Page,
) -> Result<Part> {
    macro_rules! on_profile {
        () => {
            concat!(
                "p.account_id = $6 AND p.deleted_at IS NULL AND (NOT $7 OR ",
                shows_media!(),
                ") AND (NOT $8 OR p.in_reply_to_uri IS NULL OR p.in_reply_to_account_id = p.account_id)
                   AND (NOT $9 OR p.boost_of_id IS NULL)
                   AND ($10 = '' OR EXISTS (SELECT 1 FROM post_tags pt JOIN tags t ON t.id = pt.tag_id
                        WHERE pt.post_id = p.id AND t.name = $10))
                   AND (NOT $11 OR p.visibility = 'public') AND ",
                visible!("p" by "a"),
                " AND ",
                boosted!("p")
            )
        };
    }
    let of_pictures = walk!(
        LOOKS,
        TURNS,
        "SELECT DISTINCT" "x.post_id" from "attachments x WHERE x.account_id = $6 AND x.post_id IS NOT NULL",
        seen addressed!("s"),
        on_profile!()
    );
    let of_all = walk!(
        LOOKS,
        TURNS,
        "SELECT" "x.id" from "posts x WHERE x.account_id = $6 AND x.deleted_at IS NULL",
        seen addressed!("s"),
        on_profile!()
    );
    let of_open = walk!(
        LOOKS,
        TURNS,
        "SELECT" "x.id" from
        "posts x WHERE x.account_id = $6 AND x.visibility IN ('public', 'unlisted') AND x.deleted_at IS NULL",
        on_profile!()
    );
    let mut page = *page;
    if let Some(tag) = &filter.tagged {
        // Not newer than anybody used it.
        let newest = sql!(
            "SELECT max(pt.post_id) FROM post_tags pt
             WHERE pt.tag_id = (SELECT t.id FROM tags t WHERE t.name = $1) AND pt.post_id < $2"
        );
        let newest = newest.bind(tag).bind(page.below()).one::<(Option<i64>,)>(conn).await?.0;
        let Some(newest) = newest else { return Ok(Part::default()) };
        page.max_id = Some(newest.saturating_add(1).min(page.below()));
    }
    let asked = [
        Value::from(filter.only_media),
        filter.exclude_replies.into(),
        filter.exclude_boosts.into(),
        filter.tagged.clone().unwrap_or_default().into(),
        filter.only_public.into(),
    ];
    let walks = match viewer {
        _ if filter.only_media => [Some(of_pictures), None],
        Viewer::Anonymous => [Some(of_open), None],
        Viewer::Account(_) if filter.only_public => [Some(of_open), None],
        // Where much is hidden from a member, what is open is looked for as well.
        Viewer::Account(_) => [Some(of_all), Some(of_open)],
    };
    let mut parts = Vec::new();
    for walk in walks.into_iter().flatten() {
        let part: Part = walk.part(conn, viewer.raw(), &page, &[account.into()], &asked).await?;
        let is_short = part.reached().is_none() && i64::try_from(part.len()) != Ok(page.limit);
        parts.push(part);
        if !is_short {
            break;
        }
    }
    Ok(Part::together(parts, &page))
}

/// What an account pinned to its profile, the last pinned first.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn pinned(conn: &mut Conn, viewer: Viewer, account: AccountId) -> Result<Vec<PostId>> {
    sql!(concat!(
        "SELECT p.id FROM pins i JOIN posts p ON p.id = i.post_id WHERE i.account_id = $2 AND ",
        visible!("p"),
        " ORDER BY i.id DESC"
    ))
    .bind(viewer.raw())
    .bind(account)
    .ids(conn)
    .await
}

/// Posts of the members of one of her lists, boosts included; replies as the list's policy says.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn list(conn: &mut Conn, me: AccountId, list: ListId, page: &Page) -> Result<Part> {
    // The newest posts are by those whose own newest are the newest, and among the newest of each of these: `$5` of
    // each, that is. (What is limited is asked once for each account; else it would be for each post.) PostgreSQL is
    // given what only the index by account has in order, else it may go through all posts for each account.
    macro_rules! newest {
        (sqlite $of:literal, $order:literal) => {
            concat!(
                "(SELECT n.id FROM posts n WHERE n.account_id = ",
                $of,
                ".account_id AND n.id < $2 AND n.id > $3
                    AND n.deleted_at IS NULL AND n.visibility <> 'direct' ORDER BY n.id",
                $order,
                " LIMIT 1"
            )
        };
        (postgres $of:literal, $order:literal) => {
            concat!(
                "(SELECT n.id FROM posts n WHERE (n.account_id, n.id) < (",
                $of,
                ".account_id, $2)
                    AND (n.account_id, n.id) > (",
                $of,
                ".account_id, $3)
                    AND n.deleted_at IS NULL AND n.visibility <> 'direct'
                    ORDER BY n.account_id",
                $order,
                ", n.id",
                $order,
                " LIMIT 1"
            )
        };
    }
    macro_rules! accounts {
        ($database:ident, $order:literal, $none:literal) => {
            concat!(
                "(SELECT account_id, coalesce(", newest!($database "l", $order), " OFFSET $5 - 1), ", $none, ") AS last
                    FROM (SELECT m.account_id FROM list_members m WHERE m.list_id = $6
                        ORDER BY coalesce(", newest!($database "m", $order), "), ", $none, ")", $order, " LIMIT $5)
                    AS l LIMIT $5) AS w"
            )
        };
    }
    macro_rules! posts {
        (sqlite $order:literal, $none:literal, $bound:literal) => {
            concat!(
                "SELECT x.id AS id FROM ", accounts!(sqlite, $order, $none),
                " JOIN posts x ON x.account_id = w.account_id AND ", $bound, "
                 WHERE x.id < $2 AND x.id > $3 AND x.deleted_at IS NULL AND x.visibility <> 'direct'
                 ORDER BY x.id", $order
            )
        };
        (postgres $order:literal, $none:literal, $bound:literal) => {
            concat!(
                "SELECT x.id AS id FROM ", accounts!(postgres, $order, $none),
                " CROSS JOIN LATERAL (SELECT x.id FROM posts x WHERE x.account_id = w.account_id AND ", $bound, "
                    AND x.id < $2 AND x.id > $3 AND x.deleted_at IS NULL AND x.visibility <> 'direct' OFFSET 0) AS x
                 ORDER BY x.id", $order
            )
        };
    }
    let accounts = sql!("SELECT count(*) FROM (SELECT 1 FROM list_members m WHERE m.list_id = $1 LIMIT $2) AS few");
    let accounts = accounts.bind(list).bind(LIST_ACCOUNTS).count(conn).await?.max(1);
    let looks = (LIST_ACCOUNTS * LIST_ACCOUNTS / accounts).min(LOOKS);
    let walk = walk!(
        candidates
        (posts!(sqlite " DESC", "0", "x.id >= w.last"), posts!(postgres " DESC", "0", "x.id >= w.last")),
        (posts!(sqlite " ASC", "$2", "x.id <= w.last"), posts!(postgres " ASC", "$2", "x.id <= w.last"));
        entries found_columns!(), "posts" "p" on "p.id = c.id", "accounts" "a" on "a.id = p.account_id";
        looks, LIST_TURNS, on_list!()
    );
    walk.part(conn, me.0, page, &[list.into()], &[]).await
}

/// Is the post on the list, as its owner sees it?
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn is_on_list(conn: &mut Conn, me: AccountId, list: ListId, post: PostId) -> Result<bool> {
    let walk = walk!(
        1,
        1,
        "SELECT" "x.id" from "posts x WHERE x.deleted_at IS NULL",
        concat!(
            "EXISTS (SELECT 1 FROM list_members m WHERE m.list_id = $6 AND m.account_id = p.account_id) AND ",
            on_list!()
        )
    );
    let just_it = Page::only(post.0);
    let part: Part = walk.part(conn, me.0, &just_it, &[], &[list.into()]).await?;
    Ok(!part.is_empty())
}

/// Was a post that is deleted, or hidden from the list's owner now, on the list? Whether it was for the owner is asked
/// besides.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn was_on_list(conn: &mut Conn, me: AccountId, list: ListId, post: PostId) -> Result<bool> {
    sql!(concat!(
        "SELECT p.id FROM posts p JOIN accounts a ON a.id = p.account_id WHERE p.id = $2
           AND EXISTS (SELECT 1 FROM list_members m WHERE m.list_id = $3 AND m.account_id = p.account_id) AND ",
        of_list!("$3"),
        " AND (p.boost_of_id IS NULL OR EXISTS (
            SELECT 1 FROM posts bo JOIN accounts ba ON ba.id = bo.account_id WHERE bo.id = p.boost_of_id AND ",
        wanted!("ba"),
        " LIMIT 1 OFFSET 0))"
    ))
    .bind(me)
    .bind(post)
    .bind(list)
    .exists(conn)
    .await
}
