//! How the pages look in a real browser: they fit a small phone and a wide screen, can be read in light and dark, and
//! what is to be pressed can be hit with a thumb.
//!
//! With `PORCHLIGHT_SCREENSHOTS=FOLDER` the pages are left there as pictures, to be looked at.

use std::path::PathBuf;
use testkit::Engine;

use app::posts::publish::Draft;
use bytes::Bytes;
use domain::account::{Account, Role};
use domain::attachment::{Attachment, AttachmentKind};
use domain::{AttachmentId, PostId, Visibility};
use media::{ImageLimits, MediaKey};
use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::house::{House, Plan};
use crate::oauth::{BACK, question, register};

const FOLDER: &str = "PORCHLIGHT_SCREENSHOTS";
const SIZES: [(u32, bool); 4] = [(360, false), (360, true), (1280, false), (1280, true)];

/// Text whose contrast with what is behind it is below WCAG AA (4.5, or 3 where it is large), as
/// `[text, contrast]`. Text over pictures is left out.
const FAINT: &str = r"(() => {
  const rgb = s => { const n = s.match(/[\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
  const lum = c => { const f = c.slice(0, 3).map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
    return .2126 * f[0] + .7152 * f[1] + .0722 * f[2]; };
  const behind = e => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] > .75) return c; }
    return rgb(getComputedStyle(document.documentElement).backgroundColor); };
  const faint = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n; n = walk.nextNode();) {
    const e = n.parentElement, box = e.getBoundingClientRect();
    if (!n.data.trim() || !e.checkVisibility() || box.width < 2) continue;
    const style = getComputedStyle(e), size = parseFloat(style.fontSize);
    const a = lum(rgb(style.color)), b = lum(behind(e));
    const contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if (contrast < (large ? 3 : 4.5)) faint.push([n.data.trim().slice(0, 40), Math.round(contrast * 100) / 100]);
  }
  return faint;
})()";

/// What is to be pressed and lower than 40 px. Links within text are left out (WCAG 2.5.8 does, too).
const SMALL: &str = r"[...document.querySelectorAll('button, summary, .deed, .quiet, .doors a, .foot a, input:not([type=hidden]):not([type=checkbox])')]
  .filter(e => e.checkVisibility() && !e.closest('.told')).map(e => [e.textContent.trim().slice(0, 30), e.getBoundingClientRect().height])
  .filter(([, h]) => h < 40)";

/// What reaches further right than the window.
const WIDE: &str = "document.scrollingElement.scrollWidth - document.documentElement.clientWidth";

struct Street {
    house: House,
    dana: Account,
    post: PostId,
}

/// A picture of our own, as an upload would leave it.
async fn picture(house: &House, by: &Account, description: &str) -> AttachmentId {
    let bytes = Bytes::from_static(include_bytes!("../../static/header.png"));
    let made = media::image::process(bytes, &ImageLimits::default()).await.unwrap();
    let mut keys = Vec::new();
    for (n, file) in [&made.original, &made.preview].into_iter().enumerate() {
        let mut random = [0; 16];
        random[..8].copy_from_slice(&house.app.ids().next::<i64>().to_be_bytes());
        random[15] = u8::try_from(n).unwrap();
        let key = MediaKey::of_post(random, file.format.extension()).unwrap();
        house.app.media.put(&key, file.bytes.clone()).await.unwrap();
        keys.push(key.as_str().to_owned());
    }
    let side = |n: u32| i32::try_from(n).ok();
    let mut tx = house.app.db.write().await.unwrap();
    let id: AttachmentId = tx.id();
    let a = Attachment {
        id,
        account_id: by.id,
        post_id: None,
        kind: AttachmentKind::Image,
        mime: made.original.format.mime().to_owned(),
        key: Some(keys[0].clone()),
        preview_key: Some(keys[1].clone()),
        remote_url: None,
        description: description.to_owned(),
        blurhash: Some(made.blurhash),
        focus: None,
        width: side(made.original.width),
        height: side(made.original.height),
        preview_width: side(made.preview.width),
        preview_height: side(made.preview.height),
        size: None,
        created_at: tx.now(),
    };
    storage::attachments::insert(&mut tx, &a).await.unwrap();
    tx.commit().await.unwrap();
    id
}

