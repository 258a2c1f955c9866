//! Reads a tree of parameters into a typed struct, as leniently as Mastodon does: `"1"` where a boolean or a
//! number is wanted, a number where a text is wanted. What cannot be read says which parameter it was. What one value
//! is where a list is wanted is for the list's type to say ([`super::list`]). Never guesses a value that was not sent.

use std::collections::BTreeMap;
use std::collections::btree_map;
use std::fmt;

use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor};

use super::tree::Node;

/// Which parameter cannot be read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WrongType {
    pub(super) name: String,
    pub(super) why: String,
}

impl WrongType {
    fn new(why: impl Into<String>) -> Self {
        Self { name: String::new(), why: why.into() }
    }

    fn within(mut self, outer: &str) -> Self {
        self.name = match self.name.as_str() {
            "" => outer.to_owned(),
            inner if inner.starts_with('[') => format!("{outer}{inner}"),
            inner => {
                let (head, tail) = inner.split_once('[').map_or((inner, None), |(h, t)| (h, Some(t)));
                format!("{outer}[{head}]{}", tail.map(|t| format!("[{t}")).unwrap_or_default())
            }
        };
        self
    }
}

impl fmt::Display for WrongType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.is_empty() { f.write_str(&self.why) } else { write!(f, "{} {}", self.name, self.why) }
    }
}

impl std::error::Error for WrongType {}

impl de::Error for WrongType {
    fn custom<T: fmt::Display>(msg: T) -> Self {
        Self::new(msg.to_string())
    }

    fn missing_field(field: &'static str) -> Self {
        Self { name: field.to_owned(), why: "can't be blank".to_owned() }
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!("must be one of {}", expected.join(", ")))
    }

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(format!("must be {expected}"))
    }

    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(format!("must be {expected}"))
    }
}

pub(super) fn read<T: de::DeserializeOwned>(node: Node) -> Result<T, WrongType> {
    T::deserialize(node)
}

fn truth(text: &str) -> Option<bool> {
    match text.trim() {
        "true" | "True" | "TRUE" | "1" | "on" | "yes" | "t" | "T" => Some(true),
        "false" | "False" | "FALSE" | "0" | "off" | "no" | "f" | "F" | "" => Some(false),
        _ => None,
    }
}

macro_rules! integers {
    ($($name:ident $visit:ident $ty:ty;)*) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WrongType> {
            let number: Option<$ty> = match &self {
                Node::Number(n) => n.as_i64().and_then(|n| n.try_into().ok()).or_else(|| n.as_u64().and_then(|n| n.try_into().ok())),
                Node::Text(t) => t.trim().parse().ok(),
                _ => None,
            };
            visitor.$visit(number.ok_or_else(|| WrongType::new("must be a whole number"))?)
        }
    )*};
}

impl<'de> de::Deserializer<'de> for Node {
    type Error = WrongType;

    integers! {
        deserialize_i8 visit_i8 i8;
        deserialize_i16 visit_i16 i16;
        deserialize_i32 visit_i32 i32;
        deserialize_i64 visit_i64 i64;
        deserialize_u8 visit_u8 u8;
        deserialize_u16 visit_u16 u16;
        deserialize_u32 visit_u32 u32;
        deserialize_u64 visit_u64 u64;
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WrongType> {
        let value = match &self {
            Self::Bool(b) => Some(*b),
            Self::Number(n) => n.as_i64().and_then(|n| match n {
                0 => Some(false),
                1 => Some(true),
                _ => None,
            }),
            Self::Text(t) => truth(t),
            _ => None,
        };
        visitor.visit_bool(value.ok_or_else(|| WrongType::new("must be true or false"))?)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WrongType> {
        let value = match &self {
            Self::Number(n) => n.as_f64(),
            Self::Text(t) => t.trim().parse().ok(),
            _ => None,
        };
        visitor.visit_f64(value.filter(|v: &f64| v.is_finite()).ok_or_else(|| WrongType::new("must be a number"))?)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WrongType> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WrongType> {
        self.deserialize_string(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WrongType> {
        match self {
            Self::Text(t) => visitor.visit_string(t),
            Self::Number(n) => visitor.visit_string(n.to_string()),
            Self::Bool(b) => visitor.visit_str(if b { "true" } else { "false" }),
            _ => Err(WrongType::new("must be text")),
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WrongType> {
        self.deserialize_string(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WrongType> {
        self.deserialize_string(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WrongType> {
        match self {
            Self::Null => visitor.visit_none(),
            some => visitor.visit_some(some),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WrongType> {
        let entries = match self {
            Self::List(list) => list,
            Self::Null => return visitor.visit_none(),
            // `name[0]=…&name[1]=…`, also written by some apps as a JSON object.
            Self::Map(map) => {
                let mut numbered: Vec<(u64, Node)> = map
                    .into_iter()
                    .map(|(k, v)| k.parse().map(|n| (n, v)).map_err(|_| WrongType::new("must be a list")))
                    .collect::<Result<_, _>>()?;
                numbered.sort_by_key(|(n, _)| *n);
                numbered.into_iter().map(|(_, v)| v).collect()
            }
            one => return visitor.visit_some(one),
        };
        visitor.visit_seq(Entries { rest: entries.into_iter(), at: 0 })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, WrongType> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, WrongType> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WrongType> {
        match self {
            Self::Map(map) => visitor.visit_map(Members::new(map)),
            Self::Null => visitor.visit_map(Members::new(BTreeMap::new())),
            _ => Err(WrongType::new("must have named parts")),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, WrongType> {
        self.deserialize_map(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, WrongType> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, WrongType> {
        match self {
            Self::Text(t) => visitor.visit_enum(t.into_deserializer()),
            _ => Err(WrongType::new("must be text")),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WrongType> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, WrongType> {
        visitor.visit_unit()
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WrongType> {
        visitor.visit_unit()
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WrongType> {
        self.deserialize_string(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WrongType> {
        self.deserialize_string(visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, WrongType> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(b) => visitor.visit_bool(b),
            Self::Number(n) => match (n.as_i64(), n.as_f64()) {
                (Some(n), _) => visitor.visit_i64(n),
                (None, n) => visitor.visit_f64(n.unwrap_or_default()),
            },
            Self::Text(t) => visitor.visit_string(t),
            list @ Self::List(_) => list.deserialize_seq(visitor),
            map @ Self::Map(_) => map.deserialize_map(visitor),
        }
    }
}

struct Entries {
    rest: std::vec::IntoIter<Node>,
    at: usize,
}

impl<'de> de::SeqAccess<'de> for Entries {
    type Error = WrongType;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, WrongType> {
        let Some(node) = self.rest.next() else { return Ok(None) };
        let at = self.at;
        self.at += 1;
        seed.deserialize(node).map(Some).map_err(|e| e.within(&format!("[{at}]")))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

struct Members {
    rest: btree_map::IntoIter<String, Node>,
    current: Option<(String, Node)>,
}

impl Members {
    fn new(map: BTreeMap<String, Node>) -> Self {
        Self { rest: map.into_iter(), current: None }
    }
}

impl<'de> de::MapAccess<'de> for Members {
    type Error = WrongType;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, WrongType> {
        self.current = self.rest.next();
        let Some((name, _)) = &self.current else { return Ok(None) };
        let name: &str = name;
        seed.deserialize(name.into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, WrongType> {
        let (name, node) = self.current.take().ok_or_else(|| WrongType::new("is missing"))?;
        seed.deserialize(node).map_err(|e| e.within(&name))
    }
}
