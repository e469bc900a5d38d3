//! Histories as they are exported, and as they are not.

use std::fs;

use super::*;

use crate::domain::past::PastAuthor;

fn account(kind: ChannelKind) -> Option<String> {
    (kind != ChannelKind::Terminal).then(|| format!("our-{kind}"))
}

fn reads(text: &str, format: Format) -> Result<Vec<PastConversation>, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("history.json");
    fs::write(&path, text).unwrap();
    read(&path, format, &account).map_err(|error| error.to_string().replace(&path.display().to_string(), "FILE"))
}

/// Who said what, conversation by conversation.
fn told(conversations: &[PastConversation]) -> Vec<Vec<(PastAuthor, String)>> {
    let said = |message: &'_ PastMessage| (message.author, message.text.as_str().to_owned());
    conversations.iter().map(|it| it.messages.iter().map(said).collect()).collect()
}

use PastAuthor::{Bot, Customer, Operator};

fn said<const N: usize>(messages: [(PastAuthor, &str); N]) -> Vec<(PastAuthor, String)> {
    messages.into_iter().map(|(author, text)| (author, text.to_owned())).collect()
}

#[test]
fn lines_are_read_by_address_and_told_apart_by_silence() {
    let text = r#"
{"id": "3", "channel": "telegram", "address": "7", "from": "operator", "text": "Вернули", "at": "2025-03-14T10:00:00Z"}
{"id": "1", "channel": "telegram", "address": "7", "name": "Анна", "from": "customer", "text": "Где деньги?", "at": "2025-03-12T10:00:00Z"}
{"id": "9", "channel": "web", "address": "v", "from": "customer", "text": "Hi", "at": "2025-03-12T10:00:00Z"}
{"id": "2", "channel": "telegram", "address": "7", "from": "bot", "text": "Проверяем", "at": "2025-03-12T11:00:00Z"}
"#;
    let read = reads(text, Format::Lines).unwrap();
    let expected = [
        said([(Customer, "Где деньги?"), (Bot, "Проверяем")]),
        said([(Operator, "Вернули")]),
        said([(Customer, "Hi")]),
    ];
    assert_eq!(told(&read), expected);
    assert_eq!((read[0].from.account.as_str(), read[0].display_name.as_deref()), ("our-telegram", Some("Анна")));
    for (line, fault) in [
        ("{", "FILE:1:1: this is no JSON"),
        (r#"{"id": "1"}"#, "FILE:1:11: a field is missing or not of its kind"),
        (
            r#"{"id": "1", "channel": "fax", "address": "7", "from": "bot", "text": "", "at": "2025-03-14T10:00:00Z"}"#,
            "FILE:1:0: `fax` is not a channel: web, terminal, telegram",
        ),
        (
            r#"{"id": "1", "channel": "terminal", "address": "7", "from": "bot", "text": "", "at": "2025-03-14T10:00:00Z"}"#,
            "FILE:1:0: terminal is switched off, so our account on it is not known",
        ),
    ] {
        assert_eq!(reads(line, Format::Lines).unwrap_err(), fault);
    }
}

#[test]
fn telegram_desktop_exports_one_chat_or_all() {
    let chat = r#"{"name": "Анна", "type": "personal_chat", "id": 7, "messages": [
        {"id": 1, "type": "service", "date_unixtime": "1741773600", "text": ""},
        {"id": 2, "type": "message", "date_unixtime": "1741773600", "from": "Анна", "from_id": "user7",
         "text": ["См. ", {"type": "link", "text": "https://a.example"}, " и фото"]},
        {"id": 3, "type": "message", "date_unixtime": "1741773660", "from": "Мы", "from_id": "user99", "text": "Видим"},
        {"id": 4, "type": "message", "date_unixtime": "1741773700", "from_id": "user7", "photo": "p.jpg", "text": ""},
        {"id": 5, "type": "message", "date_unixtime": "1741773700", "from_id": 7, "media_type": "voice_message", "file": "a.ogg", "text": ""}
    ]}"#;
    let group = r#"{"name": "Все", "type": "private_group", "id": 8, "messages": []}"#;
    let expected = [said([
        (Customer, "См. https://a.example и фото"),
        (Operator, "Видим"),
        (Customer, "[photo]"),
        (Customer, "[voice_message]"),
    ])];
    let one = reads(chat, Format::Telegram).unwrap();
    assert_eq!(told(&one), expected);
    assert_eq!((one[0].from.external.as_str(), one[0].messages[0].external_id.as_str()), ("7", "7:2"));
    let all = reads(&format!(r#"{{"about": "x", "chats": {{"list": [{group}, {chat}]}}}}"#), Format::Telegram).unwrap();
    assert_eq!(told(&all), expected);
    let undated = r#"{"type": "personal_chat", "id": 7, "messages": [{"id": 2, "type": "message", "from_id": "user7", "text": "x"}]}"#;
    assert!(reads(undated, Format::Telegram).unwrap_err().contains("message 2 of chat 7 has no date_unixtime"));
    assert_eq!(reads("[]", Format::Telegram).unwrap_err(), "FILE:1:0: this is no export of Telegram Desktop");
}

#[test]
fn chatwoot_gives_conversations_with_their_messages() {
    let text = r#"{"data": {"payload": [
        {"id": 5, "meta": {"channel": "Channel::Telegram",
          "sender": {"id": 3, "name": "Анна", "additional_attributes": {"social_telegram_user_id": 7}}},
         "messages": [
          {"id": 50, "content": "Где заказ?", "message_type": 0, "created_at": 1741773600, "private": false},
          {"id": 51, "content": "сложный клиент", "message_type": 1, "created_at": 1741773601, "private": true},
          {"id": 52, "content": "Секунду", "message_type": 1, "created_at": 1741773602, "sender": {"type": "agent_bot"}},
          {"id": 53, "content": "Едет", "message_type": 1, "created_at": 1741773603, "sender_type": "User"},
          {"id": 54, "content": "Разговор закрыт", "message_type": 2, "created_at": 1741773604},
          {"id": 55, "content": null, "message_type": 0, "created_at": 1741773605}
         ]},
        {"id": 6, "meta": {"sender": {"id": 4}}, "messages": [
          {"id": 60, "content": "Hello", "message_type": 0, "created_at": 1741773600}]}
    ]}}"#;
    let read = reads(text, Format::Chatwoot).unwrap();
    assert_eq!(
        told(&read),
        [said([(Customer, "Где заказ?"), (Bot, "Секунду"), (Operator, "Едет")]), said([(Customer, "Hello")])]
    );
    let addresses: Vec<_> = read.iter().map(|it| (it.from.channel, it.from.external.as_str())).collect();
    assert_eq!(addresses, [(ChannelKind::Telegram, "7"), (ChannelKind::Web, "chatwoot-4")]);
    assert_eq!(reads("{}", Format::Chatwoot).unwrap_err(), "FILE:1:0: there is no list of conversations");
    let broken = r#"[{"id": 5, "messages": [{"id": 1}]}]"#;
    assert_eq!(
        reads(broken, Format::Chatwoot).unwrap_err(),
        "FILE:1:0: conversation 5: a field is missing or not of its kind"
    );
}
