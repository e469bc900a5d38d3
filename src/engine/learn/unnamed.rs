//! Goods that are not known by name: a noun phrase of which it is said that it was bought, sold, or came.

use super::cities;
use super::goods::is_goods;
use super::products::{Evidence, brand_end, is_adjective, is_common_latin, is_end};
use super::reading::{Sentence, Token, one_of};
use crate::engine::words::is_stop_word;

/// What is no goods though it is bought, sent, or comes.
pub(super) const NEVER: &str = "part parts papers paperwork documents newsletter taxi cab lunch dinner breakfast headache cold flu degree ticket tickets rejection refusal pleasure in-laws \
     parents relatives kids children son daughter wife husband house flat parking mortgage loan permission approval \
     break holiday day engaged married e-mail e-mails email emails mail survey pairs mine hint joke gist flight train bus ticket appointment operation \
     leaflet coffee shares order orders parcel parcels package refund email message text call notification letter code discount gift \
     present confirmation reply answer response receipt invoice delivery bill box things items stuff goods thing \
     item product products notice sms error link money size colour color problem points time day \
     week month year lot couple bunch number lady guy job chance feeling impression house flat apartment \
     car idea reason question courier driver man men chap bloke woman person girl boy fellow people team company \
     engineer technician plumber fitter cleaner manager operator payment deposit status update news rest first \
     second same other others wrong one ones half pair pacemaker purchase tracking label barcode address date slot \
     morning afternoon evening weekend way moment address price cost credit voucher replacement packaging \
     manual instructions leaflet minute minutes hour hours days weeks months years seconds pounds quid points euros dollars warranty guarantee trial wet table-booking room leave bit note door post app site website";

/// Words that say how many.
const COUNTS: &str = "two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty";

fn is_determiner(token: &Token<'_>) -> bool {
    one_of("a an the my our some these this those", &token.low) || is_count(token)
}

fn is_count(token: &Token<'_>) -> bool {
    one_of(COUNTS, &token.low) || token.is_number() && token.text.len() < 4
}

