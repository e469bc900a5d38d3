//! What the bot or an operator commits us to do later for this customer, and by when.

use std::sync::LazyLock;

use jiff::Zoned;
use regex::Regex;

use super::days::{Due, due, lowered};
use super::reading::{one_of, prepared};
use super::said::{LIKELY, pattern};
use super::{PROMISE, VALUE_MOST};
use crate::domain::id::MessageId;
use crate::domain::memory::{FactKind, Stance, Statement};
use crate::engine::words::{sentences, shortened};

/// Verbs of the first person in the future, by their beginnings.
const OF_US: &str = "подерж удерж сохран остав ответ спрос попрос запуст выстав приглас приглаш напомн проинформ проконтрол распечат подпиш прикреп подвез испеч вычт сниж продубл вылож свяжем свяжус разреш спеш возобнов оформл подтян перепиш перенаправл доставл заплачу заплат верн вернусь влож внес возмест возмещ восстанов впиш встре вывез выдад вызов выпиш вышл вышле выясн добав довед довез довыш договор докомплект долож доначисл допиш достав дошл забер заблокир забронир завез заед закаж закреп закро замен запиш заплани запрос запрош зарезервир зачисл извест извещ исправ компенсир набер назнач найд напиш направ настро начисл обменя обнов обсуд обсуж оплат оплач оповест организу отвез отвеч отгру отдад отзвон отключ откорректир откро отлож отмен отпиш отправ отреагир отремонтир отслед отслеж оформ переведе переведу перевез перевыпу передад передела перезвон перенаправ перенес переоткро переотправ перепровер пересчит перечисл перешл перешле поговор подар подбер подготов подключ подним подойд подтверд подтвержу подъед позвон поинтерес поищ покаж полож поменя пополн поправ попрош посмотр посчит поторопл почин предупре привез привяж приготов придерж приед примем приму пришл пришле провер продл проконсультир проследи прослежу разбер разблокир разузна расскаж рассмотр рассчит решим решу сверим сверю свяж сдела скорректир снижу снизим собер согласу созвон сообщ спиш спрош убер уведом удал узна укомплект упаку ускор установ уточн эскалир";

/// Those of them whose future is spelled like a present: «узнаю», «сделаем».
const LIKE_PRESENT: [&str; 13] = [
    "узна",
    "разузна",
    "поменя",
    "обменя",
    "сдела",
    "передела",
    "пересчит",
    "рассчит",
    "посчит",
    "подготовл",
    "отключ",
    "упаку",
    "подстра",
];

/// Whether a word, lowered, is such a verb.
fn is_future(word: &str) -> bool {
    let exact = ["передам", "отдам", "выдам", "дам", "дадим", "вернусь", "прослежу", "передадим"].contains(&word);
    let known = || OF_US.split(' ').any(|start| word.starts_with(start));
    let word = word.trim_end_matches("ся").trim_end_matches("сь");
    let ends = ["у", "ю", "ем", "им"].iter().any(|end| word.ends_with(end));
    // «Проверяю», «доставляем», «возвращаем» are what we do now, or always.
    let present = ["яю", "аю", "яем", "аем", "еваю", "еваем"].iter().any(|end| word.ends_with(end));
    // «Уточнению», «отправлению», «доставку» are nouns.
    let noun = ["нию", "ку", "нием", "вку", "лату", "дачу", "чету", "ной", "нным", "чным", "вету", "вому", "ному"]
        .iter()
        .any(|end| word.ends_with(end))
        || [
            "договору",
            "счету",
            "оплату",
            "отмену",
            "замену",
            "проверку",
            "отправку",
            "доставку",
            "установку",
            "оформлением",
            "начислением",
            "записью",
        ]
        .contains(&word);
    exact || (ends && !noun && known() && (!present || LIKE_PRESENT.iter().any(|start| word.starts_with(start))))
}

/// Those who act for us.
const OURS: &str = r"(?:менеджер|оператор|мастер|курьер|специалист|техник|инженер|водитель|коллег[аи]|сотрудник|бригада|бригадир|грузчики|монтажник|монтажники|сборщик|сборщики|установщик|бухгалтер|бухгалтерия|юрист|консультант|кондитер|флорист|склад|служба доставки|сервис|сервисный центр|отдел [а-я]+|руководитель|администратор|кладовщик|старший менеджер|клинер|клинеры|замерщик|логист|диспетчер|деньги|возврат|заказ|посылка|сумма|средства|он|она|они|товар|замена|мы|я)";

