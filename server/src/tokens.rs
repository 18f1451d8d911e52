//! Who may open a media stream: one token for one stream of one call.
//!
//! A webhook that Twilio signed admits a call and gets a token. The token travels in the document
//! that opens the stream, and comes back in the stream's `start`. It admits once, for a short time,
//! and only the call, the account, the company and the language that it was given for.
//!
//! Nothing here reads a clock: whoever asks says what time it is.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use call_core::Language;
use call_transports::twilio::Sid;
use call_transports::twilio::status::{Change, Progress, StatusCallback};
use call_transports::twilio::webhook::PhoneNumber;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// What a token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The call.
    pub call: Sid,
    /// The account that the call belongs to.
    pub account: Sid,
    /// The short name of the company that was called.
    pub company: String,
    /// The language the call begins in.
    pub language: Language,
    /// Who calls.
    pub from: PhoneNumber,
    /// What was dialled.
    pub to: PhoneNumber,
}

/// What a stream says of itself when it begins.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// The call that it says it belongs to.
    pub call: &'a str,
    /// The account that it says it belongs to.
    pub account: &'a str,
    /// The company that it was opened for.
    pub company: &'a str,
    /// The language that it was opened for.
    pub language: Language,
}

/// A secret that admits one stream. It does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The secret itself, to be handed to Twilio.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    fn new() -> Self {
        Self(format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()))
    }

    /// Whether they are the same, in a time that does not tell how much of them is.
    fn matches(&self, other: &str) -> bool {
        let (ours, theirs) = (self.0.as_bytes(), other.as_bytes());
        let differences = ours.iter().zip(theirs).fold(0, |sum, (a, b)| sum | (a ^ b));
        ours.len() == theirs.len() && differences == 0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("«secret»")
    }
}

/// How a call ended, as far as the carrier's next question depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// As it should: there is nothing more to say.
    Planned,
    /// Something failed, and the caller may not have been told.
    Unplanned,
}

/// What becomes of a call that asks for a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// It may open one with this token. A call that asks again before it has done so gets the
    /// same token, for no longer than the first time.
    Granted(Token),
    /// It has had its stream.
    Spent,
    /// It had a token and let it expire.
    Expired,
    /// There are as many calls as we can take.
    Full,
}

/// Why a stream is not admitted. Meant for our log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// No call of this name asked for a stream.
    #[error("no such call asked for a stream")]
    UnknownCall,
    /// The token is not the one that the call was given.
    #[error("the token is not the one that the call was given")]
    WrongToken,
    /// The token has admitted a stream.
    #[error("the token has been used")]
    Used,
    /// The token is too old.
    #[error("the token has expired")]
    Expired,
    /// The account, company or language is not the one that the token was given for.
    #[error("the token was given for another account, company or language")]
    Foreign,
}

/// All calls that have a token, had one not long ago, or are going on.
#[derive(Debug)]
pub struct Tokens {
    calls: BTreeMap<Sid, Entry>,
    calls_max: usize,
    life: Duration,
}

#[derive(Debug)]
struct Entry {
    grant: Grant,
    standing: Standing,
    progress: Progress,
    /// Cancelled when a callback says that the call is over.
    over: CancellationToken,
}

#[derive(Debug)]
enum Standing {
    /// The stream may come. Kept after it expired, so that nobody gets a second token.
    Waiting { token: Token, until: Instant },
    /// The stream has come.
    Live,
    /// The call is over.
    Over { ending: Ending, since: Instant },
}

impl Tokens {
    /// No calls yet, at most `calls_max` at once, and tokens that live so long.
    pub fn new(calls_max: usize, life: Duration) -> Self {
        Self { calls: BTreeMap::new(), calls_max, life }
    }

