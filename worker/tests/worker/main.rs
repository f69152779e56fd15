//! The worker's program, run as a container runs it.

#[cfg(test)]
mod bucket;
#[cfg(test)]
mod inputs;
#[cfg(test)]
mod local;
#[cfg(test)]
mod own_calculation;
#[cfg(test)]
mod packed;
#[cfg(test)]
mod pandas;
#[cfg(test)]
mod parquet_types;
#[cfg(test)]
mod program;
#[cfg(test)]
mod queue;
#[cfg(test)]
mod s3;
#[cfg(test)]
mod shards;
#[cfg(test)]
mod stale_parts;
#[cfg(test)]
mod transform;
