//! Who may open a media stream: one token for one stream of one call.
//!
//! A webhook that Twilio signed admits a call and gets a token. The token travels in the document
//! that opens the stream, and comes back in the stream's `start`. It admits once, for a short time,
//! and only the call, the account, the company and the language that it was given for.
//!
//! The stream of a call that is going on may leave, for tones or because a person is called, and
//! another one come in its place. That one has a token of its own, and its socket goes to the task of
//! the call by the call's [`Line`].
//!
//! Nothing here reads a clock: whoever asks says what time it is.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use call_core::Language;
use call_core::step::EndReason;
use call_transports::twilio::Sid;
use call_transports::twilio::status::{Change, Progress, StatusCallback};
use call_transports::twilio::webhook::{CallStatus, PhoneNumber};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::call::{Line, View};
use crate::company::Tenant;

/// What a token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The call.
    pub call: Sid,
    /// The account that the call belongs to.
    pub account: Sid,
    /// The company that was called, in the version that the call keeps to its end.
    pub tenant: Arc<Tenant>,
    /// The language the call begins in.
    pub language: Language,
    /// Who calls.
    pub from: PhoneNumber,
    /// What was dialled.
    pub to: PhoneNumber,
}

impl Grant {
    /// The short name of the company that was called.
    pub fn company(&self) -> &str {
        &self.tenant.company().id
    }
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
    /// The tag of the language that it was opened for.
    pub language: &'a str,
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

impl Ending {
    /// How a call ended that ended for this reason.
    pub const fn of(reason: EndReason) -> Self {
        match reason {
            EndReason::CallerHangup
            | EndReason::AgentHangup
            | EndReason::NoInput
            | EndReason::TimeLimit
            | EndReason::Transferred
            | EndReason::OperatorHangup => Self::Planned,
            EndReason::AgentFailed
            | EndReason::StreamLost
            | EndReason::TransferFailed
            | EndReason::Drained => Self::Unplanned,
        }
    }

    /// How a call ended whose record has this word for it. A record may have words of its own, and all of
    /// them tell of a call that somebody lost.
    pub fn of_record(word: &str) -> Self {
        let reason = EndReason::ALL.into_iter().find(|reason| reason.word() == word);
        reason.map_or(Self::Unplanned, Self::of)
    }
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
    /// There are as many calls of this company as it may have; others are still taken.
    CompanyFull,
}

/// What a stream that is admitted is to its call.
#[derive(Debug)]
pub enum Admitted {
    /// The call begins with it.
    Begins(Grant),
    /// It joins a call that is going on, whose task is reached by this line.
    Joins(Grant, Line),
}

/// A call that is going on, for those who look after the server.
#[derive(Debug, Clone)]
pub struct LiveCall {
    /// The call.
    pub call: Sid,
    /// Its company, in the version that the call is held under.
    pub tenant: Arc<Tenant>,
    /// How its task is reached.
    pub line: Line,
    /// How it is seen.
    pub view: View,
}

impl LiveCall {
    /// The short name of its company.
    pub fn company(&self) -> &str {
        &self.tenant.company().id
    }
}

/// Where the stream of a call that is going on has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Away {
    /// A person is called, or will be.
    Dialling,
    /// It comes back by a token of its own.
    Returning,
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

impl Entry {
    /// A call that can be reached.
    fn live(&self) -> Option<LiveCall> {
        let Standing::Live(Live { task: Some((line, view)), .. }) = &self.standing else {
            return None;
        };
        let (call, tenant) = (self.grant.call.clone(), Arc::clone(&self.grant.tenant));
        Some(LiveCall { call, tenant, line: line.clone(), view: view.clone() })
    }
}

#[derive(Debug)]
enum Standing {
    /// The stream may come. Kept after it expired, so that nobody gets a second token.
    Waiting { token: Token, until: Instant },
    /// The stream has come.
    Live(Live),
    /// The call is over.
    Over { ending: Ending, since: Instant },
}

/// A call that is going on.
#[derive(Debug, Default)]
struct Live {
    /// How its task is reached, and seen.
    task: Option<(Line, View)>,
    /// Where its stream has gone, if it has.
    left: Option<Left>,
}

#[derive(Debug)]
enum Left {
    Dialling,
    /// What came of dialling has been told.
    Dialled,
    /// Another stream may come.
    Returning {
        token: Token,
        until: Instant,
    },
}

impl Tokens {
    /// No calls yet, at most `calls_max` at once, and tokens that live so long.
    pub fn new(calls_max: usize, life: Duration) -> Self {
        Self { calls: BTreeMap::new(), calls_max, life }
    }

