//! The jobs that are federation's: one entry for each, so that the worker can match every job there is.

use domain::job::Job;
use domain::{AccountId, PostId};
use storage::{accounts, peers, posts};

use crate::Federation;
use crate::outbound::distribute::Said;
use crate::resolve::ResolveError;

/// A discussion is followed upward until it has so many posts here.
const THREAD: i64 = 100;

/// Whose job it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handled {
    /// Done, here.
    Yes,
    /// It needs nothing of federation.
    NotOurs,
}

impl Federation {
    /// Does a job, if it is federation's. May run twice; `again` says that it was begun before.
    ///
    /// # Errors
    /// When it is to be tried again.
    pub async fn run_job(&self, job: &Job, again: bool) -> app::Result<Handled> {
        match job {
            Job::DistributePost { post, .. } => self.distribute_post(*post, again).await?,
            Job::DistributeEdit { post, newly_addressed, .. } => {
                self.distribute_edit(*post, newly_addressed).await?;
            }
            Job::DistributeDelete { post, unsent, from_nobody } => {
                self.distribute_delete(*post, unsent, *from_nobody).await?;
            }
            Job::DistributeFavourite { account, post, uri } => {
                self.distribute_favourite(*account, *post, uri, Said::First).await?;
            }
            Job::DistributeUnfavourite { account, post, uri } => {
                self.distribute_favourite(*account, *post, uri, Said::TakenBack).await?;
            }
            Job::DistributeFollow { account, target, uri, again } => {
                let said = if *again { Said::Again } else { Said::First };
                self.distribute_follow(*account, *target, uri, said).await?;
            }
            Job::DistributeUnfollow { account, target, uri } => {
                self.distribute_follow(*account, *target, uri, Said::TakenBack).await?;
            }
            Job::DistributeAccept { account, follower, uri } => {
                self.distribute_answer(*account, *follower, uri, true).await?;
            }
            Job::DistributeReject { account, follower, uri } => {
                self.distribute_answer(*account, *follower, uri, false).await?;
            }
            Job::DistributeBlock { account, target, uri } => {
                self.distribute_block(*account, *target, uri, Said::First).await?;
            }
            Job::DistributeUnblock { account, target, uri } => {
                self.distribute_block(*account, *target, uri, Said::TakenBack).await?;
            }
            Job::DistributeAccount { account } => self.distribute_account(*account).await?,
            Job::DistributeAccountDelete { account } => self.distribute_account_delete(*account).await?,
            Job::DistributePin { account, post, pinned } => self.distribute_pin(*account, *post, *pinned).await?,
            Job::ForwardReport { report } => self.forward_report(*report).await?,
            Job::FetchThread { post } => self.fetch_thread(*post).await?,
            Job::RefreshAccount { account } => self.refresh_account(*account).await?,
            Job::PurgeAccount { .. } | Job::ForgetDomain { .. } | Job::DeleteMedia { .. } => {
                return Ok(Handled::NotOurs);
            }
        }
        Ok(Handled::Yes)
    }

    /// Looks for what a received post answers. If that answers something too, its own job goes on from there.
    async fn fetch_thread(&self, id: PostId) -> app::Result<()> {
        let mut conn = self.app.db.read().await?;
        let post = match posts::unchecked(&mut conn, id).await {
            Ok(post) => post,
            Err(storage::Error::NotFound) => return Ok(()),
            Err(e) => return Err(e.into()),
        };
        let Some(parent) = post.in_reply_to_uri.filter(|_| post.in_reply_to_id.is_none()) else { return Ok(()) };
        if peers::thread_size(&mut conn, post.thread_id).await? >= THREAD {
            return Ok(());
        }
        // Charged to the author's server, which says where to look.
        let author = accounts::even_hidden(&mut conn, post.account_id).await?;
        drop(conn);
        let budget = author.domain.as_ref().map_or_else(|| self.budget(), |host| self.budget_of_server(host));
        match self.resolve_post(&parent, &budget).await {
            Ok(parent) => app::posts::receive::adopt(&self.app, parent).await,
            Err(e) => settle(Err(e)),
        }
    }

    /// Reads a remote account again.
    async fn refresh_account(&self, id: AccountId) -> app::Result<()> {
        let mut conn = self.app.db.read().await?;
        let account = match accounts::get(&mut conn, id).await {
            Ok(account) if !account.is_local() => account,
            Ok(_) | Err(storage::Error::NotFound) => return Ok(()),
            Err(e) => return Err(e.into()),
        };
        drop(conn);
        settle(self.refresh(&account).await)
    }
}

/// What cannot be found stays unknown; only what may be found later is tried again.
fn settle(outcome: Result<(), ResolveError>) -> app::Result<()> {
    match outcome {
        Ok(()) => Ok(()),
        Err(ResolveError::App(e)) => Err(e),
        Err(e) if e.is_temporary() => Err(app::Error::Unavailable(e.to_string())),
        Err(e) => {
            tracing::debug!(error = %e, "something was not found elsewhere");
            Ok(())
        }
    }
}
