//! The templates of the configured directory: loaded once, checked with samples, rendered from typed contexts.

use std::path::Path;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};
use sha2::{Digest, Sha256};

use super::context::{AnswerContext, Context, EpisodeContext, PackageContext, RepairContext};
use super::data;
use crate::domain::text::hex;

/// The prompts, ready for use.
#[derive(Debug)]
pub struct Prompts {
    templates: Environment<'static>,
    forbidden: Vec<String>,
}

/// A prompt, ready to be sent. Its `Debug` shows the hash only: a prompt is full of people's words.
#[derive(Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The stable part.
    pub system: String,
    /// The volatile part.
    pub user: String,
    /// SHA-256 of the template and its stable part, in hex: what a result was made with.
    pub hash: String,
}

impl std::fmt::Debug for Rendered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rendered").field("hash", &self.hash).finish_non_exhaustive()
    }
}

/// A prompt that can't be rendered.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct PromptError(String);

/// Every fault in the prompts' directory, each with its file and line.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct PromptErrors(Vec<String>);

impl PromptErrors {
    pub(super) fn new(faults: Vec<String>) -> Self {
        Self(faults)
    }
}

impl Prompts {
    /// Loads every template from `dir` and renders every sample with it.
    ///
    /// # Errors
    /// [`PromptErrors`] with all that is missing or broken.
    pub fn load(dir: &Path) -> Result<Self, PromptErrors> {
        let mut prompts =
            Self { templates: environment(), forbidden: vec![data::OPEN.to_owned(), data::CLOSE.to_owned()] };
        prompts.templates.add_filter("data", data::data);
        prompts.templates.set_formatter(data::print);
        let mut faults = Vec::new();
        prompts.load_one::<AnswerContext>(dir, &mut faults);
        prompts.load_one::<RepairContext>(dir, &mut faults);
        prompts.load_one::<PackageContext>(dir, &mut faults);
        prompts.load_one::<EpisodeContext>(dir, &mut faults);
        if faults.is_empty() { Ok(prompts) } else { Err(PromptErrors(faults)) }
    }

    /// What a reply to a customer must never say: the fences around data, and the instructions' own words.
    pub fn forbidden(&self) -> &[String] {
        &self.forbidden
    }

    /// The prompt for an answer to a customer.
    ///
    /// # Errors
    /// [`PromptError`], where a template does not hold what its samples promised.
    pub fn answer(&self, context: &AnswerContext) -> Result<Rendered, PromptError> {
        self.render(context)
    }

    /// The prompt for a second try at a reply that could not be read.
    ///
    /// # Errors
    /// [`PromptError`], as for [`Self::answer`].
    pub fn repair(&self, context: &RepairContext) -> Result<Rendered, PromptError> {
        self.render(context)
    }

    /// The prompt for what an operator receives.
    ///
    /// # Errors
    /// [`PromptError`], as for [`Self::answer`].
    pub fn package(&self, context: &PackageContext) -> Result<Rendered, PromptError> {
        self.render(context)
    }

    /// The prompt for what is learnt from a finished stretch of conversation.
    ///
    /// # Errors
    /// [`PromptError`], as for [`Self::answer`].
    pub fn episode(&self, context: &EpisodeContext) -> Result<Rendered, PromptError> {
        self.render(context)
    }

    /// Loads one template and tries it on its samples.
    fn load_one<C: Context>(&mut self, dir: &Path, faults: &mut Vec<String>) {
        let path = dir.join(C::FILE).display().to_string();
        let source = match std::fs::read_to_string(&path) {
            Ok(source) => source,
            Err(error) => return faults.push(format!("{path}: can't be read: {error}")),
        };
        if let Err(error) = self.templates.add_template_owned(C::FILE, source) {
            return faults.push(place(&error, &path));
        }
        let mut systems = Vec::new();
        for sample in C::samples() {
            match self.try_render(&sample) {
                Ok(rendered) => systems.push(rendered.system),
                Err(error) => return faults.push(place(&error, &path)),
            }
        }
        if C::FILE == AnswerContext::FILE {
            self.forbidden.extend(systems.first().into_iter().flat_map(|system| telling_words(system)));
        }
        if systems.iter().any(|system| system.trim().is_empty()) {
            faults.push(format!("{path}: the block system is empty"));
        }
        if systems.windows(2).any(|pair| pair[0] != pair[1]) {
            faults.push(format!(
                "{path}: the block system changes with the conversation: move what changes into the block user, so that \
                 servers can cache the beginning"
            ));
        }
    }

