//! The rules of a security group: one source or destination each.
//!
//! EC2 groups what shares protocol and ports into one permission, so what it reports is taken apart again. A rule is what
//! it lets through; its description is a remark on it that can change in place.

use aws_sdk_ec2::types::{IpPermission, IpRange, Ipv6Range, PrefixListId, UserIdGroupPair};

use crate::kind::prelude::*;
use crate::kinds::ec2::types::cidr;

/// The outputs that name a group.
const GROUPS: &[&str] =
    &["ec2/SecurityGroup.id", "ec2/SecurityGroup.groupId", "ec2/Vpc.defaultSecurityGroupId"];

/// What is let in, from one source.
#[spec(default)]
pub struct IngressRule {
    /// `tcp`, `udp`, `icmp`, `icmpv6`, a protocol's number, or `-1` for everything.
    pub ip_protocol: String,
    /// The first port, or the type of ICMP message (-1: all).
    #[field(empty)]
    pub from_port: Option<i32>,
    /// The last port, or the code of ICMP message (-1: all).
    #[field(empty)]
    pub to_port: Option<i32>,
    /// From these IPv4 addresses.
    #[field(empty)]
    pub cidr_ip: Option<String>,
    /// From these IPv6 addresses.
    #[field(empty)]
    pub cidr_ipv6: Option<String>,
    /// From the addresses in this prefix list, such as `pl-6da54004`.
    #[field(empty, regex(r"^pl-[0-9a-f]+$"))]
    pub source_prefix_list_id: Option<String>,
    /// From what carries this security group; it may be the group itself.
    #[field(empty, deferrable, beyond, refers(GROUPS))]
    pub source_security_group_id: Option<String>,
    /// The account of `sourceSecurityGroupId`, where it is another one.
    #[field(empty, write_only)]
    pub source_security_group_owner_id: Option<String>,
    /// A remark, up to 255 characters.
    #[field(empty)]
    pub description: Option<String>,
}

/// What is let out, to one destination.
#[spec(default)]
pub struct EgressRule {
    /// `tcp`, `udp`, `icmp`, `icmpv6`, a protocol's number, or `-1` for everything.
    pub ip_protocol: String,
    /// The first port, or the type of ICMP message (-1: all).
    #[field(empty)]
    pub from_port: Option<i32>,
    /// The last port, or the code of ICMP message (-1: all).
    #[field(empty)]
    pub to_port: Option<i32>,
    /// To these IPv4 addresses.
    #[field(empty)]
    pub cidr_ip: Option<String>,
    /// To these IPv6 addresses.
    #[field(empty)]
    pub cidr_ipv6: Option<String>,
    /// To the addresses in this prefix list, such as that of a gateway endpoint.
    #[field(empty, regex(r"^pl-[0-9a-f]+$"))]
    pub destination_prefix_list_id: Option<String>,
    /// To what carries this security group; it may be the group itself.
    #[field(empty, deferrable, beyond, refers(GROUPS))]
    pub destination_security_group_id: Option<String>,
    /// A remark, up to 255 characters.
    #[field(empty)]
    pub description: Option<String>,
}

impl IngressRule {
    /// Whether the group that it names is one of the account's own.
    pub(super) fn is_at_home(&self) -> bool {
        self.source_security_group_owner_id.is_none()
    }

    pub(super) fn normalise(&mut self) {
        ports(&mut self.ip_protocol, &mut self.from_port, &mut self.to_port);
        self.cidr_ip.iter_mut().chain(&mut self.cidr_ipv6).for_each(cidr::canonical);
    }

    pub(super) fn observe(permission: &IpPermission) -> impl Iterator<Item = Self> {
        Parts::observe(permission).into_iter().map(|parts| Self {
            ip_protocol: parts.protocol,
            from_port: parts.from,
            to_port: parts.to,
            cidr_ip: parts.cidr_ip,
            cidr_ipv6: parts.cidr_ipv6,
            source_prefix_list_id: parts.prefix_list,
            source_security_group_id: parts.group,
            source_security_group_owner_id: None,
            description: parts.description,
        })
    }

