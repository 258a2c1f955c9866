//! What other programs send, read into our structs: one snapshot for each sample in `fixtures/<software>/`.
//!
//! A bug in understanding another program begins with a new sample here.

use std::path::Path;

use federation::wire::lenient;
use federation::wire::read::{ReceivedActivity, ReceivedActor, ReceivedNote};
use serde_json::{Value, json};

/// Everything we understand of a document, or why we do not.
fn understood(value: &Value) -> Value {
    let result = |r: Result<Value, String>| r.unwrap_or_else(|why| json!({"refused": why}));
    let to = |v: &dyn erased::Serialize| v.to_json();
    match lenient::types(value).next().unwrap_or_default() {
        "Person" | "Service" | "Group" | "Application" | "Organization" => {
            result(ReceivedActor::read(value).map(|a| to(&a)).map_err(|e| e.to_string()))
        }
        "Note" | "ChatMessage" | "Question" | "Article" | "Page" | "Event" | "Video" | "Image" | "Audio" => note(value),
        _ => {
            let read = ReceivedActivity::read(value);
            let inner = read.as_ref().ok().and_then(|a| a.object.value.clone());
            let mut shown = result(read.map(|a| to(&a)).map_err(|e| e.to_string()));
            if let Some(inner) = inner.filter(|inner| inner.get("type").is_some()) {
                shown["object"] = understood(&inner);
            }
            shown
        }
    }
}

fn note(value: &Value) -> Value {
    match ReceivedNote::read(value) {
        Ok(note) => {
            let followers = format!("{}/followers", note.attributed_to);
            let mut shown = serde_json::to_value(&note).unwrap();
            shown["visibility"] = json!(note.visibility(Some(&followers)));
            shown
        }
        Err(why) => json!({"refused": why.to_string()}),
    }
}

/// Serialising whatever the readers give, without naming each type.
mod erased {
    pub trait Serialize {
        fn to_json(&self) -> serde_json::Value;
    }
    impl<T: serde::Serialize> Serialize for T {
        fn to_json(&self) -> serde_json::Value {
            serde_json::to_value(self).unwrap()
        }
    }
}

#[test]
fn samples_of_other_programs_are_understood() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut seen = 0;
    let mut folders: Vec<_> = std::fs::read_dir(&root).unwrap().map(|e| e.unwrap().path()).collect();
    folders.sort();
    for folder in folders {
        let software = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
        files.sort();
        for file in files {
            let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
            let value = lenient::parse(&std::fs::read(&file).unwrap()).unwrap();
            insta::assert_json_snapshot!(format!("{software}__{name}"), understood(&value));
            seen += 1;
        }
    }
    assert!(seen >= 50, "only {seen} samples were found");
}
