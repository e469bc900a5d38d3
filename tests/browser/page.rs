//! A browser under control: each step waits for the page and says what it waited for.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use crate::product::free_port;

/// How long a page may take to show something.
const WITHIN: Duration = Duration::from_secs(30);

/// A chromedriver of our own, and the profiles of its browsers.
pub(crate) struct Driver {
    url: String,
    profiles: tempfile::TempDir,
    child: Child,
}

/// How large a window is.
#[derive(Clone, Copy)]
pub(crate) enum Window {
    Desktop,
    Phone,
}

impl Driver {
    /// Starts it; `None`, said loudly, where there is none on the path.
    pub(crate) async fn start() -> Option<Self> {
        let port = free_port();
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}")).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => {
                let all = std::env::var("FIRSTLINE_TEST_ALL").is_ok_and(|all| all == "1");
                assert!(!all, "chromedriver can't be started: {error}");
                // Not through the macro, whose words the test harness keeps to itself.
                let _ = writeln!(std::io::stderr(), "SKIPPED: 1 browser test, for want of chromedriver on the path");
                return None;
            }
        };
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let listens = lines.any(|line| line.is_ok_and(|line| line.contains("started successfully")));
        assert!(listens, "chromedriver ended before it listened");
        std::thread::spawn(move || lines.for_each(drop));
        Some(Self { url: format!("http://127.0.0.1:{port}"), profiles: tempfile::tempdir().unwrap(), child })
    }

    /// Opens a browser with the profile of that name: what it kept is there when it is opened again.
    pub(crate) async fn open(&self, profile: &str, window: Window) -> Page {
        let directory = self.profiles.path().join(profile);
        let mut options = json!({
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--disable-dev-shm-usage", "--no-proxy-server", "--lang=ru", "--window-size=1280,1040",
                format!("--user-data-dir={}", directory.display()),
            ],
            "prefs": { "intl.accept_languages": "ru" },
        });
        if matches!(window, Window::Phone) {
            let metrics = json!({ "width": 390, "height": 844, "pixelRatio": 2.0, "touch": true });
            options["mobileEmulation"] = json!({ "deviceMetrics": metrics });
        }
        let mut capabilities = serde_json::Map::new();
        capabilities.insert("goog:chromeOptions".to_owned(), options);
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client = builder.capabilities(capabilities).connect(&self.url).await.expect("Chromium starts");
        Page { client }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A page of a browser.
pub(crate) struct Page {
    client: Client,
}

impl Page {
    pub(crate) async fn goto(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    pub(crate) async fn url(&self) -> String {
        self.client.current_url().await.unwrap().to_string()
    }

    pub(crate) async fn close(self) {
        self.client.close().await.unwrap();
    }

    /// Waits until an element of that selector shows the words.
    pub(crate) async fn sees(&self, selector: &str, words: &str) {
        assert!(self.comes(selector, words, WITHIN).await, "{}", self.misses(selector, words).await);
    }

    /// [`Self::sees`] of what is not pushed to the page: it is loaded anew until it shows it.
    pub(crate) async fn sees_after_reloads(&self, selector: &str, words: &str) {
        let shown = async {
            while !self.comes(selector, words, Duration::from_millis(500)).await {
                self.client.refresh().await.unwrap();
            }
        };
        let shown = tokio::time::timeout(WITHIN, shown).await;
        assert!(shown.is_ok(), "{}", self.misses(selector, words).await);
    }

    /// Whether it comes to show it in time: the page itself looks after each change of its own.
    async fn comes(&self, selector: &str, words: &str, within: Duration) -> bool {
        const SCRIPT: &str = "
            const [selector, words, within, done] = arguments;
            const shows = () => [...document.querySelectorAll(selector)].some((one) => one.textContent.includes(words));
            if (shows()) return done(true);
            const watch = new MutationObserver(() => { if (shows()) end(true); });
            const end = (seen) => { watch.disconnect(); done(seen); };
            watch.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
            setTimeout(() => end(shows()), within);";
        let deadline = tokio::time::Instant::now() + within;
        loop {
            let left = deadline.saturating_duration_since(tokio::time::Instant::now());
            let arguments = vec![json!(selector), json!(words), json!(left.as_millis().min(20_000))];
            // A page that is being left takes its script along: the next page is asked again.
            match self.client.execute_async(SCRIPT, arguments).await {
                Ok(Value::Bool(true)) => return true,
                _ if left.is_zero() => return false,
                _ => {}
            }
        }
    }

    async fn misses(&self, selector: &str, words: &str) -> String {
        self.picture("missed").await;
        format!("{selector} does not show `{words}`:\n{}", self.text("body").await)
    }

    /// What an element shows.
    pub(crate) async fn text(&self, selector: &str) -> String {
        self.client.find(Locator::Css(selector)).await.unwrap().text().await.unwrap()
    }

    /// Writes a message in the chat and sends it.
    pub(crate) async fn write(&self, text: &str) {
        self.fill("#field", text).await;
        self.click("#send").await;
        self.sees(".message.customer:not(.sending):not(.waiting) .bubble", text).await;
    }

    pub(crate) async fn fill(&self, selector: &str, text: &str) {
        let field = self.client.wait().at_most(WITHIN).for_element(Locator::Css(selector)).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    pub(crate) async fn click(&self, selector: &str) {
        let found = self.client.wait().at_most(WITHIN).for_element(Locator::Css(selector)).await;
        let Ok(found) = found else { panic!("{}", self.misses(selector, "").await) };
        found.click().await.unwrap();
    }

    pub(crate) async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// Nothing is wider than the window, and what is written with is in sight.
    pub(crate) async fn fits(&self, what: &str) {
        const WIDER: &str = "
            const wide = [...document.querySelectorAll('body *')].filter((one) => {
                const box = one.getBoundingClientRect();
                return box.width > 0 && box.right > innerWidth + 1;
            });
            return document.documentElement.scrollWidth > innerWidth ? wide.map((one) => one.className || one.tagName) : [];";
        assert_eq!(self.run(WIDER).await, json!([]), "{what}: wider than the window");
    }

    /// Keeps a picture, where pictures are wanted.
    pub(crate) async fn picture(&self, name: &str) {
        let Some(directory) = std::env::var_os("FIRSTLINE_SCREENSHOTS").map(PathBuf::from) else { return };
        std::fs::create_dir_all(&directory).unwrap();
        let picture = self.client.screenshot().await.unwrap();
        std::fs::write(directory.join(format!("{name}.png")), picture).unwrap();
    }
}
