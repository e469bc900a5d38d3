//! The token by which a site says who its visitor is: a JWT, signed with HMAC-SHA-256 and the secret under `[web]`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use sha2::Sha256;

/// Longest token, in bytes: what is longer is no token of a visitor.
const LONGEST: usize = 4_096;

/// Longest subject, in characters.
const SUBJECT: usize = 128;

/// Longest name, in characters.
const NAME: usize = 80;

/// How far ahead a token may expire.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(24);

/// How far the site's clock may be from ours.
const SKEW: SignedDuration = SignedDuration::from_secs(60);

/// How the key of a known visitor begins: those of strangers are hexadecimal.
const KNOWN: &str = "user-";

#[derive(Deserialize)]
struct Header {
    alg: String,
}

/// What a token says.
#[derive(Debug, Deserialize)]
pub(super) struct Said {
    #[serde(default)]
    sub: String,
    exp: Option<i64>,
    nbf: Option<i64>,
    pub(super) name: Option<String>,
    email: Option<String>,
    #[serde(default)]
    email_verified: bool,
    phone: Option<String>,
    #[serde(default)]
    phone_verified: bool,
}

impl Said {
    /// The key of the visitor on the web channel: the same in whatever browser.
    pub(super) fn external(&self) -> String {
        format!("{KNOWN}{}", self.sub)
    }

    /// The number, where the site has verified it.
    pub(super) fn phone(&self) -> Option<&str> {
        self.phone.as_deref().filter(|_| self.phone_verified)
    }

    /// The mail address, where the site has verified it.
    pub(super) fn email(&self) -> Option<&str> {
        self.email.as_deref().filter(|_| self.email_verified)
    }
}

/// Whether a key of the web channel is that of a visitor whom the site knows.
pub(super) fn is_known(external: &str) -> bool {
    external.starts_with(KNOWN)
}

/// What is wrong with a token, in words that a developer of the site can act on. They quote nothing of the token.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("no secret is configured: set [web] secret, and sign user_jwt with it")]
    Off,
    #[error("it is no JWT: three parts of base64url without padding, with a dot between them, at most 4096 bytes")]
    Malformed,
    #[error("the header must say \"alg\": \"HS256\"")]
    Algorithm,
    #[error("the signature does not fit: sign with HMAC-SHA-256 and the very text of [web] secret")]
    Signature,
    #[error(
        "the payload must be a JSON object whose sub and name are texts, exp and nbf whole seconds, *_verified true or false"
    )]
    Payload,
    #[error("sub is missing, or is longer than 128 characters, or holds spaces or control characters")]
    Subject,
    #[error("name is longer than 80 characters")]
    Name,
    #[error("exp is missing: say when the token expires, at most 24 hours ahead")]
    Expiry,
    #[error("exp is too far ahead: at most 24 hours")]
    TooLong,
    #[error("nbf is in the future: is the clock of the site right?")]
    NotYet,
    #[error("it has expired: make a new one for each page")]
    Expired,
}

