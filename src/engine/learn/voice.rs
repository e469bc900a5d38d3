//! Whose words they are: what is quoted, forwarded, reported, supposed or told of others states nothing of the customer.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::said::pattern;
use crate::engine::words::words;

/// Where a forwarded message begins: all that follows was written by others.
static FORWARDED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?im)^[\s>*-]*(?:-{2,}\s*)?(?:(?:begin )?forwarded message|original message|пересыла\w+ (?:сообщение|письмо)|пересланное (?:сообщение|письмо)|исходное сообщение)\b.*$",
    )
});

/// Lines that a mail program quotes.
static ANSWERED: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?m)^\s*>.*$"));

static QUOTED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"«([^«»]{4,})»|"([^"\n]{4,})"|“([^“”]{4,})”|\B'(\b(?:[^'\n]|\b'\b){4,}[^\s'])'\B"#));

/// Words of one who speaks, which the name of a firm or of goods does not hold.
const SPEAKS: &str = "я меня мне мой моя вы вас вам ваш ваша ваше ваши мы нас нам i me my you your we us our";

/// The text without what others wrote: forwarded mail, quoted lines, speech in quotation marks.
pub(super) fn own_words(text: &str) -> Cow<'_, str> {
    let text = match FORWARDED.find(text) {
        Some(found) => Cow::Borrowed(&text[..found.start()]),
        None => Cow::Borrowed(text),
    };
    let text = changed(text, |text| ANSWERED.replace_all(text, " "));
    changed(text, |text| {
        QUOTED.replace_all(text, |found: &Captures<'_>| {
            let inner = found.iter().skip(1).flatten().next().map_or("", |inner| inner.as_str());
            // As long as it was, so that what is near to what stays as it is.
            if is_speech(inner) {
                format!(" ¦{}", " ".repeat(found[0].len().saturating_sub(3)))
            } else {
                found[0].to_owned()
            }
        })
    })
}

fn changed(text: Cow<'_, str>, change: impl Fn(&str) -> Cow<'_, str>) -> Cow<'_, str> {
    match change(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(changed) => Cow::Owned(changed),
    }
}

/// Whether what stands in quotation marks is said by somebody, not a name.
fn is_speech(inner: &str) -> bool {
    let words = words(inner);
    let number = words.iter().any(|word| word.len() >= 5 && word.chars().all(|c| c.is_ascii_digit()));
    let speaks = words.iter().any(|word| super::reading::one_of(SPEAKS, word));
    let small = inner.starts_with(|c: char| !c.is_uppercase());
    words.len() >= 2 && (number || speaks) || words.len() >= 3 && small || words.len() >= 6
}

/// What was read somewhere, is only supposed, is an example or a joke.
static REPORTED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:(?:про)?читал[аи]? (?:\S+ ){0,3}(?:отзыв\S*|форум\S*|интернете|комментари\S+|соцсет\S+|новост\S+|статью)|в (?:отзывах|отзыве|комментариях|комментах|рекламе было|новостях)|отзыв(?:е|ах|ы)? (?:от|клиент\S*|покупател\S+|на|про|о|некой|некоего)|на форуме|в интернете (?:пишут|писали|написано|читал[аи]?|увидел[аи]?)|одна (?:женщина|дама|девушка) (?:пишет|писала|пожаловалась)|допустим|предположим|представьте|представим|гипотетическ\S+|теоретически\S*|теоретический|если бы|анекдот\S*|к примеру|для примера|в (?:вашем )?примере|такого вида|вроде такого|(?:человек|кто то|некто|мужик|клиент|покупатель|люди) (?:\S+ ){0,2}(?:заказ(?:ал|ала|али|ывает)|купил[аи]?|оформил[аи]?|покупает|возвращает)|(?:saw|says|said|reads|wrote) (?:my name is|call (?:me|us)|hello|hi|dear)|what if|let s say|lets say|suppose (?:i|we|that|a|someone|somebody|my)|supposing|imagine (?:i|we|that|a|someone|somebody)|hypothetic\S*|theoretic\S*|in theory|(?:a|the|old|this) joke|for example|for instance|(?:in|as) (?:the|an|your) example|is your example|is (?:the|an|just an|only an) example|oh sure|yeah right|oh yeah sure|and im the (?:queen|king|pope)|im elvis|(?:i |i have |ive |have |having )(?:just )?(?:read|saw|seen|found) (?:\S+ ){0,4}(?:reviews?|forum|reddit|facebook|online|newspaper|news|trustpilot|that|somewhere)|(?:a|the|that|your|these|some|one|bad|good|left a|five star|one star) reviews?(?: \S+)? (?:about|from|by|on|says?|said|of|where|that|saying)|left (?:you )?(?:a|an) (?:\S+ )?review|reviewers?|on (?:a|the|some|your) forum|(?:member|user|poster|blogger) (?:\S+ ){1,2}(?:orders?|ordered|bought|returned|received|got|says?|said|writes|wrote)|in (?:a|the|some|one) forum|on (?:reddit|facebook|trustpilot|twitter|instagram|tiktok|youtube) (?:someone|somebody|people|a|one|they|says?)|(?:someone|somebody|a person|a man|a woman|a customer|people|anyone) (?:\S+ )?(?:orders?|ordered|buys?|bought|returns?|returned|whos|who)) ",
    )
});

