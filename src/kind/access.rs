//! What a resource says of who may do what.

/// What the resources of a kind have to do with who may do what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    None,
    /// Programs act as it.
    Actor,
    /// It says what actors may do, and is attached to them or bounds them.
    Policy,
    /// It says whom actors trust.
    Provider,
}
