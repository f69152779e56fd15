//! Network interfaces of instances.

use aws_sdk_ec2::types as sdk;

use crate::kind::prelude::*;

/// Specifies the parameters for a network interface.
#[spec(mirrors = sdk::LaunchTemplateInstanceNetworkInterfaceSpecificationRequest, told = sdk::LaunchTemplateInstanceNetworkInterfaceSpecification)]
pub struct NetworkInterface {
    /// Associates a Carrier IP address with eth0 for a new network interface.
    #[field(empty)]
    pub associate_carrier_ip_address: Option<bool>,
    /// Associates a public IPv4 address with eth0 for a new network interface.
    #[field(empty)]
    pub associate_public_ip_address: Option<bool>,
    /// Indicates whether the network interface is deleted when the instance is terminated.
    #[field(empty)]
    pub delete_on_termination: Option<bool>,
    /// A description for the network interface.
    #[field(empty)]
    pub description: Option<String>,
    /// The device index for the network interface attachment.
    #[field(empty)]
    pub device_index: Option<i32>,
    /// The security groups, by id.
    #[field(
        empty,
        set,
        items_refer("ec2/SecurityGroup.id", "ec2/SecurityGroup.groupId", "ec2/Vpc.defaultSecurityGroupId")
    )]
    pub groups: Vec<String>,
    /// The type of network interface.
    #[field(empty)]
    pub interface_type: Option<String>,
    /// The number of IPv6 addresses to assign to a network interface.
    #[field(empty)]
    pub ipv6_address_count: Option<i32>,
    /// One or more specific IPv6 addresses from the IPv6 CIDR block range of your subnet.
    #[field(empty)]
    pub ipv6_addresses: Vec<InstanceIpv6Address>,
    /// The ID of the network interface.
    #[field(empty)]
    pub network_interface_id: Option<String>,
    /// The primary private IPv4 address of the network interface.
    #[field(empty)]
    pub private_ip_address: Option<String>,
    /// One or more private IPv4 addresses.
    #[field(empty)]
    pub private_ip_addresses: Vec<PrivateIpAddress>,
    /// The number of secondary private IPv4 addresses to assign to a network interface.
    #[field(empty)]
    pub secondary_private_ip_address_count: Option<i32>,
    /// The subnet; Batch takes those of its environment instead.
    #[field(empty, refers("ec2/Subnet.id"))]
    pub subnet_id: Option<String>,
    /// The index of the network card.
    #[field(empty)]
    pub network_card_index: Option<i32>,
    /// One or more IPv4 prefixes to be assigned to the network interface.
    #[field(empty)]
    pub ipv4_prefixes: Vec<Ipv4Prefix>,
    /// The number of IPv4 prefixes to be automatically assigned to the network interface.
    #[field(empty)]
    pub ipv4_prefix_count: Option<i32>,
    /// One or more IPv6 prefixes to be assigned to the network interface.
    #[field(empty)]
    pub ipv6_prefixes: Vec<Ipv6Prefix>,
    /// The number of IPv6 prefixes to be automatically assigned to the network interface.
    #[field(empty)]
    pub ipv6_prefix_count: Option<i32>,
    /// The primary IPv6 address of the network interface.
    #[field(empty)]
    pub primary_ipv6: Option<bool>,
    /// The ENA Express configuration for the network interface.
    #[field(empty)]
    pub ena_srd_specification: Option<EnaSrd>,
    /// A connection tracking specification for the network interface.
    #[field(empty)]
    pub connection_tracking_specification: Option<ConnectionTracking>,
    /// The number of ENA queues to be created with the instance.
    #[field(empty)]
    pub ena_queue_count: Option<i32>,
}

/// Specifies an IPv6 address in an Amazon EC2 launch template.
#[spec(mirrors = sdk::InstanceIpv6AddressRequest, told = sdk::InstanceIpv6Address, unsaid = [is_primary_ipv6])]
pub struct InstanceIpv6Address {
    /// One or more specific IPv6 addresses from the IPv6 CIDR block range of your subnet.
    #[field(empty)]
    pub ipv6_address: Option<String>,
}

/// Specifies a secondary private IPv4 address for a network interface.
#[spec(mirrors = sdk::PrivateIpAddressSpecification)]
pub struct PrivateIpAddress {
    /// Indicates whether the private IPv4 address is the primary private IPv4 address.
    #[field(empty)]
    pub primary: Option<bool>,
    /// The private IPv4 address.
    #[field(empty)]
    pub private_ip_address: Option<String>,
}

/// Specifies an IPv4 prefix for a network interface.
#[spec(mirrors = sdk::Ipv4PrefixSpecificationRequest, told = sdk::Ipv4PrefixSpecificationResponse)]
pub struct Ipv4Prefix {
    /// The IPv4 prefix.
    #[field(empty)]
    pub ipv4_prefix: Option<String>,
}

