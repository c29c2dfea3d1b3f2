//! Whatever happens to lots in whatever order, each is exact and together they are the accounts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use mizan_ledger::postings::{
    CashbackAccrued, CashbackClawedBack, CashbackExpired, CashbackRestored, CashbackVested,
    PromoGranted, WalletHeld, WalletReleased,
};
use mizan_ledger::{Posting, Side};
use mizan_money::id::RefundId;
use proptest::collection::vec;
use proptest::prelude::*;

use super::super::claw::{ClawBack, RefundOfOrder, Taken, take_back};
use super::super::give_back::go_back;
use super::*;

const C: &str = "C1";

pub(in super::super) fn t0() -> Timestamp {
    "2026-03-02T09:00:00Z".parse().unwrap()
}

pub(in super::super) fn aed(minor: i64) -> Money {
    Money::new(minor, Currency::AED)
}

pub(in super::super) fn lot(
    amount: i64,
    state: LotState,
    now: Timestamp,
    days: Option<i64>,
) -> Lot {
    let (payment, rule) = match state {
        LotState::Pending => {
            (Some(PaymentIntentId::generate(now)), Some(CashbackRuleId::generate(now)))
        }
        LotState::Vested => (None, None),
    };
    let vests_at = if payment.is_some() { now + Duration::days(3) } else { now };
    Lot {
        id: LotId::generate(now),
        customer: C.into(),
        currency: Currency::AED,
        origin: if payment.is_some() { Origin::Cashback } else { Origin::Goodwill },
        payment,
        rule,
        reason: None,
        amount,
        held: 0,
        spent: 0,
        expired: 0,
        clawed: 0,
        withheld: 0,
        state,
        earned_at: now,
        vests_at,
        expires_at: days.map(|days| vests_at + Duration::days(days)),
        back_at: None,
        created_by: "test".into(),
    }
}

pub(in super::super) fn refund_of(
    refunded: i64,
    before: i64,
    withhold_at_most: i64,
) -> RefundOfOrder {
    RefundOfOrder {
        refund: RefundId::generate(t0()),
        payment: PaymentIntentId::generate(t0()),
        refunded: aed(refunded),
        refundable_before: aed(before),
        withhold_at_most: aed(withhold_at_most),
    }
}

#[derive(Debug, Clone)]
enum Step {
    Earn(i64),
    Grant(i64, Option<i64>),
    /// Days pass, and the jobs run, or do not.
    Wait(i64, bool),
    Hold(i64),
    Spend(usize),
    Release(usize),
    /// So many thousandths of what could come back.
    GiveBack(usize, i64),
    /// The same, and whether anything may be withheld.
    ClawBack(usize, i64, bool),
    /// The refund came to nothing.
    Undo(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let n = 0_usize..8;
    let part = prop_oneof![Just(1_000_i64), 1_i64..1_000];
    prop_oneof![
        (1_i64..3_000).prop_map(Step::Earn),
        (1_i64..3_000, prop::option::of(1_i64..20)).prop_map(|(a, d)| Step::Grant(a, d)),
        (1_i64..6, any::<bool>()).prop_map(|(days, jobs)| Step::Wait(days, jobs)),
        (1_i64..2_500).prop_map(Step::Hold),
        n.clone().prop_map(Step::Spend),
        n.clone().prop_map(Step::Release),
        (n.clone(), part.clone()).prop_map(|(n, part)| Step::GiveBack(n, part)),
        (n.clone(), part, any::<bool>()).prop_map(|(n, part, may)| Step::ClawBack(n, part, may)),
        n.prop_map(Step::Undo),
    ]
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    Held,
    Spent,
    Over,
}

struct Cart {
    payment: PaymentIntentId,
    /// Lot, how much of it, how much came back.
    uses: Vec<(LotId, i64, i64)>,
    stage: Stage,
}

struct World {
    now: Timestamp,
    lots: Vec<Lot>,
    carts: Vec<Cart>,
    /// What the orders that earned lots can still be refunded.
    orders: BTreeMap<PaymentIntentId, i64>,
    /// The refunds that stand: of which order, of how much, and what they took.
    refunds: Vec<(PaymentIntentId, i64, Vec<Taken>)>,
    accounts: BTreeMap<String, i64>,
}

impl World {
    fn book(&mut self, posting: Posting) {
        for leg in posting.legs() {
            let sign = if leg.side == Side::Credit { 1 } else { -1 };
            let net = self.accounts.entry(leg.account.path().to_owned()).or_default();
            *net += sign * leg.amount.minor();
        }
    }

