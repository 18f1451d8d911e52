//! The sound of recordings: what the call sounded like, as Twilio hands it out.

use std::convert::Infallible;
use std::iter::repeat;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use call_transports::twilio::Sid;
use futures::stream;
use sim::heard::Tape;

use super::rest::{refusal, refused};
use super::{Account, RecordingMisdeed};

/// What is kept of a recording until somebody has it deleted.
#[derive(Debug)]
pub(super) struct Kept {
    /// What was said: the caller on one side, whoever spoke to the caller on the other.
    pub(super) tape: Tape,
    /// How long the recording is, by its callback.
    pub(super) seconds: u64,
}

/// Hands out the sound of a recording: `.wav`, `.mp3`, and without either a WAV file.
pub(super) async fn give(
    State(account): State<Arc<Account>>,
    Path((sid, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = refused(&account, &sid, &headers) {
        return refusal;
    }
    let missing = || refusal(404, 20404, "The recording was not found");
    match account.misdeed() {
        Some(RecordingMisdeed::SentElsewhere) => {
            let elsewhere = "http://169.254.169.254/latest/meta-data/";
            return (StatusCode::FOUND, [(header::LOCATION, elsewhere)]).into_response();
        }
        Some(RecordingMisdeed::Endless) => {
            let piece = Bytes::from_static(&[0; 4_096]);
            let pieces = stream::iter(repeat(Ok::<_, Infallible>(piece)));
            return ([(header::CONTENT_TYPE, WAV)], Body::from_stream(pieces)).into_response();
        }
        Some(RecordingMisdeed::Missing) => return missing(),
        Some(RecordingMisdeed::WrongKind) => {
            return ([(header::CONTENT_TYPE, "text/html")], "<html></html>").into_response();
        }
        _ => {}
    }
    let (recording, format) = name.split_once('.').unwrap_or((&name, "wav"));
    let sounds = account.sounds();
    let Some(kept) = sounds.get(recording) else { return missing() };
    match format {
        "wav" => ([(header::CONTENT_TYPE, WAV)], wav(kept)).into_response(),
        "mp3" => ([(header::CONTENT_TYPE, "audio/mpeg")], mp3(kept.seconds)).into_response(),
        _ => missing(),
    }
}

/// Deletes a recording. Whatever has a recording's name counts as one.
pub(super) async fn delete(
    State(account): State<Arc<Account>>,
    Path((sid, recording)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = refused(&account, &sid, &headers) {
        return refusal;
    }
    let recording = recording.strip_suffix(".json").and_then(Sid::parse);
    match recording.filter(|recording| recording.kind() == "RE") {
        Some(recording) => {
            account.sounds().remove(recording.as_str());
            StatusCode::NO_CONTENT.into_response()
        }
        None => refusal(404, 20404, "The recording was not found"),
    }
}

/// A WAV file of two channels, 8,000 samples a second, 16 bits; as long as the recording.
fn wav(kept: &Kept) -> Vec<u8> {
    let moments = usize::try_from(kept.seconds).unwrap_or_default() * 8_000;
    let sound: Vec<u8> = (kept.tape.samples().chain(repeat((0, 0))).take(moments))
        .flat_map(|(caller, played)| [caller.to_le_bytes(), played.to_le_bytes()])
        .flatten()
        .collect();
    let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes();
    let (pcm, channels, bytes, bits) = (1_u16, 2_u16, 4_u16, 16_u16);
    [
        &b"RIFF"[..],
        &length(36 + sound.len()),
        b"WAVEfmt ",
        &length(16),
        &pcm.to_le_bytes(),
        &channels.to_le_bytes(),
        &length(8_000),
        &length(32_000),
        &bytes.to_le_bytes(),
        &bits.to_le_bytes(),
        b"data",
        &length(sound.len()),
        &sound,
    ]
    .concat()
}

/// Silence of this length: nobody here makes MP3 of sound. Frames of MPEG 2.5, layer III, 8 kbit/s, 8,000
/// samples a second, of 576 samples each, in which nothing but the header is set.
fn mp3(seconds: u64) -> Vec<u8> {
    let mut frame = [0; 72];
    frame[..4].copy_from_slice(&[0xFF, 0xE3, 0x18, 0xC4]);
    let frames = usize::try_from(seconds).unwrap_or_default() * 8_000 / 576;
    frame.repeat(frames)
}

/// As Twilio names it.
const WAV: &str = "audio/x-wav";
