//! What people type, run as they run it: exit codes, words, JSON, and where a fault is.
#![allow(clippy::unwrap_used, reason = "what a test can't go on without")]

#[path = "cli/eval.rs"]
mod eval;
#[path = "cli/life.rs"]
mod life;
#[path = "cli/planted.rs"]
mod planted;
#[path = "cli/recorded.rs"]
mod recorded;
mod support;

use support::product;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use product::{Product, command};
use serde_json::Value;

/// How a command ended.
struct Ended {
    code: i32,
    said: String,
    complained: String,
}

impl Ended {
    fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{}", self.complained);
        serde_json::from_str(&self.said).unwrap_or_else(|error| panic!("{error} in {}", self.said))
    }
}

fn end(command: &mut Command) -> Ended {
    let output = command.output().unwrap();
    Ended {
        code: output.status.code().unwrap(),
        said: String::from_utf8(output.stdout).unwrap(),
        complained: String::from_utf8(output.stderr).unwrap(),
    }
}

fn run(data: &Path, words: &[&str]) -> Ended {
    end(command(data).args(words))
}

/// Runs it and takes for granted that it works.
fn works(data: &Path, words: &[&str]) -> Ended {
    let ended = run(data, words);
    assert_eq!((ended.code, ended.complained.as_str()), (0, ""), "{words:?}");
    ended
}

#[test]
fn words_that_are_no_command_are_refused() {
    let data = tempfile::tempdir().unwrap();
    assert_eq!(run(data.path(), &["serv"]).code, 2);
    assert_eq!(run(data.path(), &["memory", "show"]).code, 2, "whose memory?");
    let help = works(data.path(), &["--help"]).said;
    for name in ["serve", "chat", "knowledge", "memory", "customer", "operator", "config", "prompts", "eval", "doctor"]
    {
        assert!(help.contains(name), "{name} is not in {help}");
    }
    assert!(std::fs::read_dir(data.path()).unwrap().next().is_none(), "nothing was made");
}

#[test]
fn settings_are_shown_as_they_are_written_and_without_secrets() {
    let data = tempfile::tempdir().unwrap();
    let shown = |json: bool| {
        let mut command = command(data.path());
        command.env("FIRSTLINE__TELEGRAM__TOKEN", "123:very-secret").env("FIRSTLINE__TURN__QUIET", "2s");
        let ended = end(command.args(["config", "check"]).args(json.then_some("--json")));
        assert!(!ended.said.contains("very-secret"), "{}", ended.said);
        ended
    };
    assert!(shown(false).said.contains("[turn]\n"), "it reads like the file");
    assert!(shown(false).said.contains("quiet = \"2s\""));
    let json = shown(true).json();
    assert_eq!((&json["turn"]["quiet"], &json["telegram"]["token"]), (&"2s".into(), &"***".into()));
}

#[test]
fn a_wrong_setting_is_named_with_its_place() {
    let data = tempfile::tempdir().unwrap();
    for (text, place) in [
        ("[turn]\nquiet = 5\n", "wrong.toml:2:1: "),
        ("[turn]\nlease = \"1m\"\nquite = \"2s\"\n", "wrong.toml:3:1: "),
        ("[turn\n", "wrong.toml:1:6: "),
    ] {
        let file = data.path().join("wrong.toml");
        std::fs::write(&file, text).unwrap();
        let ended = run(data.path(), &["--config", file.to_str().unwrap(), "config", "check"]);
        assert_eq!(ended.code, 1);
        assert!(ended.complained.contains(place), "{place} is not in {}", ended.complained);
    }
    let ended = end(command(data.path()).env("FIRSTLINE__TURN__QUITE", "2s").args(["config", "check"]));
    assert_eq!(ended.code, 1);
    assert!(ended.complained.contains("FIRSTLINE__TURN__QUITE"), "{}", ended.complained);
}

