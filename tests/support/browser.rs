//! A browser under control: each step waits for the page and says what it waited for.
#![allow(
    dead_code,
    clippy::disallowed_methods,
    clippy::unused_async,
    reason = "two test binaries, each with its part of it"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::error::CmdError;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use url::{ParseError, Url};

/// How long a page may take to show something.
const WITHIN: Duration = Duration::from_secs(30);

/// A chromedriver of our own, and the profiles of its browsers.
pub(crate) struct Driver {
    port: u16,
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
        // A port that was free a moment ago: chromedriver tells its own only in words.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
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
        Some(Self { port, profiles: tempfile::tempdir().unwrap(), child })
    }

    /// Opens a browser in that language, with the profile of that name: what it kept is there when it is opened again.
    pub(crate) async fn open(&self, profile: &str, language: &str, window: Window) -> Page {
        let directory = self.profiles.path().join(profile);
        let mut options = json!({
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--disable-dev-shm-usage", "--no-proxy-server", "--window-size=1280,1040",
                format!("--lang={language}"), format!("--user-data-dir={}", directory.display()),
            ],
            "prefs": { "intl.accept_languages": language },
        });
        if matches!(window, Window::Phone) {
            let metrics = json!({ "width": 390, "height": 844, "pixelRatio": 2.0, "touch": true });
            options["mobileEmulation"] = json!({ "deviceMetrics": metrics });
        }
        let mut capabilities = serde_json::Map::new();
        capabilities.insert("goog:chromeOptions".to_owned(), options);
        capabilities.insert("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" }));
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let url = format!("http://127.0.0.1:{}", self.port);
        let client = builder.capabilities(capabilities).connect(&url).await.expect("Chromium starts");
        Page { client }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // By hand, since a drop can't wait for a future. A driver that is killed leaves its browsers running; one that is
        // asked to shut down ends them.
        if let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)) {
            let host = format!("127.0.0.1:{}", self.port);
            let _ = write!(stream, "GET /shutdown HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
            let _ = stream.read(&mut [0; 512]);
        }
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

    /// Writes into a field in place of what stands there.
    pub(crate) async fn fill(&self, selector: &str, text: &str) {
        let field = self.client.wait().at_most(WITHIN).for_element(Locator::Css(selector)).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Presses keys in a field.
    pub(crate) async fn press(&self, selector: &str, keys: &str) {
        let field = self.client.wait().at_most(WITHIN).for_element(Locator::Css(selector)).await.unwrap();
        field.send_keys(keys).await.unwrap();
    }

    pub(crate) async fn click(&self, selector: &str) {
        let clicked = async {
            // A live page may put another element in its place between finding and clicking.
            while let Err(error) = self.find_and_click(selector).await {
                assert!(error.is_stale_element_reference() || error.is_no_such_element(), "{selector}: {error}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let clicked = tokio::time::timeout(WITHIN, clicked).await;
        assert!(clicked.is_ok(), "{}", self.misses(selector, "").await);
    }

    async fn find_and_click(&self, selector: &str) -> Result<(), CmdError> {
        self.client.find(Locator::Css(selector)).await?.click().await
    }

    /// Runs a script.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// What an expression is in the page.
    pub(crate) async fn eval(&self, expression: &str) -> Value {
        self.run(&format!("return {expression}")).await
    }

    /// Waits until an expression is true in the page, or in the page that comes next: a page that is just being left
    /// can't be asked.
    pub(crate) async fn until(&self, expression: &str) {
        let script = format!("return Boolean({expression})");
        let true_at_last = async {
            while !matches!(self.client.execute(&script, Vec::new()).await, Ok(Value::Bool(true))) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let true_at_last = tokio::time::timeout(WITHIN, true_at_last).await;
        assert!(true_at_last.is_ok(), "{}", self.misses("body", expression).await);
    }

    /// A command of the DevTools protocol.
    pub(crate) async fn devtools(&self, command: &str, parameters: Value) {
        let body = json!({ "cmd": command, "params": parameters });
        self.client.issue_cmd(Vendor { path: "goog/cdp/execute", body }).await.unwrap();
    }

    /// Pulls the network cable, or puts it back.
    pub(crate) async fn offline(&self, offline: bool) {
        self.devtools("Network.enable", json!({})).await;
        let conditions = json!({ "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
        self.devtools("Network.emulateNetworkConditions", conditions).await;
    }

    /// What the console said of faults since it was asked last.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self.client.issue_cmd(Vendor { path: "se/log", body: json!({ "type": "browser" }) }).await.unwrap();
        let severe = log.as_array().unwrap().iter().filter(|entry| entry["level"] == "SEVERE");
        severe.map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
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

/// A command that only Chromium's driver knows.
#[derive(Debug)]
struct Vendor {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Vendor {
    fn endpoint(&self, base_url: &Url, session_id: Option<&str>) -> Result<Url, ParseError> {
        base_url.join(&format!("session/{}/{}", session_id.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}
