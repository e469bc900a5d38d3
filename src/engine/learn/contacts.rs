//! How a customer wants to be reached: by telephone or not, at what time, or in writing, and where.

use std::sync::LazyLock;

use regex::Regex;

use super::days::lowered;
use super::reach::phones;
use super::reading::{Reading, Sentence, folded, one_of};
use super::said::{LIKELY, Said, pattern};
use crate::engine::words::shortened;

/// The wishes in a message.
pub(super) fn read(reading: &Reading<'_>, said: &mut Said) {
    let mut wanted = None;
    let mut time = None;
    for (place, sentence) in reading.sentences.iter().enumerate() {
        let refuses = refuses(sentence);
        if refuses {
            wanted = Some("no_calls");
        }
        let asks_to_call =
            !refuses && invites(&sentence.folded) && !asks_to_ring_us(sentence) && !is_nickname(sentence.text);
        let when = (!refuses).then(|| when(sentence, asks_to_call)).flatten();
        if asks_to_call {
            wanted = wanted.or(Some("calls"));
        }
        // The hour may be a sentence of its own: "Could somebody telephone? After 6 suits me."
        let beside = || {
            let after = reading.sentences.get(place + 1);
            let before = place.checked_sub(1).and_then(|before| reading.sentences.get(before));
            [after, before].into_iter().flatten().find_map(hour_alone)
        };
        let when = when.or_else(|| asks_to_call.then(beside).flatten());
        time = time.or(when);
    }
    if let Some(wanted) = wanted {
        said.add("contact_preference", wanted.to_owned(), LIKELY);
    }
    if let Some(time) = time.filter(|_| wanted != Some("no_calls")) {
        said.add("call_time", shortened(&time, 80), LIKELY);
    }
    let named = || (wanted == Some("no_calls")).then(|| only_medium(reading)).flatten();
    if let Some(channel) = channel(reading).or_else(named) {
        said.add("contact_channel", channel.to_owned(), LIKELY);
    }
}

static NO_CALLS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:не (?:надо |нужно |стоит |нада |смейте )?(?:мне |нам |меня |больше |пожалуйста )*(?:звоните|звонить|звони|перезванивайте|перезванивать|набирайте|названивайте|позвоните)|звонить(?: мне| нам)?(?: больше)? (?:не (?:надо|нужно|стоит|удобно)|бесполезно|бессмысленно|нельзя)|без (?:всяких |лишних )?звонков|никаких звонков|от звонков|звонк(?:и|ов) (?:\S+ )?не (?:принимаю|нужны|надо|нужно|люблю|хочу)|не (?:принимаю|люблю|хочу|воспринимаю) (?:никаких )?(?:звонки|звонков)|звонков не (?:люблю|беру|принимаю|надо|нужно)|never (?:pick up|answer) (?:the |my )?phone|on (?:the )?(?:phone|telephone) is bad|(?:по телефону|телефоном)(?: \S+){0,3} бесполезно|на звонки не отвечаю|не отвечаю на звонки|не (?:хочу|буду|могу|готов[аы]?|люблю|умею) (?:\S+ ){0,3}(?:разговаривать|говорить|общаться|созваниваться)(?: \S+){0,2}? по телефону|(?:телефоном|телефон) (?:\S+ )?не (?:пользуюсь|использую)|не пользуюсь телефоном|не по телефону|по телефону(?: \S+){0,3} не (?:услышу|слышу|могу|смогу|говорю|разговариваю|общаюсь|отвечаю|надо|нужно)|не (?:слышу|услышу|могу) (?:\S+ ){0,2}по телефону|(?:do not|dont|never|stop|quit|not to|no need to|cannot|please not) (?:please |ever |you |even )*(?:call|calling|phone|phoning|ring|ringing|telephone|telephoning)(?: me| us)?|no (?:more )?(?:phone |telephone |voice )?calls|no phonecalls|(?:pls|please) no (?:telephone|phone)|not (?:wish |want |like )?to be (?:rung|telephoned|phoned|called up)|calls are (?:of )?(?:no (?:good|use)|useless|impossible|difficult|hard)|no (?:telephone|phone|phoning|ringing|calling)|(?:dont|do not|never|wont|not) (?:want|need|like|take|answer|accept|do|want to get|wish|pick up|make)(?: to \S+)? (?:\S+ ){0,2}?(?:phone |telephone )?calls?|(?:telephoning|phoning|ringing|calling) (?:me )?is (?:of )?(?:no|little) (?:use|good|point)(?: whatsoever| at all)?|(?:no|little) (?:use|point|good) (?:in )?(?:telephoning|phoning|ringing|calling)(?: me)?|bother (?:ringing|calling|phoning|telephoning|to ring|to call|to phone)|no need for (?:phone |telephone )?calls|(?:do|can|will|shall) not (?:answer|use) the (?:phone|telephone)|(?:hate|without|instead of|rather than) (?:\S+ )?(?:phone |telephone )?(?:calls|calling|phone calls|being called|talking on the phone|speaking on the phone)|(?:not|never) (?:by|over|on|via|through|the) (?:the )?(?:phone|telephone)|(?:nobody|no one|noone) (?:should |must |may |is to |ever )+(?:ring|call|phone) me|(?:phone|telephone) (?:is|s) no (?:use|good)|calls dont (?:get through|work|reach)|rather not (?:be called|be phoned|be rung|talk on the phone|speak on the phone|take calls)|(?:cannot|cant|can not|dont|do not|never) (?:take|answer|talk|speak|hear|use)(?: \S+){0,2}? (?:calls|phone|telephone)) ",
    )
});

