//! `/api/v1/streaming*`: over WebSocket and server-sent events.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::{Instance, Person, on_both};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async};

use crate::api::id;

pub type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

pub async fn connect(house: &Instance, query: &str, protocol: Option<&str>) -> Result<Socket, u16> {
    connect_from(house, query, protocol, None).await
}

/// As a proxy says, for somebody at another address.
async fn connect_from(
    house: &Instance,
    query: &str,
    protocol: Option<&str>,
    from: Option<&str>,
) -> Result<Socket, u16> {
    let address = format!("{}/api/v1/streaming{query}", house.base.replacen("http", "ws", 1));
    let mut request = address.into_client_request().unwrap();
    if let Some(protocol) = protocol {
        request.headers_mut().insert("sec-websocket-protocol", protocol.parse().unwrap());
    }
    if let Some(from) = from {
        request.headers_mut().insert("x-forwarded-for", from.parse().unwrap());
    }
    let stream = tokio::net::TcpStream::connect(house.address).await.unwrap();
    match client_async(request, MaybeTlsStream::Plain(stream)).await {
        Ok((socket, _)) => Ok(socket),
        Err(tokio_tungstenite::tungstenite::Error::Http(refused)) => Err(refused.status().as_u16()),
        Err(e) => panic!("{e}"),
    }
}

/// The next event: its stream, its name, its payload.
pub async fn next(socket: &mut Socket) -> (Value, String, String) {
    loop {
        let frame = tokio::time::timeout(Duration::from_secs(10), socket.next()).await.expect("an event in time");
        if let Message::Text(text) = frame.expect("an open stream").unwrap() {
            let event: Value = serde_json::from_str(&text).unwrap();
            let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
            return (event["stream"].clone(), text("event"), text("payload"));
        }
    }
}

pub async fn nothing(socket: &mut Socket) {
    let frame = tokio::time::timeout(Duration::from_millis(400), async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => break other,
            }
        }
    });
    if let Ok(frame) = frame.await {
        panic!("nothing was expected, not {frame:?}");
    }
}

async fn say(socket: &mut Socket, message: Value) {
    socket.send(Message::text(message.to_string())).await.unwrap();
}

