//! Publishing.

use serde_json::json;
use testkit::{Answer, Instance, on_both};

use crate::api::media::upload;
use crate::api::{each, id};

on_both! {
    /// Every audience is kept to: who may not see a post is told that there is none.
    async fn audiences_are_kept(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya, marisol) =
            (house.member("dana").await, house.member("priya").await, house.member("marisol").await);
        priya.follow(&dana).await;
        let stranger = async |id: &str| {
            let request = house.request(http::Method::GET, &format!("/api/v1/statuses/{id}"));
            Answer::read(request.send().await.unwrap()).await.status
        };
        for (visibility, anybody, follower, other) in
            [("public", 200, 200, 200), ("unlisted", 200, 200, 200), ("private", 404, 200, 404), ("direct", 404, 404, 404)]
        {
            let post = dana.publish("hello there", visibility).await;
            assert_eq!(post["visibility"], visibility);
            let path = format!("/api/v1/statuses/{}", id(&post));
            assert_eq!(stranger(&id(&post)).await, anybody, "{visibility}");
            assert_eq!(priya.get(&path).await.status, follower, "{visibility}");
            assert_eq!(marisol.get(&path).await.status, other, "{visibility}");
        }
        let told = dana.publish("psst @marisol", "direct").await;
        assert_eq!(told["mentions"][0]["acct"], "marisol");
        assert_eq!(marisol.get(&format!("/api/v1/statuses/{}", id(&told))).await.status, 200);
        assert_eq!(marisol.notifications("mention").await.len(), 1);
    }
}

on_both! {
    /// Everything a composer sends comes back, safely written as HTML.
    async fn what_was_written_comes_back(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        let draft = json!({
            "status": "<script>alert(1)</script> #Tea https://maple.example/x", "spoiler_text": "food & drink",
            "visibility": "unlisted", "language": "en", "sensitive": true,
        });
        let post = dana.post("/api/v1/statuses", draft).await.ok();
        let content = post["content"].as_str().unwrap();
        assert!(content.contains("&lt;script&gt;") && !content.contains("<script"), "{content}");
        assert_eq!(post["tags"][0]["name"], "Tea");
        assert_eq!((&post["spoiler_text"], &post["language"]), (&json!("food & drink"), &json!("en")));
        assert_eq!(post["account"]["id"], dana.id.as_str());
        let uri = post["uri"].as_str().unwrap();
        let key = uri.strip_prefix(&format!("{}/users/dana/statuses/", house.base)).unwrap();
        assert_eq!(post["url"], format!("{}/@dana/{key}", house.base));
        assert_ne!(key, id(&post), "the id is in no address");
        let many = format!("/api/v1/statuses?id[]={}&id[]=1", id(&post));
        assert_eq!(each(&dana.get(&many).await.ok(), "id"), [id(&post)]);
    }
}

on_both! {
    /// The same key publishes once, however often a bad connection repeats the request.
    async fn a_repeated_request_publishes_once(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        let send = async || {
            let request = dana
                .request(http::Method::POST, "/api/v1/statuses")
                .header("idempotency-key", "only-once")
                .header("content-type", "application/x-www-form-urlencoded")
                .body("status=once&visibility=public");
            id(&Answer::read(request.send().await.unwrap()).await.ok())
        };
        let first = send().await;
        assert_eq!(send().await, first);
        let (a, b) = tokio::join!(send(), send());
        assert_eq!((a.as_str(), b.as_str()), (first.as_str(), first.as_str()));
        assert_eq!(dana.get("/api/v1/accounts/verify_credentials").await.ok()["statuses_count"], 1);
    }
}

