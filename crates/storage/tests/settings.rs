//! What there may be only one of: the instance actor's key, the community's settings, a member's markers.

use domain::instance::CommunitySettings;
use domain::job::Job;
use domain::list::{List, RepliesPolicy};
use storage::markers::Timeline;
use storage::sql::json;
use storage::{Error, lists, markers, settings};

use crate::people::member;

both! {
    /// Eight processes start at once and each makes a key: all go on with the same one.
    async fn the_instance_key_is_the_first_one_kept(fresh) {
        assert_eq!(settings::instance_private_key(&mut fresh.db.read().await.unwrap()).await.unwrap(), None);
        let mut tasks = Vec::new();
        for n in 0..8 {
            let db = fresh.db.clone();
            tasks.push(tokio::spawn(async move {
                let mut tx = db.write().await.unwrap();
                let kept = settings::keep_instance_private_key(&mut tx, &format!("key {n}")).await.unwrap();
                tx.commit().await.unwrap();
                kept
            }));
        }
        let mut kept = Vec::new();
        for task in tasks {
            kept.push(task.await.unwrap());
        }
        kept.dedup();
        assert_eq!(kept.len(), 1);
        let read = settings::instance_private_key(&mut fresh.db.read().await.unwrap()).await.unwrap();
        assert_eq!(read.as_ref(), kept.first());
    }

    async fn settings_are_read_as_written(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        let mut community = settings::community(&mut tx).await.unwrap();
        assert_eq!(community, CommunitySettings::default());
        community.title = "Maple “Street”".to_owned();
        community.rules = vec!["Be kind".to_owned(), "No \"ads\"".to_owned()];
        settings::set_community(&mut tx, &community).await.unwrap();
        settings::set_community(&mut tx, &community).await.unwrap();
        assert_eq!(settings::community(&mut tx).await.unwrap(), community);
        tx.commit().await.unwrap();
    }

    /// Two apps move one marker: the version counts both.
    async fn markers_count_every_move(fresh) {
        let dana = member(&fresh.db, "dana").await;
        let mut tasks = Vec::new();
        for n in 1..=8 {
            let db = fresh.db.clone();
            tasks.push(tokio::spawn(async move {
                let mut tx = db.write().await.unwrap();
                let marker = markers::set(&mut tx, dana.id, Timeline::Home, n).await.unwrap();
                tx.commit().await.unwrap();
                marker.version
            }));
        }
        let mut versions = Vec::new();
        for task in tasks {
            versions.push(task.await.unwrap());
        }
        versions.sort_unstable();
        assert_eq!(versions, [1, 2, 3, 4, 5, 6, 7, 8]);
        let mut conn = fresh.db.read().await.unwrap();
        assert_eq!(markers::get(&mut conn, dana.id, Timeline::Notifications).await.unwrap(), None);
    }

    /// Another member's list is not found, neither to read nor to change.
    async fn a_list_is_its_owners(fresh) {
        let (dana, priya) = (member(&fresh.db, "dana").await, member(&fresh.db, "priya").await);
        let mut tx = fresh.db.write().await.unwrap();
        let list = List {
            id: tx.id(),
            account_id: dana.id,
            title: "Garden".to_owned(),
            replies_policy: RepliesPolicy::default(),
            exclusive: false,
        };
        lists::insert(&mut tx, &list).await.unwrap();
        lists::add(&mut tx, list.id, &[priya.id, priya.id]).await.unwrap();
        assert_eq!(lists::get(&mut tx, dana.id, list.id).await.unwrap(), list);
        assert!(matches!(lists::get(&mut tx, priya.id, list.id).await, Err(Error::NotFound)));
        let stolen = List { account_id: priya.id, title: "Mine".to_owned(), ..list.clone() };
        assert!(matches!(lists::update(&mut tx, &stolen).await, Err(Error::NotFound)));
        assert!(matches!(lists::delete(&mut tx, priya.id, list.id).await, Err(Error::NotFound)));
        assert_eq!(lists::all_members(&mut tx, list.id).await.unwrap(), [priya.id]);
        lists::delete(&mut tx, dana.id, list.id).await.unwrap();
        assert!(matches!(lists::get(&mut tx, dana.id, list.id).await, Err(Error::NotFound)));
        tx.commit().await.unwrap();
    }

    /// U+0000 is dropped from whatever is bound, alone, in lists and in JSON, and finds what is without it.
    async fn nul_is_dropped(fresh) {
        let mut conn = fresh.db.read().await.unwrap();
        for (bound, kept) in [("a\0b\0", "ab"), ("\0", ""), ("\\u0000", "\\u0000")] {
            let (back,) = storage::sql!("SELECT CAST($1 AS TEXT)").bind(bound).one::<(String,)>(&mut conn).await.unwrap();
            assert_eq!(back, kept);
            let json = json(&[bound]).unwrap();
            let (back,) = storage::sql!(
                sqlite: "SELECT value FROM json_each($1)",
                postgres: "SELECT jsonb_array_elements_text(CAST($1 AS jsonb))",
            )
            .bind(json)
            .one::<(String,)>(&mut conn)
            .await
            .unwrap();
            assert_eq!(back, kept);
        }
        let among = storage::sql!("SELECT CAST(1 AS BIGINT) WHERE 'ab' = ANY($1)").bind(vec!["x".to_owned(), "\0a\0b".to_owned()]);
        assert_eq!(among.count(&mut conn).await.unwrap(), 1);
    }

    /// A job says what it is about in the words it was written with, by whichever process.
    async fn jobs_come_back_as_they_went_in(fresh) {
        let dana = member(&fresh.db, "dana").await;
        let asked = [
            Job::DeleteMedia { keys: vec!["a/b.webp".to_owned(), "ü".to_owned()] },
            Job::PurgeAccount { account: dana.id },
            Job::ForgetDomain { domain: domain::Host::parse("willow.example:4000").unwrap() },
            Job::DistributeFollow {
                account: dana.id,
                target: dana.id,
                uri: "https://x.example/#\"1\"".to_owned(),
                again: false,
            },
        ];
        let mut tx = fresh.db.write().await.unwrap();
        for job in &asked {
            tx.enqueue(job.clone());
        }
        tx.commit().await.unwrap();
        let mut tx = fresh.db.write().await.unwrap();
        let lease = tx.now().plus(std::time::Duration::from_secs(60));
        let claimed = storage::jobs::claim(&mut tx, lease, 10).await.unwrap();
        assert_eq!(claimed.into_iter().map(|c| c.job).collect::<Vec<_>>(), asked);
    }
}
