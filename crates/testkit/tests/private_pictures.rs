//! A picture for followers, across two communities: she who follows sees it, through her own server; nobody else does,
//! at either.

use app::accounts::By;
use app::moderation::domains::block;
use federation::client::{Budget, Want};
use serde_json::{Value, json};
use testkit::{Answer, Engine, Instance, Person, eventually, on_both};

/// A picture of 2 × 2 pixels.
const PNG: &[u8] = include_bytes!("../../web/tests/api/two-by-two.png");

async fn upload(person: &Person) -> String {
    let mut body =
        b"--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.png\"\r\nContent-Type: image/png\r\n\r\n"
            .to_vec();
    body.extend_from_slice(PNG);
    body.extend_from_slice(b"\r\n--B--\r\n");
    let request = person.request(http::Method::POST, "/api/v2/media");
    let request = request.header("content-type", "multipart/form-data; boundary=B").body(body);
    Answer::read(request.send().await.unwrap()).await.ok()["id"].as_str().unwrap().to_owned()
}

/// Asks a server for one of its files, with nothing but the address.
async fn load(at: &Instance, url: &str) -> (u16, Vec<u8>) {
    let path = url.strip_prefix(&at.base).unwrap_or_else(|| panic!("{url} is not at {}", at.base));
    let response = at.request(http::Method::GET, path).send().await.unwrap();
    (response.status().as_u16(), response.bytes().await.unwrap().to_vec())
}

/// The same, with a member's token.
async fn load_as(who: &Person, url: &str) -> u16 {
    who.get(url.strip_prefix(&who.base).unwrap()).await.status
}

/// The same, signed by a server: does it get the file?
async fn signed(by: &Instance, url: &str) -> bool {
    let federation = by.federation();
    let key = federation.instance_key().await.unwrap();
    let url = url.parse().unwrap();
    federation.client.get(&url, Want::Media(1 << 20), Some(&key), &Budget::new(2)).await.is_ok()
}

fn bare(url: &str) -> &str {
    url.split('?').next().unwrap()
}

fn picture(status: &Value) -> String {
    status["media_attachments"][0]["url"].as_str().unwrap_or_else(|| panic!("no picture: {status}")).to_owned()
}

/// Where the picture is at its own server, as another server was told.
async fn told(at: &Instance, status: &Value) -> String {
    let post = domain::PostId(status["id"].as_str().unwrap().parse().unwrap());
    let mut conn = at.app().db.read().await.unwrap();
    let shown = storage::attachments::of_post(&mut conn, post).await.unwrap();
    shown[0].remote_url.clone().unwrap()
}

struct Street {
    maple: Instance,
    willow: Instance,
    /// At maple. She follows bob, carol does not.
    alice: Person,
    carol: Person,
    /// At willow.
    bob: Person,
    dave: Person,
    /// Bob's post for his followers, as alice's server has it.
    post: Value,
    /// … and as his own has it.
    own: Value,
}

impl Street {
    async fn start(engine: Engine) -> Self {
        let (maple, willow) = tokio::join!(Instance::start("maple", engine), Instance::start("willow", engine));
        let (alice, carol) = (maple.member("alice").await, maple.member("carol").await);
        let (bob, dave) = (willow.member("bob").await, willow.member("dave").await);
        alice.follow(&bob).await;
        let shown = upload(&bob).await;
        let draft = json!({"status": "the kitchen", "media_ids": [shown], "visibility": "private"});
        let own = bob.post("/api/v1/statuses", draft).await.ok();
        let post = alice.sees("bob's picture", |p| p["content"].as_str().unwrap().contains("the kitchen")).await;
        Self { maple, willow, alice, carol, bob, dave, post, own }
    }
}

