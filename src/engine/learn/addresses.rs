//! The street address that a customer wants deliveries at: a street with its house, with or without the word for it.

use std::sync::LazyLock;

use regex::Regex;

use super::cities;
use super::given::is_known;
use super::goods::{is_doubtful, is_goods};
use super::reading::{Reading, Sentence, Token, folded, one_of};
use super::said::{LIKELY, Said, pattern};
use super::{values, voice};

/// An address, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// As written.
    pub(super) value: String,
    /// Which sentence.
    pub(super) sentence: usize,
    /// Where it begins in the sentence, in bytes.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
}

/// Parts of a house after its number.
const PARTS: &str = r"(?:(?:,?\s*(?i:корп\.?|корпус|к\.|стр\.?|строение|лит\.?|литера|под\.?|подъезд|п\.|эт\.?|этаж|кв\.?|квартира|кв-ра|оф\.?|офис|комн\.?|комната|пом\.?|помещение|домофон|korpus|korp\.?|kv\.?|kvartira|pod'?ezd|apt\.?|apartment|appartment|flat|floor|entrance|office|unit|suite|room|building|bldg\.?|house|door|block)\s*(?:№\s?|#\s?|no\.?\s)?[0-9]{1,4}(?:\s?[а-яa-z]\b|[A-Z]\b)?|,?\s+[0-9]{1,2}(?:st|nd|rd|th)? (?i:floor|этаж)|,?\s*(?i:flat|apt|apartment|unit|suite)\.? [A-Z]\b|,?\s*#\s?[0-9]{1,4}[A-Z]?(?:-[0-9]{1,4})?\b)*)";

static RUSSIAN: LazyLock<Regex> = LazyLock::new(|| {
    let kind = r"(?i:ул\.?|улиц[аеыу]|просп\.?|проспект[ае]?|пр-к?т[ае]?\.?|пр\.|пер\.?|переул(?:ок|ке|ка)|наб\.?|набережн(?:ая|ой|ую)|б-р|бул\.?|бульвар[ае]?|ш\.|шоссе|проезд[ае]?|пр-д|пл\.?|площад[ьи]|аллея|аллее|тупик|мкр\.?|микрорайон[ае]?|мкрн\.?|кв-л|квартал|линия|тракт[ае]?|ulitsa|ul\.?|prospekt|prosp\.?|pr-t|pereulok|per\.?|naberezhnaya|nab\.?|bulvar|shosse|street|avenue|prospect)";
    let name = r"(?:[0-9]{1,3}(?:-?(?:го|й|я|ая|ой|е|летия|летие))?\s)?(?:[А-ЯЁA-Z][\p{L}’'-]*)(?:\s(?:[А-ЯЁA-Z][\p{L}-]*|лет|и|года?|мая|марта|января|октября|партсъезда|[0-9]{1,4}|[А-ЯЁ]\.))*?";
    let house = r"(?:(?:,?\s*(?i:д\.?|дом[еа]?|house|dom)\s*)|,?\s+|,\s*)[0-9]{1,4}(?:\s?[а-яА-Яa-zA-Z]\b)?(?:\s?/\s?[0-9]{1,4}[а-яa-z]?)?(?:\s?[кс][0-9]{1,2}\b)?(?:\s?-\s?[0-9]{1,4}\b)?(?:[а-яa-z]\b)?";
    pattern(&format!(
        r"(?:(?:^|[^\p{{L}}-])({kind}\s*{name}{house}{PARTS})|(?:^|[^\p{{L}}-])({name}\s{kind}{house}{PARTS}))"
    ))
});

/// Small letters: «улица кирова 19 квартира 44».
static SMALL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?:^|[^\p{{L}}-])((?i:ул\.?|улиц[аеыу]|просп\.?|проспект[ае]?|пр-к?т[ае]?|пер\.?|переул(?:ок|ке)|наб\.?|набережн(?:ая|ой)|бульвар[ае]?|шоссе|проезд|площад[ьи]|ulitsa|ul\.?|prospekt|street)\s+(?:[0-9]{{1,3}}\s)?[\p{{L}}-]{{3,}}(?:\s[\p{{L}}-]{{3,}})?,?\s+(?i:д\.?\s*|дом\s*|dom\s*)?[0-9]{{1,4}}[а-яa-z]?(?:[/-][0-9]{{1,4}})?{PARTS})"
    ))
});

