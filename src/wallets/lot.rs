//! One promo credit, and which of them are spent first. Pure.

use chrono::Duration;
use mizan_ledger::Role;
use mizan_money::id::PaymentIntentId;
use mizan_money::{Currency, Money, Timestamp};

use super::error::WalletError;
use super::rule::CashbackRuleId;

mizan_money::typed_id! {
    /// A promo credit.
    pub struct LotId("lot");
}

/// Where a credit came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A payment earned it.
    Cashback,
    /// Somebody gave it.
    Goodwill,
    /// A refund gave it back after the credit it was spent from had ended.
    Refund,
    /// It came with the books, from another system.
    Opening,
}

/// Whether a credit can be spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LotState {
    /// Earned; the return window is open.
    Pending,
    /// In the promo purse.
    Vested,
}

/// What the books do with a credit that ends unspent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExpiredCredit {
    /// It is breakage income.
    #[default]
    Income,
    /// The expense that it was is taken back.
    ExpenseReversal,
}

/// A promo credit. All amounts are minor units of `currency`; what is neither held, spent,
/// expired nor clawed back is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lot {
    /// Its id.
    pub id: LotId,
    /// Whose it is.
    pub customer: String,
    /// In what.
    pub currency: Currency,
    /// Where it came from.
    pub origin: Origin,
    /// The payment that earned it, or whose refund gave it back.
    pub payment: Option<PaymentIntentId>,
    /// The rule that granted it.
    pub rule: Option<CashbackRuleId>,
    /// Why somebody gave it.
    pub reason: Option<String>,
    /// How much it was.
    pub amount: i64,
    /// Held by checkouts.
    pub held: i64,
    /// Spent by payments.
    pub spent: i64,
    /// Ended unspent.
    pub expired: i64,
    /// Taken back because the order that earned it was refunded.
    pub clawed: i64,
    /// Kept back from those refunds, because it had been spent. No part of the amount.
    pub withheld: i64,
    /// Whether it can be spent.
    pub state: LotState,
    /// When it was earned.
    pub earned_at: Timestamp,
    /// From when on it can be spent.
    pub vests_at: Timestamp,
    /// Until when.
    pub expires_at: Option<Timestamp>,
    /// When something last came back to it.
    pub back_at: Option<Timestamp>,
    /// By whom: an API key or a job.
    pub created_by: String,
}

impl Origin {
    /// The word for answers and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cashback => "cashback",
            Self::Goodwill => "goodwill",
            Self::Refund => "refund",
            Self::Opening => "opening",
        }
    }

    /// The origin of a word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Cashback, Self::Goodwill, Self::Refund, Self::Opening]
            .into_iter()
            .find(|it| it.as_str() == word)
    }
}

impl LotState {
    /// The word for answers and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Vested => "vested",
        }
    }

    /// The state of a word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Pending, Self::Vested].into_iter().find(|it| it.as_str() == word)
    }
}

impl ExpiredCredit {
    /// The treatment of a word; income where it is none.
    pub fn parse(word: Option<&str>) -> Self {
        match word {
            Some("expense_reversal") => Self::ExpenseReversal,
            _ => Self::Income,
        }
    }

    /// The account that an ended credit of this origin goes to.
    pub const fn account(self, origin: Origin) -> Role {
        match (self, origin) {
            (Self::Income, _) => Role::BreakageIncome,
            (Self::ExpenseReversal, Origin::Goodwill | Origin::Opening) => Role::PromotionsExpense,
            (Self::ExpenseReversal, Origin::Cashback | Origin::Refund) => Role::CashbackExpense,
        }
    }
}

impl Lot {
    /// What is neither held, spent, expired nor clawed back. Never below zero: the parts are
    /// each at least zero and together at most the amount.
    pub const fn left(&self) -> i64 {
        self.amount - self.held - self.spent - self.expired - self.clawed
    }

    /// The same as money.
    pub const fn left_money(&self) -> Money {
        Money::new(self.left(), self.currency)
    }

    /// What may still be taken back when the order that earned it is refunded: what has ended
    /// unspent has done the customer no good.
    pub fn reclaimable(&self) -> i64 {
        (self.amount - self.clawed - self.withheld - self.expired).max(0)
    }

