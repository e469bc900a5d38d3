//! Random interleavings of customers, workers, senders, operators and crashes, against a small model of what may happen.
//!
//! The model knows owner and epoch of every conversation, the newest lease of each, and what the channel really got. The
//! invariants are those of the processing protocol: I2 (each message in one committed turn), I3 (nothing arrives twice),
//! I4 (in order), I5 (no bot after a takeover), I6 (one handoff, and the owner who goes with it).

use std::collections::{HashMap, HashSet};

use firstline::domain::channel::{Address, ChannelKind, DeliveryReport, DeliveryState, Inbound, InboundEvent};
use firstline::domain::conversation::{OperatorAction, Ownership};
use firstline::domain::handoff::HandoffReason;
use firstline::domain::id::{ConversationId, MessageId, OperatorId};
use firstline::domain::message::{Author, Message};
use firstline::domain::outbox::{Outbound, SendOutcome};
use firstline::domain::text::MessageText;
use firstline::ports::desk::DeskStore;
use firstline::ports::store::{Accepted, Committed, Lease, Loop, OperatorOutcome, TurnInput};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sqlx::{AnyPool, Row};

use crate::support::{
    Kind, Stage, at, dead, not_sent, reply, take, telegram, texts, timing, unknown, update, web, words,
};

const STEPS: usize = 250;

/// What must be zero after every step, whatever happened.
const NEVER: [(&str, &str); 11] = [
    (
        "a turn that counts as an answer and was withdrawn",
        "select count(*) from turns t join messages r on r.id = t.reply_id where t.state = 'committed' and r.withdrawn_at is not null",
    ),
    (
        "I2: a message in two committed turns",
        "select count(*) from messages m where m.author = 'customer' and (select count(*) from turns t \
         where t.conversation_id = m.conversation_id and t.state = 'committed' and m.seq between t.from_seq and t.to_seq) > 1",
    ),
    (
        "I6: an owner without the handoff that goes with it",
        "select count(*) from conversations c where (select count(*) from handoffs h where h.conversation_id = c.id \
         and ((c.owner = 'queued' and h.state = 'open') \
         or (c.owner = 'human' and h.state = 'claimed' and h.operator_id = c.operator_id))) \
         <> case when c.owner in ('queued', 'human') then 1 else 0 end",
    ),
    (
        "I6: a handoff without the owner that goes with it",
        "select count(*) from handoffs h join conversations c on c.id = h.conversation_id \
         where h.state in ('open', 'claimed') and c.owner not in ('queued', 'human')",
    ),
    (
        "a turn that is ready without messages, or messages without a turn",
        "select count(*) from conversations c where (c.ready_at is not null) <> (c.owner = 'bot' and exists \
         (select 1 from messages m where m.conversation_id = c.id and m.author = 'customer' and m.seq > c.handled_seq \
         and m.deleted_at is null))",
    ),
    (
        "a debt without a deadline, or a deadline without a debt",
        "select count(*) from conversations c where (c.ready_at is not null) <> exists (select 1 from timers t \
         where t.conversation_id = c.id and t.kind = 'reply_deadline' and t.due_at is not null)",
    ),
    (
        "a lease on what is not the bot's",
        "select count(*) from conversations c where c.lease_until is not null and (c.owner <> 'bot' or c.ready_at is null)",
    ),
    ("words of what was taken back", "select count(*) from messages m where m.deleted_at is not null and m.text <> ''"),
    (
        "the fence of a conversation is its newest message that was not taken back",
        "select count(*) from conversations c where c.customer_seq <> (select coalesce(max(m.seq), 0) from messages m \
         where m.conversation_id = c.id and m.author = 'customer' and m.deleted_at is null)",
    ),
    (
        "a part that came further than it was sent",
        "select count(*) from outbox p where (p.delivered_at is not null or p.read_at is not null) and p.state <> 'sent'",
    ),
    (
        "a withdrawn message that somebody saw",
        "select count(*) from messages m where m.withdrawn_at is not null and (m.delivered_at is not null or exists \
         (select 1 from outbox p where p.message_id = m.id and p.state <> 'cancelled' and p.state <> 'dead'))",
    ),
];

/// Nobody answered, and nobody has it: silence. Must be zero when everything is done.
const SILENCE: &str = "select count(*) from messages m join conversations c on c.id = m.conversation_id \
    where m.author = 'customer' and m.deleted_at is null and c.owner = 'bot' and not exists (select 1 from turns t \
    where t.conversation_id = c.id and t.state = 'committed' and m.seq between t.from_seq and t.to_seq) \
    and not exists (select 1 from messages o where o.conversation_id = c.id and o.author = 'operator' and o.seq > m.seq)";