/// What comes after it that makes it a matter of the hour, of the door or of somebody else.
#[rustfmt::skip]
const NOT_OF_CALLS: [&str; 81] = [
    "from you", "yet", "call cent",
    "сосед", "родител", "the neigh", "my neigh", "my mum", "my mother", "were ", "was ", "have been", "ugly",
    "mr ", "mrs ", "ms ", "miss ", "dear", "sir", "madam", "love", "darling", "a ", "an ",
    "в дверь", "в звонок", "в домофон", "дверь", "домофон", "до ", "после ", "с ", "раньше", "позже", "пока", "сейчас", "сегодня", "завтра", "утром", "ночью", "по утрам",
    "вечером", "рано", "поздно", "днем", "курьер", "ему", "ей", "им", "маме", "мужу", "жене", "before", "after", "until", "till", "the bell", "the door", "doorbell", "bell", "at the",
    "this ", "that ", "if ", "now", "today", "tomorrow", "stupid", "it ", "him", "her", "them", "when", "names", "between", "on the door", "the entr", "in the morning", "as ", "my wife", "my husband",
];

/// Who it is said of, where it is not asked of us.
#[rustfmt::skip]
const SAID_OF: [&str; 32] = [
    "вы", "почему", "зачем", "он", "она", "они", "курьер", "никто", "если", "why", "you", "they", "he", "she", "couriers", "we", "who", "did", "does", "will", "would", "courier", "nobody", "if", "husband", "wife", "son", "daughter", "mother", "mum", "father", "dad",
];

/// At the door, not on the telephone: "knock gently, don't ring".
static DOOR: LazyLock<Regex> =
    LazyLock::new(|| pattern(r" (?:knock\S*|doorbell|intercom|постуч\S+|стуч\S+|домофон\S*) "));

/// "Nobody should knock or ring before 3".
fn is_knock(text: &str) -> bool {
    text.contains(" knock") && is_at_door(text)
}

fn is_at_door(text: &str) -> bool {
    DOOR.is_match(text) && !text.contains(" телефон") && !text.contains(" phone")
}

fn refuses(sentence: &Sentence<'_>) -> bool {
    let text = sentence.folded.as_str();
    if is_reproach(text) {
        return false;
    }
    if is_at_door(text) {
        return false;
    }
    NO_CALLS.find_iter(text).any(|found| {
        let (before, after) = (&text[..found.start()], &text[found.end()..]);
        let last = before.rsplit(' ').find(|word| !word.is_empty()).unwrap_or_default();
        let after = format!("{} ", after.trim());
        let after =
            ["мне ", "нам ", "меня ", "me ", "us "].iter().find_map(|to| after.strip_prefix(to)).unwrap_or(&after);
        let moment = NOT_OF_CALLS.iter().any(|word| after.starts_with(word))
            || after.starts_with("at ") && !after.starts_with("at a")
            || after.starts_with(|c: char| c.is_ascii_digit());
        // "No phone" is a refusal as words of their own: "there is no phone in the box".
        let bare = matches!(found.as_str().trim(), "no phone" | "no telephone")
            && !after.trim().is_empty()
            && !after.starts_with("please");
        let hours = before.contains(" пока ")
            || before.split(' ').rev().filter(|word| !word.is_empty()).take(3).any(|word| {
                ["вечером", "утром", "ночью", "после", "раньше", "after", "before", "past", "until"].contains(&word)
                    || word.starts_with(|c: char| c.is_ascii_digit()) && word.len() < 3 && !is_item(before, word)
            });
        let bell = ["в звонок", "в дверь", "в домофон", "домофон", "in the bell"]
            .iter()
            .any(|bell| before.trim_end().ends_with(bell));
        let of_rule = SAID_OF.contains(&last) && !found.as_str().contains(" по телефону");
        !moment && !bare && !of_rule && !hours && !bell
    })
}

/// "You can call me Bex."
fn is_nickname(text: &str) -> bool {
    static NAMED: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i:call me) ([A-Z][a-z]+)"));
    let day = |name: &str| one_of(super::people::NO_PERSON, &name.to_lowercase());
    NAMED
        .captures_iter(text)
        .any(|found| !day(&found[1]) && !one_of("On At After Before Back Only Any Anytime If When", &found[1]))
}

/// "3) no phone calls": the number of a line in a list.
fn is_item(before: &str, number: &str) -> bool {
    before.trim() == number
}

/// "Why don't you call me?" neither refuses calls nor asks for one.
fn is_reproach(text: &str) -> bool {
    [" почему ", " а почему ", " why "].iter().any(|why| text.starts_with(why))
}

/// «До скольки можно звонить?», "What hours can I call?": it is they who would call.
fn asks_to_ring_us(sentence: &Sentence<'_>) -> bool {
    static BY_THEM: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r" (?:(?:можно|могу|до скольки|куда|как) (?:\S+ ){0,3}?(?:звонить|позвонить)|звонить (?:\S+ ){0,7}можно|(?:would|will|does|do|can|could) your \S+ (?:call|ring|phone)|(?:can|could|may|should|shall|do) i (?:\S+ )?(?:call|ring|phone|telephone)) ",
        )
    });
    static TO_THEM: LazyLock<Regex> = LazyLock::new(|| pattern(r" (?:мне|меня|нам|нас|me|us) "));
    sentence.asks && BY_THEM.is_match(&sentence.folded) && !TO_THEM.is_match(&sentence.folded)
}

