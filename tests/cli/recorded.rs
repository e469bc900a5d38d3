//! What models reply in an evaluation: recorded, replayed offline, counted, judged.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::eval::{cases, write};
use crate::product::command;
use crate::support::fake_model::{Ask, FakeModel, MODEL, Reply};
use crate::{Ended, end};

/// A bot that answers what it finds an article for.
fn answers(ask: &Ask) -> Reply {
    if ask.user.contains("[ru/delivery-cost-moscow]") && !ask.user.contains("биткоин") {
        Reply::draft("Доставка курьером по Москве стоит 390 ₽.", &["ru/delivery-cost-moscow"])
    } else {
        Reply::json(&json!({
            "labels": ["routine"], "needs_human": true, "why": "no article", "citations": [], "asks_back": false,
            "reply": "", "confidence": 0.1,
        }))
    }
}

/// Runs it with a model of that address, and settings behind it.
fn eval(dir: &Path, model: &str, settings: &str, words: &[&str]) -> Ended {
    let config = dir.join("config.toml");
    let text = format!("[embedder]\nkind = \"none\"\n[[model]]\nurl = \"{model}\"\nname = \"{MODEL}\"\n{settings}");
    fs::write(&config, text).unwrap();
    let mut command = command(&dir.join("data"));
    command
        .arg("--config")
        .arg(&config)
        .args(["eval", "--dir"])
        .arg(dir.join("eval"))
        .arg("--out")
        .arg(dir.join("out"));
    end(command.args(words))
}

fn figures(ended: &Ended) -> serde_json::Value {
    ended.json()["figures"].clone()
}

#[test]
fn replies_are_recorded_once_and_replayed_without_a_model() {
    let dir = cases("");
    let model = FakeModel::start();
    model.answer(answers);
    let url = model.url();
    assert_eq!(eval(dir.path(), &url, "", &["answer"]).code, 0, "no flag: no model is asked");
    assert_eq!(model.asks().len(), 0);
    let replayed = eval(dir.path(), &url, "", &["answer", "--replay"]);
    assert_eq!(replayed.code, 3, "nothing is recorded: {}", replayed.complained);
    assert!(replayed.complained.contains("no reply to answer is recorded") && replayed.complained.contains("--record"));

    let recorded = eval(dir.path(), &url, "", &["answer", "--record", "--json"]);
    let asked = model.asks().len();
    assert!(asked >= 2, "one a question: {asked}");
    let again = eval(dir.path(), &url, "", &["answer", "--record", "--json"]);
    assert_eq!((figures(&again), model.asks().len()), (figures(&recorded), asked), "nobody is asked twice");
    drop(model);

    let replayed = eval(dir.path(), &url, "", &["answer", "--replay", "--json"]);
    assert_eq!(figures(&replayed), figures(&recorded));
    let explained =
        eval(dir.path(), &url, "", &["answer", "--replay", "--only", "delivery-in-moscow", "--report", "html"]);
    assert_eq!(explained.code, 0, "{}", explained.complained);
    let twice = eval(dir.path(), &url, "", &["answer", "--replay", "--repeat", "2"]);
    assert_eq!(twice.code, 3, "a second take is another recording: {}", twice.complained);

    // Whoever edits a prompt asks something else: that is a miss, and never a verdict.
    let prompts = dir.path().join("prompts");
    fs::create_dir(&prompts).unwrap();
    for entry in fs::read_dir("prompts").unwrap() {
        let from = entry.unwrap().path();
        fs::copy(&from, prompts.join(from.file_name().unwrap())).unwrap();
    }
    let answer = prompts.join("answer.md.j2");
    fs::write(&answer, fs::read_to_string(&answer).unwrap().replace("# Rules", "# The rules")).unwrap();
    let settings = format!("[prompts]\ndir = \"{}\"\n", prompts.display());
    assert_eq!(eval(dir.path(), &url, &settings, &["answer", "--replay"]).code, 3);
}

#[test]
fn a_model_that_is_down_is_nobodys_mistake() {
    let dir = cases("");
    let ended = eval(dir.path(), "http://127.0.0.1:9/v1", "", &["answer", "--live"]);
    assert_eq!(ended.code, 3, "{}", ended.complained);
    assert!(ended.complained.contains("runs of cases could not be made"), "{}", ended.complained);
}

