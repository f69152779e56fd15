//! What EC2's requests need: each call is allowed on every resource that it names and on what it makes, and a condition on tags holds
//! of each by itself.

use batchwright::resource::{Desired, OWNER_TAG};

use super::asked::PASSED;
use super::authorization::{actions_of, form, knows_key, required, types};
use super::calls::{Need, filled, unnamed};
use super::evaluate::meet;
use super::sending::Sent;

/// How ids begin: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html>.
const IDS: &[(&str, &str)] = &[
    ("eipalloc-", "elastic-ip"),
    ("fl-", "vpc-flow-log"),
    ("igw-", "internet-gateway"),
    ("ipam-pool-", "ipam-pool"),
    ("lt-", "launch-template"),
    ("nat-", "natgateway"),
    ("pg-", "placement-group"),
    ("rtb-", "route-table"),
    ("sg-", "security-group"),
    ("sgr-", "security-group-rule"),
    ("subnet-", "subnet"),
    ("vgw-", "vpn-gateway"),
    ("vpc-", "vpc"),
    ("vpce-", "vpc-endpoint"),
];

pub fn needs(sent: &Sent, desired: &Desired) -> Vec<Need> {
    let form = sent.form();
    let get = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let operation = get("Action").unwrap();
    let [action]: [String; 1] =
        actions_of("ec2", operation).unwrap_or_default().try_into().unwrap_or_else(|_| {
            panic!("which permission ec2:{operation} needs is known to nobody");
        });
    let place = &desired.place;
    let owner = desired.owner.to_string();
    if operation.starts_with("Describe") {
        return vec![Need::of(&action, "*")];
    }
    let tags = get("TagSpecification.1.Tag.1.Key").is_some();
    let written = form.iter().any(|(_, value)| *value == owner);
    let mut needs: Vec<Need> = Vec::new();
    for (_, id) in &form {
        let Some((_, of)) = IDS.iter().find(|(prefix, _)| id.starts_with(prefix)) else { continue };
        // What a route leads to is no resource of the call's.
        if types(&action).contains(of) {
            let arn = place.arn("ec2", &format!("{of}/{id}"));
            // All that these tests declare is ours, and carries our tag.
            needs.push(Need::of(&action, arn).with(&format!("aws:ResourceTag/{OWNER_TAG}"), &owner));
        }
    }
    // The one kind that calls name by its name, and not by its id.
    if let Some(name) = get("GroupName").filter(|_| operation == "DeletePlacementGroup") {
        let arn = place.arn("ec2", &format!("placement-group/{name}"));
        needs.push(Need::of(&action, arn).with(&format!("aws:ResourceTag/{OWNER_TAG}"), &owner));
    }
    let mut made = Vec::new();
    for need in unnamed(&action, &needs, place) {
        let of =
            required(&action).into_iter().find(|of| meet(&need.resource, self::form(of, "ec2"))).unwrap();
        let asked = knows_key(&action, of, &format!("aws:RequestTag/{OWNER_TAG}"));
        if asked {
            made.push(of);
        }
        needs.push(if asked && written {
            need.with(&format!("aws:RequestTag/{OWNER_TAG}"), &owner)
        } else {
            need
        });
    }
    // Rules are made by the call that allows something, whatever else it names.
    if types(&action).contains(&"security-group-rule") && operation.starts_with("Authorize") {
        needs.push(Need::of(&action, filled(self::form("security-group-rule", "ec2"), place)));
    }
    for (_, field, to, _) in PASSED.iter().filter(|it| it.0 == format!("ec2:{operation}")) {
        let role = get(field).map(|role| Need::of("iam:PassRole", role).with("iam:PassedToService", to));
        needs.extend(role);
    }
    if tags {
        assert!(!made.is_empty(), "{operation} tags something that it does not make");
        needs.extend(made.iter().map(|of| {
            let arn = filled(self::form(of, "ec2"), place);
            Need::of("ec2:CreateTags", arn).with("ec2:CreateAction", operation)
        }));
    }
    // An association's id says nothing of what it associates.
    if needs.is_empty() {
        let of = types(&action);
        let table = of.iter().find(|of| **of == "route-table").or(of.first());
        let arn = table.map_or("*".to_owned(), |of| filled(self::form(of, "ec2"), place));
        needs.push(Need::of(&action, arn).with(&format!("aws:ResourceTag/{OWNER_TAG}"), &owner));
    }
    needs
}