    fn move_promo(&mut self, bucket: &str, minor: i64) {
        *self.accounts.entry(format!("customer_wallet:{C}:promo:{bucket}")).or_default() += minor;
    }

    fn lot(&mut self, id: LotId) -> &mut Lot {
        self.lots.iter_mut().find(|lot| lot.id == id).unwrap()
    }

    fn jobs(&mut self) {
        let (now, customer) = (self.now, C.to_owned());
        let mut postings = Vec::new();
        for lot in &mut self.lots {
            if lot.state == LotState::Pending && lot.vests_at <= now {
                let amount = lot.vest();
                if !amount.is_zero() {
                    let customer = customer.clone();
                    postings.push(CashbackVested { customer, amount }.posting());
                }
            }
            if lot.state == LotState::Vested && lot.is_over(now) && lot.left() > 0 {
                assert!(lot.ended_at().unwrap() <= now);
                let (customer, amount) = (customer.clone(), lot.expire());
                let to = ExpiredCredit::Income.account(lot.origin);
                postings.push(CashbackExpired { customer, amount, to }.posting());
            }
        }
        postings.into_iter().for_each(|posting| self.book(posting.unwrap()));
    }

    fn hold(&mut self, promo: i64) {
        let now = self.now;
        let usable: i64 = self.lots.iter().filter(|l| l.is_usable(now)).map(Lot::left).sum();
        let before = self.lots.clone();
        match pick(&mut self.lots, C, aed(promo), now) {
            Err(WalletError::Insufficient { left, .. }) => {
                assert!(promo > usable && left == aed(usable));
                assert_eq!(self.lots, before, "a refusal holds nothing");
            }
            Err(other) => panic!("{other}"),
            Ok(picked) => {
                assert_eq!(picked.iter().map(|(_, part)| part).sum::<i64>(), promo);
                assert!(picked.windows(2).all(|pair| pair[0].0 < pair[1].0), "sorted");
                let last = picked.iter().filter_map(|(id, _)| self.lot(*id).expires_at).max();
                let skipped = |lot: &&Lot| lot.is_usable(now) && lot.expires_at < last;
                let skipped: Vec<&Lot> =
                    self.lots.iter().filter(|l| l.expires_at.is_some()).filter(skipped).collect();
                assert!(skipped.is_empty(), "what ends first is spent first: {skipped:?}");
                let uses = picked.into_iter().map(|(id, part)| (id, part, 0)).collect();
                let payment = PaymentIntentId::generate(now);
                self.carts.push(Cart { payment, uses, stage: Stage::Held });
                let (customer, cash, promo) = (C.into(), aed(0), aed(promo));
                self.book(WalletHeld { customer, cash, promo }.posting().unwrap());
            }
        }
    }

    /// The n-th cart of a stage that becomes another.
    fn cart(&mut self, n: usize, from: Stage, to: Stage) -> Option<(usize, i64)> {
        let mut fitting = (0..self.carts.len()).filter(|&at| self.carts[at].stage == from);
        let at = fitting.nth(n)?;
        self.carts[at].stage = to;
        Some((at, self.carts[at].uses.iter().map(|(_, amount, _)| amount).sum()))
    }

