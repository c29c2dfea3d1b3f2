//! What the database said no with, sorted by what a caller can do about it.

use std::io;

/// What went wrong in the database. The source holds the server's own words.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DbError {
    /// No connection, or the server is going down or coming up. Nothing was committed.
    #[error("the database cannot be reached at the moment")]
    Unavailable {
        /// What the driver said.
        #[source]
        source: sqlx::Error,
    },
    /// Another transaction was in the way: a serialisation failure, a deadlock, or a lock that
    /// was not granted in time. Nothing was committed.
    #[error("another transaction is at work on the same rows")]
    Conflict {
        /// What the driver said.
        #[source]
        source: sqlx::Error,
    },
    /// A statement ran longer than it may. Nothing was committed.
    #[error("a statement took longer than its time limit")]
    TimedOut {
        /// What the driver said.
        #[source]
        source: sqlx::Error,
    },
    /// A constraint refused a row.
    #[error("the database refuses the row by its rule `{constraint}`")]
    Constraint {
        /// The constraint's name in the migrations.
        constraint: String,
        /// What the driver said.
        #[source]
        source: sqlx::Error,
    },
    /// The connection was lost while the commit was under way: it may have happened or not.
    #[error("the commit of `{transaction}` was not confirmed: ask again under the same key")]
    CommitUnknown {
        /// The transaction's name.
        transaction: &'static str,
        /// What the driver said.
        #[source]
        source: sqlx::Error,
    },
    /// Anything else: a mistake of ours in a statement, a type or a permission.
    #[error("a statement failed")]
    Other {
        /// What the driver said.
        #[source]
        source: sqlx::Error,
    },
}

/// Whether running the same transaction again may help.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Retry {
    /// It lost a race or its connection before the commit: run it again from the start.
    Again,
    /// The answer would be the same, or it is not known whether it happened.
    Never,
}

/// An error that knows whether its transaction is worth another run.
pub trait Retryable {
    /// Whether running the same transaction again may help.
    fn retry(&self) -> Retry;
}

impl DbError {
    /// The constraint that refused, if that is what happened.
    #[must_use]
    pub fn constraint(&self) -> Option<&str> {
        match self {
            Self::Constraint { constraint, .. } => Some(constraint),
            _ => None,
        }
    }

    /// Nothing was done, because too much is being done.
    #[must_use]
    pub fn busy() -> Self {
        Self::Unavailable { source: sqlx::Error::PoolTimedOut }
    }

    /// Nobody can tell whether `transaction` was committed.
    #[must_use]
    pub fn unconfirmed(transaction: &'static str) -> Self {
        Self::CommitUnknown { transaction, source: sqlx::Error::WorkerCrashed }
    }

    /// The same answer for another caller that shared `transaction`; the driver's own words
    /// can be given only once.
    #[must_use]
    pub fn same_class(&self, transaction: &'static str) -> Self {
        match self {
            Self::CommitUnknown { .. } => Self::unconfirmed(transaction),
            Self::Constraint { constraint, .. } => Self::Constraint {
                constraint: constraint.clone(),
                source: sqlx::Error::WorkerCrashed,
            },
            Self::TimedOut { .. } => Self::TimedOut { source: sqlx::Error::WorkerCrashed },
            Self::Other { .. } => Self::Other { source: sqlx::Error::WorkerCrashed },
            Self::Unavailable { .. } | Self::Conflict { .. } => Self::busy(),
        }
    }

    /// The error of a commit: without the server's refusal nobody knows whether it happened.
    pub(super) fn of_commit(transaction: &'static str, source: sqlx::Error) -> Self {
        match Self::from(source) {
            Self::Unavailable { source } => Self::CommitUnknown { transaction, source },
            Self::Other { source } if source.as_database_error().is_none() => {
                Self::CommitUnknown { transaction, source }
            }
            certain => certain,
        }
    }
}