/// «мичуринский 8 корпус 2 кв 117»: small letters and no word for the street, where a flat says that it is one.
static SMALL_BARE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:^|[^\p{L}-])([а-яё-]{4,}(?:ая|ий|ый|ого|ой|ова|ева|ина|ы|и|а),? [0-9]{1,3}[а-я]?(?:[ ,]+(?:корпус|корп|к|стр|подъезд)\.? ?[0-9]{1,3})*,? (?:кв\.?|квартира) ?[0-9]{1,4})(?:[^0-9]|$)",
    )
});

/// A capitalised street without the word for it; a flat, or other evidence, must stand with it.
static BARE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?:^|[^\p{{L}}-])((?:[0-9]{{1,2}}(?:-?[йяе]|-ая|-го)?\s)?[А-ЯЁA-Z][\p{{L}}’'-]+(?:\s[А-ЯЁA-Z][\p{{L}}’'-]+){{0,2}},?\s+(?i:д\.?\s*|дом\s*)?[0-9]{{1,3}}(?:\s?[а-яa-z]\b)?(?:/[0-9]{{1,4}})?(?:\s?-\s?[0-9]{{1,4}}\b)?(?:\s?[кс][0-9]{{1,2}}\b)?)({PARTS})"
    ))
});

/// A house of other countries: "14", "14a", "3/16", "20-7", "12 B".
const HOUSE: &str = r"[0-9]{1,5}[A-Za-z]?(?:\s?[/-]\s?[0-9]{1,4}[A-Za-z]?)?\b";

/// What a house is divided into, before its number: "Flat 2, ", "Shed 4, ", "Plot 12, Block C, ".
const UNIT: &str = r"(?:(?i:flat|apt|apartment|unit|suite|shop|office|room|door|block|blk|plot|lot|stand|shed|villa|level|bay|warehouse|studio|workshop|house|stall|tower|pitch|berth|mooring)\.? (?i:no\.? ?)?#?(?:[0-9]{1,4}[A-Za-z]?|[A-Z][0-9]{0,4}|[0-9]{1,3}[/-][0-9]{1,4}),? |[A-Z]-[0-9]{1,4}, |[0-9]{1,2}(?:st|nd|rd|th) (?i:floor),? )";

