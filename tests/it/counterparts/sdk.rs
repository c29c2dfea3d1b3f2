//! The official libraries of Stripe and Razorpay as judges of signatures: what they sign is
//! believed here, what they would refuse is refused here, and the samples say of themselves what
//! they say.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use mizan_providers::{Headers, ProviderName, webhook_reader};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::python;
use crate::support::T0;
use crate::support_app::{OLDER_SECRET, TestApp, WEBHOOK_SECRET, order, sign};

/// Hands jobs to `tests/python/sign.py`; answers the results in order.
fn ask_library(jobs: &Value) -> Vec<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/sign.py");
    let mut process = Command::new(python())
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    process.stdin.take().unwrap().write_all(jobs.to_string().as_bytes()).unwrap();
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success(), "sign.py failed; it says why above");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A payment that nobody told us the end of, and the gateway's event about it.
async fn untold(app: &TestApp) -> (String, String) {
    app.sim.set_webhook_url(None);
    let id = app.create(order(&[("V1", 52_500)])).await;
    app.faults("[[rules]]\non = \"create\"\nkind = \"lost_answer\"\n");
    assert_eq!(app.confirm(&id, "pm_card_visa").await.says(), (202, "processing"));
    (id, app.event("payment_intent.succeeded").await)
}

#[tokio::test]
async fn what_the_official_library_signs_is_believed_and_forgeries_are_not() {
    let app = TestApp::new().await;
    let (id, event) = untold(&app).await;
    let now = app.app.clock.now().timestamp();
    let job = |secret: &str, at: i64| {
        let (action, payload) = ("sign", &event);
        json!({ "do": action, "secret": secret, "payload": payload, "at": at })
    };
    let signed = ask_library(&json!([
        job(WEBHOOK_SECRET, now),
        job(OLDER_SECRET, now),
        job("whsec_of_somebody_else", now),
        job(WEBHOOK_SECRET, now - 301),
    ]));
    let [good, older, strange, old] = &signed[..] else { panic!("{signed:?}") };
    assert_eq!(*good, sign(WEBHOOK_SECRET, now, event.as_bytes()));

    let compact = serde_json::from_str::<Value>(&event).unwrap().to_string();
    let forgeries = [
        (event.as_str(), strange),
        (event.as_str(), old),
        (event[..event.len() - 2].trim_end(), good),
        (&event.replace("52500", "52501"), good),
        (&compact, good),
        (&format!("{event} "), good),
    ];
    for (body, header) in &forgeries {
        let refused = app.deliver((*body).to_owned(), header).await;
        assert_eq!(refused.problem(), (401, "signature_invalid"), "{body}");
    }
    // The library refuses the very same.
    let secrets = [WEBHOOK_SECRET, OLDER_SECRET];
    let verify = |(body, header): &(&str, &String)| {
        json!({
            "do": "verify", "secrets": secrets, "payload": body, "header": header, "at": now,
            "tolerance": 300,
        })
    };
    let verdicts = ask_library(&forgeries.iter().map(verify).collect());
    assert!(verdicts.iter().all(|verdict| verdict == "invalid"), "{verdicts:?}");

    assert_eq!(app.payment(&id).await.text("status"), "processing");
    assert_eq!(app.deliver(event.clone(), good).await.says(), (200, "applied"));
    assert_eq!(app.deliver(event.clone(), older).await.says(), (200, "duplicate"));
    assert_eq!(app.payment(&id).await.text("status"), "succeeded");
    app.end().await;
}

#[tokio::test]
async fn the_official_library_believes_what_the_simulated_gateway_signs() {
    let app = TestApp::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (heard, mut hear) = tokio::sync::mpsc::unbounded_channel();
    let keep = move |headers: axum::http::HeaderMap, body: String| {
        let header = headers["stripe-signature"].to_str().unwrap().to_owned();
        heard.send((header, body)).unwrap();
        async {}
    };
    let router = axum::Router::new().fallback(keep);
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    app.sim.set_webhook_url(Some(url));
    app.paid(&[("V1", 52_500)]).await;
    app.sim.deliver_due().await;
    let now = app.app.clock.now().timestamp();
    let mut jobs = Vec::new();
    while let Ok((header, payload)) = hear.try_recv() {
        jobs.push(json!({
            "do": "verify", "secrets": [WEBHOOK_SECRET], "payload": payload, "header": header,
            "at": now, "tolerance": 300,
        }));
    }
    let verdicts = ask_library(&jobs.into());
    assert!(verdicts.len() >= 3 && verdicts.iter().all(|v| v == "valid"), "{verdicts:?}");
    server.abort();
}

#[test]
fn the_samples_say_of_their_signatures_what_the_official_library_says() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("providers/fixtures/stripe");
    let (mut names, mut jobs, mut expected) = (Vec::new(), Vec::new(), Vec::new());
    for entry in std::fs::read_dir(samples).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !name.starts_with("webhook.") || !name.ends_with(".headers.json") {
            continue;
        }
        let said: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let body = path.with_file_name(said["body_file"].as_str().unwrap());
        jobs.push(json!({
            "do": "verify",
            "secrets": said["secrets_configured"],
            "payload": std::fs::read_to_string(body).unwrap(),
            "header": said["headers"]["Stripe-Signature"],
            "at": said["verify_at_unix"],
            "tolerance": said["tolerance_seconds"],
        }));
        expected.push(said["expect_signature"].as_str().unwrap().to_owned());
        names.push(name);
    }
    assert!(names.len() >= 20, "only {} samples", names.len());
    let verdicts = ask_library(&jobs.into());
    for ((name, expected), verdict) in names.iter().zip(expected).zip(verdicts) {
        assert_eq!(verdict, expected, "{name}");
    }
}

#[test]
fn what_razorpays_official_library_signs_is_believed_and_forgeries_are_not() {
    let reader = webhook_reader(ProviderName::Razorpay);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("providers/fixtures/razorpay");
    let event = std::fs::read_to_string(folder.join("webhook.payment.captured.card.json")).unwrap();
    let (secret, other) = ("rzp_hook_of_the_tests", "rzp_hook_of_somebody_else");
    let job = |secret: &str| json!({"do": "razorpay_sign", "secret": secret, "payload": event});
    let signed = ask_library(&json!([job(secret), job(other)]));
    let believes = |body: &str, header: &str| {
        let headers = Headers::new()
            .with("X-Razorpay-Signature", header)
            .with("X-Razorpay-Event-Id", "evt_1");
        let secrets = [SecretString::from(secret)];
        let keys = secrets.as_slice().into();
        reader.verify_webhook(body.as_bytes(), &headers, keys, T0).is_ok()
    };
    assert!(believes(&event, &signed[0]));

    let forgeries = [
        (event.clone(), signed[1].clone()),
        (format!("{event} "), signed[0].clone()),
        (event.replacen('{', "{ ", 1), signed[0].clone()),
        (event.clone(), signed[0].to_uppercase().replacen('A', "B", 1)),
        (event.clone(), String::new()),
    ];
    let verify = |(body, header): &(String, String)| {
        let action = "razorpay_verify";
        json!({"do": action, "secret": secret, "payload": body, "header": header})
    };
    let verdicts = ask_library(&forgeries.iter().map(verify).collect());
    assert!(verdicts.iter().all(|verdict| verdict == "invalid"), "{verdicts:?}");
    for (body, header) in &forgeries {
        assert!(!believes(body, header), "{header}");
    }
}
