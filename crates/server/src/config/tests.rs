//! What an owner may write, what is refused and how, and that the documents tell the truth about it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;

use super::*;

fn read(file: &str, environment: &[(&str, &str)]) -> Result<Config, Mistakes> {
    let mut written = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    written.write_all(file.as_bytes()).unwrap();
    let environment = environment.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Config::read(Some(written.path()), environment)
}

/// The one mistake in this.
fn mistake(file: &str, environment: &[(&str, &str)]) -> String {
    let mistakes = read(file, environment).expect_err("this should have been refused");
    assert_eq!(mistakes.all().len(), 1, "{mistakes}");
    mistakes.all()[0].clone()
}

/// Names and addresses are made of it for ever: another server's port must not get into them by a slip.
#[test]
fn a_server_on_this_machine_is_at_the_port_that_it_listens_on() {
    for (bind, url) in [
        ("127.0.0.1:4101", "http://localhost:4101"),
        ("0.0.0.0:80", "http://localhost"),
        ("[::1]:65535", "http://localhost:65535"),
        ("127.0.0.1:0", "http://localhost:4000"),
    ] {
        assert_eq!(read("", &[("PORCHLIGHT_BIND", bind)]).unwrap().url.base(), url);
        let named = read("url = 'http://localhost:8080'", &[("PORCHLIGHT_BIND", bind)]).unwrap();
        assert_eq!(named.url.base(), "http://localhost:8080");
    }
}

#[test]
fn nothing_set_is_the_default() {
    let config = Config::read(None, BTreeMap::new()).unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(config.url.base(), "http://localhost:4000");
    assert_eq!(config.bind.to_string(), "127.0.0.1:4000");
    let here = std::env::current_dir().unwrap();
    assert_eq!(config.database(), format!("sqlite://{}/data/porchlight.db", here.display()));
    assert_eq!(config.warnings(), Vec::<String>::new());
}

#[test]
fn a_file_sets_everything() {
    let config = read(
        r#"
        url = "https://maple.example"
        bind = "[::1]:80"
        database_url = "postgres://porchlight:secret@db/porchlight"
        data_dir = "/var/lib/porchlight"
        sign_up = "invite"
        source_url = "https://git.maple.example/porchlight"
        trusted_proxies = ["127.0.0.1", "fd00::/8"]
        rate_limits = false
        connections = 500
        connections_per_address = 50
        metrics_bind = "127.0.0.1:9000"
        [federation]
        allow_addresses = ["10.0.0.0/8"]
        allow_http = true
        [log]
        format = "json"
        level = "warn,federation=debug"
        [limits]
        post_chars = 500
        "#,
        &[],
    )
    .unwrap();
    assert_eq!(config.url.domain(), "maple.example");
    assert_eq!(config.bind.to_string(), "[::1]:80");
    assert_eq!(config.database(), "postgres://porchlight:secret@db/porchlight");
    assert_eq!(config.media_dir(), Path::new("/var/lib/porchlight/media"));
    assert_eq!(config.sign_up, SignUp::Invite);
    assert_eq!(config.app().source_url, "https://git.maple.example/porchlight");
    assert_eq!(
        config.trusted_proxies.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["127.0.0.1/32", "fd00::/8"]
    );
    assert!(!config.rate_limits);
    let bounds = config.bounds();
    assert_eq!((bounds.connections, bounds.connections_per_address), (500, 50));
    assert_eq!(bounds.trusted_proxies, config.trusted_proxies);
    assert_eq!(config.metrics_bind.unwrap().port(), 9000);
    assert_eq!(config.federation.allow_addresses[0].to_string(), "10.0.0.0/8");
    assert!(config.federation.allow_http);
    assert_eq!(config.log, Log { format: LogFormat::Json, level: "warn,federation=debug".to_owned() });
    assert_eq!(config.limits, Limits { post_chars: 500, ..Limits::default() });
}