/// "27 Threadgold Walk", "Flat 2, 40 Marlowe Road", "5/91 Wattle Street", "Plot 9, Admiralty Way", "The Old Rectory, Church Street".
static ENGLISH: LazyLock<Regex> = LazyLock::new(|| {
    let kind = r"(?:Street|St|Str|Avenue|Ave|Av|Road|Rd|Lane|Ln|Drive|Dr|Close|Court|Ct|Crescent|Cres|Terrace|Ter|Grove|Mews|Row|Way|Walk|Place|Pl|Square|Sq|Gardens|Gdns|Boulevard|Blvd|Hill|Parade|Park|Rise|View|Green|Brae|Cottages|Quay|Wharf|Wynd|Yard|Gate|Embankment|Highway|Hwy|Parkway|Pkwy|Circle|Trail|Loop|Alley|Path|Passage|Vale|Croft|Bank|Fields|Meadow|Meadows|Mount|Heights|Villas|Buildings|Broadway|Esplanade|Promenade|Circus|Chase|Dale|Drove|Garth|Strand|Wood|Woods|Orchard|Approach|Cove|Ridge|Crossing|Hollow|Reach|Marg|Nagar|Colony|Layout|Estate|Straße|Strasse|street|st|avenue|ave|road|rd|lane|drive|close|court|crescent|terrace|square|boulevard)";
    let word = r"(?:(?:van|von|de|der|den|du|of|the)\s)";
    let first = r"(?:[A-Z][\p{L}’'.-]*\s|[0-9]{1,3}(?:st|nd|rd|th)\s)";
    let named = r"(?:(?:[A-Z][\p{L}’'-]+ ){1,2}(?:Towers?|House|Court|Mansions?|Apartments|Heights|Residency|Lodge|Point|Wharf|Mill|Villas?|Chambers|Plaza|Enclave|Building)(?: Tower)?\b(?:,? )?)";
    let kept = r"(?:Forge|Tannery|Gatehouse|Bakery|Dairy|Stables|Chapel|Post Office|Schoolhouse|Granary|Smithy|Firs|Laurels|Hollies|Willows|Cedars|Limes|Beeches|Elms|Rectory|Vicarage|Lodge|Cottage|Barn|Farm|House|Manor|Mill|Hall|Coach House|Old School)";
    pattern(&format!(
        r"(?:^|[^\p{{L}}0-9/-])({UNIT}{{0,3}}{named}?{HOUSE},? {first}(?:{first}|{word}){{0,3}}{kind}\b\.?(?: [0-9]{{1,3}}\b)?{PARTS}|{UNIT}{{1,3}}{named}(?:{first}{{1,3}}{kind}\b)?|{UNIT}{{1,3}}{first}{{1,3}}{kind}\b(?: [0-9]{{1,3}}\b)?{PARTS}|{UNIT}{{1,2}}Street [0-9]{{1,3}}[A-Z]?\b|(?:[A-Z][\p{{L}}’'-]*\s){{1,3}}{kind},?\s{HOUSE}{PARTS}|{UNIT}?The (?:[A-Z][\p{{L}}’'-]*\s){{0,2}}{kept},? (?:[A-Z][\p{{L}}’'-]*\s){{1,2}}(?:{kind}|Wall)\b|(?:[A-Z][\p{{L}}’'-]+ ){{1,2}}(?:House|Cottage|Farm|Farmhouse|Lodge|Barn|Mill|Hall|Manor), (?:[A-Z][\p{{L}}’'-]*\s){{1,2}}{kind}\b(?:,?\s[0-9]{{1,4}}[A-Za-z]?\b)?)"
    ))
});

/// "40 Micklegate, York", "9 quarry bank matlock": without a word for a street, before a town that we know.
static ENGLISH_BARE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?:^|[^\p{{L}}0-9-])([0-9]{{1,4}}[A-Za-z]? [A-Za-z][a-z’'-]{{2,}}(?: [A-Za-z][a-z’'-]{{2,}})?{PARTS}),? (?:in )?([A-Za-z][a-z-]+(?: [A-Z][a-z-]+)?)"
    ))
});

