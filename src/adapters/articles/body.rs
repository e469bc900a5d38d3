//! The body of an article: Markdown into sections of plain text.

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::{ArticleError, Source};
use crate::domain::knowledge::Section;

/// Reads the body that begins at `start` into sections without markup.
pub(super) fn read(source: &Source, start: usize, faults: &mut Vec<ArticleError>) -> Vec<Section> {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let mut reader = Reader { parts: vec![Part::new(0)], ..Reader::default() };
    for (event, range) in Parser::new_ext(&source.text[start..], options).into_offset_iter() {
        reader.take(event, range.start);
    }
    for (offset, why) in reader.faults {
        faults.push(source.fault(Some(source.place(start + offset)), why.to_owned()));
    }
    let known = faults.len();
    let mut sections = Vec::new();
    for (number, part) in reader.parts.into_iter().enumerate() {
        let section = Section { heading: tidy(&part.heading), text: part.text.trim().to_owned() };
        let introduction = number == 0;
        let mut fault = |why: &str| faults.push(source.fault(Some(source.place(start + part.start)), why.to_owned()));
        match (section.heading.is_empty(), section.text.is_empty()) {
            (true, true) if introduction => {}
            (true, _) if !introduction => fault("the heading is empty: write what the section is about"),
            (_, true) => fault("the section has no text: write it, or remove the heading"),
            _ => sections.push(section),
        }
    }
    if sections.is_empty() && faults.len() == known {
        faults.push(source.fault(Some(source.place(start)), "the article has no text: write it".to_owned()));
    }
    sections
}

fn tidy(heading: &str) -> String {
    heading.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A section as it grows.
struct Part {
    heading: String,
    text: String,
    /// Where it begins in the body, in bytes.
    start: usize,
}

impl Part {
    fn new(start: usize) -> Self {
        Self { heading: String::new(), text: String::new(), start }
    }
}

#[derive(Default)]
struct Reader {
    parts: Vec<Part>,
    /// The next number of each list that is open; `None` for those with bullets.
    lists: Vec<Option<u64>>,
    /// Where the text of an open link begins, and its address.
    links: Vec<(usize, String)>,
    /// Text goes into the heading of the section.
    in_heading: bool,
    /// How many struck passages are open: what is struck is no longer true, and is left out.
    struck: usize,
    /// A bullet was just written: the next block goes on in its line.
    after_bullet: bool,
    faults: Vec<(usize, &'static str)>,
}

impl Reader {
    fn take(&mut self, event: Event, at: usize) {
        match event {
            Event::Start(tag) => self.open(tag, at),
            Event::End(tag) => self.close(tag),
            Event::Text(text) | Event::Code(text) => self.write(&text),
            Event::SoftBreak => self.write(" "),
            Event::HardBreak => self.new_line(),
            Event::Html(html) | Event::InlineHtml(html) => self.html(&html, at),
            _ => {}
        }
    }

    fn open(&mut self, tag: Tag, at: usize) {
        match tag {
            Tag::Heading { level: HeadingLevel::H1, .. } => {
                self.faults.push((at, "the title stands in the front matter: make this heading `##`"));
                self.block();
            }
            Tag::Heading { level: HeadingLevel::H2, .. } => {
                self.parts.push(Part::new(at));
                self.in_heading = true;
            }
            Tag::Heading { .. } | Tag::Paragraph | Tag::CodeBlock(_) | Tag::Table(_) => self.block(),
            Tag::List(first) => {
                if self.lists.is_empty() {
                    self.block();
                }
                self.lists.push(first);
            }
            Tag::Item => self.bullet(),
            Tag::TableRow => self.new_line(),
            Tag::Strikethrough => self.struck += 1,
            Tag::Link { dest_url, .. } => {
                let begins = self.out().len();
                self.links.push((begins, dest_url.into_string()));
            }
            _ => {}
        }
    }

    fn close(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(HeadingLevel::H2) => self.in_heading = false,
            TagEnd::List(_) => {
                self.lists.pop();
            }
            TagEnd::Item => self.after_bullet = false,
            TagEnd::TableCell => self.write(" | "),
            TagEnd::TableRow | TagEnd::TableHead => {
                let length = self.out().trim_end_matches([' ', '|']).len();
                self.out().truncate(length);
            }
            TagEnd::Strikethrough => self.struck -= 1,
            TagEnd::Link => self.close_link(),
            _ => {}
        }
    }

    /// The address follows the text, unless it is the text.
    fn close_link(&mut self) {
        let Some((begins, address)) = self.links.pop() else { return };
        let text = self.out().get(begins..).unwrap_or_default().to_owned();
        let bare = |address: &str| {
            let address = address.trim_start_matches("mailto:").trim_start_matches("tel:");
            let address = address.trim_start_matches("https://").trim_start_matches("http://");
            address.trim_end_matches('/').to_lowercase()
        };
        let said = bare(&text) == bare(&address) || address.starts_with("tel:");
        if text.is_empty() {
            self.write(&address);
        } else if !said {
            self.write(&format!(" ({address})"));
        }
    }

    fn write(&mut self, text: &str) {
        if self.struck > 0 {
            return;
        }
        self.after_bullet = false;
        // What was left out leaves the spaces of both its sides.
        let text = if self.out().ends_with(' ') { text.trim_start_matches(' ') } else { text };
        self.out().push_str(text);
    }

    fn html(&mut self, html: &str, at: usize) {
        let html = html.trim();
        if html.starts_with("<br") {
            self.new_line();
        } else if html.starts_with('<') && !html.starts_with("<!--") && !html.starts_with("</") {
            self.faults.push((at, "HTML is not read: write it in Markdown"));
        }
    }

    fn bullet(&mut self) {
        let indent = "  ".repeat(self.lists.len().saturating_sub(1));
        let marker = match self.lists.last_mut() {
            Some(Some(number)) => {
                let marker = format!("{number}. ");
                *number += 1;
                marker
            }
            _ => "• ".to_owned(),
        };
        let begun = self.out().is_empty() || self.out().ends_with('\n');
        let line_end = if begun { "" } else { "\n" };
        self.write(&format!("{line_end}{indent}{marker}"));
        self.after_bullet = true;
    }

    /// Begins a block: a paragraph of its own, or a line of the list item that it stands in.
    fn block(&mut self) {
        if self.after_bullet || self.out().is_empty() {
            return;
        }
        let length = self.out().trim_end().len();
        self.out().truncate(length);
        let divider =
            if self.lists.is_empty() { "\n\n".to_owned() } else { format!("\n{}", "  ".repeat(self.lists.len())) };
        self.out().push_str(&divider);
    }

    fn new_line(&mut self) {
        let line_end = if self.in_heading { " " } else { "\n" };
        self.write(line_end);
    }

    /// Where text goes now.
    fn out(&mut self) -> &mut String {
        let in_heading = self.in_heading;
        let part = self.parts.last_mut().expect("there is the introduction from the beginning");
        if in_heading { &mut part.heading } else { &mut part.text }
    }
}