#[test]
fn a_budget_ends_a_run_and_resume_goes_on() {
    let dir = cases("");
    let model = FakeModel::start();
    model.answer(answers);
    let priceless = eval(dir.path(), &model.url(), "", &["answer", "--live", "--budget", "1"]);
    assert!(priceless.code == 1 && priceless.complained.contains("price_read"), "{}", priceless.complained);
    let settings = "price_read = 1000000.0\nprice_written = 1000000.0\n";
    let cut = eval(dir.path(), &model.url(), settings, &["answer", "--live", "-j", "1", "--budget", "0.5"]);
    assert_eq!(cut.code, 4, "{}", cut.complained);
    assert!(cut.complained.contains("with 1 case not run: --resume goes on"), "{}", cut.complained);
    let asked = model.asks().len();
    let rest = eval(dir.path(), &model.url(), settings, &["answer", "--live", "--resume"]);
    assert_eq!(rest.code, 0, "{}", rest.complained);
    assert!(rest.said.contains("1 of them not run again"), "{}", rest.said);
    assert!(model.asks().len() > asked, "the other one");
}

#[test]
fn only_what_a_change_touches_is_run_again() {
    let dir = cases("");
    let prompts = dir.path().join("prompts");
    fs::create_dir(&prompts).unwrap();
    for entry in fs::read_dir("prompts").unwrap() {
        let from = entry.unwrap().path();
        fs::copy(&from, prompts.join(from.file_name().unwrap())).unwrap();
    }
    let model = FakeModel::start();
    let settings = format!("[prompts]\ndir = \"{}\"\n", prompts.display());
    let reused = |words: &[&str]| {
        let ended = eval(dir.path(), &model.url(), &settings, &[words, &["--json"]].concat());
        ended.json()["economy"]["reused"].as_u64().unwrap()
    };
    let edit = |name: &str, text: &str| {
        let path = prompts.join(name);
        fs::write(&path, fs::read_to_string(&path).unwrap() + text).unwrap();
    };
    assert_eq!(reused(&["--changed"]), 0);
    assert_eq!(reused(&["--changed"]), 4, "nothing has changed");
    edit("package.md.j2", "\n{#- another word -#}\n");
    assert_eq!(reused(&["--changed"]), 4, "no package was made");
    edit("phrases.toml", "\n# another word\n");
    assert_eq!(reused(&["--changed"]), 2, "triage says nothing");
    edit("triage.toml", "\n# another word\n");
    assert_eq!(reused(&["--changed"]), 0);
    let path = dir.path().join("eval/answer/a.yaml");
    let moved =
        fs::read_to_string(&path).unwrap().replace("cases:", "# moved down\ncases:").replace("\"590\"", "\"591\"");
    fs::write(&path, moved.replace("биткоином?", "биткойном?")).unwrap();
    assert_eq!(reused(&["--changed"]), 3, "one case is another one");
    assert_eq!(reused(&[]), 0, "everything is run where that is not asked for");

    let articles = dir.path().join("articles/ru");
    fs::create_dir_all(&articles).unwrap();
    fs::copy("knowledge/ru/delivery-cost-moscow.md", articles.join("delivery-cost-moscow.md")).unwrap();
    let settings = format!("{settings}[knowledge]\ndir = \"{}\"\n", dir.path().join("articles").display());
    assert_eq!(eval(dir.path(), &model.url(), &settings, &[]).code, 0);
    fs::copy("knowledge/ru/gift-cards.md", articles.join("gift-cards.md")).unwrap();
    let again = eval(dir.path(), &model.url(), &settings, &["--changed"]);
    let why = "4 cases to run: 4 since an article changed, and these search all of them";
    assert!(again.complained.contains(why), "{}", again.complained);
}

const RUBRIC: &str = "rubric: tone
title: Kind
instructions: Judge.
criteria:
- id: kind
  asks: Is it kind?
";

const DIALOG: &str = "suite: dialog
cases:
- id: late
  title: the parcel is late
  judge: [tone]
  turns:
  - customer: \"Где моя посылка? Третья неделя пошла, безобразие!\"
    expect: {decision: hand_off}
";

