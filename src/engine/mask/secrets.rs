//! What is secret by the words around it or by its shape: passwords, one-time codes, keys.

use std::sync::LazyLock;

use regex::Regex;

use super::documents::groups;
use super::{Kind, Secret};

fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("the patterns of this file compile")
}

static KEYS: LazyLock<[Regex; 5]> = LazyLock::new(|| {
    [
        pattern(
            r"(?x)(?:^|[^A-Za-z0-9_-])(
              sk-[A-Za-z0-9_-]{16,} | sk_(?:live|test)_[A-Za-z0-9]{10,} | gh[pousr]_[A-Za-z0-9]{20,} | github_pat_[A-Za-z0-9_]{20,}
            | glpat-[A-Za-z0-9_-]{16,} | (?:AKIA|ASIA)[0-9A-Z]{16} | xox[abprs]-[A-Za-z0-9-]{10,} | AIza[0-9A-Za-z_-]{30,}
            | y[0-3]_[A-Za-z0-9_-]{30,} | t1\.[A-Za-z0-9_-]{20,}[A-Za-z0-9._-]* | eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*
            | \d{8,10}:[A-Za-z0-9_-]{30,} )",
        ),
        pattern(r"(?s)(-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$))"),
        pattern(r"(?i)\b(?:bearer|basic)\s+([A-Za-z0-9+/_.=~-]{12,})"),
        pattern(
            r"(?i)(?:\b(?:token|api[\s_-]?key|access[\s_-]?key|secret(?:[\s_-]?key)?|private[\s_-]?key|client[\s_-]?secret)|\bтокен\w*|\b(?:апи|api)[\s-]?ключ\w*|\bключ\w*(?:\s+(?:api|апи|доступа))?)(?:\s+(?:is|это|вот|такой))?[\s:=«“\x22'`-]{1,4}([A-Za-z0-9+/_.=-]{16,})",
        ),
        pattern(r"[a-z][a-z0-9+.-]*://[^\s/:@]+:([^\s/@]+)@"),
    ]
});

/// Keys and tokens. After a word such as "token" a long string counts only if it has both letters and digits.
pub(super) fn keys(text: &str) -> Vec<Secret> {
    let mut found: Vec<Secret> = KEYS
        .iter()
        .enumerate()
        .flat_map(|(number, pattern)| groups(pattern, text).map(move |place| (number, place)))
        .filter(|(number, place)| {
            let value = &text[place.clone()];
            !matches!(number, 2 | 3)
                || value.len() >= 32
                || (value.chars().any(|c| c.is_ascii_digit()) && value.chars().any(|c| c.is_ascii_alphabetic()))
        })
        .map(|(_, place)| Secret { kind: Kind::Key, start: place.start, end: place.end })
        .collect();
    found.sort_by_key(|secret| secret.start);
    found
}

/// A password put with a mark or a word, and one that just follows its name.
static NAMED_PASSWORD: LazyLock<[Regex; 2]> = LazyLock::new(|| {
    let name = r"\b(?: парол[ьяеюи]\w* | пасворд\w* | passwords? | passwd | pwd | pass(?:code|phrase) )";
    [
        pattern(&format!(
            r"(?ix) {name}
            (?: \s+ (?: от | для | к | у | на | из | в | for | of | to | on ) (?: \s+ [\w.@-]+ ){{1,3}}? )?
            ( \s* [:=–—] \s* | \s+ - \s+ | \s+ (?: это | такой | такая | был | была | стоит | мой | вот | is | was | are | will \s be ) [\s:=«“\x22'-]+ )
            ( [^\s,;]+ )"
        )),
        pattern(&format!(r"(?ix) {name} ( \s+ ) ( [^\s,;]+ )")),
    ]
});

/// Words that follow "password is" when no password does.
static NO_PASSWORD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?ix)^(?: not | wrong | incorrect | invalid | expired | too | required | needed | the | a | an | my | your | being | never | always | still | now
        | no | correct | right | ok | okay | reset | changed | lost | forgotten | unknown | missing | accepted | rejected | asked | sent | for | and | or | but
        | to | in | on | at | it | that | this | what | where | how | why | doesnt | doesn't | didn't | isn't | won't | can't | working | broken | same | different | blocked | again | please | hidden )$",
    )
});