    pub(super) fn parts(&self) -> Parts {
        Parts {
            protocol: self.ip_protocol.clone(),
            from: self.from_port,
            to: self.to_port,
            cidr_ip: self.cidr_ip.clone(),
            cidr_ipv6: self.cidr_ipv6.clone(),
            prefix_list: self.source_prefix_list_id.clone(),
            group: self.source_security_group_id.clone(),
            owner: self.source_security_group_owner_id.clone(),
            description: self.description.clone(),
        }
    }
}

impl EgressRule {
    /// What AWS lets out of a new group.
    pub(super) fn everything() -> Self {
        Self { ip_protocol: "-1".to_owned(), cidr_ip: Some("0.0.0.0/0".to_owned()), ..Self::default() }
    }

    pub(super) fn normalise(&mut self) {
        ports(&mut self.ip_protocol, &mut self.from_port, &mut self.to_port);
        self.cidr_ip.iter_mut().chain(&mut self.cidr_ipv6).for_each(cidr::canonical);
    }

    pub(super) fn observe(permission: &IpPermission) -> impl Iterator<Item = Self> {
        Parts::observe(permission).into_iter().map(|parts| Self {
            ip_protocol: parts.protocol,
            from_port: parts.from,
            to_port: parts.to,
            cidr_ip: parts.cidr_ip,
            cidr_ipv6: parts.cidr_ipv6,
            destination_prefix_list_id: parts.prefix_list,
            destination_security_group_id: parts.group,
            description: parts.description,
        })
    }

    pub(super) fn parts(&self) -> Parts {
        Parts {
            protocol: self.ip_protocol.clone(),
            from: self.from_port,
            to: self.to_port,
            cidr_ip: self.cidr_ip.clone(),
            cidr_ipv6: self.cidr_ipv6.clone(),
            prefix_list: self.destination_prefix_list_id.clone(),
            group: self.destination_security_group_id.clone(),
            owner: None,
            description: self.description.clone(),
        }
    }
}

/// A rule of either direction.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Parts {
    protocol: String,
    from: Option<i32>,
    to: Option<i32>,
    cidr_ip: Option<String>,
    cidr_ipv6: Option<String>,
    prefix_list: Option<String>,
    pub(super) group: Option<String>,
    owner: Option<String>,
    pub(super) description: Option<String>,
}

impl Parts {
    /// Whether both let the same through, whatever their descriptions.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let bare = |parts: &Self| Self { description: None, owner: None, ..parts.clone() };
        bare(self) == bare(other)
    }

    fn observe(permission: &IpPermission) -> Vec<Self> {
        let ports = Self {
            protocol: permission.ip_protocol().unwrap_or("-1").to_owned(),
            from: permission.from_port(),
            to: permission.to_port(),
            ..Self::default()
        };
        let with = |description: Option<&str>| Self {
            description: description.filter(|text| !text.is_empty()).map(str::to_owned),
            ..ports.clone()
        };
        let ipv4 = permission
            .ip_ranges()
            .iter()
            .map(|range| Self { cidr_ip: range.cidr_ip().map(str::to_owned), ..with(range.description()) });
        let ipv6 = permission.ipv6_ranges().iter().map(|range| Self {
            cidr_ipv6: range.cidr_ipv6().map(str::to_owned),
            ..with(range.description())
        });
        let lists = permission.prefix_list_ids().iter().map(|list| Self {
            prefix_list: list.prefix_list_id().map(str::to_owned),
            ..with(list.description())
        });
        let groups = permission.user_id_group_pairs().iter().map(|pair| Self {
            group: pair.group_id().or(pair.group_name()).map(str::to_owned),
            owner: pair.user_id().map(str::to_owned),
            ..with(pair.description())
        });
        ipv4.chain(ipv6).chain(lists).chain(groups).collect()
    }

    /// As the calls take it.
    pub(super) fn sdk(&self) -> IpPermission {
        let text = || self.description.clone();
        let range = |cidr: &String| IpRange::builder().cidr_ip(cidr).set_description(text()).build();
        let range6 = |cidr: &String| Ipv6Range::builder().cidr_ipv6(cidr).set_description(text()).build();
        let list = |id: &String| PrefixListId::builder().prefix_list_id(id).set_description(text()).build();
        let pair = |id: &String| {
            UserIdGroupPair::builder()
                .group_id(id)
                .set_user_id(self.owner.clone())
                .set_description(text())
                .build()
        };
        IpPermission::builder()
            .ip_protocol(&self.protocol)
            .set_from_port(self.from)
            .set_to_port(self.to)
            .set_ip_ranges(self.cidr_ip.as_ref().map(|cidr| vec![range(cidr)]))
            .set_ipv6_ranges(self.cidr_ipv6.as_ref().map(|cidr| vec![range6(cidr)]))
            .set_prefix_list_ids(self.prefix_list.as_ref().map(|id| vec![list(id)]))
            .set_user_id_group_pairs(self.group.as_ref().map(|id| vec![pair(id)]))
            .build()
    }
}

