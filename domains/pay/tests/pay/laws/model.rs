//! Money as a model counts it, which shares no code with the crate.

use bongsu_base::LogTime;
use bongsu_pay::State;
use std::collections::BTreeMap;

/// Two in a hundred.
const FEE: i64 = 200;
/// How long what is looked at waits.
const REVIEW_LASTS: i64 = 24 * HOUR;
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
    /// Who is paid, if that is a person.
    pub payee: Option<usize>,
    /// What becomes of it once it was looked at.
    pub then: Then,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    Move,
    Hold(i64),
    Take,
}

/// What one is asked for: `o` open, `p` paid, `d` declined, `r` looked at.
#[derive(Debug, Clone)]
pub struct Share {
    pub who: usize,
    pub amount: i64,
    pub state: char,
    /// With what it is paid.
    pub deal: Option<usize>,
}

/// What the model knows of a bill.
#[derive(Debug, Clone)]
pub struct Bill {
    pub asker: usize,
    pub shares: Vec<Share>,
    pub canceled: bool,
    pub expires: LogTime,
}

/// What the model knows of a subscription.
#[derive(Debug, Clone)]
pub struct Consent {
    /// The payment with which it is given.
    pub deal: usize,
    pub max: i64,
    /// When it was given, and by whom.
    pub given: Option<(LogTime, usize)>,
    /// The last day, counted from then, that was charged.
    pub charged: i64,
    pub revoked: bool,
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
    pub bills: Vec<Bill>,
    pub consents: Vec<Consent>,
    /// From which amount on payments are looked at.
    pub rule: Option<i64>,
}

