//! Statements that can be read out of a customer's words by rule. What is not said plainly is not learnt.

use std::sync::LazyLock;

use jiff::Timestamp;
use regex::Regex;

use super::instructions::is_instruction;
use super::names::{is_common, is_given, is_name_word};
use super::values;
use crate::domain::id::MessageId;
use crate::domain::memory::{Stance, Statement};
use crate::engine::words::{folded, plain, sentences, shortened};

/// A pattern written here.
pub(super) fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the patterns of this module compile")
}

/// How sure a rule is of what it read.
pub(super) const CERTAIN: f64 = 0.95;
/// For what stands on the words around it.
pub(super) const LIKELY: f64 = 0.85;

/// Statements of a customer in one message, each once. `text` is masked already: masked places are never values.
pub fn extract(text: &str, source: MessageId, at: Timestamp) -> Vec<Statement> {
    let text = plain(&MASKED.replace_all(text, " ¦ "));
    let mut said = Said::of(source, at);
    for sentence in sentences(&text) {
        order_numbers(sentence, &mut said);
        if !is_instruction(sentence) {
            about_the_customer(sentence, &mut said);
            preferences(sentence, &mut said);
            claim(sentence, &mut said);
        }
    }
    said.facts
}

/// What was read so far.
pub(super) struct Said {
    source: MessageId,
    at: Timestamp,
    /// The statements, in the order in which they were read.
    pub(super) facts: Vec<Statement>,
}

impl Said {
    /// Nothing yet.
    pub(super) fn of(source: MessageId, at: Timestamp) -> Self {
        Self { source, at, facts: Vec::new() }
    }

    /// Nothing yet, of the same message.
    pub(super) fn new(other: &Said) -> Self {
        Self::of(other.source, other.at)
    }

    /// Whether anything was read under a key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.facts.iter().any(|fact| fact.key == key)
    }

    /// Keeps a value, unless the key has one already, or this one.
    pub(super) fn add(&mut self, key: &str, value: String, confidence: f64) {
        let Some(known) = super::key(key) else { return };
        let twice = self.facts.iter().any(|fact| fact.key == key && (known.single || fact.value == value));
        if !twice {
            let (source, valid_at) = (self.source, self.at);
            self.facts.push(Statement {
                key: key.to_owned(),
                value,
                stance: Stance::Stated,
                kind: known.kind,
                confidence,
                source,
                valid_at,
                due_at: None,
            });
        }
    }
}

pub(super) static MASKED: LazyLock<Regex> = LazyLock::new(|| pattern(r"\[[^\]\n]*\]"));

static ORDER_CODE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\b[МM](?:\s?[-–—‑−]\s?|\s?№\s?)?([0-9]{5,8})\b"));

static ORDER_NAMED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:заказ(?:а|у|ом|е|ы|ов|ам|ами|ах)?|orders?)(?:\s+(?:номер|is|numbers?|no|num)\b)*\s*\.?\s*[:,–—-]?\s*((?:№|#|n|номер\s|no\.?\s)?\s*[0-9]{5,8}(?:\s*(?:,|и|and|&)\s*(?:№|#)?\s*[0-9]{5,8})*)\b",
    )
});

static NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern(r"[0-9]{5,8}"));

/// What stands after a number that counts something and names nothing.
pub(super) static UNIT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^\s*(?:[.,/:-]?[0-9]|₽|\$|€|%|(?:руб\w*|р|рублей|тыс\w*|к|rub\w*|usd|eur\w*|euros?|dollars?|шт\w*|pcs|г|гр|кг|kg|мм|см|м|mm|cm|балл\w*|бонус\w*|points?)\b)",
    )
});

