//! Activities, outgoing: what our accounts did, said in ActivityPub. Pure builders.
//!
//! The ids of what is done with a post are made from the post's, which cannot be guessed, and are stable: building the
//! same activity again gives the same id, so a receiver that sees it twice knows. Others are passed a key.

use activitypub_federation::kinds::activity::{
    AcceptType, AddType, AnnounceType, BlockType, CreateType, DeleteType, FollowType, LikeType, RejectType, RemoveType,
    UndoType, UpdateType,
};
use domain::account::Account;
use domain::view::PostView;
use domain::{AddressKey, FileUrls, Timestamp, Urls};
use serde::Serialize;

use super::actor::Actor;
use super::note::{Audience, Note, Tombstone, audience, note};

/// An activity: `K` is its type, `O` its object.
#[derive(Debug, Clone, Serialize)]
pub struct Activity<K, O> {
    pub id: String,
    #[serde(rename = "type")]
    kind: K,
    pub actor: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<String>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub audience: Option<Audience>,
    pub object: O,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// `Flag`, which the framework has no type for.
#[derive(Debug, Clone, Copy, Serialize)]
pub enum FlagType {
    Flag,
}

impl<K, O> Activity<K, O> {
    fn new(id: String, kind: K, actor: &str, object: O) -> Self {
        Self { id, kind, actor: actor.to_owned(), published: None, audience: None, object, target: None, content: None }
    }

    fn to(mut self, audience: Audience) -> Self {
        self.audience = Some(audience);
        self
    }

