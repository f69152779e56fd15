//! Elastic Container Registry: private repositories of one account and region.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_ecr::Client;
use aws_sdk_ecr::types::{Image, ImageIdentifier, Repository, Tag};
use futures::{StreamExt, TryStreamExt, stream};

use super::{
    Error, Fault, Result, Scope, Service, TagRules, Target, error, failed, own_tags, settings, tag_by_arn,
};
use crate::resource::Tags;

/// Elastic Container Registry.
pub struct Ecr;

/// What was read.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The repositories that matter, by name.
    pub repositories: BTreeMap<String, RepositoryRead>,
}

/// What ECR says of one repository.
#[derive(Debug, Clone)]
pub struct RepositoryRead {
    /// What the list says of it.
    pub repository: Repository,
    /// What is asked for each repository.
    pub details: Details,
}

/// What no list says of a repository.
#[derive(Debug, Clone, Default)]
pub struct Details {
    /// The lifecycle policy, as JSON text; `None`: there is none.
    pub lifecycle_policy: Option<String>,
    /// The repository policy, as JSON text; `None`: there is none.
    pub policy: Option<String>,
    /// All tags except AWS's own.
    pub tags: Tags,
}

const KIND: &str = "ecr/Repository";

impl Service for Ecr {
    const NAME: &'static str = "ecr";
    // InvalidTagParameterException on `(` and `,`: aprin-labs/archimedes PR#1054; ECR user guide, "Tag restrictions".
    const TAGS: TagRules = TagRules::common("ECR");
    type Client = Client;
    type Snapshot = Snapshot;

    fn client(config: &SdkConfig) -> Client {
        Client::from_conf(settings!(aws_sdk_ecr, config).build())
    }

    /// One list, and three calls for each repository that matters. Those that are declared wait for nothing.
    async fn read(client: &Client, scope: &Scope) -> Result<Snapshot> {
        if !scope.wants(KIND) {
            return Ok(Snapshot::default());
        }
        let account = scope.place.account.as_str();
        let prefix = scope.place.arn("ecr", "repository/");
        let details = scope.read_each(KIND, &prefix, |name| {
            let arn = format!("{prefix}{name}");
            async move { read_details(client, account, &name, &arn).await }
        });
        let (repositories, mut details) = futures::try_join!(list(client, scope), details)?;
        let found = repositories.into_iter().filter_map(|repository| {
            // Neither alone says that it is there: between the two calls it may come or go.
            let details = details.remove(repository.repository_name()?)?;
            Some((repository.repository_name()?.to_owned(), RepositoryRead { repository, details }))
        });
        Ok(Snapshot { repositories: found.collect() })
    }

    async fn tag(client: &Client, target: Target<'_>, set: &Tags, unset: &[String]) -> Result<()> {
        tag_by_arn!(client, target, set, unset, tag_list(set, "TagResource")?)
    }

    fn classify(error: &Error, _age: Duration) -> Fault {
        match error.code.as_deref() {
            Some("RepositoryNotFoundException") => Fault::Gone,
            Some("RepositoryAlreadyExistsException") => Fault::Exists,
            // A principal that was made a moment ago is not seen everywhere yet.
            Some("InvalidParameterException")
                if error.message.to_ascii_lowercase().contains("invalid repository policy provided") =>
            {
                Fault::Propagating(Duration::from_secs(120))
            }
            _ => error::classify(error),
        }
    }
}

/// Tags as ECR's calls take them. `operation`: the call that they are for.
pub fn tag_list(tags: &Tags, operation: &'static str) -> Result<Vec<Tag>> {
    tags.iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect::<std::result::Result<_, _>>()
        .map_err(|error| Error::malformed("ecr", operation, error.to_string()))
}

