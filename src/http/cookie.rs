//! Cookies: read and written by hand, since there are three.

use axum::http::{HeaderMap, HeaderValue, header};

/// The value of the cookie `name`.
pub(crate) fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// A cookie that no script reads and no other site sends. `value` holds letters, digits and `-` only. No seconds left
/// means that the browser forgets it.
pub(crate) fn strict(name: &str, value: &str, seconds: i64, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    HeaderValue::try_from(text).expect("our names and values are plain ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=1; b=2".parse().unwrap());
        headers.append(header::COOKIE, "c=3=3;bb=4".parse().unwrap());
        for (name, value) in [("a", Some("1")), ("b", Some("2")), ("c", Some("3=3")), ("bb", Some("4")), ("d", None)] {
            assert_eq!(read(&headers, name), value, "{name}");
        }
    }
}
