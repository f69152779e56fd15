//! Elastic Container Registry.

pub mod repository;
