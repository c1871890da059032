use std::collections::VecDeque;
use std::time::Duration;

use super::fault::Fault;

/// The faults of the next requests, and the rate limit.
#[derive(Default)]
pub(crate) struct FaultQueue {
    queue: VecDeque<Planned>,
    limit: Option<RateLimit>,
}

struct Planned {
    /// `None` for any operation.
    operation: Option<&'static str>,
    left: u64,
    fault: Fault,
}

struct RateLimit {
    allowed: u32,
    left: u32,
    fault: Fault,
}

impl FaultQueue {
    pub(crate) fn push(&mut self, operation: Option<&'static str>, requests: u64, fault: Fault) {
        if requests > 0 {
            self.queue.push_back(Planned {
                operation,
                left: requests,
                fault,
            });
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn pending(&self) -> u64 {
        self.queue.iter().map(|planned| planned.left).sum()
    }

    pub(crate) fn limit(&mut self, allowed: u32, retry_after: Option<Duration>) {
        self.limit = Some(RateLimit {
            allowed,
            left: allowed,
            fault: retry_after.map_or(Fault::status(429), Fault::rate_limited),
        });
    }

    /// Takes the next fault for `operation` if it closes the connection.
    pub(crate) fn take_closing(&mut self, operation: Option<&'static str>) -> Option<Fault> {
        self.take_if(operation, Fault::closes)
    }

    /// Takes the next fault for `operation`, or that of the rate limit if it is exceeded.
    ///
    /// Requests with a queued fault don't count towards the limit.
    pub(crate) fn take(&mut self, operation: Option<&'static str>) -> Option<Fault> {
        if let Some(fault) = self.take_if(operation, |_| true) {
            return Some(fault);
        }
        let limit = self.limit.as_mut()?;
        match limit.left.checked_sub(1) {
            Some(left) => {
                limit.left = left;
                None
            }
            None => {
                limit.left = limit.allowed;
                Some(limit.fault.clone())
            }
        }
    }

    fn take_if(
        &mut self,
        operation: Option<&'static str>,
        wanted: impl Fn(&Fault) -> bool,
    ) -> Option<Fault> {
        let matches =
            |planned: &Planned| planned.operation.is_none() || planned.operation == operation;
        let place = self.queue.iter().position(matches)?;
        let planned = self.queue.get_mut(place)?;
        if !wanted(&planned.fault) {
            return None;
        }
        planned.left -= 1;
        let fault = planned.fault.clone();
        if planned.left == 0 {
            self.queue.remove(place);
        }
        Some(fault)
    }
}
