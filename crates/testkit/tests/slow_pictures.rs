//! Strangers who ask for the pictures of a server that does not answer: whoever asks for any other picture has it at
//! once, and so does whoever looks somebody up.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use app::peers::account::{FurtherKeys, receive};
use domain::AccountId;
use domain::account::{Account, ProfileImage};
use futures_util::future::join_all;
use http::Method;
use testkit::{Instance, Person, Remote, on_both};
use tokio::net::TcpListener;

/// A server that takes connections and never says a word; how many it has.
struct Silent {
    base: String,
    connections: Arc<AtomicUsize>,
}

impl Silent {
    async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let base = format!("http://silent.localhost:{}", listener.local_addr().unwrap().port());
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((socket, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                held.push(socket);
            }
        });
        Self { base, connections }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// Accounts of another server, each with an avatar of its own there.
async fn people(maple: &Instance, like: &Person, base: &str, names: impl Iterator<Item = String>) -> Vec<AccountId> {
    let app = maple.app();
    let mut conn = app.db.read().await.unwrap();
    let like = storage::accounts::get(&mut conn, like.account_id()).await.unwrap();
    drop(conn);
    let mut ids = Vec::new();
    for name in names {
        let uri = format!("{base}/users/{name}");
        let avatar = ProfileImage {
            key: None,
            still_key: None,
            remote_url: Some(format!("{base}/{name}.png")),
            description: String::new(),
        };
        let account = Account {
            id: app.ids().next(),
            domain: domain::Host::of_address(base),
            url: uri.clone(),
            inbox_url: format!("{uri}/inbox"),
            public_key_id: format!("{uri}#main-key"),
            username: name,
            uri,
            avatar: Some(avatar),
            ..like.clone()
        };
        ids.push(receive(app, &account, &FurtherKeys::default()).await.unwrap().id);
    }
    ids
}

/// Status, `Retry-After` and how long it took.
async fn avatar(maple: &Instance, id: AccountId) -> (u16, Option<String>, Duration) {
    let began = Instant::now();
    let path = format!("/media/remote/accounts/{id}/avatar");
    let answer = maple.request(Method::GET, &path).send().await.unwrap();
    let retry = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    let status = answer.status().as_u16();
    // The picture itself, too.
    assert_eq!(status == 200, !answer.bytes().await.unwrap().is_empty());
    (status, retry, began.elapsed())
}

const SOON: Duration = Duration::from_secs(3);

on_both! {
    /// All from one address, as behind one proxy: the silent server gets a few connections, those beyond the line are
    /// told at once to come back, and an honest picture takes no longer than ever.
    async fn a_server_that_does_not_answer_keeps_no_other_picture_waiting(engine) {
        let maple = Instance::start("maple", engine).await;
        let dana = maple.member("dana").await;
        let (silent, willow) = (Silent::start().await, Remote::start("willow").await);
        let many = people(&maple, &dana, &silent.base, (0..60).map(|n| format!("eve{n}"))).await;
        let honest = people(&maple, &dana, &willow.base, ["bob".to_owned()].into_iter()).await;
        willow.answer_bytes("/bob.png", "image/png", include_bytes!("../../web/tests/api/two-by-two.png"));

        let asked = Instant::now();
        let slow = join_all(many.iter().map(|id| avatar(&maple, *id)));
        let fast = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            avatar(&maple, honest[0]).await
        };
        // Whoever waits has an answer when the line has moved, or the server has failed: not watched to the end here.
        let (slow, fast) = tokio::join!(tokio::time::timeout(Duration::from_secs(8), slow), fast);
        assert_eq!(fast.0, 200);
        assert!(fast.2 < SOON, "an honest picture took {:?}", fast.2);
        assert!(slow.is_err(), "those whose turn it is still wait: {:?}", asked.elapsed());
        assert!(silent.connections() <= 4, "{} connections to one server", silent.connections());
    }
}

on_both! {
    /// Beyond the line nobody waits; and once a server was found not to answer, nobody does.
    async fn who_finds_no_place_is_told_at_once_and_a_failing_server_is_left_alone(engine) {
        let maple = Instance::start("maple", engine).await;
        let dana = maple.member("dana").await;
        let silent = Silent::start().await;
        let many = people(&maple, &dana, &silent.base, (0..60).map(|n| format!("eve{n}"))).await;
        let answers = join_all(many.iter().map(|id| avatar(&maple, *id))).await;
        let at_once = answers.iter().filter(|(_, _, took)| *took < SOON).count();
        assert!(at_once >= 60 - 4 - 32, "only {at_once} were refused at once");
        for (status, retry, took) in &answers {
            assert!(*took < Duration::from_secs(14), "{took:?}");
            match status {
                503 => assert_eq!(retry.as_deref(), Some("5")),
                404 => assert!(*took > Duration::from_secs(8), "it was tried: {took:?}"),
                other => panic!("{other}"),
            }
        }
        assert_eq!(answers.iter().filter(|(status, ..)| *status == 404).count(), 4, "whoever had a turn");
        let before = silent.connections();
        for id in people(&maple, &dana, &silent.base, ["late".to_owned()].into_iter()).await {
            let (status, _, took) = avatar(&maple, id).await;
            assert!(status == 503 && took < SOON, "{status} after {took:?}");
        }
        assert_eq!(silent.connections(), before, "it is left alone");

        // What was not tried is tried again later; what came is kept, however many ask at once.
        let willow = Remote::start("willow").await;
        let honest = people(&maple, &dana, &willow.base, ["bob".to_owned()].into_iter()).await;
        willow.answer_bytes("/bob.png", "image/png", include_bytes!("../../web/tests/api/two-by-two.png"));
        let answers = join_all((0..30).map(|_| avatar(&maple, honest[0]))).await;
        assert!(answers.iter().all(|(status, ..)| *status == 200), "{answers:?}");
        assert_eq!(willow.times_asked("/bob.png"), 1, "one fetch for all");
    }
}

on_both! {
    /// Looking people up has bounds of its own: for a server that is silent, and for the member who looks.
    async fn looking_up_a_silent_server_keeps_nobody_else_waiting(engine) {
        let maple = Instance::start("maple", engine).await;
        let (dana, priya) = (maple.member("dana").await, maple.member("priya").await);
        let (silent, willow) = (Silent::start().await, Remote::start("willow").await);
        let bob = willow.person("bob");
        let host = silent.base.trim_start_matches("http://").to_owned();
        let search = async |who: &Person, handle: String| {
            let began = Instant::now();
            let answer = who.get(&format!("/api/v2/search?type=accounts&resolve=true&q={handle}")).await;
            (answer.status, answer.json(), began.elapsed())
        };
        let slow = join_all((0..30).map(|n| search(&dana, format!("eve{n}@{host}"))));
        let fast = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            search(&priya, format!("bob@{}", bob.domain())).await
        };
        let (slow, (status, found, took)) = tokio::join!(slow, fast);
        assert_eq!((status, found["accounts"][0]["username"].as_str()), (200, Some("bob")));
        assert!(took < SOON, "{took:?}");
        // Twice as many as there are turns: here, plain http is tried, too.
        assert!(silent.connections() <= 16, "{}", silent.connections());
        let refused = slow.iter().filter(|(status, _, took)| *status == 503 && *took < SOON).count();
        assert!(refused >= 10, "the line is short: {refused}");
        assert!(slow.iter().all(|(_, _, took)| *took < Duration::from_secs(25)));
    }
}
