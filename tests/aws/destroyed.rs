//! What `destroy` says of what it does, by the program itself.

use crate::world::program::Stand;

const ENVIRONMENT: &str =
    "project: acme/jobs\naccount: \"ACCOUNT\"\nregion: eu-west-1\nnamePrefix: dev-\nstacks: [main]\n";

/// A role that is made for as long as something is deleted is not there because everything goes.
#[tokio::test(flavor = "multi_thread")]
async fn only_what_goes_goes_because_everything_does() {
    let stand = Stand::new(ENVIRONMENT).await;
    stand.stack(&include_str!("roles/main.yaml").replace("TRUSTED", "batch.amazonaws.com"));
    assert_eq!(stand.apply(&[]).await.code, 0);
    let iam = aws_sdk_iam::Client::new(&stand.sandbox.sdk_config());
    let arn = format!("arn:aws:iam::{}:policy/dev-batch", stand.sandbox.account());
    iam.detach_role_policy().role_name("dev-batch").policy_arn(arn).send().await.unwrap();
    iam.delete_role().role_name("dev-batch").send().await.unwrap();
    let gone = stand.run(&["destroy", "dev", "--confirm", "dev"]).await;
    assert_eq!(gone.code, 0, "{}{}", gone.out, gone.err);
    let all = gone.out.matches("everything that dev owns is destroyed").count();
    let made =
        gone.out.matches("it is gone, and AWS deletes dev-jobs with it: it goes again afterwards").count();
    assert_eq!((all, made), (5, 1), "{}", gone.out);
    assert_eq!(stand.owned().await, Vec::<String>::new());
}

/// What bears a declared name and is not ours stays, and is named before and after; what it needs does not go.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_ours_stays_with_what_it_needs_and_is_named() {
    let stand = Stand::new(ENVIRONMENT).await;
    let group = "apiVersion: batchwright/v1\nkind: logs/LogGroup\nmetadata: {name: jobs}\nspec: {}\n";
    let roles = include_str!("roles/main.yaml").replace("TRUSTED", "batch.amazonaws.com");
    stand.stack(&format!("{group}---\n{roles}"));
    assert_eq!(stand.apply(&[]).await.code, 0);
    let config = stand.sandbox.sdk_config();
    let batch = aws_sdk_batch::Client::new(&config);
    let seen = batch.describe_compute_environments().send().await.unwrap();
    let environment = &seen.compute_environments()[0];
    let arn = environment.compute_environment_arn().unwrap();
    let owner = environment.tags().unwrap()["batchwright:owner"].clone();
    batch.untag_resource().resource_arn(arn).tag_keys("batchwright:owner").send().await.unwrap();
    let logs = aws_sdk_cloudwatchlogs::Client::new(&config);
    let name = format!("arn:aws:logs:eu-west-1:{}:log-group:dev-jobs", stand.sandbox.account());
    logs.untag_resource().resource_arn(name).tag_keys("batchwright:owner").send().await.unwrap();

    let refused = stand.run(&["destroy", "dev", "--confirm", "dev"]).await;
    assert_eq!((refused.code, refused.writes), (3, 0), "{}{}", refused.out, refused.err);
    assert!(refused.out.contains("of nobody we know needs it"), "{}", refused.out);

    batch.tag_resource().resource_arn(arn).tags("batchwright:owner", owner).send().await.unwrap();
    let gone = stand.run(&["destroy", "dev", "--confirm", "dev"]).await;
    assert_eq!(gone.code, 0, "{}{}", gone.out, gone.err);
    let named = gone.out.matches("= logs/LogGroup/jobs dev-jobs stays: it has no owner").count();
    assert_eq!(named, 2, "in the plan and in the report: {}", gone.out);
}