async fn street() -> Street {
    let house = House::planned(Engine::Sqlite, Plan::default()).await;
    let dana = house.member_as("dana", Role::Owner).await;
    let priya = house.member("priya_with_quite_a_long_name").await;
    let mut tx = house.app.db.write().await.unwrap();
    let mut community = storage::settings::community(&mut tx).await.unwrap();
    community.title = "Maple Street Parents".to_owned();
    community.rules =
        vec!["Be kind, above all when you disagree.".to_owned(), "What is said here stays here.".to_owned()];
    community.contact_email = "hello@maple.example".to_owned();
    storage::settings::set_community(&mut tx, &community).await.unwrap();
    tx.commit().await.unwrap();
    let first = house
        .post(
            &dana,
            "First frost tonight. Who has a recipe for green tomatoes that forgives a distracted cook? #gardening",
            Visibility::Public,
        )
        .await;
    let mut last = first;
    let long = "https://averyverylongaddress.example/with/a/path/that/never/ends/and/ends/and/never/ends/and/ends";
    for (n, text) in [
        "Chutney, always chutney.",
        long,
        "Wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww",
        "And so to bed.",
    ]
    .into_iter()
    .enumerate()
    {
        let by = if n % 2 == 0 { &priya } else { &dana };
        let draft = Draft { text: text.to_owned(), in_reply_to: Some(last), ..Draft::default() };
        last = house.draft(by, draft).await;
    }
    let pictures = vec![
        picture(&house, &dana, "Six houses at dusk, four with a light on").await,
        picture(&house, &dana, "").await,
    ];
    house
        .draft(&dana, Draft { text: "The street, twice.".to_owned(), attachments: pictures, ..Draft::default() })
        .await;
    let covered = vec![picture(&house, &dana, "A knee with stitches").await];
    house
        .draft(&dana, Draft { text: "Stitches.".to_owned(), attachments: covered, sensitive: true, ..Draft::default() })
        .await;
    let veiled = "We got the results, and I do not need advice tonight, only company.";
    house
        .draft(
            &dana,
            Draft { text: veiled.to_owned(), spoiler_text: "Health, a hard one".to_owned(), ..Draft::default() },
        )
        .await;
    Street { house, dana, post: first }
}

fn keep(name: &str, picture: &[u8]) {
    if let Some(folder) = std::env::var_os(FOLDER) {
        let folder = PathBuf::from(folder);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.png")), picture).unwrap();
    }
}

