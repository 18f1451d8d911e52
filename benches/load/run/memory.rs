//! The memory of what is measured, in the course of a run.

/// Resident memory, looked at every second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// How many calls there are at once.
    calls: u32,
    /// Bytes before the first call, and when all were up.
    idle: u64,
    up: u64,
    /// After the first whole minute; in a shorter run, when all were up.
    minute: Look,
    /// The last look.
    end: Look,
}

/// What one look sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    bytes: u64,
    /// How many calls had ended by then.
    ended: u64,
}

impl Memory {
    /// What there was before the first call, and when all were up.
    pub(crate) const fn new(calls: u32, idle: u64, up: u64) -> Self {
        let look = Look { bytes: up, ended: 0 };
        Self { calls, idle, up, minute: look, end: look }
    }

    /// What there is after so many seconds, in which so many calls have ended.
    pub(crate) fn look(&mut self, second: u64, bytes: u64, ended: u64) {
        self.end = Look { bytes, ended };
        if second == MINUTE {
            self.minute = self.end;
        }
        if second.is_multiple_of(MINUTE) {
            // A long run is worth looking at before it is over.
            let (minutes, mib) = (second / MINUTE, bytes as f64 / 1_048_576.0);
            eprintln!("  {minutes} min: {mib:.1} MiB resident, {ended} calls have ended");
        }
    }

    /// KiB for each call when all were up.
    pub(crate) fn up_kib(&self) -> f64 {
        self.call_kib(self.up)
    }

    /// The same after the first minute.
    pub(crate) fn minute_kib(&self) -> f64 {
        self.call_kib(self.minute.bytes)
    }

    /// The same at the end.
    pub(crate) fn end_kib(&self) -> f64 {
        self.call_kib(self.end.bytes)
    }

    /// How many bytes more there are at the end than after the first minute, for each call that
    /// ended in between; 0 if none did.
    pub(crate) fn kept_bytes(&self) -> f64 {
        match self.end.ended - self.minute.ended {
            0 => 0.0,
            ended => (self.end.bytes as f64 - self.minute.bytes as f64) / ended as f64,
        }
    }

    fn call_kib(&self, bytes: u64) -> f64 {
        (bytes as f64 - self.idle as f64) / 1_024.0 / f64::from(self.calls)
    }
}

const MINUTE: u64 = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_calls_that_ended_is_told_from_what_those_take_that_go_on() {
        let mut memory = Memory::new(10, 0, 10 * 1_024);
        assert_eq!((memory.minute_kib(), memory.end_kib()), (1.0, 1.0));
        for second in 1..=180 {
            // Each second a call ends, of which 512 bytes stay.
            memory.look(second, 20 * 1_024 + second * 512, second);
        }
        assert_eq!((memory.up_kib(), memory.minute_kib(), memory.end_kib()), (1.0, 5.0, 11.0));
        assert_eq!(memory.kept_bytes(), 512.0);
        memory.look(181, 20 * 1_024, 180);
        assert_eq!(memory.kept_bytes(), -256.0);
    }
}
