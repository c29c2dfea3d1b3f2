//! Which crate may use which, and which crates nobody may bring in.

use super::tree::{Tree, Violation};

/// One crate: what of ours it may use, and what of others' it must not.
struct Member {
    folder: &'static str,
    may_use: &'static [&'static str],
    must_not_use: &'static [&'static str],
}

const DATABASE: &str = "sqlx";
const HTTP_OUT: &str = "reqwest";
const HTTP_IN: &str = "axum";

const MEMBERS: [Member; 6] = [
    Member {
        folder: "money",
        may_use: &[],
        must_not_use: &[DATABASE, HTTP_OUT, HTTP_IN, "tokio", "async-stripe"],
    },
    Member {
        folder: "ledger",
        may_use: &["mizan-money"],
        must_not_use: &[HTTP_OUT, HTTP_IN, "async-stripe"],
    },
    Member { folder: "providers", may_use: &["mizan-money"], must_not_use: &[DATABASE, HTTP_IN] },
    Member {
        folder: "webhooks",
        may_use: &["mizan-money", "mizan-providers"],
        must_not_use: &[HTTP_OUT, HTTP_IN],
    },
    Member {
        folder: "reconciliation",
        may_use: &["mizan-money", "mizan-ledger", "mizan-providers"],
        must_not_use: &[HTTP_OUT, HTTP_IN],
    },
    Member {
        folder: "simulator",
        may_use: &["mizan-money"],
        must_not_use: &[DATABASE, "async-stripe"],
    },
];

pub fn directions(tree: &Tree) -> Vec<Violation> {
    let mut violations = Vec::new();
    for source in tree.sources.iter().filter(|source| source.file_name() == "Cargo.toml") {
        if source.folder().is_empty() {
            continue;
        }
        let Some(member) = MEMBERS.iter().find(|member| member.folder == source.folder()) else {
            let text = "a crate without a line in the table of directions; add it there first";
            violations.push(Violation::new(&source.path, 1, text));
            continue;
        };
        for (section, name) in dependencies(&source.text) {
            let ours = name == "mizan" || name.starts_with("mizan-");
            // What a crate's own tests need from others is their business.
            let foreign_tool = !ours && section == "dev-dependencies";
            let banned = member.must_not_use.iter().any(|banned| is_or_belongs_to(&name, banned));
            if (ours && !member.may_use.contains(&name.as_str())) || (banned && !foreign_tool) {
                let line = source.text.lines().position(|line| line.starts_with(&name));
                let text = format!(
                    "`{}` must not use `{name}`; move what needs it to a crate that may",
                    member.folder
                );
                violations.push(Violation::new(&source.path, line.unwrap_or(0) + 1, text));
            }
        }
    }
    violations
}

fn is_or_belongs_to(name: &str, family: &str) -> bool {
    name.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// Section and name of each dependency, also of those for one platform only.
fn dependencies(manifest: &str) -> Vec<(String, String)> {
    let manifest: toml::Table = manifest.parse().expect("a manifest that cargo reads");
    let mut tables = vec![&manifest];
    if let Some(targets) = manifest.get("target").and_then(toml::Value::as_table) {
        tables.extend(targets.values().filter_map(toml::Value::as_table));
    }
    let mut found = Vec::new();
    for table in tables {
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let names = table.get(section).and_then(toml::Value::as_table);
            let names = names.into_iter().flat_map(toml::Table::keys);
            found.extend(names.map(|name| (section.to_owned(), name.clone())));
        }
    }
    found
}

/// Crates that bring a second TLS or crypto stack, or one with a known hole.
const FOREIGN_STACKS: [&str; 7] =
    ["openssl", "openssl-sys", "native-tls", "boring", "boring-sys", "mbedtls", "rsa"];

/// Crates that list `ring` in the lock file as an alternative. They use it only when `rustls`
/// does, which therefore is not among them.
const NAME_RING_AS_AN_ALTERNATIVE: [&str; 2] = ["quinn-proto", "rustls-webpki"];

pub fn crypto_stacks(tree: &Tree) -> Vec<Violation> {
    let Some(source) = tree.get("Cargo.lock") else { return Vec::new() };
    let lock: toml::Table = source.text.parse().expect("a lock file that cargo reads");
    let packages = lock.get("package").and_then(toml::Value::as_array);
    let mut violations = Vec::new();
    for package in packages.into_iter().flatten() {
        let name = package.get("name").and_then(toml::Value::as_str).unwrap_or_default();
        let heading = format!("name = \"{name}\"");
        let line = source.text.lines().position(|line| line == heading).unwrap_or(0) + 1;
        if FOREIGN_STACKS.contains(&name) {
            let text = format!(
                "`{name}` is a second crypto stack; `cargo tree -i {name}` says who brings it, \
                 choose that crate's aws-lc-rs feature"
            );
            violations.push(Violation::new(&source.path, line, text));
        }
        let needs = package.get("dependencies").and_then(toml::Value::as_array);
        let mut needs = needs.into_iter().flatten().filter_map(toml::Value::as_str);
        let ring = needs.any(|need| need == "ring" || need.starts_with("ring "));
        if ring && !NAME_RING_AS_AN_ALTERNATIVE.contains(&name) {
            let text = format!("`{name}` uses ring; choose its aws-lc-rs feature");
            violations.push(Violation::new(&source.path, line, text));
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::super::tree::complaints;
    use super::*;

    fn check(path: &str, manifest: &str) -> Vec<String> {
        complaints(directions, &[(path, manifest)])
    }

    #[test]
    fn a_dependency_that_points_upwards_is_found() {
        let manifest = "[dependencies]\nmizan-money.workspace = true\nsqlx = \"1\"\n";
        assert!(check("ledger/Cargo.toml", manifest).is_empty());
        assert_eq!(check("providers/Cargo.toml", manifest), ["providers/Cargo.toml:3"]);
        assert_eq!(check("money/Cargo.toml", manifest).len(), 2);
        let manifest = "[dev-dependencies]\nmizan-providers.workspace = true\n";
        assert_eq!(check("simulator/Cargo.toml", manifest), ["simulator/Cargo.toml:2"]);
        let manifest = "[target.'cfg(unix)'.dependencies]\nmizan = { path = \"..\" }\n";
        assert_eq!(check("webhooks/Cargo.toml", manifest), ["webhooks/Cargo.toml:2"]);
        let manifest = "[dependencies]\nasync-stripe-core.workspace = true\n";
        assert_eq!(check("simulator/Cargo.toml", manifest), ["simulator/Cargo.toml:2"]);
    }

    #[test]
    fn a_test_may_use_a_tool_that_the_crate_itself_may_not() {
        assert!(check("providers/Cargo.toml", "[dev-dependencies]\naxum = \"1\"\n").is_empty());
    }

    #[test]
    fn a_crate_that_the_table_does_not_know_is_found() {
        assert_eq!(check("extra/Cargo.toml", ""), ["extra/Cargo.toml:1"]);
    }

    #[test]
    fn a_second_crypto_stack_is_found_in_the_lock_file() {
        let lock = "[[package]]\nname = \"rustls\"\nversion = \"1\"\ndependencies = [\"ring\"]\n\
                    [[package]]\nname = \"rustls-webpki\"\ndependencies = [\"ring 0.17.14\"]\n\
                    [[package]]\nname = \"native-tls\"\nversion = \"1\"\n";
        let found = complaints(crypto_stacks, &[("Cargo.lock", lock)]);
        assert_eq!(found, ["Cargo.lock:2", "Cargo.lock:9"]);
    }
}
