//! Everyday words for the same thing, and words that tell nothing: what customers write, and what authors do.
//!
//! General by intent: words of any shop, spoken shortenings, and forms that stemming does not bring together. What only
//! one shop says belongs into its articles.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use crate::engine::words::stem;

/// A group in each line, its words divided by blanks; a word stands in one group only.
const GROUPS: &str = "\
доставка доставить доставлять привезти привозить довезти
вернуть возврат возвращать
обменять обмен
изменить поменять сменить менять замена изменение переделать
перенести перенос
отменить отмена аннулировать
оплатить оплачивать оплачен платить заплатить платеж
стоимость стоить цена почем ценник прайс
дешевле подешевел дешевый
бесплатно даром
забрать получить получение
отследить отслеживание отслеживать трек трекинг
посылка отправление бандероль
постамат почтомат
подъем поднять занести
москва мск
подмосковье мособласть
петербург питер спб
заграница граница зарубеж международный иностранный
экспресс срочный
праздник праздничный
приложение апп
аккаунт кабинет учетка профиль акк
войти вход зайти залогиниться авторизоваться авторизация
телефон мобильный сотовый
удалить удаление стереть
отписаться отписка
сломаться поломка ломаться поломаться
брак бракованный дефект дефектный неисправность
разбить разбитый треснуть трещина повредить
гарантия гарантийный
ремонт починить чинить отремонтировать
хватать недоставать
юрлицо юридический компания организация фирма
опт оптовый
промокод купон промик
балл бонус
сертификат карта
подарок подарочный подарить
упаковка упаковать упаковывать завернуть
стирка стирать постирать
ржавчина ржаветь заржаветь
сковорода сковородка
сборка собрать собирать
хранение хранить
рассрочка долями
наличные нал кэш кеш
матрас матрац
delivery ship
exchange swap
change edit modify alter
price cost fee charge
collect pickup
parcel package
abroad international foreign overseas country
express urgent
app application
account profile
phone telephone mobile
delete erase
broken break broke damaged smashed cracked
defective faulty fault
warranty guarantee
repair fix
invoice bill
company business corporate
wholesale bulk
promo promocode coupon voucher
gift present
review feedback
wash launder
rust rusty
item product goods
colour color
";

/// Words of questions about anything, in writing and in chats.
const EMPTY: &str = "\
работать делать сделать дайте даете дают давать взять хотеть хотелось знать узнать понять найти находиться прийти приходить идти \
бывать иметь возможно посмотреть сказать писать написать спросить действовать считать получаться помочь помогите прислать \
скинуть нужный один два каким нибудь именно пор ой вопрос проблема ситуация момент скока че чо щас ща пж пжл плиз плз спс ок \
норм take make need give work go come find use send put say help look thing much many long way possible show let see one two new \
other another keep still something anything question problem issue ur pls plz thx ty wanna gonna";

/// The group of each stem.
static GROUP_OF: LazyLock<HashMap<String, &'static str>> =
    LazyLock::new(|| GROUPS.lines().flat_map(|group| group.split(' ').map(move |word| (stem(word), group))).collect());

static EMPTY_STEMS: LazyLock<HashSet<String>> = LazyLock::new(|| EMPTY.split_whitespace().map(stem).collect());

/// The stem that stands for all words of the same meaning.
pub(super) fn shared_stem(word: &str) -> String {
    let stem_of_word = stem(word);
    match GROUP_OF.get(&stem_of_word).and_then(|group| group.split(' ').next()) {
        Some(first) => stem(first),
        None => stem_of_word,
    }
}

/// The words of the same meaning as `word`, itself among them, in their first forms.
pub(super) fn same_meaning(word: &str) -> impl Iterator<Item = &'static str> {
    GROUP_OF.get(&stem(word)).into_iter().flat_map(|group| group.split(' '))
}

/// Whether a word tells nothing of what a question is about.
pub(super) fn is_empty(word: &str) -> bool {
    EMPTY_STEMS.contains(&stem(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::words::{is_stop_word, words};

    #[test]
    fn every_word_of_a_list_does_something() {
        let mut seen = HashSet::new();
        for group in GROUPS.lines() {
            assert!(group.split(' ').count() > 1, "{group:?} joins nothing");
            for word in group.split(' ') {
                assert_eq!(words(word), [word], "as words are read");
                assert!(seen.insert(stem(word)), "the stem of {word:?} is there already");
                assert!(!is_stop_word(word) && !is_empty(word), "{word:?} is not counted");
            }
        }
        let mut seen = HashSet::new();
        for word in EMPTY.split_whitespace() {
            assert!(!is_stop_word(word), "{word:?} is a stop word already");
            assert!(seen.insert(stem(word)), "the stem of {word:?} is there already");
        }
    }
}
