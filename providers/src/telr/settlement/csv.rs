//! Comma-separated values (RFC 4180), within bounds.

/// Largest file that is read, in bytes.
const MAX_BYTES: usize = 32 * 1024 * 1024;
/// Most cells of one row.
const MAX_CELLS: usize = 100;

/// Reads the rows of a file. A line break inside quotes belongs to its cell.
///
/// # Errors
/// When it is not UTF-8, too large, or a quote is not closed.
pub(super) fn rows(bytes: &[u8]) -> Result<Vec<Vec<String>>, &'static str> {
    if bytes.len() > MAX_BYTES {
        return Err("it is larger than 32 MiB");
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "it is no CSV in UTF-8; save it as one")?;
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut cell = String::new();
    let mut quoted = false;
    let mut chars = text.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.is_empty() => quoted = true,
            ',' if !quoted => row.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            '\r' if !quoted && matches!(chars.peek(), None | Some('\n')) => {}
            c => cell.push(c),
        }
        if row.len() > MAX_CELLS {
            return Err("a row has more than 100 cells");
        }
    }
    if quoted {
        return Err("a quote is not closed");
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    Ok(rows)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn cells_may_hold_commas_quotes_and_line_breaks() {
        let text = "\u{feff}a,\"b, \"\"c\"\"\nd\",\r\n,e";
        assert_eq!(rows(text.as_bytes()).unwrap(), [vec!["a", "b, \"c\"\nd", ""], vec!["", "e"]]);
        assert_eq!(rows(b"").unwrap(), Vec::<Vec<String>>::new());
        for bad in [&b"\"a"[..], b"\xff", ",".repeat(200).as_bytes()] {
            assert!(rows(bad).is_err());
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_rows_or_refused(bytes: Vec<u8>) {
            let _ = rows(&bytes);
        }
    }
}
