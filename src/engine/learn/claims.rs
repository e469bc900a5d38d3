//! What a customer says that we said, promised or wrote: evidence of what they believe, never of our rules.

use std::sync::LazyLock;

use regex::Regex;

use super::VALUE_MOST;
use super::reading::{Reading, Sentence};
use super::said::{LIKELY, Said, pattern};
use super::values;
use crate::engine::words::shortened;

/// Those who speak for us, folded.
const OURS: &str = r"(?:вы|ваш\S*|вами|у вас|менеджер\S*|оператор\S*|консультант\S*|сотрудни\S+|курьер\S*|поддержк\S+|бот|продавец|продавцы|продавщиц\S|девушка|девочк\S|парень|молодой человек|мастер\S*|специалист\S*|администратор\S*|кассир\S*|мне|нам|нас|меня|магазин\S*|сайт\S*|водител\S+|замерщик\S*|сборщик\S*|техподдержк\S+|колл центр\S*)";

static PROMISED: LazyLock<Regex> = LazyLock::new(|| {
    let said = r"(?:обещал[аи]?|обещали|пообещал[аи]?|гарантировал[аи]?|заверил[аи]?|заверял[аи]?|уверял[аи]?|уверил[аи]?|клялся|клялась|клялись|поклял\S+|божил\S+|обещано|обещает|обещают|гарантирует|гарантируете|обещаете|обещаны|обещана|обещан)";
    let english = r"(?:you|u|you (?:lot|guys|people|folks|all)|ur (?:site|website|app)|your \S+|your \S+ \S+|(?:(?:the|a|some|one of your|this) (?:\S+ ){0,1}?)?(?:manager|operator|courier|agent|support|lady|girl|guy|man|woman|rep|representative|seller|assistant|colleague|driver|technician|engineer|consultant|bot|chat|site|website|shop|store|chatbot)s?(?: \S+){0,4}?|i was|we were|they|someone|support|customer service)";
    pattern(&format!(
        r" (?:{OURS} (?:\S+ ){{0,6}}?{said}|{said} (?:мне |нам |же )?(?:что|привез\S+|достав\S+|перезвон\S+|позвон\S+|верн\S+|замен\S+|скидк\S+|подар\S+|бесплатн\S+|за \S+|в течение|до|к|на|сегодня|завтра|вчера|прислать|отправить|помочь|разобраться)|{english} (?:(?:have|had|has|already|also|even|clearly|personally|all|just|then|explicitly) ){{0,2}}(?:promised?|guaranteed?|guarantees|promises|assured|swore|vowed)(?: me| us)?|(?:was|were|been) (?:promised|guaranteed|assured)) "
    ))
});