/// Whether a sentence, folded, tells what was read somewhere, or what is only supposed.
pub(super) fn is_reported(folded: &str) -> bool {
    REPORTED.is_match(folded)
}

/// People of whom customers tell, in the nominative, folded.
const PEOPLE_RU: &str = r"(?:мам[ау]ля|мама|мамочка|папа|отец|мать|муж|жена|супруга?|сын|сынок|дочь|дочка|сестра|сестренка|брат|братишка|бабушка|бабуля|дедушка|дед|внук|внучка|теща|тесть|свекровь|свекр|зять|невестка|сваха|сват|кума?|тетя|тетка|дядя|племянник|племянница|подруга|подружка|друг|друзья|приятель\S*|сосед|соседка|соседи|коллега|коллеги|начальник|начальница|шеф|знакомый|знакомая|однокурсни\S+|одногруппни\S+|мой парень|моя девушка|бывший|бывшая|родители|кто то|она|он)";

const PEOPLE_EN: &str = r"(?:mum|mom|mother|mother in law|dad|father|father in law|brother|brother in law|sister|sister in law|son|son in law|daughter|daughter in law|husband|wife|partner|girlfriend|boyfriend|fiance|fiancee|ex|friend|friends|mate|mates|neighbou?rs?|colleagues?|coworker|co worker|boss|manager|aunt|auntie|uncle|cousin|niece|nephew|gran|granny|nan|nana|nanna|grandma|grandmother|grandad|grandpa|grandfather|grandson|granddaughter|flatmate|roommate|housemate|landlord|landlady|tenant|guy|bloke|lady|woman|somebody|someone|he|she)";

/// Others who bought or ordered, and orders that are called theirs.
static OTHERS_BUY: LazyLock<Regex> = LazyLock::new(|| {
    let ru = r"(?:заказ(?:ал|ала|али|ывал|ывала|ывали|ывает)|купил[аи]?|покупал[аи]?|взял[аи]?|брал[аи]?|получил[аи]?|оформил[аи]?|приобрел[аи]?|выиграл[аи]?)";
    let en = r"(?:ordered|orders|bought|got|has got|purchased|received|placed)";
    pattern(&format!(
        r" (?:{PEOPLE_RU}(?P<ru>(?: \S+){{0,4}}) {ru}|(?:(?P<for>\S+) )?(?:my|our|a|the|your|his|her|their|old|young|lovely|one|some)? ?{PEOPLE_EN}(?P<en>(?: \S+){{0,5}}) {en}|(?:(?:my|our|the|one|a|his|her) )?(?:\S+ )?(?:mums|moms|mothers|dads|fathers|brothers|sisters|sons|daughters|husbands|wifes|friends|neighbou?rs|colleagues|bosss?|aunts|uncles|cousins|nans|grans|grandmas|grandads|ladys|girlfriends|boyfriends|partners|mates|laws|flatmates|roommates|customers|persons|elses|her|his|their) (?:\S+ )?orders?|заказ\S* (?:\S+ )?(?:мамы|мамин|папы|мужа|жены|сына|дочери|дочки|сестры|брата|друга|подруги|соседа|соседки|коллеги|бабушки|тещи|свекрови)|(?:мамин|папин|сестрин|мужнин|бабушкин|соседкин)\S? (?:\S+ )?заказ\S*|(?:маме|папе|мужу|жене|брату|сестре|подруге|другу|соседу|соседке|коллеге|сыну|дочери|дочке|бабушке|внуку|внучке|свекрови|теще) (?:\S+ ){{0,2}}(?:подарили|пришел|пришла|пришло|пришли|привезли|доставили)) "
    ))
});

/// Who of these is only bought for, or is told of before the customer speaks of themselves: "for my son I ordered".
const OF_CUSTOMER: &str = "i i'm ive we weve я мы нам мне me us";

/// «Подруга посоветовала, заказала у вас»: after these the customer goes on with themselves.
const ADVISED: [&str; 4] = ["посоветов", "порекоменд", "рекоменд", "подсказ"];

/// Whether a sentence, folded, tells what others bought.
pub(super) fn is_of_others(folded: &str) -> bool {
    OTHERS_BUY.captures_iter(folded).any(|found| {
        let gap = |name: &str| found.name(name).map_or("", |gap| gap.as_str());
        let customer = |word: &str| super::reading::one_of(OF_CUSTOMER, word);
        let own = gap("ru").split_whitespace().chain(gap("en").split_whitespace()).any(customer);
        let bought_for =
            found.name("for").is_some_and(|word| super::reading::one_of("for to with from", word.as_str()));
        let advised = gap("ru").split_whitespace().any(|word| ADVISED.iter().any(|start| word.starts_with(start)));
        !own && !bought_for && !advised
    })
}

