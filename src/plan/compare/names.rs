//! The names of generations, and which number comes next (D14).

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use crate::kind::AnyKind;
use crate::resource::{Declared, Desired, Incarnation, Incarnations, Observed};

/// The physical name of a generation: no suffix for the first, `-g<N>` after it, cut to the kind's limit with a hash.
pub fn name(base: &str, generation: u32, longest: usize) -> String {
    if generation <= 1 {
        return base.to_owned();
    }
    let suffix = format!("-g{generation}");
    if base.chars().count() + suffix.len() <= longest {
        return format!("{base}{suffix}");
    }
    let hash: String =
        Sha256::digest(base.as_bytes()).iter().take(3).map(|byte| format!("{byte:02x}")).collect();
    let room = longest.saturating_sub(suffix.len() + 1 + hash.len());
    let cut: String = base.chars().take(room).collect();
    // ECR and S3 take no two of `.`, `-`, `_` and `/` in a row.
    let cut = cut.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    format!("{cut}-{hash}{suffix}")
}

/// The generation that a name tells, of a resource with this declared name; `None` if it is not made of it.
pub fn of_name(physical: &str, base: &str, longest: usize) -> Option<u32> {
    let number = physical.rsplit_once("-g")?.1.parse::<u32>().ok()?;
    (number > 1 && name(base, number, longest) == physical).then_some(number)
}

/// The name of the generation that follows the current one: the declared one itself where that is another by now, unless an
/// older generation bears it still.
pub fn name_after(
    (seen, current): (&Incarnations, &Incarnation),
    declared: &Declared,
    next: u32,
    longest: usize,
) -> String {
    let base = declared.physical_name.as_str();
    let is_of_base = |number: u32| current.physical == name(base, number, longest);
    let is_borne = seen.others.iter().any(|other| other.physical == base);
    match is_of_base(current.generation()) || is_of_base(1) || is_borne {
        true => name(base, next, longest),
        false => base.to_owned(),
    }
}

/// Whether a name ends as those of generations do.
pub fn is_generation_name(name: &str) -> bool {
    let number = name.rsplit_once("-g").and_then(|(_, number)| number.parse::<u32>().ok());
    number.is_some_and(|number| number > 1)
}

/// The number of the next generation: above all that were seen, and one whose name nothing else bears.
pub fn next(
    declared: &Declared,
    kind: &dyn AnyKind,
    seen: Option<&Incarnations>,
    desired: &Desired,
    observed: &Observed,
) -> u32 {
    let highest = seen.into_iter().flat_map(Incarnations::iter).map(Incarnation::generation).max();
    let Some(highest) = highest else { return 1 };
    let same_kind = |id: &crate::resource::ResourceId| id.kind == declared.id.kind && *id != declared.id;
    let mut taken: BTreeSet<&str> = observed
        .taken
        .get(&declared.id.kind)
        .into_iter()
        .flat_map(BTreeMap::keys)
        .map(String::as_str)
        .collect();
    let others = observed.resources.iter().filter(|(id, _)| same_kind(id));
    taken.extend(others.flat_map(|(_, seen)| seen.iter()).map(|i| i.physical.as_str()));
    let others = desired.resources.iter().filter(|(id, _)| same_kind(id));
    taken.extend(others.map(|(_, other)| other.physical_name.as_str()));
    let longest = kind.facts().longest_name;
    let mut next = highest.saturating_add(1);
    // Each name that is taken rules out one number: so many and one more are enough.
    for _ in 0..=taken.len() {
        if !taken.contains(name(&declared.physical_name, next, longest).as_str()) {
            break;
        }
        next = next.saturating_add(1);
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_carries_its_generation_and_fits() {
        assert_eq!(name("fargate", 1, 128), "fargate");
        assert_eq!(name("fargate", 12, 128), "fargate-g12");
        let (exact, long) = ("a".repeat(125), "a".repeat(126));
        assert_eq!(name(&exact, 2, 128), format!("{exact}-g2"));
        for longest in [63, 64, 128] {
            let cut = name(&long, 10, longest);
            assert_eq!(cut.len(), longest, "{cut}");
            assert!(cut.ends_with("-g10") && is_generation_name(&cut), "{cut}");
            assert_ne!(cut, name(&format!("{long}b"), 10, longest), "what is cut off still counts");
        }
    }

    #[test]
    fn a_generation_is_called_what_its_kind_may_be_called() {
        let parts = ["a", "ab", "a1-", "b.", "c/", "0_", "A", "-", " "];
        let mut taken = 0;
        for kind in crate::kinds::KINDS {
            let (facts, mut of_kind) = (kind.facts(), 0);
            for (first, second) in parts.iter().flat_map(|first| parts.map(|second| (*first, second))) {
                let long = format!("{first}{}z", second.repeat(512));
                let lengths = (3..=20).chain(facts.longest_name - 12..=facts.longest_name + 1);
                for base in lengths.filter_map(|length| long.get(..length)) {
                    if kind.validate_name(base, None).is_some() {
                        continue;
                    }
                    of_kind += 1;
                    for generation in [2, 10, 999, 12_345] {
                        let name = name(base, generation, facts.longest_name);
                        assert_eq!(kind.validate_name(&name, None), None, "{}: {name} of {base}", facts.name);
                    }
                }
            }
            assert!(of_kind > 50, "{}: {of_kind}", facts.name);
            taken += of_kind;
        }
        assert!(taken > 5000, "{taken}");
    }

    #[test]
    fn a_name_tells_the_generation_of_what_is_declared() {
        assert_eq!(of_name("gpu-g5", "gpu", 128), Some(5));
        assert_eq!(of_name("gpu-g5", "gpu-g5", 128), None, "declared so: the first");
        assert_eq!(of_name("gpu-g5-g2", "gpu-g5", 128), Some(2));
        assert_eq!(of_name("cpu-g5", "gpu", 128), None);
        let long = "a".repeat(126);
        assert_eq!(of_name(&name(&long, 12, 128), &long, 128), Some(12));
    }

    #[test]
    fn a_name_of_a_generation_is_recognised() {
        let names = ["a-g2", "a-g17", "a-g", "a-g1", "a-g2b", "a", "-g3", "a-g2-g"];
        assert_eq!(names.map(is_generation_name), [true, true, false, false, false, false, true, false]);
    }
}
