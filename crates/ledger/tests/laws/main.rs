//! The laws of the ledger, over generated histories beside a model that shares no code with it.

mod model;
mod steps;

use bongsu_base::LogTime;
use bongsu_ledger::{
    AccountId, Between, Currency, Instruction, Kind, LedgerId, Limit, MIGRATIONS, Money,
    NewAccount, Refused, Start, Transfer, apply, apply_one, balance, balance_at, check, close,
    expire, freeze, migrated, open_account, open_ledger, statement,
};
use model::{Account, Model, Sums};
use proptest::prelude::*;
use rusqlite::Connection;
use rusqlite::types::Value;
use steps::{Step, steps, transfer_id, won};

/// Account, ledger, currency, limit.
const ACCOUNTS: [(i64, u32, &str, Option<char>); 8] = [
    (1, 1, "KRW", None),
    (2, 1, "KRW", Some('d')),
    (3, 1, "KRW", Some('d')),
    (4, 1, "KRW", Some('d')),
    (5, 1, "KRW", Some('c')),
    (6, 2, "KRW", None),
    (7, 3, "USD", None),
    (8, 3, "USD", Some('d')),
];

/// The ledger, and beside it what should be in it.
struct Bench {
    db: Connection,
    model: Model,
    time: i64,
    asked: Vec<Instruction>,
    batches: Vec<Vec<Instruction>>,
}

impl Bench {
    fn new() -> Self {
        let db = Connection::open_in_memory().expect("opens");
        db.execute_batch(&MIGRATIONS.concat()).expect("a schema");
        migrated(&db).expect("nothing to move");
        let mut model = Model::default();
        for (id, ledger, currency, limit) in ACCOUNTS {
            let parsed: Currency = currency.parse().expect("a currency");
            open_ledger(&db, LedgerId(ledger), parsed)
                .expect("written")
                .expect("opened");
            let account = NewAccount {
                id: AccountId(id),
                ledger: LedgerId(ledger),
                code: 0,
                limit: match limit {
                    None => Limit::None,
                    Some('d') => Limit::DebitsWithinCredits,
                    Some(_) => Limit::CreditsWithinDebits,
                },
            };
            open_account(&db, LogTime(0), account)
                .expect("written")
                .expect("opened");
            let account = Account {
                ledger,
                currency,
                limit,
                frozen: false,
                closed: false,
            };
            model.accounts.insert(id, account);
        }
        Self {
            db,
            model,
            time: 0,
            asked: Vec::new(),
            batches: Vec::new(),
        }
    }

