//! How satisfied a customer was: asked once, when an operator has resolved a conversation.

use super::channel::Button;
use super::id::ConversationId;

/// What a button of the question bears in front of its score.
const PAYLOAD: &str = "csat:";

/// From 1, bad, to 5, very good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Score(u8);

impl Score {
    /// A score of that many.
    pub fn new(number: i64) -> Option<Self> {
        u8::try_from(number).ok().filter(|number| (1..=5).contains(number)).map(Self)
    }

    /// The number.
    pub fn number(self) -> i64 {
        self.0.into()
    }

    /// What somebody types who answers the question without its buttons: a digit or a thumb, and nothing else.
    pub fn typed(text: &str) -> Option<Self> {
        match text.trim().trim_end_matches('\u{fe0f}') {
            "👍" => Some(Self(5)),
            "👎" => Some(Self(1)),
            digit => digit.parse().ok().filter(|_| digit.len() == 1).and_then(Self::new),
        }
    }
}

/// An answer to the question, by a tap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// What it is about.
    pub conversation: ConversationId,
    /// The score.
    pub score: Score,
}

impl Answer {
    /// Reads what a tapped button bears; `None` for buttons of anything else.
    pub fn of_payload(payload: &str) -> Option<Self> {
        let (score, conversation) = payload.strip_prefix(PAYLOAD)?.split_once(':')?;
        Some(Self { conversation: conversation.parse().ok()?, score: Score::new(score.parse().ok()?)? })
    }
}

/// The buttons of the question about a conversation.
pub fn buttons(conversation: ConversationId) -> Vec<Button> {
    let button = |score: u8| Button { title: score.to_string(), payload: format!("{PAYLOAD}{score}:{conversation}") };
    (1..=5).map(button).collect()
}

/// Who helped in the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HelpedBy {
    /// The bot alone.
    Bot,
    /// The bot answered, and then people.
    Assisted,
    /// People alone.
    Human,
}

impl HelpedBy {
    /// By whether the bot answered, and whether people did.
    pub fn of(bot: bool, people: bool) -> Self {
        match (bot, people) {
            (true, true) => Self::Assisted,
            (false, true) => Self::Human,
            (_, false) => Self::Bot,
        }
    }

    /// The name in the database.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Assisted => "assisted",
            Self::Human => "human",
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::id::Ids;
    use super::*;

    #[test]
    fn a_button_comes_back_as_its_score() {
        let conversation = ConversationId::fresh(&Ids::seeded(1), Timestamp::UNIX_EPOCH);
        let buttons = buttons(conversation);
        let scores = buttons.iter().map(|button| Answer::of_payload(&button.payload).unwrap().score.number());
        assert_eq!(scores.collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        assert!(buttons.iter().all(|button| button.payload.len() <= 64), "as much as fits everywhere");
        assert_eq!(Answer::of_payload(&buttons[4].payload).unwrap().conversation, conversation);
        for other in ["human", "csat:", "csat:5", "csat:9:x", &format!("csat:6:{conversation}")] {
            assert_eq!(Answer::of_payload(other), None, "{other}");
        }
    }

    #[test]
    fn a_digit_or_a_thumb_alone_is_a_score() {
        let score = |text| Score::typed(text).map(Score::number);
        assert_eq!((score(" 4 "), score("👍"), score("👎"), score("5\u{fe0f}")), (Some(4), Some(5), Some(1), Some(5)));
        for words in ["6", "0", "55", "+5", "5 дней", "пять", ""] {
            assert_eq!(score(words), None, "{words}");
        }
    }
}
