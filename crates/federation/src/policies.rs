//! What those who run the community decided about other hosts, as every door asks it: before anything is taken from a
//! host, and before each request to one, also where a redirect or a picture's address leads.

use std::sync::Arc;

use domain::Host;
use domain::instance::DomainPolicy;
use storage::Db;

use crate::remembered::Remembered;

/// Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Policies {
    db: Db,
    remembered: Arc<Remembered>,
}

impl Policies {
    pub(crate) fn new(db: Db, remembered: Arc<Remembered>) -> Self {
        Self { db, remembered }
    }

    /// Does nothing come in from this host, and nothing go out to it?
    pub(crate) async fn suspend(&self, host: &Host) -> app::Result<bool> {
        let all = match self.remembered.policies() {
            Some(all) => all,
            None => {
                let now = self.remembered.now();
                let mut conn = self.db.read().await?;
                let all = Arc::new(storage::domains::policies(&mut conn).await?);
                self.remembered.keep_policies(now, Arc::clone(&all));
                all
            }
        };
        Ok(DomainPolicy::suspend(&all, host))
    }
}
