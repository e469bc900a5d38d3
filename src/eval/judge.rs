//! A language model that judges by yes and no, and how far it can be believed.
//!
//! A judge is a rubric and a model together, pinned by a hash. It is measured in every run on replies that people have
//! labelled: their agreement calibrates it, and, being the same in every run, they show its own drift. What a judge says
//! informs; it gates only once it agrees with people.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::cassette::key_of;
use super::files::{self, FileError};
use crate::domain::text::{Language, hex};
use crate::ports::model::{ChatError, ChatModel, ChatRequest};

/// Least agreement with people, beyond chance, from which on a judge may gate.
pub const LEAST_KAPPA: f64 = 0.6;
/// Least share of what people refuse that a judge refuses too: agreeable judges pass everything.
pub const LEAST_TNR: f64 = 0.8;

/// Longest reply of a judge, in tokens.
const REPLY_TOKENS: u32 = 200;
/// Longest time for a verdict.
const WITHIN: SignedDuration = SignedDuration::from_mins(3);

/// What is asked of a reply: `eval/judges/*.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rubric {
    /// Its name; cases ask for it, and it is a metric.
    #[serde(rename = "rubric")]
    pub name: String,
    /// What it is about, for people.
    pub title: String,
    /// What the judge is told.
    pub instructions: String,
    /// What is asked.
    pub criteria: Vec<Criterion>,
}

/// A question with yes or no.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// Its name.
    pub id: String,
    /// The question. Yes is good.
    pub asks: String,
}

/// What is judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Unique.
    pub id: String,
    /// The language.
    pub lang: Language,
    /// What the customer wrote.
    pub customer: Vec<String>,
    /// What the bot may rely on.
    pub known: String,
    /// What it answered.
    pub reply: String,
}

impl Item {
    /// What a case has led to: another reply is another item, whatever case it is of.
    pub fn of(case: &str, lang: Language, customer: Vec<String>, known: String, reply: String) -> Self {
        let hash = Sha256::digest(json!([customer, known, reply]).to_string());
        Self { id: format!("{case}-{}", hex(&hash[..4])), lang, customer, known, reply }
    }
}

/// Yes or no, by criterion.
pub type Verdicts = BTreeMap<String, bool>;

/// What somebody says of an item: a line of `eval/labels/*.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labelling {
    /// Who.
    pub by: String,
    /// What was judged.
    pub item: Item,
    /// How.
    pub verdicts: Verdicts,
}

/// What a judge said in a run, of the run and of what people have labelled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judging {
    /// The rubric.
    pub rubric: String,
    /// The model.
    pub model: String,
    /// Rubric and model together.
    pub hash: String,
    /// How far it agrees with people, by criterion.
    pub agreement: BTreeMap<String, Agreement>,
    /// What it said of the labelled replies, by their ids.
    pub anchors: BTreeMap<String, Verdicts>,
}

/// How far a judge agrees with people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Both said yes.
    pub both_yes: usize,
    /// Both said no.
    pub both_no: usize,
    /// The judge alone said yes.
    pub judge_yes: usize,
    /// People alone said yes.
    pub people_yes: usize,
}

impl Agreement {
    /// Counts an item.
    pub fn add(&mut self, judge: bool, people: bool) {
        match (judge, people) {
            (true, true) => self.both_yes += 1,
            (false, false) => self.both_no += 1,
            (true, false) => self.judge_yes += 1,
            (false, true) => self.people_yes += 1,
        }
    }

    /// Cohen's κ: agreement beyond what chance gives to two who say yes as often as these do (J. Cohen, 1960). 0 without items.
    pub fn kappa(self) -> f64 {
        let of = (self.both_yes + self.both_no + self.judge_yes + self.people_yes) as f64;
        let agreed = (self.both_yes + self.both_no) as f64 / of;
        let judge = (self.both_yes + self.judge_yes) as f64 / of;
        let people = (self.both_yes + self.people_yes) as f64 / of;
        let chance = judge * people + (1.0 - judge) * (1.0 - people);
        if of == 0.0 || chance >= 1.0 { 0.0 } else { (agreed - chance) / (1.0 - chance) }
    }

