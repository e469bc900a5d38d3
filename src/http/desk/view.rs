//! What the desk's pages show, made of domain types. Pure: no store, no clock.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::{Frame, labels};
use crate::domain::conversation::{Conversation, OperatorAction, Ownership};
use crate::domain::customer::Customer;
use crate::domain::handoff::{Handoff, HandoffState, Package, PackageAuthor, PackageLine};
use crate::domain::id::{MessageId, OperatorId};
use crate::domain::memory::{Episode, Fact, FactKind};
use crate::domain::message::{Author, Message, StoredAttachment};
use crate::domain::outbox::WINDOW_CLOSED;
use crate::http::words::DeskWords;
use crate::ports::desk::{Mark, Operator, QueueEntry, Undelivered};

/// Characters of the last words that the queue shows.
const LAST_WORDS: usize = 160;

/// Conversations of the bot that the queue shows: enough to see what it does, not to follow it.
const WITH_BOT: usize = 50;

/// What every view is made with.
pub(super) struct Eyes<'a> {
    pub(super) words: &'static DeskWords,
    pub(super) me: OperatorId,
    pub(super) names: HashMap<OperatorId, String>,
    pub(super) now: Timestamp,
    /// Makes a key for each form that does something.
    pub(super) fresh_key: &'a (dyn Fn() -> String + Sync),
}

impl Eyes<'_> {
    pub(super) fn names(operators: Vec<Operator>) -> HashMap<OperatorId, String> {
        operators.into_iter().map(|operator| (operator.id, operator.name)).collect()
    }

    pub(super) fn name(&self, operator: OperatorId) -> String {
        if operator == OperatorId::OUTSIDE {
            return self.words.outside.to_owned();
        }
        self.names.get(&operator).cloned().unwrap_or_else(|| self.words.colleague.to_owned())
    }

    /// By the messenger's name where it holds the one that the customer told, else by the latter; by a key at the least.
    fn customer(&self, customer: &Customer, called: Option<&str>) -> String {
        let key = customer.id.uuid().simple().to_string();
        let anonymous = || self.words.visitor.replace("{key}", &key[key.len() - 4..]);
        let shown = customer.display_name.as_deref().filter(|name| !name.trim().is_empty());
        let shown = shown.filter(|shown| called.is_none_or(|called| shown.contains(called)));
        shown.or(called).map_or_else(anonymous, str::to_owned)
    }

    fn author(&self, author: Author) -> (&'static str, String) {
        match author {
            Author::Customer => ("customer", self.words.customer.to_owned()),
            Author::Bot => ("bot", self.words.bot.to_owned()),
            Author::Operator(id) if id == self.me => ("operator", self.words.you.to_owned()),
            Author::Operator(id) => ("operator", self.name(id)),
            Author::Note(id) if id == self.me => ("note", self.words.you.to_owned()),
            Author::Note(id) => ("note", self.name(id)),
        }
    }

    fn instant(&self, at: Timestamp) -> Instant {
        let length = self.now.duration_since(at);
        Instant { at: at.to_string(), clock: clock(at), length: labels::duration(self.words, length) }
    }

    fn owner(&self, ownership: Ownership) -> (&'static str, String) {
        match ownership {
            Ownership::Bot => ("bot", self.words.owner_bot.to_owned()),
            Ownership::Queued => ("queued", self.words.owner_queued.to_owned()),
            Ownership::Human(id) if id == self.me => ("mine", self.words.owner_mine.to_owned()),
            Ownership::Human(id) => ("other", self.words.owner_other.replace("{name}", &self.name(id))),
            Ownership::Resolved => ("resolved", self.words.owner_resolved.to_owned()),
        }
    }
}

/// A moment, for people and for the page's script.
#[derive(Debug, Serialize)]
pub(super) struct Instant {
    /// RFC 3339.
    at: String,
    /// Date and time of day in UTC; the script puts the operator's own zone in its place.
    clock: String,
    /// How long ago.
    length: String,
}

/// Date and time of day in UTC.
fn clock(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%d.%m.%Y %H:%M UTC").to_string()
}

fn day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%d.%m.%Y").to_string()
}

