//! The lookups: each item of a reply against what is known.

use std::sync::LazyLock;

use regex::Regex;

use super::items::{Items, Support};
use super::known::{Backing, Known, Standing, backing, has_time, standing};
use super::theirs::{About, IDIOMS, NEGATED, is_theirs};
use super::{Found, Policy, ViolationKind, clean, names, numbers, pattern, promises};
use crate::domain::text::Language;
use crate::engine::words::{folded, sentences};

/// A reply with what it states.
pub(super) struct Reply {
    pub(super) stated: Items,
    pub(super) language: Option<Language>,
}

impl Reply {
    pub(super) fn check_links(&self, known: &Known, policy: &Policy<'_>, found: &mut Found) {
        let ours = clean::links(&self.stated_links()).into_iter().map(|link| link.is_ours(policy.hosts));
        for ((address, _), is_ours) in self.stated.links.iter().zip(ours) {
            let is_host = policy.hosts.iter().any(|host| host.eq_ignore_ascii_case(address));
            let named = [&known.trusted, &known.customer]
                .iter()
                .flat_map(|support| &support.items)
                .any(|items| items.links.iter().any(|(other, _)| other == address));
            if !is_ours {
                found.add(ViolationKind::ForeignLink, address);
            } else if !is_host && !named {
                found.add(ViolationKind::UnsupportedLink, address);
            }
        }
    }

    fn stated_links(&self) -> String {
        self.stated.links.iter().map(|(address, _)| format!("https://{address}")).collect::<Vec<_>>().join(" ")
    }

    pub(super) fn check_addresses(&self, known: &Known, found: &mut Found) {
        let all = || known.trusted.items.iter().chain(&known.customer.items);
        let missing = |said: &String, of: fn(&Items) -> &Vec<(String, usize)>| {
            !all().any(|items| of(items).iter().any(|(other, _)| other == said))
        };
        for (email, _) in self.stated.emails.iter().filter(|(email, _)| missing(email, |items| &items.emails)) {
            found.add(ViolationKind::UnsupportedEmail, email);
        }
        for (phone, _) in self.stated.phones.iter().filter(|(phone, _)| missing(phone, |items| &items.phones)) {
            found.add(ViolationKind::UnsupportedPhone, phone);
        }
        for (order, _) in self.stated.orders.iter().filter(|(order, _)| missing(order, |items| &items.orders)) {
            let bare = order.parse::<i64>().unwrap_or(0) * 1000;
            let as_number =
                all().flat_map(|items| &items.numbers.quantities).any(|number| number.values.contains(&bare));
            if !as_number {
                found.add(ViolationKind::UnsupportedOrderNumber, order);
            }
        }
        for (street, house, _) in &self.stated.addresses {
            let named = all().flat_map(|items| &items.addresses).any(|(other, other_house, _)| {
                house == other_house
                    && street.iter().all(|word| other.iter().any(|known| names::is_same_name(word, known)))
            });
            if !named {
                found.add(ViolationKind::UnsupportedAddress, &format!("{} {house}", street.join(" ")));
            }
        }
    }

    pub(super) fn check_numbers(&self, known: &Known, found: &mut Found) {
        let text = &self.stated.rest;
        for quantity in &self.stated.numbers.quantities {
            let kind = match quantity.unit {
                Some((unit, _)) if unit.is_money() => ViolationKind::UnsupportedPrice,
                Some((unit, _)) if unit.is_duration() => ViolationKind::UnsupportedDuration,
                Some((numbers::Unit::Percent, _)) => ViolationKind::UnsupportedPercentage,
                _ => ViolationKind::UnsupportedNumber,
            };
            let theirs = backing(quantity, &known.customer);
            let is_policy = theirs == Backing::Term || quantity.unit.is_some_and(|(unit, _)| unit.is_policy());
            let trusted = backing(quantity, &known.trusted) != Backing::Nothing;
            let standing = standing(trusted, theirs != Backing::Nothing);
            let words = &text[quantity.start..quantity.end];
            let about = match quantity.unit {
                Some((unit, _)) if unit.is_duration() => About::Duration,
                Some((unit, _)) if unit.is_money() => About::Money,
                _ => About::Other,
            };
            self.judge(&standing, kind, is_policy.then_some(about), quantity.start, words, found);
        }
        for ((day, month), place) in &self.stated.numbers.dates {
            let said = |support: &Support| {
                support.items.iter().any(|items| items.numbers.dates.iter().any(|(date, _)| *date == (*day, *month)))
            };
            let standing = standing(said(&known.trusted), said(&known.customer));
            self.judge(
                &standing,
                ViolationKind::UnsupportedDate,
                Some(About::Day),
                *place,
                &format!("{day}.{month:02}"),
                found,
            );
        }
        for (minutes, place) in &self.stated.numbers.times {
            let said = |support: &Support| support.items.iter().any(|items| has_time(items, *minutes));
            let standing = standing(said(&known.trusted), said(&known.customer));
            let words = format!("{}:{:02}", minutes / 60, minutes % 60);
            self.judge(&standing, ViolationKind::UnsupportedTime, Some(About::Day), *place, &words, found);
        }
        for (day, place) in &self.stated.numbers.weekdays {
            let said = |support: &Support| {
                support.items.iter().any(|items| items.numbers.weekdays.iter().any(|(other, _)| other == day))
            };
            let standing =
                standing(said(&known.trusted) || EVERY_DAY.is_match(&known.trusted.folded), said(&known.customer));
            self.judge(
                &standing,
                ViolationKind::UnsupportedDate,
                Some(About::Day),
                *place,
                first_word(&text[*place..]),
                found,
            );
        }
    }

