//! One call: the documents that it runs, its streams, what is asked of it by REST, and what is told
//! of it.
//!
//! A call runs one document at a time, verb by verb. A verb may hold it: a stream until its socket
//! is closed, dialling and tones until they have come to an end. The carrier, who is the same one
//! for all streams of a call, says when.

use std::collections::VecDeque;
use std::sync::Arc;

use anyhow::{bail, ensure};
use call_core::{CallTime, Millis};
use call_transports::twilio::Sid;
use call_transports::twilio::media::decode_to_twilio;
use call_transports::twilio::status::StatusCallback;
use call_transports::twilio::twiml::{self, Dial, Stream, Verb};
use call_transports::twilio::webhook::{CallStatus, Direction, InboundCall, PhoneNumber};
use sim::Scenario;
use sim::cast::carrier::{Dialled, TALK_MS};
use sim::cast::{Carrier, CarrierSays};
use sim::faults::{Fault, Unanswered};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio_tungstenite::tungstenite::{self, Message};

use super::line::{Line, Reads};
use super::rest::{Answer, Request, Update};
use super::webhook::{self, Form};
use super::{Account, Number, Outcome};
use crate::clock::{Clock, pause};

/// Documents may lead to others; not for ever.
const DOCUMENTS_MAX: u32 = 100;

/// So long nobody can reach the server for a stream, before that counts as failed.
const UNREACHABLE: Millis = Millis(500);

const NOW: Millis = Millis(0);

/// Places a call and stays on the line to the end.
pub(super) async fn place(
    account: Arc<Account>,
    call_sid: &Sid,
    number: &Number,
    scenario: &Scenario,
    mut requests: mpsc::Receiver<Request>,
) -> anyhow::Result<Outcome> {
    let caller = InboundCall {
        call_sid: call_sid.clone(),
        account_sid: account.sid.clone(),
        from: PhoneNumber::new(scenario.from.clone()),
        to: PhoneNumber::new(scenario.to.clone()),
        status: CallStatus::Ringing,
        direction: Direction::Inbound,
        api_version: "2010-04-01".to_owned(),
    };
    let mut call = Call::new(account, caller, number.status.clone(), scenario);
    call.fetch(NOW, number.voice.clone(), call.caller.to_form())?;
    while !call.is_done() {
        let event = call.next(&mut requests).await;
        call.take_in(event).await?;
        call.go_on().await?;
    }
    while call.callbacks.join_next().await.is_some() {}
    Ok(Outcome { carrier: call.leg.map(|leg| leg.carrier), verbs: call.verbs })
}

struct Call<'a> {
    account: Arc<Account>,
    caller: InboundCall,
    /// Who is told of the call's course.
    status: Option<String>,
    scenario: &'a Scenario,
    /// What is left of the document that runs.
    document: VecDeque<Verb>,
    /// A document that is asked for.
    coming: Option<JoinHandle<anyhow::Result<Vec<Verb>>>>,
    documents: u32,
    /// There is no stream because of this.
    away: Option<Away>,
    /// A `<Pause>` that is not over.
    waits: Option<JoinHandle<()>>,
    leg: Option<Leg>,
    line: Option<Line>,
    streams: u32,
    /// Requests that the carrier has not answered; for another document, with it.
    asked: VecDeque<(Option<Vec<Verb>>, Answer)>,
    callbacks: JoinSet<()>,
    /// What was executed.
    verbs: Vec<Verb>,
    is_over: bool,
    scratch: Vec<u8>,
}

/// The carrier's side of the call, from its first stream on.
struct Leg {
    carrier: Carrier,
    clock: Clock,
}

/// What holds a document without a stream.
enum Away {
    /// Somebody is called.
    Dialling(Dial),
    /// Nobody took the call, and it comes back when the carrier says so, if the next document
    /// wants that.
    Unanswered,
    /// Somebody talks with the caller.
    Talking,
    /// Tones are played.
    Tones,
}

/// What happens next in a call.
enum Event {
    /// The carrier has something to say.
    Due,
    Message(Option<Result<Message, tungstenite::Error>>),
    Document(anyhow::Result<Vec<Verb>>),
    Waited,
    Asked(Request),
}

