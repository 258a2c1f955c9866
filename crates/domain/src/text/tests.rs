//! What the composer promises, on examples, on random input, and on hostile input within a bound of processor time:
//! what people type cannot become markup of their own, and reads as they meant it.

use std::hint::black_box;
use std::time::Duration;

use proptest::prelude::*;
use url::Url;

use super::*;
use crate::account::Handle;
use crate::urls::Urls;

fn urls() -> Urls {
    Urls::new(&Url::parse("http://maple.localhost:4001").unwrap()).unwrap()
}

/// Knows everybody whose name is not `nobody`.
fn known(handle: &Handle) -> Option<MentionTarget> {
    let Handle { username, domain } = handle;
    (username != "nobody").then(|| match domain {
        None => MentionTarget { url: urls().profile(username), username: username.clone(), acct: username.clone() },
        Some(domain) => MentionTarget {
            url: format!("https://{domain}/@{username}"),
            username: username.clone(),
            acct: format!("{username}@{domain}"),
        },
    })
}

fn html(source: &str) -> String {
    compose(source, &urls(), &known).html
}

fn handles(source: &str) -> Vec<String> {
    let show = |h: Handle| h.domain.map_or(h.username.clone(), |d| format!("{}@{d}", h.username));
    scan(source, &urls()).mentions.into_iter().map(show).collect()
}

fn tags(source: &str) -> Vec<String> {
    scan(source, &urls()).tags.into_iter().map(|t| t.name).collect()
}

fn links(source: &str) -> Vec<String> {
    scan(source, &urls()).links
}

#[test]
fn mentions_are_found_as_mastodon_finds_them() {
    assert_eq!(handles("hi @bob, and @Priya_43!"), ["bob", "Priya_43"]);
    assert_eq!(handles("@bob@willow.example. @bob@Willow.Example"), ["bob@willow.example"]);
    assert_eq!(handles("(@bob@willow.localhost:4002): tea?"), ["bob@willow.localhost:4002"]);
    assert_eq!(
        handles("@a@localhost @b@münchen.example @c@127.0.0.1:80"),
        ["a@localhost", "b@xn--mnchen-3ya.example", "c@127.0.0.1:80"]
    );
    assert_eq!(handles("@bob@willow.example:"), ["bob@willow.example"]);
    assert_eq!(handles("@first.last-x@willow.example's"), ["first.last-x@willow.example"]);
    assert_eq!(handles(".@bob\n@ann@ there"), ["bob", "ann"]);
    assert_eq!(handles("@Bob @bob @BOB"), ["Bob"], "one person, whatever the case");
}

#[test]
fn our_own_domain_is_left_out_of_handles() {
    assert_eq!(handles("@dana@maple.localhost:4001 @dana"), ["dana"]);
    assert_eq!(handles("@dana@maple.localhost:4002"), ["dana@maple.localhost:4002"]);
}

#[test]
fn what_only_looks_like_a_mention_is_none() {
    for text in [
        "mail bob@willow.example",
        "bob.b+x_@willow.example",
        "https://willow.example/@bob",
        "willow.example/@bob",
        "https://bank.example@evil.example/",
        "https://x.example/?q=@bob#tag",
        "a@b@c.example",
        "@ann@bertha",
        "@",
        "@@",
        "@.bob",
        &format!("@{}", "x".repeat(101)),
    ] {
        assert_eq!(handles(text), [""; 0], "{text}");
    }
}

#[test]
fn hashtags_are_found_as_mastodon_finds_them() {
    assert_eq!(
        tags("#PlayDate, #teens_at_home #2024in #l·l #日本語 #1_1 #नमस्ते #Schöneberg."),
        ["PlayDate", "teens_at_home", "2024in", "l·l", "日本語", "1_1", "नमस्ते", "Schöneberg"]
    );
    assert_eq!(tags("#a·, #・b #c-d #e's (#f) ＃g"), ["a", "c", "e", "f", "g"]);
    assert_eq!(tags("#Tea #tea #ＴＥＡ"), ["Tea"], "the spelling that came first");
    for text in
        ["#123", "#", "#_", "a#b", "/#b", "x.example/#frag", "https://x.example/#frag", "&#39;", "#1️⃣", "#️⃣", "#·a"]
    {
        assert_eq!(tags(text), [""; 0], "{text}");
    }
    let tag = Tag::new("#ＰlayDÄTE").unwrap();
    assert_eq!((tag.name.as_str(), tag.key.as_str()), ("ＰlayDÄTE", "playdäte"));
    for bad in ["", "#", "12", "a b", "a-b", "a#b", "<b>"] {
        assert_eq!(Tag::new(bad), None, "{bad}");
    }
}

