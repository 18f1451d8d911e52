//! The functions that an agent can call: how they are described to the model, what their
//! arguments must be, and how the middleware's answers become results.
//!
//! Arguments are written by a model out of what a caller said. They are checked here, before
//! anything acts on them, and masked here, before anything keeps them.

use call_core::effect::{Answer, Function};
use call_core::input::{FunctionAsk, FunctionEnded, FunctionOutcome};
use call_core::redact::mask_json;
use call_core::step::IdentityCheck;
use hmac::{Hmac, Mac};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::deepgram::{FunctionCall, FunctionDefinition, Spoken};
use crate::middleware::{Loan, LoanAnswer, LoanLookup};
use crate::twilio::twiml::{TONES_MAX, Tones};

/// The most bytes of arguments that are looked at (F-DG-19).
const ARGUMENTS_BYTES_MAX: usize = 8 * 1024;

/// How a function is described to the model.
pub fn definition(function: Function) -> FunctionDefinition {
    let (description, parameters, defer_until_eot) = match function {
        Function::LookupLoan => (
            "Finds the caller's loan and checks that the caller is its borrower. Ask for all three \
             first. The result says whether the caller is verified; only then it holds the loan.",
            json!({
                "type": "object",
                "properties": {
                    "loan_number": { "type": "string", "description": "4 to 12 digits" },
                    "date_of_birth": { "type": "string", "description": "YYYY-MM-DD" },
                    "zip": { "type": "string", "description": "5 digits" },
                },
                "required": ["loan_number", "date_of_birth", "zip"],
            }),
            false,
        ),
        Function::MakePayment => (
            "Takes one payment from the caller's account, as the caller has agreed to it.",
            json!({
                "type": "object",
                "properties": {
                    "loan_number": { "type": "string", "description": "4 to 12 digits" },
                    "amount_cents": { "type": "integer", "description": "cents, more than 0" },
                },
                "required": ["loan_number", "amount_cents"],
            }),
            true,
        ),
        Function::TransferCall => (
            "Hands the call over to a person. The caller is told: say nothing more yourself.",
            json!({
                "type": "object",
                "properties": {
                    "target": { "type": "string", "description": "whom; leave out for the usual" },
                },
            }),
            true,
        ),
        Function::PlayDtmf => (
            "Presses telephone keys for you, for a menu or a machine on the other side. You hear \
             nothing for some seconds meanwhile, and nobody hears you: say nothing until the \
             answer comes. Ask for nothing else at the same time.",
            json!({
                "type": "object",
                "properties": {
                    "digits": {
                        "type": "string",
                        "description": "0 to 9, * and #; w waits half a second; 32 signs at most",
                    },
                },
                "required": ["digits"],
            }),
            true,
        ),
        Function::HangupCall => (
            "Ends the call. The goodbye is spoken for you: say nothing more yourself.",
            json!({ "type": "object", "properties": {} }),
            true,
        ),
    };
    FunctionDefinition {
        name: function.name().to_owned(),
        description: description.to_owned(),
        parameters,
        defer_until_eot,
        endpoint: None,
    }
}

/// Turns a request of the agent into what the machine may see: masked, fingerprinted, checked.
pub fn ask(call: &FunctionCall, fingerprint_key: &[u8]) -> FunctionAsk {
    let arguments = call.arguments.reveal();
    let fault = match Function::from_name(&call.name) {
        Some(function) => fault(function, arguments),
        None => None,
    };
    FunctionAsk {
        id: call.id.clone(),
        name: mask_name(&call.name),
        arguments: match Function::from_name(&call.name) {
            Some(Function::PlayDtmf) => tones_shown(arguments),
            _ => shown(&call.arguments),
        },
        fingerprint: fingerprint(&call.name, arguments, fingerprint_key),
        target: transfer_target(&call.name, arguments),
        tones: match Function::from_name(&call.name) {
            Some(Function::PlayDtmf) => tones(arguments).ok().map(|tones| tones.keys()),
            _ => None,
        },
        fault,
    }
}

/// Whether arguments are longer than those of any function, and are not looked at.
pub(crate) fn is_too_long(arguments: &Spoken) -> bool {
    arguments.reveal().len() > ARGUMENTS_BYTES_MAX
}

/// Arguments as they may stand on record: masked.
pub(crate) fn shown(arguments: &Spoken) -> String {
    let is_too_long = is_too_long(arguments);
    let arguments = arguments.reveal();
    if is_too_long {
        "\"[too long]\"".to_owned()
    } else if arguments.trim().is_empty() {
        "{}".to_owned()
    } else {
        mask_json(arguments)
    }
}

