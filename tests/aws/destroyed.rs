//! What `destroy` says of what it does, by the program itself.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test: what fails here fails it")]

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