on_both! {
    /// What cannot be published is refused with the reason.
    async fn bad_drafts_are_refused(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = (house.member("dana").await, house.member("priya").await);
        let hidden = id(&priya.publish("hidden", "private").await);
        for (draft, status) in [
            (json!({}), 422),
            (json!({"status": "  "}), 422),
            (json!({"status": "x".repeat(6_000)}), 422),
            (json!({"status": "x", "visibility": "everyone"}), 422),
            (json!({"status": "x", "in_reply_to_id": "1"}), 404),
            (json!({"status": "x", "in_reply_to_id": hidden}), 404),
            (json!({"status": "x", "media_ids": ["1"]}), 422),
            (json!({"status": "x", "poll": {"options": ["a", "b"], "expires_in": 60}}), 422),
            (json!({"status": "x", "scheduled_at": "2030-01-01T00:00:00Z"}), 422),
            (json!({"status": {"text": "x"}}), 422),
        ] {
            let answer = dana.post("/api/v1/statuses", draft.clone()).await;
            assert_eq!(answer.status, status, "{draft}: {}", answer.text);
            assert!(answer.json()["error"].is_string(), "{}", answer.text);
        }
    }
}

on_both! {
    /// As in Mastodon: a region is dropped, and what names no language is as if nothing had been said.
    async fn a_language_is_one_that_exists(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        let said = async |language: &str| {
            let post = dana.post("/api/v1/statuses", json!({"status": "ok", "language": language})).await.ok();
            (id(&post), post["language"].clone())
        };
        for (given, kept) in [("es", json!("es")), ("en-GB", json!("en")), ("zzzzzz", json!(null)), ("", json!(null))] {
            assert_eq!(said(given).await.1, kept, "{given}");
        }
        let source = |language: &str| json!({"source": {"language": language}});
        dana.patch("/api/v1/accounts/update_credentials", source("pt-BR")).await.ok();
        let (post, language) = said("zzzzzz").await;
        assert_eq!(language, "pt", "what she said once for all posts");
        let edited = |language: &str| json!({"status": "yes", "language": language});
        let path = format!("/api/v1/statuses/{post}");
        assert_eq!(dana.put(&path, edited("zzzzzz")).await.ok()["language"], "pt");
        assert_eq!(dana.put(&path, edited("fra")).await.ok()["language"], "fr");
        let refused = dana.patch("/api/v1/accounts/update_credentials", source("zzzzzz")).await;
        assert_eq!(refused.status, 422, "{}", refused.text);
    }
}

on_both! {
    /// A content warning that covers no text becomes the text, as in Mastodon; pictures stay covered.
    async fn a_warning_alone_is_the_text(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = (house.member("dana").await, house.member("priya").await);
        for text in [json!(null), json!(""), json!(" \n"), json!("\u{200b}\u{fe0f}")] {
            let draft = json!({"status": text, "spoiler_text": "sleep & teeth"});
            let post = dana.post("/api/v1/statuses", draft).await.ok();
            let said = (&post["content"], &post["spoiler_text"], &post["sensitive"]);
            assert_eq!(said, (&json!("<p>sleep &amp; teeth</p>"), &json!(""), &json!(true)), "{text}");
        }
        let picture = id(&upload(&dana, "a scraped knee").await.ok());
        let post = dana.post("/api/v1/statuses", json!({"spoiler_text": "blood", "media_ids": [picture]})).await.ok();
        let said = (&post["content"], &post["spoiler_text"], &post["sensitive"]);
        assert_eq!(said, (&json!("<p>blood</p>"), &json!(""), &json!(true)));
        let draft = json!({"spoiler_text": "@priya look", "visibility": "direct"});
        let post = dana.post("/api/v1/statuses", draft).await.ok();
        assert_eq!(each(&post["mentions"], "acct"), ["priya"]);
        assert_eq!(priya.notifications("mention").await.len(), 1);
        let post = dana.post("/api/v1/statuses", json!({"status": "words", "spoiler_text": "\u{2060}"})).await.ok();
        assert_eq!((&post["spoiler_text"], &post["sensitive"]), (&json!(""), &json!(false)), "nothing is no warning");
    }
}

