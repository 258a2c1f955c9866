//! Properties that hold for every input, each a function of bytes that panics when it is broken. The fuzzer looks for an
//! input that breaks one; `testkit` runs them on the seeds and on what was found before.
//!
//! They ask more than "no panic": that what was accepted means what we think, and stays within its limits.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::text::{self, is_clean};
use domain::{Host, Timestamp, Urls, Visibility};
use federation::digest::{self, DigestHeader};
use federation::signature::{Expect, ParsedSignature, PublicKey, SignatureError, multikey, parse};
use federation::webfinger;
use federation::wire::lenient::{self, MAX_DEPTH, MAX_ELEMENTS, MAX_URI};
use federation::wire::note::PUBLIC;
use federation::wire::read::activity::Glance;
use federation::wire::read::collection::ReceivedCollection;
use federation::wire::read::{ReceivedActivity, ReceivedActor, ReceivedNote, actor, note, same_server};
use http::{HeaderMap, HeaderValue, Method};
use serde_json::Value;
use url::Url;

const DOMAIN: &str = "maple.example";
/// 2024-01-01 00:00:00 UTC, and the same as HTTP writes it.
const NOW: i64 = 1_704_067_200;
const DATE: &str = "Mon, 01 Jan 2024 00:00:00 GMT";

fn urls() -> Urls {
    Urls::new(&Url::parse("https://maple.example").expect("an address")).expect("a base")
}

// ---- signature headers -------------------------------------------------------------------------------------------

/// A `Signature` header, and after a newline: other headers of the request, one a line; a line `digest: …` is also
/// compared with a body, a line without a colon is read as a key.
pub fn signature(data: &[u8]) {
    let mut lines = data.split(|b| *b == b'\n');
    let header = lines.next().unwrap_or_default();
    let mut headers = HeaderMap::new();
    let Ok(value) = HeaderValue::from_bytes(header) else { return };
    headers.insert("signature", value);
    headers.insert("host", HeaderValue::from_static(DOMAIN));
    headers.insert("date", HeaderValue::from_static(DATE));
    headers.insert("digest", HeaderValue::from_static("SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="));
    for line in lines.take(16) {
        let mut parts = line.splitn(2, |b| *b == b':');
        let (name, value) = (parts.next().unwrap_or_default(), parts.next());
        match (http::HeaderName::from_bytes(name), value.map(|value| HeaderValue::from_bytes(value.trim_ascii()))) {
            (Ok(name), Some(Ok(value))) if name != "signature" => {
                digest_header(name.as_str(), &value);
                headers.insert(name, value);
            }
            _ => key(line),
        }
    }
    for digest in [false, true] {
        let request = Expect {
            method: &Method::POST,
            target: "/inbox?a=1",
            headers: &headers,
            domain: DOMAIN,
            digest,
            now: Timestamp(NOW * 1000),
        };
        if let Ok(parsed) = parse(&request) {
            accepted(&request, &parsed);
        }
    }
}

/// What was accepted covers what it must, is made of the request's own headers, and reads the same when it is written
/// anew.
fn accepted(request: &Expect<'_>, parsed: &ParsedSignature) {
    assert!((1..=2048).contains(&parsed.key_id().len()), "a key id has its bounds");
    assert!((1..=1024).contains(&parsed.signature().len()), "a signature has its bounds");
    assert!(!request.digest || parsed.digest_header().is_some(), "a body's digest is signed");
    let lines: Vec<(&str, &str)> =
        parsed.signed_text().split('\n').map(|line| line.split_once(": ").expect("a name and a value")).collect();
    let value_of = |name: &str| lines.iter().find(|(n, _)| *n == name).map(|(_, value)| *value);
    assert_eq!(value_of("(request-target)"), Some("post /inbox?a=1"));
    assert!(value_of("host").is_some_and(|host| host.eq_ignore_ascii_case(DOMAIN)), "it is for our host");
    assert!(value_of("date").is_some() || value_of("(created)").is_some(), "a time is signed");
    for (name, value) in lines.iter().filter(|(name, _)| !name.starts_with('(')) {
        let own = request.headers.get(*name).and_then(|v| v.to_str().ok()).map(str::trim);
        assert_eq!(own, Some(*value), "{name} is what the request says");
    }
    let names: Vec<&str> = lines.iter().map(|(name, _)| *name).collect();
    let mut again = format!(
        r#"keyId="{}",headers="{}",signature="{}""#,
        parsed.key_id(),
        names.join(" "),
        STANDARD.encode(parsed.signature()),
    );
    for name in ["created", "expires"] {
        if let Some(value) = value_of(&format!("({name})")) {
            again.push_str(&format!(",{name}={value}"));
        }
    }
    let mut headers = request.headers.clone();
    headers.insert("signature", HeaderValue::from_str(&again).expect("it is a header again"));
    let again = parse(&Expect { headers: &headers, ..*request }).expect("what was accepted once is accepted again");
    assert_eq!(again.key_id(), parsed.key_id());
    assert_eq!(again.signed_text(), parsed.signed_text());
    assert_eq!(again.signature(), parsed.signature());
    assert_eq!(again.digest_header(), parsed.digest_header());
    let stranger = PublicKey::ed25519(&[7; 32]).expect("a key");
    let verdict = parsed.verify(&stranger);
    assert!(matches!(verdict, Err(SignatureError::Wrong | SignatureError::Algorithm)), "nobody's key verifies it");
}