pub(crate) async fn interleavings_keep_the_invariants(stage: &Stage) {
    let raw = stage.database.raw().await;
    let seeds = match stage.database.kind {
        Kind::Sqlite => 0..12,
        Kind::Postgres => 100..104,
    };
    for seed in seeds {
        let mut world = World::new(stage, &raw, seed);
        for _ in 0..STEPS {
            world.step().await;
            world.check().await;
        }
        world.drain().await;
    }
    raw.close().await;
}

struct World<'a> {
    stage: &'a Stage,
    raw: &'a AnyPool,
    random: StdRng,
    now: i64,
    customers: Vec<Address>,
    operators: Vec<OperatorId>,
    /// Updates that the channels may deliver once more.
    updates: Vec<Inbound>,
    /// What customers have written, as their channels call it, and how many lines it has become.
    written: Vec<(usize, String)>,
    lines: [usize; 3],
    /// Turns in the hands of workers, some of them long fenced out.
    turns: Vec<(Lease, TurnInput)>,
    /// Sends in the hands of senders.
    sends: Vec<Outbound>,
    model: HashMap<ConversationId, Model>,
    /// The epoch under which a message of the bot was promised.
    promised: HashMap<MessageId, i64>,
    /// Parts that the customer has on the screen, and how often.
    arrived: HashMap<String, usize>,
    /// What happened, for whoever has to find out why.
    story: Vec<String>,
}

/// What we know of a conversation without asking the store.
struct Model {
    owner: Ownership,
    epoch: i64,
    /// The newest lease.
    token: i64,
    customer_seq: i64,
    /// Message and part that went out last.
    last_sent: (i64, i64),
}

impl<'a> World<'a> {
    fn new(stage: &'a Stage, raw: &'a AnyPool, seed: u64) -> Self {
        Self {
            stage,
            raw,
            random: StdRng::seed_from_u64(seed),
            now: 0,
            customers: vec![web(&format!("ana {seed}")), telegram(&format!("bob {seed}")), web(&format!("eve {seed}"))],
            operators: vec![stage.operator(), stage.operator()],
            updates: Vec::new(),
            written: Vec::new(),
            lines: [0; 3],
            turns: Vec::new(),
            sends: Vec::new(),
            model: HashMap::new(),
            promised: HashMap::new(),
            arrived: HashMap::new(),
            story: vec![format!("seed {seed}")],
        }
    }

    fn upto(&mut self, limit: usize) -> usize {
        self.random.random_range(0..limit)
    }

    fn tell(&mut self, what: &str) {
        self.story.push(format!("{:>5} {what}", self.now));
    }

    #[track_caller]
    fn hold(&self, holds: bool, what: &str) {
        assert!(holds, "{what}\n{}", self.story.join("\n"));
    }

    async fn step(&mut self) {
        self.now += i64::try_from(self.upto(6)).unwrap();
        match self.upto(100) {
            0..16 => self.write().await,
            16..22 => self.change().await,
            22..26 => self.deliver_again().await,
            26..40 => self.claim_turn().await,
            40..54 => self.commit_turn().await,
            54..60 => self.drop_turn().await,
            60..74 => self.send().await,
            74..84 => self.settle().await,
            84..94 => self.operate().await,
            94..96 => self.hand_over().await,
            96..98 => self.recover().await,
            98 => self.relocate().await,
            _ => self.now += 40,
        }
    }

    async fn write(&mut self) {
        let customer = self.random.random_range(0..3);
        let id = format!("message {}", self.updates.len());
        self.written.push((customer, id.clone()));
        let accepted = self.arrive(customer, words("Вопрос"), Some(id)).await;
        let Accepted::New { conversation, seq, .. } = accepted else { panic!("{accepted:?}") };
        self.heard(customer, conversation, seq);
    }

    /// Something comes in from a customer.
    async fn arrive(&mut self, customer: usize, event: InboundEvent, id: Option<String>) -> Accepted {
        let external = format!("{} {}", self.story[0], self.updates.len());
        let mut update = update(&self.customers[customer], &external, event);
        update.message_id = id;
        let accepted =
            self.stage.store.accept(std::slice::from_ref(&update), None, &timing(), at(self.now)).await.unwrap();
        self.updates.push(update);
        accepted.into_iter().next().unwrap()
    }