static TOLD: LazyLock<Regex> = LazyLock::new(|| {
    let said = r"(?:сказал[аи]?|сказали|говорил[аи]?|говорите|подтвердил[аи]?|ответил[аи]?|написал[аи]?|писал[аи]?|писали|сообщил[аи]?|объяснил[аи]?|объясняли|утверждал[аи]?|утверждаете|пишете|уверяете|говорит|сообщали)";
    let english_us = r"(?:you|u|you (?:lot|guys|people|folks|all)|ur (?:site|website|app)|your (?:\S+ ){1,2}?(?:(?:on|at|in|from) (?:the |your )?\S+ )?|(?:the|a|some|one of your|this) (?:chap|fella|bloke|lad|person|email|leaflet|box|packaging|manual|confirmation|chat ?bot|chat bot|bot|rep|representative|agent|lady|girl|guy|man|woman|manager|operator|consultant|seller|assistant|courier|driver|site|website|web site|web page|app|listing|product page|page|support|salesman|technician|engineer|shop assistant|pharmacist)(?: (?:on|at|in|from) (?:the |your )?\S+| who (?:\S+ ){1,3}?)?|support|customer service|someone (?:from|at|in) your \S+)";
    let english_said = r"(?:said|told|says?|states?|stated|wrote|written|confirmed|claimed|claims?|mentioned|advertised?|advertises|tells?|reads?|informed)";
    pattern(&format!(
        r" (?:{OURS} (?:\S+ ){{0,5}}?{said}(?: \S+){{0,4}}? (?:что|мол|якобы|будто|типа)|(?:вы|ваш\S*|оператор\S*|менеджер\S*|консультант\S*|продавец|девушка|курьер\S*|мастер\S*|поддержк\S+) (?:\S+ ){{0,3}}?(?:сказал[аи]?|говорил[аи]?|писал[аи]?|написал[аи]?) (?:мне |нам )?(?:бесплатно|гарантия|доставка|скидка|можно|все|возврат|будет|привезут|вернут|приедут)|(?:сказали|говорили|написали) (?:мне |нам )?(?:что|не \S+(?:ете|ите|ем|им))|(?:у вас|на (?:вашем |вашей )?(?:сайте|странице|карточке|упаковке)|в (?:ваш\S+ |вашем )?(?:рекламе|правилах|письме|смс|оферте|условиях|чате|приложении|каталоге|описании|рассылке|договоре|объявлении|карточке)(?: (?:у вас|товара|\S+))?)(?: \S+){{0,4}}? (?:написано|сказано|указано(?: \S+){{0,1}}? что|указано в|сказано|обещано|заявлено|говорится|прописано|пишете|черным по белому|стояло|значится)(?: \S+){{0,2}}?(?: что)?|согласно (?:ваш\S+ )?(?:правил\S+|услови\S+|оферт\S+|сайту|договору|политик\S+)|по (?:вашим )?(?:условиям|правилам) (?:акции|вашей|вашего|возврата|магазина|доставки|\S+) \S+|по вашим (?:же )?(?:условиям|правилам)|(?:as i remember |i remember )?{english_us} ?(?:(?:have|had|has|already|also|even|clearly|personally|all|just|then|always|still|that|who|pavel|\S+) ){{0,1}}?{english_said}(?: me| us| on| that| in| it| at| i| delivery| the| free| free\S*| returns?| they\S*| \S+)|(?:i was|we were|ive been|i have been) (?:told|informed|advised) (?:by|that|i|it|the|you|on|in|over)|(?:was|were|been) (?:told|informed|assured|promised) by (?:your|the|live|one|a|someone|somebody)|ваше правило что|ваши правила|у вас правило|under your (?:own )?(?:terms|policy|rules|conditions|guarantee)|(?:it was|was) agreed (?:\S+ ){{0,5}}that|(?:i|we) have it from your (?:own )?(?:helpline|support|chat|shop|store|staff|website|page|team|colleague|operator|agent|manager|desk)|im told by your|gave (?:me|us) (?:his|her|their|your) word that|you undertook to|(?:advice|answer|information) you gave (?:me|us) was|the page about \S+ (?:says|states)|says? (?:\S+ ){{1,5}}(?:on|in) your (?:page|site|website|app|listing|advert|leaflet)|they told (?:me|us) (?:at (?:the )?(?:checkout|till)|on the (?:phone|telephone|helpline)|in (?:the )?(?:shop|store|chat)|(?:that )?i could (?:return|send|exchange|swap))|promised (?:\S+ ){{1,6}}by your|(?:i )?was given to understand by your|swore blind|according to (?:your|the (?:man|woman|lady|girl|guy|chap|person) (?:at|from|in|on) (?:your|the)|the (?:site|website|app|page|listing|chat|email))|as per your|(?:i )?(?:understand|gather|see|read) (?:from|in) your|(?:newsletter|email|mail|letter|leaflet|message|text) (?:that )?you sent (?:me|us) (?:states|says|said|promises|promised|claims)|you (?:\S+ )?guarantee|in accordance with your|(?:is |its |it is )?(?:written|stated|says|said) (?:in|on|at) your|on your (?:site|page|website|web site|app|instagram)(?: \S+)? (?:is|its|it is|it|they|you) (?:written|says|say|said|stated|wrote|write|\S+ written)|the (?:site|website|web site|page|app|advert|ad|listing|catalogue|catalog|banner|description) (?:says|said|states|stated|promises|promised|claims)) "
    ))
});

/// What makes it no claim of theirs: said by others, asked, supposed, denied.
static NOT_THEIRS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:не (?:\S+ )?(?:по)?обещал\S*|ничего не (?:обещал\S*|сказал\S*)|я (?:\S+ ){0,2}(?:обещал\S*|сказал\S*|говорил\S*|писал\S*|написал\S*|гарантир\S+)|в отзывах|отзыв\S*|допустим|(?:муж|жена|мама|сын|дочь|дочка|сестра|брат|друг|подруга|сосед|соседка|моя? коллега|врач|свекровь|знакомая) (?:\S+ )?(?:говорит|сказал\S*|обещал\S*|уверял\S*)|did(?:nt| not) (?:promise|say|tell)|never (?:promised|said|told)|as you said|as your|not saying|в (?:банке|роспотребнадзоре|поликлинике|сервисном центре)|на рынке|что (?:его|ее) зовут|(?:his|her) name (?:is|was)|reviews? (?:by|from|on|of)|(?:a|my|our) (?:friend|mate|neighbou?r|colleague) (?:said|says|told|tells)|(?:poster|billboard|sign) (?:\S+ ){0,3}(?:says|said|reads)|(?:друг|подруга|знаком\S+|сосед\S*) (?:говорил\S*|говорят)|(?:rain|snow|frost|sunshine|forecast|bonus at|payrise|pay rise|премию|зарплату|дождь|снег|мороз)|when you say|конкурент\S*|на почте|post office|сказали что у вас(?: и| есть)? \S+(?: \S+){0,3} бывают|на (?:ленте|упаковке|коробке|этикетке|банке)|(?:on|in) (?:the|its) (?:manual|box|packaging|leaflet)(?: it| is)? (?:says|said|written)|the (?:manual|box|packaging|leaflet|tag) (?:says|said|states|reads)|told me nothing|said nothing|nobody (?:said|told|promised)|what (?:you|your \S+) (?:said|told)|like you said|did you|have you|do you|as i said|i told|(?:ive|i have|ill|i will) (?:\S+ )?(?:told|tell)|i said|my \S+ (?:says|said|told|promised)|wife|husband|mother in law|queue|for you said|suppose|will you promise|can you promise|promise me|you can tell|could you (?:please )?tell|can you tell|you tell me|you say hello|greeted|told me to|my manager|my boss|the appointment) ",
    )
});