fn payload(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

async fn pair(house: &Instance) -> (Person, Person) {
    (house.member("dana").await, house.member("priya").await)
}

on_both! {
    /// Home timeline, notifications, edits and deletions arrive as they happen, as she may see them.
    async fn her_own_stream(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = pair(&house).await;
        dana.follow(&priya).await;
        let mut socket = connect(&house, &format!("?stream=user&access_token={}", dana.token), None).await.unwrap();
        let post = priya.publish("for followers", "private").await;
        let (stream, event, text) = next(&mut socket).await;
        assert_eq!((stream, event.as_str()), (json!(["user"]), "update"));
        assert_eq!((payload(&text)["id"].as_str(), &payload(&text)["favourited"]), (post["id"].as_str(), &json!(false)));
        priya.publish("to nobody", "direct").await;
        nothing(&mut socket).await;

        priya.put(&format!("/api/v1/statuses/{}", id(&post)), json!({"status": "changed"})).await.ok();
        let (_, event, text) = next(&mut socket).await;
        assert_eq!((event.as_str(), payload(&text)["content"].as_str()), ("status.update", Some("<p>changed</p>")));
        priya.delete(&format!("/api/v1/statuses/{}", id(&post))).await.ok();
        let (_, event, text) = next(&mut socket).await;
        assert_eq!((event.as_str(), text), ("delete", id(&post)));

        let mine = dana.publish("mine", "public").await;
        assert_eq!(next(&mut socket).await.1, "update", "her own posts too");
        priya.post(&format!("/api/v1/statuses/{}/favourite", id(&mine)), json!({})).await.ok();
        let (_, event, text) = next(&mut socket).await;
        assert_eq!((event.as_str(), payload(&text)["type"].as_str()), ("notification", Some("favourite")));
    }
}

on_both! {
    /// Two streams on one socket tell two times, each under its own name, as in Mastodon; a stream joined twice is one.
    async fn each_stream_of_a_socket_tells_once(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, _) = pair(&house).await;
        let mut socket = connect(&house, "", Some(&dana.token)).await.unwrap();
        for stream in ["user", "public", "user", "public"] {
            say(&mut socket, json!({"type": "subscribe", "stream": stream})).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        let post = dana.publish("hello", "public").await;
        let mut told = vec![next(&mut socket).await, next(&mut socket).await];
        dana.delete(&format!("/api/v1/statuses/{}", id(&post))).await.ok();
        told.extend([next(&mut socket).await, next(&mut socket).await]);
        nothing(&mut socket).await;
        let told: Vec<_> = told.iter().map(|(stream, event, _)| format!("{event} {}", stream[0].as_str().unwrap())).collect();
        assert_eq!(told, ["update user", "update public", "delete user", "delete public"]);
    }
}

on_both! {
    /// One socket listens to several streams, joins and leaves them; each obeys the timeline of its name.
    async fn streams_are_joined_and_left(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = pair(&house).await;
        let mut socket = connect(&house, "", Some(&dana.token)).await.unwrap();
        say(&mut socket, json!({"type": "subscribe", "stream": "hashtag", "tag": "Tea"})).await;
        say(&mut socket, json!({"type": "subscribe", "stream": "direct"})).await;
        say(&mut socket, json!({"type": "subscribe", "stream": "nonsense"})).await;
        let frame = socket.next().await.unwrap().unwrap();
        let mut refused = frame;
        while !matches!(refused, Message::Text(_)) {
            refused = socket.next().await.unwrap().unwrap();
        }
        assert_eq!(payload(refused.to_text().unwrap())["status"], 400);
        let post = priya.publish("#tea", "public").await;
        let (stream, event, text) = next(&mut socket).await;
        assert_eq!((stream, event.as_str(), payload(&text)["id"].as_str()), (json!(["hashtag", "tea"]), "update", post["id"].as_str()));
        priya.publish("no tag", "public").await;
        priya.publish("quiet #tea", "unlisted").await;
        nothing(&mut socket).await;
        let message = priya.publish("@dana psst", "direct").await;
        let (stream, event, text) = next(&mut socket).await;
        assert_eq!((stream, event.as_str()), (json!(["direct"]), "conversation"));
        assert_eq!(payload(&text)["last_status"]["id"], message["id"]);
        say(&mut socket, json!({"type": "unsubscribe", "stream": "hashtag", "tag": "tea"})).await;
        say(&mut socket, json!({"type": "subscribe", "stream": "public:local"})).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        priya.publish("again #tea", "public").await;
        assert_eq!(next(&mut socket).await.0, json!(["public:local"]));
        nothing(&mut socket).await;
        dana.post(&format!("/api/v1/accounts/{}/mute", priya.id), json!({})).await.ok();
        priya.publish("muted", "public").await;
        nothing(&mut socket).await;
    }
}

on_both! {
    /// No stream without the right token, and none outlives it.
    async fn a_stream_ends_with_its_token(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = pair(&house).await;
        assert_eq!(connect(&house, "?stream=user", None).await.unwrap_err(), 401);
        assert_eq!(connect(&house, "?stream=user&access_token=nonsense", None).await.unwrap_err(), 401);
        assert_eq!(connect(&house, "?stream=nonsense", Some(&dana.token)).await.unwrap_err(), 400);
        let list = id(&priya.post("/api/v1/lists", json!({"title": "mine"})).await.ok());
        assert_eq!(connect(&house, &format!("?stream=list&list={list}"), Some(&dana.token)).await.unwrap_err(), 404);
        let account = dana.account_id();
        let narrow = house.token(account, "read:lists").await;
        assert_eq!(connect(&house, "?stream=user", Some(&narrow)).await.unwrap_err(), 403);

        let mut socket = connect(&house, "?stream=user", Some(&dana.token)).await.unwrap();
        let mut tx = house.app().db.write().await.unwrap();
        for token in storage::oauth::revoke_all_of(&mut tx, account).await.unwrap() {
            tx.emit(domain::event::Event::TokenRevoked { token });
        }
        tx.commit().await.unwrap();
        let began = std::time::Instant::now();
        ended(&mut socket).await;
        assert!(began.elapsed() < Duration::from_secs(3), "at once, for it was told");

        // One whose end was not heard of yet, and is still kept, opens no stream either.
        let kept = house.token(account, "read").await;
        assert!(connect(&house, "?stream=user", Some(&kept)).await.is_ok());
        let mut tx = house.app().db.write().await.unwrap();
        storage::oauth::revoke_all_of(&mut tx, account).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(connect(&house, "?stream=user", Some(&kept)).await.unwrap_err(), 401);
    }
}

/// Waits until the stream closes.
async fn ended(socket: &mut Socket) {
    let end = tokio::time::timeout(Duration::from_secs(10), async {
        while let Some(Ok(frame)) = socket.next().await {
            if matches!(frame, Message::Close(_)) {
                break;
            }
        }
    });
    end.await.expect("the stream closes");
}

on_both! {
    /// What another process does on the embedded database is told to nobody here. Streams end all the same: of a token
    /// that was taken back or has expired, and of a member whose account was closed or deleted. Nobody else's
    /// does.
    async fn a_stream_ends_though_nobody_said_that_its_token_did(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = pair(&house).await;
        let mut public = connect(&house, "?stream=public", None).await.unwrap();
        let mut hers = connect(&house, "?stream=user", Some(&priya.token)).await.unwrap();
        let until = house.app().now().plus(Duration::from_secs(600));
        let short = house.token_until(priya.account_id(), "read", Some(until)).await;
        let mut expiring = connect(&house, "?stream=user", Some(&short)).await.unwrap();
        let mut revoked = connect(&house, "?stream=user", Some(&dana.token)).await.unwrap();
        let (june, vera) = (house.member("june").await, house.member("vera").await);
        let mut closed = connect(&house, "?stream=user", Some(&june.token)).await.unwrap();
        let mut deleted = connect(&house, "?stream=user", Some(&vera.token)).await.unwrap();

        // Changes without a word to listeners.
        let mut tx = house.app().db.write().await.unwrap();
        storage::oauth::revoke_all_of(&mut tx, dana.account_id()).await.unwrap();
        let now = tx.now();
        storage::members::set_disabled(&mut tx, june.account_id(), Some(now)).await.unwrap();
        storage::accounts::bury(&mut tx, vera.account_id(), now).await.unwrap();
        tx.commit().await.unwrap();
        house.clock.advance(Duration::from_secs(601));
        for socket in [&mut revoked, &mut closed, &mut deleted, &mut expiring] {
            ended(socket).await;
        }
        priya.publish("still here", "public").await;
        assert_eq!(next(&mut public).await.1, "update");
        assert_eq!(next(&mut hers).await.1, "update");
    }
}

/// The next block of a stream of server-sent events.
pub async fn block(response: &mut reqwest::Response) -> String {
    let mut text = String::new();
    while !text.ends_with("\n\n") {
        let chunk = tokio::time::timeout(Duration::from_secs(10), response.chunk()).await.expect("something in time");
        text.push_str(std::str::from_utf8(&chunk.unwrap().expect("an open stream")).unwrap());
    }
    text
}

/// A stream says at once that it is open, before anything happens: a comment, which is no event.
pub async fn opened(response: &mut reqwest::Response) {
    let first = tokio::time::timeout(Duration::from_secs(1), block(response)).await.expect("at once");
    assert!(first.starts_with(':'), "{first:?}");
}

on_both! {
    /// The same by server-sent events.
    async fn server_sent_events(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, _) = pair(&house).await;
        let request = house.request(http::Method::GET, "/api/v1/streaming/public");
        let mut response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        opened(&mut response).await;
        let post = dana.publish("to everybody", "public").await;
        let text = block(&mut response).await;
        let data = text.strip_prefix("event: update\ndata: ").unwrap_or_else(|| panic!("{text}"));
        assert_eq!(payload(data.trim())["id"], post["id"]);
        for stream in ["user", "user/notification", "direct", "hashtag?tag=tea", "public/local"] {
            let request = dana.request(http::Method::GET, &format!("/api/v1/streaming/{stream}"));
            opened(&mut request.send().await.unwrap()).await;
        }
        let health = house.request(http::Method::GET, "/api/v1/streaming/health").send().await.unwrap();
        assert_eq!(health.text().await.unwrap(), "OK");
        let refused = house.request(http::Method::GET, "/api/v1/streaming/user").send().await.unwrap();
        assert_eq!(refused.status(), 401);
    }
}