/// The queue's page.
#[derive(Serialize)]
pub(super) struct QueueView {
    frame: Frame,
    waiting: Vec<Entry>,
    mine: Vec<Entry>,
    others: Vec<Entry>,
    bot: Vec<Entry>,
    nothing: bool,
}

/// One conversation of the queue.
#[derive(Serialize)]
struct Entry {
    id: String,
    customer: String,
    channel: &'static str,
    language: Option<&'static str>,
    reason: Option<&'static str>,
    queue: Option<String>,
    priority: Option<(&'static str, &'static str)>,
    /// Who has it, where that is a colleague.
    holder: Option<String>,
    /// Since when the customer waits.
    waits_since: Option<Instant>,
    active: Instant,
    /// The first line of what the bot passed on.
    wants: Option<String>,
    last_author: Option<String>,
    last_words: String,
}

/// Sorts the store's entries into the queue's sections, each in the store's order.
pub(super) fn queue(eyes: &Eyes, entries: Vec<QueueEntry>, frame: impl FnOnce(usize) -> Frame) -> QueueView {
    let nothing = entries.is_empty();
    let (mut waiting, mut mine, mut others, mut bot) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for entry in entries {
        let section = match entry.conversation.ownership {
            Ownership::Queued => &mut waiting,
            Ownership::Human(id) if id == eyes.me => &mut mine,
            Ownership::Human(_) => &mut others,
            Ownership::Bot => &mut bot,
            Ownership::Resolved => continue,
        };
        section.push(queue_entry(eyes, &entry));
    }
    bot.truncate(WITH_BOT);
    QueueView { frame: frame(waiting.len()), waiting, mine, others, bot, nothing }
}

fn queue_entry(eyes: &Eyes, entry: &QueueEntry) -> Entry {
    let (conversation, handoff) = (&entry.conversation, entry.handoff.as_ref());
    let handoff = handoff.filter(|_| conversation.ownership != Ownership::Bot);
    let last = entry.last.as_ref();
    let waits_since = match conversation.ownership {
        Ownership::Queued => handoff.map(|handoff| handoff.opened_at),
        Ownership::Human(_) => last.filter(|last| last.author == Author::Customer).map(|last| last.received_at),
        Ownership::Bot | Ownership::Resolved => None,
    };
    let holder = match conversation.ownership {
        Ownership::Human(id) if id != eyes.me => Some(eyes.name(id)),
        _ => None,
    };
    Entry {
        id: conversation.id.to_string(),
        customer: eyes.customer(&entry.customer, entry.called.as_deref()),
        channel: labels::channel(eyes.words, conversation.address.channel),
        language: conversation.language.map(|language| labels::language(eyes.words, language)),
        reason: handoff.map(|handoff| labels::reason(eyes.words, handoff.reason)),
        queue: handoff.map(|handoff| labels::queue(eyes.words, &handoff.queue)).filter(|queue| !queue.is_empty()),
        priority: handoff.map(|handoff| labels::priority(eyes.words, handoff.priority)),
        holder,
        waits_since: waits_since.map(|at| eyes.instant(at)),
        active: eyes.instant(conversation.last_activity_at),
        wants: handoff.and_then(|one| one.package.wants.first()).map(|line| shorten(&line.text, LAST_WORDS)),
        last_author: last.filter(|last| last.author != Author::Customer).map(|last| eyes.author(last.author).1),
        last_words: last.map(|last| shorten(last.text.as_str(), LAST_WORDS)).unwrap_or_default(),
    }
}

/// One line of at most `most` characters.
fn shorten(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line,
    }
}

/// Everything that a conversation's page is made of.
pub(super) struct Found {
    pub(super) conversation: Conversation,
    pub(super) customer: Customer,
    pub(super) handoff: Option<Handoff>,
    /// Oldest first.
    pub(super) transcript: Vec<Message>,
    pub(super) undelivered: Vec<Undelivered>,
    pub(super) marks: Vec<Mark>,
    pub(super) files: Vec<StoredAttachment>,
    pub(super) facts: Vec<Fact>,
    pub(super) episodes: Vec<Episode>,
    /// The visitor is writing just now.
    pub(super) typing: bool,
}

