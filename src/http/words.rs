//! What pages say, in both languages. The tables are typed: a word that is missing in one of them does not compile.
//!
//! `{…}` stands for something that the page or its script puts in.

use serde::Serialize;

use crate::domain::text::Language;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($key:ident: $russian:literal, $english:literal;)+ })+) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Serialize)]
            pub(crate) struct $name { $(pub(crate) $key: &'static str),+ }

            impl $name {
                /// The Russian table.
                pub(crate) const RUSSIAN: Self = Self { $($key: $russian),+ };
                /// The English table.
                pub(crate) const ENGLISH: Self = Self { $($key: $english),+ };

                /// The table of a language.
                pub(crate) fn of(language: Language) -> &'static Self {
                    match language {
                        Language::Ru => &Self::RUSSIAN,
                        Language::En => &Self::ENGLISH,
                    }
                }

                #[cfg(test)]
                fn pairs() -> Vec<(&'static str, &'static str, &'static str)> {
                    vec![$((stringify!($key), $russian, $english)),+]
                }
            }
        )+

        #[cfg(test)]
        fn all_pairs() -> Vec<(&'static str, &'static str, &'static str)> {
            [$($name::pairs()),+].concat()
        }
    };
}

words! {
    /// Words of the chat, which its script uses as well.
    ChatWords {
        title: "Чат поддержки", "Support chat";
        other_language: "English", "Русский";
        switch_language: "Switch to English", "Перейти на русский";
        who_bot: "Отвечает бот", "The bot answers";
        who_queued: "Разговор у коллег, ответ придёт сюда", "With our colleagues, the answer comes here";
        who_human: "Отвечает {name}", "{name} is answering";
        who_resolved: "Вопрос закрыт. Появится новый — пишите", "Closed. Write whenever something comes up";
        greeting: "Здравствуйте! Это чат компании «{company}».", "Hello! This is the chat of {company}.";
        introduction: "Отвечаю я, бот: на обычные вопросы сразу, а если понадобится человек, позову коллегу и передам ему всё, что вы уже рассказали.", "I am a bot. I answer everyday questions at once, and when a person is needed I call a colleague and pass on everything you have already told me.";
        call_person: "Позвать человека", "Call a person";
        call_person_text: "Позовите, пожалуйста, человека", "Please let me talk to a person";
        elsewhere: "Перейти в мессенджер", "Go on in a messenger";
        places: "Где продолжить", "Where to go on";
        places_note: "Бот будет помнить там этот разговор. Ссылка только для вас и открывается один раз.", "The bot remembers this conversation there. The link is for you alone and opens once.";
        queued_note: "Коллеги видят весь разговор. Ответ придёт сюда: страницу можно закрыть, переписка сохранится.", "Our colleagues see the whole conversation. The answer comes here: you may close the page, nothing is lost.";
        composer_label: "Новое сообщение", "New message";
        message_label: "Ваше сообщение", "Your message";
        placeholder: "Напишите сообщение", "Write a message";
        send: "Отправить", "Send";
        keys: "Enter отправляет, Shift + Enter начинает новую строку", "Enter sends, Shift + Enter begins a new line";
        log_label: "Переписка", "Conversation";
        you: "Вы", "You";
        bot: "Бот", "Bot";
        colleague: "Сотрудник", "Colleague";
        bot_typing: "Бот пишет ответ", "The bot is writing";
        colleague_typing: "Вам пишут ответ", "An answer is being written";
        sending: "Отправляется", "Sending";
        sent: "Доставлено", "Delivered";
        waiting: "Ждёт связи", "Waiting for a connection";
        failed: "Не отправлено", "Not sent";
        retry: "Повторить", "Try again";
        discard: "Убрать", "Discard";
        offline: "Нет связи. Написанное отправится само, когда она вернётся.", "No connection. What you have written will be sent when it is back.";
        unavailable: "Чат сейчас не отвечает. Попробуем ещё раз сами.", "The chat does not answer right now. We keep trying.";
        too_long: "Слишком длинно: лишних знаков {over}. Разделите сообщение на несколько.", "Too long by {over} characters. Please split the message.";
        characters_left: "Осталось знаков: {left}", "{left} characters left";
        too_fast: "Слишком много сообщений подряд. Отправим через {seconds} с.", "Too many messages at once. We will send it in {seconds} s.";
        refused: "Чат не принял это сообщение.", "The chat did not take this message.";
        sources: "Источники", "Sources";
        choices: "Варианты ответа", "Answers to choose from";
        attach: "Приложить файл", "Attach a file";
        files: "Файлы", "Files";
        chosen_files: "Приложенные файлы", "Attached files";
        file: "Файл", "File";
        kind_photo: "Фото", "Picture";
        kind_video: "Видео", "Video";
        kind_voice: "Голосовое сообщение", "Voice message";
        kind_audio: "Запись", "Recording";
        kind_document: "Документ", "Document";
        save_file: "Сохранить: {name}", "Save {name}";
        remove_file: "Убрать: {name}", "Remove {name}";
        uploading: "Загружается", "Uploading";
        file_large: "Больше {most}: такой файл не принимается", "Larger than {most}: it can't be taken";
        file_type: "Файлы этого вида не принимаются", "Files of this kind are not taken";
        file_many: "Слишком много файлов подряд, попробуйте позже", "Too many files at once, please try later";
        file_failed: "Не загрузился: уберите его и приложите снова", "It was not uploaded: remove it and attach it again";
        file_gone: "Файла больше нет", "The file is not there any more";
        open: "Открыть чат", "Open the chat";
        close: "Свернуть чат", "Close the chat";
        today: "Сегодня", "Today";
        yesterday: "Вчера", "Yesterday";
        newer: "К последним сообщениям", "To the newest messages";
        no_script: "Чату нужен JavaScript: включите его в браузере.", "The chat needs JavaScript: please switch it on in your browser.";
    }

    /// Words of the start page, the sample page and of faults.
    SiteWords {
        tagline: "Первая линия поддержки, которая помнит", "A first line of support that remembers";
        start_lead: "Клиент пишет сюда, бот отвечает по базе знаний и помнит прошлые разговоры, а сложное передаёт людям вместе с краткой сводкой.", "Customers write here; the bot answers from the knowledge base, remembers earlier conversations, and passes what is hard to people, with a summary.";
        open_chat: "Открыть чат", "Open the chat";
        open_chat_note: "так его видит клиент", "as a customer sees it";
        open_desk: "Рабочее место оператора", "The operators' desk";
        open_desk_note: "очередь и переписка", "queue and conversations";
        open_demo: "Виджет на странице сайта", "The widget on a site";
        open_demo_note: "и код для вставки", "and the code to embed it";
        what_runs: "Что включено", "What is on";
        on: "Включено", "On";
        off: "Выключено", "Off";
        attention: "Нужно внимание", "Needs attention";
        part_store: "Хранилище", "Store";
        store_sqlite: "SQLite, файл в каталоге данных", "SQLite, a file in the data directory";
        store_postgres: "PostgreSQL", "PostgreSQL";
        store_down: "Не отвечает. Посмотрите журнал и /readyz.", "Does not answer. See the log and /readyz.";
        part_index: "Поисковый индекс", "Search index";
        index_here: "В этом процессе", "In this process";
        index_server: "На сервере Qdrant", "On a Qdrant server";
        index_down: "Не отвечает. Посмотрите журнал и firstline doctor.", "Does not answer. See the log and firstline doctor.";
        part_model: "Языковая модель", "Language model";
        model_off: "Без модели бот цитирует статью, если она отвечает на вопрос целиком, остальное передаёт людям.", "Without a model the bot quotes an article where one answers the whole question, and passes everything else to people.";
        model_how: "Добавьте в config.toml раздел [[model]] с адресом любого OpenAI-совместимого сервера.", "Add a [[model]] section to config.toml with the address of any OpenAI-compatible server.";
        part_embedder: "Поиск по смыслу", "Search by meaning";
        embedder_off: "Поиск идёт по словам (BM25).", "Search goes by words (BM25).";
        embedder_how: "Задайте embedder.kind в config.toml.", "Set embedder.kind in config.toml.";
        part_knowledge: "База знаний", "Knowledge base";
        knowledge_count: "Разделов в поиске: {count}", "{count} sections can be found";
        knowledge_empty: "Пусто: боту не на что опереться.", "Empty: the bot has nothing to stand on.";
        knowledge_how: "Положите статьи в каталог из настройки [knowledge] dir.", "Put articles into the directory named by [knowledge] dir.";
        part_telegram: "Telegram", "Telegram";
        telegram_off: "Сообщения из Telegram не принимаются.", "Messages from Telegram are not taken.";
        telegram_how: "Получите токен у @BotFather и задайте [telegram] token.", "Get a token from @BotFather and set [telegram] token.";
        part_whatsapp: "WhatsApp*", "WhatsApp";
        whatsapp_off: "Сообщения из WhatsApp не принимаются.", "Messages from WhatsApp are not taken.";
        whatsapp_how: "Заполните [whatsapp] в настройках. * Принадлежит Meta, которая признана в России экстремистской организацией и запрещена.", "Fill in [whatsapp] of the settings.";
        whatsapp_note: "* Принадлежит Meta, которая признана в России экстремистской организацией и запрещена.", "Owned by Meta.";
        part_max: "MAX", "MAX";
        max_off: "Сообщения из MAX не принимаются.", "Messages from MAX are not taken.";
        max_how: "Создайте бота на business.max.ru и задайте [max] token.", "Make a bot at business.max.ru and set [max] token.";
        part_desk: "Операторы", "Operators";
        operators_count: "Операторов: {count}", "Operators: {count}";
        operators_none: "Передать разговор некому.", "There is nobody to pass a conversation to.";
        operators_how: "Заведите первого: firstline operator add ЛОГИН", "Add the first one: firstline operator add LOGIN";
        part_chat: "Чат на сайте", "Chat on a site";
        chat_own: "На своей странице; на других сайтах не разрешён.", "On its own page; no other site may embed it.";
        chat_embedded: "Разрешён на сайтах: {sites}", "May be embedded by: {sites}";
        chat_how: "Чтобы встроить, перечислите адреса в [web] origins.", "To embed it, list the sites under [web] origins.";
        signs: "Для мониторинга", "For monitoring";
        demo_title: "Магазин «Пример»", "The Example shop";
        demo_lead: "Обычная страница обычного сайта: кнопка чата в углу справа внизу.", "An ordinary page of an ordinary site: the chat's button is in the lower right corner.";
        demo_snippet: "Вставьте эту строку перед </body>:", "Put this line before </body>:";
        demo_allow: "И разрешите сайт в config.toml:", "And allow the site in config.toml:";
        demo_product_1: "Чашка «Роса»", "Dew cup";
        demo_product_2: "Плед из льна", "Linen throw";
        demo_product_3: "Лампа у окна", "Window lamp";
        demo_price: "{price} ₽", "{price} ₽";
        back: "На главную", "To the start page";
        fault_not_found: "Такой страницы нет", "There is no such page";
        fault_not_found_more: "Возможно, ссылка устарела.", "The link may be out of date.";
        fault_unavailable: "Хранилище не отвечает", "The store does not answer";
        fault_unavailable_more: "Ничего не потеряно. Обновите страницу через несколько секунд.", "Nothing is lost. Reload the page in a few seconds.";
        fault_forbidden: "Запрос отклонён", "The request was refused";
        fault_forbidden_more: "Форма устарела или отправлена с чужой страницы. Вернитесь, обновите страницу и повторите.", "The form is out of date or came from another site. Go back, reload the page and try again.";
        fault_invalid: "Запрос не разобрать", "The request can't be understood";
        fault_invalid_more: "Вернитесь, обновите страницу и повторите.", "Go back, reload the page and try again.";
        other_language: "English", "Русский";
    }

    /// Words of the desk.
    DeskWords {
        desk: "Рабочее место", "Desk";
        queue: "Очередь", "Queue";
        other_language: "English", "Русский";
        log_out: "Выйти", "Log out";
        change_password: "Сменить пароль", "Change password";
        skip: "К содержанию", "Skip to content";
        log_in_title: "Вход для операторов", "Operators' log-in";
        login: "Логин", "Login";
        password: "Пароль", "Password";
        log_in: "Войти", "Log in";
        wrong: "Логин или пароль не подходит.", "The login or the password is not right.";
        too_many: "Слишком много попыток. Следующая через {seconds} с.", "Too many attempts. The next one in {seconds} s.";
        stale_form: "Форма устарела. Попробуйте ещё раз.", "The form was out of date. Please try again.";
        no_operators: "Операторов ещё нет. Заведите первого в терминале:", "There are no operators yet. Add the first one in a terminal:";
        password_title: "Новый пароль", "New password";
        password_one_time: "Вы вошли по одноразовому паролю. Придумайте свой, его не увидит никто.", "You came in with a one-time password. Choose your own, which nobody else will see.";
        password_current: "Нынешний пароль", "Current password";
        password_new: "Новый пароль", "New password";
        password_again: "Ещё раз", "Once more";
        password_rule: "Не короче 10 знаков и без логина внутри. Подойдёт фраза из нескольких слов.", "At least 10 characters, without your login in it. A phrase of several words is good.";
        password_save: "Сохранить", "Save";
        password_differs: "Пароли не совпали.", "The two passwords differ.";
        password_short: "Короче 10 знаков.", "It is shorter than 10 characters.";
        password_long: "Слишком длинный.", "It is too long.";
        password_guessable: "Слишком просто угадать.", "It is too easy to guess.";
        password_same: "Это тот же пароль.", "It is the same password.";
        waiting: "Ждут человека", "Waiting for a person";
        mine: "У меня", "Mine";
        others: "У коллег", "With colleagues";
        with_bot: "С ботом", "With the bot";
        waiting_none: "Никто не ждёт. Новые обращения появятся здесь сами.", "Nobody is waiting. New requests appear here by themselves.";
        mine_none: "Возьмите разговор из очереди, и он появится здесь.", "Take a conversation from the queue and it appears here.";
        bot_none: "Сейчас бот ни с кем не говорит.", "The bot is talking to nobody right now.";
        nothing_yet: "Открытых разговоров нет", "No conversation is open";
        nothing_yet_more: "Откройте чат и напишите сообщение: разговор появится здесь. Попросите в нём человека, и он встанет в очередь.", "Open the chat and write a message: the conversation appears here. Ask for a person in it, and it enters the queue.";
        open_chat: "Открыть чат", "Open the chat";
        waits: "ждёт", "waits";
        waits_for_reply: "ждёт ответа", "waits for a reply";
        ago: "назад", "ago";
        customer: "Клиент", "Customer";
        visitor: "Гость {key}", "Visitor {key}";
        bot: "Бот", "Bot";
        you: "Вы", "You";
        note: "Заметка", "Note";
        colleague: "Сотрудник", "Colleague";
        no_words: "без слов", "no words";
        urgent: "Срочно", "Urgent";
        important: "Важно", "Important";
        ordinary: "Обычно", "Ordinary";
        queue_support: "Поддержка", "Support";
        queue_sales: "Продажи", "Sales";
        queue_complaints: "Жалобы", "Complaints";
        channel_web: "Сайт", "Web";
        channel_terminal: "Терминал", "Terminal";
        channel_telegram: "Telegram", "Telegram";
        channel_whatsapp: "WhatsApp", "WhatsApp";
        channel_max: "MAX", "MAX";
        language_ru: "по-русски", "in Russian";
        language_en: "по-английски", "in English";
        owner_bot: "Отвечает бот", "The bot answers";
        owner_queued: "Ждёт человека", "Waiting for a person";
        owner_mine: "Отвечаете вы", "You answer";
        owner_other: "Отвечает {name}", "{name} answers";
        owner_resolved: "Закрыт", "Closed";
        take: "Взять", "Take";
        take_from_bot: "Забрать у бота", "Take from the bot";
        release: "Вернуть боту", "Give back to the bot";
        resolve: "Закрыть", "Close";
        reply: "Ответить", "Reply";
        note_save: "Заметка коллегам", "Note to colleagues";
        reply_label: "Ответ клиенту или заметка", "A reply to the customer, or a note";
        reply_placeholder: "Напишите ответ", "Write a reply";
        reply_keys: "Ctrl + Enter отправляет клиенту. Заметку видят только коллеги.", "Ctrl + Enter sends it to the customer. Only colleagues see a note.";
        reply_takes: "Ответ заберёт разговор себе: бот замолчит.", "A reply takes the conversation over: the bot falls silent.";
        reply_other: "Разговор у коллеги. Можно оставить заметку.", "A colleague has this conversation. You may leave a note.";
        reply_closed: "Разговор закрыт. Можно оставить заметку.", "The conversation is closed. You may leave a note.";
        package: "Что передал бот", "What the bot passed on";
        package_by_model: "написала модель", "written by the model";
        package_by_template: "собрано по переписке", "put together from the conversation";
        package_customer: "Кто это", "Who it is";
        package_wants: "Чего хочет", "What they want";
        package_tried: "Что пробовали", "What was tried";
        package_open: "Что осталось узнать", "Still open";
        package_mood: "Настроение", "Mood";
        package_promises: "Обещано", "Promised";
        package_episodes: "Из прошлых разговоров", "From earlier conversations";
        package_reply: "Можно ответить так", "You could reply";
        use_reply: "Взять в ответ", "Use this reply";
        to_message: "к сообщению {seq}", "to message {seq}";
        timeline: "Переписка", "Conversation";
        earlier: "Показать более ранние сообщения", "Show earlier messages";
        timeline_none: "Сообщений пока нет.", "There are no messages yet.";
        sources: "Источники", "Sources";
        being_sent: "отправляется", "being sent";
        customer_writing: "Клиент пишет…", "The customer is writing…";
        not_delivered: "не доставлено", "not delivered";
        not_known: "неизвестно, дошло ли", "nobody knows whether it arrived";
        window_closed: "клиент давно не писал, и мессенджер уже не принимает свободный текст. Напишет — можно будет ответить", "the customer has not written for so long that the messenger takes no free text. Once they write, you can answer";
        tick_sent: "отправлено", "sent";
        tick_delivered: "доставлено", "delivered";
        tick_read: "прочитано", "read";
        edited: "изменено клиентом", "changed by the customer";
        deleted: "удалено клиентом", "deleted by the customer";
        replaced: "клиент исправил это в", "the customer corrected this in";
        replaces: "исправление к", "corrects";
        files: "Вложения", "Files";
        file_photo: "Фото", "Photo";
        file_voice: "Голосовое", "Voice message";
        file_audio: "Аудио", "Audio";
        file_video: "Видео", "Video";
        file_sticker: "Стикер", "Sticker";
        file_document: "Файл", "File";
        bytes: "Б", "B";
        kilobytes: "КБ", "KB";
        megabytes: "МБ", "MB";
        outside: "Сотрудник в мессенджере", "A colleague in the messenger";
        remembered: "Что мы помним", "What we remember";
        facts: "Факты", "Facts";
        facts_none: "О клиенте пока ничего не известно.", "Nothing is known about the customer yet.";
        claim: "со слов клиента", "the customer says";
        preference: "пожелание", "preference";
        promise: "обещано нами", "promised by us";
        since: "с {day}", "since {day}";
        due: "срок", "due";
        fact_kept: "Выполнено", "Kept";
        fact_ended: "Уже не так", "No longer so";
        fact_never: "Не было так", "Never was so";
        fact_menu: "Исправить", "Amend";
        memory_on: "Помнить клиента", "Remember the customer";
        memory_off: "Не помнить клиента", "Stop remembering";
        memory_is_off: "Память выключена: ничего не запоминается и не вспоминается, бот отвечает как обычно.", "Memory is off: nothing is learnt or recalled, the bot answers as usual.";
        episodes: "Прошлые разговоры", "Earlier conversations";
        episodes_none: "Это первый разговор.", "This is the first conversation.";
        answered_by_bot: "ответил бот", "answered by the bot";
        answered_by_human: "ответил человек", "answered by a person";
        unanswered: "остался без ответа", "left unanswered";
        first_contact: "Пишет нам с {day}", "Has written to us since {day}";
        fact_name: "Имя", "Name";
        fact_city: "Город", "City";
        fact_order_number: "Номер заказа", "Order number";
        fact_phone: "Телефон", "Phone";
        fact_email: "Почта", "E-mail";
        fact_address: "Адрес", "Address";
        fact_contact_preference: "Звонки", "Calls";
        fact_contact_channel: "Где отвечать", "Where to answer";
        fact_claim: "Слова клиента", "Claim";
        fact_company: "Компания", "Company";
        fact_product: "Покупка", "Bought";
        fact_call_time: "Когда звонить", "When to call";
        fact_constraint: "Учитывать всегда", "Always mind";
        fact_date: "День", "Day";
        fact_promise: "Обещание", "Promise";
        no_calls: "не звонить", "no calls";
        calls: "лучше звонить", "prefers a call";
        contact_chat: "в чате", "in the chat";
        contact_email: "по почте", "by e-mail";
        contact_telegram: "в Telegram", "in Telegram";
        contact_whatsapp: "в WhatsApp", "in WhatsApp";
        contact_sms: "по СМС", "by text message";
        reason_human_request: "Просит человека", "Asks for a person";
        reason_safety_legal: "Суд, закон или безопасность", "Legal or safety";
        reason_emotional: "Расстроен", "Upset";
        reason_commercial: "Покупка или условия", "A sale or terms";
        reason_complex: "Сложный вопрос", "A complex matter";
        reason_no_answer: "Нет ответа в базе", "No answer in the knowledge base";
        reason_ungrounded: "Ответ не подтвердился", "The draft did not stand on its sources";
        reason_model_asked: "Модель позвала человека", "The model asked for a person";
        reason_part_down: "Часть системы не работает", "A part of the system is down";
        reason_deadline: "Бот не успел", "The bot was too late";
        reason_limit: "Достигнут предел", "A limit was reached";
        reason_unsupported: "Бот не может это прочесть", "Something the bot can't read";
        reason_unknown_send: "Ответ мог не дойти", "An answer may not have arrived";
        reason_taken: "Взят оператором", "Taken by an operator";
        reason_promise_due: "Пора выполнить обещание", "A promise falls due";
        problem_held: "Не сделано: разговор у коллеги ({name}).", "Not done: a colleague has the conversation ({name}).";
        problem_resolved: "Не сделано: разговор уже закрыт.", "Not done: the conversation is closed already.";
        problem_not_held: "Не сделано: разговор и так у бота.", "Not done: the bot has the conversation already.";
        problem_busy: "Не сделано: разговор как раз меняется. Повторите.", "Not done: the conversation keeps changing. Please try again.";
        problem_empty: "Напишите что-нибудь.", "Please write something.";
        problem_too_long: "Слишком длинно: не больше {most} знаков.", "Too long: at most {most} characters.";
        problem_store: "Хранилище не отвечает, ничего не сделано. Текст сохранён в поле, повторите.", "The store does not answer, nothing was done. Your text is kept in the field; please try again.";
        not_live: "Нет связи: страница может отставать", "No connection: the page may lag behind";
        seconds: "с", "s";
        minutes: "мин", "min";
        hours: "ч", "h";
        days: "дн", "d";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names in braces.
    fn places(text: &str) -> Vec<&str> {
        let mut names: Vec<&str> =
            text.split('{').skip(1).map(|rest| rest.split_once('}').expect("a brace is closed").0).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn both_tables_say_everything_and_leave_the_same_places() {
        let pairs = all_pairs();
        assert!(pairs.len() > 100);
        for (key, russian, english) in pairs {
            assert!(!russian.trim().is_empty() && !english.trim().is_empty(), "{key}");
            assert_eq!(places(russian), places(english), "{key}");
        }
    }

    #[test]
    fn the_tables_are_not_mixed_up() {
        // Names of languages are in their own; names of products are in nobody's.
        let crossed = [
            "other_language",
            "switch_language",
            "part_telegram",
            "part_whatsapp",
            "part_max",
            "store_postgres",
            "demo_price",
            "channel_telegram",
            "channel_whatsapp",
            "channel_max",
        ];
        let is_cyrillic = |c: char| matches!(c, '\u{0400}'..='\u{04ff}');
        for (key, russian, english) in all_pairs() {
            if !crossed.contains(&key) {
                assert!(russian.contains(is_cyrillic), "{key}");
                assert!(!english.contains(is_cyrillic), "{key}");
            }
        }
    }
}