/// Without calls, the only medium that is named is the one wanted.
fn only_medium(reading: &Reading<'_>) -> Option<&'static str> {
    let text = reading.folded().replace(" mailaddress ", " ");
    let mut named = MEDIA[..4].iter().filter(|(_, medium)| mentions(&text, medium)).map(|(name, _)| *name);
    let one = named.next()?;
    (named.next().is_none() && !NOT_A_WISH.is_match(&text) && !ONCE.is_match(&text)).then_some(one)
}

/// What is about a delivery or an order, not about calls.
static OF_DELIVERY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:привез\S*|привоз\S*|достав\S+|курьер\S*|заказ\S*|купил\S*|приш(?:ел|ла|ли|ло)|прише\S+|забер\S+|забрать|мастер\S*|работаете|открыт\S*|спит|спят|deliver\S*|courier|driver|order\S*|bought|came|arriv\S+|collect\S*|pick up|visit|come|open|sleep\S*|asleep|parcel|van|refund\S*|engineer|technician) ",
    )
});

/// An hour in a sentence beside the one that asks for a call.
fn hour_alone(sentence: &Sentence<'_>) -> Option<String> {
    (!OF_DELIVERY.is_match(&sentence.folded) && !refuses(sentence)).then(|| when(sentence, true)).flatten()
}

static CALLS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:(?:позвоните|звоните|перезвоните|наберите|набирайте|прозвоните|звякните|позвони|перезвони)|(?:можно|можете|лучше|прошу|удобнее|удобно|просьба|проще|давайте)(?: мне| нам| меня)?(?: \S+)? (?:звонить|позвонить|перезвонить|набрать|набирать|созвониться)|(?:звонить|позвонить|набирать)(?: \S+){0,2}? (?:можно|лучше|нам|мне|удобно|удобнее|до \S+|после \S+|с \S+(?: \S+)? до|по будням|в любое)|звонки (?:только|принимаю|лучше|удобны|с|до|после|в)|(?:жду|ждем|ожидаю|прошу) (?:\S+ ){0,2}звонка|удобн\S+ (?:говорить|разговаривать)|предпочитаю (?:звонки|по телефону|звонок)|(?:call|ring) (?:me|us|my (?:mobile|cell|phone|number|landline|office|work|home|house|desk|line)|only|on|between|after|before|weekdays|in|from|anytime|any time|at)|(?:phone|telephone) (?:me|us|only between|only after|between|after|before|anytime|any time)|give (?:me|us) a (?:quick )?(?:call|ring|bell|buzz|shout)|happy for (?:you|someone|anyone) to (?:call|ring|phone)|(?:happy|glad|ok|okay|fine|free) (?:\S+ )?(?:to (?:take|receive|get) calls|to (?:call|ring|phone)|with (?:phone )?calls|by phone)|(?:calls|ringing|phone|phoning|calling) (?:is|are|s) (?:fine|ok|okay|welcome|best|better)|prefer (?:a |to get )?(?:phone |telephone )?calls?|prefer (?:to be called|to talk|the phone|phone)|reach (?:me|us) (?:by|on|via|at) (?:the |my )?(?:phone|telephone|mobile)|(?:ring|call|phone) you (?:may|can)|(?:best|good|fine|ok|okay) for calls|(?:best|good|right) time to (?:call|ring|reach|phone)|(?:may|can) (?:call|ring|phone|telephone)|(?:can|could|would) (?:someone|somebody|anyone|one of you) (?:please )?(?:call|ring|phone|telephone)(?: me| us)?|please to (?:call|ring|phone)|if you must (?:call|ring|phone)|rather you (?:rang|called|phoned|telephoned)|rather (?:talk|speak) than (?:type|write)|(?:may|can) be (?:telephoned|phoned|rung|called)|calls to (?:my|this) (?:\S+ )?(?:cell|mobile|phone|number|line)? ?(?:is|are) (?:fine|ok|okay|good|cool|welcome)|(?:and|please|but) do (?:call|ring|phone|telephone)|(?:may|can) (?:also |always |just |gladly |of course )(?:call|ring|phone|telephone)|go ahead and (?:call|ring|phone)|like to be (?:called|phoned|rung) (?:on|at|in|between|after|before|back|by)|(?:grateful|glad|happy|obliged|kind|good|great|nice|lovely) if (?:you|someone|somebody)(?: could| would|d)? (?:call|ring|phone|telephone)|need (?:somebody|someone|you|a person) to (?:call|ring|phone)|(?:fine|ok|okay|happy) with a (?:phone )?call|(?:call|ring|phone) any (?:morning|evening|afternoon|day|weekday|time)|(?:call|ring|phone) our \S+ (?:line|office|desk|phone)|happy to be (?:rung|phoned|called|telephoned)|(?:ring|call|phone) if you (?:like|want|need|must|prefer)|(?:welcome|allowed) to (?:call|ring|phone|telephone)|calls (?:ok|okay|welcome|fine)|calls (?:only )?(?:before|after|between|from)|may (?:call|ring|phone|telephone) me|(?:best|better|easiest|fine|ok|okay|good|easier) to (?:call|ring|phone)|will i get a call|ring that|reach (?:me|us) (?:(?:\S+ ){0,2}on )?[0-9+]\S*(?: [0-9]\S*)+ (?:between|from|after|before|until|till|in|any|mornings|evenings|weekdays)|(?:ring|call|phone) (?:the|our) (?:office|shop|yard|desk|reception|landline) on) ",
    )
});

