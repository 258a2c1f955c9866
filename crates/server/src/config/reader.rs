//! Two layers of text values by dotted key, the environment over the file, and the mistakes met while reading them.
//!
//! Knows no key by itself: a key is known once something has been read from it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use config::{Environment, File, FileFormat, Map, Source as _, Value, ValueKind};

/// `PORCHLIGHT_FEDERATION__ALLOW_HTTP` is `federation.allow_http`.
const PREFIX: &str = "PORCHLIGHT";

/// Variables that begin like ours and are not keys: the file's own name, and what the tests are told.
const NOT_KEYS: &[&str] = &["PORCHLIGHT_CONFIG", "PORCHLIGHT_TEST_"];

/// Everything that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(Vec<String>);

impl Mistakes {
    #[must_use]
    pub fn all(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is wrong:")?;
        self.0.iter().try_for_each(|mistake| write!(f, "\n  {mistake}"))
    }
}

impl std::error::Error for Mistakes {}

/// What was set, where, and what is wrong so far.
#[derive(Debug)]
pub struct Reader {
    values: BTreeMap<String, Value>,
    known: BTreeSet<String>,
    mistakes: Vec<String>,
}

impl Reader {
    /// # Errors
    /// When the file cannot be read or is not TOML.
    pub fn open(file: Option<&Path>, environment: BTreeMap<String, String>) -> Result<Self, Mistakes> {
        let mut values = BTreeMap::new();
        if let Some(path) = file {
            let text = std::fs::read_to_string(path)
                .map_err(|error| Mistakes(vec![format!("cannot read {}: {error}", path.display())]))?;
            let tables = File::from_str(&text, FileFormat::Toml)
                .collect()
                .map_err(|error| Mistakes(vec![format!("{} is not TOML: {error}", path.display())]))?;
            flatten("", tables, &path.display().to_string(), &mut values);
        }
        let ours = environment.into_iter().filter(|(key, _)| !NOT_KEYS.iter().any(|other| key.starts_with(other)));
        let variables = Environment::with_prefix(PREFIX)
            .prefix_separator("_")
            .separator("__")
            .source(Some(ours.collect()))
            .collect()
            .map_err(|error| Mistakes(vec![error.to_string()]))?;
        values.extend(variables);
        Ok(Self { values, known: BTreeSet::new(), mistakes: Vec::new() })
    }

    /// Sets `to` when `key` was set; remembers a mistake when `parse` refuses the value.
    pub fn set<T>(&mut self, key: &str, allowed: &str, to: &mut T, parse: impl Fn(&str) -> Option<T>) {
        let Some(value) = self.take(key) else { return };
        match text(&value).and_then(|text| parse(text.trim())) {
            Some(parsed) => *to = parsed,
            None => self.refuse(key, &value, allowed),
        }
    }

    /// As [`Reader::set`] for a list: an array in the file, a text with commas in the environment (or the file).
    pub fn set_list<T>(&mut self, key: &str, allowed: &str, to: &mut Vec<T>, parse: impl Fn(&str) -> Option<T>) {
        let Some(value) = self.take(key) else { return };
        let words: Option<Vec<String>> = match &value.kind {
            ValueKind::Array(items) => items.iter().map(text).collect(),
            _ => text(&value).map(|text| text.split(',').map(str::to_owned).collect()),
        };
        let words = words.map(|words| words.into_iter().map(|word| word.trim().to_owned()).filter(|w| !w.is_empty()));
        match words.and_then(|words| words.map(|word| parse(&word)).collect()) {
            Some(parsed) => *to = parsed,
            None => self.refuse(key, &value, allowed),
        }
    }

    /// The variables that are no keys.
    ///
    /// A key of the file that nobody read is refused: only the owner writes there, so it was meant to do something. The
    /// environment is everybody's (Kubernetes describes a service called porchlight to every container beside it), so
    /// only what looks like a slip is refused there.
    ///
    /// # Errors
    /// When anything was refused, or something was set that nobody read.
    pub fn finish(mut self) -> Result<Vec<String>, Mistakes> {
        let mut ignored = Vec::new();
        for (key, value) in &self.values {
            let near = closest(key, &self.known);
            if from_environment(value) && (near.is_none() || describes_a_service(key)) {
                ignored.push(name(key, value));
                continue;
            }
            let hint = match near {
                Some(near) => format!("did you mean `{}`?", name(&near, value)),
                None => "config.example.toml lists every key".to_owned(),
            };
            self.mistakes.push(format!("`{}`{} is not a key; {hint}", name(key, value), origin(value)));
        }
        if self.mistakes.is_empty() { Ok(ignored) } else { Err(Mistakes(self.mistakes)) }
    }