pub(super) fn order_numbers(sentence: &str, said: &mut Said) {
    let mut found: Vec<(usize, &str, f64)> = Vec::new();
    for code in ORDER_CODE.captures_iter(sentence) {
        let (all, digits) = (code.get(0), code.get(1));
        if let (Some(all), Some(digits)) = (all, digits)
            && !sentence[..all.start()].ends_with(['-', '/', '_'])
            && !denied(&sentence[..all.start()])
        {
            found.push((digits.end(), digits.as_str(), CERTAIN));
        }
    }
    for named in ORDER_NAMED.captures_iter(sentence) {
        let Some(list) = named.get(1) else { continue };
        for digits in NUMBER.find_iter(list.as_str()) {
            found.push((list.start() + digits.end(), digits.as_str(), LIKELY));
        }
    }
    found.sort_by_key(|(end, ..)| *end);
    for (end, digits, confidence) in found {
        if !UNIT.is_match(&sentence[end..])
            && let Some(value) = values::order_number(digits)
        {
            said.add("order_number", value, confidence);
        }
    }
}

/// Whether what follows `before` is said not to be so: «не М-111111, а М-222222».
fn denied(before: &str) -> bool {
    let before = before.trim_end().to_lowercase();
    ["не", "not"].iter().any(|no| before.strip_suffix(no).is_some_and(|rest| !rest.ends_with(char::is_alphanumeric)))
}

fn about_the_customer(sentence: &str, said: &mut Said) {
    if let Some(name) = name(sentence) {
        said.add("name", name, LIKELY);
    }
    if let Some(phone) = phone(sentence) {
        said.add("phone", phone, CERTAIN);
    }
    if let Some(email) = email(sentence) {
        said.add("email", email, CERTAIN);
    }
    if let Some(city) = city(sentence) {
        said.add("city", city, LIKELY);
    }
    if let Some(address) = address(sentence) {
        said.add("address", address, LIKELY);
    }
}

static INTRODUCTION: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\b(?:меня зовут|зовут меня|мо[её] имя|my name is|my name['’]s)\s*(?:[:–—-]\s*)?"));

static WEAK_INTRODUCTION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:^|[,.!:)]\s*|\b(?:здравствуйте|привет|добрый день|добрый вечер|доброе утро|hello|hi|hey)\s+)(?:это|я|i['’]m|i am|this is)\s*[–—-]?\s+",
    )
});

fn name(sentence: &str) -> Option<String> {
    let strong = INTRODUCTION.find(sentence).and_then(|intro| names_at(&sentence[intro.end()..]));
    if let Some((name, _)) = strong {
        return Some(name);
    }
    WEAK_INTRODUCTION.find_iter(sentence).find_map(|intro| {
        let (name, rest) = names_at(&sentence[intro.end()..])?;
        let goes_on = rest.split_whitespace().next().unwrap_or_default().to_lowercase();
        let ends = rest.is_empty()
            || rest.starts_with([',', '.', '!', ';', ':', ')', '-', '–', '—', '…', '('])
            || ["и", "из", "and", "from", "по", "снова", "опять", "again", "here"].contains(&goes_on.as_str());
        (ends && name.split_whitespace().next().is_some_and(is_given)).then_some(name)
    })
}

/// One to three name words at the start of a text, and what follows them.
fn names_at(text: &str) -> Option<(String, &str)> {
    let mut names: Vec<&str> = Vec::new();
    let mut rest = text;
    while names.len() < 3 {
        let next = rest.trim_start();
        let end = next.find(|c: char| !c.is_alphabetic() && !matches!(c, '-' | '\'' | '’')).unwrap_or(next.len());
        let word = next[..end].trim_end_matches('-');
        if !is_name_word(word) {
            break;
        }
        names.push(word);
        rest = &next[word.len()..];
        if !rest.starts_with(' ') {
            break;
        }
    }
    (!names.is_empty()).then(|| (names.join(" "), rest.trim_start()))
}

/// Numbers and mailboxes that a customer mentions and that are not theirs.
static OF_OTHERS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:курьер\w*|водител\w*|менеджер\w*|оператор\w*|ваш\w*|магазин\w*|шоурум\w*|склад\w*|пункт\w*|пвз|офис\w*|поддержк\w*|с номера|с телефона|с адреса|звон(?:ил|ила|или|ят|ит) с|дозвон\w+|(?:на)?писал\w*|отправлял\w*|мам\w|муж\w*|жен[аеуы]|сын\w*|дочер\w*|дочк\w*|друг\w?|подруг\w*|сосед\w*|получател\w*|courier\w*|driver\w*|manager\w*|operator\w*|your|store|shop|showroom|office|support|called from|from the number|wrote|emailed|wife|husband|mother|mom|son|daughter|friend\w*|neighbou?r\w*|recipient\w*)\b",
    )
});