/// "Rua Augusta 900, ap 31", "Am Sandtorkai 41", "31 Heol y Bont", "Gedimino pr. 20-7": streets of other countries.
static FOREIGN: LazyLock<Regex> = LazyLock::new(|| {
    let kind = r"(?:(?i:rua|calle|carrer|rue|avenida|paseo|chemin|impasse|travessa|allée|ulica|ul\.?|jalan|jl\.)|C/|Via|Viale|Vicolo|Corso|Av\.|Avenue|Plaza|Piazza|Praça|Platz|Place|Boulevard|Bd|Laan|Quai|Heol|Ffordd|Stryd|Aleja|Aleje|Al\.|Plac|Strada|Calea|Bulevar\p{L}*|Largo|Rang|Am|An der|Auf der|In der|Zum|Zur|Unter den|Alter|Alte|Nieuwe|Oude)";
    let name = r"(?:(?:de la|de los|de las|de|del|della|delle|dei|di|da|do|dos|du|des|van der|van den|van|von|y|yr|le|la|les|l')\s?)?[A-ZÀ-Ž][\p{L}’'-]{2,}";
    let after = r"(?i:straße|strasse|str\.|gasse|weg|platz|allee|damm|ufer|caddesi|cad\.?|sokak|sokağı|pr\.?|gatvė|iela|utca|tänav|gatan|gata|vägen|plass|kade|gracht)";
    let joined = r"(?:laan|straat|gracht|kade|plein|singel|dijk|gatan|gata|vägen|gränd|gade|vej|veien|vegen|katu|tie|utca|gasse|weg|straße|strasse|str\.?|platz|allee|damm|ufer)";
    let rest = r"(?:,?\s(?i:ap|apto|apt|piso|bis|appt|étage|flat|lok\.?|m\.|apartment|office|floor|entrance|daire|lgh|bus)\.?\s?[0-9]{1,4}[A-Za-z]?\b|,?\s[0-9]{1,2}\.?º(?:\s?[A-Z]\b|\s(?i:esq|dto|dcha|izq)\.?)?|,\s[0-9]{1,2}[A-Z]\b|,?\s[0-9]{1,2}(?:st|nd|rd|th) (?i:floor|left|right)|\s[A-Z]\s[0-9]{1,3}\b)?";
    pattern(&format!(
        r"(?:^|[^\p{{L}}0-9/-])({kind}\s{name}(?:\s{name}){{0,3}},?\s{HOUSE}{rest}|{HOUSE},?\s(?:bis,?\s)?{kind}\s{name}(?:\s{name}){{0,3}}{rest}|(?:[A-ZÀ-Ž][\p{{L}}]+\s){{0,2}}[A-ZÀ-Ž][\p{{L}}-]+{joined}\s{HOUSE}{rest}|(?:[A-ZÀ-Ž][\p{{L}}-]{{2,}}\s){{1,2}}{after}\s{HOUSE}{rest}|(?:P\.?O\.? Box|PO Box|Private Bag|RR [0-9]{{1,2}},? Box)\s[0-9]{{1,6}}\b)"
    ))
});

/// The whole message is a house, a street without the word for it, and a town: the answer to where to.
static ANSWERED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^\s*([0-9]{1,4}[A-Za-z]? [A-Z][a-z’'-]{3,}(?: [A-Z][a-z’'-]+)?),\s([A-Z][a-z]{2,}(?: [A-Z][a-z]+)?)(?:,? [A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2})?\W*$",
    )
});

/// Somebody's, asked about, or supposed.
static NOT_THEIRS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:bus stop|your (?:competitors?|rivals?)|return address|billing address|(?:i|we|he|she) works? at|used to live|moved from|old address|thats wrong|(?:which|that) (?:isnt|is not) (?:mine|my|ours|where)|(?:parcel|package|letter|box|card|note|delivery) for [0-9]\S*|(?:the|a|your) (?:garage|warehouse|depot|sender|photo|picture)|(?:parcel|package|order|delivery|box|stuff|it|they|everything|driver|courier) (?:was |were |has |have |had |been )*(?:went|gone|left it|left them|dropped it|taken) (?:\S+ ){0,3}?(?:at|to|with|outside)|(?:do|does|did) not live|dont live|no longer live|never lived|(?:remove|delete) (?:that|this|the) address|on (?:his|her|their) (?:hand|van|coat|shirt)|(?:the|a|some) (?:lad|man|woman|lady|bloke|girl|guy|chap|person|customer) (?:before|in front|behind|ahead|next)|остановк\S+|(?:saw|seen|spotted) (?:your|a)|your (?:(?:pickup |pick up |collection |delivery )?point|depot|van|driver|car|shop|store|warehouse|branch|office)|ваш(?:у|а|ей) машин\S*|видел[аи]? (?:\S+ )?(?:ваш\S*|на)|(?:отправьте|пошлите|везите|доставьте|привезите|отправляйте|шлите) (?:\S+ )?(?:ему|ей|им|маме|сестре|брату|подруге|друзьям)|(?:ему|ей|им) (?:\S+ )?(?:отправ\S+|пошлите|везите|привезите|доставьте)|сосед\S?(?: \S+){0,2} (?:с|на)|магазин\S*|магаз\S*|пункт\S*|пвз|шоурум\S*|ваш(?:ем|его)? (?:склад|офис|салон)\S*|склад на|офис на|салон на|закрываетесь|открываетесь|работает ли|допустим|предположим|отзыв\S*|если бы|курьер(?:а|ом)? бросил|(?:подруг|друг|друз|сестр|брат|мам|пап|тет|бабушк|дедушк|знаком|коллег|родител|родственни|сын|доч)\S*(?: \S+){0,2} жив[еу]т|(?:neighbou?r|chap|bloke|guy|friend|mate|sister|brother|mum|mom|dad|colleague|parents)s?(?: \S+){0,2} (?:at|lives|live)|живет на|живут на|муж на|pick ?up point|pickup|your (?:shop|store|office|warehouse|branch)|inside your|suppose|hypothetical\S*|what if|google shows|google maps|asking for|not mine|is there a|do you deliver|would a|old address (?:is|was)|nearest|shop on|store on|shop at|store at|показывает|на карте|ближайш\S+|вывеск\S+|возвращать на|самовывоз с) ",
    )
});

