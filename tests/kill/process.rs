//! A process of the product: settings, start, death and sleep.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::variable;
use crate::support::fake_model::FakeModel;
use crate::support::fake_telegram::FakeTelegram;

/// What Telegram signs with.
pub(crate) const SECRET: &str = "the-webhooks-secret";

/// How long a process may take to start on a busy machine.
const START_WITHIN: Duration = Duration::from_mins(1);

/// How long nobody takes a conversation before its customer is told so.
const UNCLAIMED_NOTICE: &str = "1500ms";

/// Articles are few, so that a start is about the start.
const ARTICLES: [&str; 3] = ["gift-cards", "refund-time", "contacts-and-hours"];

/// Articles and prompts that processes share.
pub(crate) struct Words {
    directory: tempfile::TempDir,
}

impl Words {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let ours = Path::new(env!("CARGO_MANIFEST_DIR"));
        for language in ["ru", "en"] {
            let to = directory.path().join("knowledge").join(language);
            fs::create_dir_all(&to).unwrap();
            for article in ARTICLES {
                let file = format!("{article}.md");
                fs::copy(ours.join("knowledge").join(language).join(&file), to.join(&file)).unwrap();
            }
        }
        let to = directory.path().join("prompts");
        fs::create_dir_all(&to).unwrap();
        for file in fs::read_dir(ours.join("prompts")).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
        fs::write(to.join("triage.toml"), few_rules(&fs::read_to_string(to.join("triage.toml")).unwrap())).unwrap();
        Self { directory }
    }
}

/// The triage rules, cut to one: a program that is built without optimisation takes seconds to compile all of them, and
/// it starts forty times. Customers of this test say much the same all the time, which is no matter for people here.
fn few_rules(triage: &str) -> String {
    let (labels, rest) = triage.split_once("\n[[topic]]").unwrap();
    let (_, examples) = rest.split_once("\n[[example]]").unwrap();
    let (before, complex) = labels.split_once("\n[label.complex]").unwrap();
    let (words, complex) = complex.split_once("\nleast_confidence = ").unwrap();
    let (_, complex) = complex.split_once('\n').unwrap();
    format!("{before}\n[label.complex]{words}\nleast_confidence = 1.0\n{complex}{FEW_RULES}\n[[example]]{examples}")
}

const FEW_RULES: &str = r#"
[[topic]]
name = "goods"
any = ['товар\w*']

[words]

[[rule]]
label = "human_request"
language = "ru"
name = "call a person"
any = ['позовите оператора']
"#;

/// How a process is started, again and again: its port and its data stay.
pub(crate) struct Setting {
    pub(crate) port: u16,
    directory: PathBuf,
    variables: Vec<(String, String)>,
}

impl Setting {
    /// A process with its data in `directory`; `store` is empty for SQLite.
    pub(crate) fn new(
        directory: &Path,
        words: &Words,
        telegram: &FakeTelegram,
        model: &FakeModel,
        store: &str,
    ) -> Self {
        fs::create_dir_all(directory).unwrap();
        // Search by words: what is tested here is the loop, and encoding all articles would slow every start.
        let settings = format!("[embedder]\nkind = \"none\"\n[[model]]\nurl = \"{}\"\nname = \"fake\"\n", model.url());
        fs::write(directory.join("settings.toml"), settings).unwrap();
        let port = free_port();
        let words = words.directory.path();
        let variables = [
            ("SERVER__LISTEN", format!("127.0.0.1:{port}")),
            ("DATA__DIR", directory.join("data").display().to_string()),
            ("KNOWLEDGE__DIR", words.join("knowledge").display().to_string()),
            ("KNOWLEDGE__CHECK_EVERY", "1h".to_owned()),
            ("PROMPTS__DIR", words.join("prompts").display().to_string()),
            ("STORE__URL", store.to_owned()),
            ("TURN__QUIET", "100ms".to_owned()),
            ("TURN__QUIET_MOST", "500ms".to_owned()),
            ("TURN__LEASE", "2s".to_owned()),
            ("OUTBOX__UNKNOWN_AFTER", "1s".to_owned()),
            ("HANDOFF__UNCLAIMED_NOTICE_AFTER", UNCLAIMED_NOTICE.to_owned()),
            ("LIMITS__MESSAGES_PER_DAY", "1000000".to_owned()),
            ("TELEGRAM__TOKEN", telegram.token.clone()),
            ("TELEGRAM__SECRET", SECRET.to_owned()),
            ("TELEGRAM__API_URL", telegram.api_url.clone()),
            ("TELEGRAM__MODE", "webhook".to_owned()),
            ("LOG__FILTER", "info,firstline=debug,sqlx=warn".to_owned()),
        ];
        let variables = variables.into_iter().map(|(name, value)| (format!("FIRSTLINE__{name}"), value)).collect();
        Self { port, directory: directory.to_owned(), variables }
    }

    pub(crate) fn database_file(&self) -> PathBuf {
        self.directory.join("data").join("firstline.db")
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What the processes wrote to their log, the newest at the end.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.directory.join("log")
    }

    fn command(&self, words: &[&str]) -> Command {
        // Another build of the program, where one is named: a release build, or one with a fault put in on purpose.
        let program = variable("FIRSTLINE_TEST_BINARY").unwrap_or_else(|| env!("CARGO_BIN_EXE_firstline").to_owned());
        let mut command = Command::new(program);
        command.env_clear().envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.arg("--config").arg(self.directory.join("settings.toml")).args(words).current_dir(&self.directory);
        command
    }

    /// Starts a process; it may not be ready yet.
    pub(crate) fn spawn(&self) -> Process {
        let log = File::options().create(true).append(true).open(self.log_file()).unwrap();
        let child = self.command(&["serve"]).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn();
        Process { child: child.unwrap(), began: Instant::now() }
    }

    /// Starts a process and waits until it is ready.
    pub(crate) async fn start(&self) -> Process {
        let mut process = self.spawn();
        self.ready(&mut process).await;
        process
    }

    /// Waits until a process is ready; how long it took since its start.
    pub(crate) async fn ready(&self, process: &mut Process) -> Duration {
        let client = client();
        loop {
            let answer = client.get(self.url("/readyz")).timeout(START_WITHIN).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return process.began.elapsed();
            }
            let ended = process.child.try_wait().unwrap();
            assert!(ended.is_none(), "the process ended with {ended:?}:\n{}", self.log());
            assert!(process.began.elapsed() < START_WITHIN, "not ready in time:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Adds an operator as an administrator does; the one-time password.
    pub(crate) fn add_operator(&self, login: &str) -> String {
        let output = self.command(&["--json", "operator", "add", login]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        told["one_time_password"].as_str().unwrap().to_owned()
    }
}

/// A client that goes straight to loopback and follows nothing.
pub(crate) fn client() -> reqwest::Client {
    // Refused where it was chosen before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// A port that nobody has; the program takes it a moment later, and again after each death.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A running process. Dropped, it is killed.
pub(crate) struct Process {
    child: Child,
    began: Instant,
}

impl Process {
    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGSTOP.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    /// SIGCONT.
    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, which: &str) {
        let sent = Command::new("kill").args([which, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
