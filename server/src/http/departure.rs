//! A call's stream leaves for a person or for tones, and comes back: the documents for it, and the
//! webhooks that tell what became of it.

use std::time::Instant;

use axum::extract::State;
use axum::http::StatusCode;
use call_core::input::Transfer;
use call_transports::twilio::twiml::{self, Dial, Document, Tones};
use call_transports::twilio::webhook::PhoneNumber;
use call_transports::twilio::{Sid, dialled as dial_news};
use tracing::{error, info, warn};

use super::{
    AFTER_DIAL, AFTER_STREAM, DIALLED, Signed, Twiml, apology, call_sid, connection_behind,
    language_of,
};
use crate::app::App;
use crate::call::{Departure, News};
use crate::tokens::{Away, Grant};

/// The documents of one call.
pub(crate) struct Documents {
    app: App,
    grant: Grant,
}

impl Documents {
    /// Those of the call that was admitted so.
    pub(crate) fn new(app: App, grant: Grant) -> Self {
        Self { app, grant }
    }

    /// The errors of documents quote nothing of them.
    fn rendered(&self, document: Result<Document, twiml::Error>) -> Option<String> {
        let text = document.and_then(|document| document.render());
        let call = &self.grant.call;
        text.inspect_err(|error| error!(%call, %error, "a document cannot be written")).ok()
    }
}

impl Departure for Documents {
    fn dial(&self, target: &str) -> Option<String> {
        let Some(number) = self.grant.tenant.company().transfer.get(target) else {
            error!(call = %self.grant.call, "a transfer to nobody on the company's list");
            return None;
        };
        let public = &self.app.config().public_url;
        let dial = Dial::new(PhoneNumber::new(number), public.of(AFTER_DIAL))
            .told_when_answered(public.of(DIALLED));
        let document = self.rendered(Ok(Document::new().dial(dial)))?;
        self.app.tokens().dial(&self.grant.call).then_some(document)
    }

    fn tones(&self, tones: Tones) -> Option<String> {
        let token = self.app.tokens().leave(&self.grant.call, Instant::now())?;
        let before = Document::new().tones(tones);
        self.rendered(connection_behind(before, &self.app, &self.grant, &token))
    }

    fn stay(&self) {
        self.app.tokens().stay(&self.grant.call);
    }
}

/// Calling a person has come to an end. Where somebody talked with the caller, so has the call; else
/// the caller comes back to us, if we are still there.
pub(super) async fn after_dial(State(app): State<App>, Signed(form): Signed) -> Twiml {
    let company_language = language_of(&app, &form);
    let Some(call) = call_sid(&form) else {
        error!("a person was called, and the webhook does not say for which call");
        return apology(company_language);
    };
    let outcome = dial_news::outcome(&form).unwrap_or_else(|| {
        warn!(%call, "a person was called, and the webhook does not say what came of it");
        Transfer::Failed
    });
    tell(&app, &call, outcome);
    if outcome == Transfer::Completed {
        return Twiml(Document::new().hang_up());
    }
    back(&app, &call).unwrap_or_else(|| {
        warn!(%call, "nobody took a call, and it cannot come back to us");
        let language = app.tokens().grant(&call).map_or(company_language, |grant| grant.language);
        apology(language)
    })
}

/// A person who was called answers: from now on the call is theirs. What is told of that leg
/// besides steers nothing.
pub(super) async fn dialled(State(app): State<App>, Signed(form): Signed) -> StatusCode {
    if let Some(call) = dial_news::answered(&form) {
        tell(&app, &call, Transfer::Completed);
    }
    StatusCode::NO_CONTENT
}

/// The stream is over because the call waits for something: it is asked again a little later, and
/// where another stream is wanted, that one is tried first.
pub(super) fn wait(app: &App, call: &Sid, away: Away) -> Twiml {
    info!(%call, ?away, "a stream ended, and its call waits for another");
    let again = app.config().public_url.of(AFTER_STREAM);
    let pause = Document::new().pause(PAUSE_S);
    let back = match away {
        Away::Dialling => None,
        Away::Returning => connected(app, call, pause.clone()),
    };
    back.unwrap_or_else(|| Twiml(pause.redirect(again)))
}

/// Another stream of a call that is going on and whose stream has left.
fn back(app: &App, call: &Sid) -> Option<Twiml> {
    connected(app, call, Document::new())
}

fn connected(app: &App, call: &Sid, before: Document) -> Option<Twiml> {
    let (token, grant) = {
        let mut tokens = app.tokens();
        (tokens.come_back(call, Instant::now())?, tokens.grant(call)?.clone())
    };
    connection_behind(before, app, &grant, &token)
        .inspect_err(|error| error!(%call, %error, "a stream cannot be described"))
        .map(Twiml)
        .ok()
}

/// Tells a call what came of calling a person. It is told once.
fn tell(app: &App, call: &Sid, outcome: Transfer) {
    let Some(line) = app.tokens().dialled(call) else {
        info!(%call, outcome = outcome.word(), "nobody waits for what came of calling a person");
        return;
    };
    info!(%call, outcome = outcome.word(), "a person was called");
    if line.try_send(News::Dialled(outcome)).is_err() {
        warn!(%call, "a call is over that waited for a person");
    }
}

/// How long a caller waits in silence before we are asked again, in seconds.
const PAUSE_S: u32 = 1;