/// What an operator wrote that was not done, and why.
#[derive(Default)]
pub(super) struct Unfinished {
    pub(super) draft: String,
    pub(super) problem: Option<String>,
}

/// The conversation's page.
#[derive(Serialize)]
pub(super) struct ConversationView {
    frame: Frame,
    id: String,
    customer: String,
    customer_since: String,
    /// Whether anything is learnt of them and recalled.
    remembered: bool,
    channel: &'static str,
    language: Option<&'static str>,
    owner: &'static str,
    owner_text: String,
    reason: Option<&'static str>,
    queue: Option<String>,
    priority: Option<(&'static str, &'static str)>,
    waits_since: Option<Instant>,
    package: Option<PackageView>,
    facts: Vec<FactView>,
    episodes: Vec<EpisodeView>,
    timeline: Vec<Line>,
    typing: bool,
    /// Messages before the first that is shown.
    earlier: bool,
    can: Can,
    keys: Keys,
    draft: String,
    problem: Option<String>,
}

/// What the operator may do.
#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each stands for one button, and none depends on another")]
struct Can {
    take: bool,
    reply: bool,
    release: bool,
    resolve: bool,
}

/// The keys of the page's actions.
#[derive(Serialize)]
struct Keys {
    take: String,
    release: String,
    resolve: String,
    write: String,
}

#[derive(Serialize)]
struct PackageView {
    by_model: bool,
    sections: Vec<PackageSection>,
    mood: String,
    episodes: Vec<EpisodeLine>,
    suggested_reply: String,
}

#[derive(Serialize)]
struct PackageSection {
    heading: &'static str,
    lines: Vec<LinkedLine>,
}

#[derive(Serialize)]
struct LinkedLine {
    text: String,
    /// Numbers of the messages it stands on, as far as the page shows them.
    messages: Vec<i64>,
}

#[derive(Serialize)]
struct EpisodeLine {
    day: String,
    summary: String,
}

#[derive(Serialize)]
struct FactView {
    id: String,
    /// Something that we promised and may be marked as kept.
    promise: bool,
    /// When it falls due.
    due: Option<Instant>,
    key: String,
    value: String,
    /// What sort of statement it is, where that is no plain attribute.
    sort: Option<&'static str>,
    since: String,
    message: Option<i64>,
}

#[derive(Serialize)]
struct EpisodeView {
    conversation: String,
    here: bool,
    day: String,
    channel: &'static str,
    outcome: &'static str,
    mood: String,
    summary: String,
}

/// A message of the timeline.
#[derive(Serialize)]
struct Line {
    seq: i64,
    author: &'static str,
    name: String,
    text: String,
    at: Instant,
    /// Shown once above the first message of a day.
    day: Option<String>,
    sources: Vec<String>,
    /// Neither delivered nor given up.
    being_sent: bool,
    undelivered: Option<UndeliveredView>,
    /// The class of the tick, and what it says.
    delivery: Option<(&'static str, &'static str)>,
    /// The customer changed it before it was answered.
    edited: bool,
    /// The customer took it back.
    deleted: bool,
    /// The message that says it now.
    replaced_by: Option<i64>,
    /// The message in whose place it stands.
    replaces: Option<i64>,
    files: Vec<FileView>,
}

#[derive(Serialize)]
struct FileView {
    kind: &'static str,
    name: Option<String>,
    size: Option<String>,
    /// What is said in it.
    words: Option<String>,
}

#[derive(Serialize)]
struct UndeliveredView {
    label: &'static str,
    why: String,
}

