//! RSS feeds of public posts. What a feed reader gets is what anybody may see, whoever asks for it.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use domain::text::Tag;
use domain::view::PostView;
use domain::{Viewer, Visibility, Whom};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use rss::{Channel, ChannelBuilder, EnclosureBuilder, GuidBuilder, ImageBuilder, Item, ItemBuilder};
use storage::hydrate::Found;
use storage::timelines::{AccountFilter, TagFilter};
use storage::{Conn, hydrate, timelines};

use super::front::FRONT;
use super::message::Problem;
use super::profile::find;
use super::text;
use super::visitor::Visitor;
use crate::media::file::names;
use crate::state::Web;

const LENGTH: i64 = 20;

/// `GET /@name.rss`.
pub async fn of_person(web: &Web, visitor: &Visitor, name: &str, asked: &HeaderMap) -> Result<Response, Problem> {
    let mut conn = web.app.db.read().await?;
    let account = find(&mut conn, name).await?;
    let filter =
        AccountFilter { only_public: true, exclude_replies: true, exclude_boosts: true, ..AccountFilter::default() };
    let ids = timelines::account(&mut conn, Viewer::Anonymous, account.id, &filter, &domain::page::Page::first(LENGTH))
        .await?;
    let items = items(web, visitor, &mut conn, &ids).await?;
    let image = ImageBuilder::default()
        .url(web.app.urls.avatar(&account))
        .title(account.name().to_owned())
        .link(account.url.clone())
        .build();
    let channel = ChannelBuilder::default()
        .title(account.name().to_owned())
        .link(account.url.clone())
        .description(format!("Public posts of {}", visitor.look().handle(&account)))
        .image(Some(image))
        .items(items)
        .build();
    Ok(answer(&channel, asked))
}

/// `GET /feed.rss`: what the front page shows to strangers.
pub async fn of_community(State(web): State<Web>, visitor: Visitor, asked: HeaderMap) -> Result<Response, Problem> {
    let mut conn = web.app.db.read().await?;
    let page = domain::page::Page::first(LENGTH);
    let ids = timelines::public(&mut conn, Viewer::Anonymous, FRONT, &page).await?;
    let items = items(&web, &visitor, &mut conn, &ids).await?;
    let channel = ChannelBuilder::default()
        .title(visitor.community.title.clone())
        .link(web.app.urls.path("/"))
        .description(visitor.community.description.clone())
        .items(items)
        .build();
    Ok(answer(&channel, &asked))
}

/// `GET /tags/name.rss`.
pub async fn of_tag(web: &Web, visitor: &Visitor, name: &str, asked: &HeaderMap) -> Result<Response, Problem> {
    let tag = Tag::new(name).ok_or(Problem::NotFound)?;
    let mut conn = web.app.db.read().await?;
    let filter = TagFilter { any: vec![tag.key], ..TagFilter::default() };
    let ids = timelines::tag(&mut conn, Viewer::Anonymous, &filter, &domain::page::Page::first(LENGTH)).await?;
    let items = items(web, visitor, &mut conn, &ids).await?;
    let channel = ChannelBuilder::default()
        .title(format!("#{}", tag.name))
        .link(web.app.urls.tag(&tag.name))
        .description(format!("Public posts with #{} at {}", tag.name, visitor.community.title))
        .items(items)
        .build();
    Ok(answer(&channel, asked))
}

