//! Every way in which a signature was faked, replayed or made to crash a reader, and those it must accept.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

use super::*;
use crate::digest;
use domain::Timestamp;

const NOW: Timestamp = Timestamp(1_763_820_000_000);
const DOMAIN: &str = "maple.example";
const KEY_ID: &str = "https://willow.example/users/bob#main-key";
const BODY: &[u8] = br#"{"type":"Create"}"#;

struct Keys {
    signing: SigningKey,
    public: PublicKey,
}

fn keys() -> &'static Keys {
    static KEYS: std::sync::LazyLock<Keys> = std::sync::LazyLock::new(|| {
        let pair = app::keys::generate_now().unwrap();
        Keys {
            signing: SigningKey::from_pem(KEY_ID.into(), &pair.private_pem).unwrap(),
            public: PublicKey::from_pem(&pair.public_pem).unwrap(),
        }
    });
    &KEYS
}

fn set(headers: &mut HeaderMap, name: &str, value: &str) {
    headers.insert(HeaderName::try_from(name).unwrap(), HeaderValue::from_str(value).unwrap());
}

/// A correctly signed POST to our shared inbox.
fn signed_post(at: Timestamp) -> HeaderMap {
    let url = Url::parse("https://maple.example/inbox").unwrap();
    let signed = sign(&keys().signing, "POST", &url, Some(digest::header(BODY)), true, at).unwrap();
    let mut headers = HeaderMap::new();
    set(&mut headers, "host", &signed.host);
    set(&mut headers, "date", &signed.date);
    set(&mut headers, "digest", signed.digest.as_deref().unwrap());
    set(&mut headers, "signature", &signed.signature);
    headers
}

/// Signs exactly these lines with these parameters, as a sender with other habits would.
fn signed_by_hand(lines: &[(&str, &str)], extra: &str) -> HeaderMap {
    use base64::Engine as _;
    let text = lines.iter().map(|(k, v)| format!("{k}: {v}")).collect::<Vec<_>>().join("\n");
    let names = lines.iter().map(|(k, _)| *k).collect::<Vec<_>>().join(" ");
    let signature = base64::engine::general_purpose::STANDARD.encode(keys().signing.sign(text.as_bytes()).unwrap());
    let mut headers = HeaderMap::new();
    for (name, value) in lines.iter().filter(|(name, _)| !name.starts_with('(')) {
        set(&mut headers, name, value);
    }
    set(&mut headers, "signature", &format!(r#"keyId="{KEY_ID}",headers="{names}",signature="{signature}"{extra}"#));
    headers
}

fn post<'a>(headers: &'a HeaderMap) -> Expect<'a> {
    Expect { method: &Method::POST, target: "/inbox", headers, domain: DOMAIN, digest: true, now: NOW }
}

fn get<'a>(headers: &'a HeaderMap, target: &'a str) -> Expect<'a> {
    Expect { method: &Method::GET, target, headers, domain: DOMAIN, digest: false, now: NOW }
}

fn date() -> String {
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + std::time::Duration::from_millis(NOW.0.unsigned_abs()))
}

#[test]
fn what_we_sign_we_accept() {
    let headers = signed_post(NOW);
    let parsed = parse(&post(&headers)).unwrap();
    assert_eq!(parsed.key_id(), KEY_ID);
    assert_eq!(parsed.verify(&keys().public), Ok(()));
    assert_eq!(parsed.digest_header(), Some(digest::DigestHeader::Digest));
    assert_eq!(digest::check(&headers, digest::DigestHeader::Digest, BODY), Ok(()));
}

