//! Proofs of who somebody is, and when two customers are one person by them.

use jiff::{SignedDuration, Timestamp};

use super::id::CustomerId;

/// What proves who somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofKind {
    /// A number that a channel vouches for.
    Phone,
    /// A link that was asked for in one place and opened in another.
    Link,
}

impl ProofKind {
    /// The name in the database, and behind `proof:` in a merge.
    pub fn name(self) -> &'static str {
        match self {
            ProofKind::Phone => "phone",
            ProofKind::Link => "link",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [ProofKind::Phone, ProofKind::Link].into_iter().find(|kind| kind.name() == name)
    }
}

/// Another customer by whom the same is proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kin {
    /// Who.
    pub other: CustomerId,
    /// By what.
    pub kind: ProofKind,
    /// Since when both have it.
    pub shared_since: Timestamp,
    /// Until when both were vouched for, at the least.
    pub vouched_until: Timestamp,
    /// When somebody last said that the two are not one person.
    pub parted_at: Option<Timestamp>,
}

impl Kin {
    /// Whether the two are one person by this proof: it is not too old, since numbers are given to others, and it is newer
    /// than any word of an operator that they are two.
    pub fn is_proven(&self, now: Timestamp, holds: Option<SignedDuration>) -> bool {
        let is_fresh =
            self.kind == ProofKind::Link || holds.is_none_or(|holds| now.duration_since(self.vouched_until) < holds);
        is_fresh && self.parted_at.is_none_or(|parted_at| self.shared_since > parted_at)
    }
}

/// Letters and digits of a link's token: 128 random bits.
pub const TOKEN_LENGTH: usize = 32;

/// Whether a text could be a token of ours.
pub fn is_token(text: &str) -> bool {
    text.len() == TOKEN_LENGTH && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The token in the words of a message, and the words without it.
pub fn split_token(text: &str) -> Option<(String, String)> {
    let token = text.split_whitespace().find_map(|word| word.strip_prefix('#').filter(|token| is_token(token)))?;
    let rest = text.replacen(&format!("#{token}"), "", 1);
    Some((token.to_owned(), rest.trim().to_owned()))
}

/// What a button bears by which somebody says that it was them who opened the link.
pub const CONFIRM_LINK: &str = "link:mine";

/// Whether these words say that it was them who opened the link, and nothing else.
pub fn is_confirmation(text: &str) -> bool {
    let words: Vec<String> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
    ["это я", "it s me", "its me", "it is me"].contains(&words.join(" ").as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::Ids;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn a_token_is_taken_out_of_the_words() {
        let split = |text: &str| split_token(text);
        assert_eq!(split(&format!("Продолжим здесь #{TOKEN}")), Some((TOKEN.into(), "Продолжим здесь".into())));
        assert_eq!(split(&format!("#{TOKEN}\nгде заказ?")), Some((TOKEN.into(), "где заказ?".into())));
        for none in ["#12345", TOKEN, "заказ #0123456789ABCDEF0123456789ABCDEF", "#0123456789abcdef0123456789abcdef0"]
        {
            assert_eq!(split(none), None, "{none}");
        }
    }

    #[test]
    fn only_these_words_confirm() {
        for yes in ["это я", "Это я!", "It's me.", "it’s me", "its me"] {
            assert!(is_confirmation(yes), "{yes}");
        }
        for no in ["да", "", "это я писал вчера", "yes", "это не я"] {
            assert!(!is_confirmation(no), "{no}");
        }
    }

    #[test]
    fn an_old_number_and_a_word_of_an_operator_stand_against_a_merge() {
        let at = |day: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * day);
        let kin = Kin {
            other: CustomerId::fresh(&Ids::seeded(1), at(0)),
            kind: ProofKind::Phone,
            shared_since: at(10),
            vouched_until: at(20),
            parted_at: None,
        };
        let holds = Some(SignedDuration::from_hours(24 * 365));
        assert!(kin.is_proven(at(384), holds));
        assert!(!kin.is_proven(at(385), holds));
        assert!(kin.is_proven(at(9_999), None));
        assert!(!Kin { parted_at: Some(at(30)), ..kin.clone() }.is_proven(at(31), holds));
        let link = Kin { kind: ProofKind::Link, shared_since: at(40), parted_at: Some(at(30)), ..kin };
        assert!(link.is_proven(at(9_999), holds), "who comes by a link after that means it");
    }
}
