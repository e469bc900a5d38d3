//! What a customer has bought or ordered from us: a name of goods where the message says that it was bought, not asked about.

use std::sync::LazyLock;

use regex::Regex;

use super::constraints::is_constraint;
use super::goods::{is_doubtful, is_goods, is_pair};
use super::reading::{Reading, Sentence, Token, one_of};
use super::said::{LIKELY, Said, pattern};
use super::unnamed::{related, unknown};
use super::{cities, doubts, values, wares};
use crate::engine::words::{is_cyrillic, is_stop_word, stem, words};

/// Most products that a message is believed to name.
const MOST: usize = 3;

/// Words that say that it was bought, received or ordered, folded.
pub(super) static BOUGHT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:заказал[аи]?|заказывал[аи]?|заказали|заказывали|купил[аи]?|купили|покупал[аи]?|покупали|приобрел[аи]?|приобрели|приобретен\S*|куплен\S*|взял[аи]?|взяли|брал[аи]?|брали|получил[аи]?|получили|забрал[аи]?|забрали|оформил[аи]?|оформили|оформлял[аи]?|оплатил[аи]?|оплатили|привезли|доставили|прислали|пришел|пришла|пришло|пришли|приехал|приехала|приехало|приехали|заказан\S*|оплачен\S*|выкупил[аи]?|ordered|bought|purchased|received|collected|picked up|got|paid for|arrived|came|delivered|turned up|brought me|sent me|you sent|you sold|you fitted|you delivered|i take from you|had from you|(?:had|got|get|bought) (?:\S+ ){1,5}(?:from|off) (?:you|u)|had off you|had off u|reached me|i booked|we booked|ive booked|(?:my|our) (?:\S+ ){1,3}from you|is from your shop|order was) ",
    )
});

/// Words that say so of the goods themselves, without a verb of buying.
static THEIRS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:где (?:же )?(?:мо[йяеи]|наш\S*)|верните деньги|вернуть деньги|деньги за|жду|ждем|ожидаю|не приш(?:ел|ла|ло|ли)|не приехал\S*|не привезли|не доставили|не довезли|везите|привезите|перенес\S+|доставк\S+ (?:\S+ )?(?:на|перенес)|сломал\S*|сломан\S*|не работает|не включает\S*|не открывает\S*|теч[её]т|треснул\S*|трещин\S+|брак\S*|порван\S*|разбит\S*|поцарапан\S*|по гарантии|на гарантии|гарантийн\S+|сдох\S*|глохнет|скрипит|не подош\S+|не подходит|не греет|замерз\S+|растаял\S*|гудит|шумит|чек на|чек от|поменять|обменять|сдать|отремонтировать|починить|заменить|repair|fix|на ремонт|отмен\S+|вместо|wheres|where is|hasnt arrived|havent arrived|not arrived|pause|renew|broken|broke|faulty|doesnt work|does not work|stopped working|leaks?|leaking|cracked|scratched|damaged|missing|refund|return|exchange|waiting for|wait for|money back|deliver|bring|swap|replace) ",
    )
});

/// The products in a message.
pub(super) fn read(reading: &Reading<'_>, has_order: bool, said: &mut Said) {
    let whole = reading.folded();
    if doubts::of_message(reading) && !has_order {
        return;
    }
    if is_english(&whole) {
        return read_english(reading, has_order, said);
    }
    let mut count = 0;
    let told = has_order || BOUGHT.is_match(&whole) || THEIRS.is_match(&whole);
    for sentence in &reading.sentences {
        let bought = BOUGHT.is_match(&sentence.folded);
        let named = has_order
            && (sentence.tokens.iter().any(|token| {
                token.text.chars().filter(char::is_ascii_digit).count() >= 5 && !token.text.starts_with('8')
            }) || [" заказ ", " заказе ", " заказа ", " заказу ", " order ", " zakaz "]
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
    let russian = words.iter().any(|word| word.chars().count() > 1 && word.chars().all(is_cyrillic));
    !russian
        && words
            .iter()
            .any(|word| one_of("the my our is are was it its you your please order and from in with came", word))
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
    let [label, colon, first, ..] = sentence.tokens.as_slice() else { return None };
    let is_label = one_of("товар изделие наименование позиция покупка item product goods purchase", &label.low);
    let end = sentence.tokens[2..]
        .iter()
        .take(7)
        .take_while(|token| !matches!(token.text, "," | ";" | "." | "(" | "—"))
        .count();
    let last = &sentence.tokens[(1 + end).max(2)];
    (is_label && colon.text == ":" && first.is_word() && !sentence.asks)
        .then(|| sentence.text[first.start..last.end].to_owned())
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
        if let Some((begin, end)) = related(tokens, at, evidence, sentence.asks)
            .or_else(|| known(tokens, at, sentence, evidence))
            .or_else(|| unknown(tokens, at, evidence, sentence))
        {
            let overlaps = all.last().is_some_and(|(_, last)| begin < *last);
            if !overlaps {
                all.push((begin, end));
            }
        }
    }
    // What is said to have been bought is surer than what stands before it.
    let sure = (0..tokens.len()).find_map(|at| related(tokens, at, evidence, sentence.asks));
    all.retain(|(_, end)| sure.is_none_or(|(begin, _)| *end > begin));
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
            // "The telescope came and the lens is scratched": a part of it.
            let part = between.last().is_some_and(|token| one_of("the its", &token.low))
                && tokens.get(end).is_some_and(|next| is_copula(&next.low));
            !part && between.len() <= 3 && (and || comma && ends)
        });
        if kept.is_empty() || listed {
            kept.push((begin, end));
        }
    }
    kept.into_iter().map(|(begin, end)| written(sentence, &tokens[begin..end])).collect()
}

