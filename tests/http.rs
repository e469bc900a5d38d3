//! The web chat, the desk, webhooks and health over real HTTP, on the real store.
#![allow(clippy::unwrap_used, reason = "what a test can't go on without")]

#[path = "support/browser.rs"]
mod browser;
#[path = "http/support.rs"]
mod support;

#[path = "http/accessible.rs"]
mod accessible;
#[path = "http/attachments.rs"]
mod attachments;
#[path = "http/chat.rs"]
mod chat;
#[path = "http/desk.rs"]
mod desk;
#[path = "http/live.rs"]
mod live;
#[path = "http/machines.rs"]
mod machines;
#[path = "http/messenger.rs"]
mod messenger;
#[path = "http/pages.rs"]
mod pages;
#[path = "http/visitors.rs"]
mod visitors;