#[test]
fn links_need_a_scheme_and_end_where_people_end_them() {
    assert_eq!(
        links("see https://x.example/a_(b)?c=d, or (http://y.example)."),
        ["https://x.example/a_(b)?c=d", "http://y.example"]
    );
    assert_eq!(
        links("“https://x.example/a”、https://y.example/b。https://z.example"),
        ["https://x.example/a", "https://y.example/b", "https://z.example"]
    );
    assert_eq!(links("https://münchen.example/ä\u{a0}b"), ["https://xn--mnchen-3ya.example/%C3%A4"]);
    for text in
        ["x.example", "javascript://x.example/%0aalert(1)", "file:///etc/passwd", "https://", "mailto:a@b.example"]
    {
        assert_eq!(links(text), [""; 0], "{text}");
    }
}

#[test]
fn an_address_that_poses_as_another_is_not_linked() {
    assert_eq!(html("https://bank.example@evil.example/#x"), "<p>https://bank.example@evil.example/#x</p>");
}

#[test]
fn shortcodes_stand_between_colons_apart_from_words() {
    assert_eq!(shortcodes(":tea: (:blob_cat:) :tea: a:b1: :x: ::no:: :a b: :ok::no: 12:30:45"), ["tea", "blob_cat"]);
    assert_eq!(shortcodes("x:y :ab:"), ["ab"]);
}

#[test]
fn text_is_escaped_exactly_once() {
    assert_eq!(
        html("<script>alert(\"1\")</script> & &amp; 'x'"),
        "<p>&lt;script&gt;alert(\"1\")&lt;/script&gt; &amp; &amp;amp; 'x'</p>"
    );
    assert_eq!(escape("<a href=\"x\" y='z'>&\u{0}</a>"), "&lt;a href=&quot;x&quot; y='z'&gt;&amp;&lt;/a&gt;");
    assert_eq!(
        html("https://x.example/?a=1&b=\"2"),
        "<p><a href=\"https://x.example/?a=1&amp;b=\" rel=\"nofollow noopener noreferrer\" target=\"_blank\" \
         translate=\"no\"><span class=\"invisible\">https://</span><span>x.example/?a=1&amp;b=</span>\
         <span class=\"invisible\"></span></a>\"2</p>"
    );
}

#[test]
fn blank_lines_part_paragraphs() {
    assert_eq!(html("a\nb\r\n\r\nc\n \n\n  d  \n"), "<p>a<br>b</p><p>c</p><p>d</p>");
    assert_eq!(html(""), "");
    assert_eq!(html(" \n \n"), "");
}

#[test]
fn mentions_tags_and_links_are_written_as_mastodon_writes_them() {
    assert_eq!(
        html("@bob #Tea"),
        "<p><span class=\"h-card\" translate=\"no\"><a href=\"http://maple.localhost:4001/@bob\" \
         class=\"u-url mention\">@<span>bob</span></a></span> \
         <a href=\"http://maple.localhost:4001/tags/tea\" class=\"mention hashtag\" rel=\"tag\">#<span>Tea</span></a></p>"
    );
    assert_eq!(
        html("https://www.x.example/0123456789/0123456789/0123456789"),
        "<p><a href=\"https://www.x.example/0123456789/0123456789/0123456789\" rel=\"nofollow noopener noreferrer\" \
         target=\"_blank\" translate=\"no\"><span class=\"invisible\">https://www.</span>\
         <span class=\"ellipsis\">x.example/0123456789/012345678</span>\
         <span class=\"invisible\">9/0123456789</span></a></p>"
    );
    assert_eq!(html("@nobody@x.example #1"), "<p>@nobody@x.example #1</p>");
}

#[test]
fn two_people_of_one_name_are_told_apart() {
    let made = html("@bob @bob@willow.example @ann@willow.example");
    assert!(made.contains("@<span>bob</span>") && made.contains("@<span>bob@willow.example</span>"), "{made}");
    assert!(made.contains("@<span>ann</span>"), "{made}");
}

