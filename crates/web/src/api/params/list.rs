//! Lists among the parameters. Where Mastodon permits a list, Rails drops a single value, also an empty one:
//! `media_ids=1` names no media. A few parameters it reads as one or more.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

use super::id;

/// A list, if one was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T>(pub Option<Vec<T>>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> List<T> {
    /// The entries; none where no list was sent.
    #[must_use]
    pub fn entries(self) -> Vec<T> {
        self.0.unwrap_or_default()
    }
}

/// A list, or a single value that stands for a list of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneOrMore<T>(pub Vec<T>);

impl<T> Default for OneOrMore<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// What was sent where a list is expected.
enum Sent<T> {
    Nothing,
    /// `None` where the single value is not wanted.
    One(Option<T>),
    List(Vec<T>),
}

struct Reader<T> {
    wants_one: bool,
    of: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Reader<T> {
    type Value = Sent<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_none<E: Error>(self) -> Result<Sent<T>, E> {
        Ok(Sent::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, one: D) -> Result<Sent<T>, D::Error> {
        Ok(Sent::One(if self.wants_one { Some(T::deserialize(one)?) } else { None }))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Sent<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(entry) = entries.next_element()? {
            list.push(entry);
        }
        Ok(Sent::List(list))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(match d.deserialize_seq(Reader { wants_one: false, of: PhantomData })? {
            Sent::List(list) => Self(Some(list)),
            Sent::Nothing | Sent::One(_) => Self(None),
        })
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMore<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(match d.deserialize_seq(Reader { wants_one: true, of: PhantomData })? {
            Sent::List(list) => Self(list),
            Sent::One(one) => Self(one.into_iter().collect()),
            Sent::Nothing => Self(Vec::new()),
        })
    }
}

/// A list of ids. What is no id is left out: it would find nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ids(pub Vec<i64>);

impl Ids {
    /// The ids as a type of the domain, each once, in the order they were named.
    pub fn of<I: From<i64>>(&self) -> Vec<I> {
        let mut seen = std::collections::HashSet::new();
        self.0.iter().filter(|id| seen.insert(**id)).map(|id| I::from(*id)).collect()
    }
}

impl From<Vec<String>> for Ids {
    fn from(texts: Vec<String>) -> Self {
        Self(texts.iter().filter_map(|text| id(text)).collect())
    }
}

impl<'de> Deserialize<'de> for Ids {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(List::<String>::deserialize(d)?.entries().into())
    }
}
