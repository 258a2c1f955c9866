//! Lists that leave something out, within bounds.
//!
//! A post's audience, mutes, pictures only: all that leaves entries out of a list is asked of one after the other, in
//! the order of an index. Where nearly nothing is left, that would be all there are, for whoever asks. So a page looks
//! at so many candidates and no more; a page that ends there says where, and the next begins there.

use std::cmp::Reverse;
use std::ops::Deref;

use domain::page::Page;

use crate::db::Conn;
use crate::error::Result;
use crate::hydrate::Found;
use crate::record::Record;
use crate::sql::{Query, Sql, Value};

/// What a list holds, with the id that it pages by.
pub trait Entry {
    fn cursor(&self) -> i64;
}

impl Entry for Found {
    fn cursor(&self) -> i64 {
        self.id().0
    }
}

/// A part of a list, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<T = Found> {
    found: Vec<T>,
    /// Where the look ended, when it did before the page was full or the list ended.
    reached: Option<i64>,
}

impl<T> Default for Part<T> {
    fn default() -> Self {
        Self { found: Vec::new(), reached: None }
    }
}

impl<T> Deref for Part<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.found
    }
}

impl<T: Entry> Part<T> {
    pub(crate) fn new(found: Vec<T>, reached: Option<i64>) -> Self {
        Self { found, reached }
    }

    /// All that there is on a page.
    pub(crate) fn whole(found: Vec<T>) -> Self {
        Self::new(found, None)
    }

    /// The part of several lists together, each of which gave this: every entry once, at most `limit`.
    pub(crate) fn together(parts: Vec<Self>, page: &Page) -> Self {
        // Beyond where the first of them ended, the others know more than it does.
        let ends = parts.iter().filter_map(|part| part.reached);
        let mut reached = if page.upward() { ends.min() } else { ends.max() };
        let mut found: Vec<T> = parts.into_iter().flat_map(|part| part.found).collect();
        found.sort_by_key(|entry| Reverse(entry.cursor()));
        found.dedup_by_key(|entry| entry.cursor());
        if let Some(end) = reached {
            found.retain(|entry| if page.upward() { entry.cursor() <= end } else { entry.cursor() >= end });
        }
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        if found.len() >= limit {
            reached = None;
            let more = found.len() - limit;
            drop(if page.upward() { found.drain(..more).collect::<Vec<_>>() } else { found.split_off(limit) });
        }
        Self { found, reached }
    }

    /// Where the look ended, if it did before the page was full and the list ended: the next page begins there.
    #[must_use]
    pub fn reached(&self) -> Option<i64> {
        self.reached
    }

    /// The newest and the oldest entry that this part knows of: what comes before and after it is beyond them.
    #[must_use]
    pub fn ends(&self) -> (Option<i64>, Option<i64>) {
        let looked_at = || self.found.iter().map(Entry::cursor).chain(self.reached);
        (looked_at().max(), looked_at().min())
    }

    /// The entries, and [`Part::reached`].
    #[must_use]
    pub fn split(self) -> (Vec<T>, Option<i64>) {
        (self.found, self.reached)
    }
}

/// A list, as statements. Made by [`walk`].
#[derive(Debug)]
pub(crate) struct Walk {
    pub down: &'static Sql,
    pub up: &'static Sql,
    pub end_down: &'static Sql,
    pub end_up: &'static Sql,
    /// Candidates that one statement looks at.
    pub looks: i64,
    /// Statements for one page, at most.
    pub turns: u32,
}

