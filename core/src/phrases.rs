//! What a caller's words mean, as far as the call itself must know: a closed vocabulary in English
//! and Spanish. The conversation is the agent's; here only those words count that change what the
//! call does whatever the agent makes of them.

use alloc::string::String;
use alloc::vec::Vec;

use crate::line::Language;

/// What was found in a caller's turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Meaning {
    /// The caller asks for a moment: "let me get my papers".
    pub moment: bool,
    /// The caller asks for a person.
    pub person: bool,
    /// Nothing but an assent or a goodbye, which wants no answer.
    pub empty: bool,
    /// It begins with a yes.
    pub yes: bool,
    /// The language that the caller asks for, whatever language they ask in.
    pub language: Option<Language>,
    /// How many words it has.
    pub words: usize,
}

/// Asking for a moment.
const MOMENT: &[&str] = &[
    "hold on",
    "hang on",
    "hold please",
    "one moment",
    "just a moment",
    "a moment please",
    "one second",
    "one sec",
    "just a second",
    "just a sec",
    "just one second",
    "just one sec",
    "one minute please",
    "just a minute",
    "just one minute",
    "wait a minute",
    "wait a second",
    "wait a sec",
    "wait one second",
    "give me a second",
    "give me a sec",
    "give me one second",
    "give me one sec",
    "give me a minute",
    "give me one minute",
    "give me a moment",
    "give me one moment",
    "i need a minute",
    "i need a moment",
    "i need a second",
    "bear with me",
    "ill be right back",
    "be right back",
    "dont hang up",
    "let me get my",
    "let me grab my",
    "let me find my",
    "let me look for",
    "un momento",
    "un momentito",
    "un segundo",
    "un segundito",
    "un minutito",
    "un ratito",
    "espéreme",
    "espérame",
    "espere tantito",
    "espere un minuto",
    "deme un minuto",
    "deme un segundo",
    "deme chance",
    "ahorita regreso",
    "ahorita vuelvo",
    "ahora regreso",
    "ahora vuelvo",
    "no cuelgue",
    "no me cuelgue",
    "déjeme buscar",
    "déjeme busco",
    "déjeme ver si encuentro",
    "permítame un",
    "permítame tantito",
];

/// Asking for a person.
const PERSON: [&str; 24] = [
    "speak to a person",
    "talk to a person",
    "speak with a person",
    "talk with a person",
    "speak to someone",
    "talk to someone",
    "real person",
    "human being",
    "a human",
    "human now",
    "representative",
    "an agent",
    "live agent",
    "an operator",
    "customer service",
    "a supervisor",
    "your manager",
    "una persona",
    "un agente",
    "un representante",
    "un operador",
    "un humano",
    "alguien real",
    "un supervisor",
];

/// Asking for English, or having no Spanish.
const ENGLISH: [&str; 13] = [
    "do you speak english",
    "does anyone speak english",
    "speak in english",
    "english please",
    "prefer english",
    "dont speak spanish",
    "do not speak spanish",
    "no spanish",
    "habla inglés",
    "hablar inglés",
    "inglés por favor",
    "en inglés por favor",
    "no hablo español",
];

/// Asking for Spanish, or having no English.
const SPANISH: [&str; 13] = [
    "do you speak spanish",
    "does anyone speak spanish",
    "speak in spanish",
    "spanish please",
    "prefer spanish",
    "dont speak english",
    "do not speak english",
    "no english",
    "habla español",
    "hablar español",
    "hablar en español",
    "español por favor",
    "no hablo inglés",
];

/// Words that make an empty turn when there is no other.
const EMPTY: [&str; 40] = [
    "yes", "yeah", "yep", "ok", "okay", "right", "sure", "uh", "huh", "uhhuh", "mm", "mmhmm", "hm",
    "hmm", "mhm", "aha", "alright", "fine", "good", "great", "thanks", "thank", "you", "bye",
    "goodbye", "sí", "si", "ajá", "bueno", "vale", "bien", "claro", "gracias", "adiós", "adios",
    "hasta", "luego", "muchas", "ya", "mjm",
];

/// Words that answer a question.
const YES: [&str; 7] = ["yes", "yeah", "yep", "sure", "sí", "si", "claro"];

/// Taking one's leave. A sentence that begins or ends with one of these does so.
const PARTING: &[&str] = &[
    "goodbye",
    "good bye",
    "bye",
    "byebye",
    "bye bye",
    "have a good day",
    "have a great day",
    "have a nice day",
    "have a wonderful day",
    "have a good one",
    "have a good evening",
    "have a great evening",
    "have a good night",
    "have a good weekend",
    "have a great weekend",
    "adiós",
    "hasta luego",
    "hasta pronto",
    "que tenga un buen día",
    "que tenga un excelente día",
    "que tenga un lindo día",
    "que tenga buen día",
    "que tenga buena tarde",
    "que tenga una buena tarde",
    "que tenga buena noche",
    "que tenga una buena noche",
    "que le vaya bien",
];

/// So many words may follow a goodbye at the end of a sentence: a name.
const NAME_WORDS: usize = 2;

/// Whether somebody takes their leave with this sentence, or does the contrary: asks something.
/// Nothing where it does neither.
pub fn parting(sentence: &str) -> Option<bool> {
    if sentence.contains('?') {
        return Some(false);
    }
    let words = words(sentence);
    let stands_well = |phrase: &&&str| {
        let length = phrase.split(' ').count();
        let places = words.windows(length).enumerate();
        places
            .filter(|(_, some)| some.iter().map(String::as_str).eq(phrase.split(' ')))
            .any(|(place, _)| place == 0 || place + length + NAME_WORDS >= words.len())
    };
    PARTING.iter().find(stands_well).map(|_| true)
}

