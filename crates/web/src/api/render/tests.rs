//! The shapes hold every field that Mastodon's documentation requires, and nothing stale is ever shown.

use domain::account::{Account as DomainAccount, ActorKind};
use domain::attachment::{Attachment, AttachmentKind, Focus};
use domain::post::Post;
use domain::view::{Emoji, Mention};
use domain::{AttachmentId, EmojiId, ThreadId};
use serde_json::Value;

use super::*;

const NOW: Timestamp = Timestamp(1_795_000_000_000);

fn files() -> FileUrls {
    FileUrls::new(domain::Urls::new(&url::Url::parse("https://maple.example").unwrap()).unwrap(), [1; 32])
}

fn account(id: i64) -> AccountView {
    let name = format!("dana{id}");
    let uri = format!("https://maple.example/users/{name}");
    AccountView {
        account: DomainAccount {
            id: AccountId(id),
            username: name,
            domain: None,
            url: uri.clone(),
            inbox_url: format!("{uri}/inbox"),
            uri,
            kind: ActorKind::Person,
            display_name: "Dana \"D\" :tea:".into(),
            note: "<p>hello</p>".into(),
            fields: vec![],
            avatar: None,
            header: None,
            locked: true,
            discoverable: false,
            indexable: false,
            hide_collections: false,
            shared_inbox_url: None,
            outbox_url: None,
            followers_url: None,
            following_url: None,
            featured_url: None,
            public_key_pem: String::new(),
            public_key_id: String::new(),
            also_known_as: vec![],
            moved_to_uri: None,
            posts_count: 3,
            followers_count: 2,
            following_count: 1,
            last_post_at: Some(Timestamp(1_700_000_000_000)),
            created_at: Timestamp(1_690_000_000_123),
            fetched_at: None,
            suspended_at: None,
            silenced_at: None,
        },
        emojis: vec![Emoji {
            id: EmojiId(1),
            shortcode: "tea".into(),
            domain: None,
            key: Some("emoji/tea.png".into()),
            remote_url: None,
            visible: true,
            category: None,
        }],
        role: Some(domain::account::Role::Owner),
        moved: None,
    }
}

fn post(id: i64, author: i64) -> PostView {
    let uri = format!("https://maple.example/users/dana{author}/statuses/{id}");
    PostView {
        core: Arc::new(PostCore {
            post: Post {
                id: PostId(id),
                url: uri.clone(),
                uri,
                account_id: AccountId(author),
                boost_of_id: None,
                in_reply_to_id: Some(PostId(4)),
                in_reply_to_account_id: Some(AccountId(5)),
                in_reply_to_uri: None,
                thread_id: ThreadId(4),
                visibility: Visibility::Followers,
                content: "<p>Tea?</p>".into(),
                source: Some("Tea?".into()),
                spoiler_text: String::new(),
                sensitive: false,
                language: Some("en".into()),
                local: true,
                app_id: None,
                created_at: Timestamp(1_700_000_000_123),
                edited_at: None,
                replies_count: 1,
                boosts_count: 2,
                favourites_count: 3,
            },
            mentions: vec![Mention {
                account_id: AccountId(9),
                username: "bob".into(),
                acct: "bob@willow.example".into(),
                uri: "https://willow.example/users/bob".into(),
                url: "https://willow.example/@bob".into(),
            }],
            tags: vec!["Tea".into()],
            attachments: vec![Attachment {
                id: AttachmentId(8),
                account_id: AccountId(author),
                post_id: Some(PostId(id)),
                kind: AttachmentKind::Image,
                mime: "image/webp".into(),
                key: Some("posts/aa/bb/c.webp".into()),
                preview_key: None,
                remote_url: None,
                description: String::new(),
                blurhash: None,
                focus: Some(Focus { x: 0.5, y: -0.25 }),
                width: Some(400),
                height: Some(300),
                preview_width: None,
                preview_height: None,
                size: Some(9),
                created_at: Timestamp(0),
            }],
            emojis: vec![],
            app: Some(("Tusky".into(), None)),
        }),
        account: Arc::new(account(author)),
        flags: PostFlags::default(),
        boost_of: None,
    }
}

fn parsed(json: &RawValue) -> Value {
    serde_json::from_str(json.get()).unwrap()
}

/// Field names and the JSON types each may have, from Mastodon's documentation of its entities.
fn assert_shape(what: &str, value: &Value, fields: &[(&str, &str)]) {
    for (name, types) in fields {
        let field = value.get(name).unwrap_or_else(|| panic!("{what} has no {name}: {value}"));
        let kind = match field {
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "list",
            Value::Object(_) => "object",
        };
        assert!(types.split('|').any(|t| t == kind), "{what}.{name} is {kind}, not {types}");
    }
}

