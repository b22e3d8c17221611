//! Payments' side of a bank: giving it orders, and comparing what it says that it moved with the books.
//!
//! An order is an effect, which waits in the view until the bank has said what became of it. It is given under a name that
//! is made of what it is for: however often it is given, and by whichever data centre, it is done once.

mod name;
mod orders;
mod reconcile;

pub use orders::{BankMetrics, BankOrders};
pub use reconcile::{Compared, Difference, Differs, compare, settlement_of};