    /// A customer says something in other words, or takes it back.
    async fn change(&mut self) {
        if self.written.is_empty() {
            return;
        }
        let (customer, id) = self.written[self.random.random_range(0..self.written.len())].clone();
        let event = if self.upto(2) == 0 {
            let text = MessageText::new(format!("Вопрос {}", self.updates.len()));
            InboundEvent::Edited { message_id: id.clone(), text }
        } else {
            InboundEvent::Deleted { message_ids: vec![id.clone()] }
        };
        let accepted = self.arrive(customer, event.clone(), None).await;
        self.tell(&format!("{id} is {}: {accepted:?}", event.name()));
        match accepted {
            Accepted::New { conversation, seq, .. } => self.heard(customer, conversation, seq),
            Accepted::Changed { conversation } => {
                let sql = "select customer_seq from conversations where id = $1";
                let row = sqlx::query(sql).bind(conversation.to_string()).fetch_one(self.raw).await.unwrap();
                self.model.get_mut(&conversation).unwrap().customer_seq = row.get(0);
            }
            Accepted::Noted => {}
            Accepted::Duplicate { .. } => self.hold(false, "it came for the first time"),
        }
    }

    /// A customer has another key from now on.
    async fn relocate(&mut self) {
        let customer = self.upto(3);
        let to = format!("{} at {}", self.story[0], self.updates.len());
        self.arrive(customer, InboundEvent::Moved { to: to.clone() }, None).await;
        if self.stage.store.customer_at(&self.customers[customer]).await.unwrap().is_none() {
            self.customers[customer].external = to;
        }
    }

    /// What is said now of some messages.
    async fn says(&self, messages: &[Message]) -> Vec<String> {
        let all = self.stage.store.transcript(messages[0].conversation, 0, 10_000).await.unwrap();
        let now = messages.iter().map(|one| all.iter().find(|other| other.id == one.id).unwrap());
        now.map(|message| message.text.as_str().to_owned()).collect()
    }

    fn heard(&mut self, customer: usize, conversation: ConversationId, seq: i64) {
        self.lines[customer] += 1;
        let opened = Model { owner: Ownership::Bot, epoch: 1, token: 0, customer_seq: 0, last_sent: (0, 0) };
        self.model.entry(conversation).or_insert(opened).customer_seq = seq;
        self.tell(&format!("{conversation:?} message {seq}"));
    }

    async fn deliver_again(&mut self) {
        if self.updates.is_empty() {
            return;
        }
        let which = self.upto(self.updates.len());
        let accepted =
            self.stage.store.accept(&self.updates[which..=which], None, &timing(), at(self.now)).await.unwrap();
        self.hold(matches!(accepted[..], [Accepted::Duplicate { .. }]), "a duplicate was taken for new");
    }

    async fn claim_turn(&mut self) {
        let Some(lease) = self.stage.lease(self.now).await else { return };
        let known = self.model.get_mut(&lease.conversation);
        if let Some(model) = known {
            assert!(lease.token > model.token && lease.epoch == model.epoch && model.owner == Ownership::Bot);
            model.token = lease.token;
            let input = self.stage.load(&lease).await;
            self.tell(&format!("{:?} claimed under token {}", lease.conversation, lease.token));
            self.turns.push((lease, input));
        }
    }

    async fn commit_turn(&mut self) {
        if self.turns.is_empty() {
            return;
        }
        let which = self.upto(self.turns.len());
        let (lease, input) = self.turns[which].clone();
        let seen = input.unread.last().unwrap().seq;
        let parts = ["раз ", "два ", "три"];
        let said = match self.upto(4) {
            0 => None,
            some => Some(self.stage.message(&parts[..some])),
        };
        let mut commit = self.stage.turn(&input, said.clone());
        let handed_over = self.upto(6) == 0;
        if handed_over {
            commit.handoff = Some(self.stage.new_handoff(HandoffReason::Complex, 5, self.now));
        }
        let said_now = self.says(&input.unread).await;
        let committed = self.stage.store.commit_turn(&lease, &commit, at(self.now)).await.unwrap();
        let is_said = texts(&input.unread) == said_now;
        self.hold(committed != Committed::Yes || is_said, "an answer to what is not said any more");
        self.tell(&format!("{:?} token {} up to {seen}: {committed:?}", lease.conversation, lease.token));
        let model = &self.model[&lease.conversation];
        let ours = model.token == lease.token && model.epoch == lease.epoch && model.owner == Ownership::Bot;
        match committed {
            Committed::Yes => self.hold(ours && model.customer_seq == seen, "a commit passed the fence"),
            Committed::Superseded => self.hold(ours && model.customer_seq > seen, "superseded by nothing"),
            Committed::Fenced => {}
        }
        if committed != Committed::Fenced && self.upto(3) > 0 {
            // Else it stays in the hands of a worker that does not know that it is over.
            self.turns.remove(which);
        }
        if committed == Committed::Yes {
            if handed_over {
                self.pass(lease.conversation, Ownership::Queued);
            }
            self.promise(lease.conversation, said.map(|message| message.id));
        }
    }

