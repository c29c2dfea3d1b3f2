//! A commission rule, and which of several decides.

use mizan_money::{Currency, Rate, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

mizan_money::typed_id! {
    /// A commission rule.
    pub struct CommissionRuleId("crl");
}

/// What a percentage is of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CommissionBase)]
pub enum Base {
    /// The price without its tax, after what the vendor gives off.
    #[default]
    Net,
    /// The price with its tax.
    Gross,
}

impl Base {
    /// The word as it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Net => "net",
            Self::Gross => "gross",
        }
    }
}

/// A rule to be made. Amounts are minor units of `currency`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRule {
    /// For people.
    pub name: String,
    /// Only this vendor.
    pub vendor: Option<String>,
    /// Only lines of this category.
    pub category: Option<String>,
    /// Only vendors of this tier.
    pub tier: Option<String>,
    /// How much of the base.
    pub percent: Rate,
    /// Of what.
    pub base: Base,
    /// What is added to it, once for each line.
    pub fixed: i64,
    /// At least so much.
    pub least: Option<i64>,
    /// At most so much.
    pub most: Option<i64>,
    /// Only orders in it; needed where amounts are given.
    pub currency: Option<Currency>,
    /// From when.
    pub valid_from: Timestamp,
    /// To before when.
    pub valid_until: Option<Timestamp>,
}

/// A rule as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its id.
    pub id: CommissionRuleId,
    /// What it says.
    pub says: NewRule,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

/// What a rule is asked about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sale<'a> {
    pub vendor: &'a str,
    pub category: Option<&'a str>,
    pub tier: Option<&'a str>,
    pub currency: Currency,
    pub at: Timestamp,
}

impl NewRule {
    fn fits(&self, sale: Sale<'_>) -> bool {
        let same = |mine: &Option<String>, theirs: Option<&str>| {
            mine.as_deref().is_none_or(|mine| Some(mine) == theirs)
        };
        self.valid_from <= sale.at
            && self.valid_until.is_none_or(|until| sale.at < until)
            && same(&self.vendor, Some(sale.vendor))
            && same(&self.category, sale.category)
            && same(&self.tier, sale.tier)
            && self.currency.is_none_or(|currency| currency == sale.currency)
    }

    /// A vendor's own rule beats one for a category, that one for a tier, and that a general one.
    fn rank(&self) -> (u8, bool, Timestamp) {
        let named = |it: &Option<String>, weight: u8| if it.is_some() { weight } else { 0 };
        let specific = named(&self.vendor, 4) + named(&self.category, 2) + named(&self.tier, 1);
        (specific, self.currency.is_some(), self.valid_from)
    }
}

/// The rule that decides a sale.
pub(super) fn pick<'r>(rules: &'r [Rule], sale: Sale<'_>) -> Option<&'r Rule> {
    rules.iter().filter(|rule| rule.says.fits(sale)).max_by_key(|rule| (rule.says.rank(), rule.id))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn rule(name: &str, percent: &str) -> Rule {
        let valid_from = at("2026-01-01T00:00:00Z");
        let says = NewRule {
            name: name.into(),
            vendor: None,
            category: None,
            tier: None,
            percent: Rate::percent(percent).unwrap(),
            base: Base::Net,
            fixed: 0,
            least: None,
            most: None,
            currency: None,
            valid_from,
            valid_until: None,
        };
        Rule {
            id: CommissionRuleId::generate(valid_from),
            says,
            created_at: valid_from,
            created_by: "t".into(),
        }
    }

    #[test]
    fn the_most_particular_rule_decides_and_of_those_the_newest() {
        let mut rules = vec![rule("all", "10"), rule("books", "8"), rule("v1", "12")];
        rules[1].says.category = Some("books".into());
        rules[2].says.vendor = Some("V1".into());
        let mut newer = rule("all, newer", "11");
        newer.says.valid_from = at("2026-02-01T00:00:00Z");
        rules.push(newer);
        let sale = |vendor, category, day: &str| Sale {
            vendor,
            category,
            tier: None,
            currency: Currency::AED,
            at: at(&format!("{day}T12:00:00Z")),
        };
        let name = |s| pick(&rules, s).map(|rule| rule.says.name.as_str());
        assert_eq!(name(sale("V1", Some("books"), "2026-03-01")), Some("v1"));
        assert_eq!(name(sale("V2", Some("books"), "2026-03-01")), Some("books"));
        assert_eq!(name(sale("V2", None, "2026-01-15")), Some("all"));
        assert_eq!(name(sale("V2", None, "2026-02-15")), Some("all, newer"));
        assert_eq!(name(sale("V2", None, "2025-12-31")), None);
    }
}
