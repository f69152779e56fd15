//! How much memory the process has used.

/// The largest resident size of this process so far, in bytes.
///
/// `VmHWM` of `/proc/self/status`; `None` where the system has no such file.
pub fn peak() -> Option<u64> {
    peak_in(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn peak_in(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_high_water_mark_of_a_status_file() {
        assert_eq!(peak_in("Name:\tx\nVmHWM:\t    5120 kB\nVmRSS:\t 4 kB\n"), Some(5_242_880));
        assert_eq!(peak_in("Name:\tx\n"), None);
    }
}
