//! A model's package, checked line by line: a line that names a figure, an address or a name which its messages don't
//! hold is left out, and so is a wish that the customer has not just spoken of and a deed or promise of which we said nothing;
//! a part of which nothing is left is the template's.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::handoff::{Package, PackageAuthor, PackageLine};
use crate::domain::id::MessageId;
use crate::engine::guard;

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The customer, in the conversation that is handed over.
    Customer,
    /// The bot or an operator, there; or what we promised before.
    Us,
    /// Whoever it was, at another time.
    Earlier,
}

/// Something that was said.
#[derive(Debug, Clone)]
pub struct Said {
    /// By which message.
    pub message: MessageId,
    /// When.
    pub at: Timestamp,
    /// The words.
    pub text: String,
    /// By whom.
    pub by: By,
}

/// `written` by a model, with what can't be found in `said` taken out, and the parts of `template` where nothing is left.
pub fn checked(written: Package, template: &Package, said: &[Said], company: &str, zone: &TimeZone) -> Package {
    let stands = |text: &str, messages: Option<&[MessageId]>| {
        let meant = said.iter().filter(|said| messages.is_none_or(|messages| messages.contains(&said.message)));
        // A line may date what it tells.
        let texts: Vec<String> = meant
            .map(|said| format!("{}\n{}", said.text, said.at.to_zoned(zone.clone()).strftime("%d.%m.%Y %H:%M")))
            .collect();
        guard::stands_on(text, &texts, company)
    };
    let mut kept = 0;
    let is_of = |line: &PackageLine, by: Option<By>| {
        by.is_none() || said.iter().any(|said| line.messages.contains(&said.message) && Some(said.by) == by)
    };
    let mut part = |lines: Vec<PackageLine>, by: Option<By>, template: &[PackageLine]| {
        let stands = |line: &PackageLine| is_of(line, by) && stands(&line.text, Some(&line.messages));
        let lines: Vec<PackageLine> = lines.into_iter().filter(stands).collect();
        kept += lines.len();
        if lines.is_empty() { template.to_vec() } else { lines }
    };
    let customer = part(written.customer, None, &template.customer);
    let wants = part(written.wants, Some(By::Customer), &template.wants);
    let tried = part(written.tried, Some(By::Us), &template.tried);
    let open_questions = part(written.open_questions, Some(By::Customer), &template.open_questions);
    let promises = part(written.promises, Some(By::Us), &template.promises);
    let reply = written.suggested_reply;
    let sendable = !reply.trim().is_empty() && stands(&reply, None) && !guard::commits(&reply);
    Package {
        written_by: if kept > 0 { PackageAuthor::Model } else { PackageAuthor::Template },
        customer,
        wants,
        tried,
        open_questions,
        mood: if written.mood.is_empty() { template.mood.clone() } else { written.mood },
        promises,
        // Which there are is known, not written by a model.
        episodes: template.episodes.clone(),
        suggested_reply: if sendable { reply } else { template.suggested_reply.clone() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::message::Author;
    use crate::engine::support::Talk;

    fn line(text: &str, messages: &[MessageId]) -> PackageLine {
        PackageLine { text: text.to_owned(), messages: messages.to_vec() }
    }

    #[test]
    fn what_its_messages_do_not_hold_is_left_out() {
        let talk = Talk::new()
            .customer("Заказ М-123456 не пришёл, обещали 12 мая. Ольга")
            .bot("Доставка стоит 390 рублей.", &["delivery"]);
        let ids: Vec<MessageId> = talk.messages.iter().map(|message| message.id).collect();
        let said: Vec<Said> = talk
            .messages
            .iter()
            .map(|message| Said {
                message: message.id,
                at: message.received_at,
                text: message.text.as_str().to_owned(),
                by: if message.author == Author::Customer { By::Customer } else { By::Us },
            })
            .collect();
        let template = Package {
            promises: vec![line("по шаблону", &ids)],
            open_questions: vec![line("по шаблону", &ids)],
            suggested_reply: "Здравствуйте!".to_owned(),
            ..Package::default()
        };
        let written = Package {
            wants: vec![
                line("узнать, где заказ М-123456, обещанный 12 мая", &ids[..1]),
                line("узнать, где заказ М-654321", &ids[..1]),
                line("вернуть 390 рублей", &ids[..1]),
            ],
            tried: vec![line("2 марта бот назвал цену: 390 рублей", &ids[1..]), line("бот позвонил Марии", &ids)],
            open_questions: vec![line("когда привезут 3 пары", &ids)],
            promises: vec![line("заказ М-123456", &ids[..1])],
            suggested_reply: "Ольга, вернём вам деньги за заказ М-123456.".to_owned(),
            ..Package::default()
        };
        let checked = checked(written, &template, &said, "Мята", &TimeZone::UTC);
        let texts = |lines: &[PackageLine]| lines.iter().map(|line| line.text.clone()).collect::<Vec<_>>();
        assert_eq!(texts(&checked.wants), ["узнать, где заказ М-123456, обещанный 12 мая"]);
        assert_eq!(texts(&checked.tried), ["2 марта бот назвал цену: 390 рублей"], "the day of the message is known");
        assert_eq!(texts(&checked.open_questions), ["по шаблону"]);
        assert_eq!(texts(&checked.promises), ["по шаблону"], "the customer's words promise nothing");
        assert_eq!(checked.suggested_reply, "Здравствуйте!", "a refund is not the model's to promise");
        assert_eq!(checked.written_by, PackageAuthor::Model);
        let nothing = super::checked(Package::default(), &template, &said, "Мята", &TimeZone::UTC);
        assert_eq!(nothing.written_by, PackageAuthor::Template);
    }
}