/// A digest is right only where it holds the digest of these bytes and no other.
fn digest_header(name: &str, value: &HeaderValue) {
    let kind = match name {
        "digest" => DigestHeader::Digest,
        "content-digest" => DigestHeader::ContentDigest,
        _ => return,
    };
    let mut headers = HeaderMap::new();
    headers.insert(kind.as_str(), value.clone());
    let body = b"a body";
    if digest::check(&headers, kind, body).is_ok() {
        let ours = digest::header(body);
        let ours = ours.trim_start_matches("SHA-256=");
        assert!(value.to_str().is_ok_and(|value| value.contains(ours)), "{value:?}");
        assert!(digest::check(&headers, kind, b"another body").is_err());
    }
}

fn key(text: &[u8]) {
    let Ok(text) = std::str::from_utf8(text) else { return };
    let pem = text.replace("\\n", "\n");
    if let Ok(key) = PublicKey::from_pem(&pem) {
        assert!(!key.verifies(b"x", &[0; 64]));
    }
    if let Some(pem) = multikey::to_pem(text) {
        assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----"), "{pem}");
    }
}

// ---- documents -----------------------------------------------------------------------------------------------------

/// A document of another server: refused, or within the limits, clean, and read into structs that are too.
pub fn wire(data: &[u8]) {
    let Ok(value) = lenient::parse(data) else { return };
    let mut elements = 0;
    within_limits(&value, 0, &mut elements);
    assert!(elements <= MAX_ELEMENTS + 1, "{elements} elements");
    let again = lenient::parse(value.to_string().as_bytes()).map(without_fractions);
    assert_eq!(again, Ok(without_fractions(value.clone())), "what was read is read again");

    let glance = Glance::read(&value);
    let activity = ReceivedActivity::read(&value);
    if let Ok(activity) = &activity {
        let glance = glance.expect("the inbox reads what the worker reads");
        assert_eq!((glance.kind, &glance.actor, &glance.id), (Some(activity.kind), &activity.actor, &activity.id));
        for id in activity.id.iter().chain([&activity.actor]).chain(activity.object.id.iter()).chain(&activity.objects)
        {
            assert_id(id);
        }
        assert!(activity.content.as_deref().is_none_or(|content| content.chars().count() <= 5_000));
        if let Some(object) = &activity.object.value {
            objects(object);
        }
    }
    objects(&value);
}

/// Large numbers and fractions lose a digit when they are written and read.
fn without_fractions(value: Value) -> Value {
    match value {
        Value::Number(n) if n.is_f64() => Value::Null,
        Value::Array(all) => all.into_iter().map(without_fractions).collect(),
        Value::Object(all) => all.into_iter().map(|(key, value)| (key, without_fractions(value))).collect(),
        other => other,
    }
}

fn within_limits(value: &Value, depth: usize, elements: &mut usize) {
    *elements += 1;
    match value {
        Value::Array(all) => {
            assert!(depth < MAX_DEPTH);
            all.iter().for_each(|v| within_limits(v, depth + 1, elements));
        }
        Value::Object(all) => {
            assert!(depth < MAX_DEPTH);
            for (key, v) in all {
                assert!(key.chars().all(is_clean), "{key:?}");
                within_limits(v, depth + 1, elements);
            }
        }
        Value::String(text) => assert!(text.chars().all(is_clean), "{text:?}"),
        _ => {}
    }
}

