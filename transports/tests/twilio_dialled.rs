//! What came of calling a person, out of recorded forms.

use call_core::input::Transfer;
use call_transports::twilio::dialled::{answered, outcome};
use call_transports::twilio::webhook::decode_form;

macro_rules! form {
    ($name:literal) => {
        decode_form(
            include_bytes!(concat!("../fixtures/twilio/webhooks/", $name, ".form")).trim_ascii(),
        )
        .unwrap()
    };
}

/// F-TR-07.
#[test]
fn every_recorded_outcome_is_understood() {
    for (form, expected) in [
        (form!("dial_action_completed"), Transfer::Completed),
        (form!("dial_action_caller_hung_up"), Transfer::Completed),
        (form!("dial_action_conference"), Transfer::Completed),
        (form!("dial_action_busy"), Transfer::Busy),
        (form!("dial_action_no_answer"), Transfer::NoAnswer),
        (form!("dial_action_failed"), Transfer::Failed),
    ] {
        assert_eq!(outcome(&form), Some(expected));
    }
    let mut form = form!("dial_action_busy");
    form.push(("DialCallStatus".to_owned(), "completed".to_owned()));
    assert_eq!(outcome(&form), None, "it says two things");
    assert_eq!(outcome(&form!("call_status_completed")), None);
}

#[test]
fn only_the_answer_of_the_second_leg_tells_that_somebody_answered() {
    let parent = answered(&form!("dial_leg_in_progress")).unwrap();
    assert_eq!(parent.as_str(), "CA00000000000000000000000000000011");
    for form in [
        form!("dial_leg_initiated"),
        form!("dial_leg_ringing"),
        form!("dial_leg_no_answer"),
        form!("dial_leg_completed"),
        form!("call_status_in_progress"),
    ] {
        assert_eq!(answered(&form), None);
    }
}
