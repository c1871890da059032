//! Which events are delivered when.

use fastrand::Rng;

/// The events in the order of their deliveries: each one to five times, half of those after the
/// first right behind it, half of them later.
pub(crate) fn deliveries(events: usize, random: &mut Rng) -> Vec<usize> {
    let mut timed = Vec::new();
    for event in 0..events {
        let moment = event as f64;
        timed.push((moment, event));
        for _ in 1..random.usize(1..=5) {
            let delay = match random.bool() {
                true => 0.0,
                false => random.f64() * events as f64,
            };
            timed.push((moment + delay, event));
        }
    }
    timed.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    timed.into_iter().map(|(_, event)| event).collect()
}
