//! A report, to the server of whoever it is about: `Flag`, in the name of this server, so that nobody there learns who
//! reported. Sent by its job, and not by the queue of deliveries: that sends in the names of members.

use bytes::Bytes;
use domain::{ReportId, Visibility};
use storage::{accounts, posts, reports};
use url::Url;

use super::deliver::{Ended, verdict};
use super::distribute::document;
use crate::Federation;
use crate::digest;
use crate::wire::activity;
use crate::wire::context::Context;

impl Federation {
    /// Tells the server of the reported account. A server that is suspended here is told nothing.
    ///
    /// # Errors
    /// When the database refuses, or the server does not answer now: it is tried again then.
    pub async fn forward_report(&self, id: ReportId) -> app::Result<()> {
        let mut conn = self.app.db.read().await?;
        let report = reports::get(&mut conn, id).await?;
        let target = accounts::even_hidden(&mut conn, report.target_id).await?;
        let mut objects = vec![target.uri.clone()];
        for post in &report.posts {
            match posts::unchecked(&mut conn, *post).await {
                Ok(post) if post.visibility != Visibility::Direct => objects.push(post.uri),
                // Of a private message its server would know who could have reported it.
                Ok(_) | Err(storage::Error::NotFound) => {}
                Err(e) => return Err(e.into()),
            }
        }
        drop(conn);
        let Some(url) = self.inbox_of(&target).await?.pop_first().and_then(|inbox| Url::parse(&inbox).ok()) else {
            return Ok(());
        };
        let flag = activity::flag(&self.app.urls, &report.uri, objects, &report.comment, &target.uri);
        let body = Bytes::from(document(Context::Plain, flag)?);
        let digest = digest::header(&body);
        let key = self.instance_key().await?;
        match verdict(self.client.deliver(&url, body, &digest, &key).await) {
            Ended::Delivered => Ok(()),
            Ended::Later { why, .. } => Err(app::Error::Unavailable(why)),
            ended @ (Ended::Refused(_) | Ended::Dropped(_) | Ended::Gone) => {
                tracing::info!(inbox = %url, ?ended, "a report was not taken");
                Ok(())
            }
        }
    }
}
