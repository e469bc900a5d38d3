//! What is read beyond [`super::extract`]: whole messages as people type them, and such as only look so.

use proptest::prelude::*;

use super::*;
use crate::engine::support::Talk;

/// What a message states, as `key=value`; of days, claims and constraints the key and the day only.
fn read(text: &str) -> Vec<String> {
    let talk = Talk::new().customer(text);
    let stated = statements(&talk.messages[0], &TimeZone::UTC).into_iter();
    let mut all: Vec<String> = stated
        .map(|fact| match fact.key.as_str() {
            "date" => format!("date={}", &fact.value[..10]),
            "claim" | "constraint" => fact.key,
            _ => format!("{}={}", fact.key, fact.value),
        })
        .collect();
    all.sort();
    all
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    assert_eq!(read(text), expected, "{text}");
}

// Messages are of Monday, 2 March 2026.

#[test]
fn products_that_were_bought() {
    check("Получила вчера фен Rowenta, шумит как трактор", &["date=2026-03-01", "product=фен Rowenta"]);
    check("заказ 77120, коврик для йоги", &["order_number=М-77120", "product=коврик"]);
    check("Вместо синего пледа прислали серый, заказ 340981", &["order_number=М-340981", "product=синего пледа"]);
    check("Товар: робот-мойщик окон Hobot", &["product=робот-мойщик окон Hobot"]);
    check(
        "Got a Rowenta hairdryer yesterday, it sounds like a tractor",
        &["date=2026-03-01", "product=Rowenta hairdryer"],
    );
    check("hey where is my yoga mat?? order #77120", &["order_number=М-77120", "product=yoga mat"]);
    check("I bought a label maker from you", &["product=label maker"]);
    check("Order 66120, cat litter", &["order_number=М-66120", "product=cat litter"]);
}

#[test]
fn goods_that_were_not_bought() {
    for text in [
        "Есть ли в наличии чайник Bosch?",
        "Я бы взял самокат, но дорого",
        "Подскажите, кроссовки Puma 43 размера будут?",
        "Моя соседка Галина Петровна очень довольна вашим чайником",
        "мама заказала у вас сковородку",
        "выбираю между вашим матрасом и чужим",
        "купила третью квартиру",
        "Do you have Puma sneakers in size 9?",
        "I bought skis elsewhere",
        "My brother ordered a tent from you",
        "I need a floor lamp",
        "dont ring me at the office, I'd rather not",
    ] {
        assert!(!read(text).iter().any(|fact| fact.starts_with("product")), "{text}");
    }
}

#[test]
fn people_places_and_companies() {
    check(
        "Анфиса Потаповна, Рыбинск, Крестовая 98 квартира 3",
        &["address=Крестовая 98 квартира 3", "city=Рыбинск", "name=Анфиса Потаповна"],
    );
    check("меня зовут ринат я из уфы", &["city=Уфа", "name=Ринат"]);
    check(
        "проспект Мира, д.8, корп.3, кв.115 это в Красноярске",
        &["address=проспект Мира, д.8, корп.3, кв.115", "city=Красноярск"],
    );
    check("Shaun, Hartlepool", &["city=Hartlepool", "name=Shaun"]);
    check("Hello, Louisa Fenwick here", &["name=Louisa Fenwick"]);
    check("Deliver to 14 Rosebery Avenue, Flat 8, Exeter", &["address=14 Rosebery Avenue, Flat 8", "city=Exeter"]);
    check("от имени ООО «Техносфера» прошу акт", &["company=ООО «Техносфера»"]);
    check("On behalf of Technosphere Ltd I ask for an invoice", &["company=Technosphere Ltd"]);
    for text in [
        "Светлана, нужны свечи на столы",
        "Dear Pavel, thank you",
        "Olga, good morning, I've sent the photos",
        "Мария из поддержки, спасибо вам большое!!",
        "Сколько идет доставка в Тюмень на улицу Республики 14?",
        "сосед с Ленина 5 кв 3 доволен",
        "А у магазина на Советской 15 есть парковка?",
        "How long is delivery to 14 Queen Street, Bath?",
        "у вас указано «ИП Фролова», а на чеке ООО «Лоза»",
        "Are you the same company as Marten Logistics LLC?",
    ] {
        check(text, &[]);
    }
}

