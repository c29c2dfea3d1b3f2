//! What vendors have: released, kept in reserve, frozen, owed, given up.

pub(super) mod reserve_released;
pub(super) mod vendor_frozen;
pub(super) mod vendor_recovered;
pub(super) mod vendor_released;
pub(super) mod vendor_unfrozen;
pub(super) mod vendor_written_off;

pub use reserve_released::ReserveReleased;
pub use vendor_frozen::VendorFrozen;
pub use vendor_recovered::VendorRecovered;
pub use vendor_released::VendorReleased;
pub use vendor_unfrozen::VendorUnfrozen;
pub use vendor_written_off::VendorWrittenOff;
