//! Runs as the interface shows them.

use chrono::NaiveDate;
use mizan_money::Timestamp;
use mizan_money::id::PayoutFileId;
use serde::Serialize;
use sqlx::PgConnection;
use utoipa::ToSchema;

use super::{PayoutView, names};
use crate::payouts::desk::Desk;
use crate::payouts::error::PayoutError;
use crate::payouts::payout::Payout;
use crate::payouts::run::{LeftOut, Run};
use crate::payouts::store;

/// Somebody who was due and got no payout.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayoutLeftOut)]
struct LeftOutView {
    /// This vendor.
    vendor: Option<String>,
    /// This affiliate.
    affiliate: Option<String>,
    /// From which balance.
    currency: &'static str,
    /// Why.
    reason: String,
}

/// What a bank was given at once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayoutFile)]
struct FileView {
    /// `pf_…`
    id: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
}

/// The payouts of one day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayoutRun)]
pub(in crate::payouts::http) struct RunView {
    /// `prun_…`
    id: String,
    /// Always `payout_run`.
    object: &'static str,
    /// The day, in the marketplace's time zone.
    #[schema(value_type = String, format = Date)]
    on: NaiveDate,
    /// The payouts, by payee and currency.
    payouts: Vec<PayoutView>,
    /// Who was due and got none, this time.
    left_out: Vec<LeftOutView>,
    /// The files that were made of it, newest first.
    files: Vec<FileView>,
    /// When it was begun.
    #[schema(value_type = String, format = DateTime)]
    created: Timestamp,
    /// By whom.
    created_by: String,
}

impl RunView {
    pub(in crate::payouts::http) async fn of(
        conn: &mut PgConnection,
        desk: &Desk<'_>,
        run: Run,
        (payouts, left_out): (Vec<Payout>, Vec<LeftOut>),
    ) -> Result<Self, PayoutError> {
        let mut shown = Vec::with_capacity(payouts.len());
        for payout in payouts {
            shown.push(PayoutView::short(conn, desk, payout).await?);
        }
        let files = store::files_of_run(conn, desk.tenant, run.id).await?;
        let file = |(id, created): (PayoutFileId, _)| FileView { id: id.to_string(), created };
        let left = |it: LeftOut| {
            let (vendor, affiliate) = names(&it.payee);
            LeftOutView { vendor, affiliate, currency: it.currency.code(), reason: it.why }
        };
        Ok(Self {
            id: run.id.to_string(),
            object: "payout_run",
            on: run.on,
            payouts: shown,
            left_out: left_out.into_iter().map(left).collect(),
            files: files.into_iter().map(file).collect(),
            created: run.created_at,
            created_by: run.created_by,
        })
    }
}
