//! The terms on which a vendor sells.

use mizan_money::Rate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::identifiers::TaxId;

/// In whose name a sale is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SupplyRole {
    /// The vendor sells; the platform says so to the buyer. Its revenue is the commission.
    #[default]
    DisclosedAgent,
    /// The vendor sells, in the platform's name. Booked as an agent; the invoices differ.
    UndisclosedAgent,
    /// The platform sells itself: the whole price is its revenue.
    Principal,
}

/// From what on the release of an earning is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseAfter {
    /// From delivery.
    #[default]
    Delivery,
    /// From the capture of the money.
    Capture,
}

/// Who bears something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhoBears {
    /// The vendor.
    Vendor,
    /// The platform.
    Platform,
}

/// What becomes of the commission when a sale is refunded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhoseCommission {
    /// It goes back to the vendor, in proportion.
    #[default]
    Returned,
    /// The platform keeps it: the vendor bears the whole price.
    Kept,
}

/// When an earning becomes available.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// From what on the days are counted.
    #[serde(default)]
    pub after: ReleaseAfter,
    /// How many days.
    #[schema(minimum = 0, maximum = 3650)]
    pub days: u16,
}

/// What is kept back of an earning, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reserve {
    /// How much of each earning, in percent.
    #[schema(value_type = String, example = "10")]
    pub percent: Rate,
    /// For how many days from its release.
    #[schema(minimum = 1, maximum = 3650)]
    pub days: u16,
}

/// The terms on which a vendor sells. What is not said is as in the default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Terms {
    /// In whose name the sale is made.
    #[serde(default)]
    pub supply_role: SupplyRole,
    /// ISO 3166 alpha-2 of the vendor; else the tenant's own.
    #[serde(default)]
    pub jurisdiction: Option<String>,
    /// The vendor's state, where tax tells states apart.
    #[serde(default)]
    pub state: Option<String>,
    /// The number under which the vendor is registered for tax.
    #[serde(default)]
    pub tax_id: Option<TaxId>,
    /// A word that commission rules go by.
    #[serde(default)]
    pub tier: Option<String>,
    /// When an earning becomes available.
    #[serde(default = "fourteen_days")]
    pub release: Release,
    /// What is kept back of it.
    #[serde(default)]
    pub reserve: Option<Reserve>,
    /// Who bears a lost dispute.
    #[serde(default = "vendor")]
    pub dispute_liability: WhoBears,
    /// Who bears the gateway's fee for a dispute.
    #[serde(default = "platform")]
    pub dispute_fee: WhoBears,
    /// What becomes of the commission when a sale is refunded.
    #[serde(default)]
    pub refund_commission: WhoseCommission,
}

fn fourteen_days() -> Release {
    Release { after: ReleaseAfter::Delivery, days: 14 }
}

fn vendor() -> WhoBears {
    WhoBears::Vendor
}

fn platform() -> WhoBears {
    WhoBears::Platform
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            supply_role: SupplyRole::default(),
            jurisdiction: None,
            state: None,
            tax_id: None,
            tier: None,
            release: fourteen_days(),
            reserve: None,
            dispute_liability: vendor(),
            dispute_fee: platform(),
            refund_commission: WhoseCommission::default(),
        }
    }
}

impl Terms {
    /// The vendor whose terms hold for everybody without own ones.
    pub const DEFAULT: &'static str = "default";

    /// What is wrong with them: the field, and how to put it right.
    pub fn fault(&self) -> Option<(&'static str, &'static str)> {
        let country = |it: &str| it.len() == 2 && it.bytes().all(|b| b.is_ascii_uppercase());
        let short = |it: &str| (1..=40).contains(&it.len()) && !it.contains(char::is_control);
        if !self.jurisdiction.as_deref().is_none_or(country) {
            let way = "A jurisdiction is two upper-case letters of ISO 3166, such as AE.";
            return Some(("jurisdiction", way));
        }
        if !self.state.as_deref().is_none_or(short) {
            return Some(("state", "A state has 1 to 40 bytes."));
        }
        let elsewhere =
            |it: &TaxId| self.jurisdiction.as_ref().is_some_and(|at| at != it.country());
        if self.tax_id.as_ref().is_some_and(elsewhere) {
            return Some(("tax_id", "It is of another country than the vendor's jurisdiction."));
        }
        if !self.tier.as_deref().is_none_or(short) {
            return Some(("tier", "A tier has 1 to 40 bytes."));
        }
        if self.release.days > 3650 || self.reserve.is_some_and(|it| it.days > 3650) {
            return Some(("release", "At most 3650 days."));
        }
        if self.reserve.is_some_and(|it| it.days == 0) {
            return Some(("reserve", "A reserve is kept for at least a day."));
        }
        None
    }
}
