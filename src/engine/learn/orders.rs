//! Numbers of the customer's own orders, beyond «заказ 123456» and `М-123456`: spaced, alone, corrected.

use std::sync::LazyLock;

use regex::Regex;

use super::goods::is_goods;
use super::reading::{Reading, Sentence, Token, folded, one_of};
use super::said::{CERTAIN, LIKELY, Said, pattern};
use super::{values, voice};

static ORDER_CODE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\b[МM](?:\s?[-–—‑−]\s?|\s?№\s?)?([0-9]{5,8})\b"));

static ORDER_NAMED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:заказ(?:а|у|ом|е|ы|ов|ам|ами|ах)?|orders?(?:['’]s)?)(?:\s+(?:номер|is|numbers?|no|num|ref|reference|id)\b)*\s*\.?\s*[:,–—-]?\s*((?:№|#|n|номер\s|no\.?\s)?\s*[0-9]{5,8}(?:\s*(?:,|и|and|&)\s*(?:№|#)?\s*[0-9]{5,8})*)\b",
    )
});

static NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern(r"[0-9]{5,8}"));

/// What stands after a number that counts something and names nothing.
static UNIT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^\s*(?:[.,/:-]?[0-9]|₽|\$|€|%|(?:руб\w*|р|рублей|тыс\w*|rub\w*|usd|eur\w*|euros?|dollars?|roubles?|pounds?|quid|rupees?|тенге|грн|шт|штук\w*|pcs|гр|грамм\w*|кг|kg|мм|см|м|mm|cm|балл\w*|бонус\w*|points?)\b)",
    )
});

/// Numbers that their letter or the word before them names, in the order in which they stand.
fn named(sentence: &str) -> Vec<(String, f64)> {
    let mut found: Vec<(usize, &str, f64)> = Vec::new();
    for code in ORDER_CODE.captures_iter(sentence) {
        let (all, digits) = (code.get(0), code.get(1));
        if let (Some(all), Some(digits)) = (all, digits)
            && !sentence[..all.start()].ends_with(['-', '/', '_'])
            && !denied(&sentence[..all.start()])
            && !is_model(&sentence[..all.start()], digits.as_str())
        {
            found.push((digits.end(), digits.as_str(), CERTAIN));
        }
    }
    for list in ORDER_NAMED.captures_iter(sentence).filter_map(|named| named.get(1)) {
        let digits = NUMBER.find_iter(list.as_str());
        found.extend(digits.map(|digits| (list.start() + digits.end(), digits.as_str(), LIKELY)));
    }
    found.sort_by_key(|(end, ..)| *end);
    let counts_nothing = found.into_iter().filter(|(end, ..)| !UNIT.is_match(&sentence[*end..]));
    counts_nothing.filter_map(|(_, digits, how_sure)| Some((values::order_number(digits)?, how_sure))).collect()
}

/// Whether a letter and five figures are more likely a model: «дрель М-45120», "the M-51200".
fn is_model(before: &str, digits: &str) -> bool {
    let last = folded(before).trim_end().rsplit(' ').next().unwrap_or_default().to_owned();
    digits.len() == 5 && (is_goods(&last) || one_of("модель модели model the a an от than versus vs артикул", &last))
}

/// Whether what follows `before` is said not to be so: «не М-111111, а М-222222».
fn denied(before: &str) -> bool {
    let before = before.trim_end().to_lowercase();
    ["не", "not"].iter().any(|no| before.strip_suffix(no).is_some_and(|rest| !rest.ends_with(char::is_alphanumeric)))
}

