//! Older and newer: the cursors of the pages' lists, in the address.

use domain::PostId;
use domain::page::Page;
use serde::Deserialize;
use storage::hydrate::Found;
use storage::walks::Part;

/// Posts on a page.
const LENGTH: usize = 20;

/// Which part of a list is asked for: `?older=ID` or `?newer=ID`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Cursor {
    older: String,
    newer: String,
}

/// Addresses of the neighbouring parts of a list.
#[derive(Debug, Clone, Default)]
pub struct Pages {
    pub newer: Option<String>,
    pub older: Option<String>,
}

impl Cursor {
    fn older(&self) -> Option<i64> {
        self.older.parse().ok()
    }

    fn newer(&self) -> Option<i64> {
        self.newer.parse().ok()
    }

    /// Is this where the list begins?
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.older().is_none() && self.newer().is_none()
    }

    /// What to ask the database for: one more than is shown, to know whether there is more.
    #[must_use]
    pub fn page(&self) -> Page {
        let limit = i64::try_from(LENGTH + 1).unwrap_or(i64::MAX);
        Page { max_id: self.older(), since_id: None, min_id: self.newer(), limit }
    }

    /// Leaves out the one more of a part of a list, and says where that goes on from `path`.
    #[must_use]
    pub fn cut(&self, path: &str, part: Part) -> (Vec<Found>, Pages) {
        let (found, reached) = part.split();
        self.cut_at(path, found, reached.map(PostId), Found::id)
    }

    fn cut_at<T>(
        &self,
        path: &str,
        mut found: Vec<T>,
        reached: Option<PostId>,
        id: impl Fn(&T) -> PostId,
    ) -> (Vec<T>, Pages) {
        let more = found.len() > LENGTH;
        let upward = self.newer().is_some();
        if more {
            // Upward, the one more is the newest.
            if upward {
                found.remove(0);
            } else {
                found.truncate(LENGTH);
            }
        }
        let newer = if upward { more } else { self.older().is_some() };
        let older = upward || more;
        let mut newer = found.first().filter(|_| newer).map(&id);
        let mut older = found.last().filter(|_| older).map(&id);
        // The look ended before the page was full: it goes on from there.
        if reached.is_some() {
            *(if upward { &mut newer } else { &mut older }) = reached;
        }
        let pages = Pages {
            newer: newer.map(|id| format!("{path}?newer={id}")),
            older: older.map(|id| format!("{path}?older={id}")),
        };
        match found.is_empty() {
            // Past either end: back to where it begins.
            true if !self.is_first() => {
                (found, Pages { newer: pages.newer.or_else(|| Some(path.to_owned())), older: pages.older })
            }
            _ => (found, pages),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(from: i64, count: i64) -> Vec<PostId> {
        (0..count).map(|n| PostId(from - n)).collect()
    }

    #[test]
    fn every_post_is_on_one_page_and_each_page_leads_to_the_next() {
        let first = Cursor::default();
        let (shown, pages) = first.cut_at("/", ids(100, 21), None, |id| *id);
        assert_eq!((shown.len(), pages.newer, pages.older.as_deref()), (20, None, Some("/?older=81")));
        let second = Cursor { older: "81".to_owned(), ..Cursor::default() };
        assert_eq!(second.page().max_id, Some(81));
        let (shown, pages) = second.cut_at("/", ids(80, 5), None, |id| *id);
        assert_eq!((shown.len(), pages.newer.as_deref(), pages.older), (5, Some("/?newer=80"), None));
        let up = Cursor { newer: "80".to_owned(), ..Cursor::default() };
        let (shown, pages) = up.cut_at("/", ids(101, 21), None, |id| *id);
        assert_eq!(shown, ids(100, 20));
        assert_eq!((pages.newer.as_deref(), pages.older.as_deref()), (Some("/?newer=100"), Some("/?older=81")));
    }

    #[test]
    fn where_the_look_ended_it_goes_on() {
        let (first, up) = (Cursor::default(), Cursor { newer: "80".to_owned(), ..Cursor::default() });
        let (shown, pages) = first.cut_at("/", ids(100, 3), Some(PostId(40)), |id| *id);
        assert_eq!((shown.len(), pages.newer, pages.older.as_deref()), (3, None, Some("/?older=40")));
        let (shown, pages) = first.cut_at("/", Vec::new(), Some(PostId(40)), |id: &PostId| *id);
        assert_eq!((shown.len(), pages.newer, pages.older.as_deref()), (0, None, Some("/?older=40")));
        let (_, pages) = up.cut_at("/", ids(90, 2), Some(PostId(120)), |id| *id);
        assert_eq!((pages.newer.as_deref(), pages.older.as_deref()), (Some("/?newer=120"), Some("/?older=89")));
        let (_, pages) = up.cut_at("/", Vec::new(), Some(PostId(120)), |id: &PostId| *id);
        assert_eq!((pages.newer.as_deref(), pages.older), (Some("/?newer=120"), None));
    }

    #[test]
    fn past_the_end_there_is_a_way_back_and_nonsense_is_the_first_page() {
        let far = Cursor { older: "3".to_owned(), ..Cursor::default() };
        assert_eq!(far.cut("/@dana", Part::default()).1.newer.as_deref(), Some("/@dana"));
        assert!(Cursor { older: "x".to_owned(), newer: String::new() }.is_first());
    }
}
