//! What those who run the community decided about other domains, and what that makes of the accounts there.
//!
//! Accounts carry the decision with them (`suspended_at` or `silenced_at`, at the time the decision was made), so that
//! no list has to look for policies. Which domains a decision holds for is said by [`Host::covers`] alone. What
//! one member wants to see nothing of is in [`crate::domain_blocks`].

use std::collections::{BTreeMap, HashMap};

use domain::AccountId;
use domain::instance::{DomainPolicy, DomainSeverity};
use domain::{DeliveryId, Host, Timestamp};

use crate::counts;
use crate::db::{Conn, Tx};
use crate::error::Result;
use crate::former_readers;
use crate::sql;

/// Every decision, by domain.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn policies(conn: &mut Conn) -> Result<Vec<DomainPolicy>> {
    let rows = sql!("SELECT domain, severity, comment, created_at FROM domain_policies ORDER BY domain")
        .all::<(Host, String, String, i64)>(conn)
        .await?;
    let policy = |(domain, severity, comment, at): (Host, String, String, i64)| {
        let severity = DomainSeverity::parse(&severity)?;
        Some(DomainPolicy { domain, severity, comment, created_at: Timestamp(at) })
    };
    Ok(rows.into_iter().filter_map(policy).collect())
}

/// What holds for accounts of a domain.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn policy_for(conn: &mut Conn, domain: &Host) -> Result<Option<DomainPolicy>> {
    Ok(DomainPolicy::for_domain(&policies(conn).await?, domain).cloned())
}

/// Decides about a domain and those below it, and marks the accounts that are known there. `comment` `None` = as it is.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn set(tx: &mut Tx, domain: &Host, severity: DomainSeverity, comment: Option<&str>) -> Result<()> {
    let (now, before) = (tx.now(), policies(tx).await?);
    sql!(
        "INSERT INTO domain_policies (domain, severity, comment, created_at) VALUES ($1, $2, coalesce($3, ''), $4)
         ON CONFLICT (domain) DO UPDATE SET severity = excluded.severity,
            comment = coalesce($3, domain_policies.comment)"
    )
    .bind(domain)
    .bind(severity.as_str())
    .bind(comment)
    .bind(now)
    .run(tx)
    .await?;
    mark(tx, domain, &before).await
}

/// Takes a decision back, and its marks from the accounts. `false` when there was none.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn remove(tx: &mut Tx, domain: &Host) -> Result<bool> {
    let before = policies(tx).await?;
    let n = sql!("DELETE FROM domain_policies WHERE domain = $1").bind(domain).run(tx).await?;
    if n > 0 {
        mark(tx, domain, &before).await?;
    }
    Ok(n > 0)
}

/// The domains of known accounts that a decision about `domain` holds for.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn known(conn: &mut Conn, domain: &Host) -> Result<Vec<Host>> {
    let all = sql!("SELECT DISTINCT domain FROM accounts WHERE domain <> ''").all::<(Host,)>(conn).await?;
    Ok(all.into_iter().map(|(d,)| d).filter(|d| domain.covers(d)).collect())
}

/// Accounts that are known of these domains.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn count_accounts(conn: &mut Conn, domains: &[Host]) -> Result<i64> {
    sql!("SELECT count(*) FROM accounts WHERE domain = ANY($1) AND deleted_at IS NULL").bind(domains).count(conn).await
}

/// Brings the accounts under a domain, and the counters they stand in, in line with what was decided now. Only marks
/// that a decision made are taken away: those of `before`, known by their time.
async fn mark(tx: &mut Tx, domain: &Host, before: &[DomainPolicy]) -> Result<()> {
    let domains = known(tx, domain).await?;
    let made: Vec<i64> =
        before.iter().filter(|p| domains.iter().any(|d| p.domain.covers(d))).map(|p| p.created_at.0).collect();
    sql!(
        "UPDATE accounts SET version = version + 1,
            suspended_at = CASE WHEN suspended_at = ANY($2) THEN NULL ELSE suspended_at END,
            silenced_at = CASE WHEN silenced_at = ANY($2) THEN NULL ELSE silenced_at END
         WHERE domain = ANY($1) AND deleted_at IS NULL AND (suspended_at = ANY($2) OR silenced_at = ANY($2))"
    )
    .bind(domains.as_slice())
    .bind(made)
    .run(tx)
    .await?;
    let now = policies(tx).await?;
    for domain in &domains {
        let Some(policy) = DomainPolicy::for_domain(&now, domain) else { continue };
        let query = match policy.severity {
            DomainSeverity::Suspend => sql!(
                "UPDATE accounts SET version = version + 1, suspended_at = $2
                 WHERE domain = $1 AND suspended_at IS NULL AND deleted_at IS NULL"
            ),
            DomainSeverity::Silence => sql!(
                "UPDATE accounts SET version = version + 1, silenced_at = $2
                 WHERE domain = $1 AND silenced_at IS NULL AND deleted_at IS NULL"
            ),
        };
        query.bind(domain).bind(policy.created_at).run(tx).await?;
    }
    let suspends =
        |p: &DomainPolicy| p.severity == DomainSeverity::Suspend && domains.iter().any(|d| p.domain.covers(d));
    if before.iter().chain(&now).any(suspends) {
        counts::around_domains(tx, &domains).await?;
    }
    Ok(())
}

