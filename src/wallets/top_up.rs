//! Whether customers may pay into their cash purse.

use mizan_money::TenantId;
use sqlx::PgConnection;

use super::error::WalletError;
use super::store;

/// Refuses a top-up while the tenant's setting `wallet_top_up` is off, as it is from the
/// beginning: in several countries keeping customers' money needs a licence.
///
/// # Errors
/// [`WalletError::Invalid`] where it is off; the database.
pub async fn check_top_up(conn: &mut PgConnection, tenant: TenantId) -> Result<(), WalletError> {
    match store::top_up_is_on(conn, tenant).await? {
        true => Ok(()),
        false => {
            let message = "Top-ups are off: turn `wallet_top_up` on in the settings, where the \
                law or your licence lets you keep customers' money.";
            Err(WalletError::invalid("lines", message))
        }
    }
}
