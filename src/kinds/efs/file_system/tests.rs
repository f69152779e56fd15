#![allow(clippy::unwrap_used, clippy::panic, reason = "a test: what it reads is there, or it fails")]

use serde_json::{Value, json};

use super::{FileSystem, Spec};
use crate::diff::walk;
use crate::kind::{AnyKind, Effect, Erased, Kind, Manner, Order};
use crate::kinds::trial::Trial;
use crate::resource::{OnDelete, Place, Readiness};
use crate::services::ec2::Ec2;
use crate::services::efs::Efs;

fn place() -> Place {
    Place::new("111122223333", "us-east-1")
}

fn complaints(spec: Value) -> Vec<String> {
    let spec: Spec = serde_json::from_value(spec).unwrap();
    FileSystem::validate(&spec, &place())
        .into_iter()
        .map(|it| format!("{}: {}", it.path, it.message))
        .collect()
}

#[test]
fn what_efs_refuses_is_told_before_it_is_asked() {
    for right in [
        json!({}),
        json!({"throughputMode": "provisioned", "provisionedThroughputInMibps": 1.5}),
        json!({"throughputMode": "elastic", "lifecyclePolicies": [{"transitionToIA": "AFTER_30_DAYS"}, {"transitionToArchive": "AFTER_90_DAYS"}]}),
        json!({"mountTargets": [{"subnetId": "subnet-1", "ipAddressType": "DUAL_STACK", "ipAddress": "10.0.0.7", "ipv6Address": "2001:db8::7"}]}),
        json!({"replicationConfiguration": {"destinations": [{"fileSystemId": "fs-01234567"}]}}),
        json!({"fileSystemPolicy": {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "elasticfilesystem:ClientMount"}}}),
    ] {
        assert_eq!(complaints(right.clone()), Vec::<String>::new(), "{right}");
    }
    let found: Vec<String> = [
        json!({"kmsKeyId": "5f1cd1a8-0f6a-4fd5-a6b1-2c94bd0a01ae"}),
        json!({"throughputMode": "provisioned"}),
        json!({"provisionedThroughputInMibps": 10}),
        json!({"performanceMode": "maxIO", "throughputMode": "elastic"}),
        json!({"performanceMode": "maxIO", "availabilityZoneName": "us-east-1a"}),
        json!({"availabilityZoneName": "us-east-1a", "mountTargets": [{"subnetId": "subnet-1"}, {"subnetId": "subnet-2"}]}),
        json!({"bypassPolicyLockoutSafetyCheck": true}),
        json!({"lifecyclePolicies": [{}, {"transitionToIA": "AFTER_30_DAYS", "transitionToPrimaryStorageClass": "AFTER_1_ACCESS"}]}),
        json!({"lifecyclePolicies": [{"transitionToIA": "AFTER_30_DAYS"}, {"transitionToIA": "AFTER_7_DAYS"}]}),
        json!({"lifecyclePolicies": [{"transitionToArchive": "AFTER_90_DAYS"}]}),
        json!({"throughputMode": "elastic", "lifecyclePolicies": [{"transitionToIA": "AFTER_90_DAYS"}, {"transitionToArchive": "AFTER_14_DAYS"}]}),
        json!({"mountTargets": [{"subnetId": "subnet-1", "ipAddress": "10.0.0"}, {"subnetId": "subnet-1", "ipv6Address": "2001:db8::7"}]}),
        json!({"mountTargets": [{"subnetId": "subnet-1", "ipAddressType": "IPV6_ONLY", "ipAddress": "10.0.0.7", "ipv6Address": "10.0.0.7"}]}),
        json!({"replicationConfiguration": {"destinations": [{"fileSystemId": "fs-01234567", "kmsKeyId": "alias/a"}]}}),
        json!({"replicationConfiguration": {"destinations": [{}]}}),
        json!({"fileSystemPolicy": {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}}}),
    ]
    .into_iter()
    .flat_map(complaints)
    .collect();
    insta::assert_snapshot!(found.join("\n"), @r"
    kmsKeyId: is of what is encrypted: set encrypted to true
    provisionedThroughputInMibps: is needed with throughputMode `provisioned`: say how many MiB a second
    provisionedThroughputInMibps: is of throughputMode `provisioned`: set that, or remove it
    performanceMode: `maxIO` has no `elastic` throughput: remove one of the two
    performanceMode: `maxIO` is not for One Zone file systems: remove one of the two
    mountTargets: a One Zone file system has one mount target, in its zone: keep that one
    bypassPolicyLockoutSafetyCheck: is of fileSystemPolicy: add that, or remove it
    lifecyclePolicies[0]: says no transition: add one, or remove the item
    lifecyclePolicies[1]: says transitionToIA and transitionToPrimaryStorageClass: one transition an item
    lifecyclePolicies[1].transitionToIA: is said twice: keep one
    lifecyclePolicies[0].transitionToArchive: is for `elastic` throughput: set throughputMode to that, or remove it
    lifecyclePolicies: has files in Archive after 14 days, not later than in Infrequent Access: 90 days
    mountTargets[0].ipAddress: `10.0.0` is no IPv4 address
    mountTargets[1].subnetId: is there twice: a zone has one mount target
    mountTargets[1].ipv6Address: is of IPv6: remove it, or set ipAddressType to `IPV6_ONLY` or `DUAL_STACK`
    mountTargets[0].ipAddress: is of IPv4: remove it, or ipAddressType
    mountTargets[0].ipv6Address: `10.0.0.7` is no IPv6 address
    replicationConfiguration.destinations[0].kmsKeyId: is for a copy that EFS makes, and fileSystemId names one that is there: remove one of the two
    replicationConfiguration.destinations[0]: says nowhere: add region, availabilityZoneName or fileSystemId
    fileSystemPolicy.Statement.Action: `s3:GetObject` is none of EFS's actions, and a file system's policy has no others
    ");
}