static OWN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:мой адрес|наш адрес|адрес(?: доставки| новый| прежний| склада| офиса| такой| теперь)?|живу|живем|my address|our address|my adress|address|adress|i live|we live|deliver|delivery|доставьте|привезите|везите|доставка|courier|bring|at) ",
    )
});

/// The addresses of a sentence.
pub(super) fn find(sentence: &Sentence<'_>, place: usize) -> Vec<Found> {
    let text = sentence.text;
    let folded = sentence.folded.as_str();
    // Asked about unless it is said whose it is.
    let own = OWN.is_match(folded)
        && [
            " адрес ",
            " живу ",
            " my address ",
            " my adress ",
            " our address ",
            " привезите ",
            " везите ",
            " deliver ",
            " доставьте ",
        ]
        .iter()
        .any(|word| folded.contains(word));
    if voice::is_where_others_live(folded)
        || NOT_THEIRS.is_match(folded) && !folded.contains(" new one is ")
        || (sentence.asks && !own && asks_of_place(folded))
    {
        return Vec::new();
    }
    let mut all: Vec<Found> = Vec::new();
    let add = |found: regex::Match<'_>, all: &mut Vec<Found>| {
        let value = trimmed(found.as_str());
        if value.to_lowercase().starts_with("горяч") {
            return;
        }
        let start = found.start() + (found.as_str().len() - found.as_str().trim_start().len());
        let end = start + value.len();
        let quoted = text[..start].matches('"').count() % 2 == 1;
        let elsewhere = is_elsewhere(&text[..start], &text[end..]);
        let overlaps = quoted || elsewhere || all.iter().any(|other| start < other.end && other.start < end);
        if !overlaps && !denied(&text[..start]) {
            all.push(Found { value: value.to_owned(), sentence: place, start, end });
        }
    };
    for found in ENGLISH.captures_iter(text).chain(FOREIGN.captures_iter(text)).filter_map(|found| found.get(1)) {
        add(found, &mut all);
    }
    for found in RUSSIAN.captures_iter(text) {
        if let Some(found) = found.get(1).or_else(|| found.get(2)) {
            add(found, &mut all);
        }
    }
    for found in SMALL.captures_iter(text).filter_map(|found| found.get(1)) {
        add(found, &mut all);
    }
    for found in SMALL_BARE.captures_iter(text).filter_map(|found| found.get(1)) {
        if !one_of(NO_STREETS, found.as_str().split([' ', ',']).next().unwrap_or_default()) {
            add(found, &mut all);
        }
    }
    for found in ENGLISH_BARE.captures_iter(text) {
        let (Some(street), Some(town)) = (found.get(1), found.get(2)) else { continue };
        let before = text[..street.start()].trim_end().to_lowercase();
        let street_small = street.as_str().split(' ').nth(1).is_some_and(|word| !word.starts_with(char::is_uppercase));
        let placed = !(street_small && before.ends_with([',', '.']))
            && ["at", "to", "is", "its", "it's", "in", ":", ",", "."].iter().any(|word| before.ends_with(word));
        let known = cities::city(town.as_str()).is_some()
            && (!cities::is_doubtful(town.as_str()) || text[street.end()..].starts_with(", "));
        if known && placed && !one_of(UNITS, street.as_str().split(' ').nth(1).unwrap_or_default()) {
            add(street, &mut all);
        }
    }
    for found in ANSWERED.captures_iter(text) {
        let (Some(street), Some(town)) = (found.get(1), found.get(2)) else { continue };
        let goods = |words: &str| words.split(' ').any(|word| is_goods(&word.to_lowercase()));
        let counted = one_of(UNITS, &street.as_str().split(' ').nth(1).unwrap_or_default().to_lowercase());
        if cities::city(town.as_str()).is_some() && !goods(street.as_str()) && !counted {
            add(street, &mut all);
        }
    }
    for found in BARE.captures_iter(text) {
        let (Some(street), Some(parts)) = (found.get(1), found.get(2)) else { continue };
        if let Some(start) = bare(sentence, street, parts.as_str()) {
            let whole = &text[start..parts.end()];
            let value = trimmed(whole);
            let end = start + value.len();
            let overlaps = all.iter().any(|other| start < other.end && other.start < end);
            if !overlaps && !denied(&text[..start]) {
                all.push(Found { value: value.to_owned(), sentence: place, start, end });
            }
        }
    }
    all.sort_by_key(|found| found.start);
    all
}

