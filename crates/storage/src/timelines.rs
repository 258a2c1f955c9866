//! Lists of posts. Every list takes a `Viewer` and gives what she may see, newest first; `hydrate` makes views of
//! it. Home timelines are written by `app::fanout` alone. The others look at so many posts for a page and no more:
//! `walks` says why.

use domain::page::Page;
use domain::{AccountId, Host, ListId, PostId, Viewer};

use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::hydrate::found_columns;
use crate::sql;
use crate::sql::Value;
use crate::visible::{answers_wanted, boosted, paged, visible, wanted};
use crate::walks::{Part, walk};

/// Entries kept per home timeline; older ones are trimmed by the schedule.
pub const HOME_ENTRIES: i64 = 2_000;
/// Posts that one statement looks at, and statements for a page.
const LOOKS: i64 = 1_000;
const TURNS: u32 = 2;
/// The same for lists, where each statement looks at every account on it.
const LIST_LOOKS: i64 = 80;
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

/// The post belongs on list `$6` of the viewer, whose it is, as one of its accounts wrote it.
macro_rules! on_list {
    () => {
        concat!(
            "p.visibility <> 'direct' AND EXISTS (SELECT 1 FROM lists l WHERE l.id = $6 AND l.account_id = $1
               AND (p.in_reply_to_account_id IS NULL OR p.in_reply_to_account_id = p.account_id
                 OR (l.replies_policy = 'followed' AND EXISTS (SELECT 1 FROM follows rf
                     WHERE rf.account_id = $1 AND rf.target_id = p.in_reply_to_account_id))
                 OR (l.replies_policy = 'list' AND EXISTS (SELECT 1 FROM list_members rm
                     WHERE rm.list_id = l.id AND rm.account_id = p.in_reply_to_account_id))))
             AND ",
            visible!("p" by "a"),
            " AND ",
            wanted!("a"),
            " AND ",
            boosted!("p"),
            " AND ",
            answers_wanted!("p")
        )
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
    // `x.id` or what else gives the ids, from where.
    macro_rules! walk_public {
        ($select:literal $id:literal from $from:literal) => {
            walk!(
                LOOKS,
                TURNS,
                $select $id from $from,
                concat!(
                    open_to_all!(),
                    " AND (NOT $6 OR p.local) AND (NOT $7 OR NOT p.local) AND (NOT $8 OR ",
                    shows_media!(),
                    ") AND (p.in_reply_to_account_id IS NULL OR p.in_reply_to_account_id = p.account_id)"
                )
            )
        };
    }
    // Both together are everybody's.
    let (local, remote) = (filter.local && !filter.remote, filter.remote && !filter.local);
    let walk = if local {
        walk_public!(
            "SELECT" "x.id" from
            "posts x WHERE x.visibility = 'public' AND x.boost_of_id IS NULL AND x.deleted_at IS NULL AND x.local"
        )
    } else if filter.only_media {
        walk_public!("SELECT DISTINCT" "x.post_id" from "attachments x WHERE x.post_id IS NOT NULL")
    } else {
        walk_public!(
            "SELECT" "x.id" from
            "posts x WHERE x.visibility = 'public' AND x.boost_of_id IS NULL AND x.deleted_at IS NULL"
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
            (SELECT count(*) FROM (SELECT 1 FROM post_tags pt WHERE pt.tag_id = t.id AND pt.post_id < $2 LIMIT $3) AS few)
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
    macro_rules! walk_account {
        ($select:literal $id:literal from $from:literal) => {
            walk!(
                LOOKS,
                TURNS,
                $select $id from $from,
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
            )
        };
    }
    let walk = if filter.only_media {
        walk_account!(
            "SELECT DISTINCT" "x.post_id" from "attachments x WHERE x.account_id = $6 AND x.post_id IS NOT NULL"
        )
    } else {
        walk_account!("SELECT" "x.id" from "posts x WHERE x.account_id = $6 AND x.deleted_at IS NULL")
    };
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
    walk.part(conn, viewer.raw(), &page, &[account.into()], &asked).await
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
    // each, that is. (What is limited is asked once for each account; else it would be for each post.)
    let walk = walk!(
        LIST_LOOKS,
        LIST_TURNS,
        "SELECT" "x.id" down
        "(SELECT account_id, coalesce((SELECT n.id FROM posts n WHERE n.account_id = l.account_id AND n.deleted_at IS NULL
                AND n.id < $2 AND n.id > $3 ORDER BY n.id DESC LIMIT 1 OFFSET $5 - 1), 0) AS last
            FROM (SELECT m.account_id FROM list_members m WHERE m.list_id = $6
                ORDER BY coalesce((SELECT max(n.id) FROM posts n WHERE n.account_id = m.account_id AND n.deleted_at IS NULL
                    AND n.id < $2 AND n.id > $3), 0) DESC LIMIT $5) AS l LIMIT $5) AS w
         JOIN posts x ON x.account_id = w.account_id AND x.id >= w.last WHERE x.deleted_at IS NULL",
        up
        "(SELECT account_id, coalesce((SELECT n.id FROM posts n WHERE n.account_id = l.account_id AND n.deleted_at IS NULL
                AND n.id < $2 AND n.id > $3 ORDER BY n.id ASC LIMIT 1 OFFSET $5 - 1), $2) AS last
            FROM (SELECT m.account_id FROM list_members m WHERE m.list_id = $6
                ORDER BY coalesce((SELECT min(n.id) FROM posts n WHERE n.account_id = m.account_id AND n.deleted_at IS NULL
                    AND n.id < $2 AND n.id > $3), $2) ASC LIMIT $5) AS l LIMIT $5) AS w
         JOIN posts x ON x.account_id = w.account_id AND x.id <= w.last WHERE x.deleted_at IS NULL",
        on_list!()
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

