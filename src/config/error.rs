//! Why the settings cannot be used, and where they stand.

use std::path::PathBuf;
use std::{fmt, io};

/// Why the settings cannot be used. No value is repeated: it may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the settings in {} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is not TOML.
    #[error("{origin} is not valid TOML at byte {at}")]
    Syntax {
        /// Where it stands.
        origin: Origin,
        /// How far it was read.
        at: usize,
    },
    /// No such setting.
    #[error("there is no setting `{name}` ({origin}); config.default.toml lists all")]
    Unknown {
        /// The setting.
        name: String,
        /// Where it stands.
        origin: Origin,
    },
    /// The setting has another form.
    #[error("`{name}` must be {expected} ({origin})")]
    Invalid {
        /// The setting.
        name: String,
        /// What it must be.
        expected: String,
        /// Where it stands.
        origin: Origin,
    },
    /// A secret stands in a file.
    #[error("`{name}` is a secret: set {variable} in the environment instead of {origin}")]
    SecretInFile {
        /// The setting.
        name: String,
        /// The environment's variable.
        variable: String,
        /// Where it stands.
        origin: Origin,
    },
}

/// Where a setting was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Origin {
    /// A file.
    File(PathBuf),
    /// A variable of the environment.
    Variable(String),
    /// All of them together.
    Whole,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Variable(name) => write!(f, "the variable {name}"),
            Self::Whole => f.write_str("the settings"),
        }
    }
}