/// Who calls, or whom, where it is not us the customer.
#[rustfmt::skip]
const NOT_ASKED: [&str; 69] = [
    "people", "your", "my", "no", "any",
    "сказал", "сказала", "сказали", "говорит", "говорят", "просил", "просила", "написал", "said", "says", "told", "wrote",
    "не", "вы", "зачем", "почему", "никто", "они", "он", "она", "курьер", "кому", "куда", "если", "чтоб", "что", "dont", "not", "never", "to", "they", "will", "did", "who", "someone", "somebody", "he", "she",
    "courier", "couriers", "ill", "i", "we", "wont", "phone", "cant", "why", "anyone", "nobody", "didnt", "video", "would", "order", "roll", "conference", "a", "the", "another", "missed", "hed", "shed", "theyd", "wed", "youd",
];

fn invites(text: &str) -> bool {
    !is_reproach(text)
        && !is_knock(text)
        && CALLS.find_iter(text).any(|found| {
            let (before, after) = (&text[..found.start()], format!("{} ", text[found.end()..].trim()));
            let mut words = before.rsplit(' ').filter(|word| !word.is_empty());
            let last = words.find(|word| !one_of("only always just usually normally", word)).unwrap_or_default();
            let last_but = words.next().unwrap_or_default();
            let of_habit = last == "you" && one_of("do did if when unless whether once", last_but)
                || before.contains(" if it was ")
                || before.contains(" if i was ");
            let asked = !NOT_ASKED.contains(&last) && !of_habit
                || (last == "to"
                    && ["free", "happy", "time", "want", "like", "possible", "fine", "ok", "okay", "welcome"]
                        .contains(&last_but))
                || found.as_str().contains(" be ")
                || (last == "вы" && last_but == "если")
                || last == "he"
                    && (found.as_str().starts_with(" may ")
                        || after.starts_with("me ") && !after.starts_with("me names"));
            let to_others = one_of("ей ему им", last) || last == "и" && one_of("ей ему им", last_but);
            // "You may call it from 9 to 17": the number.
            let number = after.strip_prefix("it ").is_some_and(|rest| {
                ["from", "between", "after", "before", "any"].iter().any(|word| rest.starts_with(word))
            });
            let elsewhere = !number
                && [
                    "говорит",
                    "мол ",
                    "в дверь",
                    "в домофон",
                    "в звонок",
                    "курьеру",
                    "ему",
                    "ей",
                    "им",
                    "моей",
                    "вам",
                    "it ",
                    "him",
                    "the bell",
                    "the door",
                    "the courier",
                    "the office",
                    "the police",
                    "stupid",
                    "a fool",
                    "you ",
                    "old",
                    "mad",
                    "names",
                    "мужу",
                    "жене",
                    "маме",
                    "сыну",
                    "wife",
                    "husband",
                    "son ",
                    "maybe",
                    "in size",
                    "before he ",
                    "before she ",
                    "before they ",
                    "me when hell",
                    "when hell",
                ]
                .iter()
                .any(|word| after.starts_with(word));
            // "… it says 'call us on …'": quoted.
            let quoted = last == "says" && after.starts_with("on ") || before.trim_end().ends_with("it says");
            let refused = ["do not ", "dont ", "never ", " not ", "не надо ", "не нужно ", "stop "]
                .iter()
                .any(|no| before.trim_end().ends_with(no.trim_end()));
            // "Ring the bell", «наберите код».
            let code = after.starts_with("код") || after.starts_with("квартир") || after.starts_with("номер квартир");
            asked && !found.as_str().contains(" вам ") && !quoted && !to_others && !elsewhere && !refused && !code
        })
}

const HOUR_RU: &str = r"(?:[0-2]?[0-9](?:[:.][0-5][0-9])?|час[ау]?|двух|трех|четырех|пяти|шести|семи|восьми|девяти|десяти|одиннадцати|двенадцати|полудня|пол[а-я]+|девять|десять|восемь|семь|шесть|пять)(?:-?ти|-?ми)?(?:\s(?:часов|часа|час|ч\b|утра|вечера|дня|ночи|и\s))*";

const HOUR_EN: &str = r"(?:half\s(?:past\s)?)?(?:[0-2]?[0-9](?:[:.][0-5][0-9])?|noon|midday|lunch(?:time)?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|work|dinner|school)(?:\s?(?:a\.?m\.?|p\.?m\.?|o'clock|hrs|hours|h\b))?";