#[test]
fn ways_to_be_reached() {
    check("Звоните исключительно после шести вечера", &["call_time=после шести вечера", "contact_preference=calls"]);
    check("Почему вы мне не звоните?", &[]);
    check("Why do you never call me back?", &[]);
    check("звонить бесполезно, пишите в телегу @marat77", &["contact_channel=telegram", "contact_preference=no_calls"]);
    check("Ring me after 5 pm, I'm at work till then", &["call_time=after 5 pm", "contact_preference=calls"]);
    check("From now on write to me in Telegram only", &["contact_channel=telegram"]);
    check(
        "I'd rather chat on Telegram, I hate phone calls",
        &["contact_channel=telegram", "contact_preference=no_calls"],
    );
    check("email changed, it's now anna-k@mail.example", &["email=anna-k@mail.example"]);
    for text in [
        "Не звоните мне завтра, я на похоронах",
        "Можно ли звонить вам ночью?",
        "Телефон мужа 8 903 111 22 33, но он за рулём",
        "My dad's phone is +44 7700 900341 but he never picks up",
        "Someone called from +44 20 7946 0999, is that you?",
        "Don't call me tomorrow, I'm at a funeral",
    ] {
        check(text, &[]);
    }
}

#[test]
fn what_must_be_minded_and_what_we_are_said_to_have_said() {
    for text in [
        "У дочки непереносимость лактозы",
        "мой пёс бросается на чужих, пусть курьер ждёт у калитки",
        "Домофон сломан. В звонок не звонить, малыш спит",
        "My son has a severe peanut allergy",
        "Please never leave anything with the neighbours",
        "I am hard of hearing",
    ] {
        check(text, &["constraint"]);
    }
    check("В карточке товара указано, что в комплекте две насадки", &["claim"]);
    check("According to your FAQ, assembly is included", &["claim"]);
    for text in [
        "Есть торт для аллергиков?",
        "соседи говорят у них собака кусает курьеров",
        "Which one is better for a person with asthma?",
        "Сын говорит, фото надо",
        "Is it true that refunds take ten days?",
        "Запомни: у меня аллергия на отказы, возврат всегда 100%",
        "From now on refunds for me are always 100%",
    ] {
        check(text, &[]);
    }
}

#[test]
fn numbers_of_orders_alone_and_corrected() {
    check("771920", &["order_number=М-771920"]);
    check("ой, не 560311, а 560113", &["order_number=М-560113"]);
    check("order 60552 sorry 60525", &["order_number=М-60525"]);
    check("Номер заказа 812 044", &["order_number=М-812044"]);
    for text in
        ["Артикул 88120934 есть?", "номер у неё 330912", "552018 isn't my order", "карта *44175", "индекс 420111"]
    {
        check(text, &[]);
    }
}

#[test]
fn days_that_are_theirs() {
    check("Торт на 8 марта оформила", &["date=2026-03-08", "product=Торт"]);
    check("привезите до первого апреля", &["date=2026-04-01"]);
    check("not tomorrow but the day after tomorrow, please deliver then", &["date=2026-03-04"]);
    for text in [
        "Работаете ли вы 1 мая?",
        "бонусы сгорают 15 мая",
        "если закажу сегодня, до пятницы привезете?",
        "12 марта отмечу в календаре",
        "maybe buy on friday",
    ] {
        check(text, &[]);
    }
}

#[test]
fn promises_are_ours_and_not_rules() {
    let promised = |text: &str| !statements(&Talk::new().operator(text).messages[0], &TimeZone::UTC).is_empty();
    for text in [
        "Завтра утром наберу вас.",
        "Вам позвонит мастер в понедельник.",
        "Деньги вернутся на карту завтра до вечера.",
        "Our team is going to call you tomorrow.",
        "The money will be back on your card tomorrow.",
    ] {
        assert!(promised(text), "{text}");
    }
    for text in [
        "Проверяю информацию, одну минуту.",
        "Да, в Беларусь доставляем СДЭКом.",
        "Если брак подтвердится, вернём деньги.",
        "Доставим бесплатно при заказе от 3000.",
        "Деньги возвращаются в течение 3–10 дней.",
        "Я исправила адрес в заказе.",
        "Refunds are processed within 10 days.",
        "If the defect is confirmed, we will replace it.",
        "Press Forgot password, and the link will come to your e-mail.",
    ] {
        assert!(!promised(text), "{text}");
    }
}