fn assert_id(id: &str) {
    assert!(!id.is_empty() && id.len() <= MAX_URI, "{id:?}");
    assert!(!id.chars().any(|c| c.is_control() || c == ' '), "{id:?}");
}

fn assert_address(address: &str) {
    assert_id(address);
    let lower = address.to_ascii_lowercase();
    assert!(lower.starts_with("https://") || lower.starts_with("http://"), "{address:?}");
}

fn objects(value: &Value) {
    if let Ok(note) = ReceivedNote::read(value) {
        received_note(&note);
    }
    if let Ok(actor) = ReceivedActor::read(value) {
        received_actor(&actor);
    }
    let page = ReceivedCollection::read(value);
    page.next.iter().for_each(|next| assert_address(next));
    assert!(page.total.is_none_or(|total| total >= 0));
    for key in actor::keys(value) {
        assert_id(&key.id);
    }
    if let Some(found) = webfinger::read(value) {
        assert!(found.handle.domain.is_some());
        assert!(matches!(found.actor.scheme(), "http" | "https"), "{}", found.actor);
    }
    if let Some(template) = webfinger::interaction_template(value) {
        assert!(template.contains("{uri}"));
    }
}

fn received_note(note: &ReceivedNote) {
    assert_address(&note.id);
    assert_address(&note.attributed_to);
    assert!(same_server(&note.id, &note.attributed_to), "an author lives where the post does");
    for address in note.url.iter().chain(&note.in_reply_to).chain(&note.quote) {
        assert_address(address);
    }
    safe_html(&note.content);
    assert!(note.spoiler_text.chars().count() <= 2_000 && note.spoiler_text.chars().all(is_clean));
    assert!(note.sensitive || note.spoiler_text.is_empty(), "a warning makes it sensitive");
    assert!(note.mentions.len() <= 200 && note.hashtags.len() <= 100 && note.attachments.len() <= 32);
    for attachment in &note.attachments {
        assert_address(&attachment.url);
        attachment.preview_url.iter().for_each(|url| assert_address(url));
        assert!(attachment.description.chars().count() <= 10_000 && attachment.description.chars().all(is_clean));
    }
    for emoji in &note.emojis {
        assert_address(&emoji.image_url);
    }
    // Never wider than it was addressed.
    let named = |list: &[String]| list.iter().any(|to| to == PUBLIC);
    let (to, cc) = (named(&note.to), named(&note.cc));
    let visibility = note::visibility(&note.to, &note.cc, Some("https://willow.example/users/bob/followers"));
    assert_eq!(visibility == Visibility::Public, to);
    assert_eq!(visibility == Visibility::Unlisted, cc && !to);
}

fn received_actor(actor: &ReceivedActor) {
    assert_address(&actor.id);
    let own = [&actor.shared_inbox, &actor.outbox, &actor.followers, &actor.following, &actor.featured];
    for address in own.into_iter().flatten().chain([&actor.inbox]).chain(&actor.named_keys) {
        assert!(same_server(address, &actor.id), "{address} speaks for {}", actor.id);
    }
    for key in &actor.keys {
        assert!(same_server(&key.id, &actor.id), "{} is a key of {}", key.id, actor.id);
        assert!(key.owner.as_ref().is_none_or(|owner| *owner == actor.id));
    }
    safe_html(&actor.summary);
    assert!(actor.display_name.chars().count() <= 200);
    assert_eq!(text::one_line(&actor.display_name), actor.display_name, "a name is one line");
    assert!(actor.fields.len() <= 16);
    for field in &actor.fields {
        assert!(field.name.chars().count() <= 255);
        assert_eq!(text::one_line(&field.name), field.name);
        safe_html(&field.value);
    }
    assert!(actor.moved_to.as_ref() != Some(&actor.id), "nobody moves to where they are");
}

// ---- HTML ----------------------------------------------------------------------------------------------------------

