//! Becoming a member, being let in, signing in, running the community, leaving: what `app::accounts` promises,
//! on both databases, without a server around it.

use std::time::Duration;

use app::accounts::By;
use app::accounts::create::{NewMember, create};
use app::accounts::log_in::{Outcome, log_in};
use app::accounts::{approve, change_password, change_role, delete, disable, familiar, purge, set_up, sign_up};
use app::community::change::{Changes, change};
use app::{App, Config, Error, follows, invites, posts};
use domain::account::{Account, Member, Role};
use domain::instance::SignUp;
use domain::job::Job;
use domain::{AccountId, Clock, Timestamp, Urls, Viewer};
use media::MediaStore;
use storage::{Db, accounts, jobs, members};

use testkit::{Database, Engine, on_both};

const PASSWORD: &str = "correct horse";

/// A database of its own, and a clock that moves only when told to.
struct Fresh {
    db: Db,
    clock: Clock,
    _database: Database,
}

impl Fresh {
    async fn on(engine: Engine) -> Self {
        let database = Database::fresh(engine).await;
        let clock = Clock::manual(Timestamp(1_795_000_000_000));
        let config = storage::Config { url: database.url.clone(), max_connections: 8 };
        Self { db: Db::connect(&config, clock.clone()).await.unwrap(), clock, _database: database }
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}

/// Every body runs on SQLite and on PostgreSQL.
macro_rules! both {
    ($($(#[$doc:meta])* async fn $name:ident($fresh:ident) $body:block)*) => {$(
        on_both! {
            $(#[$doc])*
            async fn $name(engine) {
                let $fresh = Fresh::on(engine).await;
                $body
            }
        }
    )*};
}

async fn app_on(db: &Db, sign_up: SignUp) -> App {
    let urls = Urls::new(&"https://maple.example".parse().unwrap()).unwrap();
    // Nothing here stores a file.
    let media = MediaStore::on_disk(&std::env::temp_dir().join("porchlight-members-test")).unwrap();
    App::open(db.clone(), urls, Config { sign_up, ..Config::default() }, media).await.unwrap()
}

async fn app(fresh: &Fresh, sign_up: SignUp) -> App {
    app_on(&fresh.db, sign_up).await
}

fn new(username: &str) -> NewMember {
    NewMember {
        username: username.to_owned(),
        email: format!("{username}@mail.example"),
        password: PASSWORD.to_owned(),
        ..NewMember::default()
    }
}

/// The code that a server prints at its start.
async fn code_of(app: &App) -> String {
    let address = set_up::address(app).await.unwrap();
    address.strip_prefix("https://maple.example/set-up?code=").unwrap().to_owned()
}

async fn make(app: &App, username: &str, role: Role) -> Account {
    create(app, &new(username), role).await.unwrap()
}

async fn member_of(app: &App, id: AccountId) -> domain::account::Member {
    members::get(&mut app.db.read().await.unwrap(), id).await.unwrap()
}

async fn invite(app: &App, uses: Option<i64>, valid: Option<Duration>) -> String {
    invites::create::create(app, By::Operator, invites::create::NewInvite { uses, valid }).await.unwrap().code
}

fn field<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    match result {
        Err(Error::Invalid { field, .. }) => field,
        other => panic!("not refused for a field: {other:?}"),
    }
}

/// Runs the jobs that `app` has handlers for, as the worker does.
async fn work(app: &App) {
    loop {
        let mut tx = app.db.write().await.unwrap();
        let lease = app.now().plus(Duration::from_secs(60));
        let claimed = jobs::claim(&mut tx, lease, 50).await.unwrap();
        tx.commit().await.unwrap();
        if claimed.is_empty() {
            return;
        }
        for c in claimed {
            if let Job::PurgeAccount { account } = c.job {
                purge::purge(app, account).await.unwrap();
            }
            let mut tx = app.db.write().await.unwrap();
            jobs::finish(&mut tx, c.id).await.unwrap();
            tx.commit().await.unwrap();
        }
    }
}

both! {
    /// What protects a new member is on until she turns it off herself.
    async fn new_members_are_protected(fresh) {
        let app = app(&fresh, SignUp::Open).await;
        make(&app, "priya", Role::Owner).await;
        let joined = sign_up::sign_up(&app, &new("dana"), None).await.unwrap();
        assert!(joined.approved);
        let mut conn = app.db.read().await.unwrap();
        let (account, member) = members::with_account(&mut conn, joined.account.id).await.unwrap();
        assert!(account.locked && !account.discoverable && !account.indexable);
        assert_eq!((account.uri.as_str(), account.url.as_str()), ("https://maple.example/users/dana", "https://maple.example/@dana"));
        assert!(account.public_key_pem.starts_with("-----BEGIN PUBLIC KEY-----"));
        assert_eq!(member.role, Role::Member);
        assert!(member.confirmed_at.is_none(), "nobody asked her address yet");
        assert!(!member.password_hash.unwrap().contains(PASSWORD));
        assert!(members::private_key(&mut conn, account.id).await.unwrap().starts_with("-----BEGIN PRIVATE KEY-----"));
    }

    async fn what_is_wrong_is_said_by_field(fresh) {
        let app = app(&fresh, SignUp::Open).await;
        make(&app, "Dana", Role::Member).await;
        let with = |change: &dyn Fn(&mut NewMember)| {
            let mut n = new("priya");
            change(&mut n);
            n
        };
        for (wrong, expected) in [
            (with(&|n| n.username = "dana".into()), "username"),
            (with(&|n| n.username = "admin".into()), "username"),
            (with(&|n| n.email = "DANA@mail.example".into()), "email"),
            (with(&|n| n.email = "nowhere".into()), "email"),
            (with(&|n| n.password = "short".into()), "password"),
            (with(&|n| n.reason = "x".repeat(5_000)), "reason"),
        ] {
            assert_eq!(field(sign_up::sign_up(&app, &wrong, None).await), expected, "{wrong:?}");
        }
        assert_eq!(members::list(&mut app.db.read().await.unwrap(), members::Which::All, &domain::page::Page::first(9)).await.unwrap().len(), 1);
    }

    /// Six people at once want one name: one gets it, and her keys are hers.
    async fn a_name_is_given_to_one(fresh) {
        let app = app(&fresh, SignUp::Open).await;
        make(&app, "priya", Role::Owner).await;
        let mut tasks = Vec::new();
        for n in 0..6 {
            let app = app.clone();
            tasks.push(tokio::spawn(async move {
                let mut wanted = new(if n % 2 == 0 { "dana" } else { "Dana" });
                wanted.email = format!("d{n}@mail.example");
                sign_up::sign_up(&app, &wanted, None).await
            }));
        }
        let mut got = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                Ok(joined) => got.push(joined.account),
                Err(Error::Invalid { field: "username", .. }) => {}
                Err(e) => panic!("{e:?}"),
            }
        }
        assert_eq!(got.len(), 1);
        let mut conn = app.db.read().await.unwrap();
        let (stored, _) = members::by_username(&mut conn, "dana").await.unwrap().unwrap();
        assert_eq!((stored.id, &stored.public_key_pem), (got[0].id, &got[0].public_key_pem));
    }

