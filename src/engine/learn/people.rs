//! What customers call themselves: after words of introduction, and where a name stands alone as people sign.

use super::addresses::Found;
use super::given::{is_known, is_patronymic, is_surely};
use super::names::is_common;
use super::places;
use super::reading::{Reading, Sentence, Token, one_of};
use super::said::{LIKELY, Said};
use super::signatures::{alone, in_full, signed, small};
use super::values;

/// The name in a message: a strong introduction before a weak one before a signature.
pub(super) fn read(reading: &Reading<'_>, streets: &[Found], said: &mut Said) {
    if only_thanks(reading) {
        return;
    }
    let of = |find: &dyn Fn(&Sentence<'_>) -> Option<String>| reading.sentences.iter().find_map(find);
    let found = form(reading)
        .or_else(|| of(&introduced))
        .or_else(|| {
            reading.sentences.iter().enumerate().find_map(|(at, sentence)| {
                let first = reading.sentences[..at].iter().all(only_greets);
                weakly(sentence, first, at + 1 == reading.sentences.len())
            })
        })
        .or_else(|| signed(reading))
        .or_else(|| alone(reading))
        .or_else(|| of(&in_full))
        .or_else(|| small(reading));
    let found = found.filter(|name| !is_beside_street(reading, streets, name) && !is_firm(reading, name));
    let found = found.map(|name| with_surname(reading, &name).unwrap_or(name));
    if let Some(value) = found.and_then(|name| values::canonical("name", &name)) {
        said.add("name", value, LIKELY);
    }
}

/// "Thank you, Megan": whom they thank, where nothing else is said.
fn only_thanks(reading: &Reading<'_>) -> bool {
    let words: Vec<&str> = reading.sentences.iter().flat_map(|sentence| sentence.folded.split_whitespace()).collect();
    words.len() < 7 && words.first().is_some_and(|first| one_of("thanks thank thx cheers ta спасибо", first))
}

/// "15520 County Road 9, Spencer", "14 Bishop Street, Victoria Island, Lagos": what follows a street may be a part of town or
/// the town, whoever has that name; a part of the street is none.
fn is_beside_street(reading: &Reading<'_>, streets: &[Found], name: &str) -> bool {
    let after = |street: &Found| {
        let text = reading.sentences[street.sentence].text;
        let rest = &text[street.end..];
        let from = rest.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, ',' | '.' | ' '));
        let within = text.find(name).is_some_and(|at| street.start <= at && at < street.end);
        let next = from.strip_prefix(name).filter(|_| rest[..rest.len() - from.len()].contains(','));
        let first = name.split(' ').next().unwrap_or_default().to_lowercase();
        let town = next.is_some_and(|next| {
            if name.contains(' ') {
                !is_known(&first) || next.strip_prefix(", ").is_some_and(|next| next.starts_with(char::is_uppercase))
            } else {
                !next.trim_start().starts_with(char::is_alphanumeric)
            }
        });
        within || town
    };
    name.chars().all(|c| !crate::engine::words::is_cyrillic(c)) && streets.iter().any(after)
}

/// "Customer: Nordwind Hausverwaltung GmbH": what a legal form follows is no person.
fn is_firm(reading: &Reading<'_>, name: &str) -> bool {
    const FORMS: &str = "ltd limited llc llp gmbh inc plc bv co cic cc ab ag oy kg sa srl pty pvt sp uab sia doo";
    let followed = |rest: &str| {
        let next = rest.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty()).unwrap_or_default();
        rest.starts_with([' ', ',']) && next.starts_with(char::is_uppercase) && one_of(FORMS, &next.to_lowercase())
    };
    reading.sentences.iter().any(|sentence| sentence.text.split(name).skip(1).any(followed))
}

/// "It's Dieter again, Dieter Haubold": the name with its surname, where that is a clause of the same message.
fn with_surname(reading: &Reading<'_>, name: &str) -> Option<String> {
    let clauses = reading.sentences.iter().flat_map(Sentence::clauses);
    let whole =
        clauses.filter(|clause| clause.len() == 2 && clause[0].text == name).find_map(|clause| only_name(clause, true));
    whole.filter(|_| !name.contains(' '))
}

