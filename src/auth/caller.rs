//! Who stands behind a request: taken by handlers that need an API key.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::{HeaderMap, header, request::Parts};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use mizan_money::{ApiKeyId, TenantId, Timestamp};

use super::{ApiKey, KeyLookUps, Mode};
use crate::app::App;
use crate::http::{Code, Problem};

/// The longest header that can hold a key, in either form.
const HEADER_BYTES_MAX: usize = 512;

/// The tenant and key of a request whose key was checked. There is no other way to get one
/// from a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caller {
    tenant: TenantId,
    key: ApiKeyId,
    mode: Mode,
    ahead: TimeDelta,
}

impl Caller {
    /// The marketplace whose money this is about.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The key's public name.
    #[must_use]
    pub const fn key(&self) -> ApiKeyId {
        self.key
    }

    /// Play money or real money.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// The time it is for the caller: a tenant that plays may be ahead of the others. Whatever a
    /// request does or writes down goes by it.
    #[must_use]
    pub fn now(&self, app: &App) -> Timestamp {
        app.clock.now_ahead(self.ahead)
    }

    /// Who was found behind a key, and how far its tenant's test clock is ahead.
    pub(super) const fn new(tenant: TenantId, key: ApiKeyId, mode: Mode, ahead: TimeDelta) -> Self {
        Self { tenant, key, mode, ahead }
    }

    /// Finds who holds `key`.
    ///
    /// # Errors
    /// 401 when nobody does, 503 when the database is away.
    pub async fn of_key(keys: &KeyLookUps, key: &ApiKey) -> Result<Self, Problem> {
        keys.find(key.digest()).await?.ok_or_else(invalid_key)
    }
}

impl<S> FromRequestParts<S> for Caller
where
    App: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let key = key_of(&parts.headers)?;
        let app = App::from_ref(state);
        let caller = Self::of_key(&app.keys, &key).await?;
        app.clock.learn(caller.tenant, caller.ahead);
        tracing::debug!(tenant = %caller.tenant, key = %caller.key, "caller");
        Ok(caller)
    }
}

fn invalid_key() -> Problem {
    Problem::new(Code::ApiKeyInvalid, "No such key, or it was revoked.")
}

/// The key in the header: as a bearer token, or as the user name of basic authentication.
fn key_of(headers: &HeaderMap) -> Result<ApiKey, Problem> {
    let missing = |detail: &str| Problem::new(Code::ApiKeyMissing, detail);
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or_else(|| missing("There is no Authorization header."))?;
    if values.next().is_some() {
        return Err(missing("There is more than one Authorization header."));
    }
    let text = value
        .to_str()
        .ok()
        .filter(|text| text.len() <= HEADER_BYTES_MAX)
        .ok_or_else(|| missing("The Authorization header cannot be read."))?;
    let (scheme, credentials) = text.split_once(' ').unwrap_or((text, ""));
    let credentials = credentials.trim();
    let key = if scheme.eq_ignore_ascii_case("bearer") {
        credentials.to_owned()
    } else if scheme.eq_ignore_ascii_case("basic") {
        user_name(credentials).ok_or_else(|| missing("The basic credentials cannot be read."))?
    } else {
        return Err(missing("The Authorization header is neither Bearer nor Basic."));
    };
    ApiKey::parse(&key).map_err(|_| invalid_key())
}

fn user_name(credentials: &str) -> Option<String> {
    let text = String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?;
    text.split_once(':').map(|(user, _)| user.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use secrecy::ExposeSecret;

    use super::*;

    fn read(header: Option<&str>) -> Result<[u8; 32], Code> {
        let mut headers = HeaderMap::new();
        if let Some(text) = header {
            headers.insert(header::AUTHORIZATION, text.parse().unwrap());
        }
        key_of(&headers).map(|key| key.digest()).map_err(|problem| problem.code())
    }

    #[test]
    fn a_key_comes_as_a_bearer_token_or_as_a_basic_user_name() {
        let key = ApiKey::generate(Mode::Test).unwrap();
        let text = key.secret().expose_secret();
        let basic = |user: &str| format!("Basic {}", STANDARD.encode(user));
        assert_eq!(read(Some(&format!("Bearer {text}"))), Ok(key.digest()));
        assert_eq!(read(Some(&format!("bearer  {text}"))), Ok(key.digest()));
        assert_eq!(read(Some(&basic(&format!("{text}:")))), Ok(key.digest()));
        assert_eq!(read(Some(&basic(text))), Err(Code::ApiKeyMissing));
        assert_eq!(read(None), Err(Code::ApiKeyMissing));
        assert_eq!(read(Some("Digest x")), Err(Code::ApiKeyMissing));
        assert_eq!(read(Some("Bearer")), Err(Code::ApiKeyInvalid));
        assert_eq!(read(Some("Bearer sk_test_1")), Err(Code::ApiKeyInvalid));
    }
}
