//! What the slowest questions cost that anybody may ask, when there is much of everything: a million posts, and of each
//! thing that makes a question slow as much as a busy community has, or somebody who wants to do harm can make.
//!
//! `cargo bench -p porchlight-storage --bench questions [-- POSTS [DATABASE_URL [WORDS]]]`; the embedded database
//! unless said otherwise. A database that is filled already is measured as it is; a `postgres://` address names an
//! empty one or such, whose owner may write to the catalogue: there all is asked with the statistics of the empty
//! tables, with true ones, and with none. `WORDS` chooses the questions that contain them. Milliseconds that pass, of
//! ten times each, and the longest. Never a test: it asserts nothing about time.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench tells what it found, and stops at the first failure"
)]

use std::time::{Duration, Instant};

use domain::notification::NotificationKind;
use domain::page::Page;
use domain::{AccountId, Clock, IdGenerator, ListId, PostId, TagId, Viewer};
use storage::hydrate;
use storage::notifications::Filter;
use storage::search::{AccountQuery, PostQuery};
use storage::timelines::{self, AccountFilter, PublicFilter, TagFilter};
use storage::walks::Part;
use storage::{
    Config, Conn, Db, audience, community, conversations, follows, homes, interactions, lists, notifications,
    relationships, search, sql, tags, threads,
};

/// How often each question is asked, after once that is not counted.
const ROUNDS: usize = 10;
/// The reader of all that is asked for as a member.
const ME: AccountId = AccountId(7);
/// The first of the accounts elsewhere; as many as there are posts.
const PEOPLE: i64 = 1_000_000;
/// Lists of the reader: of a thousand who write, and of a thousand who do not.
const LISTS: (ListId, ListId) = (ListId(11), ListId(12));
/// How long all posts took to be written.
const DAYS: u64 = 700;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let posts: i64 = arguments.next().map_or(1_000_000, |posts| posts.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite://{}", folder.path().join("questions.db").display());
    let config = Config { url: arguments.next().unwrap_or(file), max_connections: 8 };
    let chosen = arguments.next().unwrap_or_default();
    let db = Db::connect(&config, Clock::System).await.unwrap();
    let mut conn = db.read().await.unwrap();
    let filled = sql!("SELECT count(*) FROM lists WHERE id = $1").bind(LISTS.0).count(&mut conn).await.unwrap() > 0;
    drop(conn);
    if !filled {
        let began = Instant::now();
        if !db.is_sqlite() {
            keep_statistics(&db).await;
        }
        fill(&db, posts).await;
        println!("filled in {:.0} s", began.elapsed().as_secs_f64());
    }
    let asked = Asked { db, chosen };
    if asked.db.is_sqlite() {
        asked.everything("").await;
        return;
    }
    asked.everything("as they were").await;
    sql!("VACUUM ANALYZE").run(&mut asked.db.read().await.unwrap()).await.unwrap();
    asked.everything("true").await;
    let forget = sql!(
        "WITH own AS (SELECT oid FROM pg_class WHERE relnamespace = to_regnamespace(current_schema())),
            gone AS (DELETE FROM pg_statistic WHERE starelid IN (SELECT oid FROM own))
         UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE oid IN (SELECT oid FROM own)"
    );
    forget.run(&mut asked.db.read().await.unwrap()).await.unwrap();
    asked.everything("none").await;
}

/// Statistics stay as they are now: those of a community where there is nothing yet.
async fn keep_statistics(db: &Db) {
    let mut conn = db.read().await.unwrap();
    sql!("ANALYZE").run(&mut conn).await.unwrap();
    let off = sql!(
        "DO $$ DECLARE own text; BEGIN
            FOR own IN SELECT relname FROM pg_class
                WHERE relkind = 'r' AND relnamespace = to_regnamespace(current_schema())
            LOOP EXECUTE format('ALTER TABLE %I SET (autovacuum_enabled = off)', own); END LOOP;
         END $$"
    );
    off.run(&mut conn).await.unwrap();
}

