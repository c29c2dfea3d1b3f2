//! Affiliates, their codes and the clicks on them, as they are told.

use mizan_money::{TenantId, Timestamp};
use sqlx::PgConnection;

use super::affiliate::{Affiliate, ClickId, NewClick};
use super::error::AffiliateError;
use super::store;

/// The most codes of one affiliate.
const CODES_MAX: i64 = 1_000;

/// Registers an affiliate.
///
/// # Errors
/// [`AffiliateError::Taken`] where there is one by that name; the database.
pub(super) async fn register(
    conn: &mut PgConnection,
    tenant: TenantId,
    affiliate: &Affiliate,
) -> Result<(), AffiliateError> {
    match store::insert_affiliate(conn, tenant, affiliate).await? {
        true => Ok(()),
        false => {
            let message = format!("There is an affiliate `{}` already.", affiliate.id);
            Err(AffiliateError::Taken { param: "id".into(), message })
        }
    }
}

/// Gives an affiliate a code. Giving the same again changes nothing.
///
/// # Errors
/// An affiliate that is unknown, a code that is another's; the database.
pub(super) async fn add_code(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    affiliate: &str,
    code: &str,
    by: &str,
) -> Result<(), AffiliateError> {
    let known = store::affiliate(conn, tenant, affiliate).await?;
    let known = known.ok_or_else(|| AffiliateError::NotFound { id: affiliate.to_owned() })?;
    if store::codes(conn, tenant, affiliate, CODES_MAX).await?.len() as i64 >= CODES_MAX {
        let message = format!("An affiliate has at most {CODES_MAX} codes.");
        return Err(AffiliateError::invalid("code", message));
    }
    let owner = store::claim_code(conn, tenant, now, &known.id, code, by).await?;
    match owner == known.id {
        true => Ok(()),
        false => {
            let message = format!("The code `{code}` belongs to another affiliate.");
            Err(AffiliateError::Taken { param: "code".into(), message })
        }
    }
}

/// Keeps a click. Answers its id and whose code it is.
///
/// # Errors
/// Nobody who clicked, a code that is unknown; the database.
pub(super) async fn click(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    click: &NewClick,
) -> Result<(ClickId, String), AffiliateError> {
    if click.visitor.is_none() && click.customer.is_none() {
        let message = "A click is somebody's: name the `visitor` or the `customer`.";
        return Err(AffiliateError::invalid("visitor", message));
    }
    let owner = store::affiliate_of_code(conn, tenant, &click.code).await?;
    let owner = owner.ok_or_else(|| {
        AffiliateError::unknown("code", format!("There is no code `{}`.", click.code))
    })?;
    let id = ClickId::generate(now);
    store::insert_click(conn, tenant, now, id, &owner.id, click).await?;
    Ok((id, owner.id))
}
