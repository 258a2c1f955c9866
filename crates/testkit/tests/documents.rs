//! What the documents point at exists: links lead somewhere, and files that are named are there.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// README and everything in docs, as paths from the root.
fn documents() -> Vec<PathBuf> {
    let root = root();
    let mut found = vec![PathBuf::from("README.md")];
    for folder in ["docs", "docs/adr"] {
        let entries = std::fs::read_dir(root.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        let texts = entries.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
        found.extend(texts.map(|path| path.strip_prefix(&root).unwrap().to_path_buf()));
    }
    assert!(found.len() > 5, "the documents are not where this test looks for them");
    found
}

/// What stands in the round brackets of `[…](…)`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0))
}

/// What stands in backticks, line by line.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    for document in documents() {
        let text = std::fs::read_to_string(root().join(&document)).unwrap();
        for link in links(&text).filter(|link| !link.contains("://") && !link.starts_with('#')) {
            let target = link.split('#').next().unwrap();
            let folder = document.parent().unwrap();
            if !root().join(folder).join(target).exists() {
                broken.push(format!("{} links to {link}", document.display()));
            }
        }
    }
    assert!(broken.is_empty(), "These lead nowhere:\n  {}", broken.join("\n  "));
}

/// A path in backticks that begins with one of our folders is a file or a folder.
#[test]
fn files_that_are_named_are_there() {
    let mut broken = Vec::new();
    for document in documents() {
        let text = std::fs::read_to_string(root().join(&document)).unwrap();
        for name in code(&text).filter(|name| name.starts_with("crates/") || name.starts_with("docs/")) {
            if !root().join(name).exists() {
                broken.push(format!("{} names {name}", document.display()));
            }
        }
    }
    assert!(broken.is_empty(), "These are not there (any more):\n  {}", broken.join("\n  "));
}

#[test]
fn links_and_names_are_found_in_a_text() {
    let text = "see [the map](map.md#north), `crates/app` and\n`docs/api.md` but not `this\nor` that";
    assert_eq!(links(text).collect::<Vec<_>>(), ["map.md#north"]);
    assert_eq!(code(text).filter(|name| name.contains('/')).collect::<Vec<_>>(), ["crates/app", "docs/api.md"]);
}