const ACCOUNT: &[(&str, &str)] = &[
    ("id", "string"),
    ("username", "string"),
    ("acct", "string"),
    ("display_name", "string"),
    ("locked", "bool"),
    ("bot", "bool"),
    ("discoverable", "bool|null"),
    ("indexable", "bool"),
    ("group", "bool"),
    ("created_at", "string"),
    ("note", "string"),
    ("url", "string"),
    ("uri", "string"),
    ("avatar", "string"),
    ("avatar_static", "string"),
    ("header", "string"),
    ("header_static", "string"),
    ("followers_count", "number"),
    ("following_count", "number"),
    ("statuses_count", "number"),
    ("last_status_at", "string|null"),
    ("emojis", "list"),
    ("fields", "list"),
];
const STATUS: &[(&str, &str)] = &[
    ("id", "string"),
    ("created_at", "string"),
    ("in_reply_to_id", "string|null"),
    ("in_reply_to_account_id", "string|null"),
    ("sensitive", "bool"),
    ("spoiler_text", "string"),
    ("visibility", "string"),
    ("language", "string|null"),
    ("uri", "string"),
    ("url", "string"),
    ("replies_count", "number"),
    ("reblogs_count", "number"),
    ("favourites_count", "number"),
    ("edited_at", "string|null"),
    ("content", "string"),
    ("reblog", "object|null"),
    ("application", "object|null"),
    ("account", "object"),
    ("media_attachments", "list"),
    ("mentions", "list"),
    ("tags", "list"),
    ("emojis", "list"),
    ("card", "null"),
    ("poll", "null"),
];
const OWN: &[(&str, &str)] =
    &[("favourited", "bool"), ("reblogged", "bool"), ("muted", "bool"), ("bookmarked", "bool"), ("filtered", "list")];

#[test]
fn accounts_and_statuses_have_every_documented_field() {
    let (files, kept) = (files(), Rendered::default());
    let anonymous = Render { files: &files, kept: &kept, viewer: Viewer::Anonymous, now: NOW };
    let me = Render { viewer: Viewer::Account(AccountId(2)), ..anonymous };

    let json = parsed(&anonymous.account(&Arc::new(account(2))).unwrap());
    assert_shape("Account", &json, ACCOUNT);
    assert_eq!(json["created_at"], "2023-07-22T00:00:00.000Z");
    assert_eq!(json["roles"][0]["name"], "Owner");
    assert_eq!(json["emojis"][0]["url"], "https://maple.example/media/emoji/tea.png");

    let json = parsed(&anonymous.status(&post(7, 2)).unwrap());
    assert_shape("Status", &json, STATUS);
    assert_shape("Account in Status", &json["account"], ACCOUNT);
    assert!(json.get("favourited").is_none(), "nobody favourited it");
    assert!(json.get("text").is_none());
    assert_eq!(json["visibility"], "private");
    assert_eq!(json["media_attachments"][0]["meta"]["focus"]["y"], -0.25);
    assert_eq!(json["mentions"][0]["acct"], "bob@willow.example");
    assert_eq!(json["tags"][0]["url"], "https://maple.example/tags/Tea");
    assert_eq!(json["application"], serde_json::json!({"name": "Tusky", "website": null}));

    let mut seen = post(7, 2);
    seen.flags.favourited = true;
    let json = parsed(&me.status(&seen).unwrap());
    assert_shape("Status", &json, STATUS);
    assert_shape("Status of a member", &json, OWN);
    assert_eq!((&json["favourited"], &json["pinned"]), (&Value::Bool(true), &Value::Bool(false)));
    assert_eq!(parsed(&me.status_with_text(&seen).unwrap())["text"], "Tea?");
    assert!(parsed(&me.status(&post(8, 3)).unwrap()).get("pinned").is_none(), "only on one's own");
}

#[test]
fn a_suspended_account_shows_nothing_but_that_it_is() {
    let (files, kept) = (files(), Rendered::default());
    let mut view = account(2);
    view.account.suspended_at = Some(Timestamp(1));
    let json = parsed(
        &Render { files: &files, kept: &kept, viewer: Viewer::Anonymous, now: NOW }.account(&Arc::new(view)).unwrap(),
    );
    assert_shape("Account", &json, ACCOUNT);
    assert_eq!((json["suspended"].as_bool(), json["note"].as_str()), (Some(true), Some("")));
    assert_eq!((json["display_name"].as_str(), json["followers_count"].as_i64()), (Some(""), Some(0)));
}

