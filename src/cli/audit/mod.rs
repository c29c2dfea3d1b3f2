//! What an auditor asks: whether the books hold, where a cent comes from, and who
//! commanded what.

pub mod log;
pub mod trace;
pub mod verify;
