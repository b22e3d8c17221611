//! The view's tables, and typed access to them. Schema: `migrations/`.

pub mod account;
pub mod closing;
pub mod entrance;
pub mod erased;
pub mod events;
pub mod kept;
pub mod media;
pub mod members;
pub mod power;
pub mod receipts;
pub mod relations;
pub mod reports;
pub mod retention;
pub mod rooms;
pub mod unread;
pub mod version;
pub mod words;