/// A [`Walk`] that looks at so many candidates, so many times. `$1` is the viewer, `$2` and `$3` what ids are below and
/// above, `$4` the entries and `$5` the candidates at most.
///
/// Candidates are `SELECT id AS id FROM from`, in the order of that id, and bind from `$6`. Where the viewer may not
/// see all of them, `seen` says of a post `s` whether it is for the viewer: others are passed over, 2,000 at most, and
/// counted nowhere, so that no cursor tells of them. What is left of the candidates says `filter`, which binds after
/// them: of posts `p` by authors `a`, unless `entries` names other columns, of tables that are joined to the candidates
/// `c`.
macro_rules! walk {
    ($looks:expr, $turns:expr, $select:literal $id:literal from $from:literal, seen $seen:expr, $filter:expr) => {{
        macro_rules! raw {
            ($way:literal) => {
                concat!(
                    "(", $select, " ", $id, " AS id FROM ", $from,
                    " AND ", $id, " < $2 AND ", $id, " > $3 ORDER BY ", $id, $way, " LIMIT 2000) AS r "
                )
            };
        }
        macro_rules! sqlite {
            ($way:literal) => {
                concat!("SELECT r.id AS id FROM ", raw!($way), "CROSS JOIN posts s ON s.id = r.id WHERE ", $seen)
            };
        }
        macro_rules! postgres {
            ($way:literal) => {
                concat!(
                    "SELECT r.id AS id FROM ", raw!($way),
                    "CROSS JOIN LATERAL (SELECT s.* FROM posts s WHERE s.id = r.id OFFSET 0) AS s WHERE ", $seen,
                    " ORDER BY r.id", $way
                )
            };
        }
        $crate::walks::walk!(
            candidates (sqlite!(" DESC"), postgres!(" DESC")), (sqlite!(" ASC"), postgres!(" ASC"));
            entries $crate::hydrate::found_columns!(),
            "posts" "p" on "p.id = c.id", "accounts" "a" on "a.id = p.account_id";
            $looks, $turns, $filter
        )
    }};
    ($looks:expr, $turns:expr, $select:literal $id:literal from $from:literal, $filter:expr) => {
        $crate::walks::walk!(
            entries $crate::hydrate::found_columns!(),
            "posts" "p" on "p.id = c.id", "accounts" "a" on "a.id = p.account_id";
            $looks, $turns, $select $id from $from, $filter
        )
    };
    (
        entries $columns:expr, $($table:literal $alias:literal on $key:literal),+;
        $looks:expr, $turns:expr, $select:literal $id:literal from $from:literal, $filter:expr
    ) => {{
        macro_rules! candidates {
            ($way:literal) => {
                concat!(
                    $select, " ", $id, " AS id FROM ", $from,
                    " AND ", $id, " < $2 AND ", $id, " > $3 ORDER BY ", $id, $way
                )
            };
        }
        $crate::walks::walk!(
            candidates (candidates!(" DESC"), candidates!(" DESC")), (candidates!(" ASC"), candidates!(" ASC"));
            entries $columns, $($table $alias on $key),+;
            $looks, $turns, $filter
        )
    }};
    // The candidates of each way, for either database.
    (
        candidates ($sqlite_down:expr, $postgres_down:expr), ($sqlite_up:expr, $postgres_up:expr);
        entries $columns:expr, $($table:literal $alias:literal on $key:literal),+;
        $looks:expr, $turns:expr, $filter:expr
    ) => {{
        // The embedded database reads no more candidates than it needs as long as nothing is sorted after them. What
        // PostgreSQL takes from each table is fenced off, so that it looks up one row for each candidate, whatever it
        // believes of what else is asked of them.
        macro_rules! page {
            ($sqlite:expr, $postgres:expr, $order:literal) => {
                $crate::sql::Sql::each(
                    concat!(
                        "SELECT ", $columns, " FROM (", $sqlite, " LIMIT $5) AS c ",
                        $(" CROSS JOIN ", $table, " ", $alias, " ON ", $key,)+ " WHERE ", $filter, " LIMIT $4"
                    ),
                    concat!(
                        "SELECT ", $columns, " FROM (", $postgres, " LIMIT $5) AS c ",
                        $(
                            " CROSS JOIN LATERAL (SELECT ", $alias, ".* FROM ", $table, " ", $alias, " WHERE ", $key,
                            " OFFSET 0) AS ", $alias,
                        )+
                        " WHERE ", $filter, " ORDER BY c.id ", $order, " LIMIT $4"
                    ),
                )
            };
        }
        // The last candidate, where there are as many as are looked at.
        macro_rules! end {
            ($candidates:expr) => {
                concat!(
                    "SELECT id FROM (", $candidates, " LIMIT 1 OFFSET $5 - 1) AS c
                     WHERE CAST($1 AS BIGINT) IS NOT NULL AND CAST($4 AS BIGINT) IS NOT NULL"
                )
            };
        }
        static DOWN: $crate::sql::Sql = page!($sqlite_down, $postgres_down, "DESC");
        static UP: $crate::sql::Sql = page!($sqlite_up, $postgres_up, "ASC");
        static END_DOWN: $crate::sql::Sql = $crate::sql::Sql::each(end!($sqlite_down), end!($postgres_down));
        static END_UP: $crate::sql::Sql = $crate::sql::Sql::each(end!($sqlite_up), end!($postgres_up));
        $crate::walks::Walk {
            down: &DOWN,
            up: &UP,
            end_down: &END_DOWN,
            end_up: &END_UP,
            looks: $looks,
            turns: $turns,
        }
    }};
}
pub(crate) use walk;

impl Walk {
    /// A page for this viewer, by [`domain::Viewer::raw`].
    pub(crate) async fn part<T: Entry + Record>(
        &self,
        conn: &mut Conn,
        viewer: i64,
        page: &Page,
        candidates: &[Value],
        filter: &[Value],
    ) -> Result<Part<T>> {
        let most = page.limit;
        let mut page = *page;
        let (first, end) = if page.upward() { (self.up, self.end_up) } else { (self.down, self.end_down) };
        let mut found: Vec<T> = Vec::new();
        let mut reached = None;
        for turn in 0..self.turns {
            if turn > 0 {
                // Others have their turn.
                tokio::task::yield_now().await;
            }
            let asked = [viewer, page.below(), page.above(), page.limit, self.looks];
            let bound = |sql, values: &[Value]| {
                asked.into_iter().map(Value::from).chain(values.iter().cloned()).fold(Query::new(sql), Query::bind)
            };
            let rows = bound(first, &[candidates, filter].concat()).all::<T>(conn).await?;
            found.extend(rows);
            if i64::try_from(found.len()).unwrap_or(i64::MAX) >= most {
                reached = None;
                break;
            }
            reached = bound(end, candidates).maybe::<(i64,)>(conn).await?.map(|(id,)| id);
            let Some(end) = reached else { break };
            // What lies beyond, since somebody wrote between the two questions, comes with the next.
            found.retain(|entry| if page.upward() { entry.cursor() <= end } else { entry.cursor() >= end });
            page.limit = most - i64::try_from(found.len()).unwrap_or(most);
            if page.upward() {
                page.min_id = reached;
            } else {
                page.max_id = reached;
            }
        }
        found.sort_by_key(|entry| Reverse(entry.cursor()));
        Ok(Part { found, reached })
    }
}
