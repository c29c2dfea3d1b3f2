//! Who brought the customer of a payment.

use mizan_money::{TenantId, Timestamp};
use sqlx::PgConnection;

use super::affiliate::Attribution;
use super::error::AffiliateError;
use super::store;

/// Attributes a payment: to the affiliate that is named, or to the one of the code that is
/// named; else to the one whose link the customer clicked last, where that click is still inside
/// the affiliate's window. `who` is the shop's word for the customer or for the visitor.
///
/// # Errors
/// [`AffiliateError::Unknown`] for an affiliate or a code that is not there, with the field;
/// [`AffiliateError::Invalid`] for a code that is another's than the affiliate named beside it;
/// the database.
pub async fn attribute(
    conn: &mut PgConnection,
    tenant: TenantId,
    now: Timestamp,
    affiliate: Option<&str>,
    code: Option<&str>,
    who: Option<&str>,
) -> Result<Option<Attribution>, AffiliateError> {
    let named = match affiliate {
        None => None,
        Some(id) => Some(store::affiliate(conn, tenant, id).await?.ok_or_else(|| {
            let message = format!("There is no affiliate `{}`.", shown(id));
            AffiliateError::unknown("affiliate", message)
        })?),
    };
    let of_code = match code {
        None => None,
        Some(code) => {
            Some(store::affiliate_of_code(conn, tenant, code).await?.ok_or_else(|| {
                let message = format!("There is no affiliate code `{}`.", shown(code));
                AffiliateError::unknown("affiliate_code", message)
            })?)
        }
    };
    if let (Some(named), Some(of_code)) = (&named, &of_code)
        && named.id != of_code.id
    {
        let message = format!("The code belongs to another affiliate than `{}`.", named.id);
        return Err(AffiliateError::invalid("affiliate_code", message));
    }
    if let Some(found) = named.or(of_code) {
        return Ok(Some(found.attribution()));
    }
    let Some(who) = who else { return Ok(None) };
    let clicked = store::last_clicked(conn, tenant, now, who).await?;
    Ok(clicked.map(|affiliate| affiliate.attribution()))
}

/// An input is repeated in an error only as far as it helps.
fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}
