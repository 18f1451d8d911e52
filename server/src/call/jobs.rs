//! What a call asks for and does not wait for: lines to be spoken, functions, and whatever is asked of
//! the carrier.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Poll};

use call_core::effect::Function;
use call_core::input::HungUp;
use call_core::{Language, LineId, UtteranceId};
use call_transports::bridge::Clip;
use call_transports::functions::{self, Ended};
use call_transports::middleware::LoanLookup;
use call_transports::net::Redirected;
use call_transports::twilio::Sid;
use futures::StreamExt as _;
use futures::future::{AbortHandle, BoxFuture, abortable};
use futures::stream::FuturesUnordered;
use locales::Locale;

use super::Services;
use super::departure::Errand;

/// How a job ended.
pub(super) enum Done {
    /// A line is ready, or cannot be had.
    Line(UtteranceId, Option<Clip>),
    /// A function ended.
    Function(Ended),
    /// The carrier answered.
    HungUp(HungUp),
    /// The carrier was given another document, or was not.
    Redirected(Errand, Redirected),
    /// Nobody wants to know any more.
    Forgotten,
}

/// The running jobs of one call. They run within the call's task, and end with it.
pub(super) struct Jobs {
    services: Arc<Services>,
    /// Whose call it is.
    company: Arc<str>,
    running: FuturesUnordered<BoxFuture<'static, Done>>,
    /// What the carrier was asked for and has not answered.
    errand: Option<(Errand, AbortHandle)>,
}

/// A line that is asked for.
pub(super) struct Asked<'a> {
    pub(super) utterance: UtteranceId,
    pub(super) line: LineId,
    pub(super) language: Language,
    pub(super) arguments: &'a BTreeMap<String, String>,
    /// The company's own words for it, and their version.
    pub(super) own: Option<(&'a str, u32)>,
}

impl Jobs {
    /// No jobs yet, for a call of this company.
    pub(super) fn new(services: Arc<Services>, company: Arc<str>) -> Self {
        Self { services, company, running: FuturesUnordered::new(), errand: None }
    }

    /// The next job that ended.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Done> {
        // An empty set is over at once; here it is only idle.
        match self.running.poll_next_unpin(cx) {
            Poll::Ready(Some(done)) => {
                if matches!(done, Done::Redirected(..)) {
                    self.errand = None;
                }
                Poll::Ready(done)
            }
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    /// Has a line worded, and spoken in `voice`.
    pub(super) fn prepare(&mut self, asked: &Asked<'_>, voice: &str) {
        let utterance = asked.utterance;
        let Some(words) = words(asked) else {
            self.running.push(Box::pin(async move { Done::Line(utterance, None) }));
            return;
        };
        let (services, voice) = (Arc::clone(&self.services), voice.to_owned());
        self.running.push(Box::pin(async move {
            let locales::Rendered { text, version } = words;
            let clip = match services.speaker.speak(&voice, &text).await {
                Ok(audio) => Some(Clip { text, version, audio }),
                Err(error) => {
                    tracing::warn!(%error, "a line of ours could not be spoken");
                    None
                }
            };
            Done::Line(utterance, clip)
        }));
    }

    /// Runs a function with the arguments that were kept for it.
    pub(super) fn perform(&mut self, id: &str, function: Function, arguments: Option<&str>) {
        let (services, id) = (Arc::clone(&self.services), id.to_owned());
        match function {
            function if function.is_write() => self.running.push(Box::pin(write(services, id))),
            Function::LookupLoan => {
                let lookup = arguments.and_then(|text| functions::loan_lookup(text).ok());
                let company = Arc::clone(&self.company);
                self.running.push(Box::pin(look_up(services, company, id, lookup)));
            }
            // No company can offer payments yet; the machine does the others itself.
            Function::MakePayment
            | Function::TransferCall
            | Function::PlayDtmf
            | Function::HangupCall => {
                let ended = functions::write_ended(&id, Err("unavailable"));
                self.running.push(Box::pin(async move { Done::Function(ended) }));
            }
        }
    }

    /// Gives the call another document at the carrier. `has_left` tells whether its stream has ended.
    pub(super) fn redirect(
        &mut self,
        call: Sid,
        document: String,
        errand: Errand,
        has_left: impl Fn() -> bool + Send + Sync + 'static,
    ) {
        self.forget_any_errand();
        let services = Arc::clone(&self.services);
        let (asking, handle) =
            abortable(async move { services.carrier.redirect(&call, &document, has_left).await });
        self.errand = Some((errand, handle));
        self.running.push(Box::pin(async move {
            asking.await.map_or(Done::Forgotten, |outcome| Done::Redirected(errand, outcome))
        }));
    }

    /// Drops what was asked of the carrier, if it was this, and says whether it had no answer yet.
    pub(super) fn forget_errand(&mut self, errand: Errand) -> bool {
        let asked = self.errand.take_if(|(asked, _)| *asked == errand);
        asked.map(|(_, handle)| handle.abort()).is_some()
    }

    /// Drops what was asked of the carrier, and says whether it had no answer yet.
    pub(super) fn forget_any_errand(&mut self) -> bool {
        self.errand.take().map(|(_, handle)| handle.abort()).is_some()
    }

    /// Ends the call at the carrier. Nothing else is asked of it any more (I-35).
    pub(super) fn hang_up(&mut self, call: Sid) {
        self.forget_any_errand();
        let services = Arc::clone(&self.services);
        self.running
            .push(Box::pin(async move { Done::HungUp(services.carrier.hang_up(&call).await) }));
    }
}

/// What moves money must be proven later: it is done only once that it was asked for and allowed is on
/// record to stay (F-PR-08, I-27).
async fn write(services: Arc<Services>, id: String) -> Done {
    let why = match services.audit.settled().await {
        // No company can offer payments yet.
        Some(_) => "unavailable",
        None => "unrecorded",
    };
    Done::Function(functions::write_ended(&id, Err(why)))
}

async fn look_up(
    services: Arc<Services>,
    company: Arc<str>,
    id: String,
    lookup: Option<LoanLookup>,
) -> Done {
    let answer = match &lookup {
        Some(lookup) => services.middleware.lookup(&company, lookup).await,
        None => None,
    };
    Done::Function(functions::lookup_ended(&id, answer))
}

/// The recording of a line. Every line has one, which a test of the recordings proves.
pub(super) fn recording(line: LineId, language: Language) -> Option<Clip> {
    locales::recording(locale(language), line.key()).map(|recording| Clip {
        text: recording.text,
        version: recording.version,
        audio: recording.audio.to_vec(),
    })
}

const fn locale(language: Language) -> Locale {
    match language {
        Language::English => Locale::English,
        Language::Spanish => Locale::Spanish,
    }
}

/// The words of a line that is asked for.
pub(super) fn words(asked: &Asked<'_>) -> Option<locales::Rendered> {
    let locale = locale(asked.language);
    let arguments: Vec<_> =
        asked.arguments.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let key = asked.line.key();
    let words = match asked.own {
        Some((own, version)) => locales::render_own(locale, key, own, &arguments)
            .map(|text| locales::Rendered { text, version }),
        None => locales::render(locale, key, &arguments),
    };
    // The error names the line and the blank, never what stands in it.
    words.inspect_err(|error| tracing::error!(%error, "a line of ours could not be worded")).ok()
}

#[cfg(test)]
mod tests;