#[test]
fn the_environment_wins_over_the_file() {
    let config = read(
        "url = 'https://maple.example'\nsign_up = 'open'\n[federation]\nallow_http = true",
        &[
            ("PORCHLIGHT_URL", "https://willow.example"),
            ("PORCHLIGHT_FEDERATION__ALLOW_HTTP", "false"),
            ("PORCHLIGHT_FEDERATION__ALLOW_ADDRESSES", "127.0.0.0/8, ::1"),
            ("PORCHLIGHT_LIMITS__POST_CHARS", "640"),
            ("PORCHLIGHT_TRUSTED_PROXIES", ""),
            ("PORCHLIGHT_CONFIG", "elsewhere.toml"),
            ("PORCHLIGHT_TEST_POSTGRES", "postgres://"),
            ("PORCHLIGHTS", "a street of them"),
        ],
    )
    .unwrap();
    assert_eq!(config.url.base(), "https://willow.example");
    assert_eq!(config.sign_up, SignUp::Open, "what the environment does not name stays");
    assert!(!config.federation.allow_http);
    assert_eq!(config.federation.allow_addresses.len(), 2);
    assert_eq!(config.limits.post_chars, 640);
    assert!(config.trusted_proxies.is_empty());
}

#[test]
fn a_wrong_value_names_key_value_and_what_is_allowed() {
    let wrong = [
        ("PORCHLIGHT_URL", "maple.example", "http:// or https://"),
        ("PORCHLIGHT_URL", "https://maple.example/social", "nothing after it"),
        ("PORCHLIGHT_URL", "https://dana@maple.example", "nothing after it"),
        ("PORCHLIGHT_URL", "ftp://maple.example", "http:// or https://"),
        ("PORCHLIGHT_BIND", "4000", "127.0.0.1:4000"),
        ("PORCHLIGHT_DATABASE_URL", "mysql://db/porchlight", "sqlite:///"),
        ("PORCHLIGHT_DATABASE_URL", "sqlite://porchlight.db", "sqlite:///"),
        ("PORCHLIGHT_DATABASE_URL", "postgres://db", "postgres://user:password@host/name"),
        ("PORCHLIGHT_DATABASE_CONNECTIONS", "1", "from 3 to 1000"),
        ("PORCHLIGHT_DATA_DIR", "", "the path of a folder"),
        ("PORCHLIGHT_SIGN_UP", "yes", "open, approval, invite or closed"),
        ("PORCHLIGHT_SOURCE_URL", "git.maple.example", "a whole address"),
        ("PORCHLIGHT_SOURCE_URL", "javascript:alert(1)", "a whole address"),
        ("PORCHLIGHT_TRUSTED_PROXIES", "10.0.0.0/8,proxy", "10.0.0.0/8"),
        ("PORCHLIGHT_RATE_LIMITS", "off", "true or false"),
        ("PORCHLIGHT_CONNECTIONS", "0", "from 16 to 1000000"),
        ("PORCHLIGHT_CONNECTIONS_PER_ADDRESS", "none", "from 4 to 1000000"),
        ("PORCHLIGHT_METRICS_BIND", "localhost", "an address and a port"),
        ("PORCHLIGHT_FEDERATION__ALLOW_ADDRESSES", "10.0.0.0/33", "10.0.0.0/8"),
        ("PORCHLIGHT_FEDERATION__ALLOW_HTTP", "1", "true or false"),
        ("PORCHLIGHT_FEDERATION__MEDIA_BYTES", "1", "from 1024 to 1073741824"),
        ("PORCHLIGHT_FEDERATION__FETCH_BUDGET", "0", "from 1 to 1000"),
        ("PORCHLIGHT_FEDERATION__DELIVERIES", "x", "from 1 to 1000"),
        ("PORCHLIGHT_FEDERATION__DELIVERIES_PER_HOST", "4.5", "from 1 to 1000"),
        ("PORCHLIGHT_LOG__FORMAT", "xml", "text or json"),
        ("PORCHLIGHT_LOG__LEVEL", "a=b=c", "error, warn, info, debug, trace"),
        ("PORCHLIGHT_LOG__LEVEL", "loud", "error, warn, info, debug, trace"),
        ("PORCHLIGHT_LOG__LEVEL", "", "error, warn, info, debug, trace"),
        ("PORCHLIGHT_LOG__LEVEL", "info,federation", "error, warn, info, debug, trace"),
        ("PORCHLIGHT_LOG__LEVEL", "info,federation=loud", "error, warn, info, debug, trace"),
        ("PORCHLIGHT_LIMITS__PINS", "many", "a whole number"),
        ("PORCHLIGHT_LIMITS__PINS", "-1", "a whole number"),
        ("PORCHLIGHT_LIMITS__PINS", "99999999999", "a whole number"),
    ];
    for (key, value, allowed) in wrong {
        let mistake = mistake("", &[(key, value)]);
        assert!(mistake.starts_with(&format!("`{key}` is `{value}`; allowed: ")), "{mistake}");
        assert!(mistake.contains(allowed), "{mistake}");
    }
}

