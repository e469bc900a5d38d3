//! What must always be minded with a customer: an allergy, a disability, a dog, a bell that must not ring.

use std::sync::LazyLock;

use regex::Regex;

use super::VALUE_MOST;
use super::reading::{Reading, Sentence, folded};
use super::said::{LIKELY, Said, pattern};
use crate::engine::words::shortened;

/// Whose health it is: theirs, or of those they live with.
const WHOSE: &str = r"(?: у (?:меня|нас|сына|дочери|дочки|мужа|жены|ребенка|внука|внучки|мамы|папы|бабушки|дедушки|отца|матери|супруга|супруги|малыша|малышки)| я| мы| мне| нам| мой| моя| моему| моей| мое| сын| дочь| дочка| дочке| сыну| ребенок| ребенку| жена| муж| мама| i| im| ive| my| me| we| our| weve| were| us| коту| кошке| nobody here| no one here| ноги| пишу)";

static HEALTH: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:аллерги\S+|аллергик\S*|непереносимост\S+|не перенос(?:им|ит|ят|ишу|шу)|целиаки\S+|диабет\S*|диабетик\S*|астм\S+|эпилеп\S+|инвалид\S*|колясочни\S+|костыл\S+|протез\S*|слеп(?:ая|ой|а|ые)|незряч\S+|слабовидящ\S+|слабослыш\S+|глух(?:ая|ой|а|ие|онем\S+)|слуховой аппарат|слуховым аппаратом|(?:почти|плохо|совсем|ничего|практически) (?:не )?(?:слыш|виж|хож|вид)\S+|не (?:слышу|вижу|хожу)|кардиостимулятор\S*|противопоказан\S*|нельзя (?:ничего |есть |продукты |никак\S+ )*(?:с |сладк\S+|сахар\S*|глютен\S*|лактоз\S*|молочн\S+|молоко|орех\S*|мучн\S+|поднимать|тяж\S+|латекс\S*|курин\S*|мед|рыбу)\S*|ни крошки \S+|ни грамма \S+|вегетариан\S+|веган\S*|не ем (?:мясо|мяса|молоч\S+|глютен\S*|свинин\S+)|allergic|allergy|allergies|intoleran\S+|celiac|coeliac|diabetic|diabetes|asthma\S*|wheelchair|deaf|hard of hearing|hearing (?:aid|aids|loss|impair\S+)|(?:am|im|is|hes|shes|are|was|were|going|born|registered|legally|partially|nearly|almost|half|totally|completely|colou?r) blind|blind (?:man|woman|person|customer|and|since|in one|from)|partially sighted|visual(?:ly)? impair\S+|low vision|(?:use|using|with|have|on) (?:a )?screen reader|epilep\S+|pacemaker|heart valve|disabled|disability|crutches|walking (?:stick|frame)|walk with|zimmer frame|cane|arthritis|mobility|guide dog|vegan|vegetarian|kosher|halal|dyslexi\S+|autis\S+|ptsd|react badly to|боится чужих|guide dog in|(?:nobody|no one) (?:here |in the house )?can have|ноги больные|больные (?:ноги|суставы|колени)|плохо (?:вижу|слышу|хожу)|(?:коту|кошке|собаке|псу|сыну|дочке|ребенку|мне|мужу|жене|маме) (?:\S+ )?\S+ нельзя|cannot (?:lift|hear|see|walk|climb)|(?:cant|cannot) (?:manage|do|use|get up|get down) (?:the |any )?(?:stairs|steps)|cant (?:be )?(?:lift\S*|hear|see|walk|climb|eat)|cannot eat|migraines?|immunocompromised|prosthe\S+|(?:in|get|gives me|got|with) hives|anaphyla\S+|epipen|throat (?:closes|swells|shuts)|hands shake|(?:with|have|ive got) (?:parkinson ?s|tremors?)|(?:hip|knee) (?:replacement|operation|surgery)|bad (?:back|hip|knees?|heart|lungs)|lost my (?:voice|sight|hearing|leg|legs|arm)|voice box|multiple sclerosis|fibromyalgia|oxygen tank|stutter|stammer|pregnant and|severe \S+ allergy) ",
    )
});

static OWNED: LazyLock<Regex> = LazyLock::new(|| pattern(&format!(r"{WHOSE} ")));

