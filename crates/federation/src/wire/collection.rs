//! Collections, outgoing: outbox, followers, following, featured, replies.
//!
//! A hidden collection tells neither who is in it nor how many: whoever watches the number sees each of them come.

use serde::Serialize;

/// A collection whose items are on pages, or given at once, or hidden.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderedCollection<T> {
    pub id: String,
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_items: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ordered_items: Option<Vec<T>>,
}

/// One page of a collection.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderedCollectionPage<T> {
    pub id: String,
    #[serde(rename = "type")]
    kind: Kind,
    pub part_of: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<String>,
    pub ordered_items: Vec<T>,
}

#[derive(Debug, Clone, Copy, Serialize)]
enum Kind {
    OrderedCollection,
    OrderedCollectionPage,
}

impl<T> OrderedCollection<T> {
    /// Its items are on pages.
    #[must_use]
    pub fn paged(id: String, total_items: i64) -> Self {
        let first = Some(format!("{id}?page=true"));
        Self { id, kind: Kind::OrderedCollection, total_items: Some(total_items), first, ordered_items: None }
    }

    /// Its items are not shown.
    #[must_use]
    pub fn hidden(id: String) -> Self {
        Self { id, kind: Kind::OrderedCollection, total_items: None, first: None, ordered_items: None }
    }

    /// Its items are few and all here.
    #[must_use]
    pub fn whole(id: String, items: Vec<T>) -> Self {
        let total_items = i64::try_from(items.len()).ok();
        Self { id, kind: Kind::OrderedCollection, total_items, first: None, ordered_items: Some(items) }
    }
}

impl<T> OrderedCollectionPage<T> {
    #[must_use]
    pub fn new(id: String, part_of: String, items: Vec<T>, next: Option<String>) -> Self {
        Self { id, kind: Kind::OrderedCollectionPage, part_of, next, prev: None, ordered_items: items }
    }
}
