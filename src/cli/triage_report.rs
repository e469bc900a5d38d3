//! What training and explaining say, in tables and sentences.

use super::output;
use crate::domain::turn::{LabelSource, Labelled};
use crate::engine::triage::Triage;
use crate::train::measure::{Figures, OfLabel, Share};
use crate::train::session::{ByLanguage, Report};
use crate::train::sources::{Both, Comparison};

/// Why a message goes where it goes.
pub(super) fn reason(by: Option<&Labelled>, triage: &Triage) -> String {
    let Some(by) = by else { return "no label holds, so the articles are tried".to_owned() };
    let label = by.label.name();
    let policy = triage.label(by.label);
    match by.by {
        LabelSource::Classifier => format!(
            "{label} with a probability of {:.2}, which reaches {:.2}{}",
            by.confidence,
            policy.threshold,
            if policy.threshold_is_written {
                " as the file has it".to_owned()
            } else {
                format!(": one missed costs as much as {} needless", policy.costs.missed / policy.costs.needless)
            }
        ),
        LabelSource::Rule => format!("{label}, by a rule"),
        LabelSource::Model => format!("{label}, by the language model"),
        LabelSource::Examples => format!("{label} with {:.2}, by the nearest examples", by.confidence),
        LabelSource::Policy => format!("{label} with {:.2}, by what the message asks for", by.confidence),
    }
}

pub(super) fn print(report: &Report) {
    let list = |authors: &[(String, usize)]| {
        authors.iter().map(|(author, count)| format!("{author} {count}")).collect::<Vec<_>>().join(", ")
    };
    output::line(&format!("embedder: {}", report.embedder));
    output::line(&format!("learnt from, messages by author: {}", list(&report.train)));
    output::line(&format!("test, by other authors in other trades: {}", list(&report.test)));
    output::line(&format!(
        "{} messages were left out for being too much like one of the test; {} are learnt from",
        report.left_out, report.messages
    ));
    section("authors left out in turn", &report.authors_left_out);
    if !report.critical_kept.is_empty() {
        output::line("critical messages of these that were kept; rules in prompts/triage.toml may be missing:");
    }
    for text in &report.critical_kept {
        output::line(&format!("- {}", text.replace('\n', " ")));
    }
    section("test", &report.on_test);
}

/// A line of the summary: its name, and its figure in one language.
type Line = (&'static str, fn(&Figures) -> String);

fn section(name: &str, figures: &ByLanguage) {
    output::line("");
    output::line(&format!("{name}: precision / recall / F1 (of so many), by the classifier and the rules"));
    let columns = [("ru", &figures.ru), ("en", &figures.en), ("all", &figures.all)];
    let rows = figures.all.labels.iter().enumerate().map(|(at, of)| {
        let mut row = vec![of.label.name().to_owned()];
        row.extend(columns.iter().map(|(_, figures)| label(&figures.labels[at])));
        row.push(label(&figures.all.several_labels[at]));
        row
    });
    output::table(&["label", "ru", "en", "all", "messages with several"], rows.collect());
    let summary: [Line; 8] = [
        ("messages", |figures| figures.messages.to_string()),
        ("macro-F1", |figures| format!("{:.3}", figures.macro_f1)),
        ("missed escalation", |figures| share(&figures.missed)),
        ("over-escalation", |figures| share(&figures.needless)),
        ("critical missed", |figures| share(&figures.critical_missed)),
        ("calibration error", |figures| format!("{:.3}", figures.calibration_error)),
        ("out of scope, near / far AUROC", |figures| format!("{:.3} / {:.3}", figures.near_auroc, figures.far_auroc)),
        ("several labels, all right", |figures| share(&figures.several_exact)),
    ];
    let rows = summary.into_iter().map(|(name, of)| {
        let mut row = vec![name.to_owned()];
        row.extend(columns.iter().map(|(_, figures)| of(figures)));
        row
    });
    output::table(&["", "ru", "en", "all"], rows.collect());
}

fn label(of: &OfLabel) -> String {
    format!("{:.2} / {:.2} / {:.2} ({})", of.precision, of.recall, of.f1, of.support)
}

fn share(share: &Share) -> String {
    format!(
        "{:.1} % [{:.1}, {:.1}] ({} of {})",
        share.share * 100.0,
        share.low * 100.0,
        share.high * 100.0,
        share.count,
        share.of
    )
}

pub(super) fn print_sources(compared: &Comparison) {
    output::line(&format!("{} gold English rows of public data, each source left out in turn; F1", compared.rows));
    let mut rows: Vec<Vec<String>> = compared
        .table
        .iter()
        .map(|of| {
            vec![
                of.source.clone().unwrap_or_else(|| "each".to_owned()),
                of.label.name().to_owned(),
                of.support.to_string(),
                format!("{:.3}", of.ours),
                format!("{:.3}", of.baseline),
            ]
        })
        .collect();
    for (name, Both { ours, baseline }) in
        [("macro-F1 over all rows", compared.macro_f1), ("mean of sources and labels", compared.mean_of_sources)]
    {
        let ahead = format!("ahead by {:+.3}", ours - baseline);
        rows.push(vec![name.to_owned(), ahead, String::new(), format!("{ours:.3}"), format!("{baseline:.3}")]);
    }
    output::table(&["source left out", "label", "rows", "ours", "TF-IDF + LR"], rows);
}
