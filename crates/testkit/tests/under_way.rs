//! What was under way while a password, a role or an account changed: a log-in, an app's code, a decision of those who run
//! the community. It is judged by one state and written in another, and then it is not written.

use app::accounts::create::{NewMember, create};
use app::accounts::log_in::{Outcome, log_in};
use app::accounts::{By, approve, change_password, change_role, delete, disable, sign_up};
use app::community::change::{Changes, change};
use app::invites::create::NewInvite;
use app::oauth::allow::{Consent, allow};
use app::oauth::exchange::exchange;
use app::oauth::register::{NewClient, register};
use app::oauth::tokens::issue;
use app::{App, Config, Error, invites, moderation, sessions};
use domain::account::{Credentials, Member, Role};
use domain::instance::SignUp;
use domain::scope::Scopes;
use domain::{AccountId, Clock, Timestamp, Urls};
use media::MediaStore;
use storage::oauth::Client;
use storage::{Db, members};

use testkit::{Database, Engine, on_both};

const PASSWORD: &str = "correct horse";
const BACK: &str = "app://back";

/// A community without a server around it.
struct House {
    app: App,
    client: Client,
    _database: Database,
}

impl House {
    async fn on(engine: Engine) -> Self {
        let database = Database::fresh(engine).await;
        let config = storage::Config { url: database.url.clone(), max_connections: 8 };
        let db = Db::connect(&config, Clock::manual(Timestamp(1_795_000_000_000))).await.unwrap();
        let urls = Urls::new(&"https://maple.example".parse().unwrap()).unwrap();
        // Nothing here stores a file.
        let media = MediaStore::on_disk(&std::env::temp_dir().join("porchlight-under-way-test")).unwrap();
        let config = Config { sign_up: SignUp::Approval, ..Config::default() };
        let app = App::open(db, urls, config, media).await.unwrap();
        let new = NewClient {
            name: "Front Porch".to_owned(),
            website: None,
            redirect_uris: vec![BACK.to_owned()],
            scopes: scopes("read write admin:read"),
        };
        let (client, _) = register(&app, &new).await.unwrap();
        Self { app, client, _database: database }
    }

    async fn make(&self, username: &str, role: Role) -> Member {
        let account = create(&self.app, &new(username), role).await.unwrap();
        self.member(account.id).await
    }

    async fn member(&self, id: AccountId) -> Member {
        members::get(&mut self.app.db.read().await.unwrap(), id).await.unwrap()
    }

    /// The right password was given: what the door knows then.
    async fn judged(&self, username: &str) -> Credentials {
        let Outcome::Welcome(who) = log_in(&self.app, username, PASSWORD).await.unwrap() else { panic!("{username}") };
        who.1.credentials()
    }

    async fn code(&self, by: Credentials, asked: &str) -> Result<String, Error> {
        let consent = Consent { by, redirect_uri: BACK.to_owned(), scopes: scopes(asked), challenge: None };
        allow(&self.app, &self.client, consent).await
    }
}

fn scopes(text: &str) -> Scopes {
    Scopes::parse(text).unwrap()
}

fn new(username: &str) -> NewMember {
    NewMember {
        username: username.to_owned(),
        email: format!("{username}@mail.example"),
        password: PASSWORD.to_owned(),
        ..NewMember::default()
    }
}

/// What ends what came before it.
#[derive(Debug, Clone, Copy)]
enum Ends {
    Reset,
    Changed,
    ClosedAndOpened,
    Promoted,
    Demoted,
    Deleted,
}

impl Ends {
    const ALL: [Self; 6] =
        [Self::Reset, Self::Changed, Self::ClosedAndOpened, Self::Promoted, Self::Demoted, Self::Deleted];

