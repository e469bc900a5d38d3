//! The customer's own telephone and mailbox: whose it is, is told from the words just before it.

use std::sync::LazyLock;

use regex::Regex;

use super::others::hold;
use super::reading::{Reading, Sentence, folded};
use super::said::{CERTAIN, Said, pattern};
use super::values;

pub(super) static EMAIL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"[\p{L}0-9._%+-]+@[\p{L}0-9-]+(?:\.[\p{L}0-9-]+)*\.\p{L}{2,24}"));

/// Characters before a number in which words tell whose it is: about seven words.
const BEFORE: usize = 48;

/// As people write their own country's: 01924 555 318, 07700900577, 503-555-0147, (4852) 72-19-30.
static NATIONAL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\(?0[1-9][0-9]{1,4}\)?[ .-]?[0-9]{3,4}[ .-]?[0-9]{3,4}|(?:1[ .-])?\(?[2-9][0-9]{2}\)?[ .-][2-9][0-9]{2}[ .-][0-9]{4}",
    )
});

static NUMBER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)(?:\+|plus |плюс |\()?[0-9][0-9()\s\u{a0}.–‑-]{8,20}[0-9]"));

/// The code of a country right before a number.
static COUNTRY: LazyLock<Regex> = LazyLock::new(|| pattern(r"\+[0-9]{1,3}[ .(-]*$"));

/// Words before it that make it nobody's telephone, or somebody else's.
static NOT_THEIRS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:горяч\S+|hotline|лини[яюи]|ваш\S*|магазин\S*|курьер\S*|водител\S*|менеджер\S*|оператор\S*|доставк\S+ (?:звонил\S*|номер)|шоурум\S*|склад\S*|пвз|поддержк\S+|с (?:номера|телефона|адреса)|звон(?:ил|ила|или|ят|ит) с|дозвон\S+|писал[аи]? (?:вам )?на|муж\S*|жен[аеуы]|жене|мам[аыеу]|мамин\S*|вывеск\S+|баннер\S*|плакат\S*|визитк\S+|листовк\S+|объявлени\S+|the sign|your sign|poster|billboard|advert|leaflet|представил\S+|назвал\S+|introduced|пап[аыеу]|брат\S*|сестр\S+|сын\S*|дочер\S*|дочк\S*|друг[ау]?|подруг\S*|сосед\S*|коллег\S+|отправлени\S*|трек\S*|инн|снилс|счет\S*|штрих\S*|артикул\S*|карт[аыеу]|courier|driver|manager|operator|your|store|shop|showroom|leaflet|office|support|(?:text|texts|message|messages|sms|missed call|calls?|voicemail) (?:\S+ )?from|called from|texted from|calls from|call from|звонки с|звонок с|rang me from|ring(?:s|ing)? me from|from the number|came from|got from|wife\S*|husband\S*|mother|mothers|mum|mums|mom|moms|dad|dads|father|son|sons|daughter\S*|friend\S*|neighbou?r\S*|colleague\S*|brother\S*|sister\S*|roommate\S*|his|her|(?:number|something|looks|numbers) like|like this|track\S*|parcel|invoice|barcode|vat|isbn|book|карточк\S+|код\S*|meeting|zoom|passcode|whose|whose number|old (?:number|phone)|стар\S+ (?:номер|телефон)|раньше был|used to be) ",
    )
});

/// Words right before it that make it theirs, whoever is named further away.
static THEIRS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:(?:мой|моя|наш|моего|my|our) (?:own |новый |рабочий |домашний |сотовый |мобильный |личный |work |home |new |mobile |cell |контактный |direct )*(?:номер\S*|телефон\S*|мобильный|сотовый|тел|phone|number|mobile|mobiles|cell|tel|telephone|telephon|line|contact)(?: for (?:the|your) (?:driver|courier|fitter)|(?: \S+){0,2})|(?:позвоните|звоните|наберите|перезвоните|набирайте|call|ring|phone|reach|telephone|text|msg|message) (?:мне|меня|нам|me|us|the office|our office|the shop|the yard)(?: \S+){0,5}|(?:перезвоните|позвоните|звоните|наберите|набирайте)(?: (?:пожалуйста|мне|нам|на|по|номеру|лучше))+|(?:please )?(?:call|ring|phone) (?:me |us )?back(?: on| at)?|(?:контакт\S*|contact|мобильн\S+|сотов\S+|тел|телефон|домашн\S+|рабоч\S+|phone|mobile|telephone|tel)(?: is| мой| для связи| номер| number| for questions| для вопросов)?|(?:я|i am|im|это) \S+|(?:the|our|my) \S+ line(?: is)?|\S+ line is) $",
    )
});

