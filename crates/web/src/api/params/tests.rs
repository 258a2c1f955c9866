//! What apps really send, and what nobody should.

use axum::body::Body as HttpBody;
use serde::Deserialize;

use super::*;

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
struct Form {
    status: Option<String>,
    sensitive: Option<bool>,
    limit: Option<i64>,
    in_reply_to_id: OptionalId,
    media_ids: Ids,
    fields_attributes: List<Field>,
    timeline: OneOrMore<String>,
    source: Source,
    visibility: Option<Shown>,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
struct Field {
    name: String,
    value: String,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
struct Source {
    privacy: Option<String>,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Shown {
    Public,
    Direct,
}

async fn body(kind: &str, uri: &str, bytes: impl Into<Vec<u8>>) -> Result<Form, Error> {
    let request =
        Request::builder().method("POST").uri(uri).header(CONTENT_TYPE, kind).body(HttpBody::from(bytes.into()));
    Body::<Form>::from_request(request.unwrap(), &()).await.map(|b| b.0)
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json; charset=utf-8";

#[tokio::test]
async fn the_same_parameters_are_read_from_json_form_multipart_and_query() {
    let json = br#"{"status":"hi & bye","sensitive":true,"limit":"5","in_reply_to_id":7,"media_ids":["1","2"],
        "fields_attributes":[{"name":"a","value":"b"},{"name":"c","value":"d"}],"source":{"privacy":"direct"},
        "visibility":"direct","unknown":{"x":[1]}}"#;
    let form = "status=hi+%26+bye&sensitive=1&limit=5&in_reply_to_id=7&media_ids[]=1&media_ids[]=2\
        &fields_attributes[0][name]=a&fields_attributes[0][value]=b&fields_attributes[1][name]=c\
        &fields_attributes[1][value]=d&source[privacy]=direct&visibility=direct";
    let mut multipart = String::new();
    for (name, value) in [
        ("status", "hi & bye"),
        ("sensitive", "on"),
        ("limit", "5"),
        ("in_reply_to_id", "7"),
        ("media_ids[]", "1"),
        ("media_ids[]", "2"),
        ("fields_attributes[][name]", "a"),
        ("fields_attributes[][value]", "b"),
        ("fields_attributes[][name]", "c"),
        ("fields_attributes[][value]", "d"),
        ("source[privacy]", "direct"),
        ("visibility", "direct"),
    ] {
        multipart += &format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    multipart += "--B--\r\n";

    let from_json = body(JSON, "/", json.as_slice()).await.unwrap();
    assert_eq!(from_json.status.as_deref(), Some("hi & bye"));
    assert_eq!(from_json.media_ids, Ids(vec![1, 2]));
    assert_eq!(from_json.fields_attributes.0.as_ref().map(Vec::len), Some(2));
    assert_eq!(from_json.visibility, Some(Shown::Direct));
    assert_eq!(body(FORM, "/", form).await.unwrap(), from_json);
    assert_eq!(body("multipart/form-data; boundary=B", "/", multipart).await.unwrap(), from_json);
    let encoded = form.replace('[', "%5B").replace(']', "%5D");
    assert_eq!(body(JSON, &format!("/?{encoded}"), "").await.unwrap(), from_json);
    let by_number = br#"{"fields_attributes":{"1":{"name":"c","value":"d"},"0":{"name":"a","value":"b"}}}"#;
    let by_number = body(JSON, "/", by_number.as_slice()).await.unwrap();
    assert_eq!(by_number.fields_attributes, from_json.fields_attributes);
}

#[tokio::test]
async fn the_body_wins_over_the_query_and_nothing_is_made_up() {
    let form = body(FORM, "/?status=query&limit=3", "status=body").await.unwrap();
    assert_eq!((form.status.as_deref(), form.limit, form.sensitive), (Some("body"), Some(3), None));
    let form = body(FORM, "/", "in_reply_to_id=&media_ids=&sensitive=").await.unwrap();
    assert_eq!(form, Form { sensitive: Some(false), ..Form::default() });
}

fn refusal(result: Result<Form, Error>) -> (u16, String) {
    let error = result.unwrap_err();
    (error.status().as_u16(), error.to_string())
}

#[tokio::test]
async fn malformed_or_wrongly_typed_parameters_name_what_is_wrong() {
    assert_eq!(refusal(body(JSON, "/", "{\"status\":").await).0, 400);
    assert_eq!(refusal(body(JSON, "/", "[1,2]").await), (400, "the JSON must be an object".into()));
    let wrong = refusal(body(JSON, "/", r#"{"status":{"a":1}}"#).await);
    assert_eq!(wrong, (422, "Validation failed: status must be text".into()));
    let wrong = refusal(body(JSON, "/", r#"{"limit":"many"}"#).await);
    assert_eq!(wrong, (422, "Validation failed: limit must be a whole number".into()));
    let wrong = refusal(body(FORM, "/", "sensitive=perhaps").await);
    assert_eq!(wrong, (422, "Validation failed: sensitive must be true or false".into()));
    let wrong = refusal(body(JSON, "/", r#"{"fields_attributes":[{"name":"x"},{"name":["y"]}]}"#).await);
    assert_eq!(wrong, (422, "Validation failed: fields_attributes[1][name] must be text".into()));
    let wrong = refusal(body(FORM, "/", "visibility=everyone").await);
    assert_eq!(wrong, (422, "Validation failed: visibility must be one of public, direct".into()));
    let wrong = refusal(body(FORM, "/", "in_reply_to_id=x").await);
    assert_eq!(wrong, (422, "Validation failed: in_reply_to_id is not an id".into()));
    assert_eq!(refusal(body("application/octet-stream", "/", "xx").await).0, 415);
    assert_eq!(refusal(body("multipart/form-data", "/", "xx").await).0, 400);
    assert_eq!(refusal(body(FORM, "/", b"\xff\xfe=".as_slice()).await).0, 400);
}

#[tokio::test]
async fn a_single_value_is_a_list_only_where_one_will_do() {
    for (kind, sent) in [
        (FORM, "media_ids=1&fields_attributes=x&timeline=home"),
        (FORM, "media_ids=&fields_attributes=&timeline=home"),
        (JSON, r#"{"media_ids":1,"fields_attributes":true,"timeline":"home"}"#),
        (JSON, r#"{"media_ids":null,"fields_attributes":null,"timeline":["home"]}"#),
    ] {
        let form = body(kind, "/", sent).await.unwrap();
        assert_eq!((form.media_ids, form.fields_attributes), (Ids::default(), List(None)), "{sent}");
        assert_eq!(form.timeline, OneOrMore(vec!["home".to_owned()]), "{sent}");
    }
    let form = body(JSON, "/", r#"{"fields_attributes":[],"timeline":7}"#).await.unwrap();
    assert_eq!((form.fields_attributes, form.timeline), (List(Some(Vec::new())), OneOrMore(vec!["7".to_owned()])));
    let wrong = refusal(body(JSON, "/", r#"{"media_ids":{"a":1}}"#).await);
    assert_eq!(wrong, (422, "Validation failed: media_ids must be a list".into()));
}

#[tokio::test]
async fn texts_are_read_clean() {
    let kept = Form {
        status: Some("xy".into()),
        fields_attributes: List(Some(vec![Field { name: String::new(), value: "v".into() }])),
        ..Form::default()
    };
    let json = br#"{"status":"\u0000x\u0085\uffffy","fields_attributes":[{"name":"\u0000","value":"v\u0001"}]}"#;
    assert_eq!(body(JSON, "/", json.as_slice()).await.unwrap(), kept);
    let form = "status=%00x%01%7fy&fields_attributes[][name]=%00&fields_attributes[][value]=v%00";
    assert_eq!(body(FORM, "/", form).await.unwrap(), kept);
    let multipart = form.split('&').fold(String::new(), |all, pair| {
        let (name, value) = pair.split_once('=').unwrap();
        let value = value.replace("%00", "\0").replace("%01", "\u{1}").replace("%7f", "\u{fffe}");
        format!("{all}--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    });
    assert_eq!(body("multipart/form-data; boundary=B", "/", multipart + "--B--\r\n").await.unwrap(), kept);
    let half = body(JSON, "/", br#"{"status":"x\ud83d"}"#.as_slice()).await.unwrap();
    assert_eq!(half.status.as_deref(), Some("x\u{fffd}"), "cut in UTF-16");
    let lines = body(FORM, "/", "status=a%0d%0ab%0dc").await.unwrap();
    assert_eq!(lines.status.as_deref(), Some("a\nb\nc"), "newlines as browsers send them");
}

#[tokio::test]
async fn size_depth_and_number_are_bounded() {
    let huge = format!(r#"{{"status":"{}"}}"#, "x".repeat(MAX_BODY));
    assert_eq!(refusal(body(JSON, "/", huge.clone()).await).0, 413);
    assert_eq!(refusal(body(FORM, "/", huge).await).0, 413);
    let mut multipart = "--B\r\nContent-Disposition: form-data; name=\"status\"\r\n\r\n".to_owned();
    multipart += &"x".repeat(MAX_BODY + 1);
    multipart += "\r\n--B--\r\n";
    assert_eq!(refusal(body("multipart/form-data; boundary=B", "/", multipart).await).0, 413);
    for depth in [20, 5_000] {
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
        assert_eq!(refusal(body(JSON, "/", deep).await).0, 400, "{depth}");
    }
    assert_eq!(refusal(body(FORM, "/", format!("a{}=1", "[b]".repeat(50))).await).0, 400);
    assert_eq!(refusal(body(FORM, "/", "a[]=1&".repeat(2_000)).await).0, 400);
}