static OF_SELF: LazyLock<Regex> =
    LazyLock::new(|| pattern(r" (?:у (?:меня|нас)|я|мы|мне|нам|i|im|ive|me|we|our|weve) "));

static HOUSE: LazyLock<Regex> = LazyLock::new(|| {
    let animal = r"(?:собак\S*|пес|пса|псу|овчарк\S+|алаба\S+|ротвейлер\S*|питбул\S*|бульдог\S*|кавказ(?:ец|ская)|кошк\S+|кот|кота|лабрадор\S*|хаски|попуга\S+)";
    let minded = r"(?:зл(?:ая|ой|ые|ющ\S+)|больш(?:ая|ой|ие)|кусает\S*|кусач\S+|лает|гавкает|без (?:меня|звонка) (?:не|во двор)|не заход\S+|не входи\S+|не пуга\S+|не пугает\S*|боится|осторожн\S+|во дворе|на цепи|бросает\S*|не выпуска\S+|не выпусти\S+|учтите|имейте в виду|предупред\S+|не гладить|нервн\S+|охраня\S+|убегает|сбегает|выбегает|агрессивн\S+|чужих|закрывайте (?:дверь|калитку|ворота))";
    let door = r"(?:(?:не|нельзя) (?:надо |нужно |нада |стоит |вздумайте )?(?:звон\S+|трезвон\S+|нажимать|нажимайте)(?: \S+){0,3}? (?:дверь|звонок|домофон)|в (?:дверь|домофон|звонок)(?: \S+){0,2} (?:не (?:звон\S+|надо|нужно|нада)|звонить не \S+)|(?:домофон|звонок)(?: \S+){0,3}? (?:не работает|сломан\S*|сломался|отключен\S*|выключен\S*|не функционирует|не слышно)|(?:не работает|сломан|отключен) (?:домофон|звонок)|стучите|постучать|постучите|стучать(?:ся)?|не стучите|домофона нет|звонка нет)";
    let sleep = r"(?:ребенок|малыш|малышка|младенец|дочка|дочь|сын|сынок|малая|мелкий|мелкая|дети|муж|жена|мама|бабушка|грудничок|двойня|близнецы|внук|внучка)(?: \S+){0,5} (?:спит|спят|уснул\S*|сон|засыпа\S+)";
    let neighbours = r"(?:(?:сосед\S*|консьерж\S*|вахтер\S*|охране|посторонним)(?: \S+){0,4}? (?:не|ничего не|никогда не) (?:\S+ )?(?:отда\S+|остав\S+|перед\S+|вруча\S+)|не (?:\S+ )?(?:отда\S+|остав\S+|перед\S+|вруча\S+|доверя\S+)(?: \S+){0,5}? (?:сосед\S+|консьерж\S*|вахтер\S*|у двери|под дверью|за дверью|на лестнице|на улице|на крыльце|у подъезда|в подъезде|без присмотра|посторонн\S+|охран\S+|кому попало|третьим лицам)|остав\S+(?: \S+){0,5} (?:на охране|у охраны|охране|у консьержа|консьержу|на ресепшене|ресепшен\S*|на проходной|на вахте|на посту|у соседки|в почтовом ящике)|только (?:лично )?(?:мне )?(?:лично )?в руки|в руки (?:дал\S*|отда\S+|только))";
    let always = r"(?:больше ни (?:крошки|грамма|капли)|(?:никогда|больше) (?:мне |нам )?(?:не|ничего не) (?:кладите|добавляйте|присылайте|оставляйте|используйте|ставьте)|не (?:кладите|добавляйте|сыпьте|используйте) (?:\S+ ){0,3}(?:никогда|мне|нам|туда)|лифт\S*(?: \S+){0,3} (?:не работает|нет|сломан\S*)(?: \S+){0,6} (?:не могу|тяжел\S+|инвалид\S*|поднимать|поднять))";
    let dog = r"(?:(?:big|large|angry|aggressive|nervous|guard|vicious|loud|scared|unfriendly|protective|rescue|reactive) (?:\S+ )?dogs?|dogs?(?: \S+){0,6} (?:barks?|bites?|barking|yard|garden|loose|run out|runs out|escape|escapes|bite|jump|jumps|strangers|not friendly|gate|let (?:him|her|it|them) out)|let (?:him|her|it|them|the dog|the cat|our dog|our cat) out|beware of)";
    let sleeping = r"(?:baby|babies|toddler|newborn|infant|twins|child|children|kids?|son|daughter|husband|wife)(?: \S+){0,4} (?:sleep\S*|asleep|naps?|napping)";
    let bell = r"(?:no (?:door ?bell|bell|knocking|ringing the)|(?:dont|do not|never|not|please not|without) (?:to )?(?:ring|ringing|press|pressing|use|using|buzz|touch)(?: on)? (?:the |our |my |a )?(?:door ?bell|door bell|bell|intercom|buzzer|door)|(?:door ?bell|door bell|intercom|bell|buzzer|entryphone|door phone)(?: \S+){0,2}? (?:broken|doesnt work|does not work|not working|out of order|is dead|is off|doesnt ring|disconnected)|(?:dont|do not|not|never) (?:to )?knock|knock (?:loud\S*|hard|softly|quietly|gently|instead)|(?:just|only|please) knock)";
    let leave = r"(?:(?:never|dont|do not|not to|not|nothing|please no) (?:ever |please )?(?:be )?(?:leave|leaving|left|hand|give|put|drop|deliver)(?: \S+){0,6}? (?:neighbou?rs?\S*|neighbou?r s|porch|doorstep|outside|hallway|stairs|stairwell|staircase|unattended|lobby|front door|door|next door|bin|bins|shed|in it|gate|rain|concierge|anyone else|strangers|reception|the landing|entrance|garage|driveway)|leave (?:it |them |everything |parcels |packages |the parcel |the package |the box |deliveries |my parcels |all parcels |my packages )?(?:always )?(?:with|at|by|in|on|behind) (?:the |our |my )?(?:security|guard|concierge|reception|porter|front desk|back door|side door|safe place|garage|shed|neighbou?r\S*)|nothing (?:with|at|to) (?:the |my |our )?neighbou?rs?|must (?:never|not) (?:be |ever )*(?:leave|left|put|placed|ring|come|enter|knock|call|delivered|handed|given|contain|disturb\S*|touch\S*|stand)|only through the|only (?:use )?the (?:back|side|rear) (?:door|entrance|gate)|never (?:put|send|include|add|pack|use)|(?:drivers?|couriers?|he|they|postman|delivery \S+) (?:must|has to|have to|needs? to) (?:please )?(?:always|never)|shut the (?:door|gate)|ring twice|(?:so|please) no (?:\S+ ){1,4}in (?:my|our|any) (?:\S+ ){0,3}(?:parcels?|box|boxes|orders?|packages?|deliveries)|(?:so|please|pls|and) no (?:\S+ ){0,2}samples|(?:forbidden|banned|prohibited|not allowed) (?:on|in|at) (?:our|my|the) (?:premises|school|office|house|site|building|nursery)|nothing (?:to|should|may|must|is to) be (?:left|put|handed)|leave nothing(?: \S+){0,6}? (?:neighbou?rs?|porch|doorstep|outside|next door|people|lobby|door|street|reception|hall|stairs)|(?:never|dont|do not)(?: ever)? leave (?:\S+ ){0,5}?with (?:the |my )?(?:people|person|lady|man|woman|bloke|couple|lot|family|folk)|(?:works nights|on night shifts?)(?: \S+){0,8} (?:knock\S*|ring\S*|quiet\S*|wake)|nobody (?:to )?(?:knock|ring)|(?:no|please no) (?:\S+ ){0,3}?(?:samples?|perfume\S*|nuts|peanuts|latex|fragrance\S*|lilies)(?: \S+)* in )";
    pattern(&format!(
        r" (?:{animal}(?: \S+){{0,8}}? {minded}|{minded}(?: \S+){{0,3}}? {animal}|{door}|{sleep}|{neighbours}|{always}|{dog}|{sleeping}|{bell}|{leave})(?: |$)"
    ))
});

