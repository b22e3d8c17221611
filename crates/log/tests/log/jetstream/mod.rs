//! The log over JetStream, with real servers.

mod faults;
mod modelled;
mod one;
mod restoring;
mod site;
mod three;
