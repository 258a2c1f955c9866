//! The files every page needs: one style sheet, the lamp, the drawings that stand in for missing pictures.
//!
//! They are part of the binary. Their addresses carry a hash of their bytes, so browsers may keep them for good
//! and still see a new version at once. Nothing here reads the disk.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::extract::{Path, RawQuery};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use sha2::{Digest, Sha256};

struct Asset {
    name: &'static str,
    mime: &'static str,
    bytes: &'static [u8],
}

const ASSETS: &[Asset] = &[
    Asset {
        name: "porchlight.css",
        mime: "text/css; charset=utf-8",
        bytes: include_bytes!("../../static/porchlight.css"),
    },
    Asset { name: "logo.svg", mime: "image/svg+xml", bytes: include_bytes!("../../static/logo.svg") },
    Asset { name: "touch-icon.png", mime: "image/png", bytes: include_bytes!("../../static/touch-icon.png") },
    Asset { name: "avatar.png", mime: "image/png", bytes: include_bytes!("../../static/avatar.png") },
    Asset { name: "header.png", mime: "image/png", bytes: include_bytes!("../../static/header.png") },
];

/// Eight hex digits of each file's SHA-256, in the order of [`ASSETS`].
static VERSIONS: LazyLock<Vec<String>> = LazyLock::new(|| {
    ASSETS
        .iter()
        .map(|asset| {
            Sha256::digest(asset.bytes).iter().take(4).fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            })
        })
        .collect()
});

fn find(name: &str) -> Option<(&'static Asset, &'static str)> {
    let at = ASSETS.iter().position(|asset| asset.name == name)?;
    Some((&ASSETS[at], &VERSIONS[at]))
}

/// The address of a file, with its version.
#[must_use]
pub fn address(name: &str) -> String {
    match find(name) {
        Some((_, version)) => format!("/static/{name}?v={version}"),
        None => format!("/static/{name}"),
    }
}

/// `GET /static/{name}`: kept for a year where the address names the version that it answers with, else for an hour.
pub async fn serve(Path(name): Path<String>, RawQuery(query): RawQuery) -> Response {
    let Some((asset, version)) = find(&name) else { return StatusCode::NOT_FOUND.into_response() };
    let current = query.as_deref().and_then(|q| q.strip_prefix("v=")) == Some(version);
    let cache = if current { "public, max-age=31536000, immutable" } else { "public, max-age=3600" };
    let headers = [
        (header::CONTENT_TYPE, asset.mime),
        (header::CACHE_CONTROL, cache),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; sandbox"),
    ];
    (headers, asset.bytes).into_response()
}

/// `GET /favicon.ico`: some browsers ask for it whatever the page says.
pub async fn favicon() -> Redirect {
    Redirect::permanent("/static/logo.svg")
}

/// `GET /robots.txt`: what people made public may be found, as far as each of them agreed (their pages say so
/// themselves); the doors and the machinery are nothing to find.
pub async fn robots() -> Response {
    const TEXT: &str = "User-agent: *\nDisallow: /api/\nDisallow: /oauth/\nDisallow: /media/\nDisallow: /invite/\n\
        Disallow: /login\nDisallow: /sign-up\nDisallow: /set-up\nDisallow: /authorize_interaction\nDisallow: /from-home\n";
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CACHE_CONTROL, "public, max-age=86400")], TEXT)
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_named_by_a_template_or_an_address_exists() {
        let templates = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/templates")).unwrap();
        let mut seen = 0;
        for file in templates {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for part in text.split("frame.asset(\"").skip(1) {
                let name = part.split('"').next().unwrap();
                assert!(find(name).is_some(), "{name} is not served");
                seen += 1;
            }
        }
        assert!(seen > 3);
        // The addresses that domain::Urls gives out where somebody has no picture.
        assert!(find("avatar.png").is_some() && find("header.png").is_some());
    }

    #[test]
    fn the_style_sheet_and_the_lamp_ask_nobody_else_for_anything() {
        for name in ["porchlight.css", "logo.svg"] {
            let text = std::str::from_utf8(find(name).unwrap().0.bytes).unwrap();
            let text = text.replace("http://www.w3.org/2000/svg", "");
            assert!(!text.contains("http") && !text.contains("@import") && !text.contains("url(//"), "{name}");
        }
    }
}
