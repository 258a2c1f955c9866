//! The rules of `docs/architecture.md` that a test can hold. Each failure says the rule, where it is broken, and what
//! to do instead.
//!
//! Reads files only: it builds nothing and knows no code but its text.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Left to right: a crate imports only from those before it.
const ORDER: &[&str] = &["domain", "media", "storage", "app", "federation", "web", "server"];

/// Crates that may talk SQL: the one that is made of it, and the one that makes databases for tests.
const MAY_USE_SQLX: &[&str] = &["storage", "testkit"];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] =
    &["util", "utils", "helper", "helpers", "common", "misc", "service", "services", "manager", "shared", "core"];

/// Lines after which a file is several rooms that nobody has told apart yet.
const LONGEST_FILE: usize = 600;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Every file below `folder` whose name ends so, as paths from the root.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, ending: &str, into: &mut Vec<PathBuf>) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, ending, into);
            } else if path.to_str().is_some_and(|path| path.ends_with(ending)) {
                into.push(path);
            }
        }
    }
    let root = root();
    let mut found = Vec::new();
    walk(&root.join(folder), ending, &mut found);
    found.sort();
    found.into_iter().map(|path| path.strip_prefix(&root).unwrap().to_path_buf()).collect()
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The parsed `Cargo.toml` of every crate, by the folder's name.
fn manifests() -> BTreeMap<String, toml::Table> {
    let manifests: BTreeMap<_, _> = std::fs::read_dir(root().join("crates"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        // A workspace of its own, which the fuzzer builds.
        .filter(|name| name != "fuzz")
        .map(|name| {
            let manifest = text(&Path::new("crates").join(&name).join("Cargo.toml"));
            (name, manifest.parse().unwrap())
        })
        .collect();
    assert!(manifests.len() > ORDER.len(), "the crates are not where this test looks for them");
    manifests
}

fn dependencies<'a>(manifest: &'a toml::Table, kind: &str) -> BTreeSet<&'a str> {
    let table = manifest.get(kind).and_then(toml::Value::as_table);
    table.into_iter().flatten().map(|(name, _)| name.as_str()).collect()
}

/// Fails with all that broke a rule, or passes in silence.
fn hold(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}\n  {}", broken.join("\n  "));
}

fn place(path: &Path, line: usize, text: &str) -> String {
    format!("{}:{}: {}", path.display(), line + 1, text.trim())
}

#[test]
fn crates_import_only_from_their_left() {
    let mut broken = Vec::new();
    for (name, manifest) in manifests() {
        let place = ORDER.iter().position(|other| *other == name);
        for kind in ["dependencies", "build-dependencies"] {
            for other in dependencies(&manifest, kind) {
                let wrong = match (place, ORDER.iter().position(|known| *known == other)) {
                    (Some(mine), Some(theirs)) => theirs >= mine,
                    (Some(_), None) => other == "testkit",
                    // testkit sees everything; chores see nothing.
                    (None, Some(_)) => name != "testkit",
                    (None, None) => false,
                };
                if wrong {
                    broken.push(format!("{name} depends on {other}"));
                }
            }
        }
    }
    hold(&format!("A crate imports only from its left: {}. testkit is for tests only.", ORDER.join(" → ")), &broken);
}

#[test]
fn a_crate_lies_in_the_folder_of_its_name() {
    let known: BTreeSet<_> = ORDER.iter().copied().chain(["testkit", "xtask"]).collect();
    let found = manifests();
    let found: BTreeSet<_> = found.keys().map(String::as_str).collect();
    assert_eq!(found, known, "A new crate needs a place in the order: add it here and to docs/architecture.md.");
}

#[test]
fn crates_share_the_lints() {
    let lax: Vec<_> = manifests()
        .into_iter()
        .filter(|(_, manifest)| {
            let lints = manifest.get("lints").and_then(|lints| lints.get("workspace"));
            lints.and_then(toml::Value::as_bool) != Some(true)
        })
        .map(|(name, _)| name)
        .collect();
    hold("Every crate has `[lints] workspace = true`; these have not:", &lax);
}

#[test]
fn tests_of_a_crate_are_one_binary() {
    let several: Vec<_> = manifests()
        .into_iter()
        .filter(|(name, _)| root().join("crates").join(name).join("tests").is_dir())
        .filter(|(_, manifest)| {
            let found = manifest["package"].get("autotests").and_then(toml::Value::as_bool);
            let named = manifest.get("test").and_then(toml::Value::as_array).map(Vec::len);
            (found, named) != (Some(false), Some(1))
        })
        .map(|(name, _)| name)
        .collect();
    hold("Each test binary is linked anew: `autotests = false`, and one [[test]] with modules, not so here:", &several);
}