    async fn drop_turn(&mut self) {
        if self.turns.is_empty() {
            return;
        }
        let which = self.upto(self.turns.len());
        let (lease, input) = self.turns.remove(which);
        self.tell(&format!("{:?} token {} dropped", lease.conversation, lease.token));
        let (store, now) = (&self.stage.store, at(self.now));
        match self.random.random_range(0..4) {
            0 => store.release_lease(&lease, now).await.unwrap(),
            1 => drop(store.fail_turn(&lease, "down", at(self.now + 5), now).await.unwrap()),
            2 => drop(store.save_turn(&lease, &self.stage.draft(&input), now).await.unwrap()),
            _ => {}
        }
    }

    /// A sender takes a part to the channel, which may or may not show it.
    async fn send(&mut self) {
        let Some(part) = self.stage.next_part(self.now).await else { return };
        let message = self.stage.store.transcript(part.conversation, 0, 1000).await.unwrap();
        let message = message.into_iter().find(|message| message.id == part.message).unwrap();
        self.tell(&format!(
            "{:?} sends {}.{} for the {}. time",
            part.conversation, message.seq, part.part, part.attempts
        ));
        let Some(model) = self.model.get_mut(&part.conversation) else { return };
        let in_order = (message.seq, part.part) >= model.last_sent;
        model.last_sent = (message.seq, part.part);
        let epoch = model.epoch;
        self.hold(in_order, "I4: out of order");
        if message.author == Author::Bot {
            self.hold(self.promised[&part.message] == epoch, "I5: the bot speaks after a takeover");
        }
        self.sends.push(part);
    }

    async fn settle(&mut self) {
        if self.sends.is_empty() {
            return;
        }
        let which = self.upto(self.sends.len());
        let part = self.sends.remove(which);
        let chance = self.upto(10);
        let (shown, outcome) = match chance {
            0..5 => (true, Some(SendOutcome::Sent(None))),
            5..7 => (false, Some(not_sent(self.now + 10))),
            7 => (self.upto(2) == 0, Some(unknown())),
            8 => (false, Some(dead())),
            // The sender dies; the channel has taken the part, or not.
            _ => (self.upto(2) == 0, None),
        };
        self.tell(&format!("{:?} part {}: shown {shown}, told {outcome:?}", part.conversation, part.part));
        if shown {
            let times = self.arrived.entry(part.dedupe_key.clone()).or_insert(0);
            *times += 1;
            let twice = *times > 1 && part.to.channel == ChannelKind::Telegram;
            self.hold(!twice, "I3: shown twice");
        }
        if shown && self.upto(3) == 0 {
            self.report(&part).await;
        }
        if let Some(outcome) = outcome {
            self.stage.settle(&part, outcome, self.now).await;
        }
    }

    /// The channel tells by itself what became of a part that it has shown, before or after it answered.
    async fn report(&mut self, part: &Outbound) {
        let customer = self.customers.iter().position(|one| one.channel == part.to.channel).unwrap();
        let report = DeliveryReport {
            provider_id: format!("provider {}", part.dedupe_key),
            dedupe_key: Some(part.dedupe_key.clone()),
            state: [DeliveryState::Sent, DeliveryState::Delivered, DeliveryState::Read][self.upto(3)],
            why: None,
            unreachable: false,
            billed: None,
        };
        self.tell(&format!("{:?} part {}: {:?}", part.conversation, part.part, report.state));
        self.arrive(customer, InboundEvent::Receipt(report), None).await;
    }

    async fn operate(&mut self) {
        let (operator, customer) = (self.operators[self.random.random_range(0..2)], self.random.random_range(0..3));
        let Some(found) = self.stage.store.conversation_at(&self.customers[customer]).await.unwrap() else { return };
        let action = match self.upto(8) {
            0..2 => take(),
            2..4 => reply("человек"),
            4 => OperatorAction::Note(MessageText::new("заметка")),
            5..7 => OperatorAction::Release,
            _ => OperatorAction::Resolve,
        };
        let Ok(owner) = found.ownership.after(&action, operator) else { return };
        let mut commit = self.stage.action(operator, found.id, action).await;
        if self.upto(5) == 0 {
            commit.epoch -= 1;
        }
        let outcome = self.stage.store.commit_operator(&commit, at(self.now)).await.unwrap();
        self.tell(&format!("{:?} {:?}: {outcome:?}", found.id, commit.action));
        let expected = if commit.epoch == found.epoch { OperatorOutcome::Done } else { OperatorOutcome::Moved };
        self.hold(outcome == expected, "an operator's fence");
        if outcome == OperatorOutcome::Done {
            if owner != found.ownership {
                self.pass(found.id, owner);
            }
            let again = self.stage.store.commit_operator(&commit, at(self.now)).await.unwrap();
            self.hold(again == OperatorOutcome::Again, "pressed twice");
        }
    }

