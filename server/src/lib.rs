//! The production server: webhooks, media socket, store, functions, operations.
//!
//! A call comes in as a webhook ([`http`]), gets a token for one media stream ([`tokens`]), opens
//! that stream ([`media`]), and is played in a task of its own ([`call`]). What remains of it is a
//! record and a journal ([`store`]), and what was counted on the way ([`metrics`]). Those who look
//! after the server see its calls and act on them by [`api`]. [`app`] holds all of it together and lets
//! it end in order.
//!
//! ```no_run
//! use server::app;
//! use server::config::{Config, Flags};
//!
//! # async fn example(flags: Flags) -> anyhow::Result<()> {
//! let config = Config::read(&flags)?;
//! let listener = tokio::net::TcpListener::bind(config.listen).await?;
//! let app = app::open(config, &listener).await?;
//! app::serve(app, listener, app::shutdown_signal()).await
//! # }
//! ```

pub mod api;
pub mod app;
pub mod audit;
pub mod call;
pub mod check;
pub mod clips;
pub mod command;
pub mod company;
pub mod config;
#[cfg(feature = "demo")]
pub mod demo;
pub mod hearing;
pub mod http;
pub mod media;
pub mod metrics;
mod orphans;
pub mod outbox;
mod owned;
pub mod retention;
pub mod sealed;
pub mod spool;
pub mod store;
pub mod telemetry;
pub mod times;
pub mod tokens;
mod unrecorded;
mod untold;

const _: () = assert!(
    !call_core::CAN_BE_SABOTAGED,
    "deliberate defects are for simulated calls: the server is not built with the feature `sabotage`"
);
