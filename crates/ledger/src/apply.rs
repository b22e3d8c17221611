//! Batches of instructions, and the chains in them.

use crate::work::{Refusal, Ruled, Stop, Work};
use crate::{Act, Answer, Done, Instruction, Refused};
use bongsu_base::LogTime;
use rusqlite::Connection;
use std::collections::BTreeSet;

/// How many instructions a batch has at most.
pub const BATCH: usize = 8_190;

/// Does what is asked, in order, and says for each instruction what became of it.
///
/// Instructions that are linked form a chain with the first that is not: all of them are done or none. An id
/// that has an answer gets it again, whatever the state is by now; a refusal is such an answer too, so that
/// what was once refused never happens. Only what says that the call itself makes no sense is not kept:
/// [`Refused::IdTaken`], [`Refused::IdTwiceInChain`], [`Refused::ChainOpen`], [`Refused::BatchTooLong`] and
/// [`Refused::TimeRunsBack`].
///
/// The caller's transaction holds it together. Nothing is written before the end of the batch, and when nothing
/// new was asked nothing is.
///
/// # Errors
/// When the view cannot be read or written. Then the caller's transaction must be rolled back.
pub fn apply(
    db: &Connection,
    time: LogTime,
    instructions: &[Instruction],
) -> rusqlite::Result<Vec<Answer>> {
    let mut work = Work::begin(db, time)?;
    let amiss = if instructions.len() > BATCH {
        Some(Refused::BatchTooLong)
    } else {
        work.runs_back().then_some(Refused::TimeRunsBack)
    };
    if let Some(refused) = amiss {
        return Ok(vec![Err(refused); instructions.len()]);
    }
    work.look_ahead(instructions)?;
    let mut answers = Vec::with_capacity(instructions.len());
    let mut rest = instructions;
    while !rest.is_empty() {
        let length = rest.iter().position(|instruction| !instruction.linked);
        let (chain, after) = rest.split_at(length.map_or(rest.len(), |last| last + 1));
        let amiss = if length.is_none() {
            Some(Refused::ChainOpen)
        } else {
            has_twice(chain).then_some(Refused::IdTwiceInChain)
        };
        match amiss {
            Some(refused) => answers.extend(chain.iter().map(|_| Err(refused))),
            None => answer(&mut work, chain, &mut answers)?,
        }
        rest = after;
    }
    work.write()?;
    Ok(answers)
}

/// Does one thing, as [`apply`] does a batch of one.
///
/// # Errors
/// When the view cannot be read or written.
pub fn apply_one(
    db: &Connection,
    time: LogTime,
    instruction: Instruction,
) -> rusqlite::Result<Answer> {
    let answers = apply(db, time, &[instruction])?;
    Ok(answers[0])
}

fn has_twice(chain: &[Instruction]) -> bool {
    let mut seen = BTreeSet::new();
    chain.len() > 1 && !chain.iter().all(|instruction| seen.insert(instruction.id))
}

/// Answers a chain.
fn answer(
    work: &mut Work<'_>,
    chain: &[Instruction],
    answers: &mut Vec<Answer>,
) -> rusqlite::Result<()> {
    let mut asked = Vec::with_capacity(chain.len());
    for instruction in chain {
        let print = instruction.fingerprint();
        asked.push((print, first_answer(work, instruction, print)?));
    }
    if asked.iter().all(|(_, first)| first.is_some()) {
        answers.extend(asked.into_iter().filter_map(|(_, first)| first));
        return Ok(());
    }
    let known = asked.iter().any(|(_, first)| first.is_some());
    let mut failed = known.then_some((chain.len(), Refused::LinkedToKnown));
    let from = answers.len();
    if !known {
        work.begin_chain(chain.len() > 1);
        for (at, (instruction, (print, _))) in chain.iter().zip(&asked).enumerate() {
            match act(work, instruction, *print) {
                Ok(n) => answers.push(Ok(done(work, n)?)),
                Err(Stop::Storage(error)) => return Err(error),
                Err(Stop::Refused(rule)) => {
                    failed = Some((at, rule));
                    break;
                }
            }
        }
    }
    let Some((culprit, rule)) = failed else {
        work.keep();
        return Ok(());
    };
    work.take_back();
    answers.truncate(from);
    for (at, (instruction, (fingerprint, first))) in chain.iter().zip(asked).enumerate() {
        let rule = if known || at == culprit {
            rule
        } else {
            Refused::LinkedFailed
        };
        let id = instruction.id;
        answers.push(first.unwrap_or(Err(rule)));
        if first.is_none() {
            work.refuse(Refusal {
                id,
                rule,
                fingerprint,
            });
        }
    }
    Ok(())
}

/// What `instruction` was answered when it was first asked.
fn first_answer(
    work: &Work<'_>,
    instruction: &Instruction,
    fingerprint: [u8; 16],
) -> rusqlite::Result<Option<Answer>> {
    let Some(place) = work.place(instruction.id) else {
        return Ok(None);
    };
    let (first, answer) = if place > 0 {
        let row = work.numbered(place)?;
        (row.fingerprint, Ok(done(work, place)?))
    } else {
        let refusal = work.refusal(-place)?;
        (refusal.fingerprint, Err(refusal.rule))
    };
    Ok(Some(if first == fingerprint {
        answer
    } else {
        Err(Refused::IdTaken)
    }))
}

fn done(work: &Work<'_>, n: i64) -> rusqlite::Result<Done> {
    let row = work.numbered(n)?;
    Ok(Done {
        n,
        time: row.time,
        amount: row.amount,
    })
}

/// Does what is asked, which was never asked before, and says its number in the history.
fn act(work: &mut Work<'_>, instruction: &Instruction, fingerprint: [u8; 16]) -> Ruled<i64> {
    match &instruction.act {
        Act::Transfer(between) => crate::transfer::act(work, instruction, fingerprint, between),
        Act::Hold { between, expires } => {
            crate::hold::act(work, instruction, fingerprint, between, *expires)
        }
        Act::Settle { hold, money } => {
            crate::settle::act(work, instruction, fingerprint, *hold, *money)
        }
        Act::Void { hold } => crate::void::act(work, instruction, fingerprint, *hold),
        Act::Reverse { original, money } => {
            crate::reverse::act(work, instruction, fingerprint, *original, *money)
        }
    }
}