#[test]
fn a_judge_informs_and_gates_only_when_people_agree_with_it() {
    let dir = cases("");
    write(dir.path(), "judges/tone.yaml", RUBRIC);
    write(dir.path(), "dialog/a.yaml", DIALOG);
    let model = FakeModel::start();
    // It finds everything kind.
    model.answer(|ask| match ask.task.as_deref() {
        Some("judge") => Reply::json(&json!({ "kind": true })),
        _ => answers(ask),
    });
    let run = || eval(dir.path(), &model.url(), "", &["dialog", "--live"]);
    let ended = run();
    assert_eq!(ended.code, 0, "{}{}", ended.said, ended.complained);
    assert!(ended.said.contains("tone is judged by fake, which informs only"), "{}", ended.said);

    // Somebody looks at what was judged, and at replies that are plainly unkind.
    let label = |answers: &str, more: &[&str]| {
        let typed = dir.path().join("typed");
        fs::write(&typed, answers).unwrap();
        let mut command = command(&dir.path().join("data"));
        command.args(["eval", "label", "--by", "olga", "--report"]).arg(dir.path().join("out/report.json"));
        command.arg("--dir").arg(dir.path().join("eval")).args(more).stdin(fs::File::open(typed).unwrap());
        end(&mut command)
    };
    let labelled = label("maybe\ny\n", &[]);
    assert_eq!(labelled.code, 0, "{}", labelled.complained);
    assert!(
        labelled.said.contains("1 reply to label") && labelled.said.contains("olga has labelled 1"),
        "{}",
        labelled.said
    );
    assert!(label("", &[]).said.contains("0 replies to label"), "it is labelled");
    let items = dir.path().join("items.jsonl");
    let item = |id: usize| json!({ "id": format!("i{id}"), "lang": "ru", "customer": ["Где?"], "known": "", "reply": "Ждите." });
    fs::write(&items, (0..4).map(|id| item(id).to_string()).collect::<Vec<_>>().join("\n")).unwrap();
    assert_eq!(label("n\nn\nn\nn\n", &["--items", items.to_str().unwrap()]).code, 0);

    write(dir.path(), "gates.toml", "[dialog]\ntone = { min = 0.5 }\n");
    let ended = run();
    assert_eq!(ended.code, 1, "{}", ended.said);
    assert!(ended.said.contains("tone can't be gated") && ended.said.contains("TNR 0.00"), "{}", ended.said);

    // Another one sees the difference.
    model.answer(|ask| match ask.task.as_deref() {
        Some("judge") => Reply::json(&json!({ "kind": !ask.user.contains("Ждите.") })),
        _ => answers(ask),
    });
    let ended = run();
    assert_eq!(ended.code, 0, "{}{}", ended.said, ended.complained);
    assert!(ended.said.contains("may gate"), "{}", ended.said);

    // A file of labels holds replies as well, and she has labelled all of these.
    let labels = dir.path().join("eval/labels/tone.jsonl");
    let again = label("", &["--items", labels.to_str().unwrap()]);
    assert!(again.code == 0 && again.said.contains("0 replies to label"), "{}{}", again.said, again.complained);

    // What the judge is asked about labelled replies is paid for as well.
    let priced = "price_read = 1000000.0\nprice_written = 1000000.0\n";
    let run = |words: &[&str]| eval(dir.path(), &model.url(), priced, &[&["dialog", "--live"], words].concat());
    let kept = fs::read(&labels).unwrap();
    fs::remove_file(&labels).unwrap();
    let of_case = run(&["--json"]);
    let of_case: serde_json::Value = serde_json::from_str(&of_case.said).unwrap();
    let budget = of_case["economy"]["money"].as_f64().unwrap() + 1.0;
    fs::write(&labels, kept).unwrap();
    let ended = run(&["--budget", &budget.to_string()]);
    assert_eq!(ended.code, 4, "{}{}", ended.said, ended.complained);
    assert!(
        ended.complained.contains("the judge of tone was asked about all labelled replies"),
        "{}",
        ended.complained
    );
}

const SIMULATED: &str = "suite: dialog
cases:
- id: shopper
  title: somebody asks for a price and then for another thing
  turns:
  - customer: \"Сколько стоит доставка курьером по Москве?\"
  simulate: {persona: terse, goal: \"the price of a courier in Moscow\", reveal: {city: Москва}, max_turns: 3}
";

#[test]
fn a_customer_is_played_and_bad_acting_is_not_the_bots_mistake() {
    let dir = cases("");
    write(dir.path(), "dialog/a.yaml", SIMULATED);
    let model = FakeModel::start();
    model.answer(|ask| match ask.task.as_deref() {
        Some("customer") if ask.user.contains("субботу") => Reply::json(&json!({ "message": "", "done": true })),
        Some("customer") => Reply::json(&json!({ "message": "А доставка по Москве в субботу?", "done": false })),
        _ => answers(ask),
    });
    let run = |words: &[&str]| eval(dir.path(), &model.url(), "", &[&["dialog", "--live"], words].concat());
    let explained = run(&["--json"]);
    assert_eq!(explained.code, 0, "{}", explained.complained);
    let report = fs::read_to_string(dir.path().join("out/report.json")).unwrap();
    assert_eq!(
        report.matches("\"decision\":\"answer\"").count(),
        2,
        "the played customer was answered as well: {report}"
    );

    model.answer(|ask| match ask.task.as_deref() {
        Some("customer") => Reply::json(&json!({ "message": "Мой заказ М-777777", "done": false })),
        _ => answers(ask),
    });
    let ended = run(&[]);
    assert_eq!(ended.code, 0, "{}{}", ended.said, ended.complained);
    assert!(
        ended.said.contains("shopper: says nothing of the bot: the simulated customer makes a number up"),
        "{}",
        ended.said
    );
    assert!(!ended.said.contains("dialog  │ passed"), "it counts for nothing: {}", ended.said);
}
