//! Characters that no text here holds (`domain::text::is_clean`) are dropped from what anybody sends before anything is
//! kept, on both databases alike; and every feed is well-formed.

use domain::text::is_clean;
use http::Method;
use serde_json::{Value, json};
use testkit::{Answer, Instance, Remote, on_both};

use crate::strangers::{account_at, arrives, with};

/// Of each kind one: C0, DEL, C1, noncharacters inside and outside of the first plane; and what ends a line.
const JUNK: &str = "\0\u{1}\u{1b}\u{7f}\u{9b}\u{fffe}\u{ffff}\u{fdd0}\u{1fffe}";

/// The document with the junk inside each of its texts and names of members.
fn soiled(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(soil(text)),
        Value::Array(all) => all.iter().map(soiled).collect(),
        Value::Object(all) => Value::Object(all.iter().map(|(k, v)| (soil(k), soiled(v))).collect()),
        other => other.clone(),
    }
}

/// Inside where there is an inside: white space at the ends is cut off by many.
fn soil(text: &str) -> String {
    let middle = text.floor_char_boundary(text.len() / 2);
    format!("{}{JUNK}{}", &text[..middle], &text[middle..])
}

/// The texts in it that hold what no text should.
fn unclean(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) if !text.chars().all(is_clean) => vec![text.clone()],
        Value::Array(all) => all.iter().flat_map(unclean).collect(),
        Value::Object(all) => all.values().flat_map(unclean).collect(),
        _ => Vec::new(),
    }
}

async fn feed(house: &Instance, path: &str) -> String {
    let answer = Answer::read(house.request(Method::GET, path).send().await.unwrap()).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    if let Err(e) = roxmltree::Document::parse(&answer.text) {
        panic!("{path}: {e}: {:?}", answer.text);
    }
    assert!(answer.text.chars().all(is_clean), "{path}: {:?}", answer.text);
    answer.text
}

on_both! {
    /// Every text of an actor and of a post, addresses included.
    async fn what_others_send_is_kept_clean(engine) {
        let maple = Instance::start("maple", engine).await;
        let alice = maple.member("alice").await;
        let willow = Remote::start("willow").await;
        let mut bob = willow.person("bob");
        let changes = json!({
            "name": "Bob", "summary": "<p>hi&#1;&#xFFFF;</p>",
            "attachment": [{"type": "PropertyValue", "name": "site", "value": "here"}],
        });
        bob.document = soiled(&with(&bob.document, &changes));
        bob.show();
        bob.is_followed_by(&alice, &maple).await;
        let there = account_at(&maple, &bob.uri).await.unwrap();
        assert_eq!((there.display_name.as_str(), there.note.as_str()), ("Bob", "<p>hi</p>"));
        assert_eq!((there.fields[0].name.as_str(), there.fields[0].value.as_str()), ("site", "here"));

        let picture = json!({
            "type": "Document", "mediaType": "image/png", "url": willow.url("/a.png"), "name": "a cot",
            "blurhash": "UBL_:rOpGG-oBUNG,qRj2so|=eE1w^n4S5NH",
        });
        let other = with(&picture, &json!({"url": willow.url("/b.png"), "blurhash": "\"><script>x"}));
        let tea = json!({"type": "Hashtag", "name": "#tea"});
        let note = with(
            &bob.note("/notes/1", "<p>tea</p>"),
            &json!({"attachment": [picture, other], "summary": "warm", "tag": [tea]}),
        );
        let create = with(&bob.does("Create", &note), &json!({"object": soiled(&note)}));
        assert_eq!(bob.post(&maple, &create).await, 202);
        let post = arrives(&maple, &willow.url("/notes/1")).await;
        assert_eq!((post.content.as_str(), post.spoiler_text.as_str()), ("<p>tea</p>", "warm"));
        let status = alice.get(&format!("/api/v1/statuses/{}", post.id)).await.ok();
        assert_eq!(status["media_attachments"][0]["description"], "a cot");
        assert_eq!(status["media_attachments"][0]["blurhash"], "UBL_:rOpGG-oBUNG,qRj2so|=eE1w^n4S5NH");
        assert_eq!(status["media_attachments"][1]["blurhash"], json!(null), "it has digits of its own");
        assert_eq!(status["tags"][0]["name"], "tea");
        assert_eq!(unclean(&status), Vec::<String>::new());
        assert!(feed(&maple, "/tags/tea.rss").await.contains("warm"));
    }
}

