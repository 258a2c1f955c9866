//! Pictures that are not for everybody: each reader has addresses of her own, which end with her access.

use std::time::Duration;

use domain::Whom;
use http::Method;
use serde_json::{Value, json};
use testkit::{Answer, Engine, Instance, Person, eventually, on_both};

use crate::api::media::upload;
use crate::api::streaming::{connect, next};
use crate::api::{PNG, each, id};

/// Dana, whom priya and eve follow, and olga, who does not.
struct Street {
    house: Instance,
    dana: Person,
    priya: Person,
    eve: Person,
    olga: Person,
}

impl Street {
    async fn start(engine: Engine) -> Self {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = (house.member("dana").await, house.member("priya").await);
        let (eve, olga) = (house.member("eve").await, house.member("olga").await);
        priya.follow(&dana).await;
        eve.follow(&dana).await;
        Self { house, dana, priya, eve, olga }
    }

    /// Dana shows a picture to some.
    async fn show(&self, text: &str, visibility: &str) -> Value {
        let made = upload(&self.dana, "a cup").await.ok();
        let draft = json!({"status": text, "media_ids": [id(&made)], "visibility": visibility});
        self.dana.post("/api/v1/statuses", draft).await.ok()
    }

    /// As an app loads a picture: with nothing but its address.
    async fn load(&self, url: &str) -> Answer {
        self.ask(Method::GET, url, &[]).await
    }