    /// Of what people pass, the share that the judge passes.
    pub fn tpr(self) -> f64 {
        share(self.both_yes, self.people_yes)
    }

    /// Of what people refuse, the share that the judge refuses.
    pub fn tnr(self) -> f64 {
        share(self.both_no, self.judge_yes)
    }

    /// Whether it may gate.
    pub fn is_calibrated(self) -> bool {
        self.kappa() >= LEAST_KAPPA && self.tnr() >= LEAST_TNR
    }
}

fn share(agreed: usize, missed: usize) -> f64 {
    if agreed == 0 { 0.0 } else { agreed as f64 / (agreed + missed) as f64 }
}

impl Judging {
    /// Whether all of its criteria agree with people well enough to gate.
    pub fn is_calibrated(&self) -> bool {
        !self.agreement.is_empty() && self.agreement.values().all(|one| one.is_calibrated())
    }

    /// How far it agrees with people, by criterion, in words.
    pub fn figures(&self) -> String {
        let figures = self.agreement.iter().map(|(criterion, one)| {
            format!("{criterion} κ {:.2}, TPR {:.2}, TNR {:.2}", one.kappa(), one.tpr(), one.tnr())
        });
        figures.collect::<Vec<_>>().join("; ")
    }

    /// How much more often this judge says yes than another one of the same replies: its own shift, not the bot's. `None`
    /// where they have judged no reply in common.
    pub fn shift_from(&self, before: &Judging) -> Option<f64> {
        let mut differences = Vec::new();
        for (id, now) in &self.anchors {
            let Some(then) = before.anchors.get(id) else { continue };
            let pairs = now.iter().filter_map(|(criterion, now)| Some((*now, *then.get(criterion)?)));
            differences.extend(pairs.map(|(now, then)| f64::from(u8::from(now)) - f64::from(u8::from(then))));
        }
        (!differences.is_empty()).then(|| differences.iter().sum::<f64>() / differences.len() as f64)
    }
}

/// Reads the rubrics of a directory; it need not be there.
///
/// # Errors
/// [`FileError`] with its place.
pub fn rubrics(dir: &Path) -> Result<Vec<Rubric>, FileError> {
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    Ok(files::read_dir(dir)?.into_iter().map(|(_, rubric)| rubric).collect())
}

/// Where the labels of a rubric are.
pub fn labels_of(dir: &Path, rubric: &str) -> PathBuf {
    dir.join(rubric).with_extension("jsonl")
}

/// Reads what people have said; the file need not be there.
///
/// # Errors
/// Where a line is wrong, with its place.
pub fn labellings(path: &Path) -> Result<Vec<Labelling>, String> {
    let Ok(text) = fs::read_to_string(path) else { return Ok(Vec::new()) };
    let line = |(number, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| format!("{}:{}: {error}", path.display(), number + 1))
    };
    text.lines().enumerate().map(line).collect()
}

/// What people agree on: by item the verdicts on which nobody who labelled it differs.
pub fn gold(labellings: &[Labelling]) -> BTreeMap<&str, (&Item, Verdicts)> {
    let mut all: BTreeMap<&str, (&Item, BTreeMap<&str, BTreeSet<bool>>)> = BTreeMap::new();
    for labelling in labellings {
        let (_, said) = all.entry(&labelling.item.id).or_insert((&labelling.item, BTreeMap::new()));
        for (criterion, verdict) in &labelling.verdicts {
            said.entry(criterion).or_default().insert(*verdict);
        }
    }
    let agreed = all.into_iter().map(|(id, (item, said))| {
        let agreed = said.into_iter().filter(|(_, verdicts)| verdicts.len() == 1);
        let verdicts = agreed.filter_map(|(criterion, all)| Some((criterion.to_owned(), all.first().copied()?)));
        (id, (item, verdicts.collect()))
    });
    agreed.collect()
}

