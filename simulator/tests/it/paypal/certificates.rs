//! X.509 certificates read by hand: a second way to check what the simulator signs.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// One certificate.
pub struct Certificate {
    der: Vec<u8>,
    signed: Vec<u8>,
    signature: Vec<u8>,
    key: Vec<u8>,
}

/// Splits off the first element: its tag, itself whole, its content, and what follows.
fn element(der: &[u8]) -> (u8, &[u8], &[u8], &[u8]) {
    let (length, start) = match der[1] {
        short if short < 0x80 => (usize::from(short), 2),
        long => {
            let count = usize::from(long & 0x7f);
            let length =
                der[2..2 + count].iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            (length, 2 + count)
        }
    };
    let end = start + length;
    (der[0], &der[..end], &der[start..end], &der[end..])
}

impl Certificate {
    /// The certificates of a PEM file.
    pub fn all(pem: &str) -> Vec<Self> {
        let ends = pem.split("-----BEGIN CERTIFICATE-----").skip(1);
        let inner = ends.map(|text| text.split("-----END").next().unwrap().replace('\n', ""));
        inner.map(|text| Self::read(&STANDARD.decode(text).unwrap())).collect()
    }

    fn read(der: &[u8]) -> Self {
        let (_, _, outer, _) = element(der);
        let (_, signed, fields, rest) = element(outer);
        let (_, _, _, rest) = element(rest);
        let (_, _, signature, _) = element(rest);
        // Version, number, algorithm, issuer, validity and subject come before the key.
        let mut left = fields;
        for _ in 0..6 {
            left = element(left).3;
        }
        let (_, _, info, _) = element(left);
        let (_, _, key, _) = element(element(info).3);
        let own = |bytes: &[u8]| bytes.to_vec();
        // A bit string begins with the count of its unused bits.
        Self {
            der: own(der),
            signed: own(signed),
            signature: own(&signature[1..]),
            key: own(&key[1..]),
        }
    }

    pub fn verifies(&self, text: &[u8], signature: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.key);
        key.verify(text, signature).is_ok()
    }

    pub fn is_signed_by(&self, issuer: &Self) -> bool {
        issuer.verifies(&self.signed, &self.signature)
    }

    pub fn mentions(&self, name: &str) -> usize {
        self.der.windows(name.len()).filter(|window| *window == name.as_bytes()).count()
    }
}
