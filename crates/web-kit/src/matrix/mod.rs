//! The Matrix client-server protocol's frame: extracting requests, giving answers, refusing.
//!
//! An endpoint is an axum handler that takes a [`Matrix<Request>`] and gives [`Answer<Response>`], with
//! `ruma`'s types for both. [`Endpoints`] collects them under all the paths the specification gave
//! them, and remembers which they are.

mod endpoints;
mod error;
mod extract;

pub use endpoints::{Endpoints, Operation, no_such_endpoint, wrong_method};
pub use error::MatrixError;
pub use extract::{Answer, Gate, Matrix, Reply, Scheme, bearer};
