//! The log over JetStream, with real servers.

mod faults;
mod modelled;
mod one;
mod restoring;
mod servers;
mod site;
mod three;
