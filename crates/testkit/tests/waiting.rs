//! Somebody asked to join and waits, or her account was closed: nobody sees her, by any way that leads to a member.

use app::accounts::create::NewMember;
use app::accounts::{By, approve, disable, sign_up};
use domain::AccountId;
use domain::account::Role;
use domain::instance::SignUp;
use http::Method;
use serde_json::{Value, json};
use testkit::instance::PASSWORD;
use testkit::{Answer, Database, Engine, Instance, Person, eventually, on_both};

async fn community(engine: Engine) -> Instance {
    let database = std::sync::Arc::new(Database::fresh(engine).await);
    let house = Instance::start_on("maple", database, |config| config.sign_up = SignUp::Approval).await;
    house.member_with("hanna", domain::account::Role::Owner).await;
    house
}

async fn asks_to_join(at: &Instance, name: &str) -> AccountId {
    let new = NewMember {
        username: name.to_owned(),
        email: format!("{name}@mail.example"),
        password: PASSWORD.to_owned(),
        reason: "My neighbour is here".to_owned(),
        ..NewMember::default()
    };
    let joined = sign_up::sign_up(at.app(), &new, None).await.unwrap();
    assert!(!joined.approved);
    joined.account.id
}

async fn ask(at: &Instance, method: Method, path: &str, accept: &str) -> Answer {
    Answer::read(at.request(method, path).header("accept", accept).send().await.unwrap()).await
}

/// Everything that an address of hers answers to a stranger: path, media type, status. The statuses of somebody there
/// never was come beside, from the same paths with another name.
async fn addresses(at: &Instance, name: &str) -> Vec<(String, u16)> {
    let host = at.base.trim_start_matches("http://");
    let (page, activity) = ("text/html", "application/activity+json");
    let mut answers = Vec::new();
    for (path, accept) in [
        (format!("/@{name}"), page),
        (format!("/@{name}"), activity),
        (format!("/@{name}.rss"), "application/rss+xml"),
        (format!("/@{name}/1"), page),
        (format!("/users/{name}"), activity),
        (format!("/users/{name}/outbox"), activity),
        (format!("/users/{name}/outbox?page=true"), activity),
        (format!("/users/{name}/followers"), activity),
        (format!("/users/{name}/followers?page=true"), activity),
        (format!("/users/{name}/following"), activity),
        (format!("/users/{name}/collections/featured"), activity),
        (format!("/.well-known/webfinger?resource=acct:{name}@{host}"), "application/jrd+json"),
        (format!("/.well-known/webfinger?resource={}/users/{name}", at.base), "application/jrd+json"),
        (format!("/.well-known/webfinger?resource={}/@{name}", at.base), "application/jrd+json"),
        (format!("/api/v1/accounts/lookup?acct={name}"), "application/json"),
        (format!("/api/v1/accounts/lookup?acct={name}@{host}"), "application/json"),
    ] {
        let answer = ask(at, Method::GET, &path, accept).await;
        answers.push((format!("{path} as {accept}").replace(name, "NAME"), answer.status));
    }
    let inbox = at.request(Method::POST, &format!("/users/{name}/inbox")).header("content-type", activity).body("{}");
    answers.push(("inbox".to_owned(), inbox.send().await.unwrap().status().as_u16()));
    answers
}

/// What a member can do with her: empty when nothing.
async fn verbs(of: AccountId, by: &Person, but: &[&str]) -> Vec<String> {
    let mut done = Vec::new();
    let all = ["follow", "unfollow", "remove_from_followers", "block", "unblock", "mute", "unmute", "note"];
    for verb in all.into_iter().filter(|verb| !but.contains(verb)) {
        let answer = by.post(&format!("/api/v1/accounts/{of}/{verb}"), json!({"comment": "hm"})).await;
        if answer.status != 404 {
            done.push(format!("{verb}: {} {}", answer.status, answer.text));
        }
    }
    done
}

