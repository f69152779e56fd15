//! What is there and not ours, and what an environment tells whoever uses it: by the program itself, on a sandbox.

use serde_json::Value;

use crate::world::program::{Ran, Stand};

const ENVIRONMENT: &str = r#"project: acme/jobs
account: "ACCOUNT"
region: eu-west-1
namePrefix: dev-
stacks: [main]
existing:
  vpc: {kind: ec2/Vpc, default: true}
  subnets: {kind: ec2/Subnet, where: {vpcId: "${existing.vpc.id}"}, all: true}
  ami: {ssm: /aws/service/ecs/optimized-ami/amazon-linux-2/recommended/image_id}
outputs:
  group: ${ec2/SecurityGroup/jobs.id}
  zone: in ${zones.0}
  subnets: ["${existing.subnets.id}"]
  role:
    value: ${iam/Role/job.arn}
    description: what jobs act as
    sensitive: true
"#;

const STACK: &str = r#"apiVersion: batchwright/v1
kind: ec2/SecurityGroup
metadata: {name: jobs}
spec: {groupDescription: jobs, vpcId: "${existing.vpc.id}"}
---
apiVersion: batchwright/v1
kind: iam/Role
metadata: {name: job}
spec:
  description: for ${existing.ami.value} in ${zones.1}
  assumeRolePolicyDocument:
    Version: "2012-10-17"
    Statement: [{Effect: Allow, Principal: {Service: ecs-tasks.amazonaws.com}, Action: sts:AssumeRole}]
"#;

fn good(ran: &Ran) -> &str {
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    &ran.out
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_ours_is_looked_up_and_what_is_told_can_be_asked_for() {
    let stand = Stand::new(ENVIRONMENT).await;
    stand.stack(STACK);
    let before = stand.run(&["outputs", "dev"]).await;
    assert!(
        before.out.contains("group    not known: ${ec2/SecurityGroup/jobs.id} is not there yet"),
        "{}{}",
        before.out,
        before.err
    );
    let plan = stand.run(&["plan", "dev"]).await;
    let plan = good(&plan);
    assert!(
        plan.contains("existing.vpc      vpc-") && plan.contains("ec2/Vpc that is the default one"),
        "{plan}"
    );
    assert!(plan.contains("existing.ami      ami-"), "{plan}");

    let applied = stand.apply(&[]).await;
    let told = good(&applied).split("Applied").nth(1).unwrap_or_default();
    assert!(told.contains("zone     in eu-west-1a") && told.contains("subnets  [\"subnet-"), "{told}");
    assert!(told.contains("(sensitive)") && !told.contains("role/dev-job"), "{told}");

    let all = stand.run(&["outputs", "dev", "--json"]).await;
    let records: Vec<Value> = good(&all).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |name: &str| records.iter().find(|it| it["name"] == name).unwrap();
    assert!(of("group")["value"].as_str().is_some_and(|it| it.starts_with("sg-")));
    assert_eq!(of("subnets")["value"].as_array().map(Vec::len), Some(3));
    assert!(of("role")["sensitive"] == true && of("role").get("value").is_none());

    let role = stand.run(&["outputs", "dev", "role"]).await;
    assert!(good(&role).ends_with(":role/dev-job\n"), "{}", role.out);
    let asked = stand.run(&["outputs", "dev", "${ec2/SecurityGroup/jobs.id} in ${existing.vpc.id}"]).await;
    assert!(good(&asked).starts_with("sg-") && asked.out.contains(" in vpc-"), "{}", asked.out);
    let wrong = stand.run(&["outputs", "dev", "rolle"]).await;
    assert!(wrong.code == 1 && wrong.err.contains("did you mean `role`?"), "{}", wrong.err);
    let wrong = stand.run(&["outputs", "dev", "${iam/Role/job.arm}"]).await;
    assert!(wrong.code == 1 && wrong.err.contains("did you mean `${iam/Role/job.arn}`?"), "{}", wrong.err);

    // Nothing differs, and nothing of what is looked up is ours.
    let again = stand.apply(&[]).await;
    assert!(good(&again).contains("No changes.") && again.writes == 0, "{}", again.out);
    assert!(again.out.contains("zone     in eu-west-1a"), "{}", again.out);
    let held = stand.run(&["hold", "dev", "ami"]).await;
    assert!(good(&held).starts_with("existing.ami is held at ami-") && held.writes == 0, "{}", held.out);
    let file = stand.read("manifests/dev/environment.yaml");
    assert!(file.contains("  ami: {held: ami-") && file.contains(", ssm: /aws/service/ecs/"), "{file}");
    let held = stand.run(&["plan", "dev"]).await;
    assert!(good(&held).contains("image_id, held\n") && held.out.contains("No changes."), "{}", held.out);
    let destroyed = stand.run(&["destroy", "dev", "--confirm", "dev"]).await;
    assert!(good(&destroyed).contains("2 deleted"), "{}", destroyed.out);
    assert!(good(&stand.run(&["plan", "dev"]).await).contains("ec2/Vpc that is the default one"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lookup_that_finds_nothing_or_several_is_an_error_at_its_line() {
    let several = "  vpc: {kind: ec2/Vpc, default: true}";
    let wrong = ENVIRONMENT.replace(several, "  vpc: {kind: ec2/Subnet, default: true}\n  none: {kind: iam/Role, name: nobody}\n  gone: {ssm: /nowhere}");
    let wrong = wrong.replace(
        "  subnets: {kind: ec2/Subnet, where: {vpcId: \"${existing.vpc.id}\"}, all: true}\n",
        "  subnets: {kind: ec2/Subnet, default: true, all: true}\n",
    );
    let stand = Stand::new(&wrong).await;
    stand.stack(&STACK.replace("${existing.vpc.id}", "vpc-0123456789abcdef0"));
    let ran = stand.apply(&[]).await;
    assert_eq!((ran.code, ran.writes), (1, 0), "{}{}", ran.out, ran.err);
    for said in [
        "`existing.vpc` finds 3, and one is meant: subnet-",
        "environment.yaml:7:3",
        "`existing.none` finds nothing: there is no iam/Role of the name nobody in",
        "environment.yaml:8:3",
        "`existing.gone` finds nothing: there is no parameter /nowhere in",
    ] {
        assert!(ran.err.contains(said), "{said}: {}", ran.err);
    }
}