/// How many tones are asked for, in place of the arguments: even a single digit of an account is
/// kept from whoever reads journals, which the usual masks would let through.
fn tones_shown(arguments: &str) -> String {
    match tones(arguments) {
        Ok(tones) if tones.keys() == 1 => json!({ "digits": "[1 tone]" }).to_string(),
        Ok(tones) => json!({ "digits": format!("[{} tones]", tones.keys()) }).to_string(),
        Err(_) => "\"[no tones]\"".to_owned(),
    }
}

/// The tones that a request's arguments ask for.
///
/// # Errors
///
/// What is wrong with them: a field's name and what it must be, never its value.
pub fn tones(arguments: &str) -> Result<Tones, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        digits: String,
    }

    if arguments.len() > ARGUMENTS_BYTES_MAX {
        return Err("the arguments are too long".to_owned());
    }
    let Wanted { digits } = read(arguments)?;
    Tones::parse(&digits)
        .ok_or_else(|| format!("digits must be 1 to {TONES_MAX} of 0-9, *, # and w"))
}

/// Whom a transfer shall go to, where the arguments say so. A name, never a number: what is not on
/// the company's list is refused by the machine.
fn transfer_target(name: &str, arguments: &str) -> Option<String> {
    if Function::from_name(name) != Some(Function::TransferCall) {
        return None;
    }
    let value: Value = serde_json::from_str(arguments).ok()?;
    value.get("target")?.as_str().map(mask_name)
}

/// The lookup that a request's arguments ask for.
///
/// # Errors
///
/// What is wrong with them: a field's name and what it must be, never its value.
pub fn loan_lookup(arguments: &str) -> Result<LoanLookup, String> {
    let lookup: LoanLookup = read(arguments)?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !(4..=12).contains(&lookup.loan_number.len()) || !digits(&lookup.loan_number) {
        return Err("loan_number must be 4 to 12 digits".to_owned());
    }
    if lookup.zip.len() != 5 || !digits(&lookup.zip) {
        return Err("zip must be 5 digits".to_owned());
    }
    if !is_date(&lookup.date_of_birth) {
        return Err("date_of_birth must be a date in the form YYYY-MM-DD".to_owned());
    }
    Ok(lookup)
}

/// A payment as the model asks for it. Identity, terms and consent are not its business.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payment {
    /// The loan's number, digits only.
    pub loan_number: String,
    /// The amount in cents.
    pub amount_cents: i64,
}

/// The payment that a request's arguments ask for.
///
/// # Errors
///
/// What is wrong with them: a field's name and what it must be, never its value.
pub fn payment(arguments: &str) -> Result<Payment, String> {
    let payment: Payment = read(arguments)?;
    if payment.amount_cents <= 0 {
        return Err("amount_cents must be more than 0".to_owned());
    }
    if !(4..=12).contains(&payment.loan_number.len()) {
        return Err("loan_number must be 4 to 12 digits".to_owned());
    }
    Ok(payment)
}

/// A function's end: what the machine is told, and what the model is told.
#[derive(Debug)]
pub struct Ended {
    /// For the machine.
    pub input: FunctionEnded,
    /// For the model, as JSON text. May hold protected facts.
    pub content: String,
}

/// How a lookup ended. `answer` is nothing when the middleware gave no usable answer.
///
/// A caller who is not the borrower and a loan that does not exist are told apart by nobody: the
/// model gets the same words for both (F-HU-03, C-05).
pub fn lookup_ended(id: &str, answer: Option<LoanAnswer>) -> Ended {
    let Some(answer) = answer else {
        return failed(id, "unavailable", Vec::new(), "The loan system does not answer just now.");
    };
    let identity = vec![
        IdentityCheck { factor: "date_of_birth".to_owned(), ok: answer.date_of_birth_matches },
        IdentityCheck { factor: "zip".to_owned(), ok: answer.zip_matches },
    ];
    let verified = answer.date_of_birth_matches && answer.zip_matches;
    match answer.loan {
        Some(loan) if verified => Ended {
            input: FunctionEnded {
                id: id.to_owned(),
                outcome: FunctionOutcome::Done,
                identity,
                disclosed: Loan::FIELDS.map(str::to_owned).to_vec(),
            },
            content: json!({ "verified": true, "loan": loan }).to_string(),
        },
        _ => failed(id, "not-verified", identity, "These details do not match our records."),
    }
}

