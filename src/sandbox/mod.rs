//! An AWS to try things on: loopback only, no account needed.
