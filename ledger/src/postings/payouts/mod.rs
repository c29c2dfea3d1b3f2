//! Payouts: reserved, paid, taken back, returned, and what they cost.

pub(super) mod failed;
pub(super) mod fee;
pub(super) mod initiated;
pub(super) mod paid;
mod party;
pub(super) mod returned;

pub use failed::PayoutFailed;
pub use fee::PayoutFee;
pub use initiated::PayoutInitiated;
pub use paid::PayoutPaid;
pub use party::{Payee, Till};
pub use returned::PayoutReturned;