    fn judge(
        &self,
        standing: &Standing,
        kind: ViolationKind,
        policy: Option<About>,
        place: usize,
        words: &str,
        found: &mut Found,
    ) {
        match standing {
            Standing::Supported => {}
            Standing::Theirs if policy.is_none_or(|about| is_theirs(&self.stated.rest, place, about)) => {}
            Standing::Theirs => found.add(ViolationKind::CustomerClaim, words),
            Standing::Nowhere => found.add(kind, words),
        }
    }

    pub(super) fn check_free(&self, known: &Known, found: &mut Found) {
        let text = folded(&self.stated.rest);
        let stated = NOT_FREE.replace_all(&text, "|");
        if !FREE.is_match(&stated) || FREE_SOURCE.is_match(&known.trusted.folded) {
            return;
        }
        let denied = stated.lines().filter(|line| FREE.is_match(line)).all(|line| NEGATED.is_match(line));
        if !FREE.is_match(&known.customer.folded) {
            found.add(ViolationKind::UnsupportedPrice, "free");
        } else if !denied && !self.stated.rest.trim_end().ends_with('?') {
            found.add(ViolationKind::CustomerClaim, "free");
        }
    }

    pub(super) fn check_names(&self, known: &Known, found: &mut Found) {
        for sentence in sentences(&self.stated.rest) {
            for (name, _) in names::names(sentence, self.language) {
                let ours = known.company.iter().any(|word| names::is_same_name(&name, word));
                if !ours && !is_date_word(&name) && !known.trusted.has_name(&name) && !known.customer.has_name(&name) {
                    found.add(ViolationKind::UnsupportedName, &name);
                }
            }
        }
    }

    /// "Да, подтверждаю" to a customer who named terms that no source has.
    pub(super) fn check_agreement(&self, known: &Known, found: &mut Found) {
        let reply = folded(&self.stated.rest);
        if !AGREES.is_match(&reply) || NEGATED.is_match(&IDIOMS.replace_all(&reply, "|")) {
            return;
        }
        let policy = known
            .newest
            .numbers
            .quantities
            .iter()
            .filter(|quantity| quantity.unit.is_some_and(|(unit, _)| unit.is_policy()));
        let invented = policy.filter(|quantity| backing(quantity, &known.trusted) == Backing::Nothing).count();
        let unpromised = !promises::unsupported(&promised(&known.newest_folded), &known.trusted.folded).is_empty();
        if invented > 0 || unpromised {
            found.add(ViolationKind::CustomerClaim, "");
        }
    }
}

/// A customer's "you will refund me" as the reply would put it, so that the same words find it.
fn promised(newest: &str) -> String {
    static YOU: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(?:you will|youll|will you)\b"));
    YOU.replace_all(newest, "we will").into_owned()
}

fn first_word(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default()
}

/// Names of months and days are checked as dates.
fn is_date_word(name: &str) -> bool {
    static DATE_WORD: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"^(?:january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|(?:mon|tues|wednes|thurs|fri|satur|sun)days?)$",
        )
    });
    DATE_WORD.is_match(name)
}

static EVERY_DAY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:ежедневно|каждый день|без выходных|daily|every day|any day|seven days a week|в любой день|любой день)\b",
    )
});
static FREE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b(?:бесплатн\w*|даром|free|at no (?:extra )?(?:cost|charge)|complimentary)\b"));
static NOT_FREE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:feel free|free to|free from|free up|(?:stain|gluten|sugar|lead|bpa|toll|lint|nickel) free|не бесплатн\w*|not free|isnt free)\b",
    )
});
static FREE_SOURCE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:бесплатн\w*|даром|за наш счет|без доплат\w*|ничего не стоит|free|no (?:extra )?(?:cost|charge)|nothing|our (?:cost|expense)|costs? nothing)\b",
    )
});
static AGREES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?m)^(?:да|подтверждаю|подтверждаем|верно|все верно|конечно|именно так|совершенно верно|согласен|согласна|хорошо|договорились|yes|yeah|sure|confirmed|correct|right|exactly|absolutely|of course|certainly|agreed|deal|thats right|that is (?:right|correct)|you are right|youre right|i confirm|i can confirm|we confirm)\b|\b(?:подтверждаю|подтверждаем|вы правы|это так|i (?:can )?confirm|we (?:can )?confirm|thats correct|that is correct)\b",
    )
});
