//! A wait is told once: AWS is asked often, and says the same for a long while.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use crate::execute::Event;

/// What was last told of each step's waiting, without what differs from look to look.
#[derive(Debug, Default)]
pub struct Told(BTreeMap<usize, String>);

impl Told {
    /// Whether an event says more than the one before it of the same step.
    pub fn is_news(&mut self, event: &Event) -> bool {
        let Event::Waiting { step, why } = event else { return true };
        let said = essence(why);
        self.0.insert(*step, said.clone()).as_ref() != Some(&said)
    }
}

/// What differs although nothing has happened: ids of requests, times, and how many there are.
static PASSING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    const REQUEST: &str = r"[,;]? ?\(?(?i:request ?(?:id)?)[:=]? [[:alnum:]+/=_-]*[0-9][[:alnum:]+/=_-]*\)?";
    const UUID: &str = r"\b[[:xdigit:]]{8}(?:-[[:xdigit:]]{4}){3}-[[:xdigit:]]{12}\b";
    const TIME: &str = r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+(?:Z|[+-][0-9:]+)?";
    // An id of EC2's, or a digest; a word of these letters alone is none.
    const HEX: &str = r"\b[[:xdigit:]]*[0-9][[:xdigit:]]{7,}\b|\b[[:xdigit:]]{7,}[0-9][[:xdigit:]]*\b";
    // What stands before a number is looked at: `queue-1` is a name.
    const BEFORE: &str = r"[\s(\[=:]";
    const NUMBER: &str = r"[0-9][0-9.,:]*(?: ?(?:ms|s|m|min|h|%|seconds?|minutes?|hours?))?\b";
    Regex::new(&format!("{REQUEST}|{BEFORE}?(?:{UUID}|{TIME}|{HEX})|(?:^|{BEFORE}){NUMBER}")).ok()
});

fn essence(why: &str) -> String {
    match &*PASSING {
        Some(passing) => passing.replace_all(why, "#").into_owned(),
        None => why.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(told: &mut Told, step: usize, why: &str) -> bool {
        told.is_news(&Event::Waiting { step, why: why.to_owned() })
    }

    #[test]
    fn the_same_refusal_is_told_once_whatever_the_request() {
        let mut last = Told::default();
        let mut told = |step: usize, why: &str| told(&mut last, step, why);
        let refused = "call ec2:DeleteVpc: DependencyViolation: it has dependencies";
        assert!(told(1, &format!("{refused} (request 1b2c)")));
        assert!(!told(1, &format!("{refused} (request 7f00)")));
        assert!(told(2, &format!("{refused} (request 9d1e)")), "another step");
        assert!(told(1, "it is being deleted"));
        assert!(told(1, &format!("{refused} (request 7f00); once more")));
        assert!(!told(1, &format!("{refused} (request 7f01); once more")));
        assert!(told(1, &format!("{refused} (request 7f01); the last time")));
        assert!(last.is_news(&Event::Finished { step: 1 }));
    }

    /// Batch writes the id into its message, and the services that it calls write theirs.
    #[test]
    fn what_differs_only_in_ids_counts_and_times_is_told_once() {
        for (first, again) in [
            (
                "call batch:CreateJobQueue: ClientException: Error executing request, Exception : Compute Environments must be created and valid before attaching them to a job queue, RequestId: 0d7c5e52-4f7b-4b4e-8a40-9cf1c4a1b2d3",
                "call batch:CreateJobQueue: ClientException: Error executing request, Exception : Compute Environments must be created and valid before attaching them to a job queue, RequestId: 91f2b3aa-1c1d-4e0f-b6a7-0f9e8d7c6b5a",
            ),
            (
                "CLIENT_ERROR - Cluster busy (Service: AmazonECS; Status Code: 400; Error Code: ClientException; Request ID: c7ce6a4e-7f6a-4a4f-a9a7-0a7f7a7f7a7f; Proxy: null)",
                "CLIENT_ERROR - Cluster busy (Service: AmazonECS; Status Code: 400; Error Code: ClientException; Request ID: 00000000-7f6a-4a4f-a9a7-0a7f7a7f7a7f; Proxy: null)",
            ),
            (
                "call s3:DeleteBucket: BucketNotEmpty: no (request 4442587FB7D0A2F9)",
                "call s3:DeleteBucket: BucketNotEmpty: no (request 79104EXAMPLEB723)",
            ),
            ("12 jobs are not over", "9 jobs are not over"),
            (
                "network interfaces are in use: eni-0a1b2c3d4e5f60718",
                "network interfaces are in use: eni-0ffeeddccbbaa9988",
            ),
            ("since 2026-11-30T07:30:36Z: UPDATING", "since 2026-11-30T07:31:06Z: UPDATING"),
            ("AWS does not answer, again in 4 s", "AWS does not answer, again in 8 s"),
        ] {
            let mut last = Told::default();
            assert!(
                told(&mut last, 1, first) && !told(&mut last, 1, again),
                "{} and {}",
                essence(first),
                essence(again)
            );
        }
    }

    #[test]
    fn what_differs_in_names_or_words_is_told_again() {
        for (first, then) in [
            ("dev-queue-1 is UPDATING", "dev-queue-2 is UPDATING"),
            ("its status is CREATING", "its status is UPDATING"),
            ("2 jobs are not over", "1 job is not over"),
            ("the request could not be made", "the request could not be read"),
            ("a decade", "a facade"),
        ] {
            let mut last = Told::default();
            assert!(told(&mut last, 1, first) && told(&mut last, 1, then), "{}", essence(first));
        }
    }
}
