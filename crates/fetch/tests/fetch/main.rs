//! Strangers' pages, on servers that each test makes for itself.

#![allow(missing_docs, reason = "tests have no interface")]

mod bounds;
mod form;
mod guard;
mod server;
mod tls;