static TIME: LazyLock<Regex> = LazyLock::new(|| {
    let later = r"(?:только\s|only\s)?";
    let part = r"(?:\s?(?:in the (?:morning|afternoon|evening)|on weekdays|at night|утра|вечера|дня|по (?:будням|москве|мск|выходным|местному)|в будни|weekdays|local time))?";
    let text = format!(
        r"(?:{later}(?:по (?:будням|выходным|утрам|вечерам|рабочим дням)|в (?:будни|выходные|рабочее время|любое время|обед|обеденный перерыв|первой половине дня|второй половине дня)|(?:до|после) (?:обеда|работы|полудня|школы)|с утра до вечера|с\s{HOUR_RU}\s?(?:и\s)?до\s{HOUR_RU}{part}|(?:с|до|после|от|около|в районе|ближе к|не раньше|не позже|не позднее|раньше|часов с|часов в|часов до|часов после|часиков с|часиков в|часам к|часов к|с утра до)\s{HOUR_RU}{part}|[0-2]?[0-9](?:[:.][0-5][0-9])?\s?[-–—]\s?[0-2]?[0-9](?:[:.][0-5][0-9])?|утром|днем|вечером|вечерком|круглосуточно|(?:late|early) (?:mornings?|afternoons?|evenings?)|any ?time(?: (?:before|after|between) {HOUR_EN}(?:\s?and\s{HOUR_EN})?)?|(?:(?:weekdays?|weekday mornings|weekends|mornings|afternoons|evenings)\s)?(?:between|from)\s(?:about\s|around\s)?{HOUR_EN}\s?(?:and|to|till|until|-|–)\s?{HOUR_EN}{part}|(?:not )?(?:before|after|until|till|up to|by|not earlier than|not later than|from|around|past) (?:about |around )?{HOUR_EN}{part}|in the (?:mornings?|afternoons?|evenings?)|(?:in|during|at) (?:my |the )?lunch(?:time| hour| break)?,?(?:\s{HOUR_EN} to {HOUR_EN})?|on weekdays|on weekends|weekday (?:mornings|evenings|afternoons)|mornings|evenings|afternoons|{HOUR_EN}\s?(?:-|–|to)\s?{HOUR_EN}))"
    );
    pattern(&text)
});

/// A time that is one for calls though nothing else says so: "not before 3pm", "up to 8 pm is okay" beside a number.
static TIME_ALONE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:but not before|up to \S+ (?:pm|am) (?:is|are) (?:okay|ok|fine)|на связи (?:с|после|до)|доступ(?:ен|на) (?:с|после|до)|available (?:from|after|between|until|on)) ",
    )
});

/// `no_calls` or `calls`, from either word or a phrase that means it.
pub(super) fn preference(value: &str) -> Option<String> {
    let known = ["no_calls", "calls"].into_iter().find(|known| *known == value.to_lowercase());
    let reading = Reading::of(value);
    let told = || {
        let refused = reading.sentences.iter().any(refuses).then_some("no_calls");
        refused.or_else(|| reading.sentences.iter().any(|sentence| invites(&sentence.folded)).then_some("calls"))
    };
    known.or_else(told).map(str::to_owned)
}

/// One of the media, from its name or a phrase that wishes it.
pub(super) fn medium(value: &str) -> Option<String> {
    let known = MEDIA.iter().map(|(name, _)| *name).find(|known| *known == value.to_lowercase());
    known.or_else(|| channel(&Reading::of(value))).map(str::to_owned)
}

/// Calls that are spoken of, not asked for: «чтобы звонили только с 12 до 13».
static CALLED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r" (?:чтобы?|пусть)(?: \S+){0,3} (?:звон\S+|перезвон\S+|позвон\S+|набер\S+|набирал\S*) "));

static CALL_WORD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:по)?зво(?:н[а-я]+)|набер[а-я]+|набира[а-я]+|набрать|\bcalls?\b|\bring\b|\bphone\b|\btelephone\b|\breach\b|на связи|\bavailable\b|доступ[её]?н",
    )
});

/// The time of day for calls in a sentence that asks for them.
fn when(sentence: &Sentence<'_>, asks_to_call: bool) -> Option<String> {
    let has_number = !phones(sentence).is_empty();
    let told = asks_to_call
        || CALLED.is_match(&sentence.folded)
        || has_number && (TIME_ALONE.is_match(&sentence.folded) || !OF_DELIVERY.is_match(&sentence.folded));
    if !told {
        return None;
    }
    let lower = lowered(sentence.text);
    // Figures of the number itself are no hours.
    let blank = |found: &regex::Captures<'_>| " ".repeat(found[0].len());
    let lower = LONG_NUMBER.replace_all(&lower, blank);
    let cue = CALL_WORD.find(&lower).map_or(0, |cue| cue.end());
    let stands_alone = |found: &regex::Match<'_>| {
        let before = &lower[..found.start()];
        let after = &lower[found.end()..];
        !before.ends_with(|c: char| c.is_alphanumeric() || c == '-')
            && !after.starts_with(|c: char| c.is_alphanumeric() || c == '/')
            && !before.ends_with("не ")
            && !is_kept_free(before, found.as_str())
            && !goes_on(after)
    };
    let figures = |found: &regex::Match<'_>| found.as_str().contains(|c: char| c.is_ascii_digit());
    let all: Vec<_> = TIME.find_iter(&lower).filter(stands_alone).filter(|found| found.start() >= cue).collect();
    let after = all
        .first()
        .map(|first| *all.iter().find(|found| figures(found) && found.start() < first.end() + 20).unwrap_or(first));
    let before = || {
        let all: Vec<_> = TIME.find_iter(&lower).filter(stands_alone).collect();
        let first = *all.first()?;
        Some(*all.iter().find(|found| figures(found) && found.start() < first.end() + 20).unwrap_or(&first))
    };
    let found = after.or_else(before)?;
    // "Before 8 or after 4".
    let more = TIME
        .find_iter(&lower[found.end()..])
        .find(|more| [" or ", " или "].contains(&&lower[found.end()..found.end() + more.start()]));
    let end = more.map_or(found.end(), |more| found.end() + more.end());
    let near = found.start().abs_diff(cue) < 120;
    near.then(|| lower[found.start()..end].trim().to_owned())
}