/// What they will do.
const WILL: &str = r"(?:перезвон(?:ит|ят)|позвон(?:ит|ят)|набер(?:ет|ут)|свяж(?:ет|ут)ся|напиш(?:ет|ут)|ответ(?:ит|ят)|отправ(?:ит|ят)|вышл(?:ет|ют)|пришл(?:ет|ют)|верн(?:ет|ут|ется|утся)|провер(?:ит|ят)|уточн(?:ит|ят)|передаст|передадут|привез(?:ет|ут)|завез(?:ет|ут)|достав(?:ит|ят)|замен(?:ит|ят)|сообщ(?:ит|ат)|приед(?:ет|ут)|подъед(?:ет|ут)|прид(?:ет|ут)|забер(?:ет|ут)|заед(?:ет|ут)|подним(?:ет|ут)(?:ся)?|постав(?:ит|ят)|принес(?:ет|ут)|осмотр(?:ит|ят)|поменя(?:ет|ют)|сдела(?:ет|ют)|отда(?:ст|дут)|вынес(?:ет|ут)|уложат|довез(?:ет|ут)|заверш(?:ит|ат)|отремонтиру(?:ет|ют)|посчита(?:ет|ют)|установ(?:ит|ят)|собер(?:ет|ут)|поступ(?:ит|ят)|вернутся|отгруз(?:ит|ят)|подготов(?:ит|ят)|оформ(?:ит|ят)|почин(?:ит|ят)|буд(?:ет|ут) (?:у вас|на месте|отправлен[а-я]*|доставлен[а-я]*|возвращен[а-я]*|готов[а-я]*|зачислен[а-я]*)|посмотр(?:ит|ят)|позаботится|отзвонится|согласу(?:ет|ют)|занес(?:ет|ут)|постуч(?:ит|ат)|выед(?:ет|ут))";

/// Whoever it is, with a day it is a promise: «старший смены позвонит вам завтра».
static THEY_WILL: LazyLock<Regex> = LazyLock::new(|| pattern(&format!(r"(?:^|[^а-я]){WILL}(?:[^а-я]|$)")));

static COMMITS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"(?:^|[^а-я])(?:{OURS}(?:[\s,]+[^\s,]+){{0,5}}?[\s,]+{WILL}|{WILL}(?:\s+[^\s]+){{0,2}}?\s+{OURS}|буду держать|будем держать|компенсирую|компенсируем|согласую|согласуем|организую|организуем|забронирую|забронируем|проконсультируюсь)(?:[^а-я]|$)"
    ))
});

static COMMITS_ENGLISH: LazyLock<Regex> = LazyLock::new(|| {
    let doers = r"(?:accounts|accounting|logistics|support|sales|manager|courier|technician|colleague|driver|operator|engineer|cleaner|accountant|specialist|team|department|service|centre|center|warehouse|florist|installer|fitter|plumber|electrician|supervisor|representative|agent|assistant|carrier|crew|master|repairman|mechanic|tailor|baker|pharmacist|lawyer|refund|money|parcel|order|replacement|package|delivery|item|he|she|they|it|mechanics|movers)s?";
    let verbs = r"(?:not |also |then |personally |now |gladly |certainly |definitely |immediately |of course |only )*(?:be (?:back|with you|sent|delivered|posted|shipped|refunded|returned|replaced|collected|there|transferred|credited|dispatched|handed|at your|in touch|brought|exchanged|paid|ready|on your|repaired|fixed|in your|issued|calling|sending|there)|call|ring|phone|telephone|write|text|email|e-mail|message|send|post|ship|dispatch|deliver|bring|collect|pick|refund|return|replace|exchange|swap|check|find|ask|look|get|let|inform|pass|forward|confirm|clarify|investigate|arrange|prepare|reissue|issue|make|put|add|hold|keep|update|change|move|reschedule|cancel|credit|transfer|pay|compensate|fix|repair|assign|speak|talk|contact|notify|trace|track|report|give|take|visit|come|arrive|reach|start|open|order|book|reserve|schedule|resolve|sort|escalate|tell|answer|reply|reserve|set|remove|correct|print|pack|drop|note|mail|organise|organize|restore|unlock|finish|install|help you|leave|process|apply|attach|share|take care|do (?:it|that|this|so)|waive|extend|void|block|check)";
    pattern(&format!(
        r"(?:^|[^a-z])(?:(?:i|we)(?:'ll| will| shall|'m going to|'re going to) {verbs}|(?:[a-z]+ )?{doers}(?:'ll| will| shall)(?: [a-z]+)?? {verbs}|(?:you'll|you will) (?:get|have|receive|hear)|(?:i'm|we're|i am|we are|our [a-z]+ is|the {doers} (?:is|are)|{doers} (?:is|are)) going to {verbs}|and (?:will|'ll) {verbs}|let me (?:check|find|ask|look|see|speak|talk)(?: [a-z]+){{0,4}} and (?:come|get|write|call|let|update|reply|message)|expect (?:a call|an email|it|our))(?:[^a-z]|$)"
    ))
});

