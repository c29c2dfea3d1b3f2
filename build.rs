//! Tells cargo that the embedded migrations and settings are part of the program.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
    println!("cargo:rerun-if-changed=config.default.toml");
}