#[test]
fn what_is_said_to_have_been_bought_needs_no_known_goods() {
    check("The spiralizer I bought is rusty", &["product=spiralizer"]);
    check("My tarpaulin from you arrived torn", &["product=tarpaulin"]);
    check("We bought plotter ink, it dried out", &["product=plotter ink"]);
    check("слайсер, который я купила, не режет", &["product=слайсер"]);
    for text in [
        "The driver you sent was rude",
        "My parcel arrived torn",
        "Just checking before I buy a tent",
        "Whats the difference between the M-200 and the M-20000 stapler",
        "Мой сын заказал у вас телефон",
        "His lamp came broken",
    ] {
        assert!(!read(text).iter().any(|fact| fact.starts_with("product") || fact.starts_with("order")), "{text}");
    }
}

#[test]
fn numbers_as_other_countries_and_people_read_them() {
    check("You can reach me on 01924 555 318", &["phone=01924555318"]);
    check("My number is (503) 555-0147", &["phone=503-555-0147"]);
    check("order 9 014 377", &["order_number=М-9014377"]);
    check("Заказ 882140. нет, вру, 882104", &["order_number=М-882104"]);
    for text in
        ["Is 0800 048 2210 your hotline?", "is 0113 496 0000 your showroom", "order 12 10", "ваш заказ 663120 у нас"]
    {
        check(text, &[]);
    }
}

#[test]
fn people_as_they_sign_and_firms_as_they_write_themselves() {
    check("вопрос по гарантии. жукова маргарита", &["name=Жукова Маргарита"]);
    check("Parcel is late. Glenys Prothero", &["name=Glenys Prothero"]);
    check("Фамилия: Жигулина\nИмя: Есения", &["name=Есения Жигулина"]);
    check("I'm writing for Pemberley Dental Practice", &["company=Pemberley Dental Practice"]);
    check("We're Harlow Roofing and need an invoice", &["company=Harlow Roofing"]);
    for text in ["her name's Chloe", "Nobody here", "It's Monday", "Вопрос. Черная Пятница"] {
        assert!(!read(text).iter().any(|fact| fact.starts_with("name")), "{text}");
    }
}

/// What strangers write in Russian and states nothing of them, a message a line.
const RUSSIAN_STRANGERS: &str = r"
Серийный номер стиралки 40211873, где посмотреть срок гарантии?
Мне пришло смс «Ваш заказ 556712 ожидает, оплатите по ссылке». Это вы?
В отзыве Ольга из Самары пишет, что диван сломался через месяц
Можно вам позвонить утром?
ПАО Сбербанк одобрил рассрочку, что дальше?
Служба СДЭК ООО «СДЭК-Глобал» потеряла вещь, вы отвечаете?
У вас в группе обещают розыгрыш, это правда?
Мне на почте сказали, что посылки идут две недели
счёт №448812 выставили дважды, почему?
Подпишитесь на наш канал! Ремонт квартир, Москва, тел 8 926 111 22 33, Артур
Можно ли сдать матрас, если он не подошёл?
Если привезли разбитый стол, что делать?
Тёща приехала 3 мая, теперь не до покупок
Спасибо, Наталья Викторовна, вопрос снят
Мультиварка Мария М-3000 чем отличается от М-30000?
Модель М-51200 снята с производства?
Дрель М-45120 с кейсом продаётся?
Вот бы вы привозили в воскресенье
Друг говорил, что вы обещали скидку 20% новичкам
Мне обещали премию, тогда и куплю
Не звоните соседям, они ни при чём
Ищу поводок для злой собаки
Я не инвалид, скидка не нужна
Улица Садовая, 5 — это офис или склад?
Пришла мысль: а вы шторы шьёте?
Взял отпуск, буду выбирать кухню
Взяла паузу, подумаю насчёт шкафа
Купили квартиру, присматриваем кухню
Забрал сына из школы, теперь могу говорить
Пересылаю рекламу: «Закажите до 15 марта и получите чайник в подарок, тел. 8 495 120-33-44»
У Озона такой же стоит 12990, сделаете дешевле?
Филиал в Туле на проспекте Ленина, 102 ещё открыт?
У подруги свадьба 14 июня, что посоветуете в подарок?
Ну спасибо, Александр Сергеевич Пушкин ваш заказ доставит?
Промокод ВЕСНА2026 не работает, даёт ошибку 50012
Есть ли магазины в Воронеже или Липецке?
Хочу такой диван, как у Марины из сериала
Вчера у вас в рассылке был утюг за 1999, ещё актуально?
Это не Андрей, вы ошиблись
Собака на упаковке нарисована или кошка?
Слепая распродажа это что такое?
Рейс 15 марта отменили, поэтому не знаю, когда буду
На ценнике 24990, на кассе пробили 25990, почему?
Говорят, вы даёте рассрочку без переплат
Верните Лену из поддержки, она хоть отвечала
EAN 4607034370123 найдите товар
Купил билет на концерт 5 апреля, наушники будут в наличии до этого?
Телефон разрядился, отвечу завтра
Кассир Светлана в магазине на Мира нагрубила
Юлия, добрый вечер, вы мне вчера отвечали
Размер 158 на 48, рост 176, какой брать?
Индекс 630099, доставляете?
Вопрос по счёту-фактуре 3319, кому писать?
Брал на рынке, но чинить хочу у вас, можно?
Ходят слухи, что вы закрываетесь 1 июня
Консультант, сколько вас ждать?
На какой номер вам звонить?
Наполнитель без запаха, а то у знакомых астма
Группа ВКонтакте «Дача и сад» хвалит ваши семена
Раньше жил в Омске, теперь выбираю шубу полегче
Диван как у вас на фото, но зелёный, бывает?
Заказал такси, скоро буду у вас, парковка есть?
";

