//! Which words may be a person's name.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::engine::words::{folded, is_stop_word, stem};

/// Given names common among customers, folded. Known names are believed after weak introductions («это Анна»).
static GIVEN: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    "александр александра саша алексей леша алена алина алиса алла анастасия настя анатолий толя ангелина андрей анжелика \
     анна аня антон антонина арина аркадий арсений артем артур богдан борис боря вадим валентин валентина валерий валерия лера \
     варвара варя василий вася василиса вера вероника ника виктор витя виктория вика виталий владимир вова володя владислав влад \
     владислава всеволод вячеслав слава галина галя геннадий гена георгий глеб григорий гриша гульнара дамир данил данила даниил \
     дарина дарья даша денис диана дина динара дмитрий дима ева евгений евгения женя екатерина катя елена лена елизавета лиза \
     жанна захар зоя иван ваня игорь илья ильдар инна ирина ира камилла карина кирилл кира клавдия константин костя кристина \
     ксения ксюша лариса лев леонид лидия лилия любовь люба людмила люда майя макар максим макс маргарита рита марина мария \
     маша марк марсель матвей милана мирон михаил миша мурат надежда надя наталья наталия наташа никита николай коля нина оксана \
     олег олеся ольга оля павел паша петр петя полина прохор раиса рамиль ренат рената роман рома руслан рустам савелий светлана \
     света семен сергей сережа снежана софия софья соня станислав стас степан таисия тамара татьяна таня тимофей тимур тихон \
     ульяна федор филипп эдуард элина эльвира эльдар эмилия юлия юля юрий юра яна ярослав ярослава \
     aaron adam alan alex alexander alexandra alexey alice alina amanda amy andrea andrew andrey ann anna anne anthony anton arthur \
     barbara ben benjamin boris brian caroline catherine charles charlie charlotte chris christina christopher claire daniel \
     david denis diana dmitry donald dorothy edward elena eleanor elizabeth ella ellen emily emma eric ethan eugene eva evgeny \
     fiona frank gary george grigory hannah harry helen henry igor ilya irina isabella ivan jack jacob james jane jason jean jennifer \
     jessica jim joan joe john jonathan joseph joshua julia julie karen kate katherine kathy katie keith kelly kevin kirill \
     konstantin ksenia larry laura lauren leo leonid linda lisa louis lucas lucy luke maksim margaret maria marina martin mary \
     matthew maxim megan melissa michael michelle mike mikhail natalia natalie nathan nicholas nick nikita nikolay nina noah olga \
     oleg oliver olivia oscar pamela patricia patrick paul pavel peter philip polina rachel raymond rebecca richard robert roger \
     roman ronald ruslan ruth ryan sam samantha samuel sandra sarah scott sergey sharon simon sofia sophia sophie stephanie \
     stephen steve steven susan svetlana tatiana thomas tim timothy tom tony tyler vadim valentina vera victor victoria vincent \
     vladimir walter wendy william yana yulia yuri zachary zoe"
        .split_whitespace()
        .collect()
});

/// Stems of capitalised words that begin the next thought, or that call the customer what only we are.
static NOT_NAMES: LazyLock<HashSet<String>> = LazyLock::new(|| {
    "заказ номер возврат доставка товар посылка деньги курьер адрес телефон почта безобразие ужас кошмар обман позор вопрос проблема \
     жалоба оформила оформил заказала заказал купила купил оплатил оплатила админ администратор оператор менеджер директор \
     система поддержка бот робот начальник руководитель сотрудник хозяин модератор разработчик \
     order number return delivery parcel money courier phone email question problem complaint waiting sorry admin administrator \
     operator manager director system support bot assistant root developer moderator owner staff boss ceo calling writing \
     looking trying not still very so the maybe later back always"
        .split_whitespace()
        .map(stem)
        .collect()
});

/// Whether a word can't be a name, however it is written.
pub(super) fn is_common(word: &str) -> bool {
    let folded = folded(word).replace(' ', "-");
    is_stop_word(&folded) || NOT_NAMES.contains(&stem(&folded))
}

/// Whether a word is a given name that we know.
pub(in crate::engine) fn is_given(word: &str) -> bool {
    GIVEN.contains(folded(word).as_str())
}

/// Whether a text is nothing but a name: one to four words of letters. What channels show as a name often is not.
pub fn is_name(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let letters = |word: &&str| {
        word.chars().any(char::is_alphabetic)
            && word.chars().all(|c| c.is_alphabetic() || matches!(c, '-' | '\'' | '’'))
            && !is_common(word)
    };
    (1..=4).contains(&words.len()) && text.chars().count() <= 60 && words.iter().all(letters)
}

/// How to address someone of that name: the given name, with the patronymic where it follows.
pub fn given_name(name: &str) -> String {
    let words: Vec<&str> = name.split_whitespace().collect();
    let first = words.iter().position(|word| is_given(word)).unwrap_or(0);
    let patronymic = words.get(first + 1).filter(|word| {
        let word = word.to_lowercase();
        ["вич", "вна", "ична", "инична"].iter().any(|end| word.ends_with(end))
    });
    words.get(first).into_iter().chain(patronymic).copied().collect::<Vec<_>>().join(" ")
}
