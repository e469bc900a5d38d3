//! `firstline eval label`: people say what a judge is measured by.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, BufRead as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use crate::cli::{Exit, output};
use crate::eval::judge::{self, Item, Labelling, Rubric, Verdicts};
use crate::eval::report::Report;
use crate::eval::run::Seen;
use crate::eval::words::counted;

/// Where replies to label come from.
pub(super) struct Source {
    /// A file of them.
    pub(super) items: Option<PathBuf>,
    /// Otherwise the run in which they were judged.
    pub(super) report: PathBuf,
}

/// Asks for verdicts until nothing is left or the answers end, keeps each at once, and says how far people agree.
///
/// # Errors
/// Where there is no such rubric, or a file is wrong.
pub(super) fn run(by: &str, rubric: &str, source: &Source, dir: &Path) -> anyhow::Result<()> {
    let rubrics = judge::rubrics(&dir.join("judges")).map_err(|error| Exit::invalid(&error))?;
    let rubric = rubrics.into_iter().find(|known| known.name == rubric);
    let rubric =
        rubric.ok_or_else(|| Exit::invalid(&format!("{}: there is no such rubric", dir.join("judges").display())))?;
    let file = judge::labels_of(&dir.join("labels"), &rubric.name);
    let mut labellings = judge::labellings(&file).map_err(|why| Exit::invalid(&why))?;
    let theirs: BTreeSet<&str> = labellings.iter().filter(|one| one.by == by).map(|one| one.item.id.as_str()).collect();
    let mut items = items(source)?;
    items.retain(|item| !theirs.contains(item.id.as_str()));
    // Everybody in an order of their own, so that nobody tires of the same ones.
    items.sort_by_key(|item| <[u8; 32]>::from(Sha256::digest(format!("{by}\n{}", item.id))));
    let (title, to_label) = (&rubric.title, counted(items.len(), "reply"));
    output::line(&format!("{title}: {to_label} to label; y or n, s for the next one, q to stop"));
    for item in items {
        match asked(&rubric, &item)? {
            Said::Verdicts(verdicts) => {
                let labelling = Labelling { by: by.to_owned(), item, verdicts };
                keep(&file, &labelling).with_context(|| format!("{} can't be written", file.display()))?;
                labellings.push(labelling);
            }
            Said::Next => {}
            Said::Stop => break,
        }
    }
    tell(&labellings, by);
    Ok(())
}

fn items(source: &Source) -> anyhow::Result<Vec<Item>> {
    let Some(file) = &source.items else {
        let report = Report::read(&source.report).map_err(|why| Exit::invalid(&why))?;
        let runs = report.cases.into_iter().flat_map(|case| case.runs);
        let judged = runs.filter_map(|run| match run.seen {
            Seen::Played(played) => played.judged,
            _ => None,
        });
        return Ok(judged.collect());
    };
    let text = fs::read_to_string(file).map_err(|error| Exit::invalid(&format!("{}: {error}", file.display())))?;
    let read = text.lines().enumerate().map(|(number, line)| {
        item(line).map_err(|error| Exit::invalid(&format!("{}:{}: {error}", file.display(), number + 1)).into())
    });
    read.collect()
}

/// A reply by itself, or one that somebody else has labelled: their verdicts are not looked at.
fn item(line: &str) -> serde_json::Result<Item> {
    serde_json::from_str::<Labelling>(line).map(|labelling| labelling.item).or_else(|_| serde_json::from_str(line))
}

/// What somebody says of an item.
enum Said {
    Verdicts(Verdicts),
    Next,
    Stop,
}

fn asked(rubric: &Rubric, item: &Item) -> anyhow::Result<Said> {
    output::line("");
    for message in &item.customer {
        output::line(&format!("customer: {message}"));
    }
    output::line(&format!("known:    {}", item.known));
    output::line(&format!("reply:    {}", item.reply));
    let mut verdicts = Verdicts::new();
    for criterion in &rubric.criteria {
        output::line(&format!("{}: {}", criterion.id, criterion.asks));
        let verdict = loop {
            let mut answer = String::new();
            if io::stdin().lock().read_line(&mut answer)? == 0 {
                return Ok(Said::Stop);
            }
            match answer.trim() {
                "y" | "yes" | "д" | "да" => break true,
                "n" | "no" | "н" | "нет" => break false,
                "s" => return Ok(Said::Next),
                "q" => return Ok(Said::Stop),
                _ => output::line("y, n, s or q"),
            }
        };
        verdicts.insert(criterion.id.clone(), verdict);
    }
    Ok(Said::Verdicts(verdicts))
}

fn keep(file: &Path, labelling: &Labelling) -> anyhow::Result<()> {
    if let Some(dir) = file.parent() {
        fs::create_dir_all(dir)?;
    }
    let mut file = fs::OpenOptions::new().create(true).append(true).open(file)?;
    file.write_all(format!("{}\n", serde_json::to_string(labelling)?).as_bytes())?;
    Ok(())
}

/// How far this person agrees with the others.
fn tell(labellings: &[Labelling], by: &str) {
    let mut of: BTreeMap<&str, usize> = BTreeMap::new();
    for labelling in labellings {
        *of.entry(&labelling.by).or_default() += 1;
    }
    let mut rows = Vec::new();
    for (other, _) in of.iter().filter(|(other, _)| **other != by) {
        for (criterion, agreement) in judge::between(labellings, (by, other)) {
            let all = agreement.both_yes + agreement.both_no + agreement.judge_yes + agreement.people_yes;
            rows.push(vec![(*other).to_owned(), criterion, all.to_string(), format!("{:.2}", agreement.kappa())]);
        }
    }
    output::line(&format!("{by} has labelled {}", of.get(by).unwrap_or(&0)));
    output::table(&["with", "criterion", "of", "κ"], rows);
}