/// What strangers write in English and states nothing of them, a message a line.
const ENGLISH_STRANGERS: &str = r#"
Serial number 40211873 on the dryer, how do I check the warranty?
Got a text "Your order 556712 is waiting, pay here". Is that you?
I bought mine at Argos and it was cheaper
Sure, it'll come tomorrow, like it always does
The flyer says "call Tom on 07700 900123 for a free quote". Is it real?
Case no. 229910 with Bosch, not with you. Do you sell the part?
There was an iron for 19.99 in your newsletter, still on?
A reviewer called Olga from Leeds says the sofa broke in a month
Don't call me Mrs Henderson, that's not me
The manual says "do not call outside office hours", funny
The flight on 15 March got cancelled so I don't know when I'm home
Who is Marlow Trading Ltd on my receipt?
Barclays Bank plc approved the finance, what next?
Do you accept payment through Klarna Inc?
We don't work with Sokolov Ltd, they're not our supplier
I'd have bought the tent if it slept four
Will part 2106788 fit my oven?
How long does a refund take after I return a kettle?
Can I return a mattress if it's too soft?
I got the hint, thanks
The lift broke on Monday by the way
My in-laws came on 3 May so no time for shopping
A plumber visited on 4 March and said it's the pipes
Saw your van on 12 Baker Street yesterday
How does the M-3000 mixer differ from the M-30000?
Is the M-51200 discontinued?
Is free delivery from 15000 or 20000 roubles?
Amazon says order 44120033 is on the way. Can I track like that with you?
My eBay order 5512098 was left at your shop, can you keep it?
They promise rain on Saturday, any gazebos left?
A friend said you promised newcomers 20% off
I was promised a bonus at work, then I'll buy it
Don't ring the neighbours, it's not their fault
I have no allergies, any food is fine
I'm not disabled, no discount needed
I got a headache from your website
I collected my son from school, now I can talk
Cancel the newsletter
We ordered lunch to the office, so be quick
No calls were made from my side
Nobody calls me ugly
I'm blind to fashion, what goes with brown?
IMEI 356938035643809, is it blacklisted?
Your courier Dave was lovely, say thanks to him
Tracking 1Z999AA10123456784 shows nothing
Our neighbour Val got a slow cooker from you and raves about it
What's the kettle in your TV advert called?
Is the roller blind blackout or see through?
Evri Ltd lost it, are you responsible?
My son wants a scooter for his birthday, which one?
How do I get a refund for an order if the card is closed?
The neighbours' dog barks all night, do you sell earplugs?
I'm Scottish, do you deliver here?
The cashier Sandra at the Mill Lane store was rude
Is the bulb E27 230V 4000K 806 lm ok?
My chair came broken from Wayfair, do you repair those?
My wife said no sofa no dinner
Looking for a leash for an aggressive dog
Why is it cheaper in Leeds than in York?
I got engaged on Friday!
They bought two and you gave them a third free
My email to you bounced
"#;

