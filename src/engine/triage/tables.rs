//! What the shipped rules say, line by line, and what they must not say.

use std::fmt::Write as _;

use super::Triage;
use crate::engine::support::triage;

/// Labels that the rules give, by name, without confidence.
fn rule_labels(triage: &Triage, text: &str) -> Vec<&'static str> {
    let mut labels: Vec<&str> = triage.explain(text).iter().map(|hit| hit.label.name()).collect();
    labels.sort_unstable();
    labels.dedup();
    labels
}

/// Lines of `label, label | text`; no label before the bar means that no rule may speak.
fn check_table(table: &str) {
    let triage = triage();
    let mut wrong = String::new();
    let mut count = 0;
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (labels, text) = line.split_once('|').unwrap();
        let expected: Vec<&str> = labels.split(',').map(str::trim).filter(|label| !label.is_empty()).collect();
        let found = rule_labels(triage, text.trim());
        if found != expected {
            let rules: Vec<String> = triage.explain(text).into_iter().map(|hit| hit.rule).collect();
            writeln!(wrong, "{text}: {found:?} by {rules:?}, expected {expected:?}").unwrap();
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "of {count}:\n{wrong}");
    assert!(count >= 40, "{count}");
}

#[test]
fn people_are_asked_for() {
    check_table(
        "human_request | Позовите оператора
         human_request | позови человека
         human_request | Позовите, пожалуйста, живого человека!
         human_request | ПОЗОВИТЕ ОПЕРАТОРА
         human_request | позовииииите операторааа
         human_request | пoзoвитe oпepaтopа
         human_request | поз\u{200b}овите опе\u{ad}ратора
         human_request | pozovite operatora
         human_request | mne nuzhen operator
         human_request | soedinite s operatorom pozhalujsta
         human_request | оператор
         human_request | Оператора!!!
         human_request | оператор оператор оператор
         human_request | переключи на менеджера
         human_request | Переведите меня на живого сотрудника
         human_request | соедините с кем-нибудь из поддержки
         human_request | хочу поговорить с живым человеком
         human_request | Можно пообщаться с оператором?
         human_request | как связаться с оператором
         human_request | не могу дозвониться до оператора
         human_request | Мне нужен живой человек, а не бот
         human_request | есть тут кто живой
         human_request | тут есть люди?
         human_request | не хочу разговаривать с роботом
         human_request | хватит ботов, дайте менеджера
         human_request | перезвоните мне пожалуйста
         human_request | пусть мне перезвонят
         human_request | ты меня не понимаешь
         human_request | бот бесполезен
         human_request | Не надо инструкций, позовите человека
         human_request | Я не хочу больше ждать. Оператора позовите
         human_request | Operator please
         human_request | can I speak to a human
         human_request | I want to talk to a real person
         human_request | let me talk to your manager
         human_request | put me through to customer service
         human_request | transfer me to a human agent please
         human_request | get me a person
         human_request | I don't want to talk to a bot
         human_request | is there a real person here
         human_request | agent
         human_request | can someone help me with this
         human_request | call me back please
         human_request | I'd rather talk to someone
         human_request | you don't understand me
         human_request | ало, есть кто?
         human_request | человеческий ответ можно?
         human_request | робот достал
         human_request | manager
         human_request | хочу чтобы мне перезвонили
         human_request | свяжите с живым",
    );
}

