//! Batchwright: a GitOps reconciler for AWS Batch stacks.
//!
//! Read in this order: `resource` has the nouns.

pub mod sandbox;