    async fn happen(self, app: &App, id: AccountId) {
        let by = By::Operator;
        match self {
            Self::Reset => change_password::reset_password(app, by, id, "another horse").await,
            Self::Changed => change_password::change_password(app, id, PASSWORD, "another horse").await,
            Self::ClosedAndOpened => {
                disable::disable(app, by, id).await.unwrap();
                disable::enable(app, by, id).await
            }
            Self::Promoted => change_role::change_role(app, by, id, Role::Admin).await,
            Self::Demoted => change_role::change_role(app, by, id, Role::Member).await,
            Self::Deleted => delete::delete(app, by, id).await,
        }
        .unwrap();
    }
}

fn too_late<T: std::fmt::Debug>(result: Result<T, Error>, what: &str) {
    match result {
        Err(Error::Conflict(_) | Error::NotFound | Error::Invalid { field: "code", .. }) => {}
        other => panic!("{what}: {other:?}"),
    }
}

on_both! {
    /// Whatever makes something that signs in, whatever changes meanwhile.
    async fn nothing_is_made_of_what_held_before(engine) {
        let house = House::on(engine).await;
        let app = &house.app;
        for (n, ends) in Ends::ALL.into_iter().enumerate() {
            let name = format!("moderator{n}");
            let dana = house.make(&name, Role::Moderator).await;
            let judged = house.judged(&name).await;
            let code = house.code(judged, "read").await.unwrap();
            ends.happen(app, dana.account_id).await;
            let what = |made: &str| format!("{made}, {ends:?}");

            too_late(sessions::start::start(app, judged, "Firefox").await, &what("session"));
            too_late(house.code(judged, "read").await, &what("code"));
            let client = Some(house.client.id);
            too_late(issue(app, client, Some(judged), &scopes("read")).await, &what("token of an app"));
            too_late(issue(app, None, Some(judged), &scopes("read")).await, &what("token of the command line"));
            too_late(exchange(app, &house.client, &code, BACK, None).await, &what("token for a code"));
            too_late(delete::delete(app, By::Member(&dana), dana.account_id).await, &what("her own deletion"));
        }
        // And what holds makes all of them.
        house.make("priya", Role::Member).await;
        let judged = house.judged("priya").await;
        let code = house.code(judged, "read").await.unwrap();
        sessions::start::start(app, judged, "Firefox").await.unwrap();
        exchange(app, &house.client, &code, BACK, None).await.unwrap();
        issue(app, None, Some(judged), &scopes("read")).await.unwrap();
    }
}

on_both! {
    /// The other order at the same moment: what is being written by the old state is found by what ends it. While the one
    /// transaction is open, the other waits.
    async fn what_is_being_written_is_ended_too(engine) {
        let house = House::on(engine).await;
        let app = &house.app;
        let dana = house.make("dana", Role::Member).await;
        let judged = house.judged("dana").await;
        let mut tx = app.db.write().await.unwrap();
        assert!(members::unchanged(&mut tx, judged).await.unwrap().is_some());
        let closing = tokio::spawn({
            let (app, id) = (app.clone(), dana.account_id);
            async move { disable::disable(&app, By::Operator, id).await }
        });
        let mut closing = std::pin::pin!(closing);
        let early = tokio::time::timeout(std::time::Duration::from_millis(400), &mut closing).await;
        assert!(early.is_err(), "the account was closed in the middle of a log-in: {early:?}");
        let now = tx.now();
        let later = now.plus(std::time::Duration::from_secs(60));
        let session = storage::sessions::Session {
            account: dana.account_id,
            created_at: now,
            last_used_at: now,
            expires_at: later,
        };
        storage::sessions::insert(&mut tx, &[7; 32], &session, "").await.unwrap();
        tx.commit().await.unwrap();
        closing.await.unwrap().unwrap();
        let mut conn = app.db.read().await.unwrap();
        assert!(storage::sessions::find(&mut conn, &[7; 32], now).await.unwrap().is_none());
    }
}

