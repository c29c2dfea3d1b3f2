//! Disputes as the interface shows them, and the commands to answer them.
//!
//! | action | calls the gateway |
//! |---|---|
//! | list, retrieve | no |
//! | hand in evidence, give in | between two transactions; no, where it was entered by hand |
//! | enter one, enter its outcome | no: the gateway does not tell |
//!
//! What a dispute is and how it is booked: `payments/dispute`. Nothing here moves money: it moves
//! by what gateways say, or people in their place.

mod by_hand;
mod http;
mod view;

pub use http::routes;
pub use view::{DisputeView, event_payload};