/// Passwords that are named as such.
pub(super) fn passwords(text: &str) -> Vec<Secret> {
    let mut found: Vec<Secret> = NAMED_PASSWORD.iter().flat_map(|pattern| passwords_by(pattern, text)).collect();
    found.sort_by_key(|secret| secret.start);
    found
}

fn passwords_by(pattern: &Regex, text: &str) -> Vec<Secret> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(captures) = pattern.captures_at(text, from) {
        let (Some(link), Some(value)) = (captures.get(1), captures.get(2)) else { break };
        let trimmed = value
            .as_str()
            .trim_matches(['"', '\'', '«', '»', '“', '”', '`', '(', ')'])
            .trim_end_matches(['.', '!', '?']);
        let start = value.start() + value.as_str().find(trimmed).unwrap_or(0);
        let end = start + trimmed.len();
        let alone = text[end..].lines().next().unwrap_or_default().trim().chars().all(|c| !c.is_alphanumeric());
        if !trimmed.is_empty() && is_password(link.as_str(), trimmed, alone) {
            found.push(Secret { kind: Kind::Password, start, end });
            from = end;
        } else {
            // The next search begins at the refused word: it may itself be "password".
            from = value.start();
        }
    }
    found
}

/// Whether what follows is a password: it looks like one, or is put like one and ends the line.
fn is_password(link: &str, value: &str, alone: bool) -> bool {
    let looks_made = value.chars().any(|c| c.is_ascii_digit() || "!@#$%^&*_+=~|<>{}[]\\/".contains(c));
    let inner_capital = value.chars().skip(1).any(char::is_uppercase) && value.chars().any(char::is_lowercase);
    let long_enough = value.chars().count() >= 3;
    let put_with_mark = link.contains([':', '=', '–', '—', '-']);
    let put_with_word = !put_with_mark && !link.trim().is_empty();
    let is_word = NO_PASSWORD.is_match(value);
    long_enough
        && match (put_with_mark, put_with_word) {
            (true, _) => !is_word && (looks_made || inner_capital || alone || value.is_ascii()),
            (_, true) => {
                !is_word
                    && (looks_made
                        || inner_capital
                        || (alone && value.is_ascii())
                        || (value.is_ascii() && link.contains("is")))
            }
            _ => {
                looks_made && value.chars().count() >= 4 && !is_link_or_address(value)
                    || inner_capital && value.is_ascii() && alone
            }
        }
}

fn is_link_or_address(value: &str) -> bool {
    value.contains("://")
        || (value.contains('@') && value.contains('.'))
        || value.contains(".example")
        || value.contains(".ru")
}

