//! What holds for one line of an order: the vendor's terms, the commission, the taxes. Pure.

use std::collections::BTreeMap;

use mizan_money::{Currency, Money, MoneyError, Rate, Rounding, Timestamp};
use serde::{Deserialize, Serialize};

use super::rule::{self, Base, NewRule, Rule, Sale};
use super::tax::{self, Regime, TaxPolicy};
use crate::vendors::Terms;

/// Everything that decides the deals of some vendors, at any time.
#[derive(Debug, Clone)]
pub struct Rulebook {
    /// The tenant's own country.
    pub jurisdiction: String,
    /// The VAT on the platform's supplies there, where no policy says otherwise.
    pub vat: Rate,
    /// Each vendor's terms with when they began, oldest first; `default` for the others.
    pub terms: BTreeMap<String, Vec<(Timestamp, Terms)>>,
    /// Commission rules.
    pub rules: Vec<Rule>,
    /// Tax policies.
    pub taxes: Vec<TaxPolicy>,
}

/// Whose sale a deal is about.
#[derive(Debug, Clone, Copy)]
pub struct Whose<'a> {
    /// The vendor; none for what the platform sells.
    pub vendor: Option<&'a str>,
    /// The line's category.
    pub category: Option<&'a str>,
    /// What the order says itself: it beats the rules.
    pub percent: Option<Rate>,
    /// Where the customer is, within a country of several states.
    pub customer_state: Option<&'a str>,
    /// The order's.
    pub currency: Currency,
}

/// How a commission is worked out. Amounts are minor units of the line's currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commission {
    /// How much of the base.
    pub percent: Rate,
    /// Of what.
    pub base: Base,
    /// Added to it.
    #[serde(default)]
    pub fixed: i64,
    /// At least.
    pub least: Option<i64>,
    /// At most.
    pub most: Option<i64>,
    /// The rule that says so; none where the order said it, or nobody.
    pub rule: Option<String>,
}

/// What holds for a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deal {
    /// The vendor's terms.
    pub terms: Terms,
    /// Where the platform's supply is taxed.
    pub jurisdiction: String,
    /// How.
    pub regime: Regime,
    /// On the commission and on what the platform sells itself.
    pub percent: Rate,
    /// Whether vendor and platform are in one state.
    pub same_state: bool,
    /// Whether vendor and customer are in one state.
    pub sold_in_state: bool,
    /// Collected at source, all components together.
    pub tcs: Rate,
    /// Income tax deducted.
    pub tds: Rate,
    /// By which section.
    pub tds_section: String,
    /// The commission.
    pub commission: Commission,
}

impl Commission {
    /// The commission on a line of this net and gross price.
    ///
    /// # Errors
    /// Amounts that do not fit.
    pub fn of(&self, net: Money, gross: Money) -> Result<Money, MoneyError> {
        let base = if self.base == Base::Net { net } else { gross };
        let amount = |minor| Money::new(minor, net.currency());
        let share = self.percent.of(base, Rounding::HalfUp)?.checked_add(amount(self.fixed))?;
        let minor = share.minor().max(self.least.unwrap_or(0));
        let minor = self.most.map_or(minor, |most| minor.min(most));
        Ok(amount(minor.min(net.minor().max(0))))
    }

    fn by_the_order(percent: Rate) -> Self {
        let base = Base::Net;
        Self { percent, base, fixed: 0, least: None, most: None, rule: None }
    }
}

impl From<&Rule> for Commission {
    fn from(rule: &Rule) -> Self {
        let NewRule { percent, base, fixed, least, most, .. } = rule.says;
        Self { percent, base, fixed, least, most, rule: Some(rule.id.to_string()) }
    }
}

impl Rulebook {
    /// The terms of a vendor at a time.
    pub fn terms(&self, vendor: &str, at: Timestamp) -> Terms {
        let own = |name: &str| {
            let versions = self.terms.get(name)?;
            let begun = versions.iter().filter(|(from, _)| *from <= at);
            begun.max_by_key(|(from, _)| *from).map(|(_, terms)| terms.clone())
        };
        own(vendor).or_else(|| own(Terms::DEFAULT)).unwrap_or_default()
    }

    /// What holds for a line of this vendor at a time.
    pub fn deal(&self, whose: Whose<'_>, at: Timestamp) -> Deal {
        let terms = whose.vendor.map(|vendor| self.terms(vendor, at)).unwrap_or_default();
        let jurisdiction = terms.jurisdiction.clone().unwrap_or_else(|| self.jurisdiction.clone());
        let policy = tax::pick(&self.taxes, &jurisdiction, at).map(|it| &it.says);
        let home = jurisdiction == self.jurisdiction;
        let home_state = policy.and_then(|it| it.home_state.as_deref());
        let vendor_state = terms.state.as_deref().or(home_state);
        let commission = match (whose.percent, whose.vendor) {
            (Some(percent), _) => Commission::by_the_order(percent),
            (None, None) => Commission::by_the_order(Rate::ZERO),
            (None, Some(vendor)) => {
                let (category, tier) = (whose.category, terms.tier.as_deref());
                let sale = Sale { vendor, category, tier, currency: whose.currency, at };
                let picked = rule::pick(&self.rules, sale).map(Commission::from);
                picked.unwrap_or_else(|| Commission::by_the_order(Rate::ZERO))
            }
        };
        Deal {
            regime: policy.map_or(Regime::Vat, |it| it.regime),
            percent: match policy {
                Some(policy) if policy.regime == Regime::None => Rate::ZERO,
                Some(policy) => policy.percent,
                None if home => self.vat,
                None => Rate::ZERO,
            },
            same_state: vendor_state == home_state,
            sold_in_state: whose.customer_state.is_none_or(|it| Some(it) == vendor_state),
            tcs: policy.map_or(Rate::ZERO, |it| it.tcs),
            tds: policy.map_or(Rate::ZERO, |it| it.tds),
            tds_section: policy.map_or_else(|| "none".to_owned(), |it| it.tds_section.clone()),
            jurisdiction,
            commission,
            terms,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_commission_has_a_fixed_part_and_bounds_and_never_exceeds_the_price() {
        let aed = |minor| Money::new(minor, Currency::AED);
        let commission = Commission {
            percent: Rate::percent("10").unwrap(),
            base: Base::Net,
            fixed: 100,
            least: Some(300),
            most: Some(2_000),
            rule: None,
        };
        let of = |net| commission.of(aed(net), aed(net)).unwrap().minor();
        assert_eq!([of(10_000), of(1_000), of(100_000), of(200)], [1_100, 300, 2_000, 200]);
    }
}