async fn inspect(browser: &mut Chromium, base: &str, name: &str, path: &str) {
    for (width, dark) in SIZES {
        browser.set_view(width, dark).await;
        browser.go(&format!("{base}{path}")).await;
        let scheme = if dark { "dark" } else { "light" };
        keep(&format!("{name}-{width}-{scheme}"), &browser.screenshot(true).await);
        // With everything open, too: what is hidden must fit and be readable as well.
        for _ in 0..2 {
            let what = format!("{name} at {width}, {scheme}");
            assert_eq!(browser.evaluate(WIDE).await, json!(0), "{what}: it scrolls sideways");
            assert_eq!(browser.evaluate(FAINT).await, json!([]), "{what}: too faint to read");
            assert_eq!(browser.evaluate(SMALL).await, json!([]), "{what}: too small to press");
            browser.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)").await;
        }
        if std::env::var_os(FOLDER).is_some() {
            keep(&format!("{name}-{width}-{scheme}-open"), &browser.screenshot(true).await);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_pages_fit_and_can_be_read() {
    let street = street().await;
    let base = &street.house.base;
    let mut browser = Chromium::open().await;
    for (name, path) in [
        ("front", "/"),
        ("profile", "/@dana"),
        ("post", &format!("/@dana/{}", street.post)),
        ("tag", "/tags/gardening"),
        ("about", "/about"),
        ("login", "/login"),
        ("sign-up", "/sign-up"),
        ("missing", "/nowhere"),
        ("from-home", "/from-home?of=/@dana"),
        ("from-home-amiss", &format!("/from-home?of=/@dana/{}&handle=marisol", street.post)),
    ] {
        inspect(&mut browser, base, name, path).await;
    }
    assert_eq!(street.dana.username, "dana");
}

#[tokio::test(flavor = "multi_thread")]
async fn members_pages_fit_and_can_be_read() {
    let street = street().await;
    let house = &street.house;
    let client = register(house, "read write follow push admin:read admin:write").await;
    let mut browser = Chromium::open().await;
    let consent = question(&client, BACK, &[("scope", "read write follow push")]);
    let signed_in = house.browser_of("dana").await;
    let cookies = signed_in.cookies.borrow().clone();
    for (name, value) in cookies {
        browser.set_cookie(&house.base, &name, &value).await;
    }
    inspect(&mut browser, &house.base, "front-dana", "/").await;
    inspect(&mut browser, &house.base, "consent", &consent).await;
    let all = question(&client, BACK, &[("scope", "read write follow push admin:read admin:write")]);
    inspect(&mut browser, &house.base, "consent-staff", &all).await;
    inspect(&mut browser, &house.base, "profile-dana", "/@priya_with_quite_a_long_name").await;
    let act = "/authorize_interaction?uri=";
    inspect(&mut browser, &house.base, "follow", &format!("{act}@priya_with_quite_a_long_name")).await;
    inspect(&mut browser, &house.base, "follow-self", &format!("{act}@dana")).await;
    let post = format!("{act}{}/@dana/{}", house.base, street.post);
    inspect(&mut browser, &house.base, "act", &post).await;
    app::posts::favourite::favourite(&house.app, &street.dana, street.post).await.unwrap();
    inspect(&mut browser, &house.base, "act-done", &post).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_before_leaving_fits_and_can_be_read() {
    let federation = federation::Config {
        allow_http: true,
        allow_addresses: vec!["127.0.0.0/8".parse().unwrap()],
        ..federation::Config::default()
    };
    let house = House::planned(Engine::Sqlite, Plan { federation, ..Plan::default() }).await;
    house.member_as("dana", Role::Owner).await;
    let oak = testkit::Remote::start("oak").await;
    let template =
        "https://a-very-long-name-of-a-server-that-is-somewhere-else.and-below-another.example/follow?who={uri}";
    let links = json!([{"rel": "http://ostatus.org/schema/1.0/subscribe", "template": template}]);
    let document = json!({"subject": format!("acct:eve@{}", oak.domain), "links": links});
    oak.answer("/.well-known/webfinger", 200, "application/jrd+json", document.to_string());
    let mut browser = Chromium::open().await;
    let path = format!("/from-home?of=/@dana&handle=eve@{}", oak.domain);
    assert!(house.browser().get(&path).await.body.contains("You are about to leave"));
    inspect(&mut browser, &house.base, "leaving", &path).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_page_fits_and_can_be_read() {
    let house = House::open(Engine::Sqlite).await;
    let mut browser = Chromium::open().await;
    inspect(&mut browser, &house.base, "set-up", "/set-up").await;
}

/// What follows the name that she types stays readable: a long domain goes below it, and is broken between its parts only.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_domain_can_be_read_where_people_join() {
    let public = Some("https://parents-and-caregivers.maple-street.community.example");
    let plan = Plan { public, sign_up: domain::instance::SignUp::Open, ..Plan::default() };
    let house = House::planned(Engine::Sqlite, plan).await;
    house.member_as("dana", Role::Owner).await;
    let mut browser = Chromium::open().await;
    inspect(&mut browser, &house.base, "sign-up-long", "/sign-up").await;
    let broken = r"[...document.querySelector('.affix span').childNodes].filter(n => n.nodeType === 3).flatMap(n => {
      const top = i => { const r = document.createRange(); r.setStart(n, i); r.setEnd(n, i + 1); return r.getBoundingClientRect().top; };
      return [...n.data].map((c, i) => i && top(i) !== top(i - 1) && n.data[i - 1] !== '-' ? n.data : '').filter(Boolean); })";
    let name = "document.querySelector('#username').getBoundingClientRect().width";
    for (width, dark) in SIZES {
        browser.set_view(width, dark).await;
        browser.go(&format!("{}/sign-up", house.base)).await;
        assert_eq!(browser.evaluate(broken).await, json!([]), "at {width}");
        assert!(browser.evaluate(name).await.as_f64().unwrap() > 150.0, "at {width}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyboard_reaches_everything_and_shows_where_it_is() {
    let street = street().await;
    let mut browser = Chromium::open().await;
    browser.set_view(360, false).await;
    browser.go(&format!("{}/@dana", street.house.base)).await;
    let first = "document.querySelector('a, button, input, summary').textContent";
    assert_eq!(browser.evaluate(first).await, Value::from("Skip to the page"));
    let unseen = r"(() => { const bare = [];
      for (const e of document.querySelectorAll('a[href]:not([tabindex]), button, summary')) {
        if (!e.checkVisibility()) continue;
        e.focus({focusVisible: true});
        const s = getComputedStyle(e);
        if (document.activeElement !== e || s.outlineStyle === 'none' || parseFloat(s.outlineWidth) < 2) bare.push(e.outerHTML.slice(0, 80));
      } return bare; })()";
    assert_eq!(browser.evaluate(unseen).await, json!([]));
}
