//! The chat for everybody: axe finds nothing, on a phone and on a desk, by day and by night, in both languages.
//!
//! axe-core is not ours to ship (MPL-2.0): `FIRSTLINE_TEST_AXE` names its script. Where it is not set, a test says so and ends;
//! with `FIRSTLINE_TEST_ALL=1` it fails.
#![allow(clippy::disallowed_methods, reason = "what the test may use is told by the environment")]

use std::io::Write as _;

use firstline::domain::message::Citation;
use serde_json::{Value, json};

use crate::browser::{Driver, Page, Window};
use crate::support::{Served, serve_with};

/// What WCAG 2.2 asks for at level AA, and what axe's authors hold for good besides.
const RULES: &str = "{ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }";

/// axe's script; `None`, said loudly, where there is none.
fn axe() -> Option<String> {
    let Some(path) = std::env::var_os("FIRSTLINE_TEST_AXE") else {
        let all = std::env::var("FIRSTLINE_TEST_ALL").is_ok_and(|all| all == "1");
        assert!(!all, "FIRSTLINE_TEST_AXE does not name axe's script");
        let _ = writeln!(std::io::stderr(), "SKIPPED: 1 browser test, for want of axe's script at FIRSTLINE_TEST_AXE");
        return None;
    };
    Some(std::fs::read_to_string(path).unwrap())
}

/// What axe finds wrong, as rule and place.
async fn violations(page: &Page, axe: &str) -> Value {
    page.run(axe).await;
    page.run(&format!("window.found = null; axe.run(document, {RULES}).then((found) => {{ window.found = found; }})"))
        .await;
    page.until("window.found").await;
    let rules = "window.found.violations.map((rule) => [rule.id, rule.nodes.map((node) => [node.target, node.failureSummary])])";
    assert_ne!(page.eval("window.found.passes.length").await, json!(0), "axe has looked at something");
    page.eval(rules).await
}

async fn night(page: &Page, on: bool) {
    let scheme = if on { "dark" } else { "light" };
    let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
    page.devtools("Emulation.setEmulatedMedia", features).await;
}

/// Looks at what is shown now by day and by night.
async fn is_accessible(page: &Page, axe: &str, what: &str) {
    for (scheme, dark) in [("day", false), ("night", true)] {
        night(page, dark).await;
        assert_eq!(violations(page, axe).await, json!([]), "{what}, by {scheme}");
        page.picture(&format!("{what}-{scheme}")).await;
    }
    night(page, false).await;
}

/// Puts files into the chooser, as a person does by its dialog.
async fn chooses(page: &Page, files: &[(&str, &[u8])]) {
    let dir = tempfile::tempdir().unwrap();
    let paths = files.iter().map(|(name, bytes)| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    });
    let paths: Vec<String> = paths.collect();
    page.run("document.getElementById('chooser').hidden = false").await;
    page.press("#chooser", &paths.join("\n")).await;
    page.run("document.getElementById('chooser').hidden = true").await;
    let ready = format!("document.querySelectorAll('#tray .chosen:not(:has(progress))').length === {}", files.len());
    page.until(&ready).await;
}

/// Everything that the chat can show, one after the other.
async fn a_whole_conversation(served: &Served, page: &Page, axe: &str, name: &str) {
    page.goto(&served.url("/chat?embed=1")).await;
    page.until("document.querySelector('.message.bot')").await;
    is_accessible(page, axe, &format!("{name}-empty")).await;

    page.press("#field", "Пришла разбитой, вот фото и накладная").await;
    chooses(
        page,
        &[("чашка.png", super::attachments::PNG), ("накладная.txt", "№ 17".as_bytes()), ("a.html", b"<script>")],
    )
    .await;
    assert_eq!(
        page.eval("document.getElementById('send').getAttribute('aria-disabled')").await,
        "true",
        "one was refused"
    );
    is_accessible(page, axe, &format!("{name}-tray")).await;
    page.click("#tray .failed button").await;
    page.fits(name).await;
    page.click("#send").await;
    page.until("document.querySelector('.message.customer:not(.sending) .picture img')?.naturalWidth > 0").await;
    page.until("document.querySelector('.message.customer button.file')").await;
    let cite =
        vec![Citation { source: "ru/delivery".into(), title: "Доставка и её стоимость".into() }];
    served.bot_answers("Сколько было чашек? https://myata.example/a", cite).await;
    page.until("document.querySelector('.sources')").await;
    is_accessible(page, axe, &format!("{name}-answered")).await;
    page.fits(name).await;

    page.click("#elsewhere").await;
    page.until("document.querySelector('#places a')?.href.startsWith('https://t.me/mint_bot?start=')").await;
    is_accessible(page, axe, &format!("{name}-elsewhere")).await;
    page.fits(name).await;
    page.click("#elsewhere").await;
    page.until("document.getElementById('places').hidden").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_nothing_in_the_chat() {
    let Some(axe) = axe() else { return };
    let Some(driver) = Driver::start().await else { return };
    for (language, window, name) in [
        ("ru", Window::Desktop, "axe-ru-desk"),
        ("en", Window::Desktop, "axe-en-desk"),
        ("ru", Window::Phone, "axe-ru-phone"),
        ("en", Window::Phone, "axe-en-phone"),
    ] {
        let served = serve_with(|config| config.identity.telegram_bot = "mint_bot".to_owned()).await;
        let page = driver.open(name, language, window).await;
        a_whole_conversation(&served, &page, &axe, name).await;
        page.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_nothing_whatever_the_colour() {
    let Some(axe) = axe() else { return };
    let Some(driver) = Driver::start().await else { return };
    let page = driver.open("colours", "en", Window::Phone).await;
    for color in ["#ffe14d", "#101030", "#d6006c"] {
        let served = serve_with(|config| {
            color.clone_into(&mut config.web.color);
            "Myata & co".clone_into(&mut config.web.title);
            "M".clone_into(&mut config.web.avatar);
            "Good to see you!".clone_into(&mut config.web.greeting_en);
        })
        .await;
        page.goto(&served.url("/chat")).await;
        page.sees("#title", "Myata & co").await;
        page.sees(".message.bot", "Good to see you!").await;
        page.press("#field", "How much is delivery?").await;
        page.click("#send").await;
        page.until("document.querySelector('.message.customer:not(.sending)')").await;
        served.bot_answers("390 ₽", Vec::new()).await;
        page.until("document.querySelectorAll('.message.bot').length === 2").await;
        is_accessible(&page, &axe, &format!("axe-colour-{}", &color[1..])).await;
    }
    page.close().await;
}
