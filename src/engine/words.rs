//! Words as decisions see them: folded, split into sentences, stemmed. Nothing here keeps or prints what it reads.

use std::sync::LazyLock;

use regex::Regex;
use rust_stemmers::{Algorithm, Stemmer};

/// Removes what can't be seen (zero-width, direction and control characters) and makes every space a plain one.
/// Line ends stay; the joiner inside an emoji stays.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut last = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let kept = match c {
            '\n' | '\u{2028}' | '\u{2029}' => Some('\n'),
            '\r' => (chars.peek() != Some(&'\n')).then_some('\n'),
            '\u{200d}' => (last >= '\u{2190}' && !last.is_alphanumeric()).then_some(c),
            c if is_invisible(c) => None,
            c if c.is_whitespace() => Some(' '),
            c if c.is_control() => None,
            c => Some(c),
        };
        if let Some(c) = kept {
            out.push(c);
            last = c;
        }
    }
    out
}

/// Characters that take no place: they hide words from rules and links from people.
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The text as rules see it: lower case, ё as е, Latin look-alikes inside Russian words as what they look like,
/// apostrophes dropped, marks as spaces; sentences divided by line ends.
pub fn folded(text: &str) -> String {
    let plain = plain(text);
    let mut out = String::with_capacity(plain.len());
    for sentence in sentences(&plain) {
        let folded = words(sentence).join(" ");
        if !folded.is_empty() {
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(&folded);
        }
    }
    out
}

/// `folded` with stretched letters brought back: as written, runs of three cut to two and to one, pairs cut to one.
/// Spellings that don't differ are given once.
pub fn spellings(folded: &str) -> Vec<String> {
    let mut all = vec![folded.to_owned()];
    for (least, keep) in [(3, 2), (3, 1), (2, 1)] {
        let spelling = squeezed(folded, least, keep);
        if !all.contains(&spelling) {
            all.push(spelling);
        }
    }
    all
}

/// Cuts runs of at least `least` equal letters to `keep`.
fn squeezed(text: &str, least: usize, keep: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let chars: Vec<char> = text.chars().collect();
    for run in chars.chunk_by(|a, b| a == b) {
        let length = if run.len() >= least && run[0].is_alphabetic() { keep } else { run.len() };
        out.extend(&run[..length]);
    }
    out
}

/// The words of a text in order, folded: lower case, ё as е, look-alikes unmasked, apostrophes dropped.
pub fn words(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut word = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'ё' => word.push('е'),
            // A combining mark belongs to its letter; й may come as и with a breve.
            '\u{0306}' if word.ends_with('и') => {
                word.pop();
                word.push('й');
            }
            '\'' | '’' | '`' | 'ʼ' | '\u{0300}'..='\u{036f}' => {}
            c if is_invisible(c) => {}
            c if c.is_alphanumeric() => word.push(c),
            _ => take_word(&mut word, &mut all),
        }
    }
    take_word(&mut word, &mut all);
    all
}

fn take_word(word: &mut String, all: &mut Vec<String>) {
    if !word.is_empty() {
        all.push(unmasked(word));
        word.clear();
    }
}

/// A word that mixes scripts, in Cyrillic, if every Latin letter of it has a Cyrillic look-alike.
fn unmasked(word: &str) -> String {
    let cyrillic = word.chars().any(is_cyrillic);
    if !cyrillic || !word.chars().any(|c| c.is_ascii_alphabetic()) {
        return word.to_owned();
    }
    let mapped: Option<String> =
        word.chars().map(|c| if c.is_ascii_alphabetic() { look_alike(c) } else { Some(c) }).collect();
    mapped.unwrap_or_else(|| word.to_owned())
}

fn look_alike(latin: char) -> Option<char> {
    Some(match latin {
        'a' => 'а',
        'b' => 'в',
        'c' => 'с',
        'e' => 'е',
        'h' => 'н',
        'k' => 'к',
        'm' => 'м',
        'n' => 'п',
        'o' => 'о',
        'p' => 'р',
        'r' => 'г',
        't' => 'т',
        'u' => 'и',
        'x' => 'х',
        'y' => 'у',
        _ => return None,
    })
}