on_both! {
    /// Two who know the old password change it at once: one does, the other is told that it is not the one any more.
    async fn a_password_is_changed_from_what_it_is(engine) {
        let house = House::on(engine).await;
        let dana = house.make("dana", Role::Member).await.account_id;
        let change = |new: &'static str| {
            let app = house.app.clone();
            tokio::spawn(async move { change_password::change_password(&app, dana, PASSWORD, new).await })
        };
        let (one, other) = (change("first new horse"), change("second new horse"));
        let (one, other) = (one.await.unwrap(), other.await.unwrap());
        // The slower one is refused by what it reads first, or by what it finds when it writes.
        match (one, other) {
            (Ok(()), Err(refused)) | (Err(refused), Ok(())) => assert!(
                matches!(refused, Error::Conflict(_) | Error::Invalid { field: "current_password", .. }),
                "{refused:?}"
            ),
            both => panic!("{both:?}"),
        }
    }
}

on_both! {
    /// The verbs of those who run the community ask for the role she has now, not the one she came with.
    async fn who_was_demoted_meanwhile_decides_nothing(engine) {
        let house = House::on(engine).await;
        let app = &house.app;
        house.make("priya", Role::Owner).await;
        let dana = house.make("dana", Role::Member).await.account_id;
        let asks = sign_up::sign_up(app, &new("marisol"), None).await.unwrap().account.id;
        let code = invites::create::create(app, By::Operator, NewInvite { uses: None, valid: None }).await.unwrap().code;
        moderation::domains::limit::limit(app, By::Operator, "oak.example", None).await.unwrap();
        for closed in [false, true] {
            let admin = house.make(if closed { "eve" } else { "mallory" }, Role::Admin).await;
            if closed {
                disable::disable(app, By::Operator, admin.account_id).await.unwrap();
            } else {
                change_role::change_role(app, By::Operator, admin.account_id, Role::Member).await.unwrap();
            }
            let by = By::Member(&admin);
            let none = NewInvite { uses: None, valid: None };
            for (what, done) in [
                ("approve", approve::approve(app, by, asks).await),
                ("reject", approve::reject(app, by, asks).await),
                ("reset", change_password::reset_password(app, by, dana, "another horse").await),
                ("role", change_role::change_role(app, by, dana, Role::Moderator).await),
                ("disable", disable::disable(app, by, dana).await),
                ("enable", disable::enable(app, by, dana).await),
                ("delete", delete::delete(app, by, dana).await),
                ("community", change(app, by, &Changes::default()).await.map(drop)),
                ("block", moderation::domains::block::block(app, by, "elm.example", None).await.map(drop)),
                ("limit", moderation::domains::limit::limit(app, by, "elm.example", None).await.map(drop)),
                ("unblock", moderation::domains::remove::remove(app, by, "oak.example").await),
                ("invite", invites::create::create(app, by, none).await.map(drop)),
                ("revoke", invites::revoke::revoke(app, by, &code).await),
            ] {
                assert!(matches!(done, Err(Error::Forbidden(_))), "{what}: {done:?}");
            }
        }
    }
}

on_both! {
    /// What a token may do is decided when it is made, by the app and by the role of that moment.
    async fn no_way_to_a_token_gives_more_than_app_and_role(engine) {
        let house = House::on(engine).await;
        let app = &house.app;
        let asked = scopes("read follow admin:read admin:write");
        for (role, kept) in [(Role::Member, "read"), (Role::Moderator, "read admin:read")] {
            let name = role.as_str().replace("moderator", "carer").replace("member", "dana");
            house.make(&name, role).await;
            let judged = house.judged(&name).await;
            let code = house.code(judged, &asked.to_string()).await.unwrap();
            let (_, by_code) = exchange(app, &house.client, &code, BACK, None).await.unwrap();
            let (_, by_password) = issue(app, Some(house.client.id), Some(judged), &asked).await.unwrap();
            assert_eq!([by_code.scopes.to_string(), by_password.scopes.to_string()], [kept, kept], "{role:?}");
        }
        let (_, own) = issue(app, Some(house.client.id), None, &asked).await.unwrap();
        assert_eq!(own.scopes.to_string(), "read", "an app has no role");
        let nothing = issue(app, Some(house.client.id), None, &scopes("admin:read")).await;
        assert!(matches!(nothing, Err(Error::Invalid { field: "scope", .. })), "{nothing:?}");
    }
}
