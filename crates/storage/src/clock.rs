//! The system's clock may step back: it was set wrong, or a process runs on a machine whose clock is behind. Ids never
//! do, and what waits for a time does not wait longer for it.

use std::time::Duration;

use domain::{IdGenerator, Timestamp};

use crate::db::Db;
use crate::error::Result;
use crate::sql;

/// Clocks of machines that keep their time differ by less.
const TOLERANCE: Duration = Duration::from_secs(2);
/// A clock that is behind by more is worth a line in the log when a process starts.
const WORTH_SAYING: Duration = Duration::from_secs(60);
/// No lease is longer.
const LONGEST_LEASE: Duration = Duration::from_secs(40 * 60);

/// The highest id there is.
pub(crate) const HIGHEST: &str = "SELECT max(id) FROM (SELECT max(id) AS id FROM accounts
        UNION ALL SELECT max(id) FROM posts UNION ALL SELECT max(id) FROM post_edits
        UNION ALL SELECT max(id) FROM attachments UNION ALL SELECT max(id) FROM favourites
        UNION ALL SELECT max(id) FROM bookmarks UNION ALL SELECT max(id) FROM follows
        UNION ALL SELECT max(id) FROM blocks UNION ALL SELECT max(id) FROM notifications
        UNION ALL SELECT max(id) FROM jobs UNION ALL SELECT max(id) FROM inbox_items
        UNION ALL SELECT max(id) FROM outgoing_activities UNION ALL SELECT max(id) FROM oauth_tokens
        UNION ALL SELECT max(id) FROM reports) AS made";

impl Db {
    /// When a process starts: its ids continue after all there are, whatever its clock shows, and what waits for a time
    /// that was set by a clock ahead of this one waits as long as was meant.
    pub(crate) async fn begin_after_the_past(&self) -> Result<()> {
        let mut conn = self.read().await?;
        let (highest,) = sql!(HIGHEST).one::<(Option<i64>,)>(&mut conn).await?;
        drop(conn);
        let Some(highest) = highest else { return Ok(()) };
        self.ids().continue_after(highest);
        let (then, now) = (IdGenerator::made_at(highest), self.clock().now());
        if then > now.plus(WORTH_SAYING) {
            tracing::warn!(
                clock = %now,
                newest = %then,
                "this computer's clock is behind: the newest entry in the database is from a later time. New posts \
                 are still sorted after old ones, but show the wrong time. Set the clock right, best by a time service"
            );
        }
        self.clock_moved_back(then, now).await
    }

    /// To be called about once a second. Notices when the clock was set back, and what clocks of other processes show.
    ///
    /// # Errors
    /// As [`crate::Error`] says.
    pub async fn watch_clock(&self) -> Result<()> {
        let now = self.clock().now();
        let before = self.last_seen();
        if before > now.plus(TOLERANCE) {
            tracing::warn!(
                clock = %now,
                %before,
                "this computer's clock was set back. New posts are sorted after old ones all the same"
            );
        }
        self.clock_moved_back(before, now).await?;
        self.has_seen(now);
        if !self.is_sqlite() {
            let mut conn = self.read().await?;
            if let (Some(highest),) = sql!("SELECT max(id) FROM posts").one::<(Option<i64>,)>(&mut conn).await? {
                self.ids().continue_after(highest);
            }
        }
        Ok(())
    }

    /// The clock shows `now` where it showed `before`: what is to be tried again, and hosts that are left alone, wait
    /// less by as much; no lease is longer than leases are. Where several processes notice, some is tried again
    /// earlier.
    async fn clock_moved_back(&self, before: Timestamp, now: Timestamp) -> Result<()> {
        if before <= now.plus(TOLERANCE) {
            return Ok(());
        }
        let (by, longest) = (before.0 - now.0, now.plus(LONGEST_LEASE));
        let mut tx = self.write().await?;
        // In the order in which workers take them.
        sql!("SELECT id FROM deliveries WHERE run_at > $1 OR leased_until > $2 ORDER BY id FOR UPDATE")
            .bind(now)
            .bind(longest)
            .lock(&mut tx)
            .await?;
        for query in [
            sql!("UPDATE jobs /* scan */ SET run_at = run_at - $2 WHERE run_at > $1"),
            sql!("UPDATE inbox_items /* scan */ SET run_at = run_at - $2 WHERE run_at > $1"),
            sql!("UPDATE deliveries /* scan */ SET run_at = run_at - $2 WHERE run_at > $1"),
        ] {
            query.bind(now).bind(by).run(&mut tx).await?;
        }
        for query in [
            sql!("UPDATE jobs /* scan */ SET leased_until = $1 WHERE leased_until > $1"),
            sql!("UPDATE inbox_items /* scan */ SET leased_until = $1 WHERE leased_until > $1"),
            sql!("UPDATE deliveries /* scan */ SET leased_until = $1 WHERE leased_until > $1"),
        ] {
            query.bind(longest).run(&mut tx).await?;
        }
        sql!("SELECT 1 FROM hosts ORDER BY host FOR UPDATE").lock(&mut tx).await?;
        sql!("UPDATE hosts /* scan */ SET retry_at = retry_at - $2 WHERE retry_at > $1")
            .bind(now)
            .bind(by)
            .run(&mut tx)
            .await?;
        sql!("UPDATE hosts SET due_at = due_at - $2 WHERE due_at > $1").bind(now).bind(by).run(&mut tx).await?;
        sql!("UPDATE hosts /* scan */ SET busy_until = $1 WHERE busy_until > $1").bind(longest).run(&mut tx).await?;
        tx.commit().await
    }
}
