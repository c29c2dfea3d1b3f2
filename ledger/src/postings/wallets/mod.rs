//! The ways money moves in customers' wallets.

pub(super) mod cashback_accrued;
pub(super) mod cashback_clawed_back;
pub(super) mod cashback_expired;
pub(super) mod cashback_restored;
pub(super) mod cashback_vested;
pub(super) mod promo_granted;
pub(super) mod wallet_held;
pub(super) mod wallet_released;

pub use cashback_accrued::CashbackAccrued;
pub use cashback_clawed_back::CashbackClawedBack;
pub use cashback_expired::CashbackExpired;
pub use cashback_restored::CashbackRestored;
pub use cashback_vested::CashbackVested;
pub use promo_granted::PromoGranted;
pub use wallet_held::WalletHeld;
pub use wallet_released::WalletReleased;
