//! Cursors of lists, as the client API's `max_id`, `since_id`, `min_id` and `limit`.

/// Which part of a list is wanted. Lists are always given newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Only older than this.
    pub max_id: Option<i64>,
    /// Only newer than this, the newest of them.
    pub since_id: Option<i64>,
    /// Only newer than this, those right after it.
    pub min_id: Option<i64>,
    pub limit: i64,
}

impl Page {
    /// The first `limit` entries.
    #[must_use]
    pub fn first(limit: i64) -> Self {
        Self { max_id: None, since_id: None, min_id: None, limit }
    }

    /// Nothing but the entry with this id.
    #[must_use]
    pub fn only(id: i64) -> Self {
        let around = (id.saturating_add(1), id.saturating_sub(1));
        Self { max_id: Some(around.0), since_id: Some(around.1), min_id: None, limit: 1 }
    }

    /// The exclusive upper bound for SQL.
    #[must_use]
    pub fn below(&self) -> i64 {
        self.max_id.unwrap_or(i64::MAX)
    }

    /// The exclusive lower bound for SQL.
    #[must_use]
    pub fn above(&self) -> i64 {
        self.min_id.or(self.since_id).unwrap_or(0)
    }

    /// Rows are to be read oldest first (and then turned around): `min_id` pages upward.
    #[must_use]
    pub fn upward(&self) -> bool {
        self.min_id.is_some()
    }

    /// Rows as they were read, in the order that lists are given: newest first.
    #[must_use]
    pub fn newest_first<T>(&self, mut rows: Vec<T>) -> Vec<T> {
        if self.upward() {
            rows.reverse();
        }
        rows
    }
}
