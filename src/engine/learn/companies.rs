//! The company that a customer buys for: a legal form with a name, or a name after words that say so.

use std::sync::LazyLock;

use regex::Regex;

use super::addresses::Found;
use super::given::is_known;
use super::reading::{Reading, one_of};
use super::said::{LIKELY, Said, pattern};
use super::values;

static RUSSIAN: LazyLock<Regex> = LazyLock::new(|| {
    let name = r"(?:[«“\x22][^»”\x22\n]{2,60}[»”\x22]|(?:[А-ЯЁA-Z][\p{L}0-9-]*)(?:\s[А-ЯЁA-Z][\p{L}0-9-]+){0,2}(?:\s?[А-ЯЁ]\.\s?[А-ЯЁ]\.)?)";
    pattern(&format!(
        r"(?:^|[^\p{{L}}])((?:ООО|ОАО|ЗАО|АО|ПАО|НАО|ИП|НКО|АНО|ТСЖ|ТСН|ЖСК|ГК|УК|КФХ|ГБУЗ|ГБУ|ГАУ|МБУ|МАУ|МБОУ|МАОУ|МБДОУ|МАДОУ|МДОУ|ГБОУ|ГБДОУ|МКОУ|ФГБОУ|ФГУП|ФГБУ|ГУП|МУП|ЧОУ|ТОО|ОсОО|СП|Индивидуальный предприниматель|индивидуальный предприниматель|[Оо]бщество с ограниченной ответственностью)(?:\s(?:ЧОП|ТД|ПКФ|НПО|НПП|ПК|СК|УК|ГК|МФК|ТК|ДОУ|СОШ|ЧОО|Фирма|фирма|Торговый дом|Компания|компания))?(?:\s|\b)\s*(?:(?:детский сад|школа|СОШ|гимназия|лицей|поликлиника|больница)\s*)?(?:№\s?[0-9]{{1,4}}|{name}(?:\s?№\s?[0-9]{{1,4}})?))"
    ))
});

static RUSSIAN_NAMED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:^|[^\p{L}])(?:(?i:наша|моя|мы|я из|я от|от|для нашей|для|представляю|в нашей|работаю в)\s)?((?i:артел[ьи]|компани[яиюей]+|фирм[аыуе]|организаци[яиюей]+|кафе|ресторан[аеу]?|отел[ьяюе]+|гостиниц[аыуе]|салон[аеу]?(?: красоты)?|клиник[аиуе]|студи[яиюей]+|кофейн[яиюе]|пекарн[яиюе]|агентств[оау]|мастерск[аяойую]+|автосервис[аеу]?|хостел[аеу]?|фонд[аеу]?|завод[аеу]?|бюро|типографи[яиюе]+|столов[аяойую]+|стоматологи[яиюе]+|ателье|фитнес-клуб[аеу]?|бар[аеу]?|школ[аыуе]|детский сад|санатори[йяюе])\s[«“\x22][^»”\x22\n]{2,60}[»”\x22]|(?i:фирма|организация)\s[А-ЯЁ][а-яё]{3,}(?:\s[А-ЯЁ][а-яё]{3,})?)|(?i:работаю|работаем)\s(?:на|в|во)\s([«“\x22][^»”\x22\n]{2,60}[»”\x22])",
    )
});

static ENGLISH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"((?:[\p{Lu}0-9][\p{L}0-9'’&.-]*|&|and|of|the)(?:\s(?:[\p{Lu}0-9][\p{L}0-9'’&.-]*|&|and|of|the)){0,5},?\s(?:\(Pty\)\.? Ltd|Pvt\.? Ltd|Pty\.? Ltd|Ltd|LTD|Limited|LLC|L\.L\.C|LLP|GmbH|Inc|INC|CIC|PLC|plc|Plc|Corp|Corporation|Co|S\.A|SA|SARL|S\.r\.l|Srl|SRL|B\.V|BV|Oy|AB|AG|KG|OHG|mbH|e\.K|Sp\.? z o\.? ?o|S\.?L|S\.L\.U|S\.?A\.?S|Ltda|Sdn\.? Bhd|Pte\.? Ltd|\(Pty\) Ltd|CC|ZAO|OOO|PJSC|JSC|AS|ASA|Oyj|FZE|FZCO|EOOD|OOD|UG|A/S|ApS|SpA|S\.p\.A|Pty Ltd|Pvt Ltd|d\.o\.o|s\.r\.o|Kft|SIA|UAB|OÜ)\b\.?)",
    )
});

