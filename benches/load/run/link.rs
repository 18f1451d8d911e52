//! A socket that never blocks, in memory that is used again.

use std::io::{self, Read as _, Write as _};

use mio::net::TcpStream;

use super::wire::{self, Opcode, Side};

/// One connection. What cannot be written waits here.
pub(crate) struct Link {
    socket: TcpStream,
    side: Side,
    /// Read, and not a whole message yet.
    unread: Vec<u8>,
    unwritten: Vec<u8>,
}

impl Link {
    /// A link that speaks as this side.
    pub(crate) fn new(socket: TcpStream, side: Side) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        Ok(Self { socket, side, unread: Vec::new(), unwritten: Vec::new() })
    }

    pub(crate) fn socket(&mut self) -> &mut TcpStream {
        &mut self.socket
    }

    /// Takes what has come out of the socket, with what was left of the last time. Give back what
    /// is not whole. Nothing when the other side is gone. `is_closed`: the event says that it is.
    pub(crate) fn take(&mut self, scratch: &mut [u8], is_closed: bool) -> Option<Vec<u8>> {
        loop {
            match self.socket.read(scratch) {
                Ok(0) => return None,
                Ok(length) => {
                    self.unread.extend_from_slice(&scratch[..length]);
                    // A socket that gave less than was asked for is empty, and says so when more
                    // comes: asking again would be a system call for nothing. The other side's end is
                    // told of with its last bytes, and not again.
                    if length < scratch.len() && !is_closed {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
        Some(std::mem::take(&mut self.unread))
    }

    /// Puts back what was taken, without its first bytes.
    pub(crate) fn give_back(&mut self, mut taken: Vec<u8>, done: usize) {
        taken.drain(..done);
        self.unread = taken;
    }

    /// Puts a message behind what waits.
    pub(crate) fn queue(&mut self, opcode: Opcode, payload: &[u8]) {
        wire::push(&mut self.unwritten, self.side, opcode, payload);
    }

    /// Puts bytes of a handshake behind what waits.
    pub(crate) fn queue_bytes(&mut self, bytes: &[u8]) {
        self.unwritten.extend_from_slice(bytes);
    }

    /// Writes as much as the socket takes. The rest is written when it says that it takes more.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        while !self.unwritten.is_empty() {
            match self.socket.write(&self.unwritten) {
                Ok(length) if length == self.unwritten.len() => self.unwritten.clear(),
                Ok(length) => drop(self.unwritten.drain(..length)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_early(error.kind()) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The socket is full, or not connected yet.
fn is_early(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected)
}