/// A question whether it is so asserts nothing.
static ASKS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^ (?:(?:а|и|но|ну|здравствуйте|добрый день|скажите|подскажите|пожалуйста|hi|hello|so|and|but) )*(?:правда|это правда|верно|гарантируете|обещаете|утверждаете|почему|зачем|кто|где|что|какой|какая|когда|сколько|куда|как|is|are|was|were|do|does|did|can|could|what|where|when|who|which|how|will|would|have|has) ",
    )
});

static IS_IT_SO: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:(?:это|так|правда) (?:правда|так|ли)|правда ли|верно ли|(?:is it|is that|is this) (?:true|right|so|correct|still)) ",
    )
});

/// Who is none of ours though they say something, and what tells how far an order is, not what we hold to.
static NOT_OURS: LazyLock<Regex> = LazyLock::new(|| {
    let shown = r"(?:m )?[0-9]{5,8}|processing|delivered|dispatched|shipped|pending|expired|error|cancelled|failed|complete|completed|ready|paid|sent|out for delivery|in transit|awaiting \S+|not found|access denied";
    pattern(&format!(
        r" (?:in the (?:paper|papers|newspaper|news|magazine)|on the (?:radio|telly|news)|by another|(?:friend|neighbou?r|colleague|sister|brother|mother|mum|dad|son|daughter|wife|husband) (?:\S+ )?(?:was|were|been) (?:told|promised)|(?:gp|doctor|vet|dentist|bank|plumber|electrician|police|mechanic|solicitor|manual|seller) (?:says|said|reckons|told)|(?:says?|said|told me) (?:hello|hi|hey|good|bless|it was (?:mon|tues|wednes|thurs|fri|satur|sun)day|sorry|goodbye|thanks|nothing)|(?:rather|wish|prefer) you \S+|(?:your|the|my) (?:\S+ )?(?:label|letter|envelope|parcel|sticker|docket|slip|note|card|screen|system|records?|tracking) (?:says?|said|reads?|has|shows?)|(?:says?|said|told me) (?:that )?(?:he was|she was|hes|shes|hed been|shed been|his|her|your name|so|it (?:doesnt|does not|cant))|wrote my name|(?:rivals?|competitors?|shop opposite) (?:promised|said|told|says)|told (?:it |this |that )?by (?:my|a)|(?:says?|said|saying|shows?|reads) (?:that |my |your |the |it |its |is |order |parcel |still |has been |was |in ){{0,4}}(?:{shown})) "
    ))
});

/// "A man called Terry said", "a lady at work says": anybody, unless it is told that they are ours.
static ANYBODY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:(?:a|some|this) (?:man|woman|lady|girl|guy|chap|bloke|fella|lad|person)|the (?:man|woman|lady|girl|guy|chap|bloke|fella|lad|person|customer) (?:(?:at|from|in) (?:the|a|my)|in front|behind|before|ahead|next)) (?:\S+ ){0,8}?(?:said|says|told|tells|claimed|promised) ",
    )
});

static OURS_NAMED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:(?:from|at|in|of|on) (?:you|your)|on the (?:phone|telephone|till|desk|line)|(?:in|at) the (?:shop|store|till|desk|counter|showroom)) ",
    )
});

/// The claims in a message, each sentence once.
pub(super) fn read(reading: &Reading<'_>, said: &mut Said) {
    for sentence in &reading.sentences {
        if is_claim(sentence) && !values::has_link(sentence.text) {
            let words = sentence.text.replace(['¦', '[', ']', '<', '>', '{', '}', '|', '`'], " ");
            said.add("claim", shortened(&words, VALUE_MOST), LIKELY);
        }
    }
}

fn is_claim(sentence: &Sentence<'_>) -> bool {
    let text = sentence.folded.as_str();
    let claim = PROMISED.find(text).or_else(|| TOLD.find(text));
    // What is supposed is supposed before it: "if late, 10 percent" may be our own words.
    let claims =
        claim.is_some_and(|found| ![" если ", " if ", " once "].iter().any(|word| text[..found.end()].contains(word)));
    let others =
        NOT_OURS.is_match(text) || ANYBODY.find(text).is_some_and(|found| !OURS_NAMED.is_match(&text[..found.end()]));
    claims
        && !others
        && !NOT_THEIRS.is_match(text)
        && !(sentence.asks && (ASKS.is_match(text) || IS_IT_SO.is_match(text)))
}
