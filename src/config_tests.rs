//! What the settings promise, by example.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use secrecy::ExposeSecret;

use super::*;

fn load(file: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
    let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    Config::from_parts(Some((Path::new("mizan.toml"), file)), environment)
        .map_err(|error| error.to_string())
}

#[test]
fn the_defaults_are_complete_and_each_is_explained() {
    let config = load("", &[]).unwrap();
    assert_eq!(config.http.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.http.body_bytes_max, 1 << 20);
    assert_eq!(config.public_url(), "http://127.0.0.1:8080");
    assert!(config.database.url.is_none() && config.stripe.secret_key.is_none());
    let lines: Vec<_> = DEFAULTS.lines().collect();
    for pair in lines.windows(2) {
        if pair[1].contains(" = ") && !pair[1].starts_with('#') {
            assert!(pair[0].starts_with("# "), "unexplained: {}", pair[1]);
        }
    }
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
    let file = "[http]\nlisten = \"127.0.0.1:1\"\nbody_bytes_max = 5\n";
    let config = load(
        file,
        &[
            ("MIZAN_HTTP_LISTEN", "127.0.0.1:2"),
            ("MIZAN_STRIPE_WEBHOOK_SECRETS", "whsec_a, whsec_b"),
            ("MIZAN_DATABASE_URL", "postgres://ours"),
            ("DATABASE_URL", "postgres://customary"),
            ("PATH", "/bin"),
        ],
    )
    .unwrap();
    assert_eq!(config.http.listen.port(), 2);
    assert_eq!(config.http.body_bytes_max, 5);
    assert_eq!(config.stripe.webhook_secrets[1].expose_secret(), "whsec_b");
    assert_eq!(config.database.url.unwrap().expose_secret(), "postgres://ours");
    let config = load("", &[("DATABASE_URL", "postgres://customary")]).unwrap();
    assert_eq!(config.database.url.unwrap().expose_secret(), "postgres://customary");
}

#[test]
fn what_cannot_be_used_is_named_without_its_value() {
    for (file, environment, expected) in [
        ("[htp]\n", None, "there is no setting `htp` (the file mizan.toml)"),
        ("[http]\nport = 1\n", None, "there is no setting `http.port` (the file mizan.toml)"),
        (
            "",
            Some(("MIZAN_HTTP_PORT", "1")),
            "no setting `http_port` (the variable MIZAN_HTTP_PORT)",
        ),
        ("", Some(("MIZAN_HTTP_BODY_BYTES_MAX", "x")), "`http.body_bytes_max` must be an integer"),
        ("[http\n", None, "the file mizan.toml is not valid TOML"),
        (
            "[stripe]\nsecret_key = \"sk_x\"\n",
            None,
            "set MIZAN_STRIPE_SECRET_KEY in the environment",
        ),
        ("[http]\nbody_bytes_max = \"sk_x\"\n", None, "`http.body_bytes_max` must be "),
        ("[log]\nformat = \"sk_x\"\n", None, "`log.format` must be "),
        ("[http]\nrequest_seconds_max = 30\n", None, "more than gateways.request_seconds_max"),
    ] {
        let environment: Vec<_> = environment.into_iter().collect();
        let error = load(file, &environment).unwrap_err();
        assert!(error.contains(expected), "{error}\n  should say: {expected}");
        assert!(!error.contains("sk_x"), "{error}");
    }
}

#[test]
fn secrets_do_not_show() {
    let config = load("", &[("MIZAN_STRIPE_SECRET_KEY", "sk_x")]).unwrap();
    assert!(!format!("{config:?}").contains("sk_x"));
}