    /// A call asks for a stream.
    pub fn admit(&mut self, grant: Grant, now: Instant) -> Admission {
        self.forget_old(now);
        match self.calls.get(&grant.call).map(|entry| &entry.standing) {
            Some(Standing::Waiting { token, until }) if now < *until => {
                return Admission::Granted(token.clone());
            }
            Some(Standing::Waiting { .. }) => return Admission::Expired,
            Some(Standing::Live | Standing::Over { .. }) => return Admission::Spent,
            None => {}
        }
        if self.taken(now) >= self.calls_max {
            return Admission::Full;
        }
        let token = Token::new();
        let standing = Standing::Waiting { token: token.clone(), until: now + self.life };
        let (progress, over) = (Progress::default(), CancellationToken::new());
        self.calls.insert(grant.call.clone(), Entry { grant, standing, progress, over });
        Admission::Granted(token)
    }

    /// A stream has begun and shows its token. From here on the call is live, until
    /// [`end`](Self::end).
    ///
    /// # Errors
    /// [`Refused`]; the rightful stream can still come then.
    pub fn redeem(
        &mut self,
        token: &str,
        claim: &Claim<'_>,
        now: Instant,
    ) -> Result<Grant, Refused> {
        let call = Sid::parse(claim.call).ok_or(Refused::UnknownCall)?;
        let Entry { grant, standing, .. } =
            self.calls.get_mut(&call).ok_or(Refused::UnknownCall)?;
        let Standing::Waiting { token: ours, until } = standing else {
            return Err(Refused::Used);
        };
        if !ours.matches(token) {
            return Err(Refused::WrongToken);
        }
        if now >= *until {
            return Err(Refused::Expired);
        }
        let ours = (grant.account.as_str(), grant.company.as_str(), grant.language);
        if ours != (claim.account, claim.company, claim.language) {
            return Err(Refused::Foreign);
        }
        *standing = Standing::Live;
        Ok(grant.clone())
    }

    /// A call is over. Only the first end of a live call counts.
    pub fn end(&mut self, call: &Sid, ending: Ending, now: Instant) {
        if let Some(Entry { standing: standing @ Standing::Live, .. }) = self.calls.get_mut(call) {
            *standing = Standing::Over { ending, since: now };
        }
    }

    /// A status callback of a call. Nothing of it is news for a call that we do not know.
    pub fn take_in(&mut self, call: &Sid, callback: &StatusCallback) -> Change {
        let Some(entry) = self.calls.get_mut(call) else { return Change::None };
        let change = entry.progress.take_in(callback);
        if change == Change::Over {
            entry.over.cancel();
        }
        change
    }

    /// What is cancelled when a callback says that this call is over.
    pub fn over(&self, call: &Sid) -> CancellationToken {
        self.calls.get(call).map_or_else(CancellationToken::new, |entry| entry.over.clone())
    }

    /// How a call ended; nothing if it is not over, or is not known.
    pub fn ending(&self, call: &Sid) -> Option<Ending> {
        match self.calls.get(call)?.standing {
            Standing::Over { ending, .. } => Some(ending),
            Standing::Waiting { .. } | Standing::Live => None,
        }
    }

    /// What a call was admitted as.
    pub fn grant(&self, call: &Sid) -> Option<&Grant> {
        self.calls.get(call).map(|entry| &entry.grant)
    }

    /// Whether a call's stream has come and its end has not.
    pub fn is_live(&self, call: &Sid) -> bool {
        let standing = self.calls.get(call).map(|entry| &entry.standing);
        matches!(standing, Some(Standing::Live))
    }

    /// How many calls are going on.
    pub fn live(&self) -> usize {
        let is_live = |entry: &&Entry| matches!(entry.standing, Standing::Live);
        self.calls.values().filter(is_live).count()
    }

    fn taken(&self, now: Instant) -> usize {
        let counts = |entry: &&Entry| match entry.standing {
            Standing::Waiting { until, .. } => now < until,
            Standing::Live => true,
            Standing::Over { .. } => false,
        };
        self.calls.values().filter(counts).count()
    }

    fn forget_old(&mut self, now: Instant) {
        self.calls.retain(|_, entry| match entry.standing {
            Standing::Waiting { until, .. } => now < until + EXPIRED_KEPT,
            Standing::Live => true,
            Standing::Over { since, .. } => now < since + ENDED_KEPT,
        });
    }
}

