//! What was deleted is not in the files of the embedded database any more.

use std::time::Duration;

use app::accounts::create::{self, NewMember};
use app::accounts::{By, delete};
use domain::account::Role;
use serde_json::json;
use testkit::instance::PASSWORD;
use testkit::{Engine, Instance, Person, Remote, eventually};

/// Which of these words stand in any file of the database.
fn found(maple: &Instance, words: &[String]) -> Vec<String> {
    let path = maple.database.url.strip_prefix("sqlite://").unwrap();
    let mut bytes = Vec::new();
    for end in ["", "-wal", "-shm", "-journal"] {
        bytes.extend(std::fs::read(format!("{path}{end}")).unwrap_or_default());
    }
    let mut found = words.to_vec();
    found.retain(|word| bytes.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word.as_bytes())));
    found
}

async fn all_is_done(maple: &Instance) {
    eventually("all is done", async || {
        let mut conn = maple.app().db.read().await.unwrap();
        let (jobs, _) = storage::jobs::backlog(&mut conn).await.unwrap();
        (jobs + storage::inbox_items::backlog(&mut conn).await.unwrap() == 0).then_some(())
    })
    .await;
}

/// Posts, their earlier versions, private messages, what waits for a server that is down, what was received; profile,
/// e-mail, notes and lists of a member who leaves. Ordinary work goes on around it, so that pages fill, split and
/// empty.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleted_words_leave_the_files_within_a_day() {
    let (maple, oak) = (Instance::start("maple", Engine::Sqlite).await, Remote::start("oak").await);
    let other = maple.member("erin").await;
    let new = NewMember {
        username: "dana".to_owned(),
        email: "zyqemailaddress@mail.example".to_owned(),
        password: PASSWORD.to_owned(),
        reason: "zyqsignupreason".to_owned(),
        ..NewMember::default()
    };
    let account = create::create(maple.app(), &new, Role::Member).await.unwrap();
    let token = maple.token(account.id, "read write follow").await;
    let http = testkit::instance::client("maple", maple.address);
    let dana = Person::new(&maple.base, http, &account, token);
    let profile = json!({
        "display_name": "Zyqdisplayname Zyqsecondname", "note": "zyqprofiletext", "locked": false,
        "fields_attributes": [{"name": "zyqfieldname", "value": "zyqfieldvalue"}],
    });
    dana.patch("/api/v1/accounts/update_credentials", profile).await.ok();
    let carol = oak.person("carol");
    carol.is_followed_by(&dana, &maple).await;
    let follow = carol.does("Follow", &json!(format!("{}/users/dana", maple.base)));
    assert_eq!(carol.post(&maple, &follow).await, 202);
    let carol_here = dana.find(&format!("carol@{}", carol.domain())).await;
    oak.rest(true);

    dana.post(&format!("/api/v1/accounts/{carol_here}/note"), json!({"comment": "zyqprivatenote"})).await.ok();
    dana.post("/api/v1/lists", json!({"title": "zyqlisttitle"})).await.ok();
    let mut posts = Vec::new();
    for n in 0..60 {
        let text = format!("zyqpost{n:03}x {}", "and so on ".repeat(n % 40));
        let warned = json!({"status": text, "spoiler_text": format!("zyqwarning{n:03}x")});
        posts.push(dana.post("/api/v1/statuses", warned).await.ok());
        other.publish(&format!("something that stays {}", "words ".repeat(n)), "public").await;
    }
    let id = |n: usize| posts[n]["id"].as_str().unwrap().to_owned();
    for n in 0..10 {
        dana.put(&format!("/api/v1/statuses/{}", id(n)), json!({"status": format!("zyqedited{n:03}x")})).await.ok();
    }
    dana.publish("zyqprivatemessage @erin", "direct").await;
    let note = carol.note("/notes/1", "<p>zyqreceivedpost</p>");
    assert_eq!(carol.post(&maple, &carol.does("Create", &note)).await, 202);
    all_is_done(&maple).await;

    let mut words: Vec<String> = [
        "zyqemailaddress",
        "zyqdisplayname",
        "zyqsecondname",
        "zyqprofiletext",
        "zyqfieldname",
        "zyqfieldvalue",
        "zyqprivatenote",
        "zyqlisttitle",
        "zyqprivatemessage",
        "zyqreceivedpost",
    ]
    .map(str::to_owned)
    .to_vec();
    words.extend((0..60).flat_map(|n| [format!("zyqpost{n:03}x"), format!("zyqwarning{n:03}x")]));
    words.extend((0..10).map(|n| format!("zyqedited{n:03}x")));
    assert_eq!(found(&maple, &words), words, "they are there before");

    // Some of it by hand, the rest with the account.
    for n in (0..60).step_by(3) {
        dana.delete(&format!("/api/v1/statuses/{}", id(n))).await.ok();
        other.publish("something else that stays", "public").await;
    }
    let gone = carol.does("Delete", &json!({"id": oak.url("/notes/1"), "type": "Tombstone"}));
    assert_eq!(carol.post(&maple, &gone).await, 202);
    delete::delete(maple.app(), By::Operator, dana.account_id()).await.unwrap();
    all_is_done(&maple).await;
    maple.clock.advance(Duration::from_secs(24 * 60 * 60));
    server::schedule::hourly(maple.federation()).await.unwrap();
    assert_eq!(found(&maple, &words), Vec::<String>::new());
    assert_eq!(found(&maple, &["something else that stays".to_owned()]).len(), 1);
}