/// What a member finds of her: empty when nothing.
async fn traces(of: AccountId, name: &str, by: &Person) -> Vec<String> {
    let mut found = Vec::new();
    let id = of.to_string();
    for path in ["", "/statuses", "/followers", "/following", "/lists"] {
        let path = format!("/api/v1/accounts/{id}{path}");
        let answer = by.get(&path).await;
        if answer.status != 404 {
            found.push(format!("{path}: {} {}", answer.status, answer.text));
        }
    }
    for path in [
        format!("/api/v1/accounts?id[]={id}"),
        format!("/api/v1/accounts/relationships?id[]={id}"),
        format!("/api/v1/accounts/search?q={name}&resolve=true"),
        format!("/api/v1/accounts/search?q=@{name}"),
        format!("/api/v2/search?q={name}&resolve=true"),
        format!("/api/v2/search?q={}/@{name}&resolve=true", by.base),
        format!("/api/v2/search?q={}/users/{name}&resolve=true", by.base),
        "/api/v1/timelines/public".to_owned(),
        "/api/v1/timelines/home".to_owned(),
        "/api/v1/notifications".to_owned(),
        "/api/v1/conversations".to_owned(),
        format!("/api/v1/accounts/{}/followers", by.id),
        format!("/api/v1/accounts/{}/following", by.id),
    ] {
        let answer = by.get(&path).await.ok();
        if answer.to_string().contains(&format!("\"id\":\"{id}\"")) {
            found.push(format!("{path}: {answer}"));
        }
    }
    found
}

on_both! {
    /// While she waits every address of hers answers as that of a name nobody has; once she is let in, all are there.
    async fn one_who_waits_is_nobody_until_she_is_let_in(engine) {
        let maple = community(engine).await;
        let willow = Instance::start("willow", engine).await;
        let (dana, bob) = tokio::join!(maple.member("dana"), willow.member("bob"));
        let priya = maple.member_with("priya", Role::Owner).await;
        let id = asks_to_join(&maple, "newcomer").await;

        let nobody = addresses(&maple, "somebody").await;
        assert_eq!(addresses(&maple, "newcomer").await, nobody);
        assert_eq!(traces(id, "newcomer", &dana).await, Vec::<String>::new());
        assert_eq!(verbs(id, &dana, &[]).await, Vec::<String>::new());
        assert_eq!(addresses(&maple, "newcomer").await, nobody, "looking for her must not change it");
        // She cannot be named: the post says her name and leads nowhere.
        let post = dana.publish("welcome, @newcomer", "public").await;
        assert_eq!(post["mentions"], json!([]));
        assert!(!post["content"].as_str().unwrap().contains("/@newcomer"), "{post}");
        // Another server finds nobody.
        let handle = format!("newcomer@{}", maple.base.trim_start_matches("http://"));
        let found = bob.get(&format!("/api/v2/search?q={handle}&resolve=true")).await.ok();
        assert_eq!(found["accounts"], json!([]));
        // Her name is not free.
        let taken = maple
            .request(Method::POST, "/api/v1/accounts")
            .bearer_auth(maple.token(dana.account_id(), "read write").await);
        assert_ne!(taken.send().await.unwrap().status(), 200);
        // Those who decide about her are told, and they alone.
        let told = priya.notifications("admin.sign_up").await;
        assert_eq!(told[0]["account"]["id"], id.to_string());

        approve::approve(maple.app(), By::Operator, id).await.unwrap();
        for (path, status) in addresses(&maple, "newcomer").await {
            // Her page of a post that does not exist, and an empty body to her inbox.
            let expected: &[u16] = match path.as_str() {
                "/@NAME/1 as text/html" => &[404],
                "inbox" => &[400, 401],
                _ => &[200, 303],
            };
            assert!(expected.contains(&status), "{path}: {status}");
        }
        assert!(!traces(id, "newcomer", &dana).await.is_empty());
        let post = dana.publish("now really: @newcomer", "public").await;
        assert_eq!(post["mentions"][0]["id"], id.to_string());
        eventually("the other server finds her", async || {
            let found = bob.get(&format!("/api/v2/search?q={handle}&resolve=true")).await.ok();
            (found["accounts"][0]["username"] == "newcomer").then_some(())
        })
        .await;
    }
}

