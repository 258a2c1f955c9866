//! U+0000 in what another server sends is dropped before anything is kept, on both databases alike.

use serde_json::json;
use testkit::{Instance, Remote, on_both};

use crate::strangers::{account_at, arrives, with};

on_both! {
    async fn what_others_send_is_kept_without_nul(engine) {
        let maple = Instance::start("maple", engine).await;
        let alice = maple.member("alice").await;
        let willow = Remote::start("willow").await;
        let mut bob = willow.person("bob");
        let changes = json!({
            "name": "B\0ob", "summary": "<p>h\0i</p>",
            "attachment": [{"type": "PropertyValue", "name": "site\0", "value": "\0here"}],
        });
        bob.document = with(&bob.document, &changes);
        bob.show();
        bob.is_followed_by(&alice, &maple).await;
        let there = account_at(&maple, &bob.uri).await.unwrap();
        assert_eq!(there.display_name, "Bob");
        assert_eq!((there.fields[0].name.as_str(), there.fields[0].value.as_str()), ("site", "here"));

        let picture = json!({
            "type": "Document\0", "mediaType": "image/\0png", "url": willow.url("/a.png"), "name": "a \0cot",
            "blurhash": "UBL_:rOpGG-oBUNG,\0qRj2so|=eE1w^n4S5NH",
        });
        let note = with(
            &bob.note("/notes/1", "<p>t\0ea</p>"),
            &json!({"attachment": [picture], "summary": "\0", "tag": [{"type": "Hashtag", "name": "#t\0ea"}]}),
        );
        assert_eq!(bob.post(&maple, &bob.does("Create", &note)).await, 202);
        let post = arrives(&maple, &willow.url("/notes/1")).await;
        assert_eq!((post.content.as_str(), post.spoiler_text.as_str()), ("<p>tea</p>", ""));
        let status = alice.get(&format!("/api/v1/statuses/{}", post.id)).await.ok();
        assert_eq!(status["media_attachments"][0]["description"], "a cot");
        assert_eq!(status["media_attachments"][0]["blurhash"], "UBL_:rOpGG-oBUNG,qRj2so|=eE1w^n4S5NH");
        assert_eq!(status["tags"][0]["name"], "tea");
    }
}
