//! Handles on one domain, actors on another: `@lena@birch` is served by `social.birch`. Believed when each side
//! leads to the other.

use federation::ResolveError;
use serde_json::json;
use testkit::{Engine, Instance, Remote, on_both};

use crate::strangers::account_at;

/// maple, the domain of the handle, and the server of the actor.
async fn places(engine: Engine) -> (Instance, Remote, Remote) {
    (Instance::start("maple", engine).await, Remote::start("birch").await, Remote::start("social-birch").await)
}

on_both! {
    async fn a_handle_on_another_domain_is_known_by_it_alone(engine) {
        let (maple, birch, social) = places(engine).await;
        let lena = social.person("lena");
        let handle = format!("lena@{}", birch.domain);
        birch.finger("lena", &birch.domain, &handle, &lena.uri);
        // Asked for the handle on its own host, the server names the real one.
        social.finger("lena", &social.domain, &handle, &lena.uri);
        let fed = maple.federation();
        let found = fed.resolve_account(&format!("@{handle}")).await.unwrap();
        assert_eq!((found.acct(), found.uri.as_str()), (handle.clone(), lena.uri.as_str()));
        // The other ways lead to the same account, not to a second one.
        for way in [format!("lena@{}", social.domain), lena.uri.clone()] {
            assert_eq!(fed.resolve_account(&way).await.unwrap().id, found.id, "{way}");
        }
        // What she signs is hers under that name.
        assert_eq!(lena.post(&maple, &lena.does("Like", &json!("https://elm.example/1"))).await, 202);
    }
}

on_both! {
    async fn a_handle_that_the_actor_claims_is_asked_for_at_its_domain(engine) {
        let (maple, birch, social) = places(engine).await;
        let mut lena = social.person("lena");
        let handle = format!("lena@{}", birch.domain);
        // FEP-2c59: found by its id, it says how it is called.
        lena.document["webfinger"] = json!(handle);
        lena.show();
        let fed = maple.federation();
        assert!(fed.resolve_account(&lena.uri).await.is_err(), "birch knows nothing of it");
        birch.finger("lena", &birch.domain, &handle, &social.url("/users/somebody-else"));
        assert!(matches!(fed.resolve_account(&lena.uri).await, Err(ResolveError::Handle)), "birch says otherwise");
        assert!(account_at(&maple, &lena.uri).await.is_none());
        assert_eq!(lena.post(&maple, &lena.does("Like", &json!("https://elm.example/1"))).await, 401);
        birch.finger("lena", &birch.domain, &handle, &lena.uri);
        assert_eq!(fed.resolve_account(&lena.uri).await.unwrap().acct(), handle);
        assert_eq!(social.times_asked("/.well-known/webfinger"), 0, "its own word was enough for its half");
    }
}

on_both! {
    async fn a_domain_cannot_lend_itself_somebody_elses_actor(engine) {
        let (maple, birch, social) = places(engine).await;
        // Lena's server calls her lena@social: what birch says of her does not count.
        let lena = social.person("lena");
        birch.finger("lena", &birch.domain, &format!("lena@{}", birch.domain), &lena.uri);
        let found = maple.federation().resolve_account(&format!("lena@{}", birch.domain)).await.unwrap();
        assert_eq!(found.acct(), format!("lena@{}", social.domain));
        // A server cannot give its actor a name on a domain that does not say so.
        let mona = social.person("mona");
        social.finger("mona", &social.domain, &format!("mona@{}", birch.domain), &mona.uri);
        assert!(maple.federation().resolve_account(&mona.uri).await.is_err());
        birch.finger("mona", &birch.domain, &format!("mona@{}", birch.domain), &social.url("/users/nobody"));
        assert!(matches!(maple.federation().resolve_account(&mona.uri).await, Err(ResolveError::Handle)));
        assert!(account_at(&maple, &mona.uri).await.is_none());
    }
}
