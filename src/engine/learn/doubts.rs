//! What speaks against goods being the customer's: wishes, plans, other shops, others who bought them.

use std::sync::LazyLock;

use regex::Regex;

use super::products::{BOUGHT, Evidence};
use super::reading::{Reading, Sentence, Token, folded, one_of};
use super::said::pattern;
use super::voice;

/// Wishes, plans, questions before buying, and what others bought.
static NOT_BOUGHT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:есть ли|есть в наличии|в наличии|сколько стоит|сколько стоят|почем|посоветуйте|порекомендуйте|прода[её]те|продаете ли|подскажите (?:\S+ )?(?:какой|какую|какие|есть)|какой лучше|какую лучше|что лучше|выбираю|выбираем|думаю|думаем|присмотрел[аи]?|хочу (?:купить|взять|приобрести|заказать|подарить|у вас)|хотим (?:купить|взять|приобрести|заказать)|хотел[аи]? бы (?:купить|взять|приобрести|заказать)|собираюсь|планирую|если (?:я )?(?:\S+ )?(?:закажу|куплю|возьму|верну|верн|оформлю)|допустим|предположим|закажу|куплю|возьму|интересует|интересуют|бывает ли|бывают ли|у вас есть|а есть|когда завоз|когда подешевеет|подешевеет|скидка на|чем отличается|разница между|не заказывал[аи]?|не покупал[аи]?|никак\S+ \S+ не заказ\S+|на барахолке|на авито|на озоне|на вайлдберриз|в другом магазине|посмотрел[аи]? у вас|можно ли купить|можно купить|можно заказать|дешевле|подойдет ли|совместим\S*|размерн\S+ сетк\S+|перед (?:покупкой|заказом)|пока думаю) ",
    )
});

/// Bought from somebody else, or not at all.
static ELSEWHERE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:не заказывал[аи]?|не покупал[аи]?|(?:взял|взяла|купил|купила|заказал|заказала|приобрел|приобрела) бы|бы (?:взял|взяла|купил|купила|заказал|заказала|приобрел|приобрела)|id buy|would buy|(?:almost|nearly) (?:bought|ordered)|(?:was|were) going to (?:buy|order|get)|if (?:i|we) (?:ordered|bought|had ordered|had bought)|(?:werent|wasnt|isnt|arent|not) (?:purchased|bought|ordered|from you|yours)|никогда не (?:заказ|покуп)\S+|никак(?:ой|ого|ую) (?:\S+ )?(?:заказ\S*|не)|(?:id|i d|would|could|should|wed) (?:have|ve) (?:bought|ordered|taken)|wouldve (?:bought|ordered)|elsewhere|another shop|another store|other shop|somewhere else|on ebay|on amazon|from amazon|before i (?:buy|order)|havent got one|hypothetic\S*|like if i|diff\S*rence between|чем отличается|never ordered|did not order|didnt order|havent ordered|have not ordered|не брал[аи]?) ",
    )
});

/// Others who praise what they have, or want something.
static OF_OTHERS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:(?:сосед\S*|подруг\S|друг|коллег\S|знаком\S+|брат|сестра)(?: \S+){0,6} (?:говорит|сказал\S*|хвалил\S*|рассказ\S*|хвалит|хочет)|(?:mum|mom|mother|dad|father|brother|sister|son|daughter|nephew|niece|grandson|granddaughter|friend|mate|neighbou?r|colleague|boss|aunt|uncle|cousin|roommate|flatmate|grandma|grandad|guy|bloke)(?: \S+){0,3} (?:has|had|wants|swears)|(?:сосед|соседке|подруге|брату|сестре|маме) (?:\S+ ){0,3}(?:привез\S+|диван)) ",
    )
});

/// Whether a message tells of others.
pub(super) fn of_message(reading: &Reading<'_>) -> bool {
    reading.tells_of_others() || OF_OTHERS.is_match(&reading.folded())
}

/// Whether nothing that a sentence names was bought by the customer from us.
pub(super) fn of_sentence(sentence: &Sentence<'_>, bought: bool, named: bool) -> bool {
    let text = sentence.folded.as_str();
    !named && is_general(sentence)
        || ELSEWHERE.is_match(text)
        || (!bought || sentence.asks) && !named && NOT_BOUGHT.is_match(text)
        || OF_OTHERS.is_match(text)
        || sentence.of_others
        || voice::is_of_other_shop(text)
}

/// Whether a sentence tells of what was bought elsewhere, by others, or not at all.
pub(super) fn is_of_another(sentence: &Sentence<'_>) -> bool {
    let text = sentence.folded.as_str();
    ELSEWHERE.is_match(text) || sentence.of_others || voice::is_of_other_shop(text)
}

/// Words of a clause that only wishes for what it names.
const WISHES: &str = "выбираю выбираем выбирать выберу присматриваю присматриваем присмотреть подумаю подумаем ищу ищем \
             посоветуйте посоветуете шьете продаете делаете мечтаю";

/// Whether the clause of these goods only wishes for them, «купили квартиру, присматриваем кухню», or asks for them where
/// another clause tells of something bought.
pub(super) fn of_clause(sentence: &Sentence<'_>, begin: usize, end: usize, evidence: Evidence) -> bool {
    let tokens = &sentence.tokens;
    let from = tokens[..begin].iter().rposition(Token::divides).map_or(0, |at| at + 1);
    let to = tokens[end..].iter().position(Token::divides).map_or(tokens.len(), |at| end + at);
    let clause = &tokens[from..to];
    let wished = clause.iter().any(|token| one_of(WISHES, &token.low));
    let asked = sentence.asks
        && evidence.bought
        && !evidence.has_order
        && !evidence.theirs
        && to == tokens.iter().rposition(|token| token.text == "?").unwrap_or(tokens.len())
        && from > 0
        && !BOUGHT.is_match(&folded(&sentence.text[clause[0].start..clause[clause.len() - 1].end]));
    wished || asked
}

/// «Можно ли вернуть матрас», «если привезли разбитый стол»: asked of any, not of theirs.
fn is_general(sentence: &Sentence<'_>) -> bool {
    static GENERAL: LazyLock<Regex> =
        LazyLock::new(|| pattern(r" (?:если|можно ли|как (?:вернуть|сдать|обменять)|сколько идет) "));
    static OWN: LazyLock<Regex> = LazyLock::new(|| {
        pattern(r" (?:мо[йяеи]|мою|моего|моей|наш\S*|у меня|мне|я|мы|нам|заказал[аи]?|купил[аи]?|получил[аи]?) ")
    });
    sentence.asks && GENERAL.is_match(&sentence.folded) && !OWN.is_match(&sentence.folded)
}
