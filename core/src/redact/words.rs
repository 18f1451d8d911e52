//! The vocabulary of dictated numbers, one table per language.
//!
//! To teach the masks a new word, add it to the table of its language, in lower case and without
//! accents: [`look_up`] folds what it is given in the same way. Both tables always apply, because
//! callers mix languages within one number.

use alloc::string::String;

/// The language of the table in which a word was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tongue {
    English,
    Spanish,
}

/// What a word can mean while somebody dictates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A digit: "seven".
    Unit(u8),
    /// A complete number from 10 to 29 that takes no unit: "twelve", "veintiuno".
    Teen(u8),
    /// A multiple of ten that may take a unit: "forty", "cuarenta".
    Tens(u8),
    /// A complete multiple of a hundred: "doscientos".
    Hundreds(u16),
    /// "hundred", which multiplies what stands before it.
    Hundred,
    /// A thousand or a million, which multiply what stands before them, if anything.
    Scale(u32),
    /// "double", "triple": the next number is meant so many times.
    Repeat(u8),
    /// The letter o: a zero between digits, but "or" in Spanish.
    LetterO,
    /// An article that is a one before a scale or after tens: "a", "un".
    Article,
    /// A word that sounds like a digit, counted only between two spoken digits: "to", "for".
    SoundsLike(u8),
    /// "and", "y".
    And,
    /// A hesitation, a connective or a spoken separator that does not end a number: "uh", "dash".
    Filler,
    /// "dot", which is also part of a spoken e-mail address.
    Dot,
    /// "at", "arroba".
    At,
    /// The last part of a spoken e-mail address: "com".
    Domain,
    /// A place in a row, as in "March fourth".
    Ordinal(u8),
    /// The ending of an ordinal that is written in figures: the "th" of "5th".
    OrdinalEnding,
    /// The name of a month.
    Month,
    /// What joins the parts of a date: "of", "de", "the".
    Link,
    /// The name of a currency or of its hundredth: "dollars", "centavos".
    Currency,
    /// A word that may stand before the second part of a dictation: "it's", "the last".
    Lead,
    /// What makes a date a date of birth: "born", "nacimiento".
    Birth,
    /// What makes a number a time of day: "pm", "o'clock".
    Clock,
    /// A part of the day, which makes a number a time after "in the" or "de la".
    DayPart,
}

use Meaning::{
    And, Article, At, Birth, Clock, Currency, DayPart, Domain, Dot, Filler, Hundred, Hundreds,
    Lead, LetterO, Link, Month, Ordinal, OrdinalEnding, Repeat, Scale, SoundsLike, Teen, Tens,
    Unit,
};

/// One row: a meaning and the words that carry it.
type Row = (Meaning, &'static [&'static str]);

