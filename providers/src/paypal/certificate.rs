//! The certificate behind a delivery: where it may come from, and why it is believed.
//!
//! The signature does not cover the address of the certificate, so whoever may name any address
//! may sign with a certificate of their own. Two things stand against that, each enough by itself:
//! an address must be one of PayPal's own, letter by letter; and the certificate must be PayPal's
//! by its name, valid at the given time and lead to a trusted root.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;
use std::time::Duration;

use mizan_money::Timestamp;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use serde::Serialize;
use webpki::{EndEntityCert, KeyUsage};

use crate::client::is_loopback;
use crate::error::{ModelError, VerifyError};
use crate::model::{ProviderName, words};
use crate::registry::RegistryError;

/// The header with the address.
pub(super) const CERT_URL: &str = "PAYPAL-CERT-URL";
/// Most certificates of a chain that are looked at.
const MAX_CERTIFICATES: usize = 8;
/// Longest text of certificates that is looked at, in bytes.
const MAX_PEM_BYTES: usize = 64 * 1024;
/// Longest name of a certificate in its address.
const MAX_NAME_CHARS: usize = 200;

/// Where certificates lie at every one of PayPal's hosts.
const FOLDER: &str = "/v1/notifications/certs/";
/// The one other address: that of the genuine delivery which PayPal's own libraries are tested
/// with, in the sandbox.
const SANDBOX_SAMPLE: &str = "https://api.sandbox.paypal.com/v1/notifications/test";

words! {
    /// Which of PayPal's two worlds an application belongs to.
    Environment {
        /// Real money.
        Live = "live",
        /// Test money.
        Sandbox = "sandbox",
    }
}

impl Environment {
    /// The hosts of its API, by their old and their new name.
    const fn hosts(self) -> [&'static str; 2] {
        match self {
            Self::Live => ["https://api-m.paypal.com", "https://api.paypal.com"],
            Self::Sandbox => ["https://api-m.sandbox.paypal.com", "https://api.sandbox.paypal.com"],
        }
    }

    /// The name that its certificates are made out to.
    const fn certificate_name(self) -> &'static str {
        match self {
            Self::Live => "messageverificationcerts.paypal.com",
            Self::Sandbox => "messageverificationcerts.sandbox.paypal.com",
        }
    }

    /// Whether an address is one of its certificates'.
    fn keeps(self, address: &str) -> bool {
        let in_folder = |host: &str| {
            address
                .strip_prefix(host)
                .and_then(|path| path.strip_prefix(FOLDER))
                .is_some_and(is_plain_name)
        };
        self.hosts().into_iter().any(in_folder)
            || (self == Self::Sandbox && address == SANDBOX_SAMPLE)
    }
}

/// A name that cannot leave its folder.
fn is_plain_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    (1..=MAX_NAME_CHARS).contains(&name.len()) && name.bytes().all(plain)
}

/// Which certificates are believed. An adapter that only reads deliveries belongs to neither
/// world and takes either, each under its own name.
pub(super) struct Certificates {
    pub(super) environment: Option<Environment>,
    roots: Option<Vec<TrustAnchor<'static>>>,
    base: Option<String>,
}

impl Certificates {
    /// Those that lead to a root of the operating system.
    pub(super) const fn of(environment: Option<Environment>) -> Self {
        Self { environment, roots: None, base: None }
    }

    /// The same with these roots only; with none, with those of the operating system.
    pub(super) fn trusting(mut self, pems: &[String]) -> Result<Self, RegistryError> {
        let refused = RegistryError::TrustRoot { provider: ProviderName::Paypal };
        let mut roots = Vec::new();
        for pem in pems {
            let found = read(std::slice::from_ref(pem)).filter(|found| !found.is_empty());
            for der in found.ok_or_else(|| refused.clone())? {
                roots.push(anchor(&der).ok_or_else(|| refused.clone())?);
            }
        }
        self.roots = (!roots.is_empty()).then_some(roots);
        Ok(self)
    }

    /// The same with one more address: of a stub on this machine.
    pub(super) fn with_base(mut self, base: &str) -> Result<Self, RegistryError> {
        let refused = RegistryError::CertificateBase { provider: ProviderName::Paypal };
        let url = reqwest::Url::parse(base).map_err(|_| refused.clone())?;
        let web = matches!(url.scheme(), "http" | "https");
        let bare = url.query().is_none() && url.fragment().is_none();
        let open = url.username().is_empty() && url.password().is_none();
        if !(web && bare && open && url.host_str().is_some_and(is_loopback)) {
            return Err(refused);
        }
        self.base = Some(base.trim_end_matches('/').to_owned());
        Ok(self)
    }

