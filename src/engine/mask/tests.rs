//! What is masked, and what must be left alone.

use proptest::prelude::*;

use super::*;
use crate::engine::support::data_dir;

/// Masks, and checks what must hold for every text.
fn masked(text: &str) -> Masked {
    let masked = mask(text);
    assert_eq!(mask(&masked.text), Masked { text: masked.text.clone(), found: Vec::new() }, "masking is final");
    masked
}

fn check(text: &str, expected: &str) {
    assert_eq!(masked(text).text, expected, "{text}");
}

#[test]
fn cards_go_but_for_their_last_digits() {
    check("карта 4111 1111 1111 1111, спишите", "карта [карта •••• 1111], спишите");
    check("my card is 4111-1111-1111-1111", "my card is [card •••• 1111]");
    check("5555555555554444", "[карта •••• 4444]");
    check("Мир 2200 0000 0000 0053", "Мир [карта •••• 0053]");
    check("амекс 3782 822463 10005 вот", "амекс [карта •••• 0005] вот");
    check("4111.1111.1111.1111", "[карта •••• 1111]");
    check("4111\u{a0}1111\u{2009}1111\u{200b}1111", "[карта •••• 1111]");
    check("４１１１１１１１１１１１１１１１ это карта", "[карта •••• 1111] это карта");
    check("4111 1111\n1111 1111", "[карта •••• 1111]");
    check("оплатил 4111111111111111 12/27 123", "оплатил [карта •••• 1111] 12/27 [код скрыт]");
    check("card 4111 1111 1111 1111, exp 12/27, CVV 123", "card [card •••• 1111], exp 12/27, CVV [code hidden]");
    check("трек 4111111111111111", "трек [карта •••• 1111]");
    check("4111111111111111 и 5555 5555 5555 4444", "[карта •••• 1111] и [карта •••• 4444]");
    check("4111111111111111 1500 рублей", "[карта •••• 1111] 1500 рублей");
    check("заказ М-123456 4111111111111111", "заказ М-123456 [карта •••• 1111]");
}

#[test]
fn documents_go() {
    check("паспорт 4510 123456", "паспорт [паспорт скрыт]");
    check("Паспортные данные: серия 45 10 № 123456, выдан", "Паспортные данные: серия [паспорт скрыт], выдан");
    check("серия 4510 номер 123456", "серия [паспорт скрыт]");
    check("4510 123456 это мой паспорт", "[паспорт скрыт] это мой паспорт");
    check("my passport number is 75 1234567", "my passport number is [passport hidden]");
    check("СНИЛС 112-233-445 95", "СНИЛС [СНИЛС скрыт]");
    check("112-233-445 95", "[СНИЛС скрыт]");
    check("снилс 11223344595", "снилс [СНИЛС скрыт]");
    check("снилс мой 11223344500 вроде", "снилс мой [СНИЛС скрыт] вроде");
    check("ИНН 500100732259", "ИНН [ИНН скрыт]");
    check("500100732259 возврат оформите", "[ИНН скрыт] возврат оформите");
    check("ИНН организации 7707083893", "ИНН организации [ИНН скрыт]");
    check("our INN: 7707083893", "our INN: [INN hidden]");
}

