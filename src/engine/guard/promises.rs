//! Words of commitment: what a reply promises must stand in a source.

use std::sync::LazyLock;

use regex::Regex;

/// A sort of promise, and the words by which a source makes it too. Both are patterns on folded words.
struct Family {
    promise: Regex,
    /// `None`: no source makes it good.
    support: Option<Regex>,
}

fn family(promise: &str, support: &str) -> Family {
    let compiled = |source: &str| Regex::new(&format!(r"\b(?:{source})\b")).expect("the patterns of this file compile");
    Family { promise: compiled(promise), support: (!support.is_empty()).then(|| compiled(support)) }
}

static FAMILIES: LazyLock<Vec<Family>> = LazyLock::new(|| {
    vec![
        family(
            r"(?:верн(?:ем|у|ут|ет)|возвращаем|возвратим|выплатим|перечислим) (?:\w+ ){0,4}(?:деньг\w+|средств\w*|сумм\w+|стоимость|оплат\w+|разниц\w+|полностью|предоплат\w+)|(?:деньг\w+|средств\w*|сумм\w+|стоимость) (?:\w+ ){0,4}(?:верн(?:ем|ут|утся|у)|возвратим|возвращаем)|вам верн(?:ем|ут|утся)|(?:we|i|you|they)(?:ll| will| can| shall)? (?:\w+ ){0,3}(?:refund|reimburse)(?: \w+)?|(?:you|youll|you will) (?:\w+ ){0,2}(?:get|receive|have) (?:\w+ ){0,3}(?:refund\w*|money back)|entitled to (?:\w+ ){0,3}refund|refund you|(?:process|issue|send)(?:ing)? (?:you )?(?:\w+ ){0,2}refund|money (?:will be|is being) (?:returned|refunded)",
            r"возвра\w+|верн\w+|refund\w*|money back|reimburs\w*",
        ),
        family(
            r"гарантиру(?:ем|ю)|(?:we|i) (?:\w+ ){0,2}guarantee|(?:is|are) guaranteed|guaranteed (?:to|that|refund|delivery)|you have my guarantee",
            r"гарантиру\w+|guarantee\w*",
        ),
        family(
            r"обеща(?:ем|ю)|даю (?:вам )?слово|можете быть уверены|(?:i|we) promise|my word|you can be sure|rest assured",
            r"обеща\w+|promise\w*",
        ),
        family(
            r"компенсир\w+|компенсаци\w+|возместим|возмещу|возмещение|неустойк\w+|compensat\w+|make it up to you|goodwill|reparation",
            r"компенс\w+|возмещ\w+|возместим|неустойк\w+|compensat\w+|goodwill",
        ),
        family(
            r"(?:дадим|даем|даю|дам|сделаем|сделаю|делаем|предоставим|предоставляем|предоставлю|подарим|дарим|начислим|начислю|добавим|оформим|предложим) (?:\w+ ){0,4}(?:скидк\w+|балл\w*|купон\w*|промокод\w*|подар\w+|бонус\w*|сертификат\w*)|(?:give|offer|add|credit|send|grant|apply|get you) (?:you |your account )?(?:\w+ ){0,4}(?:discounts?|points|vouchers?|coupons?|gifts?|credits?|bonus|off)",
            r"скидк\w+|балл\w*|купон\w*|промокод\w*|дарим|discounts?|points|vouchers?|coupons?|off",
        ),
        family(
            r"(?:свяж(?:емся|усь|ется|утся)|перезвон(?:им|ю|ит|ят)|позвон(?:им|ю|ит|ят)|напиш(?:ем|у|ет|ут) вам|ответ(?:им|ит|ят) вам)|(?:we|i|someone|manager|colleague|agent|team)(?:ll| will) (?:\w+ ){0,2}(?:call|contact|get back|reach out|write|email|phone)",
            r"свяж\w+|связ\w+|перезвон\w+|позвон\w+|звон\w+|напиш\w+|ответ\w+|отвечае\w+|calls?|contact\w*|reply|write|get back",
        ),
        family(
            r"(?:доставим|привез(?:ем|ут|ет)|вышлем|вышлю|отправим|отправлю|пришлем|пришлю|приедет|привезу)|(?:will|ll) (?:be )?(?:\w+ )?(?:deliver(?:ed)?|arrive|ship(?:ped)?|send|sent|bring|dispatch(?:ed)?)",
            r"достав\w+|привоз\w+|привез\w+|отправ\w+|присыл\w+|пришл\w+|высыл\w+|вышл\w+|курьер\w*|приезж\w+|deliver\w*|ship\w*|sen[dt]\w*|courier\w*|dispatch\w*|arriv\w*",
        ),
        family(
            r"(?:замен(?:им|ю)|заменяем|отремонтируем|почин(?:им|ю)|обменяем|переделаем|исправим)|(?:we|i)(?:ll| will| shall) (?:\w+ )?(?:replace|repair|fix|exchange)",
            r"замен\w+|ремонт\w+|обмен\w+|replac\w+|repair\w*|exchang\w+|fix\w*",
        ),
        family(
            r"(?:сделаем|сделаю|сделать) (?:\w+ ){0,3}исключени\w+|в (?:виде|порядке) исключения|пойдем (?:вам )?навстречу|(?:make|made|making) (?:\w+ ){0,2}exception|as an exception|waiv(?:e|ed|ing)",
            r"исключени\w+|exceptions?|waiv\w+",
        ),
        // The bot has no hands: it changes, cancels and refunds nothing.
        family(
            r"(?:я |мы |уже )(?:\w+ ){0,2}(?:отменил[аи]?|изменил[аи]?|поменял[аи]?|оформил[аи]?|создал[аи]?|зарегистрировал[аи]?|начислил[аи]?|вернул[аи]?|перенес(?:ла|ли)?|удалил[аи]?|продлил[аи]?|заказал[аи]?|забронировал[аи]?)|ваш (?:\w+ )?(?:заказ|возврат) (?:отменен|оформлен|изменен|перенесен)|(?:деньги|средства|сумма|оплата|скидка|баллы|бонусы|купон|заявка) (?:(?:за|на|по|вам|уже|ваш\w*|вашу|этот|клиент\w*|заказ\w*|карт\w+|счет\w*|товар\w*|м|[0-9]+) ){0,6}(?:возвращен[аы]?|зачислен[аы]?|начислен[аы]?|включен[аы]?|применен[аы]?|активирован[аы]?|переведен[аы]?)|(?:money|refund|discount|points|amount) (?:(?:for|to|of|your|the|order|card|account|m|[0-9]+) ){0,6}(?:has|have) been (?:refunded|returned|applied|added|activated|sent|credited)|(?:i|we)(?: have|ve)? (?:just |already |now |successfully )*(?:cancell?ed|changed|updated|processed|refunded|issued|created|submitted|rescheduled|deleted|extended|reserved|booked) (?:your|the|a|you)|your (?:\w+ )?(?:order|refund|account) (?:has been|is now|was) (?:cancell?ed|processed|changed|updated|deleted|issued)",
            "",
        ),
    ]
});

static NEGATION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\b(?:не|нельзя|ни|not|cant|cannot|dont|doesnt|wont|never|unable to|no)(?: \w+){0,2} ?$")
        .expect("the pattern is written here and compiles")
});

/// The words of commitment in a folded text that no source makes good; `sources` folded.
pub(super) fn unsupported(reply: &str, sources: &str) -> Vec<String> {
    let mut unsupported = Vec::new();
    for family in FAMILIES.iter() {
        let made_good = family.support.as_ref().is_some_and(|support| support.is_match(sources));
        if made_good {
            continue;
        }
        for found in family.promise.find_iter(reply) {
            // A source that says it in the same words makes it good.
            if !sources.is_empty() && sources.contains(found.as_str()) {
                continue;
            }
            let before = reply[..found.start()].rsplit('\n').next().unwrap_or_default();
            if !NEGATION.is_match(before) && !unsupported.contains(&found.as_str().to_owned()) {
                unsupported.push(found.as_str().to_owned());
            }
        }
    }
    unsupported
}