#[test]
fn a_person_is_asked_for_once_as_first_spelt() {
    let asked = std::cell::RefCell::new(Vec::new());
    let made = compose("@Bob @bob @BOB@maple.localhost:4001", &urls(), &|handle| {
        asked.borrow_mut().push(handle.clone());
        known(handle)
    });
    assert_eq!(asked.into_inner(), scan("@Bob @bob", &urls()).mentions);
    assert_eq!(made.html.matches("u-url mention").count(), 3);
}

#[test]
fn composing_tells_what_was_found() {
    let made = compose(":tea: #Tea @bob https://x.example", &urls(), &known);
    assert_eq!(made.shortcodes, ["tea"]);
    assert_eq!(made.tags, [Tag { name: "Tea".into(), key: "tea".into() }]);
    assert_eq!(made.links, ["https://x.example"]);
}

#[test]
fn rows_of_a_profile_are_one_line_with_rel_me() {
    let made = field("https://x.example\n<b>", &urls(), &known);
    assert!(made.contains("rel=\"me nofollow noopener noreferrer\"") && made.ends_with("</a> &lt;b&gt;"), "{made}");
    assert_eq!(note("a\n\nb", &urls(), &known), "<p>a</p><p>b</p>");
}

#[test]
fn length_is_counted_as_mastodon_counts_it() {
    assert_eq!(count_chars("hello", ""), 5);
    assert_eq!(count_chars("hello", "cw"), 7);
    assert_eq!(count_chars("a\r\nb", ""), 3, "one newline");
    assert_eq!(count_chars("https://x.example", ""), 23);
    assert_eq!(count_chars(&format!("a https://x.example/{}", "y".repeat(500)), ""), 25);
    assert_eq!(count_chars("@bob@willow.localhost:4002 hi", ""), 7);
    assert_eq!(count_chars("👩‍👧‍👦é🇫🇷", ""), 3, "as people see them");
}

#[test]
fn only_safe_html_comes_through() {
    for (dirty, clean) in [
        ("<p>hi <b>you</b></p>", "<p>hi <b>you</b></p>"),
        ("a<script>alert(1)</script>b<style>p{}</style>c", "abc"),
        ("<img src=x onerror=alert(1)>x", "x"),
        ("<p onclick=\"x\" style=\"color:red\" id=y>x</p>", "<p>x</p>"),
        ("<a href=\"javascript:alert(1)\">x</a>", "x"),
        ("<a href=\" java\nscript:alert(1)\">x</a>", "x"),
        ("<a href=\"&#106;avascript:alert(1)\">x</a>", "x"),
        ("<a href=\"tel:+123\">x</a>", "x"),
        ("<a href=\"/local\">x</a>", "x"),
        ("<iframe src=\"https://x.example\">y</iframe>z", "z"),
        ("<svg><a href=\"https://x.example\"><p>y</p></a></svg>z", "z"),
        ("<!-- <p>x</p> --><![CDATA[y>z", "z"),
        ("<h2>Title</h2><p>x</p>", "<p><strong>Title</strong></p><p>x</p>"),
        ("<p>a<p>b", "<p>a</p><p>b</p>"),
        ("<b><i>x</b>y</i>", "<b><i>x</i></b>y"),
        ("<ul><li>a<li>b<ul><li>c</ul></ul>", "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>"),
        ("<div>a</div><div>b</div>", "a<br>b"),
        ("<div><p>a</p></div><div><p>b</p></div>", "<p>a</p><p>b</p>"),
        (
            "<ol start=3 reversed type=A><li value=\"7\">x</li></ol>",
            "<ol start=\"3\" reversed=\"\"><li value=\"7\">x</li></ol>",
        ),
        ("<blockquote cite=\"x\">q</blockquote>", "<blockquote>q</blockquote>"),
        ("1 < 2 && 3 > 2 &lt;b&gt; &amp;amp;", "1 &lt; 2 &amp;&amp; 3 &gt; 2 &lt;b&gt; &amp;amp;"),
        ("&am<x>p;", "&amp;amp;"),
        ("<p class=\"quote-inline evil\">x</p>", "<p class=\"quote-inline\">x</p>"),
        ("<a", ""),
        ("x<p class=\"", "x"),
        ("<ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby>", "<ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby>"),
    ] {
        assert_eq!(sanitise(dirty), clean, "{dirty}");
    }
}

