use tokio::sync::mpsc;

use super::*;
use crate::call::News;

#[test]
fn a_token_admits_one_stream_of_its_call() {
    let (mut tokens, now) = (tokens(), Instant::now());
    let token = granted(&mut tokens, 1, now);
    assert_eq!(redeemed(&mut tokens, &token, &claim(CALL_1), now), Ok(grant(1)));
    assert!(tokens.is_live(&grant(1).call));
    assert_eq!(redeemed(&mut tokens, &token, &claim(CALL_1), now), Err(Refused::Used));
}

#[test]
fn a_call_that_asks_again_gets_the_same_token_until_it_is_used() {
    let (mut tokens, now) = (tokens(), Instant::now());
    let token = granted(&mut tokens, 1, now);
    assert_eq!(granted(&mut tokens, 1, now + SECOND), token);
    tokens.redeem(&token, &claim(CALL_1), now).unwrap();
    assert_eq!(tokens.admit(grant(1), None, now), Admission::Spent);
    tokens.end(&grant(1).call, Ending::Planned, now);
    assert_eq!(tokens.admit(grant(1), None, now), Admission::Spent);
    assert_eq!(tokens.ending(&grant(1).call), Some(Ending::Planned));
}

#[test]
fn a_token_expires_and_there_is_no_second_one() {
    let (mut tokens, now) = (tokens(), Instant::now());
    let token = granted(&mut tokens, 1, now);
    let late = now + LIFE;
    assert_eq!(redeemed(&mut tokens, &token, &claim(CALL_1), late), Err(Refused::Expired));
    assert_eq!(tokens.admit(grant(1), None, late), Admission::Expired);
}

#[test]
fn a_token_is_worth_nothing_to_anybody_else() {
    let (mut tokens, now) = (tokens(), Instant::now());
    let token = granted(&mut tokens, 1, now);
    granted(&mut tokens, 2, now);
    let account = "AC00000000000000000000000000000009";
    let foreign = [
        Claim { account, ..claim(CALL_1) },
        Claim { company: "other", ..claim(CALL_1) },
        Claim { language: "es", ..claim(CALL_1) },
    ];
    for claim in foreign {
        assert_eq!(redeemed(&mut tokens, &token, &claim, now), Err(Refused::Foreign));
    }
    assert_eq!(redeemed(&mut tokens, &token, &claim(CALL_2), now), Err(Refused::WrongToken));
    assert_eq!(redeemed(&mut tokens, "", &claim(CALL_1), now), Err(Refused::WrongToken));
    assert_eq!(redeemed(&mut tokens, &token, &claim("CA1"), now), Err(Refused::UnknownCall));
    assert_eq!(redeemed(&mut tokens, &token, &claim(CALL_1), now), Ok(grant(1)));
}

#[test]
fn a_company_that_has_all_its_calls_keeps_no_other_company_waiting() {
    let (mut tokens, now) = (Tokens::new(10, LIFE), Instant::now());
    let of = |number, company: &str| Grant { tenant: tenant(company), ..grant(number) };
    let is_taken = |admission| matches!(admission, Admission::Granted(_));
    assert!(is_taken(tokens.admit(of(1, "acme"), Some(2), now)));
    assert!(is_taken(tokens.admit(of(2, "summit"), None, now)));
    let token = granted(&mut tokens, 1, now);
    tokens.redeem(&token, &claim(CALL_1), now).unwrap();
    assert!(is_taken(tokens.admit(of(3, "acme"), Some(2), now)));
    assert_eq!(tokens.admit(of(4, "acme"), Some(2), now), Admission::CompanyFull);
    assert!(is_taken(tokens.admit(of(5, "summit"), Some(2), now)));
    assert_eq!(tokens.admit(of(6, "summit"), Some(2), now), Admission::CompanyFull);
    // A call that was admitted may ask again, and the end of another makes room.
    assert!(is_taken(tokens.admit(of(3, "acme"), Some(2), now)));
    tokens.end(&grant(1).call, Ending::Planned, now);
    assert!(is_taken(tokens.admit(of(4, "acme"), Some(2), now)));
    // Without a limit of its own, a company has what the server has.
    assert!(is_taken(tokens.admit(of(6, "summit"), None, now)));
}

