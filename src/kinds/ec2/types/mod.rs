//! Shapes that several kinds of EC2 share.

pub mod cidr;
pub mod network;
pub mod time;
