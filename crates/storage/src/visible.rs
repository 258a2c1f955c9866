//! The one visibility rule in SQL: `domain::visibility::Access::allows`, for lists. A test holds the two together.
//!
//! Each asks for single rows by an index. `LIMIT 1 OFFSET 0` keeps PostgreSQL to that: else it joins, and reads all
//! that the viewer has blocked or follows for a page of posts.
//!
//! The fragments expect the viewer's account id as `$1`, 0 for nobody, and the alias of `posts` as a literal; where
//! the author's row is joined already, its alias too. `to` names the viewer otherwise, for a set of them at once.

/// Somebody others may see at all: neither deleted nor hidden (`hidden` is [`crate::members`]'s to write). The one
/// place that says so; suspended accounts are found, and whoever shows them says that they are suspended.
macro_rules! shown {
    ($a:literal) => {
        concat!($a, ".deleted_at IS NULL AND NOT ", $a, ".hidden")
    };
}

/// [`shown`], and not suspended: who stands in lists of people, and whose posts are shown.
macro_rules! listed {
    ($a:literal) => {
        concat!($a, ".suspended_at IS NULL AND ", $crate::visible::shown!($a))
    };
}

/// The viewer may see the post.
macro_rules! visible {
    ($p:literal) => {
        $crate::visible::visible!($p to "$1")
    };
    ($p:literal to $viewer:literal) => {
        concat!(
            "(NOT EXISTS (SELECT 1 FROM accounts va WHERE va.id = ",
            $p,
            ".account_id AND (va.suspended_at IS NOT NULL OR va.hidden) LIMIT 1 OFFSET 0) AND ",
            $crate::visible::addressed!($p to $viewer),
            ")"
        )
    };
    ($p:literal by $a:literal) => {
        concat!("(", $crate::visible::listed!($a), " AND ", $crate::visible::addressed!($p), ")")
    };
}

/// The post is meant for the viewer too, as far as the post and its author are concerned.
macro_rules! addressed {
    ($p:literal) => {
        $crate::visible::addressed!($p to "$1")
    };
    ($p:literal to $viewer:literal) => {
        concat!(
            "(",
            $p,
            ".deleted_at IS NULL AND ",
            $crate::visible::meant!($p to $viewer),
            ")"
        )
    };
}

