//! Whatever another server puts into a name, a profile or a post: nothing that an app, a browser or a feed reader loads
//! by itself lies anywhere but here. Its server would learn who reads what, when, and from which address.

use futures_util::StreamExt as _;
use http::Method;
use serde_json::{Value, json};
use testkit::{Answer, Instance, Person, Remote, eventually, on_both};
use tokio_tungstenite::tungstenite::Message;

const SPIES: &str = r#"<img src="SPY/a.png"><video src="SPY/b.mp4" poster="SPY/c.png" autoplay></video>
    <audio src="SPY/d.mp3"></audio><iframe src="SPY/e"></iframe><object data="SPY/f"></object><embed src="SPY/g">
    <link rel="stylesheet" href="SPY/h.css"><style>p { background: url(SPY/i.png) }</style><svg><image href="SPY/j"/></svg>
    <p style="background: url(SPY/k.png)">words :wave: <a href="SPY/page" ping="SPY/l">a link</a></p>
    <picture><source srcset="SPY/m.png 2x"></picture><input type="image" src="SPY/n"><table background="SPY/o"></table>
    <script src="SPY/p.js"></script><base href="SPY/"><meta http-equiv="refresh" content="0; url=SPY/q">"#;

/// What is loaded, and where it was found.
type Loaded = Vec<(String, String)>;

struct Walk {
    maple: String,
    willow: String,
    /// All that is loaded by itself, from anywhere.
    loaded: Loaded,
    /// What is loaded from elsewhere, or may be.
    foreign: Loaded,
}

impl Walk {
    fn load(&mut self, at: &str, address: &str) {
        let address = address.trim();
        if address.is_empty() || address.starts_with('#') {
            return;
        }
        self.loaded.push((at.to_owned(), address.to_owned()));
        let ours = address.strip_prefix(&self.maple).is_some_and(|rest| rest.starts_with('/'));
        let relative = address.starts_with('/') && !address.starts_with("//");
        if !ours && !relative {
            self.foreign.push((at.to_owned(), address.to_owned()));
        }
    }

    /// Every string of a JSON document. A name of the other server may stand in what a person chooses to open, and in HTML
    /// that loads nothing; anywhere else it is taken for something that is loaded.
    fn json(&mut self, at: &str, value: &Value) {
        const LOADED: [&str; 10] = [
            "avatar",
            "avatar_static",
            "header",
            "header_static",
            "static_url",
            "preview_url",
            "remote_url",
            "preview_remote_url",
            "image",
            "thumbnail",
        ];
        const HTML: [&str; 4] = ["content", "note", "value", "description"];
        match value {
            Value::Array(values) => values.iter().for_each(|value| self.json(at, value)),
            Value::Object(fields) => {
                // Something to open: an account, a post, a mention, a tag. (What has an address to load has neither.)
                let opens = ["acct", "content", "history"].iter().any(|name| fields.contains_key(*name));
                let opens = opens || (fields.contains_key("name") && fields.contains_key("url") && fields.len() == 2);
                for (name, value) in fields {
                    let at = format!("{at} .{name}");
                    match value {
                        Value::String(text) if LOADED.contains(&name.as_str()) => self.load(&at, text),
                        Value::String(text) if name == "url" && !opens => self.load(&at, text),
                        Value::String(text) if HTML.contains(&name.as_str()) => self.html(&at, text),
                        Value::String(_) if name == "uri" || (name == "url" && opens) => {}
                        // What somebody typed, or a whole document (of a stream).
                        Value::String(text) if text.starts_with('{') => {
                            self.json(&at, &serde_json::from_str(text).unwrap());
                        }
                        Value::String(text) if text.contains(&format!("//{}", self.willow)) => {
                            self.foreign.push((at, text.clone()));
                        }
                        Value::String(_) => {}
                        other => self.json(&at, other),
                    }
                }
            }
            _ => {}
        }
    }

