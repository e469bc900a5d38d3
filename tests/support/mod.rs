//! Doubles and helpers that several test binaries share.

pub(crate) mod fake_max;
pub(crate) mod fake_model;
pub(crate) mod fake_qdrant;
pub(crate) mod fake_telegram;
pub(crate) mod fake_whatsapp;
pub(crate) mod product;
pub(crate) mod schema;
pub(crate) mod server;
