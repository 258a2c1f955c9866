//! `Report`.

use std::sync::Arc;

use domain::report::Report as Kept;
use serde::Serialize;
use serde_json::value::RawValue;

use super::value::{Id, Time};

#[derive(Debug, Serialize)]
pub struct Report {
    id: Id,
    action_taken: bool,
    action_taken_at: Option<Time>,
    category: &'static str,
    comment: String,
    forwarded: bool,
    created_at: Time,
    status_ids: Vec<Id>,
    /// There are no collections here.
    collection_ids: [Id; 0],
    rule_ids: Vec<String>,
    target_account: Arc<RawValue>,
}

impl Report {
    #[must_use]
    pub fn new(report: &Kept, target: Arc<RawValue>) -> Self {
        Self {
            id: Id::of(report.id),
            action_taken: report.resolved_at.is_some(),
            action_taken_at: report.resolved_at.map(Time),
            category: report.category.as_str(),
            comment: report.comment.clone(),
            forwarded: report.forwarded,
            created_at: Time(report.created_at),
            status_ids: report.posts.iter().map(|id| Id::of(*id)).collect(),
            collection_ids: [],
            rule_ids: report.rules.iter().map(|rule| rule.id.clone()).collect(),
            target_account: target,
        }
    }
}
