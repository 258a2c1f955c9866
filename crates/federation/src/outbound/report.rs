//! A report, to the server of whoever it is about: `Flag`, in the name of this server, so that nobody there learns who
//! reported. Sent by its job, and not by the queue of deliveries: that sends in the names of members.

use bytes::Bytes;
use domain::{ReportId, Visibility};
use storage::{accounts, posts, reports};
use url::Url;

use super::distribute::document;
use crate::Federation;
use crate::client::Answer;
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
                // Of a private message its server would know who could have reported it.
                Ok(post) if post.visibility != Visibility::Direct => objects.push(post.uri),
                Ok(_) => {}
                Err(storage::Error::NotFound) => {}
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
        match self.client.deliver(&url, body, &digest, &key).await {
            Ok(Answer { status: 200..=299, .. }) => Ok(()),
            Ok(Answer { status, .. }) if status >= 500 || matches!(status, 401 | 408 | 429) => {
                Err(app::Error::Unavailable(format!("the server of the reported account answered {status}")))
            }
            Err(e) if e.is_temporary() => Err(app::Error::Unavailable(e.to_string())),
            Ok(Answer { status, .. }) => {
                tracing::info!(inbox = %url, status, "a report was refused");
                Ok(())
            }
            Err(error) => {
                tracing::info!(inbox = %url, %error, "a report could not be sent");
                Ok(())
            }
        }
    }
}