/// Words after which a name stands, whatever the case of its letters.
#[rustfmt::skip]
const STRONG: [&[&str]; 36] = [
    &["вами", "говорит"], &["говорит"],
    &["меня", "зовут"], &["зовут", "меня"], &["мое", "имя"], &["имя", "мое"], &["меня", "звать"], &["звать", "меня"], &["зовите", "меня"], &["обращайтесь", "ко", "мне"], &["пишет", "вам"], &["вам", "пишет"], &["вас", "беспокоит"],
    &["беспокоит", "вас"], &["my", "name", "is"], &["my", "name's"], &["my", "name"], &["name's"], &["the", "name", "is"], &["the", "name's"], &["call", "me"],
    &["menya", "zovut"], &["ask", "for"], &["контактное", "лицо"], &["contact", "person"], &["contact", "is", "me"], &["my", "full", "name", "is"], &["you", "can", "call", "me"], &["i", "am", "called"], &["im", "called"], &["зовусь"], &["myself"], &["just", "me"], &["i", "go", "by"], &["name", "on", "the", "order", "is"], &["name", "on", "it", "is"],
];

/// Words of a form before a name.
#[rustfmt::skip]
const LABELS: [&str; 18] = ["surname", "фамилия", "получатель", "получательница", "имя", "фио", "контакт", "заказчик", "покупатель", "клиент", "зовут", "name", "recipient", "customer", "беспокоит", "председатель", "на имя", "получателем"];

