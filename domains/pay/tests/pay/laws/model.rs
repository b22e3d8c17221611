//! Money as a model counts it, which shares no code with the crate.

use bongsu_base::LogTime;
use bongsu_pay::State;
use std::collections::BTreeMap;

/// Two in a hundred.
const FEE: i64 = 200;
/// What may be paid in a day.
pub const DAY_LIMIT: i64 = 2_000;

/// What the model knows of a payment.
#[derive(Debug, Clone)]
pub struct Deal {
    pub kind: char,
    pub state: State,
    pub payer: Option<usize>,
    pub amount: i64,
    pub refunded: i64,
    pub fee: i64,
    pub fee_back: i64,
    pub counted: LogTime,
    pub expires: Option<LogTime>,
}

/// Money as the model counts it.
#[derive(Debug, Default)]
pub struct Model {
    pub has: [i64; 3],
    pub held: [i64; 3],
    pub used: [(i64, i64); 3],
    pub shop: i64,
    pub fees: i64,
    pub came: i64,
    pub deals: Vec<Deal>,
    pub links: BTreeMap<u8, usize>,
}

pub const HOUR: i64 = 3_600_000;

fn day(time: LogTime) -> i64 {
    (time.0 + 9 * HOUR) / (24 * HOUR)
}

impl Model {
    fn used(&self, who: usize, now: LogTime) -> i64 {
        let (when, used) = self.used[who];
        if when == day(now) { used } else { 0 }
    }

    pub fn spend(&mut self, who: usize, amount: i64, now: LogTime) -> Result<(), ()> {
        let used = self.used(who, now);
        if used + amount > DAY_LIMIT || self.has[who] - self.held[who] < amount {
            return Err(());
        }
        self.used[who] = (day(now), used + amount);
        Ok(())
    }

    pub fn begin(
        &mut self,
        kind: char,
        state: State,
        payer: Option<usize>,
        amount: i64,
        now: LogTime,
    ) {
        self.deals.push(Deal {
            kind,
            state,
            payer,
            amount,
            refunded: 0,
            fee: 0,
            fee_back: 0,
            counted: now,
            expires: None,
        });
    }

    /// A hold goes back.
    fn release(&mut self, n: usize, state: State, now: LogTime) {
        let deal = &mut self.deals[n];
        let who = deal.payer.expect("who holds is known");
        self.held[who] -= deal.amount;
        deal.state = state;
        deal.expires = None;
        if day(deal.counted) == day(now) && self.used[who].0 == day(now) {
            self.used[who].1 -= deal.amount;
        }
    }

    pub fn sweep(&mut self, now: LogTime) {
        for n in 0..self.deals.len() {
            if self.deals[n].expires.is_some_and(|at| at <= now) {
                if self.deals[n].state == State::Held {
                    self.release(n, State::Expired, now);
                } else {
                    self.deals[n].state = State::Expired;
                    self.deals[n].expires = None;
                }
            }
        }
    }

    pub fn withdraw(&mut self, who: usize, amount: i64, now: LogTime) -> Result<(), ()> {
        self.spend(who, amount, now)?;
        self.held[who] += amount;
        self.begin('w', State::AtBank, Some(who), amount, now);
        Ok(())
    }

    pub fn transfer(
        &mut self,
        from: usize,
        to: usize,
        amount: i64,
        now: LogTime,
    ) -> Result<(), ()> {
        if from == to {
            return Err(());
        }
        self.spend(from, amount, now)?;
        self.has[from] -= amount;
        self.has[to] += amount;
        self.begin('x', State::Paid, Some(from), amount, now);
        Ok(())
    }

    pub fn bank_says(&mut self, n: usize, yes: bool, now: LogTime) {
        let Some(deal) = self.deals.get(n).cloned() else {
            return;
        };
        if deal.state != State::AtBank {
            return;
        }
        let who = deal.payer.expect("who asked the bank is known");
        match (deal.kind, yes) {
            ('t', true) => {
                self.has[who] += deal.amount;
                self.came += deal.amount;
            }
            ('w', true) => {
                self.held[who] -= deal.amount;
                self.has[who] -= deal.amount;
                self.came -= deal.amount;
            }
            ('w', false) => self.release(n, State::Declined, now),
            _ => {}
        }
        self.deals[n].state = if yes { State::Paid } else { State::Declined };
    }

