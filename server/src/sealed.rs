//! Values that identify a caller, encrypted at rest.
//!
//! A sealed value opens with its key at its place only: the table, column, row and company that it was
//! sealed for are authenticated with it, so a value that was moved to another row, or to another
//! company's, does not open. The cipher is XChaCha20-Poly1305, whose nonces are long enough to be drawn
//! at random.
//!
//! What is sealed differently each time cannot be looked for. A [`BlindIndex`] can: a keyed hash that is
//! the same for the same value of one company, and tells nothing to whoever has no key. Companies have
//! different ones for the same value, so nobody sees from the tables whom they both know.
//!
//! Keys have names, so that they can be replaced: the first one seals, and all of them open.

use std::fmt;
use std::sync::Arc;

use chacha20poly1305::aead::{Aead as _, Generate as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use secrecy::{ExposeSecret as _, SecretBox, SecretString};
use sha2::Sha256;

/// The keys that data is sealed with. Prints their names only.
#[derive(Clone)]
pub struct DataKeys {
    /// The first one seals. There is one at least.
    keys: Arc<[DataKey]>,
}

struct DataKey {
    id: String,
    cipher: XChaCha20Poly1305,
    /// What companies' keys for indexes are derived from.
    index: SecretBox<[u8; KEY_BYTES]>,
}

/// Where a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The table.
    pub table: &'a str,
    /// The column.
    pub column: &'a str,
    /// The row, by its primary key.
    pub row: &'a str,
    /// Whose row it is: the company's short name.
    pub company: &'a str,
}

/// A value that only a key opens.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The name of the key.
    pub key_id: String,
    /// Nonce and ciphertext, in hexadecimal.
    pub text: String,
}

/// What a value can be looked for by, in hexadecimal.
#[derive(Clone, PartialEq, Eq)]
pub struct BlindIndex(String);

/// Why a sealed value stays closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// None of our keys has the name of the one that sealed it.
    #[error("is sealed with the key `{0}`, which DATA_KEYS does not hold")]
    NoKey(String),
    /// It was changed, was sealed for another place, or the key of this name is another one.
    #[error("does not open: it was changed or moved, or its key is another one of the same name")]
    Spoilt,
}

/// What is wrong with a list of keys. Names a key by its place, never by what was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be keys as name:64 hexadecimal digits, with commas between them; number {place} {what}"
)]
pub struct Fault {
    /// Which key, from 1.
    pub place: usize,
    /// What is wrong with it.
    pub what: &'static str,
}

impl DataKeys {
    /// Reads keys, `name:64 hexadecimal digits`, with commas between them. The first one seals.
    ///
    /// # Errors
    /// [`Fault`] names the first key that is wrong.
    pub fn parse(text: &SecretString) -> Result<Self, Fault> {
        let mut keys: Vec<DataKey> = Vec::new();
        for (before, text) in text.expose_secret().split(',').enumerate() {
            let fault = |what| Fault { place: before + 1, what };
            let (id, digits) = text.trim().split_once(':').ok_or(fault("has no name"))?;
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            if !(1..=ID_BYTES_MAX).contains(&id.len()) || !id.chars().all(plain) {
                return Err(fault(
                    "has a name other than 1 to 16 small letters, digits or hyphens",
                ));
            }
            if keys.iter().any(|key| key.id == id) {
                return Err(fault("has the name of one before it"));
            }
            let bytes = from_hex(digits).filter(|bytes| bytes.len() == KEY_BYTES);
            let bytes = bytes.ok_or(fault("is not 64 hexadecimal digits long"))?;
            if bytes.windows(2).all(|pair| pair[0] == pair[1]) {
                return Err(fault(
                    "is no key but one sign repeated; `openssl rand -hex 32` makes one",
                ));
            }
            let bytes = SecretBox::new(Box::new(bytes));
            keys.push(DataKey::new(id, bytes.expose_secret()));
        }
        Ok(Self { keys: keys.into() })
    }

    /// Seals a value for its place, with the first key.
    pub fn seal(&self, place: &Place<'_>, value: &str) -> Sealed {
        let key = self.first();
        let nonce = XNonce::generate();
        let payload = Payload { msg: value.as_bytes(), aad: &place.bound(&key.id) };
        let ciphertext = key.cipher.encrypt(&nonce, payload).expect("the value is short");
        let text = to_hex(nonce.iter().chain(&ciphertext));
        Sealed { key_id: key.id.clone(), text }
    }

