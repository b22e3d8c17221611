//! Identity from outside: golden log, laws, and its endpoints.

mod golden;
mod house;
mod laws;
mod matrix;
mod oauth;
