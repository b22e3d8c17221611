//! What pay promises, seen from outside: its laws, its golden log, and its protocol.

mod bank;
mod golden;
mod house;
mod laws;
mod protocol;
mod reconcile;
mod statements;
mod watch;
mod webhooks;
