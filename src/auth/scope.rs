//! What may be done with what: `payments:read`, `payouts:write`.

use std::fmt;
use std::str::FromStr;

/// How far somebody may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Access {
    /// Look.
    Read,
    /// Look and change.
    Write,
}

macro_rules! areas {
    ($($(#[doc = $doc:literal])+ $area:ident = $word:literal;)+) => {
        /// A part of the interface.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Area { $($(#[doc = $doc])+ $area,)+ }

        impl Area {
            /// Every area.
            pub const ALL: &'static [Self] = &[$(Self::$area,)+];

            /// The word before the colon.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$area => $word,)+ }
            }
        }
    };
}

areas! {
    /// Payment intents.
    Payments = "payments";
    /// Refunds.
    Refunds = "refunds";
    /// Deliveries.
    Orders = "orders";
    /// Disputes and their evidence.
    Disputes = "disputes";
    /// Customers' wallets.
    Wallets = "wallets";
    /// Affiliates, their codes and clicks.
    Affiliates = "affiliates";
    /// Vendors: terms, balances, earnings, statements.
    Vendors = "vendors";
    /// Rules of commission, tax, cashback and routing.
    Rules = "rules";
    /// The marketplace's settings.
    Settings = "settings";
    /// Bank accounts, KYC and terms of who is paid.
    Payees = "payees";
    /// Payouts, their runs and files.
    Payouts = "payouts";
    /// The second person's word: on payouts, write-offs, journals.
    Approvals = "approvals";
    /// Journals, settlements, remittances, rates of exchange, write-offs.
    Finance = "finance";
    /// Accounts, transactions, periods.
    Ledger = "ledger";
    /// Chains from a gateway's bytes to a payout.
    Trace = "trace";
    /// The clock of a tenant that plays.
    Clock = "clock";
    /// API keys.
    Keys = "keys";
    /// The audit log.
    Audit = "audit";
}

/// An area, and how far in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// Where.
    pub area: Area,
    /// How far.
    pub access: Access,
}

impl Scope {
    /// `area:access`.
    #[must_use]
    pub const fn new(area: Area, access: Access) -> Self {
        Self { area, access }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let access = match self.access {
            Access::Read => "read",
            Access::Write => "write",
        };
        write!(f, "{}:{access}", self.area.as_str())
    }
}

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || {
            let areas: Vec<&str> = Area::ALL.iter().map(|area| area.as_str()).collect();
            format!(
                "a scope is an area and `read` or `write`, such as `payments:read`; the areas \
                     are {}",
                areas.join(", ")
            )
        };
        let (area, access) = text.split_once(':').ok_or_else(unknown)?;
        let area = Area::ALL.iter().find(|it| it.as_str() == area).ok_or_else(unknown)?;
        let access = match access {
            "read" => Access::Read,
            "write" => Access::Write,
            _ => return Err(unknown()),
        };
        Ok(Self::new(*area, access))
    }
}

/// What a key is narrowed to, besides its role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scopes {
    /// All that its role may do.
    All,
    /// These, as bits: two for each area.
    Only(u64),
}

impl Scopes {
    /// Those of a list; an empty one does not narrow.
    #[must_use]
    pub fn of(scopes: &[Scope]) -> Self {
        match scopes {
            [] => Self::All,
            _ => Self::Only(scopes.iter().fold(0, |bits, scope| bits | bits_of(*scope))),
        }
    }

    /// Whether it is among them. Who may change may look.
    #[must_use]
    pub const fn hold(self, scope: Scope) -> bool {
        match self {
            Self::All => true,
            Self::Only(bits) => bits & bit(scope) != 0,
        }
    }

    /// Each of them, as it would be written.
    #[must_use]
    pub fn list(self) -> Vec<Scope> {
        let Self::Only(_) = self else { return Vec::new() };
        let widest = |area: &Area| {
            let scope = |access| Scope::new(*area, access);
            [Access::Write, Access::Read].map(scope).into_iter().find(|it| self.hold(*it))
        };
        Area::ALL.iter().filter_map(widest).collect()
    }
}

const fn bit(scope: Scope) -> u64 {
    1 << (scope.area as u64 * 2 + scope.access as u64)
}

const fn bits_of(scope: Scope) -> u64 {
    match scope.access {
        Access::Read => bit(scope),
        Access::Write => bit(scope) | bit(Scope::new(scope.area, Access::Read)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_read_as_it_is_written_and_changing_includes_looking() {
        for area in Area::ALL {
            for access in [Access::Read, Access::Write] {
                let scope = Scope::new(*area, access);
                assert_eq!(scope.to_string().parse(), Ok(scope));
                let only = Scopes::of(&[scope]);
                assert!(only.hold(scope) && only.list() == [scope]);
                assert!(only.hold(Scope::new(*area, Access::Read)));
                assert_eq!(only.hold(Scope::new(*area, Access::Write)), access == Access::Write);
            }
        }
        let other = Scopes::of(&["payments:write".parse().unwrap()]);
        assert!(!other.hold("refunds:read".parse().unwrap()));
        assert!(Scopes::of(&[]).hold("refunds:write".parse().unwrap()));
        for wrong in ["payments", "payments:", "payments:delete", "cards:read", ""] {
            assert!(wrong.parse::<Scope>().unwrap_err().contains("payments:read"));
        }
    }
}
