//! What the masks take and what they leave (C-18, I-26, F-HU-10).

use call_core::redact::{Talk, mask_json, mask_phone, mask_tail, mask_text};
use proptest::prelude::*;

#[track_caller]
fn masks(rows: &[(&str, &str)]) {
    for (text, masked) in rows {
        assert_eq!(mask_text(text), *masked, "for {text:?}");
        assert_eq!(mask_text(masked), *masked, "a second time, for {text:?}");
    }
}

#[track_caller]
fn keeps(texts: &[&str]) {
    for text in texts {
        assert_eq!(mask_text(text), *text);
    }
}

#[test]
fn written_digits_are_masked_whatever_parts_them_c_18() {
    masks(&[
        ("My social is 123-45-6789.", "My social is [9 digits]."),
        ("card 4111 1111 1111 1111, thanks", "card [16 digits], thanks"),
        ("it is 1.2.3.4", "it is [4 digits]"),
        ("1/2/3/4/5", "[5 digits]"),
        ("1, 2, 3, 4", "[4 digits]"),
        ("call +1 (555) 010-0199 now", "call +[11 digits] now"),
        ("١٢٣٤٥ and １２３４", "[9 digits]"),
        ("loan A123456B", "loan A[6 digits]B"),
        ("in 1980", "in [4 digits]"),
        ("1,250 miles", "[4 digits] miles"),
        ("12\u{200B}34", "[4 digits]"),
    ]);
}

#[test]
fn spoken_digits_are_masked_in_both_languages_c_18() {
    masks(&[
        ("one two three four", "[4 digits]"),
        ("it's oh one nine nine ok", "it's [4 digits] ok"),
        ("cero uno dos tres, por favor", "[4 digits], por favor"),
        ("double four, triple cero", "[5 digits]"),
        ("doble cuatro uno siete", "[4 digits]"),
        ("twenty-one forty two", "[4 digits]"),
        ("veintiuno cuarenta y dos", "[4 digits]"),
        ("nineteen eighty", "[4 digits]"),
        ("mil novecientos ochenta", "[4 digits]"),
        ("twelve hundred", "[4 digits]"),
        ("five o five o", "[4 digits]"),
        ("one two three to five", "[5 digits]"),
        ("twenty one two", "[4 digits]"),
        ("five thousand two hundred and six", "[4 digits]"),
        ("UNO DOS TRES CUATRO", "[4 digits]"),
        ("diecise\u{301}is veintidós", "[4 digits]"),
    ]);
}

#[test]
fn fillers_do_not_part_a_number_c_18() {
    masks(&[
        ("one two, uh, three um four eh five", "[5 digits]"),
        ("uno dos este tres y luego cuatro", "[4 digits]"),
        ("123 and then 45 dash 6789", "[9 digits]"),
        ("12 guion 34 guión 56", "[6 digits]"),
        ("one and two and three and four", "[4 digits]"),
        ("one two three, yeah, let me see, four five six", "[6 digits]"),
        ("uno dos tres, sí, ya, cuatro cinco", "[5 digits]"),
        ("uno dos tres, sí, a ver, cuatro cinco", "[5 digits]"),
        ("it is, um, 12 34, um, okay", "it is, um, [4 digits], um, okay"),
    ]);
}

#[test]
fn languages_and_styles_mix_within_one_number_c_18() {
    masks(&[
        ("cuatro one 23, double five", "[6 digits]"),
        ("mi número es 12 thirty-four cero", "mi número es [5 digits]"),
    ]);
}

#[test]
fn dates_with_their_year_are_masked_i_26() {
    masks(&[
        ("born March 4th, 1980.", "born [date]."),
        ("3/4/1980", "[date]"),
        ("03-04-1980 it is", "[date] it is"),
        ("1980-03-04", "[date]"),
        ("12/25/80", "[date]"),
        ("four of March nineteen eighty", "[date]"),
        ("the fourth of March, nineteen eighty-four", "the [date]"),
        ("March twenty first two thousand five", "[date]"),
        ("March 4th, '80", "[date]"),
        ("el 4 de marzo de 1980", "el [date]"),
        ("cuatro de marzo de mil novecientos ochenta", "[date]"),
        ("primero de mayo del dos mil uno", "[date]"),
        ("1º de enero de 1975", "[date]"),
        ("4 de marzo del ochenta", "[date]"),
        ("DOB 3/4/1980, SSN 123-45-6789", "DOB [date], SSN [9 digits]"),
        ("3/4/1980 123 45", "[11 digits]"),
        ("I was born on March fourth.", "I was born on [date]."),
        ("nací el cuatro de marzo", "nací el [date]"),
        ("my birthday is 3/4", "my birthday is [date]"),
        ("fecha de nacimiento: 4 de marzo", "fecha de nacimiento: [date]"),
    ]);
}

