//! Received collections: one page at a time, items and where the next page is.

use serde_json::Value;

use crate::wire::lenient::{id, list, web_address};

/// A collection or one of its pages.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceivedCollection {
    pub total: Option<i64>,
    /// What is on this page, ids or whole objects.
    pub items: Vec<Value>,
    pub next: Option<String>,
}

impl ReceivedCollection {
    /// Reads the items of a collection or page, and where to go on: `first` of a collection, `next` of a page.
    #[must_use]
    pub fn read(value: &Value) -> Self {
        let mut items: Vec<Value> = list(value, "orderedItems").chain(list(value, "items")).cloned().collect();
        let mut next = id(value, "next");
        if let Some(first) = value.get("first") {
            if first.is_object() {
                items.extend(list(first, "orderedItems").chain(list(first, "items")).cloned());
                next = next.or_else(|| id(first, "next"));
            } else {
                next = next.or_else(|| id(value, "first"));
            }
        }
        Self {
            total: value.get("totalItems").and_then(Value::as_i64).filter(|n| *n >= 0),
            items,
            next: next.and_then(web_address).map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pages_inside_and_outside_are_read() {
        let whole = ReceivedCollection::read(&json!({"totalItems": 2, "orderedItems": ["a:1", {"id": "a:2"}]}));
        assert_eq!((whole.total, whole.items.len(), whole.next), (Some(2), 2, None));
        let linked = ReceivedCollection::read(&json!({"totalItems": -1, "first": "https://a/p1"}));
        assert_eq!((linked.total, linked.items.len(), linked.next.as_deref()), (None, 0, Some("https://a/p1")));
        let inside = ReceivedCollection::read(&json!({"first": {"items": "a:1", "next": "https://a/p2"}}));
        assert_eq!((inside.items.len(), inside.next.as_deref()), (1, Some("https://a/p2")));
    }
}