static TRANSLITERATED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:^|[^\p{L}])((?:OOO|ZAO|OAO|PAO|AO|IP|TOO|ANO|TSZh|LLC|JSC|CJSC|OJSC|PJSC)\s(?:[«“\x22'‘][^»”\x22'’\n]{2,60}[»”\x22'’]|[\p{Lu}][\p{L}0-9&-]*(?:\s\p{Lu}\.\s?\p{Lu}\.|(?:\s[\p{Lu}][\p{L}0-9&-]*){0,3})))",
    )
});

/// "I order for Blue Heron Yoga", "our company is Marten Logistics".
static ENGLISH_NAMED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:(?i:on behalf of|our company(?: is| name is| called)?|our firm(?: is)?|my company(?: is)?|the company is|company name(?: is)?|company|(?:i|we) (?:order|buy|purchase) for(?: the)?|ordering for(?: the)?|buying for(?: the)?|purchasing for(?: the)?|i work (?:for|at)|(?:i represent|we represent)|procurement (?:at|for)|office manager (?:at|of))[:,]?\s+)([\p{Lu}][\p{L}0-9'’&-]*(?:\s(?:[\p{Lu}][\p{L}0-9'’-]*|&|and|of)){1,5})",
    )
});

/// "We're Hollybush Day Nursery", "writing for Pemberley Dental Practice": a name that ends in what the firm does.
static ENGLISH_TRADE: LazyLock<Regex> = LazyLock::new(|| {
    let trade = r"(?:Practice|Physiotherapy|Physiotherapists|Credit Union|Veterinary|Dentists|Chiropractic|Library|Parish Council|Council|Church|Charity|Primary|Preschool|Pre-School|Daycare|Childcare|Scaffolding|Haulage|Couriers|Freight|Shipping|Electronics|Optics|Robotics|Analytics|Realty|Estates|Property|Properties|Lettings|Recruitment|Staffing|Creative|Photography|Films|Productions|Records|Guest House|Boatyard|Marina|Vineyard|Winery|Distillery|Butchers|Greengrocers|Delicatessen|Deli|Diner|Pizzeria|Takeaway|Tavern|Arms|Nursery|Nurseries|Press|Plumbing|Hotel|Hostel|Supplies|Supply|Design|Designs|Studio|Studios|School|Clinic|Cafe|Café|Bakery|Restaurant|Bistro|Bar|Salon|Barbers|Garage|Farm|Dental|Physio|Logistics|Roofing|Builders|Building|Construction|Consulting|Consultants|Services|Solutions|Group|Partners|Associates|Agency|Interiors|Motors|Electrical|Joinery|Catering|Florists|Flowers|Gym|Fitness|Yoga|Academy|College|University|Kindergarten|Trust|Foundation|Surgery|Pharmacy|Vets|Inn|Guesthouse|Books|Bookshop|Publishing|Media|Labs|Systems|Software|Technologies|Holdings|Industries|Foods|Brewery|Brewing|Dairy|Cleaning|Laundry|Travel|Tours|Events|Architects|Surveyors|Solicitors|Accountants|Insurance|Kitchen|Kitchens|Furniture|Pottery|Ceramics|Gallery|Museum|Theatre|Club|Hospital|Hospice|Care Home|Landscaping|Landscapes|Gardens|Printing|Print|Printers|Engineering|Roasters|Coffee|Tea Rooms|Pets|Kennels|Stables|Sailing|Marine|Timber|Tiles|Flooring|Windows|Textiles|Tailors|Opticians)";
    pattern(&format!(
        r"(?:(?:^|[.,\n]\s)(?:This is )?|(?:^|[^\p{{L}}])(?:for|For|from|made out to|billed to|[Bb]ill to|[Ii]nvoice to|should read|should say|accounts at|desk at|team at|reception at|buyer at|purchasing at|procurement at|manager at|work at|office at|[Ww]e're|[Ww]e’re|[Ww]e are|[Ww]ork for|[Rr]epresent|[Cc]ompany is|firm is|[Tt]his is|I run|[Ww]e run|put)\s(?:the )?)((?:[\p{{Lu}}][\p{{L}}'’-]*|&|and)(?:\s(?:[\p{{Lu}}][\p{{L}}'’-]*|&|and|of)){{0,4}}\s(?:{trade}|(?:&|and) (?:Sons|Daughters|Co|Bros|Brothers|Partners)))(?:[^\p{{L}}]|$)"
    ))
});