/// Makes a conversation's page.
pub(super) fn conversation(eyes: &Eyes, found: Found, frame: Frame, unfinished: Unfinished) -> ConversationView {
    let here = &found.conversation;
    let handoff = found.handoff.as_ref();
    let open = handoff.filter(|one| matches!(one.state, HandoffState::Open | HandoffState::Claimed));
    let numbers: HashMap<MessageId, i64> = found.transcript.iter().map(|message| (message.id, message.seq)).collect();
    let (owner, owner_text) = eyes.owner(here.ownership);
    let called = found.facts.iter().find(|fact| fact.key == "name");
    let allowed = |action: &OperatorAction| here.ownership.after(action, eyes.me).is_ok();
    let is_mine = here.ownership == Ownership::Human(eyes.me);
    let reply = OperatorAction::Reply(crate::domain::text::MessageText::default());
    ConversationView {
        frame,
        id: here.id.to_string(),
        customer: eyes.customer(&found.customer, called.map(|fact| fact.value.as_str())),
        remembered: found.customer.remembered,
        customer_since: eyes.words.first_contact.replace("{day}", &day(found.customer.created_at)),
        channel: labels::channel(eyes.words, here.address.channel),
        language: here.language.map(|language| labels::language(eyes.words, language)),
        owner,
        owner_text,
        reason: open.map(|handoff| labels::reason(eyes.words, handoff.reason)),
        queue: open.map(|handoff| labels::queue(eyes.words, &handoff.queue)).filter(|queue| !queue.is_empty()),
        priority: open.map(|handoff| labels::priority(eyes.words, handoff.priority)),
        waits_since: open.filter(|one| one.state == HandoffState::Open).map(|one| eyes.instant(one.opened_at)),
        package: handoff.and_then(|handoff| package(eyes, &handoff.package, &numbers)),
        facts: found.facts.iter().map(|one| fact(eyes, one, &numbers)).collect(),
        episodes: found.episodes.iter().map(|one| episode(eyes, one, here)).collect(),
        earlier: found.transcript.first().is_some_and(|first| first.seq > 1),
        can: Can {
            take: !is_mine && allowed(&OperatorAction::Take),
            reply: allowed(&reply),
            release: allowed(&OperatorAction::Release),
            resolve: allowed(&OperatorAction::Resolve),
        },
        keys: Keys {
            take: (eyes.fresh_key)(),
            release: (eyes.fresh_key)(),
            resolve: (eyes.fresh_key)(),
            write: (eyes.fresh_key)(),
        },
        typing: found.typing,
        timeline: timeline(eyes, found.transcript, found.undelivered, &numbers, &found.marks, found.files),
        draft: unfinished.draft,
        problem: unfinished.problem,
    }
}

/// The package; `None` where nothing was written into it.
fn package(eyes: &Eyes, package: &Package, numbers: &HashMap<MessageId, i64>) -> Option<PackageView> {
    if *package == (Package { written_by: package.written_by, ..Package::default() }) {
        return None;
    }
    let words = eyes.words;
    let sections = [
        (words.package_wants, &package.wants),
        (words.package_customer, &package.customer),
        (words.package_tried, &package.tried),
        (words.package_open, &package.open_questions),
        (words.package_promises, &package.promises),
    ];
    let line = |line: &PackageLine| {
        let mut messages: Vec<i64> = line.messages.iter().filter_map(|id| numbers.get(id).copied()).collect();
        messages.sort_unstable();
        messages.dedup();
        LinkedLine { text: line.text.clone(), messages }
    };
    let sections = sections
        .into_iter()
        .filter(|(_, lines)| !lines.is_empty())
        .map(|(heading, lines)| PackageSection { heading, lines: lines.iter().map(line).collect() });
    let episodes = package.episodes.iter();
    Some(PackageView {
        by_model: package.written_by == PackageAuthor::Model,
        sections: sections.collect(),
        mood: package.mood.clone(),
        episodes: episodes.map(|one| EpisodeLine { day: day(one.ended_at), summary: one.summary.clone() }).collect(),
        suggested_reply: package.suggested_reply.clone(),
    })
}

fn fact(eyes: &Eyes, fact: &Fact, numbers: &HashMap<MessageId, i64>) -> FactView {
    let sort = match fact.kind {
        FactKind::Attribute => None,
        FactKind::Preference => Some(eyes.words.preference),
        FactKind::Claim => Some(eyes.words.claim),
        FactKind::Promise => Some(eyes.words.promise),
    };
    FactView {
        id: fact.id.to_string(),
        promise: fact.kind == FactKind::Promise,
        due: fact.due_at.map(|due| eyes.instant(due)),
        key: labels::fact(eyes.words, &fact.key),
        value: labels::fact_value(eyes.words, &fact.key, &fact.value),
        sort,
        since: eyes.words.since.replace("{day}", &day(fact.valid_at)),
        message: numbers.get(&fact.source).copied(),
    }
}