/// As many of everything as a busy community has, for each million posts.
async fn fill(db: &Db, posts: i64) {
    let now = db.clock().now();
    let began = domain::Timestamp(now.0 - i64::try_from(Duration::from_secs(DAYS * 86_400).as_millis()).unwrap());
    let first: i64 = IdGenerator::first_at::<PostId>(began).0;
    let step = (IdGenerator::first_at::<PostId>(now).0 - first) / (posts + 1);
    // Each post's id is `$2 + i * $3`, its number `i` from 1 to `$1`, `$4` the reader.
    macro_rules! numbered {
        ($($rest:literal),*) => {
            concat!(
                "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS bigint) UNION ALL SELECT i + 1 FROM n WHERE i < $1) ",
                $($rest),*
            )
        };
    }
    let mut tx = db.write().await.unwrap();
    if !db.is_sqlite() {
        sql!("SET LOCAL statement_timeout = 0").run(&mut tx).await.unwrap();
    }
    for query in [
        // The reader, other members, and the people elsewhere.
        sql!(numbered!(
            "INSERT INTO accounts (id, username, domain, uri, url, kind, inbox_url, public_key_pem, public_key_id,
                created_at)
             SELECT $4 + i - 1, 'member' || i, '', 'https://maple.example/users/member' || i,
                'https://maple.example/@member' || i, 'Person', 'https://maple.example/users/member' || i || '/inbox',
                '', 'https://maple.example/users/member' || i || '#main-key', $2 / 65536 + $3 * 0
             FROM n WHERE i <= 5000"
        )),
        sql!(numbered!(
            "INSERT INTO members (account_id, email, role, private_key_pem, created_at, approved_at, last_active_at)
             SELECT $4 + i - 1, 'member' || i || '@maple.example', 'member', '', $2 / 65536, $2 / 65536,
                ($2 + i * $3 * ($1 / 5000)) / 65536
             FROM n WHERE i <= 5000"
        )),
        sql!(numbered!(
            "INSERT INTO accounts (id, username, domain, uri, url, kind, display_name, inbox_url, shared_inbox_url,
                public_key_pem, public_key_id, created_at, followers_count)
             SELECT 1000000 + i, 'person' || i, 'p' || (i % 2000) || '.example',
                'https://p' || (i % 2000) || '.example/users/person' || i,
                'https://p' || (i % 2000) || '.example/@person' || i, 'Person',
                (CASE i % 5 WHEN 0 THEN 'Anna' WHEN 1 THEN 'Andrea' WHEN 2 THEN 'Maria' WHEN 3 THEN 'Bea' ELSE 'Cleo' END)
                    || ' of family' || (i % 1000),
                'https://p' || (i % 2000) || '.example/users/person' || i || '/inbox',
                'https://p' || (i % 2000) || '.example/inbox',
                '', 'https://p' || (i % 2000) || '.example/users/person' || i || '#main-key',
                $2 / 65536 + $3 * 0 + $4 * 0, i % 777
             FROM n"
        )),
        sql!(numbered!(
            "INSERT INTO account_words (word, account_id)
             SELECT 'person' || i, 1000000 + i + $2 * 0 + $3 * 0 + $4 * 0 FROM n
             UNION ALL SELECT CASE i % 5 WHEN 0 THEN 'anna' WHEN 1 THEN 'andrea' WHEN 2 THEN 'maria' WHEN 3 THEN 'bea'
                ELSE 'cleo' END, 1000000 + i FROM n
             UNION ALL SELECT 'family' || (i % 1000), 1000000 + i FROM n"
        )),
        // Half of all posts are by fifty people, the others by six thousand; the forty-ninth writes for followers only,
        // and one in fifty posts is the reader's.
        sql!(numbered!(
            "INSERT INTO posts (id, uri, url, account_id, in_reply_to_id, in_reply_to_account_id, in_reply_to_uri,
                thread_id, visibility, content, local, created_at, language)
             SELECT id, 'https://p.example/posts/' || i, 'https://p.example/@p/' || i, author,
                parent, CASE WHEN parent IS NULL THEN NULL ELSE $4 END,
                CASE WHEN parent IS NULL THEN NULL ELSE 'https://p.example/parent' END,
                CASE WHEN i BETWEEN $1 / 2 AND $1 / 2 + 5000 THEN $2 + $1 / 2 * $3
                    WHEN i BETWEEN $1 / 4 AND $1 / 4 + 3000 THEN $2 + $1 / 4 * $3 ELSE id END,
                CASE WHEN i % 50 = 9 THEN 'direct' WHEN author = 1000049 OR i % 20 = 3 THEN 'followers'
                    WHEN i % 20 = 14 THEN 'unlisted' ELSE 'public' END,
                '<p>Number ' || i || ': the little one has slept through the night. The little one has slept through the
                    night. The little one has slept through the night.</p>',
                author = $4, id / 65536, 'en'
             FROM (SELECT i, $2 + i * $3 AS id,
                    CASE WHEN i % 50 = 7 THEN $4 WHEN i % 2 = 0 THEN 1000001 + i / 2 % 50 ELSE 1000001 + i % 6000 END
                        AS author,
                    -- A discussion of 5,000 answers, half to the first and half to each other, and one of 3,000 in a row.
                    CASE WHEN i > $1 / 2 AND i <= $1 / 2 + 5000 THEN
                            $2 + (CASE WHEN i % 2 = 0 THEN $1 / 2 ELSE i - 1 END) * $3
                        WHEN i > $1 / 4 AND i <= $1 / 4 + 3000 THEN $2 + (i - 1) * $3 END AS parent
                FROM n) AS p"
        )),
        sql!(numbered!(
            "INSERT INTO tags (id, name, display)
             SELECT i, name, name FROM (
                SELECT i + $2 * 0 + $3 * 0 + $4 * 0 AS i, CASE i WHEN 1 THEN 'sleep' WHEN 2 THEN 'cats' WHEN 3 THEN 'dogs'
                    WHEN 4 THEN 'old' WHEN 5 THEN 'daily' ELSE 'private' || i END AS name FROM n WHERE i <= 50000) AS t"
        )),
        // Two hashtags that are never together, one that nobody uses any more, one on every post of the last week, and
        // many that are used among followers only.
        sql!(numbered!(
            "INSERT INTO post_tags (tag_id, post_id)
             SELECT 1, $2 + i * $3 FROM n WHERE i % 20 = 0
             UNION ALL SELECT 2, $2 + i * $3 FROM n WHERE i % 20 = 1
             UNION ALL SELECT 3, $2 + i * $3 FROM n WHERE i % 20 = 2
             UNION ALL SELECT 4, $2 + i * $3 + $4 * 0 FROM n WHERE i <= $1 / 200
             UNION ALL SELECT 5, $2 + i * $3 FROM n WHERE i > $1 - $1 / 100
             UNION ALL SELECT 6 + i / 20, $2 + i * $3 FROM n WHERE i % 20 = 3 AND i / 20 < 49990"
        )),
        // Pictures are on the oldest posts only.
        sql!(numbered!(
            "INSERT INTO attachments (id, account_id, post_id, kind, mime, remote_url, created_at)
             SELECT i, 1000001, $2 + i * $3 + $4 * 0, 'image', 'image/png', 'https://p.example/' || i, 0
             FROM n WHERE i <= 500"
        )),
        // The reader follows 5,000, a thousand of which never wrote; everybody follows the reader.
        sql!(numbered!(
            "INSERT INTO follows (id, account_id, target_id, uri, by_member, created_at)
             SELECT i + $2 * 0 + $3 * 0, $4, 1000000 + i, 'https://maple.example/follows/' || i, TRUE, 0
             FROM n WHERE i <= 4000 OR (i > 7000 AND i <= 8000)"
        )),
        sql!(numbered!(
            "INSERT INTO follows (id, account_id, target_id, uri, by_member, created_at)
             SELECT 10000 + i + $2 * 0 + $3 * 0, 1000000 + i, $4, 'https://p.example/follows/' || i, FALSE, 0 FROM n"
        )),
        sql!(numbered!(
            "INSERT INTO follows (id, account_id, target_id, uri, by_member, created_at)
             SELECT 20000000 + i + $2 * 0 + $3 * 0, $4 + i % 5000, 1000001 + i * 7 % 997, 'https://maple.example/f/' || i,
                TRUE, 0 FROM n WHERE i <= 25000 AND i % 5000 <> 0"
        )),
        sql!(numbered!(
            "INSERT INTO favourites (id, account_id, post_id, uri, created_at)
             SELECT i, $4, $2 + i * $3, 'https://maple.example/likes/' || i, 0 FROM n WHERE i % 50 = 2
             UNION ALL SELECT i, 1000000 + i, $2 + ($1 - 43) * $3, 'https://p.example/likes/' || i, 0
                FROM n WHERE i % 50 = 1 AND i < 500000"
        )),
        sql!(numbered!(
            "INSERT INTO bookmarks (id, account_id, post_id) SELECT i, $4, $2 + i * $3 FROM n WHERE i % 200 = 4"
        )),
        sql!(numbered!(
            "INSERT INTO mentions (post_id, account_id) SELECT $2 + i * $3, $4 FROM n WHERE i % 50 IN (5, 9)"
        )),
        sql!(numbered!(
            "INSERT INTO notifications (id, account_id, from_account_id, kind, post_id, created_at)
             SELECT $2 + i * $3, $4, 1000000 + i, CASE WHEN i % 50 = 5 THEN 'mention' ELSE 'follow' END,
                CASE WHEN i % 50 = 5 THEN $2 + i * $3 END, ($2 + i * $3) / 65536
             FROM n WHERE i % 50 = 5 OR i % 12 = 0"
        )),
        // A conversation of each two private posts.
        sql!(numbered!(
            "INSERT INTO conversations (id, account_id, thread_id, participants, unread, updated_at, last_post_id)
             SELECT i, $4, $2 + i * $3, CAST(1000000 + i % 6000 AS TEXT), FALSE, 0, $2 + (i + 50) * $3 FROM n WHERE i % 100 = 9"
        )),
        sql!(numbered!(
            "INSERT INTO conversation_posts (conversation_id, post_id)
             SELECT i - i % 100 + 9, $2 + i * $3 + $4 * 0 FROM n WHERE i % 50 = 9"
        )),
        // Many are blocked and muted, and block the reader, who follows none of them.
        sql!(numbered!(
            "INSERT INTO blocks (id, account_id, target_id, uri, created_at)
             SELECT i + $2 * 0 + $3 * 0, $4, 1004000 + i, 'b' || i, 0 FROM n WHERE i <= 1000
             UNION ALL SELECT 10000 + i, 1005000 + i, $4, 'b' || i, 0 FROM n WHERE i <= 500"
        )),
        sql!(numbered!(
            "INSERT INTO mutes (id, account_id, target_id, created_at)
             SELECT i + $2 * 0 + $3 * 0, $4, 1005500 + i, 0 FROM n WHERE i <= 400"
        )),
        sql!(numbered!(
            "INSERT INTO account_domain_blocks (account_id, domain, id)
             SELECT $4, 'q' || i || '.example', i + $2 * 0 + $3 * 0 FROM n WHERE i <= 500"
        )),
        sql!(numbered!(
            "INSERT INTO lists (id, account_id, title) SELECT 10 + i + $2 * 0 + $3 * 0, $4, 'List ' || i FROM n WHERE i <= 2"
        )),
        sql!(numbered!(
            "INSERT INTO list_members (list_id, account_id)
             SELECT 11 + $2 * 0 + $3 * 0 + $4 * 0, 1000000 + CASE WHEN i <= 50 THEN i ELSE 1000 + i END
                FROM n WHERE i <= 1000
             UNION ALL SELECT 12, 1007000 + i FROM n WHERE i <= 1000"
        )),
        sql!(numbered!(
            "INSERT INTO home_entries (account_id, post_id)
             SELECT $4, p.id FROM (SELECT $2 + i * $3 AS id FROM n WHERE i % 2 = 0 AND i > $1 - 4000) AS p"
        )),
    ] {
        query.bind(posts).bind(first).bind(step).bind(ME).run(&mut tx).await.unwrap();
    }
    tx.commit().await.unwrap();
}

