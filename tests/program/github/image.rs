//! `github image`, where there is nothing to be found.

use super::{REPOSITORY, Scene, logs};

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_nobody_pushed_is_told_and_never_released() {
    let scene = Scene::set("611111111115").await;
    scene.write("event.json", "{}");
    let environment = format!(
        "project: {REPOSITORY}\naccount: \"611111111115\"\nregion: eu-west-1\nnamePrefix: dev-\nstacks: [main]\nimages: {{worker: {{repository: ecr/Repository/worker}}}}\n"
    );
    scene.write("manifests/dev/environment.yaml", &environment);
    let repository =
        "---\napiVersion: batchwright/v1\nkind: ecr/Repository\nmetadata: {name: worker}\nspec: {}\n";
    scene.manifest(&(logs(7) + repository));
    let image = ["github", "image", "dev", "--tag", "v1", "--name"];
    let run = async |more: &[&str]| scene.run(&[&image, more].concat()).await;

    // Neither before the registry is there, nor before something is in it.
    for _ in 0..2 {
        let ran = run(&["worker"]).await;
        assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
        assert_eq!(scene.took("output"), "exists=false\ndigest=\n");
        let ran = run(&["worker", "--release"]).await;
        assert!(ran.code == 1 && ran.err.contains("has no image that is tagged v1"), "{}", ran.err);
        drop(scene.took("output"));
        scene.ok(&["apply", "dev", "--yes"]).await;
    }
    let ran = run(&["workers"]).await;
    assert!(ran.code == 1 && ran.err.contains("dev names no image workers"), "{}", ran.err);
    assert!(ran.err.contains("images are: worker"), "{}", ran.err);
}
