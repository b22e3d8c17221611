//! A ledger as it would be explained: a list of what happened, over which everything is summed anew each time.
//! It shares nothing with the crate but the words in which one asks and is answered.

use bongsu_base::LogTime;
use bongsu_ledger::{
    Act, Amount, Answer, Between, Done, Instruction, Kind, Money, Refused, TransferId,
};
use std::collections::BTreeMap;

/// An account: ledger, currency, and which side must not exceed the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    pub ledger: u32,
    pub currency: &'static str,
    pub limit: Option<char>,
    pub frozen: bool,
    pub closed: bool,
}

#[derive(Debug, Clone, Copy)]
pub struct Event {
    pub time: i64,
    pub id: TransferId,
    pub kind: Kind,
    pub debit: i64,
    pub credit: i64,
    pub amount: i128,
    pub refers: Option<usize>,
    pub expires: Option<i64>,
}

/// Debits posted, credits posted, debits pending, credits pending.
pub type Sums = [i128; 4];

const MOST: i128 = i64::MAX as i128;

#[derive(Debug, Clone, Default)]
pub struct Model {
    pub accounts: BTreeMap<i64, Account>,
    pub events: Vec<Event>,
    pub answers: BTreeMap<TransferId, (Instruction, Answer)>,
    pub time: Option<i64>,
}

impl Model {
    /// What `account` had by `time`, from everything that happened.
    pub fn sums(&self, account: i64, time: i64) -> Sums {
        let mut sums = [0; 4];
        for event in self.events.iter().filter(|event| event.time <= time) {
            let (posted, pending) = self.change(event);
            if event.debit == account {
                sums[0] += posted;
                sums[2] += pending;
            }
            if event.credit == account {
                sums[1] += posted;
                sums[3] += pending;
            }
        }
        sums
    }

    fn change(&self, event: &Event) -> (i128, i128) {
        let held = || self.events[event.refers.expect("a hold")].amount;
        match event.kind {
            Kind::Transfer | Kind::Reverse => (event.amount, 0),
            Kind::Hold => (0, event.amount),
            Kind::Settle => (event.amount, -held()),
            Kind::Void | Kind::Expire => (0, -held()),
        }
    }

    /// Which holds are not over, by their place.
    pub fn open(&self) -> Vec<usize> {
        let ended = |hold| {
            let ends = |event: &Event| event.refers == Some(hold) && event.kind != Kind::Reverse;
            self.events.iter().any(ends)
        };
        let holds = (0..self.events.len()).filter(|at| self.events[*at].kind == Kind::Hold);
        holds.filter(|at| !ended(*at)).collect()
    }

    pub fn batch(&mut self, time: i64, batch: &[Instruction]) -> Vec<Answer> {
        if self.time.is_some_and(|last| time < last) {
            return vec![Err(Refused::TimeRunsBack); batch.len()];
        }
        let mut answers = Vec::new();
        for chain in batch.split_inclusive(|instruction| !instruction.linked) {
            let ids = chain.iter().map(|instruction| instruction.id);
            let twice = ids
                .clone()
                .any(|id| ids.clone().filter(|other| *other == id).count() > 1);
            if chain[chain.len() - 1].linked {
                answers.extend(chain.iter().map(|_| Err(Refused::ChainOpen)));
            } else if twice {
                answers.extend(chain.iter().map(|_| Err(Refused::IdTwiceInChain)));
            } else {
                answers.extend(self.chain(time, chain));
            }
        }
        answers
    }