/// What makes it a question, a matter of goods, or somebody else's.
static NOT_THEIRS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r" (?:your (?:\S+ )?(?:intercom|buzzer|bell|door)|ваш\S* (?:домофон|звонок)|пока открыли|till they opened|need (?:a|an|some) \S+ one|нужен погромче|подойдет|не инвалид|нет (?:\S+ )?аллерги\S+|без аллерги\S+|не аллергик|ищу|выбираю|no (?:\S+ )?allerg\S+|not (?:a |an )?(?:allergic|disabled|diabetic|vegan|vegetarian|deaf|blind)|(?:blind|deaf) to|для аллергик\S+|для диабетик\S+|для собак\S*|корм\S*|есть ли|подойдет ли|подходит ли|можно ли|какой|какую|посоветуйте|гипоаллерг\S+|соседи говорят|у соседей|говорят|if a|which|шампун\S+ для|вызывает ли|почему|зачем|курьер (?:сказал|не позвонил|не звонил)|present for|gift for|looking for|recommend|which one|is there|are there|do you (?:have|sell|stock)|does it|suitable for|good for|better for|what if|if i|если я|asking for a|so noisy|neighbou?rs? (?:dog|dogs|cat)|blind drunk|my (?:late|cousin|aunt|uncle|nephew|niece|ex|boss|manager)|have to be blind|(?:a|one|some) (?:lady|woman|man|bloke|guy|girl|boy|guest|visitor|kid|child|customer) (?:at|in|from|of)|allergic to (?:bad|your|this|stupid|people|waiting|nonsense|work|mornings|mondays)|blind (?:reading|from|with|trying|looking)|neighbou?rs? (?:is|was|has|cant)|dogs? (?:is|are|s) (?:fine|friendly|ok|okay|harmless|lovely|gentle|soft)|(?:doorbell|bell|buzzer|intercom) (?:you|i (?:bought|ordered|got))|bell (?:\S+ ){0,2}on (?:the|my|a) bike|(?:home|school|club|charity|group) for (?:the )?(?:deaf|blind|disabled)|bell at your|(?:ordered|bought|buy|sell|ordering|sold me|want|need) (?:\S+ ){0,3}(?:wheelchair|walking|crutches|cane|hearing)|wheelchair (?:i ordered|i bought|you sold|ramp|cushion|cover|bag|tyre|wheels?)|(?:stick|frame|crutches|wheelchair|cane) for|(?:lady|woman|man|bloke|guy|girl|boy|person|customer) (?:before|in front|behind|ahead|next to)|у подруги|у коллеги|у знакомой|у соседки|у друга|у соседа|friend|colleague|не слышу трубку|трубу не слышу|hearing aid batter\S+|набирайте|в цеху|на работе|в метро|за рулем|на станке|шумно) ",
    )
});