/// Any text as HTML from elsewhere.
pub fn html(data: &[u8]) {
    let Ok(source) = std::str::from_utf8(data) else { return };
    let safe = text::sanitise(source);
    assert!(safe.len() <= 64 * source.len() + 64, "{} bytes out of {}", safe.len(), source.len());
    safe_html(&safe);
    let plain = text::plain(source);
    assert!(plain.chars().all(is_clean), "{plain:?}");
    for chars in [0, 1, 7, 80] {
        assert!(text::shorten(&plain, chars).chars().count() <= chars);
    }
}

const TAGS: &[&str] = &[
    "a",
    "b",
    "blockquote",
    "br",
    "code",
    "del",
    "em",
    "i",
    "li",
    "ol",
    "p",
    "pre",
    "rp",
    "rt",
    "ruby",
    "s",
    "span",
    "strong",
    "u",
    "ul",
];

/// Sanitised HTML, read by other means than those it was made with: only our elements, attributes and schemes, properly
/// nested, and nothing more to sanitise.
fn safe_html(html: &str) {
    assert!(html.chars().all(is_clean), "{html:?}");
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find(['<', '>']) {
        assert!(rest[at..].starts_with('<'), "a bare > in {html:?}");
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('/') {
            let (name, after) = after.split_once('>').expect("an end");
            assert_eq!(open.pop(), Some(name), "{html:?}");
            rest = after;
            continue;
        }
        let end = rest.find([' ', '>']).expect("an end");
        let name = &rest[..end];
        assert!(TAGS.contains(&name), "<{name}> in {html:?}");
        rest = &rest[end..];
        let mut attributes: Vec<&str> = Vec::new();
        while let Some(after) = rest.strip_prefix(' ') {
            let (attribute, after) = after.split_once("=\"").expect("a value");
            let (value, after) = after.split_once('"').expect("an end of the value");
            attribute_is_ours(name, attribute, value);
            assert!(!attributes.contains(&attribute), "{attribute} twice in {html:?}");
            attributes.push(attribute);
            rest = after;
        }
        assert!(name != "a" || ["rel", "target"].iter().all(|a| attributes.contains(a)), "{html:?}");
        rest = rest.strip_prefix('>').expect("an end of the tag");
        if name != "br" {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new(), "left open in {html:?}");
    assert_eq!(text::sanitise(html), html, "sanitised once more");
}

fn attribute_is_ours(tag: &str, name: &str, value: &str) {
    let ours = match (tag, name) {
        ("a", "href") => {
            let address = value.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
            Url::parse(&address).is_ok_and(|url| text::SAFE_SCHEMES.contains(&url.scheme()))
        }
        ("a", "rel") => value.contains("noopener") && value.contains("noreferrer") && value.contains("nofollow"),
        ("a", "target") => value == "_blank",
        ("a" | "span", "translate") => value == "no",
        ("a" | "span" | "p", "class") => !value.contains(['<', '>', '&']),
        ("ol", "start") | ("li", "value") => value.parse::<i32>().is_ok(),
        ("ol", "reversed") => true,
        _ => false,
    };
    assert!(ours, "<{tag} {name}={value:?}>");
}

// ---- host names ----------------------------------------------------------------------------------------------------

/// What somebody writes for a host, a handle or a domain to block.
pub fn host(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for host in [Host::parse(text).ok(), Host::typed(text).ok(), Host::of_address(text)].into_iter().flatten() {
        canonical(&host);
    }
    let Ok(plain) = Host::parse(text) else { return handles(text) };
    // However it is dressed, it is the same.
    let with_port = plain.port().is_some();
    let bare = plain.as_str();
    let shouted = bare.to_ascii_uppercase();
    for same in [bare.to_owned(), shouted, plain.display().into_owned()] {
        assert_eq!(Host::parse(&same).as_ref(), Ok(&plain), "{same:?} is {bare:?}");
    }
    if !with_port {
        for port in [":443", ":0443", ":"] {
            assert_eq!(Host::parse(&format!("{bare}{port}")).as_ref(), Ok(&plain), "{bare}{port}");
        }
        if !bare.ends_with(']') {
            assert_eq!(Host::parse(&format!("{bare}.")).as_ref(), Ok(&plain), "{bare}.");
        }
    }
    assert_eq!(Host::of_address(&format!("https://{bare}/x")).as_ref(), Some(&plain), "{bare}");
    handles(text);
}

/// One spelling, that is read as itself and could stand in a handle, an address and a log.
fn canonical(host: &Host) {
    let text = host.as_str();
    assert_eq!(Host::parse(text).as_ref(), Ok(host), "it stays what it is");
    assert_eq!(Host::typed(text).as_ref(), Ok(host));
    assert!(text.bytes().all(|b| b.is_ascii_graphic() && !b.is_ascii_uppercase()), "{text:?}");
    assert!(!text.contains(['/', '@', '?', '#', '%', '\\', ' ']) && !text.ends_with(['.', ':']), "{text:?}");
    assert!(host.port().is_none_or(|port| port != 0 && port != 443), "{text:?}");
    assert!(host.covers(host));
    let below = Host::parse(&format!("a.{text}"));
    assert!(below.is_err() || below.is_ok_and(|below| host.covers(&below) && !below.covers(host)), "{text:?}");
    assert!(host.display().chars().all(is_clean));
}

fn handles(text: &str) {
    if let Some(handle) = domain::account::Handle::parse(text) {
        let again = match &handle.domain {
            Some(domain) => format!("{}@{domain}", handle.username),
            None => handle.username.clone(),
        };
        assert_eq!(domain::account::Handle::parse(&again).as_ref(), Some(&handle), "it stays what it is");
    }
    if let Some(webfinger::Resource::Name(name)) = webfinger::resource(text, &urls()) {
        assert!(!name.contains('/'), "{name:?}");
    }
}

// ---- what people type ----------------------------------------------------------------------------------------------

/// A post as somebody types it. All whose handles are in it are known here.
pub fn text(data: &[u8]) {
    let Ok(typed) = std::str::from_utf8(data) else { return };
    let source = text::clean(typed.to_owned());
    assert!(source.chars().all(is_clean));
    assert_eq!(text::clean(source.clone()), source);
    let line = text::one_line(typed);
    assert_eq!(text::one_line(&line), line);

    let urls = urls();
    let found = text::scan(&source, &urls);
    for tag in &found.tags {
        assert_eq!(text::Tag::new(&tag.name).as_ref(), Some(tag));
    }
    for link in &found.links {
        assert!(Url::parse(link).is_ok_and(|url| text::SAFE_SCHEMES.contains(&url.scheme())), "{link:?}");
    }
    let target = |handle: &domain::account::Handle| text::MentionTarget {
        url: urls.profile(&handle.username),
        username: handle.username.clone(),
        acct: handle.username.clone(),
    };
    let composed = text::compose(&source, &urls, &|handle| Some(target(handle)));
    assert_eq!((&composed.tags, &composed.links, &composed.shortcodes), (&found.tags, &found.links, &found.shortcodes));
    // Every address in the HTML is one that was found, and every one that was found is there.
    let mut expected: Vec<String> = found.links.clone();
    expected.extend(found.tags.iter().map(|tag| urls.tag(&tag.key)));
    expected.extend(found.mentions.iter().map(|handle| target(handle).url));
    let mut linked: Vec<String> = composed
        .html
        .split("<a href=\"")
        .skip(1)
        .map(|rest| {
            let value = rest.split('"').next().unwrap_or_default();
            value
                .replace("&nbsp;", "\u{a0}")
                .replace("&quot;", "\"")
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&amp;", "&")
        })
        .collect();
    for list in [&mut expected, &mut linked] {
        list.sort();
        list.dedup();
    }
    assert_eq!(linked, expected, "{source:?}");
    // Nothing that was typed becomes markup, and nobody takes what we write for something else.
    let again = text::sanitise(&composed.html);
    safe_html(&again);
    // The full-width sign of a hashtag is written as the other.
    let words = |text: &str| text.replace('＃', "#").chars().filter(|c| !c.is_whitespace()).collect::<String>();
    assert_eq!(words(&text::plain(&again)), words(&text::plain(&composed.html)));
    // A mention is shown without its domain; everything else comes back as it was typed.
    let nobody = text::compose(&source, &urls, &|_| None);
    assert_eq!(words(&text::plain(&nobody.html)), words(&source), "{source:?}");

    let chars = text::count_chars(&source, "");
    assert!(chars <= source.chars().count() + 23 * found.links.len().max(source.matches("://").count()));
    for shortcode in text::shortcodes(&source) {
        assert!(source.contains(&format!(":{shortcode}:")));
    }
    assert!(text::words(&source).len() <= 16);
}
