//! What must be true at the end, whatever happened before.

use std::collections::{BTreeMap, HashMap, HashSet};

use sqlx::Row;

use super::customers::{PRESS, Stage, TAG, tags};
use super::database::Logged;
use crate::support::fake_telegram::Line;

/// What the run amounted to.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) messages: usize,
    /// Arrivals of a message that was there already.
    pub(crate) duplicates: usize,
    pub(crate) committed_turns: usize,
    /// Lines that customers saw: all, those by the model, which name what they answer, and those by operators.
    pub(crate) lines: usize,
    pub(crate) replies: usize,
    pub(crate) operator_lines: usize,
    pub(crate) unknown_parts: usize,
    /// Parts of which it was learnt late that they had been sent.
    pub(crate) learnt_late: usize,
    pub(crate) withdrawn_turns: i64,
    /// By their reason.
    pub(crate) handoffs: BTreeMap<String, usize>,
    pub(crate) takeovers: usize,
    /// Takeovers in the middle of a turn, in the middle of a send, and those that the customer saw before a line of the
    /// bot that was on its way.
    pub(crate) while_thinking: usize,
    pub(crate) while_sending: usize,
    pub(crate) before_a_line: usize,
}

struct Message {
    id: String,
    conversation: String,
    chat: i64,
    seq: i64,
    author: String,
    text: String,
}

struct Turn {
    id: String,
    conversation: String,
    from_seq: i64,
    to_seq: i64,
    decision: String,
    reason: String,
    reply: String,
}

struct Part {
    id: String,
    chat: i64,
    text: String,
    state: String,
}

struct Audit<'a> {
    stage: &'a Stage,
    messages: Vec<Message>,
    turns: Vec<Turn>,
    /// By conversation, sequence and part.
    parts: Vec<Part>,
    owners: HashMap<String, String>,
    log: Vec<Logged>,
    faults: Vec<String>,
    figures: Figures,
}

/// Audits everything; panics with every fault that was found.
pub(crate) async fn audit(stage: &Stage) -> Figures {
    let mut audit = Audit::read(stage).await;
    audit.taken_means_stored().await;
    audit.every_message_is_handled_once();
    audit.replies_are_about_their_messages();
    audit.the_ledger_is_the_outbox();
    audit.nobody_talks_over_a_person();
    audit.parts_go_under_their_epoch();
    audit.turns_are_committed_by_the_lease();
    audit.handoffs_are_single_and_full().await;
    let shown: Vec<&String> = audit.faults.iter().take(40).collect();
    assert!(audit.faults.is_empty(), "{} faults: {shown:#?}", audit.faults.len());
    audit.figures
}

