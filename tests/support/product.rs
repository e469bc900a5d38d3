//! The real binary, serving in a directory of its own on a free port.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part of it")]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A Firstline that serves until it is dropped.
pub struct Product {
    /// Where its pages are, without a slash at the end.
    pub url: String,
    /// The one-time password of `admin`, as it was printed.
    pub password: String,
    /// Where it keeps everything.
    pub data: PathBuf,
    child: Child,
}

impl Product {
    /// Starts it on the articles and prompts of this repository, with short quiet windows and without a model; waits
    /// until it says that it is ready. `settings` are more variables of the environment.
    ///
    /// # Panics
    /// Where it does not start.
    pub fn start(data: &Path, settings: &[(&str, &str)]) -> Self {
        Self::start_on(free_port(), data, settings)
    }

    /// [`Self::start`] on a port that is known before.
    ///
    /// # Panics
    /// Where it does not start.
    pub fn start_on(port: u16, data: &Path, settings: &[(&str, &str)]) -> Self {
        let log = std::fs::File::create(data.join("firstline.log")).expect("the directory can be written");
        let mut child = command(data)
            .env("FIRSTLINE__SERVER__LISTEN", format!("127.0.0.1:{port}"))
            .env("FIRSTLINE__TURN__QUIET", "100ms")
            .env("FIRSTLINE__TURN__QUIET_MOST", "1s")
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the binary starts");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let mut password = String::new();
        loop {
            let Some(Ok(line)) = lines.next() else {
                let log = std::fs::read_to_string(data.join("firstline.log")).unwrap_or_default();
                panic!("Firstline ended before it was ready:\n{log}");
            };
            if let Some((_, found)) = line.split_once("one-time password ") {
                password = found.trim().to_owned();
            }
            // The list of parts is the end of what is said at a start.
            if line.trim_start().starts_with(['+', '-']) {
                break;
            }
        }
        std::thread::spawn(move || lines.for_each(drop));
        Self { url: format!("http://127.0.0.1:{port}"), password, data: data.to_owned(), child }
    }

    /// A command of the same binary on the same directory.
    pub fn command(&self) -> Command {
        let mut command = command(&self.data);
        command.env("FIRSTLINE__SERVER__LISTEN", self.url.trim_start_matches("http://"));
        command
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary on a data directory; nothing of the tester's own settings reaches it.
pub fn command(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_firstline"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("FIRSTLINE__")) {
        command.env_remove(name);
    }
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env("FIRSTLINE__DATA__DIR", data).stdin(Stdio::null());
    command
}

/// A port that was free a moment ago.
///
/// # Panics
/// Where there is none.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
    listener.local_addr().expect("it is bound").port()
}
