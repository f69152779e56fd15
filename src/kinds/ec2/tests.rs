//! A whole network on the sandbox, through the same doors as the program: made, changed, spoilt, healed, taken down.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::diff::{Diff, walk};
use crate::kind::Call;
use crate::kinds::kind;
use crate::resource::{Incarnation, NAME_TAG, OWNER_TAG, OnDelete, Owner, Place, Readiness, Tags};
use crate::sandbox::{Options, Sandbox};
use crate::services::{Clients, Error, Fault, Scope, Service, Snapshots, ec2::Ec2, service};

struct World {
    sandbox: Sandbox,
    clients: Clients,
    place: Place,
    no_tags: Tags,
}

impl World {
    async fn start() -> Self {
        let sandbox = Sandbox::start(Options::isolated(), &mut |_| ()).await.unwrap();
        let config = sandbox.sdk_config();
        let region = config.region().unwrap().as_ref().to_owned();
        let place = Place::new(sandbox.account(), region);
        Self { clients: Clients::new(&config), sandbox, place, no_tags: Tags::new() }
    }

    fn client(&self) -> &aws_sdk_ec2::Client {
        self.clients.of::<Ec2>().unwrap()
    }

    fn call<'a>(&'a self, name: &'a str, tags: &'a Tags) -> Call<'a> {
        let Self { clients, place, .. } = self;
        Call { clients, place, name, tags, token: name, on_delete: OnDelete::Refuse, interrupts: false }
    }

    /// What is there of a kind: of these ids, or everything.
    async fn observe(&self, of: &str, ids: Option<&str>) -> Vec<Incarnation> {
        let names: BTreeMap<String, BTreeSet<String>> =
            ids.map(|id| (of.to_owned(), BTreeSet::from([id.to_owned()]))).into_iter().collect();
        let owner = Owner("tests/network".to_owned());
        let scope = Scope::without_sweep(owner, self.place.clone(), names, ids.is_some());
        let read = service("ec2").unwrap().read(&self.clients, &scope).await.unwrap();
        let found = kind(of).unwrap().observe(&Snapshots([("ec2", read)].into()), &self.place).unwrap();
        found.into_iter().filter(|one| ids.is_none_or(|id| id == one.physical)).collect()
    }

    async fn poll(&self, of: &str, id: &str) -> Option<Incarnation> {
        self.observe(of, Some(id)).await.pop()
    }

    fn changes(&self, of: &str, live: &Incarnation, want: &Value) -> (Value, Diff) {
        let kind = kind(of).unwrap();
        let want = kind.normal(want, &self.place).unwrap();
        let diff = Diff(walk(&live.spec, &want, &kind.facts().rules, &[]));
        (want, diff)
    }

    async fn create(&self, of: &str, name: &str, want: Value) -> String {
        let tags = Tags::from([
            (NAME_TAG.to_owned(), format!("{of}/{name}")),
            (OWNER_TAG.to_owned(), "tests/network".to_owned()),
        ]);
        let normal = kind(of).unwrap().normal(&want, &self.place).unwrap();
        assert_eq!(kind(of).unwrap().validate(&normal, &self.place), []);
        let id = kind(of).unwrap().create(self.call(name, &tags), &normal).await.unwrap();
        let live = self.settle(of, &id, want).await;
        assert_eq!(live.tags, tags, "{of} carries its tags from the start");
        assert_eq!(live.outputs["id"], json!(id));
        id
    }

    /// Does what the executor does: looks, compares, calls, until nothing differs; five rounds at most.
    async fn settle(&self, of: &str, id: &str, want: Value) -> Incarnation {
        for _ in 0..5 {
            let live = self.poll(of, id).await.unwrap();
            let (want, diff) = self.changes(of, &live, &want);
            if diff.is_empty() {
                assert_eq!(live.readiness, Readiness::Ready);
                return live;
            }
            kind(of).unwrap().update(self.call(id, &self.no_tags), &live, &want, &diff).await.unwrap();
        }
        let live = self.poll(of, id).await.unwrap();
        panic!("{of} does not settle: {:#?}", self.changes(of, &live, &want).1);
    }

    async fn paths(&self, of: &str, id: &str, want: &Value) -> Vec<String> {
        let live = self.poll(of, id).await.unwrap();
        self.changes(of, &live, want).1.0.into_iter().map(|change| change.path).collect()
    }

    async fn delete(&self, of: &str, id: &str) -> Result<(), Error> {
        let live = self.poll(of, id).await.unwrap();
        kind(of).unwrap().delete(self.call(id, &self.no_tags), &live).await
    }

    async fn gone(&self, of: &str, id: &str) {
        self.delete(of, id).await.unwrap();
        assert_eq!(self.poll(of, id).await, None, "{of} is gone");
    }
}