struct Asked {
    db: Db,
    chosen: String,
}

impl Asked {
    async fn ask(&self, what: &str, question: impl AsyncFn(&mut Conn, i64) -> usize) {
        if !what.contains(&self.chosen) {
            return;
        }
        let (mut times, mut found) = (Vec::new(), 0);
        for n in 0..=ROUNDS {
            let mut conn = self.db.read().await.unwrap();
            let began = Instant::now();
            found = question(&mut conn, i64::try_from(n).unwrap()).await;
            times.push(began.elapsed().as_secs_f64() * 1000.0);
        }
        times.remove(0);
        times.sort_by(f64::total_cmp);
        println!("| {what} | {:.1} | {:.1} | {found} |", times[ROUNDS / 2], times[ROUNDS - 1]);
    }

    async fn page(&self, what: &str, viewer: Viewer, list: impl AsyncFn(&mut Conn, &Page) -> Part) {
        self.ask(what, async |conn, _| {
            let found = list(conn, &Page::first(40)).await;
            hydrate::found(conn, viewer, &found).await.unwrap().len()
        })
        .await;
        self.ask(&format!("{what}, far back"), async |conn, n| {
            let found = list(conn, &self.far_back(n)).await;
            hydrate::found(conn, viewer, &found).await.unwrap().len()
        })
        .await;
    }