    async fn ask(&self, method: Method, url: &str, headers: &[(&'static str, &str)]) -> Answer {
        let path = url.strip_prefix(&self.house.base).unwrap_or_else(|| panic!("{url} is not ours"));
        let mut request = self.house.request(method, path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let length = response.bytes().await.unwrap().len();
        Answer { status, headers, text: length.to_string() }
    }

    /// The same answer as for a file that never was.
    async fn refuses(&self, url: &str, why: &str) {
        let never = format!("{}/media/posts/00/00/{}.png", self.house.base, "0".repeat(32));
        let (unknown, answer) = (self.load(&never).await, self.load(url).await);
        let shape = |a: &Answer| {
            let mut headers = a.headers.clone();
            headers.remove("date");
            headers.remove("x-request-id");
            (a.status, headers, a.text.clone())
        };
        assert_eq!(unknown.status, 404);
        assert_eq!(shape(&answer), shape(&unknown), "{why}: {url}");
    }
}

/// The addresses of what a post shows.
fn addresses(status: &Value) -> [String; 2] {
    let shown = &status["media_attachments"][0];
    ["url", "preview_url"].map(|name| shown[name].as_str().unwrap_or_else(|| panic!("no {name}: {status}")).to_owned())
}

/// Whose address it is, by its own words.
fn whose(url: &str) -> &str {
    url.split_once("?r=").map_or("", |(_, rest)| rest.split('&').next().unwrap())
}

fn bare(url: &str) -> &str {
    url.split('?').next().unwrap()
}

on_both! {
    /// However a post is told, its pictures' addresses are the reader's own and open them; never another's.
    async fn every_way_to_a_post_has_addresses_of_the_readers_own(engine) {
        let street = Street::start(engine).await;
        let Street { house, dana, priya, eve, .. } = &street;
        let stream = async |person: &Person, name: &str| {
            connect(house, &format!("?stream={name}&access_token={}", person.token), None).await.unwrap()
        };
        let mut sockets = [stream(priya, "user").await, stream(eve, "user").await];
        let mut direct = [stream(priya, "direct").await, stream(eve, "direct").await];
        let close = street.show("for those close to me", "private").await;
        let named = street.show("@priya @eve between us", "direct").await;

        let mut of = Vec::new();
        for (n, reader) in [priya, eve].into_iter().enumerate() {
            let mut told: Vec<(&str, Value)> = Vec::new();
            for post in [&close, &named] {
                let path = format!("/api/v1/statuses/{}", id(post));
                told.push(("status", reader.get(&path).await.ok()));
                let several = format!("/api/v1/statuses?id[]={}", id(post));
                told.push(("statuses", reader.get(&several).await.ok()[0].clone()));
                told.push(("history", reader.get(&format!("{path}/history")).await.ok()[0].clone()));
                told.push(("bookmark", reader.post(&format!("{path}/bookmark"), json!({})).await.ok()));
                let search = format!("/api/v2/search?resolve=true&q={}", post["uri"].as_str().unwrap());
                told.push(("search", reader.get(&search).await.ok()["statuses"][0].clone()));
            }
            let reply = json!({"status": "lovely", "in_reply_to_id": id(&close), "visibility": "private"});
            let reply = reader.post("/api/v1/statuses", reply).await.ok();
            let context = reader.get(&format!("/api/v1/statuses/{}/context", id(&reply))).await.ok();
            told.push(("context", context["ancestors"][0].clone()));
            told.push(("bookmarks", reader.get("/api/v1/bookmarks").await.ok()[0].clone()));
            let home = reader.home().await;
            told.push(("home", home.iter().find(|p| p["id"] == close["id"]).unwrap().clone()));
            let theirs = format!("/api/v1/accounts/{}/statuses?only_media=true", dana.id);
            told.push(("profile", reader.get(&theirs).await.ok()[0].clone()));
            let notified = reader.notifications("mention").await;
            let note = notified.iter().find(|n| n["status"]["id"] == named["id"]).unwrap();
            told.push(("notifications", note["status"].clone()));
            let one = reader.get(&format!("/api/v1/notifications/{}", id(note))).await.ok();
            told.push(("notification", one["status"].clone()));
            told.push(("conversations", reader.get("/api/v1/conversations").await.ok()[0]["last_status"].clone()));
            let mut live: Vec<&str> = Vec::new();
            while !(live.contains(&"update") && live.contains(&"notification")) {
                let (_, event, text) = next(&mut sockets[n]).await;
                let payload: Value = serde_json::from_str(&text).unwrap();
                match event.as_str() {
                    "update" if payload["account"]["id"] == json!(dana.id) => {
                        live.push("update");
                        told.push(("streamed", payload));
                    }
                    "notification" if payload["type"] == "mention" => {
                        live.push("notification");
                        told.push(("streamed notification", payload["status"].clone()));
                    }
                    _ => {}
                }
            }
            let (_, event, text) = next(&mut direct[n]).await;
            assert_eq!(event, "conversation");
            let payload: Value = serde_json::from_str(&text).unwrap();
            told.push(("streamed conversation", payload["last_status"].clone()));

            for (way, status) in &told {
                for url in addresses(status) {
                    assert_eq!(whose(&url), reader.id, "{way}: {url}");
                    assert_eq!(street.load(&url).await.status, 200, "{way}: {url}");
                    street.refuses(bare(&url), way).await;
                }
            }
            of.push(addresses(&told[0].1));
        }
        assert_eq!((bare(&of[0][0]), of[0][0] == of[1][0]), (bare(&of[1][0]), false), "one file, an address each");
        assert!(addresses(&close).iter().all(|url| whose(url) == dana.id), "its author has hers");
    }
}

on_both! {
    /// An address opens one file, for one reader, for some days; changed in any way it opens nothing.
    async fn an_address_cannot_be_made_or_changed(engine) {
        let street = Street::start(engine).await;
        let Street { house, priya, eve, olga, .. } = &street;
        let path = format!("/api/v1/statuses/{}", id(&street.show("a cup", "private").await));
        let [hers, small] = addresses(&priya.get(&path).await.ok());
        let [other, _] = addresses(&eve.get(&path).await.ok());
        let proof = |url: &str| url.split_once("&p=").unwrap().1.to_owned();
        let until = hers.split_once("&u=").unwrap().1.split('&').next().unwrap();
        for (changed, why) in [
            (hers.replace(&proof(&hers), &proof(&other)), "another's proof"),
            (hers.replace(&format!("r={}", priya.id), &format!("r={}", eve.id)), "another's name"),
            (hers.replace(&format!("r={}", priya.id), &format!("r={}", olga.id)), "an outsider's name"),
            (hers.replace(until, "9999999999999"), "another end"),
            (hers.replace(&proof(&hers), &proof(&small)), "another file's proof"),
            (format!("{}?p={}", bare(&hers), proof(&hers)), "of no reader"),
            (bare(&hers).to_owned(), "nothing"),
            (bare(&small).to_owned(), "nothing"),
        ] {
            street.refuses(&changed, why).await;
        }
        // Made with the right secret, it is still only a name: she does not follow.
        let mut conn = house.app().db.read().await.unwrap();
        let key = bare(&hers).split_once("/media/").unwrap().1;
        let cup = storage::attachments::unchecked_by_key(&mut conn, key).await.unwrap().unwrap();
        drop(conn);
        let now = house.app().now();
        let made = |who: &Person| {
            house.app().files.original(&cup, Whom::reader(who.account_id(), now))
        };
        assert_eq!(made(priya), hers);
        street.refuses(&made(olga), "an outsider").await;

        assert_eq!(street.load(&hers).await.status, 200);
        house.clock.advance(Duration::from_secs(2 * 86_400));
        assert_eq!(street.load(&hers).await.status, 200, "good for three days at least");
        house.clock.advance(Duration::from_secs(6 * 86_400));
        street.refuses(&hers, "its time is over").await;
        let [fresh, _] = addresses(&priya.get(&path).await.ok());
        assert_ne!(fresh, hers);
        assert_eq!(street.load(&fresh).await.status, 200);
    }
}

on_both! {
    /// Whatever ends her access to the post ends her addresses with it.
    async fn an_address_ends_with_the_access(engine) {
        let street = Street::start(engine).await;
        let Street { house, dana, priya, eve, .. } = &street;
        let path = format!("/api/v1/statuses/{}", id(&street.show("a cup", "private").await));
        let of = async |reader: &Person| addresses(&reader.get(&path).await.ok());
        let (hers, others, own) = (of(priya).await, of(eve).await, of(dana).await);
        for url in hers.iter().chain(&others).chain(&own) {
            assert_eq!(street.load(url).await.status, 200, "{url}");
        }
        let relate = async |who: &Person, whom: &Person, verb: &str| {
            who.post(&format!("/api/v1/accounts/{}/{verb}", whom.id), json!({})).await.ok();
        };
        relate(priya, dana, "unfollow").await;
        street.refuses(&hers[0], "she unfollowed").await;
        assert_eq!(street.load(&others[0]).await.status, 200, "eve did not");
        relate(priya, dana, "follow").await;
        assert_eq!(street.load(&hers[0]).await.status, 200, "she follows again");
        relate(dana, priya, "block").await;
        street.refuses(&hers[0], "she was blocked").await;
        relate(dana, eve, "remove_from_followers").await;
        street.refuses(&others[1], "she was removed").await;

        let by = app::accounts::By::Operator;
        relate(eve, dana, "follow").await;
        assert_eq!(street.load(&others[0]).await.status, 200);
        app::accounts::disable::disable(house.app(), by, eve.account_id()).await.unwrap();
        street.refuses(&others[0], "her account is closed").await;
        app::accounts::disable::enable(house.app(), by, eve.account_id()).await.unwrap();
        assert_eq!(street.load(&others[0]).await.status, 200);
        app::accounts::disable::disable(house.app(), by, dana.account_id()).await.unwrap();
        street.refuses(&others[0], "its author's account is closed").await;
        app::accounts::disable::enable(house.app(), by, dana.account_id()).await.unwrap();

        let dana = Person { token: house.token(dana.account_id(), "read write").await, ..dana.clone() };
        assert_eq!(street.load(&others[0]).await.status, 200);
        let answer = dana.delete(&path).await.ok();
        street.refuses(&others[0], "the post is deleted").await;
        for url in addresses(&answer) {
            assert_eq!(street.load(&url).await.status, 200, "hers, to write it anew: {url}");
        }
    }
}

on_both! {
    /// What an edit replaced is seen in the post's history, with the words of then, by whoever sees the post; and goes
    /// with it.
    async fn what_an_edit_replaced_is_seen_in_the_history(engine) {
        let street = Street::start(engine).await;
        let Street { house, dana, priya, eve, olga } = &street;
        for visibility in ["public", "private"] {
            let open = visibility == "public";
            let post = street.show("a cup", visibility).await;
            let path = format!("/api/v1/statuses/{}", id(&post));
            let (spoon, fork) = (id(&upload(dana, "a spoon").await.ok()), id(&upload(dana, "a fork").await.ok()));
            dana.put(&path, json!({"status": "cutlery", "media_ids": [spoon, fork]})).await.ok();
            let words = json!([{"id": fork, "description": "the best fork"}]);
            let now = dana.put(&path, json!({"media_ids": [fork], "media_attributes": words})).await.ok();
            let about = json!({"description": "my best fork"});
            dana.put(&format!("/api/v1/media/{fork}"), about).await.ok();
            let about = json!({"description": "my best fork"});
            dana.put(&format!("/api/v1/media/{fork}"), about).await.ok();
            // No post shows them, and they are kept all the same.
            house.pass(Duration::from_secs(3 * 86_400)).await;

            let history = format!("{path}/history");
            let mut files = Vec::new();
            for reader in [dana, priya, eve] {
                let versions = reader.get(&history).await.ok();
                let described: Vec<_> = versions.as_array().unwrap().iter()
                    .map(|v| each(&v["media_attachments"], "description")).collect();
                let then = [vec!["a cup"], vec!["a spoon", "a fork"], vec!["the best fork"], vec!["my best fork"]];
                assert_eq!(described, then, "{}", reader.username);
                for url in versions.as_array().unwrap().iter().flat_map(|v| {
                    let shown = v["media_attachments"].as_array().unwrap().clone();
                    shown.into_iter().flat_map(|a| ["url", "preview_url"].map(|name| a[name].as_str().unwrap().to_owned()))
                }) {
                    assert_eq!((whose(&url), street.load(&url).await.status), (if open { "" } else { &*reader.id }, 200));
                    if !open {
                        street.refuses(bare(&url), "no address of anybody's").await;
                    }
                    files.push(url);
                }
            }
            assert_eq!(olga.get(&history).await.status, if open { 200 } else { 404 });
            assert_eq!(now["media_attachments"].as_array().unwrap().len(), 1);
            assert_eq!(dana.delete(&format!("/api/v1/media/{spoon}")).await.status, 422, "it is the post's");
            let other = json!({"status": "another", "media_ids": [spoon]});
            assert_eq!(dana.post("/api/v1/statuses", other).await.status, 422, "it is the post's");
            if !open {
                eve.post(&format!("/api/v1/accounts/{}/unfollow", dana.id), json!({})).await.ok();
                assert_eq!(eve.get(&history).await.status, 404);
                for url in files.iter().filter(|url| whose(url) == eve.id) {
                    street.refuses(url, "she follows no more").await;
                }
            }
            dana.put(&path, json!({"media_ids": [spoon]})).await.ok();
            assert_eq!(priya.get(&path).await.ok()["media_attachments"][0]["id"], spoon, "it is shown again");

            let answer = dana.delete(&path).await.ok();
            let last = addresses(&answer);
            let hers = |url: &str| whose(url) == dana.id && last.iter().any(|last| bare(last) == bare(url));
            for url in files.iter().filter(|url| !hers(url)) {
                street.refuses(url, "deleted").await;
            }
            let [spoon, _] = last.clone();
            assert_eq!(street.load(&spoon).await.status, 200, "hers, to write it anew");
            house.pass(Duration::from_secs(2 * 3_600)).await;
            street.refuses(&spoon, "she did not").await;
            eventually("the files are gone", async || (files_in(&house.media_dir()) == 0).then_some(())).await;
        }
    }
}

on_both! {
    /// Whom an edit addresses first sees what the message says from then on: nothing that it said to others before.
    async fn whom_an_edit_addresses_first_sees_no_version_before(engine) {
        let street = Street::start(engine).await;
        let Street { house, dana, priya, olga, .. } = &street;
        for visibility in ["direct", "private"] {
            let post = street.show("@priya the cup", visibility).await;
            let path = format!("/api/v1/statuses/{}", id(&post));
            let spoon = id(&upload(dana, "a spoon").await.ok());
            dana.put(&path, json!({"status": "@priya @olga the spoon", "media_ids": [spoon]})).await.ok();
            house.clock.advance(Duration::from_secs(1));
            dana.put(&path, json!({"status": "@priya @olga nothing", "media_ids": []})).await.ok();
            let shown = async |reader: &Person| {
                let versions = reader.get(&format!("{path}/history")).await.ok();
                let all = versions.as_array().unwrap().clone();
                all.iter().flat_map(|v| v["media_attachments"].as_array().unwrap().clone()).collect::<Vec<_>>()
            };
            let all = shown(priya).await;
            assert_eq!(each(&json!(all), "description"), ["a cup", "a spoon"]);
            let hers = shown(olga).await;
            assert_eq!(each(&json!(hers), "description"), ["a spoon"]);
            assert_eq!(street.load(hers[0]["url"].as_str().unwrap()).await.status, 200);
            let history = olga.get(&format!("{path}/history")).await.ok();
            assert!(history.as_array().unwrap().len() == 2 && !history.to_string().contains("the cup"), "{history}");
            let get = async |who: &Person, url: &str| {
                street.ask(Method::GET, url, &[("authorization", &format!("Bearer {}", who.token))]).await.status
            };
            let cup = bare(all[0]["url"].as_str().unwrap());
            assert_eq!((get(priya, cup).await, get(dana, cup).await, get(olga, cup).await), (200, 200, 404));
            if visibility == "private" {
                olga.follow(dana).await;
                assert_eq!((shown(olga).await.len(), get(olga, cup).await), (2, 200), "now it is hers as a follower");
                olga.post(&format!("/api/v1/accounts/{}/unfollow", dana.id), json!({})).await.ok();
            }
        }
    }
}

fn files_in(folder: &std::path::Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries.map(|e| e.unwrap().path()).map(|path| if path.is_dir() { files_in(&path) } else { 1 }).sum()
}

on_both! {
    /// An upload is its owner's; a token opens what its holder may see, if it may read.
    async fn a_token_opens_what_its_holder_may_see(engine) {
        let street = Street::start(engine).await;
        let Street { house, dana, priya, olga, .. } = &street;
        let made = upload(dana, "").await.ok();
        let get = async |token: &str, url: &str| {
            street.ask(Method::GET, url, &[("authorization", &format!("Bearer {token}"))]).await.status
        };
        for name in ["url", "preview_url"] {
            let url = made[name].as_str().unwrap();
            assert_eq!((whose(url), street.load(url).await.status), (dana.id.as_str(), 200));
            street.refuses(bare(url), "posted by nobody").await;
            assert_eq!(get(&dana.token, bare(url)).await, 200);
            assert_eq!(get(&priya.token, bare(url)).await, 404, "not yet for her");
        }
        let draft = json!({"media_ids": [id(&made)], "visibility": "private"});
        dana.post("/api/v1/statuses", draft).await.ok();
        let url = bare(made["url"].as_str().unwrap());
        let account = priya.account_id();
        assert_eq!(get(&priya.token, url).await, 200);
        assert_eq!(get(&house.token(account, "read:statuses").await, url).await, 200);
        for (token, why) in [
            (house.token(account, "write read:accounts").await, "may not read posts"),
            (olga.token.clone(), "does not follow"),
            ("nonsense".to_owned(), "is none"),
        ] {
            assert_eq!(get(&token, url).await, 404, "a token that {why}");
        }
    }
}

on_both! {
    /// Headers of what is only for some: asked for anew each time, by parts, and by nobody's page elsewhere.
    async fn what_is_for_some_is_asked_for_each_time(engine) {
        let street = Street::start(engine).await;
        let Street { dana, priya, .. } = &street;
        let path = format!("/api/v1/statuses/{}", id(&street.show("a cup", "private").await));
        let [url, _] = addresses(&priya.get(&path).await.ok());
        let whole = street.load(&url).await;
        let length: usize = whole.text.parse().unwrap();
        assert!(length >= PNG.len() / 2, "{length}");
        let etag = whole.headers["etag"].to_str().unwrap().to_owned();
        let head = street.ask(Method::HEAD, &url, &[]).await;
        let part = street.ask(Method::GET, &url, &[("range", "bytes=0-3")]).await;
        let again = street.ask(Method::GET, &url, &[("if-none-match", &etag)]).await;
        assert_eq!((whole.status, head.status, part.status, again.status), (200, 200, 206, 304));
        assert_eq!((head.text.as_str(), part.text.as_str(), again.text.as_str()), ("0", "4", "0"));
        assert_eq!(head.headers["content-length"], length.to_string().as_str());
        for answer in [&whole, &head, &part, &again] {
            assert_eq!(answer.headers["cache-control"], "private, no-cache");
            assert!(!answer.headers.contains_key("access-control-allow-origin"));
        }
        dana.post(&format!("/api/v1/accounts/{}/block", priya.id), json!({})).await.ok();
        for headers in [[("if-none-match", etag.as_str())], [("range", "bytes=0-3")], [("if-none-match", "*")]] {
            assert_eq!(street.ask(Method::GET, &url, &headers).await.status, 404, "{headers:?}");
        }
        assert_eq!(street.ask(Method::HEAD, &url, &[]).await.status, 404);
    }
}
