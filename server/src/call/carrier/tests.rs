use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;

use futures::task::noop_waker_ref;

use super::*;

#[test]
fn a_clear_overtakes_the_audio_that_waits_and_marks_keep_their_places() {
    let (mut leg, wire) = leg();
    wire.borrow_mut().is_blocked = true;
    say_all(&mut leg);
    leg.poll_flush(&mut cx(), at(0));
    leg.say(&ToTwilio::Clear);
    leg.say(&ToTwilio::Media { payload: &[9] });
    wire.borrow_mut().is_blocked = false;
    leg.poll_flush(&mut cx(), at(10));
    let events: Vec<_> = wire.borrow().events();
    assert_eq!(events, ["mark", "clear", "media"]);
    assert_eq!(leg.shed_bytes(), 0, "what was stale is not counted as lost");
}

/// F-TW-26.
#[test]
fn a_socket_that_takes_nothing_is_blocked_since_then() {
    let (mut leg, wire) = leg();
    wire.borrow_mut().is_blocked = true;
    say_all(&mut leg);
    assert_eq!(leg.blocked_since(), None, "nobody has tried yet");
    leg.poll_flush(&mut cx(), at(100));
    leg.poll_flush(&mut cx(), at(4_000));
    assert_eq!(leg.blocked_since(), Some(at(100)));
    wire.borrow_mut().is_blocked = false;
    leg.poll_flush(&mut cx(), at(4_100));
    assert_eq!(leg.blocked_since(), None);
}

/// F-TW-26.
#[test]
fn a_socket_that_takes_a_little_now_and_then_is_blocked_only_since_then() {
    let (mut leg, wire) = leg();
    for second in 0..20 {
        wire.borrow_mut().is_blocked = true;
        say_all(&mut leg);
        leg.poll_flush(&mut cx(), at(second * 1_000));
        wire.borrow_mut().room = 1;
        leg.poll_flush(&mut cx(), at(second * 1_000 + 500));
        let since = leg.blocked_since().expect("something waits");
        assert!(since >= at(second * 1_000), "{since}");
    }
}

/// F-TW-09.
#[test]
fn a_ping_is_written_and_its_answer_is_a_sign_of_life() {
    let (mut leg, wire) = leg();
    leg.ping();
    leg.poll_flush(&mut cx(), at(3_000));
    assert_eq!(wire.borrow().events(), ["ping"]);
    assert!(leg.poll_next(&mut cx()).is_pending());
    wire.borrow_mut().incoming.push(Message::Pong(Bytes::new()));
    assert_eq!(leg.poll_next(&mut cx()), Poll::Ready(Frame::Alive));
}

#[test]
fn leaving_writes_what_waits_and_closes_in_good_order() {
    let (mut leg, wire) = leg();
    leg.say(&ToTwilio::Clear);
    assert!(leg.poll_close(&mut cx()).is_ready());
    assert_eq!(wire.borrow().events(), ["clear", "close 1000"]);
    wire.borrow_mut().incoming.push(Message::Text("media".into()));
    assert!(leg.poll_closed(&mut cx()).is_pending(), "the other side has yet to close");
    wire.borrow_mut().is_ended = true;
    assert!(leg.poll_closed(&mut cx()).is_ready());
}

/// F-TR-12.
#[test]
fn a_socket_whose_stream_left_is_closed_and_what_waited_for_it_is_dropped() {
    let (mut leg, wire) = leg();
    say_all(&mut leg);
    assert!(leg.poll_part(&mut cx()).is_pending(), "the other side has yet to close");
    leg.say(&ToTwilio::Clear);
    assert!(leg.poll_part(&mut cx()).is_pending());
    assert_eq!(wire.borrow().events(), ["close 1000"]);
    wire.borrow_mut().is_ended = true;
    assert!(leg.poll_part(&mut cx()).is_ready());
}

#[test]
fn a_socket_that_was_given_up_is_told_so() {
    let (mut leg, wire) = leg();
    leg.give_up();
    assert!(leg.poll_close(&mut cx()).is_ready());
    assert_eq!(wire.borrow().events(), ["close 1008"]);
}

fn say_all(leg: &mut CarrierLeg<Wire>) {
    leg.say(&ToTwilio::Media { payload: &[1; 160] });
    leg.say(&ToTwilio::Mark { name: "line-1".into() });
    leg.say(&ToTwilio::Media { payload: &[2; 160] });
}

fn at(millis: u64) -> CallTime {
    CallTime::from_millis(millis)
}

fn cx() -> Context<'static> {
    Context::from_waker(noop_waker_ref())
}

fn leg() -> (CarrierLeg<Wire>, Rc<RefCell<State>>) {
    let state = Rc::new(RefCell::new(State::default()));
    (CarrierLeg::new(Wire(Rc::clone(&state)), "MZ1".to_owned()), state)
}

/// A socket of which both ends are in our hands.
struct Wire(Rc<RefCell<State>>);

#[derive(Default)]
struct State {
    incoming: Vec<Message>,
    is_ended: bool,
    is_blocked: bool,
    /// So many messages are taken although it is blocked.
    room: usize,
    written: Vec<Message>,
}

impl State {
    fn events(&self) -> Vec<String> {
        let event = |message: &Message| match message {
            Message::Text(text) => ["media", "mark", "clear"]
                .into_iter()
                .find(|event| text.contains(&format!("\"event\":\"{event}\"")))
                .expect("one of our messages")
                .to_owned(),
            Message::Ping(_) => "ping".to_owned(),
            Message::Close(Some(frame)) => format!("close {}", frame.code),
            other => panic!("{other:?} is not for a carrier"),
        };
        self.written.iter().map(event).collect()
    }
}

impl Stream for Wire {
    type Item = Result<Message, axum::Error>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut state = self.0.borrow_mut();
        match state.incoming.pop() {
            Some(message) => Poll::Ready(Some(Ok(message))),
            None if state.is_ended => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

impl Sink<Message> for Wire {
    type Error = axum::Error;

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), axum::Error>> {
        let state = self.0.borrow();
        let is_ready = !state.is_blocked || state.room > 0;
        if is_ready { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), axum::Error> {
        let mut state = self.0.borrow_mut();
        state.room = state.room.saturating_sub(1);
        state.written.push(message);
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), axum::Error>> {
        if self.0.borrow().is_blocked { Poll::Pending } else { Poll::Ready(Ok(())) }
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), axum::Error>> {
        self.poll_flush(cx)
    }
}
