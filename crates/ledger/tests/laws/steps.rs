//! Generated histories.

use bongsu_base::LogTime;
use bongsu_ledger::{AccountId, Act, Amount, Between, Currency, Instruction, Money, TransferId};
use proptest::prelude::*;
use std::ops::Range;

/// What is asked; which earlier instruction it names is told by how far back that was.
#[derive(Debug, Clone)]
pub struct Order {
    kind: u8,
    debit: i64,
    credit: i64,
    money: Money,
    whole: bool,
    expires: Option<i64>,
    back: usize,
    /// Names any earlier instruction, not one that fits.
    any: bool,
    /// Takes an earlier instruction's id.
    stolen: bool,
    linked: bool,
}

#[derive(Debug, Clone)]
pub enum Step {
    Batch(Vec<Order>),
    /// An earlier batch once more.
    Again(usize),
    /// With a time before now.
    Late(Order),
    Wait(i64),
    Expire(u32),
    Freeze(i64, bool),
    Close(i64),
}

pub fn won(minor: i64) -> Money {
    Money {
        amount: Amount::new(minor).expect("an amount"),
        currency: Currency::KRW,
    }
}

/// The id of the instruction that was asked as the `n`th, in no order.
pub fn transfer_id(n: usize) -> TransferId {
    let mixed = (n as u128 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
    TransferId(mixed.to_be_bytes())
}

impl Order {
    pub fn instruction(&self, time: i64, asked: &[Instruction]) -> Instruction {
        let fits = |act: &Act| match self.kind {
            2 | 3 => matches!(act, Act::Hold { .. }),
            _ => matches!(act, Act::Transfer(_) | Act::Settle { .. }),
        };
        let earlier = asked.iter().rev();
        let fitting = earlier.filter(|earlier| self.any || fits(&earlier.act));
        let named = fitting.map(|earlier| earlier.id).nth(self.back);
        let fresh = transfer_id(asked.len());
        let id = named.filter(|_| self.stolen).unwrap_or(fresh);
        let named = named.unwrap_or(transfer_id(200_000));
        let between = Between {
            debit: AccountId(self.debit),
            credit: AccountId(self.credit),
            money: self.money,
        };
        let money = (!self.whole).then_some(self.money);
        let instruction = match self.kind {
            0 => Instruction::transfer(id, between),
            1 => {
                let expires = self.expires.map(|span| LogTime(time + span));
                Instruction::hold(id, between, expires)
            }
            2 => Instruction::settle(id, named, money),
            3 => Instruction::void(id, named),
            _ => Instruction::reverse(id, named, money),
        };
        if self.linked {
            instruction.linked()
        } else {
            instruction
        }
    }
}

fn order() -> impl Strategy<Value = Order> {
    let kind = prop_oneof![4 => Just(0_u8), 4 => Just(1), 3 => Just(2), 1 => Just(3), 2 => Just(4)];
    let debit = prop::sample::select(&[1_i64, 1, 1, 1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 9][..]);
    let credit = prop::sample::select(&[2_i64, 2, 2, 3, 3, 3, 4, 4, 1, 1, 5, 6, 7, 8, 9][..]);
    let minor = prop_oneof![80 => 1..50_i64, 1 => Just(i64::MAX - 20)];
    let usd: Currency = "USD".parse().expect("a currency");
    let currency = prop_oneof![14 => Just(Currency::KRW), 1 => Just(usd)];
    let money = (minor, currency).prop_map(|(minor, currency)| Money {
        currency,
        ..won(minor)
    });
    let expires = prop_oneof![1 => Just(None), 2 => (0..12_i64).prop_map(Some)];
    let rarely = prop::bool::weighted;
    let flags = (rarely(0.04), rarely(0.1), rarely(0.15));
    let what = (kind, debit, credit, money);
    let how = (any::<bool>(), expires, 0..3_usize, flags);
    (what, how).prop_map(|(what, how)| Order {
        kind: what.0,
        debit: what.1,
        credit: what.2,
        money: what.3,
        whole: how.0,
        expires: how.1,
        back: how.2,
        any: how.3.2,
        stolen: how.3.0,
        linked: how.3.1,
    })
}

/// Histories with so many instructions a batch and so many steps.
pub fn steps(batch: Range<usize>, count: Range<usize>) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        30 => prop::collection::vec(order(), batch).prop_map(Step::Batch),
        2 => any::<usize>().prop_map(Step::Again),
        1 => order().prop_map(Step::Late),
        8 => (1..6_i64).prop_map(Step::Wait),
        6 => (0..4_u32).prop_map(Step::Expire),
        1 => (1..9_i64, prop::bool::weighted(0.3)).prop_map(|(id, frozen)| Step::Freeze(id, frozen)),
        1 => (1..9_i64).prop_map(Step::Close),
    ];
    prop::collection::vec(step, count)
}