    async fn the_first_visit_makes_the_owner_and_no_later_one(fresh) {
        let app = app(&fresh, SignUp::Closed).await;
        assert!(set_up::is_open(&app).await.unwrap());
        let code = code_of(&app).await;
        for wrong in ["", "0", &code[1..], &format!("{code}0")] {
            let refused = set_up::set_up(&app, &new("eve"), "Mine", wrong).await;
            assert!(matches!(refused, Err(Error::Invalid { field: "code", .. })), "{wrong}");
        }
        assert!(set_up::is_open(&app).await.unwrap());
        let mut tasks = Vec::new();
        for n in 0..4 {
            let (app, code) = (app.clone(), format!(" {}\n", code.to_uppercase()));
            tasks.push(tokio::spawn(async move { set_up::set_up(&app, &new(&format!("priya{n}")), " Maple Street ", &code).await }));
        }
        let mut owners = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => owners += 1,
                Err(Error::Conflict(_)) => {}
                Err(e) => panic!("{e:?}"),
            }
        }
        assert_eq!(owners, 1);
        assert!(!set_up::is_open(&app).await.unwrap());
        let mut conn = app.db.read().await.unwrap();
        assert_eq!(storage::settings::community(&mut conn).await.unwrap().title, "Maple Street");
        assert_eq!(members::owners(&mut conn).await.unwrap(), 1);
    }

    /// Whoever is quicker than the owner neither joins nor keeps her out; and who has members already gets no owner by the
    /// door, whoever shows which code, even when all of them have left.
    async fn nobody_becomes_the_owner_of_people_who_are_there(fresh) {
        let app = app(&fresh, SignUp::Open).await;
        let link = invite(&app, None, None).await;
        for invite in [None, Some(link.as_str())] {
            assert!(matches!(sign_up::sign_up(&app, &new("eve"), invite).await, Err(Error::Forbidden(_))));
        }
        assert!(set_up::is_open(&app).await.unwrap());
        let code = code_of(&app).await;
        let dana = make(&app, "dana", Role::Member).await;
        for left in [false, true] {
            if left {
                delete::delete(&app, By::Operator, dana.id).await.unwrap();
                work(&app).await;
            }
            assert!(!set_up::is_open(&app).await.unwrap());
            let refused = set_up::set_up(&app, &new("eve"), "Mine", &code).await;
            assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
        }
        assert!(sign_up::sign_up(&app, &new("marisol"), None).await.unwrap().approved);
        assert_eq!(members::owners(&mut app.db.read().await.unwrap()).await.unwrap(), 0);
    }

    /// Several processes start at once on one new database, and one of them again: all print the same code.
    async fn every_process_prints_the_same_set_up_code(fresh) {
        let processes = (0..4).map(|_| tokio::spawn({
            let db = fresh.db.clone();
            async move { code_of(&app_on(&db, SignUp::Closed).await).await }
        }));
        let mut codes = Vec::new();
        for process in processes.collect::<Vec<_>>() {
            codes.push(process.await.unwrap());
        }
        codes.push(code_of(&app(&fresh, SignUp::Open).await).await);
        assert!(codes.iter().all(|code| code.len() == 20 && *code == codes[0]), "{codes:?}");
        let other = Fresh::on(Engine::Sqlite).await;
        assert_ne!(code_of(&app(&other, SignUp::Closed).await).await, codes[0]);
    }

    async fn only_those_who_run_the_community_say_what_it_is(fresh) {
        let app = app(&fresh, SignUp::Closed).await;
        let dana = member_of(&app, make(&app, "dana", Role::Moderator).await.id).await;
        let priya = member_of(&app, make(&app, "priya", Role::Admin).await.id).await;
        let named = |title: &str| Changes { title: Some(title.to_owned()), ..Changes::default() };
        let refused = change(&app, By::Member(&dana), &named("Hers")).await;
        assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
        assert_eq!(change(&app, By::Member(&priya), &named("Ours")).await.unwrap().title, "Ours");
        let mut conn = app.db.read().await.unwrap();
        assert_eq!(storage::settings::community(&mut conn).await.unwrap().title, "Ours");
    }

    async fn who_may_join_is_the_owners_choice(fresh) {
        let (closed, invited, asked) =
            (app(&fresh, SignUp::Closed).await, app(&fresh, SignUp::Invite).await, app(&fresh, SignUp::Approval).await);
        let code = invite(&closed, None, None).await;
        make(&closed, "priya", Role::Owner).await;
        assert!(matches!(sign_up::sign_up(&closed, &new("a"), None).await, Err(Error::Forbidden(_))));
        assert!(matches!(sign_up::sign_up(&closed, &new("a"), Some(&code)).await, Err(Error::Forbidden(_))));
        assert!(matches!(sign_up::sign_up(&invited, &new("a"), None).await, Err(Error::Forbidden(_))));
        assert!(sign_up::sign_up(&invited, &new("a"), Some(&code)).await.unwrap().approved);
        assert!(sign_up::sign_up(&asked, &new("b"), Some(&code)).await.unwrap().approved);
        assert!(!sign_up::sign_up(&asked, &new("c"), None).await.unwrap().approved);
    }

    /// A link for two lets in two, although six use it at once; those who come too late leave nothing behind.
    async fn an_invite_lets_in_as_many_as_it_says(fresh) {
        let app = app(&fresh, SignUp::Invite).await;
        make(&app, "priya", Role::Owner).await;
        let code = invite(&app, Some(2), None).await;
        let mut tasks = Vec::new();
        for n in 0..6 {
            let (app, code) = (app.clone(), code.clone());
            tasks.push(tokio::spawn(async move { sign_up::sign_up(&app, &new(&format!("m{n}")), Some(&code)).await }));
        }
        let mut joined = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => joined += 1,
                Err(Error::Invalid { field: "invite", .. }) => {}
                Err(e) => panic!("{e:?}"),
            }
        }
        assert_eq!(joined, 2);
        let mut conn = app.db.read().await.unwrap();
        assert_eq!(members::list(&mut conn, members::Which::All, &domain::page::Page::first(9)).await.unwrap().len(), 3, "and priya");
        drop(conn);
        // A use that failed for another reason is not counted.
        let once = invite(&app, Some(1), Some(Duration::from_secs(3_600))).await;
        assert_eq!(field(sign_up::sign_up(&app, &new("m0x"), Some("unheard-of")).await), "invite");
        let taken = members::list(&mut app.db.read().await.unwrap(), members::Which::All, &domain::page::Page::first(1)).await.unwrap().remove(0).0;
        assert_eq!(field(sign_up::sign_up(&app, &new(&taken.username), Some(&once)).await), "username");
        assert!(sign_up::sign_up(&app, &new("late"), Some(&once)).await.is_ok());
        let expired = invite(&app, None, Some(Duration::from_secs(60))).await;
        fresh.advance(Duration::from_secs(61));
        assert_eq!(field(sign_up::sign_up(&app, &new("later"), Some(&expired)).await), "invite");
    }

    async fn only_who_knows_the_password_learns_why_she_may_not_come_in(fresh) {
        let app = app(&fresh, SignUp::Approval).await;
        make(&app, "priya", Role::Owner).await;
        let joined = sign_up::sign_up(&app, &new("dana"), None).await.unwrap();
        let id = joined.account.id;
        assert_eq!(log_in(&app, "dana", PASSWORD).await.unwrap(), Outcome::Waiting);
        assert_eq!(log_in(&app, "dana", "wrong horse").await.unwrap(), Outcome::Wrong);
        assert_eq!(log_in(&app, "nobody", PASSWORD).await.unwrap(), Outcome::Wrong);
        approve::approve(&app, By::Operator, id).await.unwrap();
        for login in ["dana", " DANA ", "@Dana", "Dana@Mail.Example"] {
            let Outcome::Welcome(who) = log_in(&app, login, PASSWORD).await.unwrap() else { panic!("{login}") };
            assert_eq!(who.0.id, id);
        }
        disable::disable(&app, By::Operator, id).await.unwrap();
        assert_eq!(log_in(&app, "dana", PASSWORD).await.unwrap(), Outcome::Disabled);
        assert_eq!(log_in(&app, "dana", "wrong horse").await.unwrap(), Outcome::Wrong);
        disable::enable(&app, By::Operator, id).await.unwrap();
        change_password::reset_password(&app, By::Operator, id, "another horse").await.unwrap();
        assert_eq!(log_in(&app, "dana", PASSWORD).await.unwrap(), Outcome::Wrong);
        assert!(matches!(log_in(&app, "dana", "another horse").await.unwrap(), Outcome::Welcome(_)));
        assert_eq!(field(change_password::change_password(&app, id, PASSWORD, "third horse").await), "current_password");
        change_password::change_password(&app, id, "another horse", "third horse").await.unwrap();
        assert!(matches!(log_in(&app, "dana", "third horse").await.unwrap(), Outcome::Welcome(_)));
    }

    /// Disabling and a new password end sessions and tokens at once.
    async fn who_is_disabled_is_signed_out(fresh) {
        let app = app(&fresh, SignUp::Open).await;
        let dana = make(&app, "dana", Role::Member).await;
        let signed_in = || async {
            let judged = member_of(&app, dana.id).await.credentials();
            let session = app::sessions::start::start(&app, judged, "Firefox").await.unwrap();
            app::secrets::digest(&session)
        };
        for end in 0..2 {
            let session = signed_in().await;
            let mut conn = app.db.read().await.unwrap();
            assert!(storage::sessions::find(&mut conn, &session, app.now()).await.unwrap().is_some());
            drop(conn);
            if end == 0 {
                disable::disable(&app, By::Operator, dana.id).await.unwrap();
                disable::enable(&app, By::Operator, dana.id).await.unwrap();
            } else {
                change_password::reset_password(&app, By::Operator, dana.id, "another horse").await.unwrap();
            }
            let mut conn = app.db.read().await.unwrap();
            assert!(storage::sessions::find(&mut conn, &session, app.now()).await.unwrap().is_none());
        }
    }

    async fn a_request_that_is_refused_frees_the_name(fresh) {
        let app = app(&fresh, SignUp::Approval).await;
        let owner = make(&app, "priya", Role::Owner).await;
        let asked = sign_up::sign_up(&app, &new("dana"), None).await.unwrap();
        let mut conn = app.db.read().await.unwrap();
        assert_eq!(storage::notifications::unread(&mut conn, owner.id, 10).await.unwrap(), 1, "the owner was not told");
        drop(conn);
        approve::reject(&app, By::Operator, asked.account.id).await.unwrap();
        assert_eq!(log_in(&app, "dana", PASSWORD).await.unwrap(), Outcome::Wrong);
        let again = sign_up::sign_up(&app, &new("dana"), None).await.unwrap();
        // Nobody can follow her while she waits.
        let asked = follows::request::request(&app, &owner, again.account.id, domain::follow::FollowOptions::default()).await;
        assert!(matches!(asked, Err(Error::NotFound)));
        // Somebody to whom a row leads cannot vanish without a trace: she becomes a tombstone.
        let mut tx = app.db.write().await.unwrap();
        storage::follows::insert_block(&mut tx, owner.id, again.account.id, "https://maple.example/block").await.unwrap();
        tx.commit().await.unwrap();
        approve::reject(&app, By::Operator, again.account.id).await.unwrap();
        let mut conn = app.db.read().await.unwrap();
        assert!(accounts::is_deleted(&mut conn, &again.account.uri).await.unwrap());
        drop(conn);
        let let_in = make(&app, "marisol", Role::Member).await;
        assert!(matches!(approve::reject(&app, By::Operator, let_in.id).await, Err(Error::Conflict(_))));
    }

    async fn roles_are_given_from_above_and_an_owner_remains(fresh) {
        let app = app(&fresh, SignUp::Open).await;
        let owner = make(&app, "owner1", Role::Owner).await;
        let admin = make(&app, "adm", Role::Admin).await;
        let other = make(&app, "adm2", Role::Admin).await;
        let dana = make(&app, "dana", Role::Member).await;
        let (as_owner, as_admin, as_dana) =
            (member_of(&app, owner.id).await, member_of(&app, admin.id).await, member_of(&app, dana.id).await);
        let refused = |r: app::Result<()>| assert!(matches!(r, Err(Error::Forbidden(_))), "{r:?}");

        refused(change_role::change_role(&app, By::Member(&as_dana), dana.id, Role::Owner).await);
        refused(change_role::change_role(&app, By::Member(&as_admin), dana.id, Role::Admin).await);
        refused(change_role::change_role(&app, By::Member(&as_admin), other.id, Role::Member).await);
        refused(disable::disable(&app, By::Member(&as_admin), owner.id).await);
        refused(delete::delete(&app, By::Member(&as_dana), other.id).await);
        change_role::change_role(&app, By::Member(&as_admin), dana.id, Role::Moderator).await.unwrap();

        // The only owner can neither leave, nor be closed out, nor step down.
        refused(change_role::change_role(&app, By::Operator, owner.id, Role::Member).await);
        refused(disable::disable(&app, By::Operator, owner.id).await);
        refused(delete::delete(&app, By::Member(&as_owner), owner.id).await);
        change_role::change_role(&app, By::Member(&as_owner), other.id, Role::Owner).await.unwrap();
        change_role::change_role(&app, By::Operator, owner.id, Role::Member).await.unwrap();
        assert_eq!(members::owners(&mut app.db.read().await.unwrap()).await.unwrap(), 1);
    }

    /// Two owners step down at the same moment: one of them stays.
    async fn two_owners_cannot_leave_at_once(fresh) {
        let app = app(&fresh, SignUp::Open).await;
        let mut tasks = Vec::new();
        for name in ["one", "two"] {
            let owner = make(&app, name, Role::Owner).await;
            let app = app.clone();
            tasks.push((app, owner.id));
        }
        let tasks: Vec<_> = tasks
            .into_iter()
            .map(|(app, id)| tokio::spawn(async move { delete::delete(&app, By::Operator, id).await.is_ok() }))
            .collect();
        let mut left = 0;
        for task in tasks {
            left += usize::from(task.await.unwrap());
        }
        assert_eq!(left, 1);
        assert_eq!(members::owners(&mut app.db.read().await.unwrap()).await.unwrap(), 1);
    }

    /// After a member has left, every counter is what the rows say, and nothing of hers is shown.
    async fn leaving_takes_everything_along_and_counts_stay_exact(fresh) {
        let app = app(&fresh, SignUp::Open).await;
        let (dana, priya, marisol) = (
            make(&app, "dana", Role::Member).await,
            make(&app, "priya", Role::Member).await,
            make(&app, "marisol", Role::Member).await,
        );
        for (who, whom) in [(&dana, &priya), (&priya, &dana), (&marisol, &dana), (&marisol, &priya)] {
            follows::request::request(&app, who, whom.id, domain::follow::FollowOptions::default()).await.unwrap();
            follows::accept::accept(&app, whom, who.id).await.unwrap();
        }
        let draft = |text: &str| posts::publish::Draft { text: text.to_owned(), ..posts::publish::Draft::default() };
        let hers = posts::publish::publish(&app, &dana, draft("garden at five?")).await.unwrap();
        for n in 0..60 {
            posts::publish::publish(&app, &dana, draft(&format!("note {n}"))).await.unwrap();
        }
        let kept = posts::publish::publish(&app, &priya, draft("yes! @dana")).await.unwrap();
        posts::publish::publish(&app, &dana, posts::publish::Draft { in_reply_to: Some(kept), ..draft("bring tea") }).await.unwrap();
        posts::favourite::favourite(&app, &dana, kept).await.unwrap();
        posts::favourite::favourite(&app, &priya, hers).await.unwrap();
        posts::boost::boost(&app, &dana, kept, None).await.unwrap();
        posts::boost::boost(&app, &marisol, hers, None).await.unwrap();
        follows::mute::mute(&app, &marisol, dana.id, true, None).await.unwrap();

        let as_dana = member_of(&app, dana.id).await;
        delete::delete(&app, By::Member(&as_dana), dana.id).await.unwrap();
        {
            let mut conn = app.db.read().await.unwrap();
            assert!(matches!(accounts::get(&mut conn, dana.id).await, Err(storage::Error::NotFound)));
            let viewer = Viewer::Account(priya.id);
            assert!(matches!(storage::posts::get(&mut conn, viewer, hers).await, Err(storage::Error::NotFound)), "shown until the job ran");
        }
        work(&app).await;
        // Jobs may run twice.
        purge::purge(&app, dana.id).await.unwrap();

        let mut conn = app.db.read().await.unwrap();
        let (priya, marisol) = (
            accounts::get(&mut conn, priya.id).await.unwrap(),
            accounts::get(&mut conn, marisol.id).await.unwrap(),
        );
        assert_eq!((priya.followers_count, priya.following_count, priya.posts_count), (1, 0, 1));
        assert_eq!((marisol.followers_count, marisol.following_count, marisol.posts_count), (0, 1, 0));
        let kept = storage::posts::unchecked(&mut conn, kept).await.unwrap();
        assert_eq!((kept.favourites_count, kept.boosts_count, kept.replies_count), (0, 0, 0));
        assert!(storage::posts::deleted_at(&mut conn, hers).await.unwrap().is_some());
        assert!(storage::posts::living_of(&mut conn, dana.id, 10).await.unwrap().is_empty());
        let home = storage::timelines::home(&mut conn, marisol.id, &domain::page::Page::first(100)).await.unwrap();
        assert_eq!(home[..], [kept.id]);
        assert_eq!(jobs::backlog(&mut conn).await.unwrap().0, 0);
        assert!(matches!(log_in(&app, "dana", PASSWORD).await.unwrap(), Outcome::Wrong));
        assert_eq!(field(sign_up::sign_up(&app, &new("Dana"), None).await), "username", "her name was given away");
    }

    /// Suspended is not closed, but she is let in no more than if her account were.
    async fn a_suspended_member_is_not_let_in(fresh) {
        let app = app(&fresh, SignUp::Open).await;
        let dana = make(&app, "dana", Role::Member).await;
        let mut tx = app.db.write().await.unwrap();
        let (account, member) = members::with_account(&mut tx, dana.id).await.unwrap();
        let (username, uri) = ("eve".to_owned(), format!("{}-eve", account.uri));
        let account = Account { id: tx.id(), username, uri, suspended_at: Some(tx.now()), ..account };
        let member = Member { account_id: account.id, email: "eve@mail.example".to_owned(), ..member };
        accounts::upsert(&mut tx, &account).await.unwrap();
        members::insert(&mut tx, &member, "", None).await.unwrap();
        tx.commit().await.unwrap();
        assert!(member.is_active() && !member.may_sign_in(&account));
        assert!(matches!(log_in(&app, "eve", PASSWORD).await.unwrap(), Outcome::Disabled));
        assert!(matches!(log_in(&app, "dana", PASSWORD).await.unwrap(), Outcome::Welcome(_)));
    }

    async fn an_address_is_familiar_for_ninety_days_after_its_last_use(fresh) {
        let app = app(&fresh, SignUp::Open).await;
        let dana = make(&app, "dana", Role::Member).await;
        let (home, elsewhere) = ("192.0.2.1".parse().unwrap(), "198.51.100.1".parse().unwrap());
        familiar::remember(&app, dana.id, home).await.unwrap();
        for hours in [1, 89 * 24] {
            fresh.advance(Duration::from_secs(hours * 3600));
            assert!(familiar::is_familiar(&app, "dana", home).await.unwrap());
            assert!(!familiar::is_familiar(&app, "dana", elsewhere).await.unwrap());
        }
        fresh.advance(Duration::from_secs(24 * 3600));
        assert!(!familiar::is_familiar(&app, "dana", home).await.unwrap());
    }

    async fn invites_are_bounded_and_taken_back_once(fresh) {
        let app = app(&fresh, SignUp::Invite).await;
        let create =
            |uses, valid| invites::create::create(&app, By::Operator, invites::create::NewInvite { uses, valid });
        for uses in [1, 1_000] {
            assert_eq!(create(Some(uses), None).await.unwrap().max_uses, Some(uses));
        }
        for uses in [-1, 0, 1_001] {
            assert_eq!(field(create(Some(uses), None).await), "uses");
        }
        let year = Duration::from_secs(366 * 24 * 3600);
        for valid in [Duration::from_millis(1), year] {
            assert_eq!(create(None, Some(valid)).await.unwrap().expires_at, Some(app.now().plus(valid)));
        }
        for valid in [Duration::ZERO, year + Duration::from_secs(1)] {
            assert_eq!(field(create(None, Some(valid)).await), "expires");
        }
        let code = create(None, None).await.unwrap().code;
        invites::revoke::revoke(&app, By::Operator, &code).await.unwrap();
        let again = invites::revoke::revoke(&app, By::Operator, &code).await;
        assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
        assert!(matches!(invites::revoke::revoke(&app, By::Operator, "nothing").await, Err(Error::NotFound)));
    }
}
