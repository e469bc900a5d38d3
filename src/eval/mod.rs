//! Dialogue scripts and support histories: read here, and played or measured over the same engine and flow that serve
//! customers.
//!
//! `eval/dialog/*.yaml` serves twice: as the end-to-end tests of the product, with a scripted model, and as the cases
//! that a support lead measures changes with. `eval/memory/histories/*.yaml` says how much of what was said is recalled.

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
