//! `/api/v1/markers`: how far she has read, shared by all her apps.

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use serde::Deserialize;
use storage::markers::{Marker, Timeline};

use super::caller::Caller;
use super::dto::marker::{Marker as Shape, Markers};
use super::error::Result;
use super::params::{Body, OneOrMore, OptionalId, Query};
use crate::state::Web;

pub fn routes() -> Router<Web> {
    Router::new().route("/api/v1/markers", get(read).post(set))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Wanted {
    timeline: OneOrMore<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Moved {
    home: Position,
    notifications: Position,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Position {
    last_read_id: OptionalId,
}

fn put(markers: &mut Markers, timeline: Timeline, marker: Marker) {
    let shape = Some(Shape::new(marker.last_read_id, marker.version, marker.updated_at));
    match timeline {
        Timeline::Home => markers.home = shape,
        Timeline::Notifications => markers.notifications = shape,
    }
}

async fn read(State(web): State<Web>, caller: Caller, Query(wanted): Query<Wanted>) -> Result<Json<Markers>> {
    caller.allow("read:statuses")?;
    let mut conn = web.app.db.read().await?;
    let mut markers = Markers::default();
    for timeline in [Timeline::Home, Timeline::Notifications] {
        if wanted.timeline.0.iter().any(|name| name == timeline.as_str())
            && let Some(marker) = storage::markers::get(&mut conn, caller.id, timeline).await?
        {
            put(&mut markers, timeline, marker);
        }
    }
    Ok(Json(markers))
}

async fn set(State(web): State<Web>, caller: Caller, Body(moved): Body<Moved>) -> Result<Json<Markers>> {
    caller.allow("write:statuses")?;
    let marks: Vec<(Timeline, i64)> = [(Timeline::Home, moved.home), (Timeline::Notifications, moved.notifications)]
        .into_iter()
        .filter_map(|(timeline, position)| position.last_read_id.0.map(|id| (timeline, id)))
        .collect();
    let mut markers = Markers::default();
    for (timeline, marker) in app::markers::set::set(&web.app, caller.id, &marks).await? {
        put(&mut markers, timeline, marker);
    }
    Ok(Json(markers))
}