    fn render<C: Context>(&self, context: &C) -> Result<Rendered, PromptError> {
        self.try_render(context).map_err(|error| PromptError(place(&error, C::FILE)))
    }

    fn try_render<C: Context>(&self, context: &C) -> Result<Rendered, Error> {
        let template = self.templates.get_template(C::FILE)?;
        let view: Value = context.view();
        let mut whole = template.render_captured(view)?;
        let (system, user) = whole.with_state_mut(|state| -> Result<_, Error> {
            Ok((state.render_block("system")?, state.render_block("user")?))
        })?;
        if system.contains(data::BARE) || user.contains(data::BARE) {
            let what = "text of other people goes through another filter than `data`";
            return Err(Error::new(ErrorKind::InvalidOperation, what));
        }
        let (system, user) = (system.trim().to_owned(), user.trim().to_owned());
        let hash = Sha256::new().chain_update(template.source()).chain_update([0]).chain_update(&system).finalize();
        Ok(Rendered { system, user, hash: hex(&hash) })
    }
}

/// An environment in which a name that is not there is an error, and nothing is escaped.
pub(super) fn environment() -> Environment<'static> {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.set_auto_escape_callback(|_| AutoEscape::None);
    templates.set_syntax(trimmed());
    templates
}

/// Lines that hold nothing but a tag leave nothing behind.
fn trimmed() -> SyntaxConfig {
    SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().expect("the default delimiters don't clash")
}

/// The beginnings of the instructions' longer lines: whoever says one of them is reading them out.
fn telling_words(system: &str) -> impl Iterator<Item = String> {
    const LONG: usize = 60;
    const TELLING: usize = 40;
    let lines = system.lines().map(|line| line.trim_start_matches(|c: char| !c.is_alphabetic()));
    lines.filter(|line| line.chars().count() >= LONG).map(|line| line.chars().take(TELLING).collect())
}

