//! Files of the media store, and pictures of other communities.

use app::posts::publish::Draft;
use bytes::Bytes;
use domain::account::{Account, Role};
use domain::attachment::{Attachment, AttachmentKind};
use domain::follow::FollowOptions;
use domain::{AttachmentId, Timestamp, Visibility, Whom};
use media::MediaKey;
use testkit::on_both;

use crate::house::{House, Plan};

/// One pixel.
const PNG: &[u8] = &[
    137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 1, 0, 0, 0, 1, 8, 2, 0, 0, 0, 144, 119, 83,
    222, 0, 0, 0, 12, 73, 68, 65, 84, 8, 215, 99, 248, 207, 192, 0, 0, 3, 1, 1, 0, 24, 221, 141, 176, 0, 0, 0, 0, 73,
    69, 78, 68, 174, 66, 96, 130,
];

on_both! {
    async fn a_file_is_sent_whole_in_part_or_not_again(engine) {
        let house = House::open(engine).await;
        let key = MediaKey::new([7; 16], "mp4").unwrap();
        house.app.media.put(&key, Bytes::from_static(b"0123456789")).await.unwrap();
        let path = format!("/media/{}", key.as_str());
        let browser = house.browser();
        let ask = async |name: &'static str, value: &str| {
            browser.send(browser.request(reqwest::Method::GET, &path).header(name, value)).await
        };
        let whole = browser.get(&path).await;
        assert_eq!((whole.status, whole.body.as_str(), whole.header("content-type")), (200, "0123456789", "video/mp4"));
        assert_eq!(whole.header("content-length"), "10");
        assert_eq!(whole.header("x-content-type-options"), "nosniff");
        assert!(whole.header("content-security-policy").contains("sandbox"));
        assert!(whole.header("cache-control").contains("immutable"));
        for (range, body, said) in [
            ("bytes=2-4", "234", "bytes 2-4/10"),
            ("bytes=7-", "789", "bytes 7-9/10"),
            ("bytes=-2", "89", "bytes 8-9/10"),
            ("bytes=8-99", "89", "bytes 8-9/10"),
        ] {
            let part = ask("range", range).await;
            assert_eq!((part.status, part.body.as_str(), part.header("content-range")), (206, body, said), "{range}");
        }
        let outside = ask("range", "bytes=10-").await;
        assert_eq!((outside.status, outside.header("content-range")), (416, "bytes */10"));
        assert_eq!(ask("range", "bytes=1-2,4-5").await.status, 200);
        assert_eq!(ask("if-none-match", whole.header("etag")).await.status, 304);
        for missing in ["/media/aa/bb/x.png", "/media/../house.db", "/media/%2e%2e/house.db", "/media/"] {
            assert_eq!(browser.get(missing).await.status, 404, "{missing}");
        }
    }
}

/// Another server's picture, and how often it was asked for.
async fn elsewhere(bytes: &'static [u8]) -> (String, std::sync::Arc<std::sync::atomic::AtomicUsize>) {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let asked = std::sync::Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let route = axum::routing::get(move || async move {
        count.fetch_add(1, Ordering::Relaxed);
        ([("content-type", "image/png")], bytes)
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/kitchen.png", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().route("/kitchen.png", route)).await.unwrap() });
    (url, asked)
}

fn open_to_loopback() -> Plan {
    let federation = federation::Config {
        allow_http: true,
        allow_addresses: vec!["127.0.0.0/8".parse().unwrap()],
        ..federation::Config::default()
    };
    Plan { federation, ..Plan::default() }
}

/// A post that shows it, as if it had come from there.
async fn attach(house: &House, by: &Account, url: &str, visibility: Visibility) -> Attachment {
    let post = house.post(by, "the kitchen", visibility).await;
    let mut tx = house.app.db.write().await.unwrap();
    let id: AttachmentId = tx.id();
    let a = Attachment {
        id,
        account_id: by.id,
        post_id: Some(post),
        kind: AttachmentKind::Image,
        mime: "image/png".to_owned(),
        key: None,
        preview_key: None,
        remote_url: Some(url.to_owned()),
        description: String::new(),
        blurhash: None,
        focus: None,
        width: None,
        height: None,
        preview_width: None,
        preview_height: None,
        size: None,
        created_at: Timestamp(0),
    };
    storage::attachments::insert(&mut tx, &a).await.unwrap();
    tx.commit().await.unwrap();
    a
}