/// Who gets a new post or boost in her home timeline. Written in one statement per kind of audience; gives
/// nothing back: listeners ask [`home_owners`] for those they serve.
#[derive(Debug, Clone)]
pub struct HomeEntry<'a> {
    pub post: PostId,
    pub author: AccountId,
    /// The author of the boosted post, and the post.
    pub boost_of: Option<(AccountId, PostId)>,
    /// Whom it answers, when not the author herself.
    pub reply_to: Option<AccountId>,
    pub language: Option<&'a str>,
    /// Only those who are mentioned (a direct post).
    pub mentioned_only: bool,
}

/// Puts a post into the home timelines of the author's local followers (and her own).
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn add_to_homes(tx: &mut Tx, e: &HomeEntry<'_>) -> Result<()> {
    let (boosted_author, boosted) = e.boost_of.map_or((0, 0), |(a, p)| (a.0, p.0));
    sql!(
        "INSERT INTO home_entries (account_id, post_id, boost_of_id)
         SELECT f.account_id, $1, NULLIF($4, 0) FROM follows f
         WHERE f.target_id = $2 AND f.by_member
           AND NOT EXISTS (SELECT 1 FROM mutes m WHERE m.account_id = f.account_id AND m.target_id = $2)
           AND ($3 = 0 OR (f.show_boosts
             AND NOT EXISTS (SELECT 1 FROM mutes m WHERE m.account_id = f.account_id AND m.target_id = $3)
             AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.account_id = f.account_id AND b.target_id = $3)
             AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.account_id = $3 AND b.target_id = f.account_id)
             AND NOT EXISTS (SELECT 1 FROM account_domain_blocks d JOIN accounts da ON da.domain = d.domain
                WHERE d.account_id = f.account_id AND da.id = $3)
             AND NOT EXISTS (SELECT 1 FROM home_entries h WHERE h.account_id = f.account_id AND h.post_id = $4)
             AND NOT EXISTS (SELECT 1 FROM home_entries h WHERE h.account_id = f.account_id AND h.boost_of_id = $4)))
           AND ($5 = 0 OR $5 = f.account_id
             OR (EXISTS (SELECT 1 FROM follows rf WHERE rf.account_id = f.account_id AND rf.target_id = $5)
               AND NOT EXISTS (SELECT 1 FROM mutes m WHERE m.account_id = f.account_id AND m.target_id = $5)))
           AND (f.languages = '[]' OR $6 = '' OR f.languages LIKE '%\"' || $6 || '\"%')
           AND (NOT $7 OR EXISTS (SELECT 1 FROM mentions mt WHERE mt.post_id = $1 AND mt.account_id = f.account_id))
           AND NOT EXISTS (SELECT 1 FROM list_members lm JOIN lists l ON l.id = lm.list_id
             WHERE lm.account_id = $2 AND l.account_id = f.account_id AND l.exclusive)
         UNION ALL SELECT m.account_id, $1, NULLIF($4, 0) FROM members m WHERE m.account_id = $2
         ON CONFLICT DO NOTHING"
    )
    .bind(e.post)
    .bind(e.author)
    .bind(boosted_author)
    .bind(boosted)
    .bind(e.reply_to.map_or(0, |id| id.0))
    .bind(e.language.unwrap_or_default())
    .bind(e.mentioned_only)
    .run(tx)
    .await?;
    Ok(())
}

/// Puts a public post into the home timelines of members who follow one of its hashtags, and want both its author and
/// the author of what it answers.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn add_to_tag_followers(tx: &mut Tx, post: PostId, author: AccountId) -> Result<()> {
    sql!(
        "INSERT INTO home_entries (account_id, post_id)
         SELECT DISTINCT tf.account_id, $1
         FROM post_tags pt JOIN tag_follows tf ON tf.tag_id = pt.tag_id JOIN posts p ON p.id = pt.post_id
         WHERE pt.post_id = $1
           AND NOT EXISTS (SELECT 1 FROM accounts s WHERE s.id = $2 AND s.silenced_at IS NOT NULL)
           AND NOT EXISTS (SELECT 1 FROM mutes m
                WHERE m.account_id = tf.account_id AND m.target_id IN ($2, p.in_reply_to_account_id))
           AND NOT EXISTS (SELECT 1 FROM blocks b
                WHERE b.account_id = tf.account_id AND b.target_id IN ($2, p.in_reply_to_account_id))
           AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.account_id = $2 AND b.target_id = tf.account_id)
           AND NOT EXISTS (SELECT 1 FROM account_domain_blocks d JOIN accounts da ON da.domain = d.domain
                WHERE d.account_id = tf.account_id AND da.id IN ($2, p.in_reply_to_account_id))
         ON CONFLICT DO NOTHING"
    )
    .bind(post)
    .bind(author)
    .run(tx)
    .await?;
    Ok(())
}

