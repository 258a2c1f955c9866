//! What members are told. Written by `app::fanout` alone.

use std::collections::HashMap;

use domain::notification::{Notification, NotificationKind};
use domain::page::Page;
use domain::report::Report;
use domain::view::{NotificationView, PostView, ReportView};
use domain::{AccountId, NotificationId, PostId, ReportId, ThreadId, Timestamp, Viewer};

use crate::db::{Conn, Tx};
use crate::error::{Error, Result};
use crate::hydrate;
use crate::record::record;
use crate::reports;
use crate::sql;
use crate::visible::{shown, visible};
use crate::walks::{Entry, Part, walk};

record! {
    struct NotificationRow {
        id: i64,
        account_id: i64,
        from_account_id: i64,
        kind: String,
        post_id: Option<i64>,
        report_id: Option<i64>,
        created_at: i64,
    }
}

impl Entry for NotificationRow {
    fn cursor(&self) -> i64 {
        self.id
    }
}

fn notification(row: NotificationRow) -> Option<Notification> {
    Some(Notification {
        id: NotificationId(row.id),
        account_id: AccountId(row.account_id),
        from_account_id: AccountId(row.from_account_id),
        kind: NotificationKind::parse(&row.kind)?,
        post_id: row.post_id.map(PostId),
        report_id: row.report_id.map(ReportId),
        created_at: Timestamp(row.created_at),
    })
}

impl Entry for NotificationView {
    fn cursor(&self) -> i64 {
        self.notification.id.0
    }
}

/// Notifications that one statement looks at, and statements for a page.
const LOOKS: i64 = 400;
const TURNS: u32 = 4;

/// [`NotificationKind::FOR_STAFF`].
macro_rules! for_staff {
    () => {
        "('admin.sign_up', 'admin.report')"
    };
}

/// The notification is one of those only if whoever is told still runs the community.
macro_rules! runs_the_community {
    () => {
        concat!(
            "(n.kind NOT IN ",
            for_staff!(),
            " OR EXISTS (SELECT 1 FROM members nm WHERE nm.account_id = n.account_id AND nm.role <> 'member'))"
        )
    };
}

/// Writes a notification for a member, unless she has muted or blocked the other (or the other's community, or the
/// discussion), or was told the same before. The id when it was written.
///
/// # Errors
/// As [`Error`] says.
pub async fn insert(
    tx: &mut Tx,
    to: AccountId,
    from: AccountId,
    kind: NotificationKind,
    post: Option<PostId>,
    thread: Option<ThreadId>,
) -> Result<Option<NotificationId>> {
    let (id, now): (NotificationId, _) = (tx.id(), tx.now());
    // Silenced by the community: only those she follows may tell her something.
    let n = sql!(
        "INSERT INTO notifications (id, account_id, from_account_id, kind, post_id, created_at)
         SELECT $1, mb.account_id, $3, $4, $5, $6 FROM members mb
         WHERE mb.account_id = $2 AND $2 <> $3
           AND NOT EXISTS (SELECT 1 FROM mutes m WHERE m.account_id = $2 AND m.target_id = $3 AND m.hide_notifications)
           AND NOT EXISTS (SELECT 1 FROM blocks b WHERE b.account_id = $2 AND b.target_id = $3)
           AND NOT EXISTS (SELECT 1 FROM thread_mutes t WHERE t.account_id = $2 AND t.thread_id = $7)
           AND NOT EXISTS (SELECT 1 FROM account_domain_blocks d JOIN accounts a ON a.domain = d.domain
                WHERE d.account_id = $2 AND a.id = $3)
           AND NOT EXISTS (SELECT 1 FROM accounts s WHERE s.id = $3 AND (s.suspended_at IS NOT NULL
                OR (s.silenced_at IS NOT NULL
                    AND NOT EXISTS (SELECT 1 FROM follows f WHERE f.account_id = $2 AND f.target_id = $3))))
         ON CONFLICT DO NOTHING"
    )
    .bind(id)
    .bind(to)
    .bind(from)
    .bind(kind.as_str())
    .bind(post)
    .bind(now)
    .bind(thread.map_or(0, |t| t.0))
    .run(tx)
    .await?;
    Ok((n > 0).then_some(id))
}

/// Tells somebody who runs the community of a report, whatever they think of its author. The id when it was written.
///
/// # Errors
/// As [`Error`] says.
pub async fn insert_report(tx: &mut Tx, to: AccountId, report: &Report) -> Result<Option<NotificationId>> {
    let (id, now): (NotificationId, _) = (tx.id(), tx.now());
    let n = sql!(
        "INSERT INTO notifications (id, account_id, from_account_id, kind, report_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING"
    )
    .bind(id)
    .bind(to)
    .bind(report.account_id)
    .bind(NotificationKind::AdminReport.as_str())
    .bind(report.id)
    .bind(now)
    .run(tx)
    .await?;
    Ok((n > 0).then_some(id))
}