/// Anything of ours that will be done, which is a promise where a day is named.
static WILL_BE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:^|[^a-z])(?:the |your |our |a )(?:[a-z]+ ){1,4}will (?:be|come|call|ring|phone|write|arrive|visit|bring|take|reach|pick|collect|contact)(?:[^a-z]|$)",
    )
});

/// What holds for everybody, or only if something happens, commits us to nothing.
static GENERAL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^then (?:i|we)|^(?:пожалуйста,? |хорошо,? |please,? )?(?:пришлите|напишите|сообщите|отправьте|приложите|прикрепите|укажите|назовите|скажите|дайте знать|оформите|заполните|подскажите|уточните|send|write|attach|give|fill|let us know|let me know|tell me|press|enter|click|choose|share|reply)[ ,]|(?:^|[^а-яa-z])(?:при заказе|при покупке|if|если|обычно|как правило|в случае|при условии|по правилам|стараемся|рады помочь|буду рад|с удовольствием поможем|можете|можно|по желанию|подскажите|вам нужно|if|usually|normally|in case|unless|can't|cannot|would you|could you|you can|typically|as a rule|once the|once your|once we have|as soon as (?:it|we have)|when we have|probably|most likely|hopefully|all being well|with luck|subject to|provided (?:it|that|you|the)|should it|should the|(?:sale|shop|store|offices?|branch|lines?) will|ask for your|our couriers will|as soon as the|as soon as your|in general|customers|glad to help|happy to help|look forward|should you|please tell|once you)(?:[^а-яa-z]|$)",
    )
});

/// Words of help and of regret that are no promise of a deed.
static EMPTY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:^|[^а-яa-z])(?:поможем|помогу|попробу(?:ем|ю)|^разберемся|постара(?:емся|юсь)|будем стараться|сейчас посмотрю|сейчас проверю|сейчас уточню|одну минуту|минуточку|перевожу|учтем|ждем|i'll be happy|we'll be happy|i will be happy|i will be glad|we will be glad|i will try|we'll try|i'll try|i'll assume|i'll leave you|i'll let you|feel free|tell you (?:a secret|what|honestly|the truth|something)|be honest|(?:do|try) (?:our|my) best|keep to (?:e-?mail|chat|sms|text)|bear (?:that|it|this)|(?:transfer|hand|put|pass) you|close this|keep your card|let you into)(?:[^а-яa-z]|$)",
    )
});

/// Goods and money that come by themselves are promised only with a day.
static BY_ITSELF: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:^|[^а-яa-z])(?:деньги|возврат|заказ|посылка|сумма|средства|товар|замена|refund|money|parcel|order|replacement|package|delivery|item|it|you'll|you will|expect)(?:[^а-яa-z]|$)",
    )
});

/// The promises in a message of ours, each sentence once, with the time by which it is to be kept where one is named.
pub fn promises(text: &str, source: MessageId, said: &Zoned) -> Vec<Statement> {
    let text = prepared(text);
    let mut all: Vec<Statement> = Vec::new();
    for sentence in sentences(&text) {
        let lower = lowered(sentence);
        let due_at = due(&lower, said.datetime());
        if !promised(sentence, &lower, due_at) {
            continue;
        }
        let value = shortened(sentence, VALUE_MOST);
        let due_at = due_at.and_then(|due| due.moment().to_zoned(said.time_zone().clone()).ok());
        if all.iter().all(|other| other.value != value) {
            all.push(Statement {
                key: PROMISE.to_owned(),
                value,
                stance: Stance::Stated,
                kind: FactKind::Promise,
                confidence: LIKELY,
                source,
                valid_at: said.timestamp(),
                due_at: due_at.map(|due_at| due_at.timestamp()),
            });
        }
    }
    all
}

