//! The view's tables, and typed access to them. Schema: `migrations/`.

pub mod account;
pub mod events;
pub mod members;
pub mod power;
pub mod receipts;
pub mod rooms;
pub mod words;
