//! The part of an address that nobody can guess.

use std::fmt;
use std::str::FromStr;

use crate::id::{InvalidId, PostId};

/// 64 random bits in the address of a post or an activity.
///
/// An id is time and a counter: whoever knows roughly when a member wrote knows the ids to try. So no address holds the
/// id. Every post gets a key, whatever its audience: the form of an address tells nobody which posts are private. The
/// key is decimal, as the ids are that older addresses hold, so both are read and looked up alike, and programs that
/// tell a post's page from other pages by its digits still do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AddressKey(u64);

impl AddressKey {
    /// `random` must come from a generator that cannot be predicted.
    #[must_use]
    pub fn new(random: u64) -> Self {
        Self(random)
    }

    /// The id that stands for the same number: what addresses held before there were keys.
    #[must_use]
    pub fn as_id(self) -> Option<PostId> {
        i64::try_from(self.0).ok().map(PostId)
    }
}

impl fmt::Display for AddressKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for AddressKey {
    type Err = InvalidId;

    /// Reads exactly what was written: one address for each key.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        text.parse().ok().filter(|_| plain).map(Self).ok_or(InvalidId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_written_in_one_way_alone() {
        for key in [0, 7, u64::MAX] {
            assert_eq!(AddressKey::new(key).to_string().parse(), Ok(AddressKey(key)));
        }
        for bad in ["", "+1", "-1", "01", "00", "1 ", "0x1", "18446744073709551616", "１"] {
            assert_eq!(bad.parse::<AddressKey>(), Err(InvalidId), "{bad}");
        }
        assert_eq!(AddressKey::new(42).as_id(), Some(PostId(42)));
        assert_eq!(AddressKey::new(u64::MAX).as_id(), None);
    }
}