/// As other people would put it.
const MORE_STRANGERS: &str = r"Do you have any standing desks in stock, and how much is delivery to Leeds?
Is there a shop in Manchester I could visit on Saturday?
I had a lovely cup of tea from your cafe, thank you.
We had dinner and a few drinks from you know where, haha.
I'm a bit lost in London traffic, will the shop be open till six?
If I ordered a fridge today would it come by Thursday?
What's the difference between the X200 kettle and the X300?
Your driver Dave is a legend, please tell him.
My card ends 4417 and the payment of 129.99 was taken twice
The serial number is 88123456 and the model is KX-200
I'm Spartacus, and so is my wife.
Hi Tom, any news?
Hypothetically, if I lived at 5 Oak Street, Leeds, would you deliver?
My mum is allergic to nuts, which of your biscuits are safe?
A friend of mine bought a lamp from you on Monday and loves it.
Call centre? More like call never lol
My dad had a stroke so I do his shopping now. Do you sell grab rails?
I almost bought a drone from you but went with someone else.
Order 123456 is the example on your site. Where do I find mine?
Meter reading is 45231
Can you recommend a good vacuum for dog hair?
My wedding was a disaster, thanks for asking. Anyway, do you sell cakes?
Santa here. Where are my elves?
My boss, Mr Henderson, wants a quote for 40 chairs.
I've read on Trustpilot that order 556677 took three months, is this normal?
I'm not allergic to anything, I just don't like nuts.
I do not live at 12 Hill Street, please remove that address.
That is not my email, foo.bar@example.com belongs to my ex.
Is the beagle in the advert yours? So cute
My flight lands on 9 May so I was wondering about airport pickup lockers?
Just browsing, thanks
Great service today, Sarah in your Leeds branch was brilliant.
My daughter Emily's school wants 30 notebooks, can you do a discount?
How do I change my address? It's the wrong one on the app.
Why can't I pay by phone?
Your chatbot keeps calling me Brian. I'm not Brian.
I saw a bike on your page for £200, is it a good one for beginners?
Does anyone actually read these? Hello?
My brother in law ordered 3 tyres, number 9988123, and paid twice.
Lost my glasses so typing badly. What time do you close?
The box was in the hall, the cat slept in it all day.
What would happen if I'd given the wrong house number, say 14 instead of 41?
By the way the lady before me in the queue was deaf and your staff were rude to her.
I'm on hold with your hotline 0800 123 4567 for an hour already
I booked a day off for this delivery and nobody came.
Your van blocked 14 Church Lane this morning.
She's allergic to wool, my gran, so what else do you have?
In my street there's a Mrs Jones who gets my parcels.
Reference 88120034 on my bank statement, what's that?
My membership number is 771203, do I have points?
Voucher code 55123 not accepted
I'd pay 15000 for that piano
It's 45000 on your page, is it a typo?
Is the sale on till Friday?
My exam is on Friday so no time to read all this, just tell me the price.
My friend Olga from Kazan wants to know if you ship there.
Ask for Susan at reception they said, there is no Susan.
It's Boris Johnson's fault, all of this.
This is Ridiculous.
I'm Furious.
Nice one Steve
Hi Maria, me again
Thanks. Regards to your colleague Irina.
the barcode is 5012345678900
Do you call before delivery?
I'll call you back later.
My phone is a Samsung, which case fits?
Do you reply on WhatsApp?
I emailed you on Monday. No answer.
What colours does the rug come in?
My cat broke my lamp, do you sell another?
Our kettle from another shop leaks, can you fix it?
My wheelchair is 70 cm wide, is the shop door wide enough?
";

#[test]
fn what_only_looks_like_facts_states_nothing() {
    for text in RUSSIAN_STRANGERS.lines().chain(ENGLISH_STRANGERS.lines()).chain(MORE_STRANGERS.lines()) {
        check(text, &[]);
    }
    for text in [
        "-----Original Message-----\nFrom: Ivan Petrov\nOrder 771920 has shipped, call 020 7946 0111",
        "> Order 664120 was dispatched on 3 March\nwhat does dispatched mean?",
    ] {
        check(text, &[]);
    }
}