    fn give_back(&mut self, n: usize, part: i64) {
        let now = self.now;
        let Some((at, _)) = self.cart(n, Stage::Spent, Stage::Spent) else { return };
        let payment = self.carts[at].payment;
        let open = |it: &(LotId, i64, i64)| it.1 > it.2;
        let uses: Vec<_> = self.carts[at].uses.iter().copied().filter(open).collect();
        let weights: Vec<i64> = uses.iter().map(|(_, amount, back)| amount - back).collect();
        let promo = weights.iter().sum::<i64>() * part / 1_000;
        if promo == 0 {
            return;
        }
        let mut lots: Vec<Lot> = uses.iter().map(|(id, _, _)| self.lot(*id).clone()).collect();
        let (made, given) = go_back(&mut lots, &weights, payment, aed(promo), now).unwrap();
        for lot in lots {
            let id = lot.id;
            *self.lot(id) = lot;
        }
        for given in given {
            let mut uses = self.carts[at].uses.iter_mut();
            uses.find(|(id, _, _)| *id == given.from_lot).unwrap().2 += given.amount;
        }
        self.lots.extend(made);
        self.move_promo("spendable", promo);
    }

    fn claw_back(&mut self, n: usize, part: i64, may_withhold: bool) {
        let Some((&order, &before)) = self.orders.iter().nth(n) else { return };
        let refunded = before * part / 1_000;
        let earned = |lot: &&Lot| lot.payment == Some(order) && lot.origin == Origin::Cashback;
        let mut lots: Vec<Lot> = self.lots.iter().filter(earned).cloned().collect();
        let left: i64 = lots.iter().map(Lot::left).sum();
        let most = if may_withhold { i64::MAX } else { 0 };
        let taken = take_back(&mut lots, &refund_of(refunded, before, most)).unwrap();
        let sums = ClawBack::of(Currency::AED, &lots, &taken).unwrap();
        if sums.withheld.is_positive() {
            let gone = sums.pending.minor() + sums.promo.minor();
            assert!(may_withhold, "nothing may be withheld");
            assert!(gone == left || lots.iter().all(|lot| lot.reclaimable() <= lot.spent));
        }
        for lot in lots {
            if before == refunded && before > 0 && may_withhold {
                assert_eq!(lot.reclaimable(), 0, "a full refund takes everything");
            }
            let id = lot.id;
            *self.lot(id) = lot;
        }
        self.orders.insert(order, before - refunded);
        self.refunds.push((order, refunded, taken));
        let (customer, pending, promo) = (C.into(), sums.pending, sums.promo);
        if !(pending.is_zero() && promo.is_zero()) {
            self.book(CashbackClawedBack { customer, pending, promo }.posting().unwrap());
        }
    }

    fn undo(&mut self, n: usize) {
        if n >= self.refunds.len() {
            return;
        }
        let ((order, refunded, taken), now) = (self.refunds.remove(n), self.now);
        *self.orders.get_mut(&order).unwrap() += refunded;
        for part in &taken {
            self.lot(part.lot).restore(part.taken, part.withheld, now).unwrap();
        }
        let sums = ClawBack::of(Currency::AED, &self.lots, &taken).unwrap();
        let (customer, pending, promo) = (C.into(), sums.pending, sums.promo);
        if !(pending.is_zero() && promo.is_zero()) {
            self.book(CashbackRestored { customer, pending, promo }.posting().unwrap());
        }
    }

