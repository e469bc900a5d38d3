//! Measuring the bot: case files are read, played over the same engine and flow that serve customers, checked, counted,
//! held against gates and compared with another run.
//!
//! [`case`] and [`script`] are the formats, [`play`] and `checks` what is done with a script, [`run`] does it to many,
//! [`metrics`] and [`stats`] say what it is worth, [`gates`] and [`report`] what is told of it, [`lint`] what is wrong with the
//! cases. Scripts of `eval/dialog` with a file to themselves are the product's end-to-end tests as well. [`facts`] and
//! [`histories`] measure by themselves what is read out of messages, and what is recalled.

pub mod case;
mod checks;
pub mod facts;
pub mod files;
pub mod gates;
pub mod histories;
pub mod lint;
pub mod metrics;
pub mod outcome;
pub mod play;
pub mod report;
pub mod run;
pub mod script;
pub mod stage;
pub mod stats;
pub mod words;
