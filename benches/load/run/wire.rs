//! The little of WebSocket (RFC 6455) that both ends of a load run need: whole, short messages, no
//! extensions. Their cost must not hide the cost of what is measured.

use std::ops::Range;

use anyhow::{Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opcode {
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

/// Which end of a connection speaks. Clients mask what they send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Client,
    Server,
}

/// A whole frame at the front of what was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) opcode: Opcode,
    /// Where its payload lies, unmasked by now.
    pub(crate) payload: Range<usize>,
}

/// The next frame; nothing while it is not whole.
///
/// # Errors
/// When it is none that this end takes.
pub(crate) fn next(bytes: &mut [u8]) -> Result<Option<Frame>> {
    let &[first, second, ..] = &*bytes else { return Ok(None) };
    ensure!(first & 0xF0 == 0x80, "a frame is a fragment or uses an extension");
    let opcode = match first & 0x0F {
        1 => Opcode::Text,
        2 => Opcode::Binary,
        8 => Opcode::Close,
        9 => Opcode::Ping,
        10 => Opcode::Pong,
        other => anyhow::bail!("a frame has the unknown opcode {other}"),
    };
    let (length, mut at) = match second & 0x7F {
        126 => match bytes.get(2..4) {
            Some(long) => (usize::from(u16::from_be_bytes([long[0], long[1]])), 4),
            None => return Ok(None),
        },
        127 => anyhow::bail!("a frame is longer than any of a call's"),
        short => (usize::from(short), 2),
    };
    let mask = if second & 0x80 == 0 {
        None
    } else {
        let Some(&[a, b, c, d]) = bytes.get(at..at + 4) else { return Ok(None) };
        at += 4;
        Some([a, b, c, d])
    };
    let payload = at..at + length;
    let Some(body) = bytes.get_mut(payload.clone()) else { return Ok(None) };
    if let Some(mask) = mask {
        apply(mask, body);
    }
    Ok(Some(Frame { opcode, payload }))
}

/// Appends a frame.
pub(crate) fn push(out: &mut Vec<u8>, side: Side, opcode: Opcode, payload: &[u8]) {
    let opcode = match opcode {
        Opcode::Text => 1,
        Opcode::Binary => 2,
        Opcode::Close => 8,
        Opcode::Ping => 9,
        Opcode::Pong => 10,
    };
    let masked = if side == Side::Client { 0x80 } else { 0 };
    out.push(0x80 | opcode);
    match payload.len() {
        short @ 0..=125 => out.push(masked | short as u8),
        long => {
            out.push(masked | 126);
            out.extend((long as u16).to_be_bytes());
        }
    }
    if side == Side::Client {
        out.extend(MASK);
    }
    let at = out.len();
    out.extend(payload);
    if side == Side::Client {
        apply(MASK, &mut out[at..]);
    }
}

/// Nobody is between the two ends, so the mask need not be drawn anew.
const MASK: [u8; 4] = [0x5A, 0xC3, 0x17, 0x8E];

fn apply(mask: [u8; 4], body: &mut [u8]) {
    let mut words = body.chunks_exact_mut(4);
    let word = u32::from_ne_bytes(mask);
    for part in &mut words {
        let plain = u32::from_ne_bytes([part[0], part[1], part[2], part[3]]) ^ word;
        part.copy_from_slice(&plain.to_ne_bytes());
    }
    for (byte, mask) in words.into_remainder().iter_mut().zip(mask) {
        *byte ^= mask;
    }
}

/// The head of an HTTP message at the front of what was read, with its blank line.
pub(crate) fn head(bytes: &[u8]) -> Option<&str> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    str::from_utf8(&bytes[..end]).ok()
}

/// A field of an HTTP head; empty when it has none.
pub(crate) fn field<'a>(head: &'a str, name: &str) -> &'a str {
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    let mut named = fields.filter(|(found, _)| found.eq_ignore_ascii_case(name));
    named.next().map_or("", |(_, value)| value.trim())
}

/// Asks for an upgrade. `more` are whole header lines.
pub(crate) fn upgrade(host: &str, path: &str, more: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
    )
}

/// Grants an upgrade that was asked for with this head.
pub(crate) fn switch(head: &str) -> String {
    let key = field(head, "Sec-WebSocket-Key");
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    let accept = STANDARD.encode(digest);
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    )
}

/// RFC 6455, section 1.3.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_as_it_was_written_and_not_before_it_is_whole() {
        for side in [Side::Client, Side::Server] {
            for length in [0, 5, 125, 126, 700] {
                let payload: Vec<u8> = (0..length).map(|n| n as u8).collect();
                let mut out = Vec::new();
                push(&mut out, side, Opcode::Text, &payload);
                for cut in 0..out.len() {
                    assert_eq!(next(&mut out[..cut].to_vec()).unwrap(), None, "{cut} bytes");
                }
                let frame = next(&mut out).unwrap().unwrap();
                assert_eq!((frame.opcode, &out[frame.payload]), (Opcode::Text, &payload[..]));
            }
        }
    }

    /// The example of RFC 6455.
    #[test]
    fn an_upgrade_is_granted_with_the_key_that_it_was_asked_for() {
        let asked = upgrade("127.0.0.1:80", "/", "");
        assert_eq!(head(asked.as_bytes()), Some(asked.as_str()));
        let granted = switch(&asked);
        assert_eq!(field(&granted, "sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