    /// A page in the middle of all posts, another each time.
    fn far_back(&self, n: i64) -> Page {
        let ago = Duration::from_secs(86_400 * (DAYS / 2) + 3_600 * u64::try_from(n).unwrap());
        let then = self.db.clock().now().0 - i64::try_from(ago.as_millis()).unwrap();
        Page { max_id: Some(IdGenerator::first_at::<PostId>(domain::Timestamp(then)).0), ..Page::first(40) }
    }

    async fn everything(&self, statistics: &str) {
        println!("| milliseconds, statistics {statistics} | middle | longest | found |\n|---|---:|---:|---:|");
        self.timelines().await;
        self.hashtags().await;
        self.profiles().await;
        self.searches().await;
        self.discussions().await;
        self.listeners().await;
        self.people().await;
        self.community().await;
    }

    async fn timelines(&self) {
        let me = Viewer::Account(ME);
        self.page("home", me, async |conn, page| timelines::home(conn, ME, page).await.unwrap()).await;
        for (name, viewer) in [("a stranger", Viewer::Anonymous), ("a member", me)] {
            let public = async |conn: &mut Conn, page: &Page, filter| {
                timelines::public(conn, viewer, filter, page).await.unwrap()
            };
            let all = PublicFilter::default();
            self.page(&format!("public, {name}"), viewer, async |conn, page| public(conn, page, all).await).await;
            let local = PublicFilter { local: true, ..all };
            self.page(&format!("public, local, {name}"), viewer, async |conn, page| public(conn, page, local).await)
                .await;
            let media = PublicFilter { only_media: true, ..all };
            self.page(&format!("public, with pictures, {name}"), viewer, async |conn, page| {
                public(conn, page, media).await
            })
            .await;
            let media = PublicFilter { only_media: true, local: true, ..all };
            self.page(&format!("public, local, with pictures, {name}"), viewer, async |conn, page| {
                public(conn, page, media).await
            })
            .await;
        }
        for (name, list) in [("1,000 who write", LISTS.0), ("1,000 who do not", LISTS.1)] {
            self.page(&format!("list of {name}"), me, async |conn, page| {
                timelines::list(conn, ME, list, page).await.unwrap()
            })
            .await;
            self.ask(&format!("list of {name}, is this post on it"), async |conn, n| {
                let id = self.nth_newest(conn, n).await;
                usize::from(timelines::is_on_list(conn, ME, list, id).await.unwrap())
            })
            .await;
            self.ask(&format!("list of {name}, its accounts"), async |conn, _| {
                lists::members(conn, list, &Page::first(80)).await.unwrap().len()
            })
            .await;
        }
    }