#[test]
fn kept_json_is_never_stale_and_never_anothers() {
    let (files, kept) = (files(), Rendered::default());
    let me = Render { files: &files, kept: &kept, viewer: Viewer::Account(AccountId(2)), now: NOW };
    let other = Render { viewer: Viewer::Account(AccountId(3)), ..me };
    let mut view = post(7, 2);
    let first = me.status(&view).unwrap();
    assert!(Arc::ptr_eq(&first, &me.status(&view).unwrap()), "the same view is written once");
    assert!(Arc::ptr_eq(&first, &me.status(&post(7, 2)).unwrap()), "an equal view, too");

    view.flags.bookmarked = true;
    assert_eq!(parsed(&me.status(&view).unwrap())["bookmarked"], true);
    assert_eq!(parsed(&other.status(&post(7, 2)).unwrap())["bookmarked"], false);
    assert!(parsed(&other.status(&post(7, 2)).unwrap()).get("pinned").is_none());

    let mut edited = post(7, 2);
    Arc::make_mut(&mut edited.core).post.content = "<p>Coffee!</p>".into();
    assert_eq!(parsed(&me.status(&edited).unwrap())["content"], "<p>Coffee!</p>");
    let mut renamed = edited.clone();
    Arc::make_mut(&mut renamed.account).account.display_name = "D.".into();
    assert_eq!(parsed(&me.status(&renamed).unwrap())["account"]["display_name"], "D.");

    let mut boost = post(9, 3);
    boost.boost_of = Some(Box::new(renamed.clone()));
    let json = parsed(&me.status(&boost).unwrap());
    assert_shape("Status in a boost", &json["reblog"], STATUS);
    assert_eq!(json["reblog"]["account"]["display_name"], "D.");
    boost.boost_of = Some(Box::new(edited));
    assert_eq!(parsed(&me.status(&boost).unwrap())["reblog"]["account"]["display_name"], "Dana \"D\" :tea:");
}

#[test]
fn addresses_are_for_their_reader_and_what_needs_none_is_written_once_for_all() {
    let (files, kept) = (files(), Rendered::default());
    let me = Render { files: &files, kept: &kept, viewer: Viewer::Account(AccountId(2)), now: NOW };
    let (other, nobody) =
        (Render { viewer: Viewer::Account(AccountId(3)), ..me }, Render { viewer: Viewer::Anonymous, ..me });
    let later = Render { now: NOW.plus(std::time::Duration::from_secs(8 * 86_400)), ..other };
    let url = |json: &RawValue| parsed(json)["media_attachments"][0]["url"].as_str().unwrap().to_owned();

    let private = post(7, 5);
    let (mine, hers) = (me.status(&private).unwrap(), other.status(&private).unwrap());
    assert!(url(&mine).contains("?r=2&u=") && url(&hers).contains("?r=3&u="), "{mine} {hers}");
    assert!(Arc::ptr_eq(&mine, &me.status(&private).unwrap()), "kept for her");
    assert_ne!(url(&hers), url(&later.status(&private).unwrap()), "before its time is over, it is written anew");
    assert!(!url(&nobody.status(&private).unwrap()).contains('?'));

    let mut boost = post(9, 5);
    Arc::make_mut(&mut boost.core).attachments.clear();
    boost.boost_of = Some(Box::new(private));
    for (render, reader) in [(me, "?r=2&"), (other, "?r=3&"), (me, "?r=2&")] {
        let json = parsed(&render.status(&boost).unwrap());
        assert!(json["reblog"]["media_attachments"][0]["url"].as_str().unwrap().contains(reader), "{json}");
    }

    let mut wordy = post(10, 5);
    Arc::make_mut(&mut wordy.core).attachments.clear();
    let mut open = post(11, 5);
    Arc::make_mut(&mut open.core).post.visibility = Visibility::Unlisted;
    for shared in [wordy, open] {
        assert!(Arc::ptr_eq(&me.status(&shared).unwrap(), &other.status(&shared).unwrap()), "one text for both");
    }
}

#[test]
fn where_a_picture_lies_elsewhere_is_told_to_nobody() {
    let (files, kept) = (files(), Rendered::default());
    let me = Render { files: &files, kept: &kept, viewer: Viewer::Account(AccountId(2)), now: NOW };
    let mut view = post(7, 5);
    Arc::make_mut(&mut view.core).attachments[0].remote_url = Some("https://willow.example/c.webp?p=1".into());
    assert_eq!(parsed(&me.status(&view).unwrap())["media_attachments"][0]["remote_url"], Value::Null);
    Arc::make_mut(&mut view.core).post.visibility = Visibility::Public;
    let open = parsed(&me.status(&view).unwrap());
    let shown = &open["media_attachments"][0];
    assert!(shown.as_object().is_some_and(|fields| fields.contains_key("remote_url")), "apps expect the field");
    assert_eq!((&shown["remote_url"], &shown["preview_remote_url"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_list_of_finished_texts_is_one_json_array() {
    let listed = Listed(vec![raw(&"a").unwrap(), raw(&1).unwrap()]).into_response();
    let bytes = axum::body::to_bytes(listed.into_body(), 99).await.unwrap();
    assert_eq!(&bytes[..], br#"["a",1]"#);
    let bytes = axum::body::to_bytes(Listed(vec![]).into_response().into_body(), 99).await.unwrap();
    assert_eq!(&bytes[..], b"[]");
}