on_both! {
    /// Closed, she and what she wrote are gone from every place; opened again, everything is where it was.
    async fn a_closed_account_is_seen_by_nobody_until_it_is_opened(engine) {
        let maple = community(engine).await;
        let (dana, eve) = tokio::join!(maple.member("dana"), maple.member("eve"));
        let eve_id = eve.account_id();
        dana.follow(&eve).await;
        eve.follow(&dana).await;
        let open = eve.publish("hello from eve", "public").await;
        let open = open["id"].as_str().unwrap().to_owned();
        let hers = dana.publish("hello from dana", "public").await;
        let hers = hers["id"].as_str().unwrap().to_owned();
        for verb in ["favourite", "reblog"] {
            eve.post(&format!("/api/v1/statuses/{hers}/{verb}"), json!({})).await.ok();
        }
        let answer = eve.post("/api/v1/statuses", json!({"status": "an answer", "in_reply_to_id": hers})).await.ok();
        let private = json!({"status": "@dana between us", "visibility": "direct"});
        eve.post("/api/v1/statuses", private).await.ok();
        dana.post(&format!("/api/v1/statuses/{open}/bookmark"), json!({})).await.ok();

        let seen = async || -> Vec<String> {
            let mut seen = traces(eve_id, "eve", &dana).await;
            for path in [
                format!("/api/v1/statuses/{hers}/context"),
                format!("/api/v1/statuses/{hers}/favourited_by"),
                format!("/api/v1/statuses/{hers}/reblogged_by"),
                "/api/v1/bookmarks".to_owned(),
                "/api/v1/timelines/public?local=true".to_owned(),
            ] {
                let list = dana.get(&path).await.ok();
                if list.to_string().contains(&format!("\"id\":\"{}\"", eve.id)) {
                    seen.push(path);
                }
            }
            if dana.get(&format!("/api/v1/statuses/{open}")).await.status != 404 {
                seen.push("her post".to_owned());
            }
            let page = format!("/@eve/{open}");
            if ask(&maple, Method::GET, &page, "text/html").await.status != 404 {
                seen.push(page);
            }
            let note = format!("/users/eve/statuses/{open}");
            if ask(&maple, Method::GET, &note, "application/activity+json").await.status != 404 {
                seen.push(note);
            }
            seen
        };
        let before = seen().await;
        assert!(before.len() > 18, "{before:?}");
        let addresses_before: Vec<(String, u16)> = addresses(&maple, "eve").await;

        disable::disable(maple.app(), By::Operator, eve_id).await.unwrap();
        assert_eq!(seen().await, Vec::<String>::new());
        // (What is one's own can be taken back, and a follower can be kept away: see `taken_back`. Somebody else has
        // nothing to take back, and nobody to keep away.)
        let possible = ["unfollow", "remove_from_followers", "block", "mute"];
        assert_eq!(verbs(eve_id, &dana, &possible).await, Vec::<String>::new());
        assert_eq!(verbs(eve_id, &maple.member("nadia").await, &[]).await, Vec::<String>::new());
        // (What was said a moment ago to other servers is forgotten a moment later.)
        eventually("every address is nobody's", async || {
            addresses(&maple, "eve").await.iter().all(|(path, status)| path == "inbox" || *status == 404).then_some(())
        })
        .await;
        assert_eq!(eve.get("/api/v1/accounts/verify_credentials").await.status, 401);

        disable::enable(maple.app(), By::Operator, eve_id).await.unwrap();
        assert_eq!(addresses(&maple, "eve").await, addresses_before);
        assert_eq!(seen().await.len(), before.len());
        let again: Value = dana.get(&format!("/api/v1/statuses/{}", answer["id"].as_str().unwrap())).await.ok();
        assert_eq!(again["account"]["id"], eve.id);
    }
}
