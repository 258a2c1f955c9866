//! The parameters of a `Signature` header, read strictly and without panics.
//!
//! Only splits text into parameters; which of them are needed and what they must hold is for `parse`.

/// `name="value"` or `name=value`, as they came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Fields<'a> {
    pub key_id: Option<&'a str>,
    pub algorithm: Option<&'a str>,
    pub created: Option<&'a str>,
    pub expires: Option<&'a str>,
    pub headers: Option<&'a str>,
    pub signature: Option<&'a str>,
}

impl<'a> Fields<'a> {
    /// Reads `keyId="…", algorithm=hs2019,…`: spaces around separators are allowed, commas and `=` inside quotes
    /// belong to the value. Unknown parameters are passed over, a known one that comes twice refuses all.
    pub fn read(mut rest: &'a str) -> Option<Self> {
        let mut fields = Self::default();
        rest = rest.trim();
        while !rest.is_empty() {
            let (name, after) = rest.split_once('=')?;
            let name = name.trim();
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric()) {
                return None;
            }
            let after = after.trim_start();
            let (value, after) = match after.strip_prefix('"') {
                // Nothing we accept needs a quoted pair, so a backslash has no meaning and the next quote ends it.
                Some(quoted) => quoted.split_once('"')?,
                None => {
                    let end = after.find(',').unwrap_or(after.len());
                    let bare = after[..end].trim();
                    // A quote that opens nothing: what it was meant to hold cannot be told.
                    if bare.contains('"') {
                        return None;
                    }
                    (bare, &after[end..])
                }
            };
            let slot = match name {
                "keyId" => Some(&mut fields.key_id),
                "algorithm" => Some(&mut fields.algorithm),
                "created" => Some(&mut fields.created),
                "expires" => Some(&mut fields.expires),
                "headers" => Some(&mut fields.headers),
                "signature" => Some(&mut fields.signature),
                _ => None,
            };
            if let Some(slot) = slot
                && slot.replace(value).is_some()
            {
                return None;
            }
            let after = after.trim_start();
            rest = match after.strip_prefix(',') {
                Some(next) => next.trim_start(),
                None if after.is_empty() => after,
                None => return None,
            };
        }
        Some(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_spaces_and_bare_numbers_are_read() {
        let read = Fields::read(
            r#" keyId="https://a.example/users/x?a=1,2#main-key" , algorithm=hs2019 ,created=17, headers="host date", signature="aa==" ,x="y""#,
        )
        .unwrap();
        assert_eq!(read.key_id, Some("https://a.example/users/x?a=1,2#main-key"));
        assert_eq!(read.algorithm, Some("hs2019"));
        assert_eq!(read.created, Some("17"));
        assert_eq!(read.headers, Some("host date"));
        assert_eq!(read.signature, Some("aa=="));
    }

    #[test]
    fn broken_and_doubled_parameters_are_refused() {
        for bad in [
            r#"keyId="a"#,
            r#"keyId"#,
            r#"keyId="a" signature="b""#,
            r#"keyId="a",keyId="b""#,
            r#"="a""#,
            r#"key id="a""#,
            r#",keyId="a""#,
            r#"keyId=a","#,
            r#"keyId=a"b,headers="x""#,
        ] {
            assert_eq!(Fields::read(bad), None, "{bad}");
        }
    }
}
