//! `[retention]`: days as lengths of time.

use jiff::SignedDuration;

use super::RetentionConfig;
use crate::domain::memory::FactKind;

impl RetentionConfig {
    /// How long facts of each kind are kept.
    pub fn facts(&self) -> Vec<(FactKind, SignedDuration)> {
        let Self { attributes, preferences, claims, promises, .. } = *self;
        let of_kind = [
            (FactKind::Attribute, attributes),
            (FactKind::Preference, preferences),
            (FactKind::Claim, claims),
            (FactKind::Promise, promises),
        ];
        of_kind.into_iter().filter_map(|(kind, days)| Some((kind, Self::kept(days)?))).collect()
    }

    /// So many days; `None` is for ever.
    pub fn kept(days: u32) -> Option<SignedDuration> {
        (days > 0).then(|| SignedDuration::from_hours(24 * i64::from(days)))
    }
}
