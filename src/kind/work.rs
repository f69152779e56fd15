//! What jobs have to do with a resource.

/// What jobs have to do with the resources of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Nothing.
    None,
    /// They wait in it, and end with it.
    Waits,
    /// They run on it.
    Runs,
}

/// What an update does to the jobs that run on a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupt {
    /// They go on.
    No,
    /// They end at once.
    AtOnce,
    /// They get so many minutes more.
    After(u64),
}