    async fn nth_newest(&self, conn: &mut Conn, n: i64) -> PostId {
        let found = sql!("SELECT id FROM posts ORDER BY id DESC LIMIT 1 OFFSET $1").bind(n).ids(conn).await.unwrap();
        found[0]
    }

    async fn hashtags(&self) {
        let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>();
        for (any, all, none) in [
            (&["sleep"][..], &[][..], &[][..]),
            (&["sleep", "cats", "dogs", "old", "daily"], &[], &[]),
            (&["sleep"], &["cats"], &[]),
            (&["sleep"], &["old"], &[]),
            (&["sleep", "cats", "dogs"], &["old", "daily"], &[]),
            (&["daily"], &[], &["daily"]),
            (&["sleep"], &[], &["sleep", "cats", "dogs", "old"]),
            (&["cats", "dogs"], &[], &["cats", "dogs"]),
            (&["nobody"], &[], &[]),
        ] {
            let filter = TagFilter { any: texts(any), all: texts(all), none: texts(none), ..TagFilter::default() };
            let viewer = Viewer::Anonymous;
            let what = format!("hashtags: any of {any:?}, all of {all:?}, none of {none:?}");
            self.page(&what, viewer, async |conn, page| timelines::tag(conn, viewer, &filter, page).await.unwrap())
                .await;
            let filter = TagFilter { only_media: true, ..filter };
            let what = format!("{what}, with pictures");
            self.page(&what, viewer, async |conn, page| timelines::tag(conn, viewer, &filter, page).await.unwrap())
                .await;
        }
        let filter = TagFilter { any: texts(&["sleep", "cats"]), local: true, ..TagFilter::default() };
        self.page("hashtags: of this community", Viewer::Anonymous, async |conn, page| {
            timelines::tag(conn, Viewer::Anonymous, &filter, page).await.unwrap()
        })
        .await;
        for beginning in ["s", "private", "private1", "d"] {
            for viewer in [Viewer::Anonymous, Viewer::Account(ME)] {
                self.ask(&format!("hashtags that begin with {beginning}, {viewer:?}"), async |conn, _| {
                    tags::starting_with(conn, viewer, beginning, 40, 0).await.unwrap().len()
                })
                .await;
            }
        }
        self.ask("hashtags: their week", async |conn, _| {
            let now = self.db.clock().now();
            tags::history(conn, &[TagId(1), TagId(2), TagId(3), TagId(4), TagId(5)], now).await.unwrap().len()
        })
        .await;
    }