on_both! {
    /// Alice, who follows, sees it through her own server; the outsiders and the bare addresses get nothing.
    async fn a_followers_picture_is_seen_by_followers_alone(engine) {
        let Street { maple, willow, alice, carol, bob, dave, post, own } = &Street::start(engine).await;
        let first = picture(post);
        assert!(first.contains(&format!("?r={}&", alice.id)), "{first}");
        assert_eq!(post["media_attachments"][0]["remote_url"], Value::Null, "where it is over there is not told");
        let (status, bytes) = load(maple, &first).await;
        assert!(status == 200 && bytes.len() > 20, "{status}");
        // Now that her server has it, it has another name here; the same holds.
        let again = alice.get(&format!("/api/v1/statuses/{}", post["id"].as_str().unwrap())).await.ok();
        let kept = picture(&again);
        assert_ne!(bare(&first), bare(&kept));
        for url in [&first, &kept] {
            assert_eq!(load(maple, url).await.0, 200, "{url}");
            assert_eq!(load(maple, bare(url)).await.0, 404, "{url}");
            assert_eq!(load_as(carol, bare(url)).await, 404, "{url}");
            assert_eq!(load(maple, &url.replace(&alice.id, &carol.id)).await.0, 404, "{url}");
        }
        assert_eq!(load_as(alice, bare(&kept)).await, 200);

        let there = picture(own);
        assert!(there.contains(&format!("?r={}&", bob.id)), "{there}");
        assert_eq!((load(willow, &there).await.0, load_as(bob, bare(&there)).await), (200, 200));
        assert_eq!((load(willow, bare(&there)).await.0, load_as(dave, bare(&there)).await), (404, 404));

        let bob_here = post["account"]["id"].as_str().unwrap();
        alice.post(&format!("/api/v1/accounts/{bob_here}/unfollow"), json!({})).await.ok();
        for url in [&first, &kept] {
            assert_eq!(load(maple, url).await.0, 404, "she follows no more: {url}");
        }
        assert_eq!(load_as(alice, bare(&kept)).await, 404);
    }
}

on_both! {
    /// Another server is told an address that is for servers, while the post lives; or it signs, as it would to read
    /// the post.
    async fn another_server_loads_it_while_the_post_lives(engine) {
        let Street { maple, willow, alice, bob, post, own, .. } = &Street::start(engine).await;
        let oak = Instance::start("oak", engine).await;
        let told = told(maple, post).await;
        let own = picture(own);
        assert_eq!(bare(&told), bare(&own));
        assert!(told.contains("?p=") && !told.contains("r="), "made for no reader: {told}");
        let proof = told.split_once("?p=").unwrap().1;
        assert_eq!(load(willow, &told).await.0, 200);
        assert_eq!(load(willow, &told.replace(proof, &"0".repeat(proof.len()))).await.0, 404);
        willow.clock.advance(std::time::Duration::from_secs(30 * 86_400));
        maple.clock.advance(std::time::Duration::from_secs(30 * 86_400));
        oak.clock.advance(std::time::Duration::from_secs(30 * 86_400));
        assert_eq!((load(willow, &told).await.0, load(willow, &own).await.0), (200, 404), "only the reader's ends");
        assert!(signed(maple, bare(&told)).await, "a follower is there");
        assert!(!signed(&oak, bare(&told)).await, "none is there");
        assert!(signed(&oak, &told).await, "it was told by somebody who was");

        let host = oak.base.trim_start_matches("http://");
        block::block(willow.app(), By::Operator, host, None).await.unwrap();
        eventually("oak gets nothing that it signs for", async || (!signed(&oak, &told).await).then_some(())).await;
        assert!(signed(maple, &told).await, "others do");

        let at_maple = picture(&alice.get(&format!("/api/v1/statuses/{}", post["id"].as_str().unwrap())).await.ok());
        assert_eq!(load(maple, &at_maple).await.0, 200);
        let id = bob.get("/api/v1/accounts/verify_credentials").await.ok()["id"].as_str().unwrap().to_owned();
        let posts = bob.get(&format!("/api/v1/accounts/{id}/statuses")).await.ok();
        let path = format!("/api/v1/statuses/{}", posts[0]["id"].as_str().unwrap());
        bob.put(&path, json!({"status": "no kitchen", "media_ids": []})).await.ok();
        assert_eq!(load(willow, &told).await.0, 404, "it is not shown any more");
        assert!(!signed(maple, &told).await && !signed(maple, bare(&told)).await);
        alice.sees("the edit", |p| p["content"].as_str().unwrap().contains("no kitchen")).await;
        assert_eq!(load(maple, &at_maple).await.0, 200, "alice has it in the post's history, from her own server");
        bob.delete(&path).await.ok();
        eventually("maple hears of it", async || (load(maple, &at_maple).await.0 == 404).then_some(())).await;
    }
}