/// What makes an order somebody else's, or no order.
static OF_OTHERS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:(?:номер|заказ)\S*(?: \S+)? у не(?:е|го)|у не(?:е|го) (?:\S+ ){0,2}(?:номер|заказ)\S*|(?:ее|его|их) (?:номер|заказ)\S*|никак(?:ого|ой) заказа?|нет такого заказа|заказ\S* (?:м )?\d+ (?:у меня нет|не мой|не наш|не моя|не оформлял\S*|не делал\S*)|(?:это |и )?не мой заказ|не мои заказы|чуж(?:ой|ая|ого|ую|ие) (?:заказ|посылк|товар)\S*|ваш заказ|diff\S*rence between|разниц\S+ между|с кем то (?:с?путали|перепутали)|(?:her|his|their) (?:order|number|parcel|purchase)\S*|isnt my|is not my|not mine|not my order|never (?:had|made|placed) (?:an|any) order|wrong person|(?:she|he|they) asked me to|no such order|a (?:valid|real) order|just an example|(?:which|that|it) (?:is|s) (?:hers|his|theirs|not mine)|(?:its|is) (?:hers|his|theirs)|nothing to do with me|(?:isnt|not|wasnt|never was) (?:mine|for (?:me|us))|belongs to|came to (?:my|our) door|who has|do you mean|(?:is|was) (?:it )?(?:m )?(?:order )?[0-9]{5,8} (?:or|your|valid|an? (?:size|model|order|code|part|serial|number|tracking))|(?:is|was) it order|purchase order|you gave (?:me|us)|(?:either|is it) (?:m )?[0-9]{5,8} or (?:m )?[0-9]{5,8}|[0-9]{5,8} or (?:m )?[0-9]{5,8} (?:cant|i|im|not|dont|one|whichever)|(?:its|it is|thats|that is|is) (?:my|his|her) (?:mums?|moms?|mothers?|dads?|fathers?|sons?|daughters?|husbands?|wifes?|wives|partners?|friends?|mates?|neighbou?rs?|brothers?|sisters?|bosss?)|(?:someones|somebodys) order|placed by my|[0-9]{5,8} is (?:my|the|a|our) (?:zip|postcode|pin|account|model|code|serial|tracking|invoice|article|part)) ",
    )
});

/// Words before a number that names no order.
const NOT_ORDERS: &str = "артикул артикула артикулу арт серийный серии серия сн имей паспорт паспорта водительское обращение обращения обращению тикет \
     бонусная дисконтная показания показание счетчик счетчика партия партии лот гост заводской инвентарный накладная накладной накладную акт акта \
     сертификат телефон мобильный пин пароль домофона кадастровый \
     serial imei meter reading passport licence license insurance upc asin part case complaint coupon loyalty member membership barcode batch \
     reg registration incident enquiry query quote chapter bus flight train код кода индекс трек трека треку инн кпп огрн снилс счет счета счету штрихкод модель модели \
     лего lego размер карта карты карте карту заявка заявку заявке договор полис чек чека промокод цена сумма \
     article art item sku code postcode zip index track tracking invoice ticket reference ref model size card \
     login user password centre center acct cheque ledger po statement price sum total account vat ean isbn barcode policy lot год";

static SPACED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:заказ\p{L}*|номер\p{L}*|№|orders?|number|zakaz|cancel|отмените)\s*(?:номер|number|no\.?|is|№|#|:|—|–|-|,)*\s*([0-9]{3})[ \u{a0}]([0-9]{3})(?:[^0-9 ]|$| [^0-9])",
    )
});

/// Groups as people read a number out: "order 9 014 377", "M-229 0174", "ord 8 8 1 2 0 4 5".
static GROUPED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:(?:^|[^\p{L}])(?:заказ\p{L}*|номер|orders?(?:['’]s)?|ord\.?|yours|no\.?|nr\.?|ref|paper is|last one)(?:\s+(?:номер|num|number|nomer|nr\.?|no\.?|is|был|was))*|№|(?:^|[^\p{L}])[МM][ -])\s*[:,#№-]?\s*([0-9]{1,4}(?: [0-9]{1,4}){1,7})(?:[^0-9+-]|$)",
    )
});

static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:№|#|(?:^|[^\p{L}])(?:номер(?:ом|а)?(?:\s+(?:заказа|у меня|мой))?|order|ord\.?|zakaz\p{L}*|number|nr\.?|no\.?|num\.?|заказ\p{L}*\s(?:еды|цветов|продуктов|мебели|одежды|обуви|книг|лекарств|корма|пиццы|воды|оформлен|под номером|с номером|за номером)|заказ\p{L}*\s+(?:тот же|такой|мой|был|от меня|имеет номер)|orders?\s+(?:number\s+)?(?:was|is|has|i think))\s*(?:is|:|-|–|—|№|#|=)?)\s*(?:[МMмm]\s?[-–—]?\s?)?([0-9]{5,8})(?:[^0-9\p{L}-]|$)",
    )
});

