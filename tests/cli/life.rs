//! A conversation that took place becomes a case, and is played again.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use crate::end;
use crate::product::Product;

#[test]
fn a_conversation_becomes_a_case_that_passes_and_tells_nobody() {
    let kept = tempfile::tempdir().unwrap();
    let cases = tempfile::tempdir().unwrap();
    let words = [("FIRSTLINE__EMBEDDER__KIND", "none")];
    let product = Product::start(kept.path(), &words);
    let command = || {
        let mut command = product.command();
        command.env(words[0].0, words[0].1);
        command
    };
    let chat = |words: &str| {
        let mut command = command();
        command.args(["chat", "--as", "ana"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(words.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    };
    chat("Сколько стоит доставка курьером по Москве?\n");
    chat("Меня зовут Марфа, телефон +7 912 345-67-89, заказ М-204518. Позовите человека\n");
    let held = end(command().args(["memory", "export", "--customer", "terminal:ana"])).json();
    let conversation = held["conversations"][0]["id"].as_str().unwrap().to_owned();

    fs::write(cases.path().join("gates.toml"), "").unwrap();
    let dir = cases.path().to_str().unwrap();
    let added = end(command().args(["eval", "add", "--conversation", &conversation, "--dir", dir, "--json"])).json();
    let text = fs::read_to_string(added["file"].as_str().unwrap()).unwrap();
    for told in ["345-67-89", "204518"] {
        assert!(!text.contains(told), "{told} is in {text}");
    }
    assert!(text.contains("only_these_articles: true") && text.contains("390"), "the article is there: {text}");
    assert!(text.contains("decision: answer") && text.contains("decision: hand_off"), "{text}");
    let out = cases.path().join("out");
    let mut run = command();
    let played = end(run.args(["eval", "dialog", "--dir", dir, "--out"]).arg(out));
    assert_eq!(played.code, 0, "{}{}", played.said, played.complained);
    assert!(played.said.contains("1 case in") && played.said.contains("0 failed"), "{}", played.said);

    let replayed = end(command().args(["replay", "--conversation", &conversation]));
    assert_eq!(replayed.code, 0, "{}", replayed.complained);
    assert!(!replayed.said.contains("\n+bot"), "the same would be said now: {}", replayed.said);
    let unknown = conversation.replace(|letter: char| letter.is_ascii_digit(), "0");
    assert_eq!(end(command().args(["replay", "--conversation", &unknown])).code, 2);
}