impl<'a> Call<'a> {
    fn new(
        account: Arc<Account>,
        caller: InboundCall,
        status: Option<String>,
        scenario: &'a Scenario,
    ) -> Self {
        Self {
            account,
            caller,
            status,
            scenario,
            document: VecDeque::new(),
            coming: None,
            documents: 0,
            away: None,
            waits: None,
            leg: None,
            line: None,
            streams: 0,
            asked: VecDeque::new(),
            callbacks: JoinSet::new(),
            verbs: Vec::new(),
            is_over: false,
            scratch: Vec::new(),
        }
    }

    fn now(&self) -> CallTime {
        self.leg.as_ref().map_or(CallTime::ZERO, |leg| leg.clock.now())
    }

    fn call_is_over(&self) -> bool {
        self.is_over || self.leg.as_ref().is_some_and(|leg| leg.carrier.is_over())
    }

    /// Whether the call is over, and everything that was to be said about it.
    fn is_done(&self) -> bool {
        let is_silent = self.line.is_none() && self.asked.is_empty() && self.coming.is_none();
        let is_idle = self.leg.as_ref().is_none_or(|leg| leg.carrier.is_idle());
        self.call_is_over() && is_silent && is_idle
    }

    async fn next(&mut self, requests: &mut mpsc::Receiver<Request>) -> Event {
        let Self { leg, line, coming, waits, .. } = self;
        let leg = leg.as_ref();
        let due = async {
            match leg {
                Some(Leg { carrier, clock }) => {
                    clock.sleep_until(carrier.poll_timeout(clock.now())).await;
                }
                None => std::future::pending().await,
            }
        };
        let reads = leg.is_some_and(|Leg { carrier, clock }| {
            let now = clock.now();
            carrier.reads(now) && !carrier.is_half_open(now)
        });
        let message = async {
            match line {
                Some(line) if reads => line.next().await,
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = due => Event::Due,
            message = message => Event::Message(message),
            document = ended(coming) => Event::Document(document.and_then(|document| document)),
            _ = ended(waits) => Event::Waited,
            Some(request) = requests.recv() => Event::Asked(request),
        }
    }

    async fn take_in(&mut self, event: Event) -> anyhow::Result<()> {
        match event {
            Event::Due => {
                while let Some(says) =
                    self.leg.as_mut().and_then(|leg| leg.carrier.due(leg.clock.now()))
                {
                    self.carrier_says(says).await?;
                }
                self.let_go();
            }
            Event::Message(Some(Ok(Message::Text(text)))) => self.hear(&text),
            Event::Message(Some(Ok(Message::Close(_)) | Err(_)) | None) => self.server_closed(),
            Event::Message(Some(Ok(_))) => {}
            Event::Document(document) => {
                self.coming = None;
                self.arrived(document?);
            }
            Event::Waited => self.waits = None,
            Event::Asked(request) => self.update(request),
        }
        Ok(())
    }

    /// Forgets what no longer matters, when the stream or the call has ended.
    fn let_go(&mut self) {
        let Some(Leg { carrier, .. }) = &mut self.leg else { return };
        if !carrier.is_open() {
            // On a dead connection nobody heard of the end.
            self.line = None;
        }
        if carrier.is_over() && self.line.is_none() && self.asked.is_empty() {
            carrier.stream_closed();
        }
    }

    fn hear(&mut self, text: &str) {
        let Some(Leg { carrier, clock }) = &mut self.leg else { return };
        match decode_to_twilio(text, &mut self.scratch) {
            Ok((_, message)) => carrier.receive(clock.now(), &message),
            // Warning 31951: the message is ignored.
            Err(error) => tracing::warn!(%error, "message not compliant"),
        }
    }

    /// The stream's end by the server lets the document go on, unless another one was sent.
    fn server_closed(&mut self) {
        self.line = None;
        let is_replaced =
            self.away.is_some() || self.asked.iter().any(|(document, _)| document.is_some());
        if let Some(leg) = self.leg.as_mut().filter(|_| !is_replaced) {
            leg.carrier.stream_closed();
        }
    }

    /// A request by REST.
    fn update(&mut self, Request { update, answer }: Request) {
        let status = if self.call_is_over() { "completed" } else { self.caller.status.as_str() };
        let shown = format!(r#"{{"status":"{status}"}}"#);
        // Without an answer the call counts as not found.
        let Some(Leg { carrier, clock }) = &mut self.leg else { return };
        let now = clock.now();
        let document = match update {
            Update::HangUp => {
                carrier.hang_up(now);
                None
            }
            Update::Document(text) => {
                let verbs = twiml::parse(&text).unwrap_or_default();
                match verbs.first() {
                    Some(Verb::Dial(_)) => carrier.transfer(now),
                    _ => carrier.redirect(now, &text),
                }
                Some(verbs)
            }
            Update::Look => {
                // Whoever asked may have given up.
                let _ = answer.send((200, shown));
                return;
            }
            Update::Record => return carrier.record(),
        };
        self.asked.push_back((document, answer));
    }

    async fn carrier_says(&mut self, says: CarrierSays) -> anyhow::Result<()> {
        match says {
            CarrierSays::HungUp { status, body }
            | CarrierSays::Transferred { status, body }
            | CarrierSays::Tones { status, body } => self.answer(status, body),
            CarrierSays::Dialled(how) => self.dialled(how)?,
            CarrierSays::Joined => self.away = None,
            CarrierSays::Status(told) => self.tell(&told),
            // The connection breaks: nothing is said, not even goodbye.
            CarrierSays::Break => self.line = None,
            CarrierSays::Stop { .. } => {
                if let Some(mut line) = self.line.take() {
                    line.say(&says).await;
                    line.close();
                }
                if matches!(self.away, Some(Away::Tones)) && self.is_unreachable() {
                    // The document goes on; no stream can be opened in it.
                    self.away = None;
                }
            }
            // The socket is closed behind `stop`, and the library answers pings.
            CarrierSays::Close | CarrierSays::Pong => {}
            CarrierSays::Frame { .. } | CarrierSays::Mark { .. } | CarrierSays::Key { .. } => {
                if let Some(line) = &mut self.line {
                    line.say(&says).await;
                }
            }
        }
        Ok(())
    }

    /// Answers the oldest request. One for another document that is accepted replaces the present.
    fn answer(&mut self, status: u16, body: String) {
        let Some((document, answer)) = self.asked.pop_front() else { return };
        if let Some(document) = document.filter(|_| status == 200) {
            (self.coming, self.waits) = (None, None);
            self.document = document.into();
            let first = self.document.pop_front();
            self.verbs.extend(first.clone());
            self.away = match first {
                Some(Verb::Dial(dial)) => Some(Away::Dialling(dial)),
                _ => Some(Away::Tones),
            };
        }
        // Whoever asked may have given up.
        let _ = answer.send((status, body));
    }

    /// It is known what comes of dialling. When it is over, the document's action says what is next:
    /// at once if nobody answered, else when both have talked.
    fn dialled(&mut self, how: Dialled) -> anyhow::Result<()> {
        let (away, status, talk) = match how {
            Dialled::Completed => (Away::Talking, "completed", TALK_MS),
            Dialled::Unanswered(Unanswered::Busy) => (Away::Unanswered, "busy", 0),
            Dialled::Unanswered(Unanswered::NoAnswer) => (Away::Unanswered, "no-answer", 0),
            Dialled::Unanswered(Unanswered::Failed) => (Away::Unanswered, "failed", 0),
        };
        let Some(Away::Dialling(dial)) = self.away.replace(away) else {
            bail!("a call was dialled that nobody asked for");
        };
        if let (Dialled::Completed, Some(url)) = (how, dial.answered()) {
            let form = webhook::answered_form(&self.caller, &self.other_leg());
            self.callbacks.spawn(webhook::tell(self.account.clone(), url.to_owned(), form));
        }
        let form = webhook::dialled_form(&self.caller, &self.other_leg(), status);
        self.fetch(Millis(talk), dial.action().to_owned(), form)
    }

    /// The name of the call to the person.
    fn other_leg(&self) -> String {
        format!("CAd1{}", &self.caller.call_sid.as_str()[4..])
    }

    fn tell(&mut self, told: &StatusCallback) {
        if let Some(url) = &self.status {
            let form = webhook::status_form(&self.caller, told, self.now());
            self.callbacks.spawn(webhook::tell(self.account.clone(), url.clone(), form));
        }
    }

    /// Asks for a document, so long from now.
    fn fetch(&mut self, after: Millis, url: String, form: Form) -> anyhow::Result<()> {
        self.documents += 1;
        ensure!(self.documents <= DOCUMENTS_MAX, "more than {DOCUMENTS_MAX} documents");
        let account = Arc::clone(&self.account);
        self.coming = Some(tokio::spawn(async move {
            pause(after).await;
            webhook::document(account, url, form).await
        }));
        Ok(())
    }

    fn arrived(&mut self, document: Vec<Verb>) {
        // A call that is over runs nothing any more.
        if !self.call_is_over() {
            let comes_back = matches!(document.first(), Some(Verb::Connect(_)));
            self.document = document.into();
            if matches!(self.away, Some(Away::Talking)) || !comes_back {
                // What the carrier had planned for the caller's return is not wanted.
                self.away = None;
            }
        }
    }

    /// Runs the document until something holds it.
    async fn go_on(&mut self) -> anyhow::Result<()> {
        while !(self.line.is_some() || self.coming.is_some() || self.waits.is_some())
            && self.away.is_none()
            && !self.call_is_over()
        {
            let Some(verb) = self.document.pop_front() else {
                // Nothing left to do: the call ends.
                self.end();
                return Ok(());
            };
            self.verbs.push(verb.clone());
            match verb {
                Verb::Connect(stream) => self.connect(&stream).await?,
                Verb::Redirect { url } => self.fetch(NOW, url, self.caller.to_form())?,
                Verb::Pause { seconds } => {
                    let length = Millis(u64::from(seconds) * 1_000);
                    self.waits = Some(tokio::spawn(pause(length)));
                }
                Verb::Say { .. } => {}
                Verb::Hangup | Verb::Reject { .. } => self.end(),
                verb => bail!("this stand-in does not run {verb:?} in an answer"),
            }
        }
        Ok(())
    }

    /// Whether no stream comes after the first one.
    fn is_unreachable(&self) -> bool {
        self.scenario.faults.contains(&Fault::TonesNoReturn)
    }

    /// Opens a stream. With the first one the carrier's time begins.
    async fn connect(&mut self, stream: &Stream) -> anyhow::Result<()> {
        self.caller.status = CallStatus::InProgress;
        if self.streams > 0 && self.is_unreachable() {
            // Errors 31901 to 31904; the next verb runs.
            self.waits = Some(tokio::spawn(pause(UNREACHABLE)));
            return Ok(());
        }
        self.streams += 1;
        let call_sid = self.caller.call_sid.as_str();
        let blocks = |fault: &Fault| matches!(fault, Fault::CarrierBlocks { .. });
        let reads = match self.scenario.faults.iter().any(blocks) {
            true => Reads::AtTimes,
            false => Reads::Always,
        };
        let line = Line::open(&self.account, call_sid, self.streams, stream, reads).await?;
        self.line = Some(line);
        let scenario = self.scenario;
        self.leg.get_or_insert_with(|| Leg {
            carrier: Carrier::new(scenario.caller(), scenario.faults.clone()),
            clock: Clock::start(),
        });
        Ok(())
    }

    /// The call ends because its document did.
    fn end(&mut self) {
        self.is_over = true;
        let now = self.now();
        if let Some(leg) = &mut self.leg {
            leg.carrier.document_ended(now);
        }
    }
}

/// What a task comes to; for ever if there is none.
async fn ended<T>(task: &mut Option<JoinHandle<T>>) -> anyhow::Result<T> {
    match task {
        Some(task) => Ok(task.await?),
        None => std::future::pending().await,
    }
}
