use aws_sdk_ecr::types::{
    ImageScanningConfiguration as SdkScanning, ImageTagMutabilityExclusionFilter, Repository as SdkRepository,
};
use serde_json::{Value, json};

use super::*;
use crate::diff;
use crate::kind::{AnyKind, Erased};
use crate::kinds::trial::Trial;
use crate::services::ecr::Details;

static KIND: Erased<Repository> = Erased::new();

fn place() -> Place {
    Place::new("111122223333", "eu-west-1")
}

/// A repository as DescribeRepositories shows it.
fn read() -> RepositoryRead {
    let filter = ImageTagMutabilityExclusionFilter::builder()
        .filter_type(ImageTagMutabilityExclusionFilterType::Wildcard)
        .filter("latest");
    let encryption = SdkEncryption::builder()
        .encryption_type(EncryptionType::Kms)
        .kms_key("arn:aws:kms:eu-west-1:111122223333:key/1");
    let repository = SdkRepository::builder()
        .repository_name("worker")
        .repository_arn("arn:aws:ecr:eu-west-1:111122223333:repository/worker")
        .repository_uri("111122223333.dkr.ecr.eu-west-1.amazonaws.com/worker")
        .registry_id("111122223333")
        .image_tag_mutability(ImageTagMutability::ImmutableWithExclusion)
        .image_tag_mutability_exclusion_filters(filter.build().unwrap())
        .image_scanning_configuration(SdkScanning::builder().scan_on_push(true).build())
        .encryption_configuration(encryption.build().unwrap());
    RepositoryRead {
        repository: repository.build(),
        details: Details {
            lifecycle_policy: Some(rules(["b", "a"]).to_string()),
            policy: Some(r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned()),
            tags: [("team".to_owned(), "payments".to_owned())].into(),
        },
    }
}

fn rules(tags: [&str; 2]) -> Value {
    let selection =
        |status: &str| json!({"tagStatus": status, "countType": "imageCountMoreThan", "countNumber": 5});
    let mut tagged = selection("tagged");
    tagged["tagPrefixList"] = json!(tags);
    tagged["tagPatternList"] = json!([]);
    json!({"rules": [
        {"rulePriority": 2, "selection": selection("any"), "action": {"type": "expire"}},
        {"rulePriority": 1, "selection": tagged, "action": {"type": "expire"}},
    ]})
}

fn observed(read: RepositoryRead) -> Live<Repository> {
    let snapshot = Snapshot { repositories: [("worker".to_owned(), read)].into() };
    let mut live = Repository::observe(&snapshot, &place()).remove(0);
    Repository::normalise(&mut live.spec, &place());
    live
}

