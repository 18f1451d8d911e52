//! Amounts, digits, telephone numbers, dates and times in words, in both languages.

use std::collections::BTreeSet;

use locales::Locale;
use locales::spoken::{Date, date, digits, money, phone, time};
use proptest::prelude::*;

/// Cents, English, Spanish.
const AMOUNTS: &[(i64, &str, &str)] = &[
    (0, "zero dollars", "cero dólares"),
    (1, "one cent", "un centavo"),
    (10, "ten cents", "diez centavos"),
    (21, "twenty-one cents", "veintiún centavos"),
    (100, "one dollar", "un dólar"),
    (101, "one dollar and one cent", "un dólar con un centavo"),
    (1_600, "sixteen dollars", "dieciséis dólares"),
    (2_100, "twenty-one dollars", "veintiún dólares"),
    (
        3_131,
        "thirty-one dollars and thirty-one cents",
        "treinta y un dólares con treinta y un centavos",
    ),
    (4_000, "forty dollars", "cuarenta dólares"),
    (10_000, "one hundred dollars", "cien dólares"),
    (10_100, "one hundred one dollars", "ciento un dólares"),
    (
        24_310,
        "two hundred forty-three dollars and ten cents",
        "doscientos cuarenta y tres dólares con diez centavos",
    ),
    (50_000, "five hundred dollars", "quinientos dólares"),
    (100_000, "one thousand dollars", "mil dólares"),
    (100_100, "one thousand one dollars", "mil un dólares"),
    (2_100_000, "twenty-one thousand dollars", "veintiún mil dólares"),
    (3_100_000, "thirty-one thousand dollars", "treinta y un mil dólares"),
    (10_000_000, "one hundred thousand dollars", "cien mil dólares"),
    (
        99_999_999,
        "nine hundred ninety-nine thousand nine hundred ninety-nine dollars and ninety-nine cents",
        "novecientos noventa y nueve mil novecientos noventa y nueve dólares \
         con noventa y nueve centavos",
    ),
    (100_000_000, "one million dollars", "un millón de dólares"),
    (100_000_100, "one million one dollars", "un millón un dólares"),
    (
        200_000_050,
        "two million dollars and fifty cents",
        "dos millones de dólares con cincuenta centavos",
    ),
    (2_100_000_000, "twenty-one million dollars", "veintiún millones de dólares"),
    (100_000_000_000, "one billion dollars", "mil millones de dólares"),
    (100_000_000_000_000, "one trillion dollars", "un billón de dólares"),
];

#[test]
fn amounts_are_spoken_in_words_in_both_languages() {
    for (cents, english, spanish) in AMOUNTS {
        assert_eq!(money(Locale::English, *cents), *english);
        assert_eq!(money(Locale::Spanish, *cents), *spanish);
    }
}

#[test]
fn every_amount_has_words() {
    for cents in (0..200_000).chain([i64::MAX - 1, i64::MAX]) {
        for locale in Locale::ALL {
            let words = money(locale, cents);
            let clean = |c: char| c.is_alphabetic() || matches!(c, ' ' | '-');
            assert!(words.chars().all(clean) && !words.contains("  "), "{cents}: {words}");
        }
    }
}

#[test]
fn an_amount_below_zero_says_so() {
    assert_eq!(money(Locale::English, -150), "minus one dollar and fifty cents");
    assert_eq!(money(Locale::Spanish, -1), "menos un centavo");
}

#[test]
fn digits_are_spoken_one_by_one() {
    for (text, english, spanish) in [
        ("", "", ""),
        ("0", "zero", "cero"),
        ("1234", "one two three four", "uno dos tres cuatro"),
        ("05-67 89", "zero five six seven eight nine", "cero cinco seis siete ocho nueve"),
        ("k1", "K one", "K uno"),
    ] {
        assert_eq!(digits(Locale::English, text), english);
        assert_eq!(digits(Locale::Spanish, text), spanish);
    }
}

