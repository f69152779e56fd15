//! Counting, refusing and breaking.

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;

use super::super::{Exact, Fault, Faults, Stop, StopWhen};
use super::{TRUST, sandbox};

#[tokio::test]
async fn it_answers_as_its_own_account() {
    let (one, two) = (sandbox().await, sandbox().await);
    for sandbox in [&one, &two] {
        let identity =
            aws_sdk_sts::Client::new(&sandbox.sdk_config()).get_caller_identity().send().await.unwrap();
        assert_eq!(identity.account(), Some(sandbox.account()));
    }
    assert_ne!(one.account(), two.account());
    aws_sdk_ecr::Client::new(&one.sdk_config())
        .create_repository()
        .repository_name("img")
        .send()
        .await
        .unwrap();
    let repositories = |config| async move {
        aws_sdk_ecr::Client::new(&config).describe_repositories().send().await.unwrap()
    };
    assert_eq!(repositories(one.sdk_config()).await.repositories().len(), 1);
    assert_eq!(repositories(two.sdk_config()).await.repositories().len(), 0);
}

#[tokio::test]
async fn it_counts_calls_reads_writes_and_depth() {
    let sandbox = sandbox().await;
    let logs = aws_sdk_cloudwatchlogs::Client::new(&sandbox.sdk_config());
    logs.create_log_group().log_group_name("a").send().await.unwrap();
    logs.describe_log_groups().send().await.unwrap();
    let stats = sandbox.stats();
    assert_eq!((stats.count(), stats.reads(), stats.writes(), stats.depth()), (2, 1, 1, 2));
    assert_eq!(stats.of("logs", "CreateLogGroup"), 1);
    sandbox.reset_stats();
    assert_eq!(sandbox.stats().count(), 0);
}

#[tokio::test]
async fn objects_stream_both_ways() {
    let sandbox = sandbox().await;
    let s3 = aws_sdk_s3::Client::new(&sandbox.sdk_config());
    let bucket = format!("stream-{}", sandbox.account());
    s3.create_bucket().bucket(&bucket).send().await.unwrap();
    let content: Vec<u8> = (0..5_000_000_u32).map(|n| (n % 251) as u8).collect();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, &content).unwrap();
    // From a file the SDK sends it in chunks with a trailing checksum.
    let body = ByteStream::from_path(file.path()).await.unwrap();
    s3.put_object().bucket(&bucket).key("a/b").body(body).send().await.unwrap();
    let got = s3.get_object().bucket(&bucket).key("a/b").send().await.unwrap().body.collect().await.unwrap();
    assert!(got.into_bytes() == content, "the object came back changed");
    assert_eq!(sandbox.stats().of("s3", "GetObject"), 1);
}

#[tokio::test]
async fn a_refused_write_is_access_denied_and_a_read_goes_through() {
    let sandbox = sandbox().await;
    sandbox.refuse_writes(true);
    let config = sandbox.sdk_config();
    let ec2 =
        aws_sdk_ec2::Client::new(&config).create_vpc().cidr_block("10.0.0.0/16").send().await.unwrap_err();
    assert_eq!(ec2.code(), Some("UnauthorizedOperation"));
    let iam = aws_sdk_iam::Client::new(&config);
    let role = iam.create_role().role_name("a").assume_role_policy_document("{}").send().await.unwrap_err();
    assert_eq!(role.code(), Some("AccessDenied"));
    let bucket = aws_sdk_s3::Client::new(&config).create_bucket().bucket("a").send().await.unwrap_err();
    assert_eq!(bucket.code(), Some("AccessDenied"));
    let repository =
        aws_sdk_ecr::Client::new(&config).create_repository().repository_name("a").send().await.unwrap_err();
    assert_eq!(repository.code(), Some("AccessDeniedException"));
    let queue =
        aws_sdk_batch::Client::new(&config).delete_job_queue().job_queue("a").send().await.unwrap_err();
    assert_eq!(queue.code(), Some("AccessDeniedException"));
    iam.list_roles().send().await.unwrap();
}

