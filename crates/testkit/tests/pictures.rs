//! Pictures of other communities' people: kept for as long as they are theirs.

use app::peers::account::{FurtherKeys, receive};
use domain::account::{Account, ProfileImage};
use domain::job::Job;
use testkit::{Instance, on_both};

/// What its server says of bob, with a picture at this address.
fn bob(like: &Account, picture: &str) -> Account {
    let image = ProfileImage {
        key: None,
        still_key: None,
        remote_url: Some(picture.to_owned()),
        description: "Bob by the sea".to_owned(),
    };
    let actor = "https://willow.example/users/bob".to_owned();
    Account {
        username: "bob".to_owned(),
        domain: domain::Host::parse("willow.example").ok(),
        url: actor.clone(),
        inbox_url: format!("{actor}/inbox"),
        public_key_id: format!("{actor}#main-key"),
        uri: actor,
        avatar: Some(image),
        ..like.clone()
    }
}

on_both! {
    /// A profile that is read again with the same picture does not lose what was kept of it; with another it does,
    /// and the old files go.
    async fn what_is_kept_of_a_picture_lasts_as_long_as_it_is_shown(engine) {
        let maple = Instance::start("maple", engine).await;
        let (app, dana) = (maple.app(), maple.member("dana").await);
        let mut conn = app.db.read().await.unwrap();
        let dana = storage::accounts::get(&mut conn, dana.account_id()).await.unwrap();
        drop(conn);
        let keys = FurtherKeys::default();
        let read_again = async |picture: &str| {
            let told = Account { id: app.ids().next(), ..bob(&dana, picture) };
            receive(app, &told, &keys).await.unwrap()
        };
        let first = read_again("https://willow.example/1.gif").await;
        let (moving, still) = ("aa/moving.gif", "aa/still.png");
        let old = "https://willow.example/0.gif";
        app::remote_media::keep_profile_image(app, first.id, true, old, kept(moving, None)).await.unwrap();
        assert_eq!(read_again("https://willow.example/1.gif").await.avatar, first.avatar, "an older picture was kept");
        let url = "https://willow.example/1.gif";
        app::remote_media::keep_profile_image(app, first.id, true, url, kept(moving, Some(still))).await.unwrap();
        let again = read_again(url).await;
        let image = again.avatar.as_ref().unwrap();
        assert_eq!((image.key.as_deref(), image.still_key.as_deref()), (Some(moving), Some(still)));
        assert_ne!(app.urls.avatar(&again), app.urls.avatar_static(&again));

        let mut maple = maple;
        let config = storage::Config { url: maple.database.url.clone(), max_connections: 3 };
        let urls = maple.app().urls.clone();
        // Nobody works off jobs any more: what was asked for stays to be seen.
        maple.stop().await;
        let db = storage::Db::connect(&config, maple.clock.clone()).await.unwrap();
        let media = media::MediaStore::on_disk(&maple.media_dir()).unwrap();
        let app = app::App::open(db, urls, app::Config::default(), media).await.unwrap();
        let told = Account { id: app.ids().next(), ..bob(&dana, "https://willow.example/2.gif") };
        let changed = receive(&app, &told, &FurtherKeys::default()).await.unwrap();
        assert_eq!(changed.avatar.unwrap().key, None);
        let mut tx = app.db.write().await.unwrap();
        let lease = tx.now().plus(std::time::Duration::from_secs(60));
        let jobs = storage::jobs::claim(&mut tx, lease, 10).await.unwrap();
        drop(tx);
        let keys = vec![moving.to_owned(), still.to_owned()];
        assert!(jobs.iter().any(|job| job.job == Job::DeleteMedia { keys: keys.clone() }), "{jobs:?}");
        app.db.close().await;
    }
}

/// What is in the media store of a picture.
fn kept(key: &str, still: Option<&str>) -> ProfileImage {
    let (key, still_key) = (Some(key.to_owned()), still.map(str::to_owned));
    ProfileImage { key, still_key, remote_url: None, description: String::new() }
}
