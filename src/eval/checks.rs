//! What is looked at after a step, and at the end.

use std::fmt::Write as _;

use super::outcome::{CheckKind, Played, Speaker, Turn};
use super::play::{Player, Stage, value_of};
use super::script::{EndState, Expect, Owner, Script, Step};
use super::words::{Wanted, compared};
use crate::domain::conversation::Conversation;
use crate::domain::handoff::{Handoff, HandoffState, Package, PackageAuthor};
use crate::domain::id::CustomerId;
use crate::domain::memory::{Fact, Remembered};
use crate::domain::text::Language;
use crate::engine::guard;
use crate::flow::{compose, recall};
use crate::prompt::phrases::Phrase;

/// How much of a transcript a package may stand on, in messages.
const TRANSCRIPT: usize = 400;

impl Player {
    /// Looks at everything that a step expects.
    pub(super) async fn check(
        &self,
        stage: &Stage,
        script: &Script,
        step: &Step,
        number: usize,
        played: &mut Played,
    ) -> anyhow::Result<()> {
        let who = self.who();
        let seen = self.seen_by(&who, number, (stage, script), played);
        let reply = seen.join("\n");
        let expect = &step.expect;
        if let Some(replies) = expect.replies {
            let told = || format!("the customer sees {} messages, not {replies}", seen.len());
            played.check(CheckKind::Replies, number, replies == seen.len(), told);
        }
        words(played, CheckKind::Says, number, "the customer sees", &reply, &expect.says, true);
        words(played, CheckKind::SaysNot, number, "the customer sees", &reply, &expect.says_not, false);
        self.check_prompt(stage, script, expect, number, played);
        let mut shown = reply.clone();
        if let Some(conversation) = self.conversation(&who).await? {
            let spoke = step.customer.is_some();
            self.check_turn((expect, number, spoke), &conversation, &reply, played).await?;
        }
        if let Some(customer) = self.customer(&who).await? {
            let recalled = self.recalled(customer, step).await?;
            words(played, CheckKind::Recalls, number, "memory brings", &recalled.all, &expect.recalls, true);
            let not = &expect.recalls_not;
            words(played, CheckKind::RecallsNot, number, "memory brings as current", &recalled.current, not, false);
            shown.push_str(&recalled.all);
        }
        self.check_facts(&who, (&expect.facts, &expect.facts_not), number, played).await?;
        check_leaks(script, &who, &shown, number, played);
        Ok(())
    }

    /// Hears what is said to a customer whom a model plays: nothing is expected of it but that it leaks nothing.
    pub(super) async fn hear(
        &self,
        stage: &Stage,
        script: &Script,
        number: usize,
        played: &mut Played,
    ) -> anyhow::Result<()> {
        let who = self.who();
        let reply = self.seen_by(&who, number, (stage, script), played).join("\n");
        check_leaks(script, &who, &reply, number, played);
        if let Some(conversation) = self.conversation(&who).await? {
            self.check_turn((&Expect::default(), number, true), &conversation, &reply, played).await?;
        }
        Ok(())
    }

    /// What the customer of a step sees after it. What goes to others meanwhile is theirs, and may leak as well.
    fn seen_by(
        &self,
        who: &str,
        number: usize,
        (stage, script): (&Stage, &Script),
        played: &mut Played,
    ) -> Vec<String> {
        let mut seen = Vec::new();
        for part in stage.channel.take() {
            let to = self.name_of(&part.to);
            played.line(Speaker::Bot, to, part.text.as_str());
            if to == who {
                seen.push(part.text.as_str().to_owned());
            } else {
                check_leaks(script, to, part.text.as_str(), number, played);
            }
        }
        seen
    }

    fn check_prompt(&self, stage: &Stage, script: &Script, expect: &Expect, number: usize, played: &mut Played) {
        let Some(model) = &stage.model else { return };
        let shown: Vec<String> =
            model.take_shown().into_iter().map(|request| format!("{}\n{}", request.system, request.user)).collect();
        let shown = shown.join("\n");
        words(played, CheckKind::Prompt, number, "the prompt has", &shown, &expect.prompt_has, true);
        words(played, CheckKind::Prompt, number, "the prompt has", &shown, &expect.prompt_has_not, false);
        check_leaks(script, &self.who(), &shown, number, played);
    }