    async fn hand_over(&mut self) {
        let customer = self.upto(3);
        let Some(found) = self.stage.store.conversation_at(&self.customers[customer]).await.unwrap() else { return };
        let notice = self.stage.message(&["Зову коллегу"]);
        let commit = self.stage.handoff_commit(found.id, Some(notice.clone()), self.now).await;
        let done = self.stage.store.commit_handoff(&commit, at(self.now)).await.unwrap();
        self.tell(&format!("{:?} handed over: {done}", found.id));
        self.hold(done == (found.ownership == Ownership::Bot), "only the bot hands over");
        if done {
            self.pass(found.id, Ownership::Queued);
            self.promise(found.id, Some(notice.id));
        }
    }

    async fn recover(&mut self) {
        let idempotent = [ChannelKind::Web];
        let deadline = at(self.now + 120);
        let recovered =
            self.stage.store.recover(&self.stage.claim(), &idempotent, deadline, at(self.now)).await.unwrap();
        self.tell(&format!("{recovered:?}"));
    }

    fn pass(&mut self, conversation: ConversationId, owner: Ownership) {
        let model = self.model.get_mut(&conversation).unwrap();
        (model.owner, model.epoch) = (owner, model.epoch + 1);
    }

    fn promise(&mut self, conversation: ConversationId, message: Option<MessageId>) {
        let epoch = self.model[&conversation].epoch;
        self.promised.extend(message.map(|message| (message, epoch)));
    }

    async fn count(&self, sql: &'static str) -> i64 {
        sqlx::query(sql).fetch_one(self.raw).await.unwrap().get(0)
    }

    async fn check(&self) {
        for (what, sql) in NEVER {
            self.hold(self.count(sql).await == 0, what);
        }
        for (id, model) in &self.model {
            let found = self.stage.conversation(*id).await;
            self.hold((found.ownership, found.epoch) == (model.owner, model.epoch), "the model knows the owner");
        }
    }

    /// The faults stop: everything that is owed is done, and nobody was left without an answer.
    async fn drain(&mut self) {
        self.turns.clear();
        self.sends.clear();
        for _ in 0..60 {
            self.now += 40;
            self.recover().await;
            while let Some(lease) = self.stage.lease(self.now).await {
                let input = self.stage.load(&lease).await;
                let said = self.stage.message(&["Вот ответ"]);
                let commit = self.stage.turn(&input, Some(said));
                let committed = self.stage.store.commit_turn(&lease, &commit, at(self.now)).await.unwrap();
                self.hold(committed == Committed::Yes, "nobody disturbs any more");
            }
            while let Some(part) = self.stage.next_part(self.now).await {
                self.hold(self.stage.settle(&part, SendOutcome::Sent(None), self.now).await, "nobody else settles");
                let times = self.arrived.entry(part.dedupe_key.clone()).or_insert(0);
                *times += 1;
                let twice = *times > 1 && part.to.channel == ChannelKind::Telegram;
                self.hold(!twice, "I3: shown twice");
            }
            let depth = self.stage.store.depth().await.unwrap();
            if depth.unanswered == 0 && depth.owed == 0 {
                break;
            }
        }
        self.check().await;
        let depth = self.stage.store.depth().await.unwrap();
        self.hold((depth.unanswered, depth.owed) == (0, 0), "everything is done in the end");
        self.hold(self.count(SILENCE).await == 0, "I2: a message that nobody answered");
        for (customer, lines) in self.customers.iter().zip(self.lines) {
            let feed = self.stage.store.feed(customer, 0, 10_000).await.unwrap();
            let distinct: HashSet<_> = feed.iter().map(|item| item.message.id).collect();
            let written = feed.iter().filter(|item| item.message.author == Author::Customer).count();
            self.hold(distinct.len() == feed.len() && written == lines, "the feed has every message once");
            self.hold(feed.windows(2).all(|pair| pair[0].position < pair[1].position), "the feed grows");
        }
    }
}
