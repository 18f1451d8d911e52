//! Dates and times of day in words.

use crate::Locale;

use super::{english, spanish};

/// A day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl Date {
    /// A day of the years 1583 to 9999, from when on our calendar holds; nothing for a day that there is
    /// not.
    pub fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            1..=12 => 31,
            _ => return None,
        };
        let is_day = (1..=days).contains(&day) && (1583..=9999).contains(&year);
        is_day.then_some(Self { year, month, day })
    }

    /// A date as records write it: `2026-03-04`.
    pub fn parse(text: &str) -> Option<Self> {
        let [year, month, day] = text.split('-').collect::<Vec<_>>()[..] else { return None };
        let is_number =
            |part: &str, len| part.len() == len && part.bytes().all(|b| b.is_ascii_digit());
        if !is_number(year, 4) || !is_number(month, 2) || !is_number(day, 2) {
            return None;
        }
        Self::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
    }

    /// Days since Monday, by Sakamoto's rule.
    fn weekday(self) -> usize {
        const SHIFT: [usize; 12] = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4];
        let month = usize::from(self.month);
        let year = usize::from(self.year) - usize::from(month < 3);
        let sunday = year + year / 4 - year / 100 + year / 400 + SHIFT[month - 1];
        (sunday + usize::from(self.day) + 6) % 7
    }
}

/// A date in words, with its weekday.
///
/// ```
/// use locales::{Locale, spoken::{Date, date}};
///
/// let day = Date::parse("2026-03-04").expect("there is such a day");
/// assert_eq!(date(Locale::English, day), "Wednesday, March fourth, twenty twenty-six");
/// assert_eq!(date(Locale::Spanish, day), "miércoles cuatro de marzo de dos mil veintiséis");
/// ```
pub fn date(locale: Locale, date: Date) -> String {
    let (month, day) = (usize::from(date.month) - 1, usize::from(date.day));
    match locale {
        Locale::English => format!(
            "{}, {} {}, {}",
            ENGLISH_DAYS[date.weekday()],
            ENGLISH_MONTHS[month],
            english_ordinal(day),
            english_year(date.year),
        ),
        Locale::Spanish => {
            let day = if day == 1 { "primero".to_owned() } else { spanish_alone(day as u64) };
            let (weekday, month) = (SPANISH_DAYS[date.weekday()], SPANISH_MONTHS[month]);
            format!("{weekday} {day} de {month} de {}", spanish_alone(date.year.into()))
        }
    }
}

/// A time of day in words, by the clock of twelve hours. Nothing for a time that there is not.
///
/// ```
/// use locales::{Locale, spoken::time};
///
/// assert_eq!(time(Locale::English, 14, 5).as_deref(), Some("two oh five in the afternoon"));
/// assert_eq!(time(Locale::Spanish, 13, 30).as_deref(), Some("la una y treinta de la tarde"));
/// ```
pub fn time(locale: Locale, hour: u8, minute: u8) -> Option<String> {
    if hour > 23 || minute > 59 {
        return None;
    }
    let on_clock = u64::from(if hour.is_multiple_of(12) { 12 } else { hour % 12 });
    let minute = u64::from(minute);
    Some(match locale {
        Locale::English => match (hour, minute) {
            (0, 0) => "midnight".to_owned(),
            (12, 0) => "noon".to_owned(),
            _ => {
                let part = match hour {
                    0..12 => "in the morning",
                    12..17 => "in the afternoon",
                    17..21 => "in the evening",
                    _ => "at night",
                };
                let hour = english(on_clock);
                match minute {
                    0 => format!("{hour} {part}"),
                    1..10 => format!("{hour} oh {} {part}", english(minute)),
                    _ => format!("{hour} {} {part}", english(minute)),
                }
            }
        },
        Locale::Spanish => match (hour, minute) {
            (0, 0) => "la medianoche".to_owned(),
            (12, 0) => "el mediodía".to_owned(),
            _ => {
                let part = match hour {
                    0..12 => "de la mañana",
                    12..20 => "de la tarde",
                    _ => "de la noche",
                };
                let hour = match on_clock {
                    1 => "la una".to_owned(),
                    hour => format!("las {}", spanish(hour)),
                };
                match minute {
                    0 => format!("{hour} {part}"),
                    _ => format!("{hour} y {} {part}", spanish_alone(minute)),
                }
            }
        },
    })
}

/// "Nineteen eighty", "two thousand five", "twenty twenty-six", "nineteen oh five".
fn english_year(year: u16) -> String {
    let (century, rest) = (u64::from(year / 100), u64::from(year % 100));
    match rest {
        _ if century.is_multiple_of(10) && rest < 10 => english(year.into()),
        0 => format!("{} hundred", english(century)),
        1..10 => format!("{} oh {}", english(century), english(rest)),
        _ => format!("{} {}", english(century), english(rest)),
    }
}

fn english_ordinal(day: usize) -> String {
    match day {
        1..=20 => ENGLISH_ORDINALS[day - 1].to_owned(),
        30 => "thirtieth".to_owned(),
        _ => {
            let tens = if day < 30 { "twenty" } else { "thirty" };
            format!("{tens}-{}", ENGLISH_ORDINALS[day % 10 - 1])
        }
    }
}

/// A number that counts nothing: with "uno", "veintiuno", "treinta y uno".
fn spanish_alone(number: u64) -> String {
    let said = spanish(number);
    match said.strip_suffix("veintiún") {
        Some(before) => format!("{before}veintiuno"),
        None if said == "un" || said.ends_with(" un") => said + "o",
        None => said,
    }
}

const ENGLISH_DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

const SPANISH_DAYS: [&str; 7] =
    ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"];

const ENGLISH_MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const SPANISH_MONTHS: [&str; 12] = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
];

const ENGLISH_ORDINALS: [&str; 20] = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
];
