//! What finance books by hand: settlements, remittances, revaluations, journals.

pub(super) mod fx_revalued;
pub(super) mod journal_posted;
pub(super) mod liability_remitted;
pub(super) mod settlement_received;
pub(super) mod settlement_reported;

pub use fx_revalued::FxRevalued;
pub use journal_posted::JournalPosted;
pub use liability_remitted::LiabilityRemitted;
pub use settlement_received::SettlementReceived;
pub use settlement_reported::SettlementReported;