static OWN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:мо[йяюе]|моего|моему|my)(?: \w+){0,2} (?:номер\w*|телефон\w*|тел|почт\w+|e?mail|mail|мейл|имейл|ящик\w*|адрес\w*|number|phone|mobile|address)\b",
    )
});

fn of_somebody_else(sentence: &str) -> bool {
    let folded = folded(sentence);
    OF_OTHERS.is_match(&folded) && !OWN.is_match(&folded)
}

static PHONE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:\+\s?[78]|[78])[\s(–‑-]{0,3}[0-9]{3}[\s)–‑-]{0,3}[0-9]{3}[\s–‑-]{0,2}[0-9]{2}[\s–‑-]{0,2}[0-9]{2}|\+[1-9](?:[\s()–‑-]{0,2}[0-9]){9,13}",
    )
});

static PHONE_NAMED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:тел|телефон\w*|мобильн\w+|сот\w+|ватсап\w*|whatsapp|phone|mobile|cell)\b(?:\s*(?:номер|number|is))?\s*[.:–—-]?\s*(9[0-9]{2}[\s)–‑-]{0,3}[0-9]{3}[\s–‑-]{0,2}[0-9]{2}[\s–‑-]{0,2}[0-9]{2})",
    )
});

static OTHER_NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:трек\w*|отправлени\w*|заказ\w*|инн|снилс|сч[её]т\w*|штрих\w*|артикул\w*|чек\w*|track\w*|order|barcode|parcel|invoice)\W*(?:номер|number|no|№)?\W*$",
    )
});

fn phone(sentence: &str) -> Option<String> {
    let plain = PHONE.find_iter(sentence);
    let named = PHONE_NAMED.captures_iter(sentence).filter_map(|found| found.get(1));
    let found = plain.chain(named).find_map(|found| {
        let (before, after) = (&sentence[..found.start()], &sentence[found.end()..]);
        let bare = found.as_str().chars().all(|c| c.is_ascii_digit()) && found.len() == 11;
        let stands_alone = !before.ends_with(|c: char| c.is_alphanumeric() || "+-–/.,_".contains(c))
            && !after.starts_with(|c: char| c.is_alphanumeric())
            && !after.strip_prefix(['-', ' ']).is_some_and(|next| next.starts_with(|c: char| c.is_ascii_digit()));
        let mobile = !bare || found.as_str()[1..].starts_with('9');
        (stands_alone && mobile && !OTHER_NUMBER.is_match(before)).then(|| values::phone(found.as_str()))?
    })?;
    (!of_somebody_else(sentence)).then_some(found)
}

pub(super) static EMAIL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"[\p{L}0-9._%+-]+@[\p{L}0-9-]+(?:\.[\p{L}0-9-]+)*\.\p{L}{2,24}"));

/// «Напишите на …», "send it to …": somebody's mailbox, the customer's only where they speak of themselves.
static SENT_TO: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\b(?:на|to)\s+$"));

static ME: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b(?:мне|меня|мо[йяюе]|me|my)\b"));

fn email(sentence: &str) -> Option<String> {
    let found = EMAIL.find_iter(sentence).find_map(|found| {
        let theirs = !SENT_TO.is_match(&sentence[..found.start()]) || ME.is_match(&folded(sentence));
        theirs.then(|| values::email(found.as_str()))?
    })?;
    (!of_somebody_else(sentence)).then_some(found)
}

static RESIDENCE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:\b(?:я|мы)(?: (?:сам|сама|сами|пишу|пишем|тоже|вообще|родом|обращаюсь))?[ ,]+из|\b(?:живу|жив[её]м|проживаю|проживаем|нахожусь|находимся)(?: (?:я|мы|сейчас|теперь))?\s+во?|\bмой город\s*[:–—-]?|\b(?:i|we)(?: currently| now)? live in|\bi['’]m (?:based in|from)|\bi am (?:based in|from)|\bwe(?:['’]re| are) from)\s+(?:(?:г\.|город[ае]?|the city of|the town of)\s*)?",
    )
});

