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
    check("My tarpaulin arrived torn", &["product=tarpaulin"]);
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
    check("You can reach me on 01924 555 318", &["contact_preference=calls", "phone=01924555318"]);
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