#[test]
fn a_replayed_signature_with_another_body_is_refused() {
    let headers = signed_post(NOW);
    assert_eq!(parse(&post(&headers)).unwrap().verify(&keys().public), Ok(()));
    // The signature itself is still right; only the digest tells.
    assert!(digest::check(&headers, digest::DigestHeader::Digest, br#"{"type":"Delete"}"#).is_err());
    // And a digest made for the new body breaks the signature.
    let mut forged = headers;
    set(&mut forged, "digest", &digest::header(br#"{"type":"Delete"}"#));
    assert_eq!(parse(&post(&forged)).unwrap().verify(&keys().public), Err(SignatureError::Wrong));
}

#[test]
fn another_path_method_or_key_is_refused() {
    let headers = signed_post(NOW);
    let elsewhere = Expect { target: "/users/dana/inbox", ..post(&headers) };
    assert_eq!(parse(&elsewhere).unwrap().verify(&keys().public), Err(SignatureError::Wrong));
    let put = Expect { method: &Method::PUT, ..post(&headers) };
    assert_eq!(parse(&put).unwrap().verify(&keys().public), Err(SignatureError::Wrong));
    let other = PublicKey::from_pem(&app::keys::generate_now().unwrap().public_pem).unwrap();
    assert_eq!(parse(&post(&headers)).unwrap().verify(&other), Err(SignatureError::Wrong));
}

#[test]
fn a_signature_for_another_host_is_refused() {
    let headers = signed_post(NOW);
    let ours = Expect { domain: "oak.example", ..post(&headers) };
    assert_eq!(parse(&ours), Err(SignatureError::WrongHost));
    let mut doubled = headers;
    doubled.append("host", HeaderValue::from_static("maple.example"));
    assert_eq!(parse(&post(&doubled)), Err(SignatureError::Malformed));
    for spelt in [DOMAIN, "Maple.Example", "maple.example.", "maple.example:443"] {
        let headers = signed_by_hand(&[("(request-target)", "get /actor"), ("host", spelt), ("date", &date())], "");
        assert!(parse(&get(&headers, "/actor")).is_ok(), "{spelt}");
    }
}

#[test]
fn clocks_may_be_off_by_an_hour_either_way_and_no_more() {
    for (minutes, ok) in [(-61, false), (-59, true), (0, true), (59, true), (61, false)] {
        let headers = signed_post(Timestamp(NOW.0 + minutes * 60_000));
        assert_eq!(parse(&post(&headers)).is_ok(), ok, "{minutes} minutes");
    }
    let headers = signed_post(Timestamp(3_800_000_000_000));
    assert_eq!(parse(&post(&headers)), Err(SignatureError::Expired), "a date in 2090");
}

#[test]
fn unreadable_dates_are_refused() {
    for bad in ["yesterday", "", "Sun, 99 Nov 2026 00:00:00 GMT"] {
        let headers = signed_by_hand(&[("(request-target)", "get /actor"), ("host", DOMAIN), ("date", bad)], "");
        assert_eq!(parse(&get(&headers, "/actor")), Err(SignatureError::BadDate), "{bad}");
    }
}

#[test]
fn absurd_created_and_expires_are_refused_without_a_panic() {
    for at in [
        "18446744073709551615",
        "9223372036854775807",
        "253402300800",
        "-1",
        "1e9",
        "",
        "+1763820000",
        "0001763820000",
        "99999999999999999999999999",
    ] {
        for field in
            ["created", "expires"].into_iter().flat_map(|name| [format!("{name}={at}"), format!("{name}=\"{at}\"")])
        {
            let headers = signed_by_hand(
                &[("(request-target)", "get /actor"), ("host", DOMAIN), ("date", &date())],
                &format!(",{field}"),
            );
            let got = parse(&get(&headers, "/actor"));
            assert!(matches!(got, Err(SignatureError::BadDate | SignatureError::Malformed)), "{field}: {got:?}");
        }
    }
}

#[test]
fn created_may_stand_for_the_date_and_must_be_fresh() {
    let now = NOW.seconds().to_string();
    let lines = [("(request-target)", "get /actor"), ("(created)", now.as_str()), ("host", DOMAIN)];
    for extra in [format!(",created={now}"), format!(r#", algorithm="hs2019", created="{now}""#)] {
        let headers = signed_by_hand(&lines, &extra);
        assert_eq!(parse(&get(&headers, "/actor")).unwrap().verify(&keys().public), Ok(()), "{extra}");
    }
    // Another time in the parameter than in the signed text.
    let headers = signed_by_hand(&lines, &format!(",created={}", NOW.seconds() + 1));
    assert_eq!(parse(&get(&headers, "/actor")).unwrap().verify(&keys().public), Err(SignatureError::Wrong));
    let old = (NOW.seconds() - 3700).to_string();
    let headers = signed_by_hand(
        &[("(request-target)", "get /actor"), ("(created)", &old), ("host", DOMAIN)],
        &format!(",created={old}"),
    );
    assert_eq!(parse(&get(&headers, "/actor")), Err(SignatureError::Expired));
    // Named as signed, but not given.
    let headers = signed_by_hand(&lines, "");
    assert_eq!(parse(&get(&headers, "/actor")), Err(SignatureError::HeaderMissing));
}

#[test]
fn an_expired_signature_is_refused_and_a_signed_expiry_verifies() {
    let (now, soon) = (NOW.seconds().to_string(), (NOW.seconds() + 300).to_string());
    let lines = [
        ("(request-target)", "get /actor"),
        ("(created)", now.as_str()),
        ("(expires)", soon.as_str()),
        ("host", DOMAIN),
    ];
    let headers = signed_by_hand(&lines, &format!(",created={now},expires={soon}"));
    let parsed = parse(&get(&headers, "/actor"));
    let late = Expect { now: Timestamp(NOW.0 + 2 * 3_600_000), ..get(&headers, "/actor") };
    assert_eq!(parse(&late), Err(SignatureError::Expired));
    assert_eq!(parsed.unwrap().verify(&keys().public), Ok(()));
}

#[test]
fn everything_that_must_be_signed_is_asked_for() {
    let (d, dg) = (date(), digest::header(BODY));
    let all = [("(request-target)", "post /inbox"), ("host", DOMAIN), ("date", d.as_str()), ("digest", dg.as_str())];
    let complete = signed_by_hand(&all, "");
    assert_eq!(parse(&post(&complete)).unwrap().verify(&keys().public), Ok(()));
    for (without, missing) in [(0, "(request-target)"), (1, "host"), (2, "date"), (3, "digest")] {
        let lines: Vec<_> = all.iter().enumerate().filter(|(i, _)| *i != without).map(|(_, l)| *l).collect();
        let mut headers = signed_by_hand(&lines, "");
        // Present in the request, but not signed: as good as absent.
        if !all[without].0.starts_with('(') {
            set(&mut headers, all[without].0, all[without].1);
        }
        assert_eq!(parse(&post(&headers)), Err(SignatureError::NotCovered(missing)));
    }
    // Signed by name, but not there.
    let mut headers = complete;
    headers.remove("digest");
    assert_eq!(parse(&post(&headers)), Err(SignatureError::HeaderMissing));
    // No list of headers at all.
    let mut headers = signed_post(NOW);
    set(&mut headers, "signature", r#"keyId="k",signature="c2ln""#);
    assert_eq!(parse(&post(&headers)), Err(SignatureError::NotCovered("(request-target)")));
}

#[test]
fn a_bearer_token_does_not_hide_the_signature() {
    let mut headers = signed_post(NOW);
    set(&mut headers, "authorization", "Bearer 123");
    assert_eq!(parse(&post(&headers)).unwrap().verify(&keys().public), Ok(()));
    headers.remove("signature");
    assert_eq!(parse(&post(&headers)), Err(SignatureError::Missing));
}

#[test]
fn the_authorization_header_may_carry_the_signature() {
    let mut headers = signed_post(NOW);
    let value = headers.remove("signature").unwrap();
    set(&mut headers, "authorization", &format!("Signature {}", value.to_str().unwrap()));
    assert_eq!(parse(&post(&headers)).unwrap().verify(&keys().public), Ok(()));
}

#[test]
fn spaces_after_commas_are_read_and_a_comma_in_the_key_id_stays() {
    let mut headers = signed_post(NOW);
    let spaced = headers["signature"].to_str().unwrap().replace("\",", "\" , ");
    set(&mut headers, "signature", &spaced);
    assert_eq!(parse(&post(&headers)).unwrap().verify(&keys().public), Ok(()));

    let comma = headers["signature"].to_str().unwrap().replace("/users/bob", "/users/bob,alice");
    set(&mut headers, "signature", &comma);
    assert_eq!(parse(&post(&headers)).unwrap().key_id(), "https://willow.example/users/bob,alice#main-key");
}

#[test]
fn two_signature_headers_or_one_too_long_are_refused() {
    let mut headers = signed_post(NOW);
    let again = headers["signature"].clone();
    headers.append("signature", again);
    assert_eq!(parse(&post(&headers)), Err(SignatureError::Malformed));
    let mut headers = signed_post(NOW);
    set(&mut headers, "signature", &format!(r#"keyId="{}""#, "x".repeat(9000)));
    assert_eq!(parse(&post(&headers)), Err(SignatureError::Malformed));
}

#[test]
fn unknown_and_weak_algorithms_are_refused() {
    for (name, ok) in
        [("rsa-sha256", true), ("hs2019", true), ("rsa-sha1", false), ("hmac-sha256", false), ("none", false)]
    {
        let headers = signed_by_hand(
            &[("(request-target)", "get /actor"), ("host", DOMAIN), ("date", &date())],
            &format!(r#",algorithm="{name}""#),
        );
        let parsed = parse(&get(&headers, "/actor"));
        assert_eq!(parsed.as_ref().err(), (!ok).then_some(&SignatureError::Algorithm), "{name}");
        assert_eq!(parsed.and_then(|p| p.verify(&keys().public)).is_ok(), ok, "{name}");
    }
}

#[test]
fn a_signed_get_verifies_with_its_query_or_without() {
    for signed_target in ["get /users/dana/outbox?page=1", "get /users/dana/outbox"] {
        let headers = signed_by_hand(&[("(request-target)", signed_target), ("host", DOMAIN), ("date", &date())], "");
        let parsed = parse(&get(&headers, "/users/dana/outbox?page=1")).unwrap();
        assert_eq!(parsed.verify(&keys().public), Ok(()), "{signed_target}");
    }
    let headers = signed_by_hand(
        &[("(request-target)", "get /users/dana/outbox?page=2"), ("host", DOMAIN), ("date", &date())],
        "",
    );
    let parsed = parse(&get(&headers, "/users/dana/outbox?page=1")).unwrap();
    assert_eq!(parsed.verify(&keys().public), Err(SignatureError::Wrong));
    let url = Url::parse("https://maple.example/users/dana/outbox?page=1").unwrap();
    for with_query in [true, false] {
        let signed = sign(&keys().signing, "get", &url, None, with_query, NOW).unwrap();
        let mut headers = HeaderMap::new();
        set(&mut headers, "host", &signed.host);
        set(&mut headers, "date", &signed.date);
        set(&mut headers, "signature", &signed.signature);
        let parsed = parse(&get(&headers, "/users/dana/outbox?page=1")).unwrap();
        assert_eq!(parsed.verify(&keys().public), Ok(()));
    }
}

#[test]
fn ed25519_keys_verify_and_do_not_pass_for_rsa() {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
    use base64::Engine as _;
    let pair = Ed25519KeyPair::generate().unwrap();
    let key = PublicKey::ed25519(pair.public_key().as_ref()).unwrap();
    let d = date();
    let text = format!("(request-target): get /actor\nhost: {DOMAIN}\ndate: {d}");
    let signature = base64::engine::general_purpose::STANDARD.encode(pair.sign(text.as_bytes()));
    let with = |algorithm: &str| {
        let mut headers = HeaderMap::new();
        set(&mut headers, "host", DOMAIN);
        set(&mut headers, "date", &d);
        set(
            &mut headers,
            "signature",
            &format!(
                r#"keyId="k",algorithm="{algorithm}",headers="(request-target) host date",signature="{signature}""#
            ),
        );
        headers
    };
    let parsed = |headers: &HeaderMap| parse(&get(headers, "/actor")).unwrap();
    assert_eq!(parsed(&with("hs2019")).verify(&key), Ok(()));
    assert_eq!(parsed(&with("ed25519")).verify(&key), Ok(()));
    assert_eq!(parsed(&with("rsa-sha256")).verify(&key), Err(SignatureError::Algorithm));
    assert_eq!(parsed(&with("ed25519")).verify(&keys().public), Err(SignatureError::Algorithm));
    let mut spki = vec![0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    spki.extend_from_slice(pair.public_key().as_ref());
    let from_pem = PublicKey::from_pem(&pem::encode(&pem::Pem::new("PUBLIC KEY", spki))).unwrap();
    assert_eq!(parsed(&with("hs2019")).verify(&from_pem), Ok(()));
}

/// A GET of `/actor` with these parameters; nobody looks at the signature's bytes before there is a key.
fn judged(parameters: &str, others: &[(&str, &str)]) -> Result<ParsedSignature, SignatureError> {
    let mut headers = HeaderMap::new();
    set(&mut headers, "host", DOMAIN);
    set(&mut headers, "date", &date());
    for (name, value) in others {
        headers.append(HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    set(&mut headers, "signature", parameters);
    parse(&get(&headers, "/actor"))
}

const SIGNED: &str = r#"headers="(request-target) host date",signature="c2ln""#;

#[test]
fn each_limit_is_where_it_is_said_to_be() {
    use base64::Engine as _;
    let malformed = Err(SignatureError::Malformed);
    let key = |length: usize| judged(&format!(r#"keyId="{}",{SIGNED}"#, "k".repeat(length)), &[]);
    assert_eq!(key(2048).unwrap().key_id().len(), 2048);
    assert_eq!((key(2049), key(0)), (malformed.clone(), malformed.clone()));
    let bytes = |length: usize| {
        let signature = base64::engine::general_purpose::STANDARD.encode(vec![7; length]);
        judged(&format!(r#"keyId="k",headers="(request-target) host date",signature="{signature}""#), &[])
    };
    assert_eq!((bytes(1024).unwrap().signature(), bytes(1).unwrap().signature()), (&[7; 1024][..], &[7][..]));
    assert_eq!((bytes(1025), bytes(0)), (malformed.clone(), malformed.clone()));
    let whole = |length: usize| {
        let start = format!(r#"keyId="k",{SIGNED},x="#);
        judged(&format!("{start}{}", "y".repeat(length - start.len())), &[])
    };
    assert!(whole(8 * 1024).is_ok());
    assert_eq!(whole(8 * 1024 + 1), malformed);
    let names = |count: usize| {
        let more: Vec<String> = (3..count).map(|n| format!("x-{n}")).collect();
        let others: Vec<(&str, &str)> = more.iter().map(|name| (name.as_str(), "1")).collect();
        let list = more.join(" ");
        judged(&format!(r#"keyId="k",headers="(request-target) host date {list}",signature="c2ln""#), &others)
    };
    assert_eq!(names(32).unwrap().signed_text().lines().count(), 32);
    assert_eq!(names(33), malformed);
}

#[test]
fn what_cannot_be_signed_or_is_named_twice_is_refused() {
    for list in [
        "(request-target) host date host",
        "(request-target) host date (nonce)",
        "(request-target) host date signature",
        "(request-target) host date authorization",
        "(request-target) host date a@b",
    ] {
        let got = judged(&format!(r#"keyId="k",headers="{list}",signature="c2ln""#), &[("authorization", "Bearer x")]);
        assert_eq!(got, Err(SignatureError::Malformed), "{list}");
    }
    for parameters in [r#"keyId="k",headers="(request-target) host date""#, SIGNED] {
        assert_eq!(judged(parameters, &[]), Err(SignatureError::Malformed), "{parameters}");
    }
    let shouted = r#"keyId="k",headers="(Request-Target) HOST Date",signature="c2ln""#;
    assert!(
        judged(shouted, &[]).unwrap().signed_text().starts_with("(request-target): get /actor\nhost: maple.example")
    );
}

#[test]
fn a_header_of_several_values_is_signed_as_one() {
    let parameters = r#"keyId="k",headers="(request-target) host date x-a",signature="c2ln""#;
    let parsed = judged(parameters, &[("x-a", " 1 "), ("x-a", "2")]).unwrap();
    assert!(parsed.signed_text().ends_with("\nx-a: 1, 2"), "{}", parsed.signed_text());
    assert_eq!(judged(parameters, &[]), Err(SignatureError::HeaderMissing));
    assert_eq!(judged(parameters, &[("x-a", "1"), ("date", &date())]), Err(SignatureError::Malformed), "two dates");
}

#[test]
fn every_time_that_is_given_has_its_edge_at_an_hour() {
    let with = |field: &str, seconds: i64| {
        judged(&format!(r#"keyId="k",{SIGNED},{field}={}"#, NOW.seconds() + seconds), &[]).map(drop)
    };
    assert_eq!([with("created", -3600), with("created", 3600)], [Ok(()), Ok(())]);
    assert_eq!([with("created", -3601), with("created", 3601)], [Err(SignatureError::Expired); 2]);
    assert_eq!([with("expires", -3600), with("expires", 100_000)], [Ok(()), Ok(())]);
    assert_eq!(with("expires", -3601), Err(SignatureError::Expired));
    let written = |field: &str, at: &str| judged(&format!(r#"keyId="k",{SIGNED},{field}={at}"#), &[]).map(drop);
    assert_eq!(written("created", "0"), Err(SignatureError::Expired), "a time, long ago");
    assert_eq!(written("created", "00"), Err(SignatureError::BadDate));
    assert_eq!(written("expires", "253402300799"), Ok(()), "the last second of the year 9999");
    assert_eq!(written("expires", "253402300800"), Err(SignatureError::BadDate));
    for seconds in [-3601, -3600, 3600, 3601] {
        let headers = signed_post(Timestamp(NOW.0 + seconds * 1000));
        assert_eq!(parse(&post(&headers)).is_ok(), seconds.abs() <= 3600, "a date {seconds} s from now");
    }
    let named = r#"keyId="k",headers="(request-target) host date (expires)",signature="c2ln""#;
    assert_eq!(judged(named, &[]), Err(SignatureError::HeaderMissing));
}

#[test]
fn the_signed_digest_is_the_one_that_counts() {
    let with = |name: &str| {
        let parameters = format!(r#"keyId="k",headers="(request-target) host date {name}",signature="c2ln""#);
        judged(&parameters, &[("digest", "x"), ("content-digest", "y")]).unwrap().digest_header()
    };
    assert_eq!(with("digest"), Some(digest::DigestHeader::Digest));
    assert_eq!(with("content-digest"), Some(digest::DigestHeader::ContentDigest));
    assert_eq!(with("content-digest digest"), Some(digest::DigestHeader::Digest));
    assert_eq!(with(""), None);
}

#[test]
fn a_scheme_is_read_in_any_case_and_needs_its_space() {
    let with = |value: String| {
        let mut headers = signed_post(NOW);
        headers.remove("signature");
        set(&mut headers, "authorization", &value);
        parse(&post(&headers)).map(drop)
    };
    let signature = signed_post(NOW)["signature"].to_str().unwrap().to_owned();
    assert_eq!(with(format!("SIGNATURE {signature}")), Ok(()));
    assert_eq!(with(format!("Signatures {signature}")), Err(SignatureError::Missing));
    assert_eq!(with("Signature".to_owned()), Err(SignatureError::Missing));
    let mut both = signed_post(NOW);
    set(&mut both, "authorization", "Signature nonsense");
    assert_eq!(parse(&post(&both)).map(drop), Ok(()), "the header of its own comes first");
}

#[test]
fn an_address_is_signed_with_its_port_where_that_is_not_the_usual_one() {
    let host = |url: &str| sign(&keys().signing, "GET", &Url::parse(url).unwrap(), None, true, NOW).map(|s| s.host);
    assert_eq!(host("https://willow.example:8443/x"), Ok("willow.example:8443".to_owned()));
    assert_eq!(host("https://willow.example:443/x"), Ok("willow.example".to_owned()));
    assert_eq!(host("data:x"), Err(UnusableKey));
    let far = sign(&keys().signing, "GET", &Url::parse("https://a.example/").unwrap(), None, true, Timestamp(i64::MAX));
    assert_eq!(far.map(|s| s.date), Ok("Fri, 31 Dec 9999 23:59:59 GMT".to_owned()));
    let before = sign(&keys().signing, "GET", &Url::parse("https://a.example/").unwrap(), None, true, Timestamp(-5));
    assert_eq!(before.map(|s| s.date), Ok("Thu, 01 Jan 1970 00:00:00 GMT".to_owned()));
}

#[test]
fn keys_say_what_they_are_and_no_more() {
    let public = &keys().public;
    assert_eq!(format!("{public:?}"), "PublicKey { kind: Rsa, .. }");
    assert_eq!(format!("{:?}", keys().signing), format!("SigningKey {{ id: {KEY_ID:?}, .. }}"));
    assert_eq!(keys().signing.id(), KEY_ID);
    let pem = keys().signing.public_pem().unwrap();
    assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\n") && !pem.contains('\r'), "{pem}");
    let signature = keys().signing.sign(b"x").unwrap();
    assert!(PublicKey::from_pem(&pem).unwrap().verifies(b"x", &signature));
    assert!(!public.verifies(b"y", &signature) && !public.verifies(b"x", &signature[1..]));
    // The same key under another label, and with so much white space around it that it is too long.
    assert!(PublicKey::from_pem(&pem.replace("PUBLIC KEY", "CERTIFICATE")).is_err());
    assert!(PublicKey::from_pem(&format!("{pem}{}", " ".repeat(8 * 1024 - pem.len()))).is_ok());
    assert!(PublicKey::from_pem(&format!("{pem}{}", " ".repeat(8 * 1024 + 1 - pem.len()))).is_err());
    for length in [0, 31, 33] {
        assert!(PublicKey::ed25519(&vec![7; length]).is_err(), "{length} bytes");
    }
    let private = app::keys::generate_now().unwrap().private_pem;
    for id in ["a\"b", "a\nb", "a\rb", "ä"] {
        assert!(SigningKey::from_pem(id.into(), &private).is_err(), "{id:?}");
    }
    assert!(SigningKey::from_pem("k".into(), "no key").is_err());
}

#[test]
fn weak_and_broken_keys_are_refused() {
    for bad in ["", "not a key", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"] {
        assert_eq!(PublicKey::from_pem(bad).err(), Some(UnusableKey));
    }
    let private = app::keys::generate_now().unwrap().private_pem;
    assert!(PublicKey::from_pem(&private).is_err());
    assert!(SigningKey::from_pem("a\"b".into(), &private).is_err());
    assert!(!format!("{:?}", SigningKey::from_pem("k".into(), &private).unwrap()).contains("BEGIN"));
}

proptest::proptest! {
    /// Whatever a stranger writes into the header, reading it ends in a verdict and not in a panic.
    #[test]
    fn no_header_panics(value in "[ -~]{0,200}") {
        let mut headers = signed_post(NOW);
        set(&mut headers, "signature", &value);
        let _ = parse(&post(&headers));
    }

    #[test]
    fn no_parameter_panics(created in "[0-9]{0,22}", expires in "[0-9]{0,22}", names in "[a-z() -]{0,40}") {
        let mut headers = signed_post(NOW);
        set(&mut headers, "signature", &format!(
            r#"keyId="k",signature="c2ln",created={created},expires="{expires}",headers="(request-target) host date digest (created) (expires) {names}""#
        ));
        let _ = parse(&post(&headers));
    }
}
