//! Dialogue scripts: read here, and played over the same engine and flow that serve customers.
//!
//! `eval/dialog/*.yaml` serves twice: as the end-to-end tests of the product, with a scripted model, and as the cases
//! that a support lead measures changes with.

pub mod play;
pub mod script;
pub mod stage;