    fn at(mut self, at: Timestamp) -> Self {
        self.published = Some(at.to_rfc3339());
        self
    }
}

pub type Create = Activity<CreateType, Note>;
pub type UpdateNote = Activity<UpdateType, Note>;
pub type UpdateActor = Activity<UpdateType, Actor>;
pub type DeleteNote = Activity<DeleteType, Tombstone>;
pub type DeleteActor = Activity<DeleteType, String>;
pub type Announce = Activity<AnnounceType, String>;
pub type Like = Activity<LikeType, String>;
pub type Follow = Activity<FollowType, String>;
pub type Accept = Activity<AcceptType, Follow>;
pub type Reject = Activity<RejectType, Follow>;
pub type Block = Activity<BlockType, String>;
pub type Undo<T> = Activity<UndoType, T>;
pub type Add = Activity<AddType, String>;
pub type Remove = Activity<RemoveType, String>;
pub type Flag = Activity<FlagType, Vec<String>>;

/// A new post.
#[must_use]
pub fn create(view: &PostView, files: &FileUrls) -> Create {
    let note = note(view, files);
    // The address of `Urls::post_activity`, made from the one that the post was given.
    let id = format!("{}/activity", view.post().uri);
    let audience = note.audience.clone();
    Activity::new(id, CreateType::Create, &view.account.account.uri, note).to(audience).at(view.post().created_at)
}

/// An edit. The time of the edit is part of the id: every edit is an activity of its own.
#[must_use]
pub fn update_note(view: &PostView, files: &FileUrls) -> UpdateNote {
    let note = note(view, files);
    let at = view.post().edited_at.unwrap_or(view.post().created_at);
    let audience = note.audience.clone();
    let id = format!("{}#updates/{}", note.id, at.0);
    Activity::new(id, UpdateType::Update, &view.account.account.uri, note).to(audience).at(at)
}

/// A post was deleted.
#[must_use]
pub fn delete_note(author_uri: &str, post_uri: &str) -> DeleteNote {
    Activity::new(format!("{post_uri}#delete"), DeleteType::Delete, author_uri, Tombstone::new(post_uri.to_owned()))
        .to(Audience::public())
}

/// A boost; its own uri is the activity's id.
#[must_use]
pub fn announce(view: &PostView, urls: &Urls) -> Option<Announce> {
    let boosted = view.boost_of.as_ref()?;
    let object = boosted.post().uri.clone();
    let activity = Activity::new(view.post().uri.clone(), AnnounceType::Announce, &view.account.account.uri, object);
    Some(activity.to(audience(view, urls)).at(view.post().created_at))
}

/// A boost was taken back. What was boosted may be gone by now; its uri is enough.
#[must_use]
pub fn undo_announce(actor_uri: &str, boost_uri: &str, boosted_uri: &str) -> Undo<Announce> {
    let announce = Activity::new(boost_uri.to_owned(), AnnounceType::Announce, actor_uri, boosted_uri.to_owned())
        .to(Audience::public());
    undo(actor_uri, announce).to(Audience::public())
}

/// A favourite.
#[must_use]
pub fn like(actor_uri: &str, uri: &str, post_uri: &str) -> Like {
    Activity::new(uri.to_owned(), LikeType::Like, actor_uri, post_uri.to_owned())
}

#[must_use]
pub fn follow(actor_uri: &str, uri: &str, target_uri: &str) -> Follow {
    Activity::new(uri.to_owned(), FollowType::Follow, actor_uri, target_uri.to_owned())
}

#[must_use]
pub fn block(actor_uri: &str, uri: &str, target_uri: &str) -> Block {
    Activity::new(uri.to_owned(), BlockType::Block, actor_uri, target_uri.to_owned())
}

/// Takes back what was sent before.
#[must_use]
pub fn undo<K, O>(actor_uri: &str, what: Activity<K, O>) -> Undo<Activity<K, O>> {
    let id = match what.id.contains('#') {
        true => format!("{}/undo", what.id),
        false => format!("{}#undo", what.id),
    };
    Activity::new(id, UndoType::Undo, actor_uri, what)
}

/// Lets a follower in. `follow_uri` is the `Follow` it answers.
#[must_use]
pub fn accept(account: &Account, follower_uri: &str, follow_uri: &str, urls: &Urls, key: AddressKey) -> Accept {
    let id = urls.activity(&account.username, "accepts/follows", key);
    Activity::new(id, AcceptType::Accept, &account.uri, follow(follower_uri, follow_uri, &account.uri))
        .to(Audience::only(follower_uri))
}

/// Refuses a follower, or ends what was accepted.
#[must_use]
pub fn reject(account: &Account, follower_uri: &str, follow_uri: &str, urls: &Urls, key: AddressKey) -> Reject {
    let id = urls.activity(&account.username, "rejects/follows", key);
    Activity::new(id, RejectType::Reject, &account.uri, follow(follower_uri, follow_uri, &account.uri))
        .to(Audience::only(follower_uri))
}

/// A profile changed.
#[must_use]
pub fn update_actor(actor: Actor, at: Timestamp, key: AddressKey) -> UpdateActor {
    let uri = actor.id.clone();
    Activity::new(format!("{uri}#updates/{key}"), UpdateType::Update, &uri, actor).to(Audience::public()).at(at)
}

/// An account was deleted, and everything it wrote with it.
#[must_use]
pub fn delete_actor(actor_uri: &str) -> DeleteActor {
    Activity::new(format!("{actor_uri}#delete"), DeleteType::Delete, actor_uri, actor_uri.to_owned())
        .to(Audience::public())
}

/// A post was pinned to the profile.
#[must_use]
pub fn add_pin(account: &Account, post_uri: &str, urls: &Urls, key: AddressKey) -> Add {
    let id = urls.activity(&account.username, "pins", key);
    let mut add = Activity::new(id, AddType::Add, &account.uri, post_uri.to_owned());
    add.target = Some(urls.featured(&account.username));
    add
}

/// A post is no longer pinned.
#[must_use]
pub fn remove_pin(account: &Account, post_uri: &str, urls: &Urls, key: AddressKey) -> Remove {
    let id = urls.activity(&account.username, "unpins", key);
    let mut remove = Activity::new(id, RemoveType::Remove, &account.uri, post_uri.to_owned());
    remove.target = Some(urls.featured(&account.username));
    remove
}

/// Somebody is reported: the account, then its posts. The server itself says it: who reported stays here.
#[must_use]
pub fn flag(urls: &Urls, uri: &str, objects: Vec<String>, comment: &str, target_uri: &str) -> Flag {
    let mut flag = Activity::new(uri.to_owned(), FlagType::Flag, &urls.instance_actor(), objects);
    flag.content = Some(comment.to_owned());
    flag.to(Audience::only(target_uri))
}