/// Where it was brought by mistake, whom else to try, what is there besides.
static BEFORE_OTHERS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:(?:got|was|were|been|has|have|had|they|he|she|courier|driver|you) (?:it |them |just )?(?:delivered|left|dropped|went|taken|sent|handed|put)(?: it| them| mine| off)? (?:to|at|with|in)(?: number| no)?|(?:went|gone) to(?: number)?|(?:bus|exit|route|tram|junction|platform|gate)|(?:ask|try|knock|bill|invoice|invoice address|i gave|you have|you had|off|(?:old|previous|former|last) (?:\S+ )?(?:was|is))(?: at| to)?(?: number)?|(?:change|changed|move|moved|moving|update)(?: \S+){0,4} from|leave (?:it|them|everything) (?:at|with)(?: number)?|(?:map|photo|picture|view|parked|labels?|van|next (?:door|to)|neighbou?r\S*|opposite|upstairs|billing|bill to|sender|invoice to)(?: \S+){0,3}) $",
    )
});

static AFTER_OTHERS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^ (?:there (?:is|are|was|were)|theres|(?:\S+ ){0,2}on file|has it|have it|had it|got it|by mistake|off my|from my|is wrong|is the wrong|closed|if im (?:out|not)|is next door|is the (?:pub|shop|old)|is (?:my|our) (?:\S+ )?(?:parents|mums|sisters|brothers|friends|neighbou?rs|old)) ",
    )
});

/// A sentence without the streets in it: "18 Jan Smuts Avenue" names no day.
pub(super) fn without_streets(sentence: &str) -> std::borrow::Cow<'_, str> {
    ENGLISH.replace_all(sentence, " ¦ ")
}

/// Whether a part of a sentence belongs to a street: "order 551299, 14 Sea View Terrace".
pub(super) fn in_street(sentence: &str, start: usize, end: usize) -> bool {
    ENGLISH.find_iter(sentence).any(|street| start < street.end() && street.start() < end)
}

fn is_elsewhere(before: &str, after: &str) -> bool {
    // "3 Queen Street candles": the name of goods.
    let goods =
        after.starts_with(' ') && after.split(' ').skip(1).take(2).any(|word| is_goods(word) && !is_doubtful(word));
    goods || BEFORE_OTHERS.is_match(&folded(before)) || AFTER_OTHERS.is_match(&folded(after))
}

fn trimmed(text: &str) -> &str {
    text.trim().trim_end_matches([',', ' ', '.'])
}