#[test]
fn a_broken_article_is_named_with_its_place() {
    let data = tempfile::tempdir().unwrap();
    let articles = data.path().join("articles");
    std::fs::create_dir_all(articles.join("ru")).unwrap();
    std::fs::copy("knowledge/ru/gift-cards.md", articles.join("ru/gift-cards.md")).unwrap();
    let check = || end(command(data.path()).env("FIRSTLINE__KNOWLEDGE__DIR", &articles).args(["knowledge", "check"]));
    assert_eq!(check().code, 0);
    std::fs::write(articles.join("ru/broken.md"), "---\ntitle: Доставка\nlanguage: [ru\n---\n\nСлова.\n").unwrap();
    let ended = check();
    assert_eq!(ended.code, 1);
    assert!(
        ended.complained.contains("broken.md:3:") || ended.complained.contains("broken.md:4:"),
        "{}",
        ended.complained
    );
}

#[test]
fn prompts_are_checked() {
    let data = tempfile::tempdir().unwrap();
    assert!(!works(data.path(), &["prompts", "check"]).said.is_empty());
    assert_eq!(works(data.path(), &["prompts", "check", "--json"]).json()["ok"], true);
    let prompts = data.path().join("prompts");
    std::fs::create_dir(&prompts).unwrap();
    for file in std::fs::read_dir("prompts").unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), prompts.join(file.file_name())).unwrap();
    }
    let phrases = std::fs::read_to_string("prompts/phrases.toml").unwrap();
    std::fs::write(prompts.join("phrases.toml"), phrases.replace("{{ company }}", "{{ firm }}")).unwrap();
    let ended = end(command(data.path()).env("FIRSTLINE__PROMPTS__DIR", &prompts).args(["prompts", "check"]));
    assert_eq!(ended.code, 1);
    assert!(ended.complained.contains("phrases.toml") && ended.complained.contains("firm"), "{}", ended.complained);
}

#[test]
fn articles_are_found_with_their_scores() {
    let data = tempfile::tempdir().unwrap();
    let question = "Сколько стоит доставка курьером по Москве?";
    let found = works(data.path(), &["knowledge", "search", question, "--json", "--limit", "3"]).json();
    assert_eq!(found[0]["article"], "ru/delivery-cost-moscow");
    assert!(found[0]["score"].as_f64() > found[1]["score"].as_f64());
    assert_eq!(found.as_array().unwrap().len(), 3);
    let table = works(data.path(), &["knowledge", "search", question]).said;
    assert!(table.contains("ru/delivery-cost-moscow"));
    let widest = table.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(140), "{widest:?} columns do not fit a page");
    let english = works(data.path(), &["knowledge", "search", "delivery", "--language", "en", "--json"]).json();
    assert!(english.as_array().unwrap().iter().all(|section| section["language"] == "en"));
    assert_eq!(run(data.path(), &["knowledge", "search", "delivery", "--language", "fr"]).code, 2);
}

#[test]
fn the_commands_work_on_a_directory_of_their_own() {
    let kept = tempfile::tempdir().unwrap();
    let data = kept.path();
    let parts = works(data, &["doctor", "--json"]).json();
    assert!(parts.as_array().unwrap().iter().all(|part| part["ok"] == true), "{parts}");
    assert!(works(data, &["doctor"]).said.contains("no model is configured"));

    let first = works(data, &["operator", "add", "olga", "--name", "Ольга", "--json"]).json();
    let second = works(data, &["operator", "add", "olga", "--json"]).json();
    assert_ne!(first["one_time_password"], second["one_time_password"]);
    let list = works(data, &["operator", "list", "--json"]).json();
    assert_eq!((&list[0]["login"], &list[0]["name"], &list[1]), (&"olga".into(), &"Ольга".into(), &Value::Null));

    let nobody = run(data, &["memory", "show", "--customer", "terminal:ana"]);
    assert_eq!(nobody.code, 1);
    assert!(nobody.complained.contains("nobody has written from terminal:ana"), "{}", nobody.complained);
    assert_eq!(run(data, &["memory", "show", "--customer", "ana"]).code, 1);
    assert!(works(data, &["memory", "rebuild"]).said.contains("built anew"));

    let alone = run(data, &["chat", "--as", "ana"]);
    assert_eq!(alone.code, 1);
    assert!(alone.complained.contains("no Firstline answers"), "{}", alone.complained);
}