    fn chain(&mut self, time: i64, chain: &[Instruction]) -> Vec<Answer> {
        let plain = |instruction: &Instruction| Instruction {
            linked: false,
            ..*instruction
        };
        let known: Vec<Option<Answer>> = chain
            .iter()
            .map(|instruction| {
                let (first, answer) = self.answers.get(&instruction.id)?;
                let same = *first == plain(instruction);
                Some(if same { *answer } else { Err(Refused::IdTaken) })
            })
            .collect();
        if known.iter().all(Option::is_some) {
            return known.into_iter().flatten().collect();
        }
        self.time = Some(time);
        let answers = if known.iter().any(Option::is_some) {
            let mixed = Err(Refused::LinkedToKnown);
            known.iter().map(|known| known.unwrap_or(mixed)).collect()
        } else {
            self.fresh(time, chain)
        };
        for ((instruction, answer), known) in chain.iter().zip(&answers).zip(known) {
            if known.is_none() {
                let first = (plain(instruction), *answer);
                self.answers.insert(instruction.id, first);
            }
        }
        answers
    }

    fn fresh(&mut self, time: i64, chain: &[Instruction]) -> Vec<Answer> {
        let mut trial = self.clone();
        let mut answers = Vec::new();
        for instruction in chain {
            match trial.one(time, instruction) {
                Ok(event) => {
                    trial.events.push(event);
                    answers.push(Ok(Done {
                        n: trial.events.len() as i64,
                        time: LogTime(time),
                        amount: Amount::new(event.amount as i64).expect("an amount"),
                    }));
                    // Whoever follows in the chain may name it.
                    let first = (*instruction, answers[answers.len() - 1]);
                    trial.answers.insert(instruction.id, first);
                }
                Err(rule) => {
                    let mut all = vec![Err(Refused::LinkedFailed); chain.len()];
                    all[answers.len()] = Err(rule);
                    return all;
                }
            }
        }
        self.events = trial.events;
        answers
    }

    fn one(&self, time: i64, instruction: &Instruction) -> Result<Event, Refused> {
        let event = |kind, debit, credit, amount, refers| Event {
            time,
            id: instruction.id,
            kind,
            debit,
            credit,
            amount,
            refers,
            expires: None,
        };
        let event = match instruction.act {
            Act::Transfer(between) => {
                self.fits(&between)?;
                let amount = between.money.amount.minor().into();
                let (debit, credit) = (between.debit.0, between.credit.0);
                event(Kind::Transfer, debit, credit, amount, None)
            }
            Act::Hold { between, expires } => {
                if expires.is_some_and(|at| at.0 <= time) {
                    return Err(Refused::ExpiryNotLater);
                }
                self.fits(&between)?;
                let amount = between.money.amount.minor().into();
                let (debit, credit) = (between.debit.0, between.credit.0);
                Event {
                    expires: expires.map(|at| at.0),
                    ..event(Kind::Hold, debit, credit, amount, None)
                }
            }
            Act::Settle { hold, money } => {
                let at = self.holding(hold, time)?;
                let hold = &self.events[at];
                let amount = self.amount(hold, money, hold.amount)?;
                if amount > hold.amount {
                    return Err(Refused::ExceedsHold);
                }
                event(Kind::Settle, hold.debit, hold.credit, amount, Some(at))
            }
            Act::Void { hold } => {
                let at = self.holding(hold, time)?;
                let hold = &self.events[at];
                event(Kind::Void, hold.debit, hold.credit, hold.amount, Some(at))
            }
            Act::Reverse { original, money } => {
                let at = self.called(original)?;
                let original = &self.events[at];
                if original.kind != Kind::Transfer && original.kind != Kind::Settle {
                    return Err(Refused::NotReversible);
                }
                let reversals = self
                    .events
                    .iter()
                    .filter(|event| event.kind == Kind::Reverse && event.refers == Some(at));
                let left = original.amount - reversals.map(|event| event.amount).sum::<i128>();
                let amount = self.amount(original, money, left)?;
                if amount > left || amount == 0 {
                    return Err(Refused::ExceedsOriginal);
                }
                event(
                    Kind::Reverse,
                    original.credit,
                    original.debit,
                    amount,
                    Some(at),
                )
            }
        };
        self.may(&event)?;
        Ok(event)
    }