/// All repositories, or in a poll those that it waits for: asked for by name, ECR fails as soon as one is missing.
async fn list(client: &Client, scope: &Scope) -> Result<Vec<Repository>> {
    let call = client.describe_repositories().registry_id(&scope.place.account);
    if !scope.only {
        let pages = call.max_results(1000).into_paginator().items().send();
        let all: std::result::Result<Vec<_>, _> = pages.collect().await;
        return all.map_err(failed);
    }
    let names: BTreeSet<&str> = scope.names(KIND).collect();
    let one = |name: &str| {
        let call = call.clone().repository_names(name);
        async move {
            match call.send().await.map_err(failed) {
                Ok(answer) => Ok(answer.repositories.unwrap_or_default()),
                Err(error) if error.is("RepositoryNotFoundException") => Ok(Vec::new()),
                Err(error) => Err(error),
            }
        }
    };
    let calls: Vec<_> = names.into_iter().map(one).collect();
    let found: Vec<Vec<Repository>> =
        stream::iter(calls).buffer_unordered(super::AT_ONCE).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

/// Lifecycle policy, repository policy and tags, at once; `None` if there is no such repository.
async fn read_details(client: &Client, account: &str, name: &str, arn: &str) -> Result<Option<Details>> {
    let lifecycle = async {
        let call = client.get_lifecycle_policy().registry_id(account).repository_name(name);
        call.send().await.map_err(failed)
    };
    let policy = async {
        let call = client.get_repository_policy().registry_id(account).repository_name(name);
        call.send().await.map_err(failed)
    };
    let tags = async {
        let call = client.list_tags_for_resource().resource_arn(arn);
        call.send().await.map_err(failed)
    };
    let (lifecycle, policy, tags) = futures::join!(lifecycle, policy, tags);
    if [lifecycle.as_ref().err(), policy.as_ref().err(), tags.as_ref().err()]
        .into_iter()
        .flatten()
        .any(|error| error.is("RepositoryNotFoundException"))
    {
        return Ok(None);
    }
    let tags = tags?;
    let tags = tags.tags().iter().map(|tag| (tag.key(), tag.value()));
    Ok(Some(Details {
        lifecycle_policy: unless(lifecycle, "LifecyclePolicyNotFoundException")?
            .and_then(|answer| answer.lifecycle_policy_text),
        policy: unless(policy, "RepositoryPolicyNotFoundException")?.and_then(|answer| answer.policy_text),
        tags: own_tags(tags),
    }))
}

/// The answer, or `None` if AWS says that this was never set.
fn unless<T>(answer: Result<T>, code: &str) -> Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is(code) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a repository of this registry holds an image.
pub async fn holds_images(client: &Client, account: &str, repository: &str) -> Result<bool> {
    let page = client.describe_images().registry_id(account).repository_name(repository).max_results(1);
    let page = page.send().await.map_err(failed)?;
    Ok(!page.image_details().is_empty())
}

/// How images are described: by a manifest of one, or by an index of several, such as one with its provenance. Asked for by
/// name, ECR hands it out as it was pushed.
const MANIFESTS: [&str; 4] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];

/// The digest (`sha256:…`) of the image that a tag points to now (D6). `None`: no such repository, or no such tag.
pub async fn image_digest(client: &Client, repository: &str, tag: &str) -> Result<Option<String>> {
    let image = image(client, repository, tag).await?;
    Ok(image.and_then(|image| image.image_id?.image_digest))
}

/// Lets a tag point to the image that another tag points to. `None`: that other tag is not there.
pub async fn point(client: &Client, repository: &str, tag: &str, from: &str) -> Result<Option<String>> {
    let Some(image) = image(client, repository, from).await? else { return Ok(None) };
    let digest = image.image_id.and_then(|id| id.image_digest);
    let put = client.put_image().repository_name(repository).image_tag(tag);
    let put = put
        .set_image_manifest(image.image_manifest)
        .set_image_manifest_media_type(image.image_manifest_media_type)
        .set_image_digest(digest.clone());
    match put.send().await.map_err(failed) {
        // It points there already.
        Err(error) if error.is("ImageAlreadyExistsException") => Ok(digest),
        answer => answer.map(|_| digest),
    }
}

async fn image(client: &Client, repository: &str, tag: &str) -> Result<Option<Image>> {
    let call = client.batch_get_image().repository_name(repository);
    let call = call.image_ids(ImageIdentifier::builder().image_tag(tag).build());
    let call = call.set_accepted_media_types(Some(MANIFESTS.map(str::to_owned).to_vec()));
    let answer = call.send().await.map_err(failed);
    let Some(answer) = unless(answer, "RepositoryNotFoundException")? else { return Ok(None) };
    if let Some(image) = answer.images().first() {
        return Ok(Some(image.clone()));
    }
    // 200 with failures inside.
    match answer.failures().first() {
        Some(failure) if failure.failure_code().is_some_and(|code| code.as_str() != "ImageNotFound") => {
            Err(Error {
                code: failure.failure_code().map(|code| code.as_str().to_owned()),
                ..Error::malformed(
                    "ecr",
                    "BatchGetImage",
                    format!("{repository}:{tag}: {}", failure.failure_reason().unwrap_or_default()),
                )
            })
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: &str, message: &str) -> Error {
        Error { code: Some(code.to_owned()), ..Error::malformed("ecr", "SetRepositoryPolicy", message) }
    }

    #[test]
    fn errors_mean() {
        let policy = "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'";
        for (code, message, fault) in [
            ("RepositoryNotFoundException", "", Fault::Gone),
            ("RepositoryAlreadyExistsException", "", Fault::Exists),
            ("InvalidParameterException", policy, Fault::Propagating(Duration::from_secs(120))),
            ("InvalidParameterException", "Invalid parameter at 'LifecyclePolicyText'", Fault::Terminal),
            ("RepositoryNotEmptyException", "", Fault::Terminal),
            ("LimitExceededException", "", Fault::Terminal),
            ("ThrottlingException", "", Fault::Throttled),
            ("ServerException", "", Fault::Unknown),
        ] {
            assert_eq!(Ecr::classify(&refusal(code, message), Duration::ZERO), fault, "{code}: {message}");
        }
    }

    #[test]
    fn only_the_word_for_never_set_is_taken_for_that() {
        let code = "LifecyclePolicyNotFoundException";
        assert_eq!(unless(Ok(1), code).unwrap(), Some(1));
        assert_eq!(unless::<i32>(Err(refusal(code, "")), code).unwrap(), None);
        assert!(unless::<i32>(Err(refusal("AccessDeniedException", "")), code).is_err());
    }
}
