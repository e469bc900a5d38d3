//! Goods that are not known by name: a noun phrase of which it is said that it was bought, sold, or came.

use super::cities;
use super::goods::is_goods;
use super::products::{Evidence, brand_end, is_adjective, is_common_latin};
use super::reading::{Sentence, Token, one_of};
use crate::engine::words::is_stop_word;

/// Goods that are not known by name: after a verb of buying, or a brand as a clause of its own beside an order.
pub(super) fn unknown(
    tokens: &[Token<'_>],
    at: usize,
    evidence: Evidence,
    sentence: &Sentence<'_>,
) -> Option<(usize, usize)> {
    let token = &tokens[at];
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