/// "I don't want calls between 9 and 5".
fn is_kept_free(before: &str, time: &str) -> bool {
    let clause = before.rsplit([',', ';', '.', '(', '!']).next().unwrap_or_default();
    let denied = ["don't ", "dont ", "do not ", "can't ", "cant ", "cannot ", "no calls "];
    ["between", "from"].iter().any(|start| time.starts_with(start)) && denied.iter().any(|word| clause.contains(word))
}

/// What follows a number that makes it no hour: «до 5 дней», "after 2 weeks".
fn goes_on(after: &str) -> bool {
    let after = after.trim_start();
    [
        "дн",
        "недел",
        "мес",
        "мину",
        "мин ",
        "руб",
        "янв",
        "фев",
        "мар",
        "апр",
        "ма",
        "июн",
        "июл",
        "авг",
        "сен",
        "окт",
        "ноя",
        "дек",
        "day",
        "week",
        "month",
        "minute",
        "min ",
        "jan",
        "feb",
        "apr",
        "jun",
        "jul",
        "aug",
        "sep",
        "oct",
        "nov",
        "dec",
        "числа",
    ]
    .iter()
    .any(|word| after.starts_with(word))
}

static LONG_NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:\+\s?)?[0-9][0-9()\s–‑-]{8,20}[0-9]|[0-9]{5,}"));

/// The media by their names in folded text.
const EMAIL: &str = r"(?:(?:электронн\S+ )?почт[уеойыа]\S*|имейл\S*|емейл\S*|мейл\S*|мэйл\S*|майл\S*|письмом|письмами|в письме|мыло|e mail|emails?|mail|work mail|mailaddress)";
const TELEGRAM: &str = r"(?:телеграм\S*|телегр\S*|телег[уеа]|тележк\S|тг|telegrams?|telega|tg)";
const WHATSAPP: &str = r"(?:в[ао]т[сц]?[аэе]п\S*|вацап\S*|уотсап\S*|whatsapps?|whats app|watsapp)";
const SMS: &str = r"(?:смс(?:к\S+| кой| ками)?|эсэмэс\S*|sms|text messages?|texts?|txt)";
const CHAT: &str = r"(?:(?:этот |этом )?чат\S?|сюда|здесь|тут|(?:this |the )?chat|here)";

const MEDIA: [(&str, &str); 5] =
    [("telegram", TELEGRAM), ("whatsapp", WHATSAPP), ("sms", SMS), ("email", EMAIL), ("chat", CHAT)];

