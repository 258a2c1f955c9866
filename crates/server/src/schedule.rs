//! What is done from time to time: what has run out ends, what nobody needs any more is forgotten.
//!
//! Every step may run in several processes at once and twice in a row without harm.

use std::time::Duration;

use domain::event::Event;
use federation::Federation;
use storage::{follows, former_readers, homes, inbox_items, member_addresses, oauth, sessions};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Activities are recognised by their fingerprint for so long; servers stop sending again after about a week.
const REMEMBER_ACTIVITIES: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// What was taken back before it came is not done if it comes within so long.
const REMEMBER_TAKEN_BACK: Duration = Duration::from_secs(24 * 60 * 60);

/// Tokens are forgotten so long after they ended.
const REMEMBER_TOKENS: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Where copies of what was deleted are is forgotten so long after: its deletion is on its way by then.
const REMEMBER_READERS: Duration = Duration::from_secs(24 * 60 * 60);

/// Starts the rounds; they end at `stop`.
pub fn start(federation: &Federation, stop: &CancellationToken, tasks: &mut JoinSet<anyhow::Result<()>>) {
    for round in [Round::Secondly, Round::Minutely, Round::Hourly] {
        let (federation, stop) = (federation.clone(), stop.clone());
        tasks.spawn(async move {
            while stop.run_until_cancelled(tokio::time::sleep(round.pause())).await.is_some() {
                if let Err(error) = round.go(&federation).await {
                    tracing::warn!(?round, %error, "a scheduled round failed; the next one does its work");
                }
            }
            Ok(())
        });
    }
}

#[derive(Debug, Clone, Copy)]
enum Round {
    Secondly,
    Minutely,
    Hourly,
}

impl Round {
    fn pause(self) -> Duration {
        match self {
            Self::Secondly => Duration::from_secs(1),
            Self::Minutely => Duration::from_secs(60),
            Self::Hourly => Duration::from_secs(60 * 60),
        }
    }

    async fn go(self, federation: &Federation) -> app::Result<()> {
        match self {
            Self::Secondly => secondly(federation).await,
            Self::Minutely => minutely(federation).await,
            Self::Hourly => hourly(federation).await,
        }
    }
}

/// Mutes end when they said they would. Writes only when one does, or when the clock was set back.
async fn secondly(federation: &Federation) -> app::Result<()> {
    let db = &federation.app.db;
    db.watch_clock().await?;
    db.count_what_grew().await?;
    if !follows::some_mute_ran_out(&mut db.read().await?, federation.app.now()).await? {
        return Ok(());
    }
    let mut tx = db.write().await?;
    for account in follows::expire_mutes(&mut tx).await? {
        tx.emit(Event::RelationsChanged { account });
    }
    tx.commit().await?;
    Ok(())
}

/// Also called by tests, which move the clock instead of waiting.
///
/// # Errors
/// When the database refuses.
pub async fn minutely(federation: &Federation) -> app::Result<()> {
    crate::telemetry::tell_left_out();
    secondly(federation).await?;
    federation.app.db.end_leases_of_the_dead(false).await?;
    app::attachments::clean::clean(&federation.app).await
}

/// Also called by tests, which move the clock instead of waiting.
///
/// # Errors
/// When the database refuses.
pub async fn hourly(federation: &Federation) -> app::Result<()> {
    let app = &federation.app;
    let now = app.now();
    let mut tx = app.db.write().await?;
    homes::trim(&mut tx).await?;
    inbox_items::forget_before(&mut tx, now.minus(REMEMBER_ACTIVITIES)).await?;
    storage::taken_back::forget_before(&mut tx, now.minus(REMEMBER_TAKEN_BACK)).await?;
    storage::idempotency_keys::forget(&mut tx, now.minus(Duration::from_secs(24 * 60 * 60))).await?;
    oauth::purge_tokens(&mut tx, now.minus(REMEMBER_TOKENS)).await?;
    oauth::purge_codes(&mut tx).await?;
    sessions::purge(&mut tx).await?;
    sessions::shorten(&mut tx, app::sessions::start::LIFETIME).await?;
    member_addresses::purge(&mut tx, now.minus(app::accounts::familiar::KEPT)).await?;
    former_readers::forget(&mut tx, now.minus(REMEMBER_READERS)).await?;
    tx.commit().await?;
    app.db.forget_deleted().await?;
    let dropped = federation.give_up_old_deliveries().await?;
    if dropped > 0 {
        tracing::info!(dropped, "deliveries that nobody took for a week were dropped");
    }
    Ok(())
}