/// Those of the author's local followers who asked to hear of every post of hers.
///
/// # Errors
/// As [`Error`] says.
pub async fn watchers(conn: &mut Conn, author: AccountId) -> Result<Vec<AccountId>> {
    sql!("SELECT f.account_id FROM follows f WHERE f.target_id = $1 AND f.by_member AND f.notify")
        .bind(author)
        .ids(conn)
        .await
}

/// Takes back what a member was told: the request was withdrawn, the favourite undone.
///
/// # Errors
/// As [`Error`] says.
pub async fn retract(
    tx: &mut Tx,
    to: AccountId,
    from: AccountId,
    kind: NotificationKind,
    post: Option<PostId>,
) -> Result<()> {
    sql!(
        "DELETE FROM notifications WHERE account_id = $1 AND from_account_id = $2 AND kind = $3 AND coalesce(post_id, 0) = $4"
    )
    .bind(to)
    .bind(from)
    .bind(kind.as_str())
    .bind(post.map_or(0, |p| p.0))
    .run(tx)
    .await?;
    Ok(())
}

/// Everything these were told of a post: they may not see it any more.
///
/// # Errors
/// As [`Error`] says.
pub async fn remove_about(tx: &mut Tx, members: &[AccountId], post: PostId) -> Result<()> {
    sql!("DELETE FROM notifications WHERE account_id = ANY($1) AND post_id = $2 AND post_id IS NOT NULL")
        .bind(members)
        .bind(post)
        .run(tx)
        .await?;
    Ok(())
}

/// Everything a member was told of an account, which the member blocked; but not what those who run the community are
/// told.
///
/// # Errors
/// As [`Error`] says.
pub async fn remove_from(tx: &mut Tx, me: AccountId, from: AccountId) -> Result<()> {
    sql!(concat!(
        "DELETE FROM notifications WHERE account_id = $1 AND from_account_id = $2 AND kind NOT IN ",
        for_staff!()
    ))
    .bind(me)
    .bind(from)
    .run(tx)
    .await?;
    Ok(())
}

/// Everything she was told of one kind: it is no longer hers to know.
///
/// # Errors
/// As [`Error`] says.
pub async fn remove_kind(tx: &mut Tx, me: AccountId, kind: NotificationKind) -> Result<()> {
    sql!("DELETE FROM notifications WHERE account_id = $1 AND kind = $2").bind(me).bind(kind.as_str()).run(tx).await?;
    Ok(())
}

/// Which notifications.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only these; empty = all.
    pub kinds: Vec<NotificationKind>,
    pub exclude: Vec<NotificationKind>,
    /// Only those from this account.
    pub from: Option<AccountId>,
}

impl Filter {
    fn is_all(&self) -> bool {
        self.wanted().len() == NotificationKind::ALL.len()
    }

    fn wanted(&self) -> Vec<String> {
        NotificationKind::ALL
            .iter()
            .filter(|k| (self.kinds.is_empty() || self.kinds.contains(k)) && !self.exclude.contains(k))
            .map(|k| k.as_str().to_owned())
            .collect()
    }
}

