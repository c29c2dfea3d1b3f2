//! The two sentences of SQL that a private cluster needs.

/// Asked to learn whether the server answers.
pub(super) const READY: &str = "select 1";

/// Said once, while the data are made.
pub(super) const CREATE_DATABASE: &str = "create database mizan";
