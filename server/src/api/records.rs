//! The calls on record: which there were, and what remains of one.

use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use call_transports::journal;
use call_transports::twilio::Sid;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::timeout;
use tracing::error;

use super::operators::{Operator, Scope};
use super::problem::Problem;
use crate::app::App;
use crate::command::calls::record::{More, object, object_with};
use crate::store::{self, CallRecord, Filter, PAGE_MAX, Page, Status};

/// A page of the calls that were asked for, the newest first.
pub(super) async fn list(
    State(app): State<App>,
    Extension(operator): Extension<Operator>,
    query: Result<Query<Vec<(String, String)>>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(query) = query.map_err(|_| Problem::QUERY)?;
    let mut filter = read(&query)?;
    let page = match (&operator.scope, &filter.company) {
        (Scope::Company(own), Some(asked)) if own != asked => Page { calls: vec![], next: None },
        (Scope::Company(own), _) => {
            filter.company = Some(own.clone());
            ask(app.store().calls(&filter)).await?
        }
        (Scope::Every, _) => ask(app.store().calls(&filter)).await?,
    };
    let calls: Vec<_> = page.calls.iter().map(object).collect();
    let next = page.next.map(|next| next.to_string());
    Ok(Json(json!({ "calls": calls, "next": next })))
}

/// The record of a call.
pub(super) async fn show(
    State(app): State<App>,
    Extension(operator): Extension<Operator>,
    Path(sid): Path<String>,
) -> Result<Json<Value>, Problem> {
    let call = find(&app, &operator, &sid).await?;
    let summary = ask(app.store().summary_of(operator.scope.of_store(), &call.sid)).await?;
    let recordings = app.store().recordings_of(operator.scope.of_store(), &call.sid);
    let recordings = ask(recordings).await?;
    let text = ask(app.store().summary_text_of(operator.scope.of_store(), &call.sid)).await?;
    let more = More { summary, text, recordings };
    Ok(Json(object_with(&call, &more)))
}

/// The story of a call: as text, or for whoever accepts JSON, line by line in an object.
pub(super) async fn story(
    State(app): State<App>,
    Extension(operator): Extension<Operator>,
    Path(sid): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let call = find(&app, &operator, &sid).await?;
    let story = ask(app.store().story_of(operator.scope.of_store(), &call.sid)).await?;
    let story = story.ok_or(Problem::NO_JOURNAL)?;
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accepts.is_some_and(|accepts| accepts.contains("application/json")) {
        let lines: Vec<_> = story.lines().collect();
        return Ok(Json(json!({ "call": call.sid, "story": lines })).into_response());
    }
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], story).into_response())
}

/// The journal of a call, as `sim replay` reads it.
pub(super) async fn journal(
    State(app): State<App>,
    Extension(operator): Extension<Operator>,
    Path(sid): Path<String>,
) -> Result<Response, Problem> {
    let call = find(&app, &operator, &sid).await?;
    let kept = ask(app.store().stored_journal_of(operator.scope.of_store(), &call.sid)).await?;
    let kept = kept.ok_or(Problem::NO_JOURNAL)?;
    let mut lines = Vec::new();
    let steps = kept.steps.iter().map(String::as_str);
    journal::write_lines(kept.version, steps, &mut lines).map_err(|_| Problem::DATABASE)?;
    Ok(([(header::CONTENT_TYPE, "application/jsonl")], lines).into_response())
}

/// A call on record that this operator may see.
pub(super) async fn find(app: &App, operator: &Operator, sid: &str) -> Result<CallRecord, Problem> {
    let sid = Sid::parse(sid).ok_or(Problem::NO_RECORD)?;
    let call = ask(app.store().call_of(operator.scope.of_store(), sid.as_str())).await?;
    call.ok_or(Problem::NO_RECORD)
}

/// Asks the store, and not for long. What it holds is not told in its errors.
pub(super) async fn ask<T>(
    asked: impl Future<Output = Result<T, store::Error>>,
) -> Result<T, Problem> {
    match timeout(PATIENCE, asked).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(store::Error::Unbounded)) => {
            let must =
                "`since` must be there where `said` is: the search reads every call from then on.";
            Err(Problem::field("since", must))
        }
        Ok(Err(error)) => {
            error!(%error, "the store cannot tell an operator what was asked");
            Err(Problem::DATABASE)
        }
        Err(_) => {
            error!("the store is too slow to tell an operator what was asked");
            Err(Problem::DATABASE)
        }
    }
}

fn read(query: &[(String, String)]) -> Result<Filter, Problem> {
    let mut filter = Filter { count: COUNT, ..Filter::default() };
    let mut seen: Vec<&str> = Vec::new();
    for (name, value) in query {
        // No database takes a text with a zero in it.
        if seen.contains(&name.as_str()) || value.contains('\0') {
            return Err(Problem::QUERY);
        }
        seen.push(name);
        match name.as_str() {
            "company" => filter.company = Some(value.clone()),
            "reason" => filter.reason = Some(value.clone()),
            "said" => filter.said = Some(value.clone()),
            "since" => filter.since_us = Some(time("since", value)?),
            "until" => filter.until_us = Some(time("until", value)?),
            "status" => {
                let status =
                    [Status::Live, Status::Ended].into_iter().find(|one| one.word() == value);
                let must = "`status` must be live or ended.";
                filter.status = Some(status.ok_or_else(|| Problem::field("status", must))?);
            }
            "after" => {
                let must = "`after` must be the `next` of another page.";
                filter.after = Some(value.parse().map_err(|_| Problem::field("after", must))?);
            }
            "count" => {
                let count = value.parse().ok().filter(|count| (1..=PAGE_MAX).contains(count));
                let must = || format!("`count` must be a whole number from 1 to {PAGE_MAX}.");
                filter.count = count.ok_or_else(|| Problem::field("count", must()))?;
            }
            _ => return Err(Problem::unknown_field(&FIELDS)),
        }
    }
    Ok(filter)
}

/// A time of the query, in microseconds since 1970-01-01 UTC.
fn time(field: &'static str, value: &str) -> Result<i64, Problem> {
    let time: Result<Timestamp, _> = value.parse();
    let must = || format!("`{field}` must be a time such as 2026-03-01T15:00:00Z (RFC 3339).");
    time.map(Timestamp::as_microsecond).map_err(|_| Problem::field(field, must()))
}

const FIELDS: [&str; 8] =
    ["company", "since", "until", "status", "reason", "said", "after", "count"];

/// How many calls a page holds where nobody says it.
const COUNT: u32 = 50;

/// How long the store may take.
const PATIENCE: Duration = Duration::from_secs(5);
