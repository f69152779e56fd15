//! Changes to the rules of a security group.
//!
//! What is new is let through before what is old is cut off: a rule that is narrowed never closes in between.

use crate::kind::prelude::*;
use aws_sdk_ec2::types::IpPermission;

use super::rule::Parts;
use super::{EgressRule, IngressRule, SecurityGroup, Spec};

/// What is to be done to the rules of one direction.
struct Moves {
    authorize: Vec<IpPermission>,
    describe: Vec<IpPermission>,
    revoke: Vec<IpPermission>,
}

fn moves(live: Vec<Parts>, want: Vec<Parts>) -> Moves {
    let twin = |rule: &Parts, rules: &[Parts]| rules.iter().find(|other| other.is_like(rule)).cloned();
    let mut moves = Moves { authorize: Vec::new(), describe: Vec::new(), revoke: Vec::new() };
    for rule in &want {
        match twin(rule, &live) {
            None => moves.authorize.push(rule.sdk()),
            Some(there) if there.description != rule.description => moves.describe.push(rule.sdk()),
            Some(_) => {}
        }
    }
    moves.revoke = live.iter().filter(|rule| twin(rule, &want).is_none()).map(Parts::sdk).collect();
    moves
}

pub(super) async fn ingress(
    cx: &Cx<'_, SecurityGroup>,
    live: &Live<SecurityGroup>,
    want: &Spec,
) -> Result<()> {
    let parts = |spec: &Spec| spec.security_group_ingress.iter().map(IngressRule::parts).collect();
    let Moves { authorize, describe, revoke } = moves(parts(&live.spec), parts(want));
    let id = live.physical.as_str();
    if !authorize.is_empty() {
        let call = cx.client.authorize_security_group_ingress().group_id(id);
        let call = call.set_ip_permissions(Some(authorize));
        call.send().await.map_err(failed)?;
    }
    if !describe.is_empty() {
        let call = cx.client.update_security_group_rule_descriptions_ingress().group_id(id);
        let call = call.set_ip_permissions(Some(describe));
        call.send().await.map_err(failed)?;
    }
    revoke_ingress(cx, id, revoke).await
}

pub(super) async fn egress(
    cx: &Cx<'_, SecurityGroup>,
    live: &Live<SecurityGroup>,
    want: &Spec,
) -> Result<()> {
    let parts = |spec: &Spec| spec.security_group_egress.iter().map(EgressRule::parts).collect();
    let Moves { authorize, describe, revoke } = moves(parts(&live.spec), parts(want));
    let id = live.physical.as_str();
    if !authorize.is_empty() {
        let call = cx.client.authorize_security_group_egress().group_id(id);
        let call = call.set_ip_permissions(Some(authorize));
        call.send().await.map_err(failed)?;
    }
    if !describe.is_empty() {
        let call = cx.client.update_security_group_rule_descriptions_egress().group_id(id);
        let call = call.set_ip_permissions(Some(describe));
        call.send().await.map_err(failed)?;
    }
    revoke_egress(cx, id, revoke).await
}

/// Revokes the rules that name other groups.
pub(super) async fn forget_others(cx: &Cx<'_, SecurityGroup>, live: &Live<SecurityGroup>) -> Result<()> {
    let others = |rules: Vec<Parts>| -> Vec<IpPermission> {
        let names_another = |rule: &&Parts| rule.group.as_ref().is_some_and(|group| *group != live.physical);
        rules.iter().filter(names_another).map(Parts::sdk).collect()
    };
    let ingress = live.spec.security_group_ingress.iter().map(IngressRule::parts).collect();
    let egress = live.spec.security_group_egress.iter().map(EgressRule::parts).collect();
    revoke_ingress(cx, &live.physical, others(ingress)).await?;
    revoke_egress(cx, &live.physical, others(egress)).await
}

async fn revoke_ingress(cx: &Cx<'_, SecurityGroup>, id: &str, rules: Vec<IpPermission>) -> Result<()> {
    if !rules.is_empty() {
        let call = cx.client.revoke_security_group_ingress().group_id(id).set_ip_permissions(Some(rules));
        call.send().await.map_err(failed)?;
    }
    Ok(())
}

async fn revoke_egress(cx: &Cx<'_, SecurityGroup>, id: &str, rules: Vec<IpPermission>) -> Result<()> {
    if !rules.is_empty() {
        let call = cx.client.revoke_security_group_egress().group_id(id).set_ip_permissions(Some(rules));
        call.send().await.map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{IngressRule, moves};

    fn rule(cidr: &str, port: i32, description: Option<&str>) -> super::Parts {
        IngressRule {
            ip_protocol: "tcp".to_owned(),
            from_port: Some(port),
            to_port: Some(port),
            cidr_ip: Some(cidr.to_owned()),
            description: description.map(str::to_owned),
            ..IngressRule::default()
        }
        .parts()
    }

    #[test]
    fn only_what_differs_is_touched() {
        let live =
            vec![rule("10.0.0.0/8", 22, None), rule("10.0.0.0/8", 80, Some("old")), rule("::", 1, None)];
        let want =
            vec![rule("10.0.0.0/8", 80, Some("new")), rule("::", 1, None), rule("10.0.0.0/8", 443, None)];
        let moves = moves(live, want);
        let ports = |rules: &[super::IpPermission]| rules.iter().map(|r| r.from_port()).collect::<Vec<_>>();
        assert_eq!(ports(&moves.authorize), [Some(443)]);
        assert_eq!(ports(&moves.describe), [Some(80)]);
        assert_eq!(ports(&moves.revoke), [Some(22)]);
    }
}
