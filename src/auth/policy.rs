//! Who may do what: everything about it, on one page.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::role::Role;
use super::scope::Access::{Read, Write};
use super::scope::Area::{
    Affiliates, Approvals, Audit, Clock, Disputes, Finance, Keys, Ledger, Orders, Payees, Payments,
    Payouts, Refunds, Rules, Settings, Trace, Vendors, Wallets,
};
use super::scope::{Access, Area, Scope};

/// `r` looks, `w` changes too, `-` neither. Customers, vendors and affiliates see their own alone.
const ROLES: &[(Area, [char; 7])] = &[
    //            customer vendor affiliate support finance admin super_admin
    (Payments, ['r', '-', '-', 'w', 'r', 'w', 'w']),
    (Refunds, ['-', '-', '-', 'w', 'w', 'w', 'w']),
    (Orders, ['-', '-', '-', 'w', 'r', 'w', 'w']),
    (Disputes, ['-', '-', '-', 'w', 'w', 'w', 'w']),
    (Wallets, ['r', '-', '-', 'w', 'r', 'w', 'w']),
    (Affiliates, ['-', '-', 'r', 'r', 'r', 'w', 'w']),
    (Vendors, ['-', 'r', '-', 'r', 'r', 'w', 'w']),
    (Rules, ['-', '-', '-', 'r', 'r', 'w', 'w']),
    (Settings, ['-', '-', '-', 'r', 'r', 'w', 'w']),
    (Payees, ['-', 'w', 'w', 'r', 'w', 'w', 'w']),
    (Payouts, ['-', 'r', 'r', 'r', 'w', 'w', 'w']),
    (Approvals, ['-', '-', '-', '-', 'w', 'w', 'w']),
    (Finance, ['-', '-', '-', '-', 'w', 'w', 'w']),
    (Ledger, ['-', '-', '-', '-', 'w', 'w', 'w']),
    (Trace, ['-', '-', '-', 'r', 'r', 'r', 'r']),
    (Clock, ['-', '-', '-', '-', 'r', 'w', 'w']),
    (Keys, ['-', '-', '-', '-', '-', 'w', 'w']),
    (Audit, ['-', '-', '-', '-', 'r', 'r', 'r']),
];

/// What somebody outside may use of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    /// Nothing: it is for those who work for the marketplace.
    Nothing,
    /// What this parameter of the path names, if that is them.
    Named(&'static str),
    /// What turns out to be theirs: the handler looks.
    Found,
}

/// A route, and what it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The method.
    pub method: &'static str,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// Where and how far it goes.
    pub scope: Scope,
    /// What somebody outside may use of it.
    pub own: Own,
}

const fn inside(method: &'static str, path: &'static str, area: Area, access: Access) -> Rule {
    Rule { method, path, scope: Scope::new(area, access), own: Own::Nothing }
}

const fn own(rule: Rule, own: Own) -> Rule {
    Rule { own, ..rule }
}

