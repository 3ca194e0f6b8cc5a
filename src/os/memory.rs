//! The memory of this process.

/// Gives memory that has been freed back to the system, for a process that is about to wait for long. The GNU C library
/// keeps it otherwise.
pub fn release_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[expect(unsafe_code, reason = "a call of the C library that no safe wrapper has")]
    // SAFETY: touches only what the allocator has not handed out.
    unsafe {
        libc::malloc_trim(0);
    }
}
