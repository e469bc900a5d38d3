//! A browser that a test drives: Chromium, through chromedriver, over the plain WebDriver protocol.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::{Value, json};

/// The key under which WebDriver passes an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with a profile of its own. It ends with its value.
pub(crate) struct WebBrowser {
    client: Client,
    driver: Child,
    address: SocketAddr,
    session: String,
    profile: tempfile::TempDir,
}

impl WebBrowser {
    /// Starts one; `None`, with a word, where there is no chromedriver and not everything must be tested.
    pub(crate) async fn start(client: &Client) -> Option<Self> {
        // A port that was free a moment ago: chromedriver tells its own only in words.
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let driver = Command::new("chromedriver").arg(format!("--port={}", free.port())).stdout(Stdio::piped()).spawn();
        let Ok(mut driver) = driver else {
            assert!(!must_run(), "FIRSTLINE_TEST_ALL=1 wants chromedriver, and there is none");
            eprintln!("skipped: there is no chromedriver");
            return None;
        };
        wait_for_words(&mut driver, "started successfully");
        let profile = tempfile::tempdir().unwrap();
        let mut browser = Self { client: client.clone(), driver, address: free, session: String::new(), profile };
        browser.begin().await;
        Some(browser)
    }

    async fn begin(&mut self) {
        let profile = format!("--user-data-dir={}", self.profile.path().display());
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--no-proxy-server",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1280,900",
            "--lang=en",
            &profile,
        ];
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "args": arguments, "prefs": { "intl.accept_languages": "en" } },
            "goog:loggingPrefs": { "browser": "ALL" },
            "timeouts": { "script": 20_000 },
        }}});
        let session = self.call(Method::POST, "/session", capabilities).await;
        self.session = session["sessionId"].as_str().map(str::to_owned).unwrap();
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> Value {
        let session = if self.session.is_empty() { String::new() } else { format!("/session/{}", self.session) };
        let request = self.client.request(method.clone(), format!("http://{}{session}{path}", self.address));
        let request = if method == Method::POST { request.json(&body) } else { request };
        let response = request.send().await.unwrap();
        let is_success = response.status().is_success();
        let answer: Value = response.json().await.unwrap();
        assert!(is_success, "{path}: {}", answer["value"]["message"]);
        answer["value"].clone()
    }

    pub(crate) async fn goto(&self, url: &str) {
        self.call(Method::POST, "/url", json!({ "url": url })).await;
    }

    /// What an expression is in the page.
    pub(crate) async fn eval(&self, expression: &str) -> Value {
        let body = json!({ "script": format!("return {expression}"), "args": [] });
        self.call(Method::POST, "/execute/sync", body).await
    }

    /// Waits until an expression is true in the page.
    pub(crate) async fn until(&self, expression: &str) {
        let script = format!(
            "const done = arguments[0]; const look = () => ({expression}) ? done(true) : setTimeout(look, 20); look();"
        );
        self.call(Method::POST, "/execute/async", json!({ "script": script, "args": [] })).await;
    }

    async fn element(&self, css: &str) -> String {
        let found = self.call(Method::POST, "/element", json!({ "using": "css selector", "value": css })).await;
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    pub(crate) async fn click(&self, css: &str) {
        let path = format!("/element/{}/click", self.element(css).await);
        self.call(Method::POST, &path, json!({})).await;
    }

    pub(crate) async fn write(&self, css: &str, text: &str) {
        let path = format!("/element/{}/value", self.element(css).await);
        self.call(Method::POST, &path, json!({ "text": text })).await;
    }

    /// A command of the DevTools protocol.
    pub(crate) async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.call(Method::POST, "/goog/cdp/execute", json!({ "cmd": command, "params": parameters })).await
    }

    /// Pulls the network cable, or puts it back.
    pub(crate) async fn offline(&self, offline: bool) {
        self.devtools("Network.enable", json!({})).await;
        let conditions = json!({ "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
        self.devtools("Network.emulateNetworkConditions", conditions).await;
    }

    /// What the console said of faults since it was asked last.
    pub(crate) async fn complaints(&self) -> Vec<String> {
        let log = self.call(Method::POST, "/se/log", json!({ "type": "browser" })).await;
        let severe = log.as_array().unwrap().iter().filter(|entry| entry["level"] == "SEVERE");
        severe.map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }
}

impl Drop for WebBrowser {
    fn drop(&mut self) {
        // By hand, since a drop can't wait for a future: without it the browser would outlive its driver.
        if let Ok(mut stream) = TcpStream::connect(self.address) {
            let host = self.address;
            let request =
                format!("DELETE /session/{} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n", self.session);
            let _ = stream.write_all(request.as_bytes());
            // The answer comes when the browser is gone; chromedriver keeps the connection.
            let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
            let _ = stream.read(&mut [0; 512]);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// Reads the driver's words up to those.
fn wait_for_words(driver: &mut Child, words: &str) {
    let output = driver.stdout.as_mut().unwrap();
    let (mut heard, mut byte) = (Vec::new(), [0]);
    while !String::from_utf8_lossy(&heard).contains(words) {
        assert_eq!(output.read(&mut byte).unwrap(), 1, "chromedriver does not start");
        heard.push(byte[0]);
    }
}

#[expect(clippy::disallowed_methods, reason = "tests have no configuration but the environment")]
fn must_run() -> bool {
    std::env::var("FIRSTLINE_TEST_ALL").is_ok_and(|value| value == "1")
}