#[test]
fn sql_lives_in_storage() {
    let mut broken: Vec<_> = manifests()
        .into_iter()
        .filter(|(name, _)| !MAY_USE_SQLX.contains(&name.as_str()))
        .filter(|(_, manifest)| {
            ["dependencies", "dev-dependencies"].iter().any(|kind| dependencies(manifest, kind).contains("sqlx"))
        })
        .map(|(name, _)| format!("{name} depends on sqlx"))
        .collect();
    let elsewhere = files("crates", ".rs").into_iter().filter(|path| {
        !MAY_USE_SQLX.iter().any(|name| path.starts_with(format!("crates/{name}"))) && !is_this_file(path)
    });
    for path in elsewhere {
        for (number, line) in text(&path).lines().enumerate() {
            if ["\"SELECT ", "\"INSERT INTO ", "\"DELETE FROM ", "\"UPDATE "].iter().any(|sql| line.contains(sql)) {
                broken.push(place(&path, number, line));
            }
        }
    }
    hold("SQL only in storage: give it a function there, which takes &mut Conn.", &broken);
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |engine: &str| -> BTreeSet<String> {
        let folder = format!("migrations/{engine}");
        files(&folder, ".sql").iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
    };
    let (sqlite, postgres) = (names("sqlite"), names("postgres"));
    assert!(!sqlite.is_empty(), "there are no migrations where this test looks for them");
    let odd: Vec<_> = sqlite.symmetric_difference(&postgres).cloned().collect();
    hold("migrations/sqlite and migrations/postgres hold the same names; these stand in one of them only:", &odd);

    let misnamed: Vec<_> = sqlite
        .iter()
        .filter(|name| {
            let (number, what) = name.trim_end_matches(".sql").split_once("__").unwrap_or((name, ""));
            number.len() != 4 || !number.bytes().all(|b| b.is_ascii_digit()) || what.is_empty()
        })
        .cloned()
        .collect();
    hold("A migration is named NNNN__area__what.sql, or NNNN__area.sql where it begins one:", &misnamed);
}

#[test]
fn every_file_says_why_it_exists() {
    let silent: Vec<_> = files("crates", ".rs")
        .into_iter()
        .filter(|path| !text(path).starts_with("//! "))
        .map(|path| path.display().to_string())
        .collect();
    hold("A file starts with `//!`: why it exists and what it never does.", &silent);
}

#[test]
fn names_say_what_is_inside() {
    let empty: Vec<_> = files("crates", ".rs")
        .into_iter()
        .filter(|path| {
            let parts = path.iter().filter_map(|part| part.to_str());
            parts.skip(2).any(|part| EMPTY_NAMES.contains(&part.trim_end_matches(".rs")))
        })
        .map(|path| path.display().to_string())
        .collect();
    hold("A module is named after what it does, never utils, helpers, common, service, manager …:", &empty);
}

#[test]
fn lints_are_expected_with_a_reason_never_allowed() {
    // Written apart, so that this line does not find itself.
    let allow = ["#[", "allow("].concat();
    let allow_all = ["#![", "allow("].concat();
    let mut broken = Vec::new();
    for path in files("crates", ".rs") {
        for (number, line) in text(&path).lines().enumerate() {
            if line.contains(&allow) || line.contains(&allow_all) {
                broken.push(place(&path, number, line));
            }
        }
    }
    hold("Write #[expect(lint, reason = \"…\")]: it tells why, and complains once it is needless.", &broken);
}

#[test]
fn no_test_is_skipped() {
    let ignore = ["#[", "ignore"].concat();
    let mut broken = Vec::new();
    for path in files("crates", ".rs") {
        for (number, line) in text(&path).lines().enumerate() {
            if line.trim_start().starts_with(&ignore) {
                broken.push(place(&path, number, line));
            }
        }
    }
    hold("A test runs or goes.", &broken);
}

#[test]
fn files_stay_short() {
    let long: Vec<_> = files("crates", ".rs")
        .into_iter()
        .map(|path| (text(&path).lines().count(), path))
        .filter(|(lines, _)| *lines > LONGEST_FILE)
        .map(|(lines, path)| format!("{} has {lines} lines", path.display()))
        .collect();
    hold(&format!("A file of more than {LONGEST_FILE} lines wants to be several rooms:"), &long);
}

#[test]
fn time_comes_from_the_clock() {
    let mut broken = Vec::new();
    for path in files("crates", ".rs").into_iter().filter(|path| !is_this_file(path)) {
        for (number, line) in text(&path).lines().enumerate() {
            let asks = ["SystemTime::now", "Utc::now", "Local::now"].iter().any(|call| line.contains(call));
            if asks && !path.ends_with("domain/src/clock.rs") {
                broken.push(place(&path, number, line));
            }
        }
    }
    hold("Time comes from domain::Clock, which tests can move:", &broken);
}

