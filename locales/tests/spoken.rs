//! Amounts and digits in words, in both languages.

use locales::Locale;
use locales::spoken::{digits, money};

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
#[should_panic(expected = "not negative")]
fn a_negative_amount_is_refused() {
    money(Locale::English, -1);
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