/// What is said in several ways is said in one.
#[test]
fn a_policy_is_for_its_own_file_system_and_backups_are_what_their_absence_means() {
    let kind = Erased::<FileSystem>::new();
    let normal = |spec: Value| kind.normal(&spec, &place()).unwrap();
    let with = |resource: Value| {
        let mut statement =
            json!({"Effect": "Allow", "Principal": "*", "Action": "elasticfilesystem:ClientMount"});
        if resource != Value::Null {
            statement["Resource"] = resource;
        }
        normal(json!({"fileSystemPolicy": {"Version": "2012-10-17", "Statement": statement}}))
    };
    for own in [
        json!("*"),
        json!(["*"]),
        json!("arn:aws:elasticfilesystem:us-east-1:111122223333:file-system/fs-01234567"),
        json!("${efs/FileSystem/scratch.arn}"),
    ] {
        assert_eq!(with(own.clone()), with(Value::Null), "{own}");
    }
    assert_ne!(with(json!("arn:aws:s3:::a")), with(Value::Null));

    let of = |zone: Option<&str>, status: Option<&str>| {
        let mut spec = json!({});
        if let Some(zone) = zone {
            spec["availabilityZoneName"] = zone.into();
        }
        if let Some(status) = status {
            spec["backupPolicy"] = json!({"status": status});
        }
        normal(spec)
    };
    let zone = Some("us-east-1a");
    assert_eq!(of(None, None), of(None, Some("DISABLED")));
    assert_eq!(of(zone, None), of(zone, Some("ENABLED")));
    assert_ne!(of(zone, None), of(zone, Some("DISABLED")));
}

#[test]
fn what_cuts_jobs_off_from_their_files_is_told() {
    let kind = Erased::<FileSystem>::new();
    let effect = |before: Value, after: Value| {
        let (before, after) =
            (kind.normal(&before, &place()).unwrap(), kind.normal(&after, &place()).unwrap());
        kind.effect(&before, &after, &walk(&before, &after, &kind.facts().rules, &[]))
    };
    let target = |rest: Value| {
        let mut target = json!({"subnetId": "subnet-1", "ipAddress": "10.0.0.7"});
        target.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        json!({"mountTargets": [target]})
    };
    let update = Effect::Update(Manner::InPlace);
    let (kept, why) = effect(target(json!({})), target(json!({"securityGroups": ["sg-1"]})));
    assert_eq!((kept, why.0.as_str()), (update.clone(), ""));
    for after in [json!({}), target(json!({"ipAddress": "10.0.0.8"}))] {
        let (kept, why) = effect(target(json!({})), after);
        assert_eq!(kept, update);
        assert_eq!(
            why.0,
            "the mount target in subnet-1 goes: what mounts the file system through it is cut off"
        );
    }
    let mut encrypted = target(json!({}));
    encrypted["encrypted"] = true.into();
    let (impossible, _) = effect(target(json!({})), encrypted);
    let Effect::Impossible(what) = impossible else { panic!("{impossible:?}") };
    insta::assert_snapshot!(what, @"encrypted is create-only, and the file system that is there holds 10.0.0.7 until it goes: leave the address out of mountTargets, or name another");
    let (another, why) = effect(json!({}), json!({"encrypted": true}));
    assert_eq!((another, why.0.as_str()), (Effect::Replace(Order::CreateFirst), "encrypted is create-only"));
}

async fn network(ec2: &aws_sdk_ec2::Client) -> [String; 2] {
    let vpc = ec2.create_vpc().cidr_block("10.20.0.0/16").send().await.unwrap().vpc.unwrap().vpc_id.unwrap();
    let subnet = |range: &str, zone: &str| {
        let call = ec2.create_subnet().vpc_id(&vpc).cidr_block(range).availability_zone(zone);
        async move { call.send().await.unwrap().subnet.unwrap().subnet_id.unwrap() }
    };
    [subnet("10.20.0.0/20", "us-east-1a").await, subnet("10.20.16.0/20", "us-east-1a").await]
}