on_both! {
    /// A stop does not wait for those who listen: they are told that the server goes, and connect again.
    async fn streams_end_when_the_server_stops(engine) {
        let mut house = Instance::start("maple", engine).await;
        let (dana, priya) = pair(&house).await;
        let mut socket = connect(&house, &format!("?stream=user&access_token={}", dana.token), None).await.unwrap();
        let mut events = dana.request(http::Method::GET, "/api/v1/streaming/public").send().await.unwrap();
        opened(&mut events).await;
        priya.publish("before the stop", "public").await;
        let chunk = tokio::time::timeout(Duration::from_secs(10), events.chunk()).await.expect("an event in time");
        assert!(chunk.unwrap().is_some_and(|chunk| chunk.starts_with(b"event: update")));

        let heard = tokio::spawn(async move {
            let close = loop {
                match socket.next().await {
                    Some(Ok(Message::Close(why))) => break why,
                    Some(Ok(_)) => {}
                    other => panic!("closed without a word: {other:?}"),
                }
            };
            // Reading on answers it.
            while socket.next().await.is_some() {}
            while events.chunk().await.expect("the stream ends in order").is_some() {}
            close
        });
        // One that neither reads nor answers does not hold it up for long.
        let silent = connect(&house, &format!("?stream=user&access_token={}", dana.token), None).await.unwrap();
        let began = std::time::Instant::now();
        house.stop().await;
        assert!(began.elapsed() < Duration::from_secs(5), "it took {:?}", began.elapsed());
        let close = tokio::time::timeout(Duration::from_secs(2), heard).await.expect("both streams ended").unwrap();
        assert_eq!(u16::from(close.expect("why it closes").code), 1001);
        drop(silent);
    }
}