/// A number that is corrected by the next one.
static CORRECTED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b([0-9]{3,8})\s*[,.…-]*\s*(?:or\s+)?(?:(?:ой|упс|точнее|вернее|то есть|тьфу|нет|простите|извините|ошиб\p{L}+|вру|опечат\p{L}+|описал\p{L}+|не то|не так|правильно|поправка|sorry|oops|typo|my bad|actually|correction|scratch that|make that|i mean|no wait|wait|hold on|rather|no)[\s,.…:-]+)+(?:[\p{L}', ]{0,40}?)(?:[МMмm]-?)?([0-9]{5,8})",
    )
});

/// «Не 560311, а 560113».
static NOT_BUT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:^|[^\p{L}])(?:не|not)\s+(?:заказ\s+|№\s?|order\s+)?(?:[МMмm]-?)?([0-9]{5,8})[,.]?\s+(?:а|but|its|it's)\s+(?:№\s?)?(?:[МMмm]-?)?([0-9]{5,8})",
    )
});

/// The order numbers in a message.
pub(super) fn read(reading: &Reading<'_>, said: &mut Said) {
    let own = !OF_OTHERS.is_match(&reading.folded()) && !reading.tells_of_others();
    let mut corrected: Vec<String> = Vec::new();
    let mut found: Vec<(String, f64)> = Vec::new();
    let has_street = reading.sentences.iter().any(|sentence| sentence.tokens.iter().any(is_of_address));
    // A correction may be a sentence of its own: «заказ 882140. Нет, вру, 882104».
    let whole = reading.sentences.iter().map(|sentence| sentence.text).collect::<Vec<_>>().join(" ");
    for fix in CORRECTED.captures_iter(&whole).chain(NOT_BUT.captures_iter(&whole)).filter(|_| own) {
        if fix[1] != fix[2] {
            corrected.push(format!("М-{}", &fix[1]));
        }
        let end = fix.get(2).map_or(0, |number| number.end());
        let start = fix.get(1).map_or(0, |number| number.start());
        // A number that is too short was begun as one of an order.
        let begun = fix[1].len() >= 5
            || folded(near(&whole[..start])).split(' ').any(|word| word.starts_with("заказ") || word == "order");
        if !begun || UNIT.is_match(&whole[end..]) {
            continue;
        }
        found.extend(values::order_number(&fix[2]).map(|value| (value, LIKELY)));
    }
    for sentence in &reading.sentences {
        if !own || OF_OTHERS.is_match(&sentence.folded) || voice::is_of_other_shop(&sentence.folded) {
            continue;
        }
        found.extend(named(sentence.text));
        for spaced in SPACED.captures_iter(sentence.text) {
            let end = spaced.get(2).map_or(0, |part| part.end());
            if !UNIT.is_match(&sentence.text[end..]) {
                found.push((format!("М-{}{}", &spaced[1], &spaced[2]), LIKELY));
            }
        }
        for grouped in GROUPED.captures_iter(sentence.text).filter_map(|found| found.get(1)) {
            let digits: String = grouped.as_str().chars().filter(char::is_ascii_digit).collect();
            let whole = !UNIT.is_match(&sentence.text[grouped.end()..]) && (6..=8).contains(&digits.len());
            found.extend(values::order_number(&digits).filter(|_| whole).map(|value| (value, LIKELY)));
        }
        for named in NAMED.captures_iter(sentence.text) {
            let Some(digits) = named.get(1) else { continue };
            let whole = named.get(0).map_or(0, |whole| whole.start());
            if !UNIT.is_match(&sentence.text[digits.end()..]) && !follows_other(&sentence.text[..whole]) {
                found.extend(values::order_number(digits.as_str()).map(|value| (value, LIKELY)));
            }
        }
        found.extend(alone(sentence, has_street).into_iter().map(|value| (value, LIKELY)));
    }
    // Who orders us about still says which order it is about.
    for sentence in &reading.orders_to_us {
        found.extend(named(sentence));
    }
    for (value, confidence) in found {
        if !corrected.contains(&value) {
            said.add("order_number", value, confidence);
        }
    }
}

/// The last words before a number.
fn near(before: &str) -> &str {
    before.rsplit_once(['.', ',', '!', '?']).map_or(before, |(_, last)| last)
}

fn is_of_address(token: &Token<'_>) -> bool {
    one_of("кв квартира ул улица дом индекс flat apt street postcode zip kv ul", &token.low)
}

/// Papers and accounts, which have numbers of their own.
const PAPERS: &str = "договор договора полис паспорт сертификат удостоверение лицензия обращение обращения квитанция накладная \
     agreement policy contract certificate passport licence license invoice receipt complaint ticket voucher label customer client \
     part student staff employee flight train batch sample item catalogue cat series gave dial";

