//! Customers whom a model plays. Where it plays badly, that is told apart and never counted as the bot's.

use std::collections::BTreeSet;

use anyhow::Context as _;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::json;

use super::outcome::{Played, Speaker};
use super::play::{Player, Stage, run_until_idle};
use super::script::{Script, Simulated};
use crate::domain::conversation::Ownership;
use crate::ports::model::{ChatError, ChatModel, ChatRequest};

/// Longest message of a customer, in tokens.
const MESSAGE_TOKENS: u32 = 200;
/// Longest time for one.
const WITHIN: SignedDuration = SignedDuration::from_mins(3);
/// As many digits are a number that somebody must have been given.
const GIVEN_DIGITS: usize = 4;

/// The simulator did not play a customer as it was told: whatever follows says nothing of the bot.
#[derive(Debug, thiserror::Error)]
#[error("the simulated customer {0}")]
pub(super) struct BadActor(&'static str);

/// What the simulator says.
#[derive(Deserialize)]
struct Line {
    message: String,
    done: bool,
}

impl Player {
    /// Lets a model play the customer until they have what they want, give up, or a person owns the conversation.
    pub(super) async fn simulate(
        &self,
        stage: &Stage,
        script: &Script,
        (simulated, examiner): (&Simulated, &dyn ChatModel),
        played: &mut Played,
    ) -> anyhow::Result<()> {
        let who = self.who();
        for number in 0..simulated.max_turns {
            let owner = self.conversation(&who).await?.map(|conversation| conversation.ownership);
            if owner.is_some_and(|owner| owner != Ownership::Bot) {
                break;
            }
            let reply = match examiner.complete(&request(simulated, played)).await {
                Err(ChatError::Malformed(_)) => Err(BadActor("says nothing that can be read"))?,
                replied => replied.context("the simulated customer")?,
            };
            let line: Line =
                serde_json::from_str(&reply.json).map_err(|_| BadActor("says nothing that can be read"))?;
            if line.done {
                break;
            }
            in_role(simulated, played, &line.message)?;
            played.line(Speaker::Customer, &who, &line.message);
            self.write(&who, &line.message, 1).await?;
            stage.clock.advance(self.ctx.config.turn.quiet);
            run_until_idle(&self.ctx).await?;
            self.hear(stage, script, script.turns.len() + number + 1, played).await?;
        }
        Ok(())
    }
}

fn request(simulated: &Simulated, played: &Played) -> ChatRequest {
    let Simulated { persona, goal, reveal, .. } = simulated;
    let lines = played.transcript.iter().filter_map(|line| match line.by {
        Speaker::Customer => Some(json!({ "you": line.text })),
        Speaker::Bot | Speaker::Operator => Some(json!({ "shop": line.text })),
        Speaker::Stage => None,
    });
    let shown = json!({ "so_far": lines.collect::<Vec<_>>() });
    ChatRequest {
        task: "customer",
        system: format!(
            "You play a customer who writes to a shop's support chat. Who you are: {persona}. What you want: {goal}. \
             What you know and tell only when you are asked for it: {}. You know no other numbers, names or dates and make \
             none up. Write the customer's next message only, in their language and in their way, one or two sentences. \
             You are never the shop, and never an assistant. Set done to true, with an empty message, when you have what \
             you want or a person has taken over. Reply with one JSON object.",
            json!(reveal)
        ),
        user: serde_json::to_string_pretty(&shown).unwrap_or_default(),
        schema: json!({
            "type": "object",
            "properties": { "message": { "type": "string" }, "done": { "type": "boolean" } },
            "required": ["message", "done"],
            "additionalProperties": false,
        }),
        max_tokens: MESSAGE_TOKENS,
        deadline: WITHIN,
    }
}

/// Whether a message is one that this customer could write.
fn in_role(simulated: &Simulated, played: &Played, message: &str) -> Result<(), BadActor> {
    if message.trim().is_empty() {
        return Err(BadActor("says nothing"));
    }
    let said = played.transcript.iter().map(|line| line.text.as_str());
    let told = simulated.reveal.values().map(String::as_str);
    let given: BTreeSet<String> =
        said.chain(told).chain([simulated.goal.as_str(), simulated.persona.as_str()]).flat_map(numbers).collect();
    if numbers(message).iter().any(|number| !given.contains(number)) {
        return Err(BadActor("makes a number up"));
    }
    let lower = message.to_lowercase();
    let is_the_shop =
        ["as an ai", "language model", "как ии", "языковая модель", "how can i help you", "чем могу помочь"];
    if is_the_shop.iter().any(|words| lower.contains(words)) {
        return Err(BadActor("speaks as an assistant"));
    }
    if played
        .transcript
        .iter()
        .rev()
        .filter(|line| line.by == Speaker::Customer)
        .take(2)
        .any(|line| line.text == message)
    {
        return Err(BadActor("repeats itself"));
    }
    Ok(())
}

/// The long numbers of a text, without what parts their figures.
fn numbers(text: &str) -> Vec<String> {
    let joined: String = text.chars().filter(|letter| !matches!(letter, ' ' | '-' | '(' | ')' | '\u{a0}')).collect();
    let runs = joined.split(|letter: char| !letter.is_ascii_digit());
    runs.filter(|run| run.len() >= GIVEN_DIGITS).map(ToOwned::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_who_falls_out_of_their_role_is_noticed() {
        let simulated = Simulated {
            persona: "терпеливая, пишет коротко".to_owned(),
            goal: "вернуть чайник".to_owned(),
            reveal: [("order_number".to_owned(), "М-123456".to_owned())].into(),
            max_turns: 4,
        };
        let mut played = Played::default();
        played.line(Speaker::Customer, "ana", "Хочу вернуть чайник");
        let told = |message: &str| in_role(&simulated, &played, message).map_err(|bad| bad.to_string());
        assert_eq!(told("Номер М-123456, куплен 3 марта"), Ok(()));
        for (message, why) in [
            ("  ", "says nothing"),
            ("Заказ М-777777", "makes a number up"),
            ("Телефон +7 900 123-45-67", "makes a number up"),
            ("Как ИИ, я не могу", "speaks as an assistant"),
            ("Хочу вернуть чайник", "repeats itself"),
        ] {
            assert_eq!(told(message).unwrap_err(), format!("the simulated customer {why}"));
        }
    }
}