#[test]
fn email_addresses_are_masked_written_and_spoken() {
    masks(&[
        ("write to maria.lopez+1980@example.com.", "write to [email]."),
        ("josé@correo.mx, y 12 34", "[email], y [4 digits]"),
        ("maria dot lopez at example dot com", "[email]"),
        ("es maria 85 arroba correo punto com punto mx", "es [email]"),
        ("at @home 5", "at @home 5"),
    ]);
}

#[test]
fn money_is_kept() {
    keeps(&[
        "$243.10",
        "US$ 1,243.10 today",
        "243 dollars",
        "1243.10 dollars",
        "two hundred forty-three dollars and ten cents",
        "doscientos cuarenta y tres dólares con diez centavos",
        "mil doscientos dólares",
        "one thousand, two hundred dollars",
        "un millón de dólares",
        "5 mil dólares",
        "between $100 and $200, or 100 and 200 dollars",
        "1.243,10 dólares",
        "1200€",
    ]);
}

#[test]
fn a_dictation_that_ends_in_dollars_is_no_amount_c_18() {
    masks(&[
        ("123 45 6789 dollars", "[9 digits] dollars"),
        ("one two three four dollars", "[4 digits] dollars"),
        ("$123456789", "$[9 digits]"),
        ("$12-34-56", "$[6 digits]"),
        ("1234 and 200 dollars", "[4 digits] and 200 dollars"),
    ]);
}

#[test]
fn times_ordinals_and_dates_without_a_year_are_kept() {
    keeps(&[
        "3:30 pm",
        "at 10:30 a.m. or at 11:45 PM",
        "ten thirty pm",
        "a las 10:45 de la mañana",
        "at 10:30",
        "March third",
        "the 5th and the 21st",
        "March 5, 10:30 am",
        "March 15, $200",
        "March 15, 200 dollars",
        "el 5 de marzo",
        "twenty-first of May",
    ]);
}

#[test]
fn small_numbers_and_words_that_look_like_digits_are_kept() {
    keeps(&[
        "",
        "I won, no one of them was for you to see.",
        "two hundred forty-three",
        "between 10 and 15 days",
        "entre diez y quince días",
        "en 10 o 15 días",
        "dos o tres veces",
        "mil gracias",
        "nine to five",
        "from 3 to 5 for 12 months",
        "123",
        "¿Uno? Sí, una cuenta.",
        "once upon a time",
        "日本語 ß İ \u{301}",
    ]);
}

#[test]
fn masks_are_left_alone() {
    keeps(&["[9 digits] 123", "****5678", "+1******0199", "[date] [email] [999 digits]"]);
}

#[test]
fn a_number_split_by_a_mask_is_two_numbers() {
    masks(&[("12 a@b.com 34", "12 [email] 34")]);
}