    /// The turn that a step has led to.
    async fn check_turn(
        &self,
        (expect, number, spoke): (&Expect, usize, bool),
        conversation: &Conversation,
        reply: &str,
        played: &mut Played,
    ) -> anyhow::Result<()> {
        let owner = Owner::from(conversation.ownership);
        if let Some(expected) = expect.owner {
            let told = || format!("{} owns the conversation, not {}", owner.name(), expected.name());
            played.check(CheckKind::Owner, number, expected == owner, told);
        }
        let turn = self.ctx.store.last_turn(conversation.id).await?;
        let turn = turn.filter(|turn| self.is_new(conversation.id, turn.to_seq));
        if let Some(expected) = &expect.decision {
            // Where a person has the conversation there is no turn: the bot is silent.
            let decision = turn.as_ref().map_or("ignore", |turn| turn.decision.as_str());
            let expected: Vec<&str> = expected.all().iter().map(|one| one.name()).collect();
            one_of(played, CheckKind::Decision, number, "the decision is", decision, &expected);
        }
        let handoff = self.ctx.store.handoff(conversation.id).await?;
        if let Some(expected) = &expect.reason {
            let reason = handoff.as_ref().map_or("none", |handoff| handoff.reason.name());
            let expected: Vec<&str> = expected.all().iter().map(|one| one.name()).collect();
            one_of(played, CheckKind::Reason, number, "the reason is", reason, &expected);
        }
        let messages = self.ctx.store.transcript(conversation.id, 0, usize::MAX >> 1).await?;
        let last = messages.iter().rev().find(|message| !message.citations.is_empty());
        let cited: Vec<String> = last.iter().flat_map(|last| &last.citations).map(|one| one.source.clone()).collect();
        check_citations(expect, number, &cited, played);
        for key in &expect.asks_none_of {
            let told = || format!("the customer is asked for {key}, which is known");
            played.check(CheckKind::AsksAgain, number, !self.asks_for(key, reply), told);
        }
        if let Some(turn) = turn.filter(|_| spoke) {
            played.turns.push(Turn {
                step: number,
                reason: turn.reason,
                reply: reply.to_owned(),
                unfounded: turn.decision == "answer" && !self.is_founded(reply, &cited, conversation).await?,
                decision: turn.decision,
                recalled: turn.record.recalled,
                cited,
                coverage: turn.record.coverage,
                tokens: (turn.record.tokens_in, turn.record.tokens_out),
            });
        }
        Ok(())
    }

    /// Whether every figure, address and name of an answer stands in what it cites, in memory or in the conversation.
    async fn is_founded(&self, reply: &str, cited: &[String], conversation: &Conversation) -> anyhow::Result<bool> {
        let mut said = self.said(conversation).await?;
        said.extend(self.ctx.knowledge.texts_of(cited));
        said.extend(self.ctx.store.facts(conversation.customer).await?.into_iter().map(|fact| fact.value));
        let company = self.ctx.config.company.name.as_str();
        let ours = Language::ALL.map(|language| compose::phrase(&self.ctx, language, Phrase::Disclosure { company }));
        let lines = reply.lines().filter(|line| !ours.iter().any(|ours| ours.contains(line)));
        Ok(lines.into_iter().all(|line| guard::stands_on(line, &said, company)))
    }

    /// What the customer and operators have said in a conversation.
    async fn said(&self, conversation: &Conversation) -> anyhow::Result<Vec<String>> {
        let messages = self.ctx.store.transcript(conversation.id, 0, TRANSCRIPT).await?;
        let ours = |author: &crate::domain::message::Author| *author == crate::domain::message::Author::Bot;
        Ok(messages.into_iter().filter(|one| !ours(&one.author)).map(|one| one.text.as_str().to_owned()).collect())
    }

