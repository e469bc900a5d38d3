//! The guard against the shipped knowledge: what is true to an article must pass.

use super::tests::section;
use super::*;

/// Every section of the shipped knowledge, said word for word with its citation, must pass: the guard may not stand in
/// the way of the truth.
#[test]
fn the_shipped_articles_pass_word_for_word() {
    let hosts = ["myata.example".to_owned()];
    let mut wrong = Vec::new();
    let mut count = 0;
    for language in Language::ALL {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("knowledge").join(language.code());
        let mut files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        for file in files {
            let markdown = std::fs::read_to_string(&file).unwrap();
            let (front, body) = markdown.strip_prefix("---").unwrap().split_once("---").unwrap();
            let title = front.lines().find_map(|line| line.strip_prefix("title: ")).unwrap();
            for part in body.split("\n## ") {
                let (heading, text) = part.split_once("\n\n").unwrap();
                let text = clean(text, &hosts);
                let mut section = section("x/y", title, &text, language);
                section.heading = heading.trim().to_owned();
                let draft = Draft { reply: text.clone(), citations: vec!["x/y".to_owned()], ..Draft::default() };
                let policy = Policy {
                    language: Some(language),
                    longest: 2000,
                    hosts: &hosts,
                    company: "Мята",
                    forbidden: &[],
                    small_talk: false,
                };
                let sources = Sources { articles: &[section], memory: &[], customer: &["?"] };
                for violation in check(&draft, &sources, &policy) {
                    let name = file.file_stem().unwrap().to_string_lossy();
                    wrong.push(format!(
                        "{language}/{name} {heading}: {} «{}»",
                        violation.kind.name(),
                        violation.found.as_str()
                    ));
                }
                count += 1;
            }
        }
    }
    assert!(count > 200, "{count}");
    assert!(wrong.is_empty(), "{} in {count} sections:\n{}", wrong.len(), wrong.join("\n"));
}

/// Replies as a model words them, each true to its article: the guard may not stand in their way.
#[test]
fn true_paraphrases_pass() {
    let hosts = ["myata.example".to_owned()];
    for (key, customer, reply) in [
        (
            "ru/refund-time",
            "Когда вернут деньги?",
            "Здравствуйте! Деньги за возврат поступят на ту же карту в течение 10 дней с момента, когда товар вернётся к нам. При оплате через СБП — до 3 дней. Ещё до 5 дней может занять зачисление в вашем банке. Если срок прошёл, напишите нам номер заказа, и мы проверим платёж.",
        ),
        (
            "ru/delivery-cost-moscow",
            "сколько стоит доставка по москве",
            "По Москве внутри МКАД доставка стоит 390 ₽, а при заказе от 5 000 ₽ — бесплатно. За МКАД (до 30 км) — 590 ₽. Если оформите заказ до 16:00, привезём на следующий день 🙂",
        ),
        (
            "ru/warranty-terms",
            "гарантия на тостер",
            "На мелкую технику, в том числе тостеры, действует гарантия 2 года. Сохраните чек, достаточно электронного.",
        ),
        (
            "ru/loyalty-program",
            "как работают баллы",
            "В «Мятном клубе» мы возвращаем баллами 3% от каждого заказа, 5% — если за год набрали от 30 000 рублей, и 7% — от 80 тысяч. 1 балл = 1 рубль. Баллы сгорают через 12 месяцев (год).",
        ),
        (
            "ru/promo-codes",
            "не работает HELLO10",
            "Промокод HELLO10 даёт скидку 10 % на первый заказ, но не больше 1000 ₽. Проверьте, что это действительно первый заказ и что вы не применили другой промокод: в одном заказе работает только один.",
        ),
        (
            "ru/account-sign-in",
            "не приходит смс",
            "Проверьте, пожалуйста, номер телефона и папку «Спам». Код состоит из четырёх цифр и действует пять минут. Если он так и не придёт, позвоните по номеру 8 800 555-01-99 — мы на связи с 9 до 21 часа по Москве.",
        ),
        (
            "ru/pickup-points",
            "как забрать в Казани",
            "Да, в Казани есть партнёрские пункты выдачи и постаматы: доставка 249 ₽, от 3 000 ₽ бесплатно, срок 3–7 дней.",
        ),
        (
            "ru/order-cancel",
            "отмените заказ М-123456",
            "Отменить заказ можно бесплатно, пока он не передан в службу доставки: в личном кабинете или здесь, в чате.",
        ),
        (
            "ru/gift-cards",
            "какие номиналы",
            "Номиналы: 1 000, 3 000, 5 000 и 10 000 рублей. Карта приходит на почту сразу и действует год.",
        ),
        (
            "ru/return-how-to",
            "хочу вернуть плед",
            "Вы можете вернуть плед в течение 14 дней после получения, если он не был в употреблении и сохранились бирки. Заполните форму в личном кабинете или на myata.example/return. Обратная доставка через пункт выдачи стоит 249 ₽.",
        ),
        (
            "en/refund-time",
            "when is my refund",
            "Hi there! Refunds go back to the card you paid with within 10 days of us receiving the goods (3 days for SBP). Your bank may need up to five more days.",
        ),
        (
            "en/delivery-intervals",
            "can they come after work",
            "Yes, choose the 6 pm–10 pm slot at checkout. You can change it until 8 pm on the day before delivery.",
        ),
        (
            "en/showroom",
            "where are you",
            "Our showroom is at 18 Lev Tolstoy Street in Moscow, near Park Kultury metro. It's open every day from 10 am to 10 pm.",
        ),
        (
            "en/price-match",
            "cheaper elsewhere",
            "Sorry, we don't match other shops' prices. But if our own price drops within 3 days of your order, we'll return the difference as points.",
        ),
        (
            "en/installments",
            "pay later",
            "Yes! With instalments you make four payments over six weeks with no overpayment, for orders from 1,000 to 50,000 ₽.",
        ),
        (
            "en/damaged-in-transit",
            "broken",
            "I'm sorry to hear that! Please send us photos within 24 hours of delivery, and we'll send a replacement at our cost.",
        ),
        (
            "en/companies-wholesale",
            "invoice",
            "Sure, we can issue an invoice for orders from 50,000 ₽; it's valid for three working days. Please write to b2b@myata.example and we'll reply within one working day.",
        ),
    ] {
        let (code, id) = key.split_once('/').unwrap();
        let markdown =
            std::fs::read_to_string(format!("{}/knowledge/{code}/{id}.md", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let language = Language::from_code(code).unwrap();
        let article = section(key, "", markdown.splitn(3, "---").nth(2).unwrap(), language);
        let draft = Draft { reply: clean(reply, &hosts), citations: vec![key.to_owned()], ..Draft::default() };
        let policy = Policy {
            language: Some(language),
            longest: 700,
            hosts: &hosts,
            company: "Мята",
            forbidden: &[],
            small_talk: false,
        };
        let violations = check(&draft, &Sources { articles: &[article], memory: &[], customer: &[customer] }, &policy);
        let found: Vec<String> =
            violations.iter().map(|one| format!("{} «{}»", one.kind.name(), one.found.as_str())).collect();
        assert!(found.is_empty(), "{key}: {found:?}");
    }
}