#[test]
fn a_telephone_number_is_spoken_in_groups() {
    for (number, english) in [
        ("+15550100199", "five five five, zero one zero, zero one nine nine"),
        ("(555) 010-0199", "five five five, zero one zero, zero one nine nine"),
        ("+525512345678", "five two five, five one two, three four five, six seven eight"),
        ("911", "nine one one"),
        ("12345", "one two three, four five"),
        ("", ""),
    ] {
        assert_eq!(phone(Locale::English, number), english);
    }
    let spanish = "cinco cinco cinco, cero uno cero, cero uno nueve nueve";
    assert_eq!(phone(Locale::Spanish, "+15550100199"), spanish);
}

#[test]
fn dates_are_spoken_with_their_weekday() {
    for (day, english, spanish) in [
        (
            "2026-03-04",
            "Wednesday, March fourth, twenty twenty-six",
            "miércoles cuatro de marzo de dos mil veintiséis",
        ),
        (
            "1980-01-01",
            "Tuesday, January first, nineteen eighty",
            "martes primero de enero de mil novecientos ochenta",
        ),
        (
            "2000-02-29",
            "Tuesday, February twenty-ninth, two thousand",
            "martes veintinueve de febrero de dos mil",
        ),
        (
            "2005-12-31",
            "Saturday, December thirty-first, two thousand five",
            "sábado treinta y uno de diciembre de dos mil cinco",
        ),
        (
            "1905-08-21",
            "Monday, August twenty-first, nineteen oh five",
            "lunes veintiuno de agosto de mil novecientos cinco",
        ),
        (
            "1900-05-30",
            "Wednesday, May thirtieth, nineteen hundred",
            "miércoles treinta de mayo de mil novecientos",
        ),
    ] {
        let parsed = Date::parse(day).unwrap();
        assert_eq!(date(Locale::English, parsed), english, "{day}");
        assert_eq!(date(Locale::Spanish, parsed), spanish, "{day}");
    }
    for text in
        ["", "2026-3-4", "2026-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "+026-01-01"]
    {
        assert_eq!(Date::parse(text), None, "{text}");
    }
}

/// Whoever hears a date or a time knows which one it is.
#[test]
fn no_two_dates_or_times_sound_alike() {
    for locale in Locale::ALL {
        let days = |year| {
            let all = (1..=12).flat_map(|month| (1..=31).map(move |day| (month, day)));
            all.filter_map(move |(month, day)| Date::new(year, month, day))
        };
        let all = || days(2028).chain((1583..=9999).flat_map(|year| Date::new(year, 7, 1)));
        let said: BTreeSet<String> = all().map(|day| date(locale, day)).collect();
        assert_eq!(said.len(), all().collect::<BTreeSet<_>>().len());

        let times: BTreeSet<String> = (0..24)
            .flat_map(|hour| (0..60).map(move |minute| (hour, minute)))
            .map(|(hour, minute)| time(locale, hour, minute).unwrap())
            .collect();
        assert_eq!(times.len(), 24 * 60);
        assert_eq!((time(locale, 24, 0), time(locale, 0, 60)), (None, None));
    }
}

#[test]
fn times_are_spoken_by_the_clock_on_the_wall() {
    for (hour, minute, english, spanish) in [
        (0, 0, "midnight", "la medianoche"),
        (0, 5, "twelve oh five in the morning", "las doce y cinco de la mañana"),
        (9, 0, "nine in the morning", "las nueve de la mañana"),
        (12, 0, "noon", "el mediodía"),
        (13, 21, "one twenty-one in the afternoon", "la una y veintiuno de la tarde"),
        (19, 45, "seven forty-five in the evening", "las siete y cuarenta y cinco de la tarde"),
        (23, 59, "eleven fifty-nine at night", "las once y cincuenta y nueve de la noche"),
    ] {
        assert_eq!(time(Locale::English, hour, minute).unwrap(), english);
        assert_eq!(time(Locale::Spanish, hour, minute).unwrap(), spanish);
    }
}

proptest! {
    #[test]
    fn an_amount_is_read_back_from_its_words(cents in prop_oneof![any::<i64>(), -300_000..300_000_i64]) {
        for locale in Locale::ALL {
            let words = money(locale, cents);
            prop_assert_eq!(read_money(&words), i128::from(cents), "{}", words);
        }
    }

    #[test]
    fn every_digit_of_a_number_is_spoken_once(number in "[+ ()0-9-]{0,24}") {
        let bare: String = number.chars().filter(char::is_ascii_digit).collect();
        let home = bare.strip_prefix('1').filter(|rest| rest.len() == 10).unwrap_or(&bare);
        for locale in Locale::ALL {
            prop_assert_eq!(read_digits(&digits(locale, &number)), &*bare);
            let words = phone(locale, &number);
            prop_assert_eq!(read_digits(&words), home);
            let is_short = |group: &str| (1..=4).contains(&group.split(' ').count());
            prop_assert!(home.is_empty() || words.split(", ").all(is_short), "{}", words);
        }
    }
}

/// The cents of an amount in words.
fn read_money(words: &str) -> i128 {
    let words = words.replace('-', " ");
    let (sign, words) = match words.strip_prefix("minus ").or(words.strip_prefix("menos ")) {
        Some(rest) => (-1, rest),
        None => (1, &*words),
    };
    let (mut cents, mut number) = (0, Vec::new());
    for word in words.split(' ') {
        match word {
            "dollar" | "dollars" | "dólar" | "dólares" => cents += 100 * read_number(&number),
            "cent" | "cents" | "centavo" | "centavos" => cents += read_number(&number),
            "and" | "con" | "de" | "y" => continue,
            word => {
                number.push(word);
                continue;
            }
        }
        number.clear();
    }
    sign * cents
}

fn read_number(words: &[&str]) -> i128 {
    // What was said below a million is a group of its own in Spanish: "mil millones".
    let (mut sum, mut group, mut part) = (0, 0, 0);
    for word in words {
        match (scale(word), *word) {
            (_, "hundred") => part *= 100,
            (Some(1_000), _) => {
                group += part.max(1) * 1_000;
                part = 0;
            }
            (Some(scale), _) => {
                sum += (group + part) * scale;
                (group, part) = (0, 0);
            }
            (None, word) => part += below_thousand(word),
        }
    }
    sum + group + part
}

fn scale(word: &str) -> Option<i128> {
    Some(match word {
        "thousand" | "mil" => 1_000,
        "million" | "millón" | "millones" => 1_000_000,
        "billion" => 1_000_000_000,
        "trillion" | "billón" | "billones" => 1_000_000_000_000,
        "quadrillion" => 1_000_000_000_000_000,
        _ => return None,
    })
}

fn below_thousand(word: &str) -> i128 {
    let rows = [
        (
            1,
            "zero one two three four five six seven eight nine ten eleven twelve thirteen \
             fourteen fifteen sixteen seventeen eighteen nineteen",
        ),
        (10, "- - twenty thirty forty fifty sixty seventy eighty ninety"),
        (
            1,
            "cero un dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce \
             quince dieciséis diecisiete dieciocho diecinueve veinte veintiún veintidós \
             veintitrés veinticuatro veinticinco veintiséis veintisiete veintiocho veintinueve",
        ),
        (10, "- - - treinta cuarenta cincuenta sesenta setenta ochenta noventa"),
        (
            100,
            "- cien doscientos trescientos cuatrocientos quinientos seiscientos setecientos \
               ochocientos novecientos",
        ),
        (100, "- ciento"),
    ];
    let find = |(unit, names): (i128, &str)| {
        names.split_whitespace().position(|name| name == word).map(|place| unit * place as i128)
    };
    rows.into_iter().find_map(find).unwrap_or_else(|| panic!("{word} is no number"))
}

fn read_digits(words: &str) -> String {
    let name = |word: &str| {
        let of = |locale| (0..10).find(|digit| digits(locale, &digit.to_string()) == word);
        Locale::ALL.into_iter().find_map(of).expect("a digit").to_string()
    };
    words.split([' ', ',']).filter(|word| !word.is_empty()).map(name).collect()
}
