//! `firstline eval` as a support lead runs it: how it ends, what it says, what it compares with.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

use super::planted::copy;
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
        (
            "triage/b.yaml",
            "suite: triage\ncases:\n- id: x\n  in: Да\n  expect: {labels: [emotinal]}\n",
            "did you mean `emotional`?",
        ),
        ("triage/b.yaml", TRIAGE, "b.yaml:3:3: `asks-for-a-person` is the id of another case as well, at"),
        ("triage/b.yaml", &TRIAGE.replace("asks-for", "wants"), ""),
        (
            "answer/b.yaml",
            "suite: answer\ncases:\n- id: x\n  in: Да\n  expect: {decision: anwser}\n",
            "did you mean `answer`?",
        ),
        (
            "answer/b.yaml",
            "suite: answer\ncases:\n- id: x\n  in: Да\n  expect: {decision: answer, cites_any: [gift-card]}\n",
            "b.yaml:3:3: x: there is no article `gift-card`: did you mean `gift-cards`?",
        ),
        ("answer/b.yaml", "suite: answer\ncases: []\n", ""),
        ("gates.toml", "[triage]\nmised = { max = 0 }\n", "gates.toml:2:1: `mised` is no metric of it"),
    ] {
        write(dir.path(), file, text);
        if !told.is_empty() {
            let ended = eval(dir.path(), &[]);
            assert_eq!(ended.code, 2, "{}", ended.complained);
            assert!(ended.complained.contains(told), "{told} is not in {}", ended.complained);
        }
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
    assert!(ended.said.contains("0 failed, 1 without a verdict"), "{}", ended.said);
}

fn accept(dir: &Path) -> Ended {
    let mut accept = command(&dir.join("data"));
    accept.args(["eval", "accept", "--report"]).arg(dir.join("out/report.json"));
    end(accept.arg("--dir").arg(dir.join("eval")))
}

#[test]
fn two_runs_are_compared_case_by_case() {
    let dir = cases("");
    let compare = ["--compare", "baseline"];
    assert_eq!(eval(dir.path(), &compare).code, 2, "there is none yet");
    let misspelt = eval(dir.path(), &["--compare", "basline"]);
    assert_eq!(misspelt.code, 2);
    assert!(misspelt.complained.contains("did you mean `baseline`?"), "{}", misspelt.complained);
    assert_eq!(eval(dir.path(), &["answer"]).code, 0);
    let part = accept(dir.path());
    assert_eq!(part.code, 2, "{}", part.said);
    assert!(
        part.complained.contains("it lacks 2 cases of 4, such as asks-for-a-person, asks-for-hours"),
        "{}",
        part.complained
    );
    assert_eq!(eval(dir.path(), &[]).code, 0);
    assert_eq!(accept(dir.path()).code, 0);
    let same = eval(dir.path(), &compare);
    assert!(same.said.contains("the same") && same.said.contains("macro_f1"), "{}", same.said);
    assert!(!same.said.contains("not compared"), "every figure is: {}", same.said);

    // The article says something else: what it answered is broken, and named.
    let articles = dir.path().join("articles/ru");
    fs::create_dir_all(&articles).unwrap();
    fs::copy("knowledge/ru/gift-cards.md", articles.join("gift-cards.md")).unwrap();
    let article = fs::read_to_string("knowledge/ru/delivery-cost-moscow.md").unwrap();
    fs::write(articles.join("delivery-cost-moscow.md"), article.replace("390", "490")).unwrap();
    let mut worse = command(&dir.path().join("data"));
    worse.env("FIRSTLINE__EMBEDDER__KIND", "none").env("FIRSTLINE__KNOWLEDGE__DIR", dir.path().join("articles"));
    worse
        .args(["eval", "answer", "--report", "md,html", "--dir"])
        .arg(dir.path().join("eval"))
        .arg("--out")
        .arg(dir.path().join("out"));
    let ended = end(worse.args(compare));
    assert_eq!(ended.code, 0, "{}", ended.complained);
    assert!(ended.said.contains("broken: delivery-in-moscow"), "{}", ended.said);
    assert!(ended.said.contains("not distinguishable"), "one case tells nothing: {}", ended.said);
    assert!(ended.said.contains("delivery-in-moscow, then and now:\n") && ended.said.contains("\n-"), "{}", ended.said);
    assert_eq!(ended.said.trim_end().lines().last(), Some("broken: delivery-in-moscow"), "the news is last");
    let alone = "2 cases only in the run before, compared with nothing: asks-for-a-person, asks-for-hours";
    let shown = |name: &str| fs::read_to_string(dir.path().join("out").join(name)).unwrap();
    assert!(ended.said.contains(alone) && shown("report.html").contains(alone), "{}", ended.said);
    let markdown = shown("report.md");
    assert!(markdown.starts_with("**Broken**: delivery-in-moscow\n"), "{markdown}");
    assert!(markdown.contains(alone) && markdown.contains("| gate | change | verdict |"), "{markdown}");
    assert!(shown("report.html").contains("title=\"cases in which everything was as wanted; more is better\""));

    let failed = eval(dir.path(), &["--failed", "--json"]).json();
    let answers = |figure: &&serde_json::Value| figure["name"] == "passed" && figure["suite"] == "answer";
    let answers = failed["figures"].as_array().unwrap().iter().find(answers).unwrap();
    assert_eq!(answers["part"]["of"], 1.0, "the one that failed");
}

