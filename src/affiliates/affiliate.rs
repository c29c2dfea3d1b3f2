//! An affiliate, its terms, and what a payment owes to it.

use mizan_money::{Money, MoneyError, Rate, Rounding, Timestamp};

mizan_money::typed_id! {
    /// A click on an affiliate's link.
    pub struct ClickId("clk");
}

/// Who pays a commission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FundedBy {
    /// The platform, out of its own; it accrues at delivery.
    Platform,
    /// The vendor, out of its share; it is split at capture.
    Vendor,
}

/// An affiliate with its terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Affiliate {
    /// The shop's word for it.
    pub id: String,
    /// For people.
    pub name: Option<String>,
    /// Of the price before tax.
    pub rate: Rate,
    /// Who pays it.
    pub funded_by: FundedBy,
    /// For how many days a click counts.
    pub window_days: i32,
    /// How many days after delivery a commission can be paid.
    pub release_days: i32,
    /// When it was registered.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
}

/// A click to be kept.
#[derive(Debug, Clone)]
pub struct NewClick {
    /// On the link of which code.
    pub code: String,
    /// The shop's word for a visitor it does not know.
    pub visitor: Option<String>,
    /// The shop's word for the customer.
    pub customer: Option<String>,
}

/// To whom a payment is due, on the terms of the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribution {
    /// The affiliate.
    pub affiliate: String,
    /// Of the price before tax.
    pub rate: Rate,
    /// Who pays it.
    pub funded_by: FundedBy,
}

impl FundedBy {
    /// The word for answers and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Vendor => "vendor",
        }
    }

    /// The payer of a word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Platform, Self::Vendor].into_iter().find(|it| it.as_str() == word)
    }
}

impl Attribution {
    /// The commission on one line: rounded half-up.
    ///
    /// # Errors
    /// Amounts that do not fit.
    pub fn of(&self, base: Money) -> Result<Money, MoneyError> {
        self.rate.of(base, Rounding::HalfUp)
    }
}

impl Affiliate {
    /// What a payment that it brought owes to it.
    pub fn attribution(&self) -> Attribution {
        Attribution { affiliate: self.id.clone(), rate: self.rate, funded_by: self.funded_by }
    }
}
