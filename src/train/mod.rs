//! Training of the triage classifier from labelled files, to the byte the same on every machine: one thread, a fixed order,
//! sums in 64 bits, functions of our own where systems differ, and vectors rounded before anything is learnt from them.

pub mod calibrate;
pub mod fit;
pub mod likeness;
pub mod measure;
pub mod principal;
pub mod rows;
pub mod session;
pub mod solver;
pub mod sources;
pub mod vectors;
