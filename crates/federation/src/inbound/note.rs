//! From a note as it came to a post as `app` takes it: known accounts instead of addresses.

use app::peers::emojis::{self, Described};
use app::posts::receive::Received;
use domain::account::Account;
use domain::attachment::Attachment;
use domain::text::Tag;
use domain::urls::page_of;
use domain::{AccountId, AttachmentId, Host, Urls};
use storage::{accounts, incoming};

use crate::Federation;
use crate::client::Budget;
use crate::resolve::ResolveError;
use crate::wire::note::PUBLIC;
use crate::wire::read::note::ReceivedAttachment;
use crate::wire::read::{ReceivedEmoji, ReceivedNote};

/// Named accounts that are fetched because nobody here knew them, at most, and only for a post that matters here.
const UNKNOWN_MENTIONS: usize = 5;

/// Looks up whom the post addresses and makes it ready to be written. Fetches mentioned accounts that are not known
/// only where the post concerns somebody here.
///
/// # Errors
/// See [`ResolveError`].
pub(crate) async fn received(
    fed: &Federation,
    author: &Account,
    mut note: ReceivedNote,
    budget: &Budget,
) -> Result<Received, ResolveError> {
    own_ids(&fed.app.urls, &mut note);
    if let Some(domain) = &author.domain {
        keep_emojis(fed, domain, &note.emojis).await?;
    }
    let visibility = note.visibility(author.followers_url.as_deref());
    let mentions = mentions(fed, author, &note, budget).await?;
    let tags = note.hashtags.iter().filter_map(|name| Tag::new(name)).map(|tag| (tag.key, tag.name)).collect();
    let now = fed.app.now();
    let published = note.published.unwrap_or(now);
    Ok(Received {
        url: page_of(note.url, &note.id, author.domain.as_ref()),
        uri: note.id,
        content: note.content,
        spoiler_text: note.spoiler_text,
        sensitive: note.sensitive,
        language: note.language,
        visibility,
        in_reply_to_uri: note.in_reply_to,
        published,
        edited: note.updated.filter(|at| *at > published),
        mentions,
        tags,
        attachments: note.attachments.into_iter().map(|media| attachment(media, author.id, now)).collect(),
    })
}

/// Some name what is ours by its page, or write its address in their own way.
fn own_ids(urls: &Urls, note: &mut ReceivedNote) {
    let addressed = note.to.iter_mut().chain(&mut note.cc).chain(&mut note.in_reply_to);
    for address in addressed.chain(note.mentions.iter_mut().map(|mention| &mut mention.href)) {
        if let Some(id) = urls.own_id(address) {
            *address = id;
        }
    }
}

/// Who is addressed; `true` = without being named. Whoever is only named is not addressed: no access, no
/// notification.
async fn mentions(
    fed: &Federation,
    author: &Account,
    note: &ReceivedNote,
    budget: &Budget,
) -> Result<Vec<(AccountId, bool)>, ResolveError> {
    let urls = &fed.app.urls;
    let named: Vec<String> = note.mentions.iter().map(|m| m.href.clone()).collect();
    // Everybody, and the author's followers, are no accounts.
    let everybody = |uri: &str| uri == PUBLIC || (author.followers_url.as_deref() == Some(uri) && !urls.is_ours(uri));
    let all = note.to.iter().chain(&note.cc).chain(&named);
    let mut uris: Vec<String> = all.filter(|uri| !everybody(uri) && **uri != author.uri).cloned().collect();
    if uris.is_empty() {
        return Ok(Vec::new());
    }
    uris.sort();
    uris.dedup();
    let mut conn = fed.app.db.read().await?;
    let mut found = accounts::by_uris(&mut conn, &uris).await?;
    let unknown: Vec<&String> = named
        .iter()
        .filter(|uri| note.addresses(uri) && !urls.is_ours(uri) && !found.iter().any(|a| a.uri == **uri))
        .take(UNKNOWN_MENTIONS)
        .collect();
    if !unknown.is_empty() {
        let known: Vec<(AccountId, bool)> = found.iter().map(|a| (a.id, false)).collect();
        let concerns = incoming::concerns_us(&mut conn, author.id, &known).await?;
        drop(conn);
        if concerns {
            for uri in unknown {
                // One that cannot be found is not named, which hurts nobody.
                found.extend(fed.resolve_actor(uri, budget).await.ok());
            }
        }
    }
    Ok(found
        .into_iter()
        .filter(|account| account.id != author.id)
        .filter_map(|account| note.addresses(&account.uri).then(|| (account.id, !named.contains(&account.uri))))
        .collect())
}

/// Keeps the emojis that a document brings along.
///
/// # Errors
/// When the database refuses.
pub(crate) async fn keep_emojis(fed: &Federation, domain: &Host, found: &[ReceivedEmoji]) -> Result<(), ResolveError> {
    let described: Vec<Described> = found
        .iter()
        .map(|e| Described { shortcode: e.shortcode.clone(), uri: e.uri.clone(), image_url: e.image_url.clone() })
        .collect();
    Ok(emojis::receive(&fed.app, domain, &described).await?)
}

fn attachment(media: ReceivedAttachment, account_id: AccountId, now: domain::Timestamp) -> Attachment {
    Attachment {
        // `app` gives the real one.
        id: AttachmentId(0),
        account_id,
        post_id: None,
        kind: media.kind,
        mime: media.mime,
        key: None,
        preview_key: None,
        remote_url: Some(media.url),
        description: media.description,
        blurhash: media.blurhash,
        focus: media.focus,
        width: media.width,
        height: media.height,
        preview_width: None,
        preview_height: None,
        size: None,
        created_at: now,
    }
}
