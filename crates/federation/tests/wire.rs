//! What other programs send, read into our structs: one snapshot for each sample in `fixtures/<software>/`.
//!
//! A bug in understanding another program begins with a new sample here.

use std::path::Path;

use federation::wire::lenient;
use federation::wire::read::{ReceivedActivity, ReceivedActor, ReceivedNote};
use serde_json::{Value, json};

/// Everything we understand of a document, or why we do not.
fn understood(value: &Value) -> Value {
    let result = |r: Result<Value, String>| r.unwrap_or_else(|why| json!({"refused": why}));
    let to = |v: &dyn erased::Serialize| v.to_json();
    match lenient::types(value).next().unwrap_or_default() {
        "Person" | "Service" | "Group" | "Application" | "Organization" => {
            result(ReceivedActor::read(value).map(|a| to(&a)).map_err(|e| e.to_string()))
        }
        "Note" | "ChatMessage" | "Question" | "Article" | "Page" | "Event" | "Video" | "Image" | "Audio" => note(value),
        _ => {
            let read = ReceivedActivity::read(value);
            let inner = read.as_ref().ok().and_then(|a| a.object.value.clone());
            let mut shown = result(read.map(|a| to(&a)).map_err(|e| e.to_string()));
            if let Some(inner) = inner.filter(|inner| inner.get("type").is_some()) {
                shown["object"] = understood(&inner);
            }
            shown
        }
    }
}

fn note(value: &Value) -> Value {
    match ReceivedNote::read(value) {
        Ok(note) => {
            let followers = format!("{}/followers", note.attributed_to);
            let mut shown = serde_json::to_value(&note).unwrap();
            shown["visibility"] = json!(note.visibility(Some(&followers)));
            shown
        }
        Err(why) => json!({"refused": why.to_string()}),
    }
}

/// Serialising whatever the readers give, without naming each type.
mod erased {
    pub trait Serialize {
        fn to_json(&self) -> serde_json::Value;
    }
    impl<T: serde::Serialize> Serialize for T {
        fn to_json(&self) -> serde_json::Value {
            serde_json::to_value(self).unwrap()
        }
    }
}

#[test]
fn samples_of_other_programs_are_understood() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut seen = 0;
    let mut folders: Vec<_> = std::fs::read_dir(&root).unwrap().map(|e| e.unwrap().path()).collect();
    folders.sort();
    for folder in folders {
        let software = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
        files.sort();
        for file in files {
            let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
            let value = lenient::parse(&std::fs::read(&file).unwrap()).unwrap();
            insta::assert_json_snapshot!(format!("{software}__{name}"), understood(&value));
            seen += 1;
        }
    }
    assert!(seen >= 50, "only {seen} samples were found");
}

/// Texts that stand only in a map of languages.
#[test]
fn language_maps_are_read_where_there_is_no_text() {
    let base = json!({
        "type": "Article", "id": "https://a.example/1", "attributedTo": "https://a.example/u",
        "contentMap": {"und": "<p>?</p>", "de": "<p>Brot</p>"},
    });
    let read = |changes: Value| {
        let mut value = base.clone();
        value.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        ReceivedNote::read(&value).unwrap()
    };
    let article = read(json!({"nameMap": {"en": "Bread", "de": "Brot backen"}}));
    assert!(
        article.content.contains("<strong>Brot backen</strong>"),
        "in the language of the text: {}",
        article.content
    );
    for (map, warning) in [
        (json!({"de": "Essen", "en": "food"}), "Essen"),
        (json!({"und": "comida", "es": "cocina"}), "cocina"),
        (json!({"und": "food"}), "food"),
    ] {
        let note = read(json!({"type": "Note", "summaryMap": map}));
        assert_eq!((note.spoiler_text.as_str(), note.sensitive), (warning, true), "{map}");
    }
    let note = read(json!({"type": "Note", "summary": "said", "summaryMap": {"de": "gesagt"}}));
    assert_eq!(note.spoiler_text, "said");
    let note = read(json!({"type": "Note", "contentMap": {"und": "<p>only this</p>"}}));
    assert_eq!((note.content.as_str(), note.language), ("<p>only this</p>", None));
    let note = read(json!({"type": "Note", "attachment": [
        {"type": "Image", "url": "https://a.example/1.png", "nameMap": {"fr": "du pain"}},
    ]}));
    assert_eq!(note.attachments[0].description, "du pain");
    let poll =
        read(json!({"type": "Question", "oneOf": [{"nameMap": {"en": "rye"}}, {"name": "spelt"}]})).poll.unwrap();
    assert_eq!(poll.options, [("rye".to_owned(), 0), ("spelt".to_owned(), 0)]);
    for map in [json!({}), json!({"de": 7}), json!({"de": ""}), json!("text"), json!(null)] {
        assert_eq!(read(json!({"type": "Note", "summaryMap": map})).spoiler_text, "", "{map}");
    }
    let actor = json!({
        "type": "Person", "id": "https://a.example/u", "preferredUsername": "u", "inbox": "https://a.example/u/inbox",
        "publicKey": {"id": "https://a.example/u#main-key", "owner": "https://a.example/u", "publicKeyPem": "x"},
        "nameMap": {"en": "Una"}, "summaryMap": {"en": "<p>bakes</p>"},
        "attachment": [{"type": "PropertyValue", "nameMap": {"en": "oven"}, "value": "wood"}],
    });
    let actor = ReceivedActor::read(&actor).unwrap();
    assert_eq!((actor.display_name.as_str(), actor.summary.as_str()), ("Una", "<p>bakes</p>"));
    assert_eq!(actor.fields[0].name, "oven");
}