impl Retryable for DbError {
    fn retry(&self) -> Retry {
        match self {
            Self::Conflict { .. } => Retry::Again,
            // The pool has already waited as long as it may.
            Self::Unavailable { source: sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed } => {
                Retry::Never
            }
            Self::Unavailable { .. } => Retry::Again,
            Self::TimedOut { .. }
            | Self::Constraint { .. }
            | Self::CommitUnknown { .. }
            | Self::Other { .. } => Retry::Never,
        }
    }
}

impl From<sqlx::Error> for DbError {
    fn from(source: sqlx::Error) -> Self {
        if let sqlx::Error::Database(error) = &source {
            let constraint = error.constraint().map(str::to_owned);
            let state = error.code().unwrap_or_default().into_owned();
            return of_sql_state(&state, constraint, source);
        }
        if is_connection_loss(&source) {
            Self::Unavailable { source }
        } else {
            Self::Other { source }
        }
    }
}

/// Sorts by SQLSTATE, after PostgreSQL's appendix A.
fn of_sql_state(state: &str, constraint: Option<String>, source: sqlx::Error) -> DbError {
    match state {
        // serialization_failure, deadlock_detected, lock_not_available
        "40001" | "40P01" | "55P03" => DbError::Conflict { source },
        // query_canceled: by statement_timeout
        "57014" => DbError::TimedOut { source },
        // admin_shutdown, crash_shutdown, cannot_connect_now, database_dropped,
        // idle_in_transaction_session_timeout, transaction_timeout
        "57P01" | "57P02" | "57P03" | "57P04" | "25P03" | "25P04" => {
            DbError::Unavailable { source }
        }
        // connection exceptions; insufficient_resources such as a full disk; io_error
        _ if state.starts_with("08") || state.starts_with("53") || state == "58030" => {
            DbError::Unavailable { source }
        }
        _ if state.starts_with("23") => {
            DbError::Constraint { constraint: constraint.unwrap_or_default(), source }
        }
        _ => DbError::Other { source },
    }
}

fn is_connection_loss(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() != io::ErrorKind::InvalidInput,
        sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        // Not what the driver expects: the server went while the connection was being made.
        | sqlx::Error::Protocol(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::BeginFailed => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(state: &str) -> &'static str {
        name(&of_sql_state(state, Some("rule".to_owned()), sqlx::Error::RowNotFound))
    }

    fn name(error: &DbError) -> &'static str {
        match error {
            DbError::Unavailable { .. } => "unavailable",
            DbError::Conflict { .. } => "conflict",
            DbError::TimedOut { .. } => "timed out",
            DbError::Constraint { .. } => "constraint",
            DbError::CommitUnknown { .. } => "commit unknown",
            DbError::Other { .. } => "other",
        }
    }

    fn broken_pipe() -> sqlx::Error {
        sqlx::Error::Io(io::Error::from(io::ErrorKind::BrokenPipe))
    }

    #[test]
    fn a_lost_race_is_told_from_a_lost_server_and_from_a_mistake() {
        for (state, expected) in [
            ("40001", "conflict"),
            ("40P01", "conflict"),
            ("55P03", "conflict"),
            ("57P01", "unavailable"),
            ("57P03", "unavailable"),
            ("08006", "unavailable"),
            ("53300", "unavailable"),
            ("53100", "unavailable"),
            ("58030", "unavailable"),
            ("57014", "timed out"),
            ("23505", "constraint"),
            ("42601", "other"),
            ("25P02", "other"),
        ] {
            assert_eq!(class(state), expected, "{state}");
        }
        assert_eq!(name(&DbError::from(broken_pipe())), "unavailable");
        assert_eq!(name(&DbError::from(sqlx::Error::RowNotFound)), "other");
    }

    #[test]
    fn a_commit_without_an_answer_is_unknown_and_never_run_again() {
        let lost = DbError::of_commit("refund", broken_pipe());
        assert_eq!(name(&lost), "commit unknown");
        assert_eq!(lost.retry(), Retry::Never);
        assert_eq!(DbError::from(broken_pipe()).retry(), Retry::Again);
        assert_eq!(DbError::from(sqlx::Error::PoolTimedOut).retry(), Retry::Never);
    }
}
