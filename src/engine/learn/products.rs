//! What a customer has bought or ordered from us: a name of goods where the message says that it was bought, not asked about.

use std::sync::LazyLock;

use regex::Regex;

use super::constraints::is_constraint;
use super::goods::{is_doubtful, is_goods, is_pair};
use super::phrases::is_determiner;
use super::reading::{Reading, Sentence, Token, one_of};
use super::said::{LIKELY, Said, pattern};
use super::unnamed::unknown;
use super::{cities, doubts, values, wares};
use crate::engine::words::{is_cyrillic, is_stop_word, stem, words};

/// Most products that a message is believed to name.
const MOST: usize = 3;

/// Words that say that it was bought, received or ordered, folded.
pub(super) static BOUGHT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:заказал[аи]?|заказывал[аи]?|заказали|заказывали|купил[аи]?|купили|покупал[аи]?|покупали|приобрел[аи]?|приобрели|приобретен\S*|куплен\S*|взял[аи]?|взяли|брал[аи]?|брали|получил[аи]?|получили|забрал[аи]?|забрали|оформил[аи]?|оформили|оформлял[аи]?|оплатил[аи]?|оплатили|привезли|доставили|прислали|пришел|пришла|пришло|пришли|приехал|приехала|приехало|приехали|заказан\S*|оплачен\S*|выкупил[аи]?) ",
    )
});

/// Words that say so of the goods themselves, without a verb of buying.
static THEIRS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:где (?:же )?(?:мо[йяеи]|наш\S*)|верните деньги|вернуть деньги|деньги за|жду|ждем|ожидаю|не приш(?:ел|ла|ло|ли)|не приехал\S*|не привезли|не доставили|не довезли|везите|привезите|перенес\S+|доставк\S+ (?:\S+ )?(?:на|перенес)|сломал\S*|сломан\S*|не работает|не включает\S*|не открывает\S*|теч[её]т|треснул\S*|трещин\S+|брак\S*|порван\S*|разбит\S*|поцарапан\S*|по гарантии|на гарантии|гарантийн\S+|сдох\S*|глохнет|скрипит|не подош\S+|не подходит|не греет|замерз\S+|растаял\S*|гудит|шумит|чек на|чек от|поменять|обменять|сдать|отремонтировать|починить|заменить|на ремонт|отмен\S+|вместо) ",
    )
});

/// The products in a message.
pub(super) fn read(reading: &Reading<'_>, has_order: bool, said: &mut Said) {
    let whole = reading.folded();
    if is_english(&whole) {
        if has_order || !reading.tells_of_others() {
            read_english(reading, has_order, said);
        }
        return;
    }
    if doubts::of_message(reading) && !has_order {
        return;
    }
    let mut count = 0;
    let told = has_order || BOUGHT.is_match(&whole) || THEIRS.is_match(&whole);
    for sentence in &reading.sentences {
        let bought = BOUGHT.is_match(&sentence.folded);
        let named = has_order
            && (sentence.tokens.iter().any(|token| {
                token.text.chars().filter(char::is_ascii_digit).count() >= 5 && !token.text.starts_with('8')
            }) || [" заказ ", " заказе ", " заказа ", " заказу ", " zakaz "]
                .iter()
                .any(|word| sentence.folded.contains(word)));
        let theirs = THEIRS.is_match(&sentence.folded);
        // «Мне нельзя молоко», "I'm in a wheelchair": what must be minded is not what was bought.
        if !bought && is_constraint(sentence) {
            continue;
        }
        if let Some(value) = labelled(sentence).and_then(|product| values::canonical("product", &product)) {
            said.add("product", value, LIKELY);
            continue;
        }
        let listed_once = said.has("product") && !bought;
        if listed_once || doubts::of_sentence(sentence, bought, named) {
            continue;
        }
        for product in found(sentence, Evidence { bought, named, theirs, has_order, told }) {
            if count < MOST
                && !is_within(&product, said)
                && !said.facts.iter().any(|fact| fact.key == "name" && fact.value == product)
                && let Some(value) = values::canonical("product", &product)
            {
                let before = said.facts.len();
                said.add("product", value, LIKELY);
                count += said.facts.len() - before;
            }
        }
    }
}

/// Whether a message, folded, is neither Russian nor Russian in Latin letters.
fn is_english(folded: &str) -> bool {
    let words = words(folded);
    let russian = |word: &String| word.chars().count() > 1 && word.chars().all(is_cyrillic);
    let transliterated = |word: &String| {
        ["zakaz", "zdravst", "kupil", "menya", "privez", "nomer"].iter().any(|start| word.starts_with(start))
    };
    !words.iter().any(russian)
        && (words.iter().any(|word| one_of("the and my is from write", word)) || !words.iter().any(transliterated))
}

