//! Who stands behind a request: taken by handlers that need an API key.

use axum::extract::{FromRef, FromRequestParts, MatchedPath, RawPathParams};
use axum::http::{HeaderMap, header, request::Parts};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use mizan_money::{ApiKeyId, RequestId, TenantId, Timestamp};

use super::policy::{Asker, Verdict, rule_of};
use super::role::{Role, Subject};
use super::scope::Scopes;
use super::{ApiKey, KeyLookUps, Mode};
use crate::app::App;
use crate::audit::Doer;
use crate::http::{Code, Problem};

/// The longest header that can hold a key, in either form.
const HEADER_BYTES_MAX: usize = 512;

/// Who holds a key, as the database knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Holder {
    pub tenant: TenantId,
    pub key: ApiKeyId,
    pub mode: Mode,
    /// How far the tenant's test clock is ahead.
    pub ahead: TimeDelta,
    pub role: Role,
    pub scopes: Scopes,
    pub subject: Option<Subject>,
    /// From when on it is no key any more.
    pub expires_at: Option<Timestamp>,
}

/// The tenant and key of a request whose key was checked, and that may do what it asks. There is
/// no other way to get one from a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    holder: Holder,
    doer: Option<Doer>,
}

impl Caller {
    /// The marketplace whose money this is about.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.holder.tenant
    }

    /// The key's public name.
    #[must_use]
    pub const fn key(&self) -> ApiKeyId {
        self.holder.key
    }

    /// Play money or real money.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.holder.mode
    }

    /// What the caller is to the marketplace.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.holder.role
    }

    /// What the caller's key is narrowed to.
    #[must_use]
    pub const fn scopes(&self) -> Scopes {
        self.holder.scopes
    }

    /// From when on the caller's key is no key any more.
    #[must_use]
    pub const fn expires_at(&self) -> Option<Timestamp> {
        self.holder.expires_at
    }

    /// The one customer, vendor or affiliate of whom the caller may hear; none where of all.
    #[must_use]
    pub fn only(&self, role: Role) -> Option<&str> {
        self.subject().filter(|_| self.holder.role == role)
    }

    /// Whether something of this customer, vendor or affiliate may be shown to the caller.
    #[must_use]
    pub fn may_see(&self, role: Role, whose: &str) -> bool {
        !self.holder.role.is_outside() || self.only(role) == Some(whose)
    }

    /// Who does what, for the audit log.
    #[must_use]
    pub fn doer(&self) -> Doer {
        let nowhere = || Doer {
            actor: self.holder.key.to_string(),
            role: Some(self.holder.role),
            action: "outside of any route".to_owned(),
            object: None,
            request: None,
        };
        self.doer.clone().unwrap_or_else(nowhere)
    }

    fn subject(&self) -> Option<&str> {
        self.holder.subject.as_ref().map(Subject::as_str)
    }

    /// The time it is for the caller: a tenant that plays may be ahead of the others. Whatever a
    /// request does or writes down goes by it.
    #[must_use]
    pub fn now(&self, app: &App) -> Timestamp {
        app.clock.now_ahead(self.holder.ahead)
    }

    /// Finds who holds `key`.
    ///
    /// # Errors
    /// 401 when nobody does, 503 when the database is away.
    pub async fn of_key(keys: &KeyLookUps, key: &ApiKey, now: Timestamp) -> Result<Self, Problem> {
        let found = keys.find(key.digest()).await?;
        let good = found.filter(|it| it.expires_at.is_none_or(|end| now < end));
        good.map(|holder| Self { holder, doer: None }).ok_or_else(invalid_key)
    }

    /// Whether the caller may use the route of a request.
    ///
    /// # Errors
    /// 403 where the role or the key does not go so far, 404 where it is somebody else's.
    async fn check(&self, parts: &mut Parts) -> Result<Doer, Problem> {
        let path = MatchedPath::from_request_parts(parts, &()).await;
        let path = path.map_err(|error| Problem::internal(&error))?;
        let named = RawPathParams::from_request_parts(parts, &()).await;
        let named = named.map_err(|_| Problem::not_found())?;
        let Some(rule) = rule_of(parts.method.as_str(), path.as_str()) else {
            return Err(may_not("This route is for nobody."));
        };
        let role = self.holder.role;
        let asker = Asker { role, scopes: self.holder.scopes, subject: self.subject() };
        let value = |name: &str| named.iter().find(|(it, _)| *it == name).map(|(_, value)| value);
        match rule.verdict(&asker, value) {
            Verdict::May => {
                // The last name in the path is the most exact one.
                let object =
                    named.iter().last().map(|(_, value)| value.chars().take(200).collect());
                let request = parts.extensions.get::<RequestId>().copied();
                Ok(Doer::on_route((self.holder.key, role), rule, object, request))
            }
            Verdict::Hidden => Err(Problem::not_found()),
            Verdict::MayNot => Err(may_not(&format!(
                "It takes `{}`, which this key of the role `{role}` does not have.",
                rule.scope
            ))),
        }
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
        let now = app.clock.now();
        let mut caller = Self::of_key(&app.keys, &key, now).await?;
        app.rates.key(caller.key(), &parts.extensions)?;
        let doer = caller.check(parts).await?;
        parts.extensions.insert(doer.clone());
        caller.doer = Some(doer);
        let &Holder { tenant, key, ahead, .. } = &caller.holder;
        app.clock.learn(tenant, ahead);
        app.keys.was_used(tenant, key, now);
        tracing::debug!(%tenant, %key, role = %caller.holder.role, "caller");
        Ok(caller)
    }
}

fn invalid_key() -> Problem {
    Problem::new(Code::ApiKeyInvalid, "No such key, or it was revoked or has expired.")
}

fn may_not(detail: &str) -> Problem {
    Problem::new(Code::NotAllowed, detail)
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
