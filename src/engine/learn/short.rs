//! Days as people shorten them when they type: "thurs", "yday", "tmrw".

use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::said::pattern;

/// "Thurs", "yday", "on fri", and which day each means.
static SHORT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:(thurs?|weds|tues|yday|yest|tmrw|tmr|tmw|tomoz|2moro|2morrow)|(on|last|next|this|by|til|till|until) (mon|tue|wed|thu|fri|sat|sun))\b",
    )
});

fn in_full(found: &Captures) -> String {
    let whole = |short: &str| match short {
        "yday" | "yest" => "yesterday",
        "mon" => "monday",
        "tue" | "tues" => "tuesday",
        "wed" | "weds" => "wednesday",
        "thu" | "thur" | "thurs" => "thursday",
        "fri" => "friday",
        "sat" => "saturday",
        "sun" => "sunday",
        _ => "tomorrow",
    };
    match (found.get(1), found.get(2), found.get(3)) {
        (None, Some(before), Some(day)) => format!("{} {}", before.as_str(), whole(day.as_str())),
        (short, ..) => whole(short.map_or("", |short| short.as_str())).to_owned(),
    }
}

/// A text in lower case with its days in full.
pub(super) fn spelled_out(lower: &str) -> String {
    SHORT.replace_all(lower, in_full).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_spelled_out_where_they_are_days() {
        for (short, full) in [
            ("bring it thurs or tmrw", "bring it thursday or tomorrow"),
            ("came yday, due by fri", "came yesterday, due by friday"),
            ("last wed and next sat", "last wednesday and next saturday"),
            ("the sun sat low, we wed in may", "the sun sat low, we wed in may"),
        ] {
            assert_eq!(spelled_out(short), full);
        }
    }
}