const ENGLISH: &[Row] = &[
    (Unit(0), &["zero", "zeros", "zeroes", "oh", "nought", "naught"]),
    (Unit(1), &["one"]),
    (Unit(2), &["two"]),
    (Unit(3), &["three"]),
    (Unit(4), &["four"]),
    (Unit(5), &["five"]),
    (Unit(6), &["six"]),
    (Unit(7), &["seven"]),
    (Unit(8), &["eight"]),
    (Unit(9), &["nine", "niner"]),
    (LetterO, &["o"]),
    (Teen(10), &["ten"]),
    (Teen(11), &["eleven"]),
    (Teen(12), &["twelve"]),
    (Teen(13), &["thirteen"]),
    (Teen(14), &["fourteen"]),
    (Teen(15), &["fifteen"]),
    (Teen(16), &["sixteen"]),
    (Teen(17), &["seventeen"]),
    (Teen(18), &["eighteen"]),
    (Teen(19), &["nineteen"]),
    (Tens(20), &["twenty"]),
    (Tens(30), &["thirty"]),
    (Tens(40), &["forty", "fourty"]),
    (Tens(50), &["fifty"]),
    (Tens(60), &["sixty"]),
    (Tens(70), &["seventy"]),
    (Tens(80), &["eighty"]),
    (Tens(90), &["ninety"]),
    (Hundred, &["hundred"]),
    (Scale(1_000), &["thousand"]),
    (Scale(1_000_000), &["million"]),
    (Repeat(2), &["double"]),
    (Repeat(3), &["triple", "treble"]),
    (Repeat(4), &["quadruple"]),
    (Article, &["a"]),
    (SoundsLike(1), &["won"]),
    (SoundsLike(2), &["to", "too"]),
    (SoundsLike(4), &["for"]),
    (SoundsLike(8), &["ate"]),
    (And, &["and"]),
    (
        Filler,
        &[
            "uh", "uhh", "um", "umm", "er", "erm", "ah", "eh", "hm", "hmm", "mm", "then", "next",
            "okay", "ok", "sorry", "wait", "yes", "yeah", "yep", "right", "so", "well", "like",
            "let", "me", "see", "again",
        ],
    ),
    (Filler, &["mhm", "mmhmm", "huh", "oops", "please", "followed"]),
    (
        Lead,
        &[
            "it", "it's", "is", "that's", "are", "number", "numbers", "digit", "digits", "rest",
            "last",
        ],
    ),
    (Birth, &["born", "birth", "birthday", "birthdate", "dob"]),
    (
        Filler,
        &["dash", "hyphen", "minus", "slash", "space", "comma", "point", "period", "underscore"],
    ),
    (Dot, &["dot"]),
    (At, &["at"]),
    (Domain, &["com", "net", "org", "edu", "gov", "us", "io"]),
    (Ordinal(1), &["first"]),
    (Ordinal(2), &["second"]),
    (Ordinal(3), &["third"]),
    (Ordinal(4), &["fourth"]),
    (Ordinal(5), &["fifth"]),
    (Ordinal(6), &["sixth"]),
    (Ordinal(7), &["seventh"]),
    (Ordinal(8), &["eighth"]),
    (Ordinal(9), &["ninth"]),
    (Ordinal(10), &["tenth"]),
    (Ordinal(11), &["eleventh"]),
    (Ordinal(12), &["twelfth"]),
    (Ordinal(13), &["thirteenth"]),
    (Ordinal(14), &["fourteenth"]),
    (Ordinal(15), &["fifteenth"]),
    (Ordinal(16), &["sixteenth"]),
    (Ordinal(17), &["seventeenth"]),
    (Ordinal(18), &["eighteenth"]),
    (Ordinal(19), &["nineteenth"]),
    (Ordinal(20), &["twentieth"]),
    (Ordinal(30), &["thirtieth"]),
    (OrdinalEnding, &["st", "nd", "rd", "th"]),
    (
        Month,
        &[
            "january",
            "february",
            "march",
            "april",
            "may",
            "june",
            "july",
            "august",
            "september",
            "october",
            "november",
        ],
    ),
    (
        Month,
        &[
            "december", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sep", "sept", "oct",
            "nov", "dec",
        ],
    ),
    (Link, &["of", "the", "in"]),
    (
        Currency,
        &[
            "dollar", "dollars", "cent", "cents", "buck", "bucks", "usd", "penny", "pennies",
            "euro", "euros",
        ],
    ),
    (Clock, &["am", "pm", "o'clock", "oclock"]),
    (DayPart, &["morning", "afternoon", "evening"]),
];