#[test]
fn a_seat_is_taken_from_the_token_to_the_end_of_the_call() {
    let (mut tokens, now) = (Tokens::new(1, LIFE), Instant::now());
    let token = granted(&mut tokens, 1, now);
    assert_eq!(tokens.admit(grant(2), None, now), Admission::Full);
    tokens.redeem(&token, &claim(CALL_1), now).unwrap();
    assert_eq!(tokens.admit(grant(2), None, now + LIFE), Admission::Full);
    tokens.end(&grant(1).call, Ending::Unplanned, now);
    let token = granted(&mut tokens, 2, now);
    assert_eq!(redeemed(&mut tokens, &token, &claim(CALL_2), now), Ok(grant(2)));
}

#[test]
fn an_expired_token_holds_no_seat() {
    let (mut tokens, now) = (Tokens::new(1, LIFE), Instant::now());
    granted(&mut tokens, 1, now);
    granted(&mut tokens, 2, now + LIFE);
}

#[test]
fn only_the_first_end_of_a_live_call_counts() {
    let (mut tokens, now) = (tokens(), Instant::now());
    let token = granted(&mut tokens, 1, now);
    let call = grant(1).call;
    tokens.end(&call, Ending::Planned, now);
    assert_eq!(tokens.ending(&call), None);
    tokens.redeem(&token, &claim(CALL_1), now).unwrap();
    tokens.end(&call, Ending::Unplanned, now);
    tokens.end(&call, Ending::Planned, now);
    assert_eq!(tokens.ending(&call), Some(Ending::Unplanned));
}

#[test]
fn what_is_long_over_is_forgotten() {
    let (mut tokens, now) = (tokens(), Instant::now());
    let token = granted(&mut tokens, 1, now);
    tokens.redeem(&token, &claim(CALL_1), now).unwrap();
    tokens.end(&grant(1).call, Ending::Planned, now);
    granted(&mut tokens, 2, now + ENDED_KEPT);
    assert_eq!(tokens.ending(&grant(1).call), None);
}

/// F-TW-28, F-TW-29.
#[test]
fn a_call_whose_stream_left_takes_one_other_stream_and_only_by_the_token_for_it() {
    let (mut tokens, now) = (tokens(), Instant::now());
    let (call, _news) = live(&mut tokens, 1, now);
    let (_, _other_news) = live(&mut tokens, 2, now);
    let token = tokens.leave(&call, now).unwrap();
    assert_eq!(tokens.away(&call), Some(Away::Returning));
    let of_other = tokens.leave(&grant(2).call, now).unwrap();
    let mut redeem =
        |token: &Token, claim: &Claim<'_>| tokens.redeem(token.reveal(), claim, now).map(drop);
    assert_eq!(redeem(&of_other, &claim(CALL_1)), Err(Refused::WrongToken));
    let spanish = Claim { language: "es", ..claim(CALL_1) };
    assert_eq!(redeem(&token, &spanish), Err(Refused::Foreign));
    let joined = tokens.redeem(token.reveal(), &claim(CALL_1), now);
    assert!(matches!(joined, Ok(Admitted::Joins(..))), "{joined:?}");
    assert_eq!((tokens.away(&call), tokens.live()), (None, 2));
    let again = tokens.redeem(token.reveal(), &claim(CALL_1), now).map(drop);
    assert_eq!(again, Err(Refused::Used));
    assert_eq!(tokens.come_back(&call, now), None, "it is back");
}

/// F-TW-29.
#[test]
fn the_way_back_is_shut_when_it_is_too_late_or_the_stream_stays_or_the_call_ends() {
    let (mut tokens, now) = (tokens(), Instant::now());
    let (call, _news) = live(&mut tokens, 1, now);
    let redeem = |tokens: &mut Tokens, token: Option<Token>, now| {
        tokens.redeem(token.unwrap().reveal(), &claim(CALL_1), now).map(drop)
    };
    let token = tokens.leave(&call, now);
    assert_eq!(redeem(&mut tokens, token.clone(), now + LIFE), Err(Refused::Expired));
    assert_eq!(tokens.come_back(&call, now), token);
    assert_ne!(tokens.come_back(&call, now + LIFE), token, "the old one is worth nothing");
    let token = tokens.leave(&call, now);
    tokens.stay(&call);
    assert_eq!(redeem(&mut tokens, token, now), Err(Refused::Used));
    let token = tokens.leave(&call, now);
    tokens.end(&call, Ending::Unplanned, now);
    assert_eq!(redeem(&mut tokens, token, now), Err(Refused::Used));
    assert_eq!((tokens.come_back(&call, now), tokens.leave(&call, now)), (None, None));
}

