//! Adapters against servers that speak the real wire format.
#![allow(clippy::unwrap_used, reason = "what a test can't go on without")]

mod support;

mod wire {
    pub(super) mod max;
    pub(super) mod openai;
    pub(super) mod telegram;
    pub(super) mod whatsapp;
}
