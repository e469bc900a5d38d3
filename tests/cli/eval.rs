//! `firstline eval` as a support lead runs it: how it ends, what it says, what it compares with.

use std::fs;
use std::path::Path;

use crate::product::command;
use crate::{Ended, end};

const TRIAGE: &str = "suite: triage
cases:
- id: asks-for-a-person
  in: \"Позовите оператора\"
  expect: {labels: [human_request]}
  critical: true
- id: asks-for-hours
  in: \"Во сколько вы открываетесь?\"
  expect: {labels: [routine]}
  tags: [hours]
";

const ANSWER: &str = "suite: answer
cases:
- id: delivery-in-moscow
  in: \"Сколько стоит доставка курьером по Москве?\"
  expect: {decision: answer, cites_any: [delivery-cost-moscow], says: [\"390\"], says_not: [\"90\"]}
- id: bitcoin
  in: \"Можно оплатить биткоином?\"
  expect: {decision: [hand_off, ask_back]}
";

/// A directory of cases; words alone search, so that no encoder has to be warmed up.
pub(crate) fn cases(gates: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in [("gates.toml", gates), ("triage/a.yaml", TRIAGE), ("answer/a.yaml", ANSWER)] {
        write(dir.path(), name, text);
    }
    dir
}

pub(crate) fn write(dir: &Path, name: &str, text: &str) {
    let path = dir.join("eval").join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn eval(dir: &Path, words: &[&str]) -> Ended {
    let (cases, out) = (dir.join("eval"), dir.join("out"));
    let mut command = command(&dir.join("data"));
    command.env("FIRSTLINE__EMBEDDER__KIND", "none").args(["eval", "--dir"]).arg(cases).arg("--out").arg(out);
    end(command.args(words))
}

#[test]
fn a_run_says_how_good_it_is_and_ends_by_its_gates() {
    let dir = cases("[answer]\nwrong_answer = { max = 0 }\n");
    let ended = eval(dir.path(), &["--report", "html,junit,md"]);
    assert_eq!(ended.code, 0, "{}{}", ended.said, ended.complained);
    assert!(ended.said.contains("missed_escalation") && ended.said.contains("4 cases"), "{}", ended.said);
    let report = |name: &str| fs::read_to_string(dir.path().join("out").join(name)).unwrap();
    assert!(report("report.xml").contains("<testcase classname=\"answer\" name=\"bitcoin\""));
    let page = report("report.html");
    assert!(page.contains("<code>delivery-in-moscow</code>") && !page.contains("src=") && !page.contains("href="));
    assert!(report("report.md").starts_with("| suite | metric |"));

    write(dir.path(), "gates.toml", "[answer]\nright_article = { min = 1, on = \"bound\" }\n");
    let ended = eval(dir.path(), &["answer", "--repeat", "2"]);
    assert!(ended.said.contains("pass^2, right in all of 2 runs: 100.0 %"), "{}", ended.said);
    assert_eq!(ended.code, 1, "one answer is too few for a bound");
    assert!(ended.said.contains("gate, answer: right_article is") && ended.said.contains("NOT KEPT"), "{}", ended.said);
}

#[test]
fn what_is_wrong_with_a_set_is_named_with_its_place() {
    let dir = cases("");
    for (file, text, told) in [
        ("triage/b.yaml", "suite: triage\ncases:\n- id: x\n  inn: y\n", "b.yaml:4:"),
        ("triage/b.yaml", "suite: triage\ncases:\n- id: x\n  in: y\n  expect: {labels: [angry]}\n", "b.yaml:5:"),
        ("triage/b.yaml", &TRIAGE.replace("asks-for-hours", "bitcoin"), "is the id of"),
        ("gates.toml", "[triage]\nmised = { max = 0 }\n", "gates.toml:2:1: `mised` is no metric of it"),
    ] {
        write(dir.path(), file, text);
        let ended = eval(dir.path(), &[]);
        assert_eq!(ended.code, 2, "{}", ended.complained);
        assert!(ended.complained.contains(told), "{told} is not in {}", ended.complained);
    }
    write(dir.path(), "gates.toml", "");
    fs::remove_file(dir.path().join("eval/triage/b.yaml")).unwrap();
    for words in [&["trage"][..], &["--only", "nobody"], &["--tag", "nothing"]] {
        assert_eq!(eval(dir.path(), words).code, 2, "{words:?}");
    }
}

#[test]
fn a_case_that_can_not_be_run_is_nobodys_mistake() {
    let dir = cases("");
    write(
        dir.path(),
        "dialog/a.yaml",
        "suite: dialog\nid: too-early\ntitle: nobody has written\nturns:\n- operator: take\n",
    );
    let ended = eval(dir.path(), &["dialog"]);
    assert_eq!(ended.code, 3, "{}", ended.complained);
    assert!(ended.complained.contains("too-early: step 1: an operator acts before"), "{}", ended.complained);
}

#[test]
fn two_runs_are_compared_case_by_case() {
    let dir = cases("");
    let compare = ["--compare", "baseline"];
    assert_eq!(eval(dir.path(), &compare).code, 1, "there is none yet");
    assert_eq!(eval(dir.path(), &[]).code, 0);
    let report = dir.path().join("out/report.json");
    let mut accept = command(&dir.path().join("data"));
    let accept = accept.args(["eval", "accept", "--report"]).arg(&report).arg("--dir").arg(dir.path().join("eval"));
    assert_eq!(end(accept).code, 0);
    assert!(eval(dir.path(), &compare).said.contains("the same"));

    // The article is gone: what it answered is broken, and named.
    let articles = dir.path().join("articles/ru");
    fs::create_dir_all(&articles).unwrap();
    fs::copy("knowledge/ru/gift-cards.md", articles.join("gift-cards.md")).unwrap();
    let mut worse = command(&dir.path().join("data"));
    worse.env("FIRSTLINE__EMBEDDER__KIND", "none").env("FIRSTLINE__KNOWLEDGE__DIR", dir.path().join("articles"));
    worse.args(["eval", "--dir"]).arg(dir.path().join("eval")).arg("--out").arg(dir.path().join("out"));
    let ended = end(worse.args(compare));
    assert_eq!(ended.code, 0, "{}", ended.complained);
    assert!(ended.said.contains("broken: delivery-in-moscow"), "{}", ended.said);
    assert!(ended.said.contains("not distinguishable"), "one case tells nothing: {}", ended.said);
    assert!(ended.said.contains("delivery-in-moscow, then and now:\n") && ended.said.contains("\n-"), "{}", ended.said);

    let failed = eval(dir.path(), &["--failed", "--json"]).json();
    let answers = |figure: &&serde_json::Value| figure["name"] == "passed" && figure["suite"] == "answer";
    let answers = failed["figures"].as_array().unwrap().iter().find(answers).unwrap();
    assert_eq!(answers["part"]["of"], 1.0, "the one that failed");
}
