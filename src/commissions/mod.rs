//! Commissions: what the platform keeps of a sale, and how that is taxed. By dated rules.
//!
//! | part | decides |
//! |---|---|
//! | [`Rule`] | the commission: percent, fixed, least, most; by vendor, category, tier, date |
//! | [`TaxPolicy`] | VAT or GST on the platform's supplies to vendors, and what is withheld |
//! | [`Deal`] | both, with the vendor's terms, for one line of an order at one moment |
//!
//! A rule is never changed: it ends, and another begins. So it can be told later which rule made
//! which cent. A deal is made when money is captured, and frozen with the line.

mod deal;
mod http;
mod rule;
mod store;
mod tax;
mod tax_http;

pub use deal::{Commission, Deal, Rulebook, Whose};
pub use http::routes;
pub use rule::{Base, CommissionRuleId, NewRule, Rule};
pub use store::{rules_in_force, taxes_in_force};
pub use tax::{NewTaxPolicy, Regime, TaxPolicy, TaxPolicyId};
