/// What a test can do to any fake: make requests fail, and look at those that came.
macro_rules! controls {
    ($operation:ty) => {
        /// Lets the next requests, whatever they ask for, meet a fault.
        ///
        /// Faults wait in a queue; a request meets the first that is meant for it.
        pub fn inject(&self, fault: $crate::testing::Fault) {
            self.host.faults().push(None, fault);
        }

        /// Lets the next requests for one operation meet a fault.
        pub fn inject_on(&self, operation: $operation, fault: $crate::testing::Fault) {
            self.host.faults().push(Some(operation), fault);
        }

        /// How many requests the injected faults are still going to hit.
        pub fn pending_faults(&self) -> u64 {
            self.host.faults().pending()
        }

        /// Takes back the faults that haven't hit.
        pub fn clear_faults(&self) {
            self.host.faults().clear();
        }

        /// Ends what [`limit_rate`](Self::limit_rate) began.
        pub fn unlimit_rate(&self) {
            self.host.unlimited();
        }

        /// All requests so far, oldest first; none if the builder has turned recording off.
        pub fn requests(&self) -> Vec<$crate::testing::RecordedRequest> {
            self.host.requests()
        }

        /// Forgets all requests so far and frees their memory.
        ///
        /// wiremock keeps a copy of every request even where recording is off, so a long run may want
        /// this. A request under way at the same time may be answered with 404.
        pub async fn forget_requests(&self) {
            self.host.forget_requests().await;
        }
    };
}

pub(crate) use controls;
