//! Many seeds of every domain, and proof that the simulation finds what it is there to find.

/// Makes one test of each part of a workload's seeds.
macro_rules! seeds {
    ($kind:ident, $module:literal, $workload:ty, $($name:ident: $seeds:expr;)+) => {
        $(
            #[test]
            fn $name() {
                let test = concat!($module, "::", stringify!($name));
                bongsu_sim::check_seeds::<$workload>(bongsu_sim::Kind::$kind, test, $seeds);
            }
        )+
    };
}

mod engine;
mod identity;
mod itself;
mod ledger;
mod pay;
mod talk;