/// What is counted, and no street.
const UNITS: &str = "days weeks months hours minutes miles pounds quid people items pieces january february march april may june \
     july august september october november december boxes times of years am pm";

/// A question about a place of ours, or whether we deliver there.
fn asks_of_place(folded: &str) -> bool {
    static OF_PLACE: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r" (?:это (?:офис|склад|магазин)|офис или|вернул\S*|есть|работает|работаете|открыт\S*|находится|находитесь|до скольки|правда|доставляете|доставите|возите|сколько|как долго|how long|how much|when|is|are|do you|does|open|located|where|would|could a) ",
        )
    });
    OF_PLACE.is_match(folded)
}

/// «Не Садовая 8, а …», «Гагарина, как в прошлый раз».
fn denied(before: &str) -> bool {
    let before = before.trim_end().to_lowercase();
    [
        "не",
        "не на",
        "а не на",
        "not",
        "not at",
        "вместо",
        "instead of",
        "delete",
        "remove",
        "forget",
        "you have",
        "old address is",
        "old address was",
        "used to be",
        "раньше",
        "был",
        "старый адрес",
        "старый адрес был",
    ]
    .iter()
    .any(|no| before.strip_suffix(no).is_some_and(|rest| !rest.ends_with(char::is_alphanumeric)))
}

/// Words that stand before numbers with a capital and are no streets.
const NO_STREETS: &str = "заказ order номер number no артикул article телефон phone tel тел модель model размер size чек код code \
     от до с на в цена price card карта мобильный mobile invoice счет лего lego xbox iphone samsung galaxy \
     redmi honor playstation windows sony philips bosch track трек room квартира кв дом офис office flat apt \
     unit floor entrance подъезд школа гимназия лицей поликлиника детская сад промокод received delivery \
     понедельник вторник среда четверг пятница суббота воскресенье monday tuesday wednesday thursday friday \
     saturday sunday january february march april may june july august september october november december of \
     is my";

/// A street without the word for it: where it begins, unless the words before the house are something else.
fn bare(sentence: &Sentence<'_>, street: regex::Match<'_>, parts: &str) -> Option<usize> {
    let tokens: Vec<&Token<'_>> =
        sentence.tokens.iter().filter(|token| token.start >= street.start() && token.end <= street.end()).collect();
    // The street's words are those right before the house; a city or the beginning of the sentence may stand before them.
    let house = tokens.iter().rposition(|token| token.is_number())?;
    let mut words: Vec<&&Token<'_>> =
        tokens[..house].iter().filter(|token| token.is_word() && !matches!(token.low.as_str(), "д" | "дом")).collect();
    while words.len() > 1 && (cities::city(words[0].text).is_some() || is_opening(&words[0].low)) {
        words.remove(0);
    }
    let first = words.first()?;
    let bad = words.iter().any(|word| {
        one_of(NO_STREETS, &word.low) || word.text.chars().count() < 3 || word.text.chars().any(|c| c.is_ascii_digit())
    }) || words.iter().all(|word| word.text.chars().all(char::is_uppercase));
    let number = tokens[house].text;
    let goes_on = sentence.text[street.end()..].trim_start();
    let counts = parts.is_empty()
        && [
            "янв", "фев", "мар", "апр", "мая", "июн", "июл", "авг", "сен", "окт", "ноя", "дек", "шт", "см", "кг", "мл",
            "л ", "руб", "%", "₽", "лет", "год", "раз", "дн", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug",
            "sep", "oct", "nov", "dec", "cm", "kg", "ml", "pcs", "days", "years", "x", "*", ":", "-",
        ]
        .iter()
        .any(|unit| goes_on.starts_with(unit));
    let cyrillic_flat = parts.to_lowercase().contains(['к', 'о', 'п', 'э']) || !parts.is_empty();
    // A city or a word for an address stands beside it, or a flat, or «14-55».
    let with_flat = number.contains('-') && number.split('-').all(|part| !part.is_empty());
    let evidence = (!parts.is_empty() && cyrillic_flat)
        || (beside_city(sentence, first.start, street.end()) || after_address(sentence, first.start))
        || (with_flat && beside_city(sentence, first.start, street.end()));
    let quoted = sentence.text[..first.start].trim_end().ends_with(['"', '«', '“', '„']);
    let bad = bad || quoted;
    let name = words.len() == 1 && is_known(&first.low) && parts.is_empty() && !with_flat;
    (!bad && !counts && evidence && !name).then_some(first.start)
}