    fn fits(&self, between: &Between) -> Result<(), Refused> {
        let (debit, credit) = (between.debit.0, between.credit.0);
        if debit == credit {
            return Err(Refused::SameAccount);
        }
        let (Some(debit), Some(credit)) = (self.accounts.get(&debit), self.accounts.get(&credit))
        else {
            return Err(Refused::NoSuchAccount);
        };
        let code = between.money.currency.to_string();
        if debit.currency != code || credit.currency != code {
            return Err(Refused::OtherCurrency);
        }
        (debit.ledger == credit.ledger)
            .then_some(())
            .ok_or(Refused::OtherLedger)
    }

    fn amount(&self, of: &Event, money: Option<Money>, all: i128) -> Result<i128, Refused> {
        match money {
            None => Ok(all),
            Some(money) if self.accounts[&of.debit].currency != money.currency.to_string() => {
                Err(Refused::OtherCurrency)
            }
            Some(money) => Ok(money.amount.minor().into()),
        }
    }

    fn called(&self, id: TransferId) -> Result<usize, Refused> {
        let named = |event: &Event| event.id == id && event.kind != Kind::Expire;
        let at = self.events.iter().position(named);
        at.ok_or(Refused::NoSuchTransfer)
    }

    fn holding(&self, id: TransferId, time: i64) -> Result<usize, Refused> {
        let at = self.called(id)?;
        let hold = &self.events[at];
        if hold.kind != Kind::Hold {
            return Err(Refused::NotAHold);
        }
        let late = hold.expires.is_some_and(|expires| expires <= time);
        if late || !self.open().contains(&at) {
            return Err(Refused::HoldIsOver);
        }
        Ok(at)
    }

    fn may(&self, event: &Event) -> Result<(), Refused> {
        for account in [event.debit, event.credit] {
            let account = self.accounts[&account];
            if event.kind != Kind::Void && account.frozen {
                return Err(Refused::AccountFrozen);
            }
            if event.kind != Kind::Void && account.closed {
                return Err(Refused::AccountClosed);
            }
        }
        let mut after = self.clone();
        after.events.push(*event);
        for (account, side) in [(event.debit, 0), (event.credit, 1)] {
            let sums = after.sums(account, i64::MAX);
            if sums[side] + sums[side + 2] > MOST {
                return Err(Refused::BalanceOverflows);
            }
            if matches!(event.kind, Kind::Transfer | Kind::Hold | Kind::Reverse) {
                match self.accounts[&account].limit {
                    Some('d') if sums[0] + sums[2] > sums[1] => {
                        return Err(Refused::ExceedsCredits);
                    }
                    Some('c') if sums[1] + sums[3] > sums[0] => return Err(Refused::ExceedsDebits),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// The places of the holds that end by time.
    pub fn expire(&mut self, time: i64, most: usize) -> Vec<usize> {
        if self.time.is_some_and(|last| time < last) {
            return Vec::new();
        }
        let mut due: Vec<(i64, usize)> = Vec::new();
        for at in self.open() {
            if let Some(expires) = self.events[at].expires.filter(|expires| *expires <= time) {
                due.push((expires, at));
            }
        }
        due.sort_unstable();
        due.truncate(most);
        for (_, at) in &due {
            self.time = Some(time);
            let hold = self.events[*at];
            self.events.push(Event {
                time,
                kind: Kind::Expire,
                refers: Some(*at),
                expires: None,
                ..hold
            });
        }
        due.into_iter().map(|(_, at)| at).collect()
    }

    pub fn close(&mut self, account: i64) -> Result<(), Refused> {
        let sums = self.sums(account, i64::MAX);
        if sums[2] + sums[3] > 0 {
            return Err(Refused::AccountHasHolds);
        }
        if sums[0] != sums[1] {
            return Err(Refused::AccountHasBalance);
        }
        let account = self.accounts.get_mut(&account).expect("an account");
        (account.closed, account.frozen) = (true, false);
        Ok(())
    }

    pub fn freeze(&mut self, account: i64, frozen: bool) -> Result<(), Refused> {
        let account = self.accounts.get_mut(&account).expect("an account");
        if account.closed {
            return Err(Refused::AccountClosed);
        }
        account.frozen = frozen;
        Ok(())
    }
}
