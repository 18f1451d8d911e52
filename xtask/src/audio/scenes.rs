//! What is heard in the recordings of difficult callers. Levels are root mean squares, in decibels
//! below full scale; a caller who speaks alone is at -20.

use anyhow::Result;

use super::{
    Studio,
    noises::{cough as one_cough, keys, line},
    sound::Sound,
};

/// The voice of the callers.
const ENGLISH: &str = "en-us";
const SPANISH: &str = "es-419";

/// Two coughs, the second one softer; the right channel is further away.
pub(super) fn cough(_: &Studio) -> Result<Vec<Sound>> {
    let first = one_cough(1).level(-18.0).then(&Sound::silence(120));
    let both = first.then(&one_cough(2).level(-24.0)).between(40, 40);
    Ok(vec![both.clone(), both.louder(-6.0)])
}

/// "Mm-hmm", on both channels.
pub(super) fn mm_hmm(studio: &Studio) -> Result<Vec<Sound>> {
    let hum = studio.speak(ENGLISH, 150, "[[m'mh'm:]]")?.level(-20.0).between(60, 60);
    Ok(vec![hum.clone(), hum])
}

/// "Ajá", which is "mm-hmm" in Spanish.
pub(super) fn aja(studio: &Studio) -> Result<Vec<Sound>> {
    Ok(vec![studio.speak(SPANISH, 150, "Ajá.")?.level(-20.0).between(60, 60)])
}

/// Nobody, on a bad line.
pub(super) fn line_noise(_: &Studio) -> Result<Vec<Sound>> {
    Ok(vec![line(4_000, 3).level(-40.0)])
}

/// Four people of a programme who never stop, through a wall.
pub(super) fn television(studio: &Studio) -> Result<Vec<Sound>> {
    let cast = [
        (
            "en-us+m3",
            175,
            "It will be sunny over the bay on Monday, and rain is on its way from the north.",
        ),
        (
            "en-gb+f2",
            190,
            "Stay with us, because after the break we meet the baker who won three times in a row.",
        ),
        (
            "en-us+f4",
            165,
            "Now, what would you say if I told you that all this can be yours for half the price?",
        ),
        (
            "en-us+m7",
            180,
            "The home side is in front again, two minutes to go, and listen to that crowd!",
        ),
    ];
    let mut programme = Sound::silence(0);
    for (voice, words_per_minute, text) in cast {
        let spoken = studio.speak(voice, words_per_minute, text)?.level(-20.0);
        programme = programme.over(&spoken.lasting(6_000));
    }
    Ok(vec![programme.below(2_200.0).level(-30.0)])
}

/// Somebody else in the room, alone.
pub(super) fn second_voice(studio: &Studio) -> Result<Vec<Sound>> {
    let voice = studio.speak("en-us+f3", 170, "Who is that? Is it the bank again?")?;
    Ok(vec![voice.below(2_600.0).level(-28.0).between(60, 60)])
}

/// A question on a bad line, at 15 dB above its noise.
pub(super) fn hours_line_noise(studio: &Studio) -> Result<Vec<Sound>> {
    let question = studio.speak(ENGLISH, 160, "What are your hours?")?.level(-20.0);
    Ok(vec![on_a_bad_line(question, -35.0, 4)])
}

/// The same in Spanish. Each channel has noise of its own, which is softer when they are mixed.
pub(super) fn horario_ruido(studio: &Studio) -> Result<Vec<Sound>> {
    let question = studio.speak(SPANISH, 160, "¿Cuál es su horario?")?.level(-20.0);
    let left = on_a_bad_line(question.clone(), -35.0, 5);
    Ok(vec![left, on_a_bad_line(question, -35.0, 6)])
}

/// A request, while somebody else in the room speaks, 14 dB softer: from the left is the caller,
/// from the right the other one.
pub(super) fn terms_second_voice(studio: &Studio) -> Result<Vec<Sound>> {
    let caller = studio.speak(ENGLISH, 160, "Please read me the payoff terms.")?.level(-20.0);
    let other = studio.speak("en-us+f3", 170, "Ask them about the letter they sent.")?;
    let caller = caller.between(300, 400);
    let other = other.below(2_600.0).level(-34.0).between(500, 0);
    Ok(vec![caller.clone().over(&other.clone().louder(-6.0)), caller.louder(-6.0).over(&other)])
}

/// A caller who keys in a loan number in the middle of a sentence: tones in the sound, of which the
/// carrier makes no keys.
pub(super) fn number_keypad(studio: &Studio) -> Result<Vec<Sound>> {
    let before = studio.speak(ENGLISH, 160, "Here is my loan number.")?.level(-20.0);
    let after = studio.speak(ENGLISH, 160, "Did you get that?")?.level(-20.0);
    let keyed = before.then(&keys("100234").between(250, 200)).then(&after);
    Ok(vec![keyed.between(300, 400)])
}

/// A sentence between two silences, with noise of this level under all of it.
fn on_a_bad_line(sentence: Sound, noise: f64, seed: u64) -> Sound {
    let sentence = sentence.between(300, 400);
    let noise = line(sentence.duration_ms(), seed).level(noise);
    sentence.over(&noise)
}
