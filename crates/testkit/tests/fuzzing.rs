//! What the fuzzer starts from, and what it found, holds (`crates/fuzz`): so the seeds stay good, and a finding mended.

use std::path::Path;

use crate::properties;

/// Runs a property on each file of its folder, and each file cut off at every byte.
fn holds(folder: &str, property: impl Fn(&[u8])) {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(folder);
    let mut count = 0;
    for entry in std::fs::read_dir(seeds).unwrap() {
        let path = entry.unwrap().path();
        let seed = std::fs::read(&path).unwrap();
        assert!(seed.len() < 1024, "{} is too large for a seed", path.display());
        for end in 0..=seed.len() {
            property(&seed[..end]);
        }
        count += 1;
    }
    assert!(count > 4, "{folder} has {count} seeds");
}

#[test]
fn signature_headers_mean_what_they_say() {
    holds("signature", properties::signature);
}

#[test]
fn documents_are_refused_or_within_their_limits() {
    holds("wire", properties::wire);
}

#[test]
fn html_is_safe_and_stays_so() {
    holds("html", properties::html);
}

#[test]
fn host_names_stay_what_they_are() {
    holds("host", properties::host);
}

#[test]
fn typed_texts_link_what_was_found() {
    holds("text", properties::text);
}
