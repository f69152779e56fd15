//! Whether AWS answers: once a run is told to stop, it waits for what AWS was asked for, but not for an AWS out of reach.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::time::{Instant, sleep_until};

use super::shutdown::{Shutdown, Stop, until_told};
use crate::cloud::{Act, Cloud, Scope};
use crate::resource::{Incarnation, Jobs, JobsOf, Observed, ResourceId};
use crate::services::{Error, Fault, Reached, Result};

/// A run that is told to stop ends when AWS has said nothing for so long, within a minute of the signal.
pub(super) const QUIET: Duration = Duration::from_secs(45);

/// A cloud of which it is known when it answered last.
pub(super) struct Reach<'a> {
    cloud: &'a dyn Cloud,
    quiet: Duration,
    answered: Mutex<Instant>,
}

impl<'a> Reach<'a> {
    pub fn new(cloud: &'a dyn Cloud) -> Self {
        Self { cloud, quiet: QUIET, answered: Mutex::new(Instant::now()) }
    }

    /// Returns once the run is told to stop and AWS is out of reach.
    pub async fn lost(&self, stop: &Stop) {
        until_told(stop, Shutdown::Graceful).await;
        let told = Instant::now();
        loop {
            let end = self.answered().max(told) + self.quiet;
            if Instant::now() >= end {
                return;
            }
            sleep_until(end).await;
        }
    }

    /// When AWS last answered: also one call of a look that is not over, which may take longer than silence is borne.
    fn answered(&self) -> Instant {
        let answered = *self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        self.cloud.heard().map_or(answered, |heard| heard.max(answered))
    }

    fn hear<T>(&self, answer: Result<T>) -> Result<T> {
        // A refusal is an answer as well.
        if answer.as_ref().err().is_none_or(|error| error.reached == Reached::Answered) {
            *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        }
        answer
    }
}

impl Cloud for Reach<'_> {
    fn observe<'a>(&'a self, scope: &'a Scope) -> BoxFuture<'a, Result<Observed>> {
        async move { self.hear(self.cloud.observe(scope).await) }.boxed()
    }

    fn perform<'a>(&'a self, act: Act<'a>) -> BoxFuture<'a, Result<Option<String>>> {
        async move { self.hear(self.cloud.perform(act).await) }.boxed()
    }

    fn jobs<'a>(&'a self, about: &'a JobsOf) -> BoxFuture<'a, Result<Jobs>> {
        async move { self.hear(self.cloud.jobs(about).await) }.boxed()
    }

    fn data<'a>(
        &'a self,
        id: &'a ResourceId,
        live: &'a Incarnation,
    ) -> BoxFuture<'a, Result<Option<String>>> {
        async move { self.hear(self.cloud.data(id, live).await) }.boxed()
    }

    fn heard(&self) -> Option<Instant> {
        self.cloud.heard()
    }

    fn classify(&self, id: &ResourceId, error: &Error, age: Duration) -> Fault {
        self.cloud.classify(id, error, age)
    }
}

#[cfg(test)]
mod tests {
    use futures::poll;
    use tokio::sync::watch;

    use super::*;

    /// Answers as it is told; and when it last answered a call of what is under way.
    struct Far(Option<Reached>, Option<Instant>);

    impl Far {
        async fn answer<T: Default>(&self) -> Result<T> {
            let error = |reached| Error { reached, ..Error::malformed("batch", "DescribeJobQueues", "no") };
            self.0.map_or_else(|| Ok(T::default()), |reached| Err(error(reached)))
        }
    }

    impl Cloud for Far {
        fn observe<'a>(&'a self, _: &'a Scope) -> BoxFuture<'a, Result<Observed>> {
            self.answer().boxed()
        }

        fn perform<'a>(&'a self, _: Act<'a>) -> BoxFuture<'a, Result<Option<String>>> {
            self.answer().boxed()
        }

        fn jobs<'a>(&'a self, _: &'a JobsOf) -> BoxFuture<'a, Result<Jobs>> {
            self.answer().boxed()
        }

        fn data<'a>(
            &'a self,
            _: &'a ResourceId,
            _: &'a Incarnation,
        ) -> BoxFuture<'a, Result<Option<String>>> {
            self.answer().boxed()
        }

        fn heard(&self) -> Option<Instant> {
            self.1
        }

        fn classify(&self, _: &ResourceId, _: &Error, _: Duration) -> Fault {
            Fault::Unknown
        }
    }

    /// Whether a call that ends so counts as a sign of life.
    async fn is_heard(end: Option<Reached>) -> bool {
        let (far, about) =
            (Far(end, None), JobsOf { queues: None, waiting: false, past: false, needs: false });
        let reach = Reach::new(&far);
        let long_ago = Instant::now().checked_sub(Duration::from_secs(1)).unwrap();
        *reach.answered.lock().unwrap() = long_ago;
        drop(reach.jobs(&about).await);
        *reach.answered.lock().unwrap() > long_ago
    }

    #[tokio::test]
    async fn whoever_refuses_is_in_reach() {
        assert!(is_heard(None).await && is_heard(Some(Reached::Answered)).await);
        assert!(!is_heard(Some(Reached::Unknown)).await && !is_heard(Some(Reached::NotSent)).await);
    }

    /// Within a minute of one signal: of this the quiet is the largest part, and the rest is for the report.
    #[tokio::test]
    async fn one_signal_ends_waiting_on_an_aws_out_of_reach() {
        const { assert!(QUIET.as_secs() < 60) };
        let far = Far(Some(Reached::Unknown), None);
        let silent = Reach { quiet: Duration::ZERO, ..Reach::new(&far) };
        let (stop, told) = watch::channel(Shutdown::Running);
        let mut lost = Box::pin(silent.lost(&told));
        assert!(poll!(&mut lost).is_pending(), "nobody has told it to stop");
        stop.send_replace(Shutdown::Graceful);
        lost.await;
        let heard = Reach::new(&far);
        assert!(poll!(Box::pin(heard.lost(&told))).is_pending(), "it has just been heard of");
    }

    /// A look of many calls answers only at its end; what AWS says meanwhile counts.
    #[tokio::test]
    async fn a_long_look_is_no_silence() {
        let (long_ago, now) = (Instant::now().checked_sub(Duration::from_secs(100)).unwrap(), Instant::now());
        for (heard, expected) in [(Some(now), now), (None, long_ago)] {
            let far = Far(Some(Reached::Unknown), heard);
            let reach = Reach { answered: Mutex::new(long_ago), ..Reach::new(&far) };
            assert_eq!(reach.answered(), expected);
        }
    }
}