/// The constraints in a message: neighbouring sentences together.
pub(super) fn read(reading: &Reading<'_>, said: &mut Said) {
    let mut open: Option<String> = None;
    let mut after = false;
    for sentence in &reading.sentences {
        let words = || essence(sentence.text).replace(['¦', '[', ']', '<', '>', '{', '}', '|', '`', '@', '•'], " ");
        if is_constraint(sentence) {
            open = Some(match open.take() {
                Some(before) if after => format!("{before} {}", words()),
                Some(before) => {
                    keep(&before, said);
                    words()
                }
                None => words(),
            });
            after = true;
        } else {
            after = false;
        }
    }
    if let Some(value) = open {
        keep(&value, said);
    }
}

/// Of a sentence that is too long to be kept, the clauses from the first that says what must be minded.
fn essence(text: &str) -> &str {
    if text.chars().count() <= VALUE_MOST {
        return text;
    }
    let says = |part: &str| {
        let folded = folded(part);
        HOUSE.is_match(&folded) || HEALTH.is_match(&folded)
    };
    text.match_indices([',', ';', '—'])
        .map(|(at, mark)| &text[at + mark.len()..])
        .take_while(|rest| says(rest))
        .last()
        .unwrap_or(text)
        .trim()
}

fn keep(value: &str, said: &mut Said) {
    said.add("constraint", shortened(value, VALUE_MOST), LIKELY);
}

pub(super) fn is_constraint(sentence: &Sentence<'_>) -> bool {
    let text = sentence.folded.as_str();
    let house = HOUSE.is_match(text);
    let health = !house && HEALTH.is_match(text) && OWNED.is_match(text);
    // Of others it is asked what suits them.
    let asks = sentence.asks && !OF_SELF.is_match(text) && (health || !OWNED.is_match(text));
    (house || health) && !asks && !NOT_THEIRS.is_match(text)
}
