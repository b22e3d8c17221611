//! The targets: each turns bytes into what strangers may send.

mod events;
mod media;
mod pages;
mod push_rules;
mod requests;
mod sign_in;
mod status_list;
mod sync;
mod tokens;

/// A target.
pub(crate) type Target = fn(&[u8]);

/// What each is called.
pub(crate) const TARGETS: [(&str, Target); 9] = [
    ("events", events::fuzz),
    ("media", media::fuzz),
    ("pages", pages::fuzz),
    ("push_rules", push_rules::fuzz),
    ("requests", requests::fuzz),
    ("sign_in", sign_in::fuzz),
    ("status_list", status_list::fuzz),
    ("sync", sync::fuzz),
    ("tokens", tokens::fuzz),
];
