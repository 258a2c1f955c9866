//! The one visibility rule in SQL: `domain::visibility::Access::allows`, for lists. A test holds the two together.
//!
//! Both fragments expect the viewer's account id as `$1`, 0 for nobody, and the alias of `posts` as a literal.

/// The viewer may see the post.
macro_rules! visible {
    ($p:literal) => {
        concat!(
            "(",
            $p,
            ".deleted_at IS NULL
              AND NOT EXISTS (SELECT 1 FROM accounts va WHERE va.id = ",
            $p,
            ".account_id AND (va.suspended_at IS NOT NULL OR va.hidden))
              AND (",
            $p,
            ".account_id = $1 OR (
                NOT EXISTS (SELECT 1 FROM blocks vb WHERE vb.account_id = ",
            $p,
            ".account_id AND vb.target_id = $1)
                AND (",
            $p,
            ".visibility IN ('public', 'unlisted')
                  OR EXISTS (SELECT 1 FROM mentions vm WHERE vm.post_id = ",
            $p,
            ".id AND vm.account_id = $1)
                  OR (",
            $p,
            ".visibility = 'followers' AND EXISTS (
                    SELECT 1 FROM follows vf WHERE vf.account_id = $1 AND vf.target_id = ",
            $p,
            ".account_id))))))"
        )
    };
}

/// The viewer wants to see the author in timelines: neither muted nor blocked, her or her whole community.
/// (A mute that has run out is removed within a minute by the schedule.)
macro_rules! wanted {
    ($p:literal) => {
        concat!(
            "(NOT EXISTS (SELECT 1 FROM mutes wm WHERE wm.account_id = $1 AND wm.target_id = ",
            $p,
            ".account_id)
              AND NOT EXISTS (SELECT 1 FROM blocks wb WHERE wb.account_id = $1 AND wb.target_id = ",
            $p,
            ".account_id)
              AND NOT EXISTS (SELECT 1 FROM account_domain_blocks wd JOIN accounts wa ON wa.domain = wd.domain
                WHERE wd.account_id = $1 AND wa.id = ",
            $p,
            ".account_id))"
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

pub(crate) use {paged, visible, wanted};