static WISHES: LazyLock<Vec<(&'static str, Regex)>> = LazyLock::new(|| {
    let wish = |(name, medium): &(&'static str, &str)| {
        let written = r"пишите|отвечайте|ответьте|отпишите|отпишитесь|отпишись|свяжитесь|связывайтесь|связаться|связывались|сообщайте|сообщите|общайтесь|чтобы (?:мне |нам )?(?:писали|отвечали)|прошу (?:мне |вас )?(?:писать|отвечать)|писать (?:мне|нам|лучше|только|можно)|вести (?:\S+ )?переписку|переписк[аи]|общение|связь (?:только|лучше)|вопросы|ответ(?:ы)? (?:жду |прошу |пришлите |присылайте |шлите |на|в|по|лучше|только)|жду ответа?|дублируйте|уведомления|уведомляйте|держите в курсе|информируйте";
        let better = r"все|лучше|удобнее|удобней|предпочитаю|проще|только|давайте(?: лучше)?";
        let fill = if *name == "chat" { 3 } else { 5 };
        let sent = if *name == "sms" {
            r"|присылайте|пришлите|шлите|киньте|кидайте|скиньте|скидывайте|отправляйте"
        } else {
            ""
        };
        let writing = if *name == "chat" { r"(?:сюда|в (?:этот |этом )?чат\S?)" } else { medium };
        let to = r"(?:(?:на|по|в|во|через|исключительно|только|мою|мой|моя|мне|ко мне|этот|свою) )*";
        let ru = format!(
            r"(?:{written}{sent})(?: \S+){{0,{fill}}}? {to}{medium}|(?:{better})(?: (?:мне|пишите|напишите|писать|ответьте|отвечать|отправьте|связаться|связываться|общаться|киньте|пришлите|скиньте|присылайте|всего|уж|бы|будет|со мной|сразу|напиши|пиши))* {to}{writing}|{writing} (?:мне |лучше |только |тоже |всегда |пожалуйста )*(?:пишите|напишите|присылайте|шлите|киньте|кидайте|скидывайте|давайте|отвечайте|удобнее|предпочтительнее|лучше|отпишите)|{medium}(?: \S+){{0,3}}? (?:для|под) (?:\S+ )?(?:\S+ и )?(?:переписки|связи|общения|ответа|ответов|сообщений)"
        );
        let verb = r"write|answer|reply|respond|message|msg|contact|reach|hmu|hit me up|ping|update|notify|inform|text|let me know|let us know|get back to me|get in touch|communicate|correspond|confirm|talk to me|speak to me";
        let en = format!(
            r"(?:{verb})(?: (?:to|me|us|my|only|always|please|just|all|it|with|back|from now on|in future|again|instead|there|about|this|rather|work|private|new|by|or|better)){{0,5}} (?:(?:by|via|on|in|through|over|using|at|to) )*(?:my |the |our )?{medium}|(?:i|id|we|wed|would|much|i d)(?: \S+)? (?:prefer|rather have|rather use|like better) (?:to )?(?:(?:chat|talk|write|message|speak|communicate|text|correspond) (?:on|via|in|over|by|through) )?(?:to be (?:contacted|written to|reached|messaged) (?:by|via|on|in|through|over) |contact (?:by|via) |to use |using )?{medium}|(?:rather|prefer to|happier to) (?:chat|talk|write|message|speak|communicate|text|correspond) (?:on|via|in|over|by|through) (?:my |the )?{medium}|(?:use|stick to|keep to|stay on) (?:my |the |only )?{medium}(?: only| going forward| for (?:me|us|all|everything|any|messages|contact|this|answers|communication|replies|updates)| instead| from now on| please)|{medium}(?: (?:is|are|s|would be|works|will be))* (?:\S+ )?(?:fine|better|best|easier|easiest|simplest|preferred|preferable|good|ok|okay|convenient)|(?:so|just|please|pls|only|always|rather|better) {medium} (?:me|us)|{medium} only|only (?:by |via |through |in |on )?{medium}|{medium} (?:me|us) (?:instead|only|from now on|please|there|like|on|at|any|with|the answer|your answer)|(?:drop|shoot|send) (?:me|us) (?:an? )?{medium}(?: instead| if| only| please| at| on| rather)|put it in (?:an? )?{medium}|put everything in (?:an? )?{medium}|here in the {medium}|i only (?:check|use|read|have|look at) (?:my |the )?{medium}|(?:prefer|like|rather|appreciate|better|best)(?: it)? if you (?:wrote|replied|answered|messaged|contacted|would write|would reply|could write|could reply)(?: to)?(?: me)? (?:by |via |on |in |through )?(?:the )?{medium}|(?:further|future|all|other) (?:messages|mails|letters|questions) (?:better|best|only|please)? ?(?:in|by|via|on|through) (?:the )?{medium}|{medium} (?:always|for me now|going forward)|always {medium}|send me (?:only )?{medium}|(?:write|correspond|contact|answer)(?: with| to)?(?: me| us)? (?:exclusively|only|solely)(?: by| via| through)? {medium}|everything (?:by|via|in|over) {medium}|(?:all|any|further|future) (?:messages|updates|news|questions|communication|correspondence|answers|replies)(?: \S+){{0,3}}? (?:by|via|on|in|to|through|over) (?:my |the )?{medium}"
        );
        let passive = match *name {
            "email" => "emailed",
            "sms" => "texted",
            _ => medium,
        };
        let more = format!(
            r"{writing} (?:\S+ ){{0,2}}?(?:ответ(?:ьте|ить|ишь)|пиш(?:и|ите)|писать|напиш(?:и|ите)|написать|присыл(?:ай|айте|ать)|пришл(?:и|ите)|шлите|кидай(?:те)?|кинь(?:те)?|скинь(?:те)?|скидывай(?:те)?|сбрасывай(?:те)?|сбрось(?:те)?|отпиш(?:и|ите|итесь))|(?:just|best to|better to|easier to|instead|can you|could you|and) {medium} (?:me|us|instead)|just {medium}|(?:can|could|may) (?:also )?use {medium} for me|{medium} (?:me |us )?(?:instead|this time)|(?:rather|prefer to|like to|want to) be {passive}|please only {medium}|by {medium} (?:only |please )*(?:from (?:now|here) on|in future|instead|only|then)|{medium} (?:from (?:now|here) on|works (?:best|fine|well|better|for me|for us)|suits? (?:me|us))|use my (?:new )?{medium} for (?:everything|all)|(?:switch|put|move) (?:me|us) (?:down |over )?(?:for|to|on) {medium}|(?:contacted|reached) (?:by|via|on) {medium}|best to {medium}|stay with {medium}|here in {medium}|(?:send|write) everything to (?:my )?{medium}"
        );
        (*name, pattern(&format!(r" (?:{ru}|{en}|{more}) ")))
    };
    MEDIA.iter().map(wish).collect()
});

static THERE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:(?:пишите|отвечайте|отпишите|отпишитесь|сообщайте|общение|письма|переписк\S|ответьте|ответ)(?: \S+){0,4}? (?:туда|там)|туда (?:и |же |лучше )*(?:пишите|отвечайте|отпишите|отпишитесь|пожалуйста пишите)|(?:write|msg|message|text|answer|reply|contact|reach|hit)(?: me| us)?(?: always| only| please| back)* there) ",
    )
});

/// Clauses that are about something else: the past, somebody else, or what is not wanted.
static NOT_A_WISH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:be here|used to|either|(?:no|not|isnt|arent|never) (?:\S+ )?(?:good|use|fine|best|ok|okay|convenient|easy)|(?:e ?mail|text|sms|whatsapp|telegram|chat) or (?:\S+ )?(?:phone|call|text|e ?mail|sms|whatsapp|telegram|ring)|(?:doesnt|does not|never|dont|wont) (?:reach|work|get)|(?:kids|children|son|daughter|they|he|she|everyone|people) (?:\S+ )?(?:texts?|emails?|whatsapps?|messages?)|верно|правильно ли|так в|correct|не (?:пишите|писать|отвечайте|отвечать|присылайте|присылать|шлите|слать|отправляйте|отправлять)|почему|зачем|куда|вы (?:мне |нам )?(?:писали|пишете)|писал[аи]? вам|(?:told|asked) me to|do you (?:reply|answer|write|use|have|send|take|text|email)|dont (?:send|write|email|text|message|use|answer|reply)|do not (?:send|write|email|text|message|use|answer|reply)|stop (?:sending|with)|why|you (?:dont|do not|never|said|told|wrote|have)|i (?:wrote|emailed|texted|have written)|если|пока|when it|once it|how (?:do|can)|can i|could i|should i|можно ли|могу ли|where) ",
    )
});

