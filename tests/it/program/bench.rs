//! The benchmark runs, proves its books, and keeps its promise about names. No time is asserted.

use std::process::{Command, Stdio};

use serde_json::Value;

const ROWS: [&str; 12] = [
    "tpcb_1",
    "tpcb_32",
    "single_commit",
    "post_1",
    "post_8",
    "post_64_spread",
    "post_512_spread",
    "post_512_hot",
    "http_64",
    "webhooks_64",
    "decay_2m",
    "own_time",
];
const KEYS: [&str; 7] =
    ["name", "per_s", "ratio", "p50_ms", "p99_ms", "bytes_per_transfer", "memory_mb"];

/// The program, with an environment in which no setting and no database is named.
fn mizan() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mizan"));
    command.env_remove("DATABASE_URL").env_remove("RUST_LOG").stdin(Stdio::null());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("MIZAN_")) {
        command.env_remove(name);
    }
    command
}

#[test]
fn every_row_of_the_benchmark_runs_and_the_json_has_the_promised_keys() {
    let small = "--seconds 0.2 --rounds 1 --scale 1 --accounts 50 --payments 16 \
                 --decay-transfers 400";
    let output = mizan().args(["bench", "--json"]).args(small.split(' ')).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("fsync = on, synchronous_commit = on"), "{said}");
    assert!(said.contains("the books are proved"), "{said}");
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let names: Vec<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
    assert_eq!(names, ROWS);
    for row in &rows {
        let name = row["name"].as_str().unwrap();
        // A map of JSON keeps its keys sorted.
        let keys: Vec<&str> = row.as_object().unwrap().keys().map(String::as_str).collect();
        let mut promised = KEYS;
        promised.sort_unstable();
        assert_eq!(keys, promised);
        assert!(row["per_s"].as_f64().unwrap() > 0.0, "{row}");
        assert!(row["p99_ms"].as_f64() >= row["p50_ms"].as_f64(), "{row}");
        assert_eq!(row["ratio"].is_null(), name == "own_time", "{row}");
        let weighed = ["post_512_spread", "decay_2m"].contains(&name);
        assert_eq!(row["bytes_per_transfer"].is_null(), !weighed, "{row}");
        let remembered = !name.starts_with("tpcb") && name != "decay_2m";
        assert_eq!(row["memory_mb"].is_null(), !remembered, "{row}");
    }
}

#[test]
fn rows_are_chosen_by_name_and_people_get_a_table_with_its_bars() {
    let asked = "--rows post_8,post_64_spread --skip post_64_spread --seconds 0.1 --rounds 2 \
                 --accounts 10";
    let output = mizan().arg("bench").args(asked.split_whitespace()).output().unwrap();
    let (told, said) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    assert!(said.contains("round 2 of 2") && told.contains("post_8"), "{told}{said}");
    assert!(!told.contains("post_64_spread") && told.contains("own_time p50 at most 3 ms"));
    let unknown = mizan().args(["bench", "--rows", "post_9"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(2));
}