#[test]
fn passwords_codes_and_keys_go() {
    check("пароль: qwerty", "пароль: [пароль скрыт]");
    check("Мой пароль Solnce2024!", "Мой пароль [пароль скрыт]!");
    check("логин anna, пароль - солнышко", "логин anna, пароль - [пароль скрыт]");
    check("пароль от личного кабинета: Kot_1987, не пускает", "пароль от личного кабинета: [пароль скрыт], не пускает");
    check("password is hunter2", "password is [password hidden]");
    check("My password is sunshine and it fails", "My password is [password hidden] and it fails");
    check("pwd=S3cret", "pwd=[password hidden]");
    check("код из смс 1234", "код из смс [код скрыт]");
    check("Код подтверждения пришёл: 482 193", "Код подтверждения пришёл: [код скрыт]");
    check("смс-код 4821 не подходит", "смс-код [код скрыт] не подходит");
    check("код 4821", "код [код скрыт]");
    check("пришел код: 482193 что дальше", "пришел код: [код скрыт] что дальше");
    check("смс пришла 4821", "смс пришла [код скрыт]");
    check("the verification code is 123456", "the verification code is [code hidden]");
    check("OTP 739201", "OTP [code hidden]");
    check("CVV 123", "CVV [code hidden]");
    check("свс код 987", "свс код 987");
    check("cvc: 987 карта мир", "cvc: [код скрыт] карта мир");
    check("код на обороте карты 321", "код на обороте карты [код скрыт]");
    check("пин-код 4455", "пин-код [код скрыт]");
    check("my PIN is 4455", "my PIN is [code hidden]");
    check("sk-abcdefghijklmnop1234", "[key hidden]");
    check("token: 0123456789abcdef0123456789abcdef", "token: [key hidden]");
    check("вот токен 7f3c9a1be5d24c6f8a0b", "вот токен [ключ скрыт]");
    check("Authorization: Bearer abc123def456ghi789", "Authorization: Bearer [key hidden]");
    check("бот 123456789:AAExampleExampleExampleExampleExamp12 молчит", "бот [key hidden] молчит");
    check("https://anna:secret@myata.example/", "https://anna:[key hidden]@myata.example/");
    check("-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----", "[key hidden]");
}

#[test]
fn what_support_needs_stays() {
    let lines = "\
        Где мой заказ М-123456?\n\
        заказ 123456 не пришёл\n\
        order #123456 is late\n\
        M-654321, when will it arrive?\n\
        Мой телефон +7 999 123-45-67\n\
        89991234567 перезвоните\n\
        8 (999) 123-45-67 и 8 (999) 765-43-21\n\
        8 999 123 45 67 8 999 765 43 21\n\
        +375 29 123 45 67 Минск\n\
        call me at +44 20 7946 0958\n\
        8 800 555-01-99 не отвечает\n\
        anna.petrova1987@mail.ru\n\
        write to help@myata.example\n\
        трек RA123456789RU\n\
        Трек-номер 80082345678901 не отслеживается\n\
        трек 14 цифр: 63000012345678\n\
        накладная СДЭК 1234567890\n\
        cancelling purchase 113542617735902\n\
        tracking number 1Z999AA10123456784\n\
        штрихкод 4600051000057\n\
        артикул 4006381333931\n\
        Стоимость 12 500 ₽ или 12 900 ₽?\n\
        у вас 1 000–50 000 ₽ в рассрочку\n\
        списали 1500 1500 1500 рублей трижды\n\
        доставка 390, 450, 590, 690\n\
        31.12.2026 в 18:00\n\
        с 10:00 до 14:00 05.12.2026\n\
        2026-11-22 14:30:00\n\
        код товара 123456\n\
        промокод HELLO10 не работает\n\
        промокод 20242024\n\
        promo code 123456\n\
        код домофона 4821\n\
        код 4821 от домофона, 5 этаж\n\
        подъезд 3, код 1234#, этаж 7\n\
        почтовый индекс 420111\n\
        индекс 630099, Новосибирск\n\
        zip code 94103\n\
        код ошибки 50012\n\
        error code 40412\n\
        код заказа 123456\n\
        код не приходит уже 10 минут\n\
        мне не приходит смс с кодом\n\
        Код из 4 цифр не пришёл\n\
        смс пришла в 14:35\n\
        смс 1500 рублей списали\n\
        пароль не подходит\n\
        забыл пароль, как восстановить?\n\
        Пароль придумывать не нужно?\n\
        пароль: не приходит\n\
        I forgot my password\n\
        my password is not working\n\
        the password is wrong again\n\
        ключ от двери потеряла\n\
        ключница за 1290 рублей\n\
        токен не нужен\n\
        паспорт товара потерян\n\
        нужен ли паспорт при получении?\n\
        Технический паспорт на чайник 2200 Вт\n\
        серия посуды Loft 24 см\n\
        ИНН магазина подскажите\n\
        ИНН 1234567890\n\
        расчётный счёт 40702810400000012345\n\
        1234567890\n\
        123456789012 это номер заказа\n\
        номер 500100732259\n\
        Казань, ул. Баумана, 15, кв. 42\n\
        размер 160х200, 2 шт, 140x200 - 4 шт\n\
        сковорода 24 см / 26 см / 28 см\n\
        заказы М-123456, М-123457, М-123458, М-123459\n\
        123456 123457 123458\n\
        0000 0000 0000 0000\n\
        карта Мятного клуба, 1500 баллов\n\
        карта не проходит, последние цифры 1234\n\
        гарантия 24 месяца, чек от 12.03.2025 № 00123\n\
        чек 0000123456 от 12.03.2025 на 4 990,00\n\
        я родилась 12.03.1987\n\
        перевод 5 000,00 руб. 12.03.2026 14:05:33\n\
        PIN for the door? no\n\
        pinned message 12345";
    assert!(lines.lines().count() >= 60);
    for line in lines.lines() {
        let masked = masked(line);
        assert_eq!(masked.text, line);
        assert_eq!(masked.found, []);
    }
}