/// Where the noun phrase that begins at `from` ends.
fn phrase(tokens: &[Token<'_>], from: usize) -> Option<usize> {
    let mut end = from;
    while tokens.get(end).is_some_and(|token| {
        (token.is_word() && token.is_latin() || token.is_number() && token.text.len() < 5)
            && !is_end(&token.low)
            && !token.low.contains(['\'', '’'])
            && end < from + 5
    }) {
        end += 1;
    }
    let head = tokens.get(end.checked_sub(1)?)?;
    let verb_like = (head.low.ends_with("ed") || head.low.ends_with("ing")) && end == from + 1;
    let fits = end > from
        && !verb_like
        && head.text.chars().count() > 2
        && !head.is_number()
        && !tokens[from..end].iter().any(|token| one_of(NEVER, &token.low));
    fits.then_some(end)
}

/// "The bread mix I bought", "the couch you sold us", "my lilies came brown", "order 81246, the guitar stand".
pub(super) fn related(tokens: &[Token<'_>], at: usize, evidence: Evidence, asks: bool) -> Option<(usize, usize)> {
    if !tokens[at].is_latin() && !tokens[at].is_number() {
        return None;
    }
    let determined = is_determiner(&tokens[at]);
    let from = at + usize::from(determined);
    let from = from + usize::from(determined && tokens.get(from).is_some_and(is_count));
    let after_code = at > 0 && is_order_code(&tokens[at - 1]);
    if !determined && at > 0 && !tokens[at - 1].divides() && !after_code {
        return None;
    }
    let from = contents(tokens, from);
    let end = phrase(tokens, from)?;
    let rest = &tokens[end..];
    let definite = determined && one_of("the my our these", &tokens[at].low);
    let told = is_bought(rest)
        || (definite || determined && is_count(&tokens[at])) && came(rest)
        || !determined && is_named_first(tokens, at, end) && came(rest)
        || !determined && evidence.named && is_all_of_order(tokens, at, end)
        || determined && evidence.named && of_order(tokens, at, end)
        || determined && definite && (!asks || evidence.has_order) && is_object(tokens, at, end);
    told.then_some((from, end))
}

/// "… that I bought", "… we have ordered", "… you sold us".
fn is_bought(rest: &[Token<'_>]) -> bool {
    let rest = if rest.first().is_some_and(|token| one_of("that which", &token.low)) { &rest[1..] } else { rest };
    let Some(who) = rest.first().map(|token| token.low.replace('’', "'")) else { return false };
    let skipped =
        rest[1..].iter().take_while(|token| one_of("have had just only already recently also 've", &token.low));
    let Some(verb) = rest.get(1 + skipped.count()).map(|token| token.low.as_str()) else { return false };
    match who.as_str() {
        "i" | "we" | "i've" | "we've" | "ive" | "weve" | "i'd" | "we'd" | "u" => {
            let from_you = rest.iter().take(6).any(|token| one_of("off from", &token.low))
                && rest.iter().take(7).any(|token| one_of("you u", &token.low));
            one_of("bought ordered got purchased received collected treated returned booked paid", verb)
                || from_you && one_of("had have get", verb)
        }
        "you" | "you've" => one_of("sold sent delivered fitted supplied installed brought shipped", verb),
        _ => false,
    }
}

/// "Pick up the exercise bike", "charged twice for the pet food", "it's about the violin strings".
fn is_object(tokens: &[Token<'_>], at: usize, end: usize) -> bool {
    let before: Vec<&str> = tokens[..at].iter().rev().take(6).map(|token| token.low.as_str()).collect();
    let ends = tokens.get(end).is_none_or(|next| next.divides() || is_end(&next.low));
    let paid =
        |word: &&&str| one_of("charged paid refund refunded waiting waited invoice receipt billed warranty", word);
    ends && match before.as_slice() {
        ["for", rest @ ..] => rest.iter().any(|word| paid(&word)),
        ["about", "it's" | "its" | "is", ..] | ["regarding", ..] => true,
        ["up", "pick", ..] | ["back", "take" | "send" | "sent", ..] => true,
        [verb, ..] => one_of("return returned exchange replace collect repair fix mend swap refund cancel", verb),
        [] => false,
    }
}

fn is_order_code(token: &Token<'_>) -> bool {
    token.text.chars().filter(char::is_ascii_digit).count() >= 5 && !token.text.starts_with('0')
}

/// "SureFlap cat flap came today": a name of two words or more that begins what is said.
fn is_named_first(tokens: &[Token<'_>], at: usize, end: usize) -> bool {
    let person = tokens[at..end].iter().any(|token| super::given::is_known(&token.low));
    let thing = tokens[at..end].iter().any(|token| is_goods(&token.low));
    let begins = at == 0 && tokens[at].is_capital() || thing && (at == 0 || tokens[at - 1].divides());
    begins && end - at >= 2 && !person
}

/// "Order 26041 - sourdough starter kit." is nothing but the number and the goods.
fn is_all_of_order(tokens: &[Token<'_>], at: usize, end: usize) -> bool {
    let before = tokens[..at].iter().rev().find(|token| !matches!(token.text, "," | "-" | "—" | "–" | ":"));
    let ends = tokens.get(end).is_none_or(|next| next.text == "." || next.text == "\n");
    let done = |token: &Token<'_>| ["ed", "ing", "ly"].iter().any(|last| token.low.ends_with(last));
    ends && at > 0
        && tokens[at - 1].divides()
        && before.is_some_and(is_order_code)
        && end - at >= 2
        && !tokens[at..end].iter().any(|token| done(token) || token.is_capital() && !is_goods(&token.low))
}

/// "… came", "… has arrived", "… that came today", "… hasn't turned up".
fn came(rest: &[Token<'_>]) -> bool {
    let skipped = rest
        .iter()
        .take_while(|token| {
            one_of(
                "that which has have hasn't haven't hasnt havent never not still just finally only was were did didn't",
                &token.low.replace('’', "'"),
            )
        })
        .count();
    rest.get(skipped).is_some_and(|verb| {
        let broke = rest.get(skipped + 1).is_some_and(|next| one_of("off away loose undone apart out", &next.low));
        !broke && one_of("came arrived delivered", &verb.low)
            || (skipped > 0 && one_of("come arrive", &verb.low))
            || verb.low == "turned" && rest.get(skipped + 1).is_some_and(|next| next.low == "up")
    })
}

/// Beside the number of an order: "order 81246, the guitar stand", "the jackets in order 845512".
fn of_order(tokens: &[Token<'_>], at: usize, end: usize) -> bool {
    let is_order = |token: &Token<'_>| {
        token.low == "order"
            || token.text.chars().filter(char::is_ascii_digit).count() >= 5 && !token.text.starts_with('0')
    };
    let before = tokens[..at].iter().rev().find(|token| !matches!(token.text, "," | "-" | "—" | "–" | "(" | ":"));
    let after = tokens[end..].iter().find(|token| {
        !matches!(token.text, "," | "-" | "—" | "–" | "(" | "#") && !one_of("in from on of my", &token.low)
    });
    let ends = tokens.get(end).is_none_or(|next| next.divides() || one_of("and & with but", &next.low));
    let straight = at > 0 && is_order_code(&tokens[at - 1]);
    let begins = at == 0 || straight || tokens[at - 1].divides() || one_of("it's its is and", &tokens[at - 1].low);
    (ends && at > 0 && (straight || tokens[at - 1].divides()) && before.is_some_and(is_order))
        || begins
            && after.is_some_and(is_order)
            && (ends || tokens.get(end).is_some_and(|next| one_of("in from on", &next.low)))
}

/// Goods that are not known by name: after a verb of buying, or a brand as a clause of its own beside an order.
pub(super) fn unknown(
    tokens: &[Token<'_>],
    at: usize,
    evidence: Evidence,
    sentence: &Sentence<'_>,
) -> Option<(usize, usize)> {
    let token = &tokens[at];
    if token.is_latin() && evidence.bought && !sentence.asks {
        return after_article(tokens, at).or_else(|| bare(tokens, at));
    }
    if evidence.bought && !sentence.asks && is_buying(&token.low) {
        return after_verb(tokens, at + 1);
    }
    if !sentence.asks
        && let Some(found) = which(tokens, at)
    {
        return Some(found);
    }
    if evidence.named { brand_alone(tokens, at) } else { None }
}

/// «Тостерница, которую я купила»: the noun before it, with its adjectives.
fn which(tokens: &[Token<'_>], at: usize) -> Option<(usize, usize)> {
    let head = &tokens[at];
    let rest = tokens.get(at + 1..at + 7).unwrap_or_default();
    let relative = rest.first().is_some_and(|token| token.text == ",")
        && rest.get(1).is_some_and(|token| token.low.starts_with("котор"))
        && rest[2..].iter().take_while(|token| !token.divides()).any(|token| is_buying(&token.low));
    let plain = head.is_word() && !head.is_latin() && !head.is_capital() && head.low.chars().count() > 3;
    if !relative || !plain || is_stop_word(&head.low) || one_of(NEVER_AFTER, &head.low) {
        return None;
    }
    let adjectives = tokens[..at].iter().rev().take(2).take_while(|token| is_adjective(token)).count();
    Some((at - adjectives, at + 1))
}

/// What follows a verb of buying and is no goods.
const NEVER_AFTER: &str = "паузу такси обед ужин сына дочь дочку внука внучку мужа жену маму детей путевку парковку ипотеку кредит \
     билет билеты удовольствие травму образование понедельник вторник среду четверг пятницу субботу воскресенье январь февраль выговор травму диплом права \
     ребенка собаку кота кошку щенка котенка отпуск работу тысячу тысячи рублей заказ заказы товар товары посылку посылка подарок подарки доставку вещь вещи деньги квартиру дом \
     дачу теперь январе феврале марте апреле мае июне июле августе сентябре октябре ноябре декабре ответ \
     письмо сообщение смс код чек номер через недавно вчера когда потому чтобы неделю месяц только давно \
     много несколько больше сразу другой другое другую раньше прошлой прошлом пару посылки отказ \
     уведомление скидку бонусы возврат звонок утром вечером днем лично сама отправление одну один штук \
     всякое размер первый последний трек брак часть половину пакет коробку упаковку сертификат чужой \
     чужую обратно ничего что-то дом магазин вопрос \
     сервис счет оплату товары самовывоз консультацию помощь карту картой наличными ";

fn is_buying(low: &str) -> bool {
    one_of(
        "заказал заказала заказали заказывал заказывала заказывали купил купила купили покупал покупала \
         приобрел приобрела приобрели забрала забрал получил получила получили брал брала брали взял взяла \
         взяли оплатил оплатила оплатили оформил оформила оформили выкупил выкупила",
        low,
    )
}

/// «купила у вас слайсер», «заказал вчера отпариватель Kitfort»: the first noun after what stands between.
fn after_verb(tokens: &[Token<'_>], from: usize) -> Option<(usize, usize)> {
    let between = "у вас в вашем магазине вчера сегодня недавно мне себе нам на сайте через сайт онлайн позавчера жене \
         мужу маме дочке сыну дочери ребенку ваш вашу новый новую новое новые этот эту тут здесь для нашей \
         школы две два три";
    let mut at = from;
    while tokens.get(at).is_some_and(|token| one_of(between, &token.low)) && at < from + 6 {
        let place =
            tokens[at].low == "в" && tokens.get(at + 1).is_some_and(|next| !one_of("вашем магазине", &next.low));
        if place {
            return None;
        }
        at += 1;
    }
    at += measure(&tokens[at..]);
    let begin = at;
    while tokens.get(at).is_some_and(is_adjective) && at < begin + 2 {
        at += 1;
    }
    let head = tokens.get(at)?;
    let low = head.low.as_str();
    let plain = head.is_word()
        && !head.is_latin()
        && low.chars().count() > 3
        && (!head.is_capital() || low.chars().any(char::is_whitespace));
    let verb = [
        "ть", "ся", "сь", "ли", "ла", "ал", "ил", "ел", "но", "ко", "го", "ет", "ит", "ут", "ят", "то", "ую", "ью",
        "не",
    ]
    .iter()
    .any(|end| low.ends_with(end))
        && !is_goods(low);
    let begins_brand = tokens.get(at + 1).is_some_and(|next| next.is_latin() && next.is_capital());
    let none = !plain
        || one_of(NEVER_AFTER, low)
        || is_stop_word(low)
        || (verb && !begins_brand)
        || super::given::is_known(low)
        || cities::city(low).is_some();
    // «Вызов электрика»: who or what it is of belongs to it.
    let of = one_of("вызов выезд услугу аренду прокат замер консультацию", low)
        && tokens.get(at + 1).is_some_and(|next| next.is_word() && !next.is_capital() && !is_stop_word(&next.low));
    (!none).then(|| (begin, brand_end(tokens, at + 1 + usize::from(of))))
}

/// «10 банок лака», «пару упаковок корма»: how many words come before what is measured.
fn measure(tokens: &[Token<'_>]) -> usize {
    let unit = |token: &Token<'_>| {
        [
            "банк",
            "банок",
            "упаков",
            "пачк",
            "пачек",
            "рулон",
            "мешк",
            "мешок",
            "короб",
            "комплект",
            "бутыл",
            "штук",
            "шт",
            "пар",
        ]
        .iter()
        .any(|start| token.low.starts_with(start))
    };
    match tokens {
        [count, measured, ..] if count.is_number() && count.text.len() < 4 && unit(measured) => 2,
        [count, next, ..] if count.is_number() && count.text.len() < 4 && is_goods(&next.low) => 1,
        _ => 0,
    }
}

/// "I bought a label printer from you": the words after the article, up to the end of the phrase.
fn after_article(tokens: &[Token<'_>], at: usize) -> Option<(usize, usize)> {
    let before = at.checked_sub(1).map(|place| &tokens[place])?;
    let verb = at.checked_sub(2).map(|place| tokens[place].low.as_str()).unwrap_or_default();
    let further = |word: &str| tokens[..at].iter().rev().take(5).any(|token| token.low == word);
    let buys = match verb {
        "for" => tokens[..at].iter().any(|token| token.low == "paid"),
        "you" | "me" if ["sold", "sent", "bought"].into_iter().any(further) => true,
        "you" | "u" => {
            ["with", "from", "off"].into_iter().any(further)
                && ["booked", "bought", "ordered", "had", "got"].into_iter().any(further)
        }
        "back" => further("sent"),
        "had" => tokens[at..].iter().take(8).any(|token| one_of("off from", &token.low)),
        _ => one_of("ordered bought purchased received collected got ve returned booked", verb),
    };
    if !is_determiner(before) || !buys {
        return None;
    }
    let from = at + usize::from(tokens[at].is_number() && is_count(&tokens[at]) || one_of(COUNTS, &tokens[at].low));
    phrase(tokens, from).map(|end| (from, end))
}

/// "I bought plotter ink", "we have ordered from you accordion straps": without an article.
fn bare(tokens: &[Token<'_>], at: usize) -> Option<(usize, usize)> {
    let from_you =
        |at: usize| at >= 2 && tokens[at - 1].low.starts_with("you") && one_of("from off", &tokens[at - 2].low);
    let verb = if from_you(at) { at.checked_sub(3)? } else { at.checked_sub(1)? };
    let adverb = "online twice again everything something several many early late extra express both all any so too as wrong \
         black here directly together separately another elsewhere just instead once anything nothing enough plenty \
         next day same by via through using size different what sth smth";
    if !one_of("bought ordered", &tokens[verb].low) || one_of(adverb, &tokens[at].low) || tokens[at].is_capital() {
        return None;
    }
    phrase(tokens, at)
        .filter(|end| tokens[at..*end].iter().all(|token| !token.low.ends_with("ly")))
        .map(|end| (at, end))
}

/// What holds something: "twelve cartons of till rolls" are till rolls.
fn contents(tokens: &[Token<'_>], from: usize) -> usize {
    let holder = tokens.get(from).is_some_and(|token| {
        one_of(
            "carton cartons box boxes bag bags pack packs pallet rolls roll metres tins bottles case cases sets",
            &token.low,
        )
    });
    let of = tokens.get(from + 1).is_some_and(|token| token.low == "of");
    if holder && of { from + 2 } else { from }
}

/// «Самокат Kugoo» as a clause beside the number of an order, whatever a самокат is.
fn brand_alone(tokens: &[Token<'_>], at: usize) -> Option<(usize, usize)> {
    let begins = at == 0 || tokens[at - 1].divides();
    let end = (at..tokens.len()).find(|place| tokens[*place].divides()).unwrap_or(tokens.len());
    let clause = &tokens[at..end];
    if !begins || clause.len() < 2 || clause.len() > 5 || !clause[0].is_word() || clause[0].is_latin() {
        return None;
    }
    let cyrillic = clause.iter().take_while(|token| token.is_word() && !token.is_latin()).count();
    let latin =
        clause[cyrillic..].iter().all(|token| (token.is_latin() && !is_common_latin(&token.low)) || token.is_number());
    let has_latin =
        clause[cyrillic..].iter().any(|token| token.is_latin() && token.text.len() > 2 && token.is_capital());
    let plain = clause[..cyrillic].iter().all(|token| {
        !is_stop_word(&token.low) && !super::given::is_known(&token.low) && cities::city(token.text).is_none()
    });
    let never = one_of(
        "почта телефон тел ватсап телеграм мейл заказ номер ник тг телега логин адрес пишите звоните купил \
         купила заказал заказала взял взяла брал получил оплата модель трек вотсап мой",
        &clause[0].low,
    );
    (cyrillic <= 2 && latin && has_latin && plain && !never).then_some((at, end))
}