fn starts(tokens: &[Token<'_>], words: &[&str]) -> bool {
    tokens.len() >= words.len() && tokens.iter().zip(words).all(|(token, word)| token.low.replace('’', "'") == *word)
}

fn introduced(sentence: &Sentence<'_>) -> Option<String> {
    let tokens = &sentence.tokens;
    for at in 0..tokens.len() {
        let Some(words) = STRONG.iter().find(|words| starts(&tokens[at..], words)) else { continue };
        let before = at.checked_sub(1).map_or("", |before| tokens[before].low.as_str());
        let denied = one_of(
            "не not никто курьера мужа жену сына дочь маму его ее их her his their don't you they people always",
            before,
        );
        // "Call me Ann" and "call me tomorrow", "ask for a refund": only what looks like a name.
        let doubtful = matches!(
            words[0],
            "myself" | "just" | "call" | "ask" | "говорит" | "вами" | "обращайтесь" | "зовите" | "you"
        ) || *words == ["my", "name"];
        let mut rest = &tokens[at + words.len()..];
        while rest.first().is_some_and(|token| {
            matches!(token.text, ":" | "-" | "–" | "—" | ",") || matches!(token.low.as_str(), "просто" | "is" | "вас")
        }) {
            rest = &rest[1..];
        }
        // "You've spelt my name Katharine, it's Catherine".
        let spelt = words[0] == "my"
            && tokens[..at].iter().rev().take(3).any(|token| {
                one_of(
                    "spelt spelled misspelt misspelled wrote written printed put got have had change changed",
                    &token.low,
                )
            });
        // Who is to be asked for at the door may be anybody.
        let at_door = words[0] == "ask"
            && [" deliver ", " said ", " told ", " there is no ", " gate ", " reception ", " desk "]
                .iter()
                .any(|word| sentence.folded.contains(word));
        if !denied
            && !spelt
            && !at_door
            && let Some(name) = name_after(rest, !doubtful)
        {
            return Some(name);
        }
    }
    // «Меня Василиса зовут».
    let between = tokens.iter().position(|token| token.low == "зовут").filter(|at| *at > 1);
    if let Some(at) = between
        && let Some(from) = tokens[..at].iter().rposition(|token| token.low == "меня").filter(|from| from + 4 > at)
        && let Some(name) = name_after(&tokens[from + 1..at], true)
    {
        return Some(name);
    }
    labelled(sentence).or_else(|| reversed(sentence))
}

/// «Пелагея я», "Jasur menya zovut": the name before.
fn reversed(sentence: &Sentence<'_>) -> Option<String> {
    let tokens = &sentence.tokens;
    (1..tokens.len()).find_map(|at| {
        let words: &[&[&str]] = &[
            &["меня", "зовут"],
            &["menya", "zovut"],
            &["is", "the", "name"],
            &["is", "my", "name"],
            &["the", "name"],
            &["я"],
        ];
        let told = words.iter().find(|words| starts(&tokens[at..], words))?;
        let ends = tokens.get(at + told.len()).is_none_or(Token::divides);
        let from = tokens[..at].iter().rposition(Token::divides).map_or(0, |before| before + 1);
        let run = &tokens[from..at];
        let sure = told.len() > 1 || run.iter().any(|token| is_known(&token.low));
        // "Opal Tidwell's the name".
        let bare = |name: String| name.strip_suffix("'s").or(name.strip_suffix("’s")).unwrap_or(&name).to_owned();
        only_name(run, sure).filter(|_| ends).map(bare)
    })
}

/// A form with the parts of a name on lines of their own.
fn form(reading: &Reading<'_>) -> Option<String> {
    let part = |labels: &str| {
        reading.sentences.iter().find_map(|sentence| {
            let [label, colon, rest @ ..] = sentence.tokens.as_slice() else { return None };
            let labels = one_of(labels, &label.low) && matches!(colon.text, ":" | "-" | "—" | "–");
            let end = rest.iter().position(Token::divides).unwrap_or(rest.len());
            labels.then(|| only_name(&rest[..end], true)).flatten()
        })
    };
    let surname = part("фамилия surname")?;
    let all: Vec<String> = [part("имя name forename"), part("отчество"), Some(surname)].into_iter().flatten().collect();
    Some(all.join(" "))
}

/// «Получатель: Ждан Остапенко», «Зовут Мирон», "Name: Ann".
fn labelled(sentence: &Sentence<'_>) -> Option<String> {
    let tokens = &sentence.tokens;
    for (at, token) in tokens.iter().enumerate() {
        let begins = at == 0 || tokens[at - 1].divides() || token.low == "председатель";
        if !begins || !LABELS.contains(&token.low.as_str()) {
            continue;
        }
        let mut rest = &tokens[at + 1..];
        let divided = rest.first().is_some_and(|token| matches!(token.text, ":" | "-" | "–" | "—"));
        if divided {
            rest = &rest[1..];
        } else if matches!(token.low.as_str(), "имя" | "name" | "surname" | "фамилия") {
            let told = rest.first().is_some_and(Token::is_capital)
                && rest.get(1).is_none_or(Token::divides)
                && (at > 0 || !matches!(token.low.as_str(), "имя" | "name"));
            if !told {
                continue;
            }
        } else if !matches!(token.low.as_str(), "зовут" | "беспокоит" | "председатель") {
            continue;
        }
        if let Some(name) = name_after(rest, false) {
            return Some(name);
        }
    }
    None
}

/// Words that are never a name though nothing else is known of them.
pub(super) const NEVER: &str = "карта карты банк visa mastercard card lane street road avenue crescent terrace grove mews заказ номер хочу купил купила заказал заказала заказывал заказывала из и я мой моя а но на по пишу живу \
     тел телефон почта снова опять ваш ваша нет да это проблема order and from i my the a an in is here again \
     phone email mail number town city living live when tomorrow please but for at on with звоните звонить \
     вчера сегодня недавно товарищ гражданин dear welcome hello уважаемая уважаемый дорогая дорогой милая \
     thanks cheers thx hugs ltd llc llp inc plc gmbh limited co county dept department school academy college university hospital clinic hotel nursery team flat nobody somebody someone anyone everyone everybody thank best kind merry happy regards ask tell see chat bot wrong mud spelled spelt misspelled";

/// One to three words of a name, in any letters where `any_case`; with initials.
fn name_after(tokens: &[Token<'_>], any_case: bool) -> Option<String> {
    let mut words: Vec<String> = Vec::new();
    let mut at = 0;
    // A title before it.
    while tokens.get(at).is_some_and(|token| is_title(&token.low)) {
        at += 1;
        if tokens.get(at).is_some_and(|token| token.text == ".") {
            at += 1;
        }
    }
    while let Some(token) = tokens.get(at).filter(|_| words.len() < 5) {
        let initial = token.is_capital()
            && token.text.chars().count() == 1
            && !words.is_empty()
            && tokens.get(at + 1).is_some_and(|next| next.text == ".");
        let shouted = token.text.chars().count() > 1 && token.text.chars().all(char::is_uppercase);
        let looks = (token.is_capital() && !shouted)
            || (shouted
                && (is_known(&token.low) || !words.is_empty() && (is_patronymic(&token.low) || token.is_latin())));
        let lower = (any_case || !words.is_empty() && is_patronymic(&token.low))
            && !token.is_capital()
            && (words.is_empty() || is_known(&token.low) || is_patronymic(&token.low));
        let known_lower = !token.is_capital() && words.is_empty() && is_known(&token.low);
        let never =
            one_of(NEVER, &token.low) || is_common(token.text) || token.text.chars().any(|c| c.is_ascii_digit());
        let city_after =
            !words.is_empty() && !is_known(&token.low) && !is_patronymic(&token.low) && places::is_city(&token.low);
        if initial {
            words.push(format!("{}.", token.text));
            at += 2;
            continue;
        }
        // "Joost van der Velden", "Fatima al-Hashimi".
        if !words.is_empty() && is_particle(tokens, at) {
            words.push(token.text.to_owned());
            at += 1;
            continue;
        }
        // «ann.smith@…»: the next mark stands at the word and is followed at once.
        let in_mailbox = tokens.get(at + 1).is_some_and(|next| {
            matches!(next.text, "." | "@" | "_")
                && next.start == token.end
                && tokens
                    .get(at + 2)
                    .is_some_and(|after| after.start == next.end && (next.text != "." || after.is_word()))
        });
        if !token.is_word()
            || in_mailbox
            || never
            || city_after
            || !(looks || lower || known_lower)
            || token.text.chars().count() < 2
        {
            break;
        }
        words.push(capitalised(token.text, shouted || !token.is_capital()));
        at += 1;
    }
    let first = words.first()?;
    let low = first.to_lowercase().replace('ё', "е");
    // In small letters only what is known to be a name, or one word that then ends.
    let ends = tokens.get(at).is_none_or(|next| next.divides() || one_of(NEVER, &next.low));
    let small = tokens.first().is_some_and(|token| !token.is_capital());
    (!small || is_known(&low) || (ends && words.len() == 1 && low.chars().count() > 2)).then(|| joined(&words))
}

/// What stands small between a given name and a surname, and the surname that begins with it.
fn is_particle(tokens: &[Token<'_>], at: usize) -> bool {
    let bound = |low: &str| ["al-", "el-", "ben-"].iter().any(|start| low.starts_with(start));
    bound(&tokens[at].low)
        || one_of("van von der den de del della di da dos du la le bin ibn bint ter ten", &tokens[at].low)
            && tokens[at + 1..].iter().take(2).any(|next| next.is_capital() && !one_of(NEVER, &next.low))
}

fn joined(words: &[String]) -> String {
    words.join(" ").replace('.', "")
}

fn is_title(low: &str) -> bool {
    one_of(
        "mr mrs ms miss ing mag herr frau dr prof sir madam lt col maj major colonel captain sgt rev revd г-н г-жа господин госпожа cdr capt мама папа",
        low,
    )
}

pub(super) fn capitalised(word: &str, change: bool) -> String {
    if !change {
        return word.to_owned();
    }
    let mut chars = word.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars.as_str().to_lowercase().chars()).collect())
}

/// "Hiya.", "Good morning."
fn only_greets(sentence: &Sentence<'_>) -> bool {
    let greets =
        |token: &Token<'_>| token.divides() || is_opening(&token.low) || one_of("there good all both", &token.low);
    sentence.tokens.len() < 6 && sentence.tokens.iter().all(greets)
}

/// "It's doreen pickersgill here": what follows a known name in small letters, where the customer speaks.
fn small_surname(rest: &[Token<'_>], name: &str) -> Option<String> {
    let [first, surname, here, ..] = rest else { return None };
    let small =
        |token: &Token<'_>| token.is_word() && !token.is_capital() && token.text.chars().all(char::is_alphabetic);
    let told = one_of("here speaking again", &here.low);
    (!name.contains(' ') && is_surely(&first.low) && small(first) && small(surname) && told && !is_common(surname.text))
        .then(|| format!("{name} {}", capitalised(surname.text, true)))
}

/// Words that people put before they say who they are.
const BEFORE_ONESELF: &str =
    "и and а love dear um uh yeah yep nah okay ok well sir madam there again mate lads all team";

/// «Я Анна», «это Анна», "I'm Ann", "Ann here", "this is Ann": a known name, or a capital that nothing speaks against.
fn weakly(sentence: &Sentence<'_>, first: bool, last: bool) -> Option<String> {
    let tokens = &sentence.tokens;
    for at in 0..tokens.len() {
        let low = tokens[at].low.replace('’', "'");
        let next = tokens.get(at + 1).map(|token| token.low.as_str()).unwrap_or_default();
        let taken = match (low.as_str(), next) {
            ("i", "am") | ("this" | "it" | "here", "is") | ("is", "me") => 2,
            ("i'm" | "im" | "it's" | "its" | "я" | "это" | "here's", _) => 1,
            _ => 0,
        };
        if taken == 0 || sentence.asks && low != "я" && low != "i'm" {
            continue;
        }
        let before = at.checked_sub(1).map(|before| &tokens[before]);
        let begins = before
            .is_none_or(|before| before.divides() || is_opening(&before.low) || one_of(BEFORE_ONESELF, &before.low));
        let mut rest = &tokens[at + taken..];
        while rest.first().is_some_and(|token| {
            matches!(
                token.low.as_str(),
                "снова"
                    | "опять"
                    | "вновь"
                    | "again"
                    | "me"
                    | "мама"
                    | "—"
                    | "–"
                    | "-"
                    | "ваша"
                    | "ваш"
                    | "the"
                    | "девочки"
                    | "same"
                    | "uh"
                    | "um"
                    | "er"
            )
        }) {
            rest = &rest[1..];
        }
        let Some(name) = name_after(rest, false).filter(|_| begins) else { continue };
        if let Some(whole) = small_surname(rest, &name) {
            return Some(whole);
        }
        let words: Vec<String> = name.split(' ').map(|word| word.to_lowercase().replace('ё', "е")).collect();
        let after = rest.get(words.len());
        let known = words.iter().any(|word| is_known(word)) || words.iter().any(|word| is_patronymic(word));
        let ends = after.is_none_or(|after| {
            (after.divides() && after.text != "?")
                || one_of(
                    "и из of and from по снова опять again here speaking out over if если вчера сегодня купил \
                     купила заказал заказала about in with order заказ пенсионер by btw кстати um uh erm er i at my we writing typing calling",
                    &after.low,
                )
        });
        let capital = rest.first().is_some_and(Token::is_capital);
        let place = words.len() == 1 && places::is_city(&words[0]) && !known;
        let said_early = first || last || !matches!(low.as_str(), "it's" | "its" | "it");
        let told = (known && said_early && (ends || first && capital && matches!(low.as_str(), "я" | "i'm" | "i")))
            || (capital && words.len() > 1 && ends && low.starts_with('i') && low != "it's" && low != "its");
        let this_is = low == "this"
            && first
            && capital
            && ends
            && words[0].chars().count() > 2
            && !super::goods::is_goods(&words[0]);
        let it_is = matches!(low.as_str(), "it's" | "its" | "it" | "это")
            && (first || last && at == 0)
            && capital
            && ends
            && words[0].chars().count() > 2
            && (words.len() > 1 || !places::is_city(&words[0]))
            && !one_of(NO_PERSON, &words[0])
            && !words.last().is_some_and(|last| one_of("day night week time season", last))
            && !super::goods::is_goods(&words[0]);
        let twice = this_is
            || it_is
            || matches!(low.as_str(), "я" | "i'm" | "i" | "im") && capital && ends && words[0].chars().count() > 2;
        let titled =
            rest.first().is_some_and(|token| is_title(&token.low) && token.is_capital()) && ends_after_title(rest);
        if (told || twice || titled)
            && !place
            && !is_people(&words[0])
            && (words.len() > 1 || !is_mood(&words[0]))
            && !is_famous(&words)
        {
            return Some(name);
        }
    }
    None
}

fn ends_after_title(rest: &[Token<'_>]) -> bool {
    rest.iter().skip(1).any(Token::is_capital)
}

/// Days, months and feasts are written with a capital.
pub(super) const NO_PERSON: &str = "monday tuesday wednesday thursday friday saturday sunday january february march april may june july \
     august september october november december christmas easter понедельник вторник среда четверг пятница суббота \
     воскресенье безобразие поселок село деревня город улица проспект область район станица хутор переулок";

/// Words of a mood or a judgement, which some write with a capital.
fn is_mood(low: &str) -> bool {
    one_of(
        "furious livid done sorry happy sad angry shocked lost confused tired sick ready late busy deaf blind vegan fine fuming \
         disgusted disappointed waiting back home out off madness nonsense rubbish theft robbery urgent insane crazy",
        low,
    ) || ["ous", "ful", "less", "ness", "able", "ible", "ing"].iter().any(|end| low.ends_with(end)) && !is_known(low)
}

/// What one may be and not be called: peoples, faiths, trades.
fn is_people(low: &str) -> bool {
    one_of(
        "russian german english american french italian polish ukrainian british indian chinese turkish \
         team virgo leo aries taurus gemini cancer libra scorpio sagittarius capricorn aquarius pisces batman superman дева \
         овен телец рак весы скорпион стрелец козерог водолей рыбы spanish muslim christian orthodox catholic jewish dutch irish scottish welsh groot spiderman sherlock русский русская",
        low,
    )
}

/// Who is nobody's customer: "and I'm Elvis Presley".
pub(super) fn is_famous(words: &[String]) -> bool {
    let name = words.join(" ");
    [
        "elvis",
        "spartacus",
        "batman",
        "superman",
        "sherlock",
        "santa",
        "napoleon",
        "father christmas",
        "cleopatra",
        "king charles",
        "einstein",
        "james bond",
        "beyonce",
    ]
    .iter()
    .any(|famous| name.starts_with(famous))
}

pub(super) fn is_opening(low: &str) -> bool {
    one_of(
        "здравствуйте здраствуйте здрасте привет приветствую день вечер утро hello hi hey hiya morning \
         evening afternoon oi yo йоу алло хай so but ну спасибо thanks девушка доброе добрый",
        low,
    )
}

/// "She's Deirdre": a pronoun with its verb begins no name.
fn is_of_others(low: &str) -> bool {
    one_of("she's he's it's who's that's they're i'm we're you're i've we've there's here's let's name's", low)
}

/// "Pieter ter Horst": a name where the words without what stands small between are one.
fn with_particles(clause: &[Token<'_>], expected: bool) -> Option<String> {
    let bare: Vec<Token<'_>> = clause
        .iter()
        .enumerate()
        .filter(|(at, _)| *at == 0 || *at + 1 == clause.len() || !is_particle(clause, *at))
        .map(|(_, token)| token.clone())
        .collect();
    let plain = bare.len() > 1 && clause.len() < 6 && clause.iter().all(Token::is_word);
    let whole = || clause.iter().map(|token| token.text).collect::<Vec<_>>().join(" ");
    plain.then(|| only_name(&bare, expected)).flatten().map(|_| whole())
}

/// The name that a clause is, and nothing else; an unknown one in capitals only where `expected`.
pub(super) fn only_name(clause: &[Token<'_>], expected: bool) -> Option<String> {
    if clause.len() > 2 && (1..clause.len() - 1).any(|at| is_particle(clause, at)) {
        return with_particles(clause, expected);
    }
    let mut tokens: Vec<&Token<'_>> = clause.iter().filter(|token| token.text != ".").collect();
    let titled = tokens.first().is_some_and(|token| is_title(&token.low) && token.is_capital());
    tokens.retain(|token| !is_title(&token.low));
    let all_names = tokens
        .iter()
        .all(|token| token.is_capital() && token.is_word() && !is_common(token.text) && !one_of(NEVER, &token.low));
    let short = tokens.iter().all(|token| token.text.chars().count() < 2)
        || tokens.iter().any(|token| is_of_others(&token.low.replace('’', "'")));
    if tokens.is_empty() || tokens.len() > 3 || !all_names || short {
        return None;
    }
    let lows: Vec<&str> = tokens.iter().map(|token| token.low.as_str()).collect();
    let first_known = is_known(lows[0]);
    let known = if lows.len() == 1 {
        is_surely(lows[0])
    } else {
        lows.iter().any(|low| is_known(low)) || lows.iter().any(|low| is_patronymic(low))
    };
    let city = places::is_city(&lows.join(" ")) || (lows.len() == 1 && places::is_city(lows[0]) && !first_known);
    let believed = (known || titled || expected) && !city && !(lows.len() == 1 && is_patronymic(lows[0]) && !expected);
    let shouted = |token: &&&Token<'_>| token.text.chars().count() > 1 && token.text.chars().all(char::is_uppercase);
    let all_shouted = tokens.len() > 1 && tokens.iter().all(|token| shouted(&token));
    let acronym = !(all_shouted && (first_known || lows.iter().any(|low| is_patronymic(low))))
        && tokens.iter().any(|token| shouted(&token) && !is_known(&token.low));
    (believed && !acronym).then(|| {
        tokens
            .iter()
            .map(|token| {
                capitalised(token.text, token.text.chars().all(char::is_uppercase) && token.text.chars().count() > 1)
            })
            .collect::<Vec<_>>()
            .join(" ")
    })
}
