//! Tells other processes what happened, on PostgreSQL: `NOTIFY` on a connection of its own.
//!
//! In the transaction of the change, it would make every commit wait for every other one, its write to the disk
//! included (PostgreSQL locks the whole database for the order of messages). So messages go out after the commit, many
//! at a time, and whoever committed waits until they have: what was acknowledged was told. A process that dies in
//! between tells nothing; those that see it gone take it that they missed something. Only what ends somebody's rights
//! is told in its transaction ([`ends_rights`]).

use std::collections::HashSet;
use std::time::Duration;

use domain::event::Event;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Executor as _, PgConnection};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

use crate::error::Result;
use crate::hub::CHANNEL;

/// Messages that go out together.
const AT_ONCE: usize = 1000;
/// How long whoever committed waits at most, and how long the database may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Must no other process believe any more what this ends? Then it is told if and only if it came to be.
pub(crate) fn ends_rights(event: &Event) -> bool {
    matches!(event, Event::TokenRevoked { .. } | Event::AccountChanged { .. } | Event::SettingsChanged)
}

/// What is to be told, and who waits until it was.
type Letter = (Vec<String>, oneshot::Sender<()>);

#[derive(Debug)]
pub(crate) struct Teller {
    letters: mpsc::UnboundedSender<Letter>,
}

impl Teller {
    /// Tells for as long as somebody has this.
    pub(crate) fn begin(options: &PgConnectOptions) -> Self {
        let (letters, inbox) = mpsc::unbounded_channel();
        tokio::spawn(tell(options.clone(), inbox));
        Self { letters }
    }

    /// Tells every process, this one too.
    ///
    /// # Errors
    /// When a message cannot be written down.
    pub(crate) async fn tell(&self, events: &[Event]) -> Result<()> {
        let messages = written(events)?;
        let (told, wait) = oneshot::channel();
        if self.letters.send((messages, told)).is_ok() && timeout(PATIENCE, wait).await.is_err() {
            tracing::warn!("other processes could not be told at once of a change");
        }
        Ok(())
    }
}

async fn tell(options: PgConnectOptions, mut inbox: mpsc::UnboundedReceiver<Letter>) {
    let mut conn = None;
    let mut letters = Vec::new();
    while inbox.recv_many(&mut letters, AT_ONCE).await > 0 {
        let messages = each_once(&letters);
        while let Err(error) = send(&mut conn, &options, &messages).await {
            tracing::warn!(%error, "other processes cannot be told what happened; it is tried again");
            conn = None;
            // They may have been told all the same: hearing of it twice does no harm.
            sleep(Duration::from_millis(200)).await;
            if inbox.is_closed() {
                return;
            }
        }
        for (_, told) in letters.drain(..) {
            // Whoever waited may have stopped.
            let _ = told.send(());
        }
    }
}

/// Every message once, where it first stands: the same event from many is one.
fn each_once(letters: &[Letter]) -> Vec<String> {
    let mut seen = HashSet::new();
    letters.iter().flat_map(|(messages, _)| messages).filter(|message| seen.insert(*message)).cloned().collect()
}

async fn send(conn: &mut Option<PgConnection>, options: &PgConnectOptions, messages: &[String]) -> Result<()> {
    if conn.is_none() {
        let mut new = timeout(PATIENCE, options.connect()).await.map_err(|_| silent())??;
        // Nothing is written here that must survive.
        new.execute("SET synchronous_commit = off").await?;
        *conn = Some(new);
    }
    let Some(conn) = conn else { return Err(silent()) };
    timeout(PATIENCE, notify(conn, messages)).await.map_err(|_| silent())?
}

/// Events as messages.
pub(crate) fn written(events: &[Event]) -> Result<Vec<String>> {
    Ok(events.iter().map(serde_json::to_string).collect::<std::result::Result<_, _>>()?)
}

/// Sends messages, in their order.
pub(crate) async fn notify(conn: &mut PgConnection, messages: &[String]) -> Result<()> {
    sqlx::query("SELECT pg_notify($1, m) FROM unnest($2::text[]) WITH ORDINALITY AS n (m, i) ORDER BY i")
        .bind(CHANNEL)
        .bind(messages)
        .execute(conn)
        .await?;
    Ok(())
}

fn silent() -> crate::Error {
    crate::Error::Unavailable("no answer".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_event_from_many_is_one_and_the_rest_keep_their_order() {
        let letter = |messages: &[&str]| (messages.iter().map(|m| (*m).to_owned()).collect(), oneshot::channel().0);
        let letters = [letter(&["post 1", "profile"]), letter(&["profile"]), letter(&["post 2", "profile"])];
        assert_eq!(each_once(&letters), ["post 1", "profile", "post 2"]);
    }
}
