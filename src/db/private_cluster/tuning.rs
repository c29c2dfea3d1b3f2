//! What a durable private server is given of its machine.

use std::fs;

/// Less than this a server is not started with.
const BUFFERS_MIN_MB: u64 = 64;
/// More than this a ledger does not need: what is hot is small.
const BUFFERS_MAX_MB: u64 = 4_096;
/// Where the system does not say how much memory there is.
const MEMORY_UNKNOWN_MB: u64 = 1_024;

/// Settings that suit a machine on which the service lives beside its server.
///
/// An eighth of the memory holds the pages in use. Checkpoints are rare, because each makes the
/// next change of every page be written whole. Tables that grow from nothing are looked at
/// often, so that plans made for empty ones do not last. Short statements never gain from
/// being compiled.
pub(super) fn settings() -> [(&'static str, String); 5] {
    let buffers = (memory_mb() / 8).clamp(BUFFERS_MIN_MB, BUFFERS_MAX_MB);
    [
        ("shared_buffers", format!("{buffers}MB")),
        ("max_wal_size", "4GB".to_owned()),
        ("checkpoint_timeout", "15min".to_owned()),
        ("autovacuum_naptime", "15s".to_owned()),
        ("jit", "off".to_owned()),
    ]
}

fn memory_mb() -> u64 {
    let told = fs::read_to_string("/proc/meminfo").ok();
    told.and_then(|text| total_mb(&text)).unwrap_or(MEMORY_UNKNOWN_MB)
}

/// The line `MemTotal:  24684132 kB`.
fn total_mb(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_is_read_from_what_the_system_tells() {
        assert_eq!(total_mb("MemTotal:       24684132 kB\nMemFree: 1 kB\n"), Some(24_105));
        assert_eq!(total_mb("MemFree: 1 kB\n"), None);
        assert_eq!(total_mb("MemTotal: much\n"), None);
    }
}
