//! The sizes that Fargate offers.

use std::ops::RangeInclusive;

/// vCPUs, the memory that goes with them in MiB, and the step between two sizes.
/// <https://docs.aws.amazon.com/batch/latest/APIReference/API_ResourceRequirement.html>
const SIZES: &[(f64, RangeInclusive<u32>, u32)] = &[
    (0.25, 512..=512, 1024),
    (0.25, 1024..=2048, 1024),
    (0.5, 1024..=4096, 1024),
    (1.0, 2048..=8192, 1024),
    (2.0, 4096..=16384, 1024),
    (4.0, 8192..=30720, 1024),
    (8.0, 16384..=61440, 4096),
    (16.0, 32768..=122_880, 8192),
    (32.0, 61440..=122_880, 61440),
    (32.0, 249_856..=249_856, 61440),
];

/// The memory sizes, in MiB, that go with so many vCPUs; none if Fargate does not offer the number.
pub(super) fn memory_for(vcpus: f64) -> Vec<u32> {
    SIZES
        .iter()
        .filter(|(offered, ..)| *offered == vcpus)
        .flat_map(|(_, range, step)| range.clone().step_by(usize::try_from(*step).unwrap_or(1)))
        .collect()
}

/// The numbers of vCPUs, smallest first.
pub(super) fn vcpus() -> Vec<f64> {
    let mut all: Vec<f64> = SIZES.iter().map(|(vcpus, ..)| *vcpus).collect();
    all.dedup();
    all
}

/// The smallest size that holds both, as vCPUs and MiB.
pub(super) fn smallest(least_vcpus: f64, least_memory: f64) -> Option<(f64, u32)> {
    vcpus().into_iter().filter(|vcpus| *vcpus >= least_vcpus).find_map(|vcpus| {
        memory_for(vcpus).into_iter().find(|memory| f64::from(*memory) >= least_memory).map(|m| (vcpus, m))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn sizes_are_those_that_aws_publishes() {
        let data = include_str!("../../../../tests/data/fargate_sizes.json");
        let data: Value = serde_json::from_str(data).unwrap();
        let rows = data["sizes"].as_array().unwrap();
        for row in rows {
            let vcpus: f64 = row["vcpu"].as_str().unwrap().parse().unwrap();
            let memory: Vec<u32> = serde_json::from_value(row["memoryMiB"].clone()).unwrap();
            assert_eq!(memory_for(vcpus), memory, "{vcpus} vCPUs");
        }
        assert_eq!(vcpus().len(), rows.len());
    }

    #[test]
    fn the_nearest_size_is_proposed() {
        assert_eq!(smallest(1.0, 9000.0), Some((2.0, 9216)));
        assert_eq!(smallest(0.3, 100.0), Some((0.5, 1024)));
        assert_eq!(smallest(64.0, 1.0), None);
        assert_eq!(smallest(1.0, 300_000.0), None);
    }
}
