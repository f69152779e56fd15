use serde_json::json;

use crate::kinds::trial::Trial;
use crate::resource::OnDelete;
use crate::services::ec2::Ec2;

fn volume(size: i32) -> serde_json::Value {
    json!({"launchTemplateData": {"blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": {"volumeSize": size}}]}})
}

/// Each change is a version more; the default version is nobody's to take away, and with the newest goes the template.
#[tokio::test]
async fn versions_are_made_and_taken_away() {
    let trial = Trial::new("ec2/LaunchTemplate", "jobs").await;
    for size in [10, 20, 30, 10] {
        trial.create(&volume(size)).await.unwrap();
    }
    let revisions = async || {
        let mut all: Vec<_> = trial.all(true).await.unwrap().iter().filter_map(|it| it.revision).collect();
        all.sort_unstable();
        all
    };
    assert_eq!(revisions().await, [2, 3, 4], "the first is the default version");
    let newest = trial.look(true).await.unwrap().unwrap();
    assert_eq!(trial.differs(&newest, &volume(10)), []);
    assert_eq!((&newest.outputs["latestVersion"], &newest.outputs["defaultVersion"]), (&json!(4), &json!(1)));
    assert_eq!(newest.tags["team"], "payments");
    assert_eq!(trial.look(false).await.unwrap(), Some(newest));

    // As the executor takes revisions away: one by one.
    let ec2 = trial.client::<Ec2>();
    for number in ["2", "3"] {
        let call = ec2.delete_launch_template_versions().launch_template_name("jobs").versions(number);
        call.send().await.unwrap();
    }
    assert_eq!(revisions().await, [4]);
    let refused =
        ec2.delete_launch_template_versions().launch_template_name("jobs").versions("1").send().await;
    assert_eq!(refused.unwrap().unsuccessfully_deleted_launch_template_versions().len(), 1);
    trial.create(&volume(40)).await.unwrap();
    assert_eq!(revisions().await, [4, 5], "numbers are never given twice");
    let refused = trial.delete(OnDelete::Refuse).await.unwrap_err();
    assert!(refused.is("VersionsLeft"), "{refused}: version 4 would go with the template");
    let call = ec2.delete_launch_template_versions().launch_template_name("jobs").versions("4");
    call.send().await.unwrap();
    trial.delete(OnDelete::Refuse).await.unwrap();
    assert_eq!(trial.look(true).await.unwrap(), None);
    assert!(ec2.describe_launch_templates().send().await.unwrap().launch_templates().is_empty());
}