static NOT_THERE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:не (?:в|на|по|через) (?:этот |этом |эту )?\S+|(?:and )?not (?:an? |by |via |in |on |to |the |even )*(?:e ?mails?|texts?|sms|chat|telegram|whatsapp|here)|(?:than|to|instead of|rather than) (?:this|the chat|chat|e mails?|emails?|sms|texts?)) ",
    )
});

/// «Пришлите ответ на …»: once, unless it is said to be for always.
static SENT_ONCE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:(?:пришлите|скиньте|отправьте|киньте|вышлите|сбросьте)(?: \S+){0,3}? (?:на|в) (?:\S+ ){0,2}?(?:mailaddress|почту|мейл|мыло|email|емейл)|(?:на|в) (?:\S+ ){0,2}?(?:mailaddress|почту|мейл|мыло|email|емейл)(?: mailaddress)? (?:\S+ )?(?:пришлите|скиньте|отправьте|киньте|вышлите|сбросьте)) ",
    )
});

static STANDING: LazyLock<Regex> =
    LazyLock::new(|| pattern(r" (?:только|всегда|впредь|теперь|лучше|все|всё|ответы|уведомления|дальше|больше) "));

/// One thing, this once: the invoice to the mailbox.
static ONCE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" mail (?:one|it|them|this|that|out|back|(?:me |us )?(?:the|an?|another|my) \S+|(?:me|us) (?:one|it|them)) | (?:email|text|mail|whatsapp|send) (?:me|us) (?:the|a|an|my|that|when|once|this|your new) (?:\S+ )?(?:invoice|receipt|copy|label|photo|link|code|bill|it arrives|file|manual|its|it is|documents?)|(?:чек|документ\S*|накладн\S+|сч[её]т\S*|фото|копи\S+|инструкци\S+|трек\S*) (?:\S+ ){0,3}(?:на|в|по) ",
    )
});

/// For always, whatever else is sent once.
static FROM_NOW: LazyLock<Regex> =
    LazyLock::new(|| pattern(r" (?:from now on|everything else|going forward|in future|in the future|henceforth) "));

/// The whole message is a messenger with the number: the answer to where we may write.
static ONLY_MEDIUM: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)^\W*(?:(?:on|by|via|my|in) )?(whatsapp|telegram)\W*(?:please|pls)?\W*\+?[0-9][0-9 ()-]{8,16}\W*$")
});

fn channel(reading: &Reading<'_>) -> Option<&'static str> {
    if let [only] = reading.sentences.as_slice()
        && let Some(found) = ONLY_MEDIUM.captures(only.text)
    {
        return Some(if found[1].eq_ignore_ascii_case("telegram") { "telegram" } else { "whatsapp" });
    }
    let mut named = None;
    for sentence in &reading.sentences {
        for clause in
            sentence.text.split([',', ';', '!', '(', ')', '…', '—', '–', '?', ':']).flat_map(|part| part.split(". "))
        {
            let clause = folded(clause);
            let clause = NOT_THERE.replace_all(&clause, " ");
            let mentioned = MEDIA[..4].iter().find(|(_, medium)| mentions(&clause, medium)).map(|(name, _)| *name);
            named = mentioned.or(named);
        }
        if let Some(found) = wished(sentence, named) {
            return Some(found);
        }
    }
    None
}

fn mentions(clause: &str, medium: &str) -> bool {
    static NAMES: LazyLock<Vec<(&'static str, Regex)>> =
        LazyLock::new(|| MEDIA.iter().map(|(_, medium)| (*medium, pattern(&format!(" {medium} ")))).collect());
    NAMES.iter().any(|(name, pattern)| *name == medium && pattern.is_match(clause))
}

fn wished(sentence: &Sentence<'_>, named: Option<&'static str>) -> Option<&'static str> {
    let divided = sentence.text.split([',', ';', '!', '(', ')', '…', '?']);
    // A dash and a colon tie what they stand between: «вопросы только на почту: …».
    for clause in divided {
        let clause = folded(clause);
        let sent_once = SENT_ONCE.is_match(&clause) && !STANDING.is_match(&clause);
        if sent_once
            || sentence.asks && clause.starts_with(" is ")
            || matches!(clause.trim(), "text only" | "contact mailaddress")
            || clause.contains(" reach me at mailaddress ")
            || NOT_A_WISH.is_match(&clause)
            || ONCE.is_match(&clause) && !FROM_NOW.is_match(&sentence.folded)
        {
            continue;
        }
        let kept = NOT_THERE.replace_all(&clause, " ");
        if THERE.is_match(&kept) && named.is_some() {
            return named;
        }
        let first = WISHES.iter().filter_map(|(name, wish)| Some((wish.find(&kept)?.start(), *name)));
        if let Some((_, name)) = first.min_by_key(|(at, _)| *at) {
            return Some(name);
        }
    }
    None
}
