use serde_json::{Value, json};

use super::{AccessPoint, Spec};
use crate::kind::{AnyKind, Erased, Kind};
use crate::kinds::trial::Trial;
use crate::resource::{OnDelete, Place, Readiness};
use crate::services::Service;
use crate::services::efs::Efs;

fn complaints(spec: Value) -> Vec<String> {
    let spec: Spec = serde_json::from_value(spec).unwrap();
    let place = Place::new("111122223333", "eu-west-1");
    AccessPoint::validate(&spec, &place).into_iter().map(|found| found.path).collect()
}

#[test]
fn a_folder_that_is_there_is_not_made() {
    let owner = json!({"ownerUid": 0, "ownerGid": 0, "permissions": "0755"});
    for (root, expected) in [
        (json!({}), &[][..]),
        (json!({"path": "/a/b"}), &[]),
        (json!({"path": "/a", "creationInfo": owner}), &[]),
        (json!({"creationInfo": owner}), &["rootDirectory.creationInfo"]),
    ] {
        let spec = json!({"fileSystemId": "fs-01234567", "rootDirectory": root});
        assert_eq!(complaints(spec.clone()), expected, "{spec}");
    }
}

#[test]
fn a_file_system_is_named_by_its_id_or_its_arn() {
    let kind = Erased::<AccessPoint>::new();
    let place = Place::new("111122223333", "eu-west-1");
    let of = |id: &str| kind.normal(&json!({"fileSystemId": id}), &place).unwrap();
    let arn = "arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/fs-01234567";
    assert_eq!(of(arn), of("fs-01234567"));
    assert_ne!(of("${efs/FileSystem/scratch.id}"), of("fs-01234567"));
}

#[tokio::test]
async fn an_access_point_has_all_that_it_has_from_the_beginning() {
    let trial = Trial::new("efs/AccessPoint", "unnamed").await;
    let efs = trial.client::<Efs>();
    let system = efs.create_file_system().creation_token("one").send().await.unwrap().file_system_id;
    let spec = json!({
        "fileSystemId": system, "posixUser": {"uid": 4_294_967_295_u32, "gid": 0, "secondaryGids": [7]},
        "rootDirectory": {"path": "/jobs", "creationInfo": {"ownerUid": 1, "ownerGid": 2, "permissions": "700"}}
    });
    // A file system takes no access point before it is there.
    let early = trial.create(&spec).await.unwrap_err();
    assert!(early.is("IncorrectFileSystemLifeCycleState"), "{early}");
    efs.describe_file_systems().send().await.unwrap();
    let id = trial.create(&spec).await.unwrap();
    // The step's token makes none twice.
    let again = trial.create(&spec).await.unwrap_err();
    assert_eq!(Efs::classify(&again, std::time::Duration::ZERO), crate::services::Fault::Exists, "{again}");
    let trial = trial.named(&id);
    let young = trial.look(true).await.unwrap().unwrap();
    assert_eq!(young.readiness, Readiness::Pending("it is creating".into()));
    let live = trial.settle(&spec).await;
    assert_eq!(
        (live.readiness.clone(), live.outputs["fileSystemId"].clone()),
        (Readiness::Ready, json!(system))
    );
    trial.delete(OnDelete::Refuse).await.unwrap();
    trial.look(true).await.unwrap();
    assert_eq!(trial.look(true).await.unwrap(), None);
}
