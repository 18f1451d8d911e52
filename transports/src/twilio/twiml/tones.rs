use std::fmt;

/// The most signs of one sequence, pauses included. Twilio names no limit for `<Play digits>`; this
/// is the one that it has for digits sent when a call is made.
pub const TONES_MAX: usize = 32;

/// A sequence of telephone keys to be played, and pauses between them. Account numbers are keyed in
/// this way, so it does not print.
///
/// `0` to `9`, `*` and `#` are keys, and `w` is a pause of half a second (Twilio documentation, Play,
/// attribute `digits`). Nothing else is passed on (F-TR-11).
#[derive(Clone, PartialEq, Eq)]
pub struct Tones(String);

impl Tones {
    /// Reads a sequence: at least one key, at most [`TONES_MAX`] signs, and no others. Nothing for
    /// any other text.
    ///
    /// ```
    /// use call_transports::twilio::twiml::Tones;
    ///
    /// assert_eq!(Tones::parse("1ww55#").map(|tones| tones.keys()), Some(4));
    /// assert_eq!(Tones::parse("1,2"), None);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let known = |sign: u8| sign == b'w' || is_key(sign);
        let sound = (1..=TONES_MAX).contains(&text.len())
            && text.bytes().all(known)
            && text.bytes().any(is_key);
        sound.then(|| Self(text.to_owned()))
    }

    /// How many keys there are, pauses not counted.
    #[must_use]
    pub fn keys(&self) -> u32 {
        self.0.bytes().map(|sign| u32::from(is_key(sign))).sum()
    }

    /// The signs in clear. Each call of this is a place where personal data is used on purpose.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Tones {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "«{} tones»", self.keys())
    }
}

const fn is_key(sign: u8) -> bool {
    matches!(sign, b'0'..=b'9' | b'*' | b'#')
}