fn episode(eyes: &Eyes, episode: &Episode, here: &Conversation) -> EpisodeView {
    EpisodeView {
        conversation: episode.conversation.to_string(),
        here: episode.conversation == here.id,
        day: day(episode.ended_at),
        channel: labels::channel(eyes.words, episode.channel),
        outcome: labels::outcome(eyes.words, episode.outcome),
        mood: episode.mood.clone(),
        summary: episode.summary.clone(),
    }
}

fn timeline(
    eyes: &Eyes,
    transcript: Vec<Message>,
    undelivered: Vec<Undelivered>,
    numbers: &HashMap<MessageId, i64>,
    marks: &[Mark],
    files: Vec<StoredAttachment>,
) -> Vec<Line> {
    let mut files_of: HashMap<MessageId, Vec<FileView>> = HashMap::new();
    for file in files {
        files_of.entry(file.message).or_default().push(file_view(eyes, file));
    }
    let faults: BTreeMap<i64, Undelivered> = undelivered.into_iter().map(|one| (one.seq, one)).collect();
    let mut last_day = String::new();
    let mut lines = Vec::with_capacity(transcript.len());
    for message in transcript {
        let (author, name) = eyes.author(message.author);
        let fault = faults.get(&message.seq);
        let mark = marks.iter().find(|mark| mark.seq == message.seq);
        let replaces = marks.iter().find(|mark| mark.replaced_by == Some(message.id)).map(|mark| mark.seq);
        let is_ours = matches!(message.author, Author::Bot | Author::Operator(_));
        let this_day = day(message.received_at);
        let new_day = (this_day != last_day).then(|| this_day.clone());
        last_day = this_day;
        lines.push(Line {
            seq: message.seq,
            author,
            name,
            text: message.text.as_str().to_owned(),
            at: eyes.instant(message.received_at),
            day: new_day,
            sources: sources(&message),
            being_sent: is_ours && message.delivered_at.is_none() && fault.is_none(),
            undelivered: fault.map(|one| undelivered_view(eyes, one)),
            delivery: mark.and_then(|mark| mark.delivery).and_then(|far| labels::delivery(eyes.words, far)),
            edited: mark.is_some_and(|mark| mark.edited),
            deleted: mark.is_some_and(|mark| mark.deleted),
            replaced_by: mark.and_then(|mark| numbers.get(&mark.replaced_by?).copied()),
            replaces,
            files: files_of.remove(&message.id).unwrap_or_default(),
        });
    }
    lines
}

fn undelivered_view(eyes: &Eyes, fault: &Undelivered) -> UndeliveredView {
    let label = if fault.state == "unknown" { eyes.words.not_known } else { eyes.words.not_delivered };
    let why = if fault.why == WINDOW_CLOSED { eyes.words.window_closed } else { &fault.why };
    UndeliveredView { label, why: why.to_owned() }
}

fn file_view(eyes: &Eyes, file: StoredAttachment) -> FileView {
    FileView {
        kind: labels::file(eyes.words, file.file.kind),
        name: file.file.name,
        size: file.file.size.map(|size| labels::size(eyes.words, size)),
        words: file.file.transcript.map(|words| words.as_str().to_owned()),
    }
}

/// Titles of what a message stands on, each once.
fn sources(message: &Message) -> Vec<String> {
    let mut titles: Vec<String> = Vec::new();
    for citation in &message.citations {
        let title = if citation.title.is_empty() { &citation.source } else { &citation.title };
        if !titles.contains(title) {
            titles.push(title.clone());
        }
    }
    titles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_words_are_one_line_cut_between_characters() {
        assert_eq!(shorten("Где\n\n мой   заказ?", 20), "Где мой заказ?");
        assert_eq!(shorten("ёжик ёжик", 5), "ёжик…");
        assert_eq!(shorten("ёжик", 4), "ёжик");
    }
}