/// A write that ended: done, or refused for a reason in a word.
pub fn write_ended(id: &str, outcome: Result<&str, &str>) -> Ended {
    let (result, content) = match outcome {
        Ok(confirmation) => (
            FunctionOutcome::Done,
            json!({ "status": "done", "confirmation": confirmation }).to_string(),
        ),
        Err(why) => (
            FunctionOutcome::Failed(why.to_owned()),
            json!({ "status": "refused", "reason": why }).to_string(),
        ),
    };
    Ended {
        input: FunctionEnded {
            id: id.to_owned(),
            outcome: result,
            identity: Vec::new(),
            disclosed: Vec::new(),
        },
        content,
    }
}

/// What the model is told where the shell keeps no result for a request.
pub fn answer_content(answer: &Answer) -> String {
    let (status, why) = match answer {
        Answer::Done => return json!({ "status": "done" }).to_string(),
        Answer::Result { .. } => ("failed", "no result"),
        Answer::Unknown => {
            ("unknown", "it may or may not have happened; say so, and do not try again")
        }
        Answer::NotDone => ("failed", "it could not be done; say so"),
        Answer::TimedOut => ("failed", "took too long; say so and offer to try again"),
        Answer::Refused(why) => ("refused", why.word()),
    };
    json!({ "status": status, "reason": why }).to_string()
}

fn failed(id: &str, why: &str, identity: Vec<IdentityCheck>, words: &str) -> Ended {
    Ended {
        input: FunctionEnded {
            id: id.to_owned(),
            outcome: FunctionOutcome::Failed(why.to_owned()),
            identity,
            disclosed: Vec::new(),
        },
        content: json!({ "verified": false, "reason": words }).to_string(),
    }
}

fn fault(function: Function, arguments: &str) -> Option<String> {
    if arguments.len() > ARGUMENTS_BYTES_MAX {
        return Some("the arguments are too long".to_owned());
    }
    match function {
        Function::LookupLoan => loan_lookup(arguments).err(),
        Function::MakePayment => payment(arguments).err(),
        Function::PlayDtmf => tones(arguments).err(),
        // Models add reasons and the like to a function without parameters; nothing reads them.
        Function::TransferCall | Function::HangupCall => None,
    }
}

fn read<'a, T: Deserialize<'a>>(arguments: &'a str) -> Result<T, String> {
    // The parser's message may quote what it read, and that is personal data.
    serde_json::from_str(arguments)
        .map_err(|_| "the arguments do not have the fields that the function describes".to_owned())
}

/// A name that a model made up may hold anything.
fn mask_name(name: &str) -> String {
    call_core::redact::mask_text(&name.chars().take(64).collect::<String>())
}

fn is_date(text: &str) -> bool {
    let mut parts = text.split('-');
    let mut number = |length: usize| -> Option<u32> {
        let part = parts.next()?;
        (part.len() == length && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse().ok())
            .flatten()
    };
    let (Some(year), Some(month), Some(day)) = (number(4), number(2), number(2)) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    parts.next().is_none() && (1..=days).contains(&day)
}

