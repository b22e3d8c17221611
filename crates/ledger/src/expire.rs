//! Ending the holds whose time has come.

use crate::Done;
use crate::row::Kind;
use crate::void::release;
use crate::work::{Stop, Work};
use bongsu_base::LogTime;
use rusqlite::Connection;

/// Ends up to `most` holds that expire at `time` or before, the earliest first and of those the oldest.
/// Until its turn comes a hold still counts as held, but is over for settling and voiding.
///
/// Does nothing when `time` is before the last transfer's.
///
/// # Errors
/// When the view cannot be read or written.
pub fn expire(db: &Connection, time: LogTime, most: u32) -> rusqlite::Result<Vec<Done>> {
    let due: Vec<i64> = db
        .prepare_cached(
            "SELECT n FROM ledger_hold WHERE expires <= ?1 ORDER BY expires, n LIMIT ?2",
        )?
        .query_map((time.0, most), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut work = Work::begin(db, time)?;
    let mut ended = Vec::with_capacity(due.len());
    if work.runs_back() {
        return Ok(ended);
    }
    for n in due {
        let hold = work.numbered(n)?.into_owned();
        match work.post(&release(&hold, Kind::Expire)) {
            Ok(n) => ended.push(Done {
                n,
                time,
                amount: hold.amount,
            }),
            Err(Stop::Storage(error)) => return Err(error),
            // No rule forbids to give free what is held: the accounts exist, and pending amounts fall.
            Err(Stop::Refused(_)) => return Err(crate::bytes::damaged("hold")),
        }
        work.set_hold(n, None);
    }
    work.write()?;
    Ok(ended)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{JUN, MINA, balance, bench, id, won};
    use crate::{Between, Instruction, Refused, apply_one};

    #[test]
    fn holds_end_by_time_the_earliest_first_so_many_at_once() {
        let db = bench();
        for (n, expires) in [(2, Some(30)), (3, Some(20)), (4, Some(30)), (5, None)] {
            let between = Between {
                debit: MINA,
                credit: JUN,
                money: won(n.into()),
            };
            let hold = Instruction::hold(id(n), between, expires.map(LogTime));
            apply_one(&db, LogTime(2), hold)
                .expect("applied")
                .expect("held");
        }
        let ended = |time, most| -> Vec<i64> {
            let ended = expire(&db, LogTime(time), most).expect("written");
            ended.iter().map(|done| done.amount.minor()).collect()
        };
        assert_eq!(ended(19, 9), []);
        assert_eq!(ended(30, 2), [3, 2]);
        let late = Instruction::settle(id(6), id(4), None);
        assert_eq!(
            apply_one(&db, LogTime(30), late),
            Ok(Err(Refused::HoldIsOver))
        );
        assert_eq!(balance(&db, MINA), (0, 1_000, 9, 0));
        assert_eq!(ended(29, 9), [], "time does not run back");
        assert_eq!(ended(31, 9), [4]);
        assert_eq!(ended(i64::MAX, 9), []);
        assert_eq!(balance(&db, MINA), (0, 1_000, 5, 0));
    }
}