    /// The worlds an address belongs to.
    pub(super) fn keepers(&self, address: &str) -> Result<Vec<Environment>, VerifyError> {
        let mine = |it: &Environment| self.environment.is_none_or(|mine| mine == *it);
        let stub = self.base.as_deref().and_then(|base| address.strip_prefix(base));
        let at_stub = stub.and_then(|path| path.strip_prefix(FOLDER)).is_some_and(is_plain_name);
        let worlds: Vec<Environment> = Environment::ALL
            .iter()
            .copied()
            .filter(|it| mine(it) && (at_stub || it.keeps(address)))
            .collect();
        if worlds.is_empty() {
            let problem = "it is no address of PayPal's certificates";
            return Err(VerifyError::MalformedHeader { name: CERT_URL, problem });
        }
        Ok(worlds)
    }

    /// Holds a text against the certificate that was fetched, once that is believed: the first of
    /// the given ones, by way of the others.
    pub(super) fn check<T>(
        &self,
        worlds: &[Environment],
        pems: &[String],
        now: Timestamp,
        fits: impl FnOnce(&EndEntityCert<'_>) -> T,
    ) -> Result<T, VerifyError> {
        let refused = |problem| VerifyError::Certificate { problem };
        let chain = read(pems).ok_or(refused("it is not readable, or too long"))?;
        let (leaf, others) = chain.split_first().ok_or(refused("none was fetched"))?;
        let cert = EndEntityCert::try_from(leaf).map_err(|_| refused("it is not readable"))?;
        let seconds = u64::try_from(now.timestamp()).map_err(|_| refused("it is not valid yet"))?;
        let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let roots = self.roots.as_deref().unwrap_or_else(|| system_roots());
        cert.verify_for_usage(
            webpki::ALL_VERIFICATION_ALGS,
            roots,
            others,
            at,
            KeyUsage::server_auth(),
            None,
            None,
        )
        .map_err(|error| refused(problem(&error)))?;
        let named = |world: &Environment| {
            ServerName::try_from(world.certificate_name())
                .is_ok_and(|name| cert.verify_is_valid_for_subject_name(&name).is_ok())
        };
        if !worlds.iter().any(named) {
            return Err(refused("it is made out to another name"));
        }
        Ok(fits(&cert))
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let roots = self.roots.as_ref().map(Vec::len);
        f.debug_struct("Certificates")
            .field("environment", &self.environment)
            .field("roots", &roots)
            .field("base", &self.base)
            .finish()
    }
}

fn problem(error: &webpki::Error) -> &'static str {
    match error {
        webpki::Error::CertExpired { .. } => "it, or one it leads to, has expired",
        webpki::Error::CertNotValidYet { .. } => "it is not valid yet",
        webpki::Error::UnknownIssuer => "it leads to no trusted root",
        _ => "its chain is not valid",
    }
}

/// Every certificate of some texts in PEM; nothing where one is broken or they are too long.
fn read(pems: &[String]) -> Option<Vec<CertificateDer<'static>>> {
    if pems.iter().map(String::len).sum::<usize>() > MAX_PEM_BYTES {
        return None;
    }
    let all = pems.iter().flat_map(|pem| CertificateDer::pem_slice_iter(pem.as_bytes()));
    let chain: Vec<_> = all.collect::<Result<_, _>>().ok()?;
    (chain.len() <= MAX_CERTIFICATES).then_some(chain)
}

fn anchor(der: &CertificateDer<'_>) -> Option<TrustAnchor<'static>> {
    webpki::anchor_from_trusted_cert(der).ok().map(|anchor| anchor.to_owned())
}

/// The roots of the operating system, read once and only where no others are given. One that
/// cannot be read is left out; where there are none, nothing is believed.
fn system_roots() -> &'static [TrustAnchor<'static>] {
    static ROOTS: OnceLock<Vec<TrustAnchor<'static>>> = OnceLock::new();
    ROOTS.get_or_init(|| {
        rustls_native_certs::load_native_certs().certs.iter().filter_map(anchor).collect()
    })
}
