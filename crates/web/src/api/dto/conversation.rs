//! `Conversation`.

use std::sync::Arc;

use domain::ConversationId;
use serde::Serialize;
use serde_json::value::RawValue;

use super::value::Id;

#[derive(Debug, Serialize)]
pub struct Conversation {
    id: Id,
    unread: bool,
    accounts: Vec<Arc<RawValue>>,
    last_status: Arc<RawValue>,
}

impl Conversation {
    #[must_use]
    pub fn new(id: ConversationId, unread: bool, accounts: Vec<Arc<RawValue>>, last_status: Arc<RawValue>) -> Self {
        Self { id: Id::of(id), unread, accounts, last_status }
    }
}