    async fn profiles(&self) {
        let me = Viewer::Account(ME);
        let narrow = AccountFilter { only_public: true, ..AccountFilter::default() };
        let pictures = AccountFilter { only_media: true, ..AccountFilter::default() };
        let tagged = AccountFilter { tagged: Some("old".to_owned()), ..AccountFilter::default() };
        let answers = AccountFilter { exclude_replies: true, exclude_boosts: true, ..AccountFilter::default() };
        for (name, filter) in [
            ("all", &AccountFilter::default()),
            ("public", &narrow),
            ("pictures", &pictures),
            ("a hashtag", &tagged),
            ("neither answers nor boosts", &answers),
        ] {
            for (who, account) in [
                ("one who writes much", AccountId(PEOPLE + 1)),
                ("one who writes for followers only", AccountId(PEOPLE + 49)),
                ("one who is not followed", AccountId(PEOPLE + 4_500)),
                ("oneself", ME),
            ] {
                for viewer in [Viewer::Anonymous, me] {
                    self.page(&format!("profile of {who}: {name}, {viewer:?}"), viewer, async |conn, page| {
                        timelines::account(conn, viewer, account, filter, page).await.unwrap()
                    })
                    .await;
                }
            }
        }
    }

    async fn searches(&self) {
        for text in ["a", "anna", "person", "anna family1", "an of fa", "zz", "person77@p77", "p@p", "maria cleo"] {
            for following in [false, true] {
                for offset in [0, 5_000] {
                    let what = format!("search for accounts: {text:?}, followed {following}, from {offset}");
                    self.ask(&what, async |conn, _| {
                        let query = AccountQuery { text, following, limit: 80, offset };
                        search::accounts(conn, ME, &query).await.unwrap().len()
                    })
                    .await;
                }
            }
        }
        for text in ["little", "number 7", "nothing says this"] {
            for offset in [0, 5_000] {
                self.ask(&format!("search for posts: {text:?}, from {offset}"), async |conn, _| {
                    let query = PostQuery { text, by: None, max_id: None, min_id: None, limit: 40, offset };
                    search::posts(conn, ME, &query).await.unwrap().len()
                })
                .await;
            }
        }
    }

