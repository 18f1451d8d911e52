//! The media socket: who may open it, and what must come first.
//!
//! The upgrade is checked by its signature and the stream by its token, both before anything is
//! done for the call. A stream that is not admitted learns nothing but a close code.

use std::time::{Duration, Instant};

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use call_transports::twilio::media::{FromTwilio, MediaFormat, Start, decode_from_twilio};
use tokio::time::timeout;
use tracing::{error, info, warn};

use crate::app::App;
use crate::call::{self, Line, News};
use crate::http::{SIGNATURE, TOKEN};
use crate::metrics::StreamRefusal;
use crate::tokens::{Admitted, Claim, Ending, Grant};

mod conduct;

/// Opens the media socket of a call.
pub(crate) async fn stream(
    State(app): State<App>,
    Path((company, language)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let url = app.config().public_url.of_stream(path);
    let signature = headers.get(SIGNATURE).and_then(|value| value.to_str().ok());
    if let Err(error) = app.verifier().verify_upgrade(&url, signature.unwrap_or_default()) {
        // Not its path, which anybody may write anything in.
        warn!(target: "security", %error, "an upgrade was refused");
        app.metrics().stream_refused(StreamRefusal::Signature);
        return StatusCode::FORBIDDEN.into_response();
    }
    // Calls of a company that is off the line go on, and their streams may leave and come back.
    if app.companies().company(&company).is_none() && !app.tokens().has_calls_of(&company) {
        return StatusCode::NOT_FOUND.into_response();
    }
    match upgrade {
        Ok(upgrade) => {
            let open = app.tasks().token();
            call::tune(upgrade).on_upgrade(move |socket| async move {
                attend(app, socket, &company, &language).await;
                drop(open);
            })
        }
        Err(rejection) => rejection.into_response(),
    }
}

/// Waits for the stream to say what it is, checks it, and lets the call begin.
async fn attend(app: App, mut socket: WebSocket, company: &str, language: &str) {
    let start = match timeout(app.config().start_limit, beginning(&mut socket)).await {
        Ok(Ok(start)) => start,
        Ok(Err(unfit)) => {
            warn!(target: "security", %unfit, "a stream was refused");
            app.metrics().stream_refused(StreamRefusal::Unfit);
            return refuse(socket, unfit.close_code()).await;
        }
        Err(_) => {
            warn!("a stream was opened and did not begin");
            app.metrics().stream_refused(StreamRefusal::Silent);
            return refuse(socket, POLICY).await;
        }
    };
    let token = start.custom_parameters.get(TOKEN).map(String::as_str).unwrap_or_default();
    let claim = Claim { call: &start.call_sid, account: &start.account_sid, company, language };
    let is_audible = start.media_format == MediaFormat::telephone();
    let admitted = app.tokens().redeem(token, &claim, Instant::now());
    match admitted {
        Err(error) => {
            warn!(target: "security", %error, "a stream was refused");
            app.metrics().stream_refused(StreamRefusal::Token);
            refuse(socket, POLICY).await;
        }
        Ok(Admitted::Begins(grant)) if is_audible => {
            info!(call = %grant.call, "a stream begins");
            // In a task of its own: this one is the connection's, is several times larger, and would
            // wait for the end of the call.
            let call = conduct::conduct(app.clone(), socket, grant, start.stream_sid);
            app.tasks().spawn(call);
        }
        Ok(Admitted::Joins(grant, line)) if is_audible => {
            join(socket, start.stream_sid, &grant, &line).await;
        }
        Ok(Admitted::Begins(grant)) => {
            app.call_is_over(&grant.call, Ending::Unplanned);
            refuse_format(&app, socket, &grant).await;
        }
        // The call has a limit for how long it waits.
        Ok(Admitted::Joins(grant, _)) => refuse_format(&app, socket, &grant).await,
    }
}

/// Hands the socket of a stream that comes back to its call. It is the call's from then on.
async fn join(socket: WebSocket, stream_sid: String, grant: &Grant, line: &Line) {
    info!(call = %grant.call, "a stream comes back");
    let news = News::Joined { socket: Box::new(socket), stream_sid };
    if let Err(refused) = line.try_send(news)
        && let News::Joined { socket, .. } = refused.into_inner()
    {
        warn!(call = %grant.call, "a stream came back too late: its call is over");
        refuse(*socket, POLICY).await;
    }
}

async fn refuse_format(app: &App, socket: WebSocket, grant: &Grant) {
    error!(call = %grant.call, "a stream was refused: its audio is in another format");
    app.metrics().stream_refused(StreamRefusal::Format);
    refuse(socket, UNSUPPORTED).await;
}

/// Why a stream did not begin as streams do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Unfit {
    #[error("the socket was closed before the stream began")]
    Gone,
    #[error("it began without a greeting")]
    Unannounced,
    #[error("it sent too much before it began")]
    Chatter,
    #[error("it sent what is no message, or one that is too long")]
    Broken(u16),
}

impl Unfit {
    const fn close_code(self) -> u16 {
        match self {
            Self::Gone | Self::Unannounced | Self::Chatter => POLICY,
            Self::Broken(code) => code,
        }
    }
}

/// Reads up to `start`, which comes after `connected`. What else comes is left out, up to a limit.
async fn beginning(socket: &mut WebSocket) -> Result<Start, Unfit> {
    let mut scratch = Vec::new();
    let mut is_connected = false;
    let (mut early, mut useless) = (0, 0);
    while early <= EARLY_MAX && useless < USELESS_MAX {
        let text = match socket.recv().await {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Binary(_))) => {
                useless += 1;
                continue;
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
                early += 1;
                continue;
            }
            Some(Err(error)) => {
                return Err(call::fault_code(&error).map_or(Unfit::Gone, Unfit::Broken));
            }
            Some(Ok(Message::Close(_))) | None => return Err(Unfit::Gone),
        };
        match decode_from_twilio(&text, &mut scratch).map(|envelope| envelope.message) {
            Ok(FromTwilio::Connected { .. }) => is_connected = true,
            Ok(FromTwilio::Start(start)) if is_connected => return Ok(start),
            Ok(FromTwilio::Start(_)) => return Err(Unfit::Unannounced),
            Ok(FromTwilio::Stop { .. }) => return Err(Unfit::Gone),
            Ok(_) => early += 1,
            Err(_) => useless += 1,
        }
    }
    Err(Unfit::Chatter)
}

/// Closes a socket with a code and no reason, and waits for the other side to have read it.
async fn refuse(mut socket: WebSocket, code: u16) {
    let is_unreadable = ![POLICY, UNSUPPORTED].contains(&code);
    let close = Message::Close(Some(CloseFrame { code, reason: Utf8Bytes::default() }));
    let farewell = async {
        if socket.send(close).await.is_ok() {
            while let Some(Ok(_)) = socket.recv().await {}
            if is_unreadable {
                // Nobody can see whether it was read, and a socket that is dropped while something
                // still comes in is reset.
                std::future::pending::<()>().await;
            }
        }
    };
    // A side that does not answer in time is cut off.
    let _ = timeout(CLOSE_LIMIT, farewell).await;
}

/// Close code: it is not allowed.
const POLICY: u16 = 1008;

/// Close code: it is of a kind that we do not take.
const UNSUPPORTED: u16 = 1003;

/// The most messages before `start` that make sense, and that make none.
const EARLY_MAX: u32 = 250;
const USELESS_MAX: u32 = 10;

const CLOSE_LIMIT: Duration = Duration::from_secs(2);