/// Specifies an IPv6 prefix for a network interface.
#[spec(mirrors = sdk::Ipv6PrefixSpecificationRequest, told = sdk::Ipv6PrefixSpecificationResponse)]
pub struct Ipv6Prefix {
    /// The IPv6 prefix.
    #[field(empty)]
    pub ipv6_prefix: Option<String>,
}

/// ENA Express uses AWS Scalable Reliable Datagram (SRD) technology to increase the maximum bandwidth used per stream
/// and minimize tail latency of network traffic between EC2 instances.
#[spec(mirrors = sdk::EnaSrdSpecificationRequest, told = sdk::LaunchTemplateEnaSrdSpecification)]
pub struct EnaSrd {
    /// Indicates whether ENA Express is enabled for the network interface.
    #[field(empty)]
    pub ena_srd_enabled: Option<bool>,
    /// Configures ENA Express for UDP network traffic.
    #[field(empty)]
    pub ena_srd_udp_specification: Option<EnaSrdUdp>,
}

/// ENA Express is compatible with both TCP and UDP transport protocols.
#[spec(mirrors = sdk::EnaSrdUdpSpecificationRequest, told = sdk::LaunchTemplateEnaSrdUdpSpecification)]
pub struct EnaSrdUdp {
    /// Indicates whether UDP traffic to and from the instance uses ENA Express.
    #[field(empty)]
    pub ena_srd_udp_enabled: Option<bool>,
}

/// A security group connection tracking specification that enables you to set the idle timeout for connection
/// tracking on an Elastic network interface.
#[spec(mirrors = sdk::ConnectionTrackingSpecificationRequest, told = sdk::ConnectionTrackingSpecification)]
pub struct ConnectionTracking {
    /// Timeout (in seconds) for idle TCP connections in an established state.
    #[field(empty)]
    pub tcp_established_timeout: Option<i32>,
    /// Timeout (in seconds) for idle UDP flows classified as streams which have seen more than one request-response
    /// transaction.
    #[field(empty)]
    pub udp_stream_timeout: Option<i32>,
    /// Timeout (in seconds) for idle UDP flows that have seen traffic only in a single direction or a single request-
    /// response transaction.
    #[field(empty)]
    pub udp_timeout: Option<i32>,
}

/// The hostname type for EC2 instances launched into this subnet and how DNS A and AAAA record queries should be
/// handled.
#[spec(mirrors = sdk::LaunchTemplatePrivateDnsNameOptionsRequest, told = sdk::LaunchTemplatePrivateDnsNameOptions)]
pub struct PrivateDnsNameOptions {
    /// The type of hostname for EC2 instances.
    #[field(empty, one_of(sdk::HostnameType::values()))]
    pub hostname_type: Option<String>,
    /// Indicates whether to respond to DNS queries for instance hostnames with DNS A records.
    #[field(empty)]
    pub enable_resource_name_dns_a_record: Option<bool>,
    /// Indicates whether to respond to DNS queries for instance hostnames with DNS AAAA records.
    #[serde(rename = "enableResourceNameDnsAAAARecord")]
    #[field(empty)]
    pub enable_resource_name_dns_aaaa_record: Option<bool>,
}

/// Contains settings for the network performance options for the instance.
#[spec(mirrors = sdk::LaunchTemplateNetworkPerformanceOptionsRequest, told = sdk::LaunchTemplateNetworkPerformanceOptions)]
pub struct NetworkPerformanceOptions {
    /// What bandwidth is for: `default`, `vpc-1` more for the network, `ebs-1` more for volumes.
    #[field(empty, one_of(sdk::InstanceBandwidthWeighting::values()))]
    pub bandwidth_weighting: Option<String>,
}

/// A network interface in a secondary subnet.
#[spec(mirrors = sdk::LaunchTemplateInstanceSecondaryInterfaceSpecificationRequest, told = sdk::LaunchTemplateInstanceSecondaryInterfaceSpecification)]
pub struct SecondaryInterface {
    /// Whether it goes with the instance.
    #[field(empty)]
    pub delete_on_termination: Option<bool>,
    /// The index of the device.
    #[field(empty)]
    pub device_index: Option<i32>,
    /// Its private addresses.
    #[field(empty)]
    pub private_ip_addresses: Vec<SecondaryInterfacePrivateIpAddress>,
    /// How many private addresses AWS chooses.
    #[field(empty)]
    pub private_ip_address_count: Option<i32>,
    /// The secondary subnet.
    #[field(empty)]
    pub secondary_subnet_id: Option<String>,
    /// Its type: `secondary`.
    #[field(empty, one_of(sdk::SecondaryInterfaceType::values()))]
    pub interface_type: Option<String>,
    /// The index of the network card.
    #[field(empty)]
    pub network_card_index: Option<i32>,
}

/// A private address of one.
#[spec(mirrors = sdk::SecondaryInterfacePrivateIpAddressSpecificationRequest, told = sdk::SecondaryInterfacePrivateIpAddressSpecification)]
pub struct SecondaryInterfacePrivateIpAddress {
    /// The address.
    #[field(empty)]
    pub private_ip_address: Option<String>,
}
