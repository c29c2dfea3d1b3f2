//! How the platform's supplies to vendors are taxed, and what is withheld from them.

use mizan_money::{Rate, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

mizan_money::typed_id! {
    /// A tax policy.
    pub struct TaxPolicyId("txp");
}

/// Which kind of tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TaxRegime)]
pub enum Regime {
    /// Value added or consumption tax: one amount for the jurisdiction.
    Vat,
    /// India's: of the centre and the state within one state, integrated between two.
    Gst,
    /// None.
    None,
}

impl Regime {
    /// The word as it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vat => "vat",
            Self::Gst => "gst",
            Self::None => "none",
        }
    }

    /// The regime of this word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Vat, Self::Gst, Self::None].into_iter().find(|it| it.as_str() == word)
    }
}

/// A policy to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTaxPolicy {
    /// ISO 3166 alpha-2: where the vendors are.
    pub jurisdiction: String,
    /// Which kind.
    pub regime: Regime,
    /// On the platform's supplies.
    pub percent: Rate,
    /// The platform's own state, where there are several.
    pub home_state: Option<String>,
    /// Collected at source of the net taxable value, all components together.
    pub tcs: Rate,
    /// Income tax deducted of the value without tax.
    pub tds: Rate,
    /// By which section; a dimension of the account.
    pub tds_section: String,
    /// From when.
    pub valid_from: Timestamp,
    /// To before when.
    pub valid_until: Option<Timestamp>,
}

/// A policy as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxPolicy {
    /// Its id.
    pub id: TaxPolicyId,
    /// What it says.
    pub says: NewTaxPolicy,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

/// The policy of a jurisdiction at a time: of several, the one that began last.
pub(super) fn pick<'p>(
    policies: &'p [TaxPolicy],
    jurisdiction: &str,
    at: Timestamp,
) -> Option<&'p TaxPolicy> {
    let fits = |it: &&TaxPolicy| {
        it.says.jurisdiction == jurisdiction
            && it.says.valid_from <= at
            && it.says.valid_until.is_none_or(|until| at < until)
    };
    policies.iter().filter(fits).max_by_key(|it| (it.says.valid_from, it.id))
}