/// As [`addressed`], of a tombstone too: for whom its post was.
macro_rules! meant {
    ($p:literal to $viewer:literal) => {
        concat!(
            "(",
            $p,
            ".account_id = ",
            $viewer,
            " OR (
                NOT EXISTS (SELECT 1 FROM blocks vb WHERE vb.account_id = ",
            $p,
            ".account_id AND vb.target_id = ",
            $viewer,
            " LIMIT 1 OFFSET 0)
                AND (",
            $p,
            ".visibility IN ('public', 'unlisted')
                  OR EXISTS (SELECT 1 FROM mentions vm WHERE vm.post_id = ",
            $p,
            ".id AND vm.account_id = ",
            $viewer,
            " LIMIT 1 OFFSET 0)
                  OR (",
            $p,
            ".visibility = 'followers' AND EXISTS (
                    SELECT 1 FROM follows vf WHERE vf.account_id = ",
            $viewer,
            " AND vf.target_id = ",
            $p,
            ".account_id LIMIT 1 OFFSET 0)))))"
        )
    };
}

/// The time of the first version of a post that is meant for the viewer, who may see the post: what it said to others
/// before an edit addressed her is not.
macro_rules! since {
    ($p:literal) => {
        concat!(
            "(CASE WHEN ",
            $p,
            ".account_id = $1 OR ",
            $p,
            ".visibility IN ('public', 'unlisted')
                OR (",
            $p,
            ".visibility = 'followers' AND EXISTS (
                  SELECT 1 FROM follows sf WHERE sf.account_id = $1 AND sf.target_id = ",
            $p,
            ".account_id LIMIT 1 OFFSET 0))
              THEN 0
              ELSE coalesce((SELECT sm.since FROM mentions sm WHERE sm.post_id = ",
            $p,
            ".id AND sm.account_id = $1), 0) END)"
        )
    };
}

/// The viewer wants to see the author, whose row is joined, in timelines: neither muted nor blocked, her or her whole
/// community. (A mute that has run out is removed within a second by the schedule: what was made from it, such as whom a
/// stream leaves out, ends with it, which no comparison here could do.)
macro_rules! wanted {
    ($a:literal) => {
        $crate::visible::wanted!($a to "$1")
    };
    ($a:literal to $viewer:literal) => {
        concat!(
            "(NOT EXISTS (SELECT 1 FROM mutes wm WHERE wm.account_id = ",
            $viewer,
            " AND wm.target_id = ",
            $a,
            ".id LIMIT 1 OFFSET 0)
              AND NOT EXISTS (SELECT 1 FROM blocks wb WHERE wb.account_id = ",
            $viewer,
            " AND wb.target_id = ",
            $a,
            ".id LIMIT 1 OFFSET 0)
              AND NOT EXISTS (SELECT 1 FROM account_domain_blocks wd WHERE wd.account_id = ",
            $viewer,
            " AND wd.domain = ",
            $a,
            ".domain LIMIT 1 OFFSET 0))"
        )
    };
}

/// What a boost shows may be seen by the viewer, and its author is wanted; any other post passes. With [`visible`], this
/// is what every timeline, list, profile and stream asks, before it counts how many entries a page holds: `hydrate`
/// would leave the boost out as well, but of a page that is full.
macro_rules! boosted {
    ($p:literal) => {
        concat!(
            "(",
            $p,
            ".boost_of_id IS NULL OR EXISTS (
                SELECT 1 FROM posts bo JOIN accounts ba ON ba.id = bo.account_id WHERE bo.id = ",
            $p,
            ".boost_of_id AND ",
            $crate::visible::visible!("bo" by "ba"),
            " AND ",
            $crate::visible::wanted!("ba"),
            " LIMIT 1 OFFSET 0))"
        )
    };
}

/// The post answers nobody whom the viewer does not want to see: for timelines that come to the viewer, where an answer
/// without what it answers is a message from someone who was sent away.
macro_rules! answers_wanted {
    ($p:literal) => {
        concat!(
            "NOT EXISTS (SELECT 1 FROM accounts ra WHERE ra.id = ",
            $p,
            ".in_reply_to_account_id AND NOT ",
            $crate::visible::wanted!("ra"),
            " LIMIT 1 OFFSET 0)"
        )
    };
}

/// The row's community is one that is written to: neither it nor one it belongs to is suspended. Says in SQL what
/// `Host::covers` says: the name of the policy as whole labels at the end, whatever the port unless it names one.
macro_rules! written_to {
    ($a:literal) => {
        concat!(
            "NOT EXISTS (SELECT 1 FROM domain_policies dp WHERE dp.severity = 'suspend' AND '.' || ",
            $a,
            ".domain || ':' LIKE '%.' || dp.domain || ':%')"
        )
    };
}

/// A list that pages by `$2` (below), `$3` (above) and `$4` (limit), downward or upward.
macro_rules! paged {
    ($page:expr, $head:expr, $id:literal) => {{
        let page: &domain::page::Page = $page;
        let query = if page.upward() {
            $crate::sql!(concat!($head, " AND ", $id, " < $2 AND ", $id, " > $3 ORDER BY ", $id, " ASC LIMIT $4"))
        } else {
            $crate::sql!(concat!($head, " AND ", $id, " < $2 AND ", $id, " > $3 ORDER BY ", $id, " DESC LIMIT $4"))
        };
        query
    }};
}

pub(crate) use {addressed, answers_wanted, boosted, listed, meant, paged, shown, since, visible, wanted, written_to};
