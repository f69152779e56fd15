//! `ec2/SecurityGroup`: who may talk to what.

use aws_sdk_ec2::types::{ResourceType, SecurityGroup as Reported};

use crate::kind::prelude::*;
use crate::services::ec2::{Ec2, Snapshot, assigned, once, tag_on_create, tags};

mod clashes;
mod rule;
#[cfg(test)]
mod tests;
mod write;

pub use rule::{EgressRule, IngressRule};

/// A security group.
pub struct SecurityGroup;

/// What the API takes and a manifest cannot say, and why.
pub const NOT_MANAGED: &[(&str, &str)] = &[
    ("DryRun", "a plan does not ask AWS"),
    ("TagSpecifications", "metadata.tags"),
    ("GroupName", "metadata.physicalName"),
    ("SourceSecurityGroupName", "names work in default VPCs only; sourceSecurityGroupId works everywhere"),
    ("VpcPeeringConnectionId", "it follows from the group on the other side"),
];

/// What a manifest declares of a security group.
#[spec]
pub struct Spec {
    /// What it is for: 1 to 255 letters, digits, spaces and `._-:/()#,@[]+=&;{}!$*`.
    #[field(create_only)]
    pub group_description: String,
    /// The VPC that it guards; absent: the account's default VPC.
    #[field(server, create_only, refers("ec2/Vpc.id"))]
    pub vpc_id: Option<String>,
    /// What is let in: one source for each rule. Rules of others are removed.
    #[field(default, set, deferrable)]
    pub security_group_ingress: Vec<IngressRule>,
    /// What is let out: one destination for each rule; absent: everything over IPv4; `[]`: nothing. Rules of others are
    /// removed.
    #[field(default = vec![EgressRule::everything()], set, deferrable)]
    pub security_group_egress: Vec<EgressRule>,
}

/// What AWS assigns to a security group.
#[outputs]
pub struct Outputs {
    /// Its id: `sg-…`.
    pub id: String,
    /// Its id, as CloudFormation calls it.
    pub group_id: String,
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: Option<String>,
    /// The VPC that it guards.
    pub vpc_id: Option<String>,
    /// The account that it belongs to.
    pub owner_id: Option<String>,
}

/// Why EC2 would refuse a group's name.
fn wrong_name(name: &str) -> Option<String> {
    if name.to_lowercase().starts_with("sg-") {
        return Some("AWS keeps names that begin with sg- for ids; call it something else".to_owned());
    }
    if name == "default" {
        return Some("AWS calls each VPC's own group `default`; call it something else".to_owned());
    }
    if name.trim() != name {
        return Some("a security group's name neither begins nor ends with a space".to_owned());
    }
    (name.is_empty() || name.len() > 255 || !name.chars().all(is_allowed)).then(|| {
        "a security group's name has 1 to 255 letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*".to_owned()
    })
}

impl Kind for SecurityGroup {
    type Spec = Spec;
    type Outputs = Outputs;
    type Service = Ec2;
    type Seen = ();

    const NAME: &'static str = "ec2/SecurityGroup";
    const NAMES: NameRule = NameRule::checked(128, wrong_name);
    const ABOUT: &'static str = "A security group: who may talk to the network interfaces that carry it.";
    const CLOUDFORMATION: &'static str = "AWS::EC2::SecurityGroup";
    const NOT_MANAGED: &'static [(&'static str, &'static str)] = NOT_MANAGED;
    const GRANTS: Grants = Grants {
        read: &[Grant::any(actions![ec2: DescribeSecurityGroups])],
        write: &[
            Grant::on(actions![ec2: CreateSecurityGroup], &[On::Regional("ec2", "security-group/*")])
                .when(When::OwnerWritten),
            Grant::on(actions![ec2: CreateSecurityGroup], &[On::Regional("ec2", "vpc/*")]),
            Grant::on(actions![ec2: CreateTags], &[On::Regional("ec2", "security-group/*")])
                .when(When::TaggedBy(&["CreateSecurityGroup"])),
            Grant::on(
                actions![ec2: CreateTags DeleteTags AuthorizeSecurityGroupEgress
                    AuthorizeSecurityGroupIngress DeleteSecurityGroup
                    RevokeSecurityGroupEgress RevokeSecurityGroupIngress
                    UpdateSecurityGroupRuleDescriptionsEgress
                    UpdateSecurityGroupRuleDescriptionsIngress],
                &[On::Regional("ec2", "security-group/*")],
            )
            .when(When::Owned),
            Grant::on(
                actions![ec2: AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress],
                &[On::Regional("ec2", "security-group-rule/*")],
            ),
        ],
    };
    const IDENTITY: Identity = Identity::Assigned;
    const HELD_BY_TASKS: bool = true;
    const EXAMPLE: &'static str = include_str!("security_group.example.yaml");