/// Dana's posts: more than all buffers between the two hold.
async fn publishes_more_than_buffers_hold(house: &Instance) {
    let app = house.app().clone();
    let author = {
        let mut conn = app.db.read().await.unwrap();
        storage::members::by_username(&mut conn, "dana").await.unwrap().unwrap().0
    };
    for n in 0..8 {
        let text = format!("{n} {}", "lorem ipsum ".repeat(150_000));
        let draft = app::posts::publish::Draft { text, ..app::posts::publish::Draft::default() };
        app::posts::publish::publish(&app, &author, draft).await.unwrap();
    }
}

/// Whoever stopped reading (her phone left the network) does not hold up the stop of the server, whatever waits for her.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_nobody_reads_ends_with_the_server() {
    let database = std::sync::Arc::new(testkit::Database::fresh(testkit::Engine::Sqlite).await);
    let mut house = Instance::start_on("maple", database, |config| config.limits.post_chars = 2_000_000).await;
    let dana = house.member("dana").await;
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut phone = socket.connect(house.address).await.unwrap();
    let asked = format!(
        "GET /api/v1/streaming/user HTTP/1.1\r\nhost: maple.localhost:{}\r\nauthorization: Bearer {}\r\n\r\n",
        house.address.port(),
        dana.token
    );
    phone.write_all(asked.as_bytes()).await.unwrap();
    let mut first = [0; 15];
    phone.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    publishes_more_than_buffers_hold(&house).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let began = std::time::Instant::now();
    house.stop().await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    drop(phone);
}

