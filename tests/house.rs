//! The rules of the house, checked against our own source: who may name whom, and what every file must have.
#![allow(clippy::unwrap_used, reason = "what a test can't go on without")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Which top-level modules a module may name. A new edge is added here, in the commit that needs it.
const LAYERS: [(&str, &[&str]); 14] = [
    ("domain", &[]),
    ("engine", &["domain"]),
    ("prompt", &["domain"]),
    ("ports", &["domain"]),
    ("config", &["domain"]),
    ("flow", &["domain", "engine", "prompt", "ports", "config"]),
    ("worker", &["domain", "ports", "flow"]),
    ("adapters", &["domain", "ports", "config"]),
    ("http", &["domain", "ports", "flow", "config"]),
    ("eval", &["domain", "engine", "prompt", "ports", "flow", "config"]),
    ("telemetry", &["config"]),
    (
        "app",
        &["adapters", "config", "domain", "engine", "eval", "flow", "http", "ports", "prompt", "telemetry", "worker"],
    ),
    ("train", &["domain", "engine", "eval", "ports"]),
    ("cli", &["app", "adapters", "config", "domain", "engine", "eval", "ports", "telemetry", "train"]),
];

/// Where a vendor's crate may be named.
const HOMES: [(&str, &[&str]); 15] = [
    ("teloxide", &["adapters/telegram"]),
    ("async_openai", &["adapters/openai"]),
    ("tiktoken_rs", &["adapters/openai"]),
    ("qdrant_edge", &["adapters/qdrant"]),
    ("qdrant_client", &["adapters/qdrant"]),
    ("tonic", &["adapters/qdrant"]),
    ("rten", &["adapters/embedded"]),
    ("rten_tensor", &["adapters/embedded"]),
    ("half", &["adapters/embedded"]),
    ("sqlx", &["adapters/store"]),
    ("reqwest", &["adapters"]),
    ("axum", &["http", "app"]),
    ("minijinja", &["prompt", "http", "eval"]),
    ("clap", &["cli"]),
    ("tokio", &["flow", "worker", "adapters", "http", "eval", "app", "cli"]),
];

/// Modules that decide: nothing in them waits.
const PURE: [&str; 4] = ["domain", "engine", "prompt", "config"];

/// Longest source file, in lines.
const LONGEST: usize = 600;

struct Source {
    /// Path below `src`, without the extension: `adapters/store/turns`.
    module: String,
    path: PathBuf,
    text: String,
}

impl Source {
    fn layer(&self) -> &str {
        self.module.split('/').next().unwrap_or_default()
    }

    /// Lines of code, with their numbers; comments left out.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(n, line)| (n + 1, line.trim())).filter(|(_, line)| !line.starts_with("//"))
    }
}

fn sources(root: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(root);
    let mut found = Vec::new();
    let mut open = vec![root.clone()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let module = path.strip_prefix(&root).unwrap().with_extension("").display().to_string();
                found.push(Source { module, text: fs::read_to_string(&path).unwrap(), path });
            }
        }
    }
    assert!(!found.is_empty(), "no sources under {}", root.display());
    found
}

/// Names `word::` as a path of its own, not as the end of another word.
fn names(line: &str, word: &str) -> bool {
    let needle = format!("{word}::");
    line.match_indices(&needle).any(|(at, _)| {
        !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') || line[..at].ends_with("use ::")
    })
}

fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn imports_point_inward() {
    let layers: Vec<&str> = LAYERS.iter().map(|(layer, _)| *layer).collect();
    let mut faults = Vec::new();
    for source in sources("src").iter().filter(|source| !["lib", "main"].contains(&source.layer())) {
        let Some((_, allowed)) = LAYERS.iter().find(|(layer, _)| *layer == source.layer()) else {
            faults.push(format!("{}: `{}` stands in no layer", source.path.display(), source.layer()));
            continue;
        };
        for (number, line) in source.code() {
            for named in layers.iter().filter(|layer| line.contains(&format!("crate::{layer}"))) {
                if *named != source.layer() && !allowed.contains(named) {
                    let place = format!("{}:{number}", source.path.display());
                    faults.push(format!("{place}: {} must not name {named}", source.layer()));
                }
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn vendors_stay_at_home() {
    let mut faults = Vec::new();
    for source in sources("src") {
        for (vendor, homes) in HOMES {
            let at_home =
                homes.iter().any(|home| source.module == *home || source.module.starts_with(&format!("{home}/")));
            for (number, _) in source.code().filter(|(_, line)| !at_home && names(line, vendor)) {
                faults.push(format!("{}:{number}: {vendor} lives in {homes:?} only", source.path.display()));
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn what_decides_does_not_wait() {
    let mut faults = Vec::new();
    for source in sources("src").iter().filter(|source| PURE.contains(&source.layer())) {
        for (number, line) in source.code() {
            if [".await", "async fn", "tokio::"].iter().any(|word| line.contains(word)) {
                faults.push(format!("{}:{number}: {} is pure", source.path.display(), source.layer()));
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn every_file_is_tidy() {
    let mut faults = Vec::new();
    for source in sources("src").into_iter().chain(sources("tests")) {
        let place = source.path.display();
        if !source.text.starts_with("//!") {
            faults.push(format!("{place}: begins without saying what it is for (//!)"));
        }
        let lines = source.text.lines().count();
        if lines > LONGEST {
            faults.push(format!("{place}: {lines} lines, at most {LONGEST}"));
        }
        for word in ["#[ignore", "#[should_panic", "todo!(", "unimplemented!("] {
            if source.module != "house" && source.text.contains(word) {
                faults.push(format!("{place}: {word} is not for this house"));
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |dialect: &str| -> BTreeSet<String> {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(dialect);
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    assert_eq!(names("sqlite"), names("postgres"));
    assert!(!names("sqlite").is_empty());
}
