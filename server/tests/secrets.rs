//! What is secret or personal has a type, and no such type prints or serialises what it holds.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, in its helpers too")]

mod support;

use std::fmt::{Debug, Display};
use std::path::Path;

use call_transports::deepgram::{
    AgentProfile, ClientMessage, FunctionCall, HistoryEntry, Role, ServerMessage, Spoken,
};
use call_transports::middleware::LoanLookup;
use call_transports::twilio::webhook::PhoneNumber;
use secrecy::{SecretSlice, SecretString};
use serde::Serialize;
use server::call::Setup;
use server::config::{Config, Flags};
use server::tokens::{Grant, Token};

/// Does not compile if the type has the trait.
macro_rules! never {
    ($($type:ty: $trait:path),* $(,)?) => {$(
        const _: fn() = || {
            trait Once<Which> {
                fn found() {}
            }
            impl<T: ?Sized> Once<()> for T {}
            struct Has;
            impl<T: ?Sized + $trait> Once<Has> for T {}
            // With the trait there are two of this name, and the compiler asks which.
            let _ = <$type as Once<_>>::found;
        };
    )*};
}

// I-28: what can be written to a log, a record or an answer by a derive somewhere else.
never! {
    SecretString: Serialize,
    SecretString: Display,
    SecretSlice<u8>: Serialize,
    Config: Serialize,
    Flags: Serialize,
    Setup: Serialize,
    Token: Serialize,
    Token: Display,
    Grant: Serialize,
    PhoneNumber: Serialize,
    Spoken: Display,
    LoanLookup: Display,
    AgentProfile: Serialize,
    call_transports::net::AgentConnector: Serialize,
    call_transports::net::Speaker: Serialize,
    call_transports::net::Middleware: Serialize,
    call_transports::net::TwilioRest: Serialize,
}

const PLANTED: &str = "c4n4ry";

/// I-28, I-26.
#[test]
fn no_type_that_holds_a_secret_prints_it_i_28() {
    let spoken = || Spoken::from(PLANTED);
    let listen = "127.0.0.1:1".parse().unwrap();
    let mut config = support::config(listen, listen, Path::new("calls.db"));
    config.database_url = format!("postgres://offhook:{PLANTED}@localhost/calls").into();
    config.twilio.auth_tokens = vec![PLANTED.into()];
    config.deepgram.api_key = PLANTED.into();
    config.middleware.api_key = PLANTED.into();
    config.fingerprint_key = PLANTED.as_bytes().to_vec().into();
    let flags = Flags {
        database_url: Some(PLANTED.into()),
        twilio_auth_token: Some(PLANTED.into()),
        deepgram_api_key: Some(PLANTED.into()),
        middleware_api_key: Some(PLANTED.into()),
        fingerprint_key: Some(PLANTED.into()),
        ..Flags::default()
    };
    let lookup = LoanLookup {
        loan_number: PLANTED.to_owned(),
        date_of_birth: PLANTED.to_owned(),
        zip: PLANTED.to_owned(),
    };
    let call = FunctionCall {
        id: "f1".to_owned(),
        name: "lookup_loan".to_owned(),
        arguments: spoken(),
        client_side: true,
        thought_signature: None,
    };
    let words = ServerMessage::ConversationText {
        role: Role::User,
        content: spoken(),
        conversational_behavior: None,
        languages_hinted: Vec::new(),
        languages: Vec::new(),
    };
    let context = vec![HistoryEntry::Said { role: Role::User, content: spoken() }];
    let profile = AgentProfile { prompt: PLANTED.to_owned(), context, ..AgentProfile::example() };
    let answer = ClientMessage::FunctionCallResponse {
        id: "f1".to_owned(),
        name: "lookup_loan".to_owned(),
        content: spoken(),
    };
    let number = PhoneNumber::new(format!("client:{PLANTED}"));
    assert!(!number.to_string().contains(PLANTED), "{number}");
    let all: [&dyn Debug; 11] = [
        &config,
        &config.fingerprint_key,
        &flags,
        &lookup,
        &call,
        &words,
        &profile,
        &answer,
        &number,
        &spoken(),
        &SecretString::from(PLANTED),
    ];
    let bytes = format!("{:?}", PLANTED.as_bytes());
    let bytes = bytes.trim_matches(['[', ']']);
    for one in all {
        for printed in [format!("{one:?}"), format!("{one:#?}").replace(['\n', ' '], "")] {
            assert!(!printed.contains(PLANTED), "{printed}");
            assert!(!printed.contains(bytes), "as numbers: {printed}");
            assert!(!printed.contains(&bytes.replace(' ', "")), "as numbers: {printed}");
        }
    }
}