/// What is labelled, or tied to a purchase of theirs.
fn read_english(reading: &Reading<'_>, has_order: bool, said: &mut Said) {
    let labelled = reading.sentences.iter().filter_map(labelled);
    let all: Vec<String> = labelled.chain(wares::bought(reading, has_order)).collect();
    for product in all.into_iter().take(MOST) {
        let is_name = said.facts.iter().any(|fact| fact.key == "name" && fact.value == product);
        if let Some(value) = values::canonical("product", &product).filter(|_| !is_name && !is_within(&product, said)) {
            said.add("product", value, LIKELY);
        }
    }
}

/// «Товар: робот-мойщик окон Hobot», as people fill in a form.
fn labelled(sentence: &Sentence<'_>) -> Option<String> {
    let colon = sentence.tokens.iter().take(7).position(|token| token.text == ":")?;
    let (label, rest) = (&sentence.tokens[..colon], &sentence.tokens[colon + 1..]);
    // "2. What came: …", "(3) Item received: 40 …".
    let number = label.iter().take_while(|token| !token.is_word()).count();
    let is_label = match &label[number..] {
        [one] => one_of("товар изделие наименование позиция покупка item product goods purchase", &one.low),
        [item, received] => {
            one_of("item product goods what", &item.low) && one_of("received ordered bought came name", &received.low)
        }
        _ => false,
    };
    let rest = &rest[rest.iter().take_while(|token| is_determiner(token)).count()..];
    let end = rest.iter().take(7).take_while(|token| !matches!(token.text, "," | ";" | "." | "(" | "—")).count();
    let (first, last) = (rest.first()?, rest.get(end.max(1) - 1)?);
    (is_label && first.is_word() && !sentence.asks).then(|| sentence.text[first.start..last.end].to_owned())
}

/// Whether a name of goods only repeats one that is known already.
fn is_within(product: &str, said: &Said) -> bool {
    let stems = |text: &str| words(text).iter().map(|word| stem(word)).collect::<Vec<_>>();
    let new = stems(product);
    said.facts.iter().any(|fact| {
        let known = stems(&fact.value);
        fact.key == "product" && new.iter().all(|word| known.contains(word))
    })
}

/// What in the message says that something was bought.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is a finding of its own")]
pub(super) struct Evidence {
    /// The sentence says so.
    pub(super) bought: bool,
    /// An order's number stands in the sentence.
    pub(super) named: bool,
    /// The sentence speaks of goods as theirs.
    pub(super) theirs: bool,
    /// An order's number stands in the message.
    pub(super) has_order: bool,
    /// Something in the message says so.
    pub(super) told: bool,
}

fn found(sentence: &Sentence<'_>, evidence: Evidence) -> Vec<String> {
    let tokens = &sentence.tokens;
    let mut all: Vec<(usize, usize)> = Vec::new();
    for at in 0..tokens.len() {
        if all.last().is_some_and(|(_, end)| at < *end) {
            continue;
        }
        if let Some((begin, end)) =
            known(tokens, at, sentence, evidence).or_else(|| unknown(tokens, at, evidence, sentence))
        {
            let overlaps = all.last().is_some_and(|(_, last)| begin < *last);
            if !overlaps {
                all.push((begin, end));
            }
        }
    }
    // One thing is spoken of, unless they are listed side by side.
    let mut kept: Vec<(usize, usize)> = Vec::new();
    for (begin, end) in ordered(tokens, all) {
        let listed = kept.last().is_some_and(|(_, last)| {
            let between = &tokens[*last..begin];
            let and =
                between.iter().any(|token| matches!(token.low.as_str(), "и" | "and" | "&" | "+" | "плюс" | "plus"));
            let comma = between.iter().any(|token| token.text == ",");
            let ends =
                tokens.get(end).is_none_or(|token| token.divides() || matches!(token.low.as_str(), "и" | "and" | "&"));
            between.len() <= 3 && (and || comma && ends)
        });
        if kept.is_empty() || listed {
            kept.push((begin, end));
        }
    }
    kept.into_iter().map(|(begin, end)| written(sentence, &tokens[begin..end])).collect()
}

/// Of «платье вместо пальто» the coat was ordered.
fn ordered(tokens: &[Token<'_>], all: Vec<(usize, usize)>) -> Vec<(usize, usize)> {
    let instead = |begin: usize| begin > 0 && tokens[begin - 1].low == "вместо";
    match all.iter().find(|(begin, _)| instead(*begin)) {
        Some(wanted) => vec![*wanted],
        None => all,
    }
}

fn written(sentence: &Sentence<'_>, run: &[Token<'_>]) -> String {
    match (run.first(), run.last()) {
        (Some(first), Some(last)) => sentence.text[first.start..last.end].trim().to_owned(),
        _ => String::new(),
    }
}

