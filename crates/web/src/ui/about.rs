//! The about page: what the community says about itself, its rules, and who looks after it.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use storage::{hydrate, members};

use super::card::Person;
use super::frame::Frame;
use super::message::Problem;
use super::visitor::Visitor;
use crate::state::Web;

#[derive(Template)]
#[template(path = "about.html")]
pub struct AboutPage {
    pub frame: Frame,
    pub description: String,
    /// Safe HTML.
    pub about: String,
    pub rules: Vec<String>,
    pub people: Vec<Person>,
    pub contact: String,
}

/// `GET /about`.
pub async fn about(State(web): State<Web>, visitor: Visitor) -> Result<Response, Problem> {
    let mut conn = web.app.db.read().await?;
    let staff = members::staff(&mut conn).await?;
    let people = hydrate::accounts_in_order(&mut conn, &staff).await?;
    drop(conn);
    let look = visitor.look();
    let community = &visitor.community;
    let mut frame = visitor.frame(format!("About {}", community.title));
    frame.head.description.clone_from(&community.description);
    frame.head.canonical = Some(web.app.urls.path("/about"));
    frame.head.indexed = true;
    visitor.page(&AboutPage {
        frame,
        description: community.description.clone(),
        about: community.about.clone(),
        rules: community.rules.clone(),
        people: people.iter().filter(|p| !p.account.is_suspended()).map(|p| look.person(p)).collect(),
        contact: community.contact_email.clone(),
    })
}