/// Equal arguments give equal fingerprints, whatever their order and spacing.
fn fingerprint(name: &str, arguments: &str, key: &[u8]) -> String {
    let canonical = serde_json::from_str::<Value>(arguments)
        .map_or_else(|_| arguments.to_owned(), |value| value.to_string());
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(name.as_bytes());
    mac.update(&[0]);
    mac.update(canonical.as_bytes());
    let digest = mac.finalize().into_bytes();
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(arguments: &str) -> FunctionCall {
        FunctionCall {
            id: "call_1".to_owned(),
            name: "lookup_loan".to_owned(),
            arguments: Spoken::from(arguments.to_owned()),
            client_side: true,
            thought_signature: None,
        }
    }

    const SOUND: &str = r#"{"loan_number":"100234","date_of_birth":"1980-03-04","zip":"62701"}"#;

    #[test]
    fn the_machine_sees_no_digit_of_an_argument() {
        let ask = ask(&call(SOUND), b"key");
        assert_eq!(ask.fault, None);
        for secret in ["100234", "0234", "1980", "62701"] {
            assert!(!ask.arguments.contains(secret), "{} shows {secret}", ask.arguments);
        }
    }

    #[test]
    fn equal_arguments_have_equal_fingerprints_whatever_their_order() {
        let other = r#"{ "zip":"62701", "loan_number":"100234", "date_of_birth":"1980-03-04" }"#;
        let fingerprint = |arguments| ask(&call(arguments), b"key").fingerprint;
        assert_eq!(fingerprint(SOUND), fingerprint(other));
        assert_ne!(fingerprint(SOUND), ask(&call(SOUND), b"another key").fingerprint);
    }

    /// F-DG-19.
    #[test]
    fn arguments_that_do_not_fit_are_a_fault_that_names_the_field_and_not_its_value() {
        let faults = [
            ("", "fields"),
            ("not json", "fields"),
            (r#"{"loan_number":100234,"date_of_birth":"1980-03-04","zip":"62701"}"#, "fields"),
            (r#"{"loan_number":"1","date_of_birth":"1980-03-04","zip":"62701"}"#, "loan_number"),
            (
                r#"{"loan_number":"100234","date_of_birth":"1981-02-29","zip":"62701"}"#,
                "date_of_birth",
            ),
            (r#"{"loan_number":"100234","date_of_birth":"1980-03-04","zip":"6270"}"#, "zip"),
            (
                r#"{"loan_number":"100234","date_of_birth":"1980-03-04","zip":"62701","x":1}"#,
                "fields",
            ),
        ];
        for (arguments, word) in faults {
            let fault = ask(&call(arguments), b"key").fault.expect(arguments);
            assert!(fault.contains(word), "{fault:?} should speak of {word}");
        }
    }

    /// F-DG-18: a name that a model made up is shown up to a length.
    #[test]
    fn a_name_of_more_than_64_characters_is_cut() {
        for (length, shown) in [(64, 64), (65, 64), (100_000, 64)] {
            let call = FunctionCall { name: "ñ".repeat(length), ..call("{}") };
            assert_eq!(ask(&call, b"key").name, "ñ".repeat(shown));
        }
    }

    /// F-HU-03, C-05.
    #[test]
    fn a_stranger_and_a_missing_loan_get_the_same_words() {
        let answer = |date_of_birth_matches, zip_matches| {
            lookup_ended("1", Some(LoanAnswer { date_of_birth_matches, zip_matches, loan: None }))
        };
        assert_eq!(answer(true, false).content, answer(false, false).content);
    }

    #[test]
    fn a_loan_is_disclosed_only_when_both_factors_match() {
        let loan = Loan {
            first_name: "Maria".to_owned(),
            due_cents: 24_310,
            due_date: "2026-02-28".to_owned(),
            days_late: 2,
        };
        let answer = LoanAnswer {
            date_of_birth_matches: true,
            zip_matches: false,
            loan: Some(loan.clone()),
        };
        let ended = lookup_ended("1", Some(answer));
        assert!(!ended.content.contains("Maria"), "a careless middleware discloses nothing");
        assert!(ended.input.disclosed.is_empty());

        let answer =
            LoanAnswer { date_of_birth_matches: true, zip_matches: true, loan: Some(loan) };
        let ended = lookup_ended("1", Some(answer));
        assert!(ended.content.contains("24310"));
        assert_eq!(ended.input.disclosed, Loan::FIELDS);
    }

    fn tones_call(arguments: &str) -> FunctionCall {
        FunctionCall { name: "play_dtmf".to_owned(), ..call(arguments) }
    }

    /// F-TR-11, S37.
    #[test]
    fn tones_are_counted_and_none_of_them_is_shown() {
        let ask = ask(&tones_call(r#"{"digits":"1ww5552#"}"#), b"key");
        assert_eq!((ask.tones, ask.fault), (Some(6), None));
        assert_eq!(ask.arguments, r#"{"digits":"[6 tones]"}"#);
        assert_eq!(tones(r#"{"digits":"1ww5552#"}"#).expect("sound").reveal(), "1ww5552#");
    }

    /// F-TR-11: other signs, too many, none at all.
    #[test]
    fn what_is_no_sequence_of_tones_is_refused_and_not_shown() {
        let long = "7".repeat(33);
        let digits = ["", "ww", "12a4", "1,2", "12 34", "A", "1W2", "١٢", long.as_str()];
        for digits in digits {
            let arguments = json!({ "digits": digits }).to_string();
            let ask = ask(&tones_call(&arguments), b"key");
            let fault = ask.fault.expect(digits);
            assert_eq!(fault, "digits must be 1 to 32 of 0-9, *, # and w");
            assert_eq!((ask.tones, ask.arguments.as_str()), (None, "\"[no tones]\""));
        }
        for arguments in ["", "[]", r#"{"digits":12}"#, r#"{"digits":"1","to":"x"}"#] {
            let ask = ask(&tones_call(arguments), b"key");
            assert!(ask.fault.expect(arguments).contains("fields"));
            assert_eq!(ask.arguments, "\"[no tones]\"");
        }
    }
}