on_both! {
    /// What somebody shares or answers of those whom the reader blocks or mutes is on no stream, as it is in no list.
    async fn streams_leave_out_whom_the_reader_does_not_want(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = pair(&house).await;
        let (eve, lena, marisol) = (house.member("eve").await, house.member("lena").await, house.member("marisol").await);
        dana.follow(&priya).await;
        dana.follow(&lena).await;
        let list = id(&dana.post("/api/v1/lists", json!({"title": "friends"})).await.ok());
        let members = json!({"account_ids": [priya.id, lena.id]});
        dana.post(&format!("/api/v1/lists/{list}/accounts"), members).await.ok();
        dana.post(&format!("/api/v1/accounts/{}/block", eve.id), json!({})).await.ok();
        dana.post(&format!("/api/v1/accounts/{}/mute", lena.id), json!({})).await.ok();
        let mut sockets = Vec::new();
        for stream in ["user".to_owned(), format!("list&list={list}")] {
            let query = format!("?stream={stream}&access_token={}", dana.token);
            sockets.push(connect(&house, &query, None).await.unwrap());
        }
        let mut shared = Vec::new();
        for author in [&eve, &lena, &marisol] {
            let post = id(&author.publish("worth sharing", "public").await);
            if author.id == lena.id {
                let draft = json!({"status": "I agree", "in_reply_to_id": post, "visibility": "public"});
                priya.post("/api/v1/statuses", draft).await.ok();
            }
            shared.push(id(&priya.post(&format!("/api/v1/statuses/{post}/reblog"), json!({})).await.ok()));
        }
        for mut socket in sockets {
            let (_, event, text) = next(&mut socket).await;
            assert_eq!((event.as_str(), &id(&payload(&text))), ("update", &shared[2]));
            nothing(&mut socket).await;
        }
        let list = dana.get(&format!("/api/v1/timelines/list/{list}")).await.ok();
        assert_eq!(crate::api::each(&list, "id"), [shared[2].as_str()]);
        let profile = dana.get(&format!("/api/v1/accounts/{}/statuses?exclude_replies=true", priya.id)).await.ok();
        assert_eq!(crate::api::each(&profile, "id"), [shared[2].as_str()]);
    }
}

async fn behind_a_proxy(engine: testkit::Engine) -> Instance {
    let database = std::sync::Arc::new(testkit::Database::fresh(engine).await);
    Instance::start_on("maple", database, |config| config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]).await
}

on_both! {
    /// Streams are bounded for each address (a household's network counts as one) and for each member, by both ways to
    /// listen; whoever leaves makes room.
    async fn streams_are_bounded_for_an_address_and_for_a_member(engine) {
        let house = behind_a_proxy(engine).await;
        let dana = house.member("dana").await;
        let mut held = Vec::new();
        for n in 0..16 {
            held.push(connect_from(&house, "", None, Some(&format!("2001:db8:1:2::{n}"))).await.unwrap());
        }
        assert_eq!(connect_from(&house, "", None, Some("2001:db8:1:2:9::9")).await.err(), Some(429));
        let events = house.request(http::Method::GET, "/api/v1/streaming/public");
        let refused = events.header("x-forwarded-for", "2001:db8:1:2::77").send().await.unwrap();
        assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (429, "60"));
        let other = connect_from(&house, "", None, Some("2001:db8:1:3::1")).await.unwrap();

        // From the same address, members have places of their own.
        let query = format!("?stream=user&access_token={}", dana.token);
        let mut hers = Vec::new();
        for _ in 0..32 {
            hers.push(connect_from(&house, &query, None, Some("2001:db8:1:2::1")).await.unwrap());
        }
        assert_eq!(connect(&house, &query, None).await.err(), Some(429));
        drop(hers.pop());
        testkit::eventually("a place is free again", async || connect(&house, &query, None).await.ok()).await;
        drop((held, other, hers));
    }
}