/// Every route behind a key.
pub const RULES: &[Rule] = &[
    inside("POST", "/v1/payment_intents", Payments, Write),
    own(inside("GET", "/v1/payment_intents", Payments, Read), Own::Found),
    own(inside("GET", "/v1/payment_intents/{id}", Payments, Read), Own::Found),
    inside("POST", "/v1/payment_intents/{id}/confirm", Payments, Write),
    inside("POST", "/v1/payment_intents/{id}/capture", Payments, Write),
    inside("POST", "/v1/payment_intents/{id}/cancel", Payments, Write),
    inside("POST", "/v1/payment_intents/{id}/sync", Payments, Write),
    inside("GET", "/v1/refunds", Refunds, Read),
    inside("POST", "/v1/refunds", Refunds, Write),
    inside("GET", "/v1/refunds/{id}", Refunds, Read),
    inside("POST", "/v1/orders/{order}/deliveries", Orders, Write),
    inside("GET", "/v1/disputes", Disputes, Read),
    inside("POST", "/v1/disputes", Disputes, Write),
    inside("GET", "/v1/disputes/{id}", Disputes, Read),
    inside("POST", "/v1/disputes/{id}/accept", Disputes, Write),
    inside("POST", "/v1/disputes/{id}/outcome", Disputes, Write),
    inside("POST", "/v1/disputes/{id}/evidence", Disputes, Write),
    own(inside("GET", "/v1/customers/{customer}/wallet", Wallets, Read), Own::Named("customer")),
    inside("POST", "/v1/customers/{customer}/wallet/grants", Wallets, Write),
    inside("POST", "/v1/affiliates", Affiliates, Write),
    own(inside("GET", "/v1/affiliates/{id}", Affiliates, Read), Own::Named("id")),
    inside("POST", "/v1/affiliates/{id}/codes", Affiliates, Write),
    inside("POST", "/v1/affiliate_clicks", Affiliates, Write),
    inside("PUT", "/v1/vendors/{vendor}/terms", Vendors, Write),
    own(inside("GET", "/v1/vendors/{vendor}/terms", Vendors, Read), Own::Named("vendor")),
    own(inside("GET", "/v1/vendors/{vendor}/balance", Vendors, Read), Own::Named("vendor")),
    own(inside("GET", "/v1/vendors/{vendor}/earnings", Vendors, Read), Own::Named("vendor")),
    own(inside("GET", "/v1/vendors/{vendor}/statements", Vendors, Read), Own::Named("vendor")),
    inside("POST", "/v1/vendors/{vendor}/write_offs", Finance, Write),
    inside("POST", "/v1/write_offs/{id}/approve", Approvals, Write),
    inside("POST", "/v1/write_offs/{id}/reject", Approvals, Write),
    inside("GET", "/v1/commission_rules", Rules, Read),
    inside("POST", "/v1/commission_rules", Rules, Write),
    inside("POST", "/v1/commission_rules/{id}/end", Rules, Write),
    inside("GET", "/v1/tax_policies", Rules, Read),
    inside("POST", "/v1/tax_policies", Rules, Write),
    inside("GET", "/v1/cashback_rules", Rules, Read),
    inside("POST", "/v1/cashback_rules", Rules, Write),
    inside("POST", "/v1/cashback_rules/{id}/end", Rules, Write),
    inside("GET", "/v1/routing/rules", Rules, Read),
    inside("POST", "/v1/routing/rules", Rules, Write),
    inside("POST", "/v1/routing/rules/{id}/end", Rules, Write),
    inside("GET", "/v1/routing/explain", Rules, Read),
    inside("GET", "/v1/settings", Settings, Read),
    inside("PUT", "/v1/settings", Settings, Write),
    own(inside("GET", "/v1/vendors/{payee}/bank_account", Payees, Read), Own::Named("payee")),
    own(inside("PUT", "/v1/vendors/{payee}/bank_account", Payees, Write), Own::Named("payee")),
    inside("POST", "/v1/vendors/{payee}/bank_account/verify", Payees, Write),
    own(inside("GET", "/v1/vendors/{payee}/kyc", Payees, Read), Own::Named("payee")),
    inside("POST", "/v1/vendors/{payee}/kyc", Payees, Write),
    own(inside("GET", "/v1/vendors/{payee}/payout_terms", Payees, Read), Own::Named("payee")),
    inside("PUT", "/v1/vendors/{payee}/payout_terms", Payees, Write),
    inside("POST", "/v1/vendors/{payee}/blocks", Payees, Write),
    inside("POST", "/v1/vendors/{payee}/blocks/lift", Payees, Write),
    own(inside("GET", "/v1/affiliates/{payee}/bank_account", Payees, Read), Own::Named("payee")),
    own(inside("PUT", "/v1/affiliates/{payee}/bank_account", Payees, Write), Own::Named("payee")),
    inside("POST", "/v1/affiliates/{payee}/bank_account/verify", Payees, Write),
    own(inside("GET", "/v1/affiliates/{payee}/kyc", Payees, Read), Own::Named("payee")),
    inside("POST", "/v1/affiliates/{payee}/kyc", Payees, Write),
    own(inside("GET", "/v1/affiliates/{payee}/payout_terms", Payees, Read), Own::Named("payee")),
    inside("PUT", "/v1/affiliates/{payee}/payout_terms", Payees, Write),
    inside("POST", "/v1/affiliates/{payee}/blocks", Payees, Write),
    inside("POST", "/v1/affiliates/{payee}/blocks/lift", Payees, Write),
    inside("POST", "/v1/payouts", Payouts, Write),
    own(inside("GET", "/v1/payouts", Payouts, Read), Own::Found),
    own(inside("GET", "/v1/payouts/{id}", Payouts, Read), Own::Found),
    inside("POST", "/v1/payouts/{id}/approve", Approvals, Write),
    inside("POST", "/v1/payouts/{id}/cancel", Payouts, Write),
    inside("POST", "/v1/payouts/{id}/submit", Payouts, Write),
    inside("POST", "/v1/payouts/{id}/outcome", Payouts, Write),
    inside("POST", "/v1/payouts/{id}/retry", Payouts, Write),
    inside("POST", "/v1/payout_runs", Payouts, Write),
    inside("GET", "/v1/payout_runs/{id}", Payouts, Read),
    inside("GET", "/v1/payout_runs/{id}/file", Payouts, Write),
    inside("GET", "/v1/journals", Finance, Read),
    inside("POST", "/v1/journals", Finance, Write),
    inside("GET", "/v1/journals/{id}", Finance, Read),
    inside("POST", "/v1/journals/{id}/approve", Approvals, Write),
    inside("POST", "/v1/journals/{id}/reject", Approvals, Write),
    inside("GET", "/v1/settlements", Finance, Read),
    inside("POST", "/v1/settlements", Finance, Write),
    inside("GET", "/v1/remittances", Finance, Read),
    inside("POST", "/v1/remittances", Finance, Write),
    inside("GET", "/v1/fx_rates", Finance, Read),
    inside("POST", "/v1/fx_rates", Finance, Write),
    inside("GET", "/v1/fx_revaluations", Finance, Read),
    inside("POST", "/v1/fx_revaluations", Finance, Write),
    inside("GET", "/v1/ledger/accounts", Ledger, Read),
    inside("GET", "/v1/ledger/accounts/{id}", Ledger, Read),
    inside("GET", "/v1/ledger/accounts/{id}/balance", Ledger, Read),
    inside("GET", "/v1/ledger/accounts/{id}/statement", Ledger, Read),
    inside("GET", "/v1/ledger/accounts/{id}/dated_statement", Ledger, Read),
    inside("GET", "/v1/ledger/transactions", Ledger, Read),
    inside("POST", "/v1/ledger/transactions", Ledger, Write),
    inside("GET", "/v1/ledger/transactions/{id}", Ledger, Read),
    inside("POST", "/v1/ledger/transactions/{id}/reverse", Ledger, Write),
    inside("GET", "/v1/ledger/trial_balance", Ledger, Read),
    inside("GET", "/v1/ledger/periods", Ledger, Read),
    inside("POST", "/v1/ledger/periods", Ledger, Write),
    inside("GET", "/v1/trace/{id}", Trace, Read),
    inside("GET", "/v1/test_clock", Clock, Read),
    inside("POST", "/v1/test_clock/advance", Clock, Write),
    inside("GET", "/v1/audit_log", Audit, Read),
    inside("GET", "/v1/api_keys", Keys, Read),
    inside("POST", "/v1/api_keys", Keys, Write),
    inside("POST", "/v1/api_keys/{id}/roll", Keys, Write),
    inside("POST", "/v1/api_keys/{id}/revoke", Keys, Write),
];

