//! Names of closed lists, in the words of a page.

use jiff::SignedDuration;

use crate::domain::channel::{AttachmentKind, ChannelKind, DeliveryState};
use crate::domain::handoff::HandoffReason;
use crate::domain::memory::Outcome;
use crate::domain::text::Language;
use crate::http::words::DeskWords;

pub(super) fn reason(words: &DeskWords, reason: HandoffReason) -> &'static str {
    match reason {
        HandoffReason::HumanRequest => words.reason_human_request,
        HandoffReason::SafetyLegal => words.reason_safety_legal,
        HandoffReason::Emotional => words.reason_emotional,
        HandoffReason::Commercial => words.reason_commercial,
        HandoffReason::Complex => words.reason_complex,
        HandoffReason::NoAnswer => words.reason_no_answer,
        HandoffReason::Ungrounded => words.reason_ungrounded,
        HandoffReason::ModelAsked => words.reason_model_asked,
        HandoffReason::PartDown => words.reason_part_down,
        HandoffReason::Deadline => words.reason_deadline,
        HandoffReason::Limit => words.reason_limit,
        HandoffReason::Unsupported => words.reason_unsupported,
        HandoffReason::UnknownSend => words.reason_unknown_send,
        HandoffReason::Taken => words.reason_taken,
        HandoffReason::PromiseDue => words.reason_promise_due,
    }
}

/// The queues of the triage rules that come with Firstline have names; one that a support lead adds is called as it is.
pub(super) fn queue(words: &DeskWords, queue: &str) -> String {
    match queue {
        "support" => words.queue_support,
        "sales" => words.queue_sales,
        "complaints" => words.queue_complaints,
        other => other,
    }
    .to_owned()
}

pub(super) fn channel(words: &DeskWords, channel: ChannelKind) -> &'static str {
    match channel {
        ChannelKind::Web => words.channel_web,
        ChannelKind::Terminal => words.channel_terminal,
        ChannelKind::Telegram => words.channel_telegram,
        ChannelKind::WhatsApp => words.channel_whatsapp,
        ChannelKind::Max => words.channel_max,
    }
}

pub(super) fn language(words: &DeskWords, language: Language) -> &'static str {
    match language {
        Language::Ru => words.language_ru,
        Language::En => words.language_en,
    }
}

pub(super) fn outcome(words: &DeskWords, outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::AnsweredByBot => words.answered_by_bot,
        Outcome::AnsweredByHuman => words.answered_by_human,
        Outcome::Unanswered => words.unanswered,
    }
}

/// The class of a priority for the style sheet, and its name.
pub(super) fn priority(words: &DeskWords, priority: i64) -> (&'static str, &'static str) {
    match priority {
        ..=2 => ("urgent", words.urgent),
        3..=4 => ("important", words.important),
        _ => ("ordinary", words.ordinary),
    }
}

/// The key of a fact; those that we have no word for are shown as they are.
pub(super) fn fact(words: &DeskWords, key: &str) -> String {
    match key {
        "name" => words.fact_name,
        "city" => words.fact_city,
        "order_number" => words.fact_order_number,
        "phone" => words.fact_phone,
        "email" => words.fact_email,
        "address" => words.fact_address,
        "contact_preference" => words.fact_contact_preference,
        "contact_channel" => words.fact_contact_channel,
        "claim" => words.fact_claim,
        "company" => words.fact_company,
        "product" => words.fact_product,
        "call_time" => words.fact_call_time,
        "constraint" => words.fact_constraint,
        "date" => words.fact_date,
        "promise" => words.fact_promise,
        other => return other.replace('_', " "),
    }
    .to_owned()
}

/// The value of a fact: people's words as they are, our own codes in words.
pub(super) fn fact_value(words: &DeskWords, key: &str, value: &str) -> String {
    match (key, value) {
        ("contact_preference", "no_calls") => words.no_calls,
        ("contact_preference", "calls") => words.calls,
        ("contact_channel", "chat") => words.contact_chat,
        ("contact_channel", "email") => words.contact_email,
        ("contact_channel", "telegram") => words.contact_telegram,
        ("contact_channel", "whatsapp") => words.contact_whatsapp,
        ("contact_channel", "sms") => words.contact_sms,
        (_, value) => value,
    }
    .to_owned()
}

/// What a file is to a person.
pub(super) fn file(words: &DeskWords, kind: AttachmentKind) -> &'static str {
    match kind {
        AttachmentKind::Photo => words.file_photo,
        AttachmentKind::Voice => words.file_voice,
        AttachmentKind::Audio => words.file_audio,
        AttachmentKind::Video => words.file_video,
        AttachmentKind::Sticker => words.file_sticker,
        AttachmentKind::Document => words.file_document,
    }
}

/// A size as people say it: `820 КБ`, `1.4 МБ`.
pub(super) fn size(words: &DeskWords, bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} {}", words.bytes),
        1_000..1_000_000 => format!("{} {}", bytes / 1_000, words.kilobytes),
        _ => format!("{}.{} {}", bytes / 1_000_000, bytes / 100_000 % 10, words.megabytes),
    }
}

/// The class of a tick for the style sheet, and what it says.
pub(super) fn delivery(words: &DeskWords, delivery: DeliveryState) -> Option<(&'static str, &'static str)> {
    match delivery {
        DeliveryState::Sent => Some(("sent", words.tick_sent)),
        DeliveryState::Delivered => Some(("delivered", words.tick_delivered)),
        DeliveryState::Read => Some(("read", words.tick_read)),
        DeliveryState::Failed => None,
    }
}

/// A length of time in the two largest units that matter: `4 мин`, `2 ч 05 мин`, `3 дн`. The page's script writes the
/// same.
pub(super) fn duration(words: &DeskWords, length: SignedDuration) -> String {
    let seconds = length.as_secs().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (1.., ..) => format!("{days} {}", words.days),
        (_, 1.., _) => format!("{hours} {} {:02} {}", words.hours, minutes % 60, words.minutes),
        (_, _, 1..) => format!("{minutes} {}", words.minutes),
        _ => format!("{seconds} {}", words.seconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_short() {
        let words = DeskWords::of(Language::Ru);
        for (seconds, expected) in
            [(-5, "0 с"), (59, "59 с"), (60, "1 мин"), (3_599, "59 мин"), (7_500, "2 ч 05 мин"), (200_000, "2 дн")]
        {
            assert_eq!(duration(words, SignedDuration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn sizes_are_short() {
        let words = DeskWords::of(Language::En);
        for (bytes, expected) in [(0, "0 B"), (999, "999 B"), (820_400, "820 KB"), (1_449_999, "1.4 MB")] {
            assert_eq!(size(words, bytes), expected);
        }
    }

    #[test]
    fn every_reason_has_its_own_name() {
        let words = DeskWords::of(Language::En);
        let mut names: Vec<&str> = HandoffReason::ALL.into_iter().map(|one| reason(words, one)).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), HandoffReason::ALL.len());
    }
}
