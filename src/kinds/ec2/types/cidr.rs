//! Address ranges: how they are spelled, and which of them overlap.

use crate::kind::prelude::*;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;
use std::str::FromStr;

/// An IPv4 or IPv6 range such as `10.0.0.0/16`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr {
    address: IpAddr,
    prefix: u8,
}

/// A text that is no address range.
#[derive(Debug, thiserror::Error)]
#[error(
    "read {0:?} as an address range: expected an address, a slash and a prefix length, such as 10.0.0.0/16"
)]
pub struct NotACidr(String);

impl FromStr for Cidr {
    type Err = NotACidr;

    fn from_str(text: &str) -> std::result::Result<Self, NotACidr> {
        let refuse = || NotACidr(text.to_owned());
        let (address, prefix) = text.split_once('/').ok_or_else(refuse)?;
        let address: IpAddr = address.parse().map_err(|_| refuse())?;
        let prefix: u8 = prefix.parse().map_err(|_| refuse())?;
        let widest = if address.is_ipv4() { 32 } else { 128 };
        if prefix > widest { Err(refuse()) } else { Ok(Self { address, prefix }) }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl Cidr {
    /// Whether it is an IPv4 range.
    pub fn is_ipv4(&self) -> bool {
        self.address.is_ipv4()
    }

    /// The range without host bits: `100.68.0.18/18` is `100.68.0.0/18`.
    pub fn network(&self) -> Self {
        self.cut(self.prefix)
    }

    /// Whether all of the other's addresses are in it.
    pub fn holds(&self, other: &Self) -> bool {
        self.prefix <= other.prefix && self.overlaps(other)
    }

    /// Whether an address is in both.
    pub fn overlaps(&self, other: &Self) -> bool {
        let shorter = self.prefix.min(other.prefix);
        self.is_ipv4() == other.is_ipv4() && self.cut(shorter) == other.cut(shorter)
    }

    fn cut(&self, prefix: u8) -> Self {
        let address = match self.address {
            IpAddr::V4(v4) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask))
            }
            IpAddr::V6(v6) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
            }
        };
        Self { address, prefix }
    }
}

/// Writes a range in the form that AWS makes of it, without the bits after its prefix: `100.68.0.18/18` is `100.68.0.0/18`. For
/// fields of which AWS says so: `CidrBlock` of CreateVpc and CreateSubnet, `DestinationCidrBlock` of CreateRoute
/// ("we modify the specified CIDR block to its canonical form"), and the ranges of AuthorizeSecurityGroupIngress and
/// AuthorizeSecurityGroupEgress ("AWS canonicalizes IPv4 and IPv6 CIDRs").
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpc.html>,
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html>
pub fn canonical(text: &mut String) {
    if let Ok(cidr) = text.parse::<Cidr>() {
        *text = cidr.network().to_string();
    }
}

/// Spells a range as AWS does (`2001:DB8:0::/48` is `2001:db8::/48`); what is no range stays as it is.
pub fn respell(text: &mut String) {
    if let Ok(cidr) = text.parse::<Cidr>() {
        *text = cidr.to_string();
    }
}

/// What is wrong with a range; nothing if it holds a reference that is not known yet.
pub fn check(path: &str, text: &str, ipv4: bool, prefixes: RangeInclusive<u8>) -> Option<Invalid> {
    if text.contains("${") {
        return None;
    }
    let family = if ipv4 { "IPv4" } else { "IPv6" };
    let message = match text.parse::<Cidr>() {
        Err(_) => format!("{text:?} is not a range of {family} addresses, such as {}", example(ipv4)),
        Ok(cidr) if cidr.is_ipv4() != ipv4 => {
            format!("{text} is not a range of {family} addresses, such as {}", example(ipv4))
        }
        Ok(cidr) if !prefixes.contains(&cidr.prefix) => format!(
            "/{} is not a size that AWS offers here; choose between /{} and /{}",
            cidr.prefix,
            prefixes.start(),
            prefixes.end()
        ),
        Ok(cidr) if cidr.network() != cidr => {
            format!(
                "{text} has bits set after its prefix; AWS would make it {}, so write that",
                cidr.network()
            )
        }
        Ok(_) => return None,
    };
    Some(Invalid::new(path, message))
}