/// What a token says, if the site has signed it and it holds now. Nothing of it is believed before its signature.
pub(super) fn verify(token: &str, secret: &str, now: Timestamp) -> Result<Said, Fault> {
    if secret.is_empty() {
        return Err(Fault::Off);
    }
    if token.len() > LONGEST {
        return Err(Fault::Malformed);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(Fault::Malformed)?;
    let (header, payload) = signed.split_once('.').ok_or(Fault::Malformed)?;
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Fault::Malformed);
    let (header, body, signature) = (decoded(header)?, decoded(payload)?, decoded(signature)?);
    let header: Header = serde_json::from_slice(&header).map_err(|_| Fault::Malformed)?;
    if header.alg != "HS256" {
        return Err(Fault::Algorithm);
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of HMAC may have any length");
    mac.update(signed.as_bytes());
    mac.verify_slice(&signature).map_err(|_| Fault::Signature)?;
    let said: Said = serde_json::from_slice(&body).map_err(|_| Fault::Payload)?;
    holds(&said, now).map(|()| said)
}

fn holds(said: &Said, now: Timestamp) -> Result<(), Fault> {
    let is_plain = |c: char| !c.is_control() && !c.is_whitespace();
    if said.sub.is_empty() || said.sub.chars().count() > SUBJECT || !said.sub.chars().all(is_plain) {
        return Err(Fault::Subject);
    }
    if said.name.as_ref().is_some_and(|name| name.chars().count() > NAME) {
        return Err(Fault::Name);
    }
    let instant = |seconds: i64| Timestamp::from_second(seconds).map_err(|_| Fault::Payload);
    let expires = instant(said.exp.ok_or(Fault::Expiry)?)?;
    if now.duration_since(expires) >= SKEW {
        return Err(Fault::Expired);
    }
    if expires.duration_since(now) > LONGEST_LIFE + SKEW {
        return Err(Fault::TooLong);
    }
    match said.nbf.map(instant).transpose()? {
        Some(begins) if begins.duration_since(now) > SKEW => Err(Fault::NotYet),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const SECRET: &str = "a secret of the site that is long enough";

    fn now() -> Timestamp {
        Timestamp::from_second(1_700_000_000).unwrap()
    }

    fn in_seconds(seconds: i64) -> i64 {
        1_700_000_000 + seconds
    }

    fn token(header: &Value, payload: &Value, secret: &str) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(payload));
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }

    fn check(payload: &Value) -> Result<Said, Fault> {
        verify(&token(&json!({ "alg": "HS256", "typ": "JWT" }), payload, SECRET), SECRET, now())
    }

    #[test]
    fn the_sample_of_the_standard_is_verified() {
        // RFC 7515, appendix A.1. Its key is no text, so only our own reading of it can be shown: everything but the
        // signature is right, and the payload has no subject.
        let sample = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6\
                      Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(verify(sample, SECRET, now()).unwrap_err(), Fault::Signature);
        // The sample that jwt.io has shown for years, with the secret `your-256-bit-secret`: it has no expiry.
        let known = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0Ijox\
                     NTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c";
        assert_eq!(verify(known, "your-256-bit-secret", now()).unwrap_err(), Fault::Expiry);
    }

    #[test]
    fn what_the_site_says_is_read_and_only_verified_addresses_count() {
        let payload = json!({ "sub": "42", "exp": in_seconds(600), "name": "Anna", "email": "anna@shop.example",
            "email_verified": true, "phone": "+79161234567", "cart": ["anything else"] });
        let said = check(&payload).unwrap();
        assert_eq!((said.external().as_str(), said.name.as_deref()), ("user-42", Some("Anna")));
        assert_eq!((said.email(), said.phone()), (Some("anna@shop.example"), None));
        assert!(is_known(&said.external()) && !is_known("0123456789abcdef0123456789abcdef"));
    }

    #[test]
    fn every_fault_has_its_name() {
        for (payload, fault) in [
            (json!({ "exp": in_seconds(600) }), Fault::Subject),
            (json!({ "sub": "", "exp": in_seconds(600) }), Fault::Subject),
            (json!({ "sub": "a b", "exp": in_seconds(600) }), Fault::Subject),
            (json!({ "sub": "x".repeat(129), "exp": in_seconds(600) }), Fault::Subject),
            (json!({ "sub": "42" }), Fault::Expiry),
            (json!({ "sub": "42", "exp": in_seconds(24 * 3600 + 61) }), Fault::TooLong),
            (json!({ "sub": "42", "exp": in_seconds(-60) }), Fault::Expired),
            (json!({ "sub": "42", "exp": in_seconds(600), "nbf": in_seconds(61) }), Fault::NotYet),
            (json!({ "sub": 42, "exp": in_seconds(600) }), Fault::Payload),
            (json!({ "sub": "42", "exp": "soon" }), Fault::Payload),
            (json!({ "sub": "42", "exp": i64::MAX }), Fault::Payload),
            (json!({ "sub": "42", "exp": in_seconds(600), "name": "x".repeat(81) }), Fault::Name),
        ] {
            assert_eq!(check(&payload).unwrap_err(), fault, "{payload}");
        }
        for life in [-59, 1, 24 * 3600] {
            assert!(check(&json!({ "sub": "42", "exp": in_seconds(life) })).is_ok(), "{life}");
        }
    }

    #[test]
    fn no_other_algorithm_and_no_other_key_will_do() {
        let payload = json!({ "sub": "42", "exp": in_seconds(600) });
        for alg in ["none", "None", "HS512", "RS256", "hs256", ""] {
            let forged = token(&json!({ "alg": alg }), &payload, SECRET);
            assert_eq!(verify(&forged, SECRET, now()).unwrap_err(), Fault::Algorithm, "{alg}");
        }
        let good = token(&json!({ "alg": "HS256" }), &payload, SECRET);
        let (signed, _) = good.rsplit_once('.').unwrap();
        assert_eq!(verify(&format!("{signed}."), SECRET, now()).unwrap_err(), Fault::Signature);
        assert_eq!(verify(&good, "another secret", now()).unwrap_err(), Fault::Signature);
        assert_eq!(verify(&good, "", now()).unwrap_err(), Fault::Off, "an empty secret signs nothing");
    }

    proptest! {
        #[test]
        fn no_changed_token_is_believed(at in 0..200_usize, byte in any::<u8>()) {
            let good = token(&json!({ "alg": "HS256" }), &json!({ "sub": "42", "exp": in_seconds(600) }), SECRET);
            let mut bytes = good.clone().into_bytes();
            let at = at % bytes.len();
            bytes[at] = byte;
            let Ok(changed) = String::from_utf8(bytes) else { return Ok(()) };
            prop_assert_eq!(verify(&changed, SECRET, now()).is_ok(), changed == good);
        }

        #[test]
        fn no_garbage_panics(text in ".{0,300}") {
            prop_assert!(verify(&text, SECRET, now()).is_err());
        }
    }
}
