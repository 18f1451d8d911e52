//! Any bytes as the bodies of status callbacks, a line each: a call's status moves forward only, a
//! call that is over stays over, and that is told once.

use call_transports::twilio::status::{Change, Progress, StatusCallback, is_last};
use call_transports::twilio::webhook::decode_form;

/// Reads each line as a body and takes it in, twice.
pub fn run(bytes: &[u8]) {
    let mut progress = Progress::default();
    let mut ends = 0;
    for line in bytes.split(|byte| *byte == b'\n') {
        let Some(callback) = decode_form(line).ok().and_then(|f| StatusCallback::from_form(&f))
        else {
            continue;
        };
        let (known, was_over) = (progress.status().cloned(), progress.is_over());
        let change = progress.take_in(&callback);
        match change {
            Change::None => assert_eq!(progress.status(), known.as_ref(), "nothing changed"),
            Change::Forward | Change::Over => {
                assert!(!was_over, "what is over stays over");
                assert_ne!(progress.status(), known.as_ref(), "a status that changes is another");
                assert_eq!(progress.status(), Some(&callback.status));
                assert_eq!(is_last(&callback.status), Some(change == Change::Over));
            }
        }
        ends += u32::from(change == Change::Over);
        assert_eq!(progress.is_over(), ends == 1, "a call is over once");
        // F-WH-04: the same request comes twice.
        let before = progress.clone();
        assert_eq!(progress.take_in(&callback), Change::None);
        assert_eq!(progress, before, "a repeated callback is no news");
    }
}
