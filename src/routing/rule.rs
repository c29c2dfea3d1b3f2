//! A routing rule and what it fits.

use mizan_money::{Currency, Money, Timestamp};

use super::decide::Want;

mizan_money::typed_id! {
    /// A routing rule.
    pub struct RoutingRuleId("rr");
}

/// What happens to connections that a rule does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// They come after the named ones, by name.
    Follow,
    /// They are not used.
    LeftOut,
}

/// A rule to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRule {
    /// For people.
    pub name: String,
    /// The highest that fits decides.
    pub priority: i32,
    /// In the order of preference.
    pub connections: Vec<String>,
    /// What happens to the rest.
    pub others: Others,
    /// Only payments in these; all where empty.
    pub currencies: Vec<Currency>,
    /// Only customers there, ISO 3166 alpha-2; all where empty.
    pub countries: Vec<String>,
    /// Only these kinds of instrument; all where empty.
    pub methods: Vec<String>,
    /// From this amount on, in minor units of the one currency.
    pub amount_min: Option<i64>,
    /// Up to and with this amount.
    pub amount_max: Option<i64>,
    /// From when.
    pub valid_from: Timestamp,
    /// To before when.
    pub valid_until: Option<Timestamp>,
}

/// A rule as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its id.
    pub id: RoutingRuleId,
    /// What it says.
    pub says: NewRule,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom: an API key, or the command line.
    pub created_by: String,
}

impl NewRule {
    /// Whether it is in force.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.valid_from <= now && self.valid_until.is_none_or(|until| now < until)
    }

    /// Whether it is about this payment. A condition on what the payment does not say is not met.
    pub fn fits(&self, want: &Want<'_>) -> bool {
        let among = |list: &[String], word: Option<&str>| {
            list.is_empty() || word.is_some_and(|word| list.iter().any(|it| it == word))
        };
        (self.currencies.is_empty() || self.currencies.contains(&want.amount.currency()))
            && among(&self.countries, want.country)
            && among(&self.methods, want.method)
            && self.holds(want.amount)
    }

    fn holds(&self, amount: Money) -> bool {
        self.amount_min.is_none_or(|min| amount.minor() >= min)
            && self.amount_max.is_none_or(|max| amount.minor() <= max)
    }
}
