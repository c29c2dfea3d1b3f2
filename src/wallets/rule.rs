//! Cashback rules: which of them grants how much. Pure.

use mizan_money::{Currency, Money, MoneyError, Rate, Rounding, Timestamp};

use super::grant::Delivered;

mizan_money::typed_id! {
    /// A cashback rule.
    pub struct CashbackRuleId("cbr");
}

/// What a percentage is taken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// What the customer paid through the gateway.
    Paid,
    /// The price, whatever it was paid with.
    Price,
}

/// A rule to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCashbackRule {
    /// For people.
    pub name: String,
    /// How much of the basis, rounded half-up once per order.
    pub percent: Rate,
    /// What it is taken of.
    pub basis: Basis,
    /// The most for one order, in minor units of the currency.
    pub cap: Option<i64>,
    /// The least basis of a whole order, in minor units of the currency.
    pub min_amount: Option<i64>,
    /// Only orders in it; all where none.
    pub currency: Option<Currency>,
    /// Whether only the customer's first order counts.
    pub first_order: bool,
    /// How many days after delivery it can be spent.
    pub vest_days: i32,
    /// For how many days then; for ever where none.
    pub expiry_days: Option<i32>,
    /// From when.
    pub valid_from: Timestamp,
    /// To before when.
    pub valid_until: Option<Timestamp>,
}

/// A rule as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CashbackRule {
    /// Its id.
    pub id: CashbackRuleId,
    /// What it says.
    pub says: NewCashbackRule,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

impl Basis {
    /// The word for answers and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Price => "price",
        }
    }

    /// The basis of a word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Paid, Self::Price].into_iter().find(|it| it.as_str() == word)
    }

    fn of(self, paid: Money, price: Money) -> Money {
        match self {
            Self::Paid => paid,
            Self::Price => price,
        }
    }
}

/// What was delivered of an order up to now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SoFar {
    pub paid: Money,
    pub price: Money,
}

impl NewCashbackRule {
    /// Whether it is in force.
    pub fn is_in_force(&self, at: Timestamp) -> bool {
        self.valid_from <= at && self.valid_until.is_none_or(|until| at < until)
    }

    /// Whether it grants anything for an order.
    pub(super) fn fits(&self, order: &Delivered, is_first: bool) -> bool {
        let basis = self.basis.of(order.paid_by_gateway, order.price);
        self.is_in_force(order.ordered_at)
            && self.currency.is_none_or(|currency| currency == order.currency)
            && self.min_amount.is_none_or(|least| basis.minor() >= least)
            && (is_first || !self.first_order)
    }

    /// What it grants in all for what was delivered up to now, so that deliveries of parts add
    /// up to the whole's cashback.
    ///
    /// # Errors
    /// Amounts that do not fit.
    pub(super) fn grants(&self, so_far: SoFar) -> Result<Money, MoneyError> {
        let basis = self.basis.of(so_far.paid, so_far.price);
        let share = self.percent.of(basis, Rounding::HalfUp)?;
        let cap = self.cap.unwrap_or(i64::MAX);
        Ok(Money::new(share.minor().min(cap), share.currency()))
    }
}

/// The rule that grants most for the whole order; of those that grant the same the newest. Rules
/// are not added up.
///
/// # Errors
/// Amounts that do not fit.
pub(super) fn best<'a>(
    rules: &'a [CashbackRule],
    order: &Delivered,
    is_first: bool,
) -> Result<Option<&'a CashbackRule>, MoneyError> {
    let whole = SoFar { paid: order.paid_by_gateway, price: order.price };
    let mut best: Option<(Money, &CashbackRule)> = None;
    for rule in rules.iter().filter(|rule| rule.says.fits(order, is_first)) {
        let grants = rule.says.grants(whole)?;
        let weight =
            |amount: Money, rule: &CashbackRule| (amount.minor(), rule.created_at, rule.id);
        if best.is_none_or(|(most, so_far)| weight(grants, rule) > weight(most, so_far)) {
            best = Some((grants, rule));
        }
    }
    Ok(best.map(|(_, rule)| rule))
}

#[cfg(test)]
#[path = "rule_tests.rs"]
mod tests;
