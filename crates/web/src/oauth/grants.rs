//! Scopes in words, for the person who is asked.

use domain::scope::Scopes;

/// What an app that holds these may do, broadest first, each said once.
#[must_use]
pub fn in_words(scopes: &Scopes) -> Vec<&'static str> {
    const WORDS: [(&[&str], &str); 11] = [
        (&["read"], "Read everything you can see here, your private messages included"),
        (&["write"], "Post, answer, send private messages and change your profile in your name"),
        (&["read:statuses", "read:search"], "Read what you can see here, your private messages included"),
        (&["read:notifications"], "Read your notifications"),
        (&["read:accounts", "profile"], "See who you are, and people's profiles"),
        (
            &["write:statuses", "write:media", "write:conversations"],
            "Post, answer and send private messages in your name",
        ),
        (&["write:accounts"], "Change your profile and your preferences"),
        (&["follow", "write:follows", "write:blocks", "write:mutes"], "Follow, mute and block people for you"),
        (&["read:follows", "read:blocks", "read:mutes"], "See whom you follow, mute and block"),
        (
            &[
                "read:bookmarks",
                "read:favourites",
                "read:lists",
                "read:filters",
                "write:bookmarks",
                "write:favourites",
                "write:lists",
                "write:filters",
                "write:notifications",
                "write:reports",
            ],
            "Look after your bookmarks, favourites, lists and filters",
        ),
        (&["push"], "Send notifications to your device"),
    ];
    let has = |name: &str| scopes.iter().any(|s| s == name);
    let broad = |name: &str| name.split_once(':').is_some_and(|(broad, _)| scopes.iter().any(|s| s == broad));
    WORDS
        .iter()
        .filter(|(names, _)| names.iter().any(|name| has(name) && !broad(name)))
        .map(|(_, words)| *words)
        .collect()
}

/// What it may do with the rights of those who look after the community: never said among the rest.
#[must_use]
pub fn for_staff(scopes: &Scopes) -> Vec<&'static str> {
    let words = [
        ("admin:read", "See what only you who look after this place see: members' e-mail addresses, reports, blocks"),
        ("admin:write", "Look after this place as you: close members' accounts, take posts down, block other places"),
    ];
    let has = |name: &str| scopes.iter().any(|s| s.starts_with(name));
    words.into_iter().filter(|(name, _)| has(name)).map(|(_, words)| words).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_is_said_in_words_and_none_twice() {
        for scope in Scopes::all() {
            let scopes = Scopes::parse(&scope).unwrap();
            assert_eq!(in_words(&scopes).len() + for_staff(&scopes).len(), 1, "{scope}");
            assert_eq!(for_staff(&scopes).len(), usize::from(scope.starts_with("admin")), "{scope}");
        }
        let broad = in_words(&Scopes::parse("read read:statuses write follow push").unwrap());
        assert_eq!(broad.len(), 4, "{broad:?}");
        assert_eq!(for_staff(&Scopes::parse("admin:read:reports admin:write:accounts admin:write").unwrap()).len(), 2);
    }
}
