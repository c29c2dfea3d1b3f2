//! The certificates that a gateway signs its deliveries with: fetched once, kept by address.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use mizan_providers::{GatewayClient, Headers, Provider, SendError, VerifyError};

/// Most addresses that are remembered; a gateway has one or two at a time.
const KEPT_MAX: usize = 16;

/// How many are fetched at once.
const AT_ONCE: usize = 4;

/// Largest certificate file, in bytes.
const BYTES_MAX: usize = 32 * 1024;

/// Certificates in PEM by their address. Clones share them.
#[derive(Clone, Debug)]
pub struct Certificates {
    by_url: Arc<Mutex<BTreeMap<String, String>>>,
    turns: Arc<Semaphore>,
}

impl Default for Certificates {
    fn default() -> Self {
        Self { by_url: Arc::default(), turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

/// Why a certificate is not there.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The delivery names none, or one that is not its gateway's.
    #[error(transparent)]
    NotBelieved(#[from] VerifyError),
    /// It could not be fetched; the delivery is neither believed nor refused.
    #[error("the certificate could not be fetched: {0}")]
    Fetch(#[from] SendError),
    /// Too many are being fetched.
    #[error("too many certificates are being fetched")]
    Busy,
    /// What came is no certificate.
    #[error("what stands at the address of the certificate is none")]
    NoCertificate,
}

impl Certificates {
    /// What a delivery has to be verified with; nothing for a gateway that signs with secrets.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub async fn of(
        &self,
        provider: &dyn Provider,
        client: &GatewayClient,
        headers: &Headers,
    ) -> Result<Vec<String>, CertificateError> {
        let Some(url) = provider.certificate_url(headers)? else { return Ok(Vec::new()) };
        let kept = self.by_url.lock().unwrap_or_else(PoisonError::into_inner).get(&url).cloned();
        if let Some(pem) = kept {
            return Ok(vec![pem]);
        }
        // Anybody may name an address: only so many are fetched at once.
        let Ok(_turn) = self.turns.try_acquire() else { return Err(CertificateError::Busy) };
        let bytes = client.fetch(&url).await?;
        let pem = String::from_utf8(bytes).ok().filter(|text| text.len() <= BYTES_MAX);
        let pem = pem.filter(|text| text.contains("-----BEGIN CERTIFICATE-----"));
        let pem = pem.ok_or(CertificateError::NoCertificate)?;
        let mut kept = self.by_url.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(url, pem.clone());
        Ok(vec![pem])
    }
}