#[test]
fn placeholders_are_left_alone() {
    check("пароль: [пароль скрыт]", "пароль: [пароль скрыт]");
    check("[карта •••• 1111] 4111 1111 1111 1111", "[карта •••• 1111] [карта •••• 1111]");
    check("пароль: [abc1234", "пароль: [пароль скрыт]");
}

#[test]
fn a_dump_shows_no_words() {
    assert_eq!(format!("{:?}", mask("пароль: qwerty")), "Masked(22 characters, [Password])");
}

/// Completes `digits` with the check digit of Luhn.
fn with_check_digit(mut digits: Vec<u8>) -> Vec<u8> {
    digits.push(0);
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, &value)| if at % 2 == 1 { u32::from(value * 2 / 10 + value * 2 % 10) } else { u32::from(value) })
        .sum();
    *digits.last_mut().unwrap() = u8::try_from((10 - sum % 10) % 10).unwrap();
    digits
}

fn pan() -> impl Strategy<Value = (Vec<u8>, usize)> {
    (prop_oneof![Just(2_u8), Just(4), Just(5), Just(6)], prop::collection::vec(0_u8..10, 14), 0_usize..6)
        .prop_map(|(first, rest, style)| (with_check_digit([vec![first], rest].concat()), style))
}

fn written((digits, style): &(Vec<u8>, usize)) -> String {
    let digits: String = digits.iter().map(|digit| char::from(b'0' + digit)).collect();
    let groups = [&digits[..4], &digits[4..8], &digits[8..12], &digits[12..]];
    match style {
        0 => digits,
        1 => groups.join(" "),
        2 => groups.join("-"),
        3 => groups.join(" - "),
        4 => groups.join("\u{a0}"),
        _ => format!("{} {}", &digits[..8], &digits[8..]),
    }
}