/// Companies that are not the customer's: ours, a brand, somebody who wrote to them.
static NOT_THEIRS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:ваш\S*|statement (?:says|shows|reads)|rivals?|competitors?|suppliers?|importers?|distributors?|companies like|firms like|compared (?:you|your|with|to)|recommended|recommends|not from|courier company|landlord|(?:bought|got) (?:it|this|them|mine|one) (?:at|from|in)|у вас указано|на чеке|в чеке|одна сеть|кто продавец|продавец|same company|connected with|your (?:company|firm)|(?:invoice|letter|email|bill|parcel|text|message|call|van) (?:\S+ )?from|can a company|would a company|my (?:bank|insurer|landlord|agency|plumber|carrier)|(?:courier|driver|man|lady) (?:is |was |came |called )?from|used to|next door|sent me|called me|wrote to me|звонили из|звонят из|позвонили из|прислали|развод|мошенник\S*|правда что|реквизит\S+ ваш\S*|производител\S+|поставщик\S*|carrier|manufacturer|made by|конкурент\S*|is it|are you|if i was|if i were|e g|вы это|перевозчик\S*|доставк\S+ через|юрлицо|кто такие|не работаем с|не наш\S*|оплат\S+ через|потерял\S*|work with|not our|(?:pay|paying|payment|paid) (?:through|with|via|by)|on my (?:receipt|statement|bill|card)|who is|whos) ",
    )
});

/// «Организация: СПК Луч», as people fill in a form.
static LABELLED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?im)^\s*(?:организация|компания|фирма|юрлицо|company|firm|organisation|organization)\s*:\s*([^\n,;]{2,60}?)[.\s]*$",
    )
});

/// «ооо сельхозпромснаб», «ип сафарова»: small letters, up to a mark.
static SMALL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:^|[^\p{L}])((?:ооо|зао|оао|ип|тоо|ано|тсж|спк)\s(?:[«\x22][^»\x22\n]{2,40}[»\x22]|[а-яё-]{3,}(?:\s[а-яё-]{3,})?))\s?(?:[,.\n;]|$)",
    )
});

/// The company in a message, once.
pub(super) fn read(reading: &Reading<'_>, streets: &[Found], said: &mut Said) {
    for (place, sentence) in reading.sentences.iter().enumerate() {
        let theirs = !sentence.of_others
            && (!NOT_THEIRS.is_match(&sentence.folded) || sentence.folded.contains(" we are "))
            && (!sentence.asks || FIRST_PERSON.is_match(&sentence.folded));
        let text = sentence.text;
        let of = |pattern: &Regex| {
            pattern.captures(text).and_then(|found| found.iter().skip(1).flatten().next()).map(|found| found.as_str())
        };
        let found = of(&LABELLED)
            .or_else(|| of(&RUSSIAN))
            .or_else(|| of(&SMALL).filter(|name| !sentence.asks && !name.ends_with("неважно")))
            .or_else(|| of(&TRANSLITERATED).filter(|_| text.contains(char::is_lowercase)))
            .or_else(|| of(&ENGLISH).and_then(begun))
            .or_else(|| of(&ENGLISH_TRADE).and_then(begun))
            .or_else(|| of(&ENGLISH_NAMED))
            .or_else(|| of(&RUSSIAN_NAMED));
        // "Apt 1204, Marina Heights Tower, Dubai Marina": a part of the address.
        let at = |name: &str| sentence.text.find(name).unwrap_or_default();
        let addressed = |name: &str| {
            streets.iter().any(|street| street.sentence == place && street.start <= at(name) && !is_formal(name))
        };
        if let Some(name) = found.filter(|name| theirs && !addressed(name) && !is_of_others(sentence.text, name))
            && let Some(value) = values::canonical("company", trimmed(without_person(name)))
        {
            said.add("company", value, LIKELY);
        }
    }
}

/// Whether a name ends in a legal form.
fn is_formal(name: &str) -> bool {
    ENGLISH.is_match(name) || RUSSIAN.is_match(name) || TRANSLITERATED.is_match(name)
}

/// What a question says of a firm that is the customer's.
static FIRST_PERSON: LazyLock<Regex> =
    LazyLock::new(|| pattern(r" (?:мы|наш\S*|нас|нам|для|от|от имени|на|we|our|ours|were|i am|im|i work|behalf) "));

/// Firms that everybody deals with, and words that are addressed to us.
static EVERYBODYS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)банк|\bbank\b|сдэк|cdek|почта росс|яндекс|озон|вайлдберриз|wildberries|\b(?:dpd|dhl|evri|hermes|ups|fedex|tesco|asda|sainsburys|klarna|paypal|visa|google|apple|amazon|royal mail)\b|^(?:previously|formerly|not|say|customers?|clients?|support|sales|online|delivery|returns) ",
    )
});

