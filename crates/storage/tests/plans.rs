//! On PostgreSQL a statement is planned once for each connection, and again when tables have grown: a plan that was
//! made while they were empty goes through all of them.

use domain::account::Role;
use domain::page::Page;
use domain::{AccountId, Visibility};
use storage::posts::Links;
use storage::{Tx, sql, timelines};

use crate::both::Engine;
use crate::people::write_member;
use crate::queues::read_of;
use crate::visible::write_post;

/// The rows that a page of a member's home timeline reads of posts, and how many posts are on it.
async fn home(tx: &mut Tx, me: AccountId) -> (i64, usize) {
    let before = read_of(tx, "posts").await;
    let page = timelines::home(tx, me, &Page::first(20)).await.unwrap();
    let after = read_of(tx, "posts").await;
    (after.0 + after.1 - before.0 - before.1, page.len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_planned_for_empty_tables_is_planned_anew() {
    crate::both::on(Engine::Postgres, |fresh| async move {
        let mut tx = fresh.db.write().await.unwrap();
        for table in [
            sql!("ALTER TABLE posts SET (autovacuum_enabled = off)"),
            sql!("ALTER TABLE home_entries SET (autovacuum_enabled = off)"),
            sql!("ALTER TABLE accounts SET (autovacuum_enabled = off)"),
        ] {
            table.run(&mut tx).await.unwrap();
        }
        let dana = write_member(&mut tx, "dana", Role::Member).await.unwrap();
        let post = write_post(&mut tx, &dana, Visibility::Public, &Links::default()).await;
        tx.commit().await.unwrap();
        // Plans are made now, on the one connection that there is.
        let mut tx = fresh.db.write().await.unwrap();
        home(&mut tx, dana.id).await;
        tx.commit().await.unwrap();

        let mut tx = fresh.db.write().await.unwrap();
        sql!(
            "INSERT INTO posts (id, uri, url, account_id, thread_id, visibility, content, created_at, local)
             SELECT $1 + i, p.uri || i, p.url || i, p.account_id, $1 + i, 'public', 'word', p.created_at, TRUE
             FROM posts p, generate_series(1, 4000) AS i WHERE p.id = $1"
        )
        .bind(post.id)
        .run(&mut tx)
        .await
        .unwrap();
        sql!("INSERT INTO home_entries (account_id, post_id) SELECT $1, id FROM posts")
            .bind(dana.id)
            .run(&mut tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();

        // So it would stay: the plan is bad, and nobody knows.
        let mut tx = fresh.db.write().await.unwrap();
        let (rows, posts) = home(&mut tx, dana.id).await;
        assert!(rows > 10_000 && posts == 20, "{rows} rows for {posts} posts");
        drop(tx);
        fresh.db.count_what_grew().await.unwrap();
        let mut tx = fresh.db.write().await.unwrap();
        let (rows, posts) = home(&mut tx, dana.id).await;
        assert!(rows <= 100 && posts == 20, "{rows} rows for {posts} posts");
    })
    .await;
}
