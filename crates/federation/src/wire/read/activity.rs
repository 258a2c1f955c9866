//! Received activities: who did what to which object.

use domain::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::note::audience;
use super::{Unusable, same_server};
use crate::wire::lenient::{id, id_of, ids, list, text, time, types};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum ActivityKind {
    Create,
    Update,
    Delete,
    Follow,
    Accept,
    Reject,
    Undo,
    Like,
    /// A reaction with an emoji; counts as a favourite here.
    EmojiReact,
    Announce,
    Block,
    Add,
    Remove,
    Move,
    Flag,
}

impl ActivityKind {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "Create" => Self::Create,
            "Update" => Self::Update,
            "Delete" => Self::Delete,
            "Follow" => Self::Follow,
            "Accept" | "TentativeAccept" => Self::Accept,
            "Reject" | "TentativeReject" => Self::Reject,
            "Undo" => Self::Undo,
            "Like" => Self::Like,
            "EmojiReact" => Self::EmojiReact,
            "Announce" => Self::Announce,
            "Block" => Self::Block,
            "Add" => Self::Add,
            "Remove" => Self::Remove,
            "Move" => Self::Move,
            "Flag" => Self::Flag,
            _ => return None,
        })
    }

    /// What it says is so or is not, however often it is said: it is done again where it comes again, for what it says
    /// may have been taken back meanwhile. Some servers use the same id each time.
    #[must_use]
    pub fn may_be_said_again(self) -> bool {
        !matches!(self, Self::Create | Self::Delete | Self::Flag | Self::Move)
    }

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Update => "Update",
            Self::Delete => "Delete",
            Self::Follow => "Follow",
            Self::Accept => "Accept",
            Self::Reject => "Reject",
            Self::Undo => "Undo",
            Self::Like => "Like",
            Self::EmojiReact => "EmojiReact",
            Self::Announce => "Announce",
            Self::Block => "Block",
            Self::Add => "Add",
            Self::Remove => "Remove",
            Self::Move => "Move",
            Self::Flag => "Flag",
        }
    }
}

/// An activity as far as we understand it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReceivedActivity {
    /// `None` where it was left out, or lies on another server than the actor: nobody gives out ids for others.
    pub id: Option<String>,
    pub kind: ActivityKind,
    pub actor: String,
    /// The first object.
    pub object: Object,
    /// The ids of all objects (`Flag` names several).
    pub objects: Vec<String>,
    pub target: Option<String>,
    pub to: Vec<String>,
    pub cc: Vec<String>,
    pub published: Option<Timestamp>,
    /// The words of a `Flag` (some put them into `summary`), the emoji of a reaction.
    pub content: Option<String>,
}

/// The object of an activity: an id, or the whole thing, or both.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Object {
    pub id: Option<String>,
    /// Where it came along in full.
    #[serde(skip)]
    pub value: Option<Value>,
}

impl Object {
    /// The types of the object where it came in full.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        self.value.iter().flat_map(types)
    }
}

impl ReceivedActivity {
    /// # Errors
    /// When there is no actor or object, or the type is none we know.
    pub fn read(value: &Value) -> Result<Self, Unusable> {
        let kind = types(value).find_map(ActivityKind::parse).ok_or(Unusable::UnknownType)?;
        let actor = id(value, "actor").ok_or(Unusable::Missing("actor"))?.to_owned();
        let first = list(value, "object").next().ok_or(Unusable::Missing("object"))?;
        let object = Object { id: id_of(first).map(str::to_owned), value: first.is_object().then(|| first.clone()) };
        if object.id.is_none() && object.value.is_none() {
            return Err(Unusable::Missing("object"));
        }
        Ok(Self {
            id: own_id(value, &actor),
            kind,
            actor,
            object,
            objects: ids(value, "object"),
            target: id(value, "target").map(str::to_owned),
            to: audience(value, "to"),
            cc: audience(value, "cc"),
            published: time(value, "published"),
            content: text(value, "content")
                .or_else(|| text(value, "summary"))
                .map(|t| crate::wire::lenient::cut(t, 5_000)),
        })
    }
}

