//! The names of stored files: random, so that nobody can guess one, and of one shape, so that nothing can hide in
//! one. What posts show lies in a folder of its own: a name says by itself whether it is for everybody.

use std::fmt;

/// A file's name in the store: `ab/cd/<32 hex digits>.<extension>`, where `abcd` are the first of the digits; what posts
/// show begins with `posts/`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MediaKey(String);

/// The text is not the name of a stored file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a stored file")]
pub struct InvalidKey;

/// What may be stored: extension and media type. None of it runs in a browser.
const TYPES: &[(&str, &str)] = &[
    ("gif", "image/gif"),
    ("jpg", "image/jpeg"),
    ("m4a", "audio/mp4"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("oga", "audio/ogg"),
    ("png", "image/png"),
    ("wav", "audio/wav"),
    ("webm", "video/webm"),
    ("webp", "image/webp"),
];

impl MediaKey {
    const DIGITS: usize = 32;
    const OF_POSTS: &str = "posts/";

    /// A new name for what everybody may see: avatars, headers, emoji. `random` must come from a cryptographic source.
    ///
    /// # Errors
    /// When files with this extension are not stored.
    pub fn new(random: [u8; 16], extension: &str) -> Result<Self, InvalidKey> {
        Self::below("", random, extension)
    }

    /// A new name for what a post shows, or will. Who may see it is asked each time.
    ///
    /// # Errors
    /// As [`MediaKey::new`].
    pub fn of_post(random: [u8; 16], extension: &str) -> Result<Self, InvalidKey> {
        Self::below(Self::OF_POSTS, random, extension)
    }

    fn below(folder: &str, random: [u8; 16], extension: &str) -> Result<Self, InvalidKey> {
        use fmt::Write;
        let mut digits = String::with_capacity(Self::DIGITS);
        for byte in random {
            // Writing to a string cannot fail.
            let _ = write!(digits, "{byte:02x}");
        }
        Self::parse(&format!("{folder}{}/{}/{digits}.{extension}", &digits[..2], &digits[2..4]))
    }

    /// # Errors
    /// When the text has any other shape: no `..`, no leading `/`, no other characters get through.
    pub fn parse(text: &str) -> Result<Self, InvalidKey> {
        let mut parts = text.strip_prefix(Self::OF_POSTS).unwrap_or(text).split('/');
        let (Some(first), Some(second), Some(file), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(InvalidKey);
        };
        let (digits, extension) = file.split_once('.').ok_or(InvalidKey)?;
        let hex = digits.len() == Self::DIGITS && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let known = TYPES.iter().any(|(known, _)| *known == extension);
        if hex && known && first == &digits[..2] && second == &digits[2..4] {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidKey)
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Does a post show it, or will one?
    #[must_use]
    pub fn is_of_post(&self) -> bool {
        self.0.starts_with(Self::OF_POSTS)
    }

    /// The media type, by the extension.
    #[must_use]
    pub fn content_type(&self) -> &'static str {
        let extension = self.0.rsplit('.').next().unwrap_or_default();
        TYPES.iter().find(|(known, _)| *known == extension).map_or("application/octet-stream", |(_, mime)| mime)
    }

    /// An HTTP entity tag, quotes included. A file never changes under its name, so the name will do.
    #[must_use]
    pub fn etag(&self) -> String {
        let digits = self.0.rsplit('/').next().and_then(|file| file.split('.').next()).unwrap_or_default();
        format!("\"{digits}\"")
    }
}

impl fmt::Display for MediaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<MediaKey> for String {
    fn from(key: MediaKey) -> Self {
        key.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_made_of_the_random_bytes() {
        let key = MediaKey::new([0xab; 16], "jpg").unwrap();
        assert_eq!(key.as_str(), "ab/ab/abababababababababababababababab.jpg");
        assert_eq!(MediaKey::parse(key.as_str()), Ok(key.clone()));
        assert_eq!(key.content_type(), "image/jpeg");
        assert_eq!(key.etag(), "\"abababababababababababababababab\"");
        let of_post = MediaKey::of_post([0xab; 16], "jpg").unwrap();
        assert_eq!(of_post.as_str(), "posts/ab/ab/abababababababababababababababab.jpg");
        assert_eq!(MediaKey::parse(of_post.as_str()), Ok(of_post.clone()));
        assert_eq!((of_post.content_type(), of_post.etag()), (key.content_type(), key.etag()));
        assert_eq!((of_post.is_of_post(), key.is_of_post()), (true, false));
    }

    #[test]
    fn nothing_else_is_a_key() {
        let digits = "ab".repeat(16);
        assert!(MediaKey::parse(&format!("ab/ab/{digits}.png")).is_ok());
        for bad in [
            String::new(),
            "/".into(),
            "..".into(),
            "../../etc/passwd".into(),
            "/etc/passwd".into(),
            format!("/ab/ab/{digits}.png"),
            format!("ab/ab/../{digits}.png"),
            format!("posts/posts/ab/ab/{digits}.png"),
            format!("posts//ab/ab/{digits}.png"),
            format!("posts/{digits}.png"),
            format!("people/ab/ab/{digits}.png"),
            format!("ab/cd/{digits}.png"),
            format!("ab//{digits}.png"),
            format!("ab/ab/{digits}.png/"),
            format!("ab/ab/{digits}.svg"),
            format!("ab/ab/{digits}.html"),
            format!("ab/ab/{digits}.png.html"),
            format!("ab/ab/{digits}"),
            format!("ab/ab/{}.png", digits.to_uppercase()),
            format!("ab/ab/{}.png", &digits[1..]),
            format!("ab\\ab\\{digits}.png"),
            format!("ab/ab/{digits}.png\0"),
            format!("ab/ab/%2e%2e/{digits}.png"),
            format!("äb/ab/{digits}.png"),
        ] {
            assert_eq!(MediaKey::parse(&bad), Err(InvalidKey), "{bad}");
        }
        for bad in ["svg", "html", "", "../x", "JPG", "jpg/../.."] {
            assert_eq!(MediaKey::new([1; 16], bad), Err(InvalidKey), "{bad}");
        }
    }
}
