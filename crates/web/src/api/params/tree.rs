//! What a client sent, whatever it was written in: a small tree of texts, numbers, lists and maps.
//!
//! JSON, forms and queries all become this tree; `read` turns it into a typed struct. Its texts are clean ([`domain::text::clean`]).
//! Knows nothing of HTTP.

use std::collections::BTreeMap;

use domain::text::{clean, without_lone_surrogates};

use super::Refused;

/// Names of a form may nest this deep: `source[privacy]` is two.
const MAX_DEPTH: usize = 8;
/// JSON may nest this deep.
const MAX_JSON_DEPTH: usize = 16;
/// Names and values in one request.
const MAX_PAIRS: usize = 1_000;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    /// A JSON number, as written.
    Number(serde_json::Number),
    Text(String),
    List(Vec<Node>),
    Map(BTreeMap<String, Node>),
}

impl Default for Node {
    fn default() -> Self {
        Self::Map(BTreeMap::new())
    }
}

impl Node {
    /// Adds `a=1&b[]=2&c[d]=3` (percent-encoded) to the tree.
    pub(super) fn add_form(&mut self, text: &str) -> Result<(), Refused> {
        for (n, (name, value)) in url::form_urlencoded::parse(text.as_bytes()).enumerate() {
            if n >= MAX_PAIRS {
                return Err(Refused::TooMany);
            }
            self.add(&name, value.into_owned())?;
        }
        Ok(())
    }

    /// Adds one value under a name such as `ids[]` or `fields_attributes[0][name]`.
    pub(super) fn add(&mut self, name: &str, value: String) -> Result<(), Refused> {
        let (first, rest) = match name.find('[') {
            Some(at) if at > 0 && name.ends_with(']') => (&name[..at], &name[at..]),
            _ => (name, ""),
        };
        let mut path = vec![first];
        if let Some(inner) = rest.strip_prefix('[').and_then(|r| r.strip_suffix(']')) {
            path.extend(inner.split("]["));
        }
        if path.len() > MAX_DEPTH {
            return Err(Refused::TooDeep);
        }
        self.insert(&path, Node::Text(clean(value)));
        Ok(())
    }

    fn insert(&mut self, path: &[&str], value: Node) {
        let Some((key, rest)) = path.split_first() else {
            *self = value;
            return;
        };
        if key.is_empty() {
            // `name[]`: one more entry; `name[][part]` fills the last entry until a part comes again.
            if !matches!(self, Self::List(_)) {
                *self = Self::List(Vec::new());
            }
            let Self::List(list) = self else { return };
            if let (Some(part), Some(Self::Map(last))) = (rest.first(), list.last_mut())
                && !last.contains_key(*part)
            {
                last.entry((*part).to_owned()).or_insert(Self::Null).insert(&rest[1..], value);
                return;
            }
            let mut entry = Self::Null;
            entry.insert(rest, value);
            list.push(entry);
            return;
        }
        if !matches!(self, Self::Map(_)) {
            *self = Self::default();
        }
        let Self::Map(map) = self else { return };
        map.entry((*key).to_owned()).or_insert(Self::Null).insert(rest, value);
    }

    /// Adds the members of a JSON object. Anything but an object (or nothing) is refused.
    pub(super) fn add_json(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        let value: serde_json::Value = serde_json::from_slice(bytes)
            .or_else(|_| serde_json::from_slice(&without_lone_surrogates(bytes)))
            .map_err(|e| Refused::Malformed(format!("not valid JSON: {e}")))?;
        match value {
            serde_json::Value::Object(map) => {
                for (name, value) in map {
                    let node = from_json(value, 1)?;
                    self.insert(&[name.strip_suffix("[]").unwrap_or(&name)], node);
                }
                Ok(())
            }
            serde_json::Value::Null => Ok(()),
            _ => Err(Refused::Malformed("the JSON must be an object".to_owned())),
        }
    }
}

fn from_json(value: serde_json::Value, depth: usize) -> Result<Node, Refused> {
    use serde_json::Value;
    if depth > MAX_JSON_DEPTH {
        return Err(Refused::TooDeep);
    }
    Ok(match value {
        Value::Null => Node::Null,
        Value::Bool(b) => Node::Bool(b),
        Value::Number(n) => Node::Number(n),
        Value::String(s) => Node::Text(clean(s)),
        Value::Array(list) => {
            if list.len() > MAX_PAIRS {
                return Err(Refused::TooMany);
            }
            Node::List(list.into_iter().map(|v| from_json(v, depth + 1)).collect::<Result<_, _>>()?)
        }
        Value::Object(map) => {
            Node::Map(map.into_iter().map(|(k, v)| Ok((k, from_json(v, depth + 1)?))).collect::<Result<_, Refused>>()?)
        }
    })
}
