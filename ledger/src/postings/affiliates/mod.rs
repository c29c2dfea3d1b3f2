//! The ways money moves for affiliates.

pub(super) mod affiliate_accrued;
pub(super) mod affiliate_recovered;
pub(super) mod affiliate_released;
pub(super) mod affiliate_restored;
pub(super) mod affiliate_reversed;

pub use affiliate_accrued::AffiliateAccrued;
pub use affiliate_recovered::AffiliateRecovered;
pub use affiliate_released::AffiliateReleased;
pub use affiliate_restored::AffiliateRestored;
pub use affiliate_reversed::AffiliateReversed;
