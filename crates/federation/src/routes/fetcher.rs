//! Who asks for a document, or for a file that a post shows.
//!
//! What anyone may see is given without looking at the signature, except that communities we do not speak with get
//! nothing. What is not for anyone is given only to a signature that was checked.

use domain::post::Post;
use domain::{AccountId, PostId, Viewer, Visibility};
use http::request::Parts;
use storage::{follows, peers, posts};

use super::{Refused, request_host};
use crate::Federation;
use crate::charges::SentBy;
use crate::keys::{Sender, UnknownSender};
use crate::signature::{Expect, ParsedSignature, parse};

/// The asker, as far as the request tells without being checked.
pub(super) struct Fetcher {
    parsed: Option<ParsedSignature>,
    from: SentBy,
}

impl Fetcher {
    /// Looks at a request.
    ///
    /// # Errors
    /// [`Refused::Suspended`] when it comes, by its own words, from a community that is not connected.
    pub async fn of(fed: &Federation, parts: &Parts) -> Result<Self, Refused> {
        let from = SentBy::of(parts);
        if !parts.headers.contains_key("signature") && !parts.headers.contains_key("authorization") {
            return Ok(Self { parsed: None, from });
        }
        let mut headers = parts.headers.clone();
        request_host(parts, &mut headers);
        let parsed = parse(&Expect {
            method: &parts.method,
            target: parts.uri.path_and_query().map_or("/", |t| t.as_str()),
            headers: &headers,
            domain: fed.app.urls.domain(),
            digest: false,
            now: fed.app.now(),
        })
        .ok();
        if let Some(parsed) = &parsed
            && let Some(host) = domain::Host::of_address(parsed.key_id())
            && fed.is_suspended(&host).await?
        {
            return Err(Refused::Suspended);
        }
        Ok(Self { parsed, from })
    }

    /// The account whose key signed the request, checked now. `None` for whoever is not known for sure.
    async fn sender(&self, fed: &Federation) -> Result<Option<std::sync::Arc<Sender>>, Refused> {
        let Some(parsed) = &self.parsed else { return Ok(None) };
        match fed.sender(parsed, None, self.from).await {
            Ok(sender) if sender.suspended || fed.is_suspended(&sender.domain).await? => Err(Refused::Suspended),
            Ok(sender) => Ok(Some(sender)),
            Err(UnknownSender::Refused) => Err(Refused::Suspended),
            Err(UnknownSender::App(e)) => Err(e.into()),
            Err(why) => {
                tracing::debug!(%why, "a fetch was not signed by anyone we can believe");
                Ok(None)
            }
        }
    }

    /// The answer where there is nothing of that author to read: the same, after the same checks, as in [`Self::viewer`]
    /// for what is not for the asker.
    pub async fn refusal(&self, fed: &Federation, author: AccountId) -> Refused {
        let checks = async {
            let Some(sender) = self.sender(fed).await? else { return Err(Refused::NotFound) };
            let mut conn = fed.app.db.read().await?;
            let nothing = PostId(0);
            posts::get(&mut conn, Viewer::Account(sender.id), nothing).await.ok();
            follows::has_follower_at(&mut conn, author, &sender.domain).await?;
            peers::addresses_domain(&mut conn, nothing, &sender.domain).await?;
            Ok::<_, Refused>(())
        };
        checks.await.err().unwrap_or(Refused::NotFound)
    }

    /// In whose eyes the post is to be read. Servers fetch in the name of an actor of their own: theirs is what
    /// any of their members may see as follower or addressee.
    ///
    /// # Errors
    /// [`Refused::NotFound`] when the asker may not see the post.
    pub async fn viewer(&self, fed: &Federation, post: &Post) -> Result<Viewer, Refused> {
        if post.visibility.is_open() {
            return Ok(Viewer::Anonymous);
        }
        let Some(sender) = self.sender(fed).await? else { return Err(Refused::NotFound) };
        let mut conn = fed.app.db.read().await?;
        let herself = Viewer::Account(sender.id);
        if posts::get(&mut conn, herself, post.id).await.is_ok() {
            return Ok(herself);
        }
        let followed = post.visibility == Visibility::Followers
            && follows::has_follower_at(&mut conn, post.account_id, &sender.domain).await?;
        if followed || peers::addresses_domain(&mut conn, post.id, &sender.domain).await? {
            // The author's own view: she sees all that her post shows.
            return Ok(Viewer::Account(post.account_id));
        }
        Err(Refused::NotFound)
    }
}

impl Federation {
    /// Is a request for a file signed by a community that we do not speak with, by its own words? It gets nothing.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn refuses(&self, parts: &Parts) -> app::Result<bool> {
        match Fetcher::of(self, parts).await {
            Ok(_) => Ok(false),
            Err(Refused::App(error)) => Err(error),
            Err(_) => Ok(true),
        }
    }

    /// Is a request for a file of this post signed by a server that may fetch the post itself? The signature is checked
    /// now.
    ///
    /// # Errors
    /// When the database refuses.
    pub async fn may_fetch(&self, parts: &Parts, post: &Post) -> app::Result<bool> {
        let asked = async { Fetcher::of(self, parts).await?.viewer(self, post).await };
        match asked.await {
            Ok(_) => Ok(true),
            Err(Refused::App(error)) if !matches!(error, app::Error::NotFound) => Err(error),
            Err(_) => Ok(false),
        }
    }
}
