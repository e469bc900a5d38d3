//! Buttons under a message of ours: how they are laid out, and what is said where a channel has none.

use super::channel::Button;

/// What a button bears that asks for a person.
pub const CALL_HUMAN: &str = "human";

/// Titles up to this length share a row.
const SHORT: usize = 3;

/// Most buttons in a row, on any channel.
const ACROSS: usize = 7;

/// The rows in which buttons stand: short ones beside each other, others one below the other.
pub fn rows(buttons: &[Button]) -> impl Iterator<Item = &[Button]> {
    let are_short = buttons.iter().all(|button| button.title.chars().count() <= SHORT);
    buttons.chunks(if are_short { ACROSS } else { 1 })
}

/// The text with the choices below it, numbered. Where they are numbers themselves, the text has said so.
pub fn written_out(text: &str, buttons: &[Button]) -> String {
    if buttons.iter().all(|button| button.title.parse::<u32>().is_ok()) {
        return text.to_owned();
    }
    let lines = buttons.iter().zip(1..).map(|(button, number)| format!("\n{number}. {}", button.title));
    format!("{text}\n{}", lines.collect::<String>())
}

/// The choice that somebody names by its number, of those that were written out at the end of what was said to them.
pub fn chosen<'a>(said: &str, offered: &'a str) -> Option<&'a str> {
    let number: usize = said.trim().trim_end_matches(['.', ')']).parse().ok()?;
    let (_, list) = offered.rsplit_once("\n\n")?;
    let numbered = list.lines().zip(1..).map(|(line, place)| line.strip_prefix(&format!("{place}. ")));
    let titles: Vec<&str> = numbered.collect::<Option<_>>()?;
    titles.get(number.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buttons(titles: &[&str]) -> Vec<Button> {
        titles.iter().map(|title| Button { title: (*title).to_owned(), payload: format!("to {title}") }).collect()
    }

    #[test]
    fn short_buttons_share_a_row() {
        let lengths = |titles: &[&str]| rows(&buttons(titles)).map(<[Button]>::len).collect::<Vec<_>>();
        assert_eq!(lengths(&["1", "2", "3", "4", "5"]), [5]);
        assert_eq!(lengths(&["1", "2", "3", "4", "5", "6", "7", "8"]), [7, 1]);
        assert_eq!(lengths(&["Да", "Позвать человека"]), [1, 1]);
        assert_eq!(lengths(&[]), [0; 0]);
    }

    #[test]
    fn what_is_written_out_can_be_chosen_by_number() {
        let offered = written_out("Что именно?\n2. стояло и раньше", &buttons(&["Курьер", "Позвать человека"]));
        assert_eq!(offered, "Что именно?\n2. стояло и раньше\n\n1. Курьер\n2. Позвать человека");
        assert_eq!(chosen(" 2 ", &offered), Some("Позвать человека"));
        assert_eq!(chosen("1)", &offered), Some("Курьер"));
        for nothing in ["0", "3", "2 штуки", "", "-1", "два"] {
            assert_eq!(chosen(nothing, &offered), None, "{nothing}");
        }
        assert_eq!(chosen("2", "Доставка:\n2. почтой\n3. курьером"), None, "a list of something else");
        assert_eq!(chosen("1", "Здравствуйте!"), None);
        assert_eq!(written_out("От 1 до 5", &buttons(&["1", "2"])), "От 1 до 5");
    }
}
