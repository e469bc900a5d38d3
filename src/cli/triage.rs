//! `firstline triage`: training the classifier, and why a message goes where it goes.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use indicatif::ProgressBar;
use serde::Serialize;

use super::{output, triage_report};
use crate::app::{self, progress};
use crate::config::Config;
use crate::domain::turn::{Label, Labelled};
use crate::engine::triage::{Classifier, Does, Evidence, Heard, Score, Triage, route};
use crate::ports::model::{EmbedRole, Embedder};
use crate::train::fit::Progress;
use crate::train::rows::{self, Rows};
use crate::train::vectors::Vectors;
use crate::train::{session, sources};

/// Neighbours that are shown.
const NEIGHBOURS: usize = 5;

pub(super) async fn train(config: &Config, dir: &Path, dry_run: bool, json: bool) -> anyhow::Result<()> {
    let triage = app::load_words(config)?.triage;
    let mut rows = rows::read(dir)?;
    let kept = dir.join("vectors.bin");
    let vectors = completed(config, &kept, &rows).await?;
    if !dry_run {
        write(&kept, &vectors.to_bytes())?;
    }
    let left_out = session::leave_out_alike(&mut rows, &vectors);
    let bar = progress::bar("training");
    let trained = session::train(&triage, &rows, left_out, &vectors, &mut |progress| show(&bar, progress));
    bar.finish_and_clear();
    let (classifier, report) = trained?;
    if !dry_run {
        write(&dir.join("classifier.bin"), &classifier.to_bytes())?;
    }
    if json {
        return output::json(&report);
    }
    triage_report::print(&report);
    if !dry_run {
        output::line(&format!("written: {}; build again to use it", dir.join("classifier.bin").display()));
    }
    Ok(())
}

/// The vectors in the file, with those that it lacks from the configured embedder.
async fn completed(config: &Config, file: &Path, rows: &Rows) -> anyhow::Result<Vectors> {
    let there = std::fs::read(file).ok().and_then(|bytes| Vectors::read(&bytes));
    let lacks = |vectors: &Vectors| {
        let messages = rows.train.iter().chain(&rows.test).map(|row| &row.text);
        messages.chain(rows.articles.values().flatten()).any(|text| vectors.get(text).is_none())
    };
    let embedder = app::embedder(config)?;
    let fits = |vectors: &Vectors| {
        let fingerprint = embedder.as_ref().map(|embedder| embedder.fingerprint());
        fingerprint.is_none_or(|known| vectors.fingerprint() == (known.model.as_str(), known.dimensions))
    };
    let mut vectors = match (there.filter(fits), &embedder) {
        (Some(there), _) if !lacks(&there) => return Ok(there),
        (_, None) => bail!("some messages have no vector in {}: set embedder.kind in config.toml", file.display()),
        (Some(there), Some(_)) => there,
        (None, Some(embedder)) => {
            let fingerprint = embedder.fingerprint();
            Vectors::new(&fingerprint.model, fingerprint.dimensions)
        }
    };
    if let Some(embedder) = embedder {
        let bar = progress::bar("vectors");
        session::complete(&mut vectors, rows, &*embedder, |progress| show(&bar, progress)).await?;
        bar.finish_and_clear();
    }
    Ok(vectors)
}

fn show(bar: &ProgressBar, progress: Progress) {
    progress::show(bar, progress.done, progress.of);
}

fn write(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    std::fs::write(file, bytes).with_context(|| format!("{} can't be written", file.display()))
}

pub(super) async fn sources(config: &Config, data: Option<PathBuf>, json: bool) -> anyhow::Result<()> {
    let data = data.or_else(|| Some(PathBuf::from(std::env::var_os("FIRSTLINE_DATA_DIR")?).join("triage")));
    let Some(data) = data else {
        output::line("skipped: 1 comparison needs public data, and neither --data nor FIRSTLINE_DATA_DIR names them");
        return Ok(());
    };
    let rows = Rows { train: sources::read(&data)?, ..Rows::default() };
    let embedder =
        app::embedder(config)?.context("set embedder.kind in config.toml: public data have no vectors here")?;
    let fingerprint = embedder.fingerprint();
    let mut vectors = Vectors::new(&fingerprint.model, fingerprint.dimensions);
    let reading = progress::bar("vectors");
    session::complete(&mut vectors, &rows, &*embedder, |progress| show(&reading, progress)).await?;
    reading.finish_and_clear();
    let training = progress::bar("training");
    let compared = sources::compare(&rows.train, &vectors, &mut |progress| show(&training, progress));
    training.finish_and_clear();
    let compared = compared?;
    if json {
        return output::json(&compared);
    }
    triage_report::print_sources(&compared);
    Ok(())
}

