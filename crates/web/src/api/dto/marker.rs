//! `Marker`: how far somebody read.

use domain::Timestamp;
use serde::Serialize;

use super::value::{Id, Time};

#[derive(Debug, Serialize)]
pub struct Marker {
    last_read_id: Id,
    version: i64,
    updated_at: Time,
}

impl Marker {
    #[must_use]
    pub fn new(last_read_id: i64, version: i64, updated_at: Timestamp) -> Self {
        Self { last_read_id: Id(last_read_id), version, updated_at: Time(updated_at) }
    }
}

/// Only the timelines that were asked for and have a marker.
#[derive(Debug, Default, Serialize)]
pub struct Markers {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home: Option<Marker>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notifications: Option<Marker>,
}