impl<'a> Audit<'a> {
    async fn read(stage: &'a Stage) -> Self {
        let database = &stage.database;
        let chat = |text: String| text.parse().expect("a chat of Telegram");
        let messages = database
            .rows(
                "select m.id, m.conversation_id, a.external, m.seq, m.author, m.text from messages m \
                 join addresses a on a.id = m.address_id order by m.conversation_id, m.seq",
            )
            .await;
        let turns = database
            .rows(
                "select id, conversation_id, from_seq, to_seq, coalesce(decision, ''), coalesce(reason, ''), \
                 coalesce(reply_id, '') from turns where state = 'committed' order by conversation_id, to_seq",
            )
            .await;
        let parts = database
            .rows(
                "select p.id, a.external, p.text, p.state from outbox p \
                 join conversations c on c.id = p.conversation_id join addresses a on a.id = c.address_id \
                 order by c.opened_at, c.id, p.seq, p.part",
            )
            .await;
        let owners = database.rows("select id, owner from conversations").await;
        let mut audit = Self {
            stage,
            messages: messages
                .iter()
                .map(|row| Message {
                    id: row.get(0),
                    conversation: row.get(1),
                    chat: chat(row.get(2)),
                    seq: row.get(3),
                    author: row.get(4),
                    text: row.get(5),
                })
                .collect(),
            turns: turns
                .iter()
                .map(|row| Turn {
                    id: row.get(0),
                    conversation: row.get(1),
                    from_seq: row.get(2),
                    to_seq: row.get(3),
                    decision: row.get(4),
                    reason: row.get(5),
                    reply: row.get(6),
                })
                .collect(),
            parts: parts
                .iter()
                .map(|row| Part { id: row.get(0), chat: chat(row.get(1)), text: row.get(2), state: row.get(3) })
                .collect(),
            owners: owners.iter().map(|row| (row.get(0), row.get(1))).collect(),
            log: database.log().await,
            faults: Vec::new(),
            figures: Figures::default(),
        };
        audit.figures.committed_turns = audit.turns.len();
        audit.figures.unknown_parts = audit.parts.iter().filter(|part| part.state == "unknown").count();
        let count = |holds: fn(&Logged) -> bool| audit.log.iter().filter(|logged| holds(logged)).count();
        audit.figures.learnt_late = count(|logged| logged.kind == "learnt");
        audit.figures.while_thinking = count(|logged| logged.is_takeover() && logged.thinking);
        audit.figures.while_sending = count(|logged| logged.is_takeover() && logged.sending);
        audit.figures.withdrawn_turns = database.figure("select count(*) from turns where state = 'withdrawn'").await;
        audit
    }

    /// What a webhook answered with success is in the store, once.
    async fn taken_means_stored(&mut self) {
        let rows = self.stage.database.rows(
            "select external_id, coalesce(message_id, '') from inbox where channel = 'telegram' and kind = 'message'",
        );
        let mut inbox: HashMap<String, Vec<String>> = HashMap::new();
        for row in rows.await {
            inbox.entry(row.get(0)).or_default().push(row.get(1));
        }
        let written = self.stage.written.lock().unwrap();
        self.figures.messages = written.len();
        let arrivals = self.log.iter().filter(|logged| logged.kind == "arrival");
        self.figures.duplicates = arrivals.count().saturating_sub(inbox.len());
        for one in &*written {
            let rows = inbox.get(&one.update.to_string()).map_or(&[][..], Vec::as_slice);
            let stored: Vec<&Message> = self
                .messages
                .iter()
                .filter(|message| message.author == "customer" && tags(&message.text).contains(&one.tag.as_str()))
                .collect();
            let right = rows.len() == 1 && stored.len() == 1 && stored[0].id == rows[0] && stored[0].chat == one.chat;
            if !right {
                self.faults.push(format!(
                    "stored once: {} of chat {} has {} inbox rows and {} messages",
                    one.tag,
                    one.chat,
                    rows.len(),
                    stored.len()
                ));
            }
        }
    }

    /// Each customer message belongs to one committed turn; or to none, and a person answered it or has it.
    fn every_message_is_handled_once(&mut self) {
        let mut operators: HashMap<&str, i64> = HashMap::new();
        for message in self.messages.iter().filter(|message| message.author == "operator") {
            let last = operators.entry(&message.conversation).or_default();
            *last = (*last).max(message.seq);
        }
        for message in self.messages.iter().filter(|message| message.author == "customer") {
            let covers = |turn: &&Turn| {
                turn.conversation == message.conversation && (turn.from_seq..=turn.to_seq).contains(&message.seq)
            };
            let turns: Vec<&Turn> = self.turns.iter().filter(covers).collect();
            let answered_by_people = operators.get(message.conversation.as_str()).is_some_and(|seq| *seq > message.seq);
            let with_people = self.owners[&message.conversation] != "bot";
            let handled = match turns.as_slice() {
                [] => answered_by_people || with_people,
                [turn] => {
                    if turn.decision == "ignore" {
                        !turn.reason.is_empty()
                    } else {
                        !turn.reply.is_empty()
                    }
                }
                _ => false,
            };
            if !handled {
                let ids: Vec<&str> = turns.iter().map(|turn| turn.id.as_str()).collect();
                self.faults.push(format!(
                    "handled once: message {} of {} ({}) is in turns {ids:?}",
                    message.seq, message.conversation, message.text
                ));
            }
        }
    }

