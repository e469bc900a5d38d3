//! Faults that somebody may make in what they edit: each fails the gate that is for it, and the report says where.

use std::fs;
use std::path::Path;

use crate::product::command;
use crate::{Ended, end};

/// Runs a part of the sets that come with the product, by words alone, with prompts and articles that can be broken.
fn eval(dir: &Path, words: &[&str]) -> Ended {
    let mut command = command(&dir.join("data"));
    command.env("FIRSTLINE__EMBEDDER__KIND", "none");
    command.env("FIRSTLINE__PROMPTS__DIR", dir.join("prompts")).env("FIRSTLINE__KNOWLEDGE__DIR", dir.join("knowledge"));
    command.args(["eval", "triage", "answer", "--sample", "triage=120,answer=40", "--dir"]).arg(dir.join("eval"));
    end(command.arg("--out").arg(dir.join("out")).args(words))
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}

fn edit(path: &Path, from: &str, to: &str) {
    let before = fs::read_to_string(path).unwrap();
    assert!(before.contains(from), "{from} is not in {}", path.display());
    fs::write(path, before.replace(from, to)).unwrap();
}

#[test]
fn a_broken_threshold_and_a_broken_article_fail_their_gates() {
    let kept = tempfile::tempdir().unwrap();
    let dir = kept.path();
    for part in ["prompts", "knowledge", "eval/triage", "eval/answer"] {
        copy(Path::new(part), &dir.join(part));
    }
    // Only the figures are looked at.
    for file in ["triage/ru.yaml", "triage/en.yaml"] {
        edit(&dir.join("eval").join(file), "critical: true", "critical: false");
    }
    let gates = dir.join("eval/gates.toml");
    fs::write(&gates, "").unwrap();
    let sound = eval(dir, &["--json"]).json();
    let value = |name: &str| {
        let figures = sound["figures"].as_array().unwrap();
        figures.iter().find(|figure| figure["name"] == name).unwrap()["interval"]["value"].as_f64().unwrap()
    };
    let (missed, said) = (value("missed_escalation"), value("must_say"));
    fs::write(
        &gates,
        format!("[triage]\nmissed_escalation = {{ max = {missed} }}\n[answer]\nmust_say = {{ min = {said} }}\n"),
    )
    .unwrap();
    let ended = eval(dir, &[]);
    assert!(!ended.said.contains("gate, "), "what comes with the product keeps them: {}", ended.said);

    // Whatever is angry must be very angry now.
    let triage = dir.join("prompts/triage.toml");
    let before = fs::read_to_string(&triage).unwrap();
    let (head, tail) = before.split_once("[label.emotional]").unwrap();
    fs::write(
        &triage,
        format!("{head}[label.emotional]{}", tail.replacen("least_confidence = 0.5", "least_confidence = 1.0", 1)),
    )
    .unwrap();
    let ended = eval(dir, &[]);
    assert_eq!(ended.code, 1, "{}", ended.complained);
    assert!(ended.said.contains("gate, triage: missed_escalation is"), "{}", ended.said);
    assert!(!ended.said.contains("gate, answer"), "{}", ended.said);
    fs::write(&triage, before).unwrap();

    // A figure is mistyped.
    edit(&dir.join("knowledge/ru/return-how-to.md"), "14", "41");
    let ended = eval(dir, &["--report", "junit"]);
    assert_eq!(ended.code, 1, "{}", ended.complained);
    assert!(ended.said.contains("gate, answer: must_say is") && !ended.said.contains("gate, triage"), "{}", ended.said);
    let report = fs::read_to_string(dir.join("out/report.xml")).unwrap();
    let case = report.split("<testcase ").find(|case| case.contains("name=\"ans-ru-016\"")).unwrap();
    assert!(case.contains("<failure") && case.contains("eval/answer/ru.yaml"), "the report says where: {case}");
}

/// Questions of the set, with recordings of a small model under the prompt that comes with the product, and under a broken one.
const RECORDED: &str = "answer=12";

/// Replays what the model said to those questions, with prompts that can be broken.
fn replay(dir: &Path, cassettes: &str) -> Ended {
    let mut command = command(&dir.join("data"));
    command.env("FIRSTLINE__PROMPTS__DIR", dir.join("prompts")).args(["--config", "eval/live.toml"]);
    command.args(["eval", "answer", "--replay", "--sample", RECORDED, "--dir"]).arg(dir.join("eval"));
    end(command.arg("--out").arg(dir.join("out")).args(["--cassettes", cassettes, "--report", "junit"]))
}

/// Somebody saves tokens: of three examples the one stays in which nothing is answered, and a small model does as it is shown.
#[test]
fn a_broken_prompt_fails_its_gate_with_what_the_model_said_under_it() {
    let kept = tempfile::tempdir().unwrap();
    let dir = kept.path();
    for part in ["prompts", "eval/answer"] {
        copy(Path::new(part), &dir.join(part));
    }
    fs::write(dir.join("eval/gates.toml"), "[answer]\nover_abstention = { max = 0.3 }\n").unwrap();
    let sound = replay(dir, "eval/cassettes");
    assert_eq!(sound.code, 0, "what comes with the product keeps it: {}{}", sound.said, sound.complained);

    let prompt = dir.join("prompts/answer.md.j2");
    let whole = fs::read_to_string(&prompt).unwrap();
    let (rules, examples) = whole.split_once("NEW MESSAGES: how long").unwrap();
    let (_, examples) = examples.split_once("The same articles. ").unwrap();
    let (abstains, others) = examples.split_once("\n\nThe same articles. ").unwrap();
    let (_, after) = others.split_once("{% endblock %}").unwrap();
    fs::write(&prompt, format!("{rules}{abstains}\n{{% endblock %}}{after}")).unwrap();
    let broken = replay(dir, "tests/cli/broken_prompt");
    assert_eq!(broken.code, 1, "{}{}", broken.said, broken.complained);
    assert!(broken.said.contains("gate, answer: over_abstention is"), "{}", broken.said);
    let report = fs::read_to_string(dir.join("out/report.xml")).unwrap();
    let failures = report.split("<testcase ").filter(|case| case.contains("<failure"));
    assert!(failures.clone().count() > 5, "{report}");
    assert!(failures.into_iter().all(|case| case.contains("eval/answer/")), "the report says where: {report}");

    // What the model said under the sound prompt says nothing of this one.
    assert_eq!(replay(dir, "eval/cassettes").code, 3);
}
