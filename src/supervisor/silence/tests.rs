use super::*;

const TICK: Duration = Duration::from_millis(250);

#[test]
fn silence_lasts_until_the_agent_is_heard() {
    let begin = Instant::now();
    let mut silence = Silence::new(begin);
    for tick in 1..=40 {
        assert_eq!(silence.look(begin + TICK * tick, TICK, false), TICK * tick);
    }
    assert_eq!(silence.look(begin + TICK * 41, TICK, true), Duration::ZERO);
    assert_eq!(silence.look(begin + TICK * 42, TICK, false), TICK);
}

#[test]
fn a_pause_in_which_nobody_looked_is_no_silence() {
    let begin = Instant::now();
    let mut silence = Silence::new(begin);
    let after = begin + Duration::from_secs(3_600);
    assert_eq!(silence.look(after, TICK, false), Duration::ZERO);
    assert_eq!(silence.look(after + TICK, TICK, false), TICK);
    // A machine that is only busy takes nothing away from the limit.
    let late = after + TICK * 2 + MUCH_LATER;
    assert_eq!(silence.look(late, TICK, false), TICK * 2 + MUCH_LATER);
}
