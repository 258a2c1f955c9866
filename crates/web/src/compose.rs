//! Writing a post, shared by the client API and the pages: people it names who are not known here are looked up on
//! their servers first, then it is published.

use app::posts::edit;
use app::posts::publish::{self, Draft};
use domain::PostId;
use domain::account::{Account, Handle};
use federation::client::Asker;
use futures_util::future::join_all;

use crate::resolve;
use crate::state::Web;

/// Unknown people looked up for one post.
const MAX_LOOKUPS: usize = 10;

/// # Errors
/// As [`publish::publish`].
pub async fn publish(web: &Web, author: &Account, draft: Draft) -> app::Result<PostId> {
    let mut draft = draft.settled();
    meet(web, author, &draft.text).await?;
    guess_language(&mut draft);
    publish::publish(&web.app, author, draft).await
}

/// # Errors
/// As [`edit::edit`].
pub async fn edit(web: &Web, author: &Account, id: PostId, draft: Draft) -> app::Result<()> {
    let draft = draft.settled();
    meet(web, author, &draft.text).await?;
    edit::edit(&web.app, author, id, draft).await
}

/// Makes those whom the text names known here. Who cannot be reached stays plain text.
async fn meet(web: &Web, author: &Account, text: &str) -> app::Result<()> {
    let named = domain::text::scan(text, &web.app.urls).mentions;
    let mut unknown: Vec<Handle> = Vec::new();
    if named.iter().any(|h| h.domain.is_some()) {
        let mut conn = web.app.db.read().await?;
        for handle in named {
            if handle.domain.is_some()
                && storage::accounts::by_handle(&mut conn, &handle.username, handle.domain.as_ref()).await?.is_none()
            {
                unknown.push(handle);
            }
        }
    }
    let lookups = unknown.iter().take(MAX_LOOKUPS).map(|handle| async move {
        if let Err(error) = resolve::account(web, handle, Some(Asker::Member(author.id))).await {
            tracing::debug!(%error, "somebody named in a post could not be looked up");
        }
    });
    join_all(lookups).await;
    Ok(())
}

/// Where neither the app nor she says which language it is, the text tells, if it is long enough to be sure.
fn guess_language(draft: &mut Draft) {
    if draft.language.is_none()
        && let Some(info) = whatlang::detect(&draft.text)
        && info.is_reliable()
    {
        draft.language = two_letters(info.lang()).map(str::to_owned);
    }
}

/// ISO 639-1, as the client API and `contentMap` name languages.
fn two_letters(lang: whatlang::Lang) -> Option<&'static str> {
    use whatlang::Lang;
    Some(match lang {
        Lang::Eng => "en",
        Lang::Spa => "es",
        Lang::Por => "pt",
        Lang::Fra => "fr",
        Lang::Deu => "de",
        Lang::Ita => "it",
        Lang::Nld => "nl",
        Lang::Pol => "pl",
        Lang::Rus => "ru",
        Lang::Ukr => "uk",
        Lang::Tur => "tr",
        Lang::Swe => "sv",
        Lang::Dan => "da",
        Lang::Nob => "no",
        Lang::Fin => "fi",
        Lang::Ces => "cs",
        Lang::Ell => "el",
        Lang::Hun => "hu",
        Lang::Ron => "ro",
        Lang::Cat => "ca",
        Lang::Jpn => "ja",
        Lang::Kor => "ko",
        Lang::Cmn => "zh",
        Lang::Vie => "vi",
        Lang::Ind => "id",
        Lang::Ara => "ar",
        Lang::Heb => "he",
        Lang::Hin => "hi",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guessed(text: &str) -> Option<String> {
        let mut draft = Draft { text: text.to_owned(), ..Draft::default() };
        guess_language(&mut draft);
        draft.language
    }

    #[test]
    fn a_language_is_guessed_only_when_it_is_sure() {
        let spanish = "Hoy fuimos al parque con los niños y después tomamos un café con las otras madres del barrio.";
        assert_eq!(guessed(spanish).as_deref(), Some("es"));
        assert_eq!(guessed("ok"), None);
    }
}
