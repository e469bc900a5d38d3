//! An operator at the desk, who presses again until the press is answered.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use reqwest::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use reqwest::{Client, Response, StatusCode};

use super::process::{Setting, client};

const PASSWORD: &str = "a phrase of the desk";

/// How long an operator presses before the test gives up.
const PATIENCE: Duration = Duration::from_mins(3);

/// A browser with a session at the desk.
pub(crate) struct Desk {
    client: Client,
    cookies: HashMap<String, String>,
    csrf: String,
}

impl Desk {
    /// Logs in with the one-time password and changes it.
    pub(crate) async fn enter(at: &Setting, login: &str, one_time: &str) -> Self {
        let mut desk = Self { client: client(), cookies: HashMap::new(), csrf: String::new() };
        let csrf = hidden(&desk.page(at, "/desk/login").await, "csrf");
        desk.post(at, "/desk/login", &[("csrf", &csrf), ("login", login), ("password", one_time)]).await.unwrap();
        let csrf = hidden(&desk.page(at, "/desk/password").await, "csrf");
        desk.post(at, "/desk/password", &[("csrf", &csrf), ("new", PASSWORD), ("again", PASSWORD)]).await.unwrap();
        desk.csrf = hidden(&desk.page(at, "/desk").await, "csrf");
        desk
    }

    /// Does something to a conversation: the same key is pressed until the program answers, however often it dies.
    pub(crate) async fn acts(&self, at: &Setting, conversation: &str, action: &str, key: &str, text: &str) {
        let path = format!("/desk/c/{conversation}/act");
        let fields = [("csrf", self.csrf.as_str()), ("action_id", key), ("action", action), ("text", text)];
        let began = Instant::now();
        loop {
            match self.send(at, &path, &fields).await {
                Ok(response) if response.status() == StatusCode::SEE_OTHER => {
                    let to = response.headers()["location"].to_str().unwrap();
                    assert!(to.starts_with("/desk") && !to.starts_with("/desk/login"), "led to {to}");
                    return;
                }
                // The store of a process that is stopping or starting, or a conversation that keeps moving.
                Ok(response) => {
                    let status = response.status();
                    assert!(
                        status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::CONFLICT,
                        "{action}: {status}"
                    );
                }
                Err(_) => {}
            }
            assert!(began.elapsed() < PATIENCE, "{action} on {conversation} is not answered");
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    async fn page(&mut self, at: &Setting, path: &str) -> String {
        let response = self.client.get(at.url(path)).header(COOKIE, self.cookies()).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        self.keep(&response);
        response.text().await.unwrap()
    }

    async fn post(&mut self, at: &Setting, path: &str, fields: &[(&str, &str)]) -> reqwest::Result<()> {
        let response = self.send(at, path, fields).await?;
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{path}");
        self.keep(&response);
        Ok(())
    }

    async fn send(&self, at: &Setting, path: &str, fields: &[(&str, &str)]) -> reqwest::Result<Response> {
        let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.client.post(at.url(path)).timeout(Duration::from_secs(10)).header(COOKIE, self.cookies());
        request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body).send().await
    }

    fn cookies(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn keep(&mut self, response: &Response) {
        for cookie in response.headers().get_all(SET_COOKIE) {
            let (pair, attributes) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// The value of the first hidden field of that name.
fn hidden(page: &str, name: &str) -> String {
    let field = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.split_once(&field).unwrap_or_else(|| panic!("the page has a field {name}"));
    rest.split_once('"').unwrap().0.to_owned()
}
