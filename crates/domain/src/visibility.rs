//! Who may see what. The rule lives here once; `storage::visible` says the same in SQL for lists, and a
//! test holds the two together.

use serde::{Deserialize, Serialize};

use crate::id::AccountId;

/// The audience of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Anyone, and listed in public timelines.
    #[default]
    Public,
    /// Anyone who comes across it, but in no public timeline.
    Unlisted,
    /// The author's followers and whoever is mentioned. The client API's name for it is `private`.
    Followers,
    /// Whoever is mentioned, nobody else.
    Direct,
}

impl Visibility {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Unlisted => "unlisted",
            Self::Followers => "followers",
            Self::Direct => "direct",
        }
    }

    /// Reads what [`Visibility::as_str`] wrote. `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "public" => Self::Public,
            "unlisted" => Self::Unlisted,
            "followers" => Self::Followers,
            "direct" => Self::Direct,
            _ => return None,
        })
    }

    /// Visible to anyone, signed in or not.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Public | Self::Unlisted)
    }

    /// From the widest audience (0) to the narrowest (3). A boost is never wider than its post; a reply may be wider than
    /// what it answers, if its author says so.
    #[must_use]
    pub fn narrowness(self) -> u8 {
        match self {
            Self::Public => 0,
            Self::Unlisted => 1,
            Self::Followers => 2,
            Self::Direct => 3,
        }
    }

    /// The narrower of the two audiences.
    #[must_use]
    pub fn narrower(self, other: Self) -> Self {
        if self.narrowness() >= other.narrowness() { self } else { other }
    }
}

/// Who is looking. Every read of posts and accounts asks for one, so no list can forget it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Viewer {
    /// Nobody we know: a browser without a session, an unsigned fetch.
    Anonymous,
    /// A local member, or a remote account in whose name a signed fetch came.
    Account(AccountId),
}

impl Viewer {
    #[must_use]
    pub fn account(self) -> Option<AccountId> {
        match self {
            Self::Anonymous => None,
            Self::Account(id) => Some(id),
        }
    }

    /// The account's id for SQL, where 0 stands for nobody (no account has id 0).
    #[must_use]
    pub fn raw(self) -> i64 {
        self.account().map_or(0, i64::from)
    }
}

/// What is known about a post and a viewer when access is decided.
#[derive(Debug, Clone, Copy)]
pub struct Access {
    pub visibility: Visibility,
    pub author: AccountId,
    /// The viewer is addressed by the post.
    pub addressed: bool,
    /// The viewer follows the author, accepted.
    pub follows_author: bool,
    /// The author blocks the viewer.
    pub blocked_by_author: bool,
    /// The author is suspended here, gone, or hidden: she waits to be let in, or her account was closed.
    pub author_suspended: bool,
}

impl Access {
    /// May this viewer see the post? Blocking ends access even to what she was addressed by.
    #[must_use]
    pub fn allows(&self, viewer: Viewer) -> bool {
        if self.author_suspended {
            return false;
        }
        let Viewer::Account(me) = viewer else { return self.visibility.is_open() };
        if me == self.author {
            return true;
        }
        if self.blocked_by_author {
            return false;
        }
        match self.visibility {
            Visibility::Public | Visibility::Unlisted => true,
            Visibility::Followers => self.follows_author || self.addressed,
            Visibility::Direct => self.addressed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUTHOR: AccountId = AccountId(1);
    const OTHER: Viewer = Viewer::Account(AccountId(2));

    fn access(visibility: Visibility) -> Access {
        Access {
            visibility,
            author: AUTHOR,
            addressed: false,
            follows_author: false,
            blocked_by_author: false,
            author_suspended: false,
        }
    }

    #[test]
    fn a_stranger_sees_only_open_posts() {
        use Visibility::{Direct, Followers, Public, Unlisted};
        for viewer in [Viewer::Anonymous, OTHER] {
            assert!(access(Public).allows(viewer));
            assert!(access(Unlisted).allows(viewer));
            assert!(!access(Followers).allows(viewer));
            assert!(!access(Direct).allows(viewer));
        }
    }

    #[test]
    fn following_opens_followers_posts_but_not_direct_ones() {
        let follower = Access { follows_author: true, ..access(Visibility::Followers) };
        assert!(follower.allows(OTHER));
        assert!(!Access { visibility: Visibility::Direct, ..follower }.allows(OTHER));
    }

    #[test]
    fn being_addressed_opens_direct_posts_and_blocking_closes_everything() {
        let addressed = Access { addressed: true, ..access(Visibility::Direct) };
        assert!(addressed.allows(OTHER));
        for visibility in [Visibility::Public, Visibility::Followers, Visibility::Direct] {
            let blocked =
                Access { blocked_by_author: true, follows_author: true, addressed: true, ..access(visibility) };
            assert!(!blocked.allows(OTHER));
            assert!(blocked.allows(Viewer::Account(AUTHOR)));
        }
    }

    /// Every case there is, by the reasons for which somebody may see a post.
    #[test]
    fn a_post_is_seen_for_a_reason_and_unless_something_forbids_it() {
        const ALL: [Visibility; 4] =
            [Visibility::Public, Visibility::Unlisted, Visibility::Followers, Visibility::Direct];
        for (case, visibility) in (0..16).flat_map(|case| ALL.map(|visibility| (case, visibility))) {
            let flag = |bit: u8| case & (1 << bit) != 0;
            let case = Access {
                addressed: flag(0),
                follows_author: flag(1),
                blocked_by_author: flag(2),
                author_suspended: flag(3),
                ..access(visibility)
            };
            let open = visibility == Visibility::Public || visibility == Visibility::Unlisted;
            let reasons = [open, visibility != Visibility::Direct && case.follows_author, case.addressed];
            let seen = reasons.contains(&true) && !case.blocked_by_author && !case.author_suspended;
            assert_eq!(case.allows(OTHER), seen, "{case:?}");
            assert_eq!(case.allows(Viewer::Anonymous), open && !case.author_suspended, "{case:?}");
            assert_eq!(case.allows(Viewer::Account(AUTHOR)), !case.author_suspended, "{case:?}");
        }
    }

    #[test]
    fn audiences_are_written_and_read_back_and_ordered() {
        let all = [Visibility::Public, Visibility::Unlisted, Visibility::Followers, Visibility::Direct];
        assert_eq!(all.map(Visibility::as_str), ["public", "unlisted", "followers", "direct"]);
        assert_eq!(all.map(Visibility::narrowness), [0, 1, 2, 3]);
        assert_eq!(all.map(Visibility::is_open), [true, true, false, false]);
        for one in all {
            assert_eq!(Visibility::parse(one.as_str()), Some(one));
            for other in all {
                assert_eq!(one.narrower(other).narrowness(), one.narrowness().max(other.narrowness()));
            }
        }
        assert_eq!(["private", "Public", ""].map(Visibility::parse), [None; 3]);
    }

    #[test]
    fn a_viewer_without_an_account_is_nobody() {
        assert_eq!((Viewer::Anonymous.account(), Viewer::Anonymous.raw()), (None, 0));
        assert_eq!((OTHER.account(), OTHER.raw()), (Some(AccountId(2)), 2));
    }

    #[test]
    fn the_narrower_audience_wins() {
        assert_eq!(Visibility::Public.narrower(Visibility::Followers), Visibility::Followers);
        assert_eq!(Visibility::Direct.narrower(Visibility::Unlisted), Visibility::Direct);
    }
}
