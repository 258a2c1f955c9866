//! RSS: public posts and nothing else.

use app::posts::publish::Draft;
use domain::Visibility;
use domain::account::Role;
use testkit::on_both;

use crate::house::House;

on_both! {
    async fn a_feed_holds_public_posts_alone_whoever_asks(engine) {
        let house = House::open(engine).await;
        let dana = house.member_as("dana", Role::Owner).await;
        house.post(&dana, "for everyone & more #tea", Visibility::Public).await;
        house.post(&dana, "quietly said #tea", Visibility::Unlisted).await;
        house.post(&dana, "for those close to me #tea", Visibility::Followers).await;
        let veiled = Draft {
            text: "the hard part".to_owned(),
            spoiler_text: "Health".to_owned(),
            visibility: Some(Visibility::Public),
            ..Draft::default()
        };
        house.draft(&dana, veiled).await;
        for browser in [house.browser(), house.browser_of("dana").await] {
            let feed = browser.get("/@dana.rss").await;
            assert_eq!((feed.status, feed.header("content-type")), (200, "application/rss+xml; charset=utf-8"));
            assert_eq!(feed.body.matches("<item>").count(), 2, "{}", feed.body);
            assert!(feed.body.contains("for everyone &amp;amp; more") || feed.body.contains("for everyone &amp; more"));
            assert!(feed.body.contains("Health") && !feed.body.contains("the hard part"));
            let tag = browser.get("/tags/Tea.rss").await;
            assert_eq!((tag.status, tag.body.matches("<item>").count()), (200, 1), "{}", tag.body);
            for feed in [feed, tag] {
                assert!(!feed.body.contains("quietly") && !feed.body.contains("close to me"));
            }
        }
        assert_eq!(house.browser().get("/@nobody.rss").await.status, 404);
        let page = house.browser().get("/@dana").await.body;
        assert!(page.contains("type=\"application/rss+xml\""));
        let tag = house.browser().get("/tags/tea").await;
        assert_eq!(tag.status, 200);
        assert!(tag.body.contains("for everyone") && !tag.body.contains("quietly"));
        assert_eq!(house.browser().get("/tags/not%20a%20tag").await.status, 404);
    }
}

on_both! {
    /// The feed of the front page holds what a stranger sees there: neither answers nor what is shared again, and nobody who was
    /// silenced or closed.
    async fn the_front_page_has_a_feed_of_what_it_shows(engine) {
        let house = House::open(engine).await;
        let dana = house.member_as("dana", Role::Owner).await;
        let (priya, eve) = (house.member("priya").await, house.member("eve").await);
        let first = house.post(&dana, "for everyone", Visibility::Public).await;
        house.post(&dana, "quietly said", Visibility::Unlisted).await;
        house.post(&dana, "for those close to me", Visibility::Followers).await;
        house.draft(&priya, Draft { text: "an answer".to_owned(), in_reply_to: Some(first), ..Draft::default() }).await;
        app::posts::boost::boost(&house.app, &priya, first, None).await.unwrap();
        house.post(&priya, "good morning", Visibility::Public).await;
        house.post(&eve, "heard by nobody", Visibility::Public).await;
        app::accounts::disable::disable(&house.app, app::accounts::By::Operator, eve.id).await.unwrap();
        for browser in [house.browser(), house.browser_of("priya").await] {
            let feed = browser.get("/feed.rss").await;
            assert_eq!((feed.status, feed.header("content-type")), (200, "application/rss+xml; charset=utf-8"));
            assert_eq!(feed.body.matches("<item>").count(), 2, "{}", feed.body);
            assert!(feed.body.contains("for everyone") && feed.body.contains("good morning"), "{}", feed.body);
            let front = browser.get("/").await.body;
            let link = format!("type=\"application/rss+xml\" title=\"Public posts at Porchlight\" href=\"{}/feed.rss\"", house.base);
            assert!(front.contains(&link), "{front}");
        }
    }
}