/// Whether a character is a Cyrillic letter.
pub fn is_cyrillic(c: char) -> bool {
    matches!(c, '\u{0400}'..='\u{04ff}')
}

/// Words before whose full stop a sentence goes on.
const ABBREVIATIONS: &[&str] = &[
    "ул",
    "д",
    "г",
    "гг",
    "кв",
    "корп",
    "стр",
    "пр",
    "просп",
    "пер",
    "наб",
    "руб",
    "р",
    "коп",
    "тыс",
    "млн",
    "мин",
    "сек",
    "ч",
    "см",
    "мм",
    "кг",
    "гр",
    "шт",
    "т",
    "е",
    "п",
    "к",
    "др",
    "пр",
    "им",
    "тел",
    "обл",
    "св",
    "стр",
    "рис",
    "напр",
    "эт",
    "под",
    "m",
    "mr",
    "mrs",
    "ms",
    "dr",
    "st",
    "ave",
    "no",
    "e",
    "i",
    "g",
    "vs",
    "approx",
    "tel",
    "min",
    "hrs",
    "etc",
    "pcs",
    "a",
];

/// Splits a text into sentences, each with its end mark. Full stops inside numbers, hosts and after abbreviations
/// don't end one.
pub fn sentences(text: &str) -> Vec<&str> {
    let mut all = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let ends = match c {
            '\n' => true,
            '!' | '?' | '…' | '.' => {
                let next = chars.peek().map(|(_, next)| *next);
                let runs_on = matches!(next, Some('!' | '?' | '.' | '…' | '"' | '»' | '”' | ')'));
                let at_end = next.is_none_or(char::is_whitespace);
                !runs_on && (at_end || c != '.') && !(c == '.' && next.is_some() && is_abbreviation(&text[start..at]))
            }
            '"' | '»' | '”' | ')' => {
                text[start..at].ends_with(['!', '?', '…', '.'])
                    && chars.peek().is_some_and(|(_, next)| next.is_whitespace())
                    && !text[start..at].trim_end_matches('.').is_empty()
                    && next_word_is_capital(&text[at + c.len_utf8()..])
            }
            _ => false,
        };
        if ends {
            push_sentence(&text[start..at + c.len_utf8()], &mut all);
            start = at + c.len_utf8();
        }
    }
    push_sentence(&text[start..], &mut all);
    all
}

fn push_sentence<'a>(sentence: &'a str, all: &mut Vec<&'a str>) {
    let sentence = sentence.trim();
    if !sentence.is_empty() {
        all.push(sentence);
    }
}

fn next_word_is_capital(rest: &str) -> bool {
    rest.chars().find(|c| c.is_alphanumeric()).is_none_or(char::is_uppercase)
}

fn is_abbreviation(before: &str) -> bool {
    let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_lowercase();
    ABBREVIATIONS.contains(&word.as_str())
}

/// Words that carry no subject, folded.
static STOP_WORDS: LazyLock<std::collections::HashSet<&'static str>> = LazyLock::new(|| {
    "а без более больше бы был была были было быть в вам вами вас ваш ваша ваше ваши весь во вообще вот все всего вы где да \
     давайте для до добрый доброе день утро вечер его ее ему если есть еще ж же за зачем здравствуйте здрасте здрасьте и из или им \
     их к как какая какие какое какой какую когда ко кто куда ли либо меня мне мной могу можете можно мой моя мое мои мою мы на \
     надо нам нас наш не него нее нет ни никак но ну нужно о об он она они оно от откуда очень по подскажите пожалуйста под \
     почему при привет про просто раз с сам свой себе сейчас сколько скажите со спасибо так также такой там тебе тебя то того \
     тоже той только том тот тут ты у уже хотел хотела хочу чего чем через что чтобы чтоб чье это этого этой этом этот эта эти эту я \
     будет будут буду ведь вроде типа \
     a about after all also am an and any are as at be been but by can cant could did do does doesnt dont for from get got had \
     has have havent hello hey hi how i id if ill im in is isnt it its ive just know like me my no not of off ok on or our out \
     please so some tell thank thanks that thats the their them then there they this to too up us want was we were what whats \
     when where which who why will with would yes you your yours"
        .split_whitespace()
        .collect()
});

