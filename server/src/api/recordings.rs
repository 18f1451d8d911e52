//! The recordings of a call: which there are, and their sound.

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use call_transports::net::{self, Sound};
use call_transports::twilio::recording::SoundFormat;
use futures::stream;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::timeout_at;
use tracing::{info, warn};

use super::operators::Operator;
use super::problem::Problem;
use super::records::{ask, find};
use crate::app::App;
use crate::command::calls::record::recording_objects;
use crate::command::time;
use crate::hearing::{Hearing, Unheard};

/// What is known of the recordings of a call.
pub(super) async fn list(
    State(app): State<App>,
    Extension(operator): Extension<Operator>,
    Path(sid): Path<String>,
) -> Result<Json<Value>, Problem> {
    let call = find(&app, &operator, &sid).await?;
    let recordings = app.store().recordings_of(operator.scope.of_store(), &call.sid);
    let recordings = ask(recordings).await?;
    Ok(Json(json!({ "call": call.sid, "recordings": recording_objects(&recordings) })))
}

/// The sound of a recording, for those who may hear it.
pub(super) async fn media(
    State(app): State<App>,
    Extension(operator): Extension<Operator>,
    Path((sid, recording)): Path<(String, String)>,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Response, Problem> {
    if !operator.may_hear() {
        return Err(Problem::HEARING);
    }
    let Query(query) = query.map_err(|_| Problem::QUERY)?;
    let format = format(&query)?;
    let call = find(&app, &operator, &sid).await?;
    let recordings = app.store().recordings_of(operator.scope.of_store(), &call.sid);
    let recordings = ask(recordings).await?;
    let hearing =
        Hearing { call: &call, recording: &recording, format, by: &operator.name, way: "api" };
    let audit = app.audit();
    if !audit.is_well() {
        // The carrier is not asked for what nobody may hear.
        return Err(refused(&Unheard::Unrecorded));
    }
    let tell = async |entry| audit.put_on_record(entry).await;
    let begun = hearing.begin(&recordings, &app.services().carrier, tell).await;
    app.metrics().operator_acted("hear");
    let (operator, call, done) = (&operator.name, &call.sid, begun.is_ok());
    info!(target: "operators", operator, what = "hear", call, done, "an operator hears a recording");
    let sound = begun.map_err(|why| refused(&why))?;
    let mut response = (
        [
            (header::CONTENT_TYPE, HeaderValue::from_static(format.media_type())),
            // It is nobody's to keep who only passes it on.
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ],
        (),
    )
        .into_response();
    if let Some(bytes) = sound.bytes() {
        response.headers_mut().insert(header::CONTENT_LENGTH, bytes.into());
    }
    *response.body_mut() = body(sound);
    Ok(response)
}

fn format(query: &[(String, String)]) -> Result<SoundFormat, Problem> {
    match query {
        [] => Ok(SoundFormat::default()),
        [(name, word)] if name == "format" => {
            let known = SoundFormat::ALL.into_iter().find(|format| format.word() == word);
            known.ok_or_else(|| Problem::field("format", "`format` must be wav or mp3."))
        }
        [(name, _), (other, _), ..] if name == other => Err(Problem::QUERY),
        _ => Err(Problem::unknown_field(&["format"])),
    }
}

fn refused(why: &Unheard) -> Problem {
    match why {
        Unheard::NoRecording => Problem::NO_RECORDING,
        Unheard::Deleted { at_us } => Problem::deleted(&time(*at_us)),
        Unheard::Making => Problem::MAKING,
        Unheard::Soundless => Problem::NO_SOUND,
        Unheard::Gone => Problem::GONE,
        Unheard::Unrecorded => Problem::AUDIT,
        Unheard::Busy => Problem::LISTENERS,
        Unheard::Elsewhere | Unheard::Provider(_) => {
            warn!(%why, "the sound of a recording cannot be fetched");
            Problem::CARRIER
        }
    }
}

/// A task of its own hands the sound on, so that a listener who takes nothing holds no turn for ever.
fn body(mut sound: Sound) -> Body {
    let (pieces, handed) = mpsc::channel::<Result<Option<Bytes>, net::Error>>(PIECES);
    tokio::spawn(async move {
        loop {
            let piece = sound.piece().await;
            if let Err(error) = &piece {
                warn!(%error, "the sound of a recording breaks off");
            }
            let is_last = !matches!(piece, Ok(Some(_)));
            let is_taken = timeout_at(sound.until(), pieces.send(piece)).await;
            if is_last || !matches!(is_taken, Ok(Ok(()))) {
                return;
            }
        }
    });
    Body::from_stream(stream::unfold(handed, async |mut handed| {
        match handed.recv().await {
            Some(Ok(Some(piece))) => Some((Ok(piece), handed)),
            Some(Ok(None)) => None,
            Some(Err(error)) => Some((Err(error.to_string()), handed)),
            // Whoever takes the half for the whole must not believe that it ended in order.
            None => Some((Err("the listener was too slow".to_owned()), handed)),
        }
    }))
}

/// So many pieces may wait for a listener.
const PIECES: usize = 4;