    /// A reply that names messages names the newest of its turn, and none of another customer.
    fn replies_are_about_their_messages(&mut self) {
        let by_id: HashMap<&str, &Message> =
            self.messages.iter().map(|message| (message.id.as_str(), message)).collect();
        let written = self.stage.written.lock().unwrap();
        let chats: HashMap<&str, i64> = written.iter().map(|one| (one.tag.as_str(), one.chat)).collect();
        for turn in &self.turns {
            let Some(reply) = by_id.get(turn.reply.as_str()).filter(|reply| reply.text.contains(TAG)) else { continue };
            let said = tags(&reply.text);
            let of_turn = |message: &&Message| {
                message.author == "customer"
                    && message.conversation == turn.conversation
                    && (turn.from_seq..=turn.to_seq).contains(&message.seq)
            };
            let newest = self.messages.iter().rfind(of_turn);
            if newest.is_none_or(|newest| tags(&newest.text).iter().any(|tag| !said.contains(tag))) {
                self.faults.push(format!("answers its messages: turn {} says {}", turn.id, reply.text));
            }
            if said.iter().any(|tag| chats.get(tag) != Some(&reply.chat)) {
                self.faults.push(format!("another customer's words: turn {} says {}", turn.id, reply.text));
            }
        }
    }

    /// Chats show what the outbox calls sent, once and in its order; of what it calls unknown each part once or not.
    fn the_ledger_is_the_outbox(&mut self) {
        let mut chats: BTreeMap<i64, Vec<&Part>> = BTreeMap::new();
        for part in self.parts.iter().filter(|part| matches!(part.state.as_str(), "sent" | "unknown")) {
            chats.entry(part.chat).or_default().push(part);
        }
        let written = self.stage.written.lock().unwrap();
        let all: HashSet<i64> = written.iter().map(|one| one.chat).chain(chats.keys().copied()).collect();
        for chat in all {
            let lines: Vec<Line> =
                self.stage.telegram.transcript(chat).into_iter().filter(|line| line.by_bot).collect();
            self.figures.lines += lines.len();
            let mut seen = HashSet::new();
            for line in &lines {
                let (by_operator, by_model) = (line.text.contains(PRESS), line.text.contains(TAG));
                self.figures.operator_lines += usize::from(by_operator);
                self.figures.replies += usize::from(by_model);
                if !by_operator && !by_model {
                    continue;
                }
                if !seen.insert(&line.text) {
                    self.faults.push(format!("said once: chat {chat} shows twice: {}", line.text));
                }
            }
            let parts = chats.get(&chat).map_or(&[][..], Vec::as_slice);
            if !matches_in_order(&lines, parts) {
                let lines: Vec<&String> = lines.iter().map(|line| &line.text).collect();
                let parts: Vec<String> = parts.iter().map(|part| format!("{}: {}", part.state, part.text)).collect();
                self.faults.push(format!("in order: chat {chat} shows {lines:#?}, the outbox has {parts:#?}"));
            }
        }
    }