#[tokio::test]
async fn a_network_is_made_changed_and_taken_down() {
    let world = World::start().await;
    let vpc = world.create("ec2/Vpc", "main", json!({"cidrBlock": "10.0.0.0/16"})).await;
    let wider = json!({"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": true, "secondaryCidrBlocks": ["10.1.0.0/16"],
        "amazonProvidedIpv6CidrBlock": true});
    let live = world.settle("ec2/Vpc", &vpc, wider.clone()).await;
    assert!(live.outputs.contains_key("defaultSecurityGroupId"), "{:?}", live.outputs);
    assert!(live.outputs.contains_key("mainRouteTableId"), "{:?}", live.outputs);
    let range = live.outputs["ipv6CidrBlock"].as_str().unwrap().replace("/56", "/64");

    let subnet = json!({"vpcId": vpc, "cidrBlock": "10.0.0.0/20", "availabilityZone": "us-east-1a"});
    let mut subnet = subnet;
    subnet["availabilityZone"] = json!(format!("{}a", world.place.region));
    let subnet_id = world.create("ec2/Subnet", "a", subnet.clone()).await;
    subnet["mapPublicIpOnLaunch"] = json!(true);
    subnet["enableDns64"] = json!(true);
    subnet["privateDnsNameOptionsOnLaunch"] =
        json!({"hostnameType": "resource-name", "enableResourceNameDnsARecord": true});
    world.settle("ec2/Subnet", &subnet_id, subnet.clone()).await;
    subnet["ipv6CidrBlock"] = json!(range);
    subnet["assignIpv6AddressOnCreation"] = json!(true);
    world.settle("ec2/Subnet", &subnet_id, subnet).await;
    let plain = json!({"vpcId": vpc, "cidrBlock": "10.0.0.0/20"});
    world.settle("ec2/Subnet", &subnet_id, plain).await;

    let gateway = world.create("ec2/InternetGateway", "main", json!({"vpcId": vpc})).await;
    world.settle("ec2/InternetGateway", &gateway, json!({})).await;
    world.settle("ec2/InternetGateway", &gateway, json!({"vpcId": vpc})).await;

    let out = json!({"destinationCidrBlock": "0.0.0.0/0", "gatewayId": gateway});
    let table = json!({"vpcId": vpc, "routes": [out], "subnetIds": [subnet_id]});
    let table_id = world.create("ec2/RouteTable", "public", table.clone()).await;
    let client = world.client();
    let extra = client.create_route().route_table_id(&table_id).destination_cidr_block("192.168.0.0/16");
    extra.gateway_id(&gateway).send().await.unwrap();
    assert_eq!(world.paths("ec2/RouteTable", &table_id, &table).await, ["routes"]);
    world.settle("ec2/RouteTable", &table_id, table.clone()).await;

    let s3 = format!("com.amazonaws.{}.s3", world.place.region);
    let endpoint = json!({"vpcId": vpc, "serviceName": s3, "routeTableIds": [table_id]});
    let endpoint_id = world.create("ec2/VpcEndpoint", "s3", endpoint.clone()).await;
    // The endpoint's own route is not the table's.
    assert_eq!(world.paths("ec2/RouteTable", &table_id, &table).await, Vec::<String>::new());
    let mut narrow = endpoint.clone();
    narrow["routeTableIds"] = json!([]);
    narrow["policyDocument"] = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}]});
    world.settle("ec2/VpcEndpoint", &endpoint_id, narrow).await;
    world.settle("ec2/VpcEndpoint", &endpoint_id, endpoint).await;

    let held = world.delete("ec2/Vpc", &vpc).await.unwrap_err();
    assert!(matches!(Ec2::classify(&held, std::time::Duration::ZERO), Fault::Settling(_)), "{held}");
    world.gone("ec2/VpcEndpoint", &endpoint_id).await;
    world.gone("ec2/RouteTable", &table_id).await;
    world.gone("ec2/InternetGateway", &gateway).await;
    world.gone("ec2/Subnet", &subnet_id).await;
    let narrow = json!({"cidrBlock": "10.0.0.0/16", "enableDnsSupport": false});
    world.settle("ec2/Vpc", &vpc, narrow).await;
    world.gone("ec2/Vpc", &vpc).await;
}