#[test]
fn people_are_mentioned_without_being_asked_for() {
    check_table(
        "| оператор связи не работает
         | мой оператор МТС, код не приходит
         | мобильный оператор не присылает смс
         | не надо оператора, просто скажите цену
         | оператор не нужен
         | я уже поговорил с оператором, спасибо
         | вчера общалась с менеджером, он сказал ждать
         | оператор сказал что заказ отправлен
         | нужен набор посуды на 6 человек
         | стол на четырех человек есть?
         | 12 человек будет за столом
         | без оператора разберусь
         | спасибо оператору Марине
         | подарок для хорошего человека
         | можно ли подарить человеку карту
         | специалист по сборке приезжает с инструментом?
         | сколько человек работает в шоуруме
         | курьер позвонит заранее?
         | не звоните мне, пишите в чат
         | сказали позвоните позже
         | Живые цветы у вас продаются?
         | людям с аллергией подойдет подушка?
         | как передать баллы другому человеку
         | менеджер обещал скидку
         | директор школы делает заказ
         | связь плохая
         | бот хороший, спасибо
         | a gift for someone special
         | a table for six people
         | my mobile operator blocks the sms
         | I don't need an operator, just the price
         | no need to transfer me to an agent
         | I already talked to an agent yesterday
         | cleaning agent for cast iron
         | my real estate agent bought it
         | the agent told me it was shipped
         | is it suitable for people with allergies
         | the courier will call me before?
         | call me when you arrive
         | don't call me, write here
         | what is the human resources email
         | я с оператором общалась час назад
         | подскажите специалист приедет собирать стеллаж?
         | какой у вас номер телефона
         | does the set serve 6 people",
    );
}

#[test]
fn law_and_safety() {
    check_table(
        "safety_legal | Я подам на вас в суд
         emotional, safety_legal | буду жаловаться в Роспотребнадзор
         safety_legal | роспотрбнадзор вами займется, напишу в роспотребнадзор
         safety_legal | напишу жалобу в прокуратуру
         safety_legal | напишу жалобу
         safety_legal | Направил досудебную претензию
         safety_legal | мой адвокат с вами свяжется
         safety_legal | обращусь к юристу
         safety_legal | ИСК подан
         safety_legal | засужу вас
         safety_legal | оформлю чарджбэк
         safety_legal | оспорю платёж через банк
         safety_legal | взломали мой аккаунт
         safety_legal | списали деньги без моего согласия
         safety_legal | Я ничего не заказывала, а деньги сняли с карты
         safety_legal | мне звонят мошенники от вашего имени
         safety_legal | чайник ударил меня током
         safety_legal | током бьет от лампы
         safety_legal | вчера загорелась гирлянда
         safety_legal | утюг задымился и искрит
         safety_legal | из розетки пошел дым
         safety_legal | пахнет газом от плиты
         safety_legal | муж обжёг руку крышкой
         safety_legal | ребёнок проглотил деталь
         safety_legal | сын порезал палец о край формы
         safety_legal | полка упала на ребенка
         safety_legal | после вашей посуды отравилась, лежу в больнице
         safety_legal | не хочу больше жить
         safety_legal | I will sue you
         safety_legal | my lawyer will contact you
         safety_legal | see you in court
         safety_legal | I'm going to report you to consumer protection
         safety_legal | I'd like to file a complaint
         safety_legal | I'll do a chargeback
         safety_legal | I'm disputing the charge with my bank
         safety_legal | my account was hacked
         safety_legal | there is a payment I didn't make
         safety_legal | someone used my card
         safety_legal | the kettle gave me an electric shock
         safety_legal | the toaster caught fire
         safety_legal | smell of burning from the heater
         safety_legal | my daughter burned her hand
         safety_legal | I cut my finger on the lid
         safety_legal | буду писать в потребнадзор
         safety_legal | после включения в розетку выбило пробки
         safety_legal | ручка отвалилась и я облилась кипятком
         safety_legal | украли посылку из постамата
         safety_legal | someone stole my parcel
         safety_legal | the plug is sparking
         safety_legal | the baby swallowed a part",
    );
}

