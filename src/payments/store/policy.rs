//! What a tenant has decided for its payments.

use std::collections::{BTreeMap, BTreeSet};

use mizan_money::TenantId;
use sqlx::{PgConnection, Row};

use super::{Result, rate, word};
use crate::commissions::{Rulebook, rules_in_force, taxes_in_force};
use crate::payments::intent::Payment;
use crate::payments::plan::{Policy, RefundTenders};
use crate::vendors::terms_of;

/// What the tenant has decided for all its payments, and the rules that hold for the vendors of
/// those payments of which no money was taken yet: what was taken has its deal.
///
/// # Errors
/// The database; a tenant that is not there.
pub async fn policy(
    conn: &mut PgConnection,
    tenant: TenantId,
    payments: &[Payment],
) -> Result<Policy> {
    let row = sqlx::query(
        "select jurisdiction, vat_percent, refund_tenders from mizan.tenant where tenant_id = $1",
    )
    .bind(tenant.0)
    .fetch_one(&mut *conn)
    .await?;
    let jurisdiction: String = row.try_get("jurisdiction")?;
    let mut book = Rulebook {
        jurisdiction: jurisdiction.clone(),
        vat: rate(&row, "vat_percent")?,
        terms: BTreeMap::new(),
        rules: Vec::new(),
        taxes: Vec::new(),
    };
    let open: Vec<&Payment> = payments.iter().filter(|it| it.intent.captured.is_zero()).collect();
    // A word may be of the past: what held then counts.
    if let Some(oldest) = open.iter().map(|payment| payment.intent.created_at).min() {
        let lines = open.iter().flat_map(|payment| &payment.lines);
        let vendors: BTreeSet<String> = lines.filter_map(|line| line.vendor.clone()).collect();
        let vendors: Vec<String> = vendors.into_iter().collect();
        book.terms = terms_of(conn, tenant, &vendors).await?;
        book.rules = rules_in_force(conn, tenant, oldest).await?;
        book.taxes = taxes_in_force(conn, tenant, oldest).await?;
    }
    let refund_tenders = word(&row, "refund_tenders", RefundTenders::parse)?;
    Ok(Policy { jurisdiction, refund_tenders, book })
}
