//! What a lane promises, shown with a small domain over a log in memory.

mod defects;
mod effects;
mod elsewhere;
mod load;
mod opening;
mod outcomes;
mod reading;
mod sites;
mod stopping;
mod tally;
mod versions;
