//! What every domain's administration over HTTP shares: who the operator is, how a refusal looks
//! (RFC 9457, problem details), pages, and the routes with their names.
//!
//! The handlers are written once. Over the network an operator is whoever has the token of an account
//! that may administer; through the control socket it is whoever may open the socket.

mod audit;
mod body;
mod operator;
mod problem;
mod routes;

pub use audit::{AuditCheck, AuditLine};
pub use body::{Acting, Body, Done, Page, PageQuery, Reason};
pub use operator::{Operator, admit_by_socket, admit_by_token};
pub use problem::{Problem, ProblemBody, Refusals};
pub use routes::Routes;
