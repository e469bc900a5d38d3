//! Tokens: made, hashed, compared.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::domain::id::Ids;
use crate::domain::text::hex;

/// A fresh token of 256 random bits, in hexadecimal: safe in a header and in a cookie.
pub(crate) fn fresh_token(ids: &Ids) -> String {
    let (first, second) = (ids.random(), ids.random());
    hex(&[first, second].concat())
}

/// A fresh key of 128 random bits, in hexadecimal: visitors, actions, form tokens.
pub(crate) fn fresh_key(ids: &Ids) -> String {
    hex(&ids.random())
}

/// The text could be a key that [`fresh_key`] made.
pub(crate) fn is_key(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What the store keeps of a token. The token is random and long, so a plain hash gives nothing away.
pub(crate) fn token_hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

/// Compares without telling by its duration how much was right.
pub(crate) fn same(given: &str, expected: &str) -> bool {
    given.as_bytes().ct_eq(expected.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_differ_and_hash_as_sha_256_does() {
        let ids = Ids::seeded(1);
        let (first, second) = (fresh_token(&ids), fresh_token(&ids));
        assert_eq!(first.len(), 64);
        assert_ne!(first, second);
        assert_ne!(first[..32], first[32..]);
        // FIPS 180-2, appendix B.1.
        assert_eq!(token_hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn only_the_whole_token_is_the_same() {
        assert!(same("abc", "abc"));
        for wrong in ["", "ab", "abd", "abcd"] {
            assert!(!same(wrong, "abc"), "{wrong}");
        }
    }
}
