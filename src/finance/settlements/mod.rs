//! What a person saw on a statement: settlements of gateways, and liabilities that were paid.
//!
//! | what | posting | may be refused |
//! |---|---|---|
//! | settlement `reported` | in transit ← clearing | no: a fact |
//! | settlement `received` | bank and charges ← in transit | no: a fact |
//! | settlement `direct` | bank ← clearing | no: a fact |
//! | remittance | liability ← bank | above what is owed |
//!
//! A reference is told once for each stage: a second time is a mistake and is refused.

mod http;
mod remit;
mod remit_http;
mod settle;
mod store;

use utoipa_axum::router::OpenApiRouter;

pub use remit::{NewRemittance, Remittance, remit};
pub use settle::{NewSettlement, Settlement, Stage, settle};

use crate::app::App;

mizan_money::typed_id! {
    /// A settlement that a person recorded.
    pub struct SettlementId("stl");
    /// A liability paid from a bank.
    pub struct RemittanceId("rem");
}

/// Every route of settlements and remittances.
pub fn routes() -> OpenApiRouter<App> {
    http::routes().merge(remit_http::routes())
}
