//! Times and lengths as whole numbers, as tables and answers hold them.

use std::time::Duration;

use jiff::Timestamp;

/// Now, in microseconds since 1970-01-01 UTC.
pub fn now_us() -> i64 {
    Timestamp::now().as_microsecond()
}

/// A length in microseconds.
pub(crate) fn whole_us(length: Duration) -> i64 {
    i64::try_from(length.as_micros()).unwrap_or(i64::MAX)
}

/// A length in milliseconds.
pub(crate) fn whole_ms(length: Duration) -> u64 {
    u64::try_from(length.as_millis()).unwrap_or(u64::MAX)
}