#[test]
fn client_api_shapes_live_in_dto_and_json_ld_in_wire() {
    let mut broken = Vec::new();
    for path in files("crates", ".rs") {
        let shown = path.display().to_string();
        let allowed = ["crates/federation/", "crates/testkit/"].iter().any(|folder| shown.starts_with(folder));
        if allowed || shown.contains("/tests") {
            continue;
        }
        for (number, line) in text(&path).lines().enumerate() {
            if line.contains("\"@context\"") || line.contains("www.w3.org/ns/activitystreams") {
                broken.push(place(&path, number, line));
            }
        }
    }
    hold("JSON-LD only in federation: what other servers read is made in federation/wire.", &broken);
}

/// A redirect leads to a path of ours or to an address that an app registered, because one file makes all of them.
#[test]
fn redirects_are_made_in_one_place() {
    let mut broken = Vec::new();
    for path in files("crates/web/src", ".rs").into_iter().filter(|path| !path.ends_with("ui/visitor.rs")) {
        for (number, line) in text(&path).lines().enumerate() {
            if ["LOCATION", "REFRESH", "Redirect::to", "Redirect::temporary", "\"location\"", "\"refresh\""]
                .iter()
                .any(|way| line.contains(way))
            {
                broken.push(place(&path, number, line));
            }
        }
    }
    for path in files("crates/web/templates", ".html") {
        for (number, line) in text(&path).lines().enumerate() {
            if line.contains("http-equiv") {
                broken.push(place(&path, number, line));
            }
        }
    }
    hold("Redirects are made by web::ui::visitor, which knows where they may lead:", &broken);
}

/// A page makes no request to anybody but this server: nothing is loaded from elsewhere, by template or stylesheet.
#[test]
fn pages_load_nothing_from_elsewhere() {
    let mut broken = Vec::new();
    let sources = [("crates/web/templates", ".html"), ("crates/web/static", ".css"), ("crates/web/static", ".js")];
    for path in sources.into_iter().flat_map(|(folder, ending)| files(folder, ending)) {
        for (number, line) in text(&path).lines().enumerate() {
            let loads = ["src=\"http", "src=\"//", "srcset=\"http", "@import", "url(http", "url(//", "url(\"http"];
            let linked = line.contains("<link") && (line.contains("href=\"http") || line.contains("href=\"//"));
            let fetched = path.extension().is_some_and(|kind| kind == "js") && line.contains("https://");
            if linked || fetched || loads.iter().any(|load| line.contains(load)) {
                broken.push(place(&path, number, line));
            }
        }
    }
    hold("No page makes third-party requests: serve it from crates/web/static.", &broken);
}

/// A name in a right-to-left script, or one that ends in a mark, does not reorder the words around it.
#[test]
fn names_are_isolated_from_the_words_around_them() {
    let names = ["me.name", "plain_name", ".name|safe", "whom", "app"];
    let mut broken = Vec::new();
    for path in files("crates/web/templates", ".html") {
        for (number, line) in text(&path).lines().enumerate() {
            for (at, _) in line.match_indices("{{ ") {
                let (before, expression) = (&line[..at], line[at + 3..].split(" }}").next().unwrap_or_default());
                let named = names.iter().any(|name| expression.ends_with(name));
                let in_attribute = before.rfind('<') > before.rfind('>');
                if named && !in_attribute && !before.ends_with("<bdi>") && !before.ends_with("<dt dir=\"auto\">") {
                    broken.push(place(&path, number, line));
                }
            }
        }
    }
    hold("A name in a text is written <bdi>{{ name }}</bdi>:", &broken);
}

/// What people read never speaks of the machinery.
#[test]
fn pages_speak_plainly() {
    let jargon = ["toot", "fediverse", "federat", "follower", "instance", "boost"];
    let mut broken = Vec::new();
    for path in files("crates/web/templates", ".html") {
        for (number, line) in text(&path).lines().enumerate() {
            let words = words_people_see(line).to_lowercase();
            if jargon.iter().any(|word| words.contains(word)) {
                broken.push(place(&path, number, line));
            }
        }
    }
    hold(
        "The pages never say toot, instance, federate, boost, follower: see the words in docs/architecture.md.",
        &broken,
    );
}

/// A template's line without tags, expressions and comments.
fn words_people_see(line: &str) -> String {
    let mut words = String::new();
    let mut rest = line;
    loop {
        let next = ["<", "{{", "{%", "{#"].iter().filter_map(|open| rest.find(open).map(|at| (at, *open))).min();
        let Some((at, open)) = next else { break };
        words.push_str(&rest[..at]);
        let close = match open {
            "<" => ">",
            "{{" => "}}",
            "{%" => "%}",
            _ => "#}",
        };
        rest = rest[at..].split_once(close).map_or("", |(_, after)| after);
    }
    words.push_str(rest);
    words
}

#[test]
fn what_people_see_is_told_from_what_templates_say() {
    let line =
        r#"<a class="boost" href="{{ post.boosts }}">shared {# a boost #}by {% if boosted %}you{% endif %}</a> again"#;
    assert_eq!(words_people_see(line), "shared by you again");
}

fn is_this_file(path: &Path) -> bool {
    path.ends_with("testkit/tests/architecture.rs")
}