/// A reader that has it already, by its `ETag` or by the time of its newest post, is told no more than that (RFC 9110,
/// section 13). Times are compared as texts: a feed whose newest post was deleted is older than before.
fn answer(channel: &Channel, asked: &HeaderMap) -> Response {
    // Whatever is stored, a character that XML forbids would end the feed for its readers. It is replaced, not left
    // out: without it, what stands around it could become markup.
    let xml: String = channel.to_string().chars().map(|c| if xml_has(c) { c } else { '\u{fffd}' }).collect();
    let etag: String = app::secrets::digest(&xml)[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    let etag = format!("\"{etag}\"");
    let newest = channel.items().first().and_then(Item::pub_date).map(|date| date.replace("+0000", "GMT"));
    let given = |name| asked.get(name).and_then(|v| v.to_str().ok());
    let known = match given(header::IF_NONE_MATCH) {
        Some(tags) => names(tags, &etag),
        None => newest.is_some() && given(header::IF_MODIFIED_SINCE) == newest.as_deref(),
    };
    let mut headers = HeaderMap::new();
    let mut put = |name, value: &str| HeaderValue::from_str(value).map(|value| headers.insert(name, value)).is_ok();
    put(header::ETAG, &etag);
    if let Some(newest) = &newest {
        put(header::LAST_MODIFIED, newest);
    }
    put(header::CACHE_CONTROL, "public, max-age=300");
    if known {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    put(header::CONTENT_TYPE, "application/rss+xml; charset=utf-8");
    (headers, xml).into_response()
}

/// XML 1.0, section 2.2, less what it discourages.
fn xml_has(c: char) -> bool {
    c == '\r' || domain::text::is_clean(c)
}

async fn items(web: &Web, visitor: &Visitor, conn: &mut Conn, found: &[Found]) -> Result<Vec<Item>, Problem> {
    let views = hydrate::found(conn, Viewer::Anonymous, found).await?;
    // The lists hold public posts alone; this is the last door.
    Ok(views
        .iter()
        .filter(|view| view.post().visibility == Visibility::Public && view.boost_of.is_none())
        .map(|view| item(web, visitor, view))
        .collect())
}

/// A post behind a warning, or with sensitive pictures, shows the warning and the way to it alone.
fn item(web: &Web, visitor: &Visitor, view: &PostView) -> Item {
    let urls = &web.app.urls;
    let post = view.post();
    let card = visitor.look().post(view);
    let warning = post.spoiler_text.trim();
    let (title, description) = if warning.is_empty() {
        let pictures = card.media.iter().filter(|m| m.is_image() && !card.covered);
        let pictures: String = pictures
            .map(|m| {
                let (src, alt) = (domain::text::escape(&m.preview), domain::text::escape(&m.alt));
                format!(r#"<p><img src="{src}" alt="{alt}"></p>"#)
            })
            .collect();
        let content = text::with_emoji(&post.content, &view.core.emojis, urls);
        (text::excerpt(&post.content, 80), format!("{content}{pictures}"))
    } else {
        (domain::text::shorten(warning, 80), format!("<p>{}</p>", domain::text::escape(warning)))
    };
    let enclosure = view.core.attachments.first().filter(|_| !post.sensitive && warning.is_empty()).map(|a| {
        EnclosureBuilder::default()
            .url(web.app.files.original(a, Whom::Anyone))
            .length(a.size.unwrap_or_default().to_string())
            .mime_type(a.mime.clone())
            .build()
    });
    ItemBuilder::default()
        .title(Some(title).filter(|t| !t.is_empty()))
        .link(Some(post.url.clone()))
        .description(Some(description))
        .guid(Some(GuidBuilder::default().value(post.url.clone()).permalink(true).build()))
        .pub_date(Some(post.created_at.datetime().to_rfc2822()))
        .enclosure(enclosure)
        .build()
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use proptest::prelude::*;

    use super::*;

    /// A feed whose every text is the same.
    fn feed(text: &str) -> Channel {
        let text = text.to_owned();
        let image = ImageBuilder::default().url(text.clone()).title(text.clone()).link(text.clone()).build();
        let enclosure = EnclosureBuilder::default().url(text.clone()).length("1").mime_type(text.clone()).build();
        let item = ItemBuilder::default()
            .title(Some(text.clone()))
            .link(Some(text.clone()))
            .description(Some(text.clone()))
            .guid(Some(GuidBuilder::default().value(text.clone()).permalink(true).build()))
            .pub_date(Some(text.clone()))
            .enclosure(Some(enclosure))
            .build();
        ChannelBuilder::default()
            .title(text.clone())
            .link(text.clone())
            .description(text)
            .image(Some(image))
            .items(vec![item])
            .build()
    }

    /// Parses the answer as a strict reader does, and gives every text in it.
    async fn read(channel: &Channel) -> Vec<String> {
        let body = to_bytes(answer(channel, &HeaderMap::new()).into_body(), usize::MAX).await.unwrap();
        let xml = std::str::from_utf8(&body).unwrap();
        let document = roxmltree::Document::parse(xml).unwrap_or_else(|e| panic!("{e}: {xml:?}"));
        let elements: Vec<_> = document.descendants().filter(roxmltree::Node::is_element).collect();
        assert_eq!(elements.len(), 16, "markup came out of a text: {xml:?}");
        let attributes = elements.iter().flat_map(|e| e.attributes()).map(|a| a.value().to_owned());
        let texts = elements.iter().filter(|e| !e.children().any(|child| child.is_element()));
        attributes.chain(texts.map(|e| e.text().unwrap_or_default().to_owned())).collect()
    }

    #[tokio::test]
    async fn a_feed_is_well_formed_whatever_is_stored() {
        for c in (0..=0x9f).chain(0xfdd0..=0xfdef).chain(0xfff0..=0xffff).chain([0x1_fffe, 0x10_ffff]) {
            let Some(c) = char::from_u32(c) else { continue };
            for text in [format!("a{c}b"), format!("]]{c}>"), format!("&{c}amp;<{c}b>"), format!("{c}")] {
                assert_eq!(read(&feed(&text)).await.len(), 16);
            }
        }
        let plain = "Dana & <b>others</b> ]]> \"so\" 'so' 😀";
        let texts = read(&feed(plain)).await;
        assert_eq!(texts.iter().filter(|text| *text == plain).count(), 13, "{texts:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_feed_of_arbitrary_texts_is_well_formed(text in prop_oneof![any::<String>(), r"(\]|>|<|&|;|[\x00-\x1f]|a){0,20}"]) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(read(&feed(&text)));
        }
    }
}