    /// A call asks for a stream. Its company may have so many calls at once, or as many as there is
    /// room for.
    pub fn admit(
        &mut self,
        grant: Grant,
        company_calls_max: Option<u32>,
        now: Instant,
    ) -> Admission {
        self.forget_old(now);
        match self.calls.get(&grant.call).map(|entry| &entry.standing) {
            Some(Standing::Waiting { token, until }) if now < *until => {
                return Admission::Granted(token.clone());
            }
            Some(Standing::Waiting { .. }) => return Admission::Expired,
            Some(Standing::Live(_) | Standing::Over { .. }) => return Admission::Spent,
            None => {}
        }
        if self.taken(now, |_| true) >= self.calls_max {
            return Admission::Full;
        }
        let of_company = self.taken(now, |other| other.company() == grant.company());
        if company_calls_max.is_some_and(|most| of_company as u64 >= u64::from(most)) {
            return Admission::CompanyFull;
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
    ) -> Result<Admitted, Refused> {
        let call = Sid::parse(claim.call).ok_or(Refused::UnknownCall)?;
        let Entry { grant, standing, .. } =
            self.calls.get_mut(&call).ok_or(Refused::UnknownCall)?;
        let (ours, until) = match standing {
            Standing::Waiting { token, until }
            | Standing::Live(Live { left: Some(Left::Returning { token, until }), .. }) => {
                (token, *until)
            }
            Standing::Live(_) | Standing::Over { .. } => return Err(Refused::Used),
        };
        if !ours.matches(token) {
            return Err(Refused::WrongToken);
        }
        if now >= until {
            return Err(Refused::Expired);
        }
        let ours = (grant.account.as_str(), grant.company(), grant.language);
        if ours != (claim.account, claim.company, grant.tenant.language(claim.language)) {
            return Err(Refused::Foreign);
        }
        if let Standing::Live(Live { task, left }) = standing {
            let (line, _) = task.clone().ok_or(Refused::Used)?;
            *left = None;
            return Ok(Admitted::Joins(grant.clone(), line));
        }
        *standing = Standing::Live(Live::default());
        Ok(Admitted::Begins(grant.clone()))
    }

    /// Says how the task of a live call is reached, and seen.
    pub fn attach(&mut self, call: &Sid, line: Line, view: View) {
        if let Some(live) = self.live_mut(call) {
            live.task = Some((line, view));
        }
    }

    /// The calls that are going on with these companies.
    pub fn live_calls(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<LiveCall> {
        let wanted = self.calls.values().filter(|entry| is_wanted(entry.grant.company()));
        wanted.filter_map(Entry::live).collect()
    }

    /// Whether any call of a company is going on, or may begin.
    pub fn has_calls_of(&self, company: &str) -> bool {
        let is_one = |entry: &Entry| {
            entry.grant.company() == company && !matches!(entry.standing, Standing::Over { .. })
        };
        self.calls.values().any(is_one)
    }

    /// A call that is going on; nothing if it is not live.
    pub fn live_call(&self, call: &Sid) -> Option<LiveCall> {
        self.calls.get(call)?.live()
    }

    /// Whether a call was told to open a stream, and may still do it.
    pub fn expects_a_stream(&self, now: Instant) -> bool {
        let expects = |entry: &Entry| matches!(entry.standing, Standing::Waiting { until, .. } if now < until);
        self.calls.values().any(expects)
    }

    /// The lines of all calls whose streams have begun.
    pub fn lines(&self) -> Vec<Line> {
        let line = |entry: &Entry| match &entry.standing {
            Standing::Live(live) => live.task.as_ref().map(|(line, _)| line.clone()),
            Standing::Waiting { .. } | Standing::Over { .. } => None,
        };
        self.calls.values().filter_map(line).collect()
    }

    /// The stream of a live call is to leave, and another one to come back. The token is for that
    /// one. Nothing for a call that is not live.
    pub fn leave(&mut self, call: &Sid, now: Instant) -> Option<Token> {
        let until = now + self.life;
        let live = self.live_mut(call)?;
        let token = Token::new();
        live.left = Some(Left::Returning { token: token.clone(), until });
        Some(token)
    }

    /// The stream of a live call is to leave because a person is called. Whether it is live.
    pub fn dial(&mut self, call: &Sid) -> bool {
        let live = self.live_mut(call);
        live.map(|live| live.left = Some(Left::Dialling)).is_some()
    }

    /// What came of calling a person is known: where to tell it. Nothing if nobody was called for
    /// this call, if it is over, or if it was told before.
    pub fn dialled(&mut self, call: &Sid) -> Option<Line> {
        let live = self.live_mut(call)?;
        if !matches!(live.left, Some(Left::Dialling)) {
            return None;
        }
        live.left = Some(Left::Dialled);
        live.task.as_ref().map(|(line, _)| line.clone())
    }

    /// A token for another stream of a live call whose stream has left. Whoever asks again before it
    /// was used gets the same one, as long as it lives. Nothing for any other call.
    pub fn come_back(&mut self, call: &Sid, now: Instant) -> Option<Token> {
        match &self.live_mut(call)?.left {
            None => None,
            Some(Left::Returning { token, until }) if now < *until => Some(token.clone()),
            Some(_) => self.leave(call, now),
        }
    }

    /// The stream of a live call stays after all: no other one is admitted.
    pub fn stay(&mut self, call: &Sid) {
        if let Some(live) = self.live_mut(call) {
            live.left = None;
        }
    }

    /// Where the stream of a live call has gone; nothing if it has not, or if the call is not live.
    pub fn away(&self, call: &Sid) -> Option<Away> {
        match &self.calls.get(call)?.standing {
            Standing::Live(Live { left: Some(left), .. }) => Some(match left {
                Left::Dialling | Left::Dialled => Away::Dialling,
                Left::Returning { .. } => Away::Returning,
            }),
            _ => None,
        }
    }

    /// A call is over. Only the first end of a live call counts.
    pub fn end(&mut self, call: &Sid, ending: Ending, now: Instant) {
        if let Some(Entry { standing: standing @ Standing::Live(_), .. }) = self.calls.get_mut(call)
        {
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

    /// Where a call stands by its callbacks; nothing if none has told, or the call is not known.
    pub fn status(&self, call: &Sid) -> Option<&CallStatus> {
        self.calls.get(call)?.progress.status()
    }

    /// What is cancelled when a callback says that this call is over.
    pub fn over(&self, call: &Sid) -> CancellationToken {
        self.calls.get(call).map_or_else(CancellationToken::new, |entry| entry.over.clone())
    }

    /// How a call ended; nothing if it is not over, or is not known.
    pub fn ending(&self, call: &Sid) -> Option<Ending> {
        match &self.calls.get(call)?.standing {
            Standing::Over { ending, .. } => Some(*ending),
            Standing::Waiting { .. } | Standing::Live(_) => None,
        }
    }

    /// What a call was admitted as.
    pub fn grant(&self, call: &Sid) -> Option<&Grant> {
        self.calls.get(call).map(|entry| &entry.grant)
    }

    /// Whether a call's stream has come and its end has not.
    pub fn is_live(&self, call: &Sid) -> bool {
        let standing = self.calls.get(call).map(|entry| &entry.standing);
        matches!(standing, Some(Standing::Live(_)))
    }

    /// How many calls are going on.
    pub fn live(&self) -> usize {
        let is_live = |entry: &&Entry| matches!(entry.standing, Standing::Live(_));
        self.calls.values().filter(is_live).count()
    }

    /// For how many of them a person is called, who has not answered.
    pub fn dialling(&self) -> usize {
        self.calls.keys().filter(|call| self.away(call) == Some(Away::Dialling)).count()
    }

    fn live_mut(&mut self, call: &Sid) -> Option<&mut Live> {
        match &mut self.calls.get_mut(call)?.standing {
            Standing::Live(live) => Some(live),
            Standing::Waiting { .. } | Standing::Over { .. } => None,
        }
    }

    /// How many of these calls are going on or about to begin.
    fn taken(&self, now: Instant, these: impl Fn(&Grant) -> bool) -> usize {
        let counts = |entry: &&Entry| match entry.standing {
            Standing::Waiting { until, .. } => now < until && these(&entry.grant),
            Standing::Live(_) => these(&entry.grant),
            Standing::Over { .. } => false,
        };
        self.calls.values().filter(counts).count()
    }

    fn forget_old(&mut self, now: Instant) {
        self.calls.retain(|_, entry| match entry.standing {
            Standing::Waiting { until, .. } => now < until + EXPIRED_KEPT,
            Standing::Live(_) => true,
            Standing::Over { since, .. } => now < since + ENDED_KEPT,
        });
    }
}

/// How long a token that nobody used is remembered: its call has no record anywhere else.
const EXPIRED_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// How long an ended call is remembered. The store remembers it for good.
const ENDED_KEPT: Duration = Duration::from_secs(60 * 60);

#[cfg(test)]
mod tests;