/// Of "a dress instead of a coat" the coat was ordered; of «чехол от дивана» the sofa.
fn ordered(tokens: &[Token<'_>], all: Vec<(usize, usize)>) -> Vec<(usize, usize)> {
    let instead = |begin: usize| {
        let before: Vec<&str> = tokens[..begin].iter().rev().take(3).map(|token| token.low.as_str()).collect();
        before.first() == Some(&"вместо")
            || matches!(before.as_slice(), ["of", "instead", ..] | ["a" | "an" | "the" | "my", "of", "instead"])
    };
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
const NOT_AFTER: &str = "through нет нету для с со без к под между ваш какой-то этот каждой любой никакой никакого никакую второй каждую for with \
     without into to per any each in on under next your of no by at from than";

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
    // "Ring me", "watch the door" are no goods, nor is "RR 2 Box 118".
    let next = tokens.get(at + 1).map(|next| next.low.as_str()).unwrap_or_default();
    let verb = head.is_latin() && is_doubtful(low) && one_of("the me us my him her before after between them", next);
    let firm = one_of("pvt ltd llp limited inc code number step", next);
    let shouted = low == "box" && head.is_capital();
    // "14 Wine Street", "Marlow Tea Rooms", "customer service".
    let of_name = head.is_capital()
        && tokens.get(at + 1).is_some_and(|next| next.is_capital() && one_of(OF_NAMES, &next.low))
        || low == "service"
            && at > 0
            && one_of("customer poor bad terrible good great same my your", &tokens[at - 1].low);
    let reserved = low == "table" && sentence.folded.contains(" booked ");
    if verb || firm || shouted || of_name || reserved {
        return None;
    }
    let of_part = tokens.get(at + 1).is_some_and(|next| matches!(next.low.as_str(), "от" | "для"))
        && tokens.get(at + 2).is_some_and(|next| is_goods(&next.low) || next.is_latin());
    if of_part {
        return None;
    }
    let latin = head.is_latin();
    let (begin, end) = if latin { english_phrase(tokens, at) } else { russian_phrase(tokens, at) };
    let before = begin.checked_sub(1).map(|place| tokens[place].low.as_str()).unwrap_or_default();
    let branded = tokens[begin..end]
        .iter()
        .any(|token| token.is_latin() && token.is_capital() || matches!(token.text, "«" | "»"))
        || tokens[begin..end].iter().skip(1).any(|token| token.is_word() && token.is_capital());
    let said = before_said(tokens, begin);
    // "Not in the box", "through a 28 inch door", "let me get my glasses": where it is, what one wears.
    let place = latin && is_doubtful(low) && is_place(tokens, begin);
    let modifies = one_of(NOT_AFTER, before)
        && !(matches!(before, "with" | "ваш" | "your") && evidence.bought)
        && !(before == "of" && end - begin > 1 && said)
        && !(before == "for" && (evidence.named || said_of_delivery(sentence)));
    let for_order = before == "на"
        && evidence.named
        && tokens[..begin].iter().rev().take(4).any(|token| ["заказ"].iter().any(|start| token.low.starts_with(start)));
    let about = matches!(before, "в" | "на" | "о" | "об" | "из") && !for_order;
    if modifies
        || place
        || (about && !branded && !evidence.bought)
        || (about && before == "в")
        || before == "из"
        || one_of("his her their", before)
        || before == "не"
        || follows_no_thing(tokens, begin)
        || doubts::of_clause(sentence, begin, end, evidence)
    {
        return None;
    }
    if latin
        && is_doubtful(low)
        && begin == at
        && !matches!(before, "a" | "an" | "the" | "my" | "this" | "our" | "some" | "these" | "new")
        && !(begin == 0 || tokens[begin - 1].divides())
    {
        return None;
    }
    if is_service(low)
        && matches!(before, "на" | "в" | "по" | "под" | "после" | "от" | "заявка" | "for" | "in")
        && !(before == "на" && tokens[..begin].iter().any(|token| token.low.starts_with("заявк")))
    {
        return None;
    }
    let article = matches!(before, "a" | "an" | "the" | "my");
    let bound = if article && begin > 0 { begin - 1 } else { begin };
    let clause_alone = (bound == 0 || tokens[bound - 1].divides() || tokens[bound - 1].is_number())
        && tokens.get(end).is_none_or(Token::divides);
    let mine =
        matches!(before, "my" | "our" | "мой" | "моя" | "мое" | "мои" | "мою" | "наш" | "наша" | "нашу" | "наше")
            && tokens.get(end).is_some_and(|token| !matches!(token.low.as_str(), "is" | "already"));
    let told_apart = branded || clause_alone || mine && end - begin > 1;
    let doubtful = is_doubtful(low) && !told_apart;
    let begins = bound == 0 || tokens[bound - 1].divides();
    let is_so = matches!(before, "the" | "my") && tokens.get(end).is_some_and(|next| is_copula(&next.low));
    let broken = (begins && tokens.get(end).is_some_and(|token| token.low != ",") || is_so) && !sentence.asks;
    let strong = evidence.bought || evidence.named || evidence.theirs || mine;
    let weak = (evidence.has_order || evidence.told) && (clause_alone || broken || branded);
    let question = sentence.asks && !evidence.bought && !evidence.named && !evidence.theirs;
    let strong = strong && (!mine || evidence.told);
    let believed = (strong && !(doubtful && !evidence.bought && !evidence.named)) || (weak && !doubtful && !question);
    let whole = begin == 0 && tokens.get(end).is_none_or(|next| next.text == ".");
    let itself = branded && clause_alone && begin == 0 && !sentence.asks && (evidence.told || whole);
    (believed || itself).then_some((begin, end))
}

const OF_NAMES: &str = "street road lane avenue close court rooms room shop house company gardens hill hall park place row square \
     terrace club centre center works hotel inn farm school nursery";

/// Whether goods that may be a place or a thing at hand stand after the words of one.
fn is_place(tokens: &[Token<'_>], begin: usize) -> bool {
    let mut before = tokens[..begin].iter().rev().filter(|token| !token.is_number()).map(|token| token.low.as_str());
    let (Some(first), Some(second)) = (before.next(), before.next()) else { return false };
    let article = one_of("a an the my our your", first);
    article && one_of("in through into on inside under behind onto off with at find wear grab", second)
        || first == "my" && one_of("get got without lost need", second)
}

fn is_copula(low: &str) -> bool {
    one_of("is are was were has have had doesn't don't won't isn't aren't hasn't haven't wasn't does came arrived", low)
}

fn said_of_delivery(sentence: &Sentence<'_>) -> bool {
    [" wait for ", " waiting for ", " paid for ", " need "].iter().any(|word| sentence.folded.contains(word))
}

fn before_said(tokens: &[Token<'_>], begin: usize) -> bool {
    tokens[..begin].iter().any(|token| {
        matches!(
            token.low.as_str(),
            "order" | "delivery" | "half" | "bag" | "pair" | "box" | "size" | "set" | "instead"
        )
    })
}

/// Gifts, parts and other things that are named beside the goods.
fn follows_no_thing(tokens: &[Token<'_>], begin: usize) -> bool {
    let before: Vec<&str> = tokens[..begin].iter().rev().take(2).map(|token| token.low.as_str()).collect();
    matches!(before.as_slice(), ["пришла" | "пришел" | "пришли" | "пришло" | "положили" | "прислали", ..] if tokens[..begin].iter().any(|token| token.low == "вместо"))
        || matches!(before.as_slice(), ["me", "brought"])
        || matches!(before.as_slice(), ["по", who] if ["мастер", "специалист", "консультант"].iter().any(|start| who.starts_with(start)))
}

/// Services: what is done, not what is bought, after most prepositions.
fn is_service(low: &str) -> bool {
    [
        "ремонт",
        "установк",
        "уборк",
        "монтаж",
        "чистк",
        "химчистк",
        "клининг",
        "repair",
        "installation",
        "cleaning",
        "assembly",
        "service",
    ]
    .iter()
    .any(|start| low.starts_with(start))
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

/// English goods: back to the article, on over the brand.
fn english_phrase(tokens: &[Token<'_>], at: usize) -> (usize, usize) {
    let mut head = at;
    // The last noun of a row names the thing: "lunch box", "coffee machine".
    while tokens.get(head + 1).is_some_and(|next| next.is_latin() && is_goods(&next.low)) {
        head += 1;
    }
    // "A bag of hay", "a pair of boots": what is in it belongs to it.
    let holds = one_of("bag box pair set bottle pack bunch bouquet can jar", &tokens[head].low);
    if holds
        && tokens.get(head + 1).is_some_and(|token| token.low == "of")
        && tokens.get(head + 2).is_some_and(|token| token.is_word() && !is_end(&token.low))
    {
        head += 2;
        while tokens.get(head + 1).is_some_and(|next| next.is_latin() && is_goods(&next.low)) {
            head += 1;
        }
    }
    let mut begin = at;
    while begin > 0 && at - begin < 4 && is_modifier(&tokens[begin - 1]) {
        begin -= 1;
    }
    if tokens
        .get(begin)
        .is_some_and(|first| first.is_number() && begin < at && first.text.chars().all(|c| c.is_ascii_digit()))
    {
        begin += 1;
    }
    let mut end = head + 1;
    end += compound(tokens, end);
    while let Some(token) = tokens.get(end).filter(|_| end < head + 5) {
        let shouted =
            tokens.iter().filter(|token| token.is_word()).all(|token| token.text.chars().all(char::is_uppercase));
        let brand = token.is_word()
            && token.is_capital()
            && token.is_latin()
            && !is_end(&token.low)
            && !super::given::is_surely(&token.low)
            && !is_code(token)
            && !(shouted && end > head + 3)
            && !is_weekday(&token.low);
        let model = token.is_number() && end > head + 1 && token.text.len() < 6 && !is_number_of_else(tokens, end);
        if !(brand || model) {
            break;
        }
        end += 1;
    }
    (begin, end)
}

/// "Kettle descaler", "curtain poles": one more noun that what is named belongs to.
fn compound(tokens: &[Token<'_>], at: usize) -> usize {
    let faults = "leaks leak works work smells smell flickers shakes rattles stinks died dead fell falls feels looks seems \
        shows makes keeps goes went runs says lies lags beeps hums burns overheats charges turns opens closes sticks slips \
        wobbles torn bent burnt wet creaks squeaks sounds fails refuses needs wants hurts costs weighs fits came stopped snapped cracked tore again today now then yesterday soon too \
        back off apart open up down out in on only already please pls ok fine asap thx ty lol m order tomorrow tonight";
    let is_noun = |token: &Token<'_>| {
        token.is_word()
            && token.is_latin()
            && !token.is_capital()
            && token.text.chars().count() > 2
            && !is_end(&token.low)
            && !one_of(faults, &token.low)
            && !["ed", "ing", "ly", "n't"].iter().any(|end| token.low.ends_with(end))
            && !token.low.contains(['\'', '’'])
    };
    let ends = tokens.get(at + 1).is_none_or(|next| {
        next.divides()
            || next.is_number()
            || one_of("as from and in with order was is are were has have never for i we", &next.low)
    });
    usize::from(ends && tokens.get(at).is_some_and(is_noun))
}

fn is_weekday(low: &str) -> bool {
    one_of("monday tuesday wednesday thursday friday saturday sunday order m tuesday,", low)
}

fn is_number_of_else(tokens: &[Token<'_>], at: usize) -> bool {
    let next = tokens.get(at + 1).map(|token| token.low.as_str()).unwrap_or_default();
    one_of("january february march april may june july august september october november december days pcs", next)
}

/// Words at which an English noun phrase ends, before or after.
pub(super) fn is_end(low: &str) -> bool {
    is_stop_word(low)
        || one_of(
            "ordered bought got received collected paid purchased arrived came order number its it's i'm the \
             a an my your our these those this that deliver bring need want return refund exchange yesterday \
             today monday tuesday wednesday thursday friday saturday sunday last still w without new old two \
             three four six ten few pair whole entire same take have here there where wheres where's said \
             half hi hello thanks item product sold sent is are was were with for from and but because wrong \
             size missing delivery of one first second fitted turned more missing ok great lovely beautiful \
             wonderful broken faulty damaged cancel cm mm kg pcs pieces packs l ml january february march \
             april may june july august september october november december broke sees makes loves already \
             wants needs buying sorry please pls like them including only just back money brought nice which \
             what brand since during while cannot into onto never waiting wait expecting purchase buy about keep ordering sending using \
             use used try tried his her their left rang called until till",
            low,
        )
}

/// The number of an order: М-123456.
fn is_code(token: &Token<'_>) -> bool {
    token.text.chars().filter(char::is_ascii_digit).count() >= 5
}

fn is_modifier(token: &Token<'_>) -> bool {
    let low = token.low.as_str();
    !is_code(token)
        && (token.is_word() && token.is_latin() || token.is_number() && token.text.len() < 5)
        && !is_end(low)
        && !super::given::is_surely(low)
        && !low.ends_with("ly")
        && !low.contains(['\'', '’'])
}