on_both! {
    /// Nobody publishes, or is called, what nobody can see.
    async fn what_cannot_be_seen_is_nothing(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        for blank in [
            "\u{200b}\u{200d}",
            "\u{2800}\u{2800}",
            "\u{3164} \u{115f}",
            "\u{fe0f}\u{e0101}",
            "\u{202e}\u{200f}",
            "\u{34f}\u{ad}",
        ] {
            let refused = dana.post("/api/v1/statuses", json!({"status": blank})).await;
            let why = (refused.status, refused.json()["error"].clone());
            assert_eq!(why, (422, json!("Validation failed: text can't be blank")), "{blank:?}");
            let refused = dana.post("/api/v1/statuses", json!({"status": blank, "spoiler_text": blank})).await;
            assert_eq!(refused.status, 422, "{blank:?}: {}", refused.text);
            assert_eq!(dana.post("/api/v1/lists", json!({"title": blank})).await.status, 422, "{blank:?}");
            let rows = json!([{"name": blank, "value": blank}]);
            let profile = json!({"display_name": blank, "note": blank, "fields_attributes": rows});
            let shown = dana.patch("/api/v1/accounts/update_credentials", profile).await.ok();
            let kept = (&shown["display_name"], &shown["note"], &shown["fields"]);
            assert_eq!(kept, (&json!(""), &json!(""), &json!([])));
        }
        let picture = id(&upload(&dana, "\u{200b}").await.ok());
        let post = dana.post("/api/v1/statuses", json!({"status": "\u{200b}", "media_ids": [picture]})).await.ok();
        assert_eq!((&post["content"], &post["media_attachments"][0]["description"]), (&json!(""), &json!(null)));
        for seen in ["👩\u{200d}👧", "x\u{200b}", "אבג\u{200f}"] {
            dana.post("/api/v1/statuses", json!({"status": seen})).await.ok();
        }
    }
}

on_both! {
    /// Where the app names those whom a post may mention, it goes to nobody else: they are named, nothing is published.
    async fn a_post_goes_to_nobody_unexpected(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya, olga) = (house.member("dana").await, house.member("priya").await, house.member("olga").await);
        let send = async |text: &str, allowed: serde_json::Value| {
            let draft = json!({"status": text, "visibility": "direct", "allowed_mentions": allowed});
            dana.post("/api/v1/statuses", draft).await
        };
        for (text, allowed, unexpected) in [
            ("@priya @olga tea?", json!([priya.id]), vec!["olga"]),
            ("@priya @olga tea?", json!([]), vec!["priya", "olga"]),
            ("tea, @Olga?", json!([priya.id, "nonsense"]), vec!["olga"]),
        ] {
            let refused = send(text, allowed).await;
            assert_eq!(refused.status, 422, "{}", refused.text);
            assert_eq!(refused.json()["error"], "Post would be sent to unexpected accounts");
            assert_eq!(each(&refused.json()["unexpected_accounts"], "acct"), unexpected);
        }
        assert!(olga.notifications("mention").await.is_empty() && priya.notifications("mention").await.is_empty());
        send("@priya @olga tea?", json!([priya.id, olga.id])).await.ok();
        send("@nobody @dana hm", json!([])).await.ok();
        send("@priya yes", json!(null)).await.ok();
        send("@priya a single value is no list", json!(priya.id)).await.ok();
        assert_eq!((olga.notifications("mention").await.len(), priya.notifications("mention").await.len()), (1, 3));
    }
}