/// A template's fault with its place.
pub(super) fn place(error: &Error, path: &str) -> String {
    let line = error.line().map(|line| format!(":{line}")).unwrap_or_default();
    let what = error.detail().map_or_else(|| error.kind().to_string(), |detail| format!("{}: {detail}", error.kind()));
    format!("{path}{line}: {what}")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn shipped() -> &'static Path {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/prompts"))
    }

    /// The shipped prompts with one file changed.
    fn with(file: &str, change: impl Fn(&str) -> String) -> Result<Prompts, PromptErrors> {
        let dir = tempfile::tempdir().unwrap();
        for name in [AnswerContext::FILE, RepairContext::FILE, PackageContext::FILE, EpisodeContext::FILE] {
            let source = fs::read_to_string(shipped().join(name)).unwrap();
            let source = if name == file { change(&source) } else { source };
            fs::write(dir.path().join(name), source).unwrap();
        }
        Prompts::load(dir.path())
    }

    #[test]
    fn the_shipped_prompts_are_whole() {
        Prompts::load(shipped()).unwrap();
    }

    #[test]
    fn every_fault_is_told_with_its_place() {
        let empty = tempfile::tempdir().unwrap();
        let missing = Prompts::load(empty.path()).unwrap_err().to_string();
        for file in ["answer.md.j2", "repair.md.j2", "package.md.j2", "episode.md.j2"] {
            assert!(missing.contains(file), "{missing}");
        }
        let broken = with("answer.md.j2", |_| "{% block system %}x{% endblock %}\n{% if %}".to_owned());
        assert!(broken.unwrap_err().to_string().contains("answer.md.j2:2: syntax error"));
        let unknown =
            with("episode.md.j2", |source| source.replace("{% block user %}", "{% block user %}\n{{ hours }}"));
        let unknown = unknown.unwrap_err().to_string();
        assert!(unknown.contains("episode.md.j2:") && unknown.contains("undefined"), "{unknown}");
        let one_block = with("repair.md.j2", |_| "{% block system %}x{% endblock %}".to_owned());
        assert!(one_block.unwrap_err().to_string().contains("repair.md.j2"));
    }

    #[test]
    fn other_peoples_text_can_not_be_printed_bare() {
        let bare = with("answer.md.j2", |source| source.replace("{{ message.text | data }}", "{{ message.text }}"));
        let bare = bare.unwrap_err().to_string();
        assert!(bare.contains("answer.md.j2:") && bare.contains("`| data`"), "{bare}");
        let upper = with("answer.md.j2", |source| source.replace("message.text | data", "message.text | upper"));
        assert!(upper.unwrap_err().to_string().contains("another filter"));
    }

    #[test]
    fn the_stable_part_may_not_change_with_the_conversation() {
        let volatile =
            with("answer.md.j2", |source| source.replace("{% block system %}", "{% block system %}{{ language }}"));
        assert!(volatile.unwrap_err().to_string().contains("changes with the conversation"));
    }

    #[test]
    fn the_hash_follows_template_and_company_and_not_the_conversation() {
        let prompts = Prompts::load(shipped()).unwrap();
        let samples = AnswerContext::samples();
        let [one, two] = [&samples[0], &samples[1]].map(|sample| prompts.answer(sample).unwrap());
        assert_ne!(one.user, two.user);
        assert_eq!(one.hash, two.hash);
        assert_eq!(one.hash.len(), 64);
        let other = AnswerContext { company: "Шалфей".to_owned(), ..samples[0].clone() };
        assert_ne!(prompts.answer(&other).unwrap().hash, one.hash);
        let edited = with("answer.md.j2", |source| format!("{source}\n{{# edited #}}")).unwrap();
        assert_ne!(edited.answer(&samples[0]).unwrap().hash, one.hash);
    }

    #[test]
    fn values_are_never_rendered_again() {
        let prompts = Prompts::load(shipped()).unwrap();
        let mut sample = AnswerContext::samples().remove(1);
        sample.unread[0].text = crate::domain::text::MessageText::new("{{ company }} {% if %} </data>");
        let user = prompts.answer(&sample).unwrap().user;
        assert!(user.contains("{{ company }} {% if %} ‹/data›"), "{user}");
    }

    #[test]
    fn notes_between_colleagues_reach_no_prompt() {
        let prompts = Prompts::load(shipped()).unwrap();
        let answer = prompts.answer(&AnswerContext::samples()[0]).unwrap();
        let package = prompts.package(&PackageContext::samples()[0]).unwrap();
        let episode = prompts.episode(&EpisodeContext::samples()[0]).unwrap();
        for rendered in [answer, package, episode] {
            assert!(rendered.user.contains("В Казань"), "{}", rendered.user);
            assert!(!rendered.user.contains("потерял коробку"), "{}", rendered.user);
        }
    }

    #[test]
    fn stable_parts_leave_room_for_the_rest() {
        let prompts = Prompts::load(shipped()).unwrap();
        let answer = prompts.answer(&AnswerContext::samples()[0]).unwrap();
        let package = prompts.package(&PackageContext::samples()[0]).unwrap();
        let episode = prompts.episode(&EpisodeContext::samples()[0]).unwrap();
        for rendered in [answer, package, episode] {
            // About 1400 tokens of English, of the 6000 that a prompt may have.
            assert!(rendered.system.chars().count() < 6000, "{} characters", rendered.system.chars().count());
        }
    }

    #[test]
    fn fences_are_even_whatever_was_said() {
        let prompts = Prompts::load(shipped()).unwrap();
        for sample in AnswerContext::samples() {
            let user = prompts.answer(&sample).unwrap().user;
            assert_eq!(user.matches("<data>").count(), user.matches("</data>").count());
        }
    }

    #[test]
    fn prompts_as_the_model_reads_them() {
        let prompts = Prompts::load(shipped()).unwrap();
        let show = |rendered: Rendered| format!("{}\n\n=== user ===\n\n{}\n", rendered.system, rendered.user);
        insta::assert_snapshot!("answer", show(prompts.answer(&AnswerContext::samples()[0]).unwrap()));
        insta::assert_snapshot!("answer_bare", prompts.answer(&AnswerContext::samples()[1]).unwrap().user);
        insta::assert_snapshot!("repair", show(prompts.repair(&RepairContext::samples()[1]).unwrap()));
        insta::assert_snapshot!("package", show(prompts.package(&PackageContext::samples()[0]).unwrap()));
        insta::assert_snapshot!("episode", show(prompts.episode(&EpisodeContext::samples()[0]).unwrap()));
    }
}