/// C-18, F-HU-10: turn by turn, the caller's and the agent's.
#[test]
fn a_number_that_is_dictated_over_several_turns_is_masked() {
    let dictations: [&[(&str, &str)]; 6] = [
        &[
            ("My social is one two three.", "My social is one two three."),
            ("agent: Uh-huh.", "Uh-huh."),
            ("Four five.", "[2 digits]."),
            ("agent: And the rest?", "And the rest?"),
            ("Uh, six seven eight nine, thank you.", "Uh, [4 digits], thank you."),
            ("I have 2 loans and 3 questions.", "I have 2 loans and 3 questions."),
        ],
        &[("12", "12"), ("3", "3"), ("4", "[1 digits]"), ("mm-hmm", "mm-hmm"), ("5", "[1 digits]")],
        &[
            ("Son cuatro cuatro", "Son cuatro cuatro"),
            ("agent: Ajá.", "Ajá."),
            ("y los últimos son doble cinco uno", "y los últimos son [3 digits]"),
        ],
        &[
            ("agent: That was one two three,", "That was one two three,"),
            ("agent: four five six.", "[3 digits]."),
            ("Yes. What do I owe?", "Yes. What do I owe?"),
        ],
        &[
            ("agent: What is your date of birth?", "What is your date of birth?"),
            ("March fourth.", "[date]."),
            ("agent: And the year?", "And the year?"),
            ("Nineteen eighty. I can pay on March fifth.", "[4 digits]. I can pay on March fifth."),
        ],
        &[
            ("I can pay 50", "I can pay 50"),
            ("no wait, I can pay 200 dollars", "no wait, I can pay 200 dollars"),
            ("or 250 in March", "or 250 in March"),
        ],
    ];
    for turns in dictations {
        let mut talk = Talk::default();
        for (said, masked) in turns {
            let told = match said.strip_prefix("agent: ") {
                Some(said) => talk.agent(said),
                None => talk.caller(said),
            };
            assert_eq!(told, *masked, "in {turns:?}");
        }
    }
}

/// What a company says of its hours and its address is no number in pieces; what is dictated is.
#[test]
fn hours_begin_no_number_and_an_address_goes_on_with_none() {
    let kept = [
        ["We are open from eight to six.", "Twelve Main Street."],
        ["We are open from nine to twelve.", "Two of us speak Spanish."],
        ["We close at five thirty.", "Sixteen persons work here."],
        ["Abrimos de nueve a doce.", "Dieciséis personas trabajan aquí."],
        ["There are two or three.", "24 North Fifth Avenue."],
        ["It is open from 8 to 18", "12 persons work here."],
    ];
    for turns in kept {
        let mut talk = Talk::default();
        assert_eq!(turns.map(|turn| talk.agent(turn)), turns);
        let mut talk = Talk::default();
        assert_eq!(turns.map(|turn| talk.caller(turn)), turns);
    }
    let masked = [
        (["It is eight to six.", "Twelve, thank you."], "[2 digits], thank you."),
        (["My number is five thirty.", "Sixteen four."], "[3 digits]."),
        (
            ["It is one two three.", "Twelve. Main Street is where I live."],
            "[2 digits]. Main Street is where I live.",
        ),
        (["It goes on from eight to six four.", "Twelve."], "[2 digits]."),
    ];
    for ([first, second], expected) in masked {
        let mut talk = Talk::default();
        talk.caller(first);
        assert_eq!(talk.caller(second), expected, "behind {first:?}");
    }
}

#[test]
fn an_endless_run_does_not_count_in_four_digits() {
    assert_eq!(mask_text(&"7".repeat(5_000)), "[999 digits]");
}

#[test]
fn the_reader_of_these_tests_reads_what_is_said() {
    let read = read_digits("one 23, doble cuatro uh forty-two; cuarenta y dos once [9 digits] ٥");
    assert_eq!(read, "12344424211|5|");
}

#[test]
fn a_phone_keeps_its_ends() {
    assert_eq!(mask_phone("+15550100199"), "+1******0199");
    assert_eq!(mask_phone("+1 (555) 010-0199"), "+1******0199");
    for number in
        ["", "+", "+123456", "15550100199", "+1555CALLNOW", "+１５５５０１００１９９", "+1 2 3 4 5"]
    {
        assert_eq!(mask_phone(number), "[number]", "for {number:?}");
    }
}

#[test]
fn a_tail_keeps_what_was_asked_and_never_more_than_half_c_18() {
    for (number, keep, masked) in [
        ("0012345678", 4, "****5678"),
        ("12345678", 4, "****5678"),
        ("12345678", 8, "****5678"),
        ("1234567", 4, "****67"),
        ("1234", 4, "****34"),
        ("123", 2, "****3"),
        ("1", 4, "****"),
        ("", 4, "****"),
        ("LN-1234-5678", 4, "****5678"),
        ("0012345678", 0, "****"),
    ] {
        assert_eq!(mask_tail(number, keep), masked, "for {number:?}");
    }
}

