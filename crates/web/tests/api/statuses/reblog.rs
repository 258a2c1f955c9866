//! Boosts.

use serde_json::json;
use testkit::{Instance, on_both};

use crate::api::{each, id};

on_both! {
    /// A boost brings the post to her followers, once; taking it back takes it away; private posts are not boosted.
    async fn boosting_and_taking_it_back(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya, marisol) =
            (house.member("dana").await, house.member("priya").await, house.member("marisol").await);
        marisol.follow(&dana).await;
        let post = id(&priya.publish("worth sharing", "public").await);
        let boost = dana.post(&format!("/api/v1/statuses/{post}/reblog"), json!({"visibility": "public"})).await.ok();
        assert_eq!(boost["reblog"]["id"], post.as_str());
        assert_eq!((&boost["reblog"]["reblogged"], &boost["reblog"]["reblogs_count"]), (&json!(true), &json!(1)));
        let again = dana.post(&format!("/api/v1/statuses/{post}/reblog"), json!({})).await.ok();
        assert_eq!(again["id"], boost["id"], "twice is once");
        assert_eq!(marisol.home().await[0]["reblog"]["id"], post.as_str());
        assert_eq!(each(&priya.get(&format!("/api/v1/statuses/{post}/reblogged_by")).await.ok(), "id"), [dana.id.as_str()]);

        let back = dana.post(&format!("/api/v1/statuses/{post}/unreblog"), json!({})).await.ok();
        assert_eq!((&back["id"], &back["reblogs_count"]), (&json!(post), &json!(0)));
        assert!(marisol.home().await.is_empty());
        let private = id(&priya.publish("not for sharing", "private").await);
        assert_eq!(dana.post(&format!("/api/v1/statuses/{private}/reblog"), json!({})).await.status, 404);
    }
}

on_both! {
    /// What two whom she follows share, and what she read before, is on her home timeline once.
    async fn what_many_share_is_shown_once(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya, marisol) =
            (house.member("dana").await, house.member("priya").await, house.member("marisol").await);
        let writer = house.member("lena").await;
        marisol.follow(&dana).await;
        marisol.follow(&priya).await;
        let post = id(&writer.publish("worth sharing", "public").await);
        for who in [&dana, &priya] {
            who.post(&format!("/api/v1/statuses/{post}/reblog"), json!({})).await.ok();
        }
        let home = marisol.home().await;
        assert_eq!(home.len(), 1, "{home:?}");
        assert_eq!((&home[0]["account"]["username"], &home[0]["reblog"]["id"]), (&json!("dana"), &json!(post)));

        let read = id(&dana.publish("read already", "public").await);
        priya.post(&format!("/api/v1/statuses/{read}/reblog"), json!({})).await.ok();
        assert_eq!(each(&json!(marisol.home().await), "id")[0], read, "the post itself, no boost of it");
        assert_eq!(priya.home().await[0]["reblog"]["id"], read.as_str(), "who shares it sees that she did");
    }
}

on_both! {
    /// What a member did with a post they did with their boost of it: apps look at either.
    async fn a_boost_and_its_post_say_the_same_of_the_viewer(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = (house.member("dana").await, house.member("priya").await);
        let post = id(&priya.publish("worth sharing", "public").await);
        let path = format!("/api/v1/statuses/{post}");
        let both = |boost: &serde_json::Value, mark: &str| (boost[mark].clone(), boost["reblog"][mark].clone());
        for _ in ["first", "again"] {
            let boost = dana.post(&format!("{path}/reblog"), json!({})).await.ok();
            assert_eq!(both(&boost, "reblogged"), (json!(true), json!(true)));
        }
        dana.post(&format!("{path}/favourite"), json!({})).await.ok();
        let boost = format!("/api/v1/statuses/{}", id(&dana.home().await[0]));
        dana.post(&format!("{boost}/bookmark"), json!({})).await.ok();
        for shown in [dana.get(&boost).await.ok(), dana.home().await[0].clone()] {
            for mark in ["reblogged", "favourited", "bookmarked"] {
                assert_eq!(both(&shown, mark), (json!(true), json!(true)), "{mark}");
            }
        }
        let others = priya.get(&boost).await.ok();
        assert_eq!(both(&others, "reblogged"), (json!(false), json!(false)), "another's boost is not the viewer's");
        assert_eq!(dana.post(&format!("{path}/unreblog"), json!({})).await.ok()["reblogged"], false);
    }
}

