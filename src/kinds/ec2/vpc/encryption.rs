//! Whether traffic in a VPC must be encrypted.

use crate::kind::prelude::*;
use aws_sdk_ec2::types::{
    VpcEncryptionControl, VpcEncryptionControlConfiguration, VpcEncryptionControlExclusion,
    VpcEncryptionControlExclusionState as State, VpcEncryptionControlExclusionStateInput as Input,
    VpcEncryptionControlMode,
};

/// Whether traffic in a VPC must be encrypted, and which ways out need not be.
#[spec]
pub struct EncryptionControl {
    /// `monitor`: flow logs say what is not encrypted. `enforce`: it is refused.
    #[field(one_of(VpcEncryptionControlMode::values()))]
    pub mode: String,
    /// `enable`: internet gateways are excluded.
    #[field(default = Input::Disable.as_str(), one_of(Input::values()))]
    pub internet_gateway_exclusion: String,
    /// `enable`: egress-only internet gateways are excluded.
    #[field(default = Input::Disable.as_str(), one_of(Input::values()))]
    pub egress_only_internet_gateway_exclusion: String,
    /// `enable`: NAT gateways are excluded.
    #[field(default = Input::Disable.as_str(), one_of(Input::values()))]
    pub nat_gateway_exclusion: String,
    /// `enable`: virtual private gateways are excluded.
    #[field(default = Input::Disable.as_str(), one_of(Input::values()))]
    pub virtual_private_gateway_exclusion: String,
    /// `enable`: peered VPCs are excluded.
    #[field(default = Input::Disable.as_str(), one_of(Input::values()))]
    pub vpc_peering_exclusion: String,
    /// `enable`: Lambda functions are excluded.
    #[field(default = Input::Disable.as_str(), one_of(Input::values()))]
    pub lambda_exclusion: String,
    /// `enable`: VPC Lattice is excluded.
    #[field(default = Input::Disable.as_str(), one_of(Input::values()))]
    pub vpc_lattice_exclusion: String,
    /// `enable`: EFS is excluded.
    #[field(default = Input::Disable.as_str(), one_of(Input::values()))]
    pub elastic_file_system_exclusion: String,
}

impl EncryptionControl {
    /// As CreateVpc takes it.
    pub(super) fn sdk(&self) -> VpcEncryptionControlConfiguration {
        VpcEncryptionControlConfiguration::builder()
            .mode(self.mode.as_str().into())
            .internet_gateway_exclusion(self.internet_gateway_exclusion.as_str().into())
            .egress_only_internet_gateway_exclusion(
                self.egress_only_internet_gateway_exclusion.as_str().into(),
            )
            .nat_gateway_exclusion(self.nat_gateway_exclusion.as_str().into())
            .virtual_private_gateway_exclusion(self.virtual_private_gateway_exclusion.as_str().into())
            .vpc_peering_exclusion(self.vpc_peering_exclusion.as_str().into())
            .lambda_exclusion(self.lambda_exclusion.as_str().into())
            .vpc_lattice_exclusion(self.vpc_lattice_exclusion.as_str().into())
            .elastic_file_system_exclusion(self.elastic_file_system_exclusion.as_str().into())
            .build()
    }

    /// As DescribeVpcs reports it.
    pub(super) fn observe(control: &VpcEncryptionControl) -> Option<Self> {
        let said = control.resource_exclusions();
        Some(Self {
            mode: control.mode()?.as_str().to_owned(),
            internet_gateway_exclusion: exclusion(said.and_then(|s| s.internet_gateway())),
            egress_only_internet_gateway_exclusion: exclusion(
                said.and_then(|s| s.egress_only_internet_gateway()),
            ),
            nat_gateway_exclusion: exclusion(said.and_then(|s| s.nat_gateway())),
            virtual_private_gateway_exclusion: exclusion(said.and_then(|s| s.virtual_private_gateway())),
            vpc_peering_exclusion: exclusion(said.and_then(|s| s.vpc_peering())),
            lambda_exclusion: exclusion(said.and_then(|s| s.lambda())),
            vpc_lattice_exclusion: exclusion(said.and_then(|s| s.vpc_lattice())),
            elastic_file_system_exclusion: exclusion(said.and_then(|s| s.elastic_file_system())),
        })
    }
}

fn exclusion(said: Option<&VpcEncryptionControlExclusion>) -> String {
    let on = matches!(said.and_then(|s| s.state()), Some(State::Enabled | State::Enabling));
    let state = if on { Input::Enable } else { Input::Disable };
    state.as_str().to_owned()
}
