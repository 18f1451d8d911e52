//! G.711 µ-law, the coding of a telephone line: 8,000 samples a second, one byte each.
//!
//! ```
//! use sim::audio::mulaw;
//!
//! assert_eq!(mulaw::encode(0), mulaw::SILENCE);
//! assert_eq!(mulaw::decode(mulaw::encode(1_000)), 988); // eight bits are not sixteen
//! ```

/// The code of digital silence: a sample of zero.
pub const SILENCE: u8 = 0xFF;

/// The 16-bit sample that a µ-law code stands for.
pub const fn decode(code: u8) -> i16 {
    DECODED[code as usize]
}

/// The µ-law code of the step that a 16-bit sample falls on; louder than the scale is clipped.
pub const fn encode(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let loudness = sample.unsigned_abs();
    let loudness = if loudness > CLIP { CLIP } else { loudness } + BIAS;
    // The bias lifts every sample to eight bits at least, so the segment is never below zero.
    let segment = 8 - loudness.leading_zeros() as u16;
    let step = (loudness >> (segment + 3)) & 0x0F;
    !(sign | ((segment << 4) | step) as u8)
}

/// Added to a loudness before it is coded, so that every segment starts at a power of two.
const BIAS: u16 = 0x84;

/// The loudest sample that the scale can hold.
const CLIP: u16 = 32_635;

const DECODED: [i16; 256] = {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        let bits = !(code as u8);
        let segment = (bits >> 4) & 0x07;
        let step = (bits & 0x0F) as u16;
        let loudness = (((step << 3) + BIAS) << segment) - BIAS;
        table[code] = if bits & 0x80 == 0 { loudness as i16 } else { -(loudness as i16) };
        code += 1;
    }
    table
};