#[tokio::test]
async fn each_service_is_throttled_in_a_form_that_its_sdk_retries() {
    let sandbox = sandbox().await;
    let once = |service: &str, action: &str| Exact {
        service: service.into(),
        action: action.into(),
        nth: 1,
        fault: Fault::Throttle,
    };
    let exact = vec![
        once("ec2", "DescribeVpcs"),
        once("iam", "ListRoles"),
        once("s3", "ListBuckets"),
        once("logs", "DescribeLogGroups"),
        once("batch", "DescribeJobQueues"),
    ];
    sandbox.set_faults(Faults { exact, ..Faults::default() });
    let config = sandbox.sdk_config();
    aws_sdk_ec2::Client::new(&config).describe_vpcs().send().await.unwrap();
    aws_sdk_iam::Client::new(&config).list_roles().send().await.unwrap();
    aws_sdk_s3::Client::new(&config).list_buckets().send().await.unwrap();
    aws_sdk_cloudwatchlogs::Client::new(&config).describe_log_groups().send().await.unwrap();
    aws_sdk_batch::Client::new(&config).describe_job_queues().send().await.unwrap();
    let stats = sandbox.stats();
    assert_eq!(stats.count(), 10, "{:?}", stats.per_action());
    assert_eq!(stats.calls.iter().filter(|call| call.fault.is_some()).count(), 5);
}

#[tokio::test]
async fn a_lost_reply_leaves_the_work_done() {
    let sandbox = sandbox().await;
    let once = Exact { service: "iam".into(), action: "CreateRole".into(), nth: 1, fault: Fault::LostReply };
    sandbox.set_faults(Faults { exact: vec![once], ..Faults::default() });
    let config =
        sandbox.sdk_config().into_builder().retry_config(aws_config::retry::RetryConfig::disabled()).build();
    let iam = aws_sdk_iam::Client::new(&config);
    let create = || iam.create_role().role_name("a").assume_role_policy_document(TRUST).send();
    let error = create().await.unwrap_err();
    assert_eq!(error.code(), None, "no answer came: {error:?}");
    assert_eq!(create().await.unwrap_err().code(), Some("EntityAlreadyExists"));
}

#[tokio::test]
async fn a_stop_cuts_the_line_at_the_kth_write_for_good() {
    let sandbox = sandbox().await;
    let stop = Stop { nth: 2, of: None, when: StopWhen::After };
    sandbox.set_faults(Faults { stop: Some(stop), ..Faults::default() });
    let config =
        sandbox.sdk_config().into_builder().retry_config(aws_config::retry::RetryConfig::disabled()).build();
    let logs = aws_sdk_cloudwatchlogs::Client::new(&config);
    logs.create_log_group().log_group_name("a").send().await.unwrap();
    logs.create_log_group().log_group_name("b").send().await.unwrap_err();
    sandbox.stopped().await;
    logs.describe_log_groups().send().await.unwrap_err();
    sandbox.hang_up().await;
    sandbox.set_faults(Faults::default());
    let groups = logs.describe_log_groups().send().await.unwrap();
    assert_eq!(groups.log_groups().len(), 2);
}

#[tokio::test]
async fn what_moto_does_not_implement_is_said_loudly_and_once() {
    let sandbox = sandbox().await;
    let iam = aws_sdk_iam::Client::new(&sandbox.sdk_config());
    let arn = "arn:aws:iam::123456789012:role/a";
    let asked =
        iam.simulate_principal_policy().policy_source_arn(arn).action_names("s3:GetObject").send().await;
    let error = asked.unwrap_err();
    assert_eq!(error.code(), Some("SandboxDoesNotServe"));
    assert!(
        error
            .message()
            .unwrap_or_default()
            .contains("does not serve iam:SimulatePrincipalPolicy (NotImplementedError"),
        "{error:?}"
    );
    assert_eq!(sandbox.stats().count(), 1, "it was retried");
}

#[tokio::test]
async fn a_held_call_waits_until_it_is_let_go() {
    let sandbox = sandbox().await;
    let logs = aws_sdk_cloudwatchlogs::Client::new(&sandbox.sdk_config());
    let held = sandbox.hold("logs", "CreateLogGroup");
    let create = tokio::spawn(logs.create_log_group().log_group_name("a").send());
    held.arrived().await;
    assert_eq!(logs.describe_log_groups().send().await.unwrap().log_groups().len(), 0);
    assert!(!create.is_finished());
    held.release();
    create.await.unwrap().unwrap();
    assert_eq!(logs.describe_log_groups().send().await.unwrap().log_groups().len(), 1);
}
