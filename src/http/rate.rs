//! How many requests somebody may send: by key, and by address for who comes without a good one.
//!
//! Each process counts for itself, by the generic cell rate algorithm: a minute's worth at once,
//! then as fast as a minute gives them back. Signed webhooks are not counted; they are bounded in
//! size and number at work.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue};
use governor::clock::Clock as _;
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use mizan_money::ApiKeyId;

use super::{Code, Problem};
use crate::clock::Clock;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const MINUTE: u32 = 60;

/// The service's clock, as the algorithm reads it.
#[derive(Clone, Debug)]
struct Hands(Clock);

impl governor::clock::Clock for Hands {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let nanos = self.0.now().timestamp_nanos_opt().unwrap_or_default();
        Nanos::new(u64::try_from(nanos).unwrap_or_default())
    }
}

type Counted<K> = RateLimiter<K, DashMapStateStore<K>, Hands, StateInformationMiddleware>;

/// A limit, and who has how much of it left.
struct Limit<K: std::hash::Hash + Eq + Clone> {
    name: &'static str,
    per_minute: NonZeroU32,
    counted: Counted<K>,
    hands: Hands,
}

/// How much of a limit is left to somebody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Left {
    name: &'static str,
    per_minute: u32,
    left: u32,
    /// Until all of it is there again.
    seconds: u32,
}

/// What a request learned about its limit, on the way to the headers of its answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told(Arc<OnceLock<Left>>);

/// The limits of this process. Clones count together.
#[derive(Clone)]
pub struct RateLimits {
    inner: Arc<Inner>,
}

struct Inner {
    keys: Option<Limit<ApiKeyId>>,
    addresses: Option<Limit<IpAddr>>,
    proxies: usize,
}

impl fmt::Debug for RateLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimits").finish_non_exhaustive()
    }
}

impl<K: std::hash::Hash + Eq + Clone> Limit<K> {
    /// None for a limit of 0: there is none.
    fn new(name: &'static str, per_minute: u32, clock: &Clock) -> Option<Self> {
        let per_minute = NonZeroU32::new(per_minute)?;
        let hands = Hands(clock.clone());
        let (quota, store) = (Quota::per_minute(per_minute), DashMapStateStore::default());
        let counted = Counted::new(quota, store, hands.clone());
        Some(Self { name, per_minute, counted, hands })
    }

    fn count(&self, who: &K) -> Result<Left, (Left, Problem)> {
        let all = self.per_minute.get();
        let left = |left: u32| {
            let missing = u64::from(all.saturating_sub(left));
            let seconds = (missing * u64::from(MINUTE)).div_ceil(u64::from(all));
            let seconds = u32::try_from(seconds).unwrap_or(MINUTE);
            Left { name: self.name, per_minute: all, left, seconds }
        };
        match self.counted.check_key(who) {
            Ok(state) => Ok(left(state.remaining_burst_capacity())),
            Err(not_until) => {
                let wait = not_until.wait_time_from(self.hands.now());
                let detail = format!("{all} a minute are allowed for one {}.", self.name);
                let problem = Problem::new(Code::TooManyRequests, detail);
                Err((left(0), problem.retry_after(whole_seconds(wait))))
            }
        }
    }

    /// Forgets who has all of the limit left.
    fn forget(&self) {
        self.counted.retain_recent();
        self.counted.shrink_to_fit();
    }
}

fn whole_seconds(wait: Duration) -> u32 {
    let up = u64::from(wait.subsec_nanos() > 0);
    u32::try_from(wait.as_secs() + up).unwrap_or(u32::MAX).max(1)
}

impl RateLimits {
    /// Limits a minute; 0 is none. `proxies` stand in front and say in `X-Forwarded-For` whom
    /// they speak for.
    #[must_use]
    pub fn new(by_key: u32, by_address: u32, proxies: usize, clock: &Clock) -> Self {
        let keys = Limit::new("key", by_key, clock);
        let addresses = Limit::new("address", by_address, clock);
        Self { inner: Arc::new(Inner { keys, addresses, proxies }) }
    }

    /// Counts a request with a good key.
    ///
    /// # Errors
    /// 429 with the time after which there is room again.
    pub(crate) fn key(&self, key: ApiKeyId, extensions: &Extensions) -> Result<(), Problem> {
        let told = extensions.get::<Told>();
        tell(self.inner.keys.as_ref().map(|limit| limit.count(&key)), told)
    }