    fn ask(&mut self, time: i64, batch: &[Instruction]) {
        let answers = apply(&self.db, LogTime(time), batch).expect("applied");
        assert_eq!(answers, self.model.batch(time, batch), "{batch:?}");
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Batch(orders) => {
                let from = self.asked.len();
                for order in orders {
                    let instruction = order.instruction(self.time, &self.asked);
                    self.asked.push(instruction);
                }
                let batch = self.asked[from..].to_vec();
                self.ask(self.time, &batch);
                self.batches.push(batch);
            }
            Step::Again(which) => {
                if !self.batches.is_empty() {
                    let batch = self.batches[which % self.batches.len()].clone();
                    self.ask(self.time, &batch);
                }
            }
            Step::Late(order) => {
                let instruction = order.instruction(self.time, &self.asked);
                self.asked.push(instruction);
                self.ask(self.time - 1, &[instruction]);
            }
            Step::Wait(span) => self.time += span,
            Step::Expire(most) => {
                let ended = expire(&self.db, LogTime(self.time), *most).expect("written");
                let from = self.model.events.len();
                let expected = self.model.expire(self.time, *most as usize);
                assert_eq!(ended.len(), expected.len());
                for (at, done) in ended.iter().enumerate() {
                    let event = &self.model.events[from + at];
                    assert_eq!((done.n, done.time.0), ((from + at) as i64 + 1, event.time));
                    assert_eq!(i128::from(done.amount.minor()), event.amount);
                }
            }
            Step::Freeze(id, frozen) => {
                let answer = freeze(&self.db, AccountId(*id), *frozen).expect("written");
                assert_eq!(answer, self.model.freeze(*id, *frozen));
            }
            Step::Close(id) => {
                let answer = close(&self.db, AccountId(*id)).expect("written");
                assert_eq!(answer, self.model.close(*id));
            }
        }
    }

    fn balance(&self, id: i64) -> Sums {
        let balance = balance(&self.db, AccountId(id)).expect("readable");
        sums(&balance.expect("an account"))
    }

    /// Debits equal credits in every ledger, and no limit is passed.
    fn invariants(&self) {
        let mut totals = std::collections::BTreeMap::<u32, Sums>::new();
        for (id, ledger, _, limit) in ACCOUNTS {
            let sums = self.balance(id);
            let total = totals.entry(ledger).or_default();
            for (total, sum) in total.iter_mut().zip(sums) {
                assert!(sum >= 0);
                *total += sum;
            }
            match limit {
                Some('d') => assert!(sums[0] + sums[2] <= sums[1], "account {id}: {sums:?}"),
                Some(_) => assert!(sums[1] + sums[3] <= sums[0], "account {id}: {sums:?}"),
                None => {}
            }
        }
        for (ledger, [debits, credits, held, due]) in totals {
            assert_eq!((debits, held), (credits, due), "ledger {ledger}");
        }
    }

    /// Balances at all times, and statements, are those of the model.
    fn history(&self) {
        for (id, ..) in ACCOUNTS {
            assert_eq!(
                self.balance(id),
                self.model.sums(id, i64::MAX),
                "account {id}"
            );
            for time in -1..=self.time {
                let past = balance_at(&self.db, AccountId(id), LogTime(time)).expect("readable");
                let past = sums(&past.expect("an account"));
                assert_eq!(past, self.model.sums(id, time), "account {id} at {time}");
            }
            let events = self.model.events.iter().zip(1..);
            let mine = events.filter(|(event, _)| event.debit == id || event.credit == id);
            let mut expected: Vec<i64> = mine.map(|(_, n)| n).collect();
            expected.reverse();
            let (mut found, mut start) = (Vec::new(), Start::Newest);
            loop {
                let page = statement(&self.db, AccountId(id), start, 3).expect("readable");
                let page = page.expect("a page");
                found.extend(page.lines.iter().map(|line| line.transfer.n));
                let Some(next) = page.next else { break };
                start = Start::Cursor(next);
            }
            assert_eq!(found, expected, "account {id}");
        }
        let count = self.model.events.len() as i64;
        assert_eq!(check(&self.db), Ok(Ok(count)));
    }

    /// Whatever is still held ends, and every hold has ended exactly once.
    fn holds_end(&mut self) {
        self.time += 1_000;
        self.step(&Step::Expire(u32::MAX));
        for at in self.model.open() {
            let hold = self.model.events[at].id;
            let id = transfer_id(self.asked.len());
            self.asked.push(Instruction::void(id, hold));
            let void = self.asked[self.asked.len() - 1];
            self.ask(self.time, &[void]);
        }
        let mut ends = vec![0; self.model.events.len() + 1];
        for n in 1..ends.len() {
            let row = Transfer::by_number(&self.db, n as i64).expect("readable");
            let row = row.expect("a transfer");
            if matches!(row.kind, Kind::Settle | Kind::Void | Kind::Expire) {
                ends[row.refers.expect("a hold") as usize] += 1;
            }
        }
        for (event, ends) in self.model.events.iter().zip(&ends[1..]) {
            assert_eq!(*ends, u32::from(event.kind == Kind::Hold), "{event:?}");
        }
        for (id, ..) in ACCOUNTS {
            assert_eq!(self.balance(id)[2..], [0, 0], "account {id}");
        }
    }

    /// What is moved and then moved back leaves every balance as it was.
    fn reversal_restores(&self) {
        let nets = || ACCOUNTS.map(|(id, ..)| self.balance(id)[1] - self.balance(id)[0]);
        let before = nets();
        let between = Between {
            debit: AccountId(1),
            credit: AccountId(2),
            money: Money { ..won(7) },
        };
        let (there, back) = (transfer_id(100_000), transfer_id(100_001));
        let ask =
            |instruction| apply_one(&self.db, LogTime(self.time), instruction).expect("applied");
        if ask(Instruction::transfer(there, between)).is_err() {
            assert_eq!(nets(), before);
            return;
        }
        assert_ne!(nets(), before);
        let reversed = ask(Instruction::reverse(back, there, None));
        if reversed == Err(Refused::BalanceOverflows) {
            // The histories have amounts that fill an account at once.
            assert!(
                self.balance(1)[1] + 7 > i64::MAX.into()
                    || self.balance(2)[0] + 7 > i64::MAX.into()
            );
            return;
        }
        assert!(reversed.is_ok(), "{reversed:?}");
        assert_eq!(nets(), before);
    }

    /// Every byte of every table.
    fn contents(&self) -> Vec<Vec<Value>> {
        let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
        let mut tables = self.db.prepare(tables).expect("readable");
        let tables = tables.query_map((), |row| row.get::<_, String>(0));
        let mut all = Vec::new();
        for table in tables.expect("readable") {
            let query = format!("SELECT * FROM {} ORDER BY 1", table.expect("a name"));
            let mut statement = self.db.prepare(&query).expect("readable");
            let columns = statement.column_count();
            let rows = statement.query_map((), |row| (0..columns).map(|at| row.get(at)).collect());
            all.extend(rows.expect("readable").map(|row| row.expect("a row")));
        }
        all
    }
}