/// F-TR-07, F-WH-03.
#[test]
fn what_came_of_dialling_is_told_once_and_only_to_a_call_that_asked_for_it() {
    let (mut tokens, now) = (tokens(), Instant::now());
    let (call, _news) = live(&mut tokens, 1, now);
    assert!(tokens.dialled(&call).is_none(), "nobody was called");
    assert_eq!(tokens.come_back(&call, now), None);
    assert!(tokens.dial(&call));
    assert_eq!(tokens.away(&call), Some(Away::Dialling));
    assert!(tokens.dialled(&call).is_some());
    assert!(tokens.dialled(&call).is_none(), "it was told");
    let token = tokens.come_back(&call, now);
    assert!(token.is_some() && tokens.come_back(&call, now) == token, "asked twice");
    tokens.end(&call, Ending::Planned, now);
    assert!(!tokens.dial(&call) && tokens.dialled(&call).is_none());
}

#[test]
fn neither_tokens_nor_numbers_print() {
    let (mut tokens, now) = (tokens(), Instant::now());
    let token = granted(&mut tokens, 1, now);
    let printed = format!("{tokens:?}");
    assert!(!printed.contains(&token) && !printed.contains("5550100101"), "{printed}");
}

const SECOND: Duration = Duration::from_secs(1);
const LIFE: Duration = Duration::from_secs(60);
const ACCOUNT: &str = "AC00000000000000000000000000000001";
const CALL_1: &str = "CA00000000000000000000000000000001";
const CALL_2: &str = "CA00000000000000000000000000000002";

fn tokens() -> Tokens {
    Tokens::new(10, LIFE)
}

/// The shipped company, by another name.
fn tenant(id: &str) -> Arc<Tenant> {
    let text = include_str!("../../../scenarios/companies/acme.toml");
    let mut company = Tenant::parse("acme.toml", text).unwrap().company().clone();
    company.id = id.to_owned();
    Arc::new(Tenant::new(company).unwrap())
}

fn grant(number: u8) -> Grant {
    Grant {
        call: Sid::parse(&format!("CA{number:032}")).unwrap(),
        account: Sid::parse(ACCOUNT).unwrap(),
        tenant: tenant("acme"),
        language: Language::English,
        from: PhoneNumber::new("+15550100101"),
        to: PhoneNumber::new("+15550100099"),
    }
}

fn claim(call: &str) -> Claim<'_> {
    Claim { call, account: ACCOUNT, company: "acme", language: "en" }
}

/// The grant of a call that begins.
fn redeemed(
    tokens: &mut Tokens,
    token: &str,
    claim: &Claim<'_>,
    now: Instant,
) -> Result<Grant, Refused> {
    match tokens.redeem(token, claim, now)? {
        Admitted::Begins(grant) => Ok(grant),
        Admitted::Joins(..) => panic!("no call is going on"),
    }
}

/// A call that is going on, and the other end of its line.
fn live(tokens: &mut Tokens, number: u8, now: Instant) -> (Sid, mpsc::Receiver<News>) {
    let (line, news) = mpsc::channel(1);
    let token = granted(tokens, number, now);
    let call = grant(number).call;
    redeemed(tokens, &token, &claim(call.as_str()), now).unwrap();
    tokens.attach(&call, line, View::new(Language::English));
    (call, news)
}

fn granted(tokens: &mut Tokens, number: u8, now: Instant) -> String {
    match tokens.admit(grant(number), None, now) {
        Admission::Granted(token) => token.reveal().to_owned(),
        other => panic!("not granted: {other:?}"),
    }
}
