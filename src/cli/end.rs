//! How a command ends: the exit code, and the failure with its chain of causes.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

/// What a command comes to.
pub type CommandResult = Result<End, Failure>;

/// The exit codes, as `mizan --help` lists them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// It is done.
    Done,
    /// It could not be done, or what was checked is not believed.
    Failed,
    /// The books break a law, or do not agree with the gateway.
    Broken,
}

impl From<End> for ExitCode {
    fn from(end: End) -> Self {
        ExitCode::from(match end {
            End::Done => 0,
            End::Failed => 1,
            End::Broken => 3,
        })
    }
}

/// Why a command could not do its work.
pub struct Failure {
    cause: Box<dyn Error + Send + Sync>,
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for Failure {
    fn from(cause: E) -> Self {
        Self { cause: cause.into() }
    }
}

impl fmt::Display for Failure {
    /// The cause, and below it what caused that.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.cause)?;
        let mut told = self.cause.to_string();
        let mut next = self.cause.source();
        while let Some(cause) = next {
            let text = cause.to_string();
            // Transparent errors say what their source says.
            if !told.ends_with(&text) {
                write!(f, "\n  because {text}")?;
            }
            told = text;
            next = cause.source();
        }
        Ok(())
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the shop is closed")]
    struct Closed(#[source] std::io::Error);

    #[test]
    fn a_failure_is_told_with_its_causes_each_once() {
        let failure = Failure::from(Closed(std::io::Error::other("the key is lost")));
        assert_eq!(failure.to_string(), "the shop is closed\n  because the key is lost");
        assert_eq!(Failure::from("no such file").to_string(), "no such file");
    }
}