/// What a firm does that is told of: «ПАО … одобрил», "… Ltd lost it".
static DID: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^[»”\x22]*\s+(?:(?:не\s)?[а-яё]+(?:ил|ал|ел|ял|ила|ала|ела|яла|ило|ало|ело|яло)|approved|lost|sent|says|said|left|told|delivered|called|wrote|refused|charged|went|closed|makes|made|owns)(?:[^\p{L}]|$)",
    )
});

/// What a firm does as a customer.
static BUYS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^[»”\x22]*\s+(?:не\s)?(?:заказ|купи|опла|получ|приобр|закуп|оформ|перечисл|отправил)"));

/// "My accountant, …", "someone at …", "the label reads …": firms that are only told of.
static TOLD_OF: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(?:\b(?:my|our|your|their|the|his|her) (?:accountant|landlord|solicitor|supplier|courier|carrier|bank|lawyer|insurer|builder|plumber|agent|neighbour|client|customer|rival|competitor|contractor|cleaner)s?,?|\b(?:someone|somebody|guy|man|woman|lady|girl|building|office|yard|driver|person|people) (?:at|from|with)|\b(?:reads|says|said|shows|heard|like|than|unlike|versus|vs|not|previously|formerly|ex|by|no longer (?:at|with)|name from|via|dealing with|compared with|compared to))\s*$",
    )
});

static IS_OURS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^[»”\x22]*,?\s+(?:(?:are|is) (?:our|my|your|the|a|an|one) |(?:buys|recommends|recommended|took|signed)\b)",
    )
});

fn is_of_others(sentence: &str, name: &str) -> bool {
    let (before, after) = sentence.find(name).map_or(("", ""), |at| (&sentence[..at], &sentence[at + name.len()..]));
    // "Killarney, Co. Kerry": a county.
    let county = name.trim_end_matches('.').ends_with(" Co")
        && after.trim_start_matches('.').trim_start().starts_with(char::is_uppercase);
    if county || TOLD_OF.is_match(before) || IS_OURS.is_match(after) {
        return true;
    }
    if before.to_lowercase().ends_with("the ") && is_brand(after) {
        return true;
    }
    EVERYBODYS.is_match(name) || (DID.is_match(after) && !BUYS.is_match(after))
}

/// "The Peak Design phone mount I got", "the Hilton Hotel I stay in": a brand, or a place.
fn is_brand(after: &str) -> bool {
    let words: Vec<&str> = after.split(' ').skip(1).take(4).collect();
    let noun = |word: &&&str| {
        word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
            && !one_of("and so but who which in at on of for i", word)
    };
    let nouns = words.iter().take_while(noun).count();
    let tells = |word: &str| one_of("I i we you that", word);
    words.iter().take(nouns + 1).any(|word| tells(word))
        || nouns > 1
            && words[1..nouns].iter().any(|word| one_of("came arrived is was has from won't wont doesn't", word))
}

/// "Alistair McNab of Highland Kilns Ltd": who is of it is not it.
fn without_person(name: &str) -> &str {
    let spoken = ["It's ", "It’s ", "I'm ", "I’m ", "Its ", "Im "].iter().find_map(|is| name.strip_prefix(is));
    let name = spoken.unwrap_or(name);
    let first = name.split(' ').next().unwrap_or_default().to_lowercase();
    match name.split_once(" of ") {
        Some((_, firm)) if is_known(&first) || spoken.is_some() => firm,
        _ => name,
    }
}

/// An English name begins with a capital, not with a word between.
fn begun(name: &str) -> Option<&str> {
    let mut name = name;
    loop {
        let (first, rest) = name.split_once(' ')?;
        let common = [
            "and", "of", "the", "The", "&", "I", "We", "Company", "For", "From", "Hello", "Hi", "Dear", "At", "Our",
            "My", "Is", "In", "And", "We're", "We’re", "Firm",
        ]
        .contains(&first);
        if !common {
            return Some(name);
        }
        name = rest;
    }
}

fn trimmed(name: &str) -> &str {
    let name = name.trim().trim_end_matches([',', ';']);
    let name = [" and", " of", " &"].iter().fold(name, |name, end| name.strip_suffix(end).unwrap_or(name));
    if name.ends_with("..") { name.trim_end_matches('.') } else { name }
}