/// How long a token that nobody used is remembered: its call has no record anywhere else.
const EXPIRED_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// How long an ended call is remembered. The store remembers it for good.
const ENDED_KEPT: Duration = Duration::from_secs(60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_admits_one_stream_of_its_call() {
        let (mut tokens, now) = (tokens(), Instant::now());
        let token = granted(&mut tokens, 1, now);
        assert_eq!(tokens.redeem(&token, &claim(CALL_1), now), Ok(grant(1)));
        assert!(tokens.is_live(&grant(1).call));
        assert_eq!(tokens.redeem(&token, &claim(CALL_1), now), Err(Refused::Used));
    }

    #[test]
    fn a_call_that_asks_again_gets_the_same_token_until_it_is_used() {
        let (mut tokens, now) = (tokens(), Instant::now());
        let token = granted(&mut tokens, 1, now);
        assert_eq!(granted(&mut tokens, 1, now + SECOND), token);
        tokens.redeem(&token, &claim(CALL_1), now).unwrap();
        assert_eq!(tokens.admit(grant(1), now), Admission::Spent);
        tokens.end(&grant(1).call, Ending::Planned, now);
        assert_eq!(tokens.admit(grant(1), now), Admission::Spent);
        assert_eq!(tokens.ending(&grant(1).call), Some(Ending::Planned));
    }

    #[test]
    fn a_token_expires_and_there_is_no_second_one() {
        let (mut tokens, now) = (tokens(), Instant::now());
        let token = granted(&mut tokens, 1, now);
        let late = now + LIFE;
        assert_eq!(tokens.redeem(&token, &claim(CALL_1), late), Err(Refused::Expired));
        assert_eq!(tokens.admit(grant(1), late), Admission::Expired);
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
            Claim { language: Language::Spanish, ..claim(CALL_1) },
        ];
        for claim in foreign {
            assert_eq!(tokens.redeem(&token, &claim, now), Err(Refused::Foreign));
        }
        assert_eq!(tokens.redeem(&token, &claim(CALL_2), now), Err(Refused::WrongToken));
        assert_eq!(tokens.redeem("", &claim(CALL_1), now), Err(Refused::WrongToken));
        assert_eq!(tokens.redeem(&token, &claim("CA1"), now), Err(Refused::UnknownCall));
        assert_eq!(tokens.redeem(&token, &claim(CALL_1), now), Ok(grant(1)));
    }

    #[test]
    fn a_seat_is_taken_from_the_token_to_the_end_of_the_call() {
        let (mut tokens, now) = (Tokens::new(1, LIFE), Instant::now());
        let token = granted(&mut tokens, 1, now);
        assert_eq!(tokens.admit(grant(2), now), Admission::Full);
        tokens.redeem(&token, &claim(CALL_1), now).unwrap();
        assert_eq!(tokens.admit(grant(2), now + LIFE), Admission::Full);
        tokens.end(&grant(1).call, Ending::Unplanned, now);
        let token = granted(&mut tokens, 2, now);
        assert_eq!(tokens.redeem(&token, &claim(CALL_2), now), Ok(grant(2)));
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

    fn grant(number: u8) -> Grant {
        Grant {
            call: Sid::parse(&format!("CA{number:032}")).unwrap(),
            account: Sid::parse(ACCOUNT).unwrap(),
            company: "acme".to_owned(),
            language: Language::English,
            from: PhoneNumber::new("+15550100101"),
            to: PhoneNumber::new("+15550100099"),
        }
    }

    fn claim(call: &str) -> Claim<'_> {
        Claim { call, account: ACCOUNT, company: "acme", language: Language::English }
    }

    fn granted(tokens: &mut Tokens, number: u8, now: Instant) -> String {
        match tokens.admit(grant(number), now) {
            Admission::Granted(token) => token.reveal().to_owned(),
            other => panic!("not granted: {other:?}"),
        }
    }
}
