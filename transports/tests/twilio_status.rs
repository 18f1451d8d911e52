//! Status callbacks come late, twice and out of order, and the status moves forward only.

use call_transports::twilio::status::{Change, Progress, StatusCallback};
use call_transports::twilio::webhook::CallStatus;

fn told(word: &str, sequence: u32) -> StatusCallback {
    StatusCallback { status: CallStatus::from(word), sequence: Some(sequence) }
}

fn in_order() -> Vec<StatusCallback> {
    let words = ["initiated", "ringing", "in-progress", "completed"];
    words.iter().zip(0..).map(|(word, sequence)| told(word, sequence)).collect()
}

/// F-WH-04, I-22.
#[test]
fn a_callback_that_comes_twice_changes_nothing() {
    let mut progress = Progress::default();
    for callback in in_order() {
        assert_ne!(progress.take_in(&callback), Change::None);
        assert_eq!(progress.take_in(&callback), Change::None);
    }
    assert!(progress.is_over());
}

/// F-WH-05, I-18.
#[test]
fn what_comes_after_the_end_does_not_reopen_a_call() {
    let mut progress = Progress::default();
    assert_eq!(progress.take_in(&told("completed", 3)), Change::Over);
    for (word, sequence) in [("in-progress", 2), ("ringing", 9), ("busy", 4), ("completed", 3)] {
        assert_eq!(progress.take_in(&told(word, sequence)), Change::None, "{word}");
    }
    assert_eq!(progress.status(), Some(&CallStatus::Completed));
}

#[test]
fn an_end_counts_even_where_its_number_is_wrong_or_missing() {
    let mut progress = Progress::default();
    progress.take_in(&told("in-progress", 7));
    assert_eq!(progress.take_in(&told("completed", 0)), Change::Over);
    let mut progress = Progress::default();
    let end = StatusCallback { status: CallStatus::NoAnswer, sequence: None };
    assert_eq!(progress.take_in(&end), Change::Over);
}

#[test]
fn a_word_that_we_do_not_know_is_no_status() {
    let mut progress = Progress::default();
    assert_eq!(progress.take_in(&told("ascended", 1)), Change::None);
    assert_eq!(progress.status(), None);
}

#[test]
fn a_callback_is_read_from_its_form() {
    let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let status = field("CallStatus", "in-progress");
    let form = [status.clone(), field("SequenceNumber", "2")];
    assert_eq!(StatusCallback::from_form(&form), Some(told("in-progress", 2)));
    let unnumbered = StatusCallback { status: CallStatus::InProgress, sequence: None };
    let form = [status.clone(), field("SequenceNumber", "two")];
    assert_eq!(StatusCallback::from_form(&form), Some(unnumbered));
    assert_eq!(StatusCallback::from_form(&[field("SequenceNumber", "2")]), None);
    assert_eq!(StatusCallback::from_form(&[status.clone(), status]), None, "we do not choose");
}

/// F-WH-04, F-WH-05, I-18: whatever the order and however often, the call is over once, and stands
/// where its furthest callback says. All 4,096 orders of six callbacks.
#[test]
fn any_order_ends_the_same() {
    let callbacks = in_order();
    for number in 0_usize..4_096 {
        let order: Vec<usize> = (0..6).map(|place| number >> (2 * place) & 3).collect();
        let mut progress = Progress::default();
        let mut ends = 0;
        for place in &order {
            ends += u32::from(progress.take_in(&callbacks[*place]) == Change::Over);
        }
        let furthest = order.iter().max().map(|place| &callbacks[*place].status);
        assert_eq!(progress.status(), furthest, "{order:?}");
        assert_eq!(ends, u32::from(order.contains(&3)), "{order:?}");
    }
}