/// Who will do what: "I'll listen to the call", "two men will bring it".
static WILL_DO: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:^|[^a-z0-9])([a-z0-9]+)(?:'ll| will| shall|'m going to|'re going to| am going to| are going to| is going to) (?:(?:also|then|now|just|only|always|personally|certainly|definitely|gladly|of course|immediately) )*([a-z]+)(?: ([a-z]+))?",
    )
});

/// "I'll have our baker write to you".
static HAVE_DONE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:'ll|will) (?:have|get) (?:a|an|the|our|one of our|someone|somebody|accounting|accounts|billing|finance|dispatch|sales|ups|dhl|dpd|fedex|evri)(?: [a-z]+){0,3} (?:to )?(?:call|ring|phone|telephone|write|email|text|come|visit|bring|check|send|deliver|contact|message|collect|look|fix|replace|pick|reverse|post|ship)(?:[^a-z]|$)",
    )
});

/// What is arranged for a day: "our engineer is coming on Thursday", "I've asked Tim to ring you tomorrow".
static ARRANGED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:^|[^a-z])(?:(?:the|your|our|a)(?: [a-z]+){1,4} (?:ships|goes out|leaves (?:us|our|the)|is coming|is going out|is shipping|is being sent)|(?:i've|i have|we've|we have) (?:asked|told|got|arranged for) (?:[a-z]+ ){1,4}to (?:call|ring|phone|write|email|message|come|deliver|send|bring|collect|visit)|(?:i'm|i am|we're|we are) (?:sending|posting|shipping|dispatching|bringing|delivering|collecting)|(?:i|we)'ll be (?:at yours|with you|there|round) (?:by|at|on|before|between|tomorrow|today|tonight)|(?:i|we) promise to|you have my word)(?:[^a-z]|$)",
    )
});

/// Verbs after "will" that commit nobody to a deed.
const NO_DEED: &str = "be not never need see try hope wait love miss have understand continue depend cost last expire end close \
     open remain stay know want like think wish allow let receive use rely stick respect remember explain say stop do probably";

/// Those of us who come and do.
const PEOPLE: &str = "courier driver technician engineer plumber fitter manager colleague team operator cleaner specialist \
     installer electrician florist agent men he she they someone somebody";

/// "I'll" and any deed; of others, where they are ours or a day is named.
fn will_do(lower: &str, dated: bool) -> bool {
    WILL_DO.captures_iter(lower).any(|found| {
        let (who, verb) = (&found[1], &found[2]);
        let deed = !one_of(NO_DEED, verb);
        let arranges = verb == "have"
            && ([" sent", "ed ", "ed.", " out", " done"].iter().any(|done| lower.contains(done))
                || lower.contains(" have a word")
                || HAVE_DONE.is_match(lower));
        match who {
            "i" | "we" => deed || arranges,
            "you" | "it" | "that" | "this" | "there" | "which" => false,
            _ if verb == "be" => {
                let done = found.get(3).map(|done| done.as_str()).unwrap_or_default();
                dated && done.ends_with("ed") && !one_of("closed delayed limited", done)
            }
            _ => deed && (dated || one_of(PEOPLE, who) && !one_of("he she they someone somebody", who)),
        }
    })
}

fn promised(sentence: &str, lower: &str, due: Option<Due>) -> bool {
    let words = lower.split(|c: char| !c.is_alphabetic());
    let first_person = words.clone().any(is_future);
    let found = COMMITS_ENGLISH.find(lower).or_else(|| COMMITS.find(lower)).map(|found| found.as_str());
    let dated = due.is_some() && (ARRANGED.is_match(lower) || WILL_BE.is_match(lower) || THEY_WILL.is_match(lower))
        || will_do(lower, due.is_some());
    let by_itself =
        found.is_none_or(|words| BY_ITSELF.is_match(words) && !words.contains("we") && !words.contains("i "));
    let named = found.is_some() && (due.is_some() || !by_itself);
    let settled = !sentence.contains('?') && !GENERAL.is_match(lower) && (due.is_some() || !EMPTY.is_match(lower));
    settled && (first_person || named || dated)
}
