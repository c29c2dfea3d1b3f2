//! Finance: what people book by hand, and what belongs to the books beside payments.
//!
//! | what | folder | who may be refused |
//! |---|---|---|
//! | journals of maker and checker | `journals` | the maker; a closed period; a floor |
//! | settlements that a person saw, remittances | `settlements` | a remittance above what is owed |
//! | rates of exchange, revaluations | `fx` | a second revaluation of a pair and day |
//! | test clocks of tenants that play | `test_clock` | whoever has to do with real money |
//!
//! ```text
//! journal:  draft ─▶ posted        (approved by another key than the maker's)
//!                └─▶ rejected      (with a reason)
//! ```
//!
//! Invariants, as absences: no journal is posted by who made it, and none twice; nothing here is
//! changed once it is posted; no rate is inverted; no test clock goes back, and none stands
//! beside real money.

mod error;
pub mod fx;
mod input;
pub mod journals;
mod record;
pub mod settlements;
pub mod test_clock;

use utoipa_axum::router::OpenApiRouter;

pub use error::FinanceError;

use crate::app::App;

/// Every route of finance.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(journals::routes())
        .merge(settlements::routes())
        .merge(fx::routes())
        .merge(test_clock::routes())
}
