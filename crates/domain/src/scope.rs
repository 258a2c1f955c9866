//! OAuth scopes, as Mastodon names them: `read`, `write`, `follow`, `push`, `profile` and their parts such as
//! `read:statuses`. A broad scope holds its parts; `follow` holds the relationship parts.

use std::fmt;

use crate::account::Role;

/// A set of granted or requested scopes, kept in the order they were named.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scopes(Vec<String>);

const PARTS_READ: &[&str] = &[
    "accounts",
    "blocks",
    "bookmarks",
    "favourites",
    "filters",
    "follows",
    "lists",
    "mutes",
    "notifications",
    "search",
    "statuses",
];
const PARTS_WRITE: &[&str] = &[
    "accounts",
    "blocks",
    "bookmarks",
    "conversations",
    "favourites",
    "filters",
    "follows",
    "lists",
    "media",
    "mutes",
    "notifications",
    "reports",
    "statuses",
];
/// What looking after a community is made of, under `admin:read` and `admin:write`.
const PARTS_ADMIN: &[&str] = &[
    "accounts",
    "canonical_email_blocks",
    "domain_allows",
    "domain_blocks",
    "email_domain_blocks",
    "ip_blocks",
    "reports",
];
/// What `follow` (deprecated, still asked for by most apps) stands for.
const FOLLOW: &[&str] = &["read:blocks", "write:blocks", "read:follows", "write:follows", "read:mutes", "write:mutes"];

