//! `Notification`.

use std::sync::Arc;

use domain::view::NotificationView;
use serde::Serialize;
use serde_json::value::RawValue;

use super::report::Report;
use super::value::{Id, Time};

#[derive(Debug, Serialize)]
pub struct Notification {
    id: Id,
    #[serde(rename = "type")]
    kind: &'static str,
    created_at: Time,
    group_key: String,
    account: Arc<RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Arc<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<Report>,
}

impl Notification {
    #[must_use]
    pub fn new(
        view: &NotificationView,
        account: Arc<RawValue>,
        status: Option<Arc<RawValue>>,
        report: Option<Report>,
    ) -> Self {
        let n = &view.notification;
        Self {
            id: Id::of(n.id),
            kind: n.kind.as_str(),
            created_at: Time(n.created_at),
            group_key: format!("ungrouped-{}", n.id),
            account,
            status,
            report,
        }
    }
}

#[derive(Debug, Serialize)]
pub struct Count {
    pub count: i64,
}