    /// Whether a reply asks for a fact of this key: in our own words for it, or with a question that names it.
    fn asks_for(&self, key: &str, reply: &str) -> bool {
        let ours = Language::ALL.iter().filter_map(|language| compose::detail(&self.ctx, *language, key, None));
        let names: &[&str] = match key {
            "order_number" => &["номер заказа", "номер вашего заказа", "order number", "number of your order"],
            "phone" => &["номер телефона", "ваш телефон", "phone number"],
            "email" => &["почту", "e-mail", "email"],
            "name" => &["как вас зовут", "ваше имя", "your name"],
            "address" => &["ваш адрес", "адрес доставки", "your address", "delivery address"],
            "city" => &["какой город", "каком городе", "в каком вы городе", "which city", "what city"],
            _ => &[],
        };
        let asks = |sentence: &str| {
            ["?", "напишите", "подскажите", "укажите", "пришлите", "сообщите", "please", "could you"]
                .iter()
                .any(|word| sentence.contains(word))
        };
        let reply = compared(reply);
        ours.map(|ours| compared(&ours)).any(|ours| reply.contains(&ours))
            || reply
                .split_inclusive(['.', '!', '?'])
                .any(|sentence| asks(sentence) && names.iter().any(|name| sentence.contains(name)))
    }

    /// What is brought to mind of a customer for the words of a step.
    async fn recalled(&self, customer: CustomerId, step: &Step) -> anyhow::Result<Brought> {
        if step.expect.recalls.is_empty() && step.expect.recalls_not.is_empty() && step.customer.is_none() {
            return Ok(Brought::default());
        }
        let question = step.customer.as_ref().map(|words| words.all().join("\n")).unwrap_or_default();
        let memories = recall::memory(&self.ctx, customer, &question).await?;
        let ended: Vec<Fact> =
            self.ctx.store.ledger(customer).await?.facts.into_iter().filter(|fact| !fact.holds()).collect();
        let mut brought = Brought::default();
        for memory in &memories {
            let text = text_of(memory);
            // What was said then is history, where the ledger knows that it is over: it is shown with its date.
            let is_history = !matches!(memory, Remembered::Fact(_));
            let known_over = |text: &str| ended.iter().any(|fact| compared(text).contains(&compared(&fact.value)));
            if !is_history || !known_over(&text) {
                let _ = writeln!(brought.current, "{text}");
            }
            let _ = writeln!(brought.all, "{text}");
        }
        Ok(brought)
    }

    async fn check_facts(
        &self,
        who: &str,
        (facts, facts_not): (&[String], &[String]),
        number: usize,
        played: &mut Played,
    ) -> anyhow::Result<()> {
        if facts.is_empty() && facts_not.is_empty() {
            return Ok(());
        }
        let held = match self.customer(who).await? {
            Some(customer) => self.ctx.store.facts(customer).await?,
            None => Vec::new(),
        };
        let known: Vec<String> = held.iter().map(|fact| format!("{} = {}", fact.key, fact.value)).collect();
        let is_known = |wanted: &str| {
            wanted.split(" | ").map(value_of).any(|(key, value)| {
                held.iter().any(|fact| fact.key == key && (value.is_empty() || is_value(value, &fact.value)))
            })
        };
        for fact in facts {
            let told = || format!("`{fact}` is not remembered; remembered are {known:?}");
            played.check(CheckKind::Facts, number, is_known(fact), told);
        }
        for fact in facts_not {
            let told = || format!("`{fact}` is remembered; remembered are {known:?}");
            played.check(CheckKind::FactsNot, number, !is_known(fact), told);
        }
        Ok(())
    }

