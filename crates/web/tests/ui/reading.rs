//! Who sees what on the pages, and how posts are shown.

use app::posts::publish::Draft;
use domain::account::{Account, Role};
use domain::follow::FollowOptions;
use domain::{PostId, Visibility};
use testkit::on_both;

use crate::house::House;

async fn answer_to(house: &House, by: &Account, to: PostId, text: &str) -> PostId {
    house.draft(by, Draft { text: text.to_owned(), in_reply_to: Some(to), ..Draft::default() }).await
}

on_both! {
    async fn each_reader_sees_what_was_meant_for_her(engine) {
        let house = House::open(engine).await;
        let (dana, priya) = (house.member_as("dana", Role::Owner).await, house.member("priya").await);
        let everyone = house.post(&dana, "for everyone", Visibility::Public).await;
        let quiet = house.post(&dana, "quietly said", Visibility::Unlisted).await;
        let close = house.post(&dana, "for those close to me", Visibility::Followers).await;
        let secret = house.post(&dana, "@priya between us", Visibility::Direct).await;
        let own = house.browser_of("dana").await;
        let stranger = house.browser();
        let friend = house.browser_of("priya").await;

        let page = stranger.get("/@dana").await.body;
        assert!(page.contains("for everyone") && page.contains("quietly said"));
        assert!(!page.contains("for those close") && !page.contains("between us"));
        let front = stranger.get("/").await.body;
        assert!(front.contains("for everyone") && !front.contains("quietly said"));
        let nothing = stranger.get("/@dana/18446744073709551615").await;
        for (id, status) in [(everyone, 200), (quiet, 200), (close, 404), (secret, 404)] {
            // By its address, and by the id that apps may make one of.
            let address = house.address(id).await.url;
            assert!(!address.contains(&id.to_string()), "it cannot be guessed");
            for path in [address, format!("/@dana/{id}")] {
                let seen = stranger.get(&path).await;
                assert_eq!(seen.status, status, "{path}");
                if status == 404 {
                    assert_eq!((&seen.body, seen.headers.len()), (&nothing.body, nothing.headers.len()));
                }
                assert_eq!(own.get(&path).await.status, 200, "{path}");
            }
        }
        assert_eq!(friend.get(&format!("/@dana/{close}")).await.status, 404, "she does not follow her yet");
        assert_eq!(friend.get(&format!("/@dana/{secret}")).await.status, 200, "it was for her");

        app::follows::request::request(&house.app, &priya, dana.id, FollowOptions::default()).await.unwrap();
        app::follows::accept::accept(&house.app, &dana, priya.id).await.unwrap();
        let page = friend.get(&format!("/@dana/{close}")).await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("For people who follow dana"));
        assert!(!page.body.contains("og:description") && page.body.contains("noindex"), "no preview of what is not public");
    }
}

on_both! {
    async fn a_post_stands_in_its_conversation(engine) {
        let house = House::open(engine).await;
        let (dana, priya) = (house.member_as("dana", Role::Owner).await, house.member("priya").await);
        let first = house.post(&dana, "who is awake", Visibility::Public).await;
        let second = answer_to(&house, &priya, first, "I am").await;
        let third = answer_to(&house, &dana, second, "good").await;
        let whispered = house
            .draft(
                &priya,
                Draft {
                    text: "only for her".to_owned(),
                    in_reply_to: Some(third),
                    visibility: Some(Visibility::Followers),
                    ..Draft::default()
                },
            )
            .await;
        let page = house.browser().get(&format!("/@priya/{second}")).await.body;
        let places: Vec<usize> = ["who is awake", "I am", "good"].iter().map(|t| page.rfind(t).unwrap()).collect();
        assert!(places.is_sorted(), "{places:?}");
        assert!(page.contains(&format!("href=\"#p{first}\"")), "the way to what it answers");
        assert_eq!(page.matches("class=\"card post here\"").count(), 1);
        assert!(!page.contains("only for her") && !page.contains(&whispered.to_string()));
    }
}

on_both! {
    async fn what_is_gone_is_gone_and_what_never_was_is_not_found(engine) {
        let house = House::open(engine).await;
        let (dana, priya) = (house.member_as("dana", Role::Owner).await, house.member("priya").await);
        let id = house.post(&dana, "take it back", Visibility::Public).await;
        let close = house.post(&dana, "and this", Visibility::Followers).await;
        let kept = house.post(&priya, "this stays", Visibility::Public).await;
        for id in [id, close] {
            app::posts::delete::delete(&house.app, &dana, id, app::posts::delete::Media::Remove).await.unwrap();
        }
        let browser = house.browser();
        let gone = browser.get(&format!("/@dana/{id}")).await;
        assert_eq!(gone.status, 410);
        assert!(gone.body.contains("no longer here") && !gone.body.contains("take it back"));
        assert_eq!(browser.get(&format!("/@dana/{close}")).await.status, 404, "nobody learns that it was there");
        assert_eq!(browser.get(&format!("/@dana/{kept}")).await.status, 404, "somebody else's");
        for path in ["/@nobody", "/@nobody/1", "/@dana/x", "/@dana/999999999999999999999"] {
            assert_eq!(browser.get(path).await.status, 404, "{path}");
        }
    }
}