    /// What a browser loads of HTML by itself.
    fn html(&mut self, at: &str, html: &str) {
        for tag in html.split('<').skip(1) {
            let Some((tag, text)) = tag.split_once('>') else { continue };
            let name = tag.split_ascii_whitespace().next().unwrap_or_default().to_ascii_lowercase();
            assert!(!["script", "iframe", "object", "embed", "base"].contains(&name.as_str()), "{at}: <{tag}>");
            if name == "style" {
                assert!(!text.contains("url("), "{at}: {text}");
            }
            let attribute = |wanted: &str| {
                let rest = tag.split_once(&format!(" {wanted}=\""))?.1;
                Some(rest.split('"').next().unwrap_or_default().replace("&amp;", "&").replace("&#38;", "&"))
            };
            for wanted in
                ["src", "srcset", "poster", "data", "background", "ping", "action", "formaction", "xlink:href"]
            {
                if let Some(address) = attribute(wanted) {
                    self.load(&format!("{at} <{name} {wanted}>"), &address);
                }
            }
            if let Some(style) = attribute("style") {
                assert!(!style.contains("url("), "{at}: {style}");
            }
            let rel = attribute("rel").unwrap_or_default();
            let followed = ["alternate", "canonical", "prev", "next", "me"].contains(&rel.as_str());
            if (name == "link" && !followed) || ["image", "use"].contains(&name.as_str()) {
                self.load(&format!("{at} <{name} href>"), &attribute("href").unwrap_or_default());
            }
            if name == "meta" && attribute("property").is_some_and(|p| p.contains("image") && !p.contains("alt")) {
                self.load(&format!("{at} <meta>"), &attribute("content").unwrap_or_default());
            }
            assert!(!(name == "meta" && tag.contains("refresh")), "{at}: <{tag}>");
        }
    }

    /// A feed: its pictures and files, and the HTML of its items.
    fn feed(&mut self, at: &str, xml: &str) {
        for tag in ["<enclosure ", "<media:content ", "<media:thumbnail "] {
            for rest in xml.split(tag).skip(1) {
                let address = rest.split_once("url=\"").unwrap().1.split('"').next().unwrap();
                self.load(&format!("{at} {tag}"), address);
            }
        }
        for element in ["image", "icon", "logo", "itunes:image"] {
            for rest in xml.split(&format!("<{element}>")).skip(1) {
                let inside = rest.split(&format!("</{element}>")).next().unwrap();
                let address = inside.split_once("<url>").map_or(inside, |(_, rest)| rest.split('<').next().unwrap());
                self.load(&format!("{at} <{element}>"), address);
            }
        }
        let text = xml.replace("<![CDATA[", "").replace("]]>", "");
        let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
        self.html(at, &text);
    }

    async fn api(&mut self, who: &Person, path: &str) -> Value {
        let answer = who.get(path).await.ok();
        self.json(path, &answer);
        answer
    }
}

fn spying(text: &str, at: &str) -> String {
    text.replace("SPY", at)
}