/// The id of an activity where it is one that its actor's server may give out.
fn own_id(value: &Value, actor: &str) -> Option<String> {
    id_of(value).filter(|id| same_server(id, actor)).map(str::to_owned)
}

/// By what its actor would take an activity back: the id of the post that it brings, else its own id, else what it
/// says. `None` where it takes something back itself.
#[must_use]
pub fn about(kind: ActivityKind, own: Option<&str>, object: Option<&str>) -> Option<String> {
    match kind {
        ActivityKind::Delete | ActivityKind::Undo => None,
        ActivityKind::Create | ActivityKind::Update => object.map(str::to_owned),
        _ => own.map(str::to_owned).or_else(|| object.map(|object| format!("{} {object}", kind.as_str()))),
    }
}

/// What the inbox needs before it knows the sender: who, what, and which object. Reads the same shapes as
/// [`ReceivedActivity::read`] and accepts types we do not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    pub actor: String,
    pub id: Option<String>,
    pub kind: Option<ActivityKind>,
    /// The actor deletes itself.
    pub deletes_itself: bool,
    /// As [`about`].
    pub about: Option<String>,
}

impl Glance {
    /// # Errors
    /// When there is no actor: nobody could be asked for a key.
    pub fn read(value: &Value) -> Result<Self, Unusable> {
        let actor = id(value, "actor").ok_or(Unusable::Missing("actor"))?.to_owned();
        let kind = types(value).find_map(ActivityKind::parse);
        let deletes_itself = kind == Some(ActivityKind::Delete) && id(value, "object") == Some(actor.as_str());
        let own = own_id(value, &actor);
        let about = kind.and_then(|kind| about(kind, own.as_deref(), id(value, "object")));
        Ok(Self { id: own, kind, deletes_itself, about, actor })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_shape_of_an_activity_is_read() {
        for value in [
            json!({"type": "Like", "id": "https://a/1", "actor": "https://a/u", "object": "https://b/n"}),
            json!({"type": ["Like"], "id": "https://a/1", "actor": {"id": "https://a/u"}, "object": {"id": "https://b/n"}}),
            json!({"type": ["x:y", "as:Like"], "id": "https://a/1", "actor": ["https://a/u"], "object": [null, "https://b/n"]}),
        ] {
            let read = ReceivedActivity::read(&value).unwrap();
            assert_eq!((read.kind, read.actor.as_str()), (ActivityKind::Like, "https://a/u"));
            assert_eq!(read.object.id.as_deref(), Some("https://b/n"));
        }
    }

    #[test]
    fn what_cannot_be_understood_is_refused_with_a_reason() {
        let read = |v| ReceivedActivity::read(&v).unwrap_err();
        assert_eq!(read(json!({"type": "Like", "object": "x"})), Unusable::Missing("actor"));
        assert_eq!(read(json!({"type": "Like", "actor": "https://a/u"})), Unusable::Missing("object"));
        assert_eq!(read(json!({"type": "Like", "actor": "https://a/u", "object": [7]})), Unusable::Missing("object"));
        assert_eq!(read(json!({"type": "Dance", "actor": "a", "object": "b"})), Unusable::UnknownType);
        assert_eq!(read(json!([1])), Unusable::UnknownType);
    }

    #[test]
    fn deleting_oneself_is_seen_before_anything_else() {
        let glance = |v| Glance::read(&v).unwrap();
        assert!(glance(json!({"type": "Delete", "actor": "https://a/u", "object": "https://a/u"})).deletes_itself);
        assert!(
            glance(json!({"type": "Delete", "actor": "https://a/u", "object": {"id": "https://a/u"}})).deletes_itself
        );
        assert!(!glance(json!({"type": "Delete", "actor": "https://a/u", "object": "https://a/n"})).deletes_itself);
        assert!(!glance(json!({"type": "Update", "actor": "https://a/u", "object": "https://a/u"})).deletes_itself);
    }
}
