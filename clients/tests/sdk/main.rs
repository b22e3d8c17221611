//! The Rust client library for Matrix, as its users meet it, against the real binary.

mod crowd;
mod devices;
mod history;
mod oauth;
mod people;
mod profile;
mod proxy;
mod talk;