/// Capitalised words after «из» and «в» that are no cities; beginnings, folded.
pub(super) const NO_CITIES: &str = "росси беларус белорусси казахстан украин армени грузи кыргыз киргиз узбек яндекс озон сбер авито сдэк роспотреб \
    прокуратур полици интернет подмосков russia belarus kazakhstan ukraine yandex google england \
    germany america usa france spain turkey israel serbia герман америк франци турци израил серби поль";

fn city(sentence: &str) -> Option<String> {
    RESIDENCE.find_iter(sentence).find_map(|intro| {
        if denied(&sentence[..intro.start()]) {
            return None;
        }
        let rest = &sentence[intro.end()..];
        let mut words = rest.split(' ').filter(|word| !word.is_empty());
        let (first, first_ends) = city_word(words.next()?)?;
        let mut city = first.to_owned();
        if !first_ends {
            let next = words.next().unwrap_or_default();
            if REGION.is_match(next) {
                return None;
            }
            if FIRST_HALF.is_match(first)
                && let Some((second, _)) = city_word(next)
            {
                city = format!("{first} {second}");
            }
        }
        Some(city)
    })
}

static CITY_WORD: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:[А-ЯЁ][а-яё]+(?:-[А-ЯЁа-яё][а-яё]*)*|[A-Z][a-z]+(?:-[A-Za-z]+)*|СПб|Спб)$"));

/// Adjectives and foreign beginnings that a second word belongs to: «Нижнем Новгороде», «New York».
pub(super) static FIRST_HALF: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:ий|ый|ой|его|ого|ем|ом|их|ых|ие|ые|яя|ая|ей)$|^(?:New|San|Saint|St|Los|Las|Fort|Nizhny|Veliky|Naberezhnye)$",
    )
});

pub(super) static REGION: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)^(?:област|кра[йяею]\b|район|республик|region|county|state)"));

/// A word that may name a city, and whether it is the last of its clause.
fn city_word(token: &str) -> Option<(&str, bool)> {
    let word = token.trim_end_matches(|c: char| !c.is_alphanumeric());
    let folded = folded(word);
    let no_city = NO_CITIES.split_whitespace().any(|start| folded.starts_with(start)) || is_common(word);
    (CITY_WORD.is_match(word) && !no_city).then_some((word, word.len() < token.len()))
}

static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:(?i:\bг\.|\bгород)\s*[А-ЯЁ][а-яё]+(?:[ -][А-ЯЁа-яё][а-яё]*){0,3},\s*)?(?i:\b(?:ул\.|улиц[аеыу]\b|просп\.|проспекте?\b|пр-к?т\b|пер\.|переул(?:ок|ке)\b|наб\.|набережн(?:ая|ой)\b|б-р\b|бульваре?\b|шоссе\b|проезде?\b|пл\.|площад[ьи]\b))\s*[А-ЯЁ0-9][^,.!?;:¦\n]{1,40},?\s*(?i:д\.|дом[еа]?\b)\s*[0-9]{1,4}(?:\s?[а-яА-Я]\b)?(?:[/-][0-9]{1,4}[а-я]?)?(?:,?\s*(?i:корп\.|корпус\b|к\.|стр\.|строение\b|под\.|подъезд\b|эт\.|этаж\b|кв\.|квартира\b)\s*[0-9]{1,4}[а-я]?)*",
    )
});

static ENGLISH_ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i:\b(?:my address is|(?:my )?delivery address is|(?:i|we) live at)\s*:?\s*)([0-9]{1,5}[A-Za-z]?,? (?:[A-Z][\p{L}'’]+,? ){1,3}(?i:street|st|avenue|ave|road|rd|lane|boulevard|prospekt|drive|square)\b(?:,? (?i:apt|apartment|flat|unit)\.? ?[0-9]{1,4}[A-Za-z]?)?)",
    )
});

/// A street with a house number. Questions are mostly about our places, not the customer's.
fn address(sentence: &str) -> Option<String> {
    if sentence.contains('?') || of_somebody_else(sentence) {
        return None;
    }
    let russian = ADDRESS.find(sentence).map(|found| found.as_str());
    let english = || ENGLISH_ADDRESS.captures(sentence).and_then(|found| found.get(1)).map(|found| found.as_str());
    let found = russian.or_else(english)?;
    values::canonical("address", found.trim_end_matches([',', ' ']))
}

