//! The front matter of an article.

use jiff::civil::Date;
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{ArticleError, Place, Source};
use crate::domain::text::Language;

/// What the front matter says, checked.
pub(super) struct Head {
    pub(super) id: String,
    pub(super) id_place: Place,
    pub(super) title: String,
    pub(super) language: Language,
    pub(super) language_place: Place,
    pub(super) tags: Vec<String>,
    pub(super) questions: Vec<String>,
    pub(super) updated: Date,
}

/// All keys are optional to the parser, so that every missing one is named at once.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Front {
    id: Option<Spanned<String>>,
    title: Option<Spanned<String>>,
    language: Option<Spanned<String>>,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    questions: Vec<Spanned<String>>,
    updated: Option<Spanned<String>>,
}

/// Reads front matter; `None` where it has a fault.
pub(super) fn read(front: &str, source: &Source, faults: &mut Vec<ArticleError>) -> Option<Head> {
    let parsed: Front = match serde_saphyr::from_str(front) {
        Ok(parsed) => parsed,
        Err(error) => {
            let place = error.location().map_or(Place { line: 2, column: 1 }, in_file);
            // Only the first line: the rest would draw the place again.
            let error = error.without_snippet().to_string();
            let error = error.lines().next().unwrap_or_default();
            faults.push(source.fault(
                Some(place),
                format!("{error}; the keys are id, title, language, tags (a list), questions (a list) and updated"),
            ));
            return None;
        }
    };
    let id = checked(parsed.id, "id", source, faults, |id| {
        let sound = id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        (!id.is_empty() && sound).then(|| id.to_owned()).ok_or("an id has small Latin letters, digits and hyphens only")
    });
    let title = checked(parsed.title, "title", source, faults, |title| {
        let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
        if title.is_empty() { Err("the title is empty: write what the article is about") } else { Ok(title) }
    });
    let language = checked(parsed.language, "language", source, faults, |language| {
        Language::ALL.into_iter().find(|known| known.code() == language).ok_or("the language is ru or en")
    });
    let updated = checked(parsed.updated, "updated", source, faults, |date| {
        date.parse().map_err(|_| "the day of the last change is written like 2026-08-03")
    });
    let questions = questions(parsed.questions, source, faults);
    let (id, id_place) = id?;
    let (language, language_place) = language?;
    Some(Head {
        id,
        id_place,
        title: title?.0,
        language,
        language_place,
        tags: parsed.tags,
        questions,
        updated: updated?.0,
    })
}

/// Questions of one line each; an empty one would be found by anything.
fn questions(written: Vec<Spanned<String>>, source: &Source, faults: &mut Vec<ArticleError>) -> Vec<String> {
    let mut questions = Vec::new();
    for question in written {
        let line = question.value.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.chars().any(char::is_alphanumeric) {
            questions.push(line);
        } else {
            let why = "this question is empty: write how a customer asks, or take the line out";
            faults.push(source.fault(Some(in_file(question.referenced)), why.to_owned()));
        }
    }
    questions
}

/// A value that is there and right, with its place.
fn checked<T>(
    value: Option<Spanned<String>>,
    key: &str,
    source: &Source,
    faults: &mut Vec<ArticleError>,
    check: impl FnOnce(&str) -> Result<T, &'static str>,
) -> Option<(T, Place)> {
    let Some(value) = value else {
        let why = format!("`{key}` is missing: add it to the front matter");
        faults.push(source.fault(Some(Place { line: 1, column: 1 }), why));
        return None;
    };
    let place = in_file(value.referenced);
    match check(value.value.trim()) {
        Ok(value) => Some((value, place)),
        Err(why) => {
            faults.push(source.fault(Some(place), why.to_owned()));
            None
        }
    }
}

/// A place in the front matter as one in the file: the line of dashes stands before it.
fn in_file(place: serde_saphyr::Location) -> Place {
    let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX - 1).max(1);
    Place { line: number(place.line()) + 1, column: number(place.column()) }
}