static CODES: LazyLock<[Regex; 6]> = LazyLock::new(|| {
    // The words between a code's name and the code.
    let filler = r"(?:[\s:=«»“”\x22'(№#–—-]|пришел|пришёл|пришла|пришло|приходит|прислали|вот|это|такой|у|меня|мой|мне|на|телефон|номер|был|сейчас|is|was|says|i|got|received|it|my|the|here){0,12}?";
    let end = r"(?:[^\d\w]|$)";
    [
        // CVV.
        pattern(&format!(
            r"(?i)(?:\bcvv2?|\bcvc2?|\bцвв|\bсвв|\bcid|трех ?значн\w+ код|три цифры (?:на|с) обор\w+|код (?:на|с) обор\w+(?: сторон\w+)?(?: карт\w+)?|security code){filler}(\d{{3,4}}){end}"
        )),
        // Codes from messages, by their full name.
        pattern(&format!(
            r"(?i)(?:\bкод\w*[\s-]+(?:(?:из|с|от|по|для|в)[\s-]+)?(?:смс\w*|sms|сообщени\w+|подтверждени\w+|вход\w*|доступа|авторизации|верификации|активации|безопасности|банка|сбербанк\w*|сбера|тинькофф|госуслуг\w*|3d-?secure)|\b(?:смс|sms)[\s-]*код\w*){filler}(\d{{3}}[\s-]\d{{3}}|\d{{3,8}}){end}"
        )),
        pattern(&format!(
            r"(?i)\b(?:(?:sms|verification|confirmation|one[\s-]?time|login|sign[\s-]?in|security|access|auth\w*|activation|2fa|otp)[\s-]+(?:pass)?codes?|otp|2fa){filler}(\d{{3}}[\s-]\d{{3}}|\d{{3,8}}){end}"
        )),
        // "An SMS came: 4821".
        pattern(&format!(
            r"(?i)\b(?:смс\w*|sms|смска)[\s,:-]+(?:(?:пришла|пришло|пришел|пришёл|прислали|с|кодом|код|мне|на|телефон|вот|там|цифры|came|says|with|code)[\s,:-]+){{0,5}}(\d{{4,6}}){end}"
        )),
        // A PIN.
        pattern(&format!(r"(?i)\b(?:пин|pin)(?:[\s-]?(?:код\w*|code))?{filler}(\d{{4,6}}){end}")),
        // A bare "code 4821": decided by the word before it, below.
        pattern(&format!(
            r"(?i)(?:^|[^\p{{L}}])(?:код|кода|code)[\s:=-]+(?:(?:вот|это|такой|пришел|пришёл|мне|is|was)[\s:=-]+){{0,3}}(\d{{4,6}}){end}"
        )),
    ]
});

/// What makes a "code" something that support needs.
static OTHER_CODE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:промо|promo|скидоч|купон|coupon|discount|почтов|индекс|zip|postal|post|area|country|телефонн|товар|product|item|артикул|заказ|order|трек|track|отслеж|ошибк|error|домофон|подъезд|door|gate|entry|intercom|штрих|bar|qr|цвет|colou?r|пункт\w*|выдач|получени|pickup|pick-up|ячейк|locker|постамат|модел|model|серийн|карты подар|подарочн|gift)[\p{L}-]*\s*$",
    )
});
static OTHER_CODE_AFTER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^[\s,-]*(?:от|на|для|for|of)?[\s]*(?:домофон|подъезд|двер|калитк|ворот|ячейк|постамат|товар|door|gate|intercom|locker)",
    )
});
/// Words of the way to a door, where a bare code opens that door.
static DOORS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)подъезд|парадн|домофон|этаж|калитк|шлагбаум|intercom|entrance|floor|gate"));
static UNIT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)^\s*(?:₽|руб|р\b|р\.|rub|балл|point|дн|час|мин\b|day|hour|шт|кг|см|год|%)"));

/// One-time codes, PINs and CVVs.
pub(super) fn codes(text: &str) -> Vec<Secret> {
    let mut found = Vec::new();
    for (number, pattern) in CODES.iter().enumerate() {
        let bare = number == 5;
        for place in groups(pattern, text) {
            let named_otherwise = bare
                && (name_before_code(text, place.start).is_some_and(|before| OTHER_CODE.is_match(before))
                    || OTHER_CODE_AFTER.is_match(&text[place.end..])
                    || DOORS.is_match(line_of(text, place.start)));
            if !named_otherwise && !UNIT.is_match(&text[place.end..]) {
                found.push(Secret { kind: Kind::Code, start: place.start, end: place.end });
            }
        }
    }
    found.sort_by_key(|secret| secret.start);
    found
}

fn line_of(text: &str, place: usize) -> &str {
    let start = text[..place].rfind('\n').map_or(0, |at| at + 1);
    text[start..].lines().next().unwrap_or_default()
}

/// What stands before the word "code" that names the digits at `place`.
fn name_before_code(text: &str, place: usize) -> Option<&str> {
    static NAME: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)(?:код|кода|code)\b"));
    NAME.find_iter(&text[..place]).last().map(|name| &text[..name.start()])
}