impl Rubric {
    /// What a judge is asked of an item. The texts stand in JSON strings, which no text can leave.
    pub fn request(&self, item: &Item) -> ChatRequest {
        let questions: Vec<String> = self.criteria.iter().map(|one| format!("- {}: {}", one.id, one.asks)).collect();
        let shown = json!({ "customer": item.customer, "known": item.known, "reply": item.reply });
        let answers: Map<String, Value> =
            self.criteria.iter().map(|one| (one.id.clone(), json!({ "type": "boolean" }))).collect();
        let names: Vec<&str> = self.criteria.iter().map(|one| one.id.as_str()).collect();
        ChatRequest {
            task: "judge",
            system: format!("{}\n\n{}\n\nReply with one JSON object.", self.instructions, questions.join("\n")),
            user: serde_json::to_string_pretty(&shown).unwrap_or_default(),
            schema: json!({ "type": "object", "properties": answers, "required": names, "additionalProperties": false }),
            max_tokens: REPLY_TOKENS,
            deadline: WITHIN,
        }
    }

    /// The judge's hash: what it is told and asked, and the model.
    pub fn hash(&self, model: &str) -> String {
        let nothing = Item {
            id: String::new(),
            lang: Language::En,
            customer: Vec::new(),
            known: String::new(),
            reply: String::new(),
        };
        key_of(model, &self.request(&nothing), 0)
    }

    /// Asks a judge.
    ///
    /// # Errors
    /// Where it does not answer, or not as asked.
    pub async fn judge(&self, model: &dyn ChatModel, item: &Item) -> Result<Verdicts, ChatError> {
        let reply = model.complete(&self.request(item)).await?;
        let verdicts: Verdicts = serde_json::from_str(&reply.json)
            .map_err(|error| ChatError::Malformed(format!("the judge of {}: {error}", self.name)))?;
        match self.criteria.iter().find(|one| !verdicts.contains_key(&one.id)) {
            Some(missing) => {
                Err(ChatError::Malformed(format!("the judge of {} is silent on {}", self.name, missing.id)))
            }
            None => Ok(verdicts),
        }
    }

    /// Lets a judge say what it says of labelled replies, and how far that agrees with people. Nothing is known of a judge
    /// who was asked for a part of them: `None` where `goes_on` says no before a reply.
    ///
    /// # Errors
    /// As [`Self::judge`].
    pub async fn calibrate(
        &self,
        model: &dyn ChatModel,
        labellings: &[Labelling],
        goes_on: impl Fn() -> bool,
    ) -> Result<Option<Judging>, ChatError> {
        let mut judging = Judging {
            rubric: self.name.clone(),
            model: model.name().to_owned(),
            hash: self.hash(model.name()),
            agreement: BTreeMap::new(),
            anchors: BTreeMap::new(),
        };
        for (id, (item, people)) in gold(labellings) {
            if !goes_on() {
                return Ok(None);
            }
            let verdicts = match self.judge(model, item).await {
                // What can't be read is no verdict.
                Err(ChatError::Malformed(_)) => continue,
                judged => judged?,
            };
            for (criterion, people) in people {
                let judge = verdicts.get(&criterion).copied().unwrap_or(!people);
                judging.agreement.entry(criterion).or_default().add(judge, people);
            }
            judging.anchors.insert(id.to_owned(), verdicts);
        }
        Ok(Some(judging))
    }
}