/// Whether a folded word carries no subject.
pub fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.contains(word)
}

static RUSSIAN: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::create(Algorithm::Russian));
static ENGLISH: LazyLock<Stemmer> = LazyLock::new(|| Stemmer::create(Algorithm::English));

/// The stem of a folded word, by the Snowball rules of its script.
pub fn stem(word: &str) -> String {
    if word.chars().any(is_cyrillic) {
        RUSSIAN.stem(word).into_owned()
    } else if word.is_ascii() && word.chars().any(|c| c.is_ascii_alphabetic()) {
        ENGLISH.stem(word).into_owned()
    } else {
        word.to_owned()
    }
}

/// Stems of the words that carry the subject, without repetition, in order.
pub fn content_stems(text: &str) -> Vec<String> {
    let mut stems: Vec<String> = Vec::new();
    for word in words(text).iter().filter(|word| word.chars().count() > 1 && !is_stop_word(word)) {
        let stem = stem(word);
        if !stems.contains(&stem) {
            stems.push(stem);
        }
    }
    stems
}

/// How much two sets of stems share, 0 to 1: shared over the smaller set.
pub fn overlap(a: &[String], b: &[String]) -> f64 {
    let smaller = a.len().min(b.len());
    if smaller == 0 {
        return 0.0;
    }
    let shared = a.iter().filter(|stem| b.contains(stem)).count();
    #[expect(clippy::cast_precision_loss, reason = "counts of words are small")]
    let ratio = shared as f64 / smaller as f64;
    ratio
}

static ASKING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^(?:(?:а|и|но|ну|так|еще|также|здравствуйте|добрый день|добрый вечер|доброе утро|привет|скажите|подскажите|пожалуйста|алло|hi|hello|hey|and|also|but|so|please|ok|okay) )*(?:где|когда|как|какой|какая|какое|какие|какую|каким|сколько|почему|зачем|куда|откуда|кто|чей|что делать|что за|что значит|что с|можно ли|можно|могу ли|могу я|есть ли|нужно ли|надо ли|во сколько|до скольки|до какого|на какой|в какой|в течение какого|за сколько|работаете ли|подскажите|не подскажете|хотел(?:а|и)? (?:бы )?(?:узнать|спросить|уточнить)|хочу (?:узнать|спросить|уточнить)|интересует|интересно|\w+(?:ете|ите|ется|ются|ает|ают|ит|ут|ат|ят) ли|where|when|how|what|which|who|whose|why|can|could|do|does|did|is|are|am|was|were|will|would|should|may|have you|has|tell me|i (?:want|need|would like|d like) to know|id like to know|im wondering|i wonder)\b",
    )
    .expect("the pattern is written here and compiles")
});

/// Whether a sentence asks: by its mark, or by how it begins, since in chats the mark is often left out.
pub fn is_question(sentence: &str) -> bool {
    sentence.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '?').ends_with('?')
        || ASKING.is_match(&words(sentence).join(" "))
}

/// The text with its links made unclickable: a customer's words are read by people of ours.
pub fn defanged(text: &str) -> String {
    static WEB: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?i)(h)tt(ps?)://").expect("the pattern is written here and compiles"));
    static OTHER: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?i)(hxxps?)?://").expect("the pattern is written here and compiles"));
    static BARE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(?i)\b(www|t)\.(\w)").expect("the pattern is written here and compiles"));
    let text = WEB.replace_all(text, "${1}xx${2}://");
    let text = OTHER.replace_all(
        &text,
        |found: &regex::Captures<'_>| {
            if found.get(1).is_some() { found[0].to_owned() } else { "[:]//".to_owned() }
        },
    );
    BARE.replace_all(&text, "$1[.]$2").into_owned()
}

