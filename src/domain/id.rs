//! Typed identifiers: UUIDv7 with a visible prefix, so that a log line tells what an id is.

use std::sync::Mutex;

use jiff::Timestamp;
use uuid::Uuid;

/// An identifier that could not be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {prefix}_… id")]
pub struct ParseIdError {
    text: String,
    prefix: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// What every printed id of this type begins with, before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// Makes a fresh id, ordered by the time it was made.
            pub fn fresh(ids: &Ids, now: Timestamp) -> Self {
                Self(ids.uuid(now))
            }

            /// The bare UUID, for indexes that know no prefixes.
            pub fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.simple())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(|rest| Uuid::try_parse(rest).ok())
                    .map(Self)
                    .ok_or_else(|| ParseIdError { text: text.to_owned(), prefix: $prefix })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(
    /// The person helped.
    CustomerId,
    "cust"
);
id!(
    /// The finding that two customers are one person.
    MergeId,
    "merge"
);
id!(
    /// All messages with one customer on one address, from opening to resolution.
    ConversationId,
    "conv"
);
id!(
    /// One utterance.
    MessageId,
    "msg"
);
id!(
    /// A file that came with a message.
    AttachmentId,
    "file"
);
id!(
    /// One unit of bot work.
    TurnId,
    "turn"
);
id!(
    /// One send owed to a channel.
    OutboxId,
    "out"
);
id!(
    /// One passing of responsibility from the bot to people.
    HandoffId,
    "hand"
);
id!(
    /// A finished stretch of conversation.
    EpisodeId,
    "epi"
);
id!(
    /// One dated statement about a customer.
    FactId,
    "fact"
);
id!(
    /// A human of ours who answers.
    OperatorId,
    "oper"
);
impl OperatorId {
    /// Whoever of ours writes to a customer past us, in the messenger itself: nobody who could log in.
    pub const OUTSIDE: Self = Self(Uuid::nil());
}

id!(
    /// One start of one process; leases carry it, so that the leases of the dead are known.
    BootId,
    "boot"
);

/// The one maker of ids. Production draws from the operating system; tests are seeded and repeat to the letter.
pub struct Ids(Source);

enum Source {
    Os,
    /// State of a SplitMix64 generator.
    Seeded(Mutex<u64>),
}

impl Ids {
    /// Ids from the operating system's randomness.
    pub fn os() -> Self {
        Self(Source::Os)
    }

    /// Ids that are the same in every run with the same seed and the same times.
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Mutex::new(seed)))
    }

    /// 16 random bytes: tokens, secrets, salts.
    ///
    /// # Panics
    /// When the operating system has no randomness to give: nothing safe can be done then.
    pub fn random(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        match &self.0 {
            Source::Os => getrandom::fill(&mut bytes).expect("the operating system gives randomness"),
            Source::Seeded(state) => {
                let mut state = state.lock().expect("no holder of this lock panics");
                for chunk in bytes.chunks_mut(8) {
                    chunk.copy_from_slice(&split_mix(&mut state).to_le_bytes());
                }
            }
        }
        bytes
    }

    /// A UUIDv7: milliseconds of `now`, then randomness.
    fn uuid(&self, now: Timestamp) -> Uuid {
        let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
        let random: [u8; 10] = self.random()[..10].try_into().expect("ten of sixteen bytes");
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}

/// SplitMix64 (Steele, Lea and Flood 2014): enough for tests, and no dependency.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_print_parse_and_refuse_each_other() {
        let now = Timestamp::UNIX_EPOCH;
        let id = ConversationId::fresh(&Ids::seeded(1), now);
        assert!(id.to_string().starts_with("conv_"));
        assert_eq!(id.to_string().parse(), Ok(id));
        let error = id.to_string().parse::<CustomerId>().unwrap_err();
        assert!(error.to_string().contains("cust_"), "{error}");
    }

    #[test]
    fn ids_are_ordered_by_time_and_repeat_with_the_seed() {
        let later = Timestamp::from_millisecond(5).unwrap();
        let (a, b) = (Ids::seeded(7), Ids::seeded(7));
        let first = MessageId::fresh(&a, Timestamp::UNIX_EPOCH);
        assert_eq!(first, MessageId::fresh(&b, Timestamp::UNIX_EPOCH));
        assert!(first < MessageId::fresh(&a, later));
    }
}