impl Scopes {
    /// Reads a space-separated list.
    ///
    /// # Errors
    /// Gives back the first scope that is not known.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut all: Vec<String> = Vec::new();
        for word in text.split([' ', '+']).filter(|w| !w.is_empty()) {
            if !Self::known(word) {
                return Err(word.to_owned());
            }
            if !all.iter().any(|s| s == word) {
                all.push(word.to_owned());
            }
        }
        Ok(Self(all))
    }

    /// As [`Scopes::parse`], of what was stored: what is no scope any more is dropped, and allows nothing.
    #[must_use]
    pub fn stored(text: &str) -> Self {
        Self(text.split(' ').filter(|word| Self::known(word)).map(str::to_owned).collect())
    }

    /// The name of every scope there is.
    #[must_use]
    pub fn all() -> Vec<String> {
        let broad = ["read", "write", "follow", "push", "profile", "admin:read", "admin:write"];
        let read = PARTS_READ.iter().map(|part| format!("read:{part}"));
        let write = PARTS_WRITE.iter().map(|part| format!("write:{part}"));
        broad.into_iter().map(str::to_owned).chain(read).chain(write).collect()
    }

    fn known(word: &str) -> bool {
        match word.split_once(':') {
            None => matches!(word, "read" | "write" | "follow" | "push" | "profile"),
            Some(("read", part)) => PARTS_READ.contains(&part),
            Some(("write", part)) => PARTS_WRITE.contains(&part),
            // Asked for by apps that also offer moderation; granted to nobody but those who moderate.
            Some(("admin", part)) => {
                let (broad, part) = part.split_once(':').map_or((part, None), |(broad, part)| (broad, Some(part)));
                matches!(broad, "read" | "write") && part.is_none_or(|part| PARTS_ADMIN.contains(&part))
            }
            Some(_) => false,
        }
    }

    /// Does holding these scopes allow what `needed` (one scope) asks for?
    #[must_use]
    pub fn allows(&self, needed: &str) -> bool {
        self.0.iter().any(|have| {
            have == needed
                || needed.strip_prefix(have.as_str()).is_some_and(|part| part.starts_with(':'))
                || (have == "follow" && FOLLOW.contains(&needed))
                || (needed == "profile" && (have == "read" || have == "read:accounts"))
        })
    }

    /// Is every one of `other` within these?
    #[must_use]
    pub fn contains_all(&self, other: &Self) -> bool {
        other.0.iter().all(|s| self.allows(s))
    }

    /// Those of them that `other` holds.
    #[must_use]
    pub fn within(&self, other: &Self) -> Self {
        Self(self.0.iter().filter(|scope| other.allows(scope)).cloned().collect())
    }

    /// Those of them that whoever has this role may use: `admin:` scopes are for moderators and above, and for no app
    /// that stands for nobody (`None`). Asked when scopes are granted and again when they are used.
    #[must_use]
    pub fn usable_by(&self, role: Option<Role>) -> Self {
        let staff = role.is_some_and(|role| role >= Role::Moderator);
        Self(self.0.iter().filter(|scope| staff || !is_admin(scope)).cloned().collect())
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

fn is_admin(scope: &str) -> bool {
    scope == "admin" || scope.starts_with("admin:")
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broad_scope_holds_its_parts_and_not_the_other_way() {
        let read = Scopes::parse("read").unwrap();
        assert!(read.allows("read:statuses"));
        assert!(!read.allows("write:statuses"));
        let part = Scopes::parse("read:statuses").unwrap();
        assert!(!part.allows("read"));
        assert!(!part.allows("read:accounts"));
        let follow = Scopes::parse("follow").unwrap();
        assert!(follow.allows("write:follows") && follow.allows("read:mutes") && !follow.allows("write:statuses"));
        assert_eq!(Scopes::parse("read everything"), Err("everything".to_owned()));
    }

    #[test]
    fn scopes_are_read_each_once_and_written_as_they_were_named() {
        let scopes = Scopes::parse("  write:media read+read push  write:media profile").unwrap();
        assert_eq!(scopes.to_string(), "write:media read push profile");
        assert_eq!(scopes.iter().collect::<Vec<_>>(), ["write:media", "read", "push", "profile"]);
        assert!(!scopes.is_empty());
        assert!(Scopes::parse("").unwrap().is_empty() && Scopes::default().is_empty());
        for name in Scopes::all() {
            assert_eq!(Scopes::parse(&name).map(|scopes| scopes.to_string()), Ok(name));
        }
        assert_eq!(Scopes::all().len(), 7 + PARTS_READ.len() + PARTS_WRITE.len());
        assert!(Scopes::parse("admin:read:accounts admin:write").is_ok());
        for unknown in
            ["read:media", "write:search", "admin", "admin:", "admin:all", "push:x", "profile:x", "x:read", "Read"]
        {
            assert_eq!(Scopes::parse(unknown), Err(unknown.to_owned()));
        }
    }

    /// One scope alone holds itself, its parts, and what Mastodon says beside.
    #[test]
    fn a_scope_holds_what_it_says_and_nothing_else() {
        for have in Scopes::all() {
            let holder = Scopes::parse(&have).unwrap();
            for needed in Scopes::all() {
                let part = needed.starts_with(&format!("{have}:"));
                let follow = have == "follow"
                    && ["blocks", "follows", "mutes"].iter().any(|part| needed.ends_with(&format!(":{part}")));
                let profile = needed == "profile" && (have == "read" || have == "read:accounts");
                assert_eq!(holder.allows(&needed), have == needed || part || follow || profile, "{have} for {needed}");
            }
        }
        let scopes = |text| Scopes::parse(text).unwrap();
        assert!(scopes("read write").contains_all(&scopes("write:media read:lists")));
        assert!(!scopes("read").contains_all(&scopes("read:lists write:lists")));
        assert!(scopes("read").contains_all(&Scopes::default()));
    }

    #[test]
    fn what_moderators_may_is_theirs_alone() {
        for wrong in ["admin", "admin:", "admin:read:", "admin:read:everything", "admin:write:accounts:x"] {
            assert_eq!(Scopes::parse(wrong), Err(wrong.to_owned()));
        }
        let asked = Scopes::parse("read admin:read admin:write:accounts").unwrap();
        for (role, kept) in [
            (None, "read"),
            (Some(Role::Member), "read"),
            (Some(Role::Moderator), "read admin:read admin:write:accounts"),
        ] {
            assert_eq!(asked.usable_by(role).to_string(), kept, "{role:?}");
        }
        assert!(asked.allows("admin:read:accounts") && !asked.allows("admin:write"));
        assert!(!Scopes::parse("read write").unwrap().allows("admin:read"));
    }

    #[test]
    fn nothing_is_within_scopes_that_do_not_hold_it() {
        let registered = Scopes::parse("read write:statuses follow admin:read").unwrap();
        let asked = Scopes::parse("read:lists write follow admin:read:reports admin:write push").unwrap();
        assert_eq!(asked.within(&registered).to_string(), "read:lists follow admin:read:reports");
    }

    #[test]
    fn what_is_no_scope_any_more_allows_nothing() {
        assert_eq!(Scopes::stored("read admin:read:everything").to_string(), "read");
        assert!(Scopes::stored("").is_empty());
    }
}