/// "My uncle's place is …", "my son Anton lives in …": where others live.
static OTHERS_LIVE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r" (?:he|she) (?:lives|lived|stays) | (?:my|our|his|her|the|a) (?:\S+ )?(?:{PEOPLE_EN} (?:\S+ ){{0,2}}(?:lives?|living|lived|is at|is in|moved|stays|studies|works)|(?:parents|grandparents|mums|moms|mothers|dads|fathers|brothers|sisters|sons|daughters|husbands|wifes|friends|neighbou?rs|colleagues|aunts|uncles|cousins|nans|grans|grandmas|grandads|mates|laws|bosss?) (?:\S+ )?(?:place|house|flat|home|address|office|shop) (?:is|was|s)) "
    ))
});

/// Whether a sentence, folded, tells where others live, and not that something is to be brought there.
pub(super) fn is_where_others_live(folded: &str) -> bool {
    const BROUGHT: [&str; 8] =
        [" deliver ", " delivered ", " send ", " bring ", " leave it ", " ship ", " i live ", " we live "];
    OTHERS_LIVE.is_match(folded) && !BROUGHT.iter().any(|word| folded.contains(word))
}

/// Shops that are not ours, where a message says that it is of them.
static OTHER_SHOPS: LazyLock<Regex> = LazyLock::new(|| {
    let en = r"(?:amazon|ebay|etsy|wayfair|argos|currys|ikea|tesco|asda|lidl|aldi|walmart|target|costco|walgreens|home depot|staples|officeworks|bunnings|kmart|flipkart|best buy|john lewis|temu|shein|aliexpress|marks and spencer|screwfix|homebase|b q|boots|next|decathlon)";
    let ru = r"(?:озон\S?|ozon|авито|вайлдберриз|wildberries|wb|вб|алиэкспресс\S?|али|яндекс маркет\S?|мегамаркет\S?|ламод\S|икее|леруа|ситилинке|днс|мвидео|м видео|эльдорадо|ленте|ашане|спортмастере|магните|пятерочке|декатлоне)";
    pattern(&format!(
        r" (?:(?:on|at|from|off|via|with|to|through) {en}|{en} (?:orders?|said|says|sells|sold|sent|delivered|seller|parcel|account|purchase)|(?:на|в|из|у|с) {ru}|{ru} (?:заказ\S*|прислал\S*|пишет|продает|привез\S*)|пишет {ru}|(?:in|at|from) (?:another|a different|some other|a charity|a local|my local|the other) (?:shop|store|site|website)|(?:at|from) a car boot(?: sale)?|elsewhere|somewhere else|в друг(?:ом|их) (?:магазин\S+|месте)|у (?:конкурентов|других|перекупа)|в соседнем магазине|на (?:рынке|барахолке|маркетплейсе)|at (?:a|the) market|с рук) "
    ))
});

/// Whether a sentence, folded, is of another shop.
pub(super) fn is_of_other_shop(folded: &str) -> bool {
    OTHER_SHOPS.is_match(folded)
}

/// An advertisement: whose name and number stand in it, nobody asked.
static ADVERTISES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:подпи(?:шитесь|сывайтесь) на|наш (?:канал|телеграм канал)|предлагаем (?:вам )?(?:услуг\S+|сотрудничество|продвижение)|заработ(?:ок|ай|айте)|пассивный доход|ремонт квартир|продаю (?:\S+ )?(?:дом|дачу|квартиру|гараж|машину|участок)|сниму квартиру|размещу рекламу|selling (?:my|a) (?:house|car|flat|van)|advertise with you|кредит без отказа|subscribe to our|check out our|we offer (?:seo|loans|services)|earn money|work from home) ",
    )
});

/// Whether a message, folded, advertises.
pub(super) fn advertises(folded: &str) -> bool {
    ADVERTISES.is_match(folded)
}

/// What makes a whole message one of somebody who is no customer, or who was written to by mistake or by cheats.
static DISOWNS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:мошенни\S+|мошенничеств\S+|фишинг\S*|развод(?:ка|ят|ите)?|лохотрон|(?:никогда|ни разу|вообще|ничего) (?:\S+ ){0,3}не (?:заказывал|покупал|оформлял)[аи]?|не (?:заказывал|покупал|оформлял)[аи]? (?:я )?(?:ничего|у вас ничего)|(?:нет|не было) (?:у меня )?никак(?:их|ого) заказ\S*|ошиблись (?:номером|адресом|адресатом)|не туда (?:пишете|попали|звоните)|чуж(?:ая|ую|ое|ой) (?:накладн\S+|посылк\S+|адрес)|чужое (?:письмо|сообщение|смс|уведомление)|scam\S*|fraud\S*|phishing|spoof\S*|(?:never|not) (?:bought|ordered|placed|purchased) (?:\S+ ){0,3}(?:anything|any order|an order|from you|with you)|(?:not|isnt) (?:the|a) (?:person|customer)|(?:somebodys|someone elses|somebody elses|a strangers) (?:note|parcel|letter|mail|address|order)|no account with you|wrong (?:person|number|address|email|customer)|(?:typed|used|gave|entered) my (?:e ?mail|address|number|phone)) ",
    )
});

/// Whether a message, folded, is of somebody who bought nothing.
pub(super) fn disowns(folded: &str) -> bool {
    DISOWNS.is_match(folded)
}