/// The telephone of a relative, though "phone" stands right before it.
static SOMEONES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:(?:was|were) going to give(?: you)?|(?:его|ее|их|his|her|their)(?: (?:номер|телефон|тел|моб|мобильный|number|phone|mobile|cell|tel))?(?: is)?|(?:мамин|папин|мужнин|сестрин|бабушкин|дедушкин|соседкин|тещин)\S?(?: \S+)?|(?:старый|старая|прежний|бывший|old|former|previous)(?: (?:номер|телефон|number|phone|one))?(?: (?:is|was|был))?|был|была|used to be|(?:tried|dialled|dialed|rang|ringing|(?:i|we) (?:called|phoned|texted))(?: \S+)?|(?:do not|dont|never|stop) (?:use|using|ring|ringing|call|calling|text|texting|phone)(?: \S+)?|(?:delete|remove|removing|forget)(?: \S+)?|(?:me|us) down as|(?:shows|eg|e g)|the \S+s(?: number)? is|fax(?: number)?(?: is)?|у (?:нее|него|них) (?:телефон|номер|мобильный)|(?:husbands?|wifes?|dads?|mums?|moms?|mothers?|fathers?|sons?|daughters?|brothers?|sisters?|friends?|neighbou?rs?|colleagues?|boss\S*|roommates?|ladys|mans|lads|mates|nans|grans|mas|pas|uncles|aunts|cousins|partners|flatmates|missus|laws|his|her) (?:\S+ )?(?:phone|number|mobile|cell|tel|telephone)(?: \S+)?|(?:номер|телефон|мобильный|сотовый|тел)\S* (?:у )?(?:мужа|жены|мамы|папы|сына|дочери|дочки|брата|сестры|друга|подруги|соседа|соседки|коллеги|курьера|водителя|магазина|менеджера|поддержки|бывшей|бывшего|свекрови|тещи|него|нее)(?: \S+)?) $",
    )
});

static SUPPOSED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:what if|в примере|account holder|допустим|предположим|например|for example|(?:someone|somebody) (?:called|rang|phoned|texted|keeps|has|is|used)|кто то|какой то|мошенник\S*|scam\S*|fraud\S*) ",
    )
});

static CORRECTED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r" (?:hang on|no wait|thats the old|ой нет|нет не тот|ошиблась|ошибся) "));

/// "+1 217 555 0191, sorry no, +1 217 555 0119".
static BETWEEN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)[0-9]{3}[ ,.…-]+(?:(?:oh|ah|er|um|so|i|no|nope|sorry|wait|oops|actually|rather|typo|correction|i mean|make that|scratch that|hang on|hold on)\b[ ,.…-]*)+(?:it['’]?s |is |the )?\+?[(0-9][0-9 (]{2}",
    )
});

/// The telephone and the mailbox in a message; where one is corrected, the last.
pub(super) fn read(reading: &Reading<'_>, said: &mut Said) {
    let phones: Vec<String> = reading.sentences.iter().flat_map(phones).collect();
    // Of a corrected number the last counts: "07700 900740, no, hang on, that's the old one, it's …".
    let corrected =
        CORRECTED.is_match(&reading.folded()) || reading.sentences.iter().any(|one| BETWEEN.is_match(one.text));
    if let Some(phone) = if corrected { phones.last() } else { phones.first() } {
        said.add("phone", phone.clone(), CERTAIN);
    }
    if let Some(email) = reading.sentences.iter().filter_map(email).next_back() {
        said.add("email", email, CERTAIN);
    }
}

/// "… really one of your numbers?"
static OURS_AFTER: LazyLock<Regex> = LazyLock::new(|| pattern(r"^ (?:\S+ ){0,3}(?:your|yours) "));

/// "… hits me four times a day": who writes to them.
static WRITES_TO_THEM: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^ (?:(?:my )?(?:wife|husband|son|daughter|mum|dad|partner|boss|friend|neighbou?r)s|rang|called|phoned|texted|(?:keeps?|is) (?:calling|ringing|phoning)|(?:today |again )?is that you\S*) |^ (?:(?:keeps?|is|has been) )?(?:hits?|spams?|sends?|sending|spamming|bombards?|emails?|emailing|mails?|messages?|messaging|wrote|writes) ?(?:to )?me |^ (?:belongs to|isnt mine|is not mine|(?:which |that )?(?:isnt|is not|was never|wasnt) (?:mine|my)|(?:which|that) ive never|(?:but |though )?(?:thats|that is) \S+ old (?:one|number|phone|sim)|(?:thats|that is|its|it is) (?:wrong|old|an old|the old|his|hers|her|my (?:work|old))|is (?:my|her|his) (?:ex|husband|wife|son|daughter|mum|mother|dad|boss)\S*|is(?: the)? (?:wrong|old)|any ?more|from my (?:account|profile)) ",
    )
});

