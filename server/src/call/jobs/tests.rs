use std::fs;
use std::future::poll_fn;
use std::os::unix::fs::symlink;

use call_core::input::FunctionOutcome;
use call_transports::net::{AgentConnector, Middleware, Reader, Speaker, TwilioRest};
use serde_json::json;

use super::*;
use crate::audit::{Audit, Entry, Kind};
use crate::metrics::Metrics;

/// F-PR-08, C-20: what moves money is refused while nobody could prove it later, and no longer.
#[tokio::test]
async fn no_payment_is_made_while_the_audit_log_takes_nothing_f_pr_08() {
    let root = tempfile::tempdir().unwrap();
    let audit = Audit::open(root.path()).unwrap();
    audit.server_started();
    let mut jobs = Jobs::new(Arc::new(services(audit.clone())), "acme".into());
    // No company can offer payments yet.
    assert_eq!(outcome(&mut jobs).await, "unavailable");

    let log = root.path().join(audit.settled().await.unwrap().head.log);
    let file = fs::read_dir(&log).unwrap().flatten().map(|entry| entry.path());
    let file = file.into_iter().find(|file| file.extension().is_some()).unwrap();
    let aside = root.path().join("aside");
    fs::rename(&file, &aside).unwrap();
    symlink("/dev/full", &file).unwrap();
    // As the machine's leave to pay is.
    audit.append(Entry::new(Kind::Decision, "acme", json!({})));
    assert_eq!(outcome(&mut jobs).await, "unrecorded");
    assert!(!audit.is_well());

    fs::rename(&aside, &file).unwrap();
    while audit.settled().await.is_none() {}
    assert_eq!(outcome(&mut jobs).await, "unavailable");
}

async fn outcome(jobs: &mut Jobs) -> String {
    jobs.perform("f1", Function::MakePayment, Some("{}"));
    let Done::Function(ended) = poll_fn(|cx| jobs.poll_next(cx)).await else {
        panic!("the payment ends");
    };
    match ended.input.outcome {
        FunctionOutcome::Failed(why) => why,
        FunctionOutcome::Done => panic!("nobody pays here"),
    }
}

fn services(audit: Audit) -> Services {
    call_transports::net::install_crypto();
    let key = || "key".to_owned().into();
    let nobody = "http://127.0.0.1:9";
    let account = Sid::parse("AC00000000000000000000000000000001").unwrap();
    Services {
        agent: AgentConnector::new("ws://127.0.0.1:9", key()).unwrap(),
        speaker: Speaker::new(nobody, key()).unwrap(),
        reader: Reader::new(nobody, key()).unwrap(),
        carrier: TwilioRest::new(nobody, account, key()).unwrap(),
        middleware: Middleware::new(nobody, key()).unwrap(),
        metrics: Metrics::new(),
        audit,
    }
}