    async fn discussions(&self) {
        let me = Viewer::Account(ME);
        let mut conn = self.db.read().await.unwrap();
        let (first, last) = {
            let of = |answers: i64| {
                sql!("SELECT thread_id, max(id) FROM posts /* scan */ GROUP BY 1 HAVING count(*) = $1")
                    .bind(answers + 1)
            };
            let wide = of(5_000).one::<(i64, i64)>(&mut conn).await.unwrap();
            let deep = of(3_000).one::<(i64, i64)>(&mut conn).await.unwrap();
            (wide.0, deep.1)
        };
        drop(conn);
        for (name, viewer, most) in [("a stranger", Viewer::Anonymous, 60), ("a member", me, 2_048)] {
            self.ask(&format!("discussion of 5,000 answers, {name}"), async |conn, _| {
                threads::descendants(conn, viewer, PostId(first), most).await.unwrap().len()
            })
            .await;
            self.ask(&format!("discussion of 5,000 answers, with what they say, {name}"), async |conn, _| {
                let ids = threads::descendants(conn, viewer, PostId(first), most).await.unwrap();
                hydrate::posts(conn, viewer, &ids).await.unwrap().len()
            })
            .await;
            self.ask(&format!("3,000 posts above, {name}"), async |conn, _| {
                threads::ancestors(conn, viewer, PostId(last), most).await.unwrap().len()
            })
            .await;
        }
        self.ask("conversations", async |conn, _| conversations::list(conn, ME, &Page::first(40)).await.unwrap().len())
            .await;
        self.ask("conversations, far back", async |conn, n| {
            conversations::list(conn, ME, &self.far_back(n)).await.unwrap().len()
        })
        .await;
        for (name, kinds) in [
            ("all", vec![]),
            ("of one kind", vec![NotificationKind::Mention]),
            ("of a kind that there is none of", vec![NotificationKind::Poll]),
        ] {
            let filter = Filter { kinds, ..Filter::default() };
            self.ask(&format!("notifications, {name}"), async |conn, _| {
                notifications::list(conn, ME, &filter, &Page::first(80)).await.unwrap().len()
            })
            .await;
        }
        let filter = Filter { from: Some(AccountId(PEOPLE + 5)), ..Filter::default() };
        self.ask("notifications, of one account", async |conn, _| {
            notifications::list(conn, ME, &filter, &Page::first(80)).await.unwrap().len()
        })
        .await;
        self.ask("notifications, how many are unread", async |conn, _| {
            usize::try_from(notifications::unread(conn, ME, 1_000).await.unwrap()).unwrap()
        })
        .await;
    }