    /// Opens a value at its place.
    ///
    /// # Errors
    /// [`Error`].
    pub fn open(&self, place: &Place<'_>, sealed: &Sealed) -> Result<SecretString, Error> {
        let Sealed { key_id, text } = sealed;
        let key = self.keys.iter().find(|key| key.id == *key_id);
        let key = key.ok_or_else(|| Error::NoKey(key_id.clone()))?;
        let bytes = from_hex(text).ok_or(Error::Spoilt)?;
        let (nonce, ciphertext) = bytes.split_at_checked(NONCE_BYTES).ok_or(Error::Spoilt)?;
        let nonce = XNonce::try_from(nonce).map_err(|_| Error::Spoilt)?;
        let payload = Payload { msg: ciphertext, aad: &place.bound(key_id) };
        let value = key.cipher.decrypt(&nonce, payload).map_err(|_| Error::Spoilt)?;
        String::from_utf8(value).map(SecretString::from).map_err(|_| Error::Spoilt)
    }

    /// What a value of a company can be found by from now on.
    pub fn index(&self, company: &str, value: &str) -> BlindIndex {
        self.first().index_of(company, value)
    }

    /// What a value of a company may stand under: one for each key, because rows may not have been
    /// sealed anew since the first key is the first.
    pub fn indexes(&self, company: &str, value: &str) -> Vec<BlindIndex> {
        self.keys.iter().map(|key| key.index_of(company, value)).collect()
    }

    /// The name of the key that seals.
    pub fn first_id(&self) -> &str {
        &self.first().id
    }

    /// The names of all keys, the one that seals first.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|key| &*key.id)
    }

    fn first(&self) -> &DataKey {
        self.keys.first().expect("a list of keys holds one at least")
    }
}

impl DataKey {
    /// One key from outside makes two, because a key should have one use.
    fn new(id: &str, bytes: &[u8]) -> Self {
        let sealing = derive(bytes, &["offhook seal v1"]);
        Self {
            id: id.to_owned(),
            cipher: XChaCha20Poly1305::new(sealing.expose_secret().into()),
            index: derive(bytes, &["offhook index v1"]),
        }
    }

    fn index_of(&self, company: &str, value: &str) -> BlindIndex {
        let key = derive(self.index.expose_secret(), &["company", company]);
        let hash = derive(key.expose_secret(), &["value", value]);
        BlindIndex(to_hex(&hash.expose_secret()[..INDEX_BYTES]))
    }
}

impl Place<'_> {
    /// What a value is bound to. Each part says its length, so that no two places are the same bytes.
    fn bound(&self, key_id: &str) -> Vec<u8> {
        let Self { table, column, row, company } = *self;
        parts(&[key_id, table, column, row, company])
    }
}

impl BlindIndex {
    /// The text to be kept and looked for.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for DataKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ids()).finish()
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "«sealed with {}»", self.key_id)
    }
}

impl fmt::Debug for BlindIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("«index»")
    }
}

/// HMAC-SHA256 of parts.
fn derive(key: &[u8], of: &[&str]) -> SecretBox<[u8; KEY_BYTES]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(&parts(of));
    SecretBox::new(Box::new(mac.finalize().into_bytes().into()))
}

fn parts(of: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in of {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part.as_bytes());
    }
    bytes
}

fn to_hex<'b>(bytes: impl IntoIterator<Item = &'b u8>) -> String {
    bytes.into_iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes that hexadecimal digits write, if they are nothing else.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| match pair {
        [high, low] => {
            let digit = |digit: &u8| char::from(*digit).to_digit(16);
            u8::try_from(digit(high)? << 4 | digit(low)?).ok()
        }
        _ => None,
    };
    pairs.map(byte).collect()
}

const KEY_BYTES: usize = 32;

const NONCE_BYTES: usize = 24;

/// Half of a hash: whoever looks for a value must not meet another one by chance.
const INDEX_BYTES: usize = 16;

const ID_BYTES_MAX: usize = 16;

#[cfg(test)]
mod tests;
