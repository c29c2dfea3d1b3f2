//! Rates of exchange, and open positions valued by them.
//!
//! A rate says what one unit of `base` costs in `quote`, exactly as it was told, from whom and
//! for when. Rates are added and never changed; the newest that is not after a time counts.
//!
//! A position is what is open in a currency: the other side of what `fx_clearing` has in it. What
//! it cost stands on `fx_clearing` in the other currency. Valued at the closing rate of a day,
//! the difference is gain or loss at the end of that day, and is taken back at the first moment
//! of the next:
//!
//! ```text
//! 1,000.00 USD had, bought for 3,672.50 AED; at 3.6800 they are worth 3,680.00 AED
//!   dr fx_clearing   7.50 AED      end of the day
//!   cr fx_gain       7.50 AED
//! ```

mod http;
mod rate;
mod revalue;
mod revalue_http;
mod store;

use utoipa_axum::router::OpenApiRouter;

pub use rate::{NewRate, StoredRate};
pub use revalue::{NewRevaluation, Revaluation, RevaluedAt, revalue};
pub use store::newest_rate;

use crate::app::App;

mizan_money::typed_id! {
    /// A rate of exchange.
    pub struct FxRateId("fxr");
    /// A position valued at the end of a day.
    pub struct FxRevaluationId("fxv");
}

/// Every route of exchange.
pub fn routes() -> OpenApiRouter<App> {
    http::routes().merge(revalue_http::routes())
}
