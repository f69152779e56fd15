//! STS: who we are to AWS. Asked before anything else.

use aws_config::SdkConfig;

use super::{Result, failed};

/// The account that the credentials belong to, and the ARN of their identity.
pub async fn caller(config: &SdkConfig) -> Result<(String, String)> {
    let client = aws_sdk_sts::Client::new(config);
    let answer = client.get_caller_identity().send().await.map_err(failed)?;
    Ok((answer.account().unwrap_or_default().to_owned(), answer.arn().unwrap_or_default().to_owned()))
}
