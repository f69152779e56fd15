//! Which pages of other sites may ask a browser to read and write objects (CORS).
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html>

use aws_sdk_s3::types::{CorsConfiguration as SdkConfiguration, CorsRule as SdkRule};

use super::{Bucket, incomplete};
use crate::kind::prelude::*;

/// Which pages of other sites may use a bucket.
#[spec]
pub struct CorsConfiguration {
    /// The rules, 1 to 100: the first that fits a request counts.
    #[field(required, length(1..=100))]
    pub cors_rules: Vec<CorsRule>,
}

/// What pages of some sites may do.
#[spec]
pub struct CorsRule {
    /// The sites, such as `https://example.com`; each with one `*` at most.
    #[field(required, set, length(1..))]
    pub allowed_origins: Vec<String>,
    /// What they may do.
    #[field(required, set, length(1..), items_one_of("DELETE", "GET", "HEAD", "POST", "PUT"))]
    pub allowed_methods: Vec<String>,
    /// Which headers a request may have; each with one `*` at most.
    #[field(empty, set)]
    pub allowed_headers: Vec<String>,
    /// Which headers of an answer they may read.
    #[field(empty, set)]
    pub exposed_headers: Vec<String>,
    /// Its name; up to 255 characters.
    #[field(server, length(..=255))]
    pub id: Option<String>,
    /// How many seconds a browser keeps the answer to its question whether it may.
    #[field(empty, range(0..))]
    pub max_age: Option<i32>,
}

pub(super) fn check(cors: &CorsConfiguration, found: &mut Vec<Invalid>) {
    for (at, rule) in cors.cors_rules.iter().enumerate() {
        for (field, texts) in
            [("allowedOrigins", &rule.allowed_origins), ("allowedHeaders", &rule.allowed_headers)]
        {
            for (index, text) in texts.iter().enumerate().filter(|(_, text)| text.matches('*').count() > 1) {
                let path = format!("corsConfiguration.corsRules[{at}].{field}[{index}]");
                found.push(Invalid::new(path, format!("`{text}` has two `*`, and S3 takes one")));
            }
        }
    }
}

impl CorsConfiguration {
    /// What S3 reports; `None` of no rule.
    pub(super) fn from_sdk(rules: &[SdkRule]) -> Option<Self> {
        let cors_rules: Vec<CorsRule> = rules
            .iter()
            .map(|rule| CorsRule {
                allowed_origins: rule.allowed_origins().to_vec(),
                allowed_methods: rule.allowed_methods().to_vec(),
                allowed_headers: rule.allowed_headers().to_vec(),
                exposed_headers: rule.expose_headers().to_vec(),
                id: rule.id().map(str::to_owned),
                max_age: rule.max_age_seconds(),
            })
            .collect();
        (!cors_rules.is_empty()).then_some(Self { cors_rules })
    }

    fn to_sdk(&self) -> Result<SdkConfiguration> {
        let some = |texts: &[String]| (!texts.is_empty()).then(|| texts.to_vec());
        let rule = |rule: &CorsRule| {
            SdkRule::builder()
                .set_allowed_origins(Some(rule.allowed_origins.clone()))
                .set_allowed_methods(Some(rule.allowed_methods.clone()))
                .set_allowed_headers(some(&rule.allowed_headers))
                .set_expose_headers(some(&rule.exposed_headers))
                .set_id(rule.id.clone())
                .set_max_age_seconds(rule.max_age)
                .build()
        };
        let rules = self.cors_rules.iter().map(rule).collect::<std::result::Result<Vec<_>, _>>();
        let rules = rules.map_err(incomplete("PutBucketCors"))?;
        SdkConfiguration::builder().set_cors_rules(Some(rules)).build().map_err(incomplete("PutBucketCors"))
    }
}

pub(super) async fn put(cx: &Cx<'_, Bucket>, want: Option<&CorsConfiguration>) -> Result<()> {
    match want {
        Some(cors) => {
            let call = cx.client.put_bucket_cors().bucket(cx.name).cors_configuration(cors.to_sdk()?);
            call.expected_bucket_owner(&cx.place.account).send().await.map_err(failed)?;
        }
        None => {
            let call = cx.client.delete_bucket_cors().bucket(cx.name);
            call.expected_bucket_owner(&cx.place.account).send().await.map_err(failed)?;
        }
    }
    Ok(())
}