/// The member may still see what the notification tells of: who did it, and the post it is about. Asked before a page or
/// a count is filled.
macro_rules! told {
    () => {
        concat!(
            "EXISTS (SELECT 1 FROM accounts nf WHERE nf.id = n.from_account_id AND ((",
            shown!("nf"),
            ") OR (n.kind IN ",
            for_staff!(),
            " AND nf.deleted_at IS NULL)))
             AND (n.post_id IS NULL OR EXISTS (SELECT 1 FROM posts np JOIN accounts na ON na.id = np.account_id
                WHERE np.id = n.post_id AND ",
            visible!("np" by "na"),
            "))
             AND (n.report_id IS NULL OR EXISTS (SELECT 1 FROM reports nr JOIN accounts nt ON nt.id = nr.target_id
                WHERE nr.id = n.report_id AND nt.deleted_at IS NULL))
             AND ",
            runs_the_community!()
        )
    };
}

/// A member's notifications, newest first.
///
/// # Errors
/// As [`Error`] says.
pub async fn list(conn: &mut Conn, me: AccountId, filter: &Filter, page: &Page) -> Result<Part<NotificationView>> {
    macro_rules! walk_notifications {
        ($from:literal, $filter:expr) => {
            walk!(
                entries "n.id, n.account_id, n.from_account_id, n.kind, n.post_id, n.report_id, n.created_at",
                "notifications" "n" on "n.id = c.id";
                LOOKS, TURNS, "SELECT" "x.id" from $from, concat!($filter, told!())
            )
        };
    }
    let part = if let Some(from) = filter.from {
        // All that one account did.
        let walk = walk_notifications!(
            "notifications x WHERE x.account_id = $1 AND x.from_account_id = $6",
            "n.kind = ANY($7) AND "
        );
        walk.part(conn, me.0, page, &[from.into()], &[filter.wanted().into()]).await?
    } else if filter.is_all() {
        let walk = walk_notifications!("notifications x WHERE x.account_id = $1", "");
        walk.part::<NotificationRow>(conn, me.0, page, &[], &[]).await?
    } else {
        let walk = walk_notifications!("notifications x WHERE x.account_id = $1 AND x.kind = $6", "");
        let mut parts = Vec::new();
        for kind in filter.wanted() {
            parts.push(walk.part(conn, me.0, page, &[kind.into()], &[]).await?);
        }
        Part::together(parts, page)
    };
    let (rows, reached) = part.split();
    let views = views(conn, me, rows.into_iter().filter_map(notification).collect()).await?;
    Ok(Part::new(views, reached))
}

/// One of her notifications.
///
/// # Errors
/// [`Error::NotFound`] when it is not hers, or what it is about may no longer be seen.
pub async fn get(conn: &mut Conn, me: AccountId, id: NotificationId) -> Result<NotificationView> {
    let row = sql!(concat!(
        "SELECT n.id, n.account_id, n.from_account_id, n.kind, n.post_id, n.report_id, n.created_at
         FROM notifications n WHERE n.id = $1 AND n.account_id = $2 AND ",
        runs_the_community!()
    ))
    .bind(id)
    .bind(me)
    .maybe::<NotificationRow>(conn)
    .await?;
    let found = row.and_then(notification).into_iter().collect();
    views(conn, me, found).await?.pop().ok_or(Error::NotFound)
}

/// A notification about a post that she may no longer see is left out.
async fn views(conn: &mut Conn, me: AccountId, found: Vec<Notification>) -> Result<Vec<NotificationView>> {
    let mut from: Vec<AccountId> = found.iter().map(|n| n.from_account_id).collect();
    from.sort();
    from.dedup();
    let accounts = hydrate::account_views(conn, &from).await?;
    let reported = reports_of(conn, &found).await?;
    let mut unseen: Vec<AccountId> = found
        .iter()
        .filter(|n| NotificationKind::FOR_STAFF.contains(&n.kind))
        .map(|n| n.from_account_id)
        .chain(reported.values().map(|report| report.target_id))
        .collect();
    unseen.retain(|id| !accounts.contains_key(id));
    let unseen = hydrate::even_hidden(conn, &unseen).await?;
    let mut ids: Vec<PostId> = found.iter().filter_map(|n| n.post_id).collect();
    ids.sort();
    ids.dedup();
    let posts: HashMap<PostId, PostView> =
        hydrate::posts(conn, Viewer::Account(me), &ids).await?.into_iter().map(|p| (p.id(), p)).collect();
    Ok(found
        .into_iter()
        .filter_map(|n| {
            let post = match n.post_id {
                Some(id) => Some(posts.get(&id)?.clone()),
                None => None,
            };
            let report = match n.report_id {
                Some(id) => {
                    let report = reported.get(&id)?.clone();
                    let target = accounts.get(&report.target_id).or_else(|| unseen.get(&report.target_id))?.clone();
                    Some(ReportView { report, target })
                }
                None => None,
            };
            let shown = accounts.get(&n.from_account_id);
            let from = match NotificationKind::FOR_STAFF.contains(&n.kind) {
                true => shown.or_else(|| unseen.get(&n.from_account_id)),
                false => shown,
            };
            let from = from?.clone();
            Some(NotificationView { notification: n, from, post, report })
        })
        .collect())
}

async fn reports_of(conn: &mut Conn, found: &[Notification]) -> Result<HashMap<ReportId, Report>> {
    let ids: Vec<ReportId> = found.iter().filter_map(|n| n.report_id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    Ok(reports::many(conn, &ids).await?.into_iter().map(|report| (report.id, report)).collect())
}

/// # Errors
/// As [`Error`] says.
pub async fn dismiss(tx: &mut Tx, me: AccountId, id: NotificationId) -> Result<bool> {
    let n = sql!("DELETE FROM notifications WHERE id = $1 AND account_id = $2").bind(id).bind(me).run(tx).await?;
    Ok(n > 0)
}

/// # Errors
/// As [`Error`] says.
pub async fn clear(tx: &mut Tx, me: AccountId) -> Result<()> {
    sql!("DELETE FROM notifications WHERE account_id = $1").bind(me).run(tx).await?;
    Ok(())
}

/// How many came after the marker and may still be seen, at most `limit`.
///
/// # Errors
/// As [`Error`] says.
pub async fn unread(conn: &mut Conn, me: AccountId, limit: i64) -> Result<i64> {
    sql!(concat!(
        "SELECT count(*) FROM (SELECT n.id FROM notifications n WHERE n.account_id = $1 AND n.id > coalesce(
            (SELECT last_read_id FROM markers WHERE account_id = $1 AND timeline = 'notifications'), 0) AND ",
        told!(),
        " LIMIT $2) AS unread"
    ))
    .bind(me)
    .bind(limit)
    .count(conn)
    .await
}