#[test]
fn every_level_and_every_part_may_be_logged() {
    for level in ["error", "warn", "INFO", "debug", "trace", "off", "warn,federation=debug", "federation::inbox=trace"]
    {
        let config = read("", &[("PORCHLIGHT_LOG__LEVEL", level)]).unwrap();
        assert_eq!(config.log.level, level);
    }
}

#[test]
fn a_mistake_in_the_file_names_the_file() {
    let mistake = mistake("[log]\nformat = 7", &[]);
    assert!(
        mistake.starts_with("`log.format` in ") && mistake.contains(".toml is `7`; allowed: text or json"),
        "{mistake}"
    );
    let list = self::mistake("bind = ['127.0.0.1:4000']", &[]);
    assert!(list.contains("is `[127.0.0.1:4000]`"), "{list}");
}

#[test]
fn an_unknown_key_is_refused_with_a_hint() {
    let misspelt = mistake("[federation]\nallowhttp = true", &[]);
    assert!(misspelt.contains("`federation.allowhttp` in "), "{misspelt}");
    assert!(misspelt.contains("is not a key; did you mean `federation.allow_http`?"), "{misspelt}");
    let misplaced = mistake("allow_http = true", &[]);
    assert!(misplaced.ends_with("did you mean `federation.allow_http`?"), "{misplaced}");
    let single = mistake("", &[("PORCHLIGHT_FEDERATION_ALLOW_HTTP", "true")]);
    assert!(single.starts_with("`PORCHLIGHT_FEDERATION_ALLOW_HTTP` is not a key; did you mean"), "{single}");
    let section = mistake("federation = true", &[]);
    assert!(
        section.contains("`federation` in ") && section.ends_with("config.example.toml lists every key"),
        "{section}"
    );
    let nowhere = mistake("colour = 'warm'", &[]);
    assert!(nowhere.ends_with("config.example.toml lists every key"), "{nowhere}");
}

/// A slip in the environment that started the server as if nothing had been said would be found out much later.
#[test]
fn a_slip_of_a_key_is_refused_and_the_key_is_named() {
    for (slip, meant) in [
        ("PORCHLIGHT_TRUSTED_PROXYS", "PORCHLIGHT_TRUSTED_PROXIES"),
        ("PORCHLIGHT_DATABASE_ULR", "PORCHLIGHT_DATABASE_URL"),
        ("PORCHLIGHT_URI", "PORCHLIGHT_URL"),
        ("PORCHLIGHT_BNID", "PORCHLIGHT_BIND"),
        ("PORCHLIGHT_SIGNUP", "PORCHLIGHT_SIGN_UP"),
        ("PORCHLIGHT_FEDERATION__ALOW_HTTP", "PORCHLIGHT_FEDERATION__ALLOW_HTTP"),
        ("PORCHLIGHT_LOG_LEVL", "PORCHLIGHT_LOG__LEVEL"),
        ("PORCHLIGHT_LIMITS__POST_CHAR", "PORCHLIGHT_LIMITS__POST_CHARS"),
    ] {
        let mistake = mistake("", &[(slip, "1")]);
        assert_eq!(mistake, format!("`{slip}` is not a key; did you mean `{meant}`?"));
        let key = |name: &str| name.trim_start_matches("PORCHLIGHT_").replace("__", ".").to_lowercase();
        let in_file = self::mistake(&format!("{} = 1", key(slip)), &[]);
        assert!(in_file.ends_with(&format!("did you mean `{}`?", key(meant))), "{in_file}");
    }
}