#[test]
fn links_from_elsewhere_open_apart_and_tell_nothing() {
    assert_eq!(
        sanitise(
            "<a href=\"https://x.example/a?b&amp;c\" class=\"mention evil\" rel=\"tag opener\" target=\"_self\">x</a>"
        ),
        "<a href=\"https://x.example/a?b&amp;c\" class=\"mention\" rel=\"tag nofollow noopener noreferrer\" \
         target=\"_blank\">x</a>"
    );
    assert_eq!(
        sanitise("<a href=https://x.example/>x"),
        "<a href=\"https://x.example/\" rel=\"nofollow noopener noreferrer\" target=\"_blank\">x</a>"
    );
}

#[test]
fn cleaning_twice_changes_nothing() {
    for text in
        ["<div>a<p>b<h1>c<li>d<a href='https://x.example'>e<b>f", "<pre>\n\na  b</pre>x &nbsp; y", "<p>a<br></p>"]
    {
        let once = sanitise(text);
        assert_eq!(sanitise(&once), once, "{text}");
    }
}

/// Found by fuzzing.
#[test]
fn what_is_sanitised_is_clean_and_stays_as_it_is() {
    for (html, safe) in [
        ("<b>a</b>\u{c}<b>b</b>\r\n<i>c</i>", "<b>a</b> <b>b</b> \n<i>c</i>"),
        // An attribute that is taken out made the last one move.
        (
            "<a href=\"https://x.example/\" translate=\"maybe\" class=\"evil\">x</a>",
            "<a href=\"https://x.example/\" rel=\"nofollow noopener noreferrer\" target=\"_blank\">x</a>",
        ),
        ("<pre>\u{b}\n\na</pre>", "<pre>a</pre>"),
        ("<pre>&#10;\n&#13;a</pre>", "<pre>a</pre>"),
        ("<span class=\"evil\">x</span><ol start=\"x\" reversed=\"y\">", "<span>x</span><ol reversed=\"\"></ol>"),
    ] {
        assert_eq!(sanitise(html), safe);
        assert_eq!(sanitise(safe), safe);
    }
}

#[test]
fn html_becomes_plain_text() {
    for (html, text) in [
        (
            "<p>Hello <b>you</b>,<br>there</p><p>Bye &amp; thanks&#33; &lt;3 &copy &notit;</p>",
            "Hello you,\nthere\n\nBye & thanks! <3 © ¬it;",
        ),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        ("a<div>b</div>\n  c", "a\nb\nc"),
        ("<script>x</script>  y \n z ", "y z"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("&#x1F375; &#0; &#xD800; &#99999999999; &bogus; & &", "🍵 \u{fffd} \u{fffd} \u{fffd} &bogus; & &"),
        ("", ""),
        ("<pre>a\n\n\nb\n</pre>c", "a\n\nb\n\nc"),
        ("a<table><tr><th>b<th>c<tr><td>d</td><td>e</table>f", "a\n\nb c\nd e\n\nf"),
    ] {
        assert_eq!(plain(html), text, "{html}");
    }
    let long = "https://www.x.example/0123456789/0123456789/0123456789?a=1&b";
    assert_eq!(plain(&html(long)), long, "shortened links come back whole");
}

#[test]
fn excerpts_end_after_a_word() {
    assert_eq!(shorten("one two\nthree", 13), "one two three");
    assert_eq!(shorten("one two three", 12), "one two…");
    assert_eq!(shorten("one two three", 8), "one two…");
    assert_eq!(shorten("one two three", 7), "one…");
    assert_eq!(shorten("abcdefgh", 4), "abc…");
    assert_eq!(shorten("", 4), "");
    assert_eq!(shorten("abc", 0), "");
}

/// Every kind of hostile text takes about a second unoptimised; quadratic time would take minutes.
#[test]
fn hostile_texts_cost_little() {
    let mut texts: Vec<String> = [
        "<div>",
        "<b>",
        "<p>",
        "<p><b>",
        "<b><p>",
        "<ul><li>",
        "<table><tr><td>",
        "</p>",
        "<",
        "&",
        "&a",
        "&#",
        "<a ",
        "<!--",
        "<!",
        "</",
        "<svg>",
        "<script>",
        "<a href='",
        "<a href=https://x.example>",
        "<font color=1>x",
        "@",
        "@a",
        "@a@",
        "@a@b.c",
        "#",
        "#a",
        "#a#",
        "[",
        "(",
        "://",
        "a://",
        "http://",
        "http://a.bc/(",
        "http://a.bc。",
        "http://a@",
        "http://a.",
        ":",
        ":aa",
        ":aa:",
        "\n",
        " ",
        "\u{301}",
        "🇫🇷",
        "👩‍👧",
        "ß",
        "\u{200d}",
        "a.",
        "a-",
        ".",
        "http://x:",
        "\"http://",
    ]
    .iter()
    .map(|piece| piece.repeat(200_000 / piece.len()))
    .collect();
    let attributes: String = (0..100_000).map(|n| format!("a{n} ")).collect();
    texts.push(format!("<a {attributes}>x"));
    let fonts: String = (0..20_000).map(|n| format!("<b class='c{n}'>")).collect();
    texts.push(format!("{fonts}{}", "<p>x".repeat(20_000)));
    texts.push("x".repeat(1_000_000));
    texts.push("<div>".repeat(200_000));
    for text in &texts {
        let start = processor_time();
        let cleaned = sanitise(text);
        assert!(cleaned.len() <= 64 * text.len() + 64);
        black_box(plain(text));
        black_box(html(text));
        black_box(count_chars(text, text));
        black_box(shortcodes(text));
        black_box(shorten(text, 100));
        let took = processor_time() - start;
        assert!(took < Duration::from_secs(20), "{:?} took {took:?}", text.get(..20));
    }
}

/// Of this thread alone, so that it is the same on a machine that does something else as well.
fn processor_time() -> Duration {
    rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime).try_into().unwrap()
}