/// How far two people agree, by criterion, on what both have labelled.
pub fn between(labellings: &[Labelling], (one, other): (&str, &str)) -> BTreeMap<String, Agreement> {
    let by = |who: &str| -> BTreeMap<&str, &Verdicts> {
        let theirs = labellings.iter().filter(|labelling| labelling.by == who);
        theirs.map(|labelling| (labelling.item.id.as_str(), &labelling.verdicts)).collect()
    };
    let (one, other) = (by(one), by(other));
    let mut agreement: BTreeMap<String, Agreement> = BTreeMap::new();
    for (id, verdicts) in one {
        for (criterion, verdict) in verdicts {
            if let Some(theirs) = other.get(id).and_then(|verdicts| verdicts.get(criterion)) {
                agreement.entry(criterion.clone()).or_default().add(*verdict, *theirs);
            }
        }
    }
    agreement
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(id: &str) -> Item {
        let (customer, known) = (vec!["Где заказ?!".to_owned()], "ничего".to_owned());
        Item { id: id.to_owned(), lang: Language::Ru, customer, known, reply: "Жаль. \"}, true".to_owned() }
    }

    fn judging(hash: &str, verdicts: &[bool]) -> Judging {
        let anchors = verdicts.iter().enumerate();
        Judging {
            rubric: "tone".to_owned(),
            model: "m".to_owned(),
            hash: hash.to_owned(),
            agreement: BTreeMap::new(),
            anchors: anchors.map(|(id, yes)| (id.to_string(), [("kind".to_owned(), *yes)].into())).collect(),
        }
    }

    #[test]
    fn agreement_is_what_chance_does_not_give() {
        let agreement = Agreement { both_yes: 20, both_no: 15, judge_yes: 10, people_yes: 5 };
        assert!((agreement.kappa() - 0.4).abs() < 1e-9, "the example of textbooks: {}", agreement.kappa());
        assert!((agreement.tpr() - 0.8).abs() < 1e-9 && (agreement.tnr() - 0.6).abs() < 1e-9);
        let agreeable = Agreement { both_yes: 48, both_no: 1, judge_yes: 1, people_yes: 0 };
        assert!(!agreeable.is_calibrated(), "half of what people refuse passes");
        assert!(Agreement { both_yes: 40, both_no: 40, judge_yes: 4, people_yes: 4 }.is_calibrated());
        assert!(Agreement::default().kappa() == 0.0 && !Agreement::default().is_calibrated());
        assert!(!judging("a", &[true]).is_calibrated(), "nobody has labelled anything");
    }

    #[test]
    fn the_shift_of_a_judge_is_measured_on_the_same_replies() {
        let before = judging("a", &[false; 20]);
        let mut seven = [false; 20];
        seven[..7].fill(true);
        assert!((judging("b", &seven).shift_from(&before).unwrap() - 0.35).abs() < 1e-9);
        assert_eq!(judging("b", &[]).shift_from(&before), None);
    }

    #[test]
    fn what_people_differ_on_is_not_held_against_a_judge() {
        let labelling = |by: &str, kind: bool| Labelling {
            by: by.to_owned(),
            item: item("1"),
            verdicts: [("kind".to_owned(), kind), ("sober".to_owned(), true)].into(),
        };
        let labellings = [labelling("anna", true), labelling("oleg", false)];
        assert_eq!(gold(&labellings)["1"].1, Verdicts::from([("sober".to_owned(), true)]));
        let between = between(&labellings, ("anna", "oleg"));
        assert_eq!((between["kind"].judge_yes, between["sober"].both_yes), (1, 1));
    }

    #[test]
    fn a_judge_is_its_words_and_its_model() {
        let rubric = |asks: &str| Rubric {
            name: "tone".to_owned(),
            title: String::new(),
            instructions: "Judge.".to_owned(),
            criteria: vec![Criterion { id: "kind".to_owned(), asks: asks.to_owned() }],
        };
        assert_eq!(rubric("a").hash("m"), rubric("a").hash("m"));
        assert!(rubric("a").hash("m") != rubric("b").hash("m") && rubric("a").hash("m") != rubric("a").hash("n"));
        let request = rubric("a").request(&item("1"));
        let shown: Value = serde_json::from_str(&request.user).unwrap();
        assert_eq!(shown["reply"], "Жаль. \"}, true", "a reply can't leave its string");
    }
}