#[test]
fn law_and_safety_are_not_everywhere() {
    check_table(
        "| мой муж юрист, хочу купить лампу
         | подарок адвокату на юбилей
         | судок для еды есть?
         | посуда из стали
         | суд да дело, а чайник хороший
         | судак в форме запекается?
         | лампа не горит
         | горит индикатор зелёным
         | загорать под лампой можно?
         | свечи дымят?
         | сковорода дымит при жарке масла?
         | пожарная безопасность штор, есть сертификат?
         | есть ли сертификат Роспотребнадзора
         | нет претензий, всё отлично
         | никаких претензий не имею
         | жалоб нет, спасибо
         | доставка в больницу возможна?
         | пункт выдачи рядом с судом на Ленина
         | детский плед гипоаллергенный?
         | лампа в детскую для ребенка
         | не вызывает ли аллергии шерсть
         | скорая доставка есть?
         | порезали цену?
         | рукавицы чтобы не обжечься
         | защита от ожогов на ручке есть?
         | газовая плита подходит?
         | для газа сковорода годится
         | ток какой у зарядки
         | исковерканная коробка
         | взрыв цвета, а не плед!
         | my husband is a lawyer, I need a lamp for his office
         | tennis court towels
         | a lamp for a lawyer
         | smoke grey bedspread
         | do you sell a smoke detector
         | burnt orange throw
         | Hi, this is Sue. Where is my order? My friend Sue
         | fire pit delivery
         | is it dangerous for kids?
         | no complaints, all good
         | deliver to the hospital please
         | gloves so you don't burn your hands
         | чайник не греет воду
         | The lamp gets very hot
         | can my lawyer get an invoice? we are a law firm
         | does it run on gas",
    );
}

#[test]
fn anger_is_known_by_insults_and_by_shouting_a_complaint() {
    check_table(
        "emotional | вы идиоты
         emotional | тупой бот
         emotional | Вы мошенники
         emotional | да пошли вы на
         emotional | ВЕРНИТЕ МОИ ДЕНЬГИ
         emotional | где мой заказ?!!
         emotional | сколько можно ждать!!!
         emotional | безобразие!!
         emotional | третий день жду!!!
         emotional | ВЫ МЕНЯ ОБМАНУЛИ
         emotional | курьер хам!!
         emotional | шарашкина контора
         emotional | куда жаловаться на курьера
         emotional | I'd like to complain about the courier
         emotional | you are idiots
         emotional | this is a scam
         emotional | WHERE IS MY ORDER
         emotional | still waiting!!!
         emotional | useless bot
         emotional | worst service ever!!
         emotional | fuck this
         emotional, safety_legal | Вы мошенники, встретимся в суде!
         emotional, human_request | тупой бот, позовите оператора
         emotional, safety_legal | you crooks, I'll sue you
         | безобразие
         | где мой заказ?
         | тупой нож, можно наточить?
         | угол тупой или острый у стола
         | УРА!!! Пришел заказ, спасибо!!!
         | жду с нетерпением!!!
         | Очень жду новинки!!!
         | can't wait!!!
         | thank you so much!!!
         | ok!!
         | ЗАКАЗ М-123456
         | это не мошенники ли звонят
         | is this a scam?
         | shiitake mushrooms pan
         | классный козлик на кружке
         | сучок на доске это нормально?
         | хулахуп есть?
         | хлебница и дебет
         | скотный двор фигурки
         | не жалуюсь, просто спрашиваю
         | can't complain, great pan
         | потребляет сколько ватт",
    );
}

#[test]
fn changes_are_requests_and_not_questions() {
    check_table(
        "complex | поменяйте мне номер телефона в аккаунте
         complex | Удалите мой аккаунт
         complex | хочу сменить почту в личном кабинете
         complex | исправьте фамилию в профиле
         complex | отмените заказ М-123456
         complex | хочу отменить заказ
         complex | Измените адрес доставки на Ленина 5
         complex | перенесите доставку на завтра
         complex | прошу изменить интервал доставки
         complex | продлите хранение заказа
         complex | отпишите меня от рассылки
         complex | начислите мне баллы за отзыв
         complex | please change my phone number
         complex | cancel my order
         complex | I want to change the delivery address
         complex | delete my account
         complex | can you reschedule my delivery
         complex | unsubscribe me
         | как поменять номер телефона
         | как отменить заказ
         | можно ли изменить адрес доставки?
         | где сменить почту
         | до какого времени можно изменить адрес?
         | отменили мой заказ, почему?
         | заказ отменён
         | как удалить аккаунт
         | как отписаться от рассылки
         | how do I change my phone number
         | how to cancel an order
         | can I change the delivery address
         | is it possible to change the slot
         | where can I update my email
         | you cancelled my order, why
         | изменился ли график
         | обменять плед на другой
         | поменять размер можно?
         | какой адрес магазина
         | до скольки перенос
         | change of season sale
         | order number please
         | my address is in the order
         | спасибо за заказ",
    );
}
