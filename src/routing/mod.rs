//! Routing: over which connection a payment goes, and why.
//!
//! A rule names connections in the order of preference, for payments of certain currencies,
//! countries, methods and amounts, from one time to another. The rule with the highest priority
//! that fits decides; of several, the newest. Connections that cannot take the payment at all are
//! left out with the reason, and those whose circuit is open come last. Where no rule fits, all
//! connections may be used, in the order of their names.
//!
//! A payment goes on to the next connection only after a soft decline, or after a refusal that
//! certainly did nothing. After an outcome that is not known it never does.
//!
//! Pure but for `store.rs`: [`decide`] is told the rules, the connections and their health.

mod breaker;
mod decide;
mod error;
mod explain_http;
mod http;
mod rule;
mod store;

pub use breaker::{Breaker, Circuit};
pub use decide::{Candidate, Considered, Decision, Instrument, Verdict, Want, decide};
pub use error::RoutingError;
pub use http::routes;
pub use rule::{NewRule, Others, RoutingRuleId, Rule};
pub use store::rules_in_force;
