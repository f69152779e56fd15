//! A VPC has one internet gateway.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachInternetGateway.html>; EC2 says "Network vpc-… already has an
//! internet gateway attached".

use super::{InternetGateway, Spec};
use crate::kind::prelude::*;
use crate::kinds::ec2::types::network::Network;

pub(super) fn clashes(spec: &Spec, id: &ResourceId, beside: &Beside<'_>) -> Option<Clash> {
    let network = Network::named(spec.vpc_id.as_deref()?)?;
    let theirs = |text: &str| Network::named(text).as_ref() == Some(&network);
    let other = beside.before::<InternetGateway>(id).find(|it| it.text("vpcId").is_some_and(theirs))?;
    let message = format!("{network} has the internet gateway {} already: a VPC has one", other.id);
    Some(Clash::new("vpcId", other.id, message))
}
