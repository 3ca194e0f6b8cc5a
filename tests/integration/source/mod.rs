//! The source itself: who may import whom, circles, words.

#[cfg(feature = "mcp")]
mod advice;
mod architecture;
mod backends;
#[cfg(target_os = "linux")]
mod circles;
mod rust;