pub const HOUR: i64 = 3_600_000;
/// How long bills wait.
pub const BILL_LASTS: i64 = 30 * HOUR;

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
            payee: None,
            then: Then::Move,
        });
    }

    fn looks_at(&self, amount: i64) -> bool {
        self.rule.is_some_and(|least| amount >= least)
    }

    /// The money of the deal `n` is held until somebody has looked at it.
    fn look_at(&mut self, n: usize, then: Then, now: LogTime) {
        let deal = &mut self.deals[n];
        (deal.state, deal.then) = (State::Review, then);
        deal.expires = Some(LogTime(now.0 + REVIEW_LASTS));
    }

    pub fn decide(&mut self, n: usize, goes_on: bool, now: LogTime) -> Result<(), ()> {
        let deal = self.deals.get(n).cloned().ok_or(())?;
        if deal.state != State::Review || deal.expires.is_some_and(|at| at <= now) {
            return Err(());
        }
        if !goes_on {
            self.release(n, State::Declined, now);
            return Ok(());
        }
        let who = deal.payer.ok_or(())?;
        match deal.then {
            Then::Move => {
                let payee = deal.payee.ok_or(())?;
                self.held[who] -= deal.amount;
                self.has[who] -= deal.amount;
                self.has[payee] += deal.amount;
                (self.deals[n].state, self.deals[n].expires) = (State::Paid, None);
                self.share_of(n, 'p');
            }
            Then::Hold(lasts) => {
                if day(deal.counted) != day(now) {
                    self.used[who] = (day(now), self.used(who, now) + deal.amount);
                }
                let held = &mut self.deals[n];
                (held.state, held.counted) = (State::Held, now);
                held.expires = Some(LogTime(now.0 + lasts));
                self.consent(n, who, now);
            }
            Then::Take => {
                self.held[who] -= deal.amount;
                self.take(n, who);
            }
        }
        Ok(())
    }

    /// The payer consents to what is prepared with the deal `n`.
    fn consent(&mut self, n: usize, who: usize, now: LogTime) {
        if let Some(consent) = self.consents.iter_mut().find(|one| one.deal == n) {
            consent.given = Some((now, who));
        }
    }

    /// What becomes of the share that is paid with the deal `n`.
    fn share_of(&mut self, n: usize, state: char) {
        let shares = self.bills.iter_mut().flat_map(|bill| &mut bill.shares);
        for share in shares.filter(|share| share.deal == Some(n)) {
            (share.state, share.deal) = (state, (state == 'p').then_some(n));
        }
    }

    /// A hold goes back.
    fn release(&mut self, n: usize, state: State, now: LogTime) {
        let deal = &mut self.deals[n];
        let who = deal.payer.expect("who holds is known");
        self.held[who] -= deal.amount;
        let looked_at = deal.state == State::Review;
        deal.state = state;
        deal.expires = None;
        if day(deal.counted) == day(now) && self.used[who].0 == day(now) {
            self.used[who].1 -= deal.amount;
        }
        if looked_at {
            self.share_of(n, 'o');
        }
    }

    pub fn sweep(&mut self, now: LogTime) {
        for n in 0..self.deals.len() {
            if self.deals[n].expires.is_some_and(|at| at <= now) {
                if matches!(self.deals[n].state, State::Held | State::Review) {
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
        self.begin('x', State::Paid, Some(from), amount, now);
        if self.looks_at(amount) {
            let n = self.deals.len() - 1;
            self.held[from] += amount;
            self.deals[n].payee = Some(to);
            self.look_at(n, Then::Move, now);
        } else {
            self.has[from] -= amount;
            self.has[to] += amount;
        }
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
        let amount = deal.amount;
        if self.looks_at(amount) {
            self.look_at(n, Then::Hold(HOUR), now);
        } else {
            self.consent(n, who, now);
        }
        Ok(())
    }

    pub fn capture(&mut self, n: usize, now: LogTime) -> Result<(), ()> {
        let deal = self.live(n, 'p', State::Held, now)?;
        let who = deal.payer.ok_or(())?;
        self.held[who] -= deal.amount;
        self.take(n, who);
        Ok(())
    }

    /// The money moves to the merchant.
    fn take(&mut self, n: usize, who: usize) {
        let deal = &mut self.deals[n];
        let fee = deal.amount * FEE / 10_000;
        (deal.state, deal.fee, deal.expires) = (State::Paid, fee, None);
        self.has[who] -= deal.amount;
        self.shop += deal.amount - fee;
        self.fees += fee;
    }

    pub fn subscribe(&mut self, amount: i64, max: i64, now: LogTime) -> Result<(), ()> {
        if amount > max {
            return Err(());
        }
        self.begin('p', State::Ready, None, amount, now);
        let deal = self.deals.len() - 1;
        self.deals[deal].expires = Some(LogTime(now.0 + HOUR / 4));
        self.consents.push(Consent {
            deal,
            max,
            given: None,
            charged: 0,
            revoked: false,
        });
        Ok(())
    }

    pub fn charge_again(&mut self, n: usize, amount: i64, now: LogTime) -> Result<(), ()> {
        let consent = self.consents.get(n).cloned().ok_or(())?;
        let (when, who) = consent.given.ok_or(())?;
        let day = (now.0 - when.0) / (24 * HOUR);
        if consent.revoked || amount > consent.max || day <= consent.charged {
            return Err(());
        }
        self.spend(who, amount, now)?;
        self.begin('p', State::Paid, Some(who), amount, now);
        let deal = self.deals.len() - 1;
        if self.looks_at(amount) {
            self.held[who] += amount;
            self.look_at(deal, Then::Take, now);
        } else {
            self.take(deal, who);
        }
        self.consents[n].charged = day;
        Ok(())
    }

    pub fn revoke(&mut self, who: usize, n: usize) -> Result<(), ()> {
        let consent = self.consents.get_mut(n).ok_or(())?;
        let given = consent.given.is_some_and(|(_, by)| by == who);
        if !given || consent.revoked {
            return Err(());
        }
        consent.revoked = true;
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
            State::Held | State::Review if amount == left => {
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
        if self.looks_at(amount) {
            self.look_at(n, Then::Hold(72 * HOUR), now);
        }
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

    pub fn bill(&mut self, asker: usize, shares: [Option<i64>; 3], now: LogTime) -> Result<(), ()> {
        let others = (0..3).filter(|who| *who != asker);
        let share = |who: usize| {
            let (amount, state) = (shares[who]?, 'o');
            let deal = None;
            Some(Share {
                who,
                amount,
                state,
                deal,
            })
        };
        let shares: Vec<Share> = others.filter_map(share).collect();
        if shares.is_empty() {
            return Err(());
        }
        self.bills.push(Bill {
            asker,
            shares,
            canceled: false,
            expires: LogTime(now.0 + BILL_LASTS),
        });
        Ok(())
    }

    /// The bill and the share that `who` may answer.
    fn waits(&self, who: usize, n: usize, now: LogTime) -> Result<(usize, usize), ()> {
        let bill = self.bills.get(n).ok_or(())?;
        let share = bill.shares.iter();
        let share = share
            .clone()
            .position(|one| one.who == who && one.state == 'o');
        let live = !bill.canceled && now < bill.expires;
        share.filter(|_| live).map(|share| (n, share)).ok_or(())
    }

    pub fn pay_share(&mut self, who: usize, n: usize, now: LogTime) -> Result<(), ()> {
        let (n, share) = self.waits(who, n, now)?;
        let (asker, amount) = (self.bills[n].asker, self.bills[n].shares[share].amount);
        self.transfer(who, asker, amount, now)?;
        let deal = self.deals.len() - 1;
        let looked_at = self.deals[deal].state == State::Review;
        let share = &mut self.bills[n].shares[share];
        share.state = if looked_at { 'r' } else { 'p' };
        share.deal = Some(deal);
        Ok(())
    }

    pub fn decline_share(&mut self, who: usize, n: usize, now: LogTime) -> Result<(), ()> {
        let (n, share) = self.waits(who, n, now)?;
        self.bills[n].shares[share].state = 'd';
        Ok(())
    }

    pub fn cancel_bill(&mut self, who: usize, n: usize, now: LogTime) -> Result<(), ()> {
        let bill = self.bills.get_mut(n).ok_or(())?;
        let waits = bill
            .shares
            .iter()
            .any(|share| matches!(share.state, 'o' | 'r'));
        if bill.asker != who || bill.canceled || !waits || now >= bill.expires {
            return Err(());
        }
        bill.canceled = true;
        Ok(())
    }
}