#[test]
fn a_repository_is_reported_whole_and_in_the_manifests_words() {
    let live = observed(read());
    insta::assert_json_snapshot!(json!({"spec": live.spec, "outputs": live.outputs}), @r#"
{
  "outputs": {
    "arn": "arn:aws:ecr:eu-west-1:111122223333:repository/worker",
    "registryId": "111122223333",
    "uri": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/worker"
  },
  "spec": {
    "encryptionConfiguration": {
      "encryptionType": "KMS",
      "kmsKey": "arn:aws:kms:eu-west-1:111122223333:key/1"
    },
    "imageScanningConfiguration": {
      "scanOnPush": true
    },
    "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
    "imageTagMutabilityExclusionFilters": [
      {
        "imageTagMutabilityExclusionFilterType": "WILDCARD",
        "imageTagMutabilityExclusionFilterValue": "latest"
      }
    ],
    "lifecyclePolicy": {
      "lifecyclePolicyText": {
        "rules": [
          {
            "action": {
              "type": "expire"
            },
            "rulePriority": 1,
            "selection": {
              "countNumber": 5,
              "countType": "imageCountMoreThan",
              "tagPrefixList": [
                "a",
                "b"
              ],
              "tagStatus": "tagged"
            }
          },
          {
            "action": {
              "type": "expire"
            },
            "rulePriority": 2,
            "selection": {
              "countNumber": 5,
              "countType": "imageCountMoreThan",
              "tagStatus": "any"
            }
          }
        ]
      }
    },
    "repositoryPolicyText": {
      "Statement": [],
      "Version": "2012-10-17"
    }
  }
}
"#);
}

#[test]
fn spelling_of_a_lifecycle_policy_is_no_drift() {
    let differs = |want: Value| {
        let want = KIND.normal(&want, &place()).unwrap();
        let live = serde_json::to_value(observed(read()).spec).unwrap();
        let found = diff::walk(&live, &want, &KIND.facts().rules, &[]);
        found.into_iter().map(|change| change.path).collect::<Vec<_>>()
    };
    let want = |policy: Value| {
        json!({
            "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
            "imageTagMutabilityExclusionFilters": [{"imageTagMutabilityExclusionFilterType": "WILDCARD", "imageTagMutabilityExclusionFilterValue": "latest"}],
            "imageScanningConfiguration": {"scanOnPush": true},
            // ECR answers with the ARN of its own key where none was named.
            "encryptionConfiguration": {"encryptionType": "KMS"},
            "lifecyclePolicy": {"lifecyclePolicyText": policy},
            "repositoryPolicyText": {"Version": "2012-10-17", "Statement": []},
        })
    };
    assert_eq!(differs(want(rules(["a", "b"]))), [] as [&str; 0]);
    assert_eq!(differs(want(rules(["a", "b"]).to_string().into())), [] as [&str; 0]);
    assert_eq!(differs(want(rules(["a", "c"]))), ["lifecyclePolicy.lifecyclePolicyText"]);
    assert_eq!(
        differs(json!({})),
        [
            "encryptionConfiguration.encryptionType",
            "imageScanningConfiguration.scanOnPush",
            "imageTagMutability",
            "imageTagMutabilityExclusionFilters",
            "lifecyclePolicy",
            "repositoryPolicyText",
        ]
    );
}

#[test]
fn a_text_that_holds_no_lifecycle_policy_stays_as_it_is() {
    for text in ["null", "7", r#""{}""#, "[]", "{"] {
        let normal =
            KIND.normal(&json!({"lifecyclePolicy": {"lifecyclePolicyText": text}}), &place()).unwrap();
        assert_eq!(normal["lifecyclePolicy"]["lifecyclePolicyText"], text);
        assert_eq!(KIND.normal(&normal, &place()).unwrap(), normal);
        assert_eq!(serde_json::to_value(LifecyclePolicy::parse(text)).unwrap(), normal["lifecyclePolicy"]);
    }
}

#[test]
fn outputs_follow_from_the_name() {
    let spec = serde_json::from_value(json!({})).unwrap();
    let china = Place::new("111122223333", "cn-north-1");
    insta::assert_json_snapshot!(Repository::predict("a/worker", &spec, &china), @r#"
{
  "arn": "arn:aws-cn:ecr:cn-north-1:111122223333:repository/a/worker",
  "registryId": "111122223333",
  "uri": "111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/a/worker"
}
"#);
}

fn complaints(spec: Value) -> String {
    let spec: Spec = serde_json::from_value(spec).unwrap();
    let found = Repository::validate(&spec, &place()).into_iter();
    found.map(|invalid| format!("{}: {}\n", invalid.path, invalid.message)).collect()
}

#[test]
fn the_example_is_valid() {
    let manifest: Value = serde_yaml::from_str(Repository::EXAMPLE).unwrap();
    assert_eq!(complaints(manifest["spec"].clone()), "");
    assert_eq!(
        Repository::NAMES.wrong(Repository::NAME, manifest["metadata"]["physicalName"].as_str().unwrap()),
        None
    );
}

#[test]
fn mistakes_are_told() {
    let expire = json!({"type": "expire"});
    let filter = |value: &str| json!({"imageTagMutabilityExclusionFilterType": "WILDCARD", "imageTagMutabilityExclusionFilterValue": value});
    insta::assert_snapshot!(complaints(json!({
        "imageTagMutabilityExclusionFilters": [filter("a b"), filter("*a*b*"), filter("${var.x}"), filter("c"), filter("d"), filter("e")],
        "encryptionConfiguration": {"encryptionType": "AES256", "kmsKey": "k"},
        "repositoryPolicyText": {},
        "lifecyclePolicy": {"lifecyclePolicyText": {"rules": [
            {"rulePriority": 1, "selection": {"tagStatus": "any"}, "action": expire},
            {"rulePriority": 1, "selection": {"tagStatus": "tagged"}, "action": expire},
            {"rulePriority": 0, "action": expire},
            {"rulePriority": 3, "selection": {"tagStatus": "old"}},
            {"selection": {"tagStatus": "untagged"}, "action": expire},
        ]}},
    })), @r#"
imageTagMutabilityExclusionFilters: MUTABLE takes no filters; set imageTagMutability to `MUTABLE_WITH_EXCLUSION`
imageTagMutabilityExclusionFilters: 6 filters, but ECR takes at most 5
imageTagMutabilityExclusionFilters[0].imageTagMutabilityExclusionFilterValue: "a b": expected 1 to 128 letters, digits, `.`, `_`, `-` and at most two `*`
imageTagMutabilityExclusionFilters[1].imageTagMutabilityExclusionFilterValue: "*a*b*": expected 1 to 128 letters, digits, `.`, `_`, `-` and at most two `*`
encryptionConfiguration.kmsKey: AES256 takes no KMS key; set encryptionType to `KMS`, or leave the key out
repositoryPolicyText: has no Statement: add one with Effect and Action
lifecyclePolicy.lifecyclePolicyText.rules[0].selection.countType: expected imageCountMoreThan, sinceImagePushed, sinceImagePulled, sinceImageTransitioned
lifecyclePolicy.lifecyclePolicyText.rules[0].selection: lacks `countNumber`: how many images or days
lifecyclePolicy.lifecyclePolicyText.rules[0].rulePriority: a rule for `any` images comes last: give it the highest number
lifecyclePolicy.lifecyclePolicyText.rules[1].rulePriority: 1 belongs to another rule already
lifecyclePolicy.lifecyclePolicyText.rules[1].selection.countType: expected imageCountMoreThan, sinceImagePushed, sinceImagePulled, sinceImageTransitioned
lifecyclePolicy.lifecyclePolicyText.rules[1].selection: lacks `countNumber`: how many images or days
lifecyclePolicy.lifecyclePolicyText.rules[1].selection: `tagStatus: tagged` needs tagPrefixList or tagPatternList
lifecyclePolicy.lifecyclePolicyText.rules[2].rulePriority: 0, but ECR takes 1 or more
lifecyclePolicy.lifecyclePolicyText.rules[2]: lacks `selection`: which images it is for
lifecyclePolicy.lifecyclePolicyText.rules[3]: lacks `action: {type: expire}`
lifecyclePolicy.lifecyclePolicyText.rules[3].selection.countType: expected imageCountMoreThan, sinceImagePushed, sinceImagePulled, sinceImageTransitioned
lifecyclePolicy.lifecyclePolicyText.rules[3].selection: lacks `countNumber`: how many images or days
lifecyclePolicy.lifecyclePolicyText.rules[3].selection.tagStatus: expected `tagged`, `untagged` or `any`
lifecyclePolicy.lifecyclePolicyText.rules[4]: lacks `rulePriority`, a whole number
lifecyclePolicy.lifecyclePolicyText.rules[4].selection.countType: expected imageCountMoreThan, sinceImagePushed, sinceImagePulled, sinceImageTransitioned
lifecyclePolicy.lifecyclePolicyText.rules[4].selection: lacks `countNumber`: how many images or days
"#);
    insta::assert_snapshot!(complaints(json!({
        "imageTagMutability": "MUTABLE_WITH_EXCLUSION",
        "lifecyclePolicy": {"lifecyclePolicyText": "rules"},
    })), @r#"
imageTagMutabilityExclusionFilters: MUTABLE_WITH_EXCLUSION needs 1 to 5 filters; add one
lifecyclePolicy.lifecyclePolicyText: not a lifecycle policy: expected an object with a list `rules`
"#);
}

/// What is said of one rule, of a repository whose images these many job definitions name by digest.
fn expiring(mutability: &str, selection: Value, by: usize) -> String {
    let rule = json!({"rulePriority": 7, "selection": selection, "action": {"type": "expire"}});
    let spec = json!({"imageTagMutability": mutability, "lifecyclePolicy": {"lifecyclePolicyText": {"rules": [rule]}}});
    let pinned = Pinned {
        by: (0..by).map(|n| format!("batch/JobDefinition/job{n}").parse().unwrap()).collect(),
        tags: ["latest".to_owned()].into(),
    };
    let doubts = KIND.expiring(&spec, &pinned);
    assert!(doubts.iter().all(|doubt| doubt.path == "lifecyclePolicy.lifecyclePolicyText.rules[0]"));
    doubts.into_iter().map(|doubt| doubt.message).collect()
}

/// ECR keeps the key that an alias stands for, and reports that one (cloudposse/terraform-aws-ecr#85).
#[test]
fn a_key_is_named_by_its_id_or_arn() {
    let said = |key: &str| {
        let spec = json!({"encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": key}});
        let found = Repository::validate(&serde_json::from_value(spec).unwrap(), &place());
        found.into_iter().map(|invalid| format!("{}: {}", invalid.path, invalid.message)).collect::<String>()
    };
    insta::assert_snapshot!(said("alias/images"), @"encryptionConfiguration.kmsKey: `alias/images` is an alias: ECR takes the key that it stands for now, and keeps that one; write the key's ARN or id");
    assert_ne!(said("arn:aws:kms:eu-west-1:111122223333:alias/images"), "");
    assert_eq!(said("arn:aws:kms:eu-west-1:111122223333:key/06f453c6-0c05-4dda-ab38-e03bf25f96a3"), "");
    assert_eq!(said("06f453c6-0c05-4dda-ab38-e03bf25f96a3"), "");
}

#[test]
fn a_rule_that_may_take_an_image_from_its_jobs_is_doubted() {
    let days = |status: &str| json!({"tagStatus": status, "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14});
    let count =
        |status: &str| json!({"tagStatus": status, "countType": "imageCountMoreThan", "countNumber": 10});
    insta::assert_snapshot!(expiring("IMMUTABLE", count("any"), 1), @"rule 7 deletes images but for the 10 that were pushed last, whatever their tags: also one that batch/JobDefinition/job0 names by its digest, whose jobs can't start then; limit it to untagged images, or to tags that no deployment gives");
    insta::assert_snapshot!(expiring("MUTABLE", days("untagged"), 2), @"rule 7 deletes untagged images 14 days after they were pushed, and where tags are MUTABLE an image loses its tag to the next one: also one that batch/JobDefinition/job0 and batch/JobDefinition/job1 name by its digest, whose jobs can't start then; make tags IMMUTABLE, or IMMUTABLE_WITH_EXCLUSION for those that have to move");
    let tagged = |list: &str, tags: Value| {
        let mut selection = days("tagged");
        selection[list] = tags;
        selection
    };
    insta::assert_snapshot!(expiring("IMMUTABLE", tagged("tagPatternList", json!(["*"])), 5), @"rule 7 deletes images tagged * 14 days after they were pushed, as deployments may tag them: also one that batch/JobDefinition/job0, batch/JobDefinition/job1, batch/JobDefinition/job2 and 2 more name by its digest, whose jobs can't start then; limit it to tags that no deployment gives");
    for doubtful in
        [tagged("tagPrefixList", json!(["late"])), tagged("tagPrefixList", json!(["0"])), count("untagged")]
    {
        assert_ne!(expiring("MUTABLE_WITH_EXCLUSION", doubtful.clone(), 1), "", "{doubtful}");
    }
    // Images keep tags that stay; and other images are none of the jobs'.
    for (mutability, fine) in [
        ("IMMUTABLE_WITH_EXCLUSION", days("untagged")),
        ("IMMUTABLE", count("untagged")),
        ("MUTABLE", tagged("tagPrefixList", json!(["pr-"]))),
        ("MUTABLE", tagged("tagPatternList", json!(["latest", "pr-*"]))),
        (
            "MUTABLE",
            json!({"tagStatus": "any", "storageClass": "archive", "countType": "sinceImageTransitioned", "countNumber": 90}),
        ),
    ] {
        assert_eq!(expiring(mutability, fine, 1), "");
    }
}

#[test]
fn names_are_checked_as_ecr_checks_them() {
    for good in ["worker", "payments/worker", "a.b_c__d-e--f", "0a"] {
        assert_eq!(Repository::NAMES.wrong(Repository::NAME, good), None, "{good}");
    }
    for bad in ["a", "Worker", "a/", "/ab", "a//b", "a..b", "a___b", "a-_b", "-ab", "a b", &"a".repeat(257)] {
        assert!(Repository::NAMES.wrong(Repository::NAME, bad).is_some(), "{bad}");
    }
}

#[test]
fn every_property_is_said_or_listed_as_not_managed() {
    // AWS::ECR::Repository without what only AWS writes.
    let properties = "emptyOnDelete encryptionConfiguration imageScanningConfiguration imageTagMutability \
        imageTagMutabilityExclusionFilters lifecyclePolicy repositoryName repositoryPolicyText tags";
    for property in properties.split_whitespace() {
        let said = KIND.facts().rules.fields.contains_key(property);
        let listed = NOT_MANAGED.iter().any(|(name, _)| *name == property);
        assert!(said != listed, "{property}: said {said}, not managed {listed}");
    }
}

fn everything(count: i64, scan: bool) -> Value {
    let mut policy = rules(["x", "y"]);
    policy["rules"][0]["selection"]["countNumber"] = count.into();
    json!({
        "imageTagMutability": if scan { "IMMUTABLE_WITH_EXCLUSION" } else { "MUTABLE_WITH_EXCLUSION" },
        "imageTagMutabilityExclusionFilters": [
            {"imageTagMutabilityExclusionFilterType": "WILDCARD", "imageTagMutabilityExclusionFilterValue": format!("dev-{count}*")}],
        "imageScanningConfiguration": {"scanOnPush": scan},
        "lifecyclePolicy": {"lifecyclePolicyText": policy},
        "repositoryPolicyText": {"Version": "2012-10-17", "Statement": [{"Sid": format!("n{count}"), "Effect": "Allow",
            "Principal": {"Service": "batch.amazonaws.com"}, "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]}]},
    })
}

#[tokio::test]
async fn every_aspect_is_written_changed_and_taken_back() {
    let trial = Trial::new("ecr/Repository", "trial/worker").await;
    trial.settle(&json!({})).await;
    trial.settle(&everything(5, true)).await;
    trial.settle(&everything(7, false)).await;
    trial.settle(&json!({})).await;
    trial.delete(OnDelete::Refuse).await.unwrap();
    assert_eq!(trial.look(true).await.unwrap(), None);
    assert_eq!(trial.look(false).await.unwrap(), None);
}

#[tokio::test]
async fn what_is_predicted_is_what_comes() {
    let trial = Trial::new("ecr/Repository", "trial/predicted").await;
    let live = trial.settle(&json!({})).await;
    for (name, value) in KIND.predict("trial/predicted", &json!({}), &trial.place) {
        assert_eq!(live.outputs[&name], value, "{name}");
    }
}

#[tokio::test]
async fn a_look_at_a_repository_takes_four_calls_all_at_once() {
    let trial = Trial::new("ecr/Repository", "trial/calls").await;
    trial.settle(&json!({})).await;
    trial.sandbox.answer_in_rounds(std::time::Duration::from_millis(400));
    for only in [true, false] {
        trial.sandbox.reset_stats();
        assert!(trial.look(only).await.unwrap().is_some());
        let stats = trial.sandbox.stats();
        assert_eq!((stats.count(), stats.writes(), stats.depth()), (4, 0, 1), "{:?}", stats.per_action());
    }
}

#[tokio::test]
async fn images_go_only_when_that_is_said_and_a_tag_has_a_digest() {
    let trial = Trial::new("ecr/Repository", "trial/images").await;
    let client = trial.client::<Ecr>();
    assert_eq!(ecr::image_digest(client, "trial/images", "latest").await.unwrap(), None);
    trial.settle(&json!({})).await;
    assert_eq!(ecr::image_digest(client, "trial/images", "latest").await.unwrap(), None);
    let manifest = r#"{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":2,"digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},"layers":[]}"#;
    let put = client.put_image().repository_name("trial/images").image_manifest(manifest).image_tag("latest");
    let image = put.send().await.unwrap().image.unwrap();
    let digest = ecr::image_digest(client, "trial/images", "latest").await.unwrap();
    assert_eq!(digest.as_deref(), image.image_id().unwrap().image_digest());
    assert!(digest.unwrap().starts_with("sha256:"));
    let error = trial.delete(OnDelete::Refuse).await.unwrap_err();
    assert!(
        error.is("RepositoryNotEmptyException") && error.message.contains("metadata.onDelete"),
        "{error}"
    );
    trial.delete(OnDelete::Empty).await.unwrap();
    assert_eq!(trial.look(true).await.unwrap(), None);
}
