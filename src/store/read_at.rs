//! Texts that are read in pieces, from any place on: they may grow meanwhile, and lie in a file or on another host.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

/// Bytes that can be read from any place on.
pub trait ReadAt: fmt::Debug + Send + Sync {
    /// Reads what there is from byte `offset` on, as far as `buffer` takes it; nothing at the end.
    ///
    /// # Errors
    ///
    /// Whatever reading gives; it can be tried again.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// How many bytes there are now.
    ///
    /// # Errors
    ///
    /// Whatever asking gives.
    fn length(&self) -> io::Result<u64>;
}

impl ReadAt for File {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        FileExt::read_at(self, buffer, offset)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}

/// Reads such bytes one after the other.
#[derive(Debug)]
pub struct Pieces<'a> {
    bytes: &'a dyn ReadAt,
    position: u64,
}

impl<'a> Pieces<'a> {
    /// From byte `offset` on.
    pub fn of(bytes: &'a dyn ReadAt, offset: u64) -> Self {
        Self { bytes, position: offset }
    }
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.bytes.read_at(buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}
