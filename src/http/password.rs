//! Operators' passwords: Argon2id, with the parameters that OWASP recommends (19 MiB, two passes).

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

/// Shortest password that a person may choose, in characters.
pub const SHORTEST: usize = 10;

/// Longest password that is read, in bytes: hashing costs time by length as well.
pub const LONGEST: usize = 256;

/// A hash of a password that nobody knows, with our parameters: an unknown login costs the same work as a known one.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$Zmlyc3RsaW5lbm9ib2R5IQ$\
                      3vQ0yqv0D4mGJtM1m4kq5k3n2Xo4Yy7sJY0Jr7pXo0M";

/// The hash could not be made: the parameters or the operating system's randomness failed.
#[derive(Debug, thiserror::Error)]
#[error("the password could not be hashed")]
pub struct HashError;

/// Why a password can't be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    /// Shorter than [`SHORTEST`] characters.
    #[error("a password needs at least {SHORTEST} characters")]
    Short,
    /// Longer than [`LONGEST`] bytes.
    #[error("a password may have at most {LONGEST} bytes")]
    Long,
    /// It is, or holds, the login, or is one character again and again.
    #[error("the password is too easy to guess")]
    Guessable,
}

/// Hashes a password under a fresh salt. Takes tens of milliseconds: not for an async thread.
///
/// # Errors
/// [`HashError`].
pub fn hash(password: &str) -> Result<String, HashError> {
    Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string()).map_err(|_| HashError)
}

/// Whether `password` is the one behind `hash`; without a hash the same work is done and the answer is no.
pub fn matches(password: &str, hash: Option<&str>) -> bool {
    let known = hash.is_some();
    let Ok(parsed) = PasswordHash::new(hash.unwrap_or(NOBODY)) else {
        return false;
    };
    Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok() && known
}

/// Checks a password that a person has chosen.
///
/// # Errors
/// [`Weak`].
pub fn check_strength(password: &str, login: &str) -> Result<(), Weak> {
    let lower = password.to_lowercase();
    let mut distinct: Vec<char> = lower.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if password.chars().count() < SHORTEST {
        Err(Weak::Short)
    } else if password.len() > LONGEST {
        Err(Weak::Long)
    } else if distinct.len() < 4 || (!login.is_empty() && lower.contains(&login.to_lowercase())) {
        Err(Weak::Guessable)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_matches_its_own_hash_only() {
        let hash = hash("correct horse").unwrap();
        assert!(matches("correct horse", Some(&hash)));
        assert!(!matches("correct hors", Some(&hash)));
        assert!(!matches("correct horse", Some("not a hash")));
    }

    #[test]
    fn nobody_costs_what_somebody_costs() {
        let somebody = hash("x").unwrap();
        let parameters = |hash: &str| PasswordHash::new(hash).unwrap().params.to_string();
        assert_eq!(parameters(NOBODY), parameters(&somebody));
        assert!(!matches("x", None));
    }

    #[test]
    fn weak_passwords_are_named() {
        assert_eq!(check_strength("короткий", "ann"), Err(Weak::Short));
        assert_eq!(check_strength("aaaaaaaaaaaa", "ann"), Err(Weak::Guessable));
        assert_eq!(check_strength("Anna-Anna-1234", "anna"), Err(Weak::Guessable));
        assert_eq!(check_strength(&"ab1-".repeat(100), "ann"), Err(Weak::Long));
        assert_eq!(check_strength("чашка у окна", "ann"), Ok(()));
    }
}
