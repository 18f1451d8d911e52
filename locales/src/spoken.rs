//! Amounts, digits, telephone numbers, dates and times in words, for a voice that must not guess how to
//! read figures.

mod calendar;

use crate::Locale;

pub use calendar::{Date, date, time};

/// An amount of dollars in words.
///
/// ```
/// use locales::{Locale, spoken::money};
///
/// assert_eq!(money(Locale::English, 24_310), "two hundred forty-three dollars and ten cents");
/// assert_eq!(
///     money(Locale::Spanish, 24_310),
///     "doscientos cuarenta y tres dólares con diez centavos",
/// );
/// ```
///
/// An amount below zero is said with "minus". Whether it is a credit, a refund or a mistake is for the
/// caller of this function to say.
pub fn money(locale: Locale, cents: i64) -> String {
    let is_negative = cents < 0;
    let cents = cents.unsigned_abs();
    let (whole, rest) = (cents / 100, cents % 100);
    let (minus, dollars, joint, cents) = match locale {
        Locale::English => ("minus", english_dollars(whole), "and", english_cents(rest)),
        Locale::Spanish => ("menos", spanish_dollars(whole), "con", spanish_cents(rest)),
    };
    let amount = match (whole, rest) {
        (_, 0) => dollars,
        (0, _) => cents,
        _ => format!("{dollars} {joint} {cents}"),
    };
    if is_negative { format!("{minus} {amount}") } else { amount }
}

/// Digits one by one, in words, and letters by their names as the voice knows them. Marks and
/// spaces are not spoken.
///
/// ```
/// use locales::{Locale, spoken::digits};
///
/// assert_eq!(digits(Locale::English, "0199"), "zero one nine nine");
/// assert_eq!(digits(Locale::Spanish, "AB-12"), "A B uno dos");
/// ```
pub fn digits(locale: Locale, text: &str) -> String {
    let names: &[&str] = match locale {
        Locale::English => &ENGLISH,
        Locale::Spanish => &SPANISH,
    };
    let name = |c: char| match c.to_digit(10) {
        Some(digit) => names[digit as usize].to_owned(),
        None => c.to_uppercase().to_string(),
    };
    let spoken = text.chars().filter(|c| c.is_alphanumeric());
    spoken.map(name).collect::<Vec<_>>().join(" ")
}

/// A telephone number digit by digit, in the groups in which people say it: of a number of North America
/// the last ten digits as three, three and four; of any other, groups of three and a last one of two to
/// four. A comma, which is a pause, parts them.
///
/// ```
/// use locales::{Locale, spoken::phone};
///
/// assert_eq!(phone(Locale::English, "+15550100199"), "five five five, zero one zero, zero one nine nine");
/// assert_eq!(phone(Locale::Spanish, "01234"), "cero uno dos, tres cuatro");
/// ```
pub fn phone(locale: Locale, number: &str) -> String {
    let all: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    let home = match &all[..] {
        ['1', rest @ ..] if rest.len() == 10 => rest,
        all => all,
    };
    let mut groups = Vec::new();
    let mut rest = home;
    while rest.len() > 4 {
        let (group, more) = rest.split_at(3);
        groups.push(group);
        rest = more;
    }
    groups.extend(Some(rest).filter(|rest| !rest.is_empty()));
    let said = |group: &&[char]| digits(locale, &group.iter().collect::<String>());
    groups.iter().map(said).collect::<Vec<_>>().join(", ")
}

// English

const ENGLISH: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];

const ENGLISH_TENS: [&str; 10] =
    ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

const ENGLISH_SCALES: [(u64, &str); 5] = [
    (1_000_000_000_000_000, "quadrillion"),
    (1_000_000_000_000, "trillion"),
    (1_000_000_000, "billion"),
    (1_000_000, "million"),
    (1_000, "thousand"),
];

fn english_dollars(whole: u64) -> String {
    let unit = if whole == 1 { "dollar" } else { "dollars" };
    format!("{} {unit}", english(whole))
}

fn english_cents(rest: u64) -> String {
    let unit = if rest == 1 { "cent" } else { "cents" };
    format!("{} {unit}", english(rest))
}

fn english(number: u64) -> String {
    for (scale, name) in ENGLISH_SCALES {
        if number >= scale {
            return with_rest(
                format!("{} {name}", english(number / scale)),
                number % scale,
                english,
            );
        }
    }
    match number {
        0..20 => ENGLISH[number as usize].to_owned(),
        20..100 if number.is_multiple_of(10) => ENGLISH_TENS[number as usize / 10].to_owned(),
        20..100 => {
            format!("{}-{}", ENGLISH_TENS[number as usize / 10], ENGLISH[number as usize % 10])
        }
        _ => with_rest(format!("{} hundred", english(number / 100)), number % 100, english),
    }
}

// Spanish

const SPANISH: [&str; 30] = [
    "cero",
    "uno",
    "dos",
    "tres",
    "cuatro",
    "cinco",
    "seis",
    "siete",
    "ocho",
    "nueve",
    "diez",
    "once",
    "doce",
    "trece",
    "catorce",
    "quince",
    "dieciséis",
    "diecisiete",
    "dieciocho",
    "diecinueve",
    "veinte",
    "veintiuno",
    "veintidós",
    "veintitrés",
    "veinticuatro",
    "veinticinco",
    "veintiséis",
    "veintisiete",
    "veintiocho",
    "veintinueve",
];

const SPANISH_TENS: [&str; 10] =
    ["", "", "", "treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa"];

const SPANISH_HUNDREDS: [&str; 10] = [
    "",
    "ciento",
    "doscientos",
    "trescientos",
    "cuatrocientos",
    "quinientos",
    "seiscientos",
    "setecientos",
    "ochocientos",
    "novecientos",
];

const MILLION: u64 = 1_000_000;
const BILLION: u64 = MILLION * MILLION;

fn spanish_dollars(whole: u64) -> String {
    let of = if whole > 0 && whole.is_multiple_of(MILLION) { "de " } else { "" };
    let unit = if whole == 1 { "dólar" } else { "dólares" };
    format!("{} {of}{unit}", spanish(whole))
}

fn spanish_cents(rest: u64) -> String {
    let unit = if rest == 1 { "centavo" } else { "centavos" };
    format!("{} {unit}", spanish(rest))
}

/// A number before the masculine noun that it counts, so with "un", "veintiún", "treinta y un".
fn spanish(number: u64) -> String {
    let scaled = |scale: u64, one: &str, many: &str| {
        let head = match number / scale {
            1 => one.to_owned(),
            count => format!("{} {many}", spanish(count)),
        };
        with_rest(head, number % scale, spanish)
    };
    match number {
        BILLION.. => scaled(BILLION, "un billón", "billones"),
        MILLION.. => scaled(MILLION, "un millón", "millones"),
        1_000.. => scaled(1_000, "mil", "mil"),
        100 => "cien".to_owned(),
        101.. => {
            with_rest(SPANISH_HUNDREDS[number as usize / 100].to_owned(), number % 100, spanish)
        }
        1 => "un".to_owned(),
        21 => "veintiún".to_owned(),
        0..30 => SPANISH[number as usize].to_owned(),
        _ if number.is_multiple_of(10) => SPANISH_TENS[number as usize / 10].to_owned(),
        _ => format!("{} y {}", SPANISH_TENS[number as usize / 10], spanish(number % 10)),
    }
}

fn with_rest(head: String, rest: u64, words: fn(u64) -> String) -> String {
    if rest == 0 { head } else { format!("{head} {}", words(rest)) }
}