/// What ended between this community and others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Severed {
    pub follows: usize,
    /// Members whose relations changed.
    pub members: Vec<AccountId>,
}

/// Ends every follow and every request between accounts of these domains and members, both ways, with their counters;
/// takes the accounts off lists, and what members were told of them out of notifications.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn sever(tx: &mut Tx, domains: &[Host]) -> Result<Severed> {
    former_readers::of_domains(tx, domains).await?;
    let follows = sql!(
        "DELETE FROM follows WHERE account_id IN (SELECT id FROM accounts WHERE domain = ANY($1))
            OR target_id IN (SELECT id FROM accounts WHERE domain = ANY($1)) RETURNING account_id, target_id"
    )
    .bind(domains)
    .all::<(i64, i64)>(tx)
    .await?;
    let requests = sql!(
        "DELETE FROM follow_requests WHERE account_id IN (SELECT id FROM accounts WHERE domain = ANY($1))
            OR target_id IN (SELECT id FROM accounts WHERE domain = ANY($1)) RETURNING account_id, target_id"
    )
    .bind(domains)
    .all::<(i64, i64)>(tx)
    .await?;
    for (n, ids) in by_amount(follows.iter().map(|f| f.1)) {
        sql!("UPDATE accounts SET version = version + 1, followers_count = followers_count - $2 WHERE id = ANY($1)")
            .bind(ids)
            .bind(n)
            .run(tx)
            .await?;
    }
    for (n, ids) in by_amount(follows.iter().map(|f| f.0)) {
        sql!("UPDATE accounts SET version = version + 1, following_count = following_count - $2 WHERE id = ANY($1)")
            .bind(ids)
            .bind(n)
            .run(tx)
            .await?;
    }
    sql!("DELETE FROM list_members WHERE account_id IN (SELECT id FROM accounts WHERE domain = ANY($1))")
        .bind(domains)
        .run(tx)
        .await?;
    sql!("DELETE FROM notifications WHERE from_account_id IN (SELECT id FROM accounts WHERE domain = ANY($1))")
        .bind(domains)
        .run(tx)
        .await?;
    let touched: Vec<i64> = follows.iter().chain(&requests).flat_map(|(a, b)| [*a, *b]).collect();
    let members = sql!("SELECT account_id FROM members WHERE account_id = ANY($1) ORDER BY account_id")
        .bind(touched)
        .ids(tx)
        .await?;
    Ok(Severed { follows: follows.len(), members })
}

/// Which ids came how often.
fn by_amount(ids: impl Iterator<Item = i64>) -> BTreeMap<i64, Vec<i64>> {
    let mut times: HashMap<i64, i64> = HashMap::new();
    for id in ids {
        *times.entry(id).or_default() += 1;
    }
    let mut amounts: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for (id, n) in times {
        amounts.entry(n).or_default().push(id);
    }
    amounts
}

/// Drops what waits to be sent to servers under a domain, or to its accounts whose inboxes are elsewhere, and what came
/// from there and was not looked at yet. How many deliveries there were. `known` are its domains ([`known`]), whose
/// accounts are suspended by now.
///
/// # Errors
/// As [`crate::Error`] says.
pub async fn drop_queued(tx: &mut Tx, domain: &Host, known: &[Host]) -> Result<usize> {
    let hosts = sql!("SELECT DISTINCT host FROM deliveries UNION SELECT DISTINCT host FROM inbox_items")
        .all::<(Host,)>(tx)
        .await?;
    let hosts: Vec<Host> = hosts.into_iter().map(|(host,)| host).filter(|host| domain.covers(host)).collect();
    sql!("DELETE FROM inbox_items WHERE put_off IN (FALSE, TRUE) AND host = ANY($1)")
        .bind(hosts.as_slice())
        .run(tx)
        .await?;
    let mut waiting = sql!("SELECT id FROM deliveries WHERE host = ANY($1)").bind(hosts.as_slice()).ids(tx).await?;
    let theirs = sql!("SELECT DISTINCT coalesce(shared_inbox_url, inbox_url) FROM accounts WHERE domain = ANY($1)");
    let theirs = crate::recipients::urls(theirs.bind(known), tx).await?;
    let others = sql!(
        "SELECT DISTINCT coalesce(shared_inbox_url, inbox_url) FROM accounts /* scan */
         WHERE coalesce(shared_inbox_url, inbox_url) = ANY($1) AND suspended_at IS NULL AND deleted_at IS NULL"
    );
    let others = crate::recipients::urls(others.bind(theirs.as_slice()), tx).await?;
    let theirs: Vec<String> = theirs.into_iter().filter(|url| !others.contains(url)).collect();
    waiting
        .extend(sql!("SELECT id FROM deliveries WHERE inbox_url = ANY($1)").bind(theirs).ids::<DeliveryId>(tx).await?);
    crate::deliveries::drop_all(tx, waiting).await
}
