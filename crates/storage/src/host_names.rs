//! Host names that were stored before every spelling of a host was one ([`Host`]): brought into that form, once, and
//! addresses that lie with another server than what they are of.
//!
//! Rows that then say the same as another are dropped. An account whose handle another one has becomes a tombstone: the
//! other one's server vouches for it under the name's usual spelling. What was decided about domains is applied anew.

use domain::instance::DomainSeverity;
use domain::job::Job;
use domain::urls::page_of;
use domain::{AccountId, Host};

use crate::db::{Db, Tx};
use crate::error::Result;
use crate::{accounts, domains, hosts, peers, settings, sql};

/// Brings every stored host name into the one form, unless that was done.
pub(crate) async fn migrate(db: &Db) -> Result<()> {
    if settings::hosts_are_canonical(&mut db.read().await?).await? {
        return Ok(());
    }
    let mut tx = db.write().await?;
    tx.take_time().await?;
    tx.alone("host names").await?;
    if settings::hosts_are_canonical(&mut tx).await? {
        return Ok(());
    }
    let changed = rows(&mut tx).await? + handles(&mut tx).await?;
    if changed > 0 {
        hosts::call_all(&mut tx).await?;
        decide_anew(&mut tx).await?;
        tracing::info!(changed, "host names were brought into their usual form");
    }
    let changed = profiles(&mut tx).await? + posts(&mut tx).await?;
    if changed > 0 {
        tracing::info!(changed, "addresses that belong to other servers than their posts and profiles were taken away");
    }
    settings::keep_hosts_are_canonical(&mut tx).await?;
    tx.commit().await
}

/// Names and what they become, where that is not the same. A text that is no host name stays.
async fn respelt(tx: &mut Tx, names: sql::Query) -> Result<Vec<(String, Host)>> {
    let names = names.all::<(String,)>(tx).await?;
    let changed = |(name,): (String,)| Host::parse(&name).ok().filter(|host| host.as_str() != name).map(|h| (name, h));
    Ok(names.into_iter().filter_map(changed).collect())
}

/// A column of a table, and which other row with the same host it stands in the way of: what that one says already is
/// dropped.
macro_rules! respell {
    ($tx:expr, $($table:literal $column:literal with $others:literal),+) => {{
        let mut changed = 0;
        $(
            let names = sql!(concat!("SELECT DISTINCT ", $column, " FROM ", $table, " /* scan */"));
            for (old, new) in respelt($tx, names).await? {
                let update = sql!(concat!(
                    "UPDATE ", $table, " /* scan */ SET ", $column, " = $2 WHERE ", $column, " = $1 AND NOT EXISTS
                        (SELECT 1 FROM ", $table, " other WHERE other.", $column, " = $2 AND ", $others, ")"
                ));
                changed += update.bind(&old).bind(&new).run($tx).await?;
                let delete = sql!(concat!("DELETE FROM ", $table, " /* scan */ WHERE ", $column, " = $1"));
                changed += delete.bind(old).run($tx).await?;
            }
        )+
        changed
    }};
}

async fn rows(tx: &mut Tx) -> Result<u64> {
    Ok(respell!(
        tx,
        // Several rows may have the same host: none is in another's way.
        "inbox_items" "host" with "FALSE",
        "deliveries" "host" with "FALSE",
        "reports" "host" with "FALSE",
        "hosts" "host" with "TRUE",
        "domain_policies" "domain" with "TRUE",
        "account_domain_blocks" "domain" with "other.account_id = account_domain_blocks.account_id",
        "custom_emojis" "domain" with "other.shortcode = custom_emojis.shortcode",
        "former_readers" "domain" with
            "other.author_id = former_readers.author_id AND other.post_id = former_readers.post_id"
    ))
}

async fn handles(tx: &mut Tx) -> Result<u64> {
    let mut changed = 0;
    let names = sql!("SELECT DISTINCT domain FROM accounts /* scan */ WHERE domain <> ''");
    for (old, new) in respelt(tx, names).await? {
        changed += sql!(
            "UPDATE accounts SET version = version + 1, domain = $2 WHERE domain = $1 AND NOT EXISTS
                (SELECT 1 FROM accounts other WHERE other.domain = $2 AND lower(other.username) = lower(accounts.username))"
        )
        .bind(&old)
        .bind(&new)
        .run(tx)
        .await?;
        let doubles = sql!("SELECT id FROM accounts WHERE domain = $1").bind(&old).ids::<AccountId>(tx).await?;
        for id in doubles {
            let now = tx.now();
            accounts::bury(tx, id, now).await?;
            peers::release_handle(tx, id).await?;
            sql!("UPDATE accounts SET domain = $2 WHERE id = $1").bind(id).bind(&new).run(tx).await?;
            tx.enqueue(Job::PurgeAccount { account: id });
            changed += 1;
        }
    }
    Ok(changed)
}

/// Pages of profiles that lie with somebody else's server.
async fn profiles(tx: &mut Tx) -> Result<u64> {
    let mut changed = 0;
    let all = sql!("SELECT id, uri, url, domain FROM accounts /* scan */ WHERE domain <> '' AND url <> uri");
    for (id, uri, url, domain) in all.all::<(i64, String, String, Host)>(tx).await? {
        let page = page_of(Some(url.clone()), &uri, Some(&domain));
        if page != url {
            let update = sql!("UPDATE accounts SET version = version + 1, url = $2 WHERE id = $1");
            changed += update.bind(id).bind(page).run(tx).await?;
        }
    }
    Ok(changed)
}

/// Pages of posts that lie with somebody else's server, and ids that boosts took from another.
async fn posts(tx: &mut Tx) -> Result<u64> {
    let (mut changed, mut after) = (0, i64::MIN);
    loop {
        let batch = sql!(
            "SELECT p.id, p.uri, p.url, a.uri, a.domain FROM posts p JOIN accounts a ON a.id = p.account_id
             WHERE p.id > $1 AND NOT p.local ORDER BY p.id LIMIT 2000"
        );
        let rows = batch.bind(after).all::<(i64, String, String, String, Host)>(tx).await?;
        let Some(last) = rows.last() else { return Ok(changed) };
        after = last.0;
        for (id, uri, url, actor, domain) in rows {
            // Only what has no document of its own could lie elsewhere than its author.
            let own = Host::of_address(&uri) == Host::of_address(&actor);
            let kept = if own { uri.clone() } else { format!("{actor}#posts/{id}") };
            let page = page_of(Some(url.clone()), &kept, Some(&domain));
            if kept != uri || page != url {
                let update = sql!("UPDATE posts SET uri = $2, url = $3 WHERE id = $1");
                changed += update.bind(id).bind(kept).bind(page).run(tx).await?;
            }
        }
    }
}

/// Decisions hold for accounts that they missed under another spelling.
async fn decide_anew(tx: &mut Tx) -> Result<()> {
    for policy in domains::policies(tx).await? {
        domains::set(tx, &policy.domain, policy.severity, None).await?;
        if policy.severity == DomainSeverity::Suspend {
            let known = domains::known(tx, &policy.domain).await?;
            domains::sever(tx, &known).await?;
            domains::drop_queued(tx, &policy.domain, &known).await?;
            tx.enqueue(Job::ForgetDomain { domain: policy.domain });
        }
    }
    Ok(())
}