/// Only tags that we write ourselves.
fn assert_only_our_tags(html: &str) {
    const OURS: &[&str] = &["<p>", "</p>", "<br>", "<span>", "<span class=\"", "</span>", "<a href=\"", "</a>"];
    for (at, _) in html.match_indices('<') {
        assert!(OURS.iter().any(|tag| html[at..].starts_with(tag)), "{html}");
    }
}

fn without_rel(html: &str) -> String {
    let mut out = html.replace(" target=\"_blank\"", "");
    for rel in [" rel=\"nofollow noopener noreferrer\"", " rel=\"tag nofollow noopener noreferrer\"", " rel=\"tag\""] {
        out = out.replace(rel, "");
    }
    out
}

fn typed() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("@bob".to_owned()),
        Just("@bob@willow.example".to_owned()),
        Just("#tag".to_owned()),
        Just("https://x.example/a?b=1&c=2#d".to_owned()),
        Just("http://[::1]:80/".to_owned()),
        Just("<b>".to_owned()),
        Just("</p><script>".to_owned()),
        Just("&amp;".to_owned()),
        Just("\n\n".to_owned()),
        Just("\r\n".to_owned()),
        Just(":tea:".to_owned()),
        "[ \"'<>&@#:/._()=\\-\u{a0}]",
        "[a-zA-Z0-9äß日\u{301}\u{b7}]{1,4}",
        "\\PC",
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// What people type never becomes a tag, and what we write is what we would accept from others.
    #[test]
    fn composed_html_is_safe(source in typed()) {
        let made = html(&source);
        assert_only_our_tags(&made);
        prop_assert_eq!(without_rel(&sanitise(&made)), without_rel(&made));
    }

    /// Whatever is typed can be read again from the HTML.
    #[test]
    fn nothing_typed_is_lost(source in "[a-zA-Z0-9 <>&\"'@#:/.\\n]{0,60}") {
        let squeeze = |text: &str| text.split_whitespace().collect::<String>();
        prop_assert_eq!(squeeze(&plain(&html(&source)).replace("@willow.example", "")), squeeze(&source));
    }

    #[test]
    fn any_html_comes_out_safe_and_stays_so(source in "(<|</|[a-z]{1,6}|>| |=|\"|'|&|;|https://|<p>|<a href=|<b|<li|<h1>|\\PC){0,40}") {
        let once = sanitise(&source);
        for bad in ["<script", "<img", "<iframe", "<style", "<svg", "onerror=\"", "href=\"javascript"] {
            prop_assert!(!once.contains(bad), "{}", once);
        }
        black_box(plain(&source));
    }

    #[test]
    fn nothing_panics(source in any::<String>()) {
        black_box(scan(&source, &urls()));
        black_box(count_chars(&source, &source));
        black_box(shortcodes(&source));
        black_box(sanitise(&source));
        black_box(plain(&source));
        for chars in 0..8 {
            prop_assert!(shorten(&source, chars).chars().count() <= chars);
        }
    }
}