    /// What a post costs that a thousand members listen for: on a public timeline, and as each of them sees it.
    async fn listeners(&self) {
        let members: Vec<AccountId> = (0..1_000).map(|n| AccountId(ME.0 + n)).collect();
        self.ask("a live post: which 200 of those who listen want it", async |conn, _| {
            audience::wanted_by(conn, AccountId(PEOPLE + 1), &members[..200]).await.unwrap().len()
        })
        .await;
        self.ask("a live post: as 200 of those who listen see it", async |conn, n| {
            let id = self.nth_newest(conn, n).await;
            hydrate::post_for(conn, id, &members[..200]).await.unwrap().len()
        })
        .await;
        self.ask("a live post: in which of 200 homes it is", async |conn, n| {
            let id = self.nth_newest(conn, n).await;
            homes::owners(conn, id, &members[..200]).await.unwrap().len()
        })
        .await;
    }

    async fn people(&self) {
        let back = |n: i64| Page { max_id: Some(500_000 + n), ..Page::first(80) };
        self.ask("followers of who has a million", async |conn, _| {
            let found = follows::followers(conn, ME, &Page::first(80)).await.unwrap();
            hydrate::accounts_in_order(conn, &found.iter().map(|e| e.1).collect::<Vec<_>>()).await.unwrap().len()
        })
        .await;
        self.ask("followers of who has a million, far back", async |conn, n| {
            follows::followers(conn, ME, &back(n)).await.unwrap().len()
        })
        .await;
        self.ask("following 5,000", async |conn, _| {
            follows::following(conn, ME, &Page::first(80)).await.unwrap().len()
        })
        .await;
        self.ask("how one stands to 40 of those", async |conn, n| {
            let others: Vec<AccountId> = (0..40).map(|i| AccountId(PEOPLE + 1 + n * 40 + i)).collect();
            relationships::many(conn, ME, &others).await.unwrap().len()
        })
        .await;
        self.ask("familiar followers", async |conn, n| {
            follows::familiar_followers(conn, ME, AccountId(PEOPLE + 1 + n), 40).await.unwrap().len()
        })
        .await;
        self.ask("followers in common with who has a million", async |conn, _| {
            follows::familiar_followers(conn, AccountId(ME.0 + 1), ME, 40).await.unwrap().len()
        })
        .await;
        self.ask("has a follower at a host", async |conn, n| {
            let host = domain::Host::parse(&format!("nobody{n}.example")).unwrap();
            usize::from(follows::has_follower_at(conn, ME, &host).await.unwrap())
        })
        .await;
        self.ask("who favourited a post that many like", async |conn, _| {
            let id = sql!("SELECT post_id FROM favourites WHERE id = 1").ids::<PostId>(conn).await.unwrap()[0];
            interactions::favourited_by(conn, Viewer::Account(ME), id, &Page::first(80)).await.unwrap().len()
        })
        .await;
        self.ask("favourites", async |conn, _| {
            interactions::favourites_of(conn, ME, &Page::first(40)).await.unwrap().len()
        })
        .await;
        self.ask("bookmarks", async |conn, _| {
            interactions::bookmarks_of(conn, ME, &Page::first(40)).await.unwrap().len()
        })
        .await;
    }

    async fn community(&self) {
        self.ask("the community's weeks", async |conn, _| {
            community::weeks(conn, self.db.clock().now(), 12).await.unwrap().len()
        })
        .await;
        self.ask("the community's totals", async |conn, _| {
            usize::try_from(community::totals(conn, self.db.clock().now()).await.unwrap().domains).unwrap()
        })
        .await;
        self.ask("communities that are known", async |conn, _| community::peers(conn).await.unwrap().len()).await;
    }
}