/// Reads a caller's turn.
pub fn meaning(text: &str) -> Meaning {
    let words = words(text);
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| holds(&words, phrase));
    let single = |phrases: &[&str]| words.len() == 1 && phrases.contains(&words[0].as_str());
    Meaning {
        moment: says(MOMENT),
        person: says(&PERSON) || single(&["agent", "agente", "human", "humano", "operator"]),
        empty: !words.is_empty() && words.iter().all(|word| EMPTY.contains(&word.as_str())),
        yes: words.first().is_some_and(|word| YES.contains(&word.as_str())),
        language: match (
            says(&ENGLISH) || single(&["english", "inglés"]),
            says(&SPANISH) || single(&["spanish", "español"]),
        ) {
            (true, false) => Some(Language::English),
            (false, true) => Some(Language::Spanish),
            // Neither, or both in one breath: what they speak tells.
            _ => None,
        },
        words: words.len(),
    }
}

fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let plain: String = lower.chars().filter(|c| !matches!(c, '-' | '\'' | '’')).collect();
    plain
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(String::from)
        .collect()
}

/// Whether a phrase stands in a turn, word for word.
fn holds(words: &[String], phrase: &str) -> bool {
    let begins = |words: &[String]| {
        let mut said = words.iter();
        phrase.split(' ').all(|word| said.next().is_some_and(|said| said == word))
    };
    // Nearly every phrase is told from a turn by its first letters.
    let mut places = (0..words.len()).filter(|at| phrase.starts_with(&*words[*at]));
    places.any(|at| begins(&words[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_who_asks_for_a_moment_is_understood_in_both_languages() {
        for text in ["Hold on, let me get my papers.", "Just a second!", "Un momento, por favor."] {
            assert!(meaning(text).moment, "{text}");
        }
        for text in ["I had a moment of doubt.", "The household one moments", "Un momentazo"] {
            assert!(!meaning(text).moment, "{text}");
        }
    }

    #[test]
    fn a_caller_who_asks_for_a_person_is_understood_in_both_languages() {
        for text in ["Agent.", "Representative please!", "HUMAN NOW", "Quiero hablar con un agente"]
        {
            assert!(meaning(text).person, "{text}");
        }
        for text in ["I am a reagent", "What does the agency say?", "la persona que llamó"] {
            assert!(!meaning(text).person, "{text}");
        }
    }

    /// S05.
    #[test]
    fn callers_ask_for_a_moment_in_many_ways() {
        for text in [
            "Hang on.",
            "Just a sec.",
            "OK, one sec.",
            "I need a minute.",
            "Give me a sec, please.",
            "I'll be right back.",
            "Please don't hang up!",
            "Let me grab my statement.",
            "Espéreme.",
            "Espere un momento.",
            "Ahorita regreso.",
            "No cuelgue, por favor.",
            "Deme un segundo.",
        ] {
            assert!(meaning(text).moment, "{text}");
        }
        for text in [
            "I changed my second job.",
            "It takes one minute to drive there.",
            "Espero su respuesta.",
            "I need a minimum payment.",
            "Did you hang up on me?",
        ] {
            assert!(!meaning(text).moment, "{text}");
        }
    }

    /// S21.
    #[test]
    fn a_goodbye_is_told_from_a_word_about_one() {
        for text in [
            "Goodbye!",
            "Thank you for calling Acme Home Loans, goodbye.",
            "Goodbye, Maria.",
            "Goodbye, and thank you for calling Acme Home Loans.",
            "You're all set. Have a great day!",
            "Bye-bye.",
            "Gracias por llamar. Hasta luego.",
            "Que tenga buen día, señora Gómez.",
        ] {
            assert_eq!(parting(text), Some(true), "{text}");
        }
        for text in ["Before we say goodbye, is there anything else?", "¿Algo más? Adiós."] {
            assert_eq!(parting(text), Some(false), "{text}");
        }
        for text in [
            "You can say goodbye to late fees when you enroll in autopay.",
            "I will make sure you have a good day count on your statement.",
            "Thank you for calling.",
            "We are open from eight to six.",
            "",
        ] {
            assert_eq!(parting(text), None, "{text}");
        }
    }

    /// F-HU-09.
    #[test]
    fn a_caller_who_asks_for_a_language_is_understood_in_either() {
        for text in [
            "¿Habla español?",
            "Spanish, please.",
            "Español.",
            "No hablo inglés.",
            "I don't \
            speak English",
            "Do you speak Spanish?",
            "Perdón, prefiero hablar en español.",
        ] {
            assert_eq!(meaning(text).language, Some(Language::Spanish), "{text}");
        }
        for text in ["English.", "Sorry, no hablo español.", "¿Alguien que habla inglés?"] {
            assert_eq!(meaning(text).language, Some(Language::English), "{text}");
        }
        for text in [
            "Do you speak English or do you speak Spanish?",
            "My Spanish grandmother",
            "",
            "Is the statement in Spanish?",
            "Mi maestra de inglés",
        ] {
            assert_eq!(meaning(text).language, None, "{text}");
        }
    }

    #[test]
    fn assent_and_goodbye_want_no_answer_and_a_question_does() {
        for text in ["Mm-hmm.", "OK, bye!", "Sí, gracias. Adiós.", "Yeah yeah."] {
            assert!(meaning(text).empty, "{text}");
        }
        for text in ["Yes, I want to pay.", "Oh wait, one more thing.", ""] {
            assert!(!meaning(text).empty, "{text}");
        }
    }
}