on_both! {
    /// A program that cuts texts in UTF-16 sends half an emoji as an escape, which is no Unicode.
    async fn half_an_emoji_does_not_lose_a_post(engine) {
        let maple = Instance::start("maple", engine).await;
        let alice = maple.member("alice").await;
        let willow = Remote::start("willow").await;
        let bob = willow.person("bob");
        bob.show();
        bob.is_followed_by(&alice, &maple).await;
        let note = bob.note("/notes/1", "<p>so tired HALF</p>");
        let create = bob.does("Create", &note).to_string().replace("HALF", r"\ud83d");
        assert_eq!(bob.post_text(&maple, create).await, 202);
        let post = arrives(&maple, &willow.url("/notes/1")).await;
        assert_eq!(post.content, "<p>so tired \u{fffd}</p>");
        let published = alice.request(Method::POST, "/api/v1/statuses").header("content-type", "application/json");
        let published = Answer::read(published.body(r#"{"status":"so am I \ud83d"}"#).send().await.unwrap()).await.ok();
        assert_eq!(published["content"], "<p>so am I \u{fffd}</p>");
    }
}

on_both! {
    /// Through the client API, as JSON and as forms, and through the command line's verbs.
    async fn what_members_write_is_kept_clean_and_feeds_stay_well_formed(engine) {
        let maple = Instance::start("maple", engine).await;
        let dana = maple.member("dana").await;
        let profile = json!({
            "display_name": "Dana", "note": "hello", "fields_attributes": [{"name": "a", "value": "b"}],
            "discoverable": true, "indexable": true,
        });
        let soiled_profile = json!({
            "display_name": soil("Da na"), "note": soil("hello"),
            "fields_attributes": [{"name": soil("ab"), "value": soil("cd")}],
        });
        dana.patch("/api/v1/accounts/update_credentials", profile).await.ok();
        let profile = dana.patch("/api/v1/accounts/update_credentials", soiled_profile).await.ok();
        assert_eq!((&profile["display_name"], &profile["note"]), (&json!("Da na"), &json!("<p>hello</p>")));
        assert_eq!((&profile["fields"][0]["name"], &profile["fields"][0]["value"]), (&json!("ab"), &json!("cd")));
        let list = dana.post("/api/v1/lists", json!({"title": soil("Garden")})).await.ok();
        assert_eq!(list["title"], "Garden");
        let post = json!({"status": soil("tea for #two"), "spoiler_text": soil("warm")});
        let post = dana.post("/api/v1/statuses", post).await.ok();
        let form = dana.request(Method::POST, "/api/v1/statuses");
        let form = form.header("content-type", "application/x-www-form-urlencoded");
        let body: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("status", &soil("tea for #two again"))
            .finish();
        let again = Answer::read(form.body(body).send().await.unwrap()).await.ok();
        let app = json!({"client_name": soil("An app"), "redirect_uris": "urn:ietf:wg:oauth:2.0:oob"});
        let app = dana.post("/api/v1/apps", app).await.ok();
        assert_eq!(app["name"], "An app");
        for value in [&profile, &list, &post, &again, &app] {
            assert_eq!(unclean(value), Vec::<String>::new());
        }
        let changes = app::community::change::Changes {
            title: Some(soil("Maple Street")),
            description: Some(soil("A small place")),
            about: Some(soil("All of it")),
            rules: Some(vec![soil("Be kind")]),
            ..Default::default()
        };
        let community = app::community::change::change(maple.app(), app::accounts::By::Operator, &changes).await.unwrap();
        assert_eq!((community.title.as_str(), community.rules.as_slice()), ("Maple Street", &["Be kind".to_owned()][..]));
        let reason = soil("spam");
        app::moderation::domains::block::block(maple.app(), app::accounts::By::Operator, "bad.example", Some(&reason))
            .await
            .unwrap();
        let instance = dana.get("/api/v2/instance").await.ok();
        assert_eq!(unclean(&instance), Vec::<String>::new());
        let blocks = dana.get("/api/v1/instance/domain_blocks").await;
        assert!(blocks.text.chars().all(is_clean));
        for path in ["/@dana.rss", "/feed.rss", "/tags/two.rss"] {
            assert!(feed(&maple, path).await.contains("tea for"), "{path}");
        }
    }
}

on_both! {
    /// A name cannot turn what stands behind it.
    async fn a_name_does_not_change_the_direction_of_others(engine) {
        let maple = Instance::start("maple", engine).await;
        let dana = maple.member("dana").await;
        let willow = Remote::start("willow").await;
        let mut bob = willow.person("bob");
        let turned = "\u{202e}elpam@anaD\u{2066}\n x";
        bob.document = with(&bob.document, &json!({"name": turned}));
        bob.show();
        bob.is_followed_by(&dana, &maple).await;
        assert_eq!(account_at(&maple, &bob.uri).await.unwrap().display_name, "elpam@anaD x");
        let changed = dana.patch("/api/v1/accounts/update_credentials", json!({"display_name": turned})).await.ok();
        assert_eq!(changed["display_name"], "elpam@anaD x");
        assert_eq!(dana.post("/api/v1/lists", json!({"title": turned})).await.ok()["title"], "elpam@anaD x");
        let app = json!({"client_name": turned, "redirect_uris": "urn:ietf:wg:oauth:2.0:oob"});
        assert_eq!(dana.post("/api/v1/apps", app).await.ok()["name"], "elpam@anaD x");
    }
}
