//! What is one's own can be taken back, whoever has blocked whom since.

use serde_json::{Value, json};
use testkit::{Instance, Person, on_both};

use crate::api::{each, id};

async fn counts(author: &Person, post: &str) -> Value {
    let post = author.get(&format!("/api/v1/statuses/{post}")).await.ok();
    json!([post["favourites_count"], post["reblogs_count"], post["replies_count"]])
}

on_both! {
    /// Likes, boosts, bookmarks, muted discussions and answers of somebody who was blocked: each goes once, and what the
    /// post says now is not shown.
    async fn who_was_blocked_takes_back_what_is_theirs(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = (house.member("dana").await, house.member("priya").await);
        let post = id(&dana.publish("what I said", "public").await);
        let other = id(&dana.publish("not shared by her", "public").await);
        let act = async |verb: &str, post: &str| priya.post(&format!("/api/v1/statuses/{post}/{verb}"), json!({})).await;
        for verb in ["favourite", "bookmark", "mute", "reblog"] {
            act(verb, &post).await.ok();
        }
        let boost = id(&act("reblog", &other).await.ok());
        let draft = json!({"status": "mine", "in_reply_to_id": post});
        let answer = id(&priya.post("/api/v1/statuses", draft).await.ok());
        assert_eq!(counts(&dana, &post).await, json!([1, 1, 1]));
        dana.post(&format!("/api/v1/accounts/{}/block", priya.id), json!({})).await.ok();

        assert_eq!(act("favourite", &other).await.status, 404, "nothing new");
        for (verb, mark) in
            [("unfavourite", "favourited"), ("unbookmark", "bookmarked"), ("unmute", "muted"), ("unreblog", "reblogged")]
        {
            let answer = act(verb, &post).await.ok();
            assert_eq!((&answer["id"], &answer[mark]), (&json!(post), &json!(false)), "{verb}");
            assert_eq!(answer["content"], "", "{verb}");
            assert_eq!(act(verb, &post).await.status, 404, "{verb}: there is nothing left of theirs");
        }
        assert_eq!(priya.delete(&format!("/api/v1/statuses/{answer}")).await.status, 200);
        assert_eq!(counts(&dana, &post).await, json!([0, 0, 0]));
        assert!(dana.notifications("favourite").await.is_empty());
        // A boost goes by its own id, too.
        assert_eq!(counts(&dana, &other).await, json!([0, 1, 0]));
        assert_eq!(priya.delete(&format!("/api/v1/statuses/{boost}")).await.status, 200);
        assert_eq!(counts(&dana, &other).await, json!([0, 0, 0]));
        // Of what was never theirs to see, nothing is told.
        let secret = id(&dana.publish("secret", "direct").await);
        for verb in ["unfavourite", "unbookmark", "unmute", "unreblog"] {
            assert_eq!(act(verb, &secret).await.status, 404, "{verb}");
        }
    }
}

on_both! {
    /// Followers, and those that asked, can be removed or blocked while they are hidden. Of a hidden account without a
    /// relation a member learns nothing.
    async fn a_follower_who_is_not_seen_can_be_kept_away(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.cautious_member("dana").await;
        let by = app::accounts::By::Operator;
        let stranger = house.member("frank").await;
        app::accounts::disable::disable(house.app(), by, stranger.account_id()).await.unwrap();
        for (n, verb) in ["remove_from_followers", "block", "mute", "reject", "block"].into_iter().enumerate() {
            let eve = house.member(&format!("eve{n}")).await;
            let account = eve.account_id();
            eve.post(&format!("/api/v1/accounts/{}/follow", dana.id), json!({})).await.ok();
            let follows = n < 3;
            if follows {
                dana.post(&format!("/api/v1/follow_requests/{}/authorize", eve.id), json!({})).await.ok();
            }
            app::accounts::disable::disable(house.app(), by, account).await.unwrap();
            let path = |verb: &str, id: &str| match verb {
                "reject" => format!("/api/v1/follow_requests/{id}/reject"),
                _ => format!("/api/v1/accounts/{id}/{verb}"),
            };
            let ended = dana.post(&path(verb, &eve.id), json!({})).await;
            assert_eq!(ended.status, 200, "{verb}: {}", ended.text);
            assert_eq!(dana.post(&path(verb, &stranger.id), json!({})).await.status, 404, "{verb}");
            app::accounts::disable::enable(house.app(), by, account).await.unwrap();
            let now = dana.relationship(&eve.id).await;
            let stays = json!([verb == "mute", false, verb == "block", verb == "mute"]);
            let now = json!([now["followed_by"], now["requested_by"], now["blocking"], now["muting"]]);
            assert_eq!(now, stays, "{verb}");
        }
    }
}

on_both! {
    /// Follows, requests, blocks, mutes and private discussions end, whether or not the other is still to be seen.
    async fn relations_to_who_is_not_seen_can_be_ended(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, eve) = (house.member("dana").await, house.member("eve").await);
        let locked = house.cautious_member("lena").await;
        dana.follow(&eve).await;
        dana.post(&format!("/api/v1/accounts/{}/follow", locked.id), json!({})).await.ok();
        let marisol = house.member("marisol").await;
        marisol.publish("@dana between us", "direct").await;
        let talk = dana.get("/api/v1/conversations").await.ok()[0]["id"].as_str().unwrap().to_owned();
        for who in [&eve, &locked] {
            let account = who.account_id();
            let by = app::accounts::By::Operator;
            app::accounts::disable::disable(house.app(), by, account).await.unwrap();
            let ended = dana.post(&format!("/api/v1/accounts/{}/unfollow", who.id), json!({})).await.ok();
            assert_eq!((&ended["following"], &ended["requested"]), (&json!(false), &json!(false)));
            let again = dana.post(&format!("/api/v1/accounts/{}/unfollow", who.id), json!({})).await;
            assert_eq!(again.status, 404, "there is nobody to be seen");
            app::accounts::disable::enable(house.app(), by, account).await.unwrap();
            let now = dana.relationship(&who.id).await;
            assert_eq!((&now["following"], &now["requested"]), (&json!(false), &json!(false)));
        }
        marisol.post(&format!("/api/v1/accounts/{}/block", dana.id), json!({})).await.ok();
        assert!(each(&dana.get("/api/v1/conversations").await.ok(), "id").is_empty());
        assert_eq!(dana.delete(&format!("/api/v1/conversations/{talk}")).await.status, 200);
        assert_eq!(dana.delete(&format!("/api/v1/conversations/{talk}")).await.status, 404);
    }
}