on_both! {
    /// A single value where Mastodon permits a list is dropped, as Rails does; where it takes one or more, it is one.
    async fn a_single_value_is_no_list(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = (house.member("dana").await, house.member("priya").await);
        dana.follow(&priya).await;
        let picture = id(&upload(&dana, "a cup").await.ok());
        for media in [json!(picture), json!(7), json!(""), json!(true)] {
            let post = dana.post("/api/v1/statuses", json!({"status": "x", "media_ids": media})).await.ok();
            assert_eq!(post["media_attachments"], json!([]), "{media}");
        }
        let rows = json!([{"name": "home", "value": "maple"}]);
        let change = json!({"fields_attributes": rows, "attribution_domains": ["tea.example"]});
        dana.patch("/api/v1/accounts/update_credentials", change).await.ok();
        let change = json!({"fields_attributes": "", "attribution_domains": "cup.example"});
        let kept = dana.patch("/api/v1/accounts/update_credentials", change).await.ok();
        assert_eq!(kept["fields"][0]["name"], "home");
        assert_eq!(kept["source"]["attribution_domains"], json!(["tea.example"]));
        priya.post(&format!("/api/v1/accounts/{}/follow", dana.id), json!({"languages": ["en"]})).await.ok();
        let still = priya.post(&format!("/api/v1/accounts/{}/follow", dana.id), json!({"languages": "es"})).await.ok();
        assert_eq!(still["languages"], json!(["en"]));
        let list = id(&dana.post("/api/v1/lists", json!({"title": "friends"})).await.ok());
        dana.post(&format!("/api/v1/lists/{list}/accounts"), json!({"account_ids": priya.id})).await.ok();
        assert_eq!(dana.get(&format!("/api/v1/lists/{list}/accounts")).await.ok(), json!([]));
        priya.publish("@dana hello", "public").await;
        for filter in ["types=follow", "exclude_types=mention", "types="] {
            let all = each(&dana.get(&format!("/api/v1/notifications?{filter}")).await.ok(), "type");
            assert!(all.contains(&"mention".to_owned()), "{filter}");
        }
        for path in ["accounts", "statuses"] {
            assert_eq!(dana.get(&format!("/api/v1/{path}?id={}", dana.id)).await.ok(), json!([]), "{path}");
        }
        let report = json!({"account_id": priya.id, "status_ids": "1", "rule_ids": "1"});
        assert_eq!(dana.post("/api/v1/reports", report).await.ok()["status_ids"], json!([]));

        let related = dana.get(&format!("/api/v1/accounts/relationships?id={}", priya.id)).await.ok();
        assert_eq!(each(&related, "id"), [priya.id.as_str()]);
        dana.post("/api/v1/markers", json!({"home": {"last_read_id": "5"}})).await.ok();
        assert_eq!(dana.get("/api/v1/markers?timeline=home").await.ok()["home"]["last_read_id"], "5");
        priya.publish("#tea", "public").await;
        let tagged = dana.get("/api/v1/timelines/tag/coffee?any=tea").await.ok();
        assert_eq!(tagged.as_array().unwrap().len(), 1);
    }
}

on_both! {
    /// Quotes are not made here: whoever would allow them is told so.
    async fn a_policy_for_quotes_is_kept_or_refused(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        let post = id(&dana.publish("first", "public").await);
        for (policy, status) in [("nobody", 200), ("", 200), ("public", 422), ("followers", 422), ("everyone", 422)] {
            let draft = json!({"status": "x", "quote_approval_policy": policy});
            let answers = [
                dana.post("/api/v1/statuses", draft.clone()).await,
                dana.put(&format!("/api/v1/statuses/{post}"), draft).await,
                dana.patch("/api/v1/accounts/update_credentials", json!({"source": {"quote_policy": policy}})).await,
            ];
            for answer in answers {
                assert_eq!(answer.status, status, "{policy}: {}", answer.text);
            }
        }
        let me = dana.get("/api/v1/accounts/verify_credentials").await.ok();
        let preferences = dana.get("/api/v1/preferences").await.ok();
        assert_eq!(me["source"]["quote_policy"], "nobody");
        assert_eq!(preferences["posting:default:quote_policy"], "nobody");
    }
}

on_both! {
    /// What a member's settings say is what a post without an audience gets, from the first day.
    async fn posts_are_for_whom_the_settings_say(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.cautious_member("dana").await;
        for privacy in [None, Some("unlisted"), Some("private"), Some("direct"), Some("public")] {
            if let Some(privacy) = privacy {
                dana.patch("/api/v1/accounts/update_credentials", json!({"source": {"privacy": privacy}})).await.ok();
            }
            let said = dana.get("/api/v1/accounts/verify_credentials").await.ok()["source"]["privacy"].clone();
            assert_eq!(dana.get("/api/v1/preferences").await.ok()["posting:default:visibility"], said);
            let drafts = [json!({}), json!({"visibility": ""}), json!({"visibility": null})];
            for mut draft in drafts {
                draft["status"] = json!("x");
                assert_eq!(dana.post("/api/v1/statuses", draft).await.ok()["visibility"], said, "{privacy:?}");
            }
        }
    }
}