/// Names for the protocols that have ports or types. Ports that mean everything are left out where AWS knows no others; those
/// that would be ignored stay, and are refused.
fn ports(protocol: &mut String, from: &mut Option<i32>, to: &mut Option<i32>) {
    *protocol = protocol_name(protocol);
    match protocol.as_str() {
        "tcp" | "udp" => {}
        "icmp" | "icmpv6" => {
            from.get_or_insert(-1);
            to.get_or_insert(-1);
        }
        text if text.contains("${") => {}
        _ if matches!((*from, *to), (None | Some(-1), None | Some(-1)) | (Some(0), Some(0))) => {
            (*from, *to) = (None, None);
        }
        _ => {}
    }
}

/// The one way in which a protocol is written: by name if AWS has one, else by its number.
fn protocol_name(written: &str) -> String {
    let lower = written.to_ascii_lowercase();
    let digits = !lower.is_empty() && lower.chars().all(|c| c.is_ascii_digit());
    let number = lower.parse::<u8>().ok().filter(|_| digits);
    match (lower.as_str(), number) {
        ("all", _) => "-1".to_owned(),
        (_, Some(6)) => "tcp".to_owned(),
        (_, Some(17)) => "udp".to_owned(),
        (_, Some(1)) => "icmp".to_owned(),
        (_, Some(58)) => "icmpv6".to_owned(),
        (_, Some(number)) => number.to_string(),
        ("-1" | "tcp" | "udp" | "icmp" | "icmpv6", None) => lower,
        _ => written.to_owned(),
    }
}

/// Rules that are allowed and hardly meant: a range that holds nothing but port 0, which nobody listens on.
pub(super) fn doubts(field: &str, rules: impl Iterator<Item = Parts>) -> Vec<Invalid> {
    let zero = |rule: &Parts| {
        matches!(rule.protocol.as_str(), "tcp" | "udp") && (rule.from, rule.to) == (Some(0), Some(0))
    };
    let doubt = |index: usize| {
        let message = "lets port 0 through and no other; for all ports write 0 and 65535";
        Invalid::new(format!("{field}[{index}].toPort"), message)
    };
    rules.enumerate().filter(|(_, rule)| zero(rule)).map(|(index, _)| doubt(index)).collect()
}

/// What is wrong with the rules of one direction.
pub(super) fn check(field: &str, rules: impl Iterator<Item = Parts>) -> Vec<Invalid> {
    let mut wrong = Vec::new();
    let mut seen: Vec<Parts> = Vec::new();
    for (index, rule) in rules.enumerate() {
        let path = format!("{field}[{index}]");
        wrong.extend(check_ports(&path, &rule));
        wrong.extend(check_peer(&path, &rule));
        wrong.extend(
            rule.description
                .as_ref()
                .and_then(|text| super::check_text(&format!("{path}.description"), text)),
        );
        if let Some(twin) = seen.iter().position(|other| other.is_like(&rule)) {
            let message =
                format!("it lets through what {field}[{twin}] does; AWS refuses that, so remove one");
            wrong.push(Invalid::new(path, message));
        }
        seen.push(rule);
    }
    wrong
}