on_both! {
    /// Bob's server puts a spy wherever it can; Dana reads all of it, in every way there is.
    async fn no_address_that_is_loaded_by_itself_lies_elsewhere(engine) {
        let maple = Instance::start("maple", engine).await;
        let willow = Remote::start("willow").await;
        let (dana, priya) = (maple.member("dana").await, maple.member("priya").await);
        let spies = spying(SPIES, &willow.base);
        let emoji = json!({
            "id": willow.url("/emojis/wave"), "type": "Emoji", "name": ":wave:",
            "icon": {"type": "Image", "mediaType": "image/png", "url": willow.url("/wave.png")},
        });
        willow.answer_bytes("/wave.png", "image/png", include_bytes!("../../web/tests/api/two-by-two.png"));
        let mut bob = willow.person("bob");
        for (name, value) in [
            ("name", json!("Bob :wave:")),
            ("summary", json!(spies)),
            ("tag", json!([emoji])),
            ("icon", json!({"type": "Image", "mediaType": "image/png", "url": willow.url("/avatar.png")})),
            ("image", json!({"type": "Image", "mediaType": "image/png", "url": willow.url("/header.png")})),
            ("attachment", json!([{"type": "PropertyValue", "name": "home :wave:", "value": spies}])),
        ] {
            bob.document[name] = value;
        }
        bob.show();
        let eve = willow.person("eve");
        bob.is_followed_by(&dana, &maple).await;
        let me = format!("{}/users/dana", maple.base);
        let handle = format!("bob@{}", willow.domain);
        let bob_here = dana.find(&handle).await;

        // A post with everything, for everybody; one for her alone; one that is a question; and what he does.
        let media = |kind: &str, mime: &str, name: &str| {
            json!({"type": kind, "mediaType": mime, "url": willow.url(name), "name": "what is on it",
                "icon": {"type": "Image", "url": willow.url("/thumb.png")}})
        };
        let mention = json!({"type": "Mention", "href": me, "name": format!("@{}", dana.handle())});
        let hashtag = json!({"type": "Hashtag", "href": willow.url("/tags/tea"), "name": "#tea"});
        let full = |path: &str, warning: &str| {
            let mut note = bob.note(path, &format!("<p>seen :wave: #tea</p>{spies}"));
            note["tag"] = json!([emoji, mention, hashtag]);
            note["url"] = json!(willow.url(&format!("/@bob{path}")));
            note["cc"] = json!([me, format!("{}/followers", bob.uri)]);
            note["attachment"] = json!([
                media("Document", "image/png", "/one.png"), media("Document", "video/mp4", "/two.mp4"),
                media("Document", "audio/mpeg", "/three.mp3"), media("Document", "application/x-what", "/four"),
            ]);
            if !warning.is_empty() {
                note["summary"] = json!(warning);
                note["sensitive"] = json!(true);
            }
            note
        };
        let open = full("/notes/open", "");
        let warned = full("/notes/warned", &format!("careful :wave: {spies}"));
        let mut direct = full("/notes/direct", "");
        direct["to"] = json!([me]);
        direct["cc"] = json!([]);
        let mut question = full("/notes/question", "");
        question["type"] = json!("Question");
        question["oneOf"] = json!([
            {"type": "Note", "name": "yes :wave:", "replies": {"type": "Collection", "totalItems": 1}},
            {"type": "Note", "name": spies, "replies": {"type": "Collection", "totalItems": 0}},
        ]);
        for note in [&open, &warned, &direct, &question] {
            assert_eq!(bob.post(&maple, &bob.does("Create", note)).await, 202);
        }
        let own = dana.publish("mine #tea", "public").await;
        let own_id = own["id"].as_str().unwrap().to_owned();
        assert_eq!(bob.post(&maple, &bob.does("Like", &own["uri"])).await, 202);
        let mut announce = bob.does("Announce", &own["uri"]);
        announce["to"] = json!(["https://www.w3.org/ns/activitystreams#Public"]);
        assert_eq!(bob.post(&maple, &announce).await, 202);
        let mut reply = full("/notes/reply", "");
        reply["inReplyTo"] = own["uri"].clone();
        assert_eq!(bob.post(&maple, &bob.does("Create", &reply)).await, 202);
        assert_eq!(eve.post(&maple, &eve.does("Follow", &json!(me))).await, 202);
        let seen = dana.sees("bob's post", |p| p["uri"] == open["id"]).await;
        let id = seen["id"].as_str().unwrap().to_owned();
        eventually("all of it came", async || {
            let notified = dana.get("/api/v1/notifications?limit=40").await.ok();
            let kinds: Vec<_> = notified.as_array()?.iter().filter_map(|n| n["type"].as_str()).collect();
            (["favourite", "reblog", "mention", "follow"].iter().all(|kind| kinds.contains(kind))
                && kinds.iter().filter(|kind| **kind == "mention").count() >= 4)
                .then_some(())
        })
        .await;
        let mut edited = open.clone();
        edited["content"] = json!(format!("<p>edited :wave:</p>{spies}"));
        edited["updated"] = json!("2026-12-01T00:00:00Z");
        assert_eq!(bob.post(&maple, &bob.does("Update", &edited)).await, 202);
        for deed in ["favourite", "bookmark", "reblog"] {
            dana.post(&format!("/api/v1/statuses/{id}/{deed}"), json!({})).await.ok();
        }
        let list = dana.post("/api/v1/lists", json!({"title": "neighbours"})).await.ok()["id"].as_str().unwrap().to_owned();
        dana.post(&format!("/api/v1/lists/{list}/accounts"), json!({"account_ids": [bob_here]})).await.ok();
        let eve_here = dana.find(&format!("eve@{}", willow.domain)).await;
        dana.post(&format!("/api/v1/accounts/{eve_here}/mute"), json!({})).await.ok();
        priya.find(&handle).await;
        priya.post(&format!("/api/v1/accounts/{bob_here}/block"), json!({})).await.ok();

        let mut walk = Walk {
            maple: maple.base.clone(),
            willow: willow.domain.clone(),
            loaded: Loaded::new(),
            foreign: Loaded::new(),
        };
        // A stream, too: what comes while she listens.
        let address = format!("{}/api/v1/streaming?stream=user&access_token={}", maple.base, dana.token);
        let tcp = tokio::net::TcpStream::connect(maple.address).await.unwrap();
        let (mut socket, _) = tokio_tungstenite::client_async(address.replacen("http", "ws", 1), tcp).await.unwrap();
        assert_eq!(bob.post(&maple, &bob.does("Create", &full("/notes/live", ""))).await, 202);
        let mut live = 0;
        while live < 2 {
            let frame = tokio::time::timeout(std::time::Duration::from_secs(10), socket.next()).await;
            if let Message::Text(text) = frame.unwrap().unwrap().unwrap() {
                walk.json("stream", &serde_json::from_str(&text).unwrap());
                live += 1;
            }
        }

        for path in [
            format!("/api/v1/accounts/{bob_here}"), format!("/api/v1/accounts/lookup?acct={handle}"),
            format!("/api/v1/accounts/{bob_here}/statuses"), format!("/api/v1/accounts/search?q={handle}"),
            format!("/api/v1/accounts/{bob_here}/statuses?only_media=true"),
            format!("/api/v1/accounts/{}/followers", dana.id), format!("/api/v1/accounts/{}/following", dana.id),
            "/api/v1/accounts/verify_credentials".to_owned(), format!("/api/v1/statuses/{id}"),
            format!("/api/v1/statuses/{id}/context"), format!("/api/v1/statuses/{id}/history"),
            format!("/api/v1/statuses/{own_id}/context"), format!("/api/v1/statuses/{own_id}/favourited_by"),
            format!("/api/v1/statuses/{own_id}/reblogged_by"), "/api/v1/timelines/home?limit=40".to_owned(),
            "/api/v1/timelines/public".to_owned(), "/api/v1/timelines/public?remote=true".to_owned(),
            "/api/v1/timelines/tag/tea".to_owned(), format!("/api/v1/timelines/list/{list}"),
            format!("/api/v1/lists/{list}/accounts"), "/api/v1/notifications?limit=40".to_owned(),
            "/api/v1/conversations".to_owned(), "/api/v1/favourites".to_owned(), "/api/v1/bookmarks".to_owned(),
            "/api/v1/mutes".to_owned(), "/api/v1/follow_requests".to_owned(), "/api/v1/custom_emojis".to_owned(),
            "/api/v1/instance".to_owned(), "/api/v2/instance".to_owned(),
            format!("/api/v2/search?q={handle}"), "/api/v2/search?q=seen".to_owned(),
            format!("/api/v2/search?q={}", bob.uri),
        ] {
            let found = walk.api(&dana, &path).await;
            if !path.contains("follow_requests") && !path.contains("custom_emojis") {
                assert!(!found.as_array().is_some_and(Vec::is_empty), "{path} shows nothing");
            }
        }
        walk.api(&priya, "/api/v1/blocks").await;
        for path in ["/api/v1/timelines/tag/tea", "/api/v1/timelines/public"] {
            let answer = Answer::read(maple.request(Method::GET, path).send().await.unwrap()).await;
            walk.json(path, &answer.json());
        }
        for emoji in [".emojis .url", ".emojis .static_url"] {
            let seen = walk.loaded.iter().filter(|(at, address)| at.ends_with(emoji) && address.contains("/media/")).count();
            assert!(seen > 40, "{emoji}: {seen}");
        }
        for name in [".avatar", ".header_static", ".preview_url", ".media_attachments .url"] {
            assert!(walk.loaded.iter().any(|(at, address)| at.ends_with(name) && address.contains("/media/remote/")), "{name}");
        }

        let login = dana.http.get(format!("{}/login", maple.base)).send().await.unwrap().text().await.unwrap();
        walk.html("/login", &login);
        for path in [
            "/".to_owned(), "/about".to_owned(), "/@dana".to_owned(), format!("/@dana/{own_id}"), "/tags/tea".to_owned(),
        ] {
            let answer = Answer::read(maple.request(Method::GET, &path).send().await.unwrap()).await;
            assert_eq!(answer.status, 200, "{path}");
            walk.html(&path, &answer.text);
        }
        let pages_show = |part: &str| walk.loaded.iter().any(|(at, address)| at.contains('<') && address.contains(part));
        assert!(pages_show("/media/remote/emojis/") || pages_show("/media/"), "the pages show him");
        for path in ["/feed.rss", "/@dana.rss", "/tags/tea.rss"] {
            let answer = Answer::read(maple.request(Method::GET, path).send().await.unwrap()).await;
            assert_eq!(answer.status, 200, "{path}");
            walk.feed(path, &answer.text);
        }
        assert!(walk.loaded.iter().any(|(at, _)| at.contains("/tags/tea.rss <enclosure")), "a feed with his picture");
        assert!(walk.foreign.is_empty(), "loaded from elsewhere: {:#?}", walk.foreign);

        // The emoji is there, from here, and its server was asked by ours alone.
        let emoji = seen["emojis"][0]["url"].as_str().unwrap().strip_prefix(&maple.base).unwrap().to_owned();
        let picture = maple.request(Method::GET, &emoji).send().await.unwrap();
        assert_eq!((picture.status().as_u16(), picture.headers()["content-type"].to_str().unwrap()), (200, "image/png"));
        for asked in willow.asked() {
            let by = asked.headers["user-agent"].to_str().unwrap();
            assert!(by.starts_with("Porchlight/"), "{} was asked for by {by}", asked.target);
        }
    }
}
