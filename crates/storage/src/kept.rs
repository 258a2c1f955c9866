//! What was read before and has not changed: posts and accounts without anything that depends on the viewer, and
//! what each viewer did with posts.
//!
//! Every row has a version that grows with each change. A page first reads which versions there are now (and which
//! posts the viewer may see), then takes from here what it has in that version. Nothing has to be told to forget,
//! in this process or another: an old version is never asked for again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::view::{AccountView, PostCore, PostFlags};
use domain::{AccountId, Host, PostId};
use foldhash::HashMap;

use crate::community::{Totals, Week};
use crate::recent::Recent;

/// Custom emojis are shown with posts and accounts but have no version there: a change shows after this long.
const KEEP: Duration = Duration::from_secs(5 * 60);
/// Posts whose marks are kept, per member.
const MARKS: usize = 1_000;
/// What is told of the whole community takes a walk through a table, and nobody minds if it is a little old.
const KEEP_TOTALS: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Kept {
    posts: Recent<PostId, (i64, Arc<PostCore>)>,
    accounts: Recent<AccountId, (i64, Arc<AccountView>)>,
    marks: Recent<AccountId, Arc<Marks>>,
    pub(crate) totals: Recent<(), Totals>,
    /// Other communities.
    pub(crate) known: Recent<(), Arc<Vec<Host>>>,
    /// By the week that it is now, and how many.
    pub(crate) past_weeks: Recent<(i64, i64), Arc<Vec<Week>>>,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            posts: Recent::new(4_000, KEEP),
            accounts: Recent::new(4_000, KEEP),
            marks: Recent::new(1_000, KEEP),
            totals: Recent::new(1, KEEP_TOTALS),
            known: Recent::new(1, KEEP),
            past_weeks: Recent::new(4, KEEP),
        }
    }
}

impl Kept {
    pub(crate) fn post(&self, now: Instant, id: PostId, version: i64) -> Option<Arc<PostCore>> {
        self.posts.get_at(now, &id).filter(|(kept, _)| *kept == version).map(|(_, core)| core)
    }

    pub(crate) fn keep_post(&self, version: i64, core: Arc<PostCore>) {
        self.posts.insert(core.post.id, (version, core));
    }

    pub(crate) fn account(&self, now: Instant, id: AccountId, version: i64) -> Option<Arc<AccountView>> {
        self.accounts.get_at(now, &id).filter(|(kept, _)| *kept == version).map(|(_, view)| view)
    }

    pub(crate) fn keep_account(&self, version: i64, view: Arc<AccountView>) {
        self.accounts.insert(view.account.id, (version, view));
    }

    /// What is kept of a member's marks in this version.
    pub(crate) fn marks(&self, of: AccountId, version: i64) -> Arc<Marks> {
        if let Some(marks) = self.marks.get(&of).filter(|kept| kept.version == version) {
            return marks;
        }
        let marks = Arc::new(Marks { version, by_post: Mutex::default() });
        self.marks.insert(of, Arc::clone(&marks));
        marks
    }
}

/// What one member did with posts, in one version.
#[derive(Debug)]
pub(crate) struct Marks {
    version: i64,
    by_post: Mutex<HashMap<PostId, PostFlags>>,
}

impl Marks {
    /// What is known of these posts, and those of which nothing is.
    pub(crate) fn look(&self, ids: &[PostId]) -> (HashMap<PostId, PostFlags>, Vec<PostId>) {
        let by_post = self.by_post.lock().unwrap_or_else(PoisonError::into_inner);
        let found: HashMap<_, _> = ids.iter().filter_map(|id| Some((*id, *by_post.get(id)?))).collect();
        let missing = ids.iter().copied().filter(|id| !found.contains_key(id)).collect();
        (found, missing)
    }

    pub(crate) fn keep(&self, fresh: &HashMap<PostId, PostFlags>) {
        let mut by_post = self.by_post.lock().unwrap_or_else(PoisonError::into_inner);
        if by_post.len() > MARKS {
            by_post.clear();
        }
        by_post.extend(fresh);
    }
}
