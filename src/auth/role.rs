//! Who somebody is to the marketplace.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What somebody is to the marketplace. What each may do is in [`policy`](super::policy).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Buys; sees the own wallet and the own payments.
    Customer,
    /// Sells; sees the own balance, earnings and payouts.
    Vendor,
    /// Recommends; sees the own commissions and payouts.
    Affiliate,
    /// Helps customers.
    Support,
    /// Closes the books, pays out.
    Finance,
    /// Runs the marketplace.
    Admin,
    /// Runs it, and says who else does.
    SuperAdmin,
}

impl Role {
    /// Every role, from the one that may do least.
    pub const ALL: [Self; 7] = [
        Self::Customer,
        Self::Vendor,
        Self::Affiliate,
        Self::Support,
        Self::Finance,
        Self::Admin,
        Self::SuperAdmin,
    ];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Vendor => "vendor",
            Self::Affiliate => "affiliate",
            Self::Support => "support",
            Self::Finance => "finance",
            Self::Admin => "admin",
            Self::SuperAdmin => "super_admin",
        }
    }

    /// The role of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// Whether it is somebody who sees nothing but the own.
    #[must_use]
    pub const fn is_outside(self) -> bool {
        matches!(self, Self::Customer | Self::Vendor | Self::Affiliate)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let words = || Self::ALL.map(Self::as_str).join(", ");
        Self::from_word(word).ok_or_else(|| format!("a role is one of {}", words()))
    }
}

/// The vendor, customer or affiliate somebody is, as the marketplace calls them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject(Arc<str>);

impl Subject {
    /// By the marketplace's own id.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self(id.into())
    }

    /// The marketplace's own id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
