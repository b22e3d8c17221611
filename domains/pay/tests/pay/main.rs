//! What pay promises, seen from outside: its laws, its golden log, and its protocol.

mod bills;
mod disputes;
mod golden;
mod house;
mod laws;
mod protocol;
mod qr;
mod reviews;
mod subscriptions;
mod webhooks;