/// Cuts to at most `longest` characters at the end of a word, with an ellipsis where something was cut.
pub fn shortened(text: &str, longest: usize) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= longest {
        return text;
    }
    let end = text.char_indices().nth(longest.saturating_sub(1)).map_or(text.len(), |(at, _)| at);
    let whole = match text[..end].rfind(' ') {
        Some(at) if at > end / 2 && !text[end..].starts_with(' ') => &text[..at],
        _ => &text[..end],
    };
    format!("{}…", whole.trim_end_matches([',', '.', ';', ':', '-', ' ']))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rules_see_through_disguises() {
        assert_eq!(folded("Позовите ОПЕРАТОРА, Ёлки!"), "позовите оператора елки");
        assert_eq!(folded("oпepaтopa"), "оператора", "Latin look-alikes");
        assert_eq!(folded("опе\u{200b}ра\u{00ad}тор"), "оператор", "invisible characters");
        assert_eq!(folded("I don't. You don’t"), "i dont\nyou dont");
        assert!(spellings("позовиииите").contains(&"позовите".to_owned()));
        assert!(spellings("calllll me").contains(&"call me".to_owned()));
        assert!(spellings("ооператтор").contains(&"оператор".to_owned()));
        assert_eq!(spellings("длинный"), ["длинный", "длиный"]);
    }

    #[test]
    fn sentences_end_where_people_end_them() {
        let check = |text: &str, expected: &[&str]| assert_eq!(sentences(text), expected);
        check("Где заказ? Жду!!! Ответьте…", &["Где заказ?", "Жду!!!", "Ответьте…"]);
        check("ул. Льва Толстого, д. 18. Вход со двора", &["ул. Льва Толстого, д. 18.", "Вход со двора"]);
        check(
            "Стоит 3.5 тыс. руб. на myata.example/return сегодня",
            &["Стоит 3.5 тыс. руб. на myata.example/return сегодня"],
        );
        check("one\ntwo. three", &["one", "two.", "three"]);
        check("", &[]);
    }

    #[test]
    fn questions_are_known_without_their_mark() {
        for text in [
            "где мой заказ",
            "Добрый день, подскажите сколько идет доставка",
            "can i pay by card",
            "Едет?",
            "привезут?)",
        ] {
            assert!(is_question(text), "{text}");
        }
        for text in ["Спасибо", "мой заказ не пришёл", "I want my money back", "жду ответа!"]
        {
            assert!(!is_question(text), "{text}");
        }
    }

    #[test]
    fn links_are_defanged() {
        assert_eq!(defanged("см. https://evil.example/a и http://b"), "см. hxxps://evil.example/a и hxxp://b");
        assert_eq!(
            defanged("HTTPS://EVIL tg://resolve www.evil.ru t.me/x"),
            "HxxPS://EVIL tg[:]//resolve www[.]evil.ru t[.]me/x"
        );
    }

    #[test]
    fn long_texts_are_cut_between_words() {
        assert_eq!(shortened("раз два  три", 20), "раз два три");
        assert_eq!(shortened("раз два три четыре", 12), "раз два три…");
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "\\PC*") {
            let folded = folded(&text);
            spellings(&folded);
            content_stems(&text);
            is_question(&text);
            prop_assert!(shortened(&text, 10).chars().count() <= 10);
            let joined: String = sentences(&text).concat().split_whitespace().collect();
            prop_assert_eq!(joined, text.split_whitespace().collect::<String>(), "no word is lost between sentences");
        }

        #[test]
        fn plain_is_final(text in any::<String>()) {
            let once = plain(&text);
            prop_assert_eq!(plain(&once), once.clone());
        }
    }
}