/// <https://docs.aws.amazon.com/efs/latest/ug/API_CreateMountTarget.html>: "You can create one mount target in each Availability Zone".
#[tokio::test]
async fn a_mount_target_makes_way_for_another_in_its_zone() {
    let trial = Trial::new("efs/FileSystem", "unnamed").await;
    let [one, other] = network(trial.client::<Ec2>()).await;
    let spec = |subnet: &str| json!({"mountTargets": [{"subnetId": subnet}]});
    let id = trial.create(&spec(&one)).await.unwrap();
    let trial = trial.named(&id);
    let readiness = async || trial.look(true).await.unwrap().unwrap().readiness;
    assert_eq!(readiness().await, Readiness::Pending("it is creating".into()));
    trial.update(&spec(&one)).await.unwrap();
    assert_eq!(readiness().await, Readiness::Pending(format!("its mount target in {one} is creating")));
    assert_eq!(readiness().await, Readiness::Ready);

    trial.update(&spec(&other)).await.unwrap();
    assert_eq!(readiness().await, Readiness::Pending(format!("its mount target in {one} is deleting")));
    trial.update(&spec(&other)).await.unwrap();
    assert_eq!(readiness().await, Readiness::Pending(format!("its mount target in {other} is creating")));
    let live = trial.look(true).await.unwrap().unwrap();
    assert_eq!(trial.differs(&live, &spec(&other)), []);

    // It is not taken for empty once it could be mounted; its mount targets go first.
    let refused = trial.delete(OnDelete::Refuse).await.unwrap_err();
    assert!(refused.message.contains("files, some of which EFS may not have counted yet"), "{refused}");
    trial.delete(OnDelete::Empty).await.unwrap();
    assert_eq!(readiness().await, Readiness::Pending(format!("its mount target in {other} is deleting")));
    trial.delete(OnDelete::Empty).await.unwrap();
    assert_eq!(readiness().await, Readiness::Pending("it is deleting".into()));
    assert_eq!(trial.look(true).await.unwrap(), None);
}

/// A step that made one which nobody wants takes it away without a word: nothing can be in it.
#[tokio::test]
async fn one_that_nobody_could_mount_is_empty() {
    let trial = Trial::new("efs/FileSystem", "unnamed").await;
    let id = trial.create(&json!({})).await.unwrap();
    // The step's token makes none twice.
    assert!(trial.create(&json!({})).await.unwrap_err().is("FileSystemAlreadyExists"));
    let trial = trial.named(&id);
    trial.look(true).await.unwrap();
    trial.delete(OnDelete::Refuse).await.unwrap();
    trial.look(true).await.unwrap();
    assert_eq!(trial.look(true).await.unwrap(), None);
}

/// <https://docs.aws.amazon.com/efs/latest/ug/API_UpdateFileSystemProtection.html>: it is REPLICATING as long as it is overwritten.
#[tokio::test]
async fn a_copy_is_kept_in_another_of_ours() {
    let trial = Trial::new("efs/FileSystem", "unnamed").await;
    let efs = trial.client::<Efs>().clone();
    let copy = efs.create_file_system().creation_token("copy").send().await.unwrap().file_system_id;
    efs.describe_file_systems().send().await.unwrap();
    let disabled = json!({"fileSystemProtection": {"replicationOverwriteProtection": "DISABLED"}});
    let spec = json!({"replicationConfiguration": {"destinations": [{"fileSystemId": copy}]}});
    let id = trial.create(&spec).await.unwrap();
    let (trial, of_copy) = (trial.named(&id), disabled);
    trial.look(true).await.unwrap();
    let refused = trial.update(&spec).await.unwrap_err();
    assert!(refused.message.contains("protection"), "{refused}");
    let call = efs.update_file_system_protection().file_system_id(&copy);
    call.replication_overwrite_protection("DISABLED".into()).send().await.unwrap();
    trial.update(&spec).await.unwrap();
    let live = trial.look(true).await.unwrap().unwrap();
    assert_eq!(live.readiness, Readiness::Pending("its replication begins".into()));
    let live = trial.look(true).await.unwrap().unwrap();
    assert_eq!((live.readiness.clone(), trial.differs(&live, &spec)), (Readiness::Ready, Vec::new()));
    assert_eq!(live.outputs["replicationStatus"], "ENABLED");

    // What is overwritten says that it may be.
    let trial = trial.named(&copy);
    let told = trial.look(true).await.unwrap().unwrap();
    assert_eq!(trial.differs(&told, &of_copy), []);
    let trial = trial.named(&id);
    trial.delete(OnDelete::Empty).await.unwrap();
    let live = trial.look(true).await.unwrap().unwrap();
    assert_eq!(live.readiness, Readiness::Pending("its replication ends".into()));
    trial.look(true).await.unwrap();
    trial.delete(OnDelete::Empty).await.unwrap();
    trial.look(true).await.unwrap();
    assert_eq!(trial.look(true).await.unwrap(), None);
}