#[test]
fn an_index_server_that_is_not_there_is_named() {
    let data = tempfile::tempdir().unwrap();
    let with_server = |words: &[&str]| {
        let mut command = command(data.path());
        command.env("FIRSTLINE__INDEX__URL", "http://127.0.0.1:1").env("FIRSTLINE__INDEX__KEY", "very-secret");
        let ended = end(command.args(words));
        assert!(!format!("{}{}", ended.said, ended.complained).contains("very-secret"));
        ended
    };
    let ended = with_server(&["doctor", "--json"]);
    assert_eq!(ended.code, 1);
    let parts: Value = serde_json::from_str(&ended.said).unwrap();
    let index = parts.as_array().unwrap().iter().find(|part| part["part"] == "index").unwrap();
    assert!(index["fault"].as_str().unwrap().contains("127.0.0.1:1"), "{index}");
    for words in [&["memory", "rebuild"][..], &["serve"]] {
        let ended = with_server(words);
        assert_eq!(ended.code, 1);
        assert!(
            ended.complained.contains("index.url") && ended.complained.contains("127.0.0.1:1"),
            "{}",
            ended.complained
        );
    }
}

#[test]
fn doctor_finds_what_is_broken() {
    let data = tempfile::tempdir().unwrap();
    let nowhere = data.path().join("nowhere");
    let ended = end(command(data.path()).env("FIRSTLINE__KNOWLEDGE__DIR", &nowhere).args(["doctor", "--json"]));
    assert_eq!(ended.code, 1);
    let parts: Value = serde_json::from_str(&ended.said).unwrap();
    let broken: Vec<&Value> = parts.as_array().unwrap().iter().filter(|part| part["ok"] == false).collect();
    assert_eq!(broken.len(), 1, "{parts}");
    assert!(broken[0]["fault"].as_str().unwrap().contains("nowhere"));
}

#[test]
fn a_customer_talks_from_a_terminal() {
    let kept = tempfile::tempdir().unwrap();
    let product = Product::start(kept.path(), &[]);
    let chat_as = |name: &str, words: &str| {
        let mut command = product.command();
        command.args(["chat", "--as", name]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(words.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let chat = |words: &str| chat_as("ana", words);
    let told = chat("Сколько стоит доставка курьером по Москве?\n");
    assert!(told.contains("bot: ") && told.contains("390 ₽"), "{told}");
    let told = chat("Меня зовут Анна. Позовите человека\n");
    assert!(told.contains("коллеге") && !told.contains("390 ₽"), "only what is new: {told}");
    let told = chat("Вы тут?\n");
    assert!(told.contains("people have this conversation"), "a pipe does not wait for a person: {told}");

    let memory = end(product.command().args(["memory", "show", "--customer", "terminal:ana", "--json"])).json();
    assert!(memory["customer"].as_str().unwrap().starts_with("cust_"));
    let depth = end(product.command().args(["doctor"])).said;
    assert!(depth.contains("1 queued"), "{depth}");

    chat_as("anna", "Где ваш пункт выдачи?\n");
    let customer = |arguments: &[&str]| end(product.command().arg("customer").args(arguments));
    let people = ["--customer", "terminal:anna", "--into", "terminal:ana", "--by"];
    let stranger = customer(&[&["merge"], &people[..], &["nobody"]].concat());
    assert!(stranger.code == 1 && stranger.complained.contains("there is no operator `nobody`"));
    let merge = customer(&[&["merge"], &people[..], &["admin", "--json"]].concat()).json();
    let shown = customer(&["show", "--customer", "terminal:anna", "--json"]).json();
    assert_eq!((&shown["customer"], shown["addresses"].as_array().unwrap().len()), (&memory["customer"], 2));
    assert_eq!(shown["merges"][0]["id"], merge["id"]);
    let id = merge["id"].as_str().unwrap();
    assert!(customer(&["unmerge", id, "--by", "admin"]).said.contains("two again"));
    assert_eq!(customer(&["unmerge", id, "--by", "admin"]).code, 1, "undone once");
}
