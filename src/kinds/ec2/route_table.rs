//! `ec2/RouteTable`: where a subnet's traffic goes.

use aws_sdk_ec2::types::ResourceType;

use crate::kind::prelude::*;
use crate::services::ec2::{Ec2, Snapshot, assigned, tag_on_create};

mod clashes;
mod observe;
mod route;
#[cfg(test)]
mod tests;
mod write;

pub use route::Route;

/// A route table.
pub struct RouteTable;

/// What the API takes and a manifest cannot say, and why.
pub const NOT_MANAGED: &[(&str, &str)] = &[
    ("DryRun", "a plan does not ask AWS"),
    ("TagSpecifications", "metadata.tags"),
    ("ClientToken", "it comes from the step that creates"),
    ("LocalTarget", "the routes that come with a table are AWS's"),
    ("PublicIpv4Pool", "associations are with subnets and gateways"),
];

/// What a manifest declares of a route table.
#[spec]
pub struct Spec {
    /// The VPC that it is a part of.
    #[field(create_only, refers("ec2/Vpc.id"))]
    pub vpc_id: String,
    /// Where traffic goes that leaves the VPC. Routes of others are removed; the `local` ones, propagated ones and those
    /// of gateway endpoints are AWS's.
    #[field(default, set)]
    pub routes: Vec<Route>,
    /// The subnets that use it. A subnet without a table of its own uses its VPC's main one.
    #[field(default, set, items_refer("ec2/Subnet.id"))]
    pub subnet_ids: Vec<String>,
    /// Internet or virtual private gateways whose incoming traffic it routes.
    #[field(default, set, items_refer("ec2/InternetGateway.id"))]
    pub gateway_ids: Vec<String>,
    /// Virtual private gateways that may add routes to it.
    #[field(default, set)]
    pub propagating_vpn_gateway_ids: Vec<String>,
}

/// What AWS assigns to a route table.
#[outputs]
pub struct Outputs {
    /// Its id: `rtb-…`.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// The account that it belongs to.
    pub owner_id: Option<String>,
    /// By subnet or gateway: the id of the association, which ending it takes.
    #[serde(default)]
    pub associations: BTreeMap<String, String>,
}

impl Kind for RouteTable {
    type Spec = Spec;
    type Outputs = Outputs;
    type Service = Ec2;
    type Seen = ();

    const NAME: &'static str = "ec2/RouteTable";
    const NAMES: NameRule = NameRule::NONE;
    const ABOUT: &'static str = "A route table, its routes, and the subnets that use it.";
    const CLOUDFORMATION: &'static str = "AWS::EC2::RouteTable";
    const NOT_MANAGED: &'static [(&'static str, &'static str)] = NOT_MANAGED;
    const GRANTS: Grants = Grants {
        read: &[Grant::any(actions![ec2: DescribeRouteTables])],
        write: &[
            Grant::on(actions![ec2: CreateRouteTable], &[On::Regional("ec2", "route-table/*")])
                .when(When::OwnerWritten),
            Grant::on(actions![ec2: CreateRouteTable], &[On::Regional("ec2", "vpc/*")]),
            Grant::on(actions![ec2: CreateTags], &[On::Regional("ec2", "route-table/*")])
                .when(When::TaggedBy(&["CreateRouteTable"])),
            Grant::on(
                actions![ec2: CreateTags DeleteTags AssociateRouteTable CreateRoute
                    DeleteRoute DeleteRouteTable DisableVgwRoutePropagation
                    DisassociateRouteTable EnableVgwRoutePropagation ReplaceRoute],
                &[On::Regional("ec2", "route-table/*")],
            )
            .when(When::Owned),
            Grant::on(
                actions![ec2: AssociateRouteTable DisassociateRouteTable],
                &[
                    On::Regional("ec2", "subnet/*"),
                    On::Regional("ec2", "internet-gateway/*"),
                    On::Regional("ec2", "vpn-gateway/*"),
                ],
            ),
            Grant::on(
                actions![ec2: DisableVgwRoutePropagation EnableVgwRoutePropagation],
                &[On::Regional("ec2", "vpn-gateway/*")],
            ),
        ],
    };
    const IDENTITY: Identity = Identity::Assigned;
    const EXAMPLE: &'static str = include_str!("route_table.example.yaml");

    fn validate(spec: &Spec, _place: &Place) -> Vec<Invalid> {
        route::check("routes", &spec.routes)
    }

    fn clashes(spec: &Spec, id: &ResourceId, beside: &Beside<'_>) -> Vec<Clash> {
        clashes::clashes(spec, id, beside)
    }

    fn normalise(spec: &mut Spec, _place: &Place) {
        spec.routes.iter_mut().for_each(Route::normalise);
    }

    fn observe(snapshot: &Snapshot, place: &Place) -> Vec<Live<Self>> {
        snapshot.route_tables.values().filter_map(|table| observe::live(table, place)).collect()
    }

    async fn create(cx: &Cx<'_, Self>, want: &Spec) -> Result<String> {
        // Routes and associations are the next update: a call of theirs that fails must not lose the id.
        let call = cx
            .client
            .create_route_table()
            .vpc_id(&want.vpc_id)
            .client_token(cx.token)
            .tag_specifications(tag_on_create(ResourceType::RouteTable, cx.tags));
        let answer = call.send().await.map_err(failed)?;
        assigned(answer.route_table().and_then(|table| table.route_table_id()), "CreateRouteTable")
    }

    async fn update(cx: &Cx<'_, Self>, live: &Live<Self>, want: &Spec, diff: &Diff) -> Result<()> {
        write::update(cx, live, want, diff).await
    }

    async fn delete(cx: &Cx<'_, Self>, live: &Live<Self>) -> Result<()> {
        for association in live.outputs.associations.values() {
            write::disassociate(cx, association).await?;
        }
        let call = cx.client.delete_route_table().route_table_id(&live.physical);
        call.send().await.map_err(failed)?;
        Ok(())
    }
}
