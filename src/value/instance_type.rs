//! What the name of an instance type, of a family of them, or of one of Batch's bundles tells.
//!
//! How AWS names them: <https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html>.

use std::fmt;

/// The family of a type of instances; a family is its own.
pub fn family(text: &str) -> &str {
    text.split('.').next().unwrap_or(text)
}

/// Whether Batch itself chooses the types.
pub fn is_bundle(text: &str) -> bool {
    matches!(text, "optimal" | "default_x86_64" | "default_arm64")
}

/// What processors understand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// Graviton's.
    Arm64,
    /// Intel's and AMD's.
    X86,
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Arm64 => "ARM64",
            Self::X86 => "X86_64",
        })
    }
}

/// What the name tells: a `g` right behind the generation is a Graviton processor, as in `m7gd`, and A1 has the first of
/// them. Nothing for names that are not of this form.
pub fn architecture(text: &str) -> Option<Architecture> {
    match text {
        "optimal" | "default_x86_64" => return Some(Architecture::X86),
        "default_arm64" => return Some(Architecture::Arm64),
        _ => {}
    }
    let family = family(text);
    let generation = family.trim_start_matches(|c: char| c.is_ascii_lowercase());
    let processor = generation.trim_start_matches(|c: char| c.is_ascii_digit());
    if generation.len() == family.len() || processor.len() == generation.len() {
        return None;
    }
    let graviton = family == "a1" || processor.starts_with('g');
    Some(if graviton { Architecture::Arm64 } else { Architecture::X86 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_architecture() {
        for arm in [
            "a1.large",
            "m6g",
            "c7gn.xlarge",
            "x2gd",
            "t4g.small",
            "im4gn",
            "is4gen",
            "g5g",
            "hpc7g",
            "default_arm64",
        ] {
            assert_eq!(architecture(arm), Some(Architecture::Arm64), "{arm}");
        }
        for x86 in [
            "optimal",
            "m5",
            "c7i-flex.large",
            "g4dn.xlarge",
            "g6",
            "p5en",
            "u7i-12tb",
            "x2iedn",
            "inf2",
            "trn1n",
            "z1d",
            "mac2",
        ] {
            assert_eq!(architecture(x86), Some(Architecture::X86), "{x86}");
        }
        for unknown in ["", "u-6tb1", "${x}", "m"] {
            assert_eq!(architecture(unknown), None, "{unknown}");
        }
    }
}