fn sums(balance: &bongsu_ledger::Balance) -> Sums {
    [
        balance.debits_posted.into(),
        balance.credits_posted.into(),
        balance.debits_pending.into(),
        balance.credits_pending.into(),
    ]
}

fn history_is_lawful(steps: &[Step]) {
    let mut bench = Bench::new();
    for step in steps {
        bench.step(step);
        bench.invariants();
    }
    bench.history();
    bench.holds_end();
    bench.reversal_restores();
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig::with_cases(cases)
}

proptest! {
    #![proptest_config(cases(5_000))]

    #[test]
    fn short_batches_obey_the_laws(steps in steps(1..4, 1..30)) {
        history_is_lawful(&steps);
    }

    #[test]
    fn long_batches_obey_the_laws(steps in steps(1..12, 1..12)) {
        history_is_lawful(&steps);
    }
}

proptest! {
    #![proptest_config(cases(1_000))]

    /// The same calls give the same bytes in a fresh database, and all of them again change none.
    #[test]
    fn a_replay_gives_the_same_bytes(steps in steps(1..6, 1..10)) {
        let [mut first, mut second] = [Bench::new(), Bench::new()];
        for bench in [&mut first, &mut second] {
            for step in &steps {
                bench.step(step);
            }
        }
        let contents = first.contents();
        prop_assert_eq!(&contents, &second.contents());
        for batch in first.batches.clone() {
            first.ask(first.time, &batch);
        }
        prop_assert_eq!(contents, first.contents());
    }
}

#[test]
fn the_generated_histories_reach_every_rule_and_every_kind() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let (mut rules, mut kinds) = (std::collections::BTreeSet::new(), [0; 7]);
    for _ in 0..600 {
        let tree = steps(1..6, 1..40).new_tree(&mut runner).expect("generated");
        let mut bench = Bench::new();
        for step in tree.current() {
            bench.step(&step);
        }
        for event in &bench.model.events {
            kinds[event.kind as usize] += 1;
        }
        let answers = bench.model.answers.values();
        rules.extend(answers.filter_map(|(_, answer)| answer.err().map(|rule| rule as u8)));
    }
    assert!(kinds[1..].iter().all(|count| *count > 100), "{kinds:?}");
    use bongsu_ledger::Refused::*;
    for rule in [
        BalanceOverflows,
        OtherCurrency,
        OtherLedger,
        NoSuchAccount,
        SameAccount,
        AccountClosed,
        AccountFrozen,
        ExceedsCredits,
        ExceedsDebits,
        NoSuchTransfer,
        NotAHold,
        HoldIsOver,
        ExceedsHold,
        ExpiryNotLater,
        NotReversible,
        ExceedsOriginal,
        LinkedFailed,
        LinkedToKnown,
    ] {
        assert!(rules.contains(&(rule as u8)), "{rule:?} was never reached");
    }
}
