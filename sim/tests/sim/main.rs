//! Many seeds of every domain, and proof that the simulation finds what it is there to find.

mod identity;
mod itself;
mod ledger;
mod talk;
