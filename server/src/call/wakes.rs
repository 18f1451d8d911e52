//! Which parts of a call may have news.
//!
//! A call is one task, and a task that is woken is not told by whom. Without this, each frame of one
//! socket would have the other socket and everything else looked at as well, which costs more than
//! the frame itself.

use std::array;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Wake, Waker};

/// Something that a call waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// What was asked for and is not waited for.
    Jobs,
    /// The agent's socket.
    Agent,
    /// The carrier's socket.
    Carrier,
    /// The word that the call is over.
    Over,
    /// What reaches the call beside its sockets.
    Line,
}

const PARTS: [Part; 5] = [Part::Jobs, Part::Agent, Part::Carrier, Part::Over, Part::Line];

impl Part {
    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Knows which parts have to be looked at, and gives each a waker of its own.
pub(super) struct Wakes {
    /// Whom the wakers wake.
    task: Waker,
    wakers: [Waker; PARTS.len()],
    /// Those that were woken and not gathered since.
    woken: Arc<AtomicU8>,
    /// Those that have to be looked at.
    due: u8,
}

struct Bell {
    task: Waker,
    woken: Arc<AtomicU8>,
    bit: u8,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Before the task is woken, so that it finds it. Whoever was first has woken it.
        if self.woken.fetch_or(self.bit, Ordering::Release) == 0 {
            self.task.wake_by_ref();
        }
    }
}

impl Wakes {
    /// Every part is due.
    pub(super) fn new() -> Self {
        Self::of(Waker::noop().clone())
    }

    fn of(task: Waker) -> Self {
        let woken = Arc::<AtomicU8>::default();
        let wakers = array::from_fn(|place| {
            let (task, woken) = (task.clone(), Arc::clone(&woken));
            Waker::from(Arc::new(Bell { task, woken, bit: PARTS[place].bit() }))
        });
        let mut wakes = Self { task, wakers, woken, due: 0 };
        wakes.all();
        wakes
    }

    /// The call's task was woken: whatever woke it is due. In another task every part is, and gets to
    /// know the new one.
    pub(super) fn gather(&mut self, cx: &Context<'_>) {
        if !self.task.will_wake(cx.waker()) {
            *self = Self::of(cx.waker().clone());
        }
        self.due |= self.woken.swap(0, Ordering::Acquire);
    }

    /// The call itself has done something: any part may be another than before.
    pub(super) fn all(&mut self) {
        self.due = PARTS.iter().fold(0, |bits, part| bits | part.bit());
    }

    /// Whether a part has to be looked at.
    pub(super) const fn is_due(&self, part: Part) -> bool {
        self.due & part.bit() != 0
    }

    /// A part was looked at with its waker and had nothing more.
    pub(super) const fn settle(&mut self, part: Part) {
        self.due &= !part.bit();
    }

    /// Whoever is polled with this is due again when it has news.
    pub(super) const fn context(&self, part: Part) -> Context<'_> {
        Context::from_waker(&self.wakers[part as usize])
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[derive(Default)]
    struct Task(AtomicUsize);

    impl Wake for Task {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn who_is_woken_is_due_and_nobody_else() {
        let task = Arc::new(Task::default());
        let waker = Waker::from(Arc::clone(&task));
        let mut wakes = Wakes::new();
        let due = |wakes: &Wakes| PARTS.map(|part| wakes.is_due(part));
        assert_eq!(due(&wakes), [true; 5], "nobody was looked at yet");
        wakes.gather(&Context::from_waker(&waker));
        for part in PARTS {
            wakes.settle(part);
        }
        assert_eq!(due(&wakes), [false; 5]);

        let bell = wakes.context(Part::Carrier).waker().clone();
        bell.wake_by_ref();
        bell.wake();
        assert_eq!(task.0.load(Ordering::Relaxed), 1, "one waker serves until it is asked again");
        assert_eq!(due(&wakes), [false; 5], "the task has not come by yet");
        wakes.gather(&Context::from_waker(&waker));
        assert_eq!(due(&wakes), [false, false, true, false, false]);
        assert!(wakes.is_due(Part::Carrier), "until it had nothing more");

        wakes.settle(Part::Carrier);
        wakes.context(Part::Line).waker().wake_by_ref();
        assert_eq!(task.0.load(Ordering::Relaxed), 2);
        wakes.gather(&Context::from_waker(&waker));
        wakes.settle(Part::Carrier);
        wakes.settle(Part::Line);
        assert_eq!(due(&wakes), [false; 5]);

        let other = Arc::new(Task::default());
        wakes.gather(&Context::from_waker(&Waker::from(Arc::clone(&other))));
        assert_eq!(due(&wakes), [true; 5], "they know the task of before");
        wakes.context(Part::Agent).waker().wake_by_ref();
        assert_eq!((task.0.load(Ordering::Relaxed), other.0.load(Ordering::Relaxed)), (2, 1));
    }
}