/// Words before goods that make them a part, a purpose or a place.
const NOT_AFTER: &str =
    "нет нету для с со без к под между ваш какой-то этот каждой любой никакой никакого никакую второй каждую";

/// Goods that are known by name, with the words that belong to them.
fn known(tokens: &[Token<'_>], at: usize, sentence: &Sentence<'_>, evidence: Evidence) -> Option<(usize, usize)> {
    let head = &tokens[at];
    let low = head.low.as_str();
    // «Постельное бельё»: what follows names it.
    let adjective = ["ое", "ая", "ые"].iter().any(|end| low.ends_with(end));
    if adjective && tokens.get(at + 1).is_some_and(|next| is_goods(&next.low)) {
        return None;
    }
    let pair = at > 0 && is_pair(&tokens[at - 1].low, low);
    let hyphened = low.contains('-') && low.split('-').next().is_some_and(is_goods) && low.chars().any(is_cyrillic);
    if !head.is_word() || !(is_goods(low) || pair || hyphened) || super::given::is_surely(low) && head.is_capital() {
        return None;
    }
    let of_part = tokens.get(at + 1).is_some_and(|next| matches!(next.low.as_str(), "от" | "для"))
        && tokens.get(at + 2).is_some_and(|next| is_goods(&next.low) || next.is_latin());
    if of_part {
        return None;
    }
    let (begin, end) = if head.is_latin() { latin_phrase(tokens, at) } else { russian_phrase(tokens, at) };
    let before = begin.checked_sub(1).map(|place| tokens[place].low.as_str()).unwrap_or_default();
    let branded = tokens[begin..end]
        .iter()
        .any(|token| token.is_latin() && token.is_capital() || matches!(token.text, "«" | "»"))
        || tokens[begin..end].iter().skip(1).any(|token| token.is_word() && token.is_capital());
    let modifies = one_of(NOT_AFTER, before) && !(before == "ваш" && evidence.bought);
    let for_order = before == "на"
        && evidence.named
        && tokens[..begin].iter().rev().take(4).any(|token| ["заказ"].iter().any(|start| token.low.starts_with(start)));
    let about = matches!(before, "в" | "на" | "о" | "об" | "из") && !for_order;
    if modifies
        || (about && !branded && !evidence.bought)
        || (about && before == "в")
        || before == "из"
        || before == "не"
        || follows_no_thing(tokens, begin)
        || doubts::of_clause(sentence, begin, end, evidence)
    {
        return None;
    }
    if is_service(low)
        && matches!(before, "на" | "в" | "по" | "под" | "после" | "от" | "заявка")
        && !(before == "на" && tokens[..begin].iter().any(|token| token.low.starts_with("заявк")))
    {
        return None;
    }
    let begins = begin == 0 || tokens[begin - 1].divides();
    let clause_alone = (begins || tokens[begin - 1].is_number()) && tokens.get(end).is_none_or(Token::divides);
    let mine = one_of("мой моя мое мои мою наш наша нашу наше", before);
    let told_apart = branded || clause_alone || mine && end - begin > 1;
    let doubtful = is_doubtful(low) && !told_apart;
    let broken = begins && tokens.get(end).is_some_and(|token| token.low != ",") && !sentence.asks;
    let strong = evidence.bought || evidence.named || evidence.theirs || mine;
    let weak = (evidence.has_order || evidence.told) && (clause_alone || broken || branded);
    let question = sentence.asks && !evidence.bought && !evidence.named && !evidence.theirs;
    let strong = strong && (!mine || evidence.told);
    let believed = (strong && !(doubtful && !evidence.bought && !evidence.named)) || (weak && !doubtful && !question);
    let whole = begin == 0 && tokens.get(end).is_none_or(|next| next.text == ".");
    let itself = branded && clause_alone && begin == 0 && !sentence.asks && (evidence.told || whole);
    (believed || itself).then_some((begin, end))
}

/// Gifts, parts and other things that are named beside the goods.
fn follows_no_thing(tokens: &[Token<'_>], begin: usize) -> bool {
    let before: Vec<&str> = tokens[..begin].iter().rev().take(2).map(|token| token.low.as_str()).collect();
    matches!(before.as_slice(), ["пришла" | "пришел" | "пришли" | "пришло" | "положили" | "прислали", ..] if tokens[..begin].iter().any(|token| token.low == "вместо"))
        || matches!(before.as_slice(), ["по", who] if ["мастер", "специалист", "консультант"].iter().any(|start| who.starts_with(start)))
}

/// Services: what is done, not what is bought, after most prepositions.
fn is_service(low: &str) -> bool {
    ["ремонт", "установк", "уборк", "монтаж", "чистк", "химчистк", "клининг"].iter().any(|start| low.starts_with(start))
}

/// A name in Latin letters in a Russian sentence: «airpods Pro».
fn latin_phrase(tokens: &[Token<'_>], at: usize) -> (usize, usize) {
    let named = |token: &Token<'_>| {
        token.is_word()
            && token.is_latin()
            && !is_code(token)
            && !is_common_latin(&token.low)
            && !super::given::is_surely(&token.low)
    };
    let begin = at - tokens[..at].iter().rev().take(4).take_while(|token| named(token)).count();
    let model = |token: &Token<'_>| token.is_number() && token.text.len() < 6;
    let after = tokens[at + 1..].iter().take(4).take_while(|token| named(token) || model(token)).count();
    (begin, at + 1 + after)
}

/// Adjectives before the noun, and the brand, the model and what it is of after it.
fn russian_phrase(tokens: &[Token<'_>], at: usize) -> (usize, usize) {
    let mut begin = at;
    while begin > 0 && begin + 3 > at && is_adjective(&tokens[begin - 1]) {
        begin -= 1;
    }
    // «Установку кондиционера Ballu»: what is installed belongs to it.
    let holds = ["набор", "букет", "упаковк", "комплект", "пачк", "мешок", "рулон"];
    let holds = holds.iter().any(|start| tokens[at].low.starts_with(start));
    let of = tokens.get(at + 1).filter(|next| {
        is_service(&tokens[at].low) && is_goods(&next.low)
            || holds
                && next.low.chars().count() > 3
                && ["ов", "ев", "ей", "ий", "ек", "ок", "ль", "рь", "ц", "ж", "ш", "з"]
                    .iter()
                    .any(|end| next.low.ends_with(end))
    });
    (begin, brand_end(tokens, at + 1 + usize::from(of.is_some())))
}

pub(super) fn is_adjective(token: &Token<'_>) -> bool {
    let low = token.low.as_str();
    let long = low.chars().count() > 4;
    let ending =
        ["ый", "ий", "ой", "ая", "яя", "ое", "ее", "ые", "ие", "ую", "юю", "ого", "его", "ых", "их", "ым", "ем", "ом"]
            .iter()
            .any(|end| low.ends_with(end));
    let pronoun = one_of(
        "который которую которое которые какой какая какие такой такая такие другой другую второй вторую \
         первый первую первая третий каждый какую этот свой самый самую нужный следующий здравствуйте данный \
         новый новую новая новые новое сегодня вашего вашей моего нашего недавно любой любую самой большой \
         домой спасибо целый целую злой злая номером заказом товарищем горой отдельный",
        low,
    );
    token.is_word() && long && ending && !pronoun && !is_goods(low) && !super::given::is_known(low)
}

/// Where the brand and the model end: Latin words, numbers of models, quotations, «для …».
pub(super) fn brand_end(tokens: &[Token<'_>], from: usize) -> usize {
    let mut end = from;
    while let Some(token) = tokens.get(end).filter(|_| end < from + 5) {
        let latin = token.is_latin() && token.text.chars().count() > 1 && !is_common_latin(&token.low);
        let model = token.is_number()
            && token.text.chars().filter(char::is_ascii_digit).count() <= 4
            && end > from
            && !is_counted(tokens, end);
        let quoted = matches!(token.text, "«" | "\"" | "“");
        if quoted {
            let close = tokens[end + 1..].iter().take(5).position(|token| matches!(token.text, "»" | "\"" | "”"));
            match close {
                Some(close) => {
                    end += close + 2;
                    continue;
                }
                None => break,
            }
        }
        let named = token.is_capital()
            && token.is_word()
            && !token.is_latin()
            && cities::city(token.text).is_none()
            && !super::given::is_known(&token.low)
            && !is_stop_word(&token.low)
            && !is_goods(&token.low);
        if !(latin || model || named) {
            break;
        }
        end += 1;
    }
    end
}

pub(super) fn is_common_latin(low: &str) -> bool {
    is_stop_word(low) || one_of("order zakaz and arrived came but tel email mail whatsapp telegram sms from on in", low)
}

fn is_counted(tokens: &[Token<'_>], at: usize) -> bool {
    let text = tokens[at].text;
    let plain = text.chars().all(|c| c.is_ascii_digit());
    let next = tokens.get(at + 1).map(|token| token.low.as_str()).unwrap_or_default();
    let month = ["янв", "фев", "мар", "апр", "мая", "июн", "июл", "авг", "сен", "окт", "ноя", "дек", "числа", "го"]
        .iter()
        .any(|start| next.starts_with(start));
    plain && (month || ["шт", "штук", "штуки", "раз", "дня", "дней", "руб", "рублей"].contains(&next))
}

/// The number of an order: М-123456.
fn is_code(token: &Token<'_>) -> bool {
    token.text.chars().filter(char::is_ascii_digit).count() >= 5
}