on_both! {
    async fn programs_are_sent_to_the_document_and_people_are_not(engine) {
        let house = House::open(engine).await;
        let dana = house.member_as("dana", Role::Owner).await;
        let id = house.post(&dana, "hello", Visibility::Public).await;
        let browser = house.browser();
        for (path, to) in
            [("/@dana".to_owned(), dana.uri.clone()), (format!("/@dana/{id}"), house.address(id).await.uri)]
        {
            let ask = |accept: &str| browser.send(browser.request(reqwest::Method::GET, &path).header("accept", accept));
            let program = ask("application/activity+json, application/ld+json").await;
            assert_eq!((program.status, program.location()), (303, to.as_str()));
            let person = ask("text/html,application/xhtml+xml,*/*;q=0.8").await;
            assert_eq!(person.status, 200);
            assert!(person.body.contains(&format!("type=\"application/activity+json\" href=\"{to}\"")));
        }
    }
}

on_both! {
    async fn a_warning_hides_the_post_until_it_is_opened_and_from_previews(engine) {
        let house = House::open(engine).await;
        let dana = house.member_as("dana", Role::Owner).await;
        let id = house
            .draft(
                &dana,
                Draft {
                    text: "the <b>long</b> night & after".to_owned(),
                    spoiler_text: "Health & <i>sorrow</i>".to_owned(),
                    visibility: Some(Visibility::Public),
                    language: Some("en".to_owned()),
                    ..Draft::default()
                },
            )
            .await;
        let page = house.browser().get(&format!("/@dana/{id}")).await.body;
        let (before, inside) = page.split_once("<details class=\"veil\">").unwrap();
        assert!(!before.contains("long"), "not in the title, not in the preview");
        assert!(inside.contains("Health &amp; &lt;i&gt;sorrow&lt;/i&gt;"), "{inside}");
        assert!(inside.contains("the &lt;b&gt;long&lt;/b&gt; night &amp; after") && inside.contains("lang=\"en\""));
    }
}

on_both! {
    async fn pages_of_a_long_list_lead_to_each_other(engine) {
        let house = House::open(engine).await;
        let dana = house.member_as("dana", Role::Owner).await;
        for n in 0..45 {
            house.post(&dana, &format!("post number {n}."), Visibility::Public).await;
        }
        let browser = house.browser();
        for start in ["/", "/@dana"] {
            let mut path = start.to_owned();
            let mut seen = Vec::new();
            let mut pages = 0;
            loop {
                let page = browser.get(&path).await.body;
                seen.extend((0..45).filter(|n| page.contains(&format!("post number {n}."))));
                pages += 1;
                match page.split("class=\"quiet\" href=\"").skip(1).find_map(|a| a.split_once("\" rel=\"next\"")) {
                    Some((href, _)) if !href.contains('<') => path = href.to_owned(),
                    _ => break,
                }
            }
            assert_eq!(pages, 3, "{start}");
            seen.sort_unstable();
            assert_eq!(seen, (0..45).collect::<Vec<_>>(), "{start}: each once");
        }
    }
}

on_both! {
    async fn what_she_keeps_at_the_top_comes_first_and_once(engine) {
        let house = House::open(engine).await;
        let dana = house.member_as("dana", Role::Owner).await;
        let old = house.post(&dana, "my first words", Visibility::Public).await;
        house.post(&dana, "my newest words", Visibility::Public).await;
        app::posts::pin::pin(&house.app, &dana, old).await.unwrap();
        let page = house.browser().get("/@dana").await.body;
        assert_eq!(page.matches("my first words").count(), 1);
        assert!(page.find("my first words") < page.find("my newest words") && page.contains("Kept at the top"));
    }
}

on_both! {
    async fn search_engines_find_only_who_wants_to_be_found(engine) {
        let house = House::open(engine).await;
        house.member_as("dana", Role::Owner).await;
        let page = house.browser().get("/@dana").await.body;
        assert!(page.contains("<meta name=\"robots\" content=\"noindex, noarchive\">"), "nobody asked her yet");
        assert!(!house.browser().get("/").await.body.contains("noindex"));
    }
}
