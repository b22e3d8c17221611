//! What every HTTP adapter of Bongsu shares: who is calling, the protocols' error bodies, limits.
//!
//! It promises that an adapter never sees a request whose token was not checked, whose body is too
//! long or is not what the endpoint expects, and that every refusal is in the protocol's own form and
//! says what to do. It never knows what an endpoint does.

pub mod admin;
mod auth;
mod clock;
mod guests;
pub mod json;
pub mod matrix;
mod people;
mod suspended;

pub use auth::{AuthError, Authenticate, Caller, Standing};
pub use clock::Clock;
pub use guests::GUEST_TOKEN;
pub use people::{People, Profile};