    /// Looks at everything that must hold at the end.
    pub(super) async fn check_end(&self, stage: &Stage, script: &Script, played: &mut Played) -> anyhow::Result<()> {
        let (who, end) = (self.who(), &script.end_state);
        let handoff = self.open_handoff(&who).await?;
        if let Some(expected) = end.handoffs_open {
            let open = usize::from(handoff.is_some());
            let told = || format!("{open} handoffs are open, not {expected}");
            played.check(CheckKind::Handoffs, 0, expected == open, told);
        }
        self.check_package(script, &who, handoff.as_ref(), played).await?;
        self.check_facts(&who, (&end.facts, &end.facts_not), 0, played).await?;
        if let Some(expected) = end.episodes {
            let episodes = match self.customer(&who).await? {
                Some(customer) => self.ctx.store.episodes(customer, usize::MAX >> 1).await?.len(),
                None => 0,
            };
            let episodes = episodes.saturating_sub(self.episodes_before(&who));
            let told = || format!("there are {episodes} episodes, not {expected}");
            played.check(CheckKind::Episodes, 0, expected == episodes, told);
        }
        if let Some(left) = stage.model.as_ref().map(|model| model.lines_left()).filter(|left| *left > 0) {
            let told = || format!("{left} lines of the scripted model were never asked for");
            played.check(CheckKind::Script, 0, false, told);
        }
        Ok(())
    }

    async fn open_handoff(&self, who: &str) -> anyhow::Result<Option<Handoff>> {
        let Some(conversation) = self.conversation(who).await? else { return Ok(None) };
        let handoff = self.ctx.store.handoff(conversation.id).await?;
        Ok(handoff.filter(|handoff| matches!(handoff.state, HandoffState::Open | HandoffState::Claimed)))
    }

    async fn check_package(
        &self,
        script: &Script,
        who: &str,
        handoff: Option<&Handoff>,
        played: &mut Played,
    ) -> anyhow::Result<()> {
        let EndState { queue, package_has, package_has_not, package_max_chars, .. } = &script.end_state;
        if let Some(expected) = queue {
            let queue = handoff.map_or("none", |handoff| handoff.queue.as_str());
            let told = || format!("the queue is {queue}, not {expected}");
            played.check(CheckKind::Queue, 0, expected == queue, told);
        }
        let package = handoff.map(|handoff| text_of_package(&handoff.package)).unwrap_or_default();
        words(played, CheckKind::PackageHas, 0, "the package says", &package, package_has, true);
        words(played, CheckKind::PackageHasNot, 0, "the package says", &package, package_has_not, false);
        if let Some(most) = package_max_chars {
            let length = package.chars().count();
            let told = || format!("the package has {length} characters, at most {most}");
            played.check(CheckKind::PackageLength, 0, length <= *most, told);
        }
        if let (Some(handoff), Some(conversation)) = (handoff, self.conversation(who).await?) {
            self.check_package_stands(&conversation, handoff, played).await?;
        }
        check_leaks(script, who, &package, 0, played);
        played.package = package;
        Ok(())
    }

    /// Every figure and name of a package stands in the conversation, in memory or in an article.
    async fn check_package_stands(
        &self,
        conversation: &Conversation,
        handoff: &Handoff,
        played: &mut Played,
    ) -> anyhow::Result<()> {
        let messages = self.ctx.store.transcript(conversation.id, 0, TRANSCRIPT).await?;
        let mut said: Vec<String> = messages.iter().map(|one| one.text.as_str().to_owned()).collect();
        let memories = recall::memory(&self.ctx, conversation.customer, &said.join("\n")).await?;
        said.extend(memories.iter().map(text_of));
        let cited: Vec<String> =
            messages.iter().flat_map(|one| &one.citations).map(|citation| citation.source.clone()).collect();
        said.extend(self.ctx.knowledge.texts_of(&cited));
        let package = &handoff.package;
        let of_model = package.written_by == PackageAuthor::Model;
        for line in package.wants.iter().chain(&package.open_questions).chain(&package.promises) {
            let told = || format!("the package says what nobody has said: {}", line.text);
            let stands = if of_model {
                guard::stands_on(&line.text, &said, &self.ctx.config.company.name)
            } else {
                quotes_stand(&line.text, &said)
            };
            played.check(CheckKind::PackageStands, 0, stands, told);
        }
        Ok(())
    }
}