static NO_CALLS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:(?:пожалуйста|прошу|просьба|очень|только|лучше|давайте|вообще|больше|мне|вас|и|но|а|по телефону|прошу вас) )*(?:не (?:звоните|звони|звонить|надо звонить|нужно звонить|перезванивайте|перезванивать)|звонить (?:мне )?не (?:надо|нужно|стоит|удобно)|без звонков|никаких звонков|звонки не (?:принимаю|нужны)|не люблю звонки)(?: (?:мне|пожалуйста|больше|никогда|вообще|совсем|по телефону|на телефон|на этот номер|спасибо))*(?: (?:а|лучше|только|и|пишите) .*)?$|^(?:(?:please|pls|kindly|and|but|so|just|also|can you|could you|would you|better) )*(?:(?:dont|do not|never|stop|not) (?:call|calling|phone|phoning|ring|ringing)(?: me| us)?|no (?:phone )?calls|i (?:would |d )?(?:prefer|rather) (?:no calls|not to be called)|id (?:prefer|rather) (?:no calls|not to be called|not be called))(?: (?:please|again|anymore|any more|at all|ever|back|by phone|on the phone|thanks))*(?: (?:just|but|only|email|text|write|message) .*)?$",
    )
});

static CALLS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:(?:пожалуйста|лучше|мне|и|но|а|всегда) )*(?:звоните|удобнее (?:по телефону|созвониться|звонить)|предпочитаю (?:звонки|телефон|по телефону))(?: (?:мне|пожалуйста|лучше|всегда|по телефону|в любое время|а не пишите|не пишите))*$|^(?:(?:please|but|and|better) )*(?:i (?:would |d )?prefer (?:phone )?calls|id prefer (?:phone )?calls|i prefer to be called)(?: (?:please|by phone))*$",
    )
});

/// What makes it a matter of the moment or of the past, or says it of us.
static NOT_A_WISH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:сейчас|сегодня|завтра|пока|если|почему|зачем|когда|вы|до \d+|после \d+|right now|now|today|tomorrow|until|unless|if|why|when|before|after|you (?:dont|do not|never))\b",
    )
});

/// Where a customer wants to be written to, by its names.
const MEDIA: [(&str, &str); 5] = [
    ("email", r"(?:почт[уеы]|электронн\w+ почт\w|имейл\w?|емейл\w?|мейл\w?|мыло|e ?mail|mail)"),
    ("telegram", r"(?:телеграм\w*|телег[уе]|тг|telegram|tg)"),
    ("whatsapp", r"(?:ватсап\w?|вотсап\w?|вацап\w?|уотсап\w?|whatsapp)"),
    ("sms", r"(?:смс|sms|text messages?)"),
    ("chat", r"(?:чат\w?|сюда|chat|here)"),
];

static CHANNELS: LazyLock<Vec<(&'static str, Regex)>> = LazyLock::new(|| {
    let wish = |name: &'static str, medium: &str| {
        let text = format!(
            r"\b(?:(?:пишите|отвечайте|связывайтесь|присылайте все|лучше|удобнее|предпочитаю)(?: (?:мне|только|со мной|пожалуйста|писать|пишите|отвечать|общаться|связываться|ответ|сразу))* (?:(?:на|по|в|через) )?(?:мою |мой )?{medium}|(?:contact|reach|message|answer|write to|reply to) me (?:only )?(?:by|via|on|through|over) (?:my )?{medium}|i(?:d)? (?:would )?(?:prefer|rather have) (?:to be contacted (?:by|via|on) |contact by )?{medium})\b"
        );
        (name, pattern(&text))
    };
    MEDIA.iter().map(|(name, medium)| wish(name, medium)).collect()
});

static EMAIL_ME: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:(?:please|just|only|but|better) )*(email|text) me (?:instead|only|from now on)$"));