on_both! {
    /// A stranger's socket has few channels, a member's has more; more are refused in words, and the rest goes on.
    async fn channels_of_a_socket_are_bounded(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        for (protocol, most) in [(None, 16), (Some(dana.token.as_str()), 64)] {
            let mut socket = connect(&house, "", protocol).await.unwrap();
            for n in 0..=most {
                say(&mut socket, json!({"type": "subscribe", "stream": "hashtag", "tag": format!("tag{n}")})).await;
            }
            let refused = loop {
                match socket.next().await {
                    Some(Ok(Message::Text(text))) => break text,
                    Some(Ok(Message::Ping(_))) => {}
                    other => panic!("an answer, not {other:?}"),
                }
            };
            assert_eq!(payload(&refused), json!({"error": "Too many streams", "status": 400}));
            dana.publish("#tag0 and #tag15", "public").await;
            assert_eq!((next(&mut socket).await.0, next(&mut socket).await.0), (json!(["hashtag", "tag0"]), json!(["hashtag", "tag15"])));
            for _ in 0..400 {
                if socket.send(Message::text(json!({"type": "subscribe", "stream": "public"}).to_string())).await.is_err() {
                    break;
                }
            }
            ended(&mut socket).await;
        }
    }
}

on_both! {
    /// What comes at once is written together: nothing of it is lost, and each stream has it in its order.
    async fn posts_on_many_streams_of_a_socket_come_on_each(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        let mut socket = connect(&house, "", Some(&dana.token)).await.unwrap();
        let tags: Vec<String> = (0..20).map(|n| format!("tag{n}")).collect();
        for tag in &tags {
            say(&mut socket, json!({"type": "subscribe", "stream": "hashtag", "tag": tag})).await;
        }
        // Refused in words, so the streams before it are joined.
        say(&mut socket, json!({"type": "subscribe", "stream": "nonsense"})).await;
        next(&mut socket).await;
        let mut posts = Vec::new();
        // More than is told in a row, and far less than is kept for whoever reads slowly.
        for _ in 0..5 {
            posts.push(id(&dana.publish(&format!("#{}", tags.join(" #")), "public").await));
        }
        let mut told: Vec<Vec<String>> = vec![Vec::new(); tags.len()];
        for _ in 0..posts.len() * tags.len() {
            let (stream, event, text) = next(&mut socket).await;
            assert_eq!(event, "update");
            let place = tags.iter().position(|tag| stream == json!(["hashtag", tag])).unwrap();
            told[place].push(id(&payload(&text)));
        }
        assert!(told.iter().all(|on_one| *on_one == posts), "{told:?}");
        nothing(&mut socket).await;
    }
}

/// Whoever does not read what is sent is let go while the server runs: the place is free again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_that_reads_nothing_gives_its_place_back() {
    let database = std::sync::Arc::new(testkit::Database::fresh(testkit::Engine::Sqlite).await);
    let house = Instance::start_on("maple", database, |config| config.limits.post_chars = 2_000_000).await;
    let dana = house.member("dana").await;
    let query = format!("?stream=user&access_token={}", dana.token);
    let mut silent = Vec::new();
    for _ in 0..32 {
        silent.push(connect(&house, &query, None).await.unwrap());
    }
    assert_eq!(connect(&house, &query, None).await.err(), Some(429));
    publishes_more_than_buffers_hold(&house).await;
    testkit::eventually("a place is free again", async || connect(&house, &query, None).await.ok()).await;
    drop(silent);
}