/// Files that somebody forgot to say all of.
#[test]
fn attachments_need_neither_a_type_nor_a_clean_address() {
    let read = |attachment: Value| {
        let value = json!({
            "type": "Note", "id": "https://a.example/1", "attributedTo": "https://a.example/u", "content": "x",
            "attachment": attachment,
        });
        let note = ReceivedNote::read(&value).unwrap();
        note.attachments.into_iter().map(|media| (media.url, media.mime)).collect::<Vec<_>>()
    };
    let one = |url: &str, mime: &str| vec![(url.to_owned(), mime.to_owned())];
    for (attachment, expected) in [
        (json!({"url": "https://a.example/cat.png"}), one("https://a.example/cat.png", "image/png")),
        (json!([{"mediaType": "video/mp4", "href": "https://a.example/v"}]), one("https://a.example/v", "video/mp4")),
        (
            json!({"type": null, "mediaType": "image/webp", "url": [{"href": "https://a.example/x"}]}),
            one("https://a.example/x", "image/webp"),
        ),
        (
            json!({"type": "Document", "url": "https://a.example/my cat 1.jpg"}),
            one("https://a.example/my%20cat%201.jpg", "image/jpeg"),
        ),
        (
            json!({"type": "Image", "url": {"type": "Link", "href": " https://a.example/a b.gif "}}),
            one("https://a.example/a%20b.gif", "image/gif"),
        ),
        (json!({"url": "https://a.example/page"}), vec![]),
        (json!({"type": "PropertyValue", "url": "https://a.example/cat.png"}), vec![]),
        (json!({"url": "javascript:alert(1).png"}), vec![]),
        (json!({"type": "Image", "url": "https://a.example/a\nb.png"}), vec![]),
        (json!("https://a.example/cat.png"), vec![]),
    ] {
        assert_eq!(read(attachment.clone()), expected, "{attachment}");
    }
}

#[test]
fn older_ways_to_say_sensitive_are_heard() {
    let read = |changes: Value| {
        let mut value = json!({
            "type": "Note", "id": "https://a.example/1", "attributedTo": "https://a.example/u", "content": "x",
        });
        value.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        ReceivedNote::read(&value).unwrap().sensitive
    };
    for yes in [
        json!({"sensitive": true}),
        json!({"sensitive": "True"}),
        json!({"sensitive": 1}),
        json!({"as:sensitive": true}),
        json!({"tag": [{"type": "Hashtag", "name": "#NSFW"}]}),
        json!({"tag": ["cats", "nsfw"]}),
        json!({"attachment": [{"type": "Image", "url": "https://a.example/1.png", "sensitive": true}]}),
    ] {
        assert!(read(yes.clone()), "{yes}");
    }
    for no in [
        json!({}),
        json!({"sensitive": false}),
        json!({"sensitive": "0"}),
        json!({"tag": [{"type": "Hashtag", "name": "#nsfwish"}]}),
        json!({"tag": [{"type": "Mention", "name": "nsfw", "href": "https://a.example/nsfw"}]}),
    ] {
        assert!(!read(no.clone()), "{no}");
    }
}
