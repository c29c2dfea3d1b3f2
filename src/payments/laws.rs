//! The laws that tie payments to the books, as `mizan verify` proves them.

use mizan_ledger::verify::Law;
use mizan_money::{TenantId, Timestamp};
use sqlx::PgConnection;

use super::error::PaymentError;
use super::store;

/// How long an operation may be without an outcome before that breaks a law.
const OPEN_LIMIT: chrono::Duration = chrono::Duration::days(3);

/// What payments and refunds say equals what their entries say.
///
/// # Errors
/// The database; a broken law is an answer and not an error.
pub async fn payment_laws(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
) -> Result<Vec<Law>, PaymentError> {
    let (checked, broken) = store::law_books_agree(conn, tenant).await?;
    let name = "payments say what their entries say";
    let payments = Law { name, checked, unit: "payments", broken };
    let (checked, broken) = store::law_refunds_agree(conn, tenant).await?;
    let name = "refunds say what their entries say";
    let refunds = Law { name, checked, unit: "refunds", broken };
    let (checked, broken) = store::law_operations_end(conn, tenant, now - OPEN_LIMIT).await?;
    let name = "operations have an outcome within three days";
    let operations = Law { name, checked, unit: "operations", broken };
    Ok(vec![payments, refunds, operations])
}