static BY_ROUTE: LazyLock<HashMap<(&str, &str), &Rule>> =
    LazyLock::new(|| RULES.iter().map(|rule| ((rule.method, rule.path), rule)).collect());

/// What a route takes; none for one that is on no page.
#[must_use]
pub fn rule_of(method: &str, path: &str) -> Option<&'static Rule> {
    BY_ROUTE.get(&(method, path)).copied()
}

impl Role {
    /// Whether the role goes so far.
    #[must_use]
    pub fn may(self, scope: Scope) -> bool {
        let row = ROLES.iter().find(|(area, _)| *area == scope.area);
        let cell = row.and_then(|(_, cells)| cells.get(self as usize));
        match scope.access {
            Read => cell.is_some_and(|cell| *cell != '-'),
            Write => cell == Some(&'w'),
        }
    }

    /// Where the paths of what is theirs begin, of somebody outside.
    #[must_use]
    pub const fn own_path(self) -> &'static str {
        match self {
            Self::Customer => "/v1/customers/",
            Self::Vendor => "/v1/vendors/",
            Self::Affiliate => "/v1/affiliates/",
            Self::Support | Self::Finance | Self::Admin | Self::SuperAdmin => "/v1/",
        }
    }
}

/// How a route answers somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Go ahead.
    May,
    /// The role or the key does not go so far: 403.
    MayNot,
    /// It is somebody else's: answered as what does not exist.
    Hidden,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// What they are.
    pub role: Role,
    /// What their key is narrowed to.
    pub scopes: super::scope::Scopes,
    /// Which of the customers, vendors or affiliates they are.
    pub subject: Option<&'a str>,
}

