//! The HTTP interface: routes, strict reading, problems, idempotency keys, pages, health.
//!
//! A request passes, from the outside in: its id, time and log line ([`mod@envelope`]), the
//! bounds on number and time ([`mod@in_flight`]), the caller's key, the strict extractors, the
//! handler. Whatever fails on the way leaves as a [`Problem`] with the request's id.

mod code;
mod envelope;
mod extract;
mod health;
mod idempotency;
mod in_flight;
mod metrics;
mod objects;
mod openapi;
mod page;
mod problem;
mod problem_pages;
mod rate;
mod router;

pub use code::{Again, Code, Keep};
pub use envelope::GatewayTime;
pub(crate) use extract::read_body;
pub use extract::{ApiJson, ApiPath, ApiQuery, parse_json, parse_query};
pub use idempotency::{
    Claim, Fingerprint, GroupClaim, Heard, IDEMPOTENCY_KEY, IDEMPOTENT_REPLAYED, IdempotencyKey,
    Idempotent, IdempotentJson, Replay, StoredAnswer, attach_operation, claim, claim_group, finish,
    idempotent, keep_refusal,
};
pub use in_flight::InFlight;
pub use openapi::openapi;
pub use page::{Cursor, List, PageQuery, PageRequest};
pub use problem::{Chain, Problem, ProblemBody};
pub use rate::RateLimits;
pub use router::router;