#[tokio::test]
async fn rules_are_made_changed_and_healed() {
    let world = World::start().await;
    let vpc = world.create("ec2/Vpc", "main", json!({"cidrBlock": "10.0.0.0/16"})).await;
    let base = json!({"groupDescription": "Batch jobs", "vpcId": vpc});
    let group = world.create("ec2/SecurityGroup", "jobs", base.clone()).await;
    let mut closed = base.clone();
    closed["securityGroupEgress"] = json!([]);
    world.settle("ec2/SecurityGroup", &group, closed).await;

    let mut open = base.clone();
    open["securityGroupIngress"] = json!([
        {"ipProtocol": "tcp", "fromPort": 2049, "toPort": 2049, "sourceSecurityGroupId": group},
        {"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIp": "10.0.0.0/8", "description": "offices"},
        {"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIp": "172.16.0.0/12"},
        {"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv6": "2001:db8::/32"},
        {"ipProtocol": "icmp", "cidrIp": "10.0.0.0/8"},
        {"ipProtocol": "-1", "cidrIp": "10.9.0.0/16"},
    ]);
    open["securityGroupEgress"] =
        json!([{"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIp": "0.0.0.0/0"}]);
    world.settle("ec2/SecurityGroup", &group, open.clone()).await;
    open["securityGroupIngress"][1]["description"] = json!("more offices");
    world.settle("ec2/SecurityGroup", &group, open.clone()).await;

    let spoilt = world.client().authorize_security_group_ingress().group_id(&group);
    let spoilt = spoilt.ip_protocol("tcp").from_port(22).to_port(22).cidr_ip("0.0.0.0/0");
    spoilt.send().await.unwrap();
    assert_eq!(world.paths("ec2/SecurityGroup", &group, &open).await, ["securityGroupIngress"]);
    world.settle("ec2/SecurityGroup", &group, open).await;
    world.settle("ec2/SecurityGroup", &group, base.clone()).await;

    // Two that name each other: the first to go revokes what it says of the other.
    let other = world.create("ec2/SecurityGroup", "others", base.clone()).await;
    for (one, two) in [(&group, &other), (&other, &group)] {
        let mut want = base.clone();
        want["securityGroupIngress"] = json!([{"ipProtocol": "-1", "sourceSecurityGroupId": two}]);
        world.settle("ec2/SecurityGroup", one, want).await;
    }
    let held = world.delete("ec2/SecurityGroup", &group).await.unwrap_err();
    assert!(matches!(Ec2::classify(&held, std::time::Duration::ZERO), Fault::Settling(_)), "{held}");
    world.gone("ec2/SecurityGroup", &other).await;
    world.gone("ec2/SecurityGroup", &group).await;
}

