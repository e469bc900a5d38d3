//! A model's reply as plain text: no markup, no HTML, no links but to our own hosts, nothing that can't be seen.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use url::Url;

use crate::engine::words::plain;

/// A reply that still changes after so many rounds is left as it is: its links are out after the first.
const MOST_ROUNDS: usize = 8;

/// The reply as plain text. Links stay where they lead to one of `hosts` or its subdomains; all others are taken out,
/// images always.
pub fn clean(reply: &str, hosts: &[String]) -> String {
    let mut text = reply.to_owned();
    for _ in 0..MOST_ROUNDS {
        let next = cleaned_once(&text, hosts);
        if next == text {
            break;
        }
        text = next;
    }
    text
}

fn pattern(source: &str) -> Regex {
    Regex::new(source).expect("the patterns of this file compile")
}

macro_rules! patterns {
    ($($name:ident = $source:expr;)+) => {
        $(static $name: LazyLock<Regex> = LazyLock::new(|| pattern($source));)+
    };
}

patterns! {
    AUTOLINK = r"<((?:https?://|mailto:)[^<>\s]+)>";
    COMMENT = r"(?s)<!--.*?(?:-->|$)";
    BLOCK = r"(?is)<(?:script|style|iframe|object|svg)\b.*?(?:</(?:script|style|iframe|object|svg)\s*>|$)";
    TAG = r"(?s)<[/!?]?[a-zA-Z][^<>]*(?:>|$)";
    ENTITY = r"&(?:(amp|lt|gt|quot|apos|nbsp)|#(\d{1,6})|#[xX]([0-9a-fA-F]{1,5}));";
    IMAGE = r"!\[[^\]\n]*\](?:\([^)\n]*\)?|\[[^\]\n]*\])";
    LINK = r"\[([^\[\]\n]*)\]\(\s*<?([^)\s>]*)>?[^)\n]*\)";
    REFERENCE = r"(?m)^[ \t]*\[[^\]\n]+\]:[ \t]*\S+.*$";
    BY_REFERENCE = r"\[([^\[\]\n]+)\]\[[^\[\]\n]*\]";
    FENCE = r"(?m)^[ \t]*(?:```|~~~)[\w+-]*[ \t]*$";
    RULE = r"(?m)^[ \t]*(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$";
    TABLE_RULE = r"(?m)^[ \t]*\|?[ \t]*:?-{2,}:?[ \t]*(?:\|[ \t]*:?-{2,}:?[ \t]*)*\|?[ \t]*$";
    TABLE_ROW = r"(?m)^[ \t]*\|(.+)\|[ \t]*$";
    HEADING = r"(?m)^[ \t]*#{1,6}[ \t]+";
    QUOTE = r"(?m)^[ \t]*(?:>[ \t]?)+";
    BULLET = r"(?m)^[ \t]*[-*+][ \t]+";
    STRONG = r"\*\*([^*\n]+)\*\*";
    UNDERSCORED = r"(^|[^\w])__([^_\n]+)__($|[^\w])";
    EMPHASIS = r"(^|[^\w*])\*([^*\s\n](?:[^*\n]*[^*\s\n])?)\*($|[^\w*])";
    UNDERLINED = r"(?m)(^|[^\w])_([^_\s\n](?:[^_\n]*[^_\s\n])?)_($|[^\w])";
    STRUCK = r"~~([^~\n]+)~~";
    CODE = r"`+([^`\n]+)`+";
    SCHEME = r"(?i)\b(?:mailto|tel):";
    SCRIPT = r"(?i)\b(?:javascript|data|vbscript|file|blob|intent|tg|sms)\s*:[^\s:]\S*";
    EMPTY = r"\(\s*\)|\[\s*\]|«\s*»|“\s*”";
    SPACES = r"[ \t]{2,}";
    BEFORE_MARK = r"[ \t]+([,.;:!?)»])";
    LINE_ENDS = r"[ \t]*\n[ \t]*";
    BLANK_LINES = r"\n{3,}";
    ANY_LINK = r#"(?xi)
        (?P<email> [\p{L}\p{N}._%+-]+ @ (?:[\p{L}\p{N}-]+\.)+ \p{L}{2,24} )
        | (?P<url> [a-z][a-z0-9+.-]{1,20} : [/\\]{2} [^\s<>«»"“”]* )
        | (?P<bare> (?: [\p{L}\p{N}] [\p{L}\p{N}_-]{0,62} \. )+ (?: xn--[a-z0-9-]{2,59} | рф | [a-z]{2,24} ) (?: :\d{2,5} )? (?: [/?\#] [^\s<>«»"“”]* )? )"#;
}

fn cleaned_once(text: &str, hosts: &[String]) -> String {
    let mut text = plain(text);
    let mut replace = |pattern: &Regex, with: &str| text = pattern.replace_all(&text, with).into_owned();
    replace(&AUTOLINK, "$1");
    replace(&COMMENT, "");
    replace(&BLOCK, "");
    replace(&TAG, "");
    replace(&IMAGE, "");
    replace(&REFERENCE, "");
    replace(&BY_REFERENCE, "$1");
    for pattern in [&FENCE, &RULE, &TABLE_RULE, &HEADING, &QUOTE] {
        replace(pattern, "");
    }
    replace(&BULLET, "• ");
    for pattern in [&STRONG, &STRUCK, &CODE] {
        replace(pattern, "$1");
    }
    for pattern in [&UNDERSCORED, &EMPHASIS, &UNDERLINED] {
        replace(pattern, "$1$2$3");
    }
    replace(&SCHEME, "");
    replace(&SCRIPT, "");
    let text = ENTITY.replace_all(&text, |found: &Captures<'_>| character(found));
    let text = LINK.replace_all(&text, |found: &Captures<'_>| shown(&found[1], &found[2], hosts));
    let text = TABLE_ROW.replace_all(&text, |found: &Captures<'_>| {
        found[1].split('|').map(str::trim).filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join(" — ")
    });
    let mut text = without_foreign_links(&text, hosts);
    for (pattern, with) in
        [(&EMPTY, ""), (&SPACES, " "), (&BEFORE_MARK, "$1"), (&LINE_ENDS, "\n"), (&BLANK_LINES, "\n\n")]
    {
        text = pattern.replace_all(&text, with).into_owned();
    }
    text.trim().to_owned()
}

fn character(entity: &Captures<'_>) -> String {
    let number =
        |group: usize, radix: u32| entity.get(group).and_then(|found| u32::from_str_radix(found.as_str(), radix).ok());
    match entity.get(1).map(|name| name.as_str()) {
        Some("amp") => "&".to_owned(),
        Some("lt") => "<".to_owned(),
        Some("gt") => ">".to_owned(),
        Some("quot") => "\"".to_owned(),
        Some("apos") => "'".to_owned(),
        Some(_) => " ".to_owned(),
        None => number(2, 10).or_else(|| number(3, 16)).and_then(char::from_u32).map(String::from).unwrap_or_default(),
    }
}

/// A Markdown link as text: with its address where that is ours.
fn shown(label: &str, address: &str, hosts: &[String]) -> String {
    if host_of(address).is_none_or(|host| !is_ours(&host, hosts)) {
        return label.to_owned();
    }
    let bare = address.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/');
    if label.trim().is_empty() || label.contains(bare) { address.to_owned() } else { format!("{label} ({address})") }
}

fn without_foreign_links(text: &str, hosts: &[String]) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut at = 0;
    for link in links(text) {
        if !link.is_ours(hosts) {
            kept.push_str(&text[at..link.place.start]);
            at = link.place.end;
        }
    }
    kept.push_str(&text[at..]);
    kept
}

/// A link in a text.
pub(super) struct Link {
    /// Where it stands, without the marks that end a sentence.
    pub(super) place: Range<usize>,
    /// Its host, in lower case; `None` where there is none to be made out.
    pub(super) host: Option<String>,
    /// Host and path, in lower case, without scheme, `www.` and a slash at the end.
    pub(super) address: String,
}

impl Link {
    pub(super) fn is_ours(&self, hosts: &[String]) -> bool {
        self.host.as_deref().is_some_and(|host| is_ours(host, hosts))
    }
}

/// Everything in a text that a messenger or a browser would make a link of; e-mail addresses are none.
pub(super) fn links(text: &str) -> Vec<Link> {
    ANY_LINK
        .captures_iter(text)
        .filter_map(|found| {
            let is_url = found.name("url").is_some();
            let written = found.name("url").or(found.name("bare"))?;
            let trimmed =
                written.as_str().trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '…', '\'', '*', '_']);
            if !is_url && !looks_like_a_host(trimmed) {
                return None;
            }
            let address = trimmed.split_once("//").map_or(trimmed, |(_, rest)| rest).to_lowercase();
            let address = address.strip_prefix("www.").unwrap_or(&address).trim_end_matches('/').to_owned();
            let place = written.start()..written.start() + trimmed.len();
            Some(Link { host: host_of(trimmed), address, place })
        })
        .collect()
}

/// E-mail addresses in a text, in lower case.
pub(super) fn emails(text: &str) -> Vec<(Range<usize>, String)> {
    ANY_LINK
        .captures_iter(text)
        .filter_map(|found| found.name("email"))
        .map(|email| (email.range(), email.as_str().to_lowercase()))
        .collect()
}

/// Domains under which a bare name is a link whatever its case.
const KNOWN_DOMAINS: [&str; 30] = [
    "com", "ru", "net", "org", "info", "io", "me", "su", "рф", "shop", "store", "online", "site", "app", "dev", "co",
    "uk", "de", "kz", "by", "am", "eu", "pro", "biz", "xyz", "link", "ly", "ai", "to", "example",
];

/// Whether dots join a host and not two sentences or an abbreviation.
fn looks_like_a_host(written: &str) -> bool {
    let host = written.split(['/', '?', '#', ':']).next().unwrap_or_default();
    let Some((name, domain)) = host.rsplit_once('.') else { return false };
    let known = KNOWN_DOMAINS.contains(&domain.to_lowercase().as_str()) || domain.to_lowercase().starts_with("xn--");
    let first = name.split('.').next().unwrap_or_default();
    let is_number = name.chars().all(|c| c.is_numeric() || c == '.');
    let is_abbreviation = first.chars().count() < 2 && !written.contains('/');
    !is_number && !is_abbreviation && (known || written.contains('/') || domain.chars().all(char::is_lowercase))
}

/// The host of an address, with or without a scheme. Only the schemes of the web have one here, and nobody signs in
/// by a link.
fn host_of(address: &str) -> Option<String> {
    let parsed = if address.contains("//") || address.contains("\\\\") {
        Url::parse(address).ok()
    } else {
        Url::parse(&format!("https://{address}")).ok()
    }?;
    let plain =
        matches!(parsed.scheme(), "http" | "https") && parsed.username().is_empty() && parsed.password().is_none();
    parsed.host_str().filter(|_| plain).map(str::to_lowercase)
}

/// Whether a host is one of ours or a subdomain of one.
fn is_ours(host: &str, hosts: &[String]) -> bool {
    let host = host.trim_end_matches('.');
    hosts
        .iter()
        .map(|ours| ours.to_lowercase())
        .any(|ours| host == ours || host.strip_suffix(&ours).is_some_and(|rest| rest.ends_with('.')))
}

/// Whether a text still holds markup that [`clean`] takes out: for tests of that promise.
#[cfg(test)]
pub(super) fn has_markup(text: &str) -> bool {
    [&*IMAGE, &*TAG, &*COMMENT, &*SCRIPT].iter().any(|pattern| pattern.is_match(text))
}