fn check_ports(path: &str, rule: &Parts) -> Option<Invalid> {
    let at = |field: &str, message: String| Some(Invalid::new(format!("{path}.{field}"), message));
    let protocol = rule.protocol.as_str();
    match (protocol, rule.from, rule.to) {
        (text, ..) if text.contains("${") => None,
        ("tcp" | "udp", Some(from), Some(to)) => {
            if !(0..=65535).contains(&from) || !(0..=65535).contains(&to) {
                at("fromPort", "ports are between 0 and 65535".to_owned())
            } else if from > to {
                at("toPort", format!("{to} comes before fromPort {from}; exchange them"))
            } else {
                None
            }
        }
        ("tcp" | "udp", from, _) => {
            let missing = if from.is_none() { "fromPort" } else { "toPort" };
            at(missing, format!("{protocol} needs fromPort and toPort; for all ports write 0 and 65535"))
        }
        ("icmp" | "icmpv6", from, to) => {
            let (kind, code) = (from.unwrap_or(-1), to.unwrap_or(-1));
            let of_256 = |number: i32| (-1..=255).contains(&number);
            if !of_256(kind) || !of_256(code) {
                let field = if of_256(kind) { "toPort" } else { "fromPort" };
                at(
                    field,
                    format!(
                        "{protocol} has no ports: fromPort is the type and toPort the code of messages, from 0 to 255, or -1 for all; for ports write tcp or udp"
                    ),
                )
            } else if kind == -1 && code != -1 {
                at(
                    "toPort",
                    format!(
                        "code {code} goes with one type of {protocol} message: write its type in fromPort, or -1 here"
                    ),
                )
            } else {
                None
            }
        }
        (number, from, to) if number == "-1" || number.parse::<u8>().is_ok() => {
            if from.is_none() && to.is_none() {
                return None;
            }
            let field = if from.is_some() { "fromPort" } else { "toPort" };
            let all =
                if number == "-1" { "everything".to_owned() } else { format!("all of protocol {number}") };
            at(
                field,
                format!(
                    "has no effect with protocol {number}: AWS lets {all} through, whatever the ports; write `ipProtocol: tcp` (or udp) for these ports, or leave both out"
                ),
            )
        }
        (other, ..) => at(
            "ipProtocol",
            format!("{other:?} is none of tcp, udp, icmp, icmpv6, -1 and the numbers from 0 to 255"),
        ),
    }
}

fn check_peer(path: &str, rule: &Parts) -> Option<Invalid> {
    if rule.owner.is_some() && rule.group.is_none() {
        return Some(Invalid::new(
            format!("{path}.sourceSecurityGroupOwnerId"),
            "has no effect without sourceSecurityGroupId, whose account it is: add that, or remove it",
        ));
    }
    let peers = [&rule.cidr_ip, &rule.cidr_ipv6, &rule.prefix_list, &rule.group];
    if peers.into_iter().flatten().count() != 1 {
        return Some(Invalid::new(
            path,
            "a rule has exactly one of cidrIp, cidrIpv6, a prefix list and a security group: split it or add one",
        ));
    }
    let is_account = |text: &str| text.len() == 12 && text.bytes().all(|digit| digit.is_ascii_digit());
    if rule.owner.as_ref().is_some_and(|owner| !owner.contains("${") && !is_account(owner)) {
        let message = "is not an account: expected twelve digits";
        return Some(Invalid::new(format!("{path}.sourceSecurityGroupOwnerId"), message));
    }
    let ipv4 =
        rule.cidr_ip.as_ref().and_then(|text| cidr::check(&format!("{path}.cidrIp"), text, true, 0..=32));
    let ipv6 = rule
        .cidr_ipv6
        .as_ref()
        .and_then(|text| cidr::check(&format!("{path}.cidrIpv6"), text, false, 0..=128));
    ipv4.or(ipv6)
}
