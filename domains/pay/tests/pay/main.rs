//! What pay promises, seen from outside: its laws, its golden log, and its protocol.

mod bank;
mod bills;
mod disputes;
mod golden;
mod house;
mod laws;
mod protocol;
mod qr;
mod reconcile;
mod refusals;
mod reviews;
mod statements;
mod subscriptions;
mod watch;
mod webhooks;