on_both! {
    async fn a_picture_of_another_community_is_fetched_once_and_kept(engine) {
        let house = House::planned(engine, open_to_loopback()).await;
        let (url, asked) = elsewhere(PNG).await;
        let a = attach(&house, &house.member("dana").await, &url, Visibility::Public).await;
        let browser = house.browser();
        let files = &house.app.files;
        let (original, small) = (files.original(&a, Whom::Anyone), files.preview(&a, Whom::Anyone));
        let raw = async |url: &str| {
            let response = browser.http.get(url).send().await.unwrap();
            (response.status().as_u16(), response.headers()["content-type"].to_str().unwrap().to_owned())
        };
        let (first, second) = tokio::join!(raw(&original), raw(&small));
        assert_eq!((first.0, second.0), (200, 200));
        assert!(first.1.starts_with("image/"));
        assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), 1, "two readers, one fetch");
        let mut conn = house.app.db.read().await.unwrap();
        let kept = storage::attachments::unchecked(&mut conn, a.id).await.unwrap();
        assert!(kept.key.is_some() && kept.preview_key.is_some());
        assert_eq!(raw(&files.original(&kept, Whom::Anyone)).await.0, 200);

        let guessed = format!("/media/remote/attachments/{}/original", a.id);
        for path in [guessed.clone(), format!("{guessed}?p=0000"), format!("{guessed}?p={}", "0".repeat(32))] {
            assert_eq!(browser.get(&path).await.status, 404, "an id alone opens nothing");
        }
    }
}

on_both! {
    async fn what_is_no_picture_or_may_not_be_asked_is_not_kept(engine) {
        let house = House::planned(engine, open_to_loopback()).await;
        let (url, _) = elsewhere(b"<script>alert(1)</script>").await;
        let a = attach(&house, &house.member("dana").await, &url, Visibility::Public).await;
        assert_eq!(house.browser().get(&house.app.files.original(&a, Whom::Anyone)).await.status, 404);

        let guarded = House::open(engine).await;
        let (url, asked) = elsewhere(PNG).await;
        let a = attach(&guarded, &guarded.member("dana").await, &url, Visibility::Public).await;
        assert_eq!(guarded.browser().get(&guarded.app.files.original(&a, Whom::Anyone)).await.status, 404);
        assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), 0, "addresses of our own network are not asked");
    }
}

/// The addresses of the pictures on a page.
fn pictures(page: &str) -> Vec<String> {
    let found = page.split("\"").filter(|text| text.contains("/media/posts/") || text.contains("/media/remote/att"));
    found.map(str::to_owned).collect()
}

on_both! {
    /// Who may see the post sees its pictures by her session; what she copies from the page opens nothing for others.
    async fn a_session_opens_the_pictures_of_what_she_may_see(engine) {
        let house = House::planned(engine, open_to_loopback()).await;
        let (dana, priya) = (house.member_as("dana", Role::Owner).await, house.member("priya").await);
        house.member("olga").await;
        let (url, asked) = elsewhere(PNG).await;
        let fetched = attach(&house, &dana, &url, Visibility::Followers).await;
        let cup = include_bytes!("../api/two-by-two.png").as_slice();
        let own = app::attachments::upload::upload(&house.app, dana.id, cup.into(), "", None).await.unwrap();
        let draft = Draft { visibility: Some(Visibility::Followers), attachments: vec![own.id], ..Draft::default() };
        let post = house.draft(&dana, draft).await;
        app::follows::request::request(&house.app, &priya, dana.id, FollowOptions::default()).await.unwrap();
        app::follows::accept::accept(&house.app, &dana, priya.id).await.unwrap();
        let (friend, other, stranger) =
            (house.browser_of("priya").await, house.browser_of("olga").await, house.browser());

        for post in [post, fetched.post_id.unwrap()] {
            let page = friend.get(&format!("/@dana/{post}")).await;
            assert_eq!(page.status, 200);
            let shown = pictures(&page.body);
            assert!(!shown.is_empty(), "{}", page.body);
            for url in shown {
                assert!(!url.contains("r="), "made for nobody: {url}");
                for nobody in [&other, &stranger] {
                    assert_eq!(nobody.get(&url).await.status, 404, "{url}");
                }
                let response = friend.request(reqwest::Method::GET, &url).send().await.unwrap();
                assert_eq!(response.status(), 200, "{url}");
                assert_eq!(response.headers()["cache-control"], "private, no-cache");
            }
        }
        assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), 1, "fetched for her, once");
        app::follows::remove::remove(&house.app, &priya, dana.id).await.unwrap();
        for url in [house.app.files.original(&own, Whom::Anyone), house.app.files.original(&fetched, Whom::Anyone)] {
            assert_eq!(friend.get(&url).await.status, 404, "she follows no more: {url}");
        }
    }
}
