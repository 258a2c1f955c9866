//! What posts, boosts, follows and accounts from elsewhere meet here is told by one question each.

use domain::account::{Account, Role};
use domain::follow::FollowOptions;
use domain::{FollowId, PostId, Visibility};
use storage::follows::{self, Follow, Reach};
use storage::incoming::{Boosted, FollowMet, Met, boostable, met, met_by_follow};
use storage::posts::{self, Links};
use storage::{Tx, accounts, domain_blocks, sql};

use crate::people::{account, follow, write_member};
use crate::visible::write_post;

async fn elsewhere(tx: &mut Tx, username: &str, domain: &str) -> Account {
    let account = account(tx.id(), username, domain);
    accounts::upsert(tx, &account).await.unwrap();
    account
}

both! {
    async fn a_post_meets_what_there_is(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        let dana = write_member(&mut tx, "dana", Role::Member).await.unwrap();
        let bob = elsewhere(&mut tx, "bob", "oak.example").await;
        let carol = elsewhere(&mut tx, "carol", "oak.example").await;
        let uri = "https://oak.example/notes/1";
        let nothing =
            Met { author_lives: true, known: false, concerns_us: false, is_answered: false, is_watched: false };
        assert_eq!(met(&mut tx, uri, bob.id, &[]).await.unwrap(), nothing);
        assert_eq!(met(&mut tx, uri, bob.id, &[(carol.id, false)]).await.unwrap(), nothing, "not of here");
        let named = met(&mut tx, uri, bob.id, &[(carol.id, false), (dana.id, true)]).await.unwrap();
        assert_eq!(named, Met { concerns_us: true, ..nothing });

        follow(&mut tx, dana.id, bob.id).await;
        let followed = Met { concerns_us: true, ..nothing };
        assert_eq!(met(&mut tx, uri, bob.id, &[]).await.unwrap(), followed);
        assert_eq!(met(&mut tx, uri, carol.id, &[]).await.unwrap(), nothing);
        let quiet = Reach { is_watched: false, is_elsewhere: false };
        assert_eq!(follows::reach(&mut tx, bob.id).await.unwrap(), quiet);
        follow(&mut tx, carol.id, bob.id).await;
        assert_eq!(follows::reach(&mut tx, bob.id).await.unwrap(), Reach { is_elsewhere: true, ..quiet });
        let options = FollowOptions { notify: true, ..FollowOptions::default() };
        let watching = Follow { options, ..follows::find(&mut tx, dana.id, bob.id).await.unwrap().unwrap() };
        assert!(!follows::insert(&mut tx, &watching).await.unwrap(), "it is there, with other options now");
        assert!(follows::find(&mut tx, dana.id, bob.id).await.unwrap().unwrap().options.notify);
        assert!(follows::reach(&mut tx, bob.id).await.unwrap().is_watched);
        let watched = Met { is_watched: true, ..followed };
        assert_eq!(met(&mut tx, uri, bob.id, &[]).await.unwrap(), watched);

        let mut answer = write_post(&mut tx, &carol, Visibility::Public, &Links::default()).await;
        let id: PostId = tx.id();
        (answer.id, answer.uri, answer.in_reply_to_uri) = (id, format!("{}-2", answer.uri), Some(uri.to_owned()));
        posts::insert(&mut tx, &answer, &Links::default()).await.unwrap();
        assert_eq!(met(&mut tx, uri, bob.id, &[]).await.unwrap(), Met { is_answered: true, ..watched });
        assert!(met(&mut tx, &answer.uri, carol.id, &[]).await.unwrap().known);
        let now = tx.now();
        posts::bury(&mut tx, answer.id, now).await.unwrap();
        assert!(met(&mut tx, &answer.uri, carol.id, &[]).await.unwrap().known, "a tombstone is known");
        assert!(!met(&mut tx, uri, bob.id, &[]).await.unwrap().is_answered);
        accounts::bury(&mut tx, bob.id, now).await.unwrap();
        assert!(!met(&mut tx, uri, bob.id, &[]).await.unwrap().author_lives);
    }

    async fn a_boost_is_made_once_and_of_whom_lets_it(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        let dana = write_member(&mut tx, "dana", Role::Member).await.unwrap();
        let bob = elsewhere(&mut tx, "bob", "oak.example").await;
        let carol = elsewhere(&mut tx, "carol", "oak.example").await;
        let post = write_post(&mut tx, &dana, Visibility::Public, &Links::default()).await;
        let uri = "https://oak.example/boosts/1";
        assert_eq!(boostable(&mut tx, uri, bob.id, Boosted::Found(post.id)).await.unwrap(), Some(post.clone()));
        assert_eq!(boostable(&mut tx, uri, bob.id, Boosted::Named(&post.uri)).await.unwrap(), Some(post.clone()));
        assert_eq!(boostable(&mut tx, uri, bob.id, Boosted::Named(uri)).await.unwrap(), None);
        assert_eq!(boostable(&mut tx, uri, bob.id, Boosted::Found(PostId(1))).await.unwrap(), None);
        assert_eq!(boostable(&mut tx, &post.uri, bob.id, Boosted::Found(post.id)).await.unwrap(), None, "it is here");
        let mut boost = write_post(&mut tx, &bob, Visibility::Public, &Links::default()).await;
        let id: PostId = tx.id();
        (boost.id, boost.uri, boost.boost_of_id) = (id, "https://oak.example/boosts/0".to_owned(), Some(post.id));
        posts::insert(&mut tx, &boost, &Links::default()).await.unwrap();
        assert_eq!(boostable(&mut tx, uri, bob.id, Boosted::Found(post.id)).await.unwrap(), None, "boosted before");
        assert_eq!(boostable(&mut tx, uri, carol.id, Boosted::Found(post.id)).await.unwrap(), Some(post.clone()));
        follows::insert_block(&mut tx, dana.id, carol.id, "a block").await.unwrap();
        assert_eq!(boostable(&mut tx, uri, carol.id, Boosted::Found(post.id)).await.unwrap(), None, "blocked");
        let now = tx.now();
        posts::bury(&mut tx, boost.id, now).await.unwrap();
        assert_eq!(boostable(&mut tx, uri, bob.id, Boosted::Found(post.id)).await.unwrap(), Some(post.clone()));
        accounts::bury(&mut tx, carol.id, now).await.unwrap();
        follows::remove_block(&mut tx, dana.id, carol.id).await.unwrap();
        assert_eq!(boostable(&mut tx, uri, carol.id, Boosted::Found(post.id)).await.unwrap(), None, "gone");
        posts::bury(&mut tx, post.id, now).await.unwrap();
        assert_eq!(boostable(&mut tx, uri, bob.id, Boosted::Found(post.id)).await.unwrap(), None);
    }

    async fn a_follow_meets_blocks_of_its_own_direction(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        let dana = write_member(&mut tx, "dana", Role::Member).await.unwrap();
        let bob = elsewhere(&mut tx, "bob", "oak.example").await;
        let carol = elsewhere(&mut tx, "carol", "elm.example").await;
        let nothing = FollowMet { follower_lives: true, kept_away: false, known: false };
        follow(&mut tx, dana.id, bob.id).await;
        follows::insert_block(&mut tx, bob.id, dana.id, "theirs").await.unwrap();
        assert_eq!(met_by_follow(&mut tx, dana.id, bob.id).await.unwrap(), nothing);
        let by_bob = Follow {
            id: FollowId(7),
            account_id: bob.id,
            target_id: dana.id,
            uri: "https://oak.example/follows/1".to_owned(),
            options: FollowOptions::default(),
            created_at: tx.now(),
        };
        assert!(follows::insert(&mut tx, &by_bob).await.unwrap());
        assert_eq!(met_by_follow(&mut tx, dana.id, bob.id).await.unwrap(), FollowMet { known: true, ..nothing });
        follows::insert_block(&mut tx, dana.id, bob.id, "dana's").await.unwrap();
        let kept_away = FollowMet { kept_away: true, ..nothing };
        assert_eq!(met_by_follow(&mut tx, dana.id, bob.id).await.unwrap(), FollowMet { known: true, ..kept_away });
        domain_blocks::insert(&mut tx, dana.id, carol.domain.as_ref().unwrap()).await.unwrap();
        assert_eq!(met_by_follow(&mut tx, dana.id, carol.id).await.unwrap(), FollowMet { kept_away: true, ..nothing });
        let now = tx.now();
        accounts::bury(&mut tx, carol.id, now).await.unwrap();
        assert!(!met_by_follow(&mut tx, dana.id, carol.id).await.unwrap().follower_lives);
    }

    /// Whoever is called otherwise now is found by the name of now.
    async fn a_name_of_before_finds_nobody(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        let dana = write_member(&mut tx, "dana", Role::Member).await.unwrap();
        let bob = elsewhere(&mut tx, "bob", "oak.example").await;
        for account in [&dana, &bob] {
            for (name, finds, not) in [("Daniel Reed", "daniel", "diana"), ("Diana Reed", "diana", "daniel")] {
                let renamed = Account { display_name: name.to_owned(), ..account.clone() };
                accounts::upsert(&mut tx, &renamed).await.unwrap();
                for (word, found) in [(finds, true), (not, false)] {
                    let of = sql!("SELECT account_id FROM account_words WHERE word = $1 AND account_id = $2");
                    assert_eq!(of.bind(word).bind(account.id).exists(&mut tx).await.unwrap(), found, "{word}");
                }
            }
        }
    }

    async fn an_account_is_unheard_of_until_its_id_or_handle_is_here(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        let bob = account(tx.id(), "bob", "oak.example");
        assert!(accounts::is_unheard_of(&mut tx, &bob).await.unwrap());
        accounts::upsert(&mut tx, &bob).await.unwrap();
        assert!(!accounts::is_unheard_of(&mut tx, &bob).await.unwrap());
        let renamed = Account { username: "robert".to_owned(), ..bob.clone() };
        assert!(!accounts::is_unheard_of(&mut tx, &renamed).await.unwrap(), "by its id");
        let moved = Account { uri: "https://oak.example/people/2".to_owned(), ..bob.clone() };
        let shouted = Account { username: "BOB".to_owned(), ..moved };
        assert!(!accounts::is_unheard_of(&mut tx, &shouted).await.unwrap(), "by its handle");
        let now = tx.now();
        accounts::bury(&mut tx, bob.id, now).await.unwrap();
        assert!(!accounts::is_unheard_of(&mut tx, &bob).await.unwrap(), "deleted ones too");
        let namesake = account(tx.id(), "bob", "elm.example");
        assert!(accounts::is_unheard_of(&mut tx, &namesake).await.unwrap());
    }
}