/// A run in a directory of git of its own, so that there are revisions to compare with.
fn eval_in_git(dir: &Path, words: &[&str]) -> Ended {
    let mut command = command(&dir.join("data"));
    command.current_dir(dir).env("FIRSTLINE__EMBEDDER__KIND", "none");
    end(command.args(["eval", "triage", "--out", "out"]).args(words))
}

fn git(dir: &Path, words: &[&str]) {
    let names = ["-c", "user.name=olga", "-c", "user.email=olga@example.com"];
    let done = std::process::Command::new("git").args(names).args(words).current_dir(dir).output().unwrap();
    assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn a_revision_that_can_not_be_had_as_asked_for_is_an_error() {
    let kept = cases("");
    let dir = kept.path();
    git(dir, &["init", "--quiet"]);
    git(dir, &["add", "eval"]);
    git(dir, &["commit", "--quiet", "-m", "cases alone"]);
    for part in ["prompts", "knowledge"] {
        copy(Path::new(part), &dir.join(part));
    }
    fs::write(dir.join("strict.toml"), "[turn]\nquiet = \"3s\"\n").unwrap();
    git(dir, &["add", "prompts", "knowledge"]);
    git(dir, &["commit", "--quiet", "-m", "what is compared"]);
    let elsewhere = tempfile::tempdir().unwrap();
    copy(Path::new("knowledge/en"), &elsewhere.path().join("en"));
    fs::write(dir.join("away.toml"), format!("[knowledge]\ndir = \"{}\"\n", elsewhere.path().display())).unwrap();
    git(dir, &["add", "away.toml"]);
    git(dir, &["commit", "--quiet", "-m", "articles of another place"]);
    for (words, told) in [
        (&["--compare", "HEAD~2"][..], "prompts.dir: git has no prompts at "),
        (&["--compare", "HEAD~7"], "`HEAD~7` is neither a file nor a revision of git"),
        (&["--compare", "HEAD", "--config", "strict.toml"], "--config: git has no strict.toml at "),
        (&["--compare", "HEAD", "--config", "away.toml"], "lies outside of this repository"),
    ] {
        let ended = eval_in_git(dir, words);
        assert_eq!(ended.code, 2, "{words:?}: {}", ended.complained);
        assert!(ended.complained.contains(told), "{told} is not in {}", ended.complained);
        assert!(!dir.join("out/report.json").exists(), "it is told before anything is run");
    }
    // A directory may be written whole.
    let absolute = format!("[knowledge]\ndir = \"{}\"\n", dir.join("knowledge").display());
    fs::write(dir.join("strict.toml"), absolute).unwrap();
    git(dir, &["add", "strict.toml"]);
    git(dir, &["commit", "--quiet", "-m", "settings"]);
    let ended = eval_in_git(dir, &["--compare", "HEAD", "--config", "strict.toml"]);
    assert_eq!(ended.code, 0, "{}{}", ended.said, ended.complained);
    assert!(ended.said.contains("the same"), "{}", ended.said);

    // Of two cases with one id, the one that git does not know is the newcomer, whatever its name.
    fs::copy(dir.join("eval/triage/a.yaml"), dir.join("eval/triage/0.yaml")).unwrap();
    let ended = eval_in_git(dir, &[]);
    let told =
        "eval/triage/0.yaml:3:3: `asks-for-a-person` is the id of another case as well, at eval/triage/a.yaml:3:3";
    assert!(ended.code == 2 && ended.complained.contains(told), "{}", ended.complained);
}

#[test]
fn what_was_down_in_the_run_before_is_no_verdict() {
    let dir = cases("");
    let early = "suite: dialog\nid: too-early\ntitle: nobody has written\nturns:\n- operator: take\n";
    write(dir.path(), "dialog/a.yaml", early);
    assert_eq!(eval(dir.path(), &[]).code, 3);
    let refused = accept(dir.path());
    assert!(refused.code == 2 && refused.complained.contains("1 case in it could not be run, such as too-early"));
    let before = dir.path().join("before.json");
    fs::copy(dir.path().join("out/report.json"), &before).unwrap();
    write(dir.path(), "dialog/a.yaml", &early.replace("- operator: take", "- customer: Позовите оператора"));
    let ended = eval(dir.path(), &["--compare", before.to_str().unwrap()]);
    assert_eq!(ended.code, 3, "{}", ended.said);
    assert!(
        ended.complained.contains("the run before: 1 run of cases could not be made; too-early"),
        "{}",
        ended.complained
    );
    assert!(ended.said.contains("not compared, since it could not be run then or now: too-early"), "{}", ended.said);
    assert!(!ended.said.contains("fixed: too-early"), "{}", ended.said);
}

#[test]
fn a_case_may_have_no_articles_at_all() {
    let dir = cases("");
    let asked = "suite: dialog\ncases:\n- id: bare\n  title: nothing is known\n  only_these_articles: true\n  turns:\n\
                 \x20 - customer: Сколько стоит доставка курьером по Москве?\n    expect: {decision: hand_off}\n";
    write(dir.path(), "dialog/a.yaml", asked);
    let ended = eval(dir.path(), &["dialog"]);
    assert!(ended.said.contains("0 failed"), "the company's articles don't answer: {}", ended.said);
}

#[test]
fn what_an_import_and_a_sweep_lead_to_is_said() {
    let dir = cases("");
    let set = dir.path().join("ours.jsonl");
    fs::write(&set, "{\"text\": \"Где мой заказ?\", \"label\": \"routine\"}\n").unwrap();
    let mut import = command(&dir.path().join("data"));
    let imported = end(import.current_dir(dir.path()).args(["eval", "import"]).arg(&set));
    assert_eq!(imported.code, 0, "{}", imported.complained);
    assert!(imported.said.contains("firstline eval eval/triage/ours.yaml runs them"), "{}", imported.said);
    assert!(eval(dir.path(), &["triage"]).said.contains("3 cases in"), "the imported one is among them");

    let nowhere = end(command(&dir.path().join("data")).args(["eval", "sweep"]));
    let last_run = dir.path().join("data/eval/report.json");
    assert!(nowhere.code == 2 && nowhere.complained.contains(last_run.to_str().unwrap()), "{}", nowhere.complained);

    let mut sweep = command(&dir.path().join("data"));
    let swept = end(sweep.args(["eval", "sweep", "--report"]).arg(dir.path().join("out/report.json")));
    assert_eq!(swept.code, 2);
    assert!(swept.complained.contains("without an embedder") && swept.complained.contains("kind = \"embedded\""));
}

#[test]
fn what_is_saved_is_run_again_while_it_watches() {
    let kept = cases("");
    let (data, out) = (kept.path().join("data"), kept.path().join("out"));
    let mut command = command(&data);
    command.env("FIRSTLINE__EMBEDDER__KIND", "none").args(["eval", "triage", "--watch", "--dir"]);
    command.arg(kept.path().join("eval")).arg("--out").arg(out).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut round =
        || lines.by_ref().take_while(|line| !line.starts_with("waiting for a change")).collect::<Vec<_>>().join("\n");
    let first = round();
    write(kept.path(), "triage/a.yaml", &TRIAGE.replace("Во сколько вы открываетесь", "Когда вы открываетесь"));
    let second = round();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(first.contains("2 cases in") && !first.contains("not run again"), "{first}");
    assert!(second.contains("2 cases in") && second.contains("1 of them not run again"), "{second}");
}
