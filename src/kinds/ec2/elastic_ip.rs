//! `ec2/ElasticIp`: a public address that stays.

use aws_sdk_ec2::types::{Address, DomainType, ResourceType};

use crate::kind::prelude::*;
use crate::services::ec2::{Ec2, Snapshot, assigned, once, tag_on_create, tags};

/// An elastic IP address.
pub struct ElasticIp;

/// What a manifest declares of an elastic IP address.
#[spec(default)]
pub struct Spec {
    /// The address, where a pool of your own has it; absent: AWS chooses.
    #[field(server, create_only)]
    pub address: Option<String>,
    /// The pool that it is taken from; absent: Amazon's.
    #[field(server, create_only)]
    pub public_ipv4_pool: Option<String>,
    /// The IPAM pool that it is taken from. AWS does not report it.
    #[field(empty, create_only, write_only)]
    pub ipam_pool_id: Option<String>,
    /// The pool of an Outpost that it is taken from.
    #[field(server, create_only)]
    pub customer_owned_ipv4_pool: Option<String>,
    /// From where AWS advertises it; absent: the region.
    #[field(server, create_only)]
    pub network_border_group: Option<String>,
}

/// What AWS assigns to an elastic IP address.
#[outputs]
pub struct Outputs {
    /// Its allocation's id: `eipalloc-…`.
    pub id: String,
    /// The same, as CloudFormation calls it.
    pub allocation_id: String,
    /// The address; a customer-owned one has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_ip: Option<String>,
    /// Its ARN.
    pub arn: String,
}

const ADDRESSES: &[On] = &[On::Regional("ec2", "elastic-ip/*")];

impl Kind for ElasticIp {
    type Spec = Spec;
    type Outputs = Outputs;
    type Service = Ec2;
    type Seen = ();

    const NAME: &'static str = "ec2/ElasticIp";
    const NAMES: NameRule = NameRule::NONE;
    const ABOUT: &'static str =
        "An elastic IP address: a public address that stays, such as that of a NAT gateway.";
    const CLOUDFORMATION: &'static str = "AWS::EC2::EIP";
    const NOT_MANAGED: &'static [(&'static str, &'static str)] = &[
        ("domain", "AWS has addresses of VPCs alone"),
        ("instanceId", "a NAT gateway names its address; instances come and go"),
        (
            "transferAddress",
            "an address that another account offers is accepted by a person, and then adopted",
        ),
        ("tags", "metadata.tags"),
    ];
    const GRANTS: Grants = Grants {
        read: &[Grant::any(actions![ec2: DescribeAddresses])],
        write: &[
            Grant::on(actions![ec2: AllocateAddress], ADDRESSES).when(When::OwnerWritten),
            Grant::on(
                actions![ec2: AllocateAddress],
                &[On::Regional("ec2", "ipv4pool-ec2/*"), On::Regional("ec2", "ipam-pool/*")],
            )
            .given(Given::Has(&["publicIpv4Pool", "ipamPoolId"])),
            Grant::on(actions![ec2: CreateTags], ADDRESSES).when(When::TaggedBy(&["AllocateAddress"])),
            Grant::on(actions![ec2: CreateTags DeleteTags ReleaseAddress], ADDRESSES).when(When::Owned),
        ],
    };
    const REMOVED_BY: &'static [&'static str] = actions![ec2: ReleaseAddress];
    const IDENTITY: Identity = Identity::Assigned;
    const EXAMPLE: &'static str = include_str!("elastic_ip.example.yaml");

    fn validate(spec: &Spec, _place: &Place) -> Vec<Invalid> {
        let pools = [
            ("publicIpv4Pool", &spec.public_ipv4_pool),
            ("ipamPoolId", &spec.ipam_pool_id),
            ("customerOwnedIpv4Pool", &spec.customer_owned_ipv4_pool),
        ];
        let mut said = pools.into_iter().filter(|(_, pool)| pool.is_some()).map(|(field, _)| field);
        let first = said.next();
        let more = said.next().map(|more| {
            Invalid::new(more, format!("is another pool than {}: remove one", first.unwrap_or_default()))
        });
        more.into_iter().collect()
    }

    fn observe(snapshot: &Snapshot, place: &Place) -> Vec<Live<Self>> {
        snapshot.addresses.values().filter_map(|address| live(address, place)).collect()
    }

    async fn create(cx: &Cx<'_, Self>, want: &Spec) -> Result<String> {
        let call = cx.client.allocate_address().domain(DomainType::Vpc);
        let call = call
            .set_address(want.address.clone())
            .set_public_ipv4_pool(want.public_ipv4_pool.clone())
            .set_ipam_pool_id(want.ipam_pool_id.clone())
            .set_customer_owned_ipv4_pool(want.customer_owned_ipv4_pool.clone())
            .set_network_border_group(want.network_border_group.clone());
        let call = call.tag_specifications(tag_on_create(ResourceType::ElasticIp, cx.tags));
        let answer = call.customize().config_override(once()).send().await.map_err(failed)?;
        assigned(answer.allocation_id(), "AllocateAddress")
    }

    async fn update(_cx: &Cx<'_, Self>, _live: &Live<Self>, _want: &Spec, _diff: &Diff) -> Result<()> {
        // Nothing of it changes in place but its tags.
        Ok(())
    }

    async fn delete(cx: &Cx<'_, Self>, live: &Live<Self>) -> Result<()> {
        let call = cx.client.release_address().allocation_id(&live.physical);
        // Of a zone that is none of the region's own, AWS wants to hear it (ReleaseAddress, `NetworkBorderGroup`).
        let call = call.set_network_border_group(live.spec.network_border_group.clone());
        call.send().await.map_err(failed)?;
        Ok(())
    }
}

fn live(address: &Address, place: &Place) -> Option<Live<ElasticIp>> {
    let id = address.allocation_id()?.to_owned();
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let spec = Spec {
        address: text(address.public_ip()),
        public_ipv4_pool: text(address.public_ipv4_pool()),
        ipam_pool_id: None,
        customer_owned_ipv4_pool: text(address.customer_owned_ipv4_pool()),
        network_border_group: text(address.network_border_group()),
    };
    let arn = place.arn("ec2", &format!("elastic-ip/{id}"));
    let public_ip = text(address.public_ip());
    let outputs = Outputs { id: id.clone(), allocation_id: id.clone(), public_ip, arn: arn.clone() };
    Some(Live::new(id, spec, outputs).with(arn, tags(address.tags())))
}
