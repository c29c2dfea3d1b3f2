//! What an auditor asks: whether the books hold, and where a cent comes from.

pub mod trace;
pub mod verify;