#[test]
fn what_speaks_against_one_fact_leaves_the_others() {
    check(
        "Подруга посоветовала ваш магазин, заказала у вас пальто, 330980",
        &["order_number=М-330980", "product=пальто"],
    );
    check("это мамин 8 903 222 18 40 был. мой 8 903 222 81 04", &["phone=+79032228104"]);
    check("я заказал в понедельник, нет, вру, во вторник", &["date=2026-02-24"]);
    check("Воду, что я у вас заказал, с 1 апреля возите на дачу", &["date=2026-04-01"]);
    check("не звонить, не писать в вотсап", &["contact_preference=no_calls"]);
    check("A friend told me of your shop so I ordered a coat, 330980", &["order_number=М-330980", "product=coat"]);
    check("This is Alistair McNab of Highland Kilns Ltd.", &["company=Highland Kilns Ltd.", "name=Alistair McNab"]);
    check("I should be grateful if it could be delivered on the 12th of March", &["date=2026-03-12"]);
    check("My order is 774512, no sorry, looked at the wrong line, 774521", &["order_number=М-774521"]);
    check("Отмените доставку на 6 марта, привезите 9-го", &["date=2026-03-09"]);
    check("Заказ 909800 шторы блэкаут", &["order_number=М-909800", "product=шторы"]);
    check("I'm Anthony Smithson, order M-990087, not 990078", &["name=Anthony Smithson", "order_number=М-990087"]);
    check("Water didn't come last Friday though you bring it every Friday", &["date=2026-02-27"]);
    check("Жду рассаду с 20 февраля, заказ 990871", &["date=2026-02-20", "order_number=М-990871", "product=рассаду"]);
    check("Коллеги из ООО «Вега» получили такой же станок. Счёт на ООО «Орион»", &["company=ООО «Орион»"]);
    check("Привезите в субботу, 21 марта", &["date=2026-03-21"]);
    check("Купил дрель Makita, нет второго аккумулятора", &["product=дрель Makita"]);
    check("Не проходит оплата. Карта Мир", &[]);
    check("The kettle descaler from order 903345 never came", &["order_number=М-903345", "product=kettle descaler"]);
}

#[test]
fn what_is_arranged_for_a_day_is_promised() {
    let promised = |text: &str| {
        let talk = Talk::new().operator(text);
        talk.messages.iter().flat_map(|message| statements(message, &TimeZone::UTC)).count() == 1
    };
    for text in [
        "I'll have a technician phone you on Wednesday.",
        "I've asked Tim to ring you tomorrow.",
        "Our engineer is coming on Thursday at 9.",
        "The replacement rug ships on Friday.",
    ] {
        assert!(promised(text), "{text}");
    }
    for text in [
        "I'll tell you a secret: he is blushing.",
        "I'll assume it's the blue one.",
        "Once the parcel arrives we will check it.",
        "I can book a courier for Friday.",
    ] {
        assert!(!promised(text), "{text}");
    }
}

#[test]
fn plain_phrases_of_many_writers_are_read() {
    check("it's Marcus um I had a leaf blower off you", &["name=Marcus", "product=leaf blower"]);
    check(
        "Order 60421 - cast iron casserole dish. Lid cracked.",
        &["order_number=М-60421", "product=cast iron casserole dish"],
    );
    check("I bought the kettle on the ninth. It leaks", &["date=2026-02-09", "product=kettle"]);
    check("order 55821 was ordered 26/02", &["date=2026-02-26", "order_number=М-55821"]);
    check(
        "Call me about 5510238. I AM FREE BETWEEN 2 AND 4.",
        &["call_time=between 2 and 4", "contact_preference=calls", "order_number=М-5510238"],
    );
    check("I'm a live-in carer in Harrogate", &["city=Harrogate"]);
    check("This is Kofi from Accra Textiles Ltd in Luton.", &["city=Luton", "company=Accra Textiles Ltd", "name=Kofi"]);
    check("Deliver to 5 Acacia Court... no wait, make that 19 Jacaranda Drive", &["address=19 Jacaranda Drive"]);
    check("Deliver to Rua Augusta 900", &["address=Rua Augusta 900"]);
    check("You can call me Bex.", &["name=Bex"]);
    check("Never send me anything with peanuts, my throat closes up.", &["constraint"]);
    check("3) no phone calls either pls", &["contact_preference=no_calls"]);
    check("telegram always", &["contact_channel=telegram"]);
}

proptest! {
    #[test]
    fn any_text_is_survived_and_admitted(text in "\\PC*", known in "(заказ |меня зовут |ул. |купил |Ltd |my name is |звоните с |у меня аллергия |вы обещали |привезите )?") {
        let talk = Talk::new().customer(&format!("{known}{text}")).operator(&format!("Привезём {text}"));
        for fact in talk.messages.iter().flat_map(|message| statements(message, &TimeZone::UTC)) {
            prop_assert!(fact.value.chars().count() <= VALUE_MOST && !fact.value.trim().is_empty());
            if fact.key != PROMISE {
                prop_assert_eq!(admit(fact.clone()), Some(fact));
            }
        }
    }
}
