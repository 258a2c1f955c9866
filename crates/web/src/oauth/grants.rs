//! Scopes in words, for the person who is asked; and which of them her role allows.

use domain::account::Role;
use domain::scope::Scopes;

/// What an app that holds these may do, broadest first, each said once.
#[must_use]
pub fn in_words(scopes: &Scopes) -> Vec<&'static str> {
    const WORDS: [(&[&str], &str); 12] = [
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
        (&["admin:read", "admin:write"], "Help you look after the community, with all your rights there"),
    ];
    let has = |name: &str| scopes.iter().any(|s| s == name || (name.starts_with("admin") && s.starts_with(name)));
    let broad = |name: &str| name.split_once(':').is_some_and(|(broad, _)| scopes.iter().any(|s| s == broad));
    WORDS
        .iter()
        .filter(|(names, _)| names.iter().any(|name| has(name) && !broad(name)))
        .map(|(_, words)| *words)
        .collect()
}

/// Nobody grants what she may not do herself: `admin:` scopes are for those who look after the community.
#[must_use]
pub fn without_admin(scopes: Scopes, role: Role) -> Scopes {
    if role >= Role::Moderator {
        return scopes;
    }
    let kept: Vec<&str> = scopes.iter().filter(|s| !s.starts_with("admin")).collect();
    Scopes::parse(&kept.join(" ")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_is_said_in_words_and_none_twice() {
        for scope in Scopes::all() {
            assert_eq!(in_words(&Scopes::parse(&scope).unwrap()).len(), 1, "{scope}");
        }
        let broad = in_words(&Scopes::parse("read read:statuses write follow push").unwrap());
        assert_eq!(broad.len(), 4, "{broad:?}");
    }

    #[test]
    fn only_those_who_moderate_grant_what_moderators_may() {
        let asked = Scopes::parse("read admin:read admin:write:accounts").unwrap();
        assert_eq!(without_admin(asked.clone(), Role::Member).to_string(), "read");
        assert_eq!(without_admin(asked.clone(), Role::Moderator), asked);
    }
}
