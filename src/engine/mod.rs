//! Decisions: pure functions of what was said, what is known and what was found. No async, no IO, no clock.

pub mod context;
pub mod fusion;
pub mod guard;
pub mod learn;
pub mod ledger;
pub mod lexical;
pub mod mask;
pub mod package;
pub mod quote;
pub mod recall;
pub mod tone;
pub mod triage;
pub mod turn;
pub mod words;

#[cfg(test)]
mod support;