    fn live(&self, n: usize, kind: char, state: State, now: LogTime) -> Result<Deal, ()> {
        let deal = self.deals.get(n).ok_or(())?;
        let sound =
            deal.kind == kind && deal.state == state && deal.expires.is_none_or(|at| at > now);
        sound.then(|| deal.clone()).ok_or(())
    }

    pub fn accept(&mut self, who: usize, n: usize, now: LogTime) -> Result<(), ()> {
        let deal = self.live(n, 'p', State::Ready, now)?;
        self.spend(who, deal.amount, now)?;
        self.held[who] += deal.amount;
        let deal = &mut self.deals[n];
        (deal.state, deal.payer, deal.counted) = (State::Held, Some(who), now);
        deal.expires = Some(LogTime(now.0 + HOUR));
        Ok(())
    }

    pub fn capture(&mut self, n: usize, now: LogTime) -> Result<(), ()> {
        let deal = self.live(n, 'p', State::Held, now)?;
        let who = deal.payer.ok_or(())?;
        self.held[who] -= deal.amount;
        self.has[who] -= deal.amount;
        let fee = deal.amount * FEE / 10_000;
        self.shop += deal.amount - fee;
        self.fees += fee;
        let deal = &mut self.deals[n];
        (deal.state, deal.fee, deal.expires) = (State::Paid, fee, None);
        Ok(())
    }

    pub fn cancel(&mut self, n: usize, amount: Option<i64>, now: LogTime) -> Result<(), ()> {
        let deal = self
            .deals
            .get(n)
            .filter(|deal| deal.kind == 'p')
            .cloned()
            .ok_or(())?;
        let left = deal.amount - deal.refunded;
        let amount = amount.unwrap_or(left);
        match deal.state {
            State::Ready if amount == left => {
                self.deals[n].state = State::Canceled;
                self.deals[n].expires = None;
                Ok(())
            }
            State::Held if amount == left => {
                self.release(n, State::Canceled, now);
                Ok(())
            }
            State::Paid if amount <= left => {
                let refunded = deal.refunded + amount;
                let back = deal.fee * refunded / deal.amount - deal.fee_back;
                if self.shop + back < amount {
                    return Err(());
                }
                self.shop += back - amount;
                self.fees -= back;
                self.has[deal.payer.ok_or(())?] += amount;
                let deal = &mut self.deals[n];
                (deal.refunded, deal.fee_back) = (refunded, deal.fee_back + back);
                if refunded == deal.amount {
                    deal.state = State::Canceled;
                }
                Ok(())
            }
            _ => Err(()),
        }
    }

    pub fn link(&mut self, who: usize, code: u8, amount: i64, now: LogTime) -> Result<(), ()> {
        if self.links.contains_key(&code) {
            return Err(());
        }
        self.spend(who, amount, now)?;
        self.held[who] += amount;
        self.begin('l', State::Held, Some(who), amount, now);
        let n = self.deals.len() - 1;
        self.deals[n].expires = Some(LogTime(now.0 + 72 * HOUR));
        self.links.insert(code, n);
        Ok(())
    }

    pub fn claim(&mut self, who: usize, code: u8, now: LogTime) -> Result<(), ()> {
        let n = *self.links.get(&code).ok_or(())?;
        let deal = self.live(n, 'l', State::Held, now)?;
        let payer = deal.payer.filter(|payer| *payer != who).ok_or(())?;
        self.held[payer] -= deal.amount;
        self.has[payer] -= deal.amount;
        self.has[who] += deal.amount;
        (self.deals[n].state, self.deals[n].expires) = (State::Paid, None);
        Ok(())
    }

    pub fn cancel_link(&mut self, who: usize, code: u8, now: LogTime) -> Result<(), ()> {
        let n = *self.links.get(&code).ok_or(())?;
        let deal = self.live(n, 'l', State::Held, now)?;
        if deal.payer != Some(who) {
            return Err(());
        }
        self.release(n, State::Canceled, now);
        Ok(())
    }
}