    fn take(&mut self, step: Step) {
        let (now, customer) = (self.now, C.to_owned());
        match step {
            Step::Earn(minor) => {
                let earned = lot(minor, LotState::Pending, now, Some(4));
                self.orders.insert(earned.payment.unwrap(), minor * 20);
                self.lots.push(earned);
                let amount = aed(minor);
                self.book(CashbackAccrued { customer, amount }.posting().unwrap());
            }
            Step::Grant(minor, days) => {
                self.lots.push(lot(minor, LotState::Vested, now, days));
                self.book(PromoGranted { customer, amount: aed(minor) }.posting().unwrap());
            }
            Step::Wait(days, jobs) => {
                self.now = now + Duration::days(days);
                if jobs {
                    self.jobs();
                }
            }
            Step::Hold(promo) => self.hold(promo),
            Step::Spend(n) => {
                let Some((at, promo)) = self.cart(n, Stage::Held, Stage::Spent) else { return };
                for (id, amount, _) in self.carts[at].uses.clone() {
                    self.lot(id).spend(amount).unwrap();
                }
                self.move_promo("held", -promo);
            }
            Step::Release(n) => {
                let Some((at, promo)) = self.cart(n, Stage::Held, Stage::Over) else { return };
                for (id, amount, _) in self.carts[at].uses.clone() {
                    self.lot(id).release(amount, now).unwrap();
                }
                let (cash, promo) = (aed(0), aed(promo));
                self.book(WalletReleased { customer, cash, promo }.posting().unwrap());
            }
            Step::GiveBack(n, part) => self.give_back(n, part),
            Step::ClawBack(n, part, may) => self.claw_back(n, part, may),
            Step::Undo(n) => self.undo(n),
        }
    }

    fn check(&self) {
        let sum = |state: LotState, of: fn(&Lot) -> i64| {
            self.lots.iter().filter(|lot| lot.state == state).map(of).sum::<i64>()
        };
        for lot in &self.lots {
            let parts = [lot.left(), lot.held, lot.spent, lot.expired, lot.clawed];
            assert!(parts.iter().all(|part| *part >= 0) && lot.withheld >= 0, "{lot:?}");
            assert_eq!(parts.iter().sum::<i64>(), lot.amount, "{lot:?}");
            assert!(lot.clawed + lot.withheld <= lot.amount, "{lot:?}");
            if lot.state == LotState::Pending {
                assert_eq!(lot.held + lot.spent + lot.expired, 0, "{lot:?}");
            }
        }
        let account = |path: String| self.accounts.get(&path).copied().unwrap_or(0);
        let promo = |bucket: &str| account(format!("customer_wallet:{C}:promo:{bucket}"));
        let pending = account(format!("cashback_liability:{C}"));
        assert_eq!(pending, sum(LotState::Pending, Lot::left));
        assert_eq!(promo("spendable"), sum(LotState::Vested, Lot::left));
        assert_eq!(promo("held"), sum(LotState::Vested, |lot| lot.held));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_lot_is_exact_and_together_they_are_the_accounts(steps in vec(step(), 1..60)) {
        let mut world = World {
            now: t0(),
            lots: Vec::new(),
            carts: Vec::new(),
            orders: BTreeMap::new(),
            refunds: Vec::new(),
            accounts: BTreeMap::new(),
        };
        for step in steps {
            world.take(step);
            world.check();
        }
    }
}

#[test]
fn what_goes_back_to_a_lot_that_has_ended_can_be_spent_for_a_week() {
    let mut lots =
        [lot(500, LotState::Vested, t0(), Some(2)), lot(500, LotState::Vested, t0(), None)];
    lots.iter_mut().for_each(|lot| lot.spent = 500);
    let now = t0() + Duration::days(30);
    let payment = PaymentIntentId::generate(now);
    let (made, given) = go_back(&mut lots, &[500, 500], payment, aed(601), now).unwrap();
    assert_eq!(given.iter().map(|it| it.amount).collect::<Vec<_>>(), [301, 300]);
    assert_eq!((lots[0].spent, lots[1].spent), (500, 200));
    assert_eq!(made.len(), 1);
    assert_eq!((made[0].amount, made[0].left()), (301, 301));
    assert_eq!(made[0].expires_at, Some(now + Duration::days(7)));
    assert!(
        made[0].is_usable(now + Duration::days(6)) && !made[0].is_usable(now + Duration::days(7))
    );
}