    /// Counts a request without one.
    ///
    /// # Errors
    /// 429 with the time after which there is room again.
    pub(super) fn address(&self, from: Option<IpAddr>, told: &Told) -> Result<(), Problem> {
        let limit = self.inner.addresses.as_ref().zip(from);
        tell(limit.map(|(limit, from)| limit.count(&network(from))), Some(told))
    }

    /// Where a request comes from: the connection, or whom the outermost of our proxies names.
    pub(super) fn from(&self, extensions: &Extensions, headers: &HeaderMap) -> Option<IpAddr> {
        let near = extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(it)| it.ip());
        let Some(hop) = self.inner.proxies.checked_sub(1) else { return near };
        let texts = headers.get_all(FORWARDED_FOR).iter().filter_map(|it| it.to_str().ok());
        let named: Vec<&str> = texts.flat_map(|text| text.split(',')).map(str::trim).collect();
        named.iter().rev().nth(hop).and_then(|text| text.parse().ok()).or(near)
    }

    /// Forgets who has sent nothing for long, so that what is remembered stays small.
    pub fn forget(&self) {
        if let Some(limit) = &self.inner.keys {
            limit.forget();
        }
        if let Some(limit) = &self.inner.addresses {
            limit.forget();
        }
    }
}

fn tell(
    counted: Option<Result<Left, (Left, Problem)>>,
    told: Option<&Told>,
) -> Result<(), Problem> {
    let Some(counted) = counted else { return Ok(()) };
    let left = match &counted {
        Ok(left) | Err((left, _)) => *left,
    };
    if let Some(told) = told {
        // The first word stands.
        let _ = told.0.set(left);
    }
    counted.map(drop).map_err(|(_, problem)| problem)
}

/// One household has one IPv4 address, and a whole IPv6 network of 64 bits.
fn network(from: IpAddr) -> IpAddr {
    match from {
        IpAddr::V6(it) if it.to_ipv4_mapped().is_none() => {
            let [a, b, c, d, ..] = it.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        other => other.to_canonical(),
    }
}

impl Told {
    /// Writes what was learned, as the IETF draft on rate limit headers has it.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        let Some(Left { name, per_minute, left, seconds }) = self.0.get() else { return };
        let policy = format!("\"{name}\";q={per_minute};w={MINUTE}");
        let rest = format!("\"{name}\";r={left};t={seconds}");
        for (header, text) in [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, rest)] {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(header, value);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn limits(proxies: usize) -> RateLimits {
        let clock = Clock::manual("2026-03-02T09:00:00Z".parse().unwrap());
        RateLimits::new(0, 2, proxies, &clock)
    }

    #[test]
    fn a_network_is_counted_as_one() {
        let limits = limits(0);
        let none = Told::default();
        let ask = |text: &str| limits.address(text.parse().ok(), &none).is_ok();
        assert!(ask("2001:db8::1") && ask("2001:db8::2") && !ask("2001:db8::3"));
        assert!(ask("2001:db8:0:1::1") && ask("192.0.2.1") && ask("::ffff:192.0.2.1"));
        assert!(!ask("192.0.2.1") && ask("192.0.2.2"));
        assert!((0..9).all(|_| limits.address(None, &none).is_ok()));
    }

    #[test]
    fn only_our_own_proxies_say_whom_they_speak_for() {
        let mut extensions = Extensions::new();
        let near: SocketAddr = "10.0.0.1:5".parse().unwrap();
        extensions.insert(ConnectInfo(near));
        let mut headers = HeaderMap::new();
        let from = |proxies: usize, headers: &HeaderMap| {
            limits(proxies).from(&extensions, headers).unwrap().to_string()
        };
        assert_eq!(from(1, &headers), "10.0.0.1");
        headers.append(FORWARDED_FOR, "6.6.6.6, 192.0.2.7".parse().unwrap());
        headers.append(FORWARDED_FOR, "10.0.0.9".parse().unwrap());
        assert_eq!(from(0, &headers), "10.0.0.1");
        assert_eq!(from(1, &headers), "10.0.0.9");
        assert_eq!(from(2, &headers), "192.0.2.7");
        assert_eq!(from(9, &headers), "10.0.0.1");
    }
}