/// A service of this name tells every container beside it where it is.
#[test]
fn what_kubernetes_sets_for_a_service_is_warned_of_and_no_more() {
    let set = [
        ("PORCHLIGHT_PORT", "tcp://10.0.0.7:4000"),
        ("PORCHLIGHT_PORT_4000_TCP", "tcp://10.0.0.7:4000"),
        ("PORCHLIGHT_PORT_4000_TCP_ADDR", "10.0.0.7"),
        ("PORCHLIGHT_PORT_4000_TCP_PORT", "4000"),
        ("PORCHLIGHT_PORT_4000_TCP_PROTO", "tcp"),
        ("PORCHLIGHT_SERVICE_HOST", "10.0.0.7"),
        ("PORCHLIGHT_SERVICE_PORT", "4000"),
        ("PORCHLIGHT_SERVICE_PORT_HTTP", "4000"),
        // Of services called porchlight-log and porchlight-bin: the names are near to keys.
        ("PORCHLIGHT_LOG_SERVICE_HOST", "10.0.0.8"),
        ("PORCHLIGHT_BIN_PORT", "tcp://10.0.0.8:80"),
        ("PORCHLIGHT_COLOUR", "warm"),
    ];
    let config = read("", &set).unwrap();
    assert_eq!(config.ignored.len(), set.len());
    assert_eq!(config.bind, Config::default().bind);
    let warnings = config.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    for (name, _) in set {
        assert!(warnings[0].contains(name), "{warnings:?}");
    }
}

#[test]
fn all_mistakes_are_named_at_once() {
    let mistakes = read("bind = 'here'\ncolour = 'warm'", &[("PORCHLIGHT_SIGN_UP", "maybe")]).unwrap_err();
    assert_eq!(mistakes.all().len(), 3, "{mistakes}");
}

#[test]
fn a_refused_database_keeps_its_password() {
    let mistake = mistake("", &[("PORCHLIGHT_DATABASE_URL", "mysql://dana:geheim@db/porchlight")]);
    assert!(mistake.contains("`mysql://dana:…@db/porchlight`") && !mistake.contains("geheim"), "{mistake}");
}

#[test]
fn a_missing_or_broken_file_is_named() {
    let missing = Config::read(Some(Path::new("/nowhere/config.toml")), BTreeMap::new()).unwrap_err();
    assert!(missing.to_string().contains("cannot read /nowhere/config.toml: "), "{missing}");
    let broken = mistake("url = ", &[]);
    assert!(broken.contains(".toml is not TOML: "), "{broken}");
}

#[test]
fn what_is_hardly_meant_is_warned_of() {
    let plain = read("url = 'http://maple.example'", &[]).unwrap();
    assert_eq!(plain.warnings().len(), 1, "{:?}", plain.warnings());
    let open = read("url = 'https://maple.example'\nbind = '0.0.0.0:4000'\nrate_limits = false", &[]).unwrap();
    assert_eq!(open.warnings().len(), 2, "{:?}", open.warnings());
    let here = read("url = 'https://maple.example'", &[]).unwrap();
    assert!(here.warnings()[0].contains("`trusted_proxies` is empty"), "behind a proxy on the same machine, too");
}

/// Every key there is, as `config.example.toml` would write it.
fn keys() -> BTreeSet<String> {
    fn walk(above: &str, value: &serde_json::Value, into: &mut BTreeSet<String>) {
        match value.as_object() {
            Some(object) => object.iter().for_each(|(key, value)| {
                walk(&if above.is_empty() { key.clone() } else { format!("{above}.{key}") }, value, into);
            }),
            None => {
                into.insert(above.to_owned());
            }
        }
    }
    let mut keys = BTreeSet::new();
    walk("", &serde_json::to_value(Config::default()).unwrap(), &mut keys);
    keys
}

fn document(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)).unwrap()
}

#[test]
fn the_example_holds_every_key_at_its_default() {
    let text = document("config.example.toml");
    assert_eq!(read(&text, &[]).unwrap(), Config::default());
    let table: serde_json::Value = toml::from_str(&text).unwrap();
    let missing: Vec<_> =
        keys().into_iter().filter(|key| table.pointer(&format!("/{}", key.replace('.', "/"))).is_none()).collect();
    assert!(missing.is_empty(), "config.example.toml does not say: {missing:?}");
}

#[test]
fn the_document_explains_every_key() {
    let text = document("docs/config.md");
    let missing: Vec<_> = keys().into_iter().filter(|key| !text.contains(&format!("`{key}`"))).collect();
    assert!(missing.is_empty(), "docs/config.md does not explain: {missing:?}");
}
