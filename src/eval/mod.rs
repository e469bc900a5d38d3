//! Measuring the bot: case files are read, played over the same engine and flow that serve customers, checked, counted,
//! held against gates and compared with another run.
//!
//! [`case`] and [`script`] are the formats, [`play`] and `checks` what is done with a script, [`run`] does it to many,
//! [`cassette`] keeps what models replied, [`vectors`] what the encoder made and [`journal`] how cases went, so that nothing is done twice;
//! [`metrics`] and [`stats`] say what it is worth, [`gates`] and [`report`] what is told of it, [`sweep`] which thresholds would cost less, [`lint`] what is wrong with the
//! cases. Scripts of `eval/dialog` with a file to themselves are the product's end-to-end tests as well. [`facts`] and
//! [`histories`] measure by themselves what is read out of messages, and what is recalled.

pub mod case;
pub mod cassette;
mod checks;
pub mod facts;
pub mod files;
pub mod gates;
pub mod histories;
pub mod import;
pub mod journal;
pub mod judge;
pub mod life;
pub mod lint;
pub mod metrics;
pub mod outcome;
pub mod play;
pub mod report;
pub mod run;
pub mod script;
mod simulate;
pub mod stage;
pub mod stats;
pub mod sweep;
pub mod vectors;
pub mod words;
