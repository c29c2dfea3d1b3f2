//! The secret that a caller presents: what it looks like, and its digest.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRngCore;
use rand::rngs::OsRng;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

const RANDOM_BYTES: usize = 32;
const RANDOM_CHARS: usize = 43;

/// Whether a key moves play money or real money.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mode {
    /// Play money: gateways' test credentials.
    Test,
    /// Real money.
    Live,
}

/// An API key in full. It is shown once, and nowhere kept.
#[derive(Clone)]
pub struct ApiKey {
    mode: Mode,
    secret: SecretString,
}

/// Why a text is not a key. It does not say how far the text was right.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyError {
    /// Not `mz_test_` or `mz_live_` and 43 characters.
    #[error("an API key reads mz_test_ or mz_live_ and 43 characters")]
    Shape,
    /// The system gave no random bytes.
    #[error("the system has no random bytes to make a key of")]
    NoRandomness,
}

impl Mode {
    /// The word in the key and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Live => "live",
        }
    }

    /// The mode of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Test, Self::Live].into_iter().find(|mode| mode.as_str() == word)
    }
}

impl ApiKey {
    /// A new key of 256 random bits.
    ///
    /// # Errors
    /// [`KeyError::NoRandomness`] when the system has none.
    pub fn generate(mode: Mode) -> Result<Self, KeyError> {
        let mut bytes = [0; RANDOM_BYTES];
        OsRng.try_fill_bytes(&mut bytes).map_err(|_| KeyError::NoRandomness)?;
        let text = format!("mz_{}_{}", mode.as_str(), URL_SAFE_NO_PAD.encode(bytes));
        Ok(Self { mode, secret: text.into() })
    }

    /// Reads what a caller sent.
    ///
    /// # Errors
    /// [`KeyError::Shape`].
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let rest = text.strip_prefix("mz_").ok_or(KeyError::Shape)?;
        let (word, random) = rest.split_once('_').ok_or(KeyError::Shape)?;
        let mode = Mode::from_word(word).ok_or(KeyError::Shape)?;
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if random.len() != RANDOM_CHARS || !random.bytes().all(plain) {
            return Err(KeyError::Shape);
        }
        Ok(Self { mode, secret: text.to_owned().into() })
    }

    /// Whether it moves play money or real money.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// What is kept of it.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.secret.expose_secret().as_bytes()).into()
    }

    /// The whole key, to show it the one time.
    #[must_use]
    pub const fn secret(&self) -> &SecretString {
        &self.secret
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mz_{}_…", self.mode.as_str())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn a_new_key_reads_back_to_the_same_digest() {
        let key = ApiKey::generate(Mode::Test).unwrap();
        let text = key.secret().expose_secret();
        assert!(text.starts_with("mz_test_") && text.len() == 8 + RANDOM_CHARS);
        let read = ApiKey::parse(text).unwrap();
        assert_eq!((read.digest(), read.mode()), (key.digest(), Mode::Test));
        assert_ne!(ApiKey::generate(Mode::Test).unwrap().digest(), key.digest());
    }

    #[test]
    fn a_key_never_shows_in_debug_output() {
        let key = ApiKey::generate(Mode::Live).unwrap();
        assert_eq!(format!("{key:?}"), "mz_live_…");
    }

    #[test]
    fn anything_else_is_not_a_key() {
        let random = "a".repeat(RANDOM_CHARS);
        assert!(ApiKey::parse(&format!("mz_live_{random}")).is_ok());
        for text in [
            String::new(),
            "mz_".to_owned(),
            format!("sk_test_{random}"),
            format!("mz_TEST_{random}"),
            format!("mz_test_{random}a"),
            format!("mz_test_{}", &random[1..]),
            format!("mz_test_{} ", &random[1..]),
        ] {
            assert_eq!(ApiKey::parse(&text).err(), Some(KeyError::Shape), "{text}");
        }
    }
}