/// What memory has brought.
#[derive(Default)]
struct Brought {
    /// All of it.
    all: String,
    /// Without what is shown as over.
    current: String,
}

/// Whether everything in quotation marks of a line was said: the template quotes, and adds dates and words of its own.
fn quotes_stand(line: &str, said: &[String]) -> bool {
    let quoted = line.split(['«', '“']).skip(1).filter_map(|rest| rest.split(['»', '”']).next());
    let said: Vec<String> = said.iter().map(|text| compared(text)).collect();
    quoted.map(|quote| compared(quote.trim_end_matches('…'))).all(|quote| said.iter().any(|text| text.contains(&quote)))
}

fn text_of(memory: &Remembered) -> String {
    match memory {
        Remembered::Fact(fact) => format!("{} = {}", fact.key, fact.value),
        Remembered::Episode(episode) => episode.summary.clone(),
        Remembered::Exchange(exchange) => format!("{}\n{}", exchange.question, exchange.answer),
    }
}

fn text_of_package(package: &Package) -> String {
    let lines = [&package.customer, &package.wants, &package.tried, &package.open_questions, &package.promises];
    let mut text: Vec<&str> = lines.into_iter().flatten().map(|line| line.text.as_str()).collect();
    text.push(&package.mood);
    text.extend(package.episodes.iter().map(|episode| episode.summary.as_str()));
    text.push(&package.suggested_reply);
    text.join("\n")
}

/// A value as a case writes it and as it is kept: `М-123456` and `123456` are one order.
fn is_value(wanted: &str, kept: &str) -> bool {
    let plain = |text: &str| -> String { compared(text).chars().filter(|letter| letter.is_alphanumeric()).collect() };
    let digits = |text: &str| -> String { text.chars().filter(char::is_ascii_digit).collect() };
    let (a, b) = (plain(wanted), plain(kept));
    // A code is what it is; of a sentence a piece is enough.
    let is_piece = kept.contains(' ') && a.chars().count() > 3 && b.contains(&a);
    a == b || is_piece || digits(&a).len() >= 5 && digits(&a) == digits(&b)
}

fn check_citations(expect: &Expect, number: usize, cited: &[String], played: &mut Played) {
    let is_cited =
        |id: &String| cited.iter().any(|one| one == id || one.split_once('/').is_some_and(|(_, bare)| bare == id));
    for id in &expect.cites_all {
        let told = || format!("{id} is not cited; cited are {cited:?}");
        played.check(CheckKind::Cites, number, is_cited(id), told);
    }
    if !expect.cites_any.is_empty() {
        let told = || format!("none of {:?} is cited; cited are {cited:?}", expect.cites_any);
        played.check(CheckKind::Cites, number, expect.cites_any.iter().any(is_cited), told);
    }
}

/// Nothing of what only others may see stands in what was shown in this chat.
fn check_leaks(script: &Script, who: &str, shown: &str, number: usize, played: &mut Played) {
    for (owner, canaries) in script.canaries.iter().filter(|(owner, _)| *owner != who) {
        for canary in canaries {
            // What this customer has typed themselves is no secret of another's.
            let typed = played
                .transcript
                .iter()
                .any(|line| line.by == Speaker::Customer && line.who == who && canary.is_in(&line.text));
            let told = || format!("`{}` of {owner} is shown to {who}", canary.0);
            played.check(CheckKind::Leak, number, typed || !canary.is_in(shown), told);
        }
    }
}

fn words(played: &mut Played, kind: CheckKind, step: usize, what: &str, text: &str, wanted: &[Wanted], there: bool) {
    for word in wanted {
        let told = || format!("{} that {what} holds `{}`", if there { "nothing" } else { "something" }, word.0);
        played.check(kind, step, word.is_in(text) == there, told);
    }
}

fn one_of(played: &mut Played, kind: CheckKind, step: usize, what: &str, found: &str, expected: &[&str]) {
    let right = expected.contains(&found);
    played.check(kind, step, right, || format!("{what} {found}, not {}", expected.join(" or ")));
}