#[tokio::test]
async fn an_interface_endpoint_follows_its_subnets_and_groups() {
    let world = World::start().await;
    let vpc = world
        .create("ec2/Vpc", "main", json!({"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": true}))
        .await;
    let mut subnets = Vec::new();
    for (zone, range) in [("a", "10.0.0.0/24"), ("b", "10.0.1.0/24")] {
        let zone_name = format!("{}{zone}", world.place.region);
        let want = json!({"vpcId": vpc, "cidrBlock": range, "availabilityZone": zone_name});
        subnets.push(world.create("ec2/Subnet", zone, want).await);
    }
    let group = json!({"groupDescription": "Endpoints", "vpcId": vpc});
    let group = world.create("ec2/SecurityGroup", "endpoints", group).await;
    let mut want = json!({"vpcId": vpc, "vpcEndpointType": "Interface", "subnetIds": [subnets[0]],
        "serviceName": format!("com.amazonaws.{}.sqs", world.place.region)});
    let id = world.create("ec2/VpcEndpoint", "sqs", want.clone()).await;
    want["subnetIds"] = json!([subnets[1]]);
    want["securityGroupIds"] = json!([group]);
    want["privateDnsEnabled"] = json!(true);
    let live = world.settle("ec2/VpcEndpoint", &id, want.clone()).await;
    assert_eq!(live.outputs["networkInterfaceIds"].as_array().map(Vec::len), Some(1));
    want["dnsOptions"] = json!({"dnsRecordIpType": "dualstack"});
    want["ipAddressType"] = json!("dualstack");
    want["privateDnsEnabled"] = json!(false);
    world.settle("ec2/VpcEndpoint", &id, want).await;
    assert!(world.delete("ec2/SecurityGroup", &group).await.is_err());
    world.gone("ec2/VpcEndpoint", &id).await;
    world.gone("ec2/SecurityGroup", &group).await;
}

#[tokio::test]
async fn a_plan_reads_each_list_once_and_our_vpcs_attributes() {
    let world = World::start().await;
    let vpc = world.create("ec2/Vpc", "main", json!({"cidrBlock": "10.0.0.0/16"})).await;
    world.sandbox.reset_stats();
    world.sandbox.answer_in_rounds(std::time::Duration::from_millis(400));
    let all = world.observe("ec2/Vpc", None).await;
    world.sandbox.answer_in_rounds(std::time::Duration::ZERO);
    assert!(all.iter().any(|one| one.physical == vpc));
    let calls = world.sandbox.stats().per_action();
    assert_eq!(world.sandbox.stats().depth(), 2);
    insta::assert_json_snapshot!(calls, @r#"
    {
      "ec2:DescribeInternetGateways": 1,
      "ec2:DescribeRouteTables": 1,
      "ec2:DescribeSecurityGroups": 1,
      "ec2:DescribeSubnets": 1,
      "ec2:DescribeVpcAttribute": 2,
      "ec2:DescribeVpcEndpoints": 1,
      "ec2:DescribeVpcs": 1
    }
    "#);
    assert_eq!(world.poll("ec2/Vpc", "vpc-00000000000000000").await, None);
    assert_eq!(world.poll("ec2/VpcEndpoint", "vpce-00000000000000000").await, None);
}

#[test]
fn examples_are_valid() {
    let place = Place::new("111122223333", "eu-west-1");
    let kinds = crate::kinds::KINDS.iter().filter(|kind| kind.facts().service == "ec2");
    for kind in kinds {
        let manifest: Value = serde_yaml::from_str(kind.facts().example).unwrap();
        assert_eq!(manifest["kind"], kind.facts().name);
        let spec = kind.normal(&manifest["spec"], &place).unwrap();
        assert_eq!(kind.validate(&spec, &place), [], "{}", kind.facts().name);
    }
}