on_both! {
    /// Who shares a post with followers alone stands in no list, as in no counter: not even for a follower.
    async fn a_boost_for_followers_is_not_listed(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya, marisol) =
            (house.member("dana").await, house.member("priya").await, house.member("marisol").await);
        let writer = house.member("lena").await;
        marisol.follow(&dana).await;
        let post = format!("/api/v1/statuses/{}", id(&writer.publish("worth sharing", "public").await));
        for (who, visibility) in [(&dana, "private"), (&priya, "unlisted"), (&marisol, "public")] {
            who.post(&format!("{post}/reblog"), json!({"visibility": visibility})).await.ok();
        }
        for viewer in [&dana, &marisol, &writer] {
            let listed = each(&viewer.get(&format!("{post}/reblogged_by")).await.ok(), "username");
            assert_eq!(listed, ["marisol", "priya"], "for {}", viewer.username);
            assert_eq!(viewer.get(&post).await.ok()["reblogs_count"], 2);
        }
    }
}

on_both! {
    /// Without an audience of its own, a boost is for those whom the member's posts are for.
    async fn a_boost_is_for_whom_posts_are_by_default(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya) = (house.member("dana").await, house.member("priya").await);
        let narrowed = [("public", "public"), ("unlisted", "unlisted"), ("private", "private"), ("direct", "private")];
        for (default, boosted) in narrowed {
            dana.patch("/api/v1/accounts/update_credentials", json!({"source": {"privacy": default}})).await.ok();
            let post = id(&priya.publish("worth sharing", "public").await);
            let boost = dana.post(&format!("/api/v1/statuses/{post}/reblog"), json!({})).await.ok();
            assert_eq!(boost["visibility"], boosted, "{default}");
        }
    }
}

on_both! {
    /// A member's own boost is not put on top of what stands there anyway; once that is far down, it is.
    async fn ones_own_boost_does_not_stand_above_its_post(engine) {
        let house = Instance::start("maple", engine).await;
        let (dana, priya, marisol) =
            (house.member("dana").await, house.member("priya").await, house.member("marisol").await);
        dana.follow(&priya).await;
        let boost = async |who: &testkit::Person, post: &str| {
            id(&who.post(&format!("/api/v1/statuses/{post}/reblog"), json!({})).await.ok())
        };
        let home = async |who: &testkit::Person| each(&json!(who.home().await), "id");
        let followed = id(&priya.publish("from somebody followed", "public").await);
        let own = id(&dana.publish("one's own", "public").await);
        let stranger = id(&marisol.publish("from a stranger", "public").await);
        boost(&dana, &followed).await;
        boost(&dana, &own).await;
        assert_eq!(home(&dana).await, [own.clone(), followed.clone()]);
        let shared = boost(&priya, &stranger).await;
        boost(&dana, &stranger).await;
        assert_eq!(home(&dana).await, [shared.as_str(), &own, &followed], "nor above another's boost of it");
        let alone = id(&marisol.publish("nobody brought it", "public").await);
        let first = boost(&dana, &alone).await;
        assert_eq!(home(&dana).await[0], first);
        // Whoever follows its author then has it once.
        dana.follow(&marisol).await;
        assert!(!home(&dana).await.contains(&alone));

        for n in 0..40 {
            priya.publish(&format!("and then {n}"), "public").await;
        }
        dana.post(&format!("/api/v1/statuses/{followed}/unreblog"), json!({})).await.ok();
        let late = boost(&dana, &followed).await;
        assert_eq!(home(&dana).await[0], late);
    }
}
