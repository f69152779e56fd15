//! Which VPC a resource is in, as far as the manifests of an environment tell.

use std::fmt;

use super::cidr::Cidr;
use crate::kind::prelude::*;
use crate::kinds::ec2::subnet::{self, Subnet};
use crate::kinds::ec2::vpc::{self, Vpc};
use crate::value::reference::{self, Reference};

/// A VPC: one that the environment declares, or one of an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Network {
    /// Declared here.
    Declared(ResourceId),
    /// Made outside.
    Outside(String),
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Declared(id) => id.fmt(f),
            Self::Outside(id) => id.fmt(f),
        }
    }
}

impl Network {
    /// The VPC that the text of a field `vpcId` denotes.
    pub fn named(text: &str) -> Option<Self> {
        match reference::whole(text) {
            Some(Reference::Output { id, .. }) if id.kind == Vpc::NAME => Some(Self::Declared(id)),
            Some(_) => None,
            None => text.starts_with("vpc-").then(|| Self::Outside(text.to_owned())),
        }
    }

    /// The VPC of what a reference denotes (a subnet, a group, a table, a gateway, an endpoint, or what comes with a VPC), and
    /// what that is. Nothing, if the environment does not declare it.
    pub fn of(text: &str, beside: &Beside<'_>) -> Option<(ResourceId, Self)> {
        let Some(Reference::Output { id, .. }) = reference::whole(text) else { return None };
        let network = match id.kind == Vpc::NAME {
            true => Self::Declared(id.clone()),
            false => Self::named(beside.get(&id)?.text("vpcId")?)?,
        };
        Some((id, network))
    }

    /// Whether two are two for sure: what has an id may be declared here as well.
    pub fn is_apart(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Declared(a), Self::Declared(b)) => a != b,
            (Self::Outside(a), Self::Outside(b)) => a != b,
            _ => false,
        }
    }

    /// Complains of each of these references, each with its place, to something in another VPC.
    pub fn strangers<'t>(
        &self,
        named: impl Iterator<Item = (String, &'t String)>,
        beside: &Beside<'_>,
        why: &str,
    ) -> Vec<Clash> {
        let stranger = |(path, text): (String, &String)| {
            let (id, network) = Self::of(text, beside).filter(|(_, network)| self.is_apart(network))?;
            let message = format!("{id} is in the VPC {network}, and this is in {self}: {why}");
            Some(Clash::new(path, &id, message))
        };
        named.filter_map(stranger).collect()
    }

    /// The VPC, if it is declared here.
    pub fn declared<'a>(&self, beside: &Beside<'a>) -> Option<Other<'a>> {
        match self {
            Self::Declared(id) => beside.get(id),
            Self::Outside(_) => None,
        }
    }

    /// All ranges of one family that the VPC has, if they are known.
    pub fn ranges<'a>(&self, ipv4: bool, beside: &Beside<'a>) -> Option<(&'a ResourceId, Vec<Cidr>)> {
        let vpc = self.declared(beside)?;
        let fields: &[&str] = match ipv4 {
            true => &["cidrBlock", "secondaryCidrBlocks"],
            false => &["amazonProvidedIpv6CidrBlock", "ipv6CidrBlocks"],
        };
        if fields.iter().any(|field| vpc.ignores(field)) {
            return None;
        }
        let spec: vpc::Spec = vpc.read()?;
        let texts = match ipv4 {
            true => spec.cidr_block.iter().chain(&spec.secondary_cidr_blocks).cloned().collect(),
            false => spec.ipv6_cidr_blocks,
        };
        let chosen = match ipv4 {
            true => spec.cidr_block.is_none(),
            false => spec.amazon_provided_ipv6_cidr_block || spec.ipv6_ipam_pool_id.is_some(),
        };
        let ranges: Option<Vec<Cidr>> = texts.iter().map(|text| text.parse().ok()).collect();
        Some((vpc.id, ranges.filter(|_| !chosen)?))
    }
}

/// References in a list, each with its place.
pub fn placed<'t>(field: &str, texts: &'t [String]) -> impl Iterator<Item = (String, &'t String)> + use<'t> {
    let field = field.to_owned();
    texts.iter().enumerate().map(move |(index, text)| (format!("{field}[{index}]"), text))
}

/// Complains of each of these subnets, each with its place, that is in the zone of one before it.
pub fn one_zone<'t>(
    subnets: impl Iterator<Item = (String, &'t String)>,
    beside: &Beside<'_>,
    why: &str,
) -> Vec<Clash> {
    let zone = |subnet: &subnet::Spec| {
        let zone = subnet.availability_zone.clone().or_else(|| subnet.availability_zone_id.clone())?;
        (!zone.contains("${")).then_some(zone)
    };
    let mut seen: Vec<(String, &ResourceId)> = Vec::new();
    let mut found = Vec::new();
    for (path, text) in subnets {
        let Some((id, zone)) = beside.find::<Subnet>(text).and_then(|(id, it)| Some((id, zone(&it)?))) else {
            continue;
        };
        match seen.iter().find(|(other, with)| *other == zone && *with != id) {
            Some((_, other)) => {
                let message = format!("{id} is in {zone}, and so is {other}: {why}");
                found.push(Clash::new(path, other, message));
            }
            None => seen.push((zone, id)),
        }
    }
    found
}