/// Everything that is known of one message.
#[derive(Serialize)]
struct Explanation {
    rules: Vec<Rule>,
    neighbours: Vec<Neighbour>,
    /// Why the classifier was not heard; none where it was.
    without_classifier: Option<String>,
    scores: Vec<Weighed>,
    unsure: bool,
    labels: Vec<Labelled>,
    does: &'static str,
    label: Option<Label>,
    queue: Option<String>,
    priority: Option<i64>,
    why: String,
}

#[derive(Serialize)]
struct Rule {
    label: Label,
    rule: String,
    confidence: f64,
}

#[derive(Serialize)]
struct Neighbour {
    text: String,
    labels: Vec<Label>,
    similarity: f32,
}

/// A score beside the threshold that it is held against.
#[derive(Serialize)]
struct Weighed {
    #[serde(flatten)]
    score: Score,
    threshold: f64,
    threshold_from: &'static str,
    missed: f64,
    needless: f64,
    holds: bool,
}

pub(super) async fn explain(config: &Config, dir: &Path, message: &str, json: bool) -> anyhow::Result<()> {
    let triage = app::load_words(config)?.triage;
    let read = read_message(config, message).await?;
    let explanation = explained(&triage, dir, message, &read);
    if json {
        return output::json(&explanation);
    }
    print(&explanation);
    Ok(())
}

/// A message's vector and scores, or why there are none.
type Read = Result<(Vectors, Vec<f32>, Vec<Score>), String>;

