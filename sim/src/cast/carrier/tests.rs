use super::*;

fn at(millis: u64) -> CallTime {
    CallTime::from_millis(millis)
}

fn marks(carrier: &mut Carrier, now: u64) -> Vec<String> {
    let mut names = Vec::new();
    while let Some(what) = carrier.due(at(now)) {
        if let CarrierSays::Mark { name, .. } = what {
            names.push(name);
        }
    }
    names
}

#[test]
fn a_mark_comes_back_when_the_audio_before_it_was_played() {
    let mut carrier = Carrier::new(Caller::new(Vec::new()), Vec::new());
    carrier.receive(at(0), &ToTwilio::Media { payload: &[0; 8_000] });
    carrier.receive(at(0), &ToTwilio::Mark { name: "one".into() });
    assert!(marks(&mut carrier, 999).is_empty());
    assert_eq!(marks(&mut carrier, 1_000), ["one"]);
    assert_eq!(carrier.account()["one"], Account::Played);
}

#[test]
fn a_clear_returns_every_mark_at_once_and_the_account_knows_the_difference() {
    let mut carrier = Carrier::new(Caller::new(Vec::new()), Vec::new());
    carrier.receive(at(0), &ToTwilio::Media { payload: &[0; 8_000] });
    carrier.receive(at(0), &ToTwilio::Mark { name: "one".into() });
    carrier.receive(at(400), &ToTwilio::Clear);
    assert_eq!(marks(&mut carrier, 400), ["one"]);
    assert_eq!(carrier.account()["one"], Account::Cleared);
    assert_eq!(carrier.played(), Millis(400));
}

#[test]
fn hanging_up_twice_is_answered_with_not_found() {
    let mut carrier = Carrier::new(Caller::new(Vec::new()), Vec::new());
    carrier.hang_up(at(0));
    carrier.hang_up(at(0));
    let mut statuses = Vec::new();
    while let Some(what) = carrier.due(at(200)) {
        if let CarrierSays::HungUp { status, .. } = what {
            statuses.push(status);
        }
    }
    assert_eq!(statuses, [200, 404]);
}