impl Rule {
    /// How it answers somebody. `named` reads a parameter of the path.
    #[must_use]
    pub fn verdict<'p>(
        &self,
        asker: &Asker<'_>,
        named: impl Fn(&str) -> Option<&'p str>,
    ) -> Verdict {
        if !asker.role.may(self.scope) || !asker.scopes.hold(self.scope) {
            return Verdict::MayNot;
        }
        if !asker.role.is_outside() {
            return Verdict::May;
        }
        match (self.own, asker.subject) {
            (Own::Nothing, _) | (_, None) => Verdict::MayNot,
            (Own::Found, Some(_)) => Verdict::May,
            (Own::Named(_), _) if !self.path.starts_with(asker.role.own_path()) => Verdict::MayNot,
            (Own::Named(param), Some(subject)) => match named(param) == Some(subject) {
                true => Verdict::May,
                false => Verdict::Hidden,
            },
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::auth::scope::Scopes;

    #[test]
    fn every_area_has_its_row_and_every_route_its_rule_once() {
        let areas: Vec<Area> = ROLES.iter().map(|(area, _)| *area).collect();
        assert_eq!(areas, Area::ALL);
        assert!(ROLES.iter().flat_map(|(_, cells)| cells).all(|cell| "rw-".contains(*cell)));
        assert_eq!(BY_ROUTE.len(), RULES.len());
        let description = serde_json::to_value(crate::http::openapi()).unwrap();
        let mut described: Vec<(String, String)> = Vec::new();
        for (path, item) in description["paths"].as_object().unwrap() {
            let methods = item.as_object().unwrap().keys();
            described.extend(
                methods
                    .filter(|_| path.starts_with("/v1/"))
                    .map(|method| (method.to_uppercase(), path.clone())),
            );
        }
        let mut ruled: Vec<_> =
            RULES.iter().map(|it| (it.method.to_owned(), it.path.to_owned())).collect();
        described.sort();
        ruled.sort();
        assert_eq!(described, ruled);
    }

    #[test]
    fn who_is_outside_gets_the_own_and_finds_nothing_else() {
        let asker = |role, subject| Asker { role, scopes: Scopes::All, subject };
        let balance = rule_of("GET", "/v1/vendors/{vendor}/balance").unwrap();
        let of = |asker: Asker<'_>, vendor| {
            balance.verdict(&asker, |name| (name == "vendor").then_some(vendor))
        };
        assert_eq!(of(asker(Role::Vendor, Some("V1")), "V1"), Verdict::May);
        assert_eq!(of(asker(Role::Vendor, Some("V1")), "V2"), Verdict::Hidden);
        assert_eq!(of(asker(Role::Vendor, None), "V1"), Verdict::MayNot);
        assert_eq!(of(asker(Role::Affiliate, Some("V1")), "V1"), Verdict::MayNot);
        assert_eq!(of(asker(Role::Support, None), "V2"), Verdict::May);
        let narrow = Asker {
            scopes: Scopes::of(&["payments:read".parse().unwrap()]),
            ..asker(Role::Admin, None)
        };
        assert_eq!(of(narrow, "V1"), Verdict::MayNot);
        // A vendor is no affiliate, though both are payees.
        let details = rule_of("GET", "/v1/affiliates/{payee}/bank_account").unwrap();
        let asked = details.verdict(&asker(Role::Vendor, Some("A1")), |_| Some("A1"));
        assert_eq!(asked, Verdict::MayNot);
        assert_eq!(rule_of("GET", "/v1/nowhere"), None);
    }
}