/// "Contact Dave on …".
static WHOM: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i:\b(?:contact|call|ring|phone|text|message|reach|speak to|whatsapp)) [A-Z][a-z]+(?: [A-Z][a-z]+)? (?:on|at)[: ]*$",
    )
});

fn near(text: &str) -> &str {
    let from = text.char_indices().rev().take(BEFORE).last().map_or(text.len(), |(at, _)| at);
    &text[from..]
}

/// The customer's telephones in a sentence.
pub(super) fn phones(sentence: &Sentence<'_>) -> Vec<String> {
    let mut all = Vec::new();
    for found in NATIONAL.find_iter(sentence.text).chain(NUMBER.find_iter(sentence.text)) {
        let (before, after) = (&sentence.text[..found.start()], &sentence.text[found.end()..]);
        // "+234 803 555 0144" is one number.
        let stands_alone = !COUNTRY.is_match(before)
            && !before.ends_with(|c: char| c.is_alphanumeric() || "+-–/_*•".contains(c))
            && !after.starts_with(|c: char| c.is_alphanumeric() || c == '@');
        let written = found.as_str().trim_start_matches(|c: char| c.is_alphabetic());
        let with_plus =
            if written.len() < found.as_str().len() { format!("+{}", written.trim()) } else { written.to_owned() };
        let Some(value) = stands_alone.then(|| values::phone(&with_plus)).flatten() else { continue };
        let bare = found.as_str().chars().all(|c| c.is_ascii_digit()) && !found.as_str().starts_with("07");
        let near = folded(near(before)).replace(" from now on ", " ");
        let telephone =
            !bare || found.as_str().len() == 11 && found.as_str()[1..].starts_with('9') || THEIRS.is_match(&near);
        let of_caller = [" from ", " off ", " by "].iter().any(|of| near.ends_with(of));
        let quoted = before.matches('"').count() % 2 == 1;
        let ours = OURS_AFTER.is_match(&folded(after))
            || sentence.asks
                && (sentence.folded.starts_with(" is ")
                    || matches!(near.trim(), "is" | "was" | "so is" | "whos" | "who is"));
        let others = quoted
            || hold(&before.to_lowercase())
            || ours
            || WHOM.is_match(before)
            || WRITES_TO_THEM.is_match(&folded(after))
            || of_caller
            || SOMEONES.is_match(&near)
            || (NOT_THEIRS.is_match(&near) && !THEIRS.is_match(&near));
        if telephone && !others && !SUPPOSED.is_match(&sentence.folded) {
            all.push(value);
        }
    }
    all
}

/// Words before a mailbox that make it an old one, or somebody else's.
static OLD_OR_OTHERS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?: (?:стар(?:ый|ая|ой|ую)|прежн\S+|раньше|был[аи]?|вместо|а не|не на|used to be|old|previous|instead of|i wrote|i emailed|have written|писал[аи]?|написал[аи]?|отправлял[аи]?|отправил[аи]?|ваш\S*|your|поддержк\S+|муж\S*|жен[аеуы]|сын\S*|коллег\S+|друг\S*|his|her|their|phishing|(?:my|our) (?:boss|wife|husband|mum|mom|mother|dad|father|son|daughter|brother|sister|friend|colleague|landlord)|пришло|приходят|list|customers?|database|баз\S+|клиент\S+|found|you (?:wrote|sent|emailed|mailed|had|used)|assistant|secretary|receptionist|нашел|нашла)(?: \S+){0,3}| (?:not|а не|from|delete|remove|forget)) $",
    )
});

static RIGHT_NOW: LazyLock<Regex> =
    LazyLock::new(|| pattern(r" (?:правильн\S+|теперь|сейчас|нов\S+|now|new|please use|correct) (?:\S+ ){0,4}$"));

fn email(sentence: &Sentence<'_>) -> Option<String> {
    let theirs = EMAIL.find_iter(sentence.text).filter_map(|found| {
        let before = folded(near(&sentence.text[..found.start()]));
        let turned = OLD_OR_OTHERS.is_match(&before) && !RIGHT_NOW.is_match(&before);
        let wrote = before.contains(" пишу с ") || before.contains(" write from ") || before.contains(" writing from ");
        let by_others = WRITES_TO_THEM.is_match(&folded(&sentence.text[found.end()..]))
            || hold(&sentence.text[..found.start()].to_lowercase());
        ((!turned || wrote) && !by_others).then(|| values::email(found.as_str()))?
    });
    let found = theirs.last()?;
    (!SUPPOSED.is_match(&sentence.folded)).then_some(found)
}