/// What is wrong with the size of an IPv6 range: AWS gives them in steps of four bits.
pub fn check_step(path: &str, text: &str) -> Option<Invalid> {
    let prefix = text.parse::<Cidr>().ok()?.prefix;
    let message = || {
        format!("/{prefix} is not a size that AWS offers here; they go in steps of 4, such as /56 and /60")
    };
    (prefix % 4 != 0).then(|| Invalid::new(path, message()))
}

fn example(ipv4: bool) -> &'static str {
    if ipv4 { "10.0.0.0/16" } else { "2001:db8::/56" }
}

#[cfg(test)]
mod tests {
    use super::{Cidr, canonical, check, respell};

    fn cidr(text: &str) -> Cidr {
        text.parse().unwrap()
    }

    #[test]
    fn ranges_are_cut_and_compared() {
        assert_eq!(cidr("100.68.0.18/18").network().to_string(), "100.68.0.0/18");
        assert_eq!(cidr("1.2.3.4/0").network().to_string(), "0.0.0.0/0");
        assert_eq!(cidr("1.2.3.4/32").network().to_string(), "1.2.3.4/32");
        assert_eq!(cidr("2001:db8::1/64").network().to_string(), "2001:db8::/64");
        assert!(cidr("10.0.0.0/16").overlaps(&cidr("10.0.255.0/24")));
        assert!(cidr("10.0.255.0/24").overlaps(&cidr("10.0.0.0/16")));
        assert!(!cidr("10.0.0.0/24").overlaps(&cidr("10.0.1.0/24")));
        assert!(!cidr("0.0.0.0/0").overlaps(&cidr("::/0")));
        assert!(cidr("10.0.0.0/16").holds(&cidr("10.0.255.0/24")));
        assert!(
            !cidr("10.0.255.0/24").holds(&cidr("10.0.0.0/16")) && !cidr("::/0").holds(&cidr("10.0.0.0/8"))
        );
        assert!("10.0.0.0/33".parse::<Cidr>().is_err() && "10.0.0.0".parse::<Cidr>().is_err());
    }

    #[test]
    fn ipv6_is_spelled_as_aws_does() {
        let mut text = "2001:DB8:0:0::/56".to_owned();
        respell(&mut text);
        assert_eq!(text, "2001:db8::/56");
    }

    /// The example of CreateVpc, `CidrBlock`.
    #[test]
    fn ranges_are_cut_as_aws_cuts_them() {
        for (written, kept) in [
            ("100.68.0.18/18", "100.68.0.0/18"),
            ("2001:DB8::1/64", "2001:db8::/64"),
            ("10.0.0.1/32", "10.0.0.1/32"),
            ("${ec2/Vpc/main.cidrBlock}", "${ec2/Vpc/main.cidrBlock}"),
        ] {
            let mut text = written.to_owned();
            canonical(&mut text);
            assert_eq!(text, kept);
        }
    }

    #[test]
    fn complaints_say_what_to_write() {
        let message = |text| check("cidrBlock", text, true, 16..=28).map(|invalid| invalid.message);
        insta::assert_snapshot!(
            message("10.0.0.5/16").unwrap(),
            @"10.0.0.5/16 has bits set after its prefix; AWS would make it 10.0.0.0/16, so write that"
        );
        insta::assert_snapshot!(
            message("10.0.0.0/8").unwrap(),
            @"/8 is not a size that AWS offers here; choose between /16 and /28"
        );
        insta::assert_snapshot!(
            message("ten").unwrap(),
            @r#""ten" is not a range of IPv4 addresses, such as 10.0.0.0/16"#
        );
        assert_eq!(message("${ec2/Vpc/main.cidrBlock}"), None);
        assert_eq!(message("10.0.0.0/16"), None);
    }
}
