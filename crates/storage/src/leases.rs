//! What processes held of the queues when they died goes to those that live.

use std::collections::{BTreeMap, BTreeSet};

use domain::Host;
use domain::event::Event;

use crate::db::Db;
use crate::error::Result;
use crate::hub::Queue;
use crate::{hosts, sql};

impl Db {
    /// Gives back what processes held when they died: their work is claimed again at once, not only when their
    /// leases end. To be called when a server starts (`starting`: what is held under its number was held by a
    /// process before it), and now and then by those that run.
    ///
    /// # Errors
    /// As [`crate::Error`] says.
    pub async fn end_leases_of_the_dead(&self, starting: bool) -> Result<()> {
        let mut tx = self.write().await?;
        let own = tx.node();
        let mut living = tx.living().await?;
        self.and_those_before(&mut living);
        living.push(own);
        living.retain(|number| !(starting && *number == own));
        let hosts = sql!(
            "UPDATE deliveries /* scan */ SET leased_until = 0 WHERE leased_until > 0 AND NOT (leased_by = ANY($1))
             RETURNING host"
        )
        .bind(living.as_slice())
        .all::<(Host,)>(&mut tx)
        .await?;
        let freed = [
            sql!("UPDATE jobs /* scan */ SET leased_until = 0 WHERE leased_until > 0 AND NOT (leased_by = ANY($1))")
                .bind(living.as_slice())
                .run(&mut tx)
                .await?,
            sql!("UPDATE inbox_items /* scan */ SET leased_until = 0 WHERE leased_until > 0 AND NOT (leased_by = ANY($1))")
                .bind(living.as_slice())
                .run(&mut tx)
                .await?,
            u64::try_from(hosts.len()).unwrap_or(u64::MAX),
        ];
        let mut free: BTreeSet<Host> = hosts.into_iter().map(|(host,)| host).collect();
        let now = tx.now();
        let busy = sql!("SELECT DISTINCT host FROM deliveries WHERE host = ANY($1) AND leased_until > $2")
            .bind(free.iter().cloned().collect::<Vec<_>>().as_slice())
            .bind(now)
            .all::<(Host,)>(&mut tx)
            .await?;
        for (host,) in busy {
            free.remove(&host);
        }
        hosts::settle(&mut tx, &BTreeMap::new(), &free.into_iter().collect::<Vec<_>>()).await?;
        if starting {
            hosts::call_forgotten(&mut tx).await?;
        }
        if freed.iter().sum::<u64>() > 0 {
            tracing::info!(?freed, "work of a process that died is taken over (jobs, received, deliveries)");
            for queue in [Queue::Jobs, Queue::Inbox, Queue::Deliveries] {
                tx.wake(queue);
            }
            if starting {
                // It may have died between a change and telling of it.
                tx.emit(Event::SomeMissed);
            }
        }
        tx.commit().await
    }

    /// A lock is gone for a moment when PostgreSQL restarts: whoever held one when this was asked before lives, too.
    /// Somebody who is gone may have died between a change and telling of it.
    fn and_those_before(&self, living: &mut Vec<i64>) {
        let mut then = self.held_before(living.clone());
        if then.iter().any(|number| !living.contains(number)) {
            self.hub().some_missed();
        }
        living.append(&mut then);
    }
}