fn follows_other(before: &str) -> bool {
    let clause = near(before.trim_end_matches(|c: char| !c.is_alphanumeric()));
    let named = folded(clause);
    let mut words = named.split_whitespace().rev().take(3);
    if words.any(|word| one_of(PAPERS, word)) {
        return true;
    }
    let last = clause.rsplit(|c: char| !c.is_alphanumeric()).next();
    let last = last.unwrap_or_default().to_lowercase().replace('ё', "е");
    one_of(NOT_ORDERS, &last)
        || ["трек", "track", "телефон", "phone", "карт", "card"].iter().any(|start| last.starts_with(start))
}

/// "Call me about 5510238", "the invoice for 7714093", "it is 300451", "the rolls in 718820 are stale".
fn is_asked_about(tokens: &[Token<'_>], at: usize) -> bool {
    let word = |back: usize| at.checked_sub(back).map_or("", |place| tokens[place].low.as_str());
    let copula = tokens.get(at + 1).is_some_and(|after| one_of("is are was were has have", &after.low));
    let long = tokens[at].text.len() >= 6;
    match word(1) {
        "is" => one_of("it number order no", word(2)),
        "about" | "regarding" | "re" => long,
        "for" => long && one_of("invoice receipt refund bill", word(2)),
        "in" | "from" => long && copula,
        _ => false,
    }
}

/// Numbers that are a clause of their own, or nearly: "7730025, Desmond", «а, вот: 1003477», "cancel 9021446".
fn alone(sentence: &Sentence<'_>, has_street: bool) -> Vec<String> {
    let tokens = &sentence.tokens;
    let mut all = Vec::new();
    let of_sums = [" price ", " cost ", " costs "].iter().any(|word| sentence.folded.contains(word));
    for (at, token) in tokens.iter().enumerate() {
        let length = token.text.len();
        let is_figure = token.text.chars().all(|c| c.is_ascii_digit()) && (5..=8).contains(&length);
        // Six figures beside an address are a postcode.
        if !is_figure || of_sums && length == 5 || (length == 6 && has_street) {
            continue;
        }
        let before = at.checked_sub(1).map(|place| &tokens[place]);
        let after = tokens.get(at + 1);
        let begins = before.is_none_or(|before| {
            matches!(before.text, "," | ":" | "!" | "." | "—" | "–" | ";" | "(")
                || one_of(
                    "its it's number's order's это вот нашла нашел cancel отмените отменить of state про по мой тот on",
                    &before.low,
                )
        });
        let begins = begins || is_asked_about(tokens, at);
        let ends = after.is_none_or(|after| {
            one_of("вроде кажется and please pls has is was are hasn't i love ta thanks cheers mate", &after.low)
                || at == 0 && one_of("the for my a that's thats its", &after.low)
                || after.divides() && !(after.text == "/" || after.text == ":")
        });
        let joined = |place: Option<usize>| {
            place
                .and_then(|place| tokens.get(place))
                .is_some_and(|token| token.is_number() || ["+", "№", "/", "*"].contains(&token.text))
        };
        let in_figure = joined(at.checked_sub(2))
            && before.is_some_and(|before| matches!(before.text, "." | "," | "-"))
            || joined(at.checked_sub(1))
            || joined(Some(at + 1));
        let of_other = tokens[..at].iter().rev().take(4).any(|word| {
            one_of(NOT_ORDERS, &word.low)
                || one_of(PAPERS, &word.low)
                || ["тел", "телефон", "phone", "tel", "руб", "р"].contains(&word.low.as_str())
        });
        let asked_of = before.is_some_and(|before| before.low == "of")
            && !sentence.folded.contains(" state of ")
            && !sentence.folded.contains(" status of ");
        let asked_of = asked_of
            || before.is_some_and(|before| before.low == "on")
                && ![" news on ", " up on ", " update on "].iter().any(|word| sentence.folded.contains(word));
        let of_price = before.is_some_and(|before| before.low == "по" || before.low == "про") && length == 5;
        if begins
            && ends
            && !in_figure
            && !of_other
            && !asked_of
            && !of_price
            && !UNIT.is_match(&sentence.text[token.end..])
        {
            all.extend(values::order_number(token.text));
        }
    }
    all
}
