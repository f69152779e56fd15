//! `ec2/InternetGateway`: a VPC's door to the internet.

use aws_sdk_ec2::types::{AttachmentStatus, InternetGateway as Reported, ResourceType};

use crate::kind::prelude::*;
use crate::services::ec2::{Ec2, Snapshot, assigned, once, tag_on_create, tags};

mod clashes;

/// An internet gateway.
pub struct InternetGateway;

/// What the API takes and a manifest cannot say, and why.
pub const NOT_MANAGED: &[(&str, &str)] =
    &[("DryRun", "a plan does not ask AWS"), ("TagSpecifications", "metadata.tags")];

/// What a manifest declares of an internet gateway.
#[spec(default)]
pub struct Spec {
    /// The VPC that it is attached to; absent: none.
    #[field(empty, refers("ec2/Vpc.id"))]
    pub vpc_id: Option<String>,
}

/// What AWS assigns to an internet gateway.
#[outputs]
pub struct Outputs {
    /// Its id: `igw-…`.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// The account that it belongs to.
    pub owner_id: Option<String>,
}

impl Kind for InternetGateway {
    type Spec = Spec;
    type Outputs = Outputs;
    type Service = Ec2;
    type Seen = ();

    const NAME: &'static str = "ec2/InternetGateway";
    const NAMES: NameRule = NameRule::NONE;
    const ABOUT: &'static str = "An internet gateway and its attachment: a VPC's door to the internet.";
    const CLOUDFORMATION: &'static str = "AWS::EC2::InternetGateway";
    const NOT_MANAGED: &'static [(&'static str, &'static str)] = NOT_MANAGED;
    const GRANTS: Grants = Grants {
        read: &[Grant::any(actions![ec2: DescribeInternetGateways])],
        write: &[
            Grant::on(actions![ec2: CreateInternetGateway], &[On::Regional("ec2", "internet-gateway/*")])
                .when(When::OwnerWritten),
            Grant::on(actions![ec2: CreateTags], &[On::Regional("ec2", "internet-gateway/*")])
                .when(When::TaggedBy(&["CreateInternetGateway"])),
            Grant::on(
                actions![ec2: CreateTags DeleteTags AttachInternetGateway
                    DeleteInternetGateway DetachInternetGateway],
                &[On::Regional("ec2", "internet-gateway/*")],
            )
            .when(When::Owned),
            Grant::on(
                actions![ec2: AttachInternetGateway DetachInternetGateway],
                &[On::Regional("ec2", "vpc/*")],
            ),
        ],
    };
    const IDENTITY: Identity = Identity::Assigned;
    const EXAMPLE: &'static str = include_str!("internet_gateway.example.yaml");

    fn clashes(spec: &Spec, id: &ResourceId, beside: &Beside<'_>) -> Vec<Clash> {
        clashes::clashes(spec, id, beside).into_iter().collect()
    }

    fn observe(snapshot: &Snapshot, place: &Place) -> Vec<Live<Self>> {
        snapshot.internet_gateways.values().filter_map(|gateway| live(gateway, place)).collect()
    }

    async fn create(cx: &Cx<'_, Self>, _want: &Spec) -> Result<String> {
        // Attaching it is the next update: the id is known and tagged by then, whatever becomes of that call.
        let call = cx.client.create_internet_gateway();
        let call = call.tag_specifications(tag_on_create(ResourceType::InternetGateway, cx.tags));
        let call = call.customize().config_override(once());
        let answer = call.send().await.map_err(failed)?;
        assigned(answer.internet_gateway().and_then(|g| g.internet_gateway_id()), "CreateInternetGateway")
    }

    async fn update(cx: &Cx<'_, Self>, live: &Live<Self>, want: &Spec, diff: &Diff) -> Result<()> {
        if !diff.touches("vpcId") {
            return Ok(());
        }
        detach(cx, live).await?;
        if let Some(vpc) = &want.vpc_id {
            let call = cx.client.attach_internet_gateway().internet_gateway_id(&live.physical).vpc_id(vpc);
            call.send().await.map_err(failed)?;
        }
        Ok(())
    }

    async fn delete(cx: &Cx<'_, Self>, live: &Live<Self>) -> Result<()> {
        detach(cx, live).await?;
        let call = cx.client.delete_internet_gateway().internet_gateway_id(&live.physical);
        call.send().await.map_err(failed)?;
        Ok(())
    }
}

async fn detach(cx: &Cx<'_, InternetGateway>, live: &Live<InternetGateway>) -> Result<()> {
    if let Some(vpc) = &live.spec.vpc_id {
        let call = cx.client.detach_internet_gateway().internet_gateway_id(&live.physical).vpc_id(vpc);
        call.send().await.map_err(failed)?;
    }
    Ok(())
}

fn live(gateway: &Reported, place: &Place) -> Option<Live<InternetGateway>> {
    let id = gateway.internet_gateway_id()?.to_owned();
    // `available` is what EC2 answers for a gateway that is attached; the SDK does not know the word.
    let attachment = gateway.attachments().iter().find(|a| a.state() != Some(&AttachmentStatus::Detached));
    let arn = place.arn("ec2", &format!("internet-gateway/{id}"));
    let readiness = match attachment.and_then(|a| a.state()) {
        Some(state @ (AttachmentStatus::Attaching | AttachmentStatus::Detaching)) => {
            Readiness::Pending(format!("it is {}", state.as_str()))
        }
        _ => Readiness::Ready,
    };
    Some(Live {
        physical: id.clone(),
        arn: Some(arn.clone()),
        spec: Spec { vpc_id: attachment.and_then(|a| a.vpc_id()).map(str::to_owned) },
        outputs: Outputs { id, arn, owner_id: gateway.owner_id().map(str::to_owned) },
        tags: tags(gateway.tags()),
        readiness,
        revision: None,
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{AttachmentStatus, InternetGateway as Reported, InternetGatewayAttachment};

    use super::InternetGateway;
    use crate::kind::Kind;
    use crate::resource::{Place, Readiness};
    use crate::services::ec2::Snapshot;

    fn observe(state: &str) -> (Option<String>, Readiness) {
        let attachment =
            InternetGatewayAttachment::builder().vpc_id("vpc-1").state(AttachmentStatus::from(state)).build();
        let gateway = Reported::builder().internet_gateway_id("igw-1").attachments(attachment).build();
        let snapshot =
            Snapshot { internet_gateways: [("igw-1".to_owned(), gateway)].into(), ..Snapshot::default() };
        let live = InternetGateway::observe(&snapshot, &Place::new("111122223333", "eu-west-1")).remove(0);
        (live.spec.vpc_id, live.readiness)
    }

    #[test]
    fn an_attachment_is_a_field() {
        let vpc = Some("vpc-1".to_owned());
        assert_eq!(observe("available"), (vpc.clone(), Readiness::Ready));
        assert_eq!(observe("attached"), (vpc.clone(), Readiness::Ready));
        assert_eq!(observe("attaching"), (vpc, Readiness::Pending("it is attaching".to_owned())));
        assert_eq!(observe("detached"), (None, Readiness::Ready));
    }
}