/// Which of these members have the post in their home timeline.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn home_owners(conn: &mut Conn, post: PostId, among: &[AccountId]) -> Result<Vec<AccountId>> {
    sql!("SELECT account_id FROM home_entries WHERE account_id = ANY($1) AND post_id = $2")
        .bind(among)
        .bind(post)
        .ids(conn)
        .await
}

/// Takes a post out of every home timeline it may be in.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn remove_from_homes(tx: &mut Tx, post: PostId, author: AccountId) -> Result<()> {
    sql!(
        "DELETE FROM home_entries WHERE post_id = $1 AND account_id IN (
            SELECT account_id FROM follows WHERE target_id = $2 AND by_member
            UNION SELECT account_id FROM members WHERE account_id = $2
            UNION SELECT tf.account_id FROM post_tags pt JOIN tag_follows tf ON tf.tag_id = pt.tag_id WHERE pt.post_id = $1)"
    )
    .bind(post)
    .bind(author)
    .run(tx)
    .await?;
    Ok(())
}

/// Takes one account's posts, boosts of them and others' answers to them out of a member's home timeline: the member
/// unfollowed, muted or blocked the account.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn remove_author_from_home(tx: &mut Tx, me: AccountId, author: AccountId) -> Result<()> {
    sql!(
        "DELETE FROM home_entries WHERE account_id = $1 AND post_id IN (
            SELECT p.id FROM home_entries h JOIN posts p ON p.id = h.post_id LEFT JOIN posts o ON o.id = p.boost_of_id
            WHERE h.account_id = $1 AND (p.account_id = $2 OR o.account_id = $2
               OR (p.in_reply_to_account_id = $2 AND p.account_id <> $1)))"
    )
    .bind(me)
    .bind(author)
    .run(tx)
    .await?;
    Ok(())
}

/// Takes the posts of these domains, boosts of them and others' answers to them out of a member's home timeline.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn remove_domains_from_home(tx: &mut Tx, me: AccountId, domains: &[Host]) -> Result<()> {
    sql!(
        "DELETE FROM home_entries WHERE account_id = $1 AND post_id IN (
            SELECT p.id FROM home_entries h JOIN posts p ON p.id = h.post_id JOIN accounts a ON a.id = p.account_id
              LEFT JOIN posts o ON o.id = p.boost_of_id LEFT JOIN accounts oa ON oa.id = o.account_id
              LEFT JOIN accounts ra ON ra.id = p.in_reply_to_account_id
            WHERE h.account_id = $1 AND (a.domain = ANY($2) OR oa.domain = ANY($2)
               OR (ra.domain = ANY($2) AND p.account_id <> $1)))"
    )
    .bind(me)
    .bind(domains)
    .run(tx)
    .await?;
    Ok(())
}

/// Fills a home timeline with the latest posts of an account that was just followed, as far as they are known here.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn add_author_to_home(tx: &mut Tx, me: AccountId, author: AccountId, limit: i64) -> Result<()> {
    sql!(
        "INSERT INTO home_entries (account_id, post_id)
         SELECT $1, p.id FROM (
            SELECT p.id FROM posts p WHERE p.account_id = $2 AND p.deleted_at IS NULL AND p.visibility <> 'direct'
              AND p.boost_of_id IS NULL
              AND (p.in_reply_to_account_id IS NULL OR p.in_reply_to_account_id = $2 OR p.in_reply_to_account_id = $1)
            ORDER BY p.id DESC LIMIT $3) AS p
         WHERE EXISTS (SELECT 1 FROM members WHERE account_id = $1)
           AND NOT EXISTS (SELECT 1 FROM mutes m WHERE m.account_id = $1 AND m.target_id = $2)
         ON CONFLICT DO NOTHING"
    )
    .bind(me)
    .bind(author)
    .bind(limit)
    .run(tx)
    .await?;
    Ok(())
}

/// Drops what is beyond [`HOME_ENTRIES`] in every home timeline.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn trim_homes(tx: &mut Tx) -> Result<u64> {
    let mut trimmed = 0;
    for me in sql!("SELECT account_id FROM members /* scan */ ORDER BY account_id").ids::<AccountId>(tx).await? {
        trimmed += sql!(
            "DELETE FROM home_entries WHERE account_id = $1 AND post_id < (
                SELECT post_id FROM home_entries WHERE account_id = $1 ORDER BY post_id DESC LIMIT 1 OFFSET $2)"
        )
        .bind(me)
        .bind(HOME_ENTRIES - 1)
        .run(tx)
        .await?;
    }
    Ok(trimmed)
}