#[test]
fn json_keeps_its_shape_and_loses_its_digits_i_26() {
    let json = r#" {"a": ["one two three four", 12, 1234, -1.2345, true, null],
        "n_cents": 24310, "due_cents":"24310",
        "nested":{"ssn":"\u0031\u0032\u0033-45-6789","note":"caf\u00e9"},
        "1234":"$5" , "e":{}, "f":[ ] } "#;
    let masked = r#" {"a": ["[4 digits]", "[2 digits]", "[4 digits]", "[5 digits]", true, null],
        "n_cents": 24310, "due_cents":"[5 digits]",
        "nested":{"ssn":"[9 digits]","note":"caf\u00e9"},
        "1234":"$5" , "e":{}, "f":[ ] } "#;
    assert_eq!(mask_json(json), masked);
    assert_eq!(mask_json(masked), masked);
    assert_eq!(mask_json("123456789"), r#""[9 digits]""#);
    assert_eq!(mask_json(r#""a\"b\n1234 \ud83d\ude00""#), "\"a\\\"b\\u000a[4 digits] 😀\"");
}

/// C-18, I-26: a number whose digits or groups stand in an array, and a birthday by its key.
#[test]
fn json_that_parts_a_number_or_a_date_of_birth_is_masked() {
    for (json, masked) in [
        (r#"[1,0,0,2,3,4]"#, r#"[1,0,0,"[1 digits]","[1 digits]","[1 digits]"]"#),
        (r#"["123","45","6789"]"#, r#"["123","[2 digits]","[4 digits]"]"#),
        (r#"{"a":["12"],"b":["34"],"c":56}"#, r#"{"a":["12"],"b":["34"],"c":56}"#),
        (r#"{"date_of_birth":"March 4"}"#, r#"{"date_of_birth":"[date]"}"#),
        (r#"{"DOB":"4/3","due":"March 4"}"#, r#"{"DOB":"[date]","due":"March 4"}"#),
    ] {
        assert_eq!(mask_json(json), masked);
        assert_eq!(mask_json(masked), masked);
    }
}

#[test]
fn what_is_not_json_is_unreadable() {
    let deep = "[".repeat(100_000);
    for text in [
        "",
        " ",
        "{",
        "}",
        "[1,]",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "\"",
        "\"\\x\"",
        "01",
        "1.",
        "-",
        "1 2",
        "nul",
        "[1 2]",
        "\"\n\"",
        "\"\\u12\"",
        "1e",
        "+1",
        "١٢٣٤",
        &deep,
    ] {
        assert_eq!(mask_json(text), "\"[unreadable]\"", "for {:?}", &text[..text.len().min(20)]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn no_dictated_number_survives_c_18_f_hu_10(
        (digits, said) in dictation(),
        (before, after) in prop::sample::select(SENTENCES),
    ) {
        let text = format!("{before}{said}{after}");
        let masked = mask_text(&text);
        let left = read_digits(&masked);
        for four in digits.as_bytes().windows(4) {
            let four = std::str::from_utf8(four).unwrap();
            prop_assert!(!left.contains(four), "{four} is left of {text:?}: {masked:?}");
        }
    }

    /// What is left of it are the first three digits, as of any number that is no longer.
    #[test]
    fn no_number_that_is_split_over_turns_survives_c_18_f_hu_10(
        (_, said) in dictation(),
        words in 1..4_usize,
        agent in prop::sample::select(&["Uh-huh.", "Yes, go on.", "Ajá, ¿y luego?", "One moment."][..]),
    ) {
        let mut talk = Talk::default();
        let mut left = String::new();
        let all: Vec<&str> = said.split_whitespace().collect();
        for turn in all.chunks(words) {
            left += &read_digits(&talk.caller(&turn.join(" ")));
            talk.agent(agent);
        }
        let left = left.replace('|', "");
        prop_assert!(left.len() <= 3, "{left} is left of {said:?} in turns of {words}");
    }

    #[test]
    fn any_text_can_be_masked_and_a_second_time_changes_nothing(text in any::<String>()) {
        let once = mask_text(&text);
        prop_assert_eq!(mask_text(&once), once);
    }

    #[test]
    fn any_talk_about_numbers_can_be_masked_and_a_second_time_changes_nothing(text in talk()) {
        let once = mask_text(&text);
        prop_assert_eq!(mask_text(&once), once);
    }

    #[test]
    fn masked_json_is_json_with_the_same_keys(value in json()) {
        let masked: serde_json::Value = serde_json::from_str(&mask_json(&value.to_string()))?;
        prop_assert_eq!(keys(&masked), keys(&value));
    }

    #[test]
    fn json_is_unreadable_exactly_when_a_parser_refuses_it(
        text in prop::collection::vec(prop::sample::select(JSON_BITS), 0..8),
    ) {
        let text = text.concat();
        let parsed = serde_json::from_str::<serde_json::Value>(&text);
        let refused = parsed.is_err_and(|error| !error.to_string().contains("out of range"));
        prop_assert_eq!(mask_json(&text) == "\"[unreadable]\"", refused, "for {}", text);
    }
}

const SENTENCES: &[(&str, &str)] = &[
    ("", ""),
    ("My number is ", ", thanks."),
    ("mi cuenta es ", " por favor"),
    ("Sure. It's ", " and that is all of it"),
    ("I pay $20 from ", " on March third"),
    ("(", ")"),
];

const SEPARATORS: &[&str] = &[
    " ",
    " ",
    "  ",
    "-",
    " - ",
    ".",
    ". ",
    "/",
    ", ",
    " uh ",
    ", um, ",
    " eh ",
    " este ",
    " and then ",
    " y luego ",
    " dash ",
    " guion ",
];

const ENGLISH: [&str; 10] =
    ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const SPANISH: [&str; 10] =
    ["cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"];
const ENGLISH_TEENS: [&str; 10] = [
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
const SPANISH_TEENS: [&str; 20] = [
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
const ENGLISH_TENS: [&str; 8] =
    ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const SPANISH_TENS: [&str; 8] =
    ["veinte", "treinta", "cuarenta", "cincuenta", "sesenta", "setenta", "ochenta", "noventa"];

/// A digit string and one way to dictate it.
fn dictation() -> impl Strategy<Value = (String, String)> {
    let choices = prop::collection::vec((0..12_usize, 0..SEPARATORS.len()), 19);
    (prop::collection::vec(0..10_u8, 4..=19), choices).prop_map(|(digits, choices)| {
        let mut said = String::new();
        let mut rest = &digits[..];
        for (style, separator) in choices {
            let (chunk, taken) = say(rest, style);
            said.push_str(&chunk);
            rest = &rest[taken..];
            if rest.is_empty() {
                break;
            }
            said.push_str(SEPARATORS[separator]);
        }
        (digits.iter().map(ToString::to_string).collect(), said)
    })
}

/// Says the first digits in one style, and how many it said.
fn say(digits: &[u8], style: usize) -> (String, usize) {
    let first = usize::from(digits[0]);
    let same = digits.iter().take(3).take_while(|digit| **digit == digits[0]).count();
    let pair = digits.get(1).map(|second| first * 10 + usize::from(*second));
    let figures = |zero: char, count: usize| {
        let taken = &digits[..count.min(digits.len())];
        let figure =
            |digit: &u8| char::from_u32(zero as u32 + u32::from(*digit)).expect("ten in a row");
        (taken.iter().map(figure).collect::<String>(), taken.len())
    };
    match (style, pair) {
        (0, _) => (ENGLISH[first].to_owned(), 1),
        (1, _) => (SPANISH[first].to_owned(), 1),
        (2, _) if first == 0 => ("oh".to_owned(), 1),
        (3, Some(pair @ 10..=19)) => (ENGLISH_TEENS[pair - 10].to_owned(), 2),
        (3 | 4, Some(pair @ 20..)) => (english_pair(pair, style == 3), 2),
        (5 | 6, Some(pair @ 10..30)) => (SPANISH_TEENS[pair - 10].to_owned(), 2),
        (5 | 6, Some(pair @ 30..)) => (spanish_pair(pair), 2),
        (7, _) if same == 2 => (format!("double {}", ENGLISH[first]), 2),
        (7, _) if same == 3 => (format!("triple {}", SPANISH[first]), 3),
        (8, _) if same >= 2 => (format!("doble {}", SPANISH[first]), 2),
        (9, _) => figures('０', 3),
        (10, _) => figures('٠', 2),
        (11, _) => figures('0', 5),
        (style, _) => figures('0', style % 3 + 1),
    }
}

fn english_pair(pair: usize, hyphen: bool) -> String {
    let tens = ENGLISH_TENS[pair / 10 - 2];
    match pair % 10 {
        0 => tens.to_owned(),
        unit if hyphen => format!("{tens}-{}", ENGLISH[unit]),
        unit => format!("{tens} {}", ENGLISH[unit]),
    }
}

fn spanish_pair(pair: usize) -> String {
    let tens = SPANISH_TENS[pair / 10 - 2];
    match pair % 10 {
        0 => tens.to_owned(),
        unit => format!("{tens} y {}", SPANISH[unit]),
    }
}

/// Reads every digit that a listener could write down, past any other word. A mask ends a number.
fn read_digits(text: &str) -> String {
    let mut read = String::new();
    let mut times = 1;
    for part in text.split('[') {
        let part = part.split_once(']').map_or(part, |(_, after_mask)| after_mask);
        let words: Vec<&str> = part.split(|c: char| !c.is_alphanumeric()).collect();
        let mut at = 0;
        while at < words.len() {
            let (digits, taken) = read_word(&words[at..]);
            read.push_str(&digits.repeat(times));
            times = match words[at] {
                "double" | "doble" => 2,
                "triple" => 3,
                _ => 1,
            };
            at += taken;
        }
        read.push('|');
    }
    read
}

fn read_word(words: &[&str]) -> (String, usize) {
    let place = |table: &[&str], word: &str| table.iter().position(|known| *known == word);
    let unit = |word: &str| place(&ENGLISH, word).or(place(&SPANISH, word));
    let figures: String = words[0].chars().filter_map(figure).collect();
    if !figures.is_empty() {
        return (figures, 1);
    }
    if words[0] == "oh" {
        return ("0".to_owned(), 1);
    }
    if let Some(digit) = unit(words[0]) {
        return (digit.to_string(), 1);
    }
    if let Some(tens) = place(&ENGLISH_TENS, words[0]).or(place(&SPANISH_TENS, words[0])) {
        let after = usize::from(words.get(1) == Some(&"y")) + 1;
        let digit = words.get(after).and_then(|word| unit(word)).filter(|digit| *digit > 0);
        let taken = digit.map_or(1, |_| after + 1);
        return (((tens + 2) * 10 + digit.unwrap_or(0)).to_string(), taken);
    }
    let teen = place(&ENGLISH_TEENS, words[0]).or(place(&SPANISH_TEENS, words[0]));
    (teen.map_or(String::new(), |teen| (teen + 10).to_string()), 1)
}

fn figure(c: char) -> Option<char> {
    let zero =
        ['0', '０', '٠'].into_iter().find(|zero| (0..10).contains(&(c as i32 - *zero as i32)))?;
    char::from_digit(c as u32 - zero as u32, 10)
}

/// Words, figures and marks that matter to a mask, in any order.
fn talk() -> impl Strategy<Value = String> {
    const BITS: &str = "one two uno dos once o oh a un forty cuarenta y and hundred ciento mil \
        thousand million double triple to for uh dot punto at arroba com maria March marzo third \
        de of dollars centavos pm p.m. 1980 80 4 12 123 5th twenty nineteen [4_digits] [date] \
        ****1234 [ ] @ $ ¢ : . , - / ' ٣ ½ \u{301} a@b.co mañana la in the morning";
    let bits: Vec<String> = BITS.split(' ').map(|bit| bit.replace('_', " ")).collect();
    let gaps = prop::sample::select(&["", " ", " ", " ", ", ", "-"][..]);
    let bit = (prop::sample::select(bits), gaps);
    prop::collection::vec(bit, 0..24)
        .prop_map(|bits| bits.iter().map(|(word, gap)| format!("{word}{gap}")).collect())
}

const JSON_BITS: &[&str] = &[
    "{", "}", "[", "]", ",", ":", "\"a\"", "\"", "\\", "1", "-", ".5", "e3", "true", "null", " ",
    "\"1\":", "\\u0031", "{\"b\":", "0",
];

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
        talk().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::vec((any::<String>(), inner), 0..4)
                .prop_map(|pairs| serde_json::Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn keys(value: &serde_json::Value) -> Vec<String> {
    match value {
        serde_json::Value::Array(items) => items.iter().flat_map(keys).collect(),
        serde_json::Value::Object(map) => {
            map.iter().flat_map(|(key, item)| [vec![key.clone()], keys(item)].concat()).collect()
        }
        _ => Vec::new(),
    }
}