proptest! {
    #[test]
    fn any_text_is_survived_and_masking_is_final(text in any::<String>()) {
        masked(&text);
    }

    #[test]
    fn any_text_of_our_words_is_survived(
        parts in prop::collection::vec(
            prop_oneof![
                Just("пароль".to_owned()), Just("код".to_owned()), Just("is".to_owned()), Just(":".to_owned()), Just("-".to_owned()),
                Just("паспорт".to_owned()), Just("серия".to_owned()), Just("ИНН".to_owned()), Just("СНИЛС".to_owned()), Just("cvv".to_owned()),
                Just("token".to_owned()), Just("[пароль скрыт]".to_owned()), Just("смс".to_owned()), "[0-9]{1,20}", "[a-zA-Z0-9]{1,40}", "\\PC{0,3}",
            ],
            0..14,
        ),
        glue in "[ \n:]{0,2}",
    ) {
        masked(&parts.join(&glue));
    }

    #[test]
    fn no_card_survives(card in pan(), before in "[а-яА-Яa-zA-Z ,.!?:]{0,30}", after in "[а-яА-Яa-zA-Z ,.!?:]{0,30}") {
        // A number that is called one of an article or a parcel is that.
        prop_assume!(!documents::CALLED_OTHERWISE.is_match(&before));
        let text = format!("{before} {} {after}", written(&card));
        let masked = masked(&text);
        prop_assert!(masked.found.contains(&Kind::Card), "{text} became {}", masked.text);
        let digits = PLACEHOLDER.replace_all(&masked.text, "").chars().filter(|c| digit(*c).is_some()).count();
        prop_assert_eq!(digits, 0, "{}", masked.text);
    }
}

/// What to write in place of a template's field: never a secret but for the card.
fn filling(entity: &str, number: usize) -> String {
    let pick = |all: &[&str]| all[number % all.len()].to_owned();
    match entity {
        "phone_number" => pick(&["+7 999 123-45-67", "8 (495) 123-45-67", "+1 415 555 0134", "89991234567"]),
        "email" => pick(&["ann@example.com", "ivan.petrov1987@mail.example"]),
        "url" => pick(&["https://example.com/a?id=12345678", "www.example.org"]),
        "iban" => pick(&["GB29NWBK60161331926819", "DE89370400440532013000"]),
        "zipcode" | "postcode" => pick(&["94103", "SW1A 1AA", "420111"]),
        "year" => pick(&["1987", "2024"]),
        "age" | "building_number" => pick(&["18", "42", "7"]),
        "ip_address" => pick(&["192.168.0.12", "10.0.0.1"]),
        "date_time" | "date_of_birth" => pick(&["12.03.1987", "2026-11-22 14:30", "March 12, 1987"]),
        "ssn" => pick(&["078-05-1120"]),
        "us_driver_license" => pick(&["D1234567"]),
        _ => pick(&["Anna", "London", "Baker Street", "Acme"]),
    }
}

#[test]
fn recall_on_public_templates() {
    let Some(dir) = data_dir("masking on PII templates") else { return };
    let text = std::fs::read_to_string(dir.join("pii/templates.jsonl")).unwrap();
    let (mut cards, mut caught, mut clean, mut eaten) = (0, 0, 0, 0);
    for (number, line) in text.lines().enumerate() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let mut message = row["template"].as_str().unwrap().to_owned();
        let mut expected = 0;
        for entity in row["entities"].as_array().unwrap().iter().map(|entity| entity.as_str().unwrap()) {
            let value = if entity == "credit_card_number" {
                expected += 1;
                let digits = (0..15_u8)
                    .map(|at| if at == 0 { 4 } else { (at * 7 + u8::try_from(number % 10).unwrap()) % 10 })
                    .collect();
                written(&(with_check_digit(digits), number % 6))
            } else {
                filling(entity, number)
            };
            message = message.replacen(&format!("{{{{{entity}}}}}"), &value, 1);
        }
        let found = masked(&message).found;
        cards += expected;
        caught += found.iter().filter(|kind| **kind == Kind::Card).count().min(expected);
        clean += usize::from(expected == 0);
        eaten += usize::from(expected == 0 && !found.is_empty());
        if expected == 0 && !found.is_empty() {
            eprintln!("eaten: {message} -> {found:?}");
        }
    }
    eprintln!("cards caught {caught} of {cards}; messages without a card that lost something: {eaten} of {clean}");
    assert_eq!(caught, cards);
    assert!(eaten <= 1, "{eaten} of {clean}");
}