    fn validate(spec: &Spec, _place: &Place) -> Vec<Invalid> {
        let mut wrong = Vec::new();
        if spec.group_description.is_empty() {
            wrong.push(Invalid::new("groupDescription", "is empty: say what the group is for"));
        }
        wrong.extend(check_text("groupDescription", &spec.group_description));
        wrong.extend(rule::check(
            "securityGroupIngress",
            spec.security_group_ingress.iter().map(IngressRule::parts),
        ));
        wrong.extend(rule::check(
            "securityGroupEgress",
            spec.security_group_egress.iter().map(EgressRule::parts),
        ));
        wrong
    }

    fn clashes(spec: &Spec, id: &ResourceId, beside: &Beside<'_>) -> Vec<Clash> {
        clashes::clashes(spec, id, beside)
    }

    fn normalise(spec: &mut Spec, _place: &Place) {
        spec.security_group_ingress.iter_mut().for_each(IngressRule::normalise);
        spec.security_group_egress.iter_mut().for_each(EgressRule::normalise);
    }

    fn warnings(spec: &Spec, _live: Option<&Spec>) -> Vec<Invalid> {
        let ingress = spec.security_group_ingress.iter().map(IngressRule::parts);
        let egress = spec.security_group_egress.iter().map(EgressRule::parts);
        let mut doubts = rule::doubts("securityGroupIngress", ingress);
        doubts.extend(rule::doubts("securityGroupEgress", egress));
        doubts
    }

    fn effect(_live: &Spec, _want: &Spec, changes: &[FieldChange]) -> (Effect, Reason) {
        match strongest(changes, Self::IDENTITY) {
            // Names are unique in a VPC.
            (Effect::Replace(_), Reason(why)) if changes.iter().all(|change| change.path != "vpcId") => (
                Effect::Replace(Order::DeleteFirst),
                Reason(format!("{why}, and its name is taken while it exists")),
            ),
            other => other,
        }
    }

    fn observe(snapshot: &Snapshot, place: &Place) -> Vec<Live<Self>> {
        snapshot.security_groups.values().filter_map(|group| live(group, place)).collect()
    }

    async fn create(cx: &Cx<'_, Self>, want: &Spec) -> Result<String> {
        // Its rules are the next update: the id is known and tagged by then, whatever becomes of this call.
        let call = cx
            .client
            .create_security_group()
            .group_name(cx.name)
            .description(&want.group_description)
            .set_vpc_id(want.vpc_id.clone())
            .tag_specifications(tag_on_create(ResourceType::SecurityGroup, cx.tags));
        let call = call.customize().config_override(once());
        let answer = call.send().await.map_err(failed)?;
        assigned(answer.group_id(), "CreateSecurityGroup")
    }

    async fn update(cx: &Cx<'_, Self>, live: &Live<Self>, want: &Spec, diff: &Diff) -> Result<()> {
        if diff.touches("securityGroupIngress") {
            write::ingress(cx, live, want).await?;
        }
        if diff.touches("securityGroupEgress") {
            write::egress(cx, live, want).await?;
        }
        Ok(())
    }

    async fn delete(cx: &Cx<'_, Self>, live: &Live<Self>) -> Result<()> {
        // Two groups that name each other could otherwise neither of them go.
        write::forget_others(cx, live).await?;
        let call = cx.client.delete_security_group().group_id(&live.physical);
        call.send().await.map_err(failed)?;
        Ok(())
    }
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c)
}

/// What is wrong with the description of a group or of one of its rules (CreateSecurityGroup, IpRange).
fn check_text(path: &str, text: &str) -> Option<Invalid> {
    if text.contains("${") {
        return None;
    }
    let message = match text.chars().find(|&c| !is_allowed(c)) {
        Some(bad) => {
            format!("holds {bad:?}: AWS takes letters, digits, spaces and ._-:/()#,@[]+=&;{{}}!$* here")
        }
        None if text.len() > 255 => format!("has {} characters: AWS takes up to 255", text.len()),
        None => return None,
    };
    Some(Invalid::new(path, message))
}

fn live(group: &Reported, place: &Place) -> Option<Live<SecurityGroup>> {
    let id = group.group_id()?.to_owned();
    let arn = group
        .security_group_arn()
        .map_or_else(|| place.arn("ec2", &format!("security-group/{id}")), str::to_owned);
    Some(Live {
        physical: id.clone(),
        arn: Some(arn.clone()),
        spec: Spec {
            group_description: group.description().unwrap_or_default().to_owned(),
            vpc_id: group.vpc_id().map(str::to_owned),
            security_group_ingress: group.ip_permissions().iter().flat_map(IngressRule::observe).collect(),
            security_group_egress: group
                .ip_permissions_egress()
                .iter()
                .flat_map(EgressRule::observe)
                .collect(),
        },
        outputs: Outputs {
            group_id: id.clone(),
            arn,
            name: group.group_name().map(str::to_owned),
            vpc_id: group.vpc_id().map(str::to_owned),
            owner_id: group.owner_id().map(str::to_owned),
            id,
        },
        tags: tags(group.tags()),
        readiness: Readiness::Ready,
        revision: None,
    })
}