async fn read_message(config: &Config, message: &str) -> anyhow::Result<Read> {
    let classifier = match Classifier::built_in() {
        Ok(classifier) => classifier,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let Some(embedder) = app::embedder(config)? else {
        return Ok(Err("no embedder is configured".to_owned()));
    };
    let fingerprint = embedder.fingerprint();
    if !classifier.reads(&fingerprint.model, fingerprint.dimensions) {
        return Ok(Err(format!("it was trained with {}, not with {}", classifier.head().embedder, fingerprint.model)));
    }
    let vector = vector_of(&*embedder, message).await?;
    let scores = classifier.scores(message, &vector, None).context("the embedder's vectors have another length")?;
    Ok(Ok((Vectors::new(&fingerprint.model, fingerprint.dimensions), vector, scores)))
}

async fn vector_of(embedder: &dyn Embedder, text: &str) -> anyhow::Result<Vec<f32>> {
    let vectors = embedder.embed(&[text.to_owned()], EmbedRole::Query).await?;
    vectors.into_iter().next().context("the embedder gave no vector")
}

fn explained(triage: &Triage, dir: &Path, message: &str, read: &Read) -> Explanation {
    let rules = triage.rules(message);
    let evidence = Evidence::read(triage, message, &[], None);
    let (scores, without_classifier) = match read {
        Ok((_, _, scores)) => (scores.clone(), None),
        Err(why) => (Vec::new(), Some(why.clone())),
    };
    let heard = Heard { classifier: read.as_ref().ok().map(|_| scores.as_slice()), model: None };
    let labels = triage.labels_of(message, &rules, heard, &evidence);
    let route = route(&labels, triage);
    let by = route.label.and_then(|label| labels.iter().find(|labelled| labelled.label == label));
    let near = read.as_ref().ok().and_then(|(kind, vector, _)| by_vector(dir, kind, vector));
    Explanation {
        rules: triage
            .explain(message)
            .into_iter()
            .map(|hit| Rule { label: hit.label, rule: hit.rule, confidence: hit.confidence })
            .collect(),
        neighbours: near.unwrap_or_else(|| by_words(triage, message)),
        without_classifier,
        unsure: !scores.is_empty() && triage.is_unsure(&scores),
        scores: scores.into_iter().map(|score| weighed(triage, score)).collect(),
        does: match route.does {
            Does::Answer => "answer",
            Does::HandOff => "hand_off",
            Does::AskBack => "ask_back",
            Does::Ignore => "ignore",
        },
        label: route.label,
        queue: route.hand_off.as_ref().map(|to| to.queue.clone()),
        priority: route.hand_off.as_ref().map(|to| to.priority),
        why: triage_report::reason(by, triage),
        labels,
    }
}

fn weighed(triage: &Triage, score: Score) -> Weighed {
    let policy = triage.label(score.label);
    Weighed {
        threshold: policy.threshold,
        threshold_from: if policy.threshold_is_written { "the file" } else { "the costs" },
        missed: policy.costs.missed,
        needless: policy.costs.needless,
        holds: score.probability >= policy.threshold,
        score,
    }
}

/// The labelled messages whose vectors are nearest; none where they are not here, or are another embedder's.
fn by_vector(dir: &Path, kind: &Vectors, vector: &[f32]) -> Option<Vec<Neighbour>> {
    let vectors = Vectors::read(&std::fs::read(dir.join("vectors.bin")).ok()?)?;
    if vectors.fingerprint() != kind.fingerprint() {
        return None;
    }
    let mut near: Vec<Neighbour> = rows::read(dir)
        .ok()?
        .train
        .into_iter()
        .filter_map(|row| {
            let other = vectors.get(&row.text)?;
            let similarity = other.iter().zip(vector).map(|(a, b)| a * b).sum();
            Some(Neighbour { text: row.text, labels: row.labels, similarity })
        })
        .collect();
    near.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
    near.truncate(NEIGHBOURS);
    Some(near)
}

/// The nearest examples of the file, by words.
fn by_words(triage: &Triage, message: &str) -> Vec<Neighbour> {
    let near = triage.neighbours(message, NEIGHBOURS).into_iter();
    near.map(|(text, labels, similarity)| Neighbour { text: text.to_owned(), labels: labels.to_vec(), similarity })
        .collect()
}

fn print(explanation: &Explanation) {
    let Explanation { rules, neighbours, scores, .. } = explanation;
    if rules.is_empty() {
        output::line("no rule is met");
    }
    let rows = rules.iter().map(|hit| vec![hit.rule.clone(), hit.label.name().to_owned(), figure(hit.confidence)]);
    output::table(&["rule", "says", "confidence"], rows.collect());
    if let Some(why) = &explanation.without_classifier {
        output::line(&format!("the classifier is not heard: {why}; the nearest examples stand in"));
    }
    let rows = scores.iter().map(|weighed| {
        vec![
            weighed.score.label.name().to_owned(),
            format!("{:+.2}", weighed.score.raw),
            figure(weighed.score.probability),
            format!("{} (by {})", figure(weighed.threshold), weighed.threshold_from),
            format!("{} : {}", weighed.missed, weighed.needless),
            if weighed.holds { "holds".to_owned() } else { String::new() },
        ]
    });
    output::table(&["label", "score", "probability", "threshold", "missed : needless", ""], rows.collect());
    let rows = neighbours.iter().map(|near| {
        let labels: Vec<&str> = near.labels.iter().map(|label| label.name()).collect();
        vec![format!("{:.3}", near.similarity), labels.join(", "), near.text.replace('\n', " ")]
    });
    output::table(&["similarity", "labels", "neighbour"], rows.collect());
    if explanation.unsure {
        output::line("the classifier is unsure: a language model's verdict would count instead");
    }
    let to = match (&explanation.queue, explanation.priority) {
        (Some(queue), Some(priority)) => format!(" to `{queue}`, priority {priority}"),
        _ => String::new(),
    };
    output::line(&format!("{}{to}: {}", explanation.does, explanation.why));
}

fn figure(share: f64) -> String {
    format!("{share:.3}")
}