const SPANISH: &[Row] = &[
    (Unit(0), &["cero", "ceros"]),
    (Unit(1), &["uno", "una"]),
    (Unit(2), &["dos"]),
    (Unit(3), &["tres"]),
    (Unit(4), &["cuatro"]),
    (Unit(5), &["cinco"]),
    (Unit(6), &["seis"]),
    (Unit(7), &["siete"]),
    (Unit(8), &["ocho"]),
    (Unit(9), &["nueve"]),
    (Teen(10), &["diez"]),
    (Teen(11), &["once"]),
    (Teen(12), &["doce"]),
    (Teen(13), &["trece"]),
    (Teen(14), &["catorce"]),
    (Teen(15), &["quince"]),
    (Teen(16), &["dieciseis"]),
    (Teen(17), &["diecisiete"]),
    (Teen(18), &["dieciocho"]),
    (Teen(19), &["diecinueve"]),
    (Teen(21), &["veintiuno", "veintiun", "veintiuna"]),
    (Teen(22), &["veintidos"]),
    (Teen(23), &["veintitres"]),
    (Teen(24), &["veinticuatro"]),
    (Teen(25), &["veinticinco"]),
    (Teen(26), &["veintiseis"]),
    (Teen(27), &["veintisiete"]),
    (Teen(28), &["veintiocho"]),
    (Teen(29), &["veintinueve"]),
    (Tens(20), &["veinte"]),
    (Tens(30), &["treinta"]),
    (Tens(40), &["cuarenta"]),
    (Tens(50), &["cincuenta"]),
    (Tens(60), &["sesenta"]),
    (Tens(70), &["setenta"]),
    (Tens(80), &["ochenta"]),
    (Tens(90), &["noventa"]),
    (Hundreds(100), &["cien", "ciento"]),
    (Hundreds(200), &["doscientos", "doscientas"]),
    (Hundreds(300), &["trescientos", "trescientas"]),
    (Hundreds(400), &["cuatrocientos", "cuatrocientas"]),
    (Hundreds(500), &["quinientos", "quinientas"]),
    (Hundreds(600), &["seiscientos", "seiscientas"]),
    (Hundreds(700), &["setecientos", "setecientas"]),
    (Hundreds(800), &["ochocientos", "ochocientas"]),
    (Hundreds(900), &["novecientos", "novecientas"]),
    (Scale(1_000), &["mil"]),
    (Scale(1_000_000), &["millon", "millones"]),
    (Repeat(2), &["doble"]),
    (Repeat(4), &["cuadruple"]),
    (Article, &["un"]),
    (And, &["y"]),
    (Filler, &["este", "pues", "luego", "entonces", "despues", "perdon", "espera", "bueno"]),
    (Filler, &["si", "aja", "ya", "digo", "ver", "mmm", "sigue", "siguen", "seguido"]),
    (Lead, &["son", "los", "las", "numero", "numeros", "digitos", "resto", "ultimo", "ultimos"]),
    (Birth, &["naci", "nacio", "nacido", "nacida", "nacimiento", "cumpleanos"]),
    (Filler, &["guion", "raya", "menos", "diagonal", "espacio", "coma"]),
    (Dot, &["punto"]),
    (At, &["arroba"]),
    (Domain, &["mx", "es"]),
    (Ordinal(1), &["primero", "primer"]),
    (OrdinalEnding, &["º", "ª", "ro", "er"]),
    (
        Month,
        &[
            "enero",
            "febrero",
            "marzo",
            "abril",
            "mayo",
            "junio",
            "julio",
            "agosto",
            "septiembre",
            "setiembre",
            "octubre",
        ],
    ),
    (Month, &["noviembre", "diciembre", "ene", "abr", "ago", "dic"]),
    (Link, &["de", "del", "el", "la", "por"]),
    (Currency, &["dolar", "dolares", "centavo", "centavos", "peso", "pesos"]),
    (DayPart, &["manana", "tarde", "noche"]),
];

/// Finds a word, however it is capitalised and whether or not its accents were written.
pub(super) fn look_up(word: &str) -> Option<(Meaning, Tongue)> {
    let folded = fold(word)?;
    let letter = letter_bit(*folded.as_bytes().first()?);
    let found = |table: &[Row], letters: &[u32]| {
        let mut rows = table.iter().zip(letters);
        let row = rows.find(|((_, words), letters)| {
            **letters & letter != 0 && words.contains(&folded.as_str())
        });
        row.map(|((meaning, _), _)| *meaning)
    };
    const ENGLISH_LETTERS: [u32; ENGLISH.len()] = first_letters(ENGLISH);
    const SPANISH_LETTERS: [u32; SPANISH.len()] = first_letters(SPANISH);
    match found(ENGLISH, &ENGLISH_LETTERS) {
        Some(meaning) => Some((meaning, Tongue::English)),
        None => found(SPANISH, &SPANISH_LETTERS).map(|meaning| (meaning, Tongue::Spanish)),
    }
}

/// The first letters of the words in each row, a bit each. Most words stand in no table, and by these
/// most rows need not be looked into.
const fn first_letters<const ROWS: usize>(table: &[Row]) -> [u32; ROWS] {
    let mut letters = [0; ROWS];
    let mut row = 0;
    while row < ROWS {
        let words = table[row].1;
        let mut word = 0;
        while word < words.len() {
            letters[row] |= letter_bit(words[word].as_bytes()[0]);
            word += 1;
        }
        row += 1;
    }
    letters
}

/// The bit of a first letter. What is no letter from a to z shares one with some that are.
const fn letter_bit(first: u8) -> u32 {
    1 << (first & 31)
}

/// Combining accents, which some keyboards and services write after the letter.
pub(super) const fn is_accent(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36F}')
}

/// Lower case without accents; `None` for what is longer than any word in the tables.
fn fold(word: &str) -> Option<String> {
    const BYTES_MAX: usize = 48;
    if word.len() > BYTES_MAX {
        return None;
    }
    let lower = word.chars().flat_map(char::to_lowercase).filter(|letter| !is_accent(*letter));
    Some(lower.map(plain_letter).collect())
}

/// A letter without its accent.
pub(crate) const fn plain_letter(letter: char) -> char {
    match letter {
        'á' | 'à' | 'ä' => 'a',
        'é' | 'è' | 'ë' => 'e',
        'í' | 'ì' | 'ï' => 'i',
        'ó' | 'ò' | 'ö' => 'o',
        'ú' | 'ù' | 'ü' => 'u',
        'ñ' => 'n',
        '’' => '\'',
        other => other,
    }
}