fn is_opening(low: &str) -> bool {
    one_of("адрес address adress живу живем delivery our my the new привезите доставка город везите это", low)
}

/// Whether a city stands right before or after.
fn beside_city(sentence: &Sentence<'_>, start: usize, end: usize) -> bool {
    let tokens = &sentence.tokens;
    let before: Vec<&Token<'_>> = tokens.iter().filter(|token| token.end <= start).collect();
    let after: Vec<&Token<'_>> = tokens.iter().filter(|token| token.start >= end).collect();
    let skip = |token: &&&Token<'_>| {
        !(matches!(token.text, "," | "." | "\n") || matches!(token.low.as_str(), "в" | "in" | "на" | "г"))
    };
    let named = |run: &[&Token<'_>]| {
        (1..=2).any(|count| {
            run.get(..count).is_some_and(|run| {
                cities::city(&run.iter().map(|token| token.text).collect::<Vec<_>>().join(" ")).is_some()
                    && run[0].text.chars().count() > 2
            })
        })
    };
    let back: Vec<&Token<'_>> = before.iter().rev().filter(skip).take(2).copied().collect();
    let back_named = back.first().is_some_and(|last| named(&[last])) || (back.len() == 2 && named(&[back[1], back[0]]));
    let forward: Vec<&Token<'_>> = after.iter().filter(skip).take(2).copied().collect();
    let divided = after
        .first()
        .is_some_and(|token| matches!(token.text, "," | "." | "\n") || matches!(token.low.as_str(), "в" | "in"));
    back_named
        || (divided && named(&forward))
        || (forward.first().is_some_and(|first| cities::city(first.text).is_some()) && divided)
}

/// Whether a word for an address or a delivery stands before, within a few words.
fn after_address(sentence: &Sentence<'_>, start: usize) -> bool {
    let before = sentence.tokens.iter().rev().filter(|token| token.end <= start);
    before.take(5).any(|token| {
        ["адрес", "адресу", "address", "adress", "adresu", "adres", "живу", "живем"].contains(&token.low.as_str())
    })
}

/// "No wait, that's the old place, make that …".
static CORRECTED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:no wait|wait no|no sorry|sorry|scratch that|make that|make it|the old (?:place|address|one|flat|house)|my old (?:place|address|flat|house)|i mean|oops|wrong address|hang on|not that) ",
    )
});

/// The address in a message; where one is corrected, the last.
pub(super) fn read(reading: &Reading<'_>, found: &[Found], said: &mut Said) {
    let corrected = found.len() > 1 && CORRECTED.is_match(&between(reading, &found[0], &found[1]));
    let counts = if corrected { found.last() } else { found.first() };
    if let Some(value) = counts.and_then(|found| values::canonical("address", &found.value)) {
        said.add("address", value, LIKELY);
    }
}

/// The words between two addresses, folded.
fn between(reading: &Reading<'_>, first: &Found, second: &Found) -> String {
    let text = |at: usize| reading.sentences.get(at).map_or("", |sentence| sentence.text);
    if first.sentence == second.sentence {
        return folded(text(first.sentence).get(first.end..second.start).unwrap_or_default());
    }
    let whole = (first.sentence + 1..second.sentence).map(text);
    let first = text(first.sentence).get(first.end..).unwrap_or_default();
    let last = text(second.sentence).get(..second.start).unwrap_or_default();
    folded(&std::iter::once(first).chain(whole).chain([last]).collect::<Vec<_>>().join(" "))
}