    fn take(&mut self, key: &str) -> Option<Value> {
        self.known.insert(key.to_owned());
        self.values.remove(key)
    }

    fn refuse(&mut self, key: &str, value: &Value, allowed: &str) {
        let shown = without_password(&shown(value));
        self.mistakes.push(format!("`{}`{} is `{shown}`; allowed: {allowed}", name(key, value), origin(value)));
    }
}

/// `{federation: {allow_http: true}}` → `federation.allow_http`, each value marked with where it was found.
fn flatten(above: &str, table: Map<String, Value>, origin: &str, into: &mut BTreeMap<String, Value>) {
    for (key, value) in table {
        let key = if above.is_empty() { key } else { format!("{above}.{key}") };
        match value.kind {
            ValueKind::Table(table) => flatten(&key, table, origin, into),
            kind => {
                into.insert(key, Value::new(Some(&origin.to_owned()), kind));
            }
        }
    }
}

/// A single value as it would stand in the environment.
fn text(value: &Value) -> Option<String> {
    match &value.kind {
        ValueKind::Array(_) | ValueKind::Table(_) | ValueKind::Nil => None,
        _ => value.clone().into_string().ok(),
    }
}

fn shown(value: &Value) -> String {
    match &value.kind {
        ValueKind::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        _ => text(value).unwrap_or_else(|| value.to_string()),
    }
}

/// Hides what stands between `:` and `@` of an address: mistakes end up in logs.
pub fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let Some((login, host)) = rest.rsplit_once('@') else { return text.to_owned() };
    let Some((user, _)) = login.split_once(':') else { return text.to_owned() };
    format!("{scheme}://{user}:…@{host}")
}

fn from_environment(value: &Value) -> bool {
    value.origin() == Some("the environment")
}

/// The key as the person wrote it.
fn name(key: &str, value: &Value) -> String {
    if from_environment(value) {
        return format!("{PREFIX}_{}", key.replace('.', "__").to_uppercase());
    }
    key.to_owned()
}

fn origin(value: &Value) -> String {
    match value.origin() {
        Some(file) if !from_environment(value) => format!(" in {file}"),
        _ => String::new(),
    }
}

/// A known key that this one was probably meant to be: same letters whatever the separators, same last part, or a few
/// letters wrong in all of it or in its last part.
fn closest(key: &str, known: &BTreeSet<String>) -> Option<String> {
    let letters = |key: &str| key.replace(['.', '_', '-'], "").to_lowercase();
    let last = |key: &str| letters(key.rsplit('.').next().unwrap_or_default());
    let same = known.iter().find(|other| letters(other) == letters(key));
    let same = same.or_else(|| known.iter().find(|other| last(other) == last(key)));
    let slip = |one: &str, other: &str| {
        let wrong = strsim::damerau_levenshtein(one, other);
        (wrong <= most_wrong(one.len().min(other.len()))).then_some(wrong)
    };
    let nearest = || {
        let slips = known.iter().filter_map(|other| {
            let whole = slip(&letters(key), &letters(other));
            let part = slip(&last(key), &last(other));
            Some((whole.into_iter().chain(part).min()?, other))
        });
        slips.min().map(|(_, other)| other)
    };
    same.or_else(nearest).cloned()
}

/// Letters that may be wrong in a word that still looks meant: one in four up to three, and one of three.
fn most_wrong(length: usize) -> usize {
    if length < 3 { 0 } else { (length / 4).clamp(1, 3) }
}

/// What Kubernetes tells every container about a service, under the service's name: `PORCHLIGHT_SERVICE_HOST`,
/// `PORCHLIGHT_SERVICE_PORT_HTTP`, `PORCHLIGHT_PORT`, `PORCHLIGHT_PORT_4000_TCP_ADDR` …; of one called porchlight-web
/// with `WEB_` in between.
fn describes_a_service(key: &str) -> bool {
    let words: Vec<&str> = key.split(['.', '_']).collect();
    let about_a_port = |rest: &[&str]| match rest {
        [] => true,
        [number, "tcp" | "udp" | "sctp", detail @ ..] => {
            number.bytes().all(|b| b.is_ascii_digit()) && matches!(detail, [] | ["proto" | "port" | "addr"])
        }
        _ => false,
    };
    words.ends_with(&["service", "host"])
        || words.windows(2).any(|two| two == ["service", "port"])
        || (0..words.len()).any(|at| words[at] == "port" && about_a_port(&words[at + 1..]))
}