    /// Whether it has ended.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// Whether something of it can be spent.
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.state == LotState::Vested && self.left() > 0 && !self.is_over(now)
    }

    /// It can be spent from now on. Answers what moves into the purse.
    pub fn vest(&mut self) -> Money {
        self.state = LotState::Vested;
        self.left_money()
    }

    /// It has ended. Answers what was left.
    pub fn expire(&mut self) -> Money {
        let left = self.left();
        self.expired += left;
        Money::new(left, self.currency)
    }

    /// When its end counts: not before what ended was there.
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.expires_at.map(|end| self.back_at.map_or(end, |back| back.max(end)))
    }

    /// A checkout that held so much of it was given up.
    ///
    /// # Errors
    /// More than is held.
    pub fn release(&mut self, amount: i64, now: Timestamp) -> Result<(), WalletError> {
        self.held = self.take("held", self.held, amount)?;
        self.back_at = Some(now);
        Ok(())
    }

    /// A checkout that held so much of it was paid.
    ///
    /// # Errors
    /// More than is held.
    pub fn spend(&mut self, amount: i64) -> Result<(), WalletError> {
        self.held = self.take("held", self.held, amount)?;
        self.spent += amount;
        Ok(())
    }

    /// So much of what was spent comes back.
    ///
    /// # Errors
    /// More than was spent.
    pub fn unspend(&mut self, amount: i64, now: Timestamp) -> Result<(), WalletError> {
        self.spent = self.take("spent", self.spent, amount)?;
        self.back_at = Some(now);
        Ok(())
    }

    /// What a refund took of it, and what was withheld because of it, is the customer's again.
    ///
    /// # Errors
    /// More than was taken.
    pub fn restore(
        &mut self,
        taken: i64,
        withheld: i64,
        now: Timestamp,
    ) -> Result<(), WalletError> {
        self.clawed = self.take("clawed back", self.clawed, taken)?;
        self.withheld = self.take("withheld", self.withheld, withheld)?;
        self.back_at = Some(now);
        Ok(())
    }

    fn take(&self, what: &str, from: i64, amount: i64) -> Result<i64, WalletError> {
        match (0..=from).contains(&amount) {
            true => Ok(from - amount),
            false => {
                let id = self.id;
                let what = format!("{id} has {from} minor units {what}, {amount} were to go");
                Err(WalletError::Corrupt { what })
            }
        }
    }

    /// The order of spending: what ends first, then what was earned first.
    fn turn(&self) -> (bool, Option<Timestamp>, Timestamp, LotId) {
        (self.expires_at.is_none(), self.expires_at, self.earned_at, self.id)
    }
}

/// Holds `promo` on lots of one customer, those that end first first. Answers which and how much
/// in the order of the ids.
///
/// # Errors
/// [`WalletError::Insufficient`] where they have less: then nothing is held.
pub fn pick(
    lots: &mut [Lot],
    customer: &str,
    promo: Money,
    now: Timestamp,
) -> Result<Vec<(LotId, i64)>, WalletError> {
    let usable = |lot: &Lot| lot.is_usable(now) && lot.currency == promo.currency();
    let left =
        Money::sum(promo.currency(), lots.iter().filter(|lot| usable(lot)).map(Lot::left_money))?;
    if promo.minor() > left.minor() {
        let customer = customer.to_owned();
        return Err(WalletError::Insufficient { customer, asked: promo, left });
    }
    let mut turns: Vec<&mut Lot> = lots.iter_mut().filter(|lot| usable(lot)).collect();
    turns.sort_by_key(|lot| lot.turn());
    let (mut rest, mut picked) = (promo.minor(), Vec::new());
    for lot in turns {
        let part = rest.min(lot.left());
        if part == 0 {
            break;
        }
        lot.held += part;
        rest -= part;
        picked.push((lot.id, part));
    }
    picked.sort_unstable();
    Ok(picked)
}

/// So many days after a moment.
///
/// # Errors
/// The end of the calendar.
pub(super) fn days_after(moment: Timestamp, days: i32) -> Result<Timestamp, WalletError> {
    moment
        .checked_add_signed(Duration::days(days.into()))
        .ok_or_else(|| WalletError::invalid("days", "That is beyond the end of the calendar."))
}

#[cfg(test)]
#[path = "lot_tests.rs"]
pub(super) mod tests;
