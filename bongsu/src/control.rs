//! Telling a running server things, through a socket in its data folder that the owner alone may use.

pub mod client;
pub mod server;
pub mod who;
