//! The simulated bank over HTTP: orders by their ids, and statements.
//!
//! | request | answer |
//! | --- | --- |
//! | `PUT /v1/orders/{id}` | what became of the order; put again, the same |
//! | `GET /v1/orders/{id}` | the same, or 404 if the bank never had it |
//! | `GET /v1/statement?currency=&from_ms=&to_ms=` | the statement, camt.053 |
//!
//! An order or an answer that is lost is 504: nobody knows what became of it.

mod client;
mod server;
#[cfg(test)]
mod tests;
mod wire;

pub use client::HttpBank;
pub use server::serve;