    /// After the desk said that a conversation is taken, the bot shows nothing until it is given back, but at most one
    /// part whose send had been claimed before: parts of a conversation go one at a time.
    fn nobody_talks_over_a_person(&mut self) {
        let mut claims: HashMap<&str, i64> = HashMap::new();
        for logged in self.log.iter().filter(|logged| logged.kind == "claim bot") {
            claims.insert(&logged.subject, logged.number);
        }
        let takeovers = self.stage.takeovers.lock().unwrap();
        self.figures.takeovers = takeovers.len();
        for takeover in &*takeovers {
            let lines = self.stage.telegram.transcript(takeover.chat);
            let said = lines[takeover.from..takeover.until].iter();
            let by_bot: Vec<&Line> =
                said.filter(|line| line.by_bot && !line.text.contains("Говорит оператор, ")).collect();
            let claimed_before = |line: &&Line| {
                let parts = self.parts.iter().filter(|part| part.chat == takeover.chat && part.text == line.text);
                parts.filter_map(|part| claims.get(part.id.as_str())).any(|claimed| *claimed < takeover.logged)
            };
            self.figures.before_a_line += usize::from(!by_bot.is_empty());
            if by_bot.len() > 1 || !by_bot.iter().all(claimed_before) {
                self.faults.push(format!("silence: chat {} was taken, and the bot said {by_bot:#?}", takeover.chat));
            }
        }
        // The same by the log: while a person has it, no part of the bot is claimed and no turn is committed.
        let mut with_person: HashSet<&str> = HashSet::new();
        for logged in &self.log {
            let conversation = logged.conversation.as_str();
            match logged.kind.as_str() {
                "owner" if logged.owner == "human" => drop(with_person.insert(conversation)),
                "owner" => drop(with_person.remove(conversation)),
                "claim bot" | "commit" if with_person.contains(conversation) => {
                    self.faults.push(format!("silence: a person has the conversation, and {logged:?}"));
                }
                _ => {}
            }
        }
    }

    fn parts_go_under_their_epoch(&mut self) {
        for logged in &self.log {
            let right = match logged.kind.as_str() {
                "claim bot" => logged.epoch == logged.conversation_epoch,
                // A turn that hands over has raised the epoch itself.
                "commit" => logged.epoch + i64::from(logged.owner == "queued") == logged.conversation_epoch,
                _ => true,
            };
            if !right {
                self.faults.push(format!("its epoch: {logged:?}"));
            }
        }
    }

    /// The process that commits a turn is the one that took the newest lease.
    fn turns_are_committed_by_the_lease(&mut self) {
        let mut leases: HashMap<&str, &Logged> = HashMap::new();
        for logged in &self.log {
            if logged.kind == "lease" {
                leases.insert(&logged.conversation, logged);
            }
            let lease = leases.get(logged.conversation.as_str());
            let holds = |lease: &&Logged| (lease.lease_token, &lease.process) == (logged.lease_token, &logged.process);
            if logged.kind == "commit" && !lease.is_some_and(holds) {
                self.faults.push(format!("the lease's turn: {logged:?} under {lease:?}"));
            }
        }
    }

    async fn handoffs_are_single_and_full(&mut self) {
        let rows = self.stage.database.rows("select conversation_id, state, reason, package from handoffs").await;
        let mut open = HashSet::new();
        for row in &rows {
            let (conversation, state, reason): (String, String, String) = (row.get(0), row.get(1), row.get(2));
            *self.figures.handoffs.entry(reason.clone()).or_default() += 1;
            let package: serde_json::Value = serde_json::from_str(row.get(3)).unwrap();
            let full = ["customer", "wants", "tried", "open_questions"]
                .iter()
                .any(|field| package[*field].as_array().is_some_and(|lines| !lines.is_empty()));
            if !full {
                self.faults.push(format!("a full package: {conversation}, {reason}, {state}: {package}"));
            }
            if matches!(state.as_str(), "open" | "claimed") && !open.insert(conversation.clone()) {
                self.faults.push(format!("one handoff: {conversation} has two"));
            }
        }
    }
}

/// Whether the lines are the parts in their order, with none left over; of the unknown ones any may be missing.
fn matches_in_order(lines: &[Line], parts: &[&Part]) -> bool {
    // Whether the parts so far can have shown the first so many lines.
    let mut shown = vec![false; lines.len() + 1];
    shown[0] = true;
    for part in parts {
        let mut next = if part.state == "unknown" { shown.clone() } else { vec![false; lines.len() + 1] };
        for (count, line) in lines.iter().enumerate() {
            next[count + 1] |= shown[count] && line.text == part.text.trim();
        }
        shown = next;
    }
    shown[lines.len()]
}
