//! Paging: no entry twice, none missing, in both directions.

use std::collections::HashSet;

use testkit::{Instance, on_both};

use crate::api::each;

fn link(headers: &http::HeaderMap, rel: &str) -> Option<String> {
    let links = headers.get("link")?.to_str().ok()?;
    let found = links.split(", ").find(|l| l.ends_with(&format!("rel=\"{rel}\"")))?;
    let address = found.strip_prefix('<')?.split('>').next()?;
    Some(address[address.find("/api")?..].to_owned())
}

on_both! {
    /// Following `next` to the end gives every post once; `prev` gives what came since, while others write.
    async fn links_lead_through_the_whole_list(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        let mut written = Vec::new();
        for n in 0..11 {
            written.push(crate::api::id(&dana.publish(&format!("post {n}"), "public").await));
        }
        let (mut path, mut seen) = (Some("/api/v1/timelines/home?limit=4".to_owned()), Vec::new());
        let mut prev = None;
        while let Some(at) = path {
            let page = dana.get(&at).await;
            seen.extend(each(&page.ok(), "id"));
            path = link(&page.headers, "next");
            prev = prev.or_else(|| link(&page.headers, "prev"));
            if seen.len() == 4 {
                dana.publish("written meanwhile", "public").await;
            }
        }
        written.reverse();
        assert_eq!(seen, written);
        assert_eq!(seen.iter().collect::<HashSet<_>>().len(), 11);
        let newer = dana.get(&prev.unwrap()).await;
        assert_eq!(newer.ok()[0]["content"], "<p>written meanwhile</p>");
        assert_eq!(newer.ok().as_array().unwrap().len(), 1);
        // min_id: those right after it; since_id: the newest.
        let oldest = &written[10];
        let after = dana.get(&format!("/api/v1/timelines/home?limit=2&min_id={oldest}")).await.ok();
        assert_eq!(each(&after, "id"), [written[8].as_str(), written[9].as_str()]);
        let newest = dana.get(&format!("/api/v1/timelines/home?limit=2&since_id={oldest}")).await.ok();
        assert_eq!(newest[0]["content"], "<p>written meanwhile</p>");
    }
}

on_both! {
    /// Answers are for who asked: no cache between her and us keeps them, pages of the API and documents for servers alike.
    async fn nothing_between_keeps_what_is_hers(engine) {
        let house = Instance::start("maple", engine).await;
        let dana = house.member("dana").await;
        let post = dana.publish("for my followers", "private").await;
        let kept = |headers: &http::HeaderMap| headers["cache-control"].to_str().unwrap().to_owned();
        for path in ["/api/v1/timelines/home", "/api/v1/conversations", &format!("/api/v1/statuses/{}", crate::api::id(&post))] {
            assert_eq!(kept(&dana.get(path).await.headers), "private, no-store", "{path}");
        }
        let actor = house.request(http::Method::GET, "/users/dana").header("accept", "application/activity+json");
        assert_eq!(kept(actor.send().await.unwrap().headers()), "private, no-store");
    }
}