fn preferences(sentence: &str, said: &mut Said) {
    if sentence.contains('?') {
        return;
    }
    for clause in sentence.split([',', ';', ':', '!', '(', ')', '.', '…', '—', '–']) {
        let clause = folded(clause);
        if let Some(calls) = calls(&clause) {
            said.add("contact_preference", calls.to_owned(), LIKELY);
        }
        if let Some(channel) = channel(&clause) {
            said.add("contact_channel", channel.to_owned(), LIKELY);
        }
    }
}

fn calls(clause: &str) -> Option<&'static str> {
    if NOT_A_WISH.is_match(clause) {
        None
    } else if NO_CALLS.is_match(clause) {
        Some("no_calls")
    } else {
        CALLS.is_match(clause).then_some("calls")
    }
}

fn channel(clause: &str) -> Option<&'static str> {
    if NOT_A_WISH.is_match(clause) {
        return None;
    }
    if let Some(found) = EMAIL_ME.captures(clause) {
        return Some(if &found[1] == "email" { "email" } else { "sms" });
    }
    CHANNELS.iter().find(|(_, wish)| wish.is_match(clause)).map(|(name, _)| *name)
}

/// `no_calls` or `calls`, from either word or a phrase that means it.
pub(super) fn contact_preference(value: &str) -> Option<String> {
    let value = value.to_lowercase();
    let known = ["no_calls", "calls"].into_iter().find(|known| *known == value);
    known.or_else(|| calls(&folded(&value))).map(str::to_owned)
}

/// One of the media, from its name or a phrase that wishes it.
pub(super) fn contact_channel(value: &str) -> Option<String> {
    let value = value.to_lowercase();
    let known = MEDIA.iter().map(|(name, _)| *name).find(|known| *known == value);
    known.or_else(|| channel(&folded(&value))).map(str::to_owned)
}

static PROMISED_TO_THEM: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:^|\b(?:вы|ваш\w*|у вас|менеджер\w*|оператор\w*|консультант\w*|сотрудни\w+|курьер\w*|поддержк\w+|бот|мне|нам) (?:\w+ ){0,4}?)(?:обещал\w*|пообещал\w*|гарантировал\w*|заверил\w*|заверял\w*|уверял\w*)\b|\b(?:you|your \w+|your \w+ \w+|the (?:manager|operator|courier|agent|support)|support|i was|we were) (?:(?:have|had|already|also|even|clearly|personally|all|just|then) ){0,2}(?:promised|guaranteed|assured)\b",
    )
});

static SAID_TO_THEM: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:вы|ваш\w*|менеджер\w*|оператор\w*|консультант\w*|сотрудни\w+|курьер\w*|поддержк\w+|мне|нам) (?:\w+ ){0,3}?(?:сказал\w*|говорил\w*|подтвердил\w*|ответил\w*|написал\w*)(?: \w+){0,2}? что\b|\b(?:у вас|на (?:вашем )?сайте|в рекламе|в вашей рекламе)(?: \w+){0,3}? (?:написано|указано|сказано)\b|\b(?:you|your \w+|your \w+ \w+|the (?:manager|operator|courier|agent)|support) (?:(?:have|had|already|also|even|clearly|personally|all|just|then) ){0,2}(?:said|told (?:me|us)|confirmed)\b|\byour (?:web ?site|site|ad|page) (?:says|said|states)\b",
    )
});

static NOT_THEIRS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:не (?:\w+ )?(?:по)?обещал\w*|я (?:\w+ )?обещал\w*|если|did(?:nt| not) promise|never promised|if|as you said|what (?:you|your \w+) (?:said|told)|once)\b",
    )
});

/// What a customer says that we said: evidence of what they believe, never of our rules.
fn claim(sentence: &str, said: &mut Said) {
    let folded = folded(sentence);
    let asks = sentence.contains('?');
    let claims = PROMISED_TO_THEM.is_match(&folded) || (!asks && SAID_TO_THEM.is_match(&folded));
    if claims && !NOT_THEIRS.is_match(&folded) && !values::has_link(sentence) {
        let words = sentence.replace(['¦', '[', ']', '<', '>', '{', '}', '|', '`'], " ");
        said.add("claim", shortened(&words, super::VALUE_MOST), LIKELY);
    }
}
